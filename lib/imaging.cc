#include <plurix/base/mutation.h>
#include <plurix/dsm/imaging.h>

#include <algorithm>
#include <cstring>

namespace plurix {

using wire::MessageType;

// ---- pages as they were

void PreImages::begin(CommitTime time, CommitTime since) noexcept {
  time_ = time;
  since_ = since;
  used_ = 0;
  overflown_ = false;
  active_ = true;
}

void PreImages::keep(PageIndex page, CommitTime written, Bytes contents) noexcept {
  if (!active_ || written > time_ || written <= since_) return;
  if (used_ == pages_.size()) {
    overflown_ = true;
    ++core_.counters.pre_images_refused;
    return;
  }
  pages_[used_] = page;
  std::memcpy(contents_.data() + used_ * kPageSize, contents.data(), kPageSize);
  ++used_;
  ++core_.counters.pre_images_kept;
}

Bytes PreImages::find(PageIndex page) const noexcept {
  const auto kept = pages_.first(used_);
  const auto found = std::find(kept.begin(), kept.end(), page);
  if (!active_ || found == kept.end()) return {};
  return contents_.subspan(static_cast<std::size_t>(found - kept.begin()) * kPageSize, kPageSize);
}

// ---- every member

void Imaging::on_record(CommitTime time, CommitTime since, NodeId writer) noexcept {
  if (writer != core_.self) pre_images_.begin(time, since);
}

void Imaging::before_commit(PageIndex page) noexcept {
  if (phase_ != Phase::kCollecting) {
    return pre_images_.keep(page, directory_.written(page), attempt_.committed_contents(page));
  }
  const bool unchanged = directory_.written(page) <= time_;
  if (task_[page] != Task::kNone && unchanged) collect(page);
}

void Imaging::before_fetch(PageIndex page) noexcept {
  if (phase_ == Phase::kCollecting && task_[page] == Task::kHere) collect(page);
}

void Imaging::on_overheard(PageIndex page) noexcept {
  overheard_[page] = directory_.written(page);
  if (phase_ != Phase::kCollecting || task_[page] != Task::kAbsent) return;
  ++known_;
  ++snooped_;
  collect(page);  // nobody has written it since the image's time
}

void Imaging::on_written(PageIndex page, NodeId writer) noexcept {
  if (phase_ != Phase::kCollecting || task_[page] != Task::kAbsent) return;
  task_[page] = Task::kKept;
  keeper_[page] = writer;
}

void Imaging::send_page(NodeId to, CommitTime time, PageIndex page, Bytes contents) noexcept {
  const wire::ImagePage answer{time, page, contents.empty() ? 0U : 1U};
  core_.send(to, MessageType::kImagePage, std::as_bytes(std::span{&answer, 1}), contents);
  ++core_.counters.image_pages_sent;
}

void Imaging::on_request(NodeId from, const wire::ImageRequest& request, Bytes page_list) noexcept {
  if (core_.applied < request.time) return;  // it asks again
  for (std::size_t i = 0; i < request.count; ++i) {
    const auto page = wire::element<PageIndex>(page_list, i);
    if (page >= directory_.pages()) return core_.drop(wire::DropReason::kMalformedBody);
    const bool owned = directory_.state(page) == PageState::kOwned;
    const bool taking = pre_images_.taking(request.time);
    const auto kept = taking ? pre_images_.find(page) : Bytes{};
    if (!kept.empty()) {
      send_page(from, request.time, page, kept);
    } else if (owned &&
               (directory_.written(page) <= request.time || mutated("image_mixes_commit_times"))) {
      send_page(from, request.time, page, attempt_.committed_contents(page));
    } else if (taking ? pre_images_.overflown() : owned) {
      send_page(from, request.time, page, {});  // what it was is gone
    }
  }
}

void Imaging::on_notice(CommitTime durable) noexcept {
  if (durable <= core_.durable) return;
  core_.durable = durable;
  pre_images_.end_of(durable);
}

void Imaging::give_up() noexcept {
  pre_images_.end();
  wanted_ = false;
  if (phase_ != Phase::kNone) fail(ImageFailure::kEpoch);
}

// ---- the PageServer

void Imaging::set_base(CommitTime time, PageIndex high_water) noexcept {
  core_.durable = time;
  core_.image_high_water = high_water;
  base_ = time;
}

void Imaging::want(bool stop_cluster) noexcept {
  if (phase_ != Phase::kNone) return;
  wanted_ = true;
  stop_ = stop_cluster;
}

void Imaging::begin() noexcept {
  PLURIX_ASSERT(phase_ == Phase::kNone);
  wanted_ = false;
  phase_ = Phase::kCollecting;
  time_ = core_.applied;
  high_water_ = core_.high_water;
  own_cursor_ = 0;
  window_ = kPerQueue;
  std::fill(std::begin(first_), std::end(first_), kNoPage);
  std::fill(std::begin(asked_), std::end(asked_), std::uint16_t{0});
  missing_ = 0;
  known_ = 0;
  snooped_ = 0;
  asks_.clear();
  next_ask_ = core_.now;
  newest_page_at_ = core_.now;
  next_turn_ = core_.now;
  held_ = false;
  core_.image_asked = false;
  ++core_.counters.images_begun;
  for (PageIndex page = high_water_; page-- > 0;) {
    task_[page] = Task::kNone;
    if (directory_.written(page) <= base_) continue;
    const bool here = directory_.state(page) != PageState::kAbsent;
    task_[page] = here || mutated("stale_page_in_image") ? Task::kHere : Task::kAbsent;
    keeper_[page] = directory_.owner_hint(page);
    if (task_[page] == Task::kAbsent) enqueue(page);
    ++missing_;
    if (here) ++known_;
    if (here && overheard_[page] == directory_.written(page)) ++snooped_;
  }
  core_.act(
      {.kind = ActionKind::kImageBegin, .count = high_water_, .epoch = core_.epoch, .time = time_});
  queues_.clear();
  for (NodeId queue = 0; queue < kQueues; ++queue) {
    if (first_[queue] != kNoPage) (void)queues_.push(queue);
  }
  check_complete();
}

void Imaging::collect(PageIndex page) noexcept {
  if (phase_ != Phase::kCollecting) return;
  task_[page] = Task::kNone;
  --missing_;
  newest_page_at_ = core_.now;
  (void)forget_ask(page);
  const Action action{
      .kind = ActionKind::kImagePage, .page = page, .payload = attempt_.committed_contents(page)};
  if (!core_.actions.push(action)) fail(ImageFailure::kNoRoom);
}

void Imaging::collect_own(std::size_t most) noexcept {
  std::size_t collected = 0;
  for (; own_cursor_ < high_water_ && collected < most; ++own_cursor_) {
    if (task_[own_cursor_] != Task::kHere) continue;
    collect(own_cursor_);
    ++collected;
  }
}

void Imaging::enqueue(PageIndex page) noexcept {
  const auto keeper = keeper_[page];
  const auto queue = keeper < kMaxNodes && keeper != core_.self ? keeper : kMaxNodes;
  next_[page] = first_[queue];
  first_[queue] = page;
}

bool Imaging::ask_for_more() noexcept {
  bool any = false;
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    // In batches: a request for a single page would cost as much as the page.
    if (asks_.size() + wire::kMaxImagePages > window_) break;
    turn_ = (turn_ + 1) % queues_.size();
    if (ask_from(queues_[turn_])) any = true;
  }
  return any;
}

