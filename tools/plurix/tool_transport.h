// ToolTransport: the network of a node started by the command. It can be tapped, and made worse.
#pragma once

#include <plurix/sim/faulty_transport.h>
#include <plurix/sim/tapped_transport.h>

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
};

}  // namespace plurix::tool
