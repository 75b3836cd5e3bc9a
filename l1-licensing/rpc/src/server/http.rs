//! Answers HTTP requests.

use std::{convert::Infallible, future::poll_fn, pin::Pin, sync::Arc, time::Duration};

use axum::extract::{FromRequestParts, WebSocketUpgrade};
use bytes::{Bytes, BytesMut};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Body, Incoming},
    header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderMap, HeaderValue, UPGRADE},
    http::request::Parts,
};
use tokio::time::timeout;

use crate::{
    blobs,
    dispatch::{
        budget::{FREE, Share},
        output,
        service::Response as Text,
    },
    error::RpcError,
    server::{connection::Connection, health, payload::Payload, upload, websocket},
};

pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// How long, and how much, is read of a body that was refused.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 64 * 1024 * 1024;

/// Where blobs' bodies go.
const PUT_BLOB: &str = "/chlom_putBlob";

const WELCOME: &str =
    "CHLOM: JSON-RPC by POST or WebSocket on this address. /health and /metrics are by GET.\n";

pub(super) type Answer = Response<Payload>;

/// Answers one request.
pub(super) async fn handle(
    connection: Arc<Connection>,
    request: Request<Incoming>,
) -> Result<Answer, Infallible> {
    let busy = connection.activity.begin();
    let (mut parts, body) = request.into_parts();
    if let Some(page) = page(&connection, &parts) {
        return Ok(page.map(|payload| payload.holding(busy)));
    }
    let mut response = route(&connection, &mut parts, body).await;
    connection.shared.cors.annotate(&parts.headers, response.headers_mut());
    Ok(response.map(|payload| payload.holding(busy)))
}

/// A page for people, if it is one that is asked for.
fn page(connection: &Connection, parts: &Parts) -> Option<Response<Payload>> {
    let pages = connection.shared.pages.as_ref().filter(|_| !parts.headers.contains_key(UPGRADE))?;
    let page = pages.answer(&parts.method, parts.uri.path(), &parts.headers)?;
    Some(page.map(Payload::from))
}

async fn route(connection: &Arc<Connection>, parts: &mut Parts, body: Incoming) -> Answer {
    match (&parts.method, parts.uri.path()) {
        (&Method::POST, "/") => post(connection, &parts.headers, body).await,
        (&Method::POST, PUT_BLOB) => match blobs::uploads(&connection.shared.service.context) {
            Some(service) => upload::put(connection, service, parts, body).await,
            None => nothing_here(),
        },
        (&Method::GET, "/" | "/ws") if parts.headers.contains_key(UPGRADE) => {
            upgrade(connection, parts).await
        }
        (&Method::GET, "/") => with_type(Payload::from(WELCOME.to_owned()), StatusCode::OK, TEXT),
        (&Method::GET, "/health") => report_health(connection),
        (&Method::GET, "/metrics") => report_metrics(connection),
        (&Method::OPTIONS, _) => {
            let mut response = status(StatusCode::NO_CONTENT, String::new());
            connection.shared.cors.preflight(&parts.headers, response.headers_mut());
            response
        }
        (_, "/" | "/health" | "/metrics" | "/ws" | PUT_BLOB) => {
            let mut response = status(
                StatusCode::METHOD_NOT_ALLOWED,
                "JSON-RPC is by POST; /health and /metrics are by GET\n".into(),
            );
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST, GET, OPTIONS"));
            response
        }
        _ => nothing_here(),
    }
}

fn nothing_here() -> Answer {
    status(
        StatusCode::NOT_FOUND,
        "nothing is here: JSON-RPC is at /, then there are /health and /metrics\n".into(),
    )
}

pub(super) fn with_type(payload: Payload, status: StatusCode, kind: HeaderValue) -> Answer {
    let mut response = Response::new(payload);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn status(status: StatusCode, text: String) -> Answer {
    with_type(text.into(), status, TEXT)
}

/// A refusal as a JSON-RPC error, so that clients show its message; the connection ends with it where input is unread.
pub(super) fn refuse(status: StatusCode, error: RpcError) -> Answer {
    let mut response = with_type(Payload::new(output::refusal(error), Share::default()), status, JSON);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

async fn post(connection: &Connection, headers: &HeaderMap, body: Incoming) -> Answer {
    if !is_json(headers) {
        let error = RpcError::invalid_request("invalid content type, only application/json is supported");
        linger(body);
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, error);
    }
    let (body, share) = match read(connection, body).await {
        Ok(read) => read,
        Err(refusal) => return *refusal,
    };
    let Text { text, share: held } = connection.shared.service.answer(&body, None).await.unwrap_or_default();
    drop((body, share));
    with_type(Payload::new(text, held), StatusCode::OK, JSON)
}

fn busy(connection: &Connection) -> Answer {
    connection.shared.service.metrics.refused("memory");
    refuse(StatusCode::SERVICE_UNAVAILABLE, connection.shared.service.budget.busy())
}

/// As geth: a browser sends this type across origins only after a preflight.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let kind = kind.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    ["application/json", "application/json-rpc", "application/jsonrequest"]
        .iter()
        .any(|known| kind.eq_ignore_ascii_case(known.as_bytes()))
}

