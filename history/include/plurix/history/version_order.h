// Which version each read saw and which version follows it, inferred from values alone: no commit
// time is trusted.
//
// Registers: when no two updates wrote the same number to a key, a number names its writer. An
// update that read the key before it wrote names the version before its own; a *blind* write does
// not. Lists: the longest list that anybody read gives the order of all appends in it, and every
// other read must be a prefix of it (as in Elle, Kingsbury and Alvaro, VLDB 2020). Appends in no
// list come after those in the longest.
//
// On the way it finds what needs no cycle: reads of what was never committed (G1a) or was
// overwritten before its commit (G1b), lists that disagree, and two updates that overwrote the same
// version.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <plurix/history/timeline.h>
#include <plurix/history/violation.h>

namespace plurix::history {

class VersionOrder {
 public:
  VersionOrder(const Timeline& timeline, Findings& findings);

  const Index& index() const { return timeline_->index(); }
  // Took effect and was not undone by a rollback: the graph is about these.
  const std::vector<AttemptId>& participants() const { return participants_; }
  bool applicable(Key key) const { return applicable_[key]; }
  bool is_list(Key key) const { return index().kind(key) == KeyKind::kList; }

  // Registers. The writer of the version read: kNobody for the initial one, nothing if the read is
  // a violation.
  std::optional<AttemptId> source_of(const OutsideRead& read) const;
  // The update that read this version of `writer` (kNobody: the initial one) and overwrote it;
  // kNobody if not known.
  AttemptId overwriter_of(Key key, AttemptId writer, std::int64_t number) const;
  // Blind writes of a register and when they began, ordered by that.
  struct Blind {
    std::int64_t begin_ns;
    AttemptId writer;
  };
  std::span<const Blind> blind_writes(Key key) const { return blind_[key]; }

  // Lists. The writers of the longest list's elements in order, and who appended what no list
  // shows.
  std::span<const AttemptId> list_order(Key key) const { return lists_[key].writers; }
  std::span<const AttemptId> unseen(Key key) const { return lists_[key].unseen; }

 private:
  struct Final {  // what an update left in a register, or one element that it appended
    Key key;
    std::int64_t number;
    AttemptId writer;
    AttemptId overwriter = kNobody;
  };
  struct ListOrder {
    AttemptId longest_reader = kNobody;
    OutsideRead longest{};
    std::vector<AttemptId> writers;
    std::vector<AttemptId> unseen;
  };

  void collect_participants();
  void collect_finals();
  void reject_repeats();
  void link_registers();
  void link_register(AttemptId id, const Write& write, const OutsideRead* read_before);
  void check_register_reads(AttemptId id);
  void find_longest_lists();
  void order_list(Key key);
  std::vector<std::int64_t> sorted_longest(Key key);
  void find_unseen();
  void check_list_read(AttemptId id, const OutsideRead& read);
  const Final* find(Key key, std::int64_t number) const;
  Final* find(Key key, std::int64_t number);
  void add_bad_value(AttemptId reader, const OutsideRead& read, std::int64_t number);
  void add_lost_update(AttemptId first, AttemptId second, const OutsideRead& read);

  const Timeline* timeline_;
  Findings* findings_;
  std::vector<AttemptId> participants_;
  std::vector<bool> applicable_;
  std::vector<Final> finals_;  // sorted by (key, number)
  std::vector<std::size_t> finals_begin_;
  std::vector<AttemptId> initial_overwriter_;
  std::vector<std::vector<Blind>> blind_;
  std::vector<ListOrder> lists_;
};

}  // namespace plurix::history
