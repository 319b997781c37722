// The checked reading of every message body: what is well formed comes back as it was sent, and
// everything else is refused whole.
#include <gtest/gtest.h>
#include <plurix/wire/messages.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "support/frame_builder.h"

namespace plurix::testing {
namespace {

using wire::RecordHeader;
using wire::RecordKind;
using wire::RecordView;

constexpr std::uint32_t kPages = 100;

// ---- bodies of fixed size

template <class Message>
class FixedBody : public ::testing::Test {};

using FixedMessages =
    ::testing::Types<wire::PageRequest, wire::PageRedirect, TokenRequest, wire::TokenAck,
                     wire::CatchUpRequest, wire::LogExhausted, wire::SyncRequest, wire::JoinRequest,
                     wire::JoinChallenge, wire::JoinRefused, wire::JoinWait, wire::TimeQuery>;
TYPED_TEST_SUITE(FixedBody, FixedMessages);

TYPED_TEST(FixedBody, ComesBackByteForByte) {
  ByteVector sent(sizeof(TypeParam));
  for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<std::byte>(i * 7 + 1);
  TypeParam message;
  ASSERT_TRUE(wire::read_body(sent, message));
  EXPECT_EQ(bytes_of(message), sent);
}

TYPED_TEST(FixedBody, OfAnyOtherSizeIsRefused) {
  TypeParam message;
  for (std::size_t size = 0; size < 2 * sizeof(TypeParam); ++size) {
    EXPECT_EQ(wire::read_body(ByteVector(size), message), size == sizeof(TypeParam)) << size;
  }
}

TEST(ReadFront, LeavesTheRestAndRefusesWhatIsTooShort) {
  const auto sent = bytes_of(wire::PageRequest{5, 6}, std::uint8_t{9});
  wire::PageRequest message;
  Bytes rest;
  ASSERT_TRUE(wire::read_front(sent, message, rest));
  EXPECT_EQ(message.page, 5u);
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0], std::byte{9});
  EXPECT_FALSE(wire::read_front(Bytes{sent}.first(7), message, rest));
}

TEST(Element, ReadsFromAnyAddress) {
  const auto sent = bytes_of(std::uint8_t{0}, std::uint32_t{7}, std::uint32_t{8});
  EXPECT_EQ(wire::element<std::uint32_t>(Bytes{sent}.subspan(1), 0), 7u);
  EXPECT_EQ(wire::element<std::uint32_t>(Bytes{sent}.subspan(1), 1), 8u);
}

// ---- page replies

bool reads_page_reply(const ByteVector& body) {
  wire::PageReply reply;
  Bytes contents;
  return wire::read_page_reply(body, reply, contents);
}

TEST(PageReply, CarriesExactlyOnePage) {
  const auto sent = joined(bytes_of(wire::PageReply{3, 4, 0, 0}), ByteVector(kPageSize));
  wire::PageReply reply;
  Bytes contents;
  ASSERT_TRUE(wire::read_page_reply(sent, reply, contents));
  EXPECT_EQ(reply.page, 3u);
  EXPECT_EQ(reply.request, 4u);
  EXPECT_EQ(contents.size(), kPageSize);
}

TEST(PageReply, OfAPageThatIsNotWholeIsRefused) {
  const auto head = bytes_of(wire::PageReply{3, 4, 0, 0});
  for (const std::size_t size : {0u, 1u, 4095u, 4097u}) {
    EXPECT_FALSE(reads_page_reply(joined(head, ByteVector(size)))) << size;
  }
  EXPECT_FALSE(reads_page_reply(ByteVector(sizeof(wire::PageReply) - 1)));
}

TEST(PageReply, OfAZeroPageCarriesNoContents) {
  const auto head = bytes_of(wire::PageReply{3, 4, 1, 0});
  EXPECT_TRUE(reads_page_reply(head));
  EXPECT_FALSE(reads_page_reply(joined(head, ByteVector(kPageSize))));
  EXPECT_FALSE(reads_page_reply(joined(head, ByteVector(1))));
}

