#include <plurix/sim/checkers/one_token.h>
#include <plurix/sim/checkers/violation.h>

#include <vector>

namespace plurix::sim {
namespace {

/// Where a token is: a place for each that may be used or will be taken.
struct Place {
  ClusterId cluster;
  Epoch epoch;
  NodeId node;
  std::uint32_t grant;  ///< 0: the node holds it
};

std::string words(const Place& place) {
  if (place.grant == 0) return name_of(place.node) + " holds it";
  return "grant " + std::to_string(place.grant) + " is under way to " + name_of(place.node);
}

bool would_be_taken(const GrantInFlight& grant, std::span<const NodeState> nodes) {
  for (const auto& node : nodes) {
    if (node.self != grant.receiver || node.incarnation != grant.receiver_incarnation) continue;
    return node.member && !node.frozen && node.cluster == grant.cluster &&
           node.epoch == grant.epoch && node.token_number < grant.number;
  }
  return false;
}

class Places {
 public:
  void add(const Place& place) {
    for (const auto& other : places_) {
      const bool same_grant =
          place.grant != 0 && other.grant == place.grant && other.node == place.node;
      if (other.cluster != place.cluster || other.epoch != place.epoch || same_grant) continue;
      throw Violation("P1: two tokens in epoch " + std::to_string(place.epoch) + ": " +
                      words(other) + " and " + words(place));
    }
    places_.push_back(place);
  }

 private:
  std::vector<Place> places_;
};

}  // namespace

std::optional<GrantInFlight> read_grant(Bytes frame) {
  wire::FrameView view;
  wire::TokenGrant grant;
  Bytes waiting;
  if (wire::check_frame(frame, view) != wire::DropReason::kNone ||
      view.header.type != wire::MessageType::kTokenGrant ||
      !wire::read_token_grant(view.body, grant, waiting)) {
    return std::nullopt;
  }
  return GrantInFlight{view.header.cluster, view.header.epoch, view.header.receiver,
                       view.header.receiver_incarnation, grant.number};
}

void check_one_token(std::span<const NodeState> nodes, std::span<const GrantInFlight> grants) {
  Places places;
  for (const auto& node : nodes) {
    if (node.holds_token) places.add({node.cluster, node.epoch, node.self, 0});
  }
  for (const auto& grant : grants) {
    if (!would_be_taken(grant, nodes)) continue;
    places.add({grant.cluster, grant.epoch, grant.receiver, grant.number});
  }
}

}  // namespace plurix::sim
