#include <plurix/base/mutation.h>
#include <plurix/dsm/resync.h>

namespace plurix {

using wire::MessageType;

void Resync::start(NodeId helper) noexcept {
  ++core_.counters.resyncs;
  core_.act({.kind = ActionKind::kLogExhausted});
  begin(helper, core_.applied);
}

void Resync::import(NodeId helper) noexcept {
  begin(helper, CommitTime{});
  newcomer_ = true;
}

void Resync::resume(NodeId helper) noexcept {
  begin(helper, core_.applied);
  task_ = Task::kChangesSinceImage;
}

void Resync::begin(NodeId helper, CommitTime since) noexcept {
  PLURIX_ASSERT(core_.member && !core_.resyncing);
  core_.resyncing = true;
  attempt_.doom(kNoPage, catch_up_.known());
  helper_ = helper;
  cursor_ = 0;
  since_ = since;
  as_of_ = core_.applied;
  task_ = Task::kChanges;
  first_answer_ = false;
  newcomer_ = false;
  tries_ = 0;
  ask();
}

void Resync::ask() noexcept {
  next_ask_ = core_.now + backoff(core_.config.catch_up_retry, tries_, core_.config.longest_retry);
  // A helper that does not answer is replaced by whoever does.
  if (tries_ > 2) helper_ = kNoNode;
  if (tries_ > 4) membership_.ask_for_members();
  ++tries_;
  core_.send_body(helper_ != kNoNode ? helper_ : kEveryone, MessageType::kSyncRequest,
                  wire::SyncRequest{since_, cursor_, ++number_});
}

bool Resync::asks_again(NodeId from, const wire::SyncRequest& request) noexcept {
  const bool again = from == last_asker_ && request.cursor <= last_cursor_;
  last_asker_ = from;
  last_cursor_ = request.cursor;
  return again;
}

void Resync::on_request(NodeId from, const wire::SyncRequest& request) noexcept {
  if (!core_.in_service() || core_.applied < request.since || catch_up_.behind()) return;
  if (request.cursor == wire::kMembersCursor) return send_members(from, request);
  send_pages(from, request);
}

void Resync::send_pages(NodeId to, const wire::SyncRequest& request) noexcept {
  std::byte body[wire::kSmallBody];
  wire::SyncReply reply;
  reply.since = request.since;
  reply.cursor = request.cursor;
  reply.number = request.number;
  reply.high_water = core_.high_water;
  reply.holder = token_.holder_hint();
  auto page = request.cursor;
  for (; page < core_.high_water && reply.entries < wire::kMaxSyncEntries; ++page) {
    if (directory_.written(page) <= request.since) continue;
    const wire::SyncEntry entry{page, directory_.owner_hint(page), 0};
    std::memcpy(body + sizeof reply + reply.entries * sizeof entry, &entry, sizeof entry);
    ++reply.entries;
  }
  reply.next = page >= core_.high_water ? wire::kMembersCursor : page;
  std::memcpy(body, &reply, sizeof reply);
  core_.send(to, MessageType::kSyncReply,
             {body, sizeof reply + reply.entries * sizeof(wire::SyncEntry)});
}

void Resync::send_members(NodeId to, const wire::SyncRequest& request) noexcept {
  std::byte body[sizeof(wire::SyncReply) + kMaxNodes * sizeof(wire::MemberEntry)];
  wire::MemberEntry entries[kMaxNodes];
  wire::SyncReply reply;
  reply.since = request.since;
  reply.cursor = request.cursor;
  reply.next = request.cursor;
  reply.number = request.number;
  reply.high_water = core_.high_water;
  reply.holder = token_.holder_hint();
  reply.entries = static_cast<std::uint32_t>(membership_.copy_members(entries));
  std::memcpy(body, &reply, sizeof reply);
  std::memcpy(body + sizeof reply, entries, reply.entries * sizeof entries[0]);
  core_.send(to, MessageType::kSyncReply, {body, sizeof reply + reply.entries * sizeof entries[0]});
}

void Resync::on_reply(const wire::FrameHeader& from, const wire::SyncReply& reply,
                      Bytes entries) noexcept {
  const bool expected = core_.resyncing && reply.number == number_ && reply.since == since_ &&
                        reply.cursor == cursor_;
  // An answer older than what we have seen (at first: than our own join) would take us back.
  const bool older = from.commit_time < as_of_ && !mutated("resync_takes_older_answer");
  if (!expected || older) return;
  helper_ = from.sender;
  tries_ = 0;
  if (!first_answer_ || mutated("resync_skips_commits")) {
    first_answer_ = true;
    as_of_ = from.commit_time;
  }
  if (reply.cursor == wire::kMembersCursor) return finish(reply, entries, from.commit_time);
  for (std::size_t i = 0; i < reply.entries; ++i) {
    const auto entry = wire::element<wire::SyncEntry>(entries, i);
    if (entry.page >= directory_.pages()) continue;
    if (mutated("resync_keeps_stale_page") && i == 0 && entry.owner != core_.self) continue;
    take(entry, from.commit_time);
  }
  if (reply.high_water > core_.high_water) core_.high_water = reply.high_water;
  cursor_ = reply.next;
  ask();
}

void Resync::take(const wire::SyncEntry& entry, CommitTime time) noexcept {
  if (task_ == Task::kOwners) return take_owner(entry);
  auto owner = entry.owner;
  if (owner == core_.self) {
    // Perhaps made ours while we could not hear (RecordKind::kAssign).
    if (task_ == Task::kChanges || mutated("page_of_former_life_kept")) {
      return commits_.own_copy(entry.page);
    }
    owner = kNoNode;  // it was our former life's, and went with it
  }
  if (task_ == Task::kChangesSinceImage && mutated("image_taken_for_new")) return;
  commits_.invalidate(entry.page, owner, time);
}

void Resync::take_owner(const wire::SyncEntry& entry) noexcept {
  if (directory_.state(entry.page) == PageState::kAbsent) return;  // written since: known already
  directory_.set_owner_hint(entry.page, entry.owner);
  if (entry.owner == core_.self) commits_.own_copy(entry.page);
}

void Resync::finish(const wire::SyncReply& reply, Bytes members, CommitTime time) noexcept {
  if (task_ == Task::kChangesSinceImage) {
    task_ = Task::kOwners;
    since_ = CommitTime{};
    cursor_ = 0;
    return ask();
  }
  core_.resyncing = false;
  core_.applied = as_of_;
  catch_up_.restart_at(as_of_);
  if (reply.holder != core_.self) token_.set_holder_hint(reply.holder);
  membership_.replace(members, reply.entries, time);
  paging_.restart();
}

void Resync::on_timer() noexcept {
  if (core_.resyncing && core_.now >= next_ask_) ask();
}

}  // namespace plurix
