//! Rows of batches, with their ways to the root over the rows: from the outbox, or from the chain's blobs while they are kept.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{B256, Bytes, FixedBytes};
use chlom_chain::blobs::blob_id;
use chlom_client::{
    Chain,
    blobs::read,
    lanes::{
        batches::Claim,
        events::{self, Happening},
        settled::Settled,
    },
};
use chlom_lane::{Blob, Header, LaneId, Row, merkle::Tree, page::TablePage};
use chlom_statement::document::{Batch, RowOf, Units};

use super::ExportError;
use crate::{
    Store,
    store::{BatchState, Lane},
};

/// Heights that are asked for at once.
const HEIGHTS_AT_ONCE: u64 = 2_000;

/// Rows of all batches that settled, as far as they can be had.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) batches: Vec<Batch>,
    /// By licence, lane and period: the rows, or none where one of them cannot be had.
    rows: BTreeMap<(B256, LaneId, u32), Option<Vec<RowOf>>>,
}

impl Rows {
    pub(super) fn read(
        store: &Store,
        lane: &Lane,
        chain: &Chain,
        head: u64,
        events: &[Settled],
    ) -> Result<Self, ExportError> {
        let mut of: BTreeMap<B256, Vec<&Settled>> = BTreeMap::new();
        for event in events {
            of.entry(event.batch).or_default().push(event);
        }
        let accepted = accepted(chain, head, &of.keys().copied().collect())?;
        let own = store.batches(lane, &[BatchState::Submitted, BatchState::Final, BatchState::Settled])?;
        let own: BTreeMap<B256, i64> = own.into_iter().map(|batch| (batch.root, batch.id)).collect();
        let mut found = Self::default();
        for (root, events) in of {
            let elements = match own.get(&root) {
                Some(id) => store.blob(*id)?,
                None => None,
            };
            let table = accepted.get(&root).and_then(|(claim, header)| {
                let table = Table::read(chain, header, elements)?;
                Some((claim, table))
            });
            let place = found.batches.len();
            for event in events {
                let row = table.as_ref().and_then(|(_, table)| table.row(place, event));
                let key = (event.licence, event.lane, event.period);
                let rows = found.rows.entry(key).or_insert_with(|| Some(Vec::new()));
                match (rows.as_mut(), row) {
                    (Some(rows), Some(row)) => rows.push(row),
                    _ => *rows = None,
                }
            }
            if let Some((claim, _)) = table {
                found.batches.push(batch_of(root, claim));
            }
        }
        Ok(found)
    }

    /// All rows of an accrual, or none.
    pub(super) fn of(&self, licence: B256, lane: LaneId, period: u32) -> Option<Vec<RowOf>> {
        self.rows.get(&(licence, lane, period)).cloned().flatten()
    }
}

fn batch_of(root: B256, claim: &Claim) -> Batch {
    Batch {
        root,
        lane: LaneId::from(claim.lane.0),
        period: claim.period,
        token: claim.token,
        scale: claim.scale,
        rebate_bps: claim.rebateBps,
        rows: claim.rows,
        licenses_root: claim.licensesRoot,
    }
}

/// Claims and headers of batches, by the chain's logs.
fn accepted(
    chain: &Chain,
    head: u64,
    wanted: &BTreeSet<B256>,
) -> Result<BTreeMap<B256, (Claim, Bytes)>, ExportError> {
    let (mut next, mut step, mut found) = (0, HEIGHTS_AT_ONCE, BTreeMap::new());
    while next <= head && found.len() < wanted.len() {
        let last = head.min(next.saturating_add(step.saturating_sub(1)));
        let events = match events::logs(chain, next, last) {
            Ok(events) => events,
            Err(chlom_client::ClientError::Refused { .. } | chlom_client::ClientError::TooLong { .. })
                if last > next =>
            {
                step = (last.saturating_sub(next).saturating_add(1) / 2).max(1);
                continue;
            }
            Err(other) => return Err(other.into()),
        };
        for event in events {
            if let Happening::Accepted { claim, header, .. } = event.what
                && wanted.contains(&event.batch)
            {
                found.insert(event.batch, (claim, header));
            }
        }
        next = last.saturating_add(1);
        step = step.saturating_mul(2).min(HEIGHTS_AT_ONCE);
    }
    Ok(found)
}

/// A batch's rows and the tree over them.
struct Table {
    rows: Vec<Row>,
    tree: Tree,
}

impl Table {
    /// `None` where the blob cannot be had any more: its rows are not shown then.
    fn read(chain: &Chain, header: &Bytes, elements: Option<Vec<u8>>) -> Option<Self> {
        let header = Header::decode(header).ok()?;
        let elements = elements.or_else(|| {
            let lane = FixedBytes(header.lane.into_array());
            let id = blob_id(&lane, header.period.code(), &header.blob.merkle_root);
            let found = read::data(chain, id).ok()?;
            (found.known.header == header.blob).then(|| found.elements())
        })?;
        let blob = Blob::new(&header, &elements).ok()?;
        let mut rows = Vec::new();
        for page in header.record_pages..header.record_pages.saturating_add(header.table_pages) {
            rows.extend(TablePage::decode(&blob.page(page)?).ok()?.rows);
        }
        let tree = Tree::new(rows.iter().map(Row::leaf).collect())?;
        // The statement proves it anyhow; here a damaged blob only costs the rows.
        (tree.root() == header.licenses_root).then_some(Self { rows, tree })
    }

    fn row(&self, batch: usize, event: &Settled) -> Option<RowOf> {
        let index = self.rows.binary_search_by_key(&(event.payer, event.licence), Row::pair).ok()?;
        let row = self.rows.get(index)?;
        Some(RowOf {
            batch,
            index: u32::try_from(index).ok()?,
            payer: row.payer,
            first_record: row.first_record,
            count: row.count,
            revenue: Units(row.revenue),
            royalty_bps: row.royalty_bps,
            owed: Units(row.owed),
            path: self.tree.path(index)?,
        })
    }
}
