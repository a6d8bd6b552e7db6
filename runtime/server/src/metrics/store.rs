//! Counters of the store under their public names.

use store::MetricsNow;

/// Name, type, help, value.
type StoreCounter = (&'static str, &'static str, &'static str, fn(&MetricsNow) -> u64);

pub(super) const STORE: [StoreCounter; 17] = [
    ("facteur_store_commits_total", "counter", "Commits that hold.", |m| m.commits),
    ("facteur_store_commits_failed_total", "counter", "Commits that were refused or failed.", |m| m.commits_failed),
    ("facteur_store_busy_total", "counter", "Commits turned away because the queue was full.", |m| m.busy),
    ("facteur_store_groups_total", "counter", "Transactions that held one or more commits.", |m| m.groups),
    ("facteur_store_ops_total", "counter", "Changes in those commits.", |m| m.ops),
    ("facteur_deliveries_total", "counter", "Messages put into mailboxes by delivery.", |m| m.deliveries),
    ("facteur_store_flushes_wal_total", "counter", "Flushes of the WAL by commits.", |m| m.flushes_wal),
    ("facteur_store_flushes_segment_total", "counter", "Flushes of segments.", |m| m.flushes_segment),
    ("facteur_store_flushes_checkpoint_total", "counter", "Flushes made by checkpoints.", |m| m.flushes_checkpoint),
    ("facteur_store_body_bytes_total", "counter", "Octets written into segments.", |m| m.body_bytes),
    ("facteur_store_wal_bytes_total", "counter", "Octets of WAL written by commits.", |m| m.wal_bytes),
    ("facteur_store_checkpoints_total", "counter", "Checkpoints.", |m| m.checkpoints),
    ("facteur_store_queue_ops", "gauge", "Changes that wait for the writer.", |m| m.queue_ops),
    ("facteur_search_indexed_total", "counter", "Messages the search index read.", |m| m.search_indexed),
    ("facteur_search_waiting", "gauge", "Messages of a mailbox the search index is at that it has not read.", |m| {
        m.search_waiting
    }),
    ("facteur_search_rebuilds_total", "counter", "Search indexes made anew.", |m| m.search_rebuilds),
    ("facteur_store_recovered_bad_bodies", "gauge", "Bodies the last recovery found bad.", |m| m.recovered_bad_bodies),
];