bool Imaging::ask_from(NodeId queue) noexcept {
  auto& first = first_[queue];
  if (!has_room(queue)) return false;
  const auto before = asks_.size();
  for (; first != kNoPage && asks_.size() < before + wire::kMaxImagePages; first = next_[first]) {
    if (task_[first] < Task::kAbsent) continue;
    (void)asks_.push({first, queue, 0, core_.now});
    ++asked_[queue];
    next_ask_ = core_.now;
  }
  return asks_.size() > before;
}

std::size_t Imaging::forget_ask(PageIndex page) noexcept {
  for (std::size_t i = 0; i < asks_.size(); ++i) {
    if (asks_[i].page != page) continue;
    const auto queue = asks_[i].queue;
    --asked_[queue];
    asks_.erase(i);
    return queue;
  }
  return kQueues;
}

Instant Imaging::due(const Ask& ask) const noexcept {
  if (ask.tries == 0) return ask.next_try;
  return std::max(ask.next_try, newest_page_at_ + core_.config.image_retry);
}

NodeId Imaging::target(const Ask& ask) const noexcept {
  const auto keeper = keeper_[ask.page];
  const bool known = keeper < kMaxNodes && keeper != core_.self;
  return known && ask.tries < 2 ? keeper : kEveryone;
}

void Imaging::send_requests() noexcept {
  if (core_.now < next_ask_) return;
  for (auto& first : asks_) {
    if (core_.now < due(first)) continue;
    const auto to = target(first);
    PageIndex pages[wire::kMaxImagePages];
    wire::ImageRequest request{time_, 0, 0};
    for (auto& ask : asks_) {
      if (core_.now < due(ask) || target(ask) != to) continue;
      pages[request.count++] = ask.page;
      ask.next_try =
          core_.now + backoff(core_.config.image_retry, ask.tries, core_.config.longest_retry);
      if (ask.tries++ > 0) window_ = wire::kMaxImagePages;  // more than fits on the way, perhaps
      if (request.count == wire::kMaxImagePages) break;
    }
    std::byte body[sizeof request + sizeof pages];
    std::memcpy(body, &request, sizeof request);
    std::memcpy(body + sizeof request, pages, request.count * sizeof pages[0]);
    core_.send(to, MessageType::kImageRequest,
               {body, sizeof request + request.count * sizeof pages[0]});
  }
  next_ask_ = kNever;
  for (const auto& ask : asks_) next_ask_ = earlier(next_ask_, due(ask));
}

