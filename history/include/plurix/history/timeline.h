// The order of commits as the history itself states it, and what every key held at each point of
// it.
//
// All updates that took effect stand in one row, sorted by (epoch, commit time): their *positions*
// 1, 2, 3, …; position 0 is the empty heap. An epoch that a rollback started has a position of its
// own in front of its commits, at which every key whose last writes were undone gets its older
// value back. So the value of a key at a position is found by one binary search, also across
// rollbacks.
//
// The row is a tree folded flat: what epoch 2 undid of epoch 1 stands in the row, but is not in the
// past of epoch 2. The *lineage* of an epoch is its past: pieces of the row, each within one epoch.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <plurix/history/index.h>

namespace plurix::history {

using Position = std::uint32_t;

inline constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

// The positions first … last.
struct Piece {
  Position first = 0;
  Position last = 0;

  bool holds(Position position) const { return first <= position && position <= last; }
};

struct Epoch {
  std::uint32_t number = 0;
  std::uint64_t start_time = 0;  // of its rollback; without one, the last commit time before it
  bool rolled_back = false;      // the history has its rollback line
  Position start = 0;            // the state its first commit found
  Position cut = 0;              // the same state in the epoch before it
  Position last = 0;             // its last commit, or `start`
  std::vector<Piece> lineage;    // in row order, its own positions last
};

// `word` was the value of the key from `from` to `until`.
struct Version {
  Position from = 0;
  Position until = 0;
  AttemptId writer = kNobody;
  Word word = 0;
  bool maybe = false;  // of an unknown outcome: the version before it may stand as well
};

class Timeline {
 public:
  explicit Timeline(const Index& index);

  const Index& index() const { return *index_; }
  Position size() const { return static_cast<Position>(at_.size()); }
  // Who committed at the position; kNobody at 0 and where an epoch starts.
  AttemptId at(Position position) const { return at_[position]; }
  Position position_of(AttemptId update) const { return position_[update]; }
  // The newest position that a snapshot of `commit_time` taken in `epoch` contains.
  Position snapshot(std::uint32_t epoch, std::uint64_t commit_time) const;
  // What an attempt that committed saw if all is well: an update the state before it, a reader its
  // snapshot.
  Position seen_by(AttemptId committed) const;

  const std::vector<Epoch>& epochs() const { return epochs_; }
  std::size_t epoch_index(std::uint32_t number) const;
  const Epoch& epoch_of(AttemptId id) const {
    return epochs_[epoch_index(index_->attempt(id).epoch)];
  }
  // The first later epoch that undid this update, or nullptr.
  const Epoch* undone_by(AttemptId update) const;

  std::span<const Version> versions(Key key) const { return versions_[key]; }
  // The version a read at `position` finds; never null, because every key begins with its initial
  // value.
  const Version& version_at(Key key, Position position) const;
  bool holds(Key key, Position position, Word word) const;

  // The latest `begin_ns` among the commits that `position` contains, and whose it was.
  std::int64_t latest_begin(Position position) const { return latest_begin_[position]; }
  AttemptId latest_beginner(Position position) const;
  // The newest state of the epoch that contains no commit begun after `end_ns`.
  Position newest_before(const Epoch& epoch, std::int64_t end_ns) const;

 private:
  void collect_epochs();
  void place_commits();
  void open_epoch(std::size_t number, Position previous_last);
  void write_versions();
  void restore_versions(const Epoch& epoch, const Epoch& before);
  void restore_key(Key key, const Epoch& epoch);
  void add_version(const Version& version, Key key);
  void close_versions();
  void note_begins();
  std::uint64_t time_at(Position position) const;
  Position last_not_after(Piece piece, std::uint64_t commit_time) const;

  const Index* index_;
  std::vector<Epoch> epochs_;
  std::vector<AttemptId> at_;
  std::vector<Position> position_;
  std::vector<std::vector<Version>> versions_;
  std::vector<std::int64_t> latest_begin_;
};

// The moment after which an update surely had taken effect: an unknown outcome may do so at any
// time.
std::int64_t surely_done_ns(const Attempt& attempt);

}  // namespace plurix::history
