#include "torture_plan.h"

#include <algorithm>
#include <sstream>

#include "net_faults.h"
#include "workloads/all.h"

namespace plurix::tool {
namespace {

Duration between(Prng& prng, std::int64_t shortest_ms, std::int64_t longest_ms) {
  const auto span_us = static_cast<std::uint64_t>(longest_ms - shortest_ms) * 1'000;
  return microseconds(shortest_ms * 1'000 + static_cast<std::int64_t>(prng.below(span_us)));
}

// Mild on most fleets, so that much is done, and rough on some.
double draw_percent(Prng& prng) {
  const auto most = prng.below(4) == 0 ? 6'000 : 1'500;
  return static_cast<double>(50 + prng.below(most)) / 1'000;
}

sim::FaultOptions draw_faults(const TortureMenu& menu, Prng& prng) {
  sim::FaultOptions faults;
  for (const auto& fault : kNetFaults) {
    const auto percent = draw_percent(prng);  // also if unused: the rest of the plan stays
    const bool wanted = std::find(menu.net.begin(), menu.net.end(), fault.name) != menu.net.end();
    if (wanted) faults.*fault.percent = percent;
  }
  return faults;
}

// In both fleets of a pair each node runs on one kind of fault source and of socket, and every kind
// meets every other within a fleet.
FleetPlan::Node draw_node(std::size_t kind, const sim::FaultOptions& faults, Prng& prng) {
  return {.fault_source = kind % 2 == 0 ? "auto" : "sigsegv",
          .receive = kind / 2 % 2 == 0 ? "plain" : "io_uring",
          .faults = faults,
          .seed = prng.below(1'000'000'000)};
}

template <class T>
void shuffle(std::vector<T>& all, Prng& prng) {
  for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[prng.below(i)]);
}

}  // namespace

TortureMenu TortureMenu::all() {
  TortureMenu menu{.net = {}, .pause = true, .hostile = true};
  for (const auto& fault : kNetFaults) menu.net.push_back(fault.name);
  return menu;
}

std::string TortureMenu::names() {
  std::string names;
  for (const auto& name : all().net) names += name + ", ";
  return names + "pause, hostile";
}

std::optional<TortureMenu> TortureMenu::parse(const std::string& text) {
  const auto everything = all();
  if (text == "all") return everything;
  TortureMenu menu;
  if (text == "none") return menu;
  std::istringstream in(text);
  for (std::string name; std::getline(in, name, ',');) {
    const auto& net = everything.net;
    if (name == "pause") {
      menu.pause = true;
    } else if (name == "hostile") {
      menu.hostile = true;
    } else if (std::find(net.begin(), net.end(), name) != net.end()) {
      menu.net.push_back(name);
    } else {
      return std::nullopt;
    }
  }
  return menu;
}

FleetPlan plan_fleet(const TortureSettings& settings, std::size_t fleet) {
  const auto menu = *TortureMenu::parse(settings.faults);
  Prng prng(mix(settings.seed, fleet));
  FleetPlan plan;
  plan.strategy = fleet % 2 == 0 ? "fair" : "first-wins";
  const auto faults = draw_faults(menu, prng);
  for (std::size_t i = 0; i < settings.nodes; ++i) {
    plan.nodes.push_back(draw_node(i + fleet / 2, faults, prng));
  }
  plan.workloads =
      settings.workload == "all" ? workloads::names() : std::vector<std::string>{settings.workload};
  shuffle(plan.workloads, prng);
  plan.seed = prng.next();
  return plan;
}

Pause draw_pause(Prng& prng, std::size_t nodes) {
  const auto after = between(prng, 20, 600);
  const auto node = prng.below(nodes);
  const auto kind = prng.below(20);
  if (kind == 0) return {after, node, between(prng, 500, 1'500)};
  if (kind < 6) return {after, node, between(prng, 50, 300)};
  return {after, node, between(prng, 1, 30)};
}

}  // namespace plurix::tool
