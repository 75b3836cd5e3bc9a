//! A node whose disk for blobs is really full: a small file system of its own, mounted in a namespace.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::json;

use crate::node::{CHLOM, Node, eventually, noise};

/// Size of the file system, and of the file that leaves about 2.5 MB of it.
const DISK: &str = "16m";
const BALLAST: usize = 27 << 19;
/// Payload bytes of a row, less what the file's prefix takes.
const ROW: usize = 126_976;

fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// Nothing half-stored, a clear error, the node goes on; and with room again all is as before.
#[test]
fn dam_10_a_full_disk_of_blobs_stops_no_block_and_leaves_nothing_half_stored() {
    if !Command::new("unshare").args(["-Urm", "true"]).output().is_ok_and(|out| out.status.success()) {
        println!("no user namespaces here: the store's own test with a limit on files' size must do");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (chain, blobs) = (folder.path().join("chain"), folder.path().join("chain/blobs"));
    // The chain has its directory first; then its blobs get a disk of their own.
    Node::start(
        Command::new(CHLOM)
            .args(["dev", "--json", "--port", "0", "--accounts", "1", "--data-dir"])
            .arg(&chain),
    )
    .stop();
    assert!(blobs.is_dir());
    let script = format!("mount -t tmpfs -o size={DISK} none \"$0\" && exec \"$@\"");
    let mut command = Command::new("unshare");
    command.args(["-Urm", "sh", "-c", &script]).arg(&blobs).arg(CHLOM);
    command.args(["dev", "--json", "--port", "0", "--block-time", "500ms", "--automine", "--accounts", "1"]);
    let node = Node::start(command.arg("--data-dir").arg(&chain));
    // The mount is the node's own: it is seen through the node's root.
    let inside = PathBuf::from(format!("/proc/{}/root{}", node.pid(), blobs.display()));
    let work = inside.join("work");
    let file = |name: &str, seed: u64, bytes: usize| {
        let path = folder.path().join(name);
        fs::write(&path, noise(seed, bytes)).unwrap();
        path
    };

    let small = file("small", 1, 50_000);
    let first = node.put(&small, "2025-09-W01").unwrap();
    fs::write(inside.join("ballast"), vec![1; BALLAST]).unwrap();

    // A body of 4 MB finds no room while it arrives.
    let refused = node.put(&file("body", 2, 32 * ROW - 100), "2025-09-W02").unwrap_err();
    assert!(refused.contains("free disk space") && refused.contains("nothing is half-stored"), "{refused}");
    assert!(files(&work).is_empty());
    // One of 1 MB arrives, and its cells of 4 MB find none.
    let wide = file("wide", 3, 8 * ROW - 100);
    let given_up = node.put(&wide, "2025-09-W03").unwrap_err();
    assert!(given_up.contains("free disk space"), "{given_up}");
    eventually("the body is given up", || files(&work).is_empty());

    // Blocks go on, and what was there is whole.
    let height = node.height();
    eventually("more blocks", || node.height() > height + 2);
    let back = folder.path().join("back");
    let whole = |id: &str, file: &Path| {
        let got = node.chlom(["blob", "get", id, "--out", back.to_str().unwrap()]);
        assert!(got.status.success(), "{}", String::from_utf8_lossy(&got.stderr));
        assert!(fs::read(&back).unwrap() == fs::read(file).unwrap());
        fs::remove_file(&back).unwrap();
    };
    whole(&first, &small);

    // With room again the same file is put as if nothing had been.
    fs::remove_file(inside.join("ballast")).unwrap();
    let second = node.put(&wide, "2025-09-W03").unwrap();
    whole(&second, &wide);
    let state = node.ask("chlom_blobStatus", json!([second]));
    assert_eq!(state["node"]["cells"], state["node"]["of"], "{state}");
    node.stop();
}
