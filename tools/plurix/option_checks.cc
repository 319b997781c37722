#include "option_checks.h"

#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "net_faults.h"
#include "node_settings.h"
#include "workloads/all.h"

namespace plurix::tool {
namespace {

CLI::Validator one_of(const std::string& what, std::vector<std::string> names) {
  std::string list;
  for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
  const auto check = [what, names = std::move(names), list](const std::string& given) {
    for (const auto& name : names) {
      if (name == given) return std::string();
    }
    return "there is no " + what + " \"" + given + "\"; choose from " + list;
  };
  return CLI::Validator(check, "NAME");
}

// Replaces "64M" by its number of bytes; returns what is wrong with it.
std::string to_bytes(std::string& text) {
  static constexpr std::string_view kUnits = "KMGT";
  std::uint64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  auto unit = text.substr(static_cast<std::size_t>(rest - text.data()));
  for (auto& c : unit) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  if (unit == "B") unit.clear();
  const auto power = unit.empty() ? 0 : kUnits.find(unit.front()) + 1;
  const bool known =
      unit.empty() || (kUnits.find(unit.front()) != kUnits.npos &&
                       (unit.size() == 1 || unit.substr(1) == "B" || unit.substr(1) == "IB"));
  const bool fits = number <= (~std::uint64_t{0} >> (10 * power));
  if (error != std::errc() || !known || !fits) {
    return "\"" + text + "\" is no size; write it as 64M, 1G or a number of bytes";
  }
  text = std::to_string(number << (10 * power));
  return {};
}

CLI::Option* add_net_fault_option(CLI::App& command, const NetFault& fault, double& percent) {
  return command.add_option(std::string("--") + fault.option, percent, fault.what)
      ->check(CLI::Range(0.0, 90.0))
      ->capture_default_str();
}

}  // namespace

CLI::Option* add_bytes_option(CLI::App& command, const std::string& name, std::uint64_t& bytes,
                              const std::string& what) {
  return command.add_option(name, bytes, what)->transform(CLI::Validator(to_bytes, "SIZE"));
}

CLI::Option* add_heap_option(CLI::App& command, std::uint64_t& bytes) {
  return add_bytes_option(command, "--heap", bytes,
                          "Size of the shared heap, as 64M or 1G; equal on all nodes")
      ->default_str("64M");
}

CLI::Option* add_fault_source_option(CLI::App& command, std::string& name) {
  return command
      .add_option("--fault-source", name,
                  "How touches of absent pages are noticed: auto, sigsegv, userfaultfd, software")
      ->check(one_of("fault source", {"auto", "sigsegv", "userfaultfd", "software"}))
      ->capture_default_str();
}

CLI::Option* add_strategy_option(CLI::App& command, std::string& name) {
  return command.add_option("--strategy", name, "Who commits next: fair or first-wins")
      ->check(one_of("commit strategy", {"fair", "first-wins"}))
      ->capture_default_str();
}

CLI::Option* add_workload_option(CLI::App& command, std::string& name, bool or_none) {
  auto names = workloads::names();
  if (or_none) names.push_back(kNoWorkload);
  std::string list;
  for (const auto& each : names) list += (list.empty() ? "" : ", ") + each;
  return command.add_option("--workload", name, "What the nodes do: " + list)
      ->check(one_of("workload", names))
      ->capture_default_str();
}

CLI::Option* add_false_sharing_option(CLI::App& command, std::string& policy) {
  return command
      .add_option("--false-sharing", policy,
                  "Objects that collide only because they share a page: off, report, dissolve "
                  "(move them to the nodes that use them)")
      ->check(one_of("policy", {"off", "report", "dissolve"}))
      ->capture_default_str();
}

CLI::Option* add_compact_option(CLI::App& command, bool& compact) {
  return command.add_flag("--compact", compact,
                          "Keep the heap on few pages in the background, those of nodes that are "
                          "gone included");
}

CLI::Option* add_drop_option(CLI::App& command, double& percent) {
  return add_net_fault_option(command, kNetFaults[0], percent);
}

void add_net_fault_options(CLI::App& command, sim::FaultOptions& faults) {
  for (const auto& fault : kNetFaults) {
    add_net_fault_option(command, fault, faults.*fault.percent);
  }
}

posix::FaultSourceKind fault_source_named(const std::string& name) {
  if (name == "sigsegv") return posix::FaultSourceKind::kSigsegv;
  if (name == "userfaultfd") return posix::FaultSourceKind::kUserfaultfd;
  if (name == "software") return posix::FaultSourceKind::kSoftware;
  return posix::FaultSourceKind::kAuto;
}

std::string why_not_writable(const std::string& path) {
  if (path.empty()) return {};
  std::FILE* file = std::fopen(path.c_str(), "ae");
  if (file != nullptr) {
    std::fclose(file);
    return {};
  }
  return "cannot write " + path + ": " + std::strerror(errno);
}

}  // namespace plurix::tool
