//! Whose directory it is.

use std::fs;

use chlom_blobs::{BlobError, BlobStore};

use crate::square::{at, config, id, meta, open, put};

fn refusal(directory: &std::path::Path) -> BlobError {
    BlobStore::open(config(directory)).err().expect("must not open")
}

#[test]
fn a_directory_in_use_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let _store = open(folder.path());
    let refused = refusal(folder.path());
    assert!(matches!(refused, BlobError::Locked { .. }));
    assert!(refused.to_string().contains(&folder.path().display().to_string()));
}

#[test]
fn a_foreign_directory_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.txt"), "mine").unwrap();
    assert!(
        matches!(refusal(folder.path()), BlobError::Foreign { found, .. } if found.contains("thesis.txt"))
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let file = folder.path().join("thesis.txt");
    assert!(matches!(refusal(&file), BlobError::Foreign { .. }));
}

#[test]
fn a_directory_of_a_newer_format_is_refused_with_both_numbers() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    fs::write(folder.path().join("CHLOM-BLOBS"), "chlom blobs, format 2\n").unwrap();
    let refused = refusal(folder.path());
    assert!(matches!(&refused, BlobError::Version { got, want: 1, .. } if got == "2"), "{refused}");
    fs::write(folder.path().join("CHLOM-BLOBS"), "something else").unwrap();
    assert!(matches!(refusal(folder.path()), BlobError::Foreign { .. }));
}

#[test]
fn a_first_start_that_was_interrupted_is_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("lock"), "").unwrap();
    fs::write(folder.path().join("CHLOM-BLOBS.new"), "chlom bl").unwrap();
    open(folder.path()).create(&meta(1, 1)).unwrap();
}

#[test]
fn what_is_no_blob_is_reported_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.create(&meta(0xab, 1)).unwrap();
    put(&store, id(0xab), [at(0, 0)]);
    drop(store);
    let blobs = folder.path().join("blobs");
    let upper = "AB".repeat(32);
    fs::write(blobs.join(&upper), "").unwrap();
    fs::write(blobs.join("note"), "").unwrap();
    let store = open(folder.path());
    assert_eq!(store.recovered().foreign, [upper.clone(), "note".into()]);
    assert_eq!(store.list(None, 10), [id(0xab)]);
    assert!(blobs.join("note").exists() && blobs.join(upper).exists());
}

#[test]
fn files_that_never_got_their_name_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    fs::write(folder.path().join("unfinished").join("ab".repeat(32)), [0; 5000]).unwrap();
    let store = open(folder.path());
    assert_eq!(store.recovered().unfinished, 1);
    assert_eq!(fs::read_dir(folder.path().join("unfinished")).unwrap().count(), 0);
    assert!(store.list(None, 10).is_empty());
}
