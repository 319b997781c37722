// What a hosted node may be told when it starts, and what it throws when no cluster takes it in.
#pragma once

#include <plurix/base/page.h>
#include <plurix/base/time.h>
#include <plurix/posix/hosted_fault_source.h>
#include <plurix/udp/udp_transport.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace plurix::posix {

/// Whether a node may found the cluster it is to join.
enum class Founding : std::uint8_t {
  kAuto,    ///< joins; founds when nobody answers
  kAlways,  ///< founds at once, without asking: the name must not be in use
  kNever,   ///< joins or fails
  kLater,   ///< neither: the caller goes on with a stored cluster (`resume`, `rejoin`)
};

struct NodeOptions {
  /// Nodes of one name share one heap. The name also fixes where they look for each other.
  std::string cluster = "plurix";

  /// "address:port" of this node, as the others reach it; numeric IPv4. Port 0: the kernel chooses.
  /// Without a port: the first free one of the cluster's 32 (see cluster_ports). Empty: the same on
  /// 127.0.0.1.
  std::string bind = {};

  /// Where to ask for the cluster, "address:port" each. Empty: the cluster's ports on the address
  /// of `bind`.
  std::vector<std::string> seeds = {};

  /// Where the Ethernet segment is, if the node's link is one (segment_link.h): "hub:PATH" or
  /// "interface:NAME".
  std::string segment = {};

  Founding found = Founding::kAuto;

  /// Rounded up to pages; equal on all nodes of a cluster.
  std::uint64_t heap_bytes = std::uint64_t{64} << 20;

  FaultSourceKind fault_source = FaultSourceKind::kAuto;
  udp::ReceiveKind receive = udp::ReceiveKind::kAuto;

  /// Largest write set of a transaction, in pages.
  std::uint32_t shadow_pages = 4096;

  /// Every n-th transaction runs twice before it may commit, to flush out bodies with side effects;
  /// 0: never.
  std::uint32_t restart_every = 0;

  /// This node watches the others, and when one dies it opens a new epoch without it. One node of a
  /// cluster may; without any, the pages of a node that dies, and perhaps the token, are lost.
  bool page_server = false;

  /// Pages kept as they were while an image is taken: the memory is used only then.
  std::uint32_t pre_images = 1024;

  /// This node frees what nothing leads to any more, in transactions of its own between those of
  /// the program and while it serves. What is unlinked by a node that does not collect stays until
  /// that node has left. Not for a PageServer: a step cannot end while the cluster is stopped for
  /// an image.
  bool collect = true;

  Duration join_timeout = milliseconds(10'000);

  /// How long the destructor tries to hand over what this node owns. 0: it just goes, as in a
  /// crash.
  Duration leave_timeout = milliseconds(2'000);
};

/// Nobody answered, or nobody let this node in, in time. The words say who was asked.
class NotReachable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The cluster refused this node. The words say why and which option to change.
class JoinRefused : public std::runtime_error {
 public:
  explicit JoinRefused(const std::string& words, std::uint64_t heap_bytes = 0)
      : std::runtime_error(words), heap_bytes_(heap_bytes) {}

  /// Size of the cluster's heap, if this node was started with another; else 0.
  std::uint64_t heap_bytes() const noexcept { return heap_bytes_; }

 private:
  std::uint64_t heap_bytes_;
};

/// The first of the kClusterPorts ports where nodes of this name look for each other.
inline constexpr std::uint16_t kClusterPorts = 32;
std::uint16_t first_cluster_port(const std::string& cluster) noexcept;

/// Equal names, equal hashes, on every machine.
std::uint64_t cluster_name_hash(const std::string& cluster) noexcept;

/// "64 MiB", "12 KiB", "100 bytes".
std::string format_bytes(std::uint64_t bytes);

}  // namespace plurix::posix
