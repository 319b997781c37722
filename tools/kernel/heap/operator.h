// Operator: the machine's tasks, and its command line on the serial port and on keyboard and
// display; told nothing, it works for a while by itself. README.md lists the words.
#pragma once

#include <plurix/gc/node_collector.h>
#include <plurix/local/smart_buffer.h>

#include "heap/bank_work.h"
#include "heap/command_line.h"
#include "heap/display.h"
#include "heap/history_log.h"
#include "heap/host_time.h"
#include "heap/kernel.h"
#include "heap/keyboard.h"
#include "heap/node.h"
#include "heap/scheduler.h"
#include "interface/services.h"

namespace plurix::kernel {

class Operator {
 public:
  explicit Operator(Resident& resident) noexcept;

  /// True if all was well.
  bool run_on_command() noexcept;
  bool run_by_itself() noexcept;

 private:
  using Collector = gc::NodeCollector<Node>;

  struct Command {
    std::string_view word;
    void (Operator::*obey)(std::string_view rest) noexcept;
  };
  static const Command kCommands[];

  template <auto kFunction>
  Task& add_task(std::string_view name, Duration period) noexcept {
    return scheduler_.add(
        {.name = name,
         .period = period,
         .call = [](void* self) noexcept { (static_cast<Operator*>(self)->*kFunction)(); },
         .context = this});
  }

  std::span<std::byte> memory_for_collector() noexcept;

  // Tasks.
  void look() noexcept;
  void work() noexcept;
  void collect_some() noexcept;
  void show() noexcept;
  void keep_kernel() noexcept { keep_kernel_in_heap(resident_); }
  void tell_status() noexcept { say_status("status"); }

  void type_command() noexcept;
  void type_on_page() noexcept;

  // Commands.
  void obey(std::string_view line) noexcept;
  void setup(std::string_view) noexcept;
  void start(std::string_view) noexcept;
  void stop(std::string_view) noexcept;
  void verify(std::string_view what) noexcept;
  void save(std::string_view) noexcept;
  void compare_clocks(std::string_view) noexcept;
  void collect_all(std::string_view) noexcept;
  void count(std::string_view) noexcept;
  void write(std::string_view text) noexcept;
  void edit(std::string_view) noexcept;
  void install(std::string_view name) noexcept;
  void run_program(std::string_view name) noexcept;
  void panic(std::string_view) noexcept;
  void quit(std::string_view) noexcept { ended_ = true; }
  void ignore(std::string_view) noexcept {}
  void say_measured(std::string_view) noexcept;
  void say_lent(std::string_view) noexcept;
  void say_fetched(std::string_view) noexcept;
  void say_names(std::string_view directory) noexcept;
  void say_screen(std::string_view) noexcept;
  void say_tasks(std::string_view) noexcept;
  void say_state(std::string_view) noexcept { say_status("stat"); }

  void ask_for_time() noexcept;

  // Answers; the last one stands on the display, too.
  void say(const baremetal::Text& text) noexcept;
  void say_ready() noexcept;
  void say_status(std::string_view event) noexcept;
  bool say_verification(bool whole_heap) noexcept;
  void save_history() noexcept;
  void write_attempt(baremetal::SerialPort& port, const LoggedAttempt& attempt) noexcept;

  Resident& resident_;
  baremetal::Machine& machine_;
  Node node_;
  HistoryLog log_;
  BankWork work_;
  CommandLine commands_;
  HostTime host_time_;
  Collector collector_;
  Scheduler scheduler_;
  Task* bank_ = nullptr;
  Task* status_ = nullptr;
  bool ended_ = false;

  Keyboard keyboard_;
  InputBuffer<char, 64> keys_;
  Display display_;
  baremetal::Text answer_;
  baremetal::Text command_;
  bool editing_ = false;
  Place place_;  ///< on the page, of the next key
};

}  // namespace plurix::kernel
