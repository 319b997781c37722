// Operator: does what the serial line says, or, told nothing, works for a while by itself.
// README.md lists the words.
#pragma once

#include "heap/bank_work.h"
#include "heap/command_line.h"
#include "heap/history_log.h"
#include "heap/host_time.h"
#include "heap/node.h"

namespace plurix::kernel {

class Operator {
 public:
  explicit Operator(Resident& resident) noexcept;

  /// True if all was well.
  bool run_on_command() noexcept;
  bool run_by_itself() noexcept;

 private:
  void say_ready() noexcept;
  void say_status(std::string_view event) noexcept;
  bool say_verification(bool whole_heap) noexcept;
  void save_history() noexcept;
  void write_attempt(baremetal::SerialPort& port, const LoggedAttempt& attempt) noexcept;

  /// False when the machine is to stop.
  bool obey(std::string_view line) noexcept;
  void count() noexcept;
  void say_measured() noexcept;
  void say_fetched() noexcept;
  void say_names(std::string_view directory) noexcept;
  void work() noexcept;
  void work_until(Instant end) noexcept;

  Resident& resident_;
  baremetal::Machine& machine_;
  Node node_;
  HistoryLog log_;
  BankWork work_;
  CommandLine commands_;
  HostTime host_time_;
};

}  // namespace plurix::kernel