TEST(PageReply, WithAnUnknownZeroFlagIsRefused) {
  const auto head = bytes_of(wire::PageReply{3, 4, 2, 0});
  EXPECT_FALSE(reads_page_reply(head));
  EXPECT_FALSE(reads_page_reply(joined(head, ByteVector(kPageSize))));
}

// ---- token grants

ByteVector grant_of(std::uint32_t said, std::size_t listed, NodeId node = 1) {
  auto body = bytes_of(wire::TokenGrant{5, said});
  TokenRequest request;
  request.node = node;
  for (std::size_t i = 0; i < listed; ++i) body = joined(body, bytes_of(request));
  return body;
}

bool reads_grant(const ByteVector& body) {
  wire::TokenGrant grant;
  Bytes waiting;
  return wire::read_token_grant(body, grant, waiting);
}

TEST(TokenGrant, CarriesAsManyRequestsAsItSays) {
  EXPECT_TRUE(reads_grant(grant_of(0, 0)));
  EXPECT_TRUE(reads_grant(grant_of(3, 3)));
  EXPECT_FALSE(reads_grant(grant_of(2, 3)));
  EXPECT_FALSE(reads_grant(grant_of(4, 3)));
  auto cut = grant_of(3, 3);
  cut.pop_back();
  EXPECT_FALSE(reads_grant(cut));
  EXPECT_FALSE(reads_grant({}));
}

TEST(TokenGrant, CarriesNoMoreThanFitAFrame) {
  EXPECT_TRUE(reads_grant(grant_of(wire::kMaxWaitingInGrant, wire::kMaxWaitingInGrant)));
  EXPECT_FALSE(reads_grant(grant_of(wire::kMaxWaitingInGrant + 1, wire::kMaxWaitingInGrant + 1)));
  EXPECT_FALSE(reads_grant(grant_of(0xffffffff, 3)));
}

TEST(TokenGrant, WithARequestOfNoPossibleNodeIsRefused) {
  EXPECT_TRUE(reads_grant(grant_of(1, 1, kMaxNodes - 1)));
  EXPECT_FALSE(reads_grant(grant_of(1, 1, kMaxNodes)));
  EXPECT_FALSE(reads_grant(grant_of(1, 1, kNoNode)));
}

// ---- commit records

RecordHeader some_record() {
  RecordHeader header;
  header.time = {50};
  header.writer = 2;
  header.index = 1;
  header.count = 3;
  return header;
}

bool reads_record(const ByteVector& bytes) {
  Bytes body = bytes;
  RecordView record;
  return wire::read_record(body, kPages, record);
}

bool reads_record(const RecordHeader& header, const std::vector<std::uint32_t>& words = {1, 99}) {
  return reads_record(record_of(header, words));
}

template <class Change>
bool reads_changed(Change change) {
  auto header = some_record();
  change(header);
  return reads_record(header);
}

TEST(CommitRecord, ComesBackAndMovesBehindItself) {
  const auto sent = joined(record_of(some_record(), {1, 99}), record_of(some_record(), {5}));
  Bytes body = sent;
  RecordView record;
  ASSERT_TRUE(wire::read_record(body, kPages, record));
  EXPECT_EQ(record.header.time, CommitTime{50});
  EXPECT_EQ(record.header.words, 2u);
  EXPECT_EQ(record.word(0), 1u);
  EXPECT_EQ(record.word(1), 99u);
  ASSERT_TRUE(wire::read_record(body, kPages, record));
  EXPECT_EQ(record.word(0), 5u);
  EXPECT_TRUE(body.empty());
  EXPECT_FALSE(wire::read_record(body, kPages, record));
}

TEST(CommitRecord, OfAPageOutOfTheHeapIsRefused) {
  EXPECT_TRUE(reads_record(some_record(), {0, kPages - 1}));
  EXPECT_FALSE(reads_record(some_record(), {0, kPages}));
  EXPECT_FALSE(reads_record(some_record(), {kNoPage, 1}));
  auto adoption = some_record();
  adoption.kind = RecordKind::kAdopt;
  EXPECT_TRUE(reads_record(adoption, {kPages - 1}));
  EXPECT_FALSE(reads_record(adoption, {kPages}));
}

