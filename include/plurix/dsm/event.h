// What can happen to a node, as values: the only way into the protocol.
#pragma once

#include <plurix/base/page.h>
#include <plurix/concepts/transport.h>

#include <variant>

namespace plurix::event {

/// A frame has arrived from `from`; the bytes are read during the step only.
struct FrameArrived {
  Bytes frame;
  Endpoint from;
};

/// A frame from `from` to another node came by. It is good for nothing but the page in it.
struct FrameOverheard {
  Bytes frame;
  Endpoint from;
};

/// Time has passed; nothing else.
struct TimerExpired {};

/// A transaction's body begins.
struct AttemptBegun {};

/// The application touched a page. With `map` the view must grant the access afterwards (a trap, a
/// plain pointer); without it the page must only be present and recorded.
struct LocalFault {
  PageIndex page;
  Access access;
  bool map;
};

/// A page is wanted that nobody will write any more: it is made to come, and no attempt has read it
/// by that.
struct PageWanted {
  PageIndex page;
};

/// The body has ended and has written; it wants to commit after `collisions` aborted attempts.
struct CommitWanted {
  std::uint32_t collisions;
};

/// The body has ended without writing, or its result is not wanted: pages as before it.
struct AttemptEnded {};

/// The next attempt shall run while this node holds the token (and until TokenReleased).
struct TokenWanted {
  std::uint32_t collisions;
};
struct TokenReleased {};

/// A reader wants to know that it has applied every commit that ended before now.
struct LatestWanted {};

/// Found a cluster alone; the first `formatted` pages are filled.
struct FoundWanted {
  Endpoint own;
  PageIndex formatted;
};

/// What a PageServer's store knows of its cluster. The frames hold the image already; without one
/// `time` and `high_water` are 0.
struct StoredCluster {
  CommitTime time;
  PageIndex high_water = 0;
  NodeId self = 0;  ///< the PageServer's number
  std::uint32_t incarnation = 0;
  Epoch epoch = 1;        ///< the newest that ever began
  ClusterId cluster = 0;  ///< whose store it is
  Instant silent_since;   ///< the former life gave no lease after this
};

/// Go on as the PageServer of the stored cluster, with those of its members who are still there.
struct ResumeWanted {
  Endpoint own;
  PageIndex formatted;
  StoredCluster cluster;
};

/// On the PageServer: take an image as soon as possible. With `stop_cluster` nobody commits until
/// it is stored.
struct ImageWanted {
  bool stop_cluster;
};

/// On the PageServer: the store has no room for pages now, or has it again. What was asked for is
/// taken all the same.
struct ImageHeld {
  bool held = false;
};

/// The image that was asked for is durable, or will never be.
struct ImageStored {
  bool durable;
};

/// Somebody here waits for an image; or nobody does any more.
struct DurableWanted {
  bool wanted;
};

struct JoinWanted {
  std::span<const Endpoint> seeds;
  Endpoint own;
  bool may_found;
  PageIndex formatted;
  /// Of a PageServer that has left it, and comes back as `incarnation` (0: as any newcomer): nobody
  /// shall found the cluster while this node asks, and if it is let in, the cluster may go back to
  /// this image.
  StoredCluster stored = {};
};

struct LeaveWanted {};

/// Member `node` did not exist at some instant behind `asked_at` (KnowsAbsence).
struct PeerAbsent {
  NodeId node;
  Instant asked_at;
};

}  // namespace plurix::event

namespace plurix {

using Event =
    std::variant<event::FrameArrived, event::FrameOverheard, event::TimerExpired,
                 event::AttemptBegun, event::LocalFault, event::PageWanted, event::CommitWanted,
                 event::AttemptEnded, event::TokenWanted, event::TokenReleased, event::LatestWanted,
                 event::FoundWanted, event::ResumeWanted, event::JoinWanted, event::LeaveWanted,
                 event::PeerAbsent, event::ImageWanted, event::ImageHeld, event::ImageStored,
                 event::DurableWanted>;

}  // namespace plurix
