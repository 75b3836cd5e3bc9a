//! Who speaks.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use hyper::{HeaderMap, StatusCode, header::AUTHORIZATION};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use super::{ServeLimits, answer::Problem, rate::Rates};
use crate::{Store, store::ApiKey};

/// Keys that are remembered; there is one for each source.
const REMEMBERED: usize = 10_000;

/// How long a repeated request gets its first answer again, in seconds.
const ANSWERS_KEPT: u64 = 2 * 86_400;

/// By the hash of its secret: a key, and until when it is believed.
type Known = HashMap<[u8; 32], (Arc<ApiKey>, Instant)>;

/// Keys that were seen lately, by the hash of their secret. Only keys that exist are remembered, so forged ones take no room.
pub(super) struct Keys {
    store: Arc<Store>,
    known: Mutex<Known>,
    forgeries: Mutex<Rates<IpAddr>>,
    limits: ServeLimits,
}

impl Keys {
    pub(super) fn new(store: Store, limits: ServeLimits) -> Self {
        Self { store: Arc::new(store), known: Mutex::default(), forgeries: Mutex::default(), limits }
    }

    /// The key of a request.
    pub(super) async fn key(&self, headers: &HeaderMap, from: IpAddr) -> Result<Arc<ApiKey>, Problem> {
        let unknown = |detail: &str| Problem::new(StatusCode::UNAUTHORIZED, detail);
        let missing = "send the key of `chlom lane key add` as `Authorization: Bearer chlom_key_…`";
        let header = headers.get(AUTHORIZATION).ok_or_else(|| unknown(missing))?;
        let secret = header.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
        let secret = secret.ok_or_else(|| unknown(missing))?.trim().to_owned();
        let (hash, now) = (<[u8; 32]>::from(Sha256::digest(&secret)), Instant::now());
        let seen = self.known.lock().get(&hash).map(|(key, until)| (Arc::clone(key), now < *until));
        match seen {
            Some((key, true)) => return Ok(key),
            // It was one some seconds ago, so it is no guess.
            Some((_, false)) => {}
            // A guess costs a look into the database: so few of them are looked at.
            None => self.count_guess(from, now)?,
        }
        let store = Arc::clone(&self.store);
        let found = tokio::task::spawn_blocking(move || store.key_of_secret(&secret)).await;
        let found = found
            .map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "looking the key up failed"))?;
        let key = found.map_err(|error| {
            tracing::warn!(%error, "a key could not be looked up");
            Problem::later(StatusCode::SERVICE_UNAVAILABLE, 5, "the database is away; try again")
        })?;
        let mut known = self.known.lock();
        let Some(key) = key.map(Arc::new) else {
            known.remove(&hash);
            return Err(unknown("the key is none, or was revoked"));
        };
        if known.len() >= REMEMBERED {
            known.retain(|_, (_, until)| now < *until);
        }
        known.insert(hash, (Arc::clone(&key), now + self.limits.key_time));
        Ok(key)
    }
}

impl Keys {
    fn count_guess(&self, from: IpAddr, now: Instant) -> Result<(), Problem> {
        let (rate, full) = (self.limits.forgeries, self.limits.forgeries.saturating_mul(10));
        self.forgeries.lock().take(from, 1, rate, full, now).map_err(|after| {
            let detail = "too many keys from this address that were not seen before";
            Problem::later(StatusCode::TOO_MANY_REQUESTS, seconds(after), detail)
        })
    }

    /// Forgets answers to requests that are older than two days.
    pub(super) async fn forget_old_answers(&self) {
        let (store, before) = (Arc::clone(&self.store), crate::now().saturating_sub(ANSWERS_KEPT));
        let done = tokio::task::spawn_blocking(move || store.forget_requests(before)).await;
        if let Ok(Err(error)) = done {
            tracing::warn!(%error, "old answers could not be forgotten; they only take room");
        }
    }
}

/// Whole seconds, at least one.
pub(super) fn seconds(after: Duration) -> u64 {
    after.as_secs() + u64::from(after.subsec_nanos() > 0).max(u64::from(after.as_secs() == 0))
}
