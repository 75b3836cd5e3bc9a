//! Double counts over batches, by the watcher's own index and blobs.

#![allow(clippy::unwrap_used)]

use std::cell::Cell;

use alloy_primitives::{Address, B256};
use chlom_lane::{
    Blob, Frame, Header, LaneId, LaneState, Receipt, build,
    fraud::{Fraud, FraudKind, judge, prove},
    lane::{lane_id, source_id},
    receipt::{Body, Name, ReceiptId},
    state::EarlierRecord,
};
use chlom_royalty::Period;

use super::earlier::Earlier;
use crate::{
    WatchError,
    check::by_state,
    store::{BatchRecord, ChainIdentity, Cursor, Stage, Store, files::KeptBlob},
};

/// All licences in force; earlier batches by the index.
struct State<'a>(Option<Earlier<'a>>);

impl LaneState for State<'_> {
    type Error = WatchError;
    fn allows(&self, _: &B256, _: u64, _: u64) -> Result<bool, WatchError> {
        Ok(true)
    }
    fn royalty_bps(&self, _: &B256, _: u64, _: u64) -> Result<Option<u16>, WatchError> {
        Ok(Some(500))
    }
    fn source_key(&self, _: &LaneId, _: &Address, _: &B256, _: u64) -> Result<Option<Vec<u8>>, WatchError> {
        Ok(None)
    }
    fn admits(&self, _: &Header, _: &Address, _: &B256, _: bool) -> Result<bool, WatchError> {
        Ok(true)
    }
    fn earlier(
        &self,
        _: &Header,
        source: &B256,
        id: &ReceiptId,
    ) -> Result<Option<EarlierRecord>, WatchError> {
        self.0.as_ref().map_or(Ok(None), |earlier| earlier.find(source, id))
    }
}

struct World {
    store: Store,
    _folder: tempfile::TempDir,
}

fn receipt(number: usize) -> Receipt {
    Receipt {
        payer: Address::repeat_byte(7),
        licence: B256::repeat_byte(1 + (number % 3) as u8),
        source: Name::new("shop").unwrap(),
        id: ReceiptId::new(&format!("A-{number}")).unwrap(),
        time: Period::new(20_250_901).unwrap().start() + 5,
        body: Body::AdConversion { campaign: Name::new("C").unwrap(), value: 100 },
        signature: None,
    }
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), ChainIdentity::new(1, B256::ZERO)).unwrap();
        Self { store, _folder: folder }
    }

    /// A batch that the chain accepted in this place, with its blob on disk.
    fn accept(&self, order: u64, receipts: Vec<Receipt>) -> (Header, Vec<u8>) {
        let period = Period::new(20_250_901).unwrap();
        let frame = Frame {
            lane: lane_id("adluxe"),
            parameters: 1,
            period,
            number: order as u32,
            predecessor: B256::ZERO,
            as_of: period.end(),
        };
        let (draft, rest) = build(frame, receipts, &State(None)).unwrap();
        assert!(rest.is_empty());
        let header = draft.header([0xc0; 48], B256::repeat_byte(order as u8));
        let elements = draft.elements();
        let record = BatchRecord {
            root: header.batch_root(),
            order,
            lane: header.lane,
            period: header.period.code(),
            number: header.number,
            header: header.encode().into(),
            height: order,
            accepted_at: 0,
            closes_at: 0,
            stage: Stage::Fetched,
        };
        self.store
            .advance(Cursor { height: order, hash: B256::ZERO }, std::slice::from_ref(&record))
            .unwrap();
        let commitments = vec![[0xc0; 48]; header.blob.rows.data()];
        self.store.keep_blob(&record.root, &KeptBlob { commitments, elements: elements.clone() }).unwrap();
        (header, elements)
    }

    /// The fraud of a batch, and later ones that have its receipts.
    fn check(
        &self,
        order: u64,
        (header, elements): &(Header, Vec<u8>),
        is_void: bool,
    ) -> (Option<Fraud>, Vec<u64>) {
        let state = State(Some(Earlier::new(&self.store, order, move |_| Ok(is_void))));
        let blob = Blob::new(header, elements).unwrap();
        let found = by_state(&self.store, order, blob, &state).unwrap();
        (found, state.0.unwrap().later())
    }
}

