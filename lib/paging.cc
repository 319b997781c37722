#include <plurix/base/mutation.h>
#include <plurix/dsm/paging.h>

#include <algorithm>
#include <cstring>

namespace plurix {

using wire::MessageType;

void Paging::fetch(PageIndex page) noexcept {
  if (directory_.state(page) != PageState::kAbsent) return;
  if (directory_.never_written(page)) {
    directory_.set_state(page, PageState::kCopy);
    return;
  }
  if (!core_.in_service() || fetches_.full()) return;
  // Its frame is the aborted attempt's until that ends, and would be rolled back over what came.
  const bool seen = attempt_.active() && attempt_.has_read(page);
  if (seen && !mutated("page_fetched_into_attempt")) return;
  for (const auto& fetch : fetches_) {
    if (fetch.page == page) return;
  }
  imaging_.before_fetch(page);
  ++core_.counters.fetches;
  const auto pushed = fetches_.push(Fetch{.page = page,
                                          .request = ++next_request_,
                                          .tries = 0,
                                          .arrived = false,
                                          .from = kNoNode,
                                          .asked = kNoNode,
                                          .as_of = {},
                                          .asked_at = {},
                                          .next_try = kNever});
  PLURIX_ASSERT(pushed);
  ask_owner(fetches_[fetches_.size() - 1]);
}

void Paging::fetch_for_attempt(PageIndex page) noexcept {
  awaited_ = page;
  awaited_by_ = attempt_.number();
  fetch(page);
  if (directory_.state(page) != PageState::kAbsent) attempt_.add_read(page);
}

void Paging::ask_owner(Fetch& fetch) noexcept {
  const auto hint = directory_.owner_hint(fetch.page);
  ask(fetch, hint != kNoNode && hint != core_.self ? hint : kEveryone);
}

void Paging::ask(Fetch& fetch, NodeId to) noexcept {
  fetch.arrived = false;
  fetch.asked = to;
  fetch.asked_at = core_.applied;
  fetch.next_try =
      core_.now + backoff(core_.config.fetch_retry, fetch.tries, core_.config.longest_retry);
  core_.send_body(to, MessageType::kPageRequest, wire::PageRequest{fetch.page, fetch.request});
}

Paging::Fetch* Paging::find(PageIndex page, std::uint32_t request) noexcept {
  for (auto& fetch : fetches_) {
    if (fetch.page == page && fetch.request == request) return &fetch;
  }
  return nullptr;
}

Paging::Answer Paging::on_page_request(const wire::FrameHeader& from,
                                       const wire::PageRequest& request) noexcept {
  if (request.page >= directory_.pages()) {
    core_.drop(wire::DropReason::kMalformedBody);
    return Answer::kNone;
  }
  const bool broadcast = from.receiver == kEveryone;
  if (from.commit_time > core_.applied && !mutated("request_of_the_future_answered")) {
    // One place a node: it waits for one page at a time, and asks again if it is not answered.
    parked_[from.sender] = {request, from.commit_time, broadcast, true};
    ++core_.counters.requests_parked;
    return Answer::kNone;
  }
  return answer(from.sender, from.commit_time, broadcast, request);
}

Paging::Answer Paging::answer(NodeId requester, CommitTime time, bool broadcast,
                              const wire::PageRequest& request) noexcept {
  if (directory_.state(request.page) != PageState::kOwned) {
    if (broadcast) return Answer::kNone;  // the owner has heard it too
    auto hint = directory_.owner_hint(request.page);
    if (hint == core_.self || hint == requester) hint = kNoNode;
    ++core_.counters.redirects;
    core_.send_body(requester, MessageType::kPageRedirect,
                    wire::PageRedirect{request.page, request.request, hint});
    return Answer::kNone;
  }
  if (time < directory_.written(request.page) && !mutated("page_served_to_late_requester")) {
    ++core_.counters.refused_out_of_date;
    catch_up_.help(requester, time + 1, core_.applied);
    return Answer::kOutOfDate;
  }
  serve(requester, request);
  return Answer::kServed;
}

void Paging::serve(NodeId requester, const wire::PageRequest& request) noexcept {
  const auto contents = attempt_.committed_contents(request.page);
  wire::PageReply reply{request.page, request.request, 0, 0};
  // Only a page that no commit ever wrote can be told to be zero without looking at it.
  if (directory_.written(request.page) == CommitTime{}) {
    reply.zero = 1;
    for (const auto byte : contents) {
      if (byte != std::byte{0}) {
        reply.zero = 0;
        break;
      }
    }
  }
  ++core_.counters.pages_served;
  core_.send(requester, MessageType::kPageReply, std::as_bytes(std::span{&reply, 1}),
             reply.zero == 1 ? Bytes{} : Bytes{contents});
}

void Paging::on_page_redirect(const wire::PageRedirect& answer) noexcept {
  auto* fetch = find(answer.page, answer.request);
  if (fetch == nullptr || fetch->arrived) return;
  const bool useful = answer.owner < kMaxNodes && answer.owner != core_.self && fetch->tries < 3;
  ++fetch->tries;
  ask(*fetch, useful ? answer.owner : kEveryone);
}

void Paging::on_page_reply(const wire::FrameHeader& from, const wire::PageReply& reply,
                           Bytes contents) noexcept {
  auto* fetch = find(reply.page, reply.request);
  if (fetch == nullptr || fetch->arrived) return;
  const auto frame = directory_.frame(reply.page);
  if (reply.zero == 1) {
    std::memset(frame.data(), 0, frame.size());
  } else {
    std::memcpy(frame.data(), contents.data(), frame.size());
  }
  fetch->arrived = true;
  fetch->as_of = from.commit_time;
  fetch->from = from.sender;
  if (fetch->as_of > core_.applied) ++core_.counters.replies_early;
  if (settle(*fetch)) fetches_.erase(static_cast<std::size_t>(fetch - fetches_.begin()));
}

bool Paging::is_under_way(PageIndex page) const noexcept {
  return std::any_of(fetches_.begin(), fetches_.end(),
                     [page](const Fetch& fetch) { return fetch.page == page; });
}

// Of no use is what is here or on its way; and its frame must not be in use: an aborted attempt may
// still look at it or roll it back, and an image may still need what it was.
bool Paging::has_use_for(PageIndex page) const noexcept {
  if (page >= directory_.pages() || directory_.state(page) != PageState::kAbsent) return false;
  const bool seen = attempt_.active() && attempt_.has_read(page);
  return !seen && !is_under_way(page) && !imaging_.needs_frame(page);
}

void Paging::on_overheard(const wire::FrameHeader& from, const wire::PageReply& reply,
                          Bytes contents) noexcept {
  const auto page = reply.page;
  if (reply.zero == 1 || !has_use_for(page)) return;
  if (from.commit_time > core_.applied) {
    ++core_.counters.snooped_early;
    return;
  }
  const bool stale =
      from.commit_time < directory_.written(page) || from.sender != directory_.owner_hint(page);
  if (stale && !mutated("stale_page_by_snooping")) {
    ++core_.counters.snooped_stale;
    return;
  }
  ++core_.counters.pages_snooped;
  keep(page, contents);
  imaging_.on_overheard(page);
}

void Paging::keep(PageIndex page, Bytes contents) noexcept {
  if (!has_use_for(page)) return;
  std::memcpy(directory_.frame(page).data(), contents.data(), kPageSize);
  directory_.set_state(page, PageState::kCopy);
}

bool Paging::settle(Fetch& fetch) noexcept {
  if (directory_.state(fetch.page) != PageState::kAbsent) return true;
  const bool early = fetch.as_of > core_.applied && !mutated("page_of_the_future_mapped");
  if (!fetch.arrived || early) return false;
  if (fetch.as_of < directory_.written(fetch.page) && !mutated("stale_reply_mapped")) {
    ++core_.counters.replies_stale;
    fetch.tries = 0;
    ask_owner(fetch);
    return false;
  }
  directory_.set_state(fetch.page, PageState::kCopy);
  directory_.set_owner_hint(fetch.page, fetch.from);
  directory_.protect(fetch.page, Rights::kRead);
  const bool awaited = fetch.page == awaited_ && attempt_.number() == awaited_by_;
  if (awaited && attempt_.active() && !attempt_.doomed()) attempt_.add_read(fetch.page);
  return true;
}

void Paging::on_advance() noexcept {
  for (std::size_t i = 0; i < fetches_.size();) {
    auto& fetch = fetches_[i];
    if (settle(fetch)) {
      fetches_.erase(i);
      continue;
    }
    // Another node has written the page since: it can answer, the one we asked can not. An owner
    // that goes on writing is not asked again for each of its commits: it refuses us once, with
    // what we lack behind everything it sent before.
    const auto owner = directory_.owner_hint(fetch.page);
    if (!fetch.arrived && fetch.asked != kEveryone && fetch.asked != owner) ask_owner(fetch);
    ++i;
  }
  for (NodeId node = 0; node < kMaxNodes; ++node) {
    auto& parked = parked_[node];
    if (!parked.waiting || parked.time > core_.applied) continue;
    parked.waiting = false;
    (void)answer(node, parked.time, parked.broadcast, parked.request);
  }
}

void Paging::on_refusal() noexcept {
  if (catch_up_.behind()) return;
  for (auto& fetch : fetches_) {
    if (!fetch.arrived && fetch.asked_at < core_.applied) ask_owner(fetch);
  }
}

void Paging::on_timer() noexcept {
  for (auto& fetch : fetches_) {
    if (core_.now < fetch.next_try) continue;
    if (fetch.arrived) {  // its bytes wait for our catching up, which has a timer of its own
      fetch.next_try = core_.now + core_.config.longest_retry;
      continue;
    }
    ++fetch.tries;
    ++core_.counters.fetch_retries;
    if (mutated("hint_trusted_as_truth")) {
      ask_owner(fetch);
      continue;
    }
    ask(fetch, kEveryone);
  }
}

Instant Paging::deadline() const noexcept {
  auto soonest = kNever;
  for (const auto& fetch : fetches_) soonest = earlier(soonest, fetch.next_try);
  return soonest;
}

void Paging::restart() noexcept {
  for (auto& parked : parked_) parked.waiting = false;
  for (auto& fetch : fetches_) {
    fetch.tries = 0;
    ask(fetch, kEveryone);
  }
}

}  // namespace plurix
