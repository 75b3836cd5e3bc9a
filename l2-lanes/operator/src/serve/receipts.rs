//! `POST /v1/receipts`.

use std::{collections::HashMap, sync::Arc, time::Instant};

use axum::body::{Body, to_bytes};
use chlom_lane::{Receipt, receipt::Intake};
use hyper::{
    HeaderMap, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};
use parking_lot::Mutex;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use super::{
    Shared,
    answer::{self, Problem},
    auth::seconds,
    metrics::Fate,
};
use crate::{
    Store,
    ingest::{Bounds, Format, ReceiptReader, Refusal, import::refusal_of},
    store::{Answer, ApiKey, Lane, Outcome, Request},
};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Most characters of a request's name.
const NAME: usize = 128;

/// Lanes by name; they never change.
pub(super) struct Lanes {
    store: Arc<Store>,
    known: Mutex<HashMap<String, Lane>>,
}

impl Lanes {
    pub(super) fn new(store: Store) -> Self {
        Self { store: Arc::new(store), known: Mutex::default() }
    }

    async fn get(&self, name: &str) -> Result<Lane, Problem> {
        if let Some(lane) = self.known.lock().get(name) {
            return Ok(lane.clone());
        }
        let (store, owned) = (Arc::clone(&self.store), name.to_owned());
        let lane = tokio::task::spawn_blocking(move || store.lane(&owned)).await;
        let lane = lane.ok().and_then(Result::ok).ok_or_else(away)?;
        self.known.lock().insert(name.to_owned(), lane.clone());
        Ok(lane)
    }
}

fn away() -> Problem {
    Problem::later(StatusCode::SERVICE_UNAVAILABLE, 5, "the database is away; nothing was taken; try again")
}

/// What a body held.
struct Read {
    lines: Vec<u64>,
    receipts: Vec<Receipt>,
    refusals: Vec<Refusal>,
}

/// Takes a body of receipts.
pub(super) async fn post(
    shared: &Shared,
    key: &ApiKey,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Response<Body>, Problem> {
    let format = format(headers)?;
    let name = name(headers)?;
    let lane = shared.lanes.get(&key.lane).await?;
    let limits = &shared.limits;
    let body = timeout(limits.body_time, to_bytes(Body::new(body), limits.body_bytes)).await;
    let slow = Problem::new(StatusCode::REQUEST_TIMEOUT, "the body came too slowly");
    let body = body.map_err(|_| slow)?.map_err(|_| {
        let detail =
            format!("the body has more than {} bytes, or ended early; send smaller ones", limits.body_bytes);
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    })?;
    let intake = Intake {
        currency: lane.currency.clone(),
        decimals: lane.decimals,
        payer: Some(key.payer),
        source: Some(key.source.clone()),
    };
    let bounds = Bounds { period: None, latest: crate::now().saturating_add(limits.ahead) };
    let read = read(&body, format, &intake, bounds, limits.receipts)?;
    let (count, full) = ((read.receipts.len() + read.refusals.len()) as u64, limits.receipts as u64);
    let taken =
        shared.rates.lock().take(key.id, count, key.per_second, key.per_second.max(full), Instant::now());
    taken.map_err(|after| {
        let detail = format!("this key may report {} receipts a second", key.per_second);
        Problem::later(StatusCode::TOO_MANY_REQUESTS, seconds(after), detail)
    })?;
    let name = name.map(|name| (name, Sha256::digest(&body).into()));
    write(shared, lane, key.id, name, read).await
}

async fn write(
    shared: &Shared,
    lane: Lane,
    key: i64,
    name: Option<(String, [u8; 32])>,
    read: Read,
) -> Result<Response<Body>, Problem> {
    let Read { lines, receipts, refusals } = read;
    let refused = refusals.len();
    // Enough of each receipt to say why the store refused it.
    let of_store = receipts.clone();
    let describe = move |outcomes: &[Outcome]| describe(outcomes, &lines, &of_store, &refusals);
    let request = Request { key, name, receipts };
    match shared.writer.write(lane, request, Box::new(describe)).await {
        None => {
            let detail = "more receipts wait to be written than may; nothing was taken; try again";
            Err(Problem::later(StatusCode::SERVICE_UNAVAILABLE, 1, detail))
        }
        Some(Err(failed)) if failed.passing => Err(away()),
        Some(Err(_)) => {
            let detail = "the receipts could not be written; nothing was taken; the operator's log says why";
            Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail))
        }
        Some(Ok(Answer::OtherContent)) => {
            let detail = "this Idempotency-Key came with another body before; every body needs its own";
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail))
        }
        Some(Ok(Answer::Again(text))) => {
            let mut response = answer::json(StatusCode::OK, text);
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
            Ok(response)
        }
        Some(Ok(Answer::Done(outcomes, text))) => {
            let count = |wanted: Outcome| outcomes.iter().filter(|outcome| **outcome == wanted).count();
            let (new, known) = (count(Outcome::New), count(Outcome::Known));
            shared.metrics.receipts(Fate::New, new);
            shared.metrics.receipts(Fate::Known, known);
            shared.metrics.receipts(Fate::Refused, outcomes.len() - new - known + refused);
            Ok(answer::json(StatusCode::OK, text))
        }
    }
}

