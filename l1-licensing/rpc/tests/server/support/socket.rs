//! A WebSocket client.

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, protocol::frame::coding::CloseCode},
};

use super::{Node, PATIENCE, client::call};

/// A client's end.
pub(crate) struct Socket(pub(crate) WebSocketStream<TcpStream>);

impl Socket {
    pub(crate) async fn open(node: &Node) -> Self {
        let stream = TcpStream::connect(node.addr).await.unwrap();
        Self(client_async(format!("ws://{}/", node.addr), stream).await.unwrap().0)
    }

    pub(crate) async fn send(&mut self, text: impl Into<String>) {
        self.0.send(Message::text(text.into())).await.unwrap();
    }

    pub(crate) async fn message(&mut self) -> Message {
        timeout(PATIENCE, self.0.next()).await.expect("a message in time").expect("open").unwrap()
    }

    pub(crate) async fn json(&mut self) -> Value {
        loop {
            match self.message().await {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    pub(crate) async fn call(&mut self, id: u64, method: &str, params: &str) -> Value {
        self.send(call(id, method, params)).await;
        self.json().await
    }

    pub(crate) async fn subscribe(&mut self, params: &str) -> Value {
        let response = self.call(1, "eth_subscribe", params).await;
        assert!(response["result"].is_string(), "{response}");
        response["result"].clone()
    }

    pub(crate) async fn event(&mut self, subscription: &Value) -> Value {
        let event = self.json().await;
        assert_eq!(event["method"], "eth_subscription", "{event}");
        assert_eq!(event["params"]["subscription"], *subscription);
        event["params"]["result"].clone()
    }

    /// The close code that the server ends with.
    pub(crate) async fn closed(&mut self) -> Option<(CloseCode, String)> {
        let end = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Close(frame))) => {
                        return frame.map(|frame| (frame.code, frame.reason.to_string()));
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return None,
                }
            }
        };
        timeout(PATIENCE, end).await.expect("the server closes the connection")
    }
}
