// ToolTransport: the network of a node started by the command. It can be tapped, and made worse.
#pragma once

#include <plurix/posix/monotonic_clock.h>
#include <plurix/sim/faulty_transport.h>
#include <plurix/sim/tapped_transport.h>
#include <plurix/wire/frame.h>
#include <plurix/wire/messages.h>

#include <cstring>

#include "workloads/record.h"

namespace plurix::tool {

/// Holds the tap in front of the faults, which refer to it. Frames are tapped as they arrive.
template <Transport Inner>
struct TapHolder {
  sim::TappedTransport<Inner> tap;
};

template <Transport Inner>
class ToolTransport : private TapHolder<Inner>,
                      public sim::FaultyTransport<sim::TappedTransport<Inner>> {
  using Faulty = sim::FaultyTransport<sim::TappedTransport<Inner>>;

 public:
  ToolTransport(Inner& inner, const sim::FaultOptions& faults, const sim::TapOptions& tap) noexcept
      : TapHolder<Inner>{sim::TappedTransport<Inner>(inner, tap)},
        Faulty(TapHolder<Inner>::tap, faults) {}

  /// Until then nobody hears this node, and it hears nobody.
  void cut_until(Instant until) noexcept { cut_until_ = until; }

  /// Where the newest commit is noted before its record leaves; null: nowhere.
  void note_commits_in(workloads::SentCommit* sent) noexcept { sent_ = sent; }

  void send(NodeId to, Bytes head, Bytes payload) noexcept {
    if (!is_cut()) Faulty::send(to, head, payload);
  }
  void broadcast(Bytes head, Bytes payload) noexcept {
    if (sent_ != nullptr) note_commit(head);
    if (!is_cut()) Faulty::broadcast(head, payload);
  }
  void send_to(const Endpoint& endpoint, Bytes head, Bytes payload) noexcept {
    if (!is_cut()) Faulty::send_to(endpoint, head, payload);
  }
  std::size_t poll(FrameSink sink) noexcept {
    if (!is_cut()) return Faulty::poll(sink);
    return Faulty::poll({[](void*, Bytes, const Endpoint&) noexcept {}, nullptr});
  }
  void overhear(FrameSink sink) noexcept
    requires Overhears<Inner>
  {
    overheard_ = sink;
    Faulty::overhear({[](void* self, Bytes frame, const Endpoint& from) noexcept {
                        auto* net = static_cast<ToolTransport*>(self);
                        if (!net->is_cut()) net->overheard_(frame, from);
                      },
                      this});
  }

 private:
  bool is_cut() const noexcept {
    return cut_until_ != Instant{} && posix::MonotonicClock().now() < cut_until_;
  }

  void note_commit(Bytes frame) noexcept {
    wire::FrameHeader header;
    wire::RecordHeader record;
    if (frame.size() < sizeof header + sizeof record) return;
    std::memcpy(&header, frame.data(), sizeof header);
    if (header.type != wire::MessageType::kCommitNotice) return;
    std::memcpy(&record, frame.data() + sizeof header, sizeof record);
    if (record.kind != wire::RecordKind::kWrite || record.writer != header.sender) return;
    *sent_ = {record.time.value - record.index + record.count - 1, header.epoch};
  }

  FrameSink overheard_;
  Instant cut_until_;
  workloads::SentCommit* sent_ = nullptr;
};

}  // namespace plurix::tool
