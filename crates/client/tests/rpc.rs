//! Nodes that answer as nodes should not.
#![allow(clippy::unwrap_used, clippy::disallowed_types, clippy::disallowed_methods)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    thread,
};

use chlom_client::{ClientError, Rpc};
use serde_json::json;

/// A server that gives one answer to one request.
fn node(answer: impl FnOnce(&str) -> Vec<u8> + Send + 'static) -> Rpc {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        // The client may hang up before it has read everything.
        let _hung_up = reader.into_inner().write_all(&answer(std::str::from_utf8(&body).unwrap()));
    });
    Rpc::new(&url).unwrap()
}

fn http(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
        .into_bytes()
}

fn ask(rpc: &Rpc) -> Result<u64, ClientError> {
    rpc.ask("eth_test", json!([]))
}

#[test]
fn an_answer_is_read_and_the_request_is_json_rpc() {
    let rpc = node(|request| {
        let request: serde_json::Value = serde_json::from_str(request).unwrap();
        assert_eq!((&request["jsonrpc"], &request["method"]), (&json!("2.0"), &json!("eth_test")));
        http(&json!({ "jsonrpc": "2.0", "id": request["id"], "result": 7 }).to_string())
    });
    assert_eq!(ask(&rpc).unwrap(), 7);
}

#[test]
fn a_revert_is_told_apart_from_a_refusal() {
    let data = "0x08c379a0000000000000000000000000000000000000000000000000000000000000002000000000000000000000000000000000000000000000000000000000000000064558495354530000000000000000000000000000000000000000000000000000";
    let reverted = json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": 3, "message": "execution reverted", "data": data } });
    let error = ask(&node(move |_| http(&reverted.to_string()))).unwrap_err();
    let ClientError::Revert { revert, .. } = error else { panic!("{error}") };
    assert!(revert.is("EXISTS"), "{revert}");
    let refused =
        json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": -32000, "message": "nonce too low" } });
    let error = ask(&node(move |_| http(&refused.to_string()))).unwrap_err();
    assert_eq!(error.to_string(), "eth_test: nonce too low (code -32000)");
}

#[test]
fn what_is_no_answer_to_the_question_is_refused() {
    for body in
        ["", "null", "[]", "{", r#"{"id":1,"result":"seven"}"#, r#"{"id":2,"result":7}"#, r#"{"result":7}"#]
    {
        let error = ask(&node(move |_| http(body))).unwrap_err();
        assert!(matches!(error, ClientError::Answer { .. }), "{body}: {error}");
    }
}

#[test]
fn an_answer_past_the_limit_is_given_up() {
    let body = format!(r#"{{"id":1,"result":7,"x":"{}"}}"#, "x".repeat(17 * 1024 * 1024));
    let error = ask(&node(move |_| http(&body))).unwrap_err();
    assert!(matches!(error, ClientError::TooLong { .. }), "{error}");
}

#[test]
fn a_node_that_hangs_up_or_is_not_there_is_told_with_its_address() {
    let gone = node(|_| Vec::new());
    assert!(matches!(ask(&gone), Err(ClientError::Transport { .. })));
    let status = node(|_| b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n".to_vec());
    assert!(matches!(ask(&status), Err(ClientError::Status { status: 503, .. })));
    // A port that was free a moment ago.
    let url = format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    let nobody = ask(&Rpc::new(&url).unwrap()).unwrap_err().to_string();
    assert!(nobody.starts_with(&format!("no answer from {url}")), "{nobody}");
    assert!(matches!(Rpc::new("https://example.org"), Err(ClientError::Url { .. })));
}

#[test]
fn answers_to_many_questions_come_in_the_order_of_the_questions() {
    let many = |answers: fn(Vec<serde_json::Value>) -> serde_json::Value| {
        let rpc = node(move |request| {
            let asked: Vec<serde_json::Value> = serde_json::from_str(request).unwrap();
            http(&answers(asked).to_string())
        });
        rpc.ask_all::<u64>("eth_test", vec![json!([10]), json!([20]), json!([30])])
    };
    let turned = many(|asked| {
        asked
            .iter()
            .rev()
            .map(|q| json!({ "jsonrpc": "2.0", "id": q["id"], "result": q["params"][0] }))
            .collect()
    });
    assert_eq!(turned.unwrap(), [10, 20, 30]);
    let short = many(|asked| json!([{ "jsonrpc": "2.0", "id": asked[0]["id"], "result": 1 }]));
    assert!(matches!(short, Err(ClientError::Answer { .. })), "one answer to three questions");
    let twice = many(|asked| {
        asked.iter().map(|_| json!({ "jsonrpc": "2.0", "id": asked[0]["id"], "result": 1 })).collect()
    });
    assert!(matches!(twice, Err(ClientError::Answer { .. })), "three answers to one question");
    let refused =
        many(|_| json!({ "jsonrpc": "2.0", "id": null, "error": { "code": -32600, "message": "too many" } }));
    assert!(matches!(refused, Err(ClientError::Refused { code: -32600, .. })), "{refused:?}");
}
