// Two or more protocol cores and the wires between them, all by hand: nothing happens but what the
// test does, and every frame can be seen, delivered, lost, doubled or held back one by one.
//
//   WiredCores net({.nodes = 2});
//   net.begin(1);
//   net.load(1, 7);                                  // nothing: the page is absent, a fault
//   EXPECT_EQ(net.under_way().size(), 1u);           // the page request
//   net.deliver_all();                               // request and reply
//   EXPECT_EQ(net.load(1, 7), Value{0});
//
// Cores are named by the order in which they were made; those that join at once get the same number
// in the cluster. The application is in the test's hands too: `load` and `store` do what a checked
// access does, and respect the rights the core has set.
#pragma once

#include <plurix/dsm/protocol.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace plurix::testing {

/// The first word of a page stands for its contents.
using Value = std::uint64_t;

/// A frame on its way from one core to one other.
struct Flight {
  std::size_t from;
  std::size_t to;
  std::vector<std::byte> bytes;

  wire::FrameHeader header() const;
  wire::MessageType type() const { return header().type; }
};

/// Which frames a rule or a search means. What is not said matches everything.
struct Match {
  std::optional<std::size_t> from;
  std::optional<std::size_t> to;
  std::optional<wire::MessageType> type;

  bool operator()(const Flight& flight) const;
};

/// What becomes of a frame that is sent.
enum class Fate : std::uint8_t {
  kArrives,
  kIsLost,
  kIsHeld,     ///< until `release`
  kIsDoubled,  ///< arrives twice
  kIsCopied,   ///< arrives, and a copy is held until `release`
};

struct WiredOptions {
  std::size_t nodes = 2;  ///< members from the start
  std::size_t later = 0;  ///< further cores, not joined yet
  bool fair = false;      ///< Fair, else FirstWins
  CoreConfig core = small_core();
  std::vector<std::uint32_t> pages;  ///< of each core's heap, where it is not core.geometry's

  static CoreConfig small_core();
  static CoreConfig with_page_server();  ///< the same, and core 0 is the PageServer
};

class WiredCores {
 public:
  explicit WiredCores(const WiredOptions& options);
  ~WiredCores();
  WiredCores(const WiredCores&) = delete;
  WiredCores& operator=(const WiredCores&) = delete;

  const ProtocolCore& core(std::size_t n) const;
  std::size_t size() const { return cores_.size(); }
  CommitTime applied(std::size_t n) const { return core(n).core().applied; }
  const CoreCounters& counters(std::size_t n) const { return core(n).core().counters; }

  /// Any event, and what follows from it.
  void step(std::size_t n, const Event& event);

  // ---- the application of core n

  void begin(std::size_t n) { step(n, event::AttemptBegun{}); }
  /// Reads a page: nothing if that faults and the page is not there at once.
  std::optional<Value> load(std::size_t n, PageIndex page);
  /// Writes a page: false if that faults and the page cannot be written at once.
  bool store(std::size_t n, PageIndex page, Value value);
  /// Records an access, if that takes no event.
  bool record(std::size_t n, PageIndex page, Access access, Rights least = Rights::kNone);
  void want_commit(std::size_t n, std::uint32_t collisions = 0) {
    step(n, event::CommitWanted{collisions});
  }
  /// One whole transaction that reads a page; everything is delivered meanwhile. All ones if the
  /// page does not come.
  Value read(std::size_t n, PageIndex page);
  /// Ends the attempt without a commit.
  void end(std::size_t n) { step(n, event::AttemptEnded{}); }
  /// What the machine lets the application do with a page.
  Rights rights(std::size_t n, PageIndex page) const;
  /// What stands in the page's frame, whatever its rights.
  Value frame(std::size_t n, PageIndex page) const;

  /// One whole transaction that writes `value` to `pages`; everything is delivered meanwhile, and
  /// time passes if that is needed.
  CommitTime commit(std::size_t n, const std::vector<PageIndex>& pages, Value value);

  /// Founds with core 0, or joins through it, and delivers until the core is a member.
  void join(std::size_t n);
  /// Core n is gone, and one stands in its place that knows nothing: of the same identity, or in
  /// another `life`.
  void replace(std::size_t n, std::uint32_t life = 0);
  /// The same, but it is a PageServer.
  void replace_by_page_server(std::size_t n);
  /// Asks core 0 (or `seed`) to be let in; delivers nothing.
  void ask_to_join(std::size_t n, std::size_t seed = 0, bool may_found = false);

  // ---- the wires

  std::deque<Flight>& under_way() { return under_way_; }
  /// How many frames under way match.
  std::size_t count(const Match& match) const;
  /// Takes the first frame that matches off the wire. There must be one.
  Flight take(const Match& match);
  /// Hands a frame to its receiver.
  void deliver(const Flight& flight);
  /// Takes the first match and delivers it.
  void deliver_first(const Match& match) { deliver(take(match)); }
  /// Delivers in order of sending, also what is sent meanwhile, until nothing is under way.
  void deliver_all();
  /// Takes all matches off the wire; how many there were.
  std::size_t lose(const Match& match);

  /// The next `times` frames that match meet this fate when they are sent.
  void rule(const Match& match, Fate fate, std::size_t times);
  /// Puts what rules have held back on the wire, in order of sending.
  std::size_t release();
  /// Frames from and to a cut-off core are lost when they are sent.
  void cut_off(std::size_t n, bool on);
  /// A frozen core takes in no frames and no time; they wait.
  void freeze(std::size_t n, bool on);

  // ---- time

  Instant now() const { return now_; }
  /// Lets time pass, timers included, and delivers what is sent.
  void pass(Duration duration);
  /// Goes to the next timer that is due by `end` and fires it. False if there is none.
  bool fire_next_timer(Instant end);
  /// Lets time pass for core n alone, and fires its timers once at the end; delivers nothing.
  void pass_for(std::size_t n, Duration duration);

  /// Where core n is reached.
  static Endpoint endpoint(std::size_t n);

  /// Told of every frame as it is sent, and of its fate at each receiver.
  using Observer = std::function<void(Bytes frame, const std::vector<std::size_t>& receivers,
                                      const std::vector<Fate>& fates)>;
  void observe(Observer observer) { observer_ = std::move(observer); }
  /// Told what a core wants done with images; for kRestore it fills `frames`.
  using ImageStore = std::function<void(std::size_t n, const Action& action)>;
  void keep_images(ImageStore store) { images_ = std::move(store); }
  /// The frames of core n.
  std::byte* frames(std::size_t n);
  /// Told of every step of a core, before what it sends.
  void observe_steps(std::function<void(std::size_t n)> stepped) { stepped_ = std::move(stepped); }

 private:
  struct Wired;
  struct Rule {
    Match match;
    Fate fate;
    std::size_t times;
  };

  void await(const char* what, const std::function<bool()>& done);
  void perform(std::size_t n, const Action& action);
  void send(std::size_t n, const Action& action);
  Fate post(Flight flight);
  Fate fate_of(const Flight& flight);

  void make(std::size_t n, std::uint32_t life = 0);

  const WiredOptions options_;
  std::vector<std::unique_ptr<Wired>> cores_;
  std::deque<Flight> under_way_;
  std::vector<Flight> held_;
  std::vector<Rule> rules_;
  Observer observer_;
  std::function<void(std::size_t)> stepped_;
  ImageStore images_;
  Instant now_{1'000'000};
};

}  // namespace plurix::testing
