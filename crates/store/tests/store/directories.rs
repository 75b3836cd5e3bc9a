//! Directories that are taken, foreign, of another version or damaged.

use std::{
    fs,
    path::Path,
    sync::{Arc, atomic::Ordering},
};

use chlom_state::TrieId;

use chlom_store::{Store, StoreConfig, StoreError};

use crate::chain::{Model, NoTrieWrites, Op, assert_same, disk};

fn chain(path: &Path, blocks: u8) -> Model {
    let store = Store::open(disk(path)).unwrap();
    let mut model = Model::default();
    for n in 0..blocks {
        store.commit(model.extend(&[Op::Write { account: n % 7, slot: n, value: 1 }])).unwrap();
    }
    model
}

#[test]
fn a_directory_is_open_once_only_and_free_again_afterwards() {
    let directory = tempfile::tempdir().unwrap();
    let model = chain(directory.path(), 3);
    let store = Store::open(disk(directory.path())).unwrap();
    let second = Store::open(disk(directory.path()));
    assert!(matches!(&second, Err(StoreError::Locked { .. })), "{second:?}");
    drop(store);
    assert_same(&Store::open(disk(directory.path())).unwrap(), &model, 100, 100);
}

#[test]
fn a_directory_with_something_else_in_it_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("thesis.tex"), "years of work").unwrap();
    let refused = Store::open(disk(directory.path()));
    assert!(
        matches!(&refused, Err(StoreError::Foreign { found, .. }) if found.contains("thesis.tex")),
        "{refused:?}"
    );
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);

    let refused = Store::open(disk(&directory.path().join("thesis.tex")));
    assert!(matches!(&refused, Err(StoreError::Foreign { .. })), "{refused:?}");
    let marked = tempfile::tempdir().unwrap();
    fs::write(marked.path().join("CHLOM-STORE"), "something else").unwrap();
    assert!(matches!(Store::open(disk(marked.path())), Err(StoreError::Foreign { .. })));
}

#[test]
fn a_store_of_another_format_says_which() {
    let directory = tempfile::tempdir().unwrap();
    chain(directory.path(), 1);
    fs::write(directory.path().join("CHLOM-STORE"), "chlom store, format 99\n").unwrap();
    let refused = Store::open(disk(directory.path()));
    assert!(matches!(&refused, Err(StoreError::Version { got, want: 4, .. }) if got == "99"), "{refused:?}");
}

#[test]
fn a_first_start_that_was_interrupted_anywhere_starts_again() {
    for leftovers in
        [&["lock"][..], &["CHLOM-STORE.new"], &["CHLOM-STORE"], &["CHLOM-STORE", "db/0.jnl", "db/lock"]]
    {
        let directory = tempfile::tempdir().unwrap();
        for name in leftovers {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let text = if *name == "CHLOM-STORE" { "chlom store, format 4\n" } else { "" };
            fs::write(path, text).unwrap();
        }
        let model = chain(directory.path(), 2);
        assert_same(&Store::open(disk(directory.path())).unwrap(), &model, 100, 100);
    }
}

/// A chain whose stored trie is behind, as after a kill.
fn chain_killed(path: &Path) -> Model {
    let crash = Arc::new(NoTrieWrites::default());
    let store = Store::open(StoreConfig { fail_point: Some(crash.clone()), ..disk(path) }).unwrap();
    crash.on.store(true, Ordering::Relaxed);
    let mut model = Model::default();
    for n in 0..6 {
        let ops = [Op::Write { account: 1, slot: n, value: 1 }, Op::Pay { account: 2, amount: 1 }];
        store.commit(model.extend(&ops)).unwrap();
    }
    model
}

/// Changes one record behind the store's back; an empty value removes it.
fn tamper(path: &Path, table: &str, key: &[u8], change: impl FnOnce(Vec<u8>) -> Vec<u8>) {
    let database = fjall::Database::builder(path.join("db")).open().unwrap();
    let table = database.keyspace(table, fjall::KeyspaceCreateOptions::default).unwrap();
    let was = table.get(key).unwrap().expect("the record is there").to_vec();
    let changed = change(was);
    if changed.is_empty() {
        table.remove(key).unwrap()
    } else {
        table.insert(key, changed).unwrap()
    }
    database.persist(fjall::PersistMode::SyncAll).unwrap();
}

