#include <plurix/history/explain.h>

#include <algorithm>

namespace plurix::history {
namespace {

std::string quoted(const Index& index, Key key) { return std::string(index.key_name(key)); }

std::string writer_text(const Timeline& timeline, const Version& version, Violation& violation) {
  if (version.writer == kNobody) return "the initial value";
  violation.attempts.push_back(version.writer);
  std::string text = "written by " + name_of(timeline.index().attempt(version.writer));
  if (const Epoch* epoch = timeline.undone_by(version.writer)) {
    text += " and undone by the rollback to commit time " + std::to_string(epoch->start_time) +
            " of epoch " + std::to_string(epoch->number);
  }
  return text;
}

std::string fate_of(const Index& index, RawWrite write, bool list) {
  switch (index.attempt(write.attempt).status) {
    case Status::kAborted:
      return ", which was aborted";
    case Status::kCancelled:
      return ", which was cancelled";
    default:
      break;
  }
  return write.last || list ? "" : ", which overwrote it before it committed";
}

std::string writer_of_number(const Index& index, Key key, std::int64_t number, AttemptId reader,
                             Violation& violation) {
  const RawWrite write = find_write(index, key, number, reader);
  if (write.attempt != kNobody) violation.attempts.push_back(write.attempt);
  return write_text(index, key, number, write);
}

const Version* find_version(const Timeline& timeline, const OutsideRead& read) {
  for (const Version& version : timeline.versions(read.key)) {
    if (version.word == read.word) return &version;
  }
  return nullptr;
}

// The first place where the list that was read leaves the list that should have been read.
std::string list_difference(const Timeline& timeline, AttemptId reader, const OutsideRead& read,
                            Position position, Violation& violation) {
  const Index& index = timeline.index();
  const auto seen = index.outside_list(reader, read);
  const auto held = list_at(timeline, read.key, position);
  const auto [s, h] = std::mismatch(seen.begin(), seen.end(), held.begin(), held.end());
  std::string text = "its place in the order of commits shows " + text_of(Value::of_list(held));
  if (h != held.end()) {
    text += "; missing at index " + std::to_string(h - held.begin()) + ": " +
            writer_of_number(index, read.key, *h, reader, violation);
  }
  if (s != seen.end()) {
    text += "; too much at index " + std::to_string(s - seen.begin()) + ": " +
            writer_of_number(index, read.key, *s, reader, violation);
  }
  return text;
}

}  // namespace

RawWrite find_write(const Index& index, Key key, std::int64_t number, AttemptId reader) {
  RawWrite found;
  for (AttemptId id = 0; id < index.size(); ++id) {
    if (id == reader || index.effect(id) == Effect::kSuperseded) continue;
    RawWrite write;
    for (const Operation& op : index.attempt(id).ops) {
      if (op.kind == Operation::Kind::kRead || op.key != index.key_name(key)) continue;
      write.last = op.value.number == number;
      if (write.last) write.attempt = id;
    }
    const bool better = found.attempt == kNobody || index.effect(id) == Effect::kUpdate;
    if (write.attempt != kNobody && better) found = write;
  }
  return found;
}

std::string write_text(const Index& index, Key key, std::int64_t number, RawWrite write) {
  const bool list = index.kind(key) == KeyKind::kList;
  if (write.attempt == kNobody) return std::to_string(number) + " was written by nobody else";
  return std::to_string(number) + (list ? " was appended by " : " was written by ") +
         name_of(index.attempt(write.attempt)) + fate_of(index, write, list);
}

std::string read_text(const Index& index, AttemptId reader, const OutsideRead& read) {
  return quoted(index, read.key) + " = " + text_of(index.attempt(reader).ops[read.op].value);
}

// From version to version backwards; a version that a rollback restored leads to where it was
// written.
std::vector<std::int64_t> list_at(const Timeline& timeline, Key key, Position position) {
  std::vector<std::int64_t> reversed;
  for (;;) {
    const AttemptId writer = timeline.version_at(key, position).writer;
    if (writer == kNobody) break;
    const auto writes = timeline.index().writes(writer);
    for (auto write = writes.rbegin(); write != writes.rend(); ++write) {
      if (write->key == key) reversed.push_back(write->number);
    }
    position = timeline.position_of(writer) - 1;
  }
  std::reverse(reversed.begin(), reversed.end());
  return reversed;
}

void explain_read(const Timeline& timeline, AttemptId reader, const OutsideRead& read,
                  Position position, Violation& violation) {
  const Index& index = timeline.index();
  violation.words +=
      name_of(index.attempt(reader)) + " read " + read_text(index, reader, read) + ", but ";
  if (index.kind(read.key) == KeyKind::kList) {
    violation.words += list_difference(timeline, reader, read, position, violation);
    return;
  }
  const Version& held = timeline.version_at(read.key, position);
  violation.words += "its place in the order of commits shows " +
                     std::to_string(static_cast<std::int64_t>(held.word)) + ", ";
  violation.words += writer_text(timeline, held, violation);
  violation.words += held.writer == kNobody ? "; " : ", whose write is missing; ";
  violation.words += origin_of(timeline, reader, read, violation);
}

std::string origin_of(const Timeline& timeline, AttemptId reader, const OutsideRead& read,
                      Violation& violation) {
  const Index& index = timeline.index();
  const Value& seen = index.attempt(reader).ops[read.op].value;
  if (const Version* version = find_version(timeline, read)) {
    return text_of(seen) + " is " + (version->writer == kNobody ? "" : "the value ") +
           writer_text(timeline, *version, violation);
  }
  const auto list = index.outside_list(reader, read);
  return writer_of_number(index, read.key, list.empty() ? seen.number : list.back(), reader,
                          violation);
}

Violation own_write_violation(const Index& index, const char* invariant, OwnWriteLost lost) {
  const Attempt& attempt = index.attempt(lost.attempt);
  const Operation& op = attempt.ops[lost.op];
  return {invariant,
          name_of(attempt) + " read " + op.key + " = " + text_of(op.value) +
              " after its own write to that key, and does not see it",
          {lost.attempt}};
}

}  // namespace plurix::history
