// Reaper: takes garbage apart. An object that nothing keeps loses its weak links, then its own
// links are cleared, then its memory is taken back. What that leaves without a link falls too, one
// after the other, without going through the queue of candidates; what is still linked becomes a
// candidate.
//
// What dies in one transaction is a set of places until finish(): no entry is taken out of a
// backchain whose object dies as well, and each page is written once, with all its dead together.
// Until then the dead still look like objects, so whoever goes through a page asks is_dead().
#pragma once

#include <plurix/base/mutation.h>
#include <plurix/gc/containers.h>
#include <plurix/gc/link_places.h>
#include <plurix/gc/object_set.h>
#include <plurix/gc/work.h>
#include <plurix/heap/layout.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace plurix {
class Transaction;
}

namespace plurix::gc {

/// Objects that go together: what one of them leads to is no news if that is another one.
struct Doomed {
  bool (*contains)(const void* self, heap::Offset header) = nullptr;
  const void* self = nullptr;

  bool has(heap::Offset header) const { return contains != nullptr && contains(self, header); }
};

/// Counts the pages that are written when a link is taken out of its backchain, without its own.
void write_without(Transaction& t, heap::Offset slot, Work& work);

class Reaper {
 public:
  static constexpr std::size_t storage_needed(std::uint32_t pages) noexcept {
    return ObjectSet::storage_needed(pages);
  }

  Reaper(std::uint32_t pages, std::span<std::byte>& storage, Containers& containers) noexcept
      : containers_(containers), dead_(pages, storage) {}

  /// A new attempt: nothing has fallen yet. A link that is not settled when the work is used up
  /// takes three pages, a suspect one; a fifth of the pages are for the queue.
  void begin(const Budget& budget) noexcept {
    const auto pages = mutated("pages_beyond_ignored") ? ~0u : budget.pages_beyond;
    const std::size_t share = std::max(pages / 5, 1u);
    most_loose_ = std::min(share, std::size(loose_));
    most_suspects_ = std::min(share, std::size(suspects_));
    fallen_count_ = 0;
    loose_count_ = 0;
    suspect_count_ = 0;
    freed_ = 0;
    places_.forget();
    dead_.clear();
  }

  /// Frees an object to which only weak links and doomed objects lead. False if the work was used
  /// up before: what is left of it has then no entry in its backchain any more, or fewer, and
  /// nobody has seen it without its links.
  bool free(Transaction& t, heap::Offset header, const Doomed& doomed, Work& work);

  /// The same whatever it costs, in two steps, the first of which is taken by all objects that go
  /// together before the second is by any. The first enters in a plan what the second will cost,
  /// and may be taken back. `weak`: perhaps weak links lead to it, too.
  void announce(Transaction& t, heap::Offset header, const Doomed& doomed, bool weak, Work& plan);
  void retract(heap::Offset header) noexcept;
  void free_announced(Transaction& t, heap::Offset header, const Doomed& doomed, bool weak,
                      Work& work);

  /// The same for objects of which no link leads to anything else, and to which no weak link leads:
  /// nothing but their pages is written. What they lead to is counted first: kMany if an object is
  /// too large or has too many links for that.
  static constexpr std::size_t kMany = ~std::size_t{0};
  std::size_t count_links(Transaction& t, heap::Offset header, Work& plan);
  void free_closed(heap::Offset header, Work& work) noexcept;

  /// Frees what has fallen because of that, until the work is used up.
  void free_fallen(Transaction& t, Work& work);

  /// The rest of that, and suspects, become candidates.
  void queue_the_rest(Transaction& t, Work& work);

  /// What has lost a link by that and is linked still: to be looked at in this transaction without
  /// going through the queue. 0 if there is nothing.
  heap::Offset take_suspect(Transaction& t);

  /// Takes the memory of the dead back. Nothing may have fallen any more.
  void finish(Transaction& t);
  bool is_dead(heap::Offset header) const noexcept { return dead_.contains(header); }

  /// Makes an object a candidate.
  void queue(Transaction& t, heap::Offset header, Work& work);

  /// The same for one that was taken out of the queue in this attempt.
  void put_back(Transaction& t, heap::Offset header, Work& work);

  /// Whether candidates or suspects were made, also by attempts that did not commit, since
  /// forget_queued().
  bool has_queued() const noexcept { return has_queued_; }
  void forget_queued() noexcept { has_queued_ = false; }

  /// In this attempt.
  std::uint64_t freed() const noexcept { return freed_; }

 private:
  static constexpr std::size_t kMostFallen = 512;

  bool take_entries(Transaction& t, heap::Offset header, Work* limit, Work& work);
  void take_weak_entries(Transaction& t, heap::Offset header, Work& work);
  bool clear_links(Transaction& t, heap::Offset header, const Doomed& doomed, Work* limit,
                   Work& work);
  bool free_within(Transaction& t, heap::Offset header, const Doomed& doomed, Work* limit,
                   Work& work);
  const LinkPlaces::Places* few_links(Transaction& t, heap::Offset header);
  void die(heap::Offset header) noexcept;
  void let_go(Transaction& t, const heap::ObjectHeader& object, heap::Offset header,
              const LinkPlaces::Places& places, Work& work);
  void settle_all(Transaction& t, heap::Offset header, const LinkPlaces::Places& places,
                  const Doomed& doomed, Work& work);
  void settle(Transaction& t, heap::Offset slot, const Doomed& doomed, Work& work);
  bool falls_with(Transaction& t, heap::Offset slot, heap::Offset target, Work& work);
  void detach(Transaction& t, heap::Offset slot, heap::Offset target, bool is_news, Work& work);
  void unlink(Transaction& t, heap::Offset slot, Work& work);
  void suspect(Transaction& t, heap::Offset header, Work& work);
  void has_lost_a_link(Transaction& t, heap::Offset header, Work& work);

  Containers& containers_;
  LinkPlaces places_;
  ObjectSet dead_;
  heap::Offset fallen_[kMostFallen];
  std::size_t fallen_count_ = 0;
  heap::Offset loose_[40];  ///< links of the dead that are to be settled
  std::size_t loose_count_ = 0;
  std::size_t most_loose_ = 1;
  heap::Offset suspects_[64];
  std::size_t suspect_count_ = 0;
  std::size_t most_suspects_ = 1;
  std::uint64_t freed_ = 0;
  bool has_queued_ = false;
};

}  // namespace plurix::gc
