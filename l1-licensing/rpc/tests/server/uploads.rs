//! Bodies of blobs on a real socket: what is taken, and every way of not taking one.

use std::{sync::Arc, time::Duration};

use chlom_blobs::{BlobService, ServiceConfig};
use chlom_rpc::Limits;
use serde_json::Value;

use crate::support::{
    Node, PATIENCE,
    client::{Client, Response},
};

const WHERE: &str = "POST /chlom_putBlob?lane=0xabababababababababababababababababababab&period=20250901";
const TYPE: &str = "content-type: application/octet-stream\r\n";

struct Uploads {
    node: Node,
    service: Arc<BlobService>,
    folder: tempfile::TempDir,
}

impl Uploads {
    async fn start(limits: Limits) -> Self {
        Self::with(limits, |config| config).await
    }

    async fn with(limits: Limits, config: impl FnOnce(ServiceConfig) -> ServiceConfig) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = config(ServiceConfig { max_rows: 1, ..ServiceConfig::new(folder.path()) });
        let service = Arc::new(BlobService::open(config).unwrap());
        let node = Node::with_blobs(limits, service.clone()).await;
        Self { node, service, folder }
    }

    async fn put(&self, body: &[u8]) -> Response {
        self.node.client().await.request(WHERE, TYPE, body).await
    }

    /// Sends a head and a part of a body.
    async fn begin(&self, length: usize, part: &[u8]) -> Client {
        let mut client = self.node.client().await;
        let head = format!("{WHERE} HTTP/1.1\r\nhost: x\r\n{TYPE}content-length: {length}\r\n\r\n");
        client.send(&[head.as_bytes(), part].concat()).await;
        client
    }

    /// Bodies that are there, arriving or not.
    fn bodies(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("work")).unwrap().count()
    }

    async fn until(&self, holds: impl Fn() -> bool) {
        let wait = async {
            while !holds() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("it happens in time");
    }
}

fn message(response: &Response) -> String {
    response.json()["error"]["message"].as_str().unwrap_or_else(|| panic!("{response:?}")).to_owned()
}

