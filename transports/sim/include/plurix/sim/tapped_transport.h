// TappedTransport: any transport, with a copy of some of the frames received sent to a listener
// that is no member: what somebody on the same wire could record.
#pragma once

#include <plurix/base/prng.h>
#include <plurix/concepts/transport.h>

namespace plurix::sim {

struct TapOptions {
  Endpoint listener;        ///< names nobody: nothing is copied
  std::uint32_t every = 0;  ///< one frame in so many, by chance; 0: none
  std::uint64_t seed = 1;
};

/// Wraps a transport that outlives it. Same contexts as that one.
template <Transport Inner>
class TappedTransport {
 public:
  explicit TappedTransport(Inner& inner, const TapOptions& options = {}) noexcept
      : inner_(inner), options_(options), prng_(options.seed) {}

  void send(NodeId to, Bytes head, Bytes payload) noexcept { inner_.send(to, head, payload); }
  void broadcast(Bytes head, Bytes payload) noexcept { inner_.broadcast(head, payload); }
  void send_to(const Endpoint& endpoint, Bytes head, Bytes payload) noexcept {
    inner_.send_to(endpoint, head, payload);
  }

  std::size_t poll(FrameSink sink) noexcept {
    if (options_.every == 0) return inner_.poll(sink);
    sink_ = sink;
    return inner_.poll({[](void* self, Bytes frame, const Endpoint& from) noexcept {
                          static_cast<TappedTransport*>(self)->receive(frame, from);
                        },
                        this});
  }
  /// What is overheard is not copied: it was at another node once.
  void overhear(FrameSink sink) noexcept
    requires Overhears<Inner>
  {
    inner_.overhear(sink);
  }
  void wait(Instant until) noexcept { inner_.wait(until); }

  void set_peer(NodeId node, const Endpoint& endpoint) noexcept { inner_.set_peer(node, endpoint); }
  void remove_peer(NodeId node) noexcept { inner_.remove_peer(node); }
  Endpoint local_endpoint() const noexcept { return inner_.local_endpoint(); }
  bool is_absent(const Endpoint& endpoint) noexcept
    requires KnowsAbsence<Inner>
  {
    return inner_.is_absent(endpoint);
  }

 private:
  void receive(Bytes frame, const Endpoint& from) noexcept {
    if (prng_.below(options_.every) == 0) inner_.send_to(options_.listener, frame, {});
    sink_(frame, from);
  }

  Inner& inner_;
  const TapOptions options_;
  FrameSink sink_;
  Prng prng_;
};

}  // namespace plurix::sim
