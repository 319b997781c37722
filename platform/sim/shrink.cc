#include <plurix/base/prng.h>
#include <plurix/sim/explain.h>

namespace plurix::sim {
namespace {

/// Keeps the smallest case that still fails and tries smaller ones. What is taken away changes when
/// everything else happens, so each candidate gets a few seeds: another one may fail where the old
/// one does not.
class Shrinker {
 public:
  Shrinker(Case c, const std::function<bool(const Case&)>& fails, int tries)
      : best_(std::move(c)), fails_(fails), tries_(tries) {}

  Case run() {
    while (tries_ > 0) {
      bool smaller = drop_nodes();
      smaller |= drop_transactions();
      smaller |= drop_timed_faults();
      smaller |= quiet_links();
      smaller |= drop_steps();
      smaller |= shorten_timed_faults();
      if (smaller) continue;
      if (seeds_ >= kMostSeeds) break;
      seeds_ *= 4;
    }
    return std::move(best_);
  }

 private:
  static constexpr std::uint64_t kMostSeeds = 48;

  /// A run of a long case counts for several.
  static int cost_of(const Case& c) {
    return 1 + static_cast<int>(c.program.transactions() / 1'000);
  }

  bool accept(Case candidate) {
    const auto seed = candidate.seed;
    for (std::uint64_t i = 0; i < seeds_ && tries_ > 0; ++i) {
      tries_ -= cost_of(candidate);
      candidate.seed = i == 0 ? seed : mix(seed, i) % 1'000'000;
      if (!fails_(candidate)) continue;
      best_ = std::move(candidate);
      return true;
    }
    return false;
  }

  template <class Change>
  bool accept_changed(Change change) {
    auto candidate = best_;
    change(candidate);
    return !(candidate == best_) && accept(std::move(candidate));
  }

  /// Takes away nodes with everything that befalls them; the others move up.
  bool drop_nodes() {
    bool any = false;
    for (auto node = best_.program.nodes.size(); node-- > 0 && best_.program.nodes.size() > 1;) {
      any |= accept_changed([node](Case& c) {
        c.program.nodes.erase(c.program.nodes.begin() + static_cast<std::ptrdiff_t>(node));
        std::erase_if(c.faults.timed, [node](const TimedFault& fault) {
          return fault.node == node || (fault.kind == FaultKind::kCut && fault.other == node);
        });
        for (auto& fault : c.faults.timed) {
          if (fault.node > node) --fault.node;
          if (fault.other > node) --fault.other;
        }
      });
    }
    return any;
  }

  bool drop_timed_faults() {
    bool any = false;
    for (auto i = best_.faults.timed.size(); i-- > 0;) {
      any |= accept_changed([i](Case& c) {
        c.faults.timed.erase(c.faults.timed.begin() + static_cast<std::ptrdiff_t>(i));
      });
    }
    return any;
  }

  bool shorten_timed_faults() {
    bool any = false;
    for (std::size_t i = 0; i < best_.faults.timed.size(); ++i) {
      any |= accept_changed([i](Case& c) { c.faults.timed[i].at_us /= 2; });
      any |= accept_changed([i](Case& c) { c.faults.timed[i].for_us /= 2; });
    }
    return any;
  }

  bool quiet_links() {
    bool any = false;
    for (const auto field : {&LinkFaults::loss, &LinkFaults::duplication, &LinkFaults::reordering,
                             &LinkFaults::corruption}) {
      any |= accept_changed([field](Case& c) { c.faults.links.*field = 0; });
    }
    any |=
        accept_changed([](Case& c) { c.faults.links.longest_delay = LinkFaults{}.longest_delay; });
    return any;
  }

  /// Takes away runs of transactions, long ones first.
  bool drop_transactions() {
    bool any = false;
    for (std::size_t node = 0; node < best_.program.nodes.size(); ++node) {
      for (auto length = best_.program.nodes[node].size(); length > 0; length /= 2) {
        for (std::size_t at = 0; at + length <= best_.program.nodes[node].size();) {
          const bool dropped = accept_changed([=](Case& c) {
            auto& plans = c.program.nodes[node];
            const auto first = plans.begin() + static_cast<std::ptrdiff_t>(at);
            plans.erase(first, first + static_cast<std::ptrdiff_t>(length));
          });
          any |= dropped;
          if (!dropped) at += length;
          if (tries_ <= 0) return any;
        }
      }
    }
    return any;
  }

  bool drop_steps() {
    bool any = false;
    for (auto node = best_.program.nodes.size(); node-- > 0;) {
      for (auto plan = best_.program.nodes[node].size(); plan-- > 0;) {
        for (auto step = best_.program.nodes[node][plan].steps.size(); step-- > 0;) {
          any |= accept_changed([=](Case& c) {
            auto& steps = c.program.nodes[node][plan].steps;
            steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(step));
          });
        }
      }
    }
    return any;
  }

  Case best_;
  const std::function<bool(const Case&)>& fails_;
  int tries_;
  std::uint64_t seeds_ = 3;  ///< a candidate gets; more when nothing else makes the case smaller
};

}  // namespace

Case shrink(Case c, const std::function<bool(const Case&)>& fails, int tries) {
  return Shrinker(std::move(c), fails, tries).run();
}

}  // namespace plurix::sim
