#include <plurix/ethernet/address_text.h>
#include <plurix/posix/segment_link.h>

#include <sys/random.h>

namespace plurix::posix {
namespace {

ethernet::MacAddress parse(const std::string& what, const std::string& text) {
  const auto address = ethernet::parse_mac(text);
  if (!address) {
    throw std::invalid_argument(what + " \"" + text +
                                "\" is no address on a segment; write it as 02:50:4c:00:00:01");
  }
  return *address;
}

}  // namespace

std::unique_ptr<segment::SegmentTransport> SegmentLink::open(const NodeOptions& options) {
  std::uint32_t session = 0;
  (void)!::getrandom(&session, sizeof session, 0);
  const auto own = options.bind.empty() ? ethernet::MacAddress{} : parse("bind", options.bind);
  return std::make_unique<Net>(segment::SegmentOptions{.place = options.segment, .address = own},
                               session);
}

std::vector<Endpoint> SegmentLink::seeds(const NodeOptions& options) {
  std::vector<Endpoint> seeds;
  for (const auto& text : options.seeds) {
    seeds.push_back(ethernet::make_endpoint(parse("the seed", text)));
  }
  if (seeds.empty()) seeds.push_back(ethernet::make_endpoint(ethernet::kBroadcast));
  return seeds;
}

std::string SegmentLink::asked(const NodeOptions& options) {
  std::string asked;
  for (const auto& seed : options.seeds) asked += (asked.empty() ? "" : ", ") + seed;
  return asked.empty() ? "everybody on the segment " + options.segment : asked;
}

std::string SegmentLink::to_text(const Endpoint& endpoint) {
  ethernet::MacAddress address;
  return ethernet::to_mac(endpoint, address) ? ethernet::to_text(address) : "nowhere";
}

}  // namespace plurix::posix
