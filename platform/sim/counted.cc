#include <plurix/sim/counted.h>

namespace plurix::sim {
namespace {

constexpr std::string_view kDropNames[] = {"",
                                           "too_short",
                                           "bad_length",
                                           "bad_magic",
                                           "bad_version",
                                           "bad_checksum",
                                           "bad_type",
                                           "bad_auth",
                                           "foreign_cluster",
                                           "old_epoch",
                                           "unknown_sender",
                                           "wrong_receiver",
                                           "malformed_body",
                                           "not_joined",
                                           "queue_full"};
static_assert(std::size(kDropNames) == static_cast<std::size_t>(wire::DropReason::kCount));

}  // namespace

void Occurrences::add(const RunResult& run) {
  sim::add(counters_, run.counters);
  sim::add(network_, run.network);
  for (std::size_t i = 0; i < faults_.size(); ++i) faults_[i] += run.faults[i];
}

std::vector<Counted> Occurrences::faults() const {
  const auto& n = network_;
  const auto happened = [this](FaultKind kind) { return faults_[static_cast<std::size_t>(kind)]; };
  return {{"lost", n.lost},
          {"duplicated", n.duplicated},
          {"reordered", n.reordered},
          {"corrupted", n.corrupted},
          {"links_cut", happened(FaultKind::kCut)},
          {"nodes_isolated", happened(FaultKind::kIsolate)},
          {"cut_off", n.cut_off},
          {"pauses", happened(FaultKind::kPause)},
          {"crashes", happened(FaultKind::kCrash)},
          {"clocks_changed", happened(FaultKind::kClock)},
          {"disk_failures", happened(FaultKind::kDisk)},
          {"replayed", n.replayed},
          {"forged", n.forged}};
}

std::vector<Counted> Occurrences::rare_paths() const {
  const auto& c = counters_;
  return {{"fetches_repeated", c.fetch_retries},
          {"requests_parked", c.requests_parked},
          {"requests_refused_out_of_date", c.refused_out_of_date},
          {"requests_redirected", c.redirects},
          {"replies_stale", c.replies_stale},
          {"replies_early", c.replies_early},
          {"records_out_of_order", c.records_out_of_order},
          {"records_duplicate", c.records_duplicate},
          {"records_resent", c.records_resent},
          {"rumours_followed", c.rumours},
          {"catch_ups", c.catch_ups},
          {"log_exhausted", c.log_exhausted},
          {"resynchronizations", c.resyncs},
          {"token_requests_forwarded", c.token_forwards},
          {"token_requests_late", c.token_refused_late},
          {"token_grants_duplicate", c.token_duplicates},
          {"token_yields", c.token_yields},
          {"throttles", c.throttles},
          {"beacons", c.beacons},
          {"epochs_opened", c.epochs_opened},
          {"epochs_entered", c.epochs_entered},
          {"deaths_reported", c.deaths_reported},
          {"nodes_cut_off", c.cut_offs},
          {"leases_in_absence", c.absences},
          {"expulsions", c.expulsions},
          {"rollbacks", c.rollbacks},
          {"pages_assigned", c.pages_assigned},
          {"images_stored", c.images_stored},
          {"images_given_up", c.images_given_up},
          {"pre_images_kept", c.pre_images_kept},
          {"pages_snooped", c.pages_snooped},
          {"snooped_early", c.snooped_early},
          {"snooped_stale", c.snooped_stale}};
}

std::vector<Counted> Occurrences::dropped_frames() const {
  std::vector<Counted> all;
  for (std::size_t reason = 1; reason < std::size(kDropNames); ++reason) {
    all.push_back({kDropNames[reason], counters_.dropped[reason]});
  }
  return all;
}

std::string in_words(const std::vector<Counted>& counted) {
  std::string happened;
  std::string never;
  for (const auto& [name, count] : counted) {
    auto& list = count == 0 ? never : happened;
    if (!list.empty()) list += ", ";
    list += name;
    if (count != 0) list += " " + std::to_string(count);
  }
  if (never.empty()) return happened + "; none left out";
  return happened + (happened.empty() ? "never: " : "; never: ") + never;
}

}  // namespace plurix::sim
