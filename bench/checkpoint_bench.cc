// How long it takes to save an image: the ten measurements of the paper (section 6), each beside
// the raw disk, and what the paper could not have: an image that stops nobody, two stores that make
// the same pages durable, and the way back from the disk.
//
// The PageServer is node 1, as in the paper. Every node writes each of its pages, then an image is
// taken; two images before those that are measured make the store's file one that is recycled.
#include "support/durable_peers.h"
#include "support/node.h"
#include "support/report.h"
#include "support/samples.h"

#include <plurix/checkpoint/page_server.h>
#include <plurix/checkpoint/policies.h>
#include <plurix/posix/file_block_store.h>

#include <unistd.h>
#include <array>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>

namespace plurix::bench {
namespace {

constexpr std::uint32_t kChunkPages = 256;  // 1 MiB
struct Page {
  std::uint64_t words[kPageSize / sizeof(std::uint64_t)];
};
struct Chunk {
  Page pages[kChunkPages];
};
struct alignas(kPageSize) Counter {
  std::uint64_t value;
};

/// One measurement of the paper: megabytes on each node, and what it says.
struct Measurement {
  int number;
  std::array<int, 3> megabytes;
  double paper_mb_s;
  bool local() const { return megabytes[1] + megabytes[2] == 0; }
  bool remote() const { return megabytes[0] == 0; }
};

constexpr Measurement kPaper[] = {
    {1, {20, 0, 0}, 13.7},    {2, {40, 0, 0}, 17.5},   {3, {60, 0, 0}, 19.1},
    {4, {80, 0, 0}, 19.7},    {5, {60, 0, 0}, 18.9},   {6, {20, 20, 20}, 14.4},
    {7, {0, 28, 32}, 13.0},   {8, {40, 40, 40}, 15.8}, {9, {48, 48, 48}, 16.0},
    {10, {60, 60, 60}, 16.3},
};

enum Order { kJoin, kWrite, kTransact, kPause, kQuit };

/// What processes share of one cluster.
struct Setup {
  std::array<int, 3> megabytes;
  std::string cluster = fresh_cluster();
  Shared<Orders> orders = {};
  Shared<std::atomic<bool>> transacting = {};
  Shared<std::atomic<std::uint64_t>> transactions = {};
  Shared<std::atomic<std::int64_t>> longest_ns = {};
};

posix::NodeOptions options_for(const Setup& setup, bool server) {
  auto options = node_options(setup.cluster, server);
  options.heap_bytes = std::uint64_t{256} << 20;
  options.page_server = server;
  options.pre_images = 4096;
  return options;
}

/// Writes to every page of this node's megabytes.
template <class Node>
void write_all(Node& node, int index, int megabytes, std::uint64_t value) {
  for (int i = 0; i < megabytes; ++i) {
    const auto name = "n" + std::to_string(index) + "." + std::to_string(i);
    node.run([&](Transaction& t) {
      const auto chunk = t.root<Chunk>(name.c_str());
      for (auto& page : chunk.mut()->pages) page.words[value % std::size(page.words)] = value;
    });
  }
}

class Worker {
 public:
  Worker(Setup& setup, int index) : setup_(setup), index_(index) {}

  void live() {
    setup_.orders->follow(
        index_ - 1, [this] { idle(); },
        [this](int what, std::int64_t word) { return obey(what, word); });
  }

 private:
  void idle() {
    if (!node_) return void(::usleep(200));
    if (index_ == 1 && setup_.transacting->load()) return transact();
    node_->serve(node_->now() + microseconds(200));
  }

  bool obey(int what, std::int64_t word) {
    if (what == kJoin) node_.emplace(options_for(setup_, false));
    if (what == kWrite) {
      write_all(*node_, index_, setup_.megabytes[static_cast<std::size_t>(index_)],
                static_cast<std::uint64_t>(word));
    }
    return what != kQuit;
  }

