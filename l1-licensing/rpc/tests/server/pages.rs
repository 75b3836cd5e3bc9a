//! Pages for people on the port of JSON-RPC, which they do not disturb. Upholds [PAG-1], [PAG-4].

use std::sync::Arc;

use bytes::Bytes;
use chlom_rpc::Pages;
use hyper::{HeaderMap, Method, Response, header::ACCEPT};

use crate::support::Node;

/// One page at the root for whoever accepts HTML.
struct Hello;

impl Pages for Hello {
    fn answer(&self, method: &Method, path: &str, headers: &HeaderMap) -> Option<Response<Bytes>> {
        let is_asked = *method == Method::GET
            && path == "/"
            && headers.get(ACCEPT).is_some_and(|kind| kind == "text/html");
        is_asked.then(|| Response::new(Bytes::from_static(b"<h1>hello</h1>")))
    }
}

const BROWSER: &str = "accept: text/html\r\norigin: https://a.example\r\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pag_1_a_page_stands_beside_json_rpc_on_one_connection() {
    let node = Node::with_pages(Arc::new(Hello)).await;
    let mut client = node.client().await;
    let page = client.request("GET /", BROWSER, b"").await;
    assert_eq!((page.status, page.body.as_str()), (200, "<h1>hello</h1>"));
    assert_eq!(client.call("net_version", "[]").await["result"], "7272");
    assert!(client.get("/").await.body.contains("JSON-RPC by POST"));
    assert!(client.request("GET /health", BROWSER, b"").await.body.contains("\"status\":\"ok\""));
    assert_eq!(client.request("PUT /", BROWSER, b"").await.status, 405);
    let upgrade = "upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let head = format!("GET / HTTP/1.1\r\nhost: test\r\n{BROWSER}{upgrade}\r\n");
    client.send(head.as_bytes()).await;
    assert_eq!(client.response().await.status, 101, "a WebSocket, though it accepts HTML");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pag_4_no_origin_is_let_in_to_a_page_whatever_cors_says_of_json_rpc() {
    let node = Node::with_pages(Arc::new(Hello)).await;
    let mut client = node.client().await;
    assert_eq!(client.request("GET /", BROWSER, b"").await.header("access-control-allow-origin"), None);
    let call = "content-type: application/json\r\norigin: https://a.example\r\n";
    let body = crate::support::client::call(1, "net_version", "[]");
    let answer = client.request("POST /", call, body.as_bytes()).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
}
