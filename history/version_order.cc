#include <plurix/history/version_order.h>

#include <algorithm>
#include <string>

#include <plurix/history/explain.h>

namespace plurix::history {
namespace {

Violation bad_value(const Timeline& timeline, AttemptId reader, const OutsideRead& read,
                    std::int64_t number) {
  const Index& index = timeline.index();
  const RawWrite write = find_write(index, read.key, number, reader);
  Violation violation{"aborted_read", "", {reader}};
  violation.words = name_of(index.attempt(reader)) + " read " + read_text(index, reader, read) +
                    "; " + write_text(index, read.key, number, write);
  if (write.attempt == kNobody) {
    violation.invariant = "unwritten_value";
    return violation;
  }
  violation.attempts.push_back(write.attempt);
  const bool committed = index.effect(write.attempt) == Effect::kUpdate;
  if (!committed) return violation;
  if (const Epoch* epoch = timeline.undone_by(write.attempt)) {
    violation.words += " and undone by the rollback of epoch " + std::to_string(epoch->number);
  } else {
    violation.invariant = "intermediate_read";
  }
  return violation;
}

}  // namespace

VersionOrder::VersionOrder(const Timeline& timeline, Findings& findings)
    : timeline_(&timeline), findings_(&findings) {
  const std::size_t keys = index().key_count();
  applicable_.resize(keys);
  for (Key key = 0; key < keys; ++key) applicable_[key] = index().kind(key) != KeyKind::kMixed;
  initial_overwriter_.resize(keys, kNobody);
  blind_.resize(keys);
  lists_.resize(keys);
  collect_participants();
  collect_finals();
  reject_repeats();
  link_registers();
  find_longest_lists();
  for (Key key = 0; key < keys; ++key) order_list(key);
  find_unseen();
  for (const AttemptId id : participants_) {
    check_register_reads(id);
    for (const OutsideRead& read : index().reads(id)) {
      if (is_list(read.key) && applicable(read.key)) check_list_read(id, read);
    }
  }
}

void VersionOrder::collect_participants() {
  for (AttemptId id = 0; id < index().size(); ++id) {
    const Effect effect = index().effect(id);
    const bool took_part =
        effect == Effect::kUpdate || effect == Effect::kReader || effect == Effect::kUntimed;
    if (!took_part) continue;
    const bool undone = effect != Effect::kUntimed && timeline_->undone_by(id) != nullptr;
    if (!undone) participants_.push_back(id);
  }
}

void VersionOrder::collect_finals() {
  for (const AttemptId id : participants_) {
    for (const Write& write : index().writes(id)) finals_.push_back({write.key, write.number, id});
  }
  std::sort(finals_.begin(), finals_.end(), [](const Final& a, const Final& b) {
    return std::pair(a.key, a.number) < std::pair(b.key, b.number);
  });
  finals_begin_.resize(index().key_count() + 1, 0);
  for (const Final& final : finals_) ++finals_begin_[final.key + 1];
  for (std::size_t key = 1; key < finals_begin_.size(); ++key)
    finals_begin_[key] += finals_begin_[key - 1];
}

void VersionOrder::reject_repeats() {
  std::vector<Key> rejected;
  for (Key key = 0; key < applicable_.size(); ++key) {
    if (applicable_[key] && index().ambiguous(key)) rejected.push_back(key);
  }
  for (std::size_t i = 0; i < finals_.size(); ++i) {
    const auto& [key, number, writer, overwriter] = finals_[i];
    const bool as_initial = number == 0 && !is_list(key);
    const bool repeated = i > 0 && key == finals_[i - 1].key && number == finals_[i - 1].number;
    if (applicable_[key] && (as_initial || repeated)) rejected.push_back(key);
  }
  for (const Key key : rejected) applicable_[key] = false;
  std::sort(rejected.begin(), rejected.end());
  rejected.erase(std::unique(rejected.begin(), rejected.end()), rejected.end());
  if (rejected.empty()) return;
  findings_->not_applicable.push_back(
      std::to_string(rejected.size()) + " of " + std::to_string(index().key_count()) +
      " keys (for example " + std::string(index().key_name(rejected[0])) +
      ") were written the same number twice, or 0, so that a value does not name its writer");
}

const VersionOrder::Final* VersionOrder::find(Key key, std::int64_t number) const {
  const auto begin = finals_.begin() + static_cast<std::ptrdiff_t>(finals_begin_[key]);
  const auto end = finals_.begin() + static_cast<std::ptrdiff_t>(finals_begin_[key + 1]);
  const auto found = std::lower_bound(
      begin, end, number,
      [](const Final& final, std::int64_t wanted) { return final.number < wanted; });
  return found != end && found->number == number ? &*found : nullptr;
}

VersionOrder::Final* VersionOrder::find(Key key, std::int64_t number) {
  return const_cast<Final*>(std::as_const(*this).find(key, number));
}

std::optional<AttemptId> VersionOrder::source_of(const OutsideRead& read) const {
  if (read.word == 0) return kNobody;
  const Final* final = find(read.key, static_cast<std::int64_t>(read.word));
  return final == nullptr ? std::nullopt : std::optional(final->writer);
}

AttemptId VersionOrder::overwriter_of(Key key, AttemptId writer, std::int64_t number) const {
  if (writer == kNobody) return initial_overwriter_[key];
  const Final* final = find(key, number);
  return final == nullptr ? kNobody : final->overwriter;
}

void VersionOrder::link_registers() {
  // Which of the present attempt's reads was the first of each key.
  std::vector<std::pair<AttemptId, const OutsideRead*>> first_read(index().key_count(),
                                                                   {kNobody, nullptr});
  for (const AttemptId id : participants_) {
    for (const OutsideRead& read : index().reads(id)) {
      if (first_read[read.key].first != id) first_read[read.key] = {id, &read};
    }
    for (const Write& write : index().writes(id)) {
      if (is_list(write.key) || !applicable(write.key)) continue;
      const auto& [reader, read] = first_read[write.key];
      link_register(id, write, reader == id ? read : nullptr);
    }
  }
  for (auto& writes : blind_) {
    std::sort(writes.begin(), writes.end(), [](const Blind& a, const Blind& b) {
      return std::pair(a.begin_ns, a.writer) < std::pair(b.begin_ns, b.writer);
    });
  }
}

void VersionOrder::link_register(AttemptId id, const Write& write, const OutsideRead* read_before) {
  if (read_before == nullptr) {
    blind_[write.key].push_back({index().attempt(id).begin_ns, id});
    return;
  }
  Final* final = find(write.key, static_cast<std::int64_t>(read_before->word));
  if (read_before->word != 0 && final == nullptr) return;  // reported with the reads
  AttemptId& overwriter =
      read_before->word == 0 ? initial_overwriter_[write.key] : final->overwriter;
  if (overwriter != kNobody) {
    add_lost_update(overwriter, id, *read_before);
  } else {
    overwriter = id;
  }
}

void VersionOrder::add_lost_update(AttemptId first, AttemptId second, const OutsideRead& read) {
  findings_->add([&] {
    return Violation{"lost_update",
                     name_of(index().attempt(first)) + " and " + name_of(index().attempt(second)) +
                         " both read " + read_text(index(), second, read) +
                         " and overwrote it: the write of one of them is lost",
                     {first, second}};
  });
}

void VersionOrder::check_register_reads(AttemptId id) {
  for (const OutsideRead& read : index().reads(id)) {
    if (is_list(read.key) || !applicable(read.key) || source_of(read)) continue;
    add_bad_value(id, read, static_cast<std::int64_t>(read.word));
  }
}

void VersionOrder::add_bad_value(AttemptId reader, const OutsideRead& read, std::int64_t number) {
  findings_->add([&] { return bad_value(*timeline_, reader, read, number); });
}

void VersionOrder::find_longest_lists() {
  for (const AttemptId id : participants_) {
    for (const OutsideRead& read : index().reads(id)) {
      ListOrder& list = lists_[read.key];
      if (read.length <= list.longest.length) continue;
      list.longest_reader = id;
      list.longest = read;
    }
  }
}

void VersionOrder::order_list(Key key) {
  ListOrder& list = lists_[key];
  if (list.longest_reader == kNobody || !applicable(key)) return;
  for (const std::int64_t element : index().outside_list(list.longest_reader, list.longest)) {
    const Final* final = find(key, element);
    if (final == nullptr) {
      add_bad_value(list.longest_reader, list.longest, element);
      applicable_[key] = false;  // one unknown element leaves no order to reason from
      return;
    }
    list.writers.push_back(final->writer);
  }
}

// The longest list's elements in numeric order; an element that stands in it twice is a violation.
std::vector<std::int64_t> VersionOrder::sorted_longest(Key key) {
  const ListOrder& list = lists_[key];
  if (list.longest_reader == kNobody) return {};
  const auto elements = index().outside_list(list.longest_reader, list.longest);
  std::vector<std::int64_t> sorted(elements.begin(), elements.end());
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice == sorted.end() || !applicable(key)) return sorted;
  applicable_[key] = false;
  findings_->add([&] {
    return Violation{"incompatible_order",
                     name_of(index().attempt(list.longest_reader)) + " read " +
                         read_text(index(), list.longest_reader, list.longest) + ", with " +
                         std::to_string(*twice) + " in it twice, appended once",
                     {list.longest_reader}};
  });
  return sorted;
}

