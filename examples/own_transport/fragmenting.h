// A transport of one's own: cuts frames into pieces that fit a link with small packets, and puts
// them together again. It wraps any other transport, so it runs on a real socket and on the
// simulated network alike.
//
// A piece is {number of the frame, index, count} and up to kPiece bytes. For each sender one
// unfinished frame is kept; a piece of another frame takes its place, since what has not come in
// order may be lost, and the protocol repeats what matters.
#pragma once

#include <plurix/concepts/transport.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

/// What becomes of an unfinished frame when a piece of the next one comes. To await the rest is the
/// mistake: when one piece is lost, nothing of that sender is ever heard again.
enum class Unfinished { kGivenUp, kAwaited };

template <plurix::Transport Inner, Unfinished kUnfinished = Unfinished::kGivenUp>
class BasicFragmenting {
 public:
  static constexpr std::size_t kPiece = 1400;
  static constexpr std::size_t kMostPieces = (plurix::kMaxFrame + kPiece - 1) / kPiece;

  explicit BasicFragmenting(Inner& inner) noexcept : inner_(inner) {}

  void send(plurix::NodeId to, plurix::Bytes head, plurix::Bytes payload) noexcept {
    cut(head, payload,
        [&](plurix::Bytes mark, plurix::Bytes piece) { inner_.send(to, mark, piece); });
  }
  void broadcast(plurix::Bytes head, plurix::Bytes payload) noexcept {
    cut(head, payload,
        [&](plurix::Bytes mark, plurix::Bytes piece) { inner_.broadcast(mark, piece); });
  }
  void send_to(const plurix::Endpoint& to, plurix::Bytes head, plurix::Bytes payload) noexcept {
    cut(head, payload,
        [&](plurix::Bytes mark, plurix::Bytes piece) { inner_.send_to(to, mark, piece); });
  }

  std::size_t poll(plurix::FrameSink sink) noexcept {
    sink_ = sink;
    whole_frames_ = 0;
    inner_.poll({[](void* self, plurix::Bytes piece, const plurix::Endpoint& from) noexcept {
                   static_cast<BasicFragmenting*>(self)->receive(piece, from);
                 },
                 this});
    return whole_frames_;
  }
  void wait(plurix::Instant until) noexcept { inner_.wait(until); }

  void set_peer(plurix::NodeId node, const plurix::Endpoint& at) noexcept {
    inner_.set_peer(node, at);
  }
  void remove_peer(plurix::NodeId node) noexcept { inner_.remove_peer(node); }
  plurix::Endpoint local_endpoint() const noexcept { return inner_.local_endpoint(); }

 private:
  struct Mark {
    std::uint32_t number;
    std::uint16_t index;
    std::uint16_t count;
  };

  struct Frame {
    plurix::Endpoint from;
    std::uint32_t number = 0;
    std::uint32_t missing = 0;  ///< a bit for each piece that has not come
    std::size_t size = 0;
    std::byte bytes[kMostPieces * kPiece];
  };

  template <class SendPiece>
  void cut(plurix::Bytes head, plurix::Bytes payload, SendPiece send_piece) noexcept {
    const auto size = head.size() + payload.size();
    if (size > plurix::kMaxFrame) return;
    std::byte whole[plurix::kMaxFrame];
    std::copy(payload.begin(), payload.end(), std::copy(head.begin(), head.end(), whole));
    const auto count = std::max<std::size_t>(1, (size + kPiece - 1) / kPiece);
    ++sent_;
    for (std::size_t i = 0; i < count; ++i) {
      const Mark mark{sent_, static_cast<std::uint16_t>(i), static_cast<std::uint16_t>(count)};
      const auto first = i * kPiece;
      send_piece(std::as_bytes(std::span{&mark, 1}),
                 plurix::Bytes{whole + first, std::min(kPiece, size - first)});
    }
  }

  void receive(plurix::Bytes piece, const plurix::Endpoint& from) noexcept {
    Mark mark;
    if (piece.size() < sizeof mark) return;
    std::memcpy(&mark, piece.data(), sizeof mark);
    const auto contents = piece.subspan(sizeof mark);
    const bool last = mark.index + 1 == mark.count;
    if (mark.count > kMostPieces || mark.index >= mark.count) return;
    if (contents.size() > kPiece || (!last && contents.size() < kPiece)) return;
    auto& frame = frames_[place_of(from)];
    if (frame.from != from || frame.number != mark.number) {
      if (kUnfinished == Unfinished::kAwaited && frame.missing != 0) return;
      frame.from = from;
      frame.number = mark.number;
      frame.missing = (1u << mark.count) - 1;
    }
    add(frame, mark, contents);
  }

  /// Two senders may share a place, and then disturb each other: that costs time, never a frame's
  /// integrity.
  std::size_t place_of(const plurix::Endpoint& from) const noexcept {
    std::size_t sum = 0;
    for (const auto byte : from.bytes) sum = sum * 31 + static_cast<std::size_t>(byte);
    return sum % frames_.size();
  }

  void add(Frame& frame, const Mark& mark, plurix::Bytes contents) noexcept {
    const auto bit = 1u << mark.index;
    if ((frame.missing & bit) == 0) return;  // a piece that comes twice
    frame.missing &= ~bit;
    std::copy(contents.begin(), contents.end(), frame.bytes + mark.index * kPiece);
    if (mark.index + 1 == mark.count) frame.size = mark.index * kPiece + contents.size();
    if (frame.missing != 0 || frame.size > plurix::kMaxFrame) return;
    ++whole_frames_;
    const auto from = std::exchange(frame.from, {});  // another copy of it is a frame of its own
    sink_({frame.bytes, frame.size}, from);
  }

  Inner& inner_;
  plurix::FrameSink sink_;
  std::uint32_t sent_ = 0;
  std::size_t whole_frames_ = 0;
  std::array<Frame, 64> frames_{};
};

template <class Inner>
using Fragmenting = BasicFragmenting<Inner>;

template <class Inner>
using CarelesslyFragmenting = BasicFragmenting<Inner, Unfinished::kAwaited>;
