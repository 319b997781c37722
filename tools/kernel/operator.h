// Operator: does what the serial line says, or, told nothing, works for a while by itself.
// README.md lists the words.
#pragma once

#include "bank_work.h"
#include "command_line.h"
#include "composition.h"
#include "history_log.h"
#include "host_time.h"

namespace plurix::kernel {

class Operator {
 public:
  /// `entered`: when this machine had become a member.
  Operator(Parts& parts, Instant entered) noexcept;

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
  void say_names(std::string_view directory) noexcept;
  void work() noexcept;
  void work_until(Instant end) noexcept;

  Parts& parts_;
  const Instant entered_;
  HistoryLog log_;
  BankWork work_;
  CommandLine commands_;
  HostTime host_time_;
};

}  // namespace plurix::kernel
