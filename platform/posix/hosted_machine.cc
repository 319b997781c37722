#include <plurix/base/cluster_name.h>
#include <plurix/posix/environment_error.h>
#include <plurix/posix/hosted_machine.h>
#include <plurix/posix/panic.h>

#include <sys/mman.h>
#include <sys/random.h>
#include <cerrno>

namespace plurix::posix {
namespace {

// 0 stands for "nobody" on the wire.
std::uint32_t draw_incarnation() {
  std::uint32_t number = 0;
  while (number == 0) {
    if (::getrandom(&number, sizeof number, 0) != sizeof number) {
      throw EnvironmentError("no random number for this node", describe_errno(errno),
                             "Permit getrandom");
    }
  }
  return number;
}

std::uint32_t pages_for(std::uint64_t bytes) {
  const auto pages = bytes / kPageSize + (bytes % kPageSize != 0 ? 1 : 0);
  if (pages <= kFormattedPages || pages > 0x7fff'ffff) {
    throw std::invalid_argument(
        "heap_bytes is " + std::to_string(bytes) + "; a heap has at least " +
        format_bytes((kFormattedPages + 1) * kPageSize) + " and less than 8 TiB");
  }
  return static_cast<std::uint32_t>(pages);
}

NodeConfig config_for(const NodeOptions& options) {
  NodeConfig config;
  config.core.geometry.pages = pages_for(options.heap_bytes);
  config.core.shadow_pages = std::min(options.shadow_pages, config.core.geometry.pages);
  config.core.cluster_name_hash = cluster_name_hash(options.cluster);
  config.core.incarnation = draw_incarnation();
  config.core.pre_images = options.pre_images;
  config.core.page_server = options.page_server;
  config.restart_every = options.restart_every;
  return config;
}

const NodeOptions& checked(const NodeOptions& options) {
  if (options.cluster.empty()) throw std::invalid_argument("a cluster needs a name");
  if (options.shadow_pages == 0) throw std::invalid_argument("shadow_pages is 0");
  const auto most = wire::kMaxPackets * CoreConfig{}.words_per_packet;
  if (std::min(options.shadow_pages, pages_for(options.heap_bytes)) > most) {
    throw std::invalid_argument("shadow_pages is " + std::to_string(options.shadow_pages) +
                                "; a transaction writes at most " + std::to_string(most) +
                                " pages");
  }
  return options;
}

std::string words_for_geometry(const HeapGeometry& own, const HeapGeometry& theirs) {
  if (own.pages != theirs.pages) {
    return "its heap has " + format_bytes(theirs.bytes()) + ", this node was started with " +
           format_bytes(own.bytes()) + "; set heap_bytes to " + std::to_string(theirs.bytes()) +
           " (plurix node --heap " + std::to_string(theirs.bytes()) + ")";
  }
  if (own.base != theirs.base) return "its heap stands at another address";
  return "its heap has format " + std::to_string(theirs.format) + ", this node's program format " +
         std::to_string(own.format) + "; update the older one";
}

}  // namespace

std::uint64_t cluster_name_hash(const std::string& cluster) noexcept {
  return hash_cluster_name(cluster);
}

std::string format_bytes(std::uint64_t bytes) {
  static constexpr const char* kUnits[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && bytes % 1024 == 0 && unit + 1 < std::size(kUnits)) {
    bytes /= 1024;
    ++unit;
  }
  return std::to_string(bytes) + " " + kUnits[unit];
}

ZeroedMemory::ZeroedMemory(std::size_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    throw EnvironmentError("no memory for the protocol's tables", describe_errno(errno),
                           "Choose a smaller heap or fewer shadow pages");
  }
  bytes_ = {static_cast<std::byte*>(memory), bytes};
}

ZeroedMemory::~ZeroedMemory() { ::munmap(bytes_.data(), bytes_.size()); }

HostedMachine::HostedMachine(const NodeOptions& asked)
    : options(checked(asked)),
      config(config_for(options)),
      region_(config.core.geometry, region_kind_for(options.fault_source)),
      faults(region_, options.fault_source),
      storage(ProtocolCore::storage_needed(config.core)) {
  if (panic_handler() == nullptr) set_panic_handler(&print_and_abort);
}

sigset_t HostedMachine::sleep_mask() const {
  sigset_t mask;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  ::sigaddset(&mask, DatagramInterrupt::tick_signal());
  return mask;
}

namespace {

std::string words_for(JoinProgress progress) {
  switch (progress) {
    case JoinProgress::kNobodyAnswers:
      return "nobody answered; start its first node, or check name, address and firewall";
    case JoinProgress::kToldToWait:
      return "who answered waits too, for the PageServer as a rule; start it again";
    case JoinProgress::kAnswered:
      return "it answered, but is too busy or loses too much; try again";
    case JoinProgress::kLetIn:
      break;
  }
  return "it was let in, but not brought up to date; try again";
}

}  // namespace

void HostedMachine::report_failed_join(const Membership& membership, JoinProgress progress,
                                       const std::string& asked) const {
  const auto who = "the cluster \"" + options.cluster + "\"";
  if (membership.refused()) {
    const auto& refusal = membership.refusal();
    if (refusal.reason == wire::RefusalReason::kFull) {
      throw JoinRefused(who + " has " + std::to_string(kMaxNodes) +
                        " nodes, the most there can be");
    }
    if (refusal.reason == wire::RefusalReason::kPageServer) {
      throw JoinRefused(who + " has a PageServer already; start this node without being one");
    }
    const auto& own = config.core.geometry;
    const auto& theirs = refusal.geometry;
    throw JoinRefused(who + " does not take this node: " + words_for_geometry(own, theirs),
                      own.pages != theirs.pages ? theirs.bytes() : 0);
  }
  throw NotReachable("no node of " + who + " let this one in within " +
                     std::to_string(options.join_timeout.ns / 1'000'000) + " ms (asked: " + asked +
                     "): " + words_for(progress));
}

}  // namespace plurix::posix
