// All counters of a node's protocol, for machines: which of the rare paths a run took.
#pragma once

#include <plurix/dsm/core_context.h>

#include <nlohmann/json.hpp>

namespace plurix::tool {

inline nlohmann::ordered_json to_json(const CoreCounters& counters) {
  std::uint64_t frames_dropped = 0;
  for (const auto count : counters.dropped) frames_dropped += count;
  return {{"frames_received", counters.frames_received},
          {"frames_dropped", frames_dropped},
          {"actions_dropped", counters.actions_dropped},
          {"fetches", counters.fetches},
          {"fetch_retries", counters.fetch_retries},
          {"pages_served", counters.pages_served},
          {"refused_out_of_date", counters.refused_out_of_date},
          {"requests_parked", counters.requests_parked},
          {"redirects", counters.redirects},
          {"replies_stale", counters.replies_stale},
          {"replies_early", counters.replies_early},
          {"commits", counters.commits},
          {"commit_packets", counters.commit_packets},
          {"aborts", counters.aborts},
          {"records_applied", counters.records_applied},
          {"records_duplicate", counters.records_duplicate},
          {"records_out_of_order", counters.records_out_of_order},
          {"catch_ups", counters.catch_ups},
          {"records_resent", counters.records_resent},
          {"rumours_followed", counters.rumours},
          {"log_exhausted", counters.log_exhausted},
          {"resyncs", counters.resyncs},
          {"token_requests", counters.token_requests},
          {"token_forwards", counters.token_forwards},
          {"token_refused_late", counters.token_refused_late},
          {"token_grants", counters.token_grants},
          {"token_duplicates", counters.token_duplicates},
          {"token_yields", counters.token_yields},
          {"throttles", counters.throttles},
          {"beacons", counters.beacons},
          {"epochs_opened", counters.epochs_opened},
          {"epochs_entered", counters.epochs_entered},
          {"deaths_reported", counters.deaths_reported},
          {"nodes_cut_off", counters.cut_offs},
          {"leases_in_absence", counters.absences},
          {"expulsions", counters.expulsions},
          {"rollbacks", counters.rollbacks},
          {"pages_assigned", counters.pages_assigned},
          {"images_begun", counters.images_begun},
          {"images_stored", counters.images_stored},
          {"images_given_up", counters.images_given_up},
          {"image_pages_sent", counters.image_pages_sent},
          {"pre_images_kept", counters.pre_images_kept},
          {"pre_images_refused", counters.pre_images_refused},
          {"pages_snooped", counters.pages_snooped},
          {"snooped_early", counters.snooped_early},
          {"snooped_stale", counters.snooped_stale}};
}

}  // namespace plurix::tool
