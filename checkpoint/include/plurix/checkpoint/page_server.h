// PageServer: lets a node take images of the heap, stores them, and gives the newest one back when
// the cluster starts again or has to go back (paper section 5).
//
//   node → kBegin, kPage …, kEnd → ImageStore → durable → node.image_stored()
//
// It runs on the node's own thread: `tick` is called between the node's waits, and the store's
// writing goes on meanwhile. The node must be quiet about images until `start` has been called.
//
// An interrupt of that thread may bring pages at any instruction, so whatever works on the store
// outside the sink does so while the node is undisturbed.
#pragma once

#include <plurix/checkpoint/image_store.h>
#include <plurix/concepts/checkpoint_policy.h>
#include <plurix/concepts/image_sink.h>
#include <plurix/dsm/event.h>

#include <string>

namespace plurix::checkpoint {

/// Of one PageServer; they only grow.
struct PageServerCounters {
  std::uint64_t images = 0;
  std::uint64_t failures = 0;
  std::uint64_t pages = 0;
  std::uint64_t pages_known = 0;    ///< of these, needed no request
  std::uint64_t pages_snooped = 0;  ///< of those known, were overheard
  std::uint64_t restores = 0;
};

/// What the newest image took.
struct ImageTimes {
  Duration begun_to_end;  ///< until every page was here
  Duration begun_to_durable;
};

template <class Node, BlockStore Device, CheckpointPolicy Policy>
class PageServer {
 public:
  /// All outlive the PageServer. The store is open.
  PageServer(Node& node, ImageStore<Device>& store, Policy policy = {})
      : node_(node), store_(store), policy_(policy) {
    node.set_image_sink({[](void* self, const ImageEvent& event) noexcept {
                           static_cast<PageServer*>(self)->on(event);
                         },
                         this});
  }
  ~PageServer() { node_.set_image_sink({}); }
  PageServer(const PageServer&) = delete;
  PageServer& operator=(const PageServer&) = delete;

  /// Goes on with the cluster of this store in the next epoch, which begins when the leases that
  /// the former PageServer gave have run out, four of them later: with its members who are still
  /// there and without a loss, or, where they lack pages or are none, from the newest image.
  /// Returns words if that is not possible.
  std::string resume();

  /// The node has founded the cluster, or has joined one that this store knows nothing of.
  std::string start();

  /// The others may have gone on without this PageServer (`leave`): then the node joins them again,
  /// if they are there, and `rejoin` follows in place of `resume`.
  bool has_left() const noexcept { return store_.identity().parting != Parting::kNone; }
  /// Before the node joins them: notes that it does, and says as what, for `Node::rejoin`. Returns
  /// words if that cannot be written.
  std::string prepare_rejoin(event::StoredCluster& stored);
  std::string rejoin();

  /// Leaves in an orderly way; nothing but the destructors follows. Who goes on is found again: the
  /// store knows of it. Returns words if that cannot be written.
  std::string leave(Instant until);

  /// Goes on with what has finished, and begins the next image when it is due.
  void tick();

  /// Takes an image as soon as possible, whatever the policy says.
  void order() noexcept { ordered_ = true; }

  bool busy() const noexcept { return taking_; }
  const PageServerCounters& counters() const noexcept { return counters_; }
  const ImageTimes& times() const noexcept { return times_; }
  /// Why the last image came to nothing; empty if it did not.
  const std::string& trouble() const noexcept { return trouble_; }
  /// What the image that is wanted or being taken waits for, for who finds that it takes long.
  std::string waits_for() const;
  const ImageStore<Device>& store() const noexcept { return store_; }

 private:
  /// A disk that cannot give an image back after so many tries is broken.
  static constexpr unsigned kDiskTries = 64;

  void on(const ImageEvent& event) noexcept;
  std::string set_identity(const Identity& identity) {
    return node_.undisturbed([&] { return store_.set_identity(identity); });
  }
  void work();
  void restore(const ImageEvent& event);
  std::string read_into(const ImageEvent& event);
  void end_image(bool durable);
  void finish_image();
  void note_epoch(Epoch epoch);
  std::string note_parting(Parting parting);
  event::StoredCluster stored_cluster() const;
  void begin_if_due();
  CheckpointSituation situation() const;

