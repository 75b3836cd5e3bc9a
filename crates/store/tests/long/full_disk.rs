//! A disk that is really full: a small file system of our own, in a user and mount namespace.

use std::{fs, path::Path, process::Command};

use chlom_store::{Store, StoreConfig, StoreError};

use crate::chain::{Model, Op, assert_same, disk, keeping};

/// Set for the child: the file system to fill.
const DIRECTORY: &str = "CHLOM_STORE_FULL_DISK";
/// Size of the file system, and of the file in it that leaves little room.
const DISK: &str = "32m";
const BALLAST: usize = 29 << 20;

const HISTORY: u64 = 20;
const PROOFS: u64 = 3;

fn config(path: &Path) -> StoreConfig {
    keeping(disk(&path.join("data")), HISTORY, PROOFS)
}

fn block(n: u64) -> Vec<Op> {
    let at = |from: u64| (n.wrapping_mul(7) + from) as u8;
    let writes = (0..30).map(|from| Op::Write {
        account: at(from) % 24,
        slot: at(from) / 24 % 12,
        value: at(from * 3) % 4,
    });
    writes.chain([Op::Pay { account: at(1) % 24, amount: 1 }]).collect()
}

/// The child: does nothing unless it is started by the test below.
#[test]
fn child_fills_its_disk() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let directory = Path::new(&directory);
    let ballast = directory.join("ballast");
    let mut model = Model::default();
    let store = Store::open(config(directory)).unwrap();
    store.commit(model.extend(&block(0))).unwrap();
    fs::write(&ballast, vec![1; BALLAST]).unwrap();
    let error = loop {
        let mut next = model.clone();
        match store.commit(next.extend(&block(next.blocks.len() as u64))) {
            Ok(()) => model = next,
            Err(error) => break error,
        }
        assert!(model.blocks.len() < 5_000, "the disk never fills");
    };
    println!("full at height {}: {error}", model.height());
    assert!(matches!(&error, StoreError::WriteFailed { .. }), "{error}");
    assert!(error.to_string().contains("free disk space"), "{error}");
    assert!(store.stats().read_only);
    assert_same(&store, &model, HISTORY, PROOFS);
    drop(store);

    fs::remove_file(ballast).unwrap();
    let store = Store::open(config(directory)).unwrap();
    assert_same(&store, &model, HISTORY, PROOFS);
    for _ in 0..20 {
        let n = model.blocks.len() as u64;
        store.commit(model.extend(&block(n))).unwrap();
    }
    assert_same(&store, &model, HISTORY, PROOFS);
    println!("went on to height {}", model.height());
}

#[test]
fn a_full_disk_is_said_so_and_the_chain_goes_on_from_the_last_acknowledged_block_slow() {
    let directory = tempfile::tempdir().unwrap();
    let mount = format!("mount -t tmpfs -o size={DISK} none \"$1\" && shift && exec \"$@\"");
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", &mount, "sh"])
        .arg(directory.path())
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "full_disk::child_fills_its_disk", "--nocapture"])
        .env(DIRECTORY, directory.path())
        .output()
        .expect("`unshare` of util-linux makes the small file system");
    let (said, cried) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("went on to height"), "{said}\n{cried}");
    println!("{said}");
}
