//! A keep-alive HTTP/1.1 connection that posts JSON: one write per request, one buffer for answers, nothing parsed twice.

use anyhow::{Context, Result, bail, ensure};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The most that one answer may hold.
const ANSWER_LIMIT: usize = 256 << 20;
/// How long one answer may take.
const ANSWER_TIME: Duration = Duration::from_secs(60);

/// Where a node listens: `http://127.0.0.1:8545`, a loopback address only.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    authority: String,
}

impl Endpoint {
    pub(crate) fn parse(url: &str) -> Result<Self> {
        let rest = url.strip_prefix("http://").context("the URL must begin with http://")?;
        let authority = rest.trim_end_matches('/').to_owned();
        let host = authority.rsplit_once(':').context("the URL must name a port")?.0;
        ensure!(
            ["127.0.0.1", "localhost", "[::1]"].contains(&host),
            "only a loopback node is put under load"
        );
        Ok(Self { authority })
    }

    /// A complete request with this body, ready to be sent as often as wanted.
    pub(crate) fn request(&self, body: &[u8]) -> Vec<u8> {
        let mut request = format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.authority,
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        request
    }

    pub(crate) async fn connect(&self) -> Result<Connection> {
        let stream = TcpStream::connect(&self.authority)
            .await
            .with_context(|| format!("nothing listens on {}", self.authority))?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, buffer: vec![0; 64 << 10], filled: 0, chunked: Vec::new() })
    }
}

/// One connection; requests follow one another.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
    chunked: Vec<u8>,
}

struct Head {
    /// Bytes up to and including the empty line.
    len: usize,
    /// Body length; `None` when chunked.
    body: Option<usize>,
}

impl Connection {
    /// Sends a request made by [`Endpoint::request`]; the body of the answer.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Result<&[u8]> {
        tokio::time::timeout(ANSWER_TIME, self.exchange(request)).await.context("no answer in time")?
    }

    async fn exchange(&mut self, request: &[u8]) -> Result<&[u8]> {
        self.stream.write_all(request).await?;
        self.filled = 0;
        let head = loop {
            self.fill().await?;
            if let Some(head) = parse_head(&self.buffer[..self.filled])? {
                break head;
            }
        };
        let Some(body) = head.body else { return self.read_chunks(head.len).await };
        while self.filled < head.len + body {
            self.fill().await?;
        }
        Ok(&self.buffer[head.len..head.len + body])
    }

    async fn fill(&mut self) -> Result<()> {
        if self.filled == self.buffer.len() {
            ensure!(self.buffer.len() < ANSWER_LIMIT, "an answer exceeds {ANSWER_LIMIT} bytes");
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let read = self.stream.read(&mut self.buffer[self.filled..]).await?;
        ensure!(read > 0, "the node closed the connection");
        self.filled += read;
        Ok(())
    }

    async fn read_chunks(&mut self, mut at: usize) -> Result<&[u8]> {
        self.chunked.clear();
        loop {
            let line = loop {
                if let Some(end) = find(&self.buffer[at..self.filled], b"\r\n") {
                    break &self.buffer[at..at + end];
                }
                self.fill().await?;
            };
            let size =
                usize::from_str_radix(std::str::from_utf8(line)?.trim(), 16).context("a chunk's size")?;
            at += line.len() + 2;
            while self.filled < at + size + 2 {
                self.fill().await?;
            }
            self.chunked.extend_from_slice(&self.buffer[at..at + size]);
            at += size + 2;
            if size == 0 {
                return Ok(&self.chunked);
            }
        }
    }
}

/// Position of `needle` in `hay`.
pub(crate) fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|window| window == needle)
}

fn parse_head(bytes: &[u8]) -> Result<Option<Head>> {
    let Some(end) = find(bytes, b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&bytes[..end])?;
    let mut body = None;
    let mut chunked = false;
    for line in text.split("\r\n").skip(1) {
        let Some((name, value)) = line.split_once(':') else { bail!("not an HTTP header: {line}") };
        if name.eq_ignore_ascii_case("content-length") {
            body = Some(value.trim().parse()?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            chunked = value.trim().eq_ignore_ascii_case("chunked");
        }
    }
    ensure!(text.starts_with("HTTP/1.1 200"), "the node answered {}", text.lines().next().unwrap_or(""));
    ensure!(chunked || body.is_some(), "an answer has neither a length nor chunks");
    Ok(Some(Head { len: end + 4, body }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_gives_the_length_whatever_the_case_of_names() {
        let head = parse_head(b"HTTP/1.1 200 OK\r\ncontent-LENGTH: 12\r\n\r\n").unwrap().unwrap();
        assert_eq!((head.len, head.body), (39, Some(12)));
        assert!(parse_head(b"HTTP/1.1 200 OK\r\nContent-Le").unwrap().is_none());
    }

    #[test]
    fn anything_but_200_is_an_error() {
        assert!(parse_head(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n").is_err());
    }

    #[test]
    fn only_loopback_is_put_under_load() {
        assert!(Endpoint::parse("http://127.0.0.1:8545").is_ok());
        assert!(Endpoint::parse("http://192.0.2.1:8545").is_err());
    }
}
