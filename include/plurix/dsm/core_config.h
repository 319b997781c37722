// Sizes and intervals of one node's protocol. All memory is taken once, from storage the world
// provides; every table has the limit written here.
#pragma once

#include <plurix/base/page.h>
#include <plurix/base/time.h>

namespace plurix {

struct CoreConfig {
  HeapGeometry geometry;
  std::uint32_t shadow_pages = 1024;  ///< largest write set; beyond it an attempt is out of memory
  std::uint32_t log_records = 16384;  ///< commit packets kept for retransmission (a power of two)
  std::uint32_t log_words = 131072;   ///< page numbers kept with them (a power of two)
  std::uint32_t words_per_packet =
      340;  ///< page numbers a commit packet carries (at most kMaxWords)
  std::uint64_t cluster_name_hash = 0;  ///< only the upper 32 bits are used
  std::uint32_t incarnation = 1;        ///< drawn anew at every start of a node
  Duration fetch_retry = milliseconds(2);
  Duration token_retry = milliseconds(2);
  Duration grant_retry = milliseconds(3);
  Duration catch_up_delay = microseconds(300);  ///< a notice under way is given this long
  Duration catch_up_retry = milliseconds(2);
  Duration longest_retry = milliseconds(64);  ///< limit of every doubling interval
  Duration beacon = milliseconds(10);
  Duration join_retry = milliseconds(20);
  Duration join_patience = milliseconds(300);  ///< without an answer for so long: found the cluster
  Duration yield_window = milliseconds(5);     ///< a fair holder waits so long for a late requester
  Duration throttle_window = milliseconds(2);  ///< any holder pauses so long for one that lags far

  // Recovery: only in clusters one of whose members is the PageServer.
  bool page_server = false;  ///< this node decides who is dead and opens new epochs
  Duration suspect_after = milliseconds(200);  ///< a silent member is taken for dead
  /// A member whose newest answer of the PageServer was asked for longer ago commits nothing and
  /// serves nobody. The PageServer lets four times as long pass before a new epoch begins without
  /// it, so that no two epochs are at work at once even if clocks run twice as fast or slow as they
  /// should.
  Duration lease = milliseconds(50);
  Duration recovery_retry = milliseconds(10);
  /// So long after its last answer a PageServer that is known to be absent is gone on without.
  Duration absence = milliseconds(10'000);

  // Images, taken by the PageServer.
  /// Pages that are kept as they were at the time of the image being taken, because they were
  /// written again since. When they are used up the image comes to nothing; no commit waits.
  std::uint32_t pre_images = 1024;
  /// While others work on, the pages of an image are asked for a few at a time, with this between.
  Duration image_pause = microseconds(200);
  Duration image_retry = milliseconds(4);        ///< requests for pages of an image
  Duration image_patience = milliseconds(2000);  ///< without any page for so long it is given up
};

}  // namespace plurix
