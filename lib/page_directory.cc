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

void PageDirectory::erase() noexcept { erase_since(CommitTime{}, 0); }

void PageDirectory::erase_since(CommitTime time, PageIndex asked_for) noexcept {
  for (PageIndex page = 0; page < pages(); ++page) {
    rights_[page] = Rights::kNone;
    owner_[page] = kNoNode;
    const bool older = written_[page] < time || mutated("undone_page_kept");
    const bool known = state_[page] != PageState::kAbsent && !never_written(page);
    if (page >= core_.formatted && known && older && time > CommitTime{}) {
      state_[page] = PageState::kCopy;
      continue;
    }
    // Much of a large heap was never here: writing there would cost memory too.
    const bool used = page >= asked_for && page < core_.high_water;
    if (used) std::memset(frame(page).data(), 0, kPageSize);
    state_[page] = PageState::kAbsent;
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
