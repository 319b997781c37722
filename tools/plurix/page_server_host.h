// PageServerHost: the store of a node that keeps images, if it keeps any: opened before the node is
// there, because it says who the node is, and worked on between the node's waits.
#pragma once

#include <plurix/checkpoint/page_server.h>
#include <plurix/checkpoint/policies.h>
#include <plurix/posix/environment_error.h>
#include <plurix/posix/file_block_store.h>
#include <plurix/posix/node_options.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "control.h"
#include "node_settings.h"

namespace plurix::tool {

/// The policy of the command line.
struct ChosenPolicy : checkpoint::Schedule {
  bool stop = false;
  bool stops_cluster(const CheckpointSituation& situation) const noexcept {
    return stop || checkpoint::Asynchronous{*this}.stops_cluster(situation);
  }
};
static_assert(CheckpointPolicy<ChosenPolicy>);

class OpenStore {
 public:
  using Store = checkpoint::ImageStore<posix::FileBlockStore>;

  /// Opens the store of the settings, if they name one. Throws EnvironmentError.
  explicit OpenStore(const NodeSettings& settings) {
    if (settings.store.empty()) return;
    const auto compression = checkpoint::zstd(settings.zstd_level);
    if (settings.zstd_level > 0 && !compression.packs()) {
      throw posix::EnvironmentError("Images cannot be compressed",
                                    "this program was built without zstd",
                                    "Leave --zstd out, or build it with libzstd-dev.");
    }
    const auto path = posix::store_file_in(settings.store, posix::FileAccess::kReadWrite);
    device_.emplace(path);
    store_.emplace(*device_, checkpoint::StoreOptions{.keep_images = settings.keep_images,
                                                      .max_bytes = settings.store_bytes,
                                                      .compression = compression});
    const checkpoint::Identity nobody;
    if (const auto words = store_->open(&nobody); !words.empty()) {
      throw posix::EnvironmentError("The store " + path + " cannot be used", words,
                                    "Nothing was changed.");
    }
  }

  explicit operator bool() const noexcept { return store_.has_value(); }
  Store& operator*() noexcept { return *store_; }
  const posix::FileBlockStore& device() const noexcept { return *device_; }

  /// A cluster goes on from this store.
  bool was_used() const noexcept { return store_ && store_->identity().incarnation != 0; }

  /// What the store says about the node.
  posix::NodeOptions options(posix::NodeOptions options) const {
    if (!store_) return options;
    options.page_server = true;
    if (!was_used()) return options;
    options.found = posix::Founding::kLater;
    options.heap_bytes = store_->identity().geometry.bytes();
    return options;
  }

 private:
  std::optional<posix::FileBlockStore> device_;
  std::optional<Store> store_;
};

template <class Node>
class PageServerHost {
 public:
  /// Throws EnvironmentError.
  PageServerHost(Node& node, OpenStore& store, const NodeSettings& settings)
      : node_(node), command_(settings.command) {
    if (!store) return;
    ChosenPolicy policy;
    policy.interval = {static_cast<std::int64_t>(settings.image_seconds * 1e9)};
    policy.idle = std::min(policy.interval, milliseconds(100));
    policy.stop = settings.stop_for_images;
    server_.emplace(node, *store, policy);
    if (!store.was_used()) {
      demand(server_->start(), "The store cannot be written", "Nothing was changed.");
    } else if (server_->has_left() && found_those_left(*store)) {
      demand(server_->rejoin(), "The store cannot be used with the cluster that is there",
             "Use an empty directory, or stop that cluster to go on from this store.");
    } else {
      demand(server_->resume(), "The newest image cannot be used",
             "Take another one with `plurix checkpoint restore`.");
    }
  }

  /// Leaves the cluster, so that it is found again if it goes on.
  void leave() {
    if (!server_) return;
    const auto words = server_->leave(node_.leave_deadline());
    if (!words.empty()) {
      std::fprintf(stderr, "plurix %s: the store does not know that others go on: %s\n", command_,
                   words.c_str());
    }
  }

  /// To be called often.
  void tick() {
    if (!server_) return;
    server_->tick();
    if (server_->trouble() == told_) return;
    told_ = server_->trouble();
    if (!told_.empty()) std::fprintf(stderr, "plurix %s: no image: %s\n", command_, told_.c_str());
  }

  /// Takes an image and waits until it is durable; false if that took longer than `patience`.
  bool take_now(Duration patience) {
    if (!server_) return false;
    const auto before = server_->counters().images;
    const auto until = node_.now() + patience;
    server_->order();
    while (server_->counters().images == before && node_.now() < until && !node_.stopped()) {
      node_.serve(node_.now() + microseconds(200));
      tick();
      if (!server_->busy() && node_.commit_time() <= node_.protocol().core().durable) break;
    }
    const bool stored = node_.commit_time() <= node_.protocol().core().durable ||
                        server_->counters().images != before;
    if (!stored) {
      std::fprintf(stderr, "plurix %s: no image yet: it waits for %s\n", command_,
                   server_->waits_for().c_str());
    }
    return stored;
  }

  bool exists() const noexcept { return server_.has_value(); }

  nlohmann::ordered_json to_json() const {
    if (!server_) return nlohmann::ordered_json::object();
    const auto& counters = server_->counters();
    return {{"images", counters.images},
            {"failures", counters.failures},
            {"pages", counters.pages},
            {"pages_known", counters.pages_known},
            {"pages_snooped", counters.pages_snooped},
            {"restores", counters.restores},
            {"durable", node_.protocol().core().durable.value},
            {"last_ms", static_cast<double>(server_->times().begun_to_durable.ns) / 1e6}};
  }

 private:
  static constexpr Duration kSilence = milliseconds(2'000);

  static void demand(const std::string& words, const char* what, const char* advice) {
    if (!words.empty()) throw posix::EnvironmentError(what, words, advice);
  }

  /// Whether those are there, and have this node as a member again, who went on when it left.
  bool found_those_left(const typename OpenStore::Store& store) {
    const bool left = store.identity().parting != checkpoint::Parting::kLeaving;
    const auto newest = store.newest() == nullptr ? 0 : store.newest()->time;
    event::StoredCluster stored;
    demand(server_->prepare_rejoin(stored), "The store cannot be written", "Nothing was changed.");
    if (node_.rejoin(stored, kSilence)) return true;
    demand(left && node_.has_page_server() ? "the cluster has another PageServer" : "",
           "The store cannot be used", "Stop that one first.");
    if (left) {
      std::fprintf(stderr,
                   "plurix %s: nobody answers of those who went on when this PageServer left; "
                   "going on from its image of commit time %llu\n",
                   command_, static_cast<unsigned long long>(newest));
    }
    return false;
  }

  Node& node_;
  const char* command_;
  std::optional<checkpoint::PageServer<Node, posix::FileBlockStore, ChosenPolicy>> server_;
  std::string told_;
};

}  // namespace plurix::tool
