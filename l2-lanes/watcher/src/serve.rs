//! `/health`, `/status` and `/metrics` over HTTP.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread,
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::ConstCounter, gauge::ConstGauge},
    registry::Registry,
};

use crate::health::{Health, Report};

/// The type of Prometheus' text.
const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Listens, and answers on a thread of its own until the process ends. The address says which port it is.
///
/// # Errors
/// When the address cannot be listened on.
pub fn start(address: SocketAddr, health: Arc<Health>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let bound = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let serve = async move {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        axum::serve(listener, router(health)).await
    };
    thread::Builder::new().name("watch-http".into()).spawn(move || {
        if let Err(error) = runtime.block_on(serve) {
            tracing::error!(%error, "health is served no more");
        }
    })?;
    Ok(bound)
}

fn router(health: Arc<Health>) -> Router {
    Router::new()
        .route("/health", get(well))
        .route("/status", get(status))
        .route("/metrics", get(metrics))
        .with_state(health)
}

async fn well(State(health): State<Arc<Health>>) -> impl IntoResponse {
    let troubles = health.troubles();
    let (code, status) = match troubles.is_empty() {
        true => (StatusCode::OK, "ok"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "unhealthy"),
    };
    let json = serde_json::json!({ "status": status, "troubles": troubles });
    (code, [(CONTENT_TYPE, "application/json")], json.to_string())
}

async fn status(State(health): State<Arc<Health>>) -> impl IntoResponse {
    let json = serde_json::to_string(&health.report()).unwrap_or_else(|error| error.to_string());
    ([(CONTENT_TYPE, "application/json")], json)
}

async fn metrics(State(health): State<Arc<Health>>) -> impl IntoResponse {
    match rendered(&health.report()) {
        Ok(text) => (StatusCode::OK, [(CONTENT_TYPE, TEXT)], text),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, [(CONTENT_TYPE, "text/plain")], error.to_string()),
    }
}

fn rendered(report: &Report) -> Result<String, std::fmt::Error> {
    let mut registry = Registry::with_prefix("chlom_watch");
    let at = |stage: &str| report.batches.iter().filter(|batch| batch.stage == stage).count() as i64;
    let gauges: [(&str, &str, i64); 7] = [
        ("head_height", "Height of the node's head", report.head as i64),
        ("reached_height", "Height up to which all events are known", report.reached as i64),
        (
            "troubles",
            "Alarms that stand: blind, behind, sending, missed, store, witness",
            report.troubles.len() as i64,
        ),
        ("batches_waiting", "Accepted batches that are not judged", at("seen") + at("fetched")),
        ("batches_right", "Open batches that are right", at("right")),
        ("batches_wrong", "Wrong batches that are not punished yet", at("wrong")),
        ("healthy", "1 when no alarm stands", i64::from(report.troubles.is_empty())),
    ];
    for (name, help, value) in gauges {
        registry.register(name, help, ConstGauge::new(value));
    }
    let counts = &report.counts;
    let counters: [(&str, &str, u64); 5] = [
        ("right", "Batches found right", counts.right),
        ("wrong", "Batches found wrong", counts.wrong),
        ("receipts", "Receipts of batches found right", counts.receipts),
        ("missed", "Frauds that became final", counts.missed),
        ("failures", "Questions without an answer", counts.failures),
    ];
    for (name, help, value) in counters {
        registry.register(name, help, ConstCounter::new(value));
    }
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpStream,
        time::Duration,
    };

    use super::*;

    fn get(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn wat_9_health_is_a_status_code_and_metrics_say_why() {
        let health = Arc::new(Health::new(Duration::from_secs(3_600)));
        let address = start(([127, 0, 0, 1], 0).into(), health.clone()).unwrap();
        assert!(get(address, "/health").starts_with("HTTP/1.1 200"));
        health.trouble("behind", Some("batch 3 is not judged".into()));
        health.count(|counts| counts.wrong = 2);
        let unwell = get(address, "/health");
        assert!(unwell.starts_with("HTTP/1.1 503") && unwell.contains("batch 3 is not judged"), "{unwell}");
        let metrics = get(address, "/metrics");
        assert!(
            metrics.contains("chlom_watch_wrong_total 2") && metrics.contains("chlom_watch_healthy 0"),
            "{metrics}"
        );
        assert!(get(address, "/status").contains("\"troubles\""));
        assert!(get(address, "/nothing").starts_with("HTTP/1.1 404"));
    }
}
