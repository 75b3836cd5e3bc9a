//! `POST /chlom_putBlob?lane=0x…&period=N`: a blob's body, as it is, straight to the disk.
//!
//! The answer is a JSON-RPC response without an id, `{"id","header","commitments"}`: what is needed to publish the blob once
//! `chlom_blobStatus` says that the node holds it.

use std::{future::poll_fn, pin::Pin, sync::Arc};

use alloy_primitives::Address;
use bytes::BytesMut;
use chlom_blobs::{
    BlobError, BlobService, ServiceError,
    service::{Accepted, Upload},
};
use hyper::{
    StatusCode,
    body::{Body, Incoming},
    header::CONTENT_TYPE,
    http::request::Parts,
};
use serde_json::json;
use tokio::time::{Instant, timeout_at};

use crate::{
    blobs,
    error::RpcError,
    server::{
        connection::Connection,
        http::{Answer, JSON, linger, refuse, with_type},
        payload::Payload,
    },
};

/// Bytes gathered before they are written: a thread is asked for each write.
const PIECE: usize = 256 * 1024;

/// Why a body was not taken.
enum Refusal {
    /// Neither its address nor its headers were right.
    Request(StatusCode, String),
    /// The service refuses.
    Service(ServiceError),
    /// It came too slowly.
    Slow,
    /// It ended early.
    Cut,
}

impl From<ServiceError> for Refusal {
    fn from(error: ServiceError) -> Self {
        Self::Service(error)
    }
}

/// Takes a body.
pub(super) async fn put(
    connection: &Connection,
    service: Arc<BlobService>,
    parts: &Parts,
    mut body: Incoming,
) -> Answer {
    match take(connection, service, parts, &mut body).await {
        Ok(accepted) => {
            let answer = json!({ "jsonrpc": "2.0", "id": null, "result": blobs::accepted(&accepted) });
            with_type(Payload::from(answer.to_string()), StatusCode::OK, JSON)
        }
        Err(refusal) => {
            linger(body);
            answer(connection, refusal)
        }
    }
}

async fn take(
    connection: &Connection,
    service: Arc<BlobService>,
    parts: &Parts,
    body: &mut Incoming,
) -> Result<Accepted, Refusal> {
    // A browser sends this type across origins only after a preflight.
    let kind = parts.headers.get(CONTENT_TYPE).map_or(&b""[..], |kind| kind.as_bytes());
    if !kind.eq_ignore_ascii_case(b"application/octet-stream") {
        let why = "the body's content type must be application/octet-stream".to_owned();
        return Err(Refusal::Request(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
    }
    let query = parts.uri.query().unwrap_or_default();
    let (lane, period) = read_query(query).map_err(|why| Refusal::Request(StatusCode::BAD_REQUEST, why))?;
    let upload = apart(move |announced| service.begin_upload(announced), body.size_hint().exact()).await?;
    let upload = stream(connection, upload, body).await?;
    Ok(apart(move |upload: Upload| upload.finish(lane, period), upload).await?)
}

/// Writes what arrives, in pieces, while each arrives in time and all do.
async fn stream(connection: &Connection, mut upload: Upload, body: &mut Incoming) -> Result<Upload, Refusal> {
    let limits = &connection.shared.service.context.limits;
    let end = Instant::now() + limits.blob_time;
    let mut gathered = BytesMut::new();
    loop {
        let patience = end.min(Instant::now() + limits.blob_stall);
        let frame = timeout_at(patience, poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx))).await;
        let frame = frame.map_err(|_| Refusal::Slow)?;
        let last = frame.is_none();
        if let Some(frame) = frame
            && let Ok(piece) = frame.map_err(|_| Refusal::Cut)?.into_data()
        {
            gathered.extend_from_slice(&piece);
        }
        if last || gathered.len() >= PIECE {
            let piece = gathered.split();
            upload = apart(move |mut upload: Upload| upload.write(&piece).map(|()| upload), upload).await?;
        }
        if last {
            return Ok(upload);
        }
    }
}

/// Runs something that waits for the disk on a thread that may.
async fn apart<A: Send + 'static, B: Send + 'static>(
    work: impl FnOnce(A) -> Result<B, ServiceError> + Send + 'static,
    with: A,
) -> Result<B, ServiceError> {
    // It is neither cancelled nor does it panic: the node is stopping.
    tokio::task::spawn_blocking(move || work(with)).await.unwrap_or(Err(ServiceError::Stopped))
}

fn read_query(query: &str) -> Result<(Address, u32), String> {
    let usage =
        "the address is /chlom_putBlob?lane=0x…&period=N, with a lane of 20 bytes and a period below 2^32";
    let (mut lane, mut period) = (None, None);
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("lane", value)) if lane.is_none() && value.starts_with("0x") => lane = value.parse().ok(),
            Some(("period", value)) if period.is_none() => period = value.parse().ok(),
            _ => return Err(usage.to_owned()),
        }
    }
    lane.zip(period).ok_or_else(|| usage.to_owned())
}

fn answer(connection: &Connection, refusal: Refusal) -> Answer {
    let metrics = &connection.shared.service.metrics;
    match refusal {
        Refusal::Request(status, why) => refuse(status, RpcError::invalid_request(&why)),
        Refusal::Cut => refuse(
            StatusCode::BAD_REQUEST,
            RpcError::invalid_request("the body ended before its announced length"),
        ),
        Refusal::Slow => {
            metrics.refused("slow_blob");
            let limits = &connection.shared.service.context.limits;
            refuse(
                StatusCode::REQUEST_TIMEOUT,
                RpcError::limit(format!(
                    "the body took too long to arrive: {} s in all and {} s without a byte are allowed",
                    limits.blob_time.as_secs(),
                    limits.blob_stall.as_secs()
                )),
            )
        }
        Refusal::Service(error) => {
            metrics.refused("blob");
            refuse(status_of(&error), blobs::refused(error))
        }
    }
}

fn status_of(error: &ServiceError) -> StatusCode {
    match error {
        ServiceError::Empty => StatusCode::BAD_REQUEST,
        ServiceError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        ServiceError::Uploads { .. } | ServiceError::Unpublished { .. } => StatusCode::TOO_MANY_REQUESTS,
        ServiceError::Store(
            BlobError::Quota { .. } | BlobError::TooManyBlobs { .. } | BlobError::DiskFull { .. },
        ) => StatusCode::INSUFFICIENT_STORAGE,
        ServiceError::Stopped => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lane_and_period_are_read_from_the_address_once_each() {
        let lane = Address::repeat_byte(0xab);
        assert_eq!(read_query(&format!("lane={lane}&period=20250901")), Ok((lane, 20_250_901)));
        for wrong in [
            "",
            "lane=0xab&period=1",
            "period=1",
            &format!("lane={lane}"),
            &format!("lane={lane}&period=4294967296"),
            &format!("lane={lane}&period=-1"),
            &format!("lane={lane}&period=1&period=2"),
            &format!("lane={lane}&period=1&more=2"),
            &format!("lane={}&period=1", alloy_primitives::hex::encode(lane)),
        ] {
            assert!(read_query(wrong).is_err(), "{wrong}");
        }
    }
}