#[test]
fn records_that_contradict_each_other_are_noticed_at_the_start() {
    // In the writes of the last block that wait: a table's number and count, the lengths and the key of an account, the first
    // byte of its value.
    let one = |mut bytes: Vec<u8>| {
        bytes[5 + 6 + 20 + 1] ^= 1;
        bytes
    };
    type Tamper = fn(Vec<u8>) -> Vec<u8>;
    let gone: Tamper = |_| Vec::new();
    let cut: Tamper = |mut bytes| {
        bytes.pop();
        bytes
    };
    let (last, batch) = (5u64.to_be_bytes(), 6u64.to_be_bytes());
    let cases: [(&str, &[u8], Tamper, &str); 9] = [
        ("waiting", &batch, one, "state root"),
        ("waiting", &batch, cut, "writes that wait are damaged"),
        ("changes", &last, gone, "no list of changes"),
        ("changes", &last, cut, "does not decode"),
        ("headers", &last, gone, "is missing"),
        ("headers", &last, cut, "does not decode"),
        ("bodies", &last, cut, "does not decode"),
        ("meta", b"tip", cut, "does not decode"),
        ("trie", &[0xff], gone, "trie is missing"),
    ];
    for (table, key, change, says) in cases {
        let directory = tempfile::tempdir().unwrap();
        chain_killed(directory.path());
        tamper(directory.path(), table, key, change);
        let refused = Store::open(disk(directory.path()));
        let Err(StoreError::Damaged { what, .. }) = &refused else { panic!("{table}: {refused:?}") };
        assert!(what.contains(says), "{table}: {what}");
    }
}

#[test]
fn a_stored_trie_with_another_root_is_noticed_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    chain(directory.path(), 5);
    tamper(directory.path(), "trie", &TrieId::Accounts.root_key(), |mut root| {
        *root.last_mut().unwrap() ^= 1;
        root
    });
    let refused = Store::open(disk(directory.path()));
    assert!(matches!(&refused, Err(StoreError::Damaged { .. })), "{refused:?}");
}

/// All files below a directory.
fn files(path: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(path).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() { files(&entry.path(), found) } else { found.push(entry.path()) }
    }
}

fn journal_of(path: &Path) -> std::path::PathBuf {
    let mut all = Vec::new();
    files(&path.join("db"), &mut all);
    all.into_iter().find(|path| path.extension().is_some_and(|ext| ext == "jnl")).unwrap()
}

/// The engine takes damage for a torn end and cuts it off; the tip file knows better.
#[test]
fn no_flipped_byte_of_the_journal_loses_an_acknowledged_block_without_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let model = chain(directory.path(), 40);
    let journal = journal_of(directory.path());
    let bytes = fs::read(&journal).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    let mut refused = 0;
    for at in (0..20).map(|part| used / 20 * part + part) {
        let copy = tempfile::tempdir().unwrap();
        copy_files(directory.path(), copy.path());
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x55;
        fs::write(copy.path().join(journal.strip_prefix(directory.path()).unwrap()), &damaged).unwrap();
        match Store::open(disk(copy.path())) {
            Ok(store) => assert_same(&store, &model, 100, 100),
            Err(error) => {
                assert!(matches!(&error, StoreError::Damaged { .. }), "{error}");
                refused += 1;
            }
        }
        if at > 0 && refused > 0 {
            let again = Store::open(disk(copy.path()));
            assert!(again.is_ok() || matches!(again, Err(StoreError::Damaged { .. })), "{again:?}");
        }
    }
    assert!(refused > 10, "{refused} of 20 flips were noticed; bytes between batches do not matter");
}

#[test]
fn a_journal_cut_short_is_refused_each_time_and_says_which_block_is_missing() {
    let directory = tempfile::tempdir().unwrap();
    chain(directory.path(), 10);
    let journal = journal_of(directory.path());
    let bytes = fs::read(&journal).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    fs::write(&journal, &bytes[..used / 2]).unwrap();
    for _ in 0..2 {
        let refused = Store::open(disk(directory.path()));
        let Err(StoreError::Damaged { what, .. }) = &refused else { panic!("{refused:?}") };
        assert!(what.contains("block 9") && what.contains("was durable"), "{what}");
    }
    fs::remove_dir_all(directory.path().join("db")).unwrap();
    let refused = Store::open(disk(directory.path()));
    assert!(matches!(&refused, Err(StoreError::Damaged { .. })), "{refused:?}");
}

#[test]
fn a_tip_file_that_is_lost_lags_or_is_damaged_does_no_harm() {
    let directory = tempfile::tempdir().unwrap();
    let tip = directory.path().join("tip");
    chain(directory.path(), 3);
    let early = fs::read(&tip).unwrap();
    drop(fs::remove_dir_all(directory.path()));
    fs::create_dir(directory.path()).unwrap();
    let mut model = chain(directory.path(), 8);
    for leave in [None, Some(early), Some(vec![0xff; 8_192]), Some(Vec::new())] {
        match leave {
            None => fs::remove_file(&tip).unwrap(),
            Some(bytes) => fs::write(&tip, bytes).unwrap(),
        }
        let store = Store::open(disk(directory.path())).unwrap();
        assert_same(&store, &model, 100, 100);
        store.commit(model.extend(&[])).unwrap();
        store.rewind(model.height() - 2).unwrap();
        model.rewind(model.height() - 2);
    }
    assert_same(&Store::open(disk(directory.path())).unwrap(), &model, 100, 100);
}

fn copy_files(from: &Path, to: &Path) {
    let mut all = Vec::new();
    files(from, &mut all);
    for file in all {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&file, target).unwrap();
    }
}
