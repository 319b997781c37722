#include "heap/programs.h"

#include "heap/image_object.h"
#include "interface/kernel_image.h"

namespace plurix::kernel {
namespace {

using baremetal::Text;

Text path_of(std::string_view name) noexcept { return Text() << kPrograms << name; }

PageIndex page_at(const void* place) noexcept {
  return page_of(reinterpret_cast<std::uintptr_t>(place) - kDefaultHeapBase);
}

std::span<const std::byte> file_behind_kernel(const baremetal::BootInfo& boot) noexcept {
  if (boot.modules.size() < 2) return {};
  const auto& file = boot.modules[1];
  return {reinterpret_cast<const std::byte*>(file.begin), file.bytes()};
}

/// A copy of the image's beginning; magic 0 if there is no such program.
ProgramImage find_program(Node& node, std::string_view name) noexcept {
  const auto path = path_of(name);
  const auto found = node.read_only(Freshness::kLatest, [&](Transaction& t) {
    ProgramImage head{.magic = 0};
    if (const auto image = t.find<Image>(path.view())) {
      std::memcpy(&head, t.reading_range(image.offset(), sizeof head), sizeof head);
    }
    return head;
  });
  return found.committed() ? *found.value : ProgramImage{.magic = 0};
}

void refuse(Text& answer, std::string_view why, std::string_view name = {}) noexcept {
  answer.clear();
  answer << "{\"event\":\"refused\",\"words\":\"" << why << name << "\"}\n";
}

}  // namespace

const char* install_program(Resident& resident, std::string_view name) noexcept {
  const auto file = file_behind_kernel(resident.machine().boot);
  const auto& head = *reinterpret_cast<const ProgramImage*>(file.data());
  if (file.size() < sizeof head || head.magic != ProgramImage::kMagic ||
      head.bytes() > file.size()) {
    return "the boot loader has brought no program";
  }
  Node node(resident);
  const auto path = path_of(name);
  const auto outcome = node.try_run([&](Transaction& t) -> Verdict {
    if (t.find<Image>(path.view())) return t.cancel("a program of that name is there");
    const auto image = make_image(t, file.first(head.bytes()), page_at(head.place));
    return t.publish(path.view(), image) ? t.commit() : t.cancel("the name is taken");
  });
  return outcome.committed() ? nullptr : outcome.reason;
}

void run_program(Resident& resident, std::string_view name, Text& answer) noexcept {
  Node node(resident);
  const auto head = find_program(node, name);
  if (head.magic != ProgramImage::kMagic) return refuse(answer, "there is no program ", name);
  const auto variables = reinterpret_cast<std::uintptr_t>(head.local_begin);
  const auto end = reinterpret_cast<std::uintptr_t>(head.local_end);
  if (!resident.hold_code(page_at(head.place), heap::pages_for(head.bytes()), variables,
                          end - variables)) {
    return refuse(answer, "the node was stopped");
  }
  if (const auto other = disagreement(head.types); !other.empty()) {
    return refuse(answer, "the program was compiled with another ", other);
  }
  head.run(resident, answer);
}

}  // namespace plurix::kernel