fn describe(outcomes: &[Outcome], lines: &[u64], receipts: &[Receipt], refusals: &[Refusal]) -> String {
    let (mut accepted, mut known, mut refused) = (0u64, 0u64, refusals.to_vec());
    for ((outcome, line), receipt) in outcomes.iter().zip(lines).zip(receipts) {
        match outcome {
            Outcome::New => accepted += 1,
            Outcome::Known => known += 1,
            other => refused.push(refusal_of(*other, *line, receipt)),
        }
    }
    refused.sort_by_key(|refusal| refusal.line);
    let of =
        |refusal: &Refusal| json!({"line": refusal.line, "field": refusal.field, "reason": refusal.reason});
    json!({"accepted": accepted, "known": known, "refused": refused.iter().map(of).collect::<Vec<_>>()})
        .to_string()
}

fn read(body: &[u8], format: Format, intake: &Intake, bounds: Bounds, most: usize) -> Result<Read, Problem> {
    let bad = |detail: String| Problem::new(StatusCode::BAD_REQUEST, detail);
    if format == Format::Array && body.trim_ascii_start().first() != Some(&b'[') {
        return Err(bad("the body is a JSON array of receipts, [{…}]".into()));
    }
    let reader = ReceiptReader::new(body, format, intake, bounds).map_err(|error| bad(error.to_string()))?;
    let mut reader = reader.map_err(|fault| bad(fault.to_string()))?;
    let mut read = Read { lines: Vec::new(), receipts: Vec::new(), refusals: Vec::new() };
    while let Some(next) = reader.read().map_err(|error| bad(error.to_string()))? {
        match next {
            Ok((line, receipt)) => {
                read.lines.push(line);
                read.receipts.push(receipt);
            }
            Err(refusal) => read.refusals.push(refusal),
        }
        if read.receipts.len() + read.refusals.len() > most {
            let detail = format!("a request has at most {most} receipts; send several");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
        }
    }
    if read.receipts.is_empty() && read.refusals.is_empty() {
        return Err(bad("there is no receipt in the body".into()));
    }
    Ok(read)
}

fn format(headers: &HeaderMap) -> Result<Format, Problem> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    match kind.split(';').next().unwrap_or_default().trim() {
        "application/json" => Ok(Format::Array),
        "application/x-ndjson" | "application/jsonl" => Ok(Format::NdJson),
        _ => {
            let detail = "Content-Type is application/json with an array, or application/x-ndjson with an object a line";
            Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail))
        }
    }
}

fn name(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(name) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let good = name.to_str().ok().filter(|name| !name.is_empty() && name.len() <= NAME);
    let detail = format!("Idempotency-Key has 1 to {NAME} printable characters");
    good.map(|name| Some(name.to_owned())).ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, detail))
}