TEST(CommitRecord, WhoseIndexIsNotBelowItsCountIsRefused) {
  EXPECT_TRUE(reads_changed([](auto& h) { h.index = 2; }));
  EXPECT_FALSE(reads_changed([](auto& h) { h.index = 3; }));
  EXPECT_FALSE(reads_changed([](auto& h) { h.index = 0xffff; }));
  EXPECT_FALSE(reads_changed([](auto& h) { h.count = 0, h.index = 0; }));
}

TEST(CommitRecord, OfMorePacketsThanACommitMayHaveIsRefused) {
  EXPECT_TRUE(reads_changed([](auto& h) { h.count = wire::kMaxPackets; }));
  EXPECT_FALSE(reads_changed([](auto& h) { h.count = wire::kMaxPackets + 1; }));
}

TEST(CommitRecord, FromBeforeTheFirstCommitTimeIsRefused) {
  EXPECT_FALSE(reads_changed([](auto& h) { h.time = {0}, h.index = 0; }));
  // The first packet of its commit would have commit time 0.
  EXPECT_FALSE(reads_changed([](auto& h) { h.time = {2}, h.index = 2; }));
  EXPECT_TRUE(reads_changed([](auto& h) { h.time = {3}, h.index = 2; }));
}

TEST(CommitRecord, OfNoPossibleWriterIsRefused) {
  EXPECT_TRUE(reads_changed([](auto& h) { h.writer = kMaxNodes - 1; }));
  EXPECT_FALSE(reads_changed([](auto& h) { h.writer = kMaxNodes; }));
  EXPECT_FALSE(reads_changed([](auto& h) { h.writer = kNoNode; }));
}

TEST(CommitRecord, OfAnUnknownKindIsRefused) {
  for (const unsigned kind : {0u, 5u, 255u}) {
    EXPECT_FALSE(reads_changed([=](auto& h) { h.kind = static_cast<RecordKind>(kind); })) << kind;
  }
}

TEST(CommitRecord, WithNoWordOrTooManyIsRefused) {
  EXPECT_FALSE(reads_record(some_record(), {}));
  EXPECT_TRUE(reads_record(some_record(), std::vector<std::uint32_t>(wire::kMaxWords, 1)));
  EXPECT_FALSE(reads_record(some_record(), std::vector<std::uint32_t>(wire::kMaxWords + 1, 1)));
}

TEST(CommitRecord, CutShortIsRefused) {
  const auto whole = record_of(some_record(), {1, 99});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(reads_record(ByteVector(whole.begin(), whole.begin() + static_cast<long>(size))))
        << size;
  }
}

ByteVector membership_record(RecordKind kind, NodeId node, std::uint16_t count = 1) {
  wire::MemberEntry entry;
  entry.node = node;
  RecordHeader header;
  header.time = {9};
  header.writer = 0;
  header.kind = kind;
  header.count = count;
  header.words = wire::kMemberWords;
  return bytes_of(header, entry);
}

TEST(CommitRecord, OfAMemberHoldsExactlyOneEntryOfAPossibleNode) {
  for (const auto kind : {RecordKind::kJoin, RecordKind::kLeave}) {
    EXPECT_TRUE(reads_record(membership_record(kind, kMaxNodes - 1)));
    EXPECT_FALSE(reads_record(membership_record(kind, kMaxNodes)));
    EXPECT_FALSE(reads_record(membership_record(kind, 3, 2)));
    auto header = some_record();
    header.kind = kind;
    header.index = 0;
    header.count = 1;
    EXPECT_FALSE(reads_record(header, {1, 2, 3, 4, 5}));
    EXPECT_FALSE(reads_record(header, {1, 2, 3, 4, 5, 6, 7}));
  }
}

