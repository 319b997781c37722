// Reassembly: puts the fragments of messages together again.
//
// It cannot be exhausted: its memory is fixed, and nobody can take a place away from somebody else.
// Each member has kPlaces of its own, all strangers together have kStrangers; a message that finds
// no free place takes that of the one begun longest ago among its own kind. So fragments under
// strange addresses, however many, cost the members nothing.
//
// It cannot be confused: fragments are put together only if sender, session, number and length
// agree, each is written once, and a place is used again from nothing. Who forges another's address
// can still mix bytes of its own into a message; that is what the checksum over the whole message
// and its Auth field are for (wire/frame.h).
#pragma once

#include <plurix/base/assert.h>
#include <plurix/ethernet/frame.h>

#include <cstring>
#include <span>

namespace plurix::ethernet {

class Reassembly {
 public:
  /// Messages of one member that can be unfinished at once; more than one, because frames may
  /// overtake each other.
  static constexpr std::size_t kPlaces = 2;
  static constexpr std::size_t kStrangers = 8;

  /// Takes in fragment `fragment`, whose sender is member `peer` or (kNoNode) a stranger. Returns
  /// the whole message if that was the last piece: valid until the next call. Any context.
  Bytes add(const Fragment& fragment, NodeId peer) noexcept {
    auto& place = place_for(fragment, places_of(peer));
    const auto bit = static_cast<std::uint8_t>(1u << fragment.index);
    if ((place.missing & bit) == 0) return {};  // a fragment that comes twice
    place.missing = static_cast<std::uint8_t>(place.missing & ~bit);
    std::memcpy(place.bytes + fragment.index * kFragment, fragment.contents.data(),
                fragment.contents.size());
    if (place.missing != 0) return {};
    return {place.bytes, place.total};
  }

  /// The member is gone, or another one has its number now.
  void forget(NodeId peer) noexcept {
    for (auto& place : places_of(peer)) place.missing = 0;
  }

  /// Messages given up because a place was needed, since construction.
  std::uint64_t given_up() const noexcept { return given_up_; }

 private:
  struct Place {
    MacAddress from;
    MessageNumber message;
    std::size_t total = 0;
    std::uint64_t begun = 0;   ///< a number that grows with every message begun
    std::uint8_t missing = 0;  ///< a bit for each fragment that has not come; 0: free
    std::byte bytes[kMostFragments * kFragment];

    bool holds(const Fragment& fragment) const noexcept {
      return missing != 0 && from == fragment.from && message == fragment.message &&
             total == fragment.total;
    }
  };

  std::span<Place> places_of(NodeId peer) noexcept {
    if (peer == kNoNode) return strangers_;
    PLURIX_ASSERT(peer < kMaxNodes);
    return members_[peer];
  }

  Place& place_for(const Fragment& fragment, std::span<Place> places) noexcept {
    Place* oldest = &places[0];
    for (auto& place : places) {
      if (place.holds(fragment)) return place;
      if (is_better(place, *oldest)) oldest = &place;
    }
    if (oldest->missing != 0) ++given_up_;
    oldest->from = fragment.from;
    oldest->message = fragment.message;
    oldest->total = fragment.total;
    oldest->begun = ++begun_;
    oldest->missing = static_cast<std::uint8_t>((1u << fragment.count) - 1);
    return *oldest;
  }

  /// A free place is better than a used one, one used for longer better than another.
  static bool is_better(const Place& a, const Place& b) noexcept {
    if ((a.missing == 0) != (b.missing == 0)) return a.missing == 0;
    return a.begun < b.begun;
  }

  std::uint64_t begun_ = 0;
  std::uint64_t given_up_ = 0;
  Place members_[kMaxNodes][kPlaces];
  Place strangers_[kStrangers];
};

}  // namespace plurix::ethernet
