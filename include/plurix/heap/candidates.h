// What the collector is told. An object whose backchain loses an entry may be garbage, or belong to
// a dead cycle: it is entered into a queue of the node that removed the link, once. The queue's
// entries are weak links in chunks on the node's own pages, so they follow an object that is moved
// and vanish with one that is freed. An object that was never linked at all is found on the pages
// that its node has filled since the collector last asked.
//
// When a full heap leaves no room for an entry, `lost` is counted, and only looking at every object
// finds what was missed.
#pragma once

#include <plurix/heap/link.h>

#include <cstdint>

namespace plurix {

class Transaction;

namespace heap {

inline constexpr std::size_t kCandidatesPerChunk = 40;

struct CandidateChunk {
  Offset next = 0;  ///< the chunk that was full before
  AnyLink candidates[kCandidatesPerChunk];
};

/// Enters the object at `header` into this node's queue, unless it stands in one already.
void add_candidate(Transaction& t, Offset header);

struct Candidate {
  Offset body = 0;  ///< 0: the queue was empty
  /// Since it was entered it has lost another link, perhaps by another node.
  bool lost_again = false;
};

/// Takes the newest candidate out of this node's queue. Those that were freed meanwhile are passed
/// over.
Candidate take_candidate(Transaction& t);

/// The same out of another node's queue: of one that is gone.
Candidate take_candidate_of(Transaction& t, NodeId node);

/// Keeps a candidate that was taken and cannot be examined in one transaction, so that it is not
/// forgotten if the node crashes meanwhile. Not at `reserved`, where one is kept whose examination
/// is not over, also if that one has been freed by now. False if there is no room.
bool suspend_candidate(Transaction& t, Offset header, Offset reserved);

/// A suspended candidate of this node, as a body and the slot of the weak link that keeps it.
struct Suspended {
  Offset slot = 0;
  Offset body = 0;
};

/// The first one at or behind place `from` (0 … kCandidatesPerChunk-1), going round; slot 0: there
/// is none.
Suspended find_suspended(Transaction& t, std::uint32_t from);

/// The examination is over.
void end_suspension(Transaction& t, Offset slot);

/// Pages that this node has filled and that were not taken yet.
std::uint32_t filled_pages(Transaction& t);

/// Takes a page that this node has filled since the last time: kNoPage when there is none.
PageIndex take_filled_page(Transaction& t);

/// Filled pages for which there was no room, and forgets them: the collector then has to look at
/// all pages of this node.
std::uint32_t take_filled_lost(Transaction& t);

/// Candidates that could not be written down, of all nodes, and forgets them.
std::uint64_t take_lost_candidates(Transaction& t);

}  // namespace heap
}  // namespace plurix