RC_GTEST_PROP(CommitRecord, IsNeverReadBeyondItsBytesWhateverTheyAre,
              (std::vector<std::uint8_t> garbage)) {
  // A header that is right often enough to get past the first checks, over arbitrary bytes.
  auto header = some_record();
  header.words =
      *rc::gen::inRange<std::uint32_t>(0, 2 * static_cast<std::uint32_t>(garbage.size()) + 2);
  header.kind = static_cast<RecordKind>(*rc::gen::inRange(0, 6));
  header.count = *rc::gen::inRange<std::uint16_t>(0, 40);
  auto bytes = bytes_of(header);
  for (const auto byte : garbage) bytes.push_back(std::byte{byte});
  Bytes body = bytes;
  RecordView record;
  while (!body.empty() && wire::read_record(body, kPages, record)) {
    RC_ASSERT(record.words.size() == record.header.words * 4u);
    RC_ASSERT(record.words.data() >= bytes.data());
    RC_ASSERT(record.words.data() + record.words.size() <= bytes.data() + bytes.size());
  }
}

RC_GTEST_PROP(CommitRecord, OfAnyPagesComesBack, ()) {
  const auto pages =
      *rc::gen::resize(200, rc::gen::nonEmpty(rc::gen::container<std::vector<std::uint32_t>>(
                                rc::gen::inRange<std::uint32_t>(0, kPages))));
  auto header = some_record();
  header.count = *rc::gen::inRange<std::uint16_t>(1, wire::kMaxPackets + 1);
  header.index = *rc::gen::inRange<std::uint16_t>(0, header.count);
  const auto sent = record_of(header, pages);
  Bytes body = sent;
  RecordView record;
  RC_ASSERT(wire::read_record(body, kPages, record));
  RC_ASSERT(record.header.index == header.index);
  for (std::size_t i = 0; i < pages.size(); ++i) RC_ASSERT(record.word(i) == pages[i]);
}

// ---- joining

ByteVector join_grant_of(std::uint32_t said, std::size_t listed, NodeId member = 3,
                         NodeId self = 1) {
  wire::JoinGrant grant;
  grant.node = self;
  grant.members = said;
  auto body = bytes_of(grant);
  wire::MemberEntry entry;
  entry.node = member;
  for (std::size_t i = 0; i < listed; ++i) body = joined(body, bytes_of(entry));
  return body;
}

bool reads_join_grant(const ByteVector& body) {
  wire::JoinGrant grant;
  Bytes members;
  return wire::read_join_grant(body, grant, members);
}

TEST(JoinGrant, CarriesAsManyMembersAsItSays) {
  EXPECT_TRUE(reads_join_grant(join_grant_of(2, 2)));
  EXPECT_TRUE(reads_join_grant(join_grant_of(kMaxNodes, kMaxNodes)));
  EXPECT_FALSE(reads_join_grant(join_grant_of(1, 2)));
  EXPECT_FALSE(reads_join_grant(join_grant_of(3, 2)));
  EXPECT_FALSE(reads_join_grant(join_grant_of(kMaxNodes + 1, kMaxNodes + 1)));
  EXPECT_FALSE(reads_join_grant({}));
}

TEST(JoinGrant, ForOrWithNoPossibleNodeIsRefused) {
  EXPECT_FALSE(reads_join_grant(join_grant_of(1, 1, kMaxNodes)));
  EXPECT_FALSE(reads_join_grant(join_grant_of(1, 1, 3, kMaxNodes)));
  EXPECT_FALSE(reads_join_grant(join_grant_of(1, 1, 3, kNoNode)));
}

// ---- resynchronization

ByteVector sync_reply_of(PageIndex cursor, PageIndex next, std::uint32_t said, std::size_t bytes) {
  wire::SyncReply reply;
  reply.cursor = cursor;
  reply.next = next;
  reply.entries = said;
  return joined(bytes_of(reply), ByteVector(bytes));
}

bool reads_sync_reply(const ByteVector& body) {
  wire::SyncReply reply;
  Bytes entries;
  return wire::read_sync_reply(body, reply, entries);
}

