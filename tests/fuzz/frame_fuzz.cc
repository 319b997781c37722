// Reads arbitrary bytes as a frame, and its body as every message: nothing outside the frame is
// read, and what passes the checks is within its limits.
#include <plurix/base/assert.h>
#include <plurix/wire/messages.h>

#include <cstdint>
#include <vector>

namespace {

using namespace plurix;
using namespace plurix::wire;

void read_as_everything(Bytes body) {
  constexpr std::uint32_t kPages = 64;
  PageRequest request;
  (void)read_body(body, request);
  PageReply reply;
  Bytes rest;
  if (read_page_reply(body, reply, rest)) PLURIX_ASSERT(rest.empty() || rest.size() == kPageSize);
  TokenGrant grant;
  if (read_token_grant(body, grant, rest)) PLURIX_ASSERT(grant.waiting <= kMaxWaitingInGrant);
  JoinGrant join;
  if (read_join_grant(body, join, rest)) PLURIX_ASSERT(join.members <= kMaxNodes);
  SyncReply sync;
  if (read_sync_reply(body, sync, rest)) PLURIX_ASSERT(rest.size() <= body.size());
  AdoptRequest adopt;
  if (read_adopt_request(body, adopt, rest)) PLURIX_ASSERT(rest.size() == adopt.count * 4u);
  RecordView record;
  while (!body.empty() && read_record(body, kPages, record)) {
    PLURIX_ASSERT(record.words.size() == record.header.words * 4u);
    PLURIX_ASSERT(record.header.index < record.header.count);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span{data, size});
  FrameView view;
  if (check_frame(bytes, view) == DropReason::kNone) read_as_everything(view.body);
  read_as_everything(bytes);
  return 0;
}