void VersionOrder::find_unseen() {
  for (Key key = 0; key < lists_.size(); ++key) {
    if (!is_list(key)) continue;
    const auto seen = sorted_longest(key);
    auto& unseen = lists_[key].unseen;
    for (auto i = finals_begin_[key]; i < finals_begin_[key + 1]; ++i) {
      const bool shown = std::binary_search(seen.begin(), seen.end(), finals_[i].number);
      if (!shown) unseen.push_back(finals_[i].writer);
    }
    std::sort(unseen.begin(), unseen.end());
    unseen.erase(std::unique(unseen.begin(), unseen.end()), unseen.end());
  }
}

void VersionOrder::check_list_read(AttemptId id, const OutsideRead& read) {
  const ListOrder& list = lists_[read.key];
  if (list.longest_reader == kNobody) return;
  const auto seen = index().outside_list(id, read);
  const auto order = index().outside_list(list.longest_reader, list.longest);
  const auto differs = std::mismatch(seen.begin(), seen.end(), order.begin()).first;
  if (differs != seen.end()) {
    if (find(read.key, *differs) == nullptr) return add_bad_value(id, read, *differs);
    findings_->add([&] {
      return Violation{"incompatible_order",
                       name_of(index().attempt(id)) + " read " + read_text(index(), id, read) +
                           ", and " + name_of(index().attempt(list.longest_reader)) + " read " +
                           read_text(index(), list.longest_reader, list.longest) +
                           ": neither list is the beginning of the other",
                       {id, list.longest_reader}};
    });
    return;
  }
  const std::size_t length = seen.size();
  if (length == 0 || list.writers.size() < length) return;
  const AttemptId last = list.writers[length - 1];
  const bool half = length < list.writers.size()
                        ? list.writers[length] == last
                        : std::binary_search(list.unseen.begin(), list.unseen.end(), last);
  if (!half) return;
  findings_->add([&] {
    return Violation{"intermediate_read",
                     name_of(index().attempt(id)) + " read " + read_text(index(), id, read) +
                         ", which has only a part of what was appended by " +
                         name_of(index().attempt(last)),
                     {id, last}};
  });
}

}  // namespace plurix::history
