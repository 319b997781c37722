// Words for what went wrong: whose write a read missed, and where the value that it saw came from.
#pragma once

#include <string>
#include <vector>

#include <plurix/history/timeline.h>
#include <plurix/history/violation.h>

namespace plurix::history {

// "k12 = 5"
std::string read_text(const Index& index, AttemptId reader, const OutsideRead& read);

// "[1, 2]", of a list key at a position
std::vector<std::int64_t> list_at(const Timeline& timeline, Key key, Position position);

// Adds to `violation` what the key held at `position` instead of what was read, whose write the
// reader missed, and whose value it saw; names all of them in its attempts.
void explain_read(const Timeline& timeline, AttemptId reader, const OutsideRead& read,
                  Position position, Violation& violation);

// "5 is the value of node 2 tx 3 attempt 1 (…)": who wrote what was read, also when it was never
// committed.
std::string origin_of(const Timeline& timeline, AttemptId reader, const OutsideRead& read,
                      Violation& violation);

// Any write of a number to a key, by whatever attempt.
struct RawWrite {
  AttemptId attempt = kNobody;
  bool last = false;  // of that attempt to that key
};

// Rather a write that took effect, and one of another attempt than `reader`. Searches the whole
// history.
RawWrite find_write(const Index& index, Key key, std::int64_t number, AttemptId reader);

// "7 was appended by node 1 tx 3 attempt 1 (…), which was aborted"; "7 was written by nobody else"
std::string write_text(const Index& index, Key key, std::int64_t number, RawWrite write);

// The violation of a read that does not show the attempt's own earlier write.
Violation own_write_violation(const Index& index, const char* invariant, OwnWriteLost lost);

}  // namespace plurix::history