  /// Counts in a page of its own, and writes one of the pages that the image is about.
  void transact() {
    const auto begin = now();
    node_->run([&](Transaction& t) {
      const auto counter = t.root<Counter>("counter");
      counter.mut()->value = counter->value + 1;
      const auto number = counter->value;
      const auto name = "n1." + std::to_string(number % 20);
      const auto chunk = t.root<Chunk>(name.c_str());
      chunk.element(&Chunk::pages, number % kChunkPages).mut()->words[0] = number;
    });
    const auto took = (now() - begin).ns;
    if (took > setup_.longest_ns->load()) setup_.longest_ns->store(took);
    setup_.transactions->fetch_add(1);
  }

  Setup& setup_;
  const int index_;
  std::optional<posix::Node> node_;
};

/// Of this process, which is the PageServer.
double resident_megabytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  statm >> all >> resident;
  return static_cast<double>(resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))) / 1e6;
}

/// Takes images when told to.
struct OnOrder {
  bool stop = true;
  bool due(const CheckpointSituation& situation) const noexcept { return situation.asked; }
  bool stops_cluster(const CheckpointSituation&) const noexcept { return stop; }
};
static_assert(CheckpointPolicy<OnOrder>);

class Server {
 public:
  using Store = checkpoint::ImageStore<posix::FileBlockStore>;
  using Images = checkpoint::PageServer<posix::Node, posix::FileBlockStore, OnOrder>;

  Server(Setup& setup, const std::string& folder, bool stop)
      : setup_(setup),
        device_(posix::store_file_in(folder, posix::FileAccess::kReadWrite)),
        store_(device_, {.keep_images = 1}) {
    // A process with a node in it cannot be forked.
    for (int i = 1; i < kNodes; ++i) {
      children_.emplace_back([&setup, i] { Worker(setup, i).live(); });
    }
    const checkpoint::Identity nobody;
    must(store_.open(&nobody));
    node_.emplace(options_for(setup, true));
    images_.emplace(*node_, store_, OnOrder{stop});
    must(images_->start());
    tell(kJoin, 0);
  }
  ~Server() { setup_.orders->give(kQuit); }

  void write(std::uint64_t value) {
    tell(kWrite, static_cast<std::int64_t>(value));
    write_all(*node_, 0, setup_.megabytes[0], value);
  }

  /// Has a copy of every page, as if it had seen them pass by.
  void read_all() {
    for (int index = 1; index < kNodes; ++index) {
      for (int i = 0; i < setup_.megabytes[static_cast<std::size_t>(index)]; ++i) {
        const auto name = "n" + std::to_string(index) + "." + std::to_string(i);
        node_->run([&](Transaction& t) {
          const auto chunk = t.root<Chunk>(name.c_str());
          for (const auto& page : chunk->pages) touch(page.words[0]);
        });
      }
    }
  }

  /// Megabytes a second from the wish for an image until it is durable.
  double save() {
    const auto begin = now();
    const auto before = images_->counters();
    serve(milliseconds(20'000), [&] {
      if (images_->counters().images != before.images) return true;
      if (!images_->busy()) images_->order();  // again, when one has come to nothing
      return false;
    });
    const auto took = static_cast<double>((now() - begin).ns) / 1e9;
    saved_ = (images_->counters().pages - before.pages) * kPageSize;
    return static_cast<double>(saved_) / 1e6 / took;
  }

  /// Of the newest image.
  std::uint64_t saved_bytes() const { return saved_; }
  const std::string& how() const { return device_.reason(); }

  /// Lets the others work for so long, or until `done`.
  template <class Done>
  void serve(Duration most, Done done) {
    const auto limit = now() + most;
    while (!done()) {
      if (now() > limit) {
        throw std::runtime_error("no image: " + images_->trouble() + "; waits for " +
                                 images_->waits_for());
      }
      node_->serve(node_->now() + microseconds(200));
      images_->tick();
    }
  }

