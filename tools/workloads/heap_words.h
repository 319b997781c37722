// What the verifier found, as a sentence.
#pragma once

#include <plurix/heap/verify.h>
#include <plurix/transaction.h>

#include <cstdio>
#include <string>

#include "workloads/workload.h"

namespace plurix::workloads {

inline std::string heap_words(const HeapReport& report) {
  if (report.ok()) {
    return "the heap is sound (" + std::to_string(report.objects) + " objects, " +
           std::to_string(report.links) + " links, " + std::to_string(report.pages_taken) +
           " pages)";
  }
  std::string words = "the heap is NOT sound (" + std::to_string(report.wrong) + " findings)";
  for (const auto& finding : report.findings) {
    char place[64];
    std::snprintf(place, sizeof place, " at 0x%llx, 0x%llx",
                  static_cast<unsigned long long>(finding.at),
                  static_cast<unsigned long long>(finding.other));
    words += std::string("; ") + finding.what + place;
  }
  return words;
}

/// Verifies the whole heap and adds what was found to a workload's own verification, unless that
/// has done so.
template <class Node>
void add_heap_verification(Node& node, Verification& verification) {
  if (verification.words.find("; the heap is ") != std::string::npos) return;
  const auto outcome =
      node.read_only(Freshness::kLatest, [](Transaction& t) { return verify_heap(t); });
  const bool read = outcome.committed();
  verification.ok = verification.ok && read && outcome.value->ok();
  verification.words +=
      "; " + (read ? heap_words(*outcome.value) : unread("heap", outcome.reason).words);
}

}  // namespace plurix::workloads
