#include "inspect_command.h"

#include <plurix/heap/verify.h>
#include <plurix/posix/environment_error.h>
#include <plurix/posix/monotonic_clock.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>

#include "exit_codes.h"
#include "heap_look_words.h"
#include "inspected_heap.h"
#include "option_checks.h"
#include "stop_signals.h"
#include "workloads/heap_words.h"

namespace plurix::tool {
namespace {

constexpr auto kFooter =
    R"(The command joins the cluster as one more node that only reads, and leaves again;
with --dir it looks at an image that a PageServer has kept, and no cluster is needed.
Offsets count bytes from the heap's base; an address of a running program is taken as well.

Examples:
  plurix inspect heap --cluster demo
  plurix inspect heap --verify
  plurix inspect page 37 --json
  plurix inspect object shop/customers
  plurix inspect object 0x25018
  plurix inspect types
  plurix inspect names shop
  plurix inspect heap --verify --dir /var/lib/plurix)";

struct Arguments {
  posix::NodeOptions node;
  std::string store;        ///< look at an image in this directory
  std::uint64_t image = 0;  ///< its commit time; 0: the newest
  double join_seconds = 5;
  bool json = false;
  bool verify = false;
  PageIndex page = 0;
  std::string object;
  std::string directory;
};

/// What a look at the heap found, and how it is told to people.
struct Finding {
  Json document;
  std::string (*words)(const Json&) = nullptr;
  bool sound = true;
};

/// Says how far it is, once a second: most heaps are read before that.
class Progress {
 public:
  void at(PageIndex page, PageIndex pages) {
    if (clock_.now() < next_) return;
    next_ = clock_.now() + kInterval;
    std::cerr << "plurix inspect: " << page << " of " << pages << " pages\n";
  }

 private:
  static constexpr Duration kInterval = milliseconds(1000);

  posix::MonotonicClock clock_;
  Instant next_ = clock_.now() + kInterval;
};

HeapCensus take_census(InspectedHeap& heap) {
  const auto pages = heap.read(Freshness::kLatest, [](Transaction& t) { return t.pages(); });
  HeapCensus census;
  Progress progress;
  for (auto page = plurix::heap::regions(pages).first; page < pages; ++page) {
    census.add(page, heap.read(Freshness::kSnapshot,
                               [page](Transaction& t) { return tally_page(t, page); }));
    progress.at(page, pages);
    if (stop_asked()) throw InspectFailure("interrupted");
  }
  return census;
}

Finding inspect_heap(InspectedHeap& heap, const Arguments& arguments) {
  const auto census = take_census(heap);
  Finding found{.document = heap.read(Freshness::kSnapshot,
                                      [&](Transaction& t) { return look_at_census(t, census); }),
                .words = words_for_census,
                .sound = census.broken.empty()};
  if (!arguments.verify) return found;
  const auto report = heap.read(Freshness::kLatest, [](Transaction& t) { return verify_heap(t); });
  found.sound = found.sound && report.ok();
  found.document["verified"] = {{"sound", report.ok()}, {"words", workloads::heap_words(report)}};
  found.words = [](const Json& json) {
    return words_for_census(json) + "\n" + json["verified"]["words"].get<std::string>() + "\n";
  };
  return found;
}

Finding inspect_page(InspectedHeap& heap, const Arguments& arguments) {
  auto document = heap.read(Freshness::kLatest,
                            [&](Transaction& t) { return look_at_page(t, arguments.page); });
  if (document.is_null()) {
    throw InspectFailure("there is no page " + std::to_string(arguments.page) + "; the heap has " +
                         posix::format_bytes(heap.bytes()) + ", " +
                         std::to_string(heap.bytes() / kPageSize) + " pages");
  }
  return {.document = std::move(document), .words = words_for_page};
}

/// "0x25018", "151576", or an address in a node's heap; nothing if it is a name.
std::optional<heap::Offset> offset_in(std::string_view text) {
  const bool is_hex = text.starts_with("0x");
  if (is_hex) text.remove_prefix(2);
  heap::Offset offset = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), offset, is_hex ? 16 : 10);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return offset >= kDefaultHeapBase ? offset - kDefaultHeapBase : offset;
}

Json look_at(Transaction& t, const std::string& object) {
  if (const auto offset = offset_in(object)) return look_at_object(t, *offset);
  if (!heap::is_path(object)) return nullptr;
  const auto named = heap::look_up(t, object);
  return named.target == 0 ? Json() : look_at_object(t, named.target);
}

Finding inspect_object(InspectedHeap& heap, const Arguments& arguments) {
  auto document =
      heap.read(Freshness::kLatest, [&](Transaction& t) { return look_at(t, arguments.object); });
  if (document.is_null()) {
    throw InspectFailure(offset_in(arguments.object)
                             ? "no object stands at " + arguments.object
                             : "nothing has the name \"" + arguments.object +
                                   "\"; plurix inspect names shows those there are");
  }
  return {.document = std::move(document), .words = words_for_object};
}

