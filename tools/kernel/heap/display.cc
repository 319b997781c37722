#include "heap/display.h"

#include "interface/services.h"

namespace plurix::kernel {
namespace {

using baremetal::Text;
using baremetal::TextScreen;

constexpr unsigned kStateRow = SharedScreen::kRows;
constexpr unsigned kAnswerRow = kStateRow + 1;
constexpr unsigned kCommandRow = kStateRow + 2;
static_assert(kCommandRow + 1 == TextScreen::kRows &&
              SharedScreen::kColumns == TextScreen::kColumns);

volatile std::uint16_t* vga() noexcept {
  return reinterpret_cast<volatile std::uint16_t*>(TextScreen::kVgaMemory);
}

bool keeps_what_is_written() noexcept {
  constexpr std::uint16_t kProbe = 0x0741;
  *vga() = kProbe;
  return *vga() == kProbe;
}

void draw_row(TextScreen& screen, unsigned row, std::string_view text) noexcept {
  char padded[TextScreen::kColumns];
  for (std::size_t i = 0; i < sizeof padded; ++i) {
    const char c = i < text.size() ? text[i] : ' ';
    padded[i] = c >= ' ' ? c : ' ';
  }
  screen.draw(row, 0, {padded, sizeof padded});
}

}  // namespace

Display::Display() noexcept : exists_(keeps_what_is_written()), screen_(vga()) {}

void Display::show(Node& node, std::string_view answer, std::string_view command) noexcept {
  const auto state = Text() << "-- node " << node.id() << ", commit time "
                            << node.commit_time().value;
  (void)node.read_only(Freshness::kSnapshot, [&](Transaction& t) {
    auto& screen = t.use(screen_);
    draw_row(screen, kStateRow, state.view());
    draw_row(screen, kAnswerRow, answer);
    draw_row(screen, kCommandRow, command);
    const auto service = baremetal::find_service<ScreenService>(t);
    if (!service) return;
    const auto page = service->page(t, service);
    for (unsigned row = 0; row < SharedScreen::kRows; ++row) {
      draw_row(screen, row, workloads::text_of(page->rows[row]));
    }
  });
}

}  // namespace plurix::kernel
