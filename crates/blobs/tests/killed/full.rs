//! Disks that are full, for real.

use std::{path::Path, process::Command};

use chlom_blobs::{BlobError, BlobStore};

use crate::square::{assert_honest, at, cells, config, geometry, id, meta, open, put};

const DIRECTORY: &str = "CHLOM_BLOBS_FULL_DIRECTORY";

/// The child: fills whatever disk it is started on, makes room, goes on. Does nothing unless it is started by a test below.
#[test]
fn child_fills_its_disk() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let directory = Path::new(&directory);
    let store = BlobStore::open(config(directory)).unwrap();
    store.create(&meta(1, 1)).unwrap();
    put(&store, id(1), geometry(1).positions());
    store.create(&meta(2, 32)).unwrap();
    let mut stored = 0;
    let refused = (0..128u16).find_map(|column| {
        let batch = cells(id(2), (0..64).map(|row| at(row, column)));
        store.put(&batch).map(|put| stored += put.stored).err()
    });
    assert!(matches!(refused, Some(BlobError::DiskFull { .. })), "{refused:?}");
    let honest = |store: &BlobStore| {
        assert_eq!(store.presence(&id(2)).unwrap().count(), stored, "whole batches only");
        assert_honest(store, id(1));
        assert_honest(store, id(2));
    };
    honest(&store);
    drop(store);
    let store = open(directory);
    honest(&store);
    store.remove(&id(2)).unwrap();
    store.create(&meta(3, 2)).unwrap();
    put(&store, id(3), geometry(2).positions());
    assert_honest(&store, id(3));
    println!("filled after {stored} cells");
}

/// Runs the child under a script that ends with `exec "$@"`.
fn run(script: &str, directory: &Path, through: &[&str]) {
    let exe = std::env::current_exe().unwrap();
    let child = ["--exact", "full::child_fills_its_disk", "--nocapture"];
    let mut words = through.iter().copied().chain(["sh", "-c", script, "sh"]);
    let output = Command::new(words.next().unwrap())
        .args(words)
        .arg(exe)
        .args(child)
        .env(DIRECTORY, directory)
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("filled after"), "{out}\n{err}");
}

/// A file may have 4 MiB (`ulimit -f` counts 512 or 1,024 bytes): writes beyond are refused as a full disk's are.
#[test]
fn a_file_size_limit_stops_a_blob_between_batches_and_harms_no_other() {
    let folder = tempfile::tempdir().unwrap();
    run("trap '' XFSZ; ulimit -f 8192; exec \"$@\"", folder.path(), &[]);
}

/// A disk of 4 MiB of its own, where the machine lets users mount one; elsewhere the injected faults must do.
#[test]
fn a_full_disk_stops_a_blob_between_batches_and_harms_no_other() {
    let namespaces = Command::new("unshare").args(["-Urm", "true"]).output();
    if !namespaces.is_ok_and(|output| output.status.success()) {
        println!("no user namespaces here: nothing was mounted, nothing was tried");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = format!("mount -t tmpfs -o size=4m none \"${DIRECTORY}\" && exec \"$@\"");
    run(&script, folder.path(), &["unshare", "-Urm"]);
}
