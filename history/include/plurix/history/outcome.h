// Which attempts took effect: the rules for outcomes that nobody was told.
//
// An attempt of status "unknown" took effect wholly or not at all, perhaps after its `end_ns`.
//  * A later line of the same attempt (node, incarnation, tx, attempt) replaces an "unknown" one. A
//  node that fears to be
//    killed can so write its intent before it commits.
//  * Some other attempt saw a value that only it wrote: it took effect, at its commit time.
//  * Nobody saw such a value: an append changes nothing that anybody knows; a register may or may
//  not hold the value, and
//    each read may find either, as long as no commit has taken the same commit time.
//  * It may have been seen but has no commit time: the keys it wrote are left to the `graph` check.
#pragma once

#include <plurix/history/index.h>

namespace plurix::history {

// Turns Effect::kMaybe into the effect that the rules above give. Returns the number of keys left
// to `graph`.
std::size_t settle_outcomes(Index& index);

}  // namespace plurix::history