fn many(from: usize, count: usize) -> Vec<Receipt> {
    (from..from + count).map(receipt).collect()
}

#[test]
fn wat_4_a_receipt_of_an_earlier_batch_convicts_the_later_one_and_the_proof_stands() {
    let world = World::new();
    let first = world.accept(1, many(0, 2_000));
    let right = world.accept(2, many(2_000, 500));
    let wrong = world.accept(3, [many(2_500, 700), vec![receipt(1_234)]].concat());
    assert_eq!(world.check(1, &first, false), (None, vec![]));
    assert_eq!(world.check(2, &right, false), (None, vec![]));
    assert_eq!(world.check(1, &first, false), (None, vec![]), "once more, as after a crash");
    let (found, _) = world.check(3, &wrong, false);
    let found = found.expect("a fraud");
    let proof = prove(Blob::new(&wrong.0, &wrong.1).unwrap(), &found);
    let verdict = judge(&wrong.0, proof.kind as u8, &proof.cells, &proof.evidence).unwrap();
    assert_eq!(verdict.kind, FraudKind::DoubleCount);
    assert_eq!(verdict.check, chlom_lane::fraud::Check::Earlier { batch: first.0.batch_root() });
    // What was found wrong is not in the index: it convicts nobody.
    let after = world.accept(4, many(2_600, 10));
    assert_eq!(world.check(4, &after, false), (None, vec![]));
}

#[test]
fn wat_4_a_void_batch_convicts_nobody_and_its_place_is_taken() {
    let world = World::new();
    let void = world.accept(1, many(0, 50));
    assert_eq!(world.check(1, &void, false), (None, vec![]));
    let again = world.accept(2, many(0, 50));
    assert_eq!(world.check(2, &again, true), (None, vec![]), "the first is void");
    let third = world.accept(3, many(10, 1));
    let (found, _) = world.check(3, &third, false);
    let Some(Fraud::Earlier(_, shown)) = found else { panic!("{found:?}") };
    assert_eq!(shown.header, again.0.encode(), "it is the second batch that has it");
}

#[test]
fn wat_4_a_batch_that_comes_late_has_later_ones_checked_again() {
    let world = World::new();
    let (late, early) = (world.accept(1, many(0, 50)), world.accept(2, many(40, 50)));
    assert_eq!(world.check(2, &early, false), (None, vec![]), "the first one's blob is not here yet");
    assert_eq!(world.check(1, &late, false), (None, vec![2]));
    let (found, _) = world.check(2, &early, false);
    assert_eq!(found.map(|found| found.kind()), Some(FraudKind::DoubleCount));
}

#[test]
fn wat_4_what_only_shares_a_key_of_the_index_is_no_double_count() {
    use crate::store::ids::{Location, key_of};
    let world = World::new();
    let first = world.accept(1, many(0, 5));
    assert_eq!(world.check(1, &first, false), (None, vec![]));
    let source = source_id(&first.0.lane, &Address::repeat_byte(7), "shop");
    // As if the key of A-9 were that of the first record of batch 1.
    let shared = Location { order: 1, page: 0, at: 0 };
    world.store.index(vec![(key_of(&source, "A-9"), shared)]).unwrap();
    let asked = Cell::new(0);
    let earlier = Earlier::new(&world.store, 2, |_| {
        asked.set(asked.get() + 1);
        Ok(false)
    });
    assert_eq!(earlier.find(&source, &ReceiptId::new("A-9").unwrap()).unwrap(), None);
    assert!(earlier.find(&source, &ReceiptId::new("A-3").unwrap()).unwrap().is_some());
    assert_eq!(asked.get(), 1, "the chain is asked once a batch");
}