  Node& node_;
  ImageStore<Device>& store_;
  const Policy policy_;
  PageServerCounters counters_;
  ImageTimes times_;
  std::string trouble_;
  bool taking_ = false;
  bool returning_ = false;  ///< to a cluster that it had left
  bool ordered_ = false;
  bool finishing_ = false;  ///< every page is here
  ImageEntry about_;
  std::uint32_t failures_ = 0;  ///< in a row
  Instant begun_at_;
  Instant last_at_;
  Instant last_commit_at_;
  CommitTime last_seen_;
};

/// Why an image came to nothing, in words.
std::string words_for(ImageFailure failure);

/// Never 0.
inline std::uint32_t hash_of(const Endpoint& endpoint) noexcept {
  return crc32c(std::as_bytes(std::span{endpoint.bytes})) | 1;
}

template <class Node, BlockStore Device, CheckpointPolicy Policy>
event::StoredCluster PageServer<Node, Device, Policy>::stored_cluster() const {
  const auto& identity = store_.identity();
  event::StoredCluster cluster;
  cluster.silent_since = node_.now();
  cluster.epoch = identity.epoch_limit - 1;
  cluster.cluster = identity.cluster;
  cluster.self = identity.node;
  cluster.incarnation = identity.incarnation;
  if (const auto* newest = store_.newest(); newest != nullptr) {
    cluster.time = newest->commit_time();
    cluster.high_water = newest->high_water;
  }
  return cluster;
}

template <class Node, BlockStore Device, CheckpointPolicy Policy>
std::string PageServer<Node, Device, Policy>::resume() {
  auto identity = store_.identity();
  auto cluster = stored_cluster();
  returning_ = false;
  // Where we were nobody is any more, and some members may go on for a while because of that.
  const auto endpoint = hash_of(node_.local_endpoint());
  if (identity.endpoint != 0 && identity.endpoint != endpoint) {
    cluster.silent_since = cluster.silent_since + node_.protocol().core().config.absence;
  }
  identity.parting = Parting::kNone;
  // Now is the time to notice that the disk cannot be written.
  if (auto words = set_identity(identity); !words.empty()) return words;
  trouble_.clear();
  node_.load_image(cluster.time);
  if (!trouble_.empty()) return trouble_;
  node_.resume(cluster);
  last_at_ = last_commit_at_ = node_.now();
  last_seen_ = node_.commit_time();
  return trouble_;
}

template <class Node, BlockStore Device, CheckpointPolicy Policy>
std::string PageServer<Node, Device, Policy>::start() {
  const auto& core = node_.protocol().core();
  auto identity = store_.identity();
  identity.cluster = core.cluster;
  identity.incarnation = core.incarnation;
  identity.node = core.self;
  identity.parting = Parting::kNone;
  identity.geometry = core.config.geometry;
  identity.epoch_limit = core.epoch + 1;
  identity.endpoint = hash_of(node_.local_endpoint());
  last_at_ = last_commit_at_ = node_.now();
  return set_identity(identity);
}

template <class Node, BlockStore Device, CheckpointPolicy Policy>
std::string PageServer<Node, Device, Policy>::prepare_rejoin(event::StoredCluster& stored) {
  auto identity = store_.identity();
  if (identity.parting == Parting::kLeft) {
    identity.parting = Parting::kReturning;
    identity.incarnation = node_.protocol().core().incarnation;
    if (auto words = set_identity(identity); !words.empty()) return words;
  }
  stored = stored_cluster();
  // As who it was only if it turns out that it is a member still.
  if (identity.parting == Parting::kLeaving || mutated("return_not_noted")) stored.incarnation = 0;
  returning_ = true;
  return {};
}

template <class Node, BlockStore Device, CheckpointPolicy Policy>
std::string PageServer<Node, Device, Policy>::rejoin() {
  const auto& core = node_.protocol().core();
  const auto& identity = store_.identity();
  if (core.cluster != identity.cluster) return "another cluster has its name now";
  // Without a PageServer no epoch begins, so what follows the image is of the image's line.
  if (core.epoch + 1 != identity.epoch_limit) return "another PageServer went on with its cluster";
  return start();
}

template <class Node, BlockStore Device, CheckpointPolicy Policy>
std::string PageServer<Node, Device, Policy>::note_parting(Parting parting) {
  if (mutated("parting_not_noted")) return {};
  return node_.undisturbed([&] {
    store_.abandon();
    auto identity = store_.identity();
    identity.parting = parting;
    return store_.set_identity(identity);
  });
}

template <class Node, BlockStore Device, CheckpointPolicy Policy>
std::string PageServer<Node, Device, Policy>::leave(Instant until) {
  const auto& core = node_.protocol().core();
  if (core.peers == 0) {
    (void)node_.leave(until);
    return {};
  }
  if (auto words = note_parting(Parting::kLeaving); !words.empty()) return words;
  // Who has not come out may be a member still, and comes back as that.
  if (!node_.leave(until)) return {};
  return note_parting(core.peers == 0 ? Parting::kNone : Parting::kLeft);
}

template <class Node, BlockStore Device, CheckpointPolicy Policy>
void PageServer<Node, Device, Policy>::note_epoch(Epoch epoch) {
  auto identity = store_.identity();
  if (epoch < identity.epoch_limit || identity.incarnation == 0) return;
  if (mutated("epoch_not_noted")) return;
  // An image that is under way ends with its epoch.
  store_.abandon();
  identity.epoch_limit = epoch + 1;
  identity.endpoint = hash_of(node_.local_endpoint());
  for (unsigned tries = 0; tries < kDiskTries; ++tries) {
    trouble_ = store_.set_identity(identity);
    if (trouble_.empty()) return;
  }
  // Who came back and did not know of this epoch could take its beginning for undone.
  PLURIX_ASSERT(trouble_.empty());
}

template <class Node, BlockStore Device, CheckpointPolicy Policy>
void PageServer<Node, Device, Policy>::on(const ImageEvent& event) noexcept {
  switch (event.kind) {
    case ImageEventKind::kBegin:
      taking_ = true;
      ordered_ = false;
      begun_at_ = node_.now();
      store_.begin(event.time, event.epoch, event.page);
      break;
    case ImageEventKind::kPage:
      store_.put(event.page, ConstBlock{event.bytes});
      break;
    case ImageEventKind::kEnd: {
      times_.begun_to_end = node_.now() - begun_at_;
      about_ = {};
      about_.pages_known = event.page;
      about_.pages_snooped = event.snooped;
      about_.duration_us = static_cast<std::uint32_t>(times_.begun_to_end.ns / 1000);
      about_.taken_unix_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(
                                 std::chrono::system_clock::now().time_since_epoch())
                                 .count();
      counters_.pages_known += event.page;
      counters_.pages_snooped += event.snooped;
      finishing_ = true;
      if (node_.protocol().imaging().stops_cluster()) finish_image();
      break;
    }
    case ImageEventKind::kGivenUp:
      finishing_ = false;
      store_.abandon();
      if (taking_) ++counters_.failures;
      if (taking_) ++failures_;
      if (taking_) trouble_ = words_for(event.failure);
      taking_ = false;
      last_at_ = node_.now();
      break;
    case ImageEventKind::kEpoch:
      note_epoch(event.epoch);
      break;
    case ImageEventKind::kLetIn:
      // If the disk fails now, `rejoin` tries once more.
      if (returning_) (void)rejoin();
      break;
    case ImageEventKind::kRestore:
      restore(event);
      break;
  }
}

template <class Node, BlockStore Device, CheckpointPolicy Policy>
void PageServer<Node, Device, Policy>::restore(const ImageEvent& event) {
  ++counters_.restores;
  for (unsigned tries = 0; tries < kDiskTries; ++tries) {
    // An image that was given up under way must not come back: what it holds is undone from here.
    trouble_ = store_.settle();
    if (trouble_.empty() && event.time > CommitTime{}) {
      trouble_ = read_into(event);
    }
    if (trouble_.empty()) return;
  }
  // Half an image is worse than none: this PageServer stops before anybody hears of the new epoch,
  // and another copy of the store is used.
  if (node_.protocol().core().member) PLURIX_ASSERT(trouble_.empty());
}

template <class Node, BlockStore Device, CheckpointPolicy Policy>
std::string PageServer<Node, Device, Policy>::read_into(const ImageEvent& event) {
  const auto* image = store_.find(event.time.value);
  PLURIX_ASSERT(image != nullptr);
  const auto copy = [&event](PageIndex page, ConstBlock block) {
    std::memcpy(event.frames + std::size_t{page} * kPageSize, block.data(), kPageSize);
  };
  const auto is_missing = [&event](PageIndex page) {
    if (page >= event.last_written.size()) return true;
    const auto written = event.last_written[page];
    return written == CommitTime{} || written >= event.time;
  };
  return store_.read_image(*image, copy, is_missing);
}

template <class Node, BlockStore Device, CheckpointPolicy Policy>
void PageServer<Node, Device, Policy>::end_image(bool durable) {
  taking_ = false;
  last_at_ = node_.now();
  times_.begun_to_durable = last_at_ - begun_at_;
  trouble_ = durable ? "" : store_.error();
  failures_ = durable ? 0 : failures_ + 1;
  ++(durable ? counters_.images : counters_.failures);
  if (durable) counters_.pages += store_.newest()->pages_written;
  node_.image_stored(durable);
}

template <class Node, BlockStore Device, CheckpointPolicy Policy>
void PageServer<Node, Device, Policy>::finish_image() {
  finishing_ = false;
  store_.finish(about_);
}

template <class Node, BlockStore Device, CheckpointPolicy Policy>
void PageServer<Node, Device, Policy>::tick() {
  node_.undisturbed([this] { work(); });
}

template <class Node, BlockStore Device, CheckpointPolicy Policy>
void PageServer<Node, Device, Policy>::work() {
  const bool durable = store_.poll();
  // The cleaner reads behind all that is on its way, and a step at a time: nobody shall wait for it
  // together with us.
  if (finishing_ && (store_.quiet() || store_.idle()) && !store_.clean()) finish_image();
  if (taking_ && store_.idle()) end_image(durable);
  node_.hold_image(taking_ && !store_.has_room());
  begin_if_due();
}

template <class Node, BlockStore Device, CheckpointPolicy Policy>
std::string PageServer<Node, Device, Policy>::waits_for() const {
  const auto& core = node_.protocol().core();
  const auto& imaging = node_.protocol().imaging();
  if (!core.in_service()) return "the PageServer is not in service";
  if (!taking_ && imaging.wants_token()) return "the token";
  if (!taking_) return "the next image has not begun";
  if (imaging.missing() > 0) {
    return std::to_string(imaging.missing()) + " pages, " + std::to_string(imaging.asked_for()) +
           " of them asked for";
  }
  return finishing_ ? "the disk, to finish it" : "the disk, to make it durable";
}

template <class Node, BlockStore Device, CheckpointPolicy Policy>
CheckpointSituation PageServer<Node, Device, Policy>::situation() const {
  const auto& core = node_.protocol().core();
  const auto now = node_.now();
  return {.since_last = now - last_at_,
          .quiet = now - last_commit_at_,
          .commits = core.applied - core.durable,
          .asked = ordered_ || core.image_asked || core.wants_image,
          .failures = failures_};
}

template <class Node, BlockStore Device, CheckpointPolicy Policy>
void PageServer<Node, Device, Policy>::begin_if_due() {
  const auto applied = node_.commit_time();
  if (applied != last_seen_) {
    last_seen_ = applied;
    last_commit_at_ = node_.now();
  }
  const auto& protocol = node_.protocol();
  if (taking_ || protocol.imaging().wants_token()) return;
  // Its own record is the newest commit of an image: without another one there is nothing to store.
  const auto now = situation();
  if (!protocol.core().in_service() || applied <= protocol.core().durable) return;
  if (policy_.due(now)) node_.want_image(policy_.stops_cluster(now));
}

}  // namespace plurix::checkpoint
