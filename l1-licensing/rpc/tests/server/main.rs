//! The server on a real socket, in front of a small chain in memory.

mod http;
mod limits;
mod support;
mod websocket;
