#include <plurix/dsm/page_directory.h>

namespace plurix {

void PageDirectory::protect(PageIndex page, Rights rights) noexcept {
  if (rights_[page] == rights) return;
  rights_[page] = rights;
  auto* last = core_.actions.last();
  if (last != nullptr && last->kind == ActionKind::kProtect && last->rights == rights &&
      last->page + last->count == page) {
    ++last->count;
    return;
  }
  const Action action{.kind = ActionKind::kProtect, .rights = rights, .page = page, .count = 1};
  if (core_.actions.push(action) || mutated("full_action_list_keeps_rights")) return;
  protect_nothing_left();
}

void PageDirectory::erase() noexcept {
  for (PageIndex page = 0; page < pages(); ++page) {
    if (page < core_.high_water) std::memset(frame(page).data(), 0, kPageSize);
    state_[page] = PageState::kAbsent;
    rights_[page] = Rights::kNone;
    owner_[page] = kNoNode;
    written_[page] = CommitTime{};
  }
  core_.act({.kind = ActionKind::kProtect, .page = 0, .count = pages()});
  core_.act({.kind = ActionKind::kHeapErased});
}

void PageDirectory::protect_nothing_left() noexcept {
  for (auto& rights : rights_) rights = Rights::kNone;
  // The list is full: its newest entry is widened. Had it been a frame, that frame is lost, which
  // the protocol repairs; a right that stays by mistake it could not.
  auto* last = core_.actions.last();
  PLURIX_ASSERT(last != nullptr);
  if (last->kind != ActionKind::kProtect) ++core_.counters.actions_dropped;
  *last = Action{.kind = ActionKind::kProtect, .page = 0, .count = pages()};
}

}  // namespace plurix
