// Feeds one node a stream of events made from the input: frames whose header is right and whose
// body is arbitrary, frames that are wrong throughout, pages that others send each other, faults,
// commits, time. Inputs of an odd length are for a PageServer. Nothing may crash or leave the
// memory it was given, whatever arrives; the node's own assertions are on.
#include <plurix/base/assert.h>
#include <plurix/commit/fair.h>
#include <plurix/dsm/protocol.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

namespace {

using namespace plurix;

constexpr std::uint32_t kPages = 16;

/// Takes numbers and byte runs off the fuzzer's input.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}

  bool empty() const { return at_ == size_; }
  std::uint8_t byte() { return empty() ? 0 : data_[at_++]; }
  std::uint16_t word() { return static_cast<std::uint16_t>(byte() << 8 | byte()); }
  Bytes bytes(std::size_t count) {
    count = count < size_ - at_ ? count : size_ - at_;
    const Bytes run = std::as_bytes(std::span{data_ + at_, count});
    at_ += count;
    return run;
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
  std::size_t at_ = 0;
};

Endpoint endpoint_of(NodeId node) {
  Endpoint endpoint;
  endpoint.bytes[0] = static_cast<std::byte>(node + 1);
  return endpoint;
}

/// A node that founded a cluster and has let in two members that exist only here.
class Victim {
 public:
  explicit Victim(bool page_server) {
    CoreConfig config;
    config.page_server = page_server;
    config.geometry.pages = kPages;
    config.shadow_pages = 8;
    config.log_records = 16;
    config.log_words = 512;
    config.cluster_name_hash = std::uint64_t{7} << 32;
    config.incarnation = 100;
    frames_.resize(kPages * kPageSize);
    storage_.resize(ProtocolCore::storage_needed(config));
    node_ = std::make_unique<Protocol<Fair>>(config, frames_.data(), storage_);
    step(event::FoundWanted{endpoint_of(0), 2});
    for (const NodeId member : {1, 2}) let_in(member);
  }

  /// As it was made. To copy a node back to where it stood costs a fraction of making one anew, and
  /// everything it points to is where it was.
  void reset() {
    if (snapshot_.empty()) return take_snapshot();
    const auto* from = snapshot_.data();
    for (const auto part : parts()) {
      std::memcpy(part.data(), from, part.size());
      from += part.size();
    }
    now_ = kStart;
  }

  void play(Input& in) {
    while (!in.empty()) play_one(in);
  }

 private:
  void let_in(NodeId member) {
    wire::JoinRequest request;
    const auto& geometry = node_->core().config.geometry;
    request.base = geometry.base;
    request.pages = geometry.pages;
    request.format = geometry.format;
    request.page_size = kPageSize;
    request.incarnation = 100u + member;
    send(wire::MessageType::kJoinRequest, member, std::as_bytes(std::span{&request, 1}), {});
    for (const auto& action : node_->actions().view()) {
      wire::FrameView view;
      if (action.kind != ActionKind::kSendTo ||
          wire::check_frame(action.head, view) != wire::DropReason::kNone) {
        continue;
      }
      wire::JoinChallenge challenge;
      if (wire::read_body(view.body, challenge)) request.cookie = challenge.cookie;
    }
    send(wire::MessageType::kJoinRequest, member, std::as_bytes(std::span{&request, 1}), {});
    PLURIX_ASSERT(node_->core().is_member[member]);  // or most of what follows would be dropped
  }

  std::array<std::span<std::byte>, 3> parts() {
    return {std::span{frames_}, std::span{storage_},
            std::span{static_cast<std::byte*>(static_cast<void*>(node_.get())), sizeof *node_}};
  }

  void take_snapshot() {
    for (const auto part : parts()) snapshot_.insert(snapshot_.end(), part.begin(), part.end());
  }

  void step(const Event& event) { (void)node_->step(event, now_); }

  void send(wire::MessageType type, NodeId from, Bytes body, CommitTime time) {
    const auto frame = frame_of(type, from, node_->core().self, body, time);
    step(event::FrameArrived{frame, endpoint_of(from)});
  }

  /// A page that one member sends the other.
  void overhear(NodeId from, Bytes body, CommitTime time) {
    const NodeId to = 3 - from;
    const auto frame = frame_of(wire::MessageType::kPageReply, from, to, body, time);
    step(event::FrameOverheard{frame, endpoint_of(from)});
  }

