//! JSON-RPC over HTTP: calls, batches, and what is refused.

use crate::support::{
    Node, PATIENCE,
    chain::{LOGGER, key, log, transfer},
    client::{batch, call},
    find,
};
use serde_json::{Value, json};

use chlom_rpc::{BindError, Cors, Limits, Server, ServerOptions};

fn error(response: &Value) -> (i64, &str) {
    let error = &response["error"];
    (error["code"].as_i64().unwrap_or(0), error["message"].as_str().unwrap_or("no error"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_answered_one_after_the_other_on_one_connection() {
    let node = Node::start().await;
    let mut client = node.client().await;
    for id in ["1", "\"one\"", "null", "1e400", "-0"] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"net_version"}}"#);
        let response = client.post(&body).await;
        assert_eq!(response.status, 200);
        assert_eq!(response.header("content-type"), Some("application/json"));
        assert_eq!(response.body, format!(r#"{{"jsonrpc":"2.0","id":{id},"result":"7272"}}"#));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn methods_about_the_node_answer() {
    let node = Node::start().await;
    assert_eq!(node.result("web3_clientVersion", "[]").await, "chlom/test");
    let hash = "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";
    assert_eq!(node.result("web3_sha3", "[\"0x\"]").await, hash);
    assert_eq!(node.result("net_listening", "[]").await, true);
    assert_eq!(node.result("net_peerCount", "[]").await, "0x0");
    assert_eq!(node.result("eth_accounts", "[]").await[0], format!("{:#x}", key(0).address()));
    let modules = node.result("rpc_modules", "[]").await;
    for namespace in ["eth", "net", "web3", "txpool", "rpc", "evm"] {
        assert_eq!(modules[namespace], "1.0", "{modules}");
    }
    assert_eq!(node.result("eth_chainId", "[]").await, "0x1c68");
    assert_eq!(node.result("eth_blockNumber", "[]").await, "0x0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_answered_in_order_and_notifications_are_not() {
    let node = Node::start().await;
    let calls = [
        call(1, "net_version", "[]"),
        r#"{"jsonrpc":"2.0","method":"net_version"}"#.into(),
        "7".into(),
        call(2, "no_such", "[]"),
        call(3, "web3_sha3", "[]"),
        call(4, "eth_getBalance", &format!("[\"{}\",\"latest\"]", key(0).address())),
        call(5, "eth_getBlockByNumber", "[\"0x0\",false]"),
        call(6, "eth_subscribe", "[\"newHeads\"]"),
    ];
    let response = node.client().await.post(batch(calls)).await.json();
    let ids: Vec<_> = response.as_array().unwrap().iter().map(|r| r["id"].clone()).collect();
    assert_eq!(ids, [json!(1), json!(null), json!(2), json!(3), json!(4), json!(5), json!(6)]);
    assert_eq!(find(&response, 1)["result"], "7272");
    assert_eq!(error(&response[1]), (-32600, "invalid request: a call must be an object"));
    assert_eq!(error(find(&response, 2)), (-32601, "the method no_such does not exist/is not available"));
    assert_eq!(error(find(&response, 3)), (-32602, "missing value for required argument 0"));
    assert_eq!(find(&response, 4)["result"], "0x21e19e0c9bab2400000");
    assert_eq!(find(&response, 5)["result"]["number"], "0x0");
    assert!(error(find(&response, 6)).1.starts_with("notifications not supported"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_of_notifications_gets_an_empty_answer() {
    let node = Node::start().await;
    let mut client = node.client().await;
    let note = r#"{"jsonrpc":"2.0","method":"net_version"}"#;
    for body in [note.to_owned(), format!("[{note},{note}]")] {
        let response = client.post(body).await;
        assert_eq!((response.status, response.body.as_str()), (200, ""));
    }
    assert_eq!(client.call("net_version", "[]").await["result"], "7272");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_call_is_answered_with_the_reason() {
    let node = Node::with(Limits { batch_calls: 2, json_depth: 8, ..Limits::default() }).await;
    let mut client = node.client().await;
    let cases = [
        ("{\"jsonrpc\"".to_owned(), -32700, "parse error: EOF"),
        (
            format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
            -32700,
            "parse error: JSON nests deeper than 8",
        ),
        ("[]".into(), -32600, "empty batch"),
        ("{}".into(), -32600, "invalid request: jsonrpc must be \"2.0\""),
        (call(1, "net_version", "{}"), -32602, "non-array args"),
        (call(1, "net_version", "[1]"), -32602, "too many arguments, want at most 0"),
        (call(1, "web3_sha3", "[7]"), -32602, "invalid argument 0: "),
        (call(1, &"x".repeat(5000), "[]"), -32601, "the method xxx"),
    ];
    for (body, code, start) in cases {
        let response = client.post(&body).await;
        assert_eq!(response.status, 200);
        let json = response.json();
        let (got, message) = error(&json);
        assert!(got == code && message.starts_with(start), "{}: {json}", &body[..body.len().min(80)]);
        assert!(message.len() < 200, "{message}");
    }
    let response = client.post(batch((0..3).map(|id| call(id, "net_version", "[]")))).await.json();
    assert_eq!(error(&response[0]), (-32600, "batch too large: 3 calls, the limit is 2"));
    assert_eq!(response[0]["id"], 0);
    let invalid = client.post(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}").await.json();
    assert_eq!(error(&invalid).0, -32700);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_paths_methods_and_types_say_where_to_go() {
    let node = Node::start().await;
    assert!(node.client().await.get("/").await.body.contains("JSON-RPC by POST"));
    assert_eq!(node.client().await.get("/nothing").await.status, 404);
    let put = node.client().await.request("PUT /", "", b"").await;
    assert_eq!((put.status, put.header("allow")), (405, Some("POST, GET, OPTIONS")));
    let form = "content-type: application/x-www-form-urlencoded\r\n";
    let refused = node.client().await.request("POST /", form, call(1, "net_version", "[]").as_bytes()).await;
    assert_eq!(refused.status, 415);
    assert!(refused.body.contains("only application/json is supported"), "{}", refused.body);
    let charset = "content-type: Application/JSON; charset=utf-8\r\n";
    let taken = node.client().await.request("POST /", charset, call(1, "net_version", "[]").as_bytes()).await;
    assert_eq!(taken.json()["result"], "7272");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn web_pages_are_let_in_as_configured() {
    let cors = Cors::Origins(vec!["https://app.example".into()]);
    let node = Node::with_cors(Limits::default(), cors).await;
    let asks = "origin: https://app.example\r\naccess-control-request-method: POST\r\n\
                access-control-request-headers: content-type,x-key\r\n";
    let preflight = node.client().await.request("OPTIONS /", asks, b"").await;
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.header("access-control-allow-origin"), Some("https://app.example"));
    assert_eq!(preflight.header("access-control-allow-headers"), Some("content-type,x-key"));
    let headers = "content-type: application/json\r\norigin: https://app.example\r\n";
    let body = call(1, "net_version", "[]");
    let post = node.client().await.request("POST /", headers, body.as_bytes()).await;
    assert_eq!(post.header("access-control-allow-origin"), Some("https://app.example"));
    let foreign = node.client().await.request("OPTIONS /", "origin: https://evil.example\r\n", b"").await;
    assert_eq!(foreign.header("access-control-allow-origin"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_names_the_head_or_the_reason() {
    let node = Node::start().await;
    let block = node.chain.mine().block;
    let fine = node.client().await.get("/health").await;
    assert_eq!(fine.status, 200);
    let json = fine.json();
    assert_eq!((&json["status"], &json["height"]), (&json!("ok"), &json!(1)));
    assert_eq!(json["hash"], format!("{:#x}", block.hash));
    assert!(json["age_s"].is_u64());
    node.trouble.set(Some("the chain \"halted\""));
    let ill = node.client().await.get("/health").await;
    assert_eq!(ill.status, 503);
    assert_eq!(ill.json()["reason"], "the chain \"halted\"");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_show_calls_connections_chain_and_process() {
    let node = Node::start().await;
    node.result("net_version", "[]").await;
    node.call("eth_getBalance", "[]").await;
    node.chain.mine();
    let response = node.client().await.get("/metrics").await;
    assert!(response.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    for line in [
        "chlom_rpc_calls_total{method=\"net_version\"} 1",
        "chlom_rpc_errors_total{method=\"eth_getBalance\",code=\"-32602\"} 1",
        "chlom_rpc_call_seconds_bucket{le=\"0.001\",method=\"net_version\"}",
        "chlom_rpc_connections ",
        "chlom_head_height 1",
        "chlom_pool_pending 0",
        "chlom_store_commits_total ",
        "chlom_process_resident_memory_bytes ",
        "chlom_process_cpu_seconds_total ",
        "# EOF",
    ] {
        assert!(response.body.contains(line), "{line} is missing in\n{}", response.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_of_raw_transactions_is_admitted_in_order() {
    let node = Node::start().await;
    let sends = (0..100).map(|n| call(n, "eth_sendRawTransaction", &format!("[\"{}\"]", transfer(0, n))));
    let mut sends: Vec<_> = sends.collect();
    sends.insert(50, call(500, "eth_sendRawTransaction", "[\"0x1234\"]"));
    sends.insert(51, call(501, "eth_sendRawTransaction", "[]"));
    let response = node.client().await.post(batch(sends)).await.json();
    assert_eq!(response.as_array().unwrap().len(), 102);
    for n in 0..100 {
        assert_eq!(find(&response, n)["result"].as_str().map(str::len), Some(66), "{}", find(&response, n));
    }
    assert_eq!(error(find(&response, 500)).0, -32000);
    assert_eq!(error(find(&response, 501)), (-32602, "missing value for required argument 0"));
    assert!(node.chain.woken.count() >= 1);
    assert_eq!(node.result("txpool_status", "[]").await, json!({"pending":"0x64","queued":"0x0"}));
    assert_eq!(node.chain.mine().block.txs.len(), 100);
    let hash = find(&response, 99)["result"].to_string();
    let receipt = node.result("eth_getTransactionReceipt", &format!("[{hash}]")).await;
    assert_eq!((&receipt["status"], &receipt["blockNumber"]), (&json!("0x1"), &json!("0x1")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_transactions_are_answered_in_the_words_of_geth() {
    let node = Node::start().await;
    let send = async |raw: String| node.call("eth_sendRawTransaction", &format!("[\"{raw}\"]")).await;
    assert!(send(transfer(1, 0)).await["result"].is_string());
    let again = send(transfer(1, 0)).await;
    assert_eq!(error(&again), (-32000, "already known"));
    let mut foreign = crate::support::chain::tx(1, LOGGER, Default::default());
    foreign.chain_id = 1;
    let foreign = send(crate::support::chain::signed(1, foreign)).await;
    assert!(error(&foreign).1.contains("invalid chain id"), "{foreign}");
    node.chain.mine();
    let late = send(transfer(1, 0)).await;
    assert!(error(&late).1.starts_with("nonce too low: next nonce 1, tx nonce 0"), "{late}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_synchronous_send_returns_the_receipt() {
    let node = Node::start().await;
    let (addr, raw) = (node.addr, transfer(2, 0));
    let sending = tokio::spawn(async move {
        crate::support::client::Client::connect(addr)
            .await
            .call("eth_sendRawTransactionSync", &format!("[\"{raw}\"]"))
            .await
    });
    let waits = async {
        while node.chain.context.pool.status().pending == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waits).await.unwrap();
    node.chain.mine();
    let response = sending.await.unwrap();
    assert_eq!(response["result"]["blockNumber"], "0x1", "{response}");
    assert_eq!(response["result"]["status"], "0x1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_synchronous_send_reports_a_timeout_and_a_nonce_gap() {
    let node = Node::start().await;
    let late = node.call("eth_sendRawTransactionSync", &format!("[\"{}\",\"0x1\"]", transfer(3, 0))).await;
    assert_eq!(error(&late).0, 4, "{late}");
    assert_eq!(late["error"]["data"].as_str().map(str::len), Some(66));
    let gap = node.call("eth_sendRawTransactionSync", &format!("[\"{}\"]", transfer(3, 5))).await;
    assert_eq!(error(&gap).0, 6, "{gap}");
    assert_eq!(gap["error"]["data"], "0x1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_node_signs_and_sends_for_its_own_accounts() {
    let node = Node::start().await;
    let (me, other) = (key(4).address(), key(5).address());
    let mut hashes = Vec::new();
    for _ in 0..3 {
        let request = format!("[{{\"from\":\"{me}\",\"to\":\"{other}\",\"value\":\"0x5\"}}]");
        hashes.push(node.result("eth_sendTransaction", &request).await);
    }
    assert_eq!(node.chain.mine().block.txs.len(), 3);
    let sent = node.result("eth_getTransactionByHash", &format!("[{}]", hashes[2])).await;
    assert_eq!((&sent["nonce"], &sent["value"]), (&json!("0x2"), &json!("0x5")));
    assert_eq!(sent["from"], format!("{me:#x}"));
    let stranger = "[{\"from\":\"0x00000000000000000000000000000000000000ff\",\"to\":null}]";
    assert_eq!(error(&node.call("eth_sendTransaction", stranger).await), (-32000, "unknown account"));
    let signature = node.result("eth_sign", &format!("[\"{me}\",\"0xdeadbeef\"]")).await;
    assert_eq!(signature.as_str().map(str::len), Some(132));
    let request = format!(
        "[{{\"from\":\"{me}\",\"to\":\"{other}\",\"gas\":\"0x5208\",\"nonce\":\"0x3\",\
         \"maxFeePerGas\":\"0x77359400\",\"maxPriorityFeePerGas\":\"0x1\"}}]"
    );
    let signed = node.result("eth_signTransaction", &request).await;
    let hash = node.result("eth_sendRawTransaction", &format!("[{}]", signed["raw"])).await;
    assert_eq!(signed["tx"]["hash"], hash);
    assert_eq!(
        error(&node.call("eth_signTransaction", &format!("[{{\"from\":\"{me}\"}}]")).await).1,
        "not specify Gas"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_of_a_dev_chain_moves_time_mines_and_goes_back() {
    let node = Node::start().await;
    assert_eq!(node.result("evm_mine", "[]").await, "0x0");
    assert_eq!(node.result("evm_mine", "[{\"blocks\":\"0x3\"}]").await, "0x0");
    assert_eq!(node.chain.height(), 4);
    assert_eq!(node.result("evm_increaseTime", "[3600]").await, 3600);
    assert_eq!(node.result("evm_increaseTime", "[\"0x10\"]").await, 3616);
    assert_eq!(node.result("evm_setNextBlockTimestamp", "[1800000000]").await, Value::Null);
    node.result("evm_mine", "[]").await;
    let block = node.result("eth_getBlockByNumber", "[\"latest\",false]").await;
    assert_eq!(block["timestamp"], "0x6b49d200");
    let id = node.result("evm_snapshot", "[]").await;
    node.result("evm_mine", "[]").await;
    assert_eq!(node.result("evm_revert", &format!("[{id}]")).await, true);
    assert_eq!(node.result("eth_blockNumber", "[]").await, "0x5");
    assert_eq!(node.result("evm_revert", "[\"0xffff\"]").await, false);
    assert!(error(&node.call("evm_mine", "[{\"blocks\":10001}]").await).1.contains("the limit is 10000"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_go_back_with_the_chain() {
    let node = Node::start().await;
    let mine = async |blocks| node.result("evm_mine", &format!("[{{\"blocks\":{blocks}}}]")).await;
    mine(3).await;
    let snapshot = node.result("evm_snapshot", "[]").await;
    mine(4).await;
    // Made after the snapshot, at height 7.
    let late = node.result("eth_newBlockFilter", "[]").await;
    let logs = node.result("eth_newFilter", &format!("[{{\"address\":\"{LOGGER}\"}}]")).await;
    assert_eq!(node.result("evm_revert", &format!("[{snapshot}]")).await, true);
    let raw = log(6, 0, vec![1]);
    node.result("eth_sendRawTransaction", &format!("[\"{raw}\"]")).await;
    // Past the height at which the filters were made before anybody polls them.
    mine(9).await;
    assert_eq!(node.chain.height(), 12);
    let changes = node.result("eth_getFilterChanges", &format!("[{late}]")).await;
    let hashes: Vec<_> = changes.as_array().unwrap().clone();
    assert_eq!(hashes.len(), 9, "blocks 4 to 12 are new");
    let fourth = node.result("eth_getBlockByNumber", "[\"0x4\",false]").await;
    assert_eq!(hashes[0], fourth["hash"]);
    let changes = node.result("eth_getFilterChanges", &format!("[{logs}]")).await;
    assert_eq!(changes.as_array().unwrap().len(), 1);
    assert_eq!(changes[0]["blockNumber"], "0x4");
    for filter in [&late, &logs] {
        assert_eq!(node.result("eth_getFilterChanges", &format!("[{filter}]")).await, json!([]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_report_each_change_once() {
    let node = Node::start().await;
    let blocks = node.result("eth_newBlockFilter", "[]").await;
    let pending = node.result("eth_newPendingTransactionFilter", "[]").await;
    let logs = node.result("eth_newFilter", &format!("[{{\"address\":\"{LOGGER}\"}}]")).await;
    let none =
        node.result("eth_newFilter", "[{\"address\":\"0x00000000000000000000000000000000000000ff\"}]").await;
    let raw = log(6, 0, vec![1, 2, 3]);
    let hash = node.result("eth_sendRawTransaction", &format!("[\"{raw}\"]")).await;
    let waits = async {
        loop {
            let changes = node.result("eth_getFilterChanges", &format!("[{pending}]")).await;
            if changes != json!([]) {
                return changes;
            }
        }
    };
    assert_eq!(tokio::time::timeout(PATIENCE, waits).await.unwrap(), json!([hash]));
    let (first, second) = (node.chain.mine().block.hash, node.chain.mine().block.hash);
    let changes = async |id: &Value| node.result("eth_getFilterChanges", &format!("[{id}]")).await;
    assert_eq!(changes(&blocks).await, json!([format!("{first:#x}"), format!("{second:#x}")]));
    assert_eq!(changes(&blocks).await, json!([]));
    let found = changes(&logs).await;
    assert_eq!((&found[0]["data"], &found[0]["transactionHash"]), (&json!("0x010203"), &hash));
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(changes(&logs).await, json!([]));
    assert_eq!(changes(&none).await, json!([]));
    assert_eq!(node.result("eth_uninstallFilter", &format!("[{logs}]")).await, true);
    assert_eq!(node.result("eth_uninstallFilter", &format!("[{logs}]")).await, false);
    let gone = node.call("eth_getFilterChanges", &format!("[{logs}]")).await;
    assert_eq!(error(&gone), (-32000, "filter not found"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_filter_that_is_polled_late_gets_everything_in_parts() {
    let node = Node::with(Limits { log_results: 3, ..Limits::default() }).await;
    let filter = node.result("eth_newFilter", "[{}]").await;
    for nonce in 0..8 {
        node.result("eth_sendRawTransaction", &format!("[\"{}\"]", log(7, nonce, vec![nonce as u8]))).await;
        node.chain.mine();
    }
    let mut seen = Vec::new();
    for _ in 0..8 {
        let part = node.result("eth_getFilterChanges", &format!("[{filter}]")).await;
        seen.extend(part.as_array().unwrap().iter().map(|log| log["data"].as_str().unwrap().to_owned()));
    }
    let all: Vec<_> = (0..8).map(|n| format!("0x{n:02x}")).collect();
    assert_eq!(seen, all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pool_is_shown_by_account_and_nonce() {
    let node = Node::start().await;
    for nonce in [0, 1, 5] {
        node.result("eth_sendRawTransaction", &format!("[\"{}\"]", transfer(8, nonce))).await;
    }
    let me = key(8).address().to_checksum(None);
    let content = node.result("txpool_content", "[]").await;
    assert_eq!(content["pending"][&me]["1"]["nonce"], "0x1", "{content}");
    assert_eq!(content["pending"][&me]["1"]["blockHash"], Value::Null);
    assert_eq!(content["queued"][&me]["5"]["nonce"], "0x5");
    let mine = node.result("txpool_contentFrom", &format!("[\"{me}\"]")).await;
    assert_eq!(mine["pending"], content["pending"][&me]);
    assert_eq!(mine["queued"], content["queued"][&me]);
    let lines = node.result("txpool_inspect", "[]").await;
    let line = lines["pending"][&me]["0"].as_str().unwrap();
    assert!(line.ends_with(": 0 wei + 100000 gas × 10000000000 wei"), "{line}");
    let nobody = node.result("txpool_contentFrom", &format!("[\"{LOGGER}\"]")).await;
    assert_eq!(nobody, json!({"pending": {}, "queued": {}}));
}

#[tokio::test]
async fn a_taken_port_is_named_with_the_way_out() {
    let node = Node::start().await;
    let chain = crate::support::chain::Chain::new(Limits::default(), None);
    let options = ServerOptions {
        cors: Cors::Nobody,
        health: node.trouble.clone(),
        registry: Default::default(),
        pages: None,
    };
    let error = Server::bind(node.addr, chain.context.clone(), options).await.unwrap_err();
    assert!(matches!(error, BindError::Taken(addr) if addr == node.addr));
    assert!(error.to_string().contains("choose another port with --port"), "{error}");
}
