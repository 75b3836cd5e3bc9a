//! The tables, one migration behind the other. A migration that was released is never changed: the next one changes what it made.
//!
//! `{bytes}` is the type of byte strings, `{clustered}` what makes a table lie in the order of its key.

use super::{StoreError, engine::Transaction, sql::params};

/// Every migration, the first first.
const MIGRATIONS: &[&str] = &[FIRST, SEQUENCED];

const FIRST: &str = "
CREATE TABLE counters (name TEXT PRIMARY KEY, value BIGINT NOT NULL);
INSERT INTO counters VALUES ('lane', 0), ('source', 0), ('chunk', 0), ('batch', 0), ('aside', 0), ('sent', 0), ('key', 0), ('import', 0), ('retention', 0);

CREATE TABLE lanes (id BIGINT PRIMARY KEY, name TEXT NOT NULL UNIQUE, currency TEXT NOT NULL, decimals BIGINT NOT NULL);
CREATE TABLE sources (
    id BIGINT PRIMARY KEY, lane BIGINT NOT NULL, payer {bytes} NOT NULL, name TEXT NOT NULL, UNIQUE (lane, payer, name));

CREATE TABLE receipt_keys (
    source BIGINT NOT NULL, id {bytes} NOT NULL, chunk BIGINT NOT NULL, place BIGINT NOT NULL, PRIMARY KEY (source, id)) {clustered};
CREATE TABLE chunks (
    id BIGINT PRIMARY KEY, lane BIGINT NOT NULL, period BIGINT NOT NULL, receipts BIGINT NOT NULL, waiting BIGINT NOT NULL,
    received BIGINT NOT NULL, content {bytes});
CREATE INDEX chunks_by_period ON chunks (lane, period, id);
CREATE INDEX chunks_waiting ON chunks (lane, period, id) WHERE waiting > 0;

CREATE TABLE members (
    holder BIGINT NOT NULL, chunk BIGINT NOT NULL, receipts BIGINT NOT NULL, places {bytes} NOT NULL, PRIMARY KEY (holder, chunk)) {clustered};
CREATE INDEX members_by_chunk ON members (chunk);
CREATE TABLE asides (
    id BIGINT PRIMARY KEY, lane BIGINT NOT NULL, period BIGINT NOT NULL, reason TEXT NOT NULL, receipts BIGINT NOT NULL, at BIGINT NOT NULL);

CREATE TABLE batches (
    id BIGINT PRIMARY KEY, lane BIGINT NOT NULL, period BIGINT NOT NULL, number BIGINT NOT NULL, root {bytes} NOT NULL,
    header {bytes} NOT NULL, receipts BIGINT NOT NULL, state TEXT NOT NULL, note TEXT NOT NULL, made BIGINT NOT NULL, changed BIGINT NOT NULL);
CREATE INDEX batches_by_lane ON batches (lane, number);
CREATE INDEX batches_by_root ON batches (root);
CREATE TABLE blobs (batch BIGINT PRIMARY KEY, elements {bytes} NOT NULL);
CREATE TABLE sent (
    id BIGINT PRIMARY KEY, batch BIGINT NOT NULL, step TEXT NOT NULL, place BIGINT NOT NULL, hash {bytes} NOT NULL, raw {bytes} NOT NULL,
    outcome TEXT, at BIGINT NOT NULL);
CREATE INDEX sent_by_batch ON sent (batch, id);

CREATE TABLE api_keys (
    id BIGINT PRIMARY KEY, hash {bytes} NOT NULL UNIQUE, source BIGINT NOT NULL, label TEXT NOT NULL, per_second BIGINT NOT NULL,
    made BIGINT NOT NULL, revoked BIGINT);
CREATE TABLE requests (
    api_key BIGINT NOT NULL, name TEXT NOT NULL, digest {bytes} NOT NULL, answer TEXT NOT NULL, at BIGINT NOT NULL,
    PRIMARY KEY (api_key, name));
CREATE INDEX requests_by_time ON requests (at);
CREATE TABLE imports (
    id BIGINT PRIMARY KEY, lane BIGINT NOT NULL, file TEXT NOT NULL, began BIGINT NOT NULL, ended BIGINT, accepted BIGINT NOT NULL,
    known BIGINT NOT NULL, refused BIGINT NOT NULL);
CREATE TABLE retention (
    id BIGINT PRIMARY KEY, lane BIGINT NOT NULL, at BIGINT NOT NULL, before BIGINT NOT NULL, chunks BIGINT NOT NULL,
    receipts BIGINT NOT NULL);
CREATE TABLE notes (name TEXT PRIMARY KEY, value TEXT NOT NULL);
";

/// Batches of the lane that were made elsewhere (`adopted`: 0 one's own, 1 its receipts are not known yet, 2 they are), with the keys of
/// their receipts; what kind of obstacle keeps receipts aside.
const SEQUENCED: &str = "
ALTER TABLE batches ADD COLUMN adopted BIGINT NOT NULL DEFAULT 0;
ALTER TABLE asides ADD COLUMN kind TEXT NOT NULL DEFAULT '';
CREATE TABLE adopted_receipts (
    lane BIGINT NOT NULL, key {bytes} NOT NULL, batch BIGINT NOT NULL, PRIMARY KEY (lane, key, batch)) {clustered};
";

/// Whether there is nothing to do.
pub(super) fn is_newest(tx: &mut Transaction<'_>) -> Result<bool, StoreError> {
    let found = tx.one("SELECT coalesce(max(version), 0) FROM versions", &[])?.int(0)?;
    Ok(usize::try_from(found) == Ok(MIGRATIONS.len()))
}

/// Brings the tables to the newest version, within the transaction, which nobody else may be in at the same time.
pub(super) fn migrate(tx: &mut Transaction<'_>) -> Result<(), StoreError> {
    tx.execute_all("CREATE TABLE IF NOT EXISTS versions (version BIGINT PRIMARY KEY, at BIGINT NOT NULL)")?;
    let row = tx.one("SELECT coalesce(max(version), 0) FROM versions", &[])?;
    let found = row.int(0)?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(StoreError::Version { found, known });
    }
    for (version, migration) in (1i64..).zip(MIGRATIONS) {
        if version > found {
            tx.execute_all(migration)?;
            let at = crate::now();
            tx.execute("INSERT INTO versions (version, at) VALUES ($1, $2)", params![version, at])?;
        }
    }
    Ok(())
}
