// What the protocol wants done, in order. The node performs an action list front to back before the
// next step; nothing in it calls back.
#pragma once

#include <plurix/base/bounded_vector.h>
#include <plurix/base/page.h>
#include <plurix/concepts/image_sink.h>
#include <plurix/concepts/transport.h>

#include <cstring>

namespace plurix {

enum class ActionKind : std::uint8_t {
  kSend,         ///< frame to `node`, or to every member when node is kEveryone
  kSendTo,       ///< frame to `endpoint` (a node that is not a member yet)
  kProtect,      ///< set `rights` of `count` pages from `page` on
  kPeerAdded,    ///< `node` is reached at `endpoint`
  kPeerSilent,   ///< if `node` at `endpoint` is known to be absent, PeerAbsent is to be said
  kPeerRemoved,  ///< `node` is no longer a member
  kJoined,       ///< this node is now member `node`
  kLeft,         ///< this node is no longer a member
  kHeapErased,   ///< every frame is zero again: the first pages are to be formatted
  kEpochBegan,   ///< `epoch` is at work here
  kRestore,      ///< the newest image, that of `time`, is to be put into the frames; at 0: none
  kImageBegin,   ///< an image of commit time `time` is being taken; it ends at page `count`
  kImagePage,    ///< `payload` are the contents of `page` in it
  kImageEnd,     ///< no page of it is missing; `count` of its pages needed no request, and of these
                 ///< `page` were overheard
  kImageGivenUp,  ///< it will not be, because of `failure`
  kLogExhausted,  ///< the records this node misses are gone everywhere it asked: it resynchronizes
};

struct Action {
  ActionKind kind = ActionKind::kSend;
  Rights rights = Rights::kNone;
  ImageFailure failure = ImageFailure::kNone;
  NodeId node = kNoNode;
  PageIndex page = kNoPage;
  std::uint32_t count = 0;
  Epoch epoch = 0;
  CommitTime time = {};
  Endpoint endpoint = {};
  Bytes head = {};     ///< header and body; stands in the list's own arena
  Bytes payload = {};  ///< page contents, sent from where they are
};

/// Bounded list of actions with the bytes of their frames. At either limit a frame is dropped and
/// counted (the protocol repeats what matters); a protection that finds no room is widened to the
/// whole heap by its caller, which is always safe.
class ActionList {
 public:
  static constexpr std::size_t kMaxActions = 512;
  static constexpr std::size_t kArenaBytes = 96 * 1024;

  void clear() noexcept {
    actions_.clear();
    used_ = 0;
  }

  [[nodiscard]] bool push(const Action& action) noexcept { return actions_.push(action); }

  /// Room for the head of a frame, or an empty span.
  std::span<std::byte> reserve(std::size_t bytes) noexcept {
    const auto aligned = (bytes + 7) & ~std::size_t{7};
    if (kArenaBytes - used_ < aligned || actions_.full()) return {};
    const std::span<std::byte> room{arena_ + used_, bytes};
    used_ += aligned;
    return room;
  }

  /// The newest action, to be widened in place, or null.
  Action* last() noexcept { return actions_.empty() ? nullptr : &actions_[actions_.size() - 1]; }

  std::span<const Action> view() const noexcept { return actions_.view(); }
  bool empty() const noexcept { return actions_.empty(); }

 private:
  BoundedVector<Action, kMaxActions> actions_;
  std::size_t used_ = 0;
  alignas(8) std::byte arena_[kArenaBytes];
};

}  // namespace plurix