  double restore() {
    const auto begin = now();
    std::uint64_t bytes = 0;
    must(store_.read_image(*store_.newest(), [&](PageIndex page, checkpoint::ConstBlock block) {
      std::memcpy(frames_.get() + std::size_t{page} % kFrames * kPageSize, block.data(), kPageSize);
      bytes += kPageSize;
    }));
    restored_ = bytes;
    return static_cast<double>(bytes) / 1e6 / (static_cast<double>((now() - begin).ns) / 1e9);
  }
  std::uint64_t restored_bytes() const { return restored_; }

 private:
  static constexpr int kNodes = 3;
  static constexpr std::size_t kFrames = 65'536;

  static void must(const std::string& words) {
    if (!words.empty()) throw std::runtime_error(words);
  }

  void tell(int what, std::int64_t word) {
    setup_.orders->give(what, word);
    serve(milliseconds(60'000), [this] { return setup_.orders->done(kNodes - 1); });
  }

  Setup& setup_;
  posix::FileBlockStore device_;
  Store store_;
  std::optional<posix::Node> node_;
  std::optional<Images> images_;
  std::deque<Child> children_;
  std::uint64_t saved_ = 0;
  std::uint64_t restored_ = 0;
  std::unique_ptr<std::byte[]> frames_ = std::make_unique<std::byte[]>(kFrames * kPageSize);
};

class Folder {
 public:
  Folder() {
    const char* wanted = std::getenv("PLURIX_BENCH_DIR");
    path_ = wanted != nullptr ? wanted : std::filesystem::temp_directory_path().string();
    path_ += "/plurix-bench-" + std::to_string(::getpid());
    std::filesystem::create_directory(path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }
  std::string fresh() const {
    static int number = 0;
    return path_ + "/" + std::to_string(++number);
  }

 private:
  std::string path_;
};

struct Bench {
  const Options& options;
  const Report& report;
  Folder folder = {};
  std::string no_fio = why_no_fio();
  int warm_up = options.smoke ? 1 : 3;
  int rounds = options.smoke ? 1 : 5;

  std::array<int, 3> scaled(std::array<int, 3> megabytes) const {
    for (auto& part : megabytes) part = options.smoke ? part / 20 : part;
    return megabytes;
  }

  void add(const std::string& what, double figure, Samples& raw, Aim aim) const {
    report.add({what, figure, no_fio.empty() ? raw.median() : 0, aim});
    if (!no_fio.empty()) report.skip(what + ", raw disk", no_fio);
  }

  void measure(const Measurement& row, bool known) {
    Setup setup{.megabytes = scaled(row.megabytes)};
    const auto place = folder.fresh();
    Server server(setup, place, true);
    Samples ours;
    Samples raw;
    for (int i = 1; i <= warm_up + rounds; ++i) {
      server.write(static_cast<std::uint64_t>(i));
      if (known) server.read_all();
      const auto rate = server.save();
      if (i <= warm_up) continue;
      ours.add(rate);
      if (no_fio.empty()) raw.add(fio_write(folder.path(), server.saved_bytes()));
    }
    const bool near = row.local() || known;
    const auto aim = near           ? Aim::ratio_at_least(0.75)
                     : row.remote() ? Aim::ratio_at_least(0.5)
                                    : Aim::none();
    char what[96];
    std::snprintf(what, sizeof what, "%2d: %d + %d + %d MB%s; the paper %.1f of 45", row.number,
                  row.megabytes[0], row.megabytes[1], row.megabytes[2],
                  known ? ", known by snooping" : "", row.paper_mb_s);
    add(what, ours.median(), raw, aim);
    std::filesystem::remove_all(place);
    if (row.number == 10 && !known) best_ = ours.median();
  }

  /// The same pages in other stores.
  void peers(int megabytes) {
    const auto pages = static_cast<std::uint32_t>(options.smoke ? megabytes / 20 : megabytes) * 256;
    for (const auto& peer : durable_peers(folder.path(), pages)) {
      Samples rates;
      for (int i = 0; i < (options.smoke ? 2 : 4); ++i) {
        const auto begin = now();
        peer->put(pages);
        if (i == 0) continue;  // makes the file
        rates.add(static_cast<double>(pages) * kPageSize / 1e6 /
                  (static_cast<double>((now() - begin).ns) / 1e9));
      }
      const auto limit = peer->name() == "LMDB" ? 1.5 : 4.0;
      report.add({"10, beside " + peer->name(), best_, rates.median(), Aim::ratio_at_least(limit)});
    }
    for (const auto& name : missing_durable_peers()) {
      report.skip("10, beside " + name, "this program was built without it");
    }
  }

  void restore_and_stalls() {
    Setup setup{.megabytes = scaled({60, 60, 60})};
    const auto place = folder.fresh();
    Server server(setup, place, false);
    Samples raw;
    Samples restored;
    server.write(1);
    const auto without_images = resident_megabytes();
    for (int i = 1; i <= warm_up; ++i) {
      (void)server.save();
      server.write(static_cast<std::uint64_t>(i + 1));
    }
    (void)server.save();
    report.add({"10: memory of the PageServer for them, MB; yardstick the heap's",
                resident_megabytes() - without_images,
                static_cast<double>(server.saved_bytes()) / 1e6});
    for (int i = 0; i < rounds; ++i) {
      restored.add(server.restore());
      if (no_fio.empty()) raw.add(fio_read(folder.path(), server.restored_bytes()));
    }
    add("10: read back; the yardstick reads", restored.median(), raw, Aim::ratio_at_least(0.7));
    stalls(server, setup);
    std::filesystem::remove_all(place);
  }

  /// A node transacts while images are taken that stop nobody.
  void stalls(Server& server, Setup& setup) {
    const auto rate_while = [&](auto done) {
      const auto begin = now();
      const auto before = setup.transactions->load();
      setup.longest_ns->store(0);
      done();
      return static_cast<double>(setup.transactions->load() - before) /
             (static_cast<double>((now() - begin).ns) / 1e6);
    };
    Samples with;
    Samples without;
    Samples longest;
    Samples longest_without;
    const auto longest_ms = [&] { return static_cast<double>(setup.longest_ns->load()) / 1e6; };
    for (int i = 0; i < rounds; ++i) {
      server.write(static_cast<std::uint64_t>(100 + i));
      setup.transacting->store(true);
      const auto begin = now();
      with.add(rate_while([&] { (void)server.save(); }));
      longest.add(longest_ms());
      // As long as that, or four processes on fewer CPUs would not have had their turns.
      const auto until = now() + (now() - begin);
      without.add(
          rate_while([&] { server.serve(milliseconds(60'000), [&] { return now() > until; }); }));
      longest_without.add(longest_ms());
      setup.transacting->store(false);
    }
    report.add({"10: 1000 transactions/s of a node meanwhile; yardstick without", with.median(),
                without.median(), Aim::ratio_at_least(0.8)});
    report.add({"10: longest of these transactions, ms; yardstick without", longest.median(),
                longest_without.median(), Aim::figure_at_most(5)});
  }

  double best_ = 0;
};

void run(const Options& options) {
  const Report report(options, "checkpoint", "MB/s",
                      "fio on the same disk: the same bytes, O_DIRECT, a recycled file");
  Bench bench{.options = options, .report = report};
  for (const auto& row : kPaper) {
    const bool asked = options.wants(std::to_string(row.number));
    if (asked && (!options.smoke || row.number == 1 || row.number == 6)) bench.measure(row, false);
  }
  if (options.wants("known")) bench.measure(kPaper[6], true);
  if (options.wants("peers")) bench.peers(options.smoke ? 20 : 180);
  if (options.wants("10s") && !options.smoke) bench.restore_and_stalls();
}

}  // namespace
}  // namespace plurix::bench

int main(int argc, char** argv) {
  using namespace plurix::bench;
  run(parse_options(argc, argv,
                    "checkpoint_bench: how long it takes to save an image of the heap"));
}
