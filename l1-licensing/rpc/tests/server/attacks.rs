//! Callers that try to make the node hold as much as they can: what it holds stays within its budget, others go on, and
//! all of it is given back.

use std::time::{Duration, Instant};

use crate::support::{
    Node, PATIENCE,
    chain::{LOGGER, log, transfer},
    client::{Client, batch, call},
    find,
    socket::Socket,
};
use alloy_primitives::Address;
use chlom_rpc::Limits;
use futures_util::future::join_all;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

const MEMORY: usize = 1024 * 1024;

/// A node with little memory, and a block whose logs are 200 KB of JSON.
async fn node(limits: Limits) -> Node {
    let node = Node::with(Limits { memory_bytes: MEMORY, ..limits }).await;
    node.result("eth_sendRawTransaction", &format!("[\"{}\"]", log(0, 0, vec![7; 100_000]))).await;
    assert_eq!(node.chain.mine().receipts[0].logs.len(), 1);
    node
}

/// A call whose answer are those logs.
fn large(id: u64) -> String {
    call(id, "eth_getLogs", "[{\"fromBlock\":\"0x1\",\"toBlock\":\"0x1\"}]")
}

/// Waits until something holds of the memory in use.
async fn wait_for_memory(node: &Node, what: &str, holds: impl Fn(usize) -> bool) {
    let seen = async {
        while !holds(node.memory().await) {
            tokio::task::yield_now().await;
        }
    };
    if tokio::time::timeout(PATIENCE, seen).await.is_err() {
        panic!("memory was never {what}: {}", node.memory().await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_that_hold_a_large_answer_while_they_wait_for_a_block_share_the_budget_and_end_in_time() {
    let allowed = Duration::from_secs(2);
    let node = node(Limits { call_time: allowed, ..Limits::default() }).await;
    let start = Instant::now();
    // Each waits for a block that does not come, three times over, with 200 KB in hand.
    let body = |from: u8| {
        let wait =
            |n: u64| call(n + 2, "eth_sendRawTransactionSync", &format!("[\"{}\"]", transfer(from, n)));
        batch(std::iter::once(large(1)).chain((0..3).map(wait)))
    };
    let bodies: Vec<_> = (1..=9).map(body).collect();
    let attack = join_all(bodies.into_iter().map(async |body| node.client().await.post(body).await.json()));
    let observed = async {
        wait_for_memory(&node, "in use", |used| used >= 400_000).await;
        let used = node.memory().await;
        assert!(used <= MEMORY, "{used}");
        assert_eq!(node.result("net_version", "[]").await, "7272");
    };
    let (answers, ()) = tokio::join!(attack, observed);
    // The waits of a batch together take no longer than one call may; the default for each would be 30 s.
    assert!(start.elapsed() < 5 * allowed, "{:?}", start.elapsed());
    let full: Vec<_> = answers.iter().filter(|answer| find(answer, 1)["result"].is_array()).collect();
    assert!((2..=5).contains(&full.len()), "{} of 200 KB each fit into 1 MiB", full.len());
    assert_eq!(find(full[0], 2)["error"]["code"], 4, "added, and in no block: {}", find(full[0], 2));
    let refused =
        answers.iter().find(|answer| find(answer, 1)["error"].is_object()).expect("most do not fit");
    for id in 1..=4 {
        assert_eq!(find(refused, id)["error"]["code"], -32005, "{refused}");
        assert!(find(refused, id)["error"]["message"].as_str().unwrap().starts_with("the node is busy"));
    }
    assert!(node.metrics().await.contains("chlom_rpc_refused_total{reason=\"memory\"}"));
    assert!(node.chain.context.pool.status().pending <= 3 * full.len(), "refused batches send nothing");
    wait_for_memory(&node, "given back", |used| used == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_large_data_of_errors_counts_like_an_answer() {
    let node = Node::with(Limits { response_bytes: 500_000, ..Limits::default() }).await;
    let reverting = Address::repeat_byte(0xee);
    // PUSH3 100,000 · PUSH0 · REVERT: 200 KB of hex each.
    let call_it = |id| {
        call(
            id,
            "eth_call",
            &format!(
                "[{{\"to\":\"{reverting}\"}},\"latest\",{{\"{reverting}\":{{\"code\":\"0x620186a05ffd\"}}}}]"
            ),
        )
    };
    let answer = node.client().await.post(batch((1..=5).map(call_it))).await.json();
    let codes: Vec<_> = (1..=5).map(|id| find(&answer, id)["error"]["code"].as_i64().unwrap()).collect();
    assert_eq!(codes, [3, 3, -32003, -32003, -32003]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_that_ask_for_much_and_read_nothing_share_the_budget() {
    let node = node(Limits::default()).await;
    let mut sockets = join_all((0..30).map(|_| Socket::open(&node))).await;
    for (n, socket) in sockets.iter_mut().enumerate() {
        for id in 0..16 {
            socket.send(large(n as u64 * 16 + id)).await;
        }
    }
    // The sockets' own buffers take some answers; after those the node holds the rest, or refuses.
    node.wait_for_metric("reason=\"memory\"").await;
    assert!(node.memory().await <= MEMORY);
    assert_eq!(node.result("net_version", "[]").await, "7272");
    drop(sockets);
    wait_for_memory(&node, "given back", |used| used == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_never_end_share_the_budget() {
    let node = node(Limits::default()).await;
    let mut holding = Vec::new();
    for _ in 0..6 {
        let mut socket = Socket::open(&node).await;
        // The head of a masked text frame of 4 MB, and the first 300 KB of it.
        let mut frame = vec![0x81, 0xff];
        frame.extend_from_slice(&4_000_000u64.to_be_bytes());
        frame.extend_from_slice(&[0; 4 + 300_000]);
        // A connection that was ended takes no more; that is the point.
        let _ = socket.0.get_mut().write_all(&frame).await;
        holding.push(socket);
    }
    node.wait_for_metric("chlom_rpc_refused_total{reason=\"memory\"}").await;
    let used = node.memory().await;
    assert!((300_000..=MEMORY).contains(&used), "{used}");
    drop(holding);
    wait_for_memory(&node, "given back", |used| used == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_for_which_there_is_no_room_ends_its_connection_with_the_reason_and_small_ones_go_on() {
    let node = node(Limits::default()).await;
    // The body of a request that does not end holds nearly all of the budget.
    let mut holder = Client::connect(node.addr).await;
    holder
        .send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1040000\r\n\r\n{")
        .await;
    wait_for_memory(&node, "in use", |used| used >= 1_000_000).await;
    let mut small = Socket::open(&node).await;
    let mut large = Socket::open(&node).await;
    let padded = format!("{:<40000}", call(1, "net_version", "[]"));
    large.send(padded.clone()).await;
    let (code, reason) = large.closed().await.expect("a reason");
    assert_eq!((code, reason.as_str()), (CloseCode::Again, "the node is busy; try again later"));
    assert_eq!(small.call(3, "net_version", "[]").await["result"], "7272");
    drop(holder);
    wait_for_memory(&node, "given back", |used| used == 0).await;
    small.send(padded).await;
    assert_eq!(small.json().await["result"], "7272");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notices_of_one_block_for_many_subscriptions_stop_at_the_bound() {
    let node = node(Limits { ws_queue_bytes: 300_000, ..Limits::default() }).await;
    let mut greedy = Socket::open(&node).await;
    for id in 0..100 {
        greedy.call(id, "eth_subscribe", "[\"logs\"]").await;
    }
    let mut fine = Socket::open(&node).await;
    let heads = fine.subscribe("[\"newHeads\"]").await;
    // 100 times 5 logs of 200 KB: a hundred megabytes, of which the queue takes two logs and the socket a few more.
    for nonce in 1..=5 {
        let raw = log(0, nonce, vec![7; 100_000]);
        node.result("eth_sendRawTransaction", &format!("[\"{raw}\"]")).await;
    }
    let new = node.chain.mine();
    assert_eq!(new.receipts.len(), 5);
    node.wait_for_metric("chlom_rpc_refused_total{reason=\"slow_socket\"} 1").await;
    assert_eq!(fine.event(&heads).await["number"], "0x2");
    wait_for_memory(&node, "given back", |used| used == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_and_topics_are_bounded_for_a_connection_and_for_all() {
    let limits = Limits { connection_terms: 150, server_terms: 350, ..Limits::default() };
    let node = node(limits).await;
    let addresses: Vec<_> = (1..=100).map(|n| format!("\"{}\"", Address::with_last_byte(n))).collect();
    let filter = format!("{{\"address\":[{}]}}", addresses.join(","));
    let refused = |answer: &serde_json::Value, why: &str| {
        assert_eq!(answer["error"]["code"], -32005, "{answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(why), "{answer}");
    };
    let mut first = Socket::open(&node).await;
    first.subscribe(&format!("[\"logs\",{filter}]")).await;
    let second = first.call(2, "eth_subscribe", &format!("[\"logs\",{filter}]")).await;
    refused(&second, "a connection may have 150 together");
    for _ in 0..2 {
        assert!(node.result("eth_newFilter", &format!("[{filter}]")).await.is_string());
    }
    refused(&node.call("eth_newFilter", &format!("[{filter}]")).await, "may have 350 together");
    let mut other = Socket::open(&node).await;
    refused(&other.call(1, "eth_subscribe", &format!("[\"logs\",{filter}]")).await, "may have 350 together");
    assert!(node.result("eth_newFilter", &format!("[{{\"address\":\"{LOGGER}\"}}]")).await.is_string());
    drop(first);
    node.wait_for_metric("chlom_rpc_subscriptions 0").await;
    other.subscribe(&format!("[\"logs\",{filter}]")).await;
}