fn held(status: &Value) -> bool {
    status["node"]["state"] == "held"
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dam_9_a_body_is_answered_with_what_publishing_needs_and_is_held_then() {
    let uploads = Uploads::start(Limits::default()).await;
    let response = uploads.put(&[7; 3_000]).await;
    assert_eq!(response.status, 200, "{response:?}");
    let answer = response.json();
    assert_eq!((&answer["jsonrpc"], &answer["id"]), (&"2.0".into(), &Value::Null));
    let id = answer["result"]["id"].as_str().unwrap().to_owned();
    assert_eq!(answer["result"]["header"].as_str().unwrap().len(), 2 + 2 * 109);
    assert_eq!(answer["result"]["commitments"].as_array().unwrap().len(), 1);
    let asked = format!("[\"{id}\"]");
    let wait = async { while !held(&uploads.node.result("chlom_blobStatus", &asked).await) {} };
    tokio::time::timeout(PATIENCE, wait).await.expect("held in time");
    let blob = uploads.node.result("chlom_getBlob", &asked).await;
    assert!(blob["payload"].as_str().unwrap().starts_with(&format!("0x{}0000", "07".repeat(3_000))));
    let cells = uploads.node.result("chlom_getCells", &format!("[\"{id}\",[[0,0],[1,127]]]")).await;
    assert_eq!((&cells[1]["row"], &cells[1]["column"]), (&"0x1".into(), &"0x7f".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dam_10_a_body_that_is_too_long_is_refused_by_its_announced_length_and_by_its_own() {
    let uploads = Uploads::start(Limits::default()).await;
    let mut client = uploads.begin(126_977, b"").await;
    let refused = client.response().await;
    assert_eq!(refused.status, 413);
    assert!(message(&refused).contains("126976 bytes"), "{refused:?}");
    // Chunked, no length is announced.
    let mut client = uploads.node.client().await;
    let head = format!("{WHERE} HTTP/1.1\r\nhost: x\r\n{TYPE}transfer-encoding: chunked\r\n\r\n");
    client.send(head.as_bytes()).await;
    let chunk = [format!("{:x}\r\n", 126_977).as_bytes(), &vec![1; 126_977], b"\r\n0\r\n\r\n"].concat();
    client.send(&chunk).await;
    assert_eq!(client.response().await.status, 413);
    uploads.until(|| uploads.bodies() == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dam_10_a_body_that_stalls_or_takes_too_long_is_given_up_and_leaves_nothing() {
    let stall = Limits { blob_stall: Duration::from_millis(100), ..Limits::default() };
    let whole = Limits { blob_time: Duration::from_millis(100), ..Limits::default() };
    for limits in [stall, whole] {
        let uploads = Uploads::start(limits).await;
        let refused = uploads.begin(1_000, &[1; 500]).await.response().await;
        assert_eq!(refused.status, 408);
        assert!(message(&refused).contains("took too long to arrive"), "{refused:?}");
        uploads.until(|| uploads.bodies() == 0).await;
        uploads.node.wait_for_metric("chlom_rpc_refused_total{reason=\"slow_blob\"} 1").await;
        let again = uploads.put(b"body").await;
        assert_eq!(again.status, 200, "its place is free: {again:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dam_10_a_body_that_is_cut_off_leaves_nothing() {
    let uploads = Uploads::start(Limits::default()).await;
    let client = uploads.begin(1_000, &[1; 500]).await;
    uploads.until(|| uploads.bodies() == 1).await;
    drop(client);
    uploads.until(|| uploads.bodies() == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dam_10_bodies_at_a_time_are_bounded() {
    let uploads = Uploads::with(Limits::default(), |config| ServiceConfig { uploads: 2, ..config }).await;
    let (_first, _second) = (uploads.begin(10, b"a").await, uploads.begin(10, b"b").await);
    uploads.until(|| uploads.bodies() == 2).await;
    let refused = uploads.put(b"third").await;
    assert_eq!(refused.status, 429);
    assert!(message(&refused).contains("2 uploads are under way"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dam_10_a_full_quota_is_said_with_its_own_status() {
    let uploads =
        Uploads::with(Limits::default(), |config| ServiceConfig { quota_bytes: 1_000, ..config }).await;
    let refused = uploads.put(b"body").await;
    assert_eq!(refused.status, 507);
    assert!(message(&refused).contains("quota of 1000"), "{refused:?}");
    assert_eq!((uploads.bodies(), uploads.service.store().stats().blobs), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_no_upload_are_refused_with_the_reason() {
    let uploads = Uploads::start(Limits::default()).await;
    let mut client = uploads.node.client().await;
    let empty = client.request(WHERE, TYPE, b"").await;
    assert_eq!((empty.status, message(&empty).contains("empty")), (400, true));
    let json = uploads.node.client().await.request(WHERE, "content-type: application/json\r\n", b"x").await;
    assert_eq!(json.status, 415);
    let nowhere = uploads.node.client().await.request("POST /chlom_putBlob", TYPE, b"x").await;
    assert_eq!((nowhere.status, message(&nowhere).contains("lane=0x")), (400, true));
    let read = uploads.node.client().await.get("/chlom_putBlob").await;
    assert_eq!(read.status, 405);
    assert_eq!(uploads.bodies(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_keeps_no_blobs_has_neither_the_path_nor_the_methods() {
    let node = Node::start().await;
    assert_eq!(node.client().await.request(WHERE, TYPE, b"x").await.status, 404);
    for method in ["chlom_blobStatus", "chlom_getBlob", "chlom_getCells", "chlom_dropCells"] {
        assert_eq!(node.call(method, "[]").await["error"]["code"], -32601, "{method}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_about_blobs_and_cells_are_bounded() {
    let uploads = Uploads::start(Limits::default()).await;
    let id = "\"0x1111111111111111111111111111111111111111111111111111111111111111\"";
    for (places, code) in [
        ("[]", -32602),
        ("[[0]]", -32602),
        ("[[0,65536]]", -32602),
        ("[[0,-1]]", -32602),
        ("[[0,0]]", -32001),
    ] {
        let answer = uploads.node.call("chlom_getCells", &format!("[{id},{places}]")).await;
        assert_eq!(answer["error"]["code"], code, "{places}: {answer}");
    }
    let many = vec!["[0,0]"; 513].join(",");
    let answer = uploads.node.call("chlom_getCells", &format!("[{id},[{many}]]")).await;
    assert!(answer["error"]["message"].as_str().unwrap().contains("513 cells, 1 to 512"), "{answer}");
}
