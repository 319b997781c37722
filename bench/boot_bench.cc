// How long machines take to start: the first one, which puts the kernel into the heap, and one that
// joins and fetches it from there; beside the paper's figures and a Linux kernel in the same
// virtual machine. Time is the kernel's own, from its first instruction in C++ to its console in
// the heap.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

#include "plurix/temporary_directory.h"
#include "support/qemu.h"
#include "support/report.h"

namespace plurix::bench {
namespace {

constexpr double kPatience = 60;

// Paper, section 6.1: a Celeron at 1.5 GHz (Plurix' own figures).
constexpr double kPaperFirstMs = 254;
constexpr double kPaperJoiningMs = 234;
constexpr double kPaperRequests = 284;
constexpr double kPaperAllocationUs = 3;
constexpr double kPaperAssignmentUs = 0.5;

struct Start {
  double kernel_ms = 0;
  double requests = 0;
};

/// Of 284 pages, in milliseconds: in the two ways in turns.
struct Fetches {
  std::vector<double> one_by_one;
  std::vector<double> together;
};

struct Pair {
  Start first;
  Start joining;
  double objects = 0;
  double allocation_us = 0;
  double assignment_us = 0;
};

[[noreturn]] void give_up(const std::string& what) {
  std::fprintf(stderr, "boot_bench: %s\n", what.c_str());
  std::exit(1);
}

std::string await(Qemu& machine, const std::string& words) {
  const auto line = machine.line_with(words, kPatience);
  if (!line) give_up("a machine has not said " + words);
  return *line;
}

Start start_in(const std::string& ready) {
  return {.kernel_ms = number_in(ready, "kernel_us") / 1e3,
          .requests = number_in(ready, "kernel_requests")};
}

Qemu::Setup machine(const Cable& cable, int number, const std::string& words) {
  const std::string kernel = PLURIX_KERNEL;
  return {.kernel = kernel,
          .initrd = number == 1 ? kernel + ".heap" : "",
          .words = "control=1 cluster=boot history=1000 shadow=400 " + words,
          .cable = cable.end(number - 1),
          .number = number};
}

/// Each time the first machine writes all pages anew, so that the second has none of them.
void fetch_in_turns(Qemu& first, Qemu& second, int rounds, Fetches& fetches) {
  for (int i = 0; i < rounds; ++i) {
    first.say("lend");
    (void)await(first, "\"lent\"");
    second.say("fetch");
    const auto fetched = await(second, "\"fetched\"");
    fetches.one_by_one.push_back(number_in(fetched, "one_by_one_us") / 1e3);
    fetches.together.push_back(number_in(fetched, "together_us") / 1e3);
  }
}

/// Starts a cluster of two.
Pair start_pair(int rounds, Fetches& fetches) {
  const Cable cable;
  Pair pair;
  Qemu first(machine(cable, 1, "found=always"));
  pair.first = start_in(await(first, "\"ready\""));
  first.say("measure");
  const auto measured = await(first, "\"measured\"");
  pair.objects = number_in(measured, "objects");
  pair.allocation_us = number_in(measured, "allocation_ns") / 1e3;
  pair.assignment_us = number_in(measured, "assignment_ns") / 1e3;
  Qemu second(machine(cable, 2, "found=never"));
  pair.joining = start_in(await(second, "\"ready\""));
  fetch_in_turns(first, second, rounds, fetches);
  return pair;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

template <class Take>
double median(const std::vector<Pair>& pairs, Take take) {
  std::vector<double> values;
  for (const auto& pair : pairs) values.push_back(take(pair));
  return median(std::move(values));
}

std::string bytes_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Milliseconds until Linux has started its first program; 0 if it does not.
double start_linux(const std::string& kernel) {
  const tool::TemporaryDirectory folder;
  const auto initrd = folder.file("initrd");
  std::ofstream(initrd, std::ios::binary) << initial_files(bytes_of(PLURIX_LINUX_INIT));
  Qemu machine({.kernel = kernel, .initrd = initrd, .words = "console=ttyS0 quiet"});
  const auto line = machine.line_with("\"init\"", kPatience);
  return line ? number_in(*line, "kernel_us") / 1e3 : 0;
}

void compare_with_linux(const Options& options, double first_ms, int rounds) {
  const Report report(options, "boot_bench", "ms", "a Linux kernel until its first program");
  const auto* kernel = std::getenv("PLURIX_LINUX_KERNEL");
  const std::string what = "first machine: kernel time";
  if (kernel == nullptr) {
    return report.skip(
        what,
        "PLURIX_LINUX_KERNEL names no Linux kernel; Debian: apt-get download the "
        "package that linux-image-cloud-amd64 depends on, dpkg-deb -x, boot/vmlinuz-*");
  }
  std::vector<double> times;
  for (int i = 0; i < rounds; ++i) times.push_back(start_linux(kernel));
  report.add({what, first_ms, median(times), Aim::ratio_at_most(0.1)});
}

int run(const Options& options) {
  const int starts = options.smoke ? 1 : 5;
  const int rounds = options.smoke ? 1 : 9;
  Fetches fetches;
  std::vector<Pair> pairs;
  for (int i = 0; i < starts; ++i) pairs.push_back(start_pair(rounds, fetches));
  const auto first_ms = median(pairs, [](const Pair& p) { return p.first.kernel_ms; });
  {
    const Report report(options, "boot_bench", "ms", "the paper's machine (section 6.1)");
    report.add({"first machine: kernel time", first_ms, kPaperFirstMs, Aim::figure_at_most(25)});
    report.add({"joining machine: kernel time",
                median(pairs, [](const Pair& p) { return p.joining.kernel_ms; }), kPaperJoiningMs,
                Aim::figure_at_most(40)});
  }
  {
    const Report report(options, "boot_bench", "count", "the paper's");
    report.add({"pages requested to get the kernel",
                median(pairs, [](const Pair& p) { return p.joining.requests; }), kPaperRequests});
    report.add({"objects in the heap, kernel and system",
                median(pairs, [](const Pair& p) { return p.objects; }), 0});
  }
  {
    const Report report(options, "boot_bench", "us", "the paper's");
    report.add({"allocation of an object of 64 bytes",
                median(pairs, [](const Pair& p) { return p.allocation_us; }), kPaperAllocationUs,
                Aim::ratio_at_most(1)});
    report.add({"assignment of a reference",
                median(pairs, [](const Pair& p) { return p.assignment_us; }), kPaperAssignmentUs,
                Aim::ratio_at_most(1)});
  }
  {
    const Report report(options, "boot_bench", "ms", "fourteen of them on their way at once");
    report.add({"284 pages, fetched one by one", median(fetches.one_by_one),
                median(fetches.together), Aim::ratio_at_least(3)});
  }
  compare_with_linux(options, first_ms, options.smoke ? 1 : 3);
  return 0;
}

}  // namespace
}  // namespace plurix::bench

int main(int argc, char** argv) {
  const auto options = plurix::bench::parse_options(
      argc, argv,
      "Starts machines in QEMU and tells how long their kernels take. PLURIX_LINUX_KERNEL names a "
      "Linux kernel to compare with.");
  if (!plurix::bench::has_qemu()) {
    std::fprintf(stderr, "qemu-system-x86_64 is not installed (Debian: qemu-system-x86)\n");
    return 1;
  }
  return plurix::bench::run(options);
}
