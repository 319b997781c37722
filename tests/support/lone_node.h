// A node without a network on plain memory: the quickest way to run transactions.
#pragma once

#include <plurix/commit/first_wins.h>
#include <plurix/heap/verify.h>
#include <plurix/node.h>

#include <cstddef>
#include <sstream>
#include <string>
#include <vector>

namespace plurix::testing {

class PlainMemory {
 public:
  explicit PlainMemory(const HeapGeometry& geometry)
      : bytes_(geometry.bytes() + kPageSize), aligned_(align(bytes_.data())) {}

  std::byte* view() const noexcept { return aligned_; }
  std::byte* frames() const noexcept { return aligned_; }
  void protect(PageIndex, std::uint32_t, Rights) noexcept {}
  bool traps() const noexcept { return false; }
  void on_fault(FaultHandler) noexcept {}

 private:
  static std::byte* align(std::byte* bytes) noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(bytes);
    return bytes + (kPageSize - address % kPageSize) % kPageSize;
  }

  std::vector<std::byte> bytes_;
  std::byte* aligned_;
};
static_assert(FaultSource<PlainMemory>);

struct NoNetwork {
  void send(NodeId, Bytes, Bytes) noexcept {}
  void broadcast(Bytes, Bytes) noexcept {}
  void send_to(const Endpoint&, Bytes, Bytes) noexcept {}
  void set_peer(NodeId, const Endpoint&) noexcept {}
  void remove_peer(NodeId) noexcept {}
  std::size_t poll(FrameSink) noexcept { return 0; }
  void wait(Instant) noexcept {}
  Endpoint local_endpoint() const noexcept { return {}; }
};
static_assert(Transport<NoNetwork>);

struct Ticks {
  mutable std::int64_t readings = 0;
  Instant now() const noexcept { return {++readings}; }
};
static_assert(Clock<Ticks>);

/// `LoneNode node(64); node->run(...)`: a heap of 64 pages; a transaction may write all of them, or
/// `shadow_pages`.
class LoneNode {
 public:
  using NodeType = Node<PlainMemory, NoNetwork, FirstWins, Ticks>;

  explicit LoneNode(std::uint32_t pages = 256) : LoneNode(pages, pages) {}
  LoneNode(std::uint32_t pages, std::uint32_t shadow_pages, std::uint32_t restart_every = 0)
      : config_(config_for(pages, shadow_pages, restart_every)),
        memory_(config_.core.geometry),
        storage_(ProtocolCore::storage_needed(config_.core)),
        node_(config_, memory_, network_, clock_, trace_, storage_) {
    node_.found();
  }

  NodeType* operator->() noexcept { return &node_; }
  NodeType& node() noexcept { return node_; }
  std::byte* frames() noexcept { return memory_.frames(); }

  HeapReport verify() {
    return node_.run([](Transaction& t) { return verify_heap(t); });
  }

 private:
  static NodeConfig config_for(std::uint32_t pages, std::uint32_t shadow_pages,
                               std::uint32_t restart_every) {
    NodeConfig config;
    config.restart_every = restart_every;
    config.core.geometry.pages = pages;
    config.core.shadow_pages = shadow_pages;
    return config;
  }

  const NodeConfig config_;
  PlainMemory memory_;
  NoNetwork network_;
  Ticks clock_;
  NullTraceSink trace_;
  std::vector<std::byte> storage_;
  NodeType node_;
};

/// Empty if the heap is sound, else what is wrong.
inline std::string to_words(const HeapReport& report) {
  std::ostringstream words;
  for (const auto& finding : report.findings) {
    words << finding.what << " at " << std::hex << finding.at << ", " << finding.other << std::dec
          << '\n';
  }
  if (report.wrong > report.findings.size()) words << "… and more, " << report.wrong << " in all\n";
  return words.str();
}

}  // namespace plurix::testing
