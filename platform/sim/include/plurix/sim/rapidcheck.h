// Generators for rapidcheck: programs and fault schedules that shrink. Include it in a test that
// links rapidcheck; the simulator itself does not need it.
//
//   rc::check("my strategy is safe", [] {
//     const auto program = *plurix::sim::programs(3, 20);
//     const auto result = plurix::sim::run<MyStrategy>(program, *plurix::sim::run_options(3));
//     RC_ASSERT(!result.violation);
//   });
#pragma once

#include <plurix/sim/run.h>

#include <rapidcheck.h>

#include <ostream>

namespace plurix::sim {

inline void showValue(const Program& program, std::ostream& out) { out << to_string(program); }
inline void showValue(const FaultSchedule& schedule, std::ostream& out) {
  out << to_string(schedule);
}
inline void showValue(const RunOptions& options, std::ostream& out) {
  out << "seed " << options.seed << ", faults: " << to_string(options.faults);
}

inline rc::Gen<Step> steps() {
  return rc::gen::build<Step>(rc::gen::set(&Step::write, rc::gen::arbitrary<bool>()),
                              rc::gen::set(&Step::key, rc::gen::inRange<std::uint32_t>(0, kKeys)));
}

inline rc::Gen<TransactionPlan> plans() {
  return rc::gen::build<TransactionPlan>(
      rc::gen::set(&TransactionPlan::kind,
                   rc::gen::weightedElement<TransactionKind>({{70, TransactionKind::kUpdate},
                                                              {12, TransactionKind::kRead},
                                                              {12, TransactionKind::kReadLatest},
                                                              {6, TransactionKind::kCancel},
                                                              {2, TransactionKind::kRejoin}})),
      rc::gen::set(&TransactionPlan::steps,
                   rc::gen::resize(5, rc::gen::container<std::vector<Step>>(steps()))));
}

/// `nodes` nodes with up to `most` transactions each.
inline rc::Gen<Program> programs(std::size_t nodes, std::size_t most) {
  return rc::gen::build<Program>(rc::gen::set(
      &Program::nodes,
      rc::gen::container<std::vector<std::vector<TransactionPlan>>>(
          nodes, rc::gen::resize(static_cast<int>(most),
                                 rc::gen::container<std::vector<TransactionPlan>>(plans())))));
}

inline rc::Gen<TimedFault> timed_faults(std::uint32_t nodes) {
  return rc::gen::map(
      rc::gen::build<TimedFault>(
          rc::gen::set(&TimedFault::kind,
                       rc::gen::element(FaultKind::kCut, FaultKind::kIsolate, FaultKind::kPause,
                                        FaultKind::kReplay, FaultKind::kGarbage, FaultKind::kClock,
                                        FaultKind::kCrash, FaultKind::kDisk)),
          rc::gen::set(&TimedFault::node, rc::gen::inRange<std::uint32_t>(0, nodes)),
          rc::gen::set(&TimedFault::other, rc::gen::inRange<std::uint32_t>(0, nodes)),
          rc::gen::set(&TimedFault::at_us, rc::gen::inRange<std::uint32_t>(0, 5'000)),
          rc::gen::set(&TimedFault::for_us, rc::gen::inRange<std::uint32_t>(0, 10'000)),
          rc::gen::set(&TimedFault::speed, rc::gen::inRange<std::uint32_t>(100, 4'000))),
      [](TimedFault fault) {
        if (fault.kind != FaultKind::kCut) fault.other = 0;
        if (fault.kind != FaultKind::kClock) fault.speed = 1000;
        return fault;
      });
}

inline rc::Gen<FaultSchedule> fault_schedules(std::uint32_t nodes) {
  const auto ppm = [](std::uint32_t most) { return rc::gen::inRange<std::uint32_t>(0, most + 1); };
  return rc::gen::build<FaultSchedule>(
      rc::gen::set(&FaultSchedule::links,
                   rc::gen::build<LinkFaults>(rc::gen::set(&LinkFaults::loss, ppm(100'000)),
                                              rc::gen::set(&LinkFaults::duplication, ppm(100'000)),
                                              rc::gen::set(&LinkFaults::reordering, ppm(200'000)),
                                              rc::gen::set(&LinkFaults::corruption, ppm(20'000)))),
      rc::gen::set(
          &FaultSchedule::timed,
          rc::gen::resize(5, rc::gen::container<std::vector<TimedFault>>(timed_faults(nodes)))));
}

/// Seed, faults and the stressful configuration.
inline rc::Gen<RunOptions> run_options(std::uint32_t nodes) {
  return rc::gen::map(rc::gen::pair(rc::gen::arbitrary<std::uint32_t>(), fault_schedules(nodes)),
                      [](const std::pair<std::uint32_t, FaultSchedule>& drawn) {
                        RunOptions options;
                        options.seed = drawn.first;
                        options.faults = drawn.second;
                        keep_clocks_within_the_lease(options.faults);
                        options.node = stressful_config();
                        return options;
                      });
}

}  // namespace plurix::sim
