//! JSON-RPC over WebSocket: calls, subscriptions, and peers that do not read.

use std::time::Duration;

use crate::support::{
    Node, PATIENCE,
    chain::{LOGGER, log, transfer},
    client::{batch, call},
    find,
    socket::Socket,
};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    client_async,
    tungstenite::{Message, client::IntoClientRequest, protocol::frame::coding::CloseCode},
};

use chlom_rpc::{Cors, Limits};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_and_batches_are_answered_as_over_http() {
    let node = Node::start().await;
    let mut socket = Socket::open(&node).await;
    assert_eq!(socket.call(7, "net_version", "[]").await, json!({"jsonrpc":"2.0","id":7,"result":"7272"}));
    socket.send(batch([call(1, "net_version", "[]"), call(2, "eth_blockNumber", "[]")])).await;
    let response = socket.json().await;
    assert_eq!(find(&response, 2)["result"], "0x0");
    socket.send("{").await;
    assert_eq!(socket.json().await["error"]["code"], -32700);
    socket.send(r#"{"jsonrpc":"2.0","method":"net_version"}"#).await;
    assert_eq!(socket.call(8, "net_version", "[]").await["id"], 8, "the notification was not answered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_call_does_not_hold_up_those_behind_it() {
    let node = Node::start().await;
    let release = node.chain.dev.hold();
    let mut socket = Socket::open(&node).await;
    socket.send(call(1, "evm_mine", "[]")).await;
    assert_eq!(socket.call(2, "net_version", "[]").await["id"], 2);
    drop(release);
    assert_eq!(socket.json().await["id"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_heads_logs_and_pending_transactions_are_announced() {
    let node = Node::start().await;
    let mut heads = Socket::open(&node).await;
    let mut logs = Socket::open(&node).await;
    let mut hashes = Socket::open(&node).await;
    let mut bodies = Socket::open(&node).await;
    let head_id = heads.subscribe("[\"newHeads\"]").await;
    let log_id = logs.subscribe(&format!("[\"logs\",{{\"address\":\"{LOGGER}\"}}]")).await;
    let hash_id = hashes.subscribe("[\"newPendingTransactions\"]").await;
    let body_id = bodies.subscribe("[\"newPendingTransactions\",true]").await;
    let hash = node.result("eth_sendRawTransaction", &format!("[\"{}\"]", log(0, 0, vec![5; 40]))).await;
    node.result("eth_sendRawTransaction", &format!("[\"{}\"]", transfer(1, 0))).await;
    assert_eq!(hashes.event(&hash_id).await, hash);
    let body = bodies.event(&body_id).await;
    assert_eq!((&body["hash"], &body["blockHash"]), (&hash, &Value::Null));
    for height in 1..=3 {
        let block = node.chain.mine().block;
        let head = heads.event(&head_id).await;
        assert_eq!(head["number"], format!("{height:#x}"));
        assert_eq!(head["hash"], format!("{:#x}", block.hash));
        assert!(head.get("transactions").is_none());
    }
    let found = logs.event(&log_id).await;
    assert_eq!((&found["transactionHash"], &found["blockNumber"]), (&hash, &json!("0x1")));
    assert_eq!(found["data"], format!("0x{}", "05".repeat(40)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_revert_subscribers_are_told_of_the_blocks_that_take_the_place_of_undone_ones() {
    let node = Node::start().await;
    let mut heads = Socket::open(&node).await;
    let mut logs = Socket::open(&node).await;
    let head_id = heads.subscribe("[\"newHeads\"]").await;
    let log_id = logs.subscribe("[\"logs\"]").await;
    node.chain.mine();
    let snapshot = node.result("evm_snapshot", "[]").await;
    node.chain.mine();
    assert_eq!(node.result("evm_revert", &format!("[{snapshot}]")).await, true);
    let raw = log(0, 0, vec![5; 40]);
    node.result("eth_sendRawTransaction", &format!("[\"{raw}\"]")).await;
    let new = node.chain.mine().block;
    for number in ["0x1", "0x2"] {
        assert_eq!(heads.event(&head_id).await["number"], number);
    }
    let again = heads.event(&head_id).await;
    assert_eq!((&again["number"], &again["hash"]), (&json!("0x2"), &json!(new.hash)));
    assert_eq!(logs.event(&log_id).await["blockNumber"], "0x2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_ends_when_asked_to() {
    let node = Node::start().await;
    let mut socket = Socket::open(&node).await;
    let kept = socket.subscribe("[\"newHeads\"]").await;
    let ended = socket.subscribe("[\"newHeads\"]").await;
    assert_eq!(socket.call(2, "eth_unsubscribe", &format!("[{ended}]")).await["result"], true);
    let again = socket.call(3, "eth_unsubscribe", &format!("[{ended}]")).await;
    assert_eq!(again["error"]["message"], "subscription not found");
    node.chain.mine();
    node.chain.mine();
    assert_eq!(socket.event(&kept).await["number"], "0x1");
    assert_eq!(socket.event(&kept).await["number"], "0x2", "each head came once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscriptions_are_refused_with_the_reason() {
    let node = Node::with(Limits { subscriptions: 2, ..Limits::default() }).await;
    let mut socket = Socket::open(&node).await;
    let unknown = socket.call(1, "eth_subscribe", "[\"weather\"]").await;
    let message = unknown["error"]["message"].as_str().unwrap();
    assert!(message.contains("no \"weather\" subscription in eth namespace"), "{message}");
    let syncing = socket.subscribe("[\"syncing\"]").await;
    assert_eq!(socket.event(&syncing).await, false);
    socket.subscribe("[\"newHeads\"]").await;
    let third = socket.call(2, "eth_subscribe", "[\"newHeads\"]").await;
    assert_eq!(third["error"]["code"], -32005);
    assert!(third["error"]["message"].as_str().unwrap().contains("a connection may have 2"), "{third}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_too_large_closes_the_connection_with_the_limit() {
    let node = Node::with(Limits { body_bytes: 1000, ..Limits::default() }).await;
    let mut socket = Socket::open(&node).await;
    socket.send(" ".repeat(2000)).await;
    let (code, reason) = socket.closed().await.expect("a reason");
    assert_eq!((code, reason.as_str()), (CloseCode::Size, "message too large: the limit is 1000 bytes"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_does_not_read_its_notifications_is_disconnected_and_others_are_not() {
    let node = Node::with(Limits { ws_queue_bytes: 64 * 1024, ..Limits::default() }).await;
    let mut slow = Socket::open(&node).await;
    let mut fine = Socket::open(&node).await;
    slow.subscribe("[\"logs\"]").await;
    let heads = fine.subscribe("[\"newHeads\"]").await;
    // Each log is 200 KB of JSON; a hundred of them are more than all socket buffers take.
    for nonce in 0..100 {
        let raw = log(2, nonce, vec![7; 100_000]);
        node.result("eth_sendRawTransaction", &format!("[\"{raw}\"]")).await;
    }
    let mut height = 0;
    while node.chain.context.pool.status().pending > 0 {
        node.chain.mine();
        height += 1;
        assert_eq!(fine.event(&heads).await["number"], format!("{height:#x}"));
    }
    node.wait_for_metric("chlom_rpc_refused_total{reason=\"slow_socket\"} 1").await;
    node.wait_for_metric("chlom_rpc_websockets 1").await;
    assert_eq!(fine.call(9, "net_version", "[]").await["id"], 9);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_held_back_for_a_peer_that_reads_slowly() {
    let limits =
        Limits { ws_queue_bytes: 64 * 1024, write_time: Duration::from_secs(60), ..Limits::default() };
    let node = Node::with(limits).await;
    let socket = Socket::open(&node).await;
    let (mut sink, mut stream) = socket.0.split();
    let text = format!(r#"{{"jsonrpc":"2.0","id":"{}","method":"net_version"}}"#, "x".repeat(500_000));
    let writer = tokio::spawn(async move {
        for _ in 0..60 {
            sink.send(Message::text(text.clone())).await.unwrap();
        }
        drop(sink);
    });
    let mut answers = 0;
    while answers < 60 {
        let message = timeout(PATIENCE, stream.next()).await.expect("an answer").unwrap().unwrap();
        answers += usize::from(message.is_text());
    }
    writer.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_foreign_origins_may_not_open_sockets() {
    let node = Node::with_cors(Limits::default(), Cors::Origins(vec!["https://app.example".into()])).await;
    for (origin, welcome) in [("https://app.example", true), ("https://evil.example", false)] {
        let mut request = format!("ws://{}/", node.addr).into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        let stream = TcpStream::connect(node.addr).await.unwrap();
        assert_eq!(client_async(request, stream).await.is_ok(), welcome, "{origin}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_are_told_when_the_node_shuts_down() {
    let mut node = Node::start().await;
    let mut socket = Socket::open(&node).await;
    socket.call(1, "net_version", "[]").await;
    node.begin_shutdown();
    let (code, reason) = socket.closed().await.expect("a reason");
    assert_eq!((code, reason.as_str()), (CloseCode::Away, "the node is shutting down"));
    node.ended().await;
}
