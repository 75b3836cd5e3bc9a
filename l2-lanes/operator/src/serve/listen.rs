//! Connections, and which request is whose.

use std::{convert::Infallible, net::IpAddr, sync::Arc, time::Duration};

use axum::body::Body;
use hyper::{
    Method, Request, Response, StatusCode, body::Incoming, header::ALLOW, header::HeaderValue,
    server::conn::http1, service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};

use super::{
    Server, Shared,
    answer::{self, Problem},
    receipts,
};

/// Time that requests in progress are given when the server ends.
const GRACE: Duration = Duration::from_secs(10);
/// How often answers that nobody will ask for again are forgotten.
const SWEEP: Duration = Duration::from_secs(3_600);
/// Pause after a failed accept: usually the process is out of file descriptors.
const PAUSE: Duration = Duration::from_millis(50);
/// Bytes buffered of a request.
const BUFFER: usize = 64 * 1024;
/// What programs read of this interface.
const DESCRIPTION: &str = include_str!("../../../../spec/rpc/ingest.json");

impl Server {
    /// Serves until `shutdown` resolves, then finishes the requests in progress, for ten seconds at most.
    ///
    /// # Errors
    /// When the runtime cannot watch the listening socket.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> std::io::Result<()> {
        let listener = TcpListener::from_std(self.listener)?;
        let (closing, closed) = watch::channel(false);
        let all = u32::try_from(self.shared.limits.connections.max(1)).unwrap_or(u32::MAX);
        let sweeping = {
            let shared = self.shared.clone();
            tokio::spawn(async move {
                let mut sweep = tokio::time::interval(SWEEP);
                loop {
                    sweep.tick().await;
                    shared.keys.forget_old_answers().await;
                }
            })
        };
        let accept = async {
            loop {
                let (stream, from) = match listener.accept().await {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(PAUSE).await;
                        continue;
                    }
                };
                // Beyond the cap a connection is closed: whoever floods gets no answer, and costs none.
                let Ok(slot) = self.slots.clone().try_acquire_owned() else { continue };
                let (shared, closed) = (self.shared.clone(), closed.clone());
                tokio::spawn(async move {
                    shared.metrics.connections.inc();
                    serve(&shared, stream, from.ip(), closed).await;
                    shared.metrics.connections.dec();
                    drop(slot);
                });
            }
        };
        tokio::select! {
            () = accept => {}
            () = shutdown => {}
        }
        sweeping.abort();
        drop(listener);
        closing.send_replace(true);
        if timeout(GRACE, self.slots.acquire_many(all)).await.is_err() {
            tracing::warn!("requests were still in progress after {} s; they are cut off", GRACE.as_secs());
        }
        Ok(())
    }
}

async fn serve(shared: &Arc<Shared>, stream: TcpStream, from: IpAddr, mut closed: watch::Receiver<bool>) {
    // Answers are written whole; Nagle's algorithm would only delay them.
    let _ = stream.set_nodelay(true);
    let requests = service_fn(|request| async move {
        let response = handle(shared, request, from).await;
        shared.metrics.request(response.status().as_u16());
        Ok::<_, Infallible>(response)
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(shared.limits.head_time).max_buf_size(BUFFER);
    let connection = builder.serve_connection(TokioIo::new(stream), requests);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // An error here is the peer's: it left, or it does not speak HTTP.
        _ = connection.as_mut() => {}
        () = async { drop(closed.wait_for(|closed| *closed).await) } => {
            connection.as_mut().graceful_shutdown();
            let _ended = connection.await;
        }
    }
}

async fn handle(shared: &Shared, request: Request<Incoming>, from: IpAddr) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let allowed = match parts.uri.path() {
        "/v1/receipts" => Method::POST,
        "/health" | "/metrics" | "/openapi.json" => Method::GET,
        _ => return Problem::new(StatusCode::NOT_FOUND, "receipts go to /v1/receipts").response(),
    };
    if parts.method != allowed {
        let detail = format!("{} takes {allowed}", parts.uri.path());
        let mut response = Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).response();
        let allow = if allowed == Method::POST { "POST" } else { "GET" };
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
        return response;
    }
    match parts.uri.path() {
        "/health" => answer::json(StatusCode::OK, "{\"status\":\"ok\"}".into()),
        "/openapi.json" => answer::json(StatusCode::OK, DESCRIPTION.into()),
        "/metrics" => metrics(shared),
        _ => {
            let answer = async {
                let key = shared.keys.key(&parts.headers, from).await?;
                receipts::post(shared, &key, &parts.headers, body).await
            };
            answer.await.unwrap_or_else(Problem::response)
        }
    }
}

fn metrics(shared: &Shared) -> Response<Body> {
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &shared.registry) {
        Ok(()) => answer::with_type(
            StatusCode::OK,
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            text,
        ),
        Err(error) => Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).response(),
    }
}
