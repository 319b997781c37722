// Page requests and replies: fetching what is absent here, serving what is owned here (paper
// section 2.2, DESIGN T2, P2, P4).
//
// A request goes to the presumed owner, else to everyone; a node that is not the owner redirects.
// Every retry goes to everyone, so a wrong hint costs time and never the page. A request is out of
// date when its sender has not applied the last commit that wrote the page: it is refused, and
// answered with the commit records the sender lacks. A request from the future is parked until the
// owner has caught up. A reply carries the owner's commit time: the bytes may wait in the frame,
// but the page is mapped only when this node has applied that time, and only if no commit it has
// applied since then wrote the page.
#pragma once

#include <plurix/dsm/attempt.h>
#include <plurix/dsm/catch_up.h>
#include <plurix/dsm/imaging.h>

namespace plurix {

class Paging {
 public:
  static constexpr std::size_t kMaxFetches = 16;  ///< at the limit a fault waits for a free place

  Paging(CoreContext& core, PageDirectory& directory, Attempt& attempt, CatchUp& catch_up,
         Imaging& imaging) noexcept
      : core_(core),
        directory_(directory),
        attempt_(attempt),
        catch_up_(catch_up),
        imaging_(imaging) {}

  /// Makes an absent page come; does nothing if it is present or already on its way. A page that
  /// was never written is zero at once, without a message.
  void fetch(PageIndex page) noexcept;

  /// The same for the running attempt, which has read the page as soon as it is here: if the next
  /// frame takes it away again that is a collision, and collisions are what fairness counts.
  void fetch_for_attempt(PageIndex page) noexcept;

  enum class Answer : std::uint8_t { kNone, kServed, kOutOfDate };

  /// Says how the request was answered just now.
  Answer on_page_request(const wire::FrameHeader& from, const wire::PageRequest& request) noexcept;
  void on_page_redirect(const wire::PageRedirect& answer) noexcept;
  void on_page_reply(const wire::FrameHeader& from, const wire::PageReply& reply,
                     Bytes contents) noexcept;

  /// A page that is absent here went from its owner to somebody else, and is kept. What is too
  /// early, too late or of no use is passed over: nobody waits for it.
  void on_overheard(const wire::FrameHeader& from, const wire::PageReply& reply,
                    Bytes contents) noexcept;

  /// These are the contents that `page` has now; they have come for another reason than a request.
  void keep(PageIndex page, Bytes contents) noexcept;

  /// `applied` has moved: parked requests and early replies may have become current.
  void on_advance() noexcept;

  /// Commit records have come: what an owner sends instead of a page to a requester that is out of
  /// date. Asks again if that was it.
  void on_refusal() noexcept;

  void on_timer() noexcept;
  Instant deadline() const noexcept;
  bool waits() const noexcept { return !fetches_.empty(); }

  /// Forgets requests of others and starts the own ones anew: after a resynchronization.
  void restart() noexcept;

  /// Forgets the own requests too: this life of the node is over.
  void forget() noexcept {
    for (auto& parked : parked_) parked.waiting = false;
    fetches_.clear();
  }

 private:
  struct Fetch {
    PageIndex page;
    std::uint32_t request;
    unsigned tries;
    bool arrived;  ///< the bytes stand in the frame, valid as of `as_of`
    NodeId from;   ///< who sent them
    NodeId asked;  ///< kEveryone when we do not know the owner
    CommitTime as_of;
    CommitTime asked_at;  ///< what we had applied when we asked last
    Instant next_try;
  };
  struct Parked {
    wire::PageRequest request;
    CommitTime time;
    bool broadcast = false;
    bool waiting = false;
  };

  Fetch* find(PageIndex page, std::uint32_t request) noexcept;
  void ask(Fetch& fetch, NodeId to) noexcept;
  void ask_owner(Fetch& fetch) noexcept;
  bool settle(Fetch& fetch) noexcept;
  bool is_under_way(PageIndex page) const noexcept;
  bool has_use_for(PageIndex page) const noexcept;
  Answer answer(NodeId requester, CommitTime time, bool broadcast,
                const wire::PageRequest& request) noexcept;
  void serve(NodeId requester, const wire::PageRequest& request) noexcept;

  CoreContext& core_;
  PageDirectory& directory_;
  Attempt& attempt_;
  CatchUp& catch_up_;
  Imaging& imaging_;
  BoundedVector<Fetch, kMaxFetches> fetches_;
  Parked parked_[kMaxNodes];
  std::uint32_t next_request_ = 0;
  PageIndex awaited_ = kNoPage;   ///< by the attempt
  std::uint64_t awaited_by_ = 0;  ///< its number
};

}  // namespace plurix