  std::vector<std::byte> frame_of(wire::MessageType type, NodeId from, NodeId to, Bytes body,
                                  CommitTime time) const {
    wire::FrameHeader header;
    header.type = type;
    header.epoch = node_->core().epoch;
    header.cluster = node_->core().cluster;
    header.commit_time = time;
    header.sender = from;
    header.receiver = to;
    header.incarnation = 100u + from;
    header.receiver_incarnation = 100u + to;
    std::vector<std::byte> frame(sizeof header + body.size());
    wire::finish_frame(header, body, {});
    std::memcpy(frame.data(), &header, sizeof header);
    if (!body.empty()) std::memcpy(frame.data() + sizeof header, body.data(), body.size());
    return frame;
  }

  void play_one(Input& in) {
    const auto& attempt = node_->attempt();
    switch (in.byte() % 10) {
      case 0: {  // random bytes
        const auto raw = in.bytes(in.byte());
        return step(event::FrameArrived{raw, endpoint_of(in.byte() % 4)});
      }
      case 1:
      case 2: {  // a frame whose header is right
        const auto type = static_cast<wire::MessageType>(
            wire::kFirstType + in.byte() % (wire::kLastType - wire::kFirstType + 1));
        const NodeId from = 1 + in.byte() % 2;
        const auto time = node_->core().applied + in.byte() % 4;
        const auto body = in.bytes(in.byte() % 2 == 0 ? in.byte() : in.word() % 4200);
        return send(type, from, body, time);
      }
      case 3: {  // a commit record that fits
        wire::RecordHeader record;
        record.time = node_->core().applied + in.byte() % 4;
        record.writer = in.byte() % 4;
        record.kind = static_cast<wire::RecordKind>(1 + in.byte() % 2);
        record.count = 1 + in.byte() % 3;
        record.index = in.byte() % 3;
        record.words = 1 + in.byte() % 3;
        std::byte body[sizeof record + 3 * 4];
        std::memcpy(body, &record, sizeof record);
        for (std::uint32_t i = 0; i < record.words; ++i) {
          const std::uint32_t page = in.byte() % (kPages + 1);
          std::memcpy(body + sizeof record + i * 4, &page, 4);
        }
        return send(wire::MessageType::kCommitNotice, 1 + in.byte() % 2,
                    {body, sizeof record + record.words * 4}, record.time);
      }
      case 4:
        now_ = now_ + microseconds(in.word());
        return step(event::TimerExpired{});
      case 5:
        if (!attempt.active()) return step(event::AttemptBegun{});
        return step(event::AttemptEnded{});
      case 6:
        if (!attempt.active()) return;
        return step(event::LocalFault{in.byte() % kPages,
                                      in.byte() % 2 == 0 ? Access::kRead : Access::kWrite,
                                      in.byte() % 2 == 0});
      case 7: {  // a page that passes by
        const wire::PageReply reply{in.byte() % (kPages + 1u), in.byte(), in.byte() % 8 == 0, 0};
        std::byte body[sizeof reply + kPageSize] = {};
        std::memcpy(body, &reply, sizeof reply);
        const NodeId from = 1 + in.byte() % 2;
        const auto time = node_->core().applied + in.byte() % 4;
        return overhear(from, Bytes{body}.first(reply.zero != 0 ? sizeof reply : sizeof body),
                        time);
      }
      case 8: {  // or something that is none
        const auto raw = in.bytes(in.word() % 4200);
        if (in.byte() % 2 == 0) return overhear(1 + in.byte() % 2, raw, node_->core().applied);
        return step(event::FrameOverheard{raw, endpoint_of(in.byte() % 4)});
      }
      default:
        if (attempt.active() && !attempt.write_set().empty()) {
          return step(event::CommitWanted{in.byte()});
        }
        return step(event::LatestWanted{});
    }
  }

  std::vector<std::byte> frames_;
  std::vector<std::byte> storage_;
  std::unique_ptr<Protocol<Fair>> node_;
  static constexpr Instant kStart{1'000'000};
  Instant now_ = kStart;
  std::vector<std::byte> snapshot_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Victim plain(false);
  static Victim server(true);
  auto& victim = size % 2 == 0 ? plain : server;
  victim.reset();
  Input in(data, size);
  victim.play(in);
  return 0;
}