/// Reads a body within the limits of size, time and memory.
async fn read(connection: &Connection, mut body: Incoming) -> Result<(Bytes, Share), Box<Answer>> {
    let limits = &connection.shared.service.context.limits;
    // Where the length is not known beforehand (chunked), the most is set aside.
    let announced = body.size_hint().upper().map_or(limits.body_bytes as u64, |length| length);
    if announced > limits.body_bytes as u64 {
        linger(body);
        return Err(Box::new(too_large(connection)));
    }
    let Some(share) = connection.shared.service.budget.take(usize::try_from(announced).unwrap_or(usize::MAX))
    else {
        linger(body);
        return Err(Box::new(busy(connection)));
    };
    match timeout(limits.body_time, collect(&mut body, limits.body_bytes)).await {
        Ok(Ok(text)) => Ok((text, share)),
        Ok(Err(Broken::TooLarge)) => {
            linger(body);
            Err(Box::new(too_large(connection)))
        }
        Ok(Err(Broken::Cut)) => Err(Box::new(refuse(
            StatusCode::BAD_REQUEST,
            RpcError::invalid_request("the body ended before its announced length"),
        ))),
        Err(_) => Err(Box::new(too_slow(connection))),
    }
}

/// Reads on for a while after a refusal: a client that is still sending would otherwise see the connection break, and not
/// the reason.
pub(super) fn linger(mut body: Incoming) {
    tokio::spawn(timeout(LINGER, async move {
        let mut left = LINGER_BYTES;
        while let Some(Ok(frame)) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                return;
            }
        }
    }));
}

fn too_slow(connection: &Connection) -> Answer {
    connection.shared.service.metrics.refused("slow_body");
    let limit = connection.shared.service.context.limits.body_time.as_secs();
    let error = RpcError::limit(format!("the body took too long to arrive: the limit is {limit} s"));
    refuse(StatusCode::REQUEST_TIMEOUT, error)
}

fn too_large(connection: &Connection) -> Answer {
    connection.shared.service.metrics.refused("body");
    let limit = connection.shared.service.context.limits.body_bytes;
    let error = RpcError::limit(format!("request body too large: the limit is {limit} bytes"));
    refuse(StatusCode::PAYLOAD_TOO_LARGE, error)
}

enum Broken {
    TooLarge,
    Cut,
}

/// All of a body; a small one is not copied.
async fn collect(body: &mut Incoming, most: usize) -> Result<Bytes, Broken> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
        let Ok(piece) = frame.map_err(|_| Broken::Cut)?.into_data() else { continue };
        if first.len() + all.len() + piece.len() > most {
            return Err(Broken::TooLarge);
        }
        if first.is_empty() && all.is_empty() {
            first = piece;
            continue;
        }
        if all.is_empty() {
            all.reserve(FREE.max(first.len() + piece.len()));
            all.extend_from_slice(&std::mem::take(&mut first));
        }
        all.extend_from_slice(&piece);
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

async fn upgrade(connection: &Arc<Connection>, parts: &mut Parts) -> Answer {
    if !connection.shared.cors.allows_socket(&parts.headers) {
        return status(
            StatusCode::FORBIDDEN,
            "this origin may not open WebSockets here (see --cors)\n".into(),
        );
    }
    let upgrade = match WebSocketUpgrade::from_request_parts(parts, &()).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => return status(rejection.status(), format!("{rejection}\n")),
    };
    let most = connection.shared.service.context.limits.body_bytes;
    let connection = connection.clone();
    let response = upgrade
        .max_message_size(most)
        .max_frame_size(most)
        .on_upgrade(move |socket| websocket::serve(socket, connection));
    response.map(|_| Payload::default())
}

fn report_health(connection: &Connection) -> Answer {
    let shared = &connection.shared;
    let report = health::report(&shared.service.context, &*shared.health);
    let status = if report.healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    with_type(report.text.into(), status, JSON)
}

fn report_metrics(connection: &Connection) -> Answer {
    let service = &connection.shared.service;
    service.metrics.memory.set(i64::try_from(service.budget.used()).unwrap_or(i64::MAX));
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &connection.shared.registry) {
        Ok(()) => with_type(text.into(), StatusCode::OK, METRICS),
        Err(_) => status(StatusCode::INTERNAL_SERVER_ERROR, "the metrics could not be written\n".into()),
    }
}
