//! Every limit has a message, and hitting one disturbs nobody else.

use std::time::Duration;

use crate::support::{
    Node, PATIENCE,
    chain::LOGGER,
    client::{Client, batch, call},
    find,
};
use serde_json::Value;

use chlom_rpc::Limits;

fn code(response: &Value) -> i64 {
    response["error"]["code"].as_i64().unwrap_or(0)
}

fn message(response: &Value) -> &str {
    response["error"]["message"].as_str().unwrap_or("no error")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let node = Node::with(Limits { body_bytes: 1000, ..Limits::default() }).await;
    let mut client = node.client().await;
    let head = "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1001\r\n\r\n";
    client.send(head.as_bytes()).await;
    let announced = client.response().await;
    assert_eq!(announced.status, 413);
    assert_eq!(message(&announced.json()), "request body too large: the limit is 1000 bytes");
    let mut client = node.client().await;
    let head =
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    client.send(head.as_bytes()).await;
    client.send(format!("3e9\r\n{}\r\n", " ".repeat(1001)).as_bytes()).await;
    assert_eq!(client.response().await.status, 413);
    // A client that has sent it all already still gets to see why.
    let refused = node.client().await.post(vec![b' '; 8_000_000]).await;
    assert_eq!(refused.status, 413);
    let exact = format!("{:<1000}", call(1, "net_version", "[]"));
    assert_eq!(node.client().await.post(exact).await.json()["result"], "7272");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_too_large_is_replaced_by_an_error() {
    let node = Node::with(Limits { response_bytes: 100, ..Limits::default() }).await;
    let block = node.call("eth_getBlockByNumber", "[\"latest\",false]").await;
    assert_eq!(code(&block), -32003);
    assert!(message(&block).starts_with("response too large: the limit is 100 bytes"), "{block}");
    // Of a batch, what fits is answered.
    let hash = call(1, "web3_sha3", "[\"0x00\"]");
    let calls = batch([hash.clone(), hash.replace("\"id\":1", "\"id\":2"), call(3, "net_version", "[]")]);
    let response = node.client().await.post(calls).await.json();
    assert!(find(&response, 1)["result"].is_string());
    assert_eq!((code(find(&response, 2)), code(find(&response, 3))), (-32003, -32003));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_takes_too_long_is_answered_and_others_go_on() {
    let limits = Limits { call_time: Duration::from_millis(200), heavy_calls: 2, ..Limits::default() };
    let node = Node::with(limits).await;
    let release = node.chain.dev.hold();
    let late = node.call("evm_mine", "[]").await;
    assert_eq!((code(&late), message(&late)), (-32002, "request timed out: a call or batch may take 200 ms"));
    assert_eq!(node.result("net_version", "[]").await, "7272");
    let balance = format!("[\"{LOGGER}\",\"latest\"]");
    assert_eq!(node.result("eth_getBalance", &balance).await, "0x0");
    assert!(node.result("evm_snapshot", "[]").await.is_string(), "the second slot is free");
    drop(release);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_calls_of_a_batch_share_its_time() {
    let node = Node::with(Limits { call_time: Duration::from_millis(200), ..Limits::default() }).await;
    let release = node.chain.dev.hold();
    let calls =
        batch([call(1, "evm_snapshot", "[]"), call(2, "evm_mine", "[]"), call(3, "evm_snapshot", "[]")]);
    let response = node.client().await.post(calls).await.json();
    assert!(find(&response, 1)["result"].is_string(), "{response}");
    assert_eq!((code(find(&response, 2)), code(find(&response, 3))), (-32002, -32002));
    drop(release);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_in_a_method_is_an_answer() {
    let node = Node::start().await;
    *node.chain.dev.panics.lock() = true;
    let mut client = node.client().await;
    for body in [call(1, "evm_snapshot", "[]"), batch([call(1, "evm_snapshot", "[]")])] {
        let response = client.post(body).await.json();
        let response = if response.is_array() { &response[0] } else { &response };
        assert_eq!(code(response), -32603);
        assert!(message(response).starts_with("method handler crashed"), "{response}");
    }
    assert_eq!(client.call("net_version", "[]").await["result"], "7272");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_beyond_the_cap_are_told_so_and_the_others_are_served() {
    let node = Node::with(Limits { connections: 2, ..Limits::default() }).await;
    let (mut first, mut second) = (node.client().await, node.client().await);
    first.call("net_version", "[]").await;
    second.call("net_version", "[]").await;
    for _ in 0..100 {
        let answer = node.client().await.closed().await;
        if !answer.is_empty() {
            assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
            assert!(answer.contains("too many connections: the limit is 2"), "{answer}");
        }
    }
    assert_eq!(first.call("net_version", "[]").await["result"], "7272");
    drop(second);
    let free = async {
        loop {
            let mut client = node.client().await;
            client.send(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
            if client.response().await.status == 200 {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, free).await.expect("a place becomes free");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_sends_no_complete_request_is_closed() {
    let node = Node::with(Limits { idle_time: Duration::from_millis(200), ..Limits::default() }).await;
    let silent = node.client().await;
    let mut slow = node.client().await;
    slow.send(b"POST / HTTP/1.1\r\nhost: x\r\nx-slow: ").await;
    let mut finished = node.client().await;
    finished.call("net_version", "[]").await;
    for client in [silent, slow, finished] {
        client.closed().await;
    }
    node.wait_for_metric("chlom_rpc_refused_total{reason=\"idle\"} 3").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_does_not_arrive_is_given_up() {
    let node = Node::with(Limits { body_time: Duration::from_millis(100), ..Limits::default() }).await;
    let mut client = node.client().await;
    client
        .send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{")
        .await;
    let response = client.response().await;
    assert_eq!(response.status, 408);
    assert!(response.body.contains("the body took too long to arrive"), "{}", response.body);
}

/// A call whose answer is as long as its id.
fn echo(bytes: usize) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":"{}","method":"net_version"}}"#, "x".repeat(bytes))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_takes_nothing_is_disconnected() {
    let node = Node::with(Limits { write_time: Duration::from_millis(200), ..Limits::default() }).await;
    let mut client = Client::connect(node.addr).await;
    let body = echo(4_000_000);
    let head = format!(
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    // Until the server stops reading: its answers fill every buffer on the way.
    let flood = async {
        for _ in 0..64 {
            use tokio::io::AsyncWriteExt;
            if client.stream.write_all(head.as_bytes()).await.is_err()
                || client.stream.write_all(body.as_bytes()).await.is_err()
            {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, flood).await.expect("the connection breaks");
    node.wait_for_metric("chlom_rpc_refused_total{reason=\"slow_reader\"} 1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_answers_share_a_budget() {
    let node = Node::with(Limits { memory_bytes: 1024 * 1024, ..Limits::default() }).await;
    let busy = node.client().await.post(echo(2_000_000)).await;
    assert_eq!(busy.status, 503);
    assert!(busy.body.contains("the node is busy"), "{}", busy.body);
    let fits = node.client().await.post(echo(400_000)).await;
    assert_eq!(fits.json()["result"], "7272");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abandoned_filters_make_room_and_filters_in_use_do_not() {
    let node = Node::with(Limits { filters: 3, ..Limits::default() }).await;
    let mut client = node.client().await;
    for _ in 0..3 {
        assert!(client.call("eth_newBlockFilter", "[]").await["result"].is_string());
    }
    let refused = client.call("eth_newBlockFilter", "[]").await;
    assert_eq!(code(&refused), -32005);
    assert!(message(&refused).starts_with("too many filters: the limit is 3"), "{refused}");
    let node = Node::with(Limits { filters: 3, filter_lifetime: Duration::ZERO, ..Limits::default() }).await;
    for _ in 0..10 {
        node.result("eth_newBlockFilter", "[]").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_in_progress_are_finished_when_the_server_ends() {
    let mut node = Node::start().await;
    let release = node.chain.dev.hold();
    let mut client = node.client().await;
    let mut idle = node.client().await;
    idle.call("net_version", "[]").await;
    let body = call(1, "evm_mine", "[]");
    let head = format!(
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    client.send(head.as_bytes()).await;
    let begun = async {
        while node.chain.dev.waits.lock().is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, begun).await.unwrap();
    node.begin_shutdown();
    idle.closed().await;
    drop(release);
    assert_eq!(client.response().await.json()["result"], "0x0");
    node.ended().await;
    assert!(tokio::net::TcpStream::connect(node.addr).await.is_err(), "nobody listens any more");
}