bool Imaging::on_page(const wire::ImagePage& answer, Bytes contents) noexcept {
  const bool asked = phase_ == Phase::kCollecting && answer.time == time_ &&
                     answer.page < high_water_ && task_[answer.page] >= Task::kAbsent;
  if (!asked) return false;
  if (answer.found == 0) return fail(ImageFailure::kContentsLost), false;
  task_[answer.page] = Task::kNone;
  --missing_;
  newest_page_at_ = core_.now;
  const auto queue = forget_ask(answer.page);
  const Action action{.kind = ActionKind::kImagePage, .page = answer.page, .payload = contents};
  if (!core_.actions.push(action)) return fail(ImageFailure::kNoRoom), false;
  window_ = std::min(window_ + 1, kWindow);
  // Only when a whole batch of its has come is there more to ask a node for.
  const bool more = stop_ && queue < kQueues && has_room(queue);
  if (more && ask_for_more()) send_requests();
  check_complete();
  const bool newest = directory_.written(answer.page) <= time_ || mutated("old_page_kept");
  return newest && !stop_;
}

void Imaging::check_complete() noexcept {
  if (phase_ != Phase::kCollecting || missing_ > 0) return;
  phase_ = Phase::kStoring;
  core_.act({.kind = ActionKind::kImageEnd, .page = snooped_, .count = known_});
  if (mutated("durable_too_early")) core_.durable = time_;
}

void Imaging::on_stored(bool durable) noexcept {
  if (phase_ == Phase::kNone) return;
  if (!durable) return fail(ImageFailure::kStore);
  phase_ = Phase::kNone;
  core_.image_asked = false;  // who still waits asks again
  ++core_.counters.images_stored;
  set_base(time_, high_water_);
  core_.send_body(kEveryone, MessageType::kImageNotice, wire::ImageNotice{time_});
}

void Imaging::fail(ImageFailure why) noexcept {
  phase_ = Phase::kNone;
  ++core_.counters.images_given_up;
  asks_.clear();
  core_.act({.kind = ActionKind::kImageGivenUp, .failure = why});
}

// Who works on shall hardly notice: his node answers a request of fifteen pages and has the rest of
// the pause for him.
void Imaging::take_turn() noexcept {
  collect_own(stop_ ? kPerStep : kPerTurn);
  (void)ask_for_more();
  if (!stop_) next_turn_ = core_.now + core_.config.image_pause;
}

bool Imaging::all_asked_for() const noexcept {
  const auto queues = queues_.view();
  const bool none_left = std::all_of(queues.begin(), queues.end(),
                                     [this](NodeId queue) { return first_[queue] == kNoPage; });
  return none_left && own_cursor_ >= high_water_;
}

void Imaging::on_timer() noexcept {
  if (phase_ != Phase::kCollecting) return;
  if (waits_for_store()) newest_page_at_ = core_.now;
  if (core_.now >= next_turn_ && !waits_for_store()) take_turn();
  send_requests();
  check_complete();
  const bool stuck = core_.now - newest_page_at_ > core_.config.image_patience;
  if (phase_ == Phase::kCollecting && stuck) fail(ImageFailure::kSilence);
}

Instant Imaging::deadline() const noexcept {
  if (phase_ != Phase::kCollecting) return kNever;
  if (stop_ && own_cursor_ < high_water_) return core_.now;
  auto soonest = newest_page_at_ + core_.config.image_patience;
  if (!stop_ && !waits_for_store() && !all_asked_for()) soonest = earlier(soonest, next_turn_);
  for (const auto& ask : asks_) soonest = earlier(soonest, due(ask));
  return soonest;
}

}  // namespace plurix
