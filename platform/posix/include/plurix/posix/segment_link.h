// SegmentLink: how a hosted node reaches the others on an Ethernet segment, QEMU machines among
// them.
//
//   plurix::posix::SegmentNode here{{.cluster = "demo", .segment = "hub:/run/lab"}};
//
// Of the options `segment` says where the segment is, `bind` may name a MAC address for this node,
// and `seeds` are MAC addresses; without any, everybody on the segment is asked.
#pragma once

#include <plurix/posix/node.h>
#include <plurix/segment/transport.h>

namespace plurix::posix {

struct SegmentLink {
  using Net = segment::SegmentTransport;

  static std::unique_ptr<Net> open(const NodeOptions& options);
  static std::vector<Endpoint> seeds(const NodeOptions& options);
  static std::string asked(const NodeOptions& options);
  static std::string to_text(const Endpoint& endpoint);
};
static_assert(Link<SegmentLink>);

using SegmentNode = BasicNode<Fair, NullTraceSink, Unwrapped, SegmentLink>;

}  // namespace plurix::posix
