//! JSON-RPC over HTTP.

use std::{
    io::Read,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json, value::RawValue};

use crate::{error::ClientError, revert::Revert};

/// For one answer, connection included. A node gives up a call sooner.
const TIMEOUT: Duration = Duration::from_secs(30);
/// A longer answer is refused: the largest that this client asks for is a split of 512 payees.
const MOST_BYTES: u64 = 16 * 1024 * 1024;
/// Questions in one request.
pub const ASKED_AT_ONCE: usize = 200;
/// geth's code for a call that reverted.
const REVERTED: i64 = 3;

/// A node.
#[derive(Debug)]
pub struct Rpc {
    agent: ureq::Agent,
    url: String,
    next_id: AtomicU64,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error: Option<Refusal>,
    id: Option<u64>,
}

#[derive(Deserialize)]
struct Refusal {
    code: i64,
    message: String,
    data: Option<Value>,
}

impl Rpc {
    /// A node at `http://…`. Nothing is sent yet.
    ///
    /// # Errors
    /// For anything but a plain HTTP address.
    pub fn new(url: &str) -> Result<Self, ClientError> {
        if !url.starts_with("http://") {
            let why = "only http:// is spoken here; reach a distant node through a tunnel";
            return Err(ClientError::Url { url: url.into(), why });
        }
        let config = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).http_status_as_error(false);
        Ok(Self { agent: config.build().into(), url: url.into(), next_id: AtomicU64::new(1) })
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Asks and reads the answer.
    ///
    /// # Errors
    /// [`ClientError`]; a revert is [`ClientError::Revert`] with what the contract says.
    pub fn ask<T: DeserializeOwned>(&self, method: &'static str, params: Value) -> Result<T, ClientError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        read(method, &self.post(&request.to_string())?, Some(id))
    }

    /// Asks the same of many things, [`ASKED_AT_ONCE`] in one request; answers come in the order of the questions.
    ///
    /// # Errors
    /// As [`Rpc::ask`]; the first refusal stands for all.
    pub fn ask_all<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Vec<Value>,
    ) -> Result<Vec<T>, ClientError> {
        self.ask_each(method, params)?.into_iter().collect()
    }

    /// As [`Rpc::ask_all`], where each question may be refused by itself.
    ///
    /// # Errors
    /// When the node does not answer, or refuses all.
    pub fn ask_each<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Vec<Value>,
    ) -> Result<Vec<Result<T, ClientError>>, ClientError> {
        let mut out = Vec::with_capacity(params.len());
        for some in params.chunks(ASKED_AT_ONCE) {
            let count = some.len() as u64;
            let first = self.next_id.fetch_add(count, Ordering::Relaxed);
            let request = |(id, params): (u64, &Value)| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
            let batch: Vec<Value> = (first..).zip(some).map(request).collect();
            let text = self.post(&Value::from(batch).to_string())?;
            let unreadable = |why: String| ClientError::Answer { method, why };
            let mut answers: Vec<Answer<'_>> = match serde_json::from_str(&text) {
                Ok(answers) => answers,
                // One answer to all is a refusal of all.
                Err(error) => {
                    return Err(read::<Value>(method, &text, None)
                        .err()
                        .unwrap_or_else(|| unreadable(error.to_string())));
                }
            };
            answers.sort_by_key(|answer| answer.id);
            if answers.len() as u64 != count {
                return Err(unreadable(format!("{} answers to {count} questions", answers.len())));
            }
            for (id, answer) in (first..).zip(answers) {
                out.push(answered(method, answer, Some(id)));
            }
        }
        Ok(out)
    }

    /// Sends bytes as they are to a path below the address and reads a JSON-RPC answer, whatever its HTTP status.
    pub(crate) fn upload<T: DeserializeOwned>(
        &self,
        method: &'static str,
        path: &str,
        length: u64,
        body: &mut dyn Read,
        patience: Duration,
    ) -> Result<T, ClientError> {
        let url = format!("{}{path}", self.url.trim_end_matches('/'));
        let failed = |error: ureq::Error| ClientError::Transport { url: url.clone(), why: error.to_string() };
        let request = self
            .agent
            .post(&url)
            .config()
            .timeout_global(Some(patience))
            .build()
            .header("content-type", "application/octet-stream")
            .header("content-length", length);
        let mut response = request.send(ureq::SendBody::from_reader(&mut { body })).map_err(failed)?;
        let status = response.status().as_u16();
        let text = response.body_mut().with_config().limit(MOST_BYTES).read_to_string().map_err(failed)?;
        // Anything but JSON comes from something else than a node that takes bodies.
        if serde_json::from_str::<Answer<'_>>(&text).is_err() {
            return Err(ClientError::Status { url, status });
        }
        read(method, &text, None)
    }

    fn post(&self, body: &str) -> Result<String, ClientError> {
        let failed = |error: ureq::Error| match error {
            ureq::Error::BodyExceedsLimit(most) => ClientError::TooLong { url: self.url.clone(), most },
            other => ClientError::Transport { url: self.url.clone(), why: other.to_string() },
        };
        let request = self.agent.post(&self.url).header("content-type", "application/json");
        let mut response = request.send(body).map_err(failed)?;
        let status = response.status().as_u16();
        if !(200..300).contains(&status) {
            return Err(ClientError::Status { url: self.url.clone(), status });
        }
        response.body_mut().with_config().limit(MOST_BYTES).read_to_string().map_err(failed)
    }
}

/// Reads an answer to the request of that id.
fn read<T: DeserializeOwned>(method: &'static str, text: &str, id: Option<u64>) -> Result<T, ClientError> {
    let unreadable = |why: String| ClientError::Answer { method, why };
    answered(method, serde_json::from_str(text).map_err(|e| unreadable(e.to_string()))?, id)
}

fn answered<T: DeserializeOwned>(
    method: &'static str,
    answer: Answer<'_>,
    id: Option<u64>,
) -> Result<T, ClientError> {
    let unreadable = |why: String| ClientError::Answer { method, why };
    if let Some(refusal) = answer.error {
        return Err(refused(method, refusal));
    }
    if answer.id != id {
        return Err(unreadable("it answers another request".into()));
    }
    // `"result": null` reads as none: to a caller that expects an Option it is one.
    let result = answer.result.map_or("null", RawValue::get);
    serde_json::from_str(result).map_err(|e| unreadable(e.to_string()))
}

fn refused(method: &'static str, refusal: Refusal) -> ClientError {
    let data = refusal.data.as_ref().and_then(Value::as_str).and_then(|hex| hex.parse().ok());
    match data {
        Some(data) if refusal.code == REVERTED => {
            ClientError::Revert { what: method.into(), revert: Revert::decode(data) }
        }
        _ => ClientError::Refused { method, code: refusal.code, message: refusal.message },
    }
}