TEST(SyncReply, OfPagesCarriesAsManyEntriesAsItSays) {
  constexpr auto kEntry = sizeof(wire::SyncEntry);
  EXPECT_TRUE(reads_sync_reply(sync_reply_of(0, 5, 2, 2 * kEntry)));
  EXPECT_FALSE(reads_sync_reply(sync_reply_of(0, 5, 2, 3 * kEntry)));
  EXPECT_FALSE(reads_sync_reply(sync_reply_of(0, 5, 2, 2 * kEntry - 1)));
  const auto most = wire::kMaxSyncEntries;
  EXPECT_TRUE(reads_sync_reply(sync_reply_of(0, 5, most, most * kEntry)));
  EXPECT_FALSE(reads_sync_reply(sync_reply_of(0, 5, most + 1, (most + 1) * kEntry)));
  EXPECT_FALSE(reads_sync_reply({}));
}

TEST(SyncReply, OfPagesMovesOn) {
  EXPECT_TRUE(reads_sync_reply(sync_reply_of(4, 5, 0, 0)));
  EXPECT_FALSE(reads_sync_reply(sync_reply_of(5, 5, 0, 0)));
  EXPECT_FALSE(reads_sync_reply(sync_reply_of(5, 4, 0, 0)));
  EXPECT_TRUE(reads_sync_reply(sync_reply_of(5, wire::kMembersCursor, 0, 0)));
}

TEST(SyncReply, OfMembersCarriesPossibleNodesOnly) {
  const auto members_reply = [](NodeId node, std::uint32_t said, std::size_t listed) {
    auto body = sync_reply_of(wire::kMembersCursor, wire::kMembersCursor, said, 0);
    wire::MemberEntry entry;
    entry.node = node;
    for (std::size_t i = 0; i < listed; ++i) body = joined(body, bytes_of(entry));
    return body;
  };
  EXPECT_TRUE(reads_sync_reply(members_reply(2, 2, 2)));
  EXPECT_FALSE(reads_sync_reply(members_reply(2, 1, 2)));
  EXPECT_FALSE(reads_sync_reply(members_reply(kMaxNodes, 1, 1)));
  EXPECT_FALSE(reads_sync_reply(members_reply(2, kMaxNodes + 1, kMaxNodes + 1)));
}

// ---- leaving

TEST(AdoptRequest, CarriesAsManyPagesAsItSaysAndAtLeastOne) {
  const auto reads = [](std::uint32_t said, std::size_t bytes) {
    const auto body = joined(bytes_of(wire::AdoptRequest{said, 0}), ByteVector(bytes));
    wire::AdoptRequest request;
    Bytes pages;
    return wire::read_adopt_request(body, request, pages);
  };
  EXPECT_TRUE(reads(1, 4));
  EXPECT_TRUE(reads(wire::kMaxWords, wire::kMaxWords * 4));
  EXPECT_FALSE(reads(0, 0));
  EXPECT_FALSE(reads(2, 4));
  EXPECT_FALSE(reads(2, 9));
  EXPECT_FALSE(reads(wire::kMaxWords + 1, (wire::kMaxWords + 1) * 4));
}

// ---- all of them

RC_GTEST_PROP(MessageBodies, OfArbitraryBytesAreReadInsideTheirBoundsOrRefused,
              (std::vector<std::uint8_t> garbage)) {
  const auto bytes = std::as_bytes(std::span(garbage));
  const auto inside = [&](Bytes part) {
    return part.data() + part.size() <= bytes.data() + bytes.size();
  };
  Bytes rest;
  wire::TokenGrant token;
  if (wire::read_token_grant(bytes, token, rest)) RC_ASSERT(inside(rest));
  wire::JoinGrant join;
  if (wire::read_join_grant(bytes, join, rest)) RC_ASSERT(inside(rest));
  wire::SyncReply sync;
  if (wire::read_sync_reply(bytes, sync, rest)) RC_ASSERT(inside(rest));
  wire::AdoptRequest adopt;
  if (wire::read_adopt_request(bytes, adopt, rest)) RC_ASSERT(inside(rest));
  wire::PageReply page;
  if (wire::read_page_reply(bytes, page, rest)) RC_ASSERT(inside(rest));
}

}  // namespace
}  // namespace plurix::testing
