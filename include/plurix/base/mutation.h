// Bugs planted on purpose: the exam of the tests (tests/mutation). Each is a named switch in the
// line that it breaks; tests/README.md says which test must notice. In every build but the exam's a
// switch is false when the compiler sees it, and nothing of it remains.
#pragma once

#include <string_view>

namespace plurix {

inline constexpr std::string_view kMutations[] = {
    // frames
    "crc_not_checked",
    "old_epoch_accepted",
    "foreign_cluster_accepted",
    "impostor_accepted",
    "former_life_addressed",
    // pages
    "page_served_to_late_requester",
    "page_of_the_future_mapped",
    "stale_reply_mapped",
    "request_of_the_future_answered",
    "hint_trusted_as_truth",
    "uncommitted_page_served",
    "gap_page_asked_for",
    "page_fetched_into_attempt",
    // attempts
    "page_missing_from_read_set",
    "shadow_not_restored",
    "attempt_stamp_not_advanced",
    "doomed_attempt_not_stopped",
    "write_access_left_on",
    "conservative_reads_forgotten",
    // commits
    "invalidation_skipped",
    "commit_applied_without_its_time",
    "part_of_commit_visible",
    "record_applied_twice",
    "commit_times_not_dense",
    "snapshot_taken_away",
    // token
    "token_granted_twice",
    "duplicate_grant_accepted",
    "token_passed_before_notice",
    "token_used_before_catching_up",
    "token_granted_to_late_requester",
    "token_passed_on_while_needed",
    "grant_not_repeated",
    "foreign_ack_accepted",
    "arrival_ignored",
    // catching up
    "catch_up_asked_for_once",
    "log_exhausted_ignored",
    "resync_keeps_stale_page",
    "resync_skips_commits",
    "resync_takes_older_answer",
    "beacon_not_sent",
    "latest_not_awaited",
    "latest_told_by_anybody",
    // members
    "two_owners_after_adoption",
    "cluster_founded_beside_one_that_waits",
    "one_that_may_not_found_awaited",
    "second_page_server_let_in",
    "grant_not_repeated_to_page_server",
    "leaver_takes_pages_along",
    "newcomer_imports_nothing",
    "cookie_not_checked",
    // limits
    "window_without_limit",
    "log_words_without_limit",
    "full_action_list_keeps_rights",
    // the heap
    "object_straddles_pages",
    "read_only_beside_read_write",
    "pages_of_another_node",
    "chain_entry_forgotten",
    "chain_entry_doubled",
    "chain_entry_left",
    "link_not_fixed_on_relocation",
    "links_left_in_freed_object",
    "candidate_dropped",
    // false sharing
    "moved_without_hysteresis",
    "true_sharing_taken_for_false",
    // the collector
    "linked_object_collected",
    "other_links_overlooked",
    "link_of_the_dead_left",
    "chain_searched_in_part",
    "condemned_object_not_spared",
    "cleared_link_taken_out_again",
    "array_shortened_too_far",
    "group_taken_for_closed",
    "pages_outside_not_planned",
    "pages_beyond_ignored",
    "too_large_a_step_again",
    "weak_way_unnoticed",
    "place_of_a_trial_reused",
    "suspended_candidate_forgotten",
    "condemned_not_checked_again",
    "new_objects_not_looked_at",
    "found_alive_for_ever",
    "another_lost_link_untold",
    "trial_forgets_its_rest",
    "candidate_freed_first",
    "unfinished_trial_not_swept",
    "lost_candidates_not_swept",
    "garbage_of_the_departed_left",
    // local objects
    "undo_in_order_of_registration",
    // fairness and faults
    "pause_never_grows",
    "delayed_frame_wakes_nobody",
    "replay_not_counted",
    // epochs
    "lease_ignored",
    "lease_counts_from_the_answer",
    "frozen_node_goes_on",
    "token_survives_its_epoch",
    "two_heirs",
    "undone_line_accepted",
    "image_taken_for_new",
    "page_of_former_life_kept",
    "epoch_not_noted",
    "parting_not_noted",
    "leaving_page_server_opens_epoch",
    "page_server_leaves_before_all_follow",
    "cut_off_member_applies_nothing",
    "strangers_not_asked",
    "older_table_taken",
    "left_out_unnoticed",
    "leave_outlives_epoch",
    "image_known_late",
    "return_not_noted",
    "absence_revives_lease",
    "absence_ignored",
    "expelled_node_goes_on",
    "epoch_starts_too_early",
    "dead_ones_number_reused",
    "half_resynchronized_node_reports",
    "leaver_takes_last_copy_along",
    // images
    "no_flush_before_superblock",
    "superblock_before_segment",
    "torn_segment_accepted",
    "cleaner_removes_live_page",
    "image_mixes_commit_times",
    "stale_page_in_image",
    "stale_page_by_snooping",
    "undone_page_kept",
    "old_page_kept",
    "durable_too_early",
    "undone_image_comes_back",
    "undone_first_image_not_told",
};

/// One of kMutations; any other name does not compile.
class MutationName {
 public:
  consteval MutationName(const char* name) {  // NOLINT: a name is written where it is used
    while (kMutations[index_] != name) ++index_;
  }
  constexpr unsigned index() const noexcept { return index_; }

 private:
  unsigned index_ = 0;
};

#if defined(PLURIX_EXAM)
/// Index of the bug that this run has, set by tests/mutation.
extern unsigned planted_mutation;
inline bool mutated(MutationName name) noexcept { return name.index() == planted_mutation; }
#else
consteval bool mutated(MutationName) noexcept { return false; }
#endif

}  // namespace plurix
