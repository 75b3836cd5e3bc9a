//! A batch against state: licences, keys, earlier batches, rates.

use std::collections::{BTreeMap, btree_map::Entry};

use alloy_primitives::B256;

use super::{Fraud, Place, check::Batch};
use crate::{Header, lane::source_id, page::RecordView, receipt::is_signed_by, state::LaneState};

impl Batch<'_> {
    /// What state says.
    pub(super) fn against<S: LaneState>(&self, state: &S) -> Result<Option<Fraud>, S::Error> {
        let Header { as_of, period, .. } = self.header;
        let mut sources = BTreeMap::new();
        for (place, record) in self.all() {
            if !state.allows(&record.licence, record.time, *as_of)? {
                return Ok(Some(Fraud::Licence(place)));
            }
            let source = match sources.entry((record.payer, record.source)) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(self.source(&record, state)?),
            };
            if let Some(fraud) = self.of_source(place, &record, source, state)? {
                return Ok(Some(fraud));
            }
        }
        for (place, row) in self.rows() {
            let bps = state.royalty_bps(&row.licence, period.start(), *as_of)?;
            if bps.is_some_and(|bps| bps != row.royalty_bps) {
                return Ok(Some(Fraud::Terms(place)));
            }
        }
        Ok(None)
    }

    fn source<S: LaneState>(&self, record: &RecordView<'_>, state: &S) -> Result<Source, S::Error> {
        let Header { lane, as_of, .. } = self.header;
        let id = source_id(lane, &record.payer, record.source.as_str());
        let key = state.source_key(lane, &record.payer, &id, *as_of)?;
        let is_admitted = state.admits(self.header, &record.payer, &id, key.is_some())?;
        Ok(Source { id, key, is_admitted })
    }

    /// A record's signature, its payer's consent, and whether an earlier batch has it.
    fn of_source<S: LaneState>(
        &self,
        place: Place,
        record: &RecordView<'_>,
        source: &Source,
        state: &S,
    ) -> Result<Option<Fraud>, S::Error> {
        if let Some(key) = source.key.as_ref().filter(|key| !is_signed(&self.header.lane, key, record)) {
            return Ok(Some(Fraud::Source(place, key.clone())));
        }
        if !source.is_admitted {
            return Ok(Some(Fraud::Source(place, Vec::new())));
        }
        // A decoded record has an id.
        let Some(id) = record.receipt_id() else { return Ok(None) };
        let earlier = state.earlier(self.header, &source.id, &id)?;
        Ok(earlier.map(|earlier| Fraud::Earlier(place, Box::new(earlier))))
    }
}

/// A source of a batch, and what state knows of it.
struct Source {
    id: B256,
    key: Option<Vec<u8>>,
    is_admitted: bool,
}

fn is_signed(lane: &crate::LaneId, key: &[u8], record: &RecordView<'_>) -> bool {
    record.signature.is_some_and(|signature| is_signed_by(key, &record.digest(lane), signature))
}
