#include <plurix/sim/machine.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace plurix::sim {

Machine::Machine(Scheduler& scheduler, Network& network, std::uint64_t seed)
    : scheduler_(scheduler),
      network_(network),
      prng_(seed),
      knows_absence_(mix(seed, 0x616273) % 2 == 1),
      clock_(scheduler.now()) {
  port_ = network_.open([this] { on_arrival(); });
}

void Machine::start(std::function<void()> program) {
  network_.set_absent(port_, false);
  fiber_ = std::make_unique<Fiber>(std::move(program));
  state_ = State::kSleeping;
  wake(stops_);
}

void Machine::kill() {
  ++stops_;
  state_ = State::kIdle;
  missed_ = false;
  network_.set_absent(port_, true);
  network_.inbox(port_).clear();
  dead_.push_back(std::move(fiber_));
}

void Machine::freeze(bool on) {
  frozen_ = on;
  if (!on && missed_) {
    missed_ = false;
    scheduler_.at(scheduler_.now(), [this] { on_arrival(); });
  }
}

void Machine::set_clock_speed(std::uint32_t speed) {
  clock_.set_speed(speed, scheduler_.now());
  // Whoever sleeps until the clock shows something has to look at it anew.
  scheduler_.at(scheduler_.now(), [this] {
    if (state_ == State::kSleeping) on_arrival();
  });
}

void Machine::on_arrival() {
  if (state_ == State::kIdle) return network_.inbox(port_).clear();
  if (frozen_) {
    missed_ = true;
    return;
  }
  if (state_ == State::kSleeping) return slice();
  if (state_ == State::kComputing && interrupt_) {
    interrupt_();
    if (after_slice_) after_slice_();
  }
}

void Machine::slice() {
  state_ = State::kRunning;
  ++stops_;
  fiber_->resume();
  if (fiber_->done()) state_ = State::kDone;
  if (after_slice_) after_slice_();
}

void Machine::wake(std::uint64_t stop) {
  if (stop != stops_ || (state_ != State::kSleeping && state_ != State::kComputing)) return;
  if (frozen_) {
    // Looked at again once in a while: a frozen machine's timers are late, not lost.
    scheduler_.after(milliseconds(1), [this, stop] { wake(stop); });
    return;
  }
  slice();
}

const char* Machine::state_name() const noexcept {
  switch (state_) {
    case State::kIdle:
      return "not started";
    case State::kRunning:
      return "running";
    case State::kSleeping:
      return "sleeping";
    case State::kComputing:
      return "computing";
    case State::kDone:
      break;
  }
  return "ended";
}

void Machine::sleep(Instant until) {
  if (!network_.inbox(port_).empty()) return;
  state_ = State::kSleeping;
  if (until != kNever) scheduler_.at(clock_.real_at(until), [this, stop = stops_] { wake(stop); });
  fiber_->suspend();
}

void Machine::compute(Duration time) {
  if (state_ != State::kRunning) return;  // called while frames are being taken in: no time passes
  state_ = State::kComputing;
  scheduler_.after(time, [this, stop = stops_] { wake(stop); });
  fiber_->suspend();
}

void Machine::pause() {
  if (prng_.below(4) == 0) compute({static_cast<std::int64_t>(prng_.below(40'000))});
}

SoftwareFaultSource::SoftwareFaultSource(Machine& machine, std::uint32_t pages)
    : machine_(machine), bytes_(std::size_t{pages} * kPageSize), rights_(pages) {
  memory_.reset(static_cast<std::byte*>(::operator new(bytes_, std::align_val_t{kPageSize})));
  frames_ = memory_.get();
  erase();
}

void SoftwareFaultSource::erase() noexcept {
  std::memset(frames_, 0, bytes_);
  std::fill(rights_.begin(), rights_.end(), Rights::kNone);
}

void SoftwareFaultSource::Free::operator()(std::byte* block) const noexcept {
  ::operator delete(block, std::align_val_t{kPageSize});
}

void SoftwareFaultSource::protect(PageIndex first, std::uint32_t count, Rights rights) noexcept {
  std::fill_n(rights_.begin() + first, count, rights);
}

std::size_t SimTransport::poll(FrameSink sink) noexcept {
  auto& inbox = machine_->network().inbox(machine_->port());
  std::size_t count = 0;
  while (!inbox.empty() && count < kBatch) {
    const auto frame = std::move(inbox.front());
    inbox.pop_front();
    ++count;
    const auto& to = frame.overheard ? overheard_ : sink;
    if (to.call != nullptr) to(frame.bytes, frame.from);
  }
  return count;
}

void SimTransport::overhear(FrameSink sink) noexcept {
  overheard_ = sink;
  machine_->network().listen(machine_->port());
}

void SimTransport::wait(Instant until) noexcept { machine_->sleep(until); }

}  // namespace plurix::sim
