// NameWatch: tells when a name is made, leads elsewhere, or is taken away. It compares states: what
// was changed and changed back between two looks is not told.
//
//   NameWatch watch("config/current");
//   node.try_run([&](Transaction& t) -> Verdict {
//     if (!watch.changed(t)) return t.wait_for_change();
//     auto config = t.find<Config>(watch.path());  // null: there is none (any more)
//     …
//     return t.commit();
//   });
#pragma once

#include <plurix/transaction.h>

#include <string_view>

namespace plurix {

/// Belongs to the transactions of one node. What it has seen counts when the transaction that saw
/// it commits: each change is told to one committed transaction, however often its body runs.
class NameWatch {
 public:
  /// The text must outlive the watch. Misuse at the first look if it is no path.
  explicit constexpr NameWatch(std::string_view path) noexcept : path_(path) {}

  constexpr std::string_view path() const noexcept { return path_; }

  /// Whether the name leads elsewhere than at the last committed look, or its object was moved:
  /// offsets kept of it are void then. The first look tells of a name that exists. Reads what
  /// leads to the name, so that `wait_for_change` sleeps until one of these pages is written.
  bool changed(Transaction& t) {
    const auto now = heap::look_up(t, path_);
    const bool news = now.target != seen_.target || now.type != seen_.type;
    if (news) t.on_commit([this, now] { seen_ = now; });
    return news;
  }

 private:
  std::string_view path_;
  heap::Named seen_;  ///< at the last committed look; at first as if there were none
};

}  // namespace plurix
