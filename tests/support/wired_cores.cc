#include "support/wired_cores.h"

#include <plurix/commit/fair.h>
#include <plurix/commit/first_wins.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace plurix::testing {
namespace {

/// A core whatever its commit strategy.
struct AnyCore {
  virtual ~AnyCore() = default;
  virtual const ActionList& step(const Event& event, Instant now) = 0;
  virtual const ProtocolCore& look() const = 0;
  virtual bool record(PageIndex page, Access access, Rights least) = 0;
};

template <CommitStrategy Strategy>
struct CoreWith final : AnyCore {
  CoreWith(const CoreConfig& config, std::byte* frames, std::span<std::byte> storage)
      : protocol(config, frames, storage) {}
  const ActionList& step(const Event& event, Instant now) override {
    return protocol.step(event, now);
  }
  const ProtocolCore& look() const override { return protocol; }
  bool record(PageIndex page, Access access, Rights least) override {
    return protocol.record(page, access, least);
  }

  Protocol<Strategy> protocol;
};

std::unique_ptr<AnyCore> make_core(bool fair, const CoreConfig& config, std::byte* frames,
                                   std::span<std::byte> storage) {
  if (fair) return std::make_unique<CoreWith<Fair>>(config, frames, storage);
  return std::make_unique<CoreWith<FirstWins>>(config, frames, storage);
}

}  // namespace

/// One core with its heap, its page table and the peers it was told of.
struct WiredCores::Wired {
  Wired(const CoreConfig& config, bool fair)
      : frames(config.geometry.bytes()),
        rights(config.geometry.pages, Rights::kNone),
        storage(ProtocolCore::storage_needed(config)),
        core(make_core(fair, config, frames.data(), storage)) {}

  std::vector<std::byte> frames;
  std::vector<Rights> rights;
  std::vector<std::byte> storage;
  std::unique_ptr<AnyCore> core;
  std::optional<std::size_t> peers[kMaxNodes];
  bool cut_off = false;
  bool frozen = false;
  std::vector<Flight> frozen_inbox;
};

wire::FrameHeader Flight::header() const {
  wire::FrameHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  return header;
}

bool Match::operator()(const Flight& flight) const {
  return (!from || *from == flight.from) && (!to || *to == flight.to) &&
         (!type || *type == flight.type());
}

CoreConfig WiredOptions::small_core() {
  CoreConfig config;
  config.geometry.pages = 32;
  config.shadow_pages = 16;
  config.log_records = 64;
  config.pre_images = 16;
  config.log_words = 1024;
  config.cluster_name_hash = std::uint64_t{0x77697265} << 32;
  config.beacon = milliseconds(3'600'000);  // silence, unless a test is about it
  return config;
}

CoreConfig WiredOptions::with_page_server() {
  auto config = small_core();
  config.page_server = true;
  return config;
}

WiredCores::WiredCores(const WiredOptions& options)
    : options_(options), cores_(options.nodes + options.later) {
  for (std::size_t n = 0; n < cores_.size(); ++n) make(n);
  for (std::size_t n = 0; n < options.nodes; ++n) join(n);
}

void WiredCores::make(std::size_t n, std::uint32_t life) {
  auto config = options_.core;
  config.incarnation = static_cast<std::uint32_t>(1000 + n) + 1000 * life;
  config.page_server = config.page_server && n == 0;
  if (n < options_.pages.size()) config.geometry.pages = options_.pages[n];
  cores_[n] = std::make_unique<Wired>(config, options_.fair);
}

void WiredCores::replace(std::size_t n, std::uint32_t life) {
  lose({.from = n});
  lose({.to = n});
  make(n, life);
}

void WiredCores::replace_by_page_server(std::size_t n) {
  auto config = cores_[n]->core->look().core().config;
  config.page_server = true;
  cores_[n] = std::make_unique<Wired>(config, options_.fair);
}

WiredCores::~WiredCores() = default;

const ProtocolCore& WiredCores::core(std::size_t n) const { return cores_[n]->core->look(); }

Endpoint WiredCores::endpoint(std::size_t n) {
  Endpoint endpoint;
  endpoint.bytes[0] = static_cast<std::byte>(n + 1);
  return endpoint;
}

