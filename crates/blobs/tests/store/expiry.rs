//! Blobs expire.

use chlom_blobs::BlobError;

use crate::square::{at, blob_file, config, id, meta, open, put};

#[test]
fn pruning_removes_what_has_expired_earliest_first_a_few_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for n in [5, 3, 4, 1, 2] {
        store.create(&meta(n, 1)).unwrap();
        put(&store, id(n), [at(0, 0)]);
    }
    assert_eq!(store.stats().next_expiry, Some(1001));
    assert!(store.prune(1000, 10).unwrap().removed.is_empty(), "nothing expires before its time");
    assert_eq!(store.expiring(1003, 2), [(1001, id(1)), (1002, id(2))]);
    let pruned = store.prune(1003, 2).unwrap();
    assert_eq!((pruned.removed, pruned.bytes, pruned.more), (vec![id(1), id(2)], 2 * (12_288 + 2104), true));
    let pruned = store.prune(1003, 2).unwrap();
    assert_eq!((pruned.removed, pruned.more), (vec![id(3)], false));
    assert!(!blob_file(folder.path(), id(3)).exists());
    assert_eq!(store.list(None, 10), [id(4), id(5)]);
    assert_eq!(store.stats().used_bytes, 2 * (12_288 + 2104));
    drop(store);
    assert_eq!(open(folder.path()).list(None, 10), [id(4), id(5)], "what is pruned stays pruned");
}

#[test]
fn publishing_again_extends_the_expiry_and_never_shortens_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut blob = meta(1, 1);
    store.create(&blob).unwrap();
    put(&store, id(1), [at(1, 1)]);
    blob.expires_at = 5000;
    assert!(!store.create(&blob).unwrap());
    store.extend_expiry(&id(1), 3000).unwrap();
    assert!(store.prune(4999, 10).unwrap().removed.is_empty());
    assert_eq!(store.meta(&id(1)).unwrap().expires_at, 5000);
    drop(store);
    let store = open(folder.path());
    assert_eq!(store.meta(&id(1)).unwrap(), blob);
    store.extend_expiry(&id(1), 6000).unwrap();
    assert!(store.has(&id(1), at(1, 1)));
    assert_eq!(store.expiring(u64::MAX, 10), [(6000, id(1))]);
    assert_eq!(store.prune(6000, 10).unwrap().removed, [id(1)]);
    assert!(matches!(store.extend_expiry(&id(1), 7000), Err(BlobError::Unknown { .. })));
}

#[test]
fn a_removed_blob_is_unknown_and_may_come_back_empty() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.create(&meta(1, 1)).unwrap();
    put(&store, id(1), [at(0, 0)]);
    store.remove(&id(1)).unwrap();
    assert!(!store.contains(&id(1)));
    assert!(matches!(store.get(&id(1), &[at(0, 0)]), Err(BlobError::Unknown { .. })));
    assert!(matches!(store.remove(&id(1)), Err(BlobError::Unknown { .. })));
    assert_eq!(store.stats().used_bytes, 0);
    assert!(store.create(&meta(1, 2)).unwrap(), "even as another blob");
    assert_eq!(store.presence(&id(1)).unwrap().count(), 0);
    put(&store, id(1), [at(3, 0)]);
    crate::square::assert_honest(&store, id(1));
}

#[test]
fn names_are_listed_in_order_page_by_page() {
    let folder = tempfile::tempdir().unwrap();
    let store = chlom_blobs::BlobStore::open(config(folder.path())).unwrap();
    for n in [9, 2, 7, 4] {
        store.create(&meta(n, 1)).unwrap();
    }
    assert_eq!(store.list(None, 3), [id(2), id(4), id(7)]);
    assert_eq!(store.list(Some(id(7)), 3), [id(9)]);
}
