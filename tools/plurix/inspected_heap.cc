#include "inspected_heap.h"

#include <plurix/checkpoint/image_store.h>
#include <plurix/heap/layout.h>
#include <plurix/posix/file_block_store.h>

#include <sys/mman.h>
#include <cstring>
#include <new>

#include "stop_signals.h"

namespace plurix::tool {
namespace {

std::unique_ptr<posix::Node> join_with(posix::NodeOptions options, std::uint64_t heap_bytes) {
  options.heap_bytes = heap_bytes;
  options.collect = false;  // it only looks
  return std::make_unique<posix::Node>(options);
}

/// The heap's size is the cluster's: it is told to whoever comes with another.
std::unique_ptr<posix::Node> join(const posix::NodeOptions& options) {
  try {
    return join_with(options, options.heap_bytes);
  } catch (const posix::JoinRefused& refusal) {
    if (refusal.heap_bytes() == 0) throw;
    return join_with(options, refusal.heap_bytes());
  }
}

class LiveHeap final : public InspectedHeap {
 public:
  explicit LiveHeap(const posix::NodeOptions& options) : node_(join(options)) {}

  std::uint64_t bytes() const override { return node_->options().heap_bytes; }
  Json about() const override {
    return {{"cluster", node_->options().cluster},
            {"commit_time", node_->commit_time().value},
            {"other_nodes", node_->protocol().core().peers}};
  }
  std::string words() const override {
    return "cluster \"" + node_->options().cluster + "\", commit time " +
           std::to_string(node_->commit_time().value);
  }

 private:
  void run(Freshness freshness, const std::function<void(Transaction&)>& look) override {
    const auto outcome = node_->read_only(freshness, [&](Transaction& t) { look(t); });
    if (!outcome.committed()) throw InspectFailure(outcome.reason);
  }

  std::unique_ptr<posix::Node> node_;
  const StopSignals signals_{[](void* self) { static_cast<posix::Node*>(self)->stop(); },
                             node_.get()};
};

/// Memory of zeroes that is taken only where it is written.
class Frames {
 public:
  explicit Frames(std::uint64_t bytes) : bytes_(bytes) {
    memory_ = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory_ == MAP_FAILED) throw std::bad_alloc();
  }
  ~Frames() { ::munmap(memory_, bytes_); }
  Frames(const Frames&) = delete;
  Frames& operator=(const Frames&) = delete;

  std::byte* data() const noexcept { return static_cast<std::byte*>(memory_); }
  std::span<const std::byte> bytes() const noexcept { return {data(), bytes_}; }

 private:
  void* memory_;
  const std::uint64_t bytes_;
};

class StoredHeap final : public InspectedHeap {
 public:
  using Store = checkpoint::ImageStore<posix::FileBlockStore>;

  StoredHeap(Store& store, const checkpoint::ImageEntry& image)
      : entry_(image),
        frames_(store.identity().geometry.bytes()),
        stamps_(HeapImage::stamps_needed(frames_.bytes().size() / kPageSize)) {
    format_heap(frames_.data(), store.identity().geometry);
    const auto words = store.read_image(image, [&](PageIndex page, checkpoint::ConstBlock block) {
      std::memcpy(frames_.data() + std::size_t{page} * kPageSize, block.data(), kPageSize);
    });
    if (!words.empty()) throw InspectFailure(words);
    image_.emplace(frames_.bytes(), stamps_);
  }

  std::uint64_t bytes() const override { return frames_.bytes().size(); }
  Json about() const override {
    return {{"commit_time", entry_.time},
            {"epoch", entry_.epoch},
            {"taken_unix_ns", entry_.taken_unix_ns}};
  }
  std::string words() const override {
    return "image of commit time " + std::to_string(entry_.time) + " of epoch " +
           std::to_string(entry_.epoch);
  }

 private:
  void run(Freshness, const std::function<void(Transaction&)>& look) override {
    look(image_->transaction());
  }

  const checkpoint::ImageEntry entry_;
  const Frames frames_;
  std::vector<std::uint64_t> stamps_;
  std::optional<HeapImage> image_;
};

}  // namespace

std::unique_ptr<InspectedHeap> join_heap(posix::NodeOptions options) {
  return std::make_unique<LiveHeap>(options);
}

std::unique_ptr<InspectedHeap> open_image(const std::string& directory, std::uint64_t time) {
  const auto access = posix::FileAccess::kReadOnly;
  posix::FileBlockStore device(posix::store_file_in(directory, access), access);
  StoredHeap::Store store(device);
  if (const auto words = store.open(); !words.empty()) throw InspectFailure(words);
  const auto* image = time == 0 ? store.newest() : store.find(time);
  if (image == nullptr) {
    throw InspectFailure(time == 0 ? "there is no image yet"
                                   : "there is no image of commit time " + std::to_string(time) +
                                         "; `plurix checkpoint list` shows those there are");
  }
  return std::make_unique<StoredHeap>(store, *image);
}

}  // namespace plurix::tool
