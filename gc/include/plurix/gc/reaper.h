// Reaper: takes garbage apart. An object that nothing keeps loses its weak links, then its own
// links are cleared, then its memory is taken back. What that leaves without a link falls too, one
// after the other, without going through the queue of candidates; what is still linked becomes a
// candidate.
#pragma once

#include <plurix/gc/containers.h>
#include <plurix/gc/work.h>
#include <plurix/heap/layout.h>

#include <cstdint>

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

class Reaper {
 public:
  explicit Reaper(Containers& containers) noexcept : containers_(containers) {}

  /// A new attempt: nothing has fallen yet.
  void forget() noexcept {
    fallen_count_ = 0;
    freed_ = 0;
  }

  /// Frees an object to which only weak links and doomed objects lead. False if the work was used
  /// up before: what is left of it has then no entry in its backchain any more, or fewer, and
  /// nobody has seen it without its links.
  bool free(Transaction& t, heap::Offset header, const Doomed& doomed, Work& work);

  /// The same whatever it costs.
  void free_now(Transaction& t, heap::Offset header, const Doomed& doomed, Work& work);

  /// Units that freeing it would cost, besides the entries of its backchain.
  static std::uint64_t cost_of(Transaction& t, heap::Offset header);

  /// Frees what has fallen because of that, until the work is used up; the rest become candidates.
  void free_fallen(Transaction& t, Work& work);
  void queue_fallen(Transaction& t, Work& work);

  /// Makes an object a candidate.
  void queue(Transaction& t, heap::Offset header, Work& work);

  /// The same for one that was taken out of the queue in this attempt.
  void put_back(Transaction& t, heap::Offset header, Work& work);

  /// Whether candidates were made, also by attempts that did not commit, since forget_queued().
  bool has_queued() const noexcept { return has_queued_; }
  void forget_queued() noexcept { has_queued_ = false; }

  /// In this attempt.
  std::uint64_t freed() const noexcept { return freed_; }

 private:
  static constexpr std::size_t kMostFallen = 512;

  bool take_entries(Transaction& t, heap::Offset header, Work* limit, Work& work);
  bool clear_links(Transaction& t, heap::Offset header, const Doomed& doomed, Work* limit,
                   Work& work);
  bool free_within(Transaction& t, heap::Offset header, const Doomed& doomed, Work* limit,
                   Work& work);
  void has_lost_a_link(Transaction& t, heap::Offset header, Work& work);

  Containers& containers_;
  heap::Offset fallen_[kMostFallen];
  std::size_t fallen_count_ = 0;
  std::uint64_t freed_ = 0;
  bool has_queued_ = false;
  /// An array too long for one transaction, and how many of its elements are done.
  heap::Offset long_array_ = 0;
  std::uint64_t elements_done_ = 0;
};

}  // namespace plurix::gc
