//! The hot path of reading: prepared requests, latencies, and a look at whether the answer is a result.

use crate::http::{Endpoint, find};
use anyhow::Result;
use std::time::{Duration, Instant};

/// What a span of asking gave.
#[derive(Default)]
pub(crate) struct Measured {
    /// Microseconds per answer.
    pub(crate) latencies: Vec<u32>,
    pub(crate) answer_bytes: usize,
    /// Some nodes fail a few reads of `latest` while they seal a block.
    pub(crate) errors: u64,
    pub(crate) an_error: String,
}

/// Asks in turn on every connection until the time is over.
pub(crate) async fn ask_all(
    endpoint: &Endpoint,
    requests: &[Vec<u8>],
    connections: u64,
    time: Duration,
) -> Result<Measured> {
    let end = Instant::now() + time;
    let mut running = Vec::new();
    for offset in 0..connections as usize {
        running.push(tokio::spawn(ask(endpoint.clone(), requests.to_vec(), offset, end)));
    }
    let mut all = Measured::default();
    for connection in running {
        let one = connection.await??;
        all.latencies.extend(one.latencies);
        all.errors += one.errors;
        all.answer_bytes = one.answer_bytes;
        if one.errors > 0 {
            all.an_error = one.an_error;
        }
    }
    Ok(all)
}

async fn ask(endpoint: Endpoint, requests: Vec<Vec<u8>>, offset: usize, end: Instant) -> Result<Measured> {
    let mut connection = endpoint.connect().await?;
    let mut measured = Measured { latencies: Vec::with_capacity(1 << 16), ..Measured::default() };
    for request in requests.iter().cycle().skip(offset % requests.len()) {
        let start = Instant::now();
        if start >= end {
            break;
        }
        let answer = connection.send(request).await?;
        // Every node names the result within the first bytes, or else the whole answer is looked through.
        let head = &answer[..answer.len().min(64)];
        if find(head, b"\"result\"").is_none() && find(answer, b"\"result\"").is_none() {
            measured.errors += 1;
            measured.an_error = String::from_utf8_lossy(&answer[..answer.len().min(400)]).into_owned();
            continue;
        }
        measured.answer_bytes = answer.len();
        measured.latencies.push(u32::try_from(start.elapsed().as_micros())?);
    }
    Ok(measured)
}
