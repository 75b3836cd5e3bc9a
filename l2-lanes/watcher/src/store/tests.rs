#![allow(clippy::unwrap_used)]

use alloy_primitives::{Address, B256};

use super::{
    BatchRecord, Case, ChainIdentity, Cursor, Stage, Store,
    files::KeptBlob,
    ids::{IdKey, Location, key_of},
};
use crate::WatchError;

fn chain(seed: u8) -> ChainIdentity {
    ChainIdentity::new(7272, B256::repeat_byte(seed))
}

fn record(order: u64, stage: Stage) -> BatchRecord {
    BatchRecord {
        root: B256::repeat_byte(order as u8),
        order,
        lane: Address::repeat_byte(1),
        period: 20_250_901,
        number: 1,
        header: vec![1, 2, 3].into(),
        height: 7,
        accepted_at: 8,
        closes_at: 9,
        stage,
    }
}

fn wrong() -> Stage {
    let case = Case { kind: 4, what: "a row's sum".into(), salt: B256::repeat_byte(9), proof: B256::ZERO };
    Stage::Wrong(case)
}

#[test]
fn wat_2_what_was_written_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let cursor = Cursor { height: 12, hash: B256::repeat_byte(3) };
    let stages = [
        Stage::Seen,
        Stage::Fetched,
        Stage::Right { told: true },
        wrong(),
        Stage::Void { reward: Some("4000".into()) },
        Stage::Final { missed: true },
    ];
    let records: Vec<_> = (1..).zip(stages).map(|(order, stage)| record(order, stage)).collect();
    {
        let store = Store::open(folder.path(), chain(1)).unwrap();
        assert_eq!(store.cursor().unwrap(), None);
        store.advance(cursor, &records).unwrap();
    }
    let store = Store::open(folder.path(), chain(1)).unwrap();
    assert_eq!(store.cursor().unwrap(), Some(cursor));
    assert_eq!(store.batches().collect::<Result<Vec<_>, _>>().unwrap(), records);
    assert_eq!(store.order_of(&records[2].root).unwrap(), Some(3));
    assert_eq!(store.order_of(&B256::repeat_byte(0xee)).unwrap(), None);
    let again = record(2, wrong());
    store.save(&again).unwrap();
    assert_eq!(store.batch(2).unwrap(), Some(again));
}

#[test]
fn wat_2_a_directory_is_one_watchers_and_one_chains() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), chain(1)).unwrap();
    assert!(matches!(Store::open(folder.path(), chain(1)), Err(WatchError::Locked { .. })));
    drop(store);
    let refused = Store::open(folder.path(), chain(2)).unwrap_err();
    assert!(matches!(&refused, WatchError::Foreign { .. }) && refused.is_final(), "{refused}");
    Store::open(folder.path(), chain(1)).unwrap();
}

#[test]
fn wat_4_the_index_finds_every_receipt_through_the_journal_and_through_files() {
    let folder = tempfile::tempdir().unwrap();
    let entries = |order: u64, from: u32, count: u32| -> Vec<(IdKey, Location)> {
        let one =
            |n: u32| (key_of(&B256::repeat_byte(1), &format!("AD-{n}")), Location { order, page: n, at: 3 });
        (from..from + count).map(one).collect()
    };
    {
        let store = Store::open(folder.path(), chain(1)).unwrap();
        store.index(entries(1, 0, 10)).unwrap();
        store.index(entries(2, 100, 10_000)).unwrap();
        // Once more, as after a crash.
        store.index(entries(2, 100, 10_000)).unwrap();
        // A later batch takes the place of one that is void.
        store.index(entries(3, 0, 1)).unwrap();
    }
    let store = Store::open(folder.path(), chain(1)).unwrap();
    for (key, location) in entries(1, 1, 9).into_iter().chain(entries(2, 100, 10_000)).chain(entries(3, 0, 1))
    {
        assert_eq!(store.find_id(&key).unwrap(), Some(location));
    }
    assert_eq!(store.find_id(&key_of(&B256::repeat_byte(2), "AD-1")).unwrap(), None, "another source's");
    assert_eq!(store.find_id(&key_of(&B256::repeat_byte(1), "AD-50")).unwrap(), None);
}

#[test]
fn wat_2_a_blob_that_is_cut_short_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), chain(1)).unwrap();
    let root = B256::repeat_byte(1);
    assert_eq!(store.blob(&root, 2).unwrap(), None);
    let blob = KeptBlob { commitments: vec![[0xc0; 48]; 2], elements: vec![7; 2 * 131_072] };
    store.keep_blob(&root, &blob).unwrap();
    assert_eq!(store.blob(&root, 2).unwrap(), Some(blob));
    assert_eq!(store.blob(&root, 1).unwrap(), None, "of another batch's size");
    store.keep_proof(&root, b"proof").unwrap();
    assert_eq!(store.proof(&root).unwrap().as_deref(), Some(&b"proof"[..]));
    store.forget_files(&root).unwrap();
    store.forget_files(&root).unwrap();
    assert_eq!((store.blob(&root, 2).unwrap(), store.proof(&root).unwrap()), (None, None));
}
