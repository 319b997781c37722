#include "resident/composition.h"

namespace plurix::kernel {
namespace {

using baremetal::BootInfo;

baremetal::PciDevice find_card() noexcept {
  const auto device = baremetal::find_pci_device(kRealtek, kRtl8139);
  if (!device) panic("this machine has no RTL8139 network card", __FILE__, __LINE__);
  return *device;
}

std::uint64_t number_of(const ethernet::MacAddress& address) noexcept {
  std::uint64_t number = 0;
  for (const auto byte : address.bytes) number = number << 8 | static_cast<std::uint64_t>(byte);
  return number;
}

void report_panic(void* parts, std::string_view text) noexcept {
  static_cast<Parts*>(parts)->machine.console.write(text);
}

void report_events(void* parts) noexcept {
  auto& self = *static_cast<Parts*>(parts);
  self.events.write_all([&](const baremetal::Text& text) { self.machine.say(text); });
}

}  // namespace

std::uint32_t draw_incarnation(const BootInfo& boot, const ethernet::MacAddress& address) noexcept {
  const auto drawn = mix(baremetal::time_stamp_counter(), number_of(address));
  const auto number = static_cast<std::uint32_t>(boot.number("incarnation", drawn));
  return number == 0 ? 1 : number;
}

NodeConfig config_for(const BootInfo& boot, std::uint32_t incarnation) noexcept {
  NodeConfig config;
  config.core.geometry.pages =
      static_cast<std::uint32_t>(boot.number("heap", 64 << 20) / kPageSize);
  config.core.shadow_pages = static_cast<std::uint32_t>(boot.number("shadow", 256));
  // They are RAM, and cleared while the machine starts.
  config.core.pre_images = static_cast<std::uint32_t>(boot.number("pre_images", 128));
  config.core.cluster_name_hash = hash_cluster_name(boot.option("cluster").value_or("plurix"));
  config.core.incarnation = incarnation;
  return config;
}

Parts::Parts(baremetal::Machine& m) noexcept
    : machine(m),
      sleep{{m.clock, m.alarm}},
      device(find_card()),
      ports{baremetal::enable_port_device(device)},
      card_memory{m.memory.take(rtl8139::kDmaBytes, kPageSize, "no memory for the network card")},
      card(ports, card_memory, sleep),
      card_answers(card.start()),
      incarnation(draw_incarnation(m.boot, card.address())),
      net(card, incarnation),
      config(config_for(m.boot, incarnation)),
      faults(m.memory, config.core.geometry),
      bare(m, config, faults, net, events) {
  if (!card_answers) panic("the network card does not answer", __FILE__, __LINE__);
  baremetal::set_panic_report(
      {.write = report_panic, .last_events = report_events, .context = this});
  sleep.node = &bare;
  sleep.hear_card = [](void* node) noexcept { static_cast<BareNode*>(node)->hear_card(); };
  bare.attach_card(
      baremetal::interrupt_line_of(device),
      [](void* c) noexcept { (void)static_cast<Card*>(c)->acknowledge(); }, &card);
}

bool Parts::enter() noexcept {
  const auto found = machine.boot.option("found").value_or("auto");
  if (found == "always") {
    node().found();
    return true;
  }
  const Endpoint everybody = ethernet::make_endpoint(ethernet::kBroadcast);
  return node().join({&everybody, 1}, found == "auto", node().now() + patience());
}

Duration Parts::patience() const noexcept {
  return milliseconds(static_cast<std::int64_t>(machine.boot.number("join", 10'000)));
}

}  // namespace plurix::kernel
