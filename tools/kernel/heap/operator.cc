#include "heap/operator.h"

#include <algorithm>

#include "heap/programs.h"

namespace plurix::kernel {
namespace {

using baremetal::Text;

constexpr Duration kLook = milliseconds(2);      // at the serial line and the keyboard
constexpr Duration kStatus = milliseconds(200);  // tell how it goes
constexpr Duration kKeep = milliseconds(100);
constexpr Duration kShow = milliseconds(50);
constexpr Duration kCollect = milliseconds(20);
constexpr Duration kLeave = milliseconds(2'000);

std::string_view take_word(std::string_view& line) noexcept {
  const auto end =
      static_cast<std::size_t>(std::find(line.begin(), line.end(), ' ') - line.begin());
  const auto word = line.substr(0, end);
  line.remove_prefix(std::min(line.size(), end + 1));
  return word;
}

unsigned number_of(std::string_view word) noexcept {
  unsigned number = ~0U;
  (void)std::from_chars(word.data(), word.data() + word.size(), number);
  return number;
}

}  // namespace

// Who is led by a program and who by a person, they say the same.
constexpr Operator::Command Operator::kCommands[] = {
    {"collect", &Operator::collect_all},
    {"compare", &Operator::compare_clocks},
    {"counter", &Operator::count},
    {"edit", &Operator::edit},
    {"fetch", &Operator::say_fetched},
    {"install", &Operator::install},
    {"lend", &Operator::say_lent},
    {"measure", &Operator::say_measured},
    {"names", &Operator::say_names},
    {"panic", &Operator::panic},
    {"ps", &Operator::say_tasks},
    {"quit", &Operator::quit},
    {"run", &Operator::run_program},
    {"save", &Operator::save},
    {"screen", &Operator::say_screen},
    {"setup", &Operator::setup},
    {"start", &Operator::start},
    {"stat", &Operator::say_state},
    {"stop", &Operator::stop},
    {"time", &Operator::ignore},  // a late answer is no command
    {"verify", &Operator::verify},
    {"write", &Operator::write},
};

Operator::Operator(Resident& resident) noexcept
    : resident_(resident),
      machine_(resident.machine()),
      node_(resident),
      log_(resident, machine_.boot.number("history", 20'000)),
      work_(node_, log_, machine_.boot.number("seed", 1)),
      commands_(machine_.console),
      collector_(node_, node_.pages(), memory_for_collector()),
      scheduler_(node_) {
  keyboard_.start();
  add_task<&Operator::look>("console", kLook);
  add_task<&Operator::collect_some>("collector", kCollect);
  add_task<&Operator::keep_kernel>("kernel", kKeep);
  if (display_.exists()) add_task<&Operator::show>("display", kShow);
  bank_ = &add_task<&Operator::work>("bank", {0});
  status_ = &add_task<&Operator::tell_status>("status", kStatus);
  bank_->asleep = status_->asleep = true;
}

std::span<std::byte> Operator::memory_for_collector() noexcept {
  const auto bytes = Collector::storage_needed(node_.pages());
  return {resident_.local_memory(bytes), bytes};
}

bool Operator::run_on_command() noexcept {
  ask_for_time();
  say_ready();
  resident_.bring_whole_kernel();
  while (!ended_) scheduler_.run_once();
  return node_.leave(node_.now() + kLeave);
}

bool Operator::run_by_itself() noexcept {
  say_ready();
  resident_.bring_whole_kernel();
  (void)work_.setup();
  const auto seconds = static_cast<std::int64_t>(machine_.boot.number("seconds", 1));
  const auto end = node_.now() + milliseconds(1'000 * seconds);
  for (bank_->asleep = false; node_.now() < end && !bank_->asleep;) scheduler_.run_once();
  say_status("ended");
  const bool right = say_verification(true);
  save_history();
  return node_.leave(node_.now() + kLeave) && right;
}

// ---- tasks

void Operator::look() noexcept {
  while (const auto line = commands_.next()) obey(*line);
  bool typed = false;
  while (const auto key = keyboard_.read()) typed = keys_.push(*key) || typed;
  if (typed) editing_ ? type_on_page() : type_command();
}

void Operator::work() noexcept {
  if (work_.step() == Status::kUnknown) stop({});
}

void Operator::collect_some() noexcept { (void)collector_.collect(); }

void Operator::show() noexcept { display_.show(node_, answer_.view(), command_.view()); }

// ---- the keyboard

// The keys come again if the page was changed by somebody else meanwhile.
void Operator::type_on_page() noexcept {
  (void)node_.try_run([this](Transaction& t) {
    const auto service = baremetal::find_service<ScreenService>(t);
    if (!service) return;
    const auto page = service->page(t, service);
    auto at = place_;
    bool leave = false;
    auto& keys = t.use(keys_);
    while (const auto key = keys.read()) {
      leave = leave || *key == Keyboard::kEscape;
      if (!leave) at = service->type(t, page, at, *key);
    }
    t.on_commit([this, at, leave] {
      place_ = at;
      editing_ = !leave;
    });
  });
}

void Operator::type_command() noexcept {
  while (const auto key = keys_.read()) {
    keys_.committed();
    if (*key == '\b') {
      command_.drop_last();
    } else if (*key != '\n') {
      command_.put(*key);
    } else {
      const auto line = command_;
      command_.clear();
      obey(line.view());
    }
  }
}

void Operator::edit(std::string_view) noexcept {
  editing_ = true;
  place_ = {static_cast<unsigned>(node_.id() % SharedScreen::kRows), 0};
}

// ---- commands

void Operator::obey(std::string_view line) noexcept {
  const auto word = take_word(line);
  for (const auto& command : kCommands) {
    if (command.word == word) return (this->*command.obey)(line);
  }
  say(Text() << "{\"event\":\"failed\",\"code\":2,\"words\":\"a kernel knows no such command\"}\n");
}

void Operator::setup(std::string_view) noexcept {
  (void)work_.setup();
  say(Text() << "{\"event\":\"setup\"}\n");
}

void Operator::start(std::string_view) noexcept {
  bank_->asleep = status_->asleep = false;
  status_->due = node_.now() + kStatus;
}

void Operator::stop(std::string_view) noexcept {
  bank_->asleep = status_->asleep = true;
  say_status("stopped");
}

void Operator::verify(std::string_view what) noexcept { (void)say_verification(!what.empty()); }

void Operator::save(std::string_view) noexcept {
  ask_for_time();
  save_history();
}

void Operator::ask_for_time() noexcept {
  (void)host_time_.ask(machine_, commands_);
  log_.note_clock(host_time_.clock());
}

void Operator::compare_clocks(std::string_view) noexcept {
  ask_for_time();
  say(Text() << "{\"event\":\"compared\",\"clock_compared\":" << host_time_.clock().is_compared
             << "}\n");
}

void Operator::collect_all(std::string_view) noexcept {
  while (collector_.collect()) {
    if (collector_.rests()) node_.serve(node_.now() + microseconds(50));
  }
  say(Text() << "{\"event\":\"collected\",\"freed\":" << collector_.collector().counters().freed
             << "}\n");
}

void Operator::count(std::string_view) noexcept {
  const auto outcome = node_.try_run([](Transaction& t) -> long {
    const auto counter = baremetal::find_service<CounterService>(t);
    return counter ? counter->next(t, counter) : 0;
  });
  if (!outcome.committed()) return;
  say(Text() << "{\"event\":\"counter\",\"value\":" << *outcome.value << "}\n");
}

// To see what a report looks like.
void Operator::panic(std::string_view) noexcept {
  resident_.panic("told to panic", __FILE__, __LINE__);
}

// write ROW COLUMN TEXT
void Operator::write(std::string_view text) noexcept {
  const auto row = number_of(take_word(text));
  const auto column = number_of(take_word(text));
  const auto outcome = node_.try_run([&](Transaction& t) {
    workloads::write_text(t.root<SharedScreen>(SharedScreen::kName), row, column, text);
  });
  say(Text() << "{\"event\":\"written\",\"ok\":" << outcome.committed() << "}\n");
}

// install NAME
void Operator::install(std::string_view name) noexcept {
  const auto* why_not = kernel::install_program(resident_, name);
  say(Text() << "{\"event\":\"installed\",\"ok\":" << (why_not == nullptr) << ",\"words\":\""
             << (why_not == nullptr ? "" : why_not) << "\"}\n");
}

// run NAME
void Operator::run_program(std::string_view name) noexcept {
  Text answer;
  kernel::run_program(resident_, name, answer);
  say(answer);
}

}  // namespace plurix::kernel
