#include <plurix/heap/allocator.h>
#include <plurix/heap/candidates.h>
#include <plurix/transaction.h>

namespace plurix::heap {
namespace {

constexpr Offset kCandidatesAt = sizeof(Offset);

Offset slot_in(Offset chunk, std::uint32_t i) noexcept {
  return chunk + kCandidatesAt + i * sizeof(AnyLink);
}

/// A chunk behind which the older ones hang; 0 if there is no room.
Offset new_chunk(Transaction& t, Offset older) {
  const auto chunk = try_allocate(t, {.bytes = sizeof(CandidateChunk),
                                      .type = t.type<CandidateChunk>(),
                                      .flags = Tag::kPinned,
                                      .placement = Placement::kSystemReadWrite});
  if (chunk == 0) return 0;
  std::construct_at(t.writing<CandidateChunk>(chunk))->next = older;
  return chunk;
}

/// Moves the candidates of a full chunk to its beginning: those that were freed have left gaps.
std::uint32_t close_gaps(Transaction& t, Offset chunk) {
  std::uint32_t count = 0;
  for (std::uint32_t i = 0; i < kCandidatesPerChunk; ++i) {
    const auto slot = slot_in(chunk, i);
    if (t.load(slot) == 0) continue;
    if (i != count) {
      move_link(t, slot, slot_in(chunk, count));
      for (Offset word = 0; word < sizeof(AnyLink); word += sizeof(Offset)) t.store(slot + word, 0);
    }
    ++count;
  }
  return count;
}

/// Goes back to the chunk before the newest one, which is empty.
void drop_chunk(Transaction& t, NodeState& state, Offset older) {
  deallocate(t, header_of(t, state.candidates));
  state.candidates = older;
  state.candidate_count = kCandidatesPerChunk;
}

/// Makes room without a new chunk, if candidates were freed meanwhile: what a program frees by hand
/// must not make the queue grow for ever.
void make_room(Transaction& t, NodeState& state) {
  while (state.candidate_count == kCandidatesPerChunk) {
    state.candidate_count = close_gaps(t, state.candidates);
    const auto older = t.load(state.candidates);
    if (state.candidate_count != 0 || older == 0) return;
    drop_chunk(t, state, older);
  }
}

/// A free slot at the end of this node's queue; 0 if there is no room for one.
Offset push_slot(Transaction& t) {
  const auto at = own_state(t);
  if (at == 0) return 0;
  auto* state = t.writing<NodeState>(at);
  if (state->candidates != 0) make_room(t, *state);
  if (state->candidates == 0 || state->candidate_count == kCandidatesPerChunk) {
    const auto chunk = new_chunk(t, state->candidates);
    if (chunk == 0) return 0;
    state->candidates = chunk;
    state->candidate_count = 0;
  }
  return slot_in(state->candidates, state->candidate_count++);
}

/// Without a write, so that a collector with nothing to do disturbs nobody.
bool is_empty(Transaction& t, const NodeState& state) {
  if (state.candidates == 0) return true;
  return state.candidate_count == 0 && t.load(state.candidates) == 0;
}

void count_lost(Transaction& t) {
  ++t.writing<ManagerState>(offset_of(Regions::kManager))->lost_candidates;
}

}  // namespace

void add_candidate(Transaction& t, Offset header) {
  const Tag tag(t.load(header + kTagAt));
  if (mutated("candidate_dropped")) return;
  if (tag.has(Tag::kCandidate)) {
    if (tag.has(Tag::kLostAgain) || mutated("another_lost_link_untold")) return;
    return t.store(header + kTagAt, tag.with(Tag::kLostAgain).word());
  }
  const auto slot = push_slot(t);
  if (slot == 0) return count_lost(t);
  t.store(header + kTagAt, tag.with(Tag::kCandidate).word());
  set_link(t, slot, body_of(t, header), kWeak | kOfCollector);
}

Candidate take_candidate(Transaction& t) { return take_candidate_of(t, t.node_id()); }

Candidate take_candidate_of(Transaction& t, NodeId node) {
  const auto at = state_of(t, node);
  if (at == 0 || is_empty(t, *t.reading<NodeState>(at))) return {};
  auto* state = t.writing<NodeState>(at);
  for (;;) {
    while (state->candidate_count > 0) {
      const auto slot = slot_in(state->candidates, --state->candidate_count);
      const auto body = t.load(slot + kTargetAt) & ~kTargetFlags;
      if (body == 0) continue;
      remove_link(t, slot);
      const auto header = header_of(t, body);
      const Tag tag(t.load(header + kTagAt));
      t.store(header + kTagAt, tag.without(Tag::kCandidate | Tag::kLostAgain).word());
      return {body, tag.has(Tag::kLostAgain)};
    }
    const auto chunk = state->candidates;
    const auto older = chunk == 0 ? 0 : t.load(chunk);
    if (older == 0) return {};  // the last chunk stays for the next candidates
    drop_chunk(t, *state, older);
  }
}

bool suspend_candidate(Transaction& t, Offset header, Offset reserved) {
  if (mutated("suspended_candidate_forgotten")) return true;
  const auto at = own_state(t);
  if (at == 0) return false;
  auto* state = t.writing<NodeState>(at);
  if (state->suspended == 0) state->suspended = new_chunk(t, 0);
  if (state->suspended == 0) return false;
  for (std::uint32_t i = 0; i < kCandidatesPerChunk; ++i) {
    const auto slot = slot_in(state->suspended, i);
    if (t.load(slot + kTargetAt) != 0) continue;
    if (slot == reserved && !mutated("place_of_a_trial_reused")) continue;
    set_link(t, slot, body_of(t, header), kWeak | kOfCollector);
    return true;
  }
  return false;
}

Suspended find_suspended(Transaction& t, std::uint32_t from) {
  const auto at = state_of(t, t.node_id());
  const auto chunk = at == 0 ? 0 : t.reading<NodeState>(at)->suspended;
  if (chunk == 0) return {};
  for (std::uint32_t i = 0; i < kCandidatesPerChunk; ++i) {
    const auto slot = slot_in(chunk, (from + i) % kCandidatesPerChunk);
    const auto body = t.load(slot + kTargetAt) & ~kTargetFlags;
    if (body != 0) return {slot, body};
  }
  return {};
}

void end_suspension(Transaction& t, Offset slot) { remove_link(t, slot); }

std::uint32_t filled_pages(Transaction& t) {
  const auto at = state_of(t, t.node_id());
  return at == 0 ? 0 : t.reading<NodeState>(at)->filled_count;
}

PageIndex take_filled_page(Transaction& t) {
  const auto at = state_of(t, t.node_id());
  if (at == 0 || t.reading<NodeState>(at)->filled_count == 0) return kNoPage;
  auto* state = t.writing<NodeState>(at);
  const auto page = state->filled[state->filled_first];
  state->filled_first = (state->filled_first + 1) % kFilledPages;
  --state->filled_count;
  return page;
}

std::uint32_t take_filled_lost(Transaction& t) {
  const auto at = state_of(t, t.node_id());
  if (at == 0 || t.reading<NodeState>(at)->filled_lost == 0) return 0;
  return std::exchange(t.writing<NodeState>(at)->filled_lost, 0u);
}

std::uint64_t take_lost_candidates(Transaction& t) {
  const auto at = offset_of(Regions::kManager);
  if (t.reading<ManagerState>(at)->lost_candidates == 0) return 0;
  return std::exchange(t.writing<ManagerState>(at)->lost_candidates, std::uint64_t{0});
}

}  // namespace plurix::heap
