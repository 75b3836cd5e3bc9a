//! `chlom dev --archive s3://…` against a real S3 service.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use serde_json::json;

use crate::node::{CHLOM, Node, eventually, noise};

const KEY_ID: &str = "an-access-key";
const SECRET: &str = "a secret/with+signs";

/// A service with one bucket, `kept`, in a folder; its address. It runs as long as the runtime.
fn serve(runtime: &tokio::runtime::Runtime, folder: &Path) -> String {
    fs::create_dir(folder.join("kept")).unwrap();
    let mut service = S3ServiceBuilder::new(FileSystem::new(folder).unwrap());
    service.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
    let service = service.build();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    runtime.spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let service = service.clone();
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                let _ = server.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    address
}

fn dev(endpoint: &str, place: &str) -> Command {
    let mut command = Command::new(CHLOM);
    command.args(["dev", "--json", "--port", "0", "--automine", "--accounts", "1", "--archive", place]);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.env("AWS_ENDPOINT_URL", endpoint);
    command
}

fn objects(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries.map(Result::unwrap) {
        if entry.path().is_dir() {
            found.extend(objects(&entry.path()));
        } else if !entry.file_name().to_string_lossy().starts_with('.') {
            found.push(entry.path());
        }
    }
    found
}

#[test]
fn dam_14_a_blob_comes_back_from_a_bucket_after_it_expired() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (service, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let endpoint = serve(&runtime, service.path());
    let credentials = files.path().join("credentials");
    fs::write(&credentials, format!("AWS_ACCESS_KEY_ID={KEY_ID}\nAWS_SECRET_ACCESS_KEY={SECRET}\n")).unwrap();
    fs::set_permissions(&credentials, fs::Permissions::from_mode(0o600)).unwrap();
    let mut command = dev(&endpoint, "s3://kept/node/1");
    let node = Node::start(command.env("CHLOM_ARCHIVE_CREDENTIALS", &credentials));

    let (file, back) = (files.path().join("file"), files.path().join("back"));
    fs::write(&file, noise(1, 70_000)).unwrap();
    let id = node.put(&file, "2025-09-W01").unwrap();
    let kept = service.path().join("kept/node/1/blobs").join(id.trim_start_matches("0x"));
    eventually("six shards in the bucket", || {
        // The archive is asked in the blocks after the one that shows the blob available.
        node.ask("evm_mine", json!([]));
        objects(&kept).len() == 6
    });
    node.ask("evm_increaseTime", json!([31 * 86_400]));
    eventually("the node's own cells are pruned", || {
        node.ask("evm_mine", json!([]));
        node.ask("chlom_blobStatus", json!([id]))["node"]["state"] != "held"
    });
    // Two lost shards lose nothing.
    fs::remove_file(&objects(&kept)[0]).unwrap();
    fs::remove_file(&objects(&kept)[0]).unwrap();
    let got = node.chlom(["blob", "get", &id, "--out", back.to_str().unwrap()]);
    assert!(got.status.success(), "{}", String::from_utf8_lossy(&got.stderr));
    assert!(fs::read(&back).unwrap() == fs::read(&file).unwrap());
    node.stop();
}

#[test]
fn an_archive_that_refuses_stops_the_start_and_no_secret_is_shown() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let service = tempfile::tempdir().unwrap();
    let endpoint = serve(&runtime, service.path());
    let refused = |place: &str, key: &[(&str, &str)]| {
        let mut command = dev(&endpoint, place);
        let output = command.envs(key.iter().copied()).stdout(Stdio::piped()).output().unwrap();
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!said.contains("not-the-secret"), "{said}");
        said
    };
    let wrong = [("AWS_ACCESS_KEY_ID", KEY_ID), ("AWS_SECRET_ACCESS_KEY", "not-the-secret")];
    let said = refused("s3://kept/x", &wrong);
    assert!(said.contains("the archive s3://kept/x cannot be used"), "{said}");
    let right = [("AWS_ACCESS_KEY_ID", KEY_ID), ("AWS_SECRET_ACCESS_KEY", SECRET)];
    let said = refused("s3://elsewhere", &right);
    assert!(said.contains("the archive s3://elsewhere/ cannot be used"), "{said}");
    let said = refused("s3://kept", &[]);
    assert!(said.contains("does not set AWS_ACCESS_KEY_ID"), "{said}");
    let said = refused("gs://kept", &right);
    assert!(said.contains("gs:// is no archive"), "{said}");
}