void WiredCores::step(std::size_t n, const Event& event) {
  // The list belongs to the core; nothing below steps it again.
  const auto& actions = cores_[n]->core->step(event, now_);
  if (stepped_) stepped_(n);
  for (const auto& action : actions.view()) perform(n, action);
}

void WiredCores::perform(std::size_t n, const Action& action) {
  auto& wired = *cores_[n];
  switch (action.kind) {
    case ActionKind::kSend:
    case ActionKind::kSendTo:
      send(n, action);
      break;
    case ActionKind::kProtect:
      std::fill_n(wired.rights.begin() + action.page, action.count, action.rights);
      break;
    case ActionKind::kPeerAdded:
      wired.peers[action.node] = static_cast<std::size_t>(action.endpoint.bytes[0]) - 1;
      break;
    case ActionKind::kPeerRemoved:
      wired.peers[action.node].reset();
      break;
    case ActionKind::kImageBegin:
    case ActionKind::kImagePage:
    case ActionKind::kImageEnd:
    case ActionKind::kImageGivenUp:
    case ActionKind::kRestore:
      if (images_) images_(n, action);
      break;
    case ActionKind::kPeerSilent:
    case ActionKind::kJoined:
    case ActionKind::kLeft:
    case ActionKind::kHeapErased:
    case ActionKind::kEpochBegan:
    case ActionKind::kLogExhausted:
      break;
  }
}

void WiredCores::send(std::size_t n, const Action& action) {
  std::vector<std::size_t> receivers;
  if (action.kind == ActionKind::kSendTo) {
    receivers.push_back(static_cast<std::size_t>(action.endpoint.bytes[0]) - 1);
  } else {
    for (NodeId node = 0; node < kMaxNodes; ++node) {
      const auto& peer = cores_[n]->peers[node];
      if (peer && (action.node == kEveryone || action.node == node)) receivers.push_back(*peer);
    }
  }
  std::vector<std::byte> bytes(action.head.begin(), action.head.end());
  bytes.insert(bytes.end(), action.payload.begin(), action.payload.end());
  std::vector<Fate> fates;
  for (const auto to : receivers) fates.push_back(post({n, to, bytes}));
  if (observer_) observer_(bytes, receivers, fates);
}

Fate WiredCores::fate_of(const Flight& flight) {
  if (cores_[flight.from]->cut_off || cores_[flight.to]->cut_off) return Fate::kIsLost;
  for (auto& rule : rules_) {
    if (rule.times == 0 || !rule.match(flight)) continue;
    --rule.times;
    return rule.fate;
  }
  return Fate::kArrives;
}

Fate WiredCores::post(Flight flight) {
  const auto fate = fate_of(flight);
  if (fate == Fate::kIsLost) return fate;
  if (fate == Fate::kIsHeld) {
    held_.push_back(std::move(flight));
    return fate;
  }
  if (fate == Fate::kIsDoubled) under_way_.push_back(flight);
  if (fate == Fate::kIsCopied) held_.push_back(flight);
  under_way_.push_back(std::move(flight));
  return fate;
}

bool WiredCores::record(std::size_t n, PageIndex page, Access access, Rights least) {
  return cores_[n]->core->record(page, access, least);
}

std::optional<Value> WiredCores::load(std::size_t n, PageIndex page) {
  const auto recorded = [&] {
    return rights(n, page) >= Rights::kRead && core(n).attempt().has_read(page);
  };
  if (!recorded()) step(n, event::LocalFault{page, Access::kRead, true});
  if (!recorded()) return std::nullopt;
  return frame(n, page);
}

bool WiredCores::store(std::size_t n, PageIndex page, Value value) {
  if (rights(n, page) < Rights::kWrite) step(n, event::LocalFault{page, Access::kWrite, true});
  if (rights(n, page) < Rights::kWrite) return false;
  std::memcpy(cores_[n]->frames.data() + std::size_t{page} * kPageSize, &value, sizeof value);
  return true;
}

Rights WiredCores::rights(std::size_t n, PageIndex page) const { return cores_[n]->rights[page]; }

Value WiredCores::frame(std::size_t n, PageIndex page) const {
  Value value;
  std::memcpy(&value, cores_[n]->frames.data() + std::size_t{page} * kPageSize, sizeof value);
  return value;
}

