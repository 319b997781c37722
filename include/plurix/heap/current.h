// The transaction that is running here: what a Link works with when it is assigned, since an
// assignment has no room for it. Set by Node around a body. Of a thread in a hosted program; a
// kernel has one. The only state outside nodes that the hub has.
#pragma once

namespace plurix {

class Transaction;

namespace detail {

#if __STDC_HOSTED__
inline thread_local constinit Transaction* current_transaction = nullptr;
#else
inline constinit Transaction* current_transaction = nullptr;
#endif

}  // namespace detail
}  // namespace plurix
