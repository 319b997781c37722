#include "hub_command.h"

#include <plurix/segment/hub.h>

#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "control.h"
#include "exit_codes.h"
#include "option_checks.h"
#include "segment_sprayer.h"
#include "stop_signals.h"

namespace plurix::tool {
namespace {

constexpr auto kFooter = R"(Ctrl-C ends the hub. QEMU machines reach it with
  -netdev stream,id=n0,server=off,addr.type=unix,addr.path=PATH -device rtl8139,netdev=n0

Examples:
  plurix hub --socket /tmp/lab
  plurix hub --socket /tmp/lab --drop 5 --reorder 5 --pcap lab.pcap)";

struct Settings {
  segment::HubOptions hub;
  double spray_per_second = 0;
  bool json = false;
  bool control = false;  ///< obeys `counters` and `quit` on stdin (control.h)
};

struct Fault {
  const char* name;
  double segment::HubFaults::* percent;
  std::uint64_t segment::HubCounters::* count;
  const char* what;
};

constexpr Fault kFaults[] = {
    {"drop", &segment::HubFaults::drop, &segment::HubCounters::dropped,
     "Percent of the frames to lose on the way to a station"},
    {"duplicate", &segment::HubFaults::duplicate, &segment::HubCounters::duplicated,
     "Percent of the frames that come twice"},
    {"reorder", &segment::HubFaults::reorder, &segment::HubCounters::reordered,
     "Percent of the frames that come after the next one"},
    {"delay", &segment::HubFaults::delay, &segment::HubCounters::delayed,
     "Percent of the frames that come up to 20 ms late"},
    {"corrupt", &segment::HubFaults::corrupt, &segment::HubCounters::corrupted,
     "Percent of the frames that have a bit turned"},
};

class HubRunner {
 public:
  explicit HubRunner(const Settings& settings)
      : settings_(settings), hub_(settings.hub), sprayer_(settings.hub.seed) {
    if (settings.spray_per_second <= 0) return;
    hub_.on_heard = [this](Bytes frame) { sprayer_.hear(frame); };
  }

  void run() {
    say_ready();
    while (!stop_asked() && !quit_commanded()) {
      hub_.step(settings_.spray_per_second > 0 ? milliseconds(1) : milliseconds(100),
                settings_.control ? STDIN_FILENO : -1);
      spray();
    }
    if (!settings_.control) say_counters("ended");
  }

 private:
  using Clock = std::chrono::steady_clock;

  /// As many as are due; what was missed in a pause is not made up for.
  void spray() {
    constexpr double kMostAtOnce = 100;
    const auto now = Clock::now();
    due_ += settings_.spray_per_second * std::chrono::duration<double>(now - sprayed_at_).count();
    sprayed_at_ = now;
    for (due_ = std::min(due_, kMostAtOnce); due_ >= 1; --due_) hub_.inject(sprayer_.next());
  }

  bool quit_commanded() {
    if (!settings_.control) return false;
    while (const auto line = input_.next()) {
      if (*line == "quit") return true;
      if (*line == "counters") say_counters("counters");
    }
    return input_.closed();
  }

  void say_ready() const {
    if (settings_.control || settings_.json) {
      return say({{"event", "ready"}, {"place", "hub:" + hub_.path()}});
    }
    std::cout << "a segment at " << hub_.path()
              << "; nodes reach it with --segment hub:" << hub_.path() << std::endl;
  }

  void say_counters(const char* event) const {
    const auto& counters = hub_.counters();
    nlohmann::ordered_json line = {{"event", event},
                                   {"stations", counters.stations},
                                   {"heard", counters.heard},
                                   {"delivered", counters.delivered},
                                   {"flooded", counters.flooded},
                                   {"overheard", counters.overheard},
                                   {"not_overheard", counters.not_overheard},
                                   {"lost_no_room", counters.lost_no_room},
                                   {"sprayed", sprayer_.counters().sent()}};
    for (const auto& fault : kFaults) line[fault.name] = counters.*fault.count;
    if (settings_.control || settings_.json) return say(line);
    std::cout << counters.heard << " frames heard, " << counters.delivered << " delivered, "
              << counters.dropped << " dropped, " << counters.lost_no_room
              << " lost at stations that did not read" << std::endl;
  }

  static void say(const nlohmann::ordered_json& line) {
    (void)write_line(STDOUT_FILENO, line.dump());
  }

  const Settings& settings_;
  segment::Hub hub_;
  SegmentSprayer sprayer_;
  LineInput input_{STDIN_FILENO};
  Clock::time_point sprayed_at_ = Clock::now();
  double due_ = 0;
};

int run(const Settings& settings) {
  const StopSignals signals([](void*) {}, nullptr);
  try {
    HubRunner(settings).run();
    return kDone;
  } catch (const std::exception& error) {
    std::cerr << "plurix hub: " << error.what() << "\n";
    return kFailed;
  }
}

}  // namespace
}  // namespace plurix::tool

void add_hub_command(CLI::App& app, int& exit_code) {
  using namespace plurix::tool;
  CLI::App* hub = app.add_subcommand(
      "hub", "An Ethernet segment without hardware, for nodes and QEMU machines");
  const auto settings = std::make_shared<Settings>();
  auto& options = settings->hub;
  hub->add_option("--socket", options.path, "Path of the unix socket to listen at")->required();
  for (const auto& fault : kFaults) {
    hub->add_option(std::string("--") + fault.name, options.faults.*fault.percent, fault.what)
        ->check(CLI::Range(0.0, 100.0));
  }
  hub->add_option("--seed", options.seed, "Seed of the losses")->capture_default_str();
  hub->add_option("--pcap", options.pcap_file, "Write every frame heard, for Wireshark");
  add_bytes_option(*hub, "--pcap-limit", options.pcap_limit, "Size of that file at most")
      ->default_str("1G");
  hub->add_option("--spray", settings->spray_per_second,
                  "Frames a second that no station has sent, for tests")
      ->check(CLI::NonNegativeNumber);
  hub->add_flag("--json", settings->json, "Lines of JSON instead of words");
  hub->add_flag("--control", settings->control)->group("");
  hub->footer(kFooter);
  hub->callback([settings, &exit_code] { exit_code = run(*settings); });
}