std::byte* WiredCores::frames(std::size_t n) { return cores_[n]->frames.data(); }

void WiredCores::await(const char* what, const std::function<bool()>& done) {
  deliver_all();
  for (int i = 0; i < 100 && !done(); ++i) pass(milliseconds(1));
  if (!done()) throw std::runtime_error(std::string("waits in vain until ") + what);
}

CommitTime WiredCores::commit(std::size_t n, const std::vector<PageIndex>& pages, Value value) {
  begin(n);
  for (const auto page : pages) {
    if (!store(n, page, value)) await("a page comes", [&] { return store(n, page, value); });
  }
  want_commit(n);
  await("the attempt commits", [&] { return !core(n).attempt().active(); });
  return core(n).last_commit();
}

Value WiredCores::read(std::size_t n, PageIndex page) {
  begin(n);
  load(n, page);
  deliver_all();
  const auto value = load(n, page);
  end(n);
  return value.value_or(~Value{0});
}

void WiredCores::ask_to_join(std::size_t n, std::size_t seed, bool may_found) {
  const Endpoint seeds[] = {endpoint(seed)};
  step(n, event::JoinWanted{seeds, endpoint(n), may_found, 0});
}

void WiredCores::join(std::size_t n) {
  if (n == 0) return step(0, event::FoundWanted{endpoint(0), 0});
  ask_to_join(n);
  await("a core has joined", [&] { return core(n).core().in_service(); });
  pass(milliseconds(3));  // until nobody waits for the newcomer any more
}

std::size_t WiredCores::count(const Match& match) const {
  return static_cast<std::size_t>(std::count_if(under_way_.begin(), under_way_.end(), match));
}

Flight WiredCores::take(const Match& match) {
  const auto found = std::find_if(under_way_.begin(), under_way_.end(), match);
  if (found == under_way_.end()) throw std::runtime_error("no such frame is under way");
  auto flight = std::move(*found);
  under_way_.erase(found);
  return flight;
}

void WiredCores::deliver(const Flight& flight) {
  if (cores_[flight.to]->frozen) return cores_[flight.to]->frozen_inbox.push_back(flight);
  step(flight.to, event::FrameArrived{flight.bytes, endpoint(flight.from)});
}

void WiredCores::deliver_all() {
  for (int limit = 100'000; !under_way_.empty(); --limit) {
    if (limit == 0) throw std::runtime_error("the cores never stop talking");
    deliver(take({}));
  }
}

std::size_t WiredCores::lose(const Match& match) { return std::erase_if(under_way_, match); }

void WiredCores::rule(const Match& match, Fate fate, std::size_t times) {
  rules_.push_back({match, fate, times});
}

std::size_t WiredCores::release() {
  const auto released = std::exchange(held_, {});
  under_way_.insert(under_way_.end(), released.begin(), released.end());
  return released.size();
}

void WiredCores::cut_off(std::size_t n, bool on) { cores_[n]->cut_off = on; }

void WiredCores::freeze(std::size_t n, bool on) {
  cores_[n]->frozen = on;
  if (on) return;
  const auto waiting = std::exchange(cores_[n]->frozen_inbox, {});
  under_way_.insert(under_way_.end(), waiting.begin(), waiting.end());
}

bool WiredCores::fire_next_timer(Instant end) {
  auto soonest = kNever;
  std::size_t whose = 0;
  for (std::size_t n = 0; n < cores_.size(); ++n) {
    if (cores_[n]->frozen || core(n).deadline() >= soonest) continue;
    soonest = core(n).deadline();
    whose = n;
  }
  if (soonest > end) return false;
  now_ = std::max(now_, soonest);
  step(whose, event::TimerExpired{});
  return true;
}

void WiredCores::pass(Duration duration) {
  const auto end = now_ + duration;
  deliver_all();
  for (int limit = 100'000; fire_next_timer(end); --limit) {
    if (limit == 0) throw std::runtime_error("timers never come to rest");
    deliver_all();
  }
  now_ = end;
}

void WiredCores::pass_for(std::size_t n, Duration duration) {
  now_ = now_ + duration;
  step(n, event::TimerExpired{});
}

}  // namespace plurix::testing
