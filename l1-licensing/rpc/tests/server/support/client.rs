//! A plain HTTP client: tests must be able to misbehave.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::PATIENCE;

/// A keep-alive connection.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Client {
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(addr).await.unwrap(), buffer: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    pub(crate) async fn request(&mut self, line: &str, headers: &str, body: &[u8]) -> Response {
        let head =
            format!("{line} HTTP/1.1\r\nhost: test\r\n{headers}content-length: {}\r\n\r\n", body.len());
        self.send(&[head.as_bytes(), body].concat()).await;
        self.response().await
    }

    pub(crate) async fn get(&mut self, path: &str) -> Response {
        self.request(&format!("GET {path}"), "", b"").await
    }

    pub(crate) async fn post(&mut self, body: impl AsRef<[u8]>) -> Response {
        self.request("POST /", "content-type: application/json\r\n", body.as_ref()).await
    }

    pub(crate) async fn call(&mut self, method: &str, params: &str) -> Value {
        let response = self.post(call(1, method, params)).await;
        assert_eq!(response.status, 200, "{response:?}");
        response.json()
    }

    /// Reads one response.
    pub(crate) async fn response(&mut self) -> Response {
        let read = async {
            let end = loop {
                if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                    break end + 4;
                }
                assert!(self.more().await > 0, "closed: {}", String::from_utf8_lossy(&self.buffer));
            };
            let headers = String::from_utf8(self.buffer.drain(..end).collect()).unwrap();
            let status = headers.split(' ').nth(1).unwrap().parse().unwrap();
            let mut response = Response { status, headers, body: String::new() };
            let length = response.header("content-length").map_or(0, |length| length.parse().unwrap());
            while self.buffer.len() < length {
                assert!(self.more().await > 0, "closed within a body");
            }
            response.body = String::from_utf8(self.buffer.drain(..length).collect()).unwrap();
            response
        };
        timeout(PATIENCE, read).await.expect("a response in time")
    }

    async fn more(&mut self) -> usize {
        self.stream.read_buf(&mut self.buffer).await.unwrap_or(0)
    }

    /// Waits until the server closes the connection; what it still said.
    pub(crate) async fn closed(mut self) -> String {
        let rest = async { while self.more().await > 0 {} };
        timeout(PATIENCE, rest).await.expect("the server closes the connection");
        String::from_utf8_lossy(&self.buffer).into_owned()
    }
}

/// A call's text.
pub(crate) fn call(id: u64, method: &str, params: &str) -> String {
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"{method}\",\"params\":{params}}}")
}

/// A batch's text.
pub(crate) fn batch(calls: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", calls.into_iter().collect::<Vec<_>>().join(","))
}
