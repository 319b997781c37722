// docs/protocol.md against the code: the message numbers, the layout of every struct, the limits,
// and the worked example, byte for byte. Each frame of the example is compared twice: with one
// built from the documented fields, and with the one that two nodes really send.
#include <plurix/commit/first_wins.h>
#include <plurix/dsm/protocol.h>
#include <plurix/heap/layout.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <deque>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace plurix {
namespace {

using wire::MessageType;
using Frame = std::vector<std::byte>;

// ---- the document

std::vector<std::string> document() {
  std::ifstream file(std::string(PLURIX_TEST_DATA) + "/../../docs/protocol.md");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

struct Field {
  std::string name;
  std::size_t offset;
  std::size_t size;

  friend bool operator==(const Field&, const Field&) = default;
};

std::ostream& operator<<(std::ostream& out, const Field& field) {
  return out << "| " << field.offset << " | " << field.size << " | `" << field.name << "` |";
}

struct Layout {
  std::size_t bytes = 0;
  std::vector<Field> fields;
};

/// Under a heading "#### `Name`, N bytes": rows "| offset | bytes | `field` | …".
std::map<std::string, Layout> documented_layouts() {
  static const std::regex heading("#### `(\\w+)`, (\\d+) bytes.*");
  static const std::regex row("\\| (\\d+) \\| (\\d+) \\| `([\\w.]+)` \\|.*");
  std::map<std::string, Layout> layouts;
  Layout* current = nullptr;
  for (const auto& line : document()) {
    std::smatch match;
    if (std::regex_match(line, match, heading)) {
      current = &layouts[match[1]];
      current->bytes = std::stoul(match[2]);
    } else if (line.starts_with("#")) {
      current = nullptr;
    } else if (current != nullptr && std::regex_match(line, match, row)) {
      current->fields.push_back({match[3], std::stoul(match[1]), std::stoul(match[2])});
    }
  }
  return layouts;
}

/// Rows "| number | `Name` | …".
std::map<std::size_t, std::string> documented_messages() {
  static const std::regex row("\\| (\\d+) \\| `(\\w+)` \\|.*");
  std::map<std::size_t, std::string> messages;
  for (const auto& line : document()) {
    std::smatch match;
    if (std::regex_match(line, match, row)) messages[std::stoul(match[1])] = match[2];
  }
  return messages;
}

/// Rows "| `kName` | value …".
std::map<std::string, std::size_t> documented_limits() {
  static const std::regex row("\\| `(\\w+)` \\| ([\\d ]+)\\b.*");
  std::map<std::string, std::size_t> limits;
  for (const auto& line : document()) {
    std::smatch match;
    if (!std::regex_match(line, match, row)) continue;
    auto digits = match[2].str();
    std::erase(digits, ' ');
    limits[match[1]] = std::stoul(digits);
  }
  return limits;
}

/// Blocks "```hex Name": lines "offset  bytes | words".
std::map<std::string, Frame> documented_frames() {
  std::map<std::string, Frame> frames;
  Frame* current = nullptr;
  for (const auto& line : document()) {
    if (line.starts_with("```hex ")) {
      current = &frames[line.substr(7)];
    } else if (line.starts_with("```")) {
      current = nullptr;
    } else if (current != nullptr) {
      std::istringstream words(line.substr(0, line.find('|')));
      std::size_t offset = 0;
      words >> std::hex >> offset;
      EXPECT_EQ(offset, current->size()) << line;
      for (unsigned byte = 0; words >> std::hex >> byte;) {
        current->push_back(static_cast<std::byte>(byte));
      }
    }
  }
  return frames;
}

// ---- the code

#define PLURIX_FIELD(Struct, member) \
  Field { #member, offsetof(Struct, member), sizeof(Struct::member) }

std::map<std::string, Layout> real_layouts() {
  using namespace wire;
  return {
      {"FrameHeader",
       {sizeof(FrameHeader),
        {PLURIX_FIELD(FrameHeader, crc32c), PLURIX_FIELD(FrameHeader, magic),
         PLURIX_FIELD(FrameHeader, version), PLURIX_FIELD(FrameHeader, type),
         PLURIX_FIELD(FrameHeader, body_bytes), PLURIX_FIELD(FrameHeader, epoch),
         PLURIX_FIELD(FrameHeader, cluster), PLURIX_FIELD(FrameHeader, commit_time),
         PLURIX_FIELD(FrameHeader, sender), PLURIX_FIELD(FrameHeader, receiver),
         PLURIX_FIELD(FrameHeader, incarnation), PLURIX_FIELD(FrameHeader, receiver_incarnation),
         PLURIX_FIELD(FrameHeader, auth_key_id), PLURIX_FIELD(FrameHeader, auth_counter),
         PLURIX_FIELD(FrameHeader, auth_tag)}}},
      {"PageRequest",
       {sizeof(PageRequest),
        {PLURIX_FIELD(PageRequest, page), PLURIX_FIELD(PageRequest, request)}}},
      {"PageReply",
       {sizeof(PageReply),
        {PLURIX_FIELD(PageReply, page), PLURIX_FIELD(PageReply, request),
         PLURIX_FIELD(PageReply, zero), PLURIX_FIELD(PageReply, reserved)}}},
      {"PageRedirect",
       {sizeof(PageRedirect),
        {PLURIX_FIELD(PageRedirect, page), PLURIX_FIELD(PageRedirect, request),
         PLURIX_FIELD(PageRedirect, owner), PLURIX_FIELD(PageRedirect, reserved)}}},
      {"TokenRequest",
       {sizeof(TokenRequest),
        {PLURIX_FIELD(TokenRequest, node), PLURIX_FIELD(TokenRequest, hops),
         PLURIX_FIELD(TokenRequest, collisions), PLURIX_FIELD(TokenRequest, number),
         PLURIX_FIELD(TokenRequest, reserved), PLURIX_FIELD(TokenRequest, time)}}},
      {"TokenGrant",
       {sizeof(TokenGrant), {PLURIX_FIELD(TokenGrant, number), PLURIX_FIELD(TokenGrant, waiting)}}},
      {"TokenAck",
       {sizeof(TokenAck), {PLURIX_FIELD(TokenAck, number), PLURIX_FIELD(TokenAck, reserved)}}},
      {"RecordHeader",
       {sizeof(RecordHeader),
        {PLURIX_FIELD(RecordHeader, time), PLURIX_FIELD(RecordHeader, writer),
         PLURIX_FIELD(RecordHeader, index), PLURIX_FIELD(RecordHeader, count),
         PLURIX_FIELD(RecordHeader, kind), PLURIX_FIELD(RecordHeader, reserved),
         PLURIX_FIELD(RecordHeader, words), PLURIX_FIELD(RecordHeader, reserved2)}}},
      {"CatchUpRequest",
       {sizeof(CatchUpRequest),
        {PLURIX_FIELD(CatchUpRequest, from), PLURIX_FIELD(CatchUpRequest, to)}}},
      {"LogExhausted", {sizeof(LogExhausted), {PLURIX_FIELD(LogExhausted, oldest)}}},
      {"SyncRequest",
       {sizeof(SyncRequest),
        {PLURIX_FIELD(SyncRequest, since), PLURIX_FIELD(SyncRequest, cursor),
         PLURIX_FIELD(SyncRequest, number)}}},
      {"SyncReply",
       {sizeof(SyncReply),
        {PLURIX_FIELD(SyncReply, since), PLURIX_FIELD(SyncReply, cursor),
         PLURIX_FIELD(SyncReply, next), PLURIX_FIELD(SyncReply, number),
         PLURIX_FIELD(SyncReply, entries), PLURIX_FIELD(SyncReply, high_water),
         PLURIX_FIELD(SyncReply, holder), PLURIX_FIELD(SyncReply, reserved)}}},
      {"SyncEntry",
       {sizeof(SyncEntry),
        {PLURIX_FIELD(SyncEntry, page), PLURIX_FIELD(SyncEntry, owner),
         PLURIX_FIELD(SyncEntry, reserved)}}},
      {"MemberEntry",
       {sizeof(MemberEntry),
        {PLURIX_FIELD(MemberEntry, node), PLURIX_FIELD(MemberEntry, roles),
         PLURIX_FIELD(MemberEntry, incarnation), PLURIX_FIELD(MemberEntry, endpoint)}}},
      {"JoinRequest",
       {sizeof(JoinRequest),
        {PLURIX_FIELD(JoinRequest, base), PLURIX_FIELD(JoinRequest, pages),
         PLURIX_FIELD(JoinRequest, format), PLURIX_FIELD(JoinRequest, page_size),
         PLURIX_FIELD(JoinRequest, incarnation), PLURIX_FIELD(JoinRequest, cookie),
         PLURIX_FIELD(JoinRequest, roles), PLURIX_FIELD(JoinRequest, reserved),
         PLURIX_FIELD(JoinRequest, reserved2)}}},
      {"JoinChallenge",
       {sizeof(JoinChallenge),
        {PLURIX_FIELD(JoinChallenge, incarnation), PLURIX_FIELD(JoinChallenge, reserved),
         PLURIX_FIELD(JoinChallenge, cookie)}}},
      {"JoinGrant",
       {sizeof(JoinGrant),
        {PLURIX_FIELD(JoinGrant, incarnation), PLURIX_FIELD(JoinGrant, node),
         PLURIX_FIELD(JoinGrant, holder), PLURIX_FIELD(JoinGrant, high_water),
         PLURIX_FIELD(JoinGrant, members)}}},
      {"JoinRefused",
       {sizeof(JoinRefused),
        {PLURIX_FIELD(JoinRefused, incarnation), PLURIX_FIELD(JoinRefused, reason),
         PLURIX_FIELD(JoinRefused, base), PLURIX_FIELD(JoinRefused, pages),
         PLURIX_FIELD(JoinRefused, format)}}},
      {"JoinWait",
       {sizeof(JoinWait),
        {PLURIX_FIELD(JoinWait, incarnation), PLURIX_FIELD(JoinWait, cluster_exists)}}},
      {"TimeQuery",
       {sizeof(TimeQuery), {PLURIX_FIELD(TimeQuery, number), PLURIX_FIELD(TimeQuery, reserved)}}},
      {"AdoptRequest",
       {sizeof(AdoptRequest),
        {PLURIX_FIELD(AdoptRequest, count), PLURIX_FIELD(AdoptRequest, reserved)}}},
      {"EpochOpen",
       {sizeof(EpochOpen), {PLURIX_FIELD(EpochOpen, epoch), PLURIX_FIELD(EpochOpen, reserved)}}},
      {"EpochReport",
       {sizeof(EpochReport),
        {PLURIX_FIELD(EpochReport, epoch), PLURIX_FIELD(EpochReport, entered),
         PLURIX_FIELD(EpochReport, applied), PLURIX_FIELD(EpochReport, members),
         PLURIX_FIELD(EpochReport, reserved)}}},
      {"EpochBegin",
       {sizeof(EpochBegin),
        {PLURIX_FIELD(EpochBegin, epoch), PLURIX_FIELD(EpochBegin, reserved),
         PLURIX_FIELD(EpochBegin, start), PLURIX_FIELD(EpochBegin, source),
         PLURIX_FIELD(EpochBegin, rollback), PLURIX_FIELD(EpochBegin, high_water),
         PLURIX_FIELD(EpochBegin, members), PLURIX_FIELD(EpochBegin, reserved2)}}},
      {"EpochQuery",
       {sizeof(EpochQuery),
        {PLURIX_FIELD(EpochQuery, number), PLURIX_FIELD(EpochQuery, wants_image)}}},
      {"EpochLease",
       {sizeof(EpochLease),
        {PLURIX_FIELD(EpochLease, number), PLURIX_FIELD(EpochLease, reserved),
         PLURIX_FIELD(EpochLease, durable)}}},
      {"ImageRequest",
       {sizeof(ImageRequest),
        {PLURIX_FIELD(ImageRequest, time), PLURIX_FIELD(ImageRequest, count),
         PLURIX_FIELD(ImageRequest, reserved)}}},
      {"ImagePage",
       {sizeof(ImagePage),
        {PLURIX_FIELD(ImagePage, time), PLURIX_FIELD(ImagePage, page),
         PLURIX_FIELD(ImagePage, found)}}},
      {"ImageNotice", {sizeof(ImageNotice), {PLURIX_FIELD(ImageNotice, durable)}}},
      {"DeathNotice",
       {sizeof(DeathNotice),
        {PLURIX_FIELD(DeathNotice, node), PLURIX_FIELD(DeathNotice, reserved),
         PLURIX_FIELD(DeathNotice, incarnation)}}},
      {"OrphanCall",
       {sizeof(OrphanCall), {PLURIX_FIELD(OrphanCall, number), PLURIX_FIELD(OrphanCall, count)}}},
      {"OrphanClaim",
       {sizeof(OrphanClaim), {PLURIX_FIELD(OrphanClaim, number), PLURIX_FIELD(OrphanClaim, held)}}},
  };
}

const std::map<MessageType, std::string> kMessages = {
    {MessageType::kPageRequest, "PageRequest"},
    {MessageType::kPageReply, "PageReply"},
    {MessageType::kPageRedirect, "PageRedirect"},
    {MessageType::kTokenRequest, "TokenRequest"},
    {MessageType::kTokenGrant, "TokenGrant"},
    {MessageType::kTokenAck, "TokenAck"},
    {MessageType::kCommitNotice, "CommitNotice"},
    {MessageType::kCatchUpRequest, "CatchUpRequest"},
    {MessageType::kCommitRecords, "CommitRecords"},
    {MessageType::kLogExhausted, "LogExhausted"},
    {MessageType::kSyncRequest, "SyncRequest"},
    {MessageType::kSyncReply, "SyncReply"},
    {MessageType::kJoinRequest, "JoinRequest"},
    {MessageType::kJoinChallenge, "JoinChallenge"},
    {MessageType::kJoinGrant, "JoinGrant"},
    {MessageType::kJoinRefused, "JoinRefused"},
    {MessageType::kJoinWait, "JoinWait"},
    {MessageType::kTimeBeacon, "TimeBeacon"},
    {MessageType::kTimeQuery, "TimeQuery"},
    {MessageType::kTimeReply, "TimeReply"},
    {MessageType::kAdoptRequest, "AdoptRequest"},
    {MessageType::kLeaveRequest, "LeaveRequest"},
    {MessageType::kEpochOpen, "EpochOpen"},
    {MessageType::kEpochReport, "EpochReport"},
    {MessageType::kEpochBegin, "EpochBegin"},
    {MessageType::kEpochQuery, "EpochQuery"},
    {MessageType::kDeathNotice, "DeathNotice"},
    {MessageType::kOrphanCall, "OrphanCall"},
    {MessageType::kOrphanClaim, "OrphanClaim"},
    {MessageType::kEpochLease, "EpochLease"},
    {MessageType::kImageRequest, "ImageRequest"},
    {MessageType::kImagePage, "ImagePage"},
    {MessageType::kImageNotice, "ImageNotice"},
};

std::map<std::string, std::size_t> real_limits() {
  const CoreConfig config;
  return {
      {"kMaxNodes", kMaxNodes},
      {"kMaxFrame", kMaxFrame},
      {"kSmallBody", wire::kSmallBody},
      {"kMaxWords", wire::kMaxWords},
      {"kMaxImagePages", wire::kMaxImagePages},
      {"pre_images", config.pre_images},
      {"kMaxPackets", wire::kMaxPackets},
      {"kMaxSyncEntries", wire::kMaxSyncEntries},
      {"kMaxWaitingInGrant", wire::kMaxWaitingInGrant},
      {"kWindow", PendingRecords::kWindow},
      {"kMaxFetches", Paging::kMaxFetches},
      {"kMaxSeeds", Membership::kMaxSeeds},
      {"kMaxActions", ActionList::kMaxActions},
      {"kArenaBytes", ActionList::kArenaBytes},
      {"pages", config.geometry.pages},
      {"shadow_pages", config.shadow_pages},
      {"log_records", config.log_records},
      {"log_words", config.log_words},
      {"words_per_packet", config.words_per_packet},
  };
}

// ---- the worked example

constexpr PageIndex kPage = 5;
constexpr std::byte kFill{0x5a};
constexpr std::uint32_t kIncarnation[] = {0x0a0a0a01, 0x0b0b0b02};

Endpoint endpoint_of(std::size_t node) {
  Endpoint endpoint;
  endpoint.bytes[0] = static_cast<std::byte>(node + 1);
  return endpoint;
}

/// Two nodes, no losses: node 0 founds the cluster and fills page 5, node 1 joins, fetches the page
/// and writes it. Keeps the first frame of every type.
class Conversation {
 public:
  Conversation() : nodes_{Node(0), Node(1)} {
    format_heap(nodes_[0].frames.data(), nodes_[0].config.geometry);
    step(0, event::FoundWanted{endpoint_of(0), kFormattedPages});
    write(0);
    const Endpoint seeds[] = {endpoint_of(0)};
    step(1, event::JoinWanted{seeds, endpoint_of(1), false, kFormattedPages});
    first_.clear();
    write(1);
  }

  const Frame& first(MessageType type) { return first_[type]; }
  ClusterId cluster() const { return nodes_[0].protocol->core().cluster; }

 private:
  struct Node {
    explicit Node(std::size_t index) {
      config.geometry.pages = 16;
      config.shadow_pages = 4;
      config.cluster_name_hash = std::uint64_t{0x64656d6f} << 32;
      config.incarnation = kIncarnation[index];
      frames.resize(std::size_t{16} * kPageSize);
      storage.resize(ProtocolCore::storage_needed(config));
      protocol = std::make_unique<Protocol<FirstWins>>(config, frames.data(), storage);
    }
    CoreConfig config;
    Frame frames;
    Frame storage;
    std::unique_ptr<Protocol<FirstWins>> protocol;
  };

  void step(std::size_t node, const Event& event) {
    for (const auto& action : nodes_[node].protocol->step(event, Instant{1}).view()) {
      if (action.kind != ActionKind::kSend && action.kind != ActionKind::kSendTo) continue;
      Frame frame(action.head.begin(), action.head.end());
      frame.insert(frame.end(), action.payload.begin(), action.payload.end());
      first_.try_emplace(static_cast<MessageType>(frame[offsetof(wire::FrameHeader, type)]), frame);
      wire_.push_back({1 - node, frame});
    }
    while (!wire_.empty()) {
      const auto [to, frame] = wire_.front();
      wire_.pop_front();
      step(to, event::FrameArrived{frame, endpoint_of(1 - to)});
    }
  }

  void write(std::size_t node) {
    step(node, event::AttemptBegun{});
    step(node, event::LocalFault{kPage, Access::kWrite, false});  // fetches
    step(node, event::LocalFault{kPage, Access::kWrite, false});  // is recorded
    auto* page = nodes_[node].frames.data() + std::size_t{kPage} * kPageSize;
    std::fill(page, page + kPageSize, kFill);
    step(node, event::CommitWanted{0});
    EXPECT_FALSE(nodes_[node].protocol->attempt().active());
  }

  Node nodes_[2];
  std::deque<std::pair<std::size_t, Frame>> wire_;
  std::map<MessageType, Frame> first_;
};

template <class T>
void append(Frame& frame, const T& part) {
  const auto bytes = std::as_bytes(std::span{&part, 1});
  frame.insert(frame.end(), bytes.begin(), bytes.end());
}

/// A frame made from what the document says of each field.
Frame build(MessageType type, NodeId sender, NodeId receiver, std::uint64_t commit_time,
            ClusterId cluster, const Frame& body) {
  wire::FrameHeader header;
  header.magic = 0x58524c50;
  header.version = 1;
  header.type = type;
  header.epoch = 1;
  header.cluster = cluster;
  header.commit_time = {commit_time};
  header.sender = sender;
  header.receiver = receiver;
  header.incarnation = kIncarnation[sender];
  header.receiver_incarnation = receiver == kEveryone ? 0 : kIncarnation[receiver];
  header.body_bytes = static_cast<std::uint16_t>(body.size());
  Frame frame;
  append(frame, header);
  frame.insert(frame.end(), body.begin(), body.end());
  const auto crc = crc32c_portable(Bytes(frame).subspan(sizeof header.crc32c));
  std::memcpy(frame.data(), &crc, sizeof crc);
  return frame;
}

template <class... Parts>
Frame body_of(const Parts&... parts) {
  Frame body;
  (append(body, parts), ...);
  return body;
}

struct Example {
  std::string name;  ///< as the document's block is called
  MessageType type;
  Frame frame;
  std::vector<std::string> structs;  ///< what stands behind the header
  std::size_t shown;                 ///< bytes of it in the document
};

std::vector<Example> examples(ClusterId cluster) {
  using namespace wire;
  std::vector<Example> list;
  const auto add = [&](std::string name, MessageType type, Frame frame,
                       std::vector<std::string> structs, std::size_t shown = 0) {
    const auto all = frame.size();
    list.push_back({name, type, std::move(frame), std::move(structs), shown == 0 ? all : shown});
  };
  add("PageRequest", MessageType::kPageRequest,
      build(MessageType::kPageRequest, 1, 0, 2, cluster, body_of(PageRequest{kPage, 1})),
      {"PageRequest"});
  auto reply = body_of(PageReply{kPage, 1, 0, 0});
  reply.insert(reply.end(), kPageSize, kFill);
  add("PageReply", MessageType::kPageReply, build(MessageType::kPageReply, 0, 1, 2, cluster, reply),
      {"PageReply"}, sizeof(FrameHeader) + sizeof(PageReply));
  add("TokenRequest", MessageType::kTokenRequest,
      build(MessageType::kTokenRequest, 1, 0, 2, cluster,
            body_of(TokenRequest{.node = 1, .number = 1, .time = {2}})),
      {"TokenRequest"});
  add("TokenGrant", MessageType::kTokenGrant,
      build(MessageType::kTokenGrant, 0, 1, 2, cluster, body_of(TokenGrant{2, 0})), {"TokenGrant"});
  add("TokenAck", MessageType::kTokenAck,
      build(MessageType::kTokenAck, 1, 0, 2, cluster, body_of(TokenAck{2, 0})), {"TokenAck"});
  add("CommitNotice", MessageType::kCommitNotice,
      build(MessageType::kCommitNotice, 1, kEveryone, 3, cluster,
            body_of(RecordHeader{.time = {3}, .writer = 1, .words = 1}, kPage)),
      {"RecordHeader"});
  return list;
}

/// The block as it should stand in the document: the header field by field once, then in rows.
std::string as_block(const Example& example) {
  std::string text = "```hex " + example.name + "\n";
  std::size_t at = 0;
  const auto line = [&](std::size_t size, const std::string& name) {
    char piece[8];
    std::string bytes;
    std::snprintf(piece, sizeof piece, "%04zx ", at);
    text += piece;
    for (std::size_t i = 0; i < size; ++i) {
      std::snprintf(piece, sizeof piece, " %02x", std::to_integer<unsigned>(example.frame[at + i]));
      bytes += piece;
    }
    bytes.resize(std::max<std::size_t>(bytes.size(), 48), ' ');
    text += bytes + " | " + name + "\n";
    at += size;
  };
  auto layouts = real_layouts();
  if (example.type == MessageType::kPageRequest) {
    for (const auto& field : layouts["FrameHeader"].fields) line(field.size, field.name);
  }
  while (at < sizeof(wire::FrameHeader)) {
    line(std::min<std::size_t>(16, sizeof(wire::FrameHeader) - at), "header");
  }
  for (const auto& part : example.structs) {
    for (const auto& field : layouts[part].fields) line(field.size, field.name);
  }
  while (at < example.shown) line(4, "word");
  return text + "```\n";
}

// ---- the tests

TEST(ProtocolDocument, NumbersEveryMessageAsTheCodeDoes) {
  ASSERT_EQ(kMessages.size(), std::size_t{wire::kLastType});
  const auto documented = documented_messages();
  EXPECT_EQ(documented.size(), kMessages.size());
  for (const auto& [type, name] : kMessages) {
    const auto row = documented.find(static_cast<std::size_t>(type));
    ASSERT_NE(row, documented.end()) << name;
    EXPECT_EQ(row->second, name);
  }
}

TEST(ProtocolDocument, GivesTheLayoutOfEveryStruct) {
  auto documented = documented_layouts();
  for (const auto& [name, real] : real_layouts()) {
    EXPECT_EQ(documented[name].bytes, real.bytes) << name;
    EXPECT_THAT(documented[name].fields, ::testing::ElementsAreArray(real.fields)) << name;
    std::size_t end = 0;
    for (const auto& field : real.fields) {
      EXPECT_EQ(field.offset, end) << name << " has a gap in front of " << field.name;
      end = field.offset + field.size;
    }
    EXPECT_EQ(end, real.bytes) << name;
  }
  EXPECT_EQ(documented.size(), real_layouts().size());
}

TEST(ProtocolDocument, GivesTheLimitsOfTheCode) {
  auto documented = documented_limits();
  for (const auto& [name, value] : real_limits()) {
    EXPECT_TRUE(documented.contains(name)) << name;
    EXPECT_EQ(documented[name], value) << name;
  }
}

TEST(ProtocolDocument, ShowsTheFramesItsFieldsMake) {
  const Conversation conversation;
  auto documented = documented_frames();
  for (const auto& example : examples(conversation.cluster())) {
    const auto begin = example.frame.begin();
    const Frame shown(begin, begin + static_cast<std::ptrdiff_t>(example.shown));
    EXPECT_TRUE(documented[example.name] == shown) << "the block should be\n" << as_block(example);
  }
}

TEST(ProtocolDocument, ShowsTheFramesThatNodesSend) {
  Conversation conversation;
  for (const auto& example : examples(conversation.cluster())) {
    EXPECT_EQ(conversation.first(example.type), example.frame) << example.name;
  }
}

}  // namespace
}  // namespace plurix