Finding inspect_types(InspectedHeap& heap, const Arguments&) {
  return {.document = heap.read(Freshness::kLatest, look_at_types), .words = words_for_types};
}

Finding inspect_names(InspectedHeap& heap, const Arguments& arguments) {
  auto document = heap.read(Freshness::kLatest,
                            [&](Transaction& t) { return look_at_names(t, arguments.directory); });
  if (document.is_null()) {
    throw InspectFailure("there is no directory \"" + arguments.directory +
                         "\"; plurix inspect names shows those there are");
  }
  return {.document = std::move(document), .words = words_for_names};
}

using Inspect = Finding (*)(InspectedHeap&, const Arguments&);

int look(const Arguments& arguments, Inspect inspect) {
  const auto heap = arguments.store.empty() ? join_heap(arguments.node)
                                            : open_image(arguments.store, arguments.image);
  const auto found = inspect(*heap, arguments);
  if (arguments.json) {
    auto line = heap->about();
    line["found"] = found.document;
    std::cout << line.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
  } else {
    std::cout << heap->words() << "\n" << found.words(found.document);
  }
  return found.sound ? kDone : kFailed;
}

int fail(const Arguments& arguments, ExitCode code, const std::string& words) {
  if (arguments.json) std::cout << Json{{"error", words}}.dump() << "\n";
  std::cerr << "plurix inspect: " << words << "\n";
  return code;
}

int run(Arguments arguments, Inspect inspect) {
  auto& options = arguments.node;
  options.found = posix::Founding::kNever;
  // Reads are checked, nothing is followed that could trap: so it runs where signals may not.
  options.fault_source = posix::FaultSourceKind::kSoftware;
  options.join_timeout = {static_cast<std::int64_t>(arguments.join_seconds * 1e9)};
  try {
    return look(arguments, inspect);
  } catch (const posix::NotReachable& error) {
    return fail(arguments, kNotReachable, error.what());
  } catch (const posix::EnvironmentError& error) {
    return fail(arguments, kNotFit, error.what());
  } catch (const std::invalid_argument& error) {
    return fail(arguments, kUsage, error.what());
  } catch (const std::exception& error) {
    return fail(arguments, kFailed, error.what());
  }
}

CLI::App* add_look(CLI::App& parent, const char* name, const char* what,
                   const std::shared_ptr<Arguments>& arguments, Inspect inspect, int& exit_code) {
  CLI::App* look = parent.add_subcommand(name, what);
  auto& options = arguments->node;
  look->add_option("--cluster", options.cluster, "Name of the cluster")->capture_default_str();
  look->add_option("--bind", options.bind,
                   "Own address as the nodes reach it, ADDRESS:PORT (default: 127.0.0.1 and a "
                   "port that follows from the name)");
  look->add_option("--peer,--seed-address", options.seeds,
                   "A node to ask for the cluster, ADDRESS:PORT; may be repeated");
  look->add_option("--join-timeout", arguments->join_seconds,
                   "Seconds until an attempt to join fails")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  auto* store =
      look->add_option("--dir", arguments->store,
                       "Look at an image in this directory of a PageServer instead of a cluster");
  look->add_option("--image", arguments->image, "Its commit time (default: the newest)")
      ->needs(store);
  look->add_flag("--json", arguments->json, "One line of JSON instead of words");
  look->callback([arguments, inspect, &exit_code] { exit_code = run(*arguments, inspect); });
  return look;
}

}  // namespace
}  // namespace plurix::tool

void add_inspect_command(CLI::App& app, int& exit_code) {
  using namespace plurix::tool;
  CLI::App* inspect =
      app.add_subcommand("inspect", "Look at the heap of a running cluster, or at an image of one");
  inspect->require_subcommand(1);
  inspect->footer(kFooter);
  const auto arguments = std::make_shared<Arguments>();
  const auto add = [&](const char* name, const char* what, Inspect how) {
    return add_look(*inspect, name, what, arguments, how, exit_code);
  };
  add("heap", "Pages, objects, types and nodes in numbers; read page by page", inspect_heap)
      ->add_flag("--verify", arguments->verify,
                 "Then verify the heap object by object, in one transaction");
  add("page", "What stands on a page", inspect_page)
      ->add_option("PAGE", arguments->page, "Its number, from 0")
      ->required();
  add("object", "An object: its values, its links, and what links to it", inspect_object)
      ->add_option("OBJECT", arguments->object, "Its name, or an offset in it")
      ->required();
  add("types", "The types of the heap's objects, with their fields", inspect_types);
  add("names", "The names, with what they lead to", inspect_names)
      ->add_option("DIRECTORY", arguments->directory, "Only what is below it");
}
