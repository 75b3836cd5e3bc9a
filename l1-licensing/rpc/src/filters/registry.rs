//! The installed filters.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_primitives::U128;
use parking_lot::Mutex;

use crate::{
    error::RpcError,
    eth::filter::Filter,
    filters::{PendingRing, TermShare, Terms},
    limits::Limits,
};

/// A filter that was polled this recently is not taken from its client when there are too many.
const FRESH: Duration = Duration::from_secs(30);

/// What a filter reports.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// Hashes of new blocks.
    Blocks,
    /// Hashes of new pending transactions.
    Pending,
    /// Logs.
    Logs(Arc<Filter>),
}

impl Kind {
    fn terms(&self) -> usize {
        match self {
            Self::Logs(filter) => filter.terms(),
            Self::Blocks | Self::Pending => 0,
        }
    }
}

/// A filter and where its client is.
#[derive(Debug)]
struct Installed {
    kind: Kind,
    _terms: TermShare,
    /// The next height, or the next position in the ring.
    next: u64,
    polled: Instant,
}

/// All filters of a server.
#[derive(Debug)]
pub(crate) struct Filters {
    /// Hashes of pending transactions.
    pub(crate) pending: PendingRing,
    /// Addresses and topics of all filters and subscriptions.
    pub(crate) terms: Terms,
    table: Mutex<HashMap<U128, Installed>>,
    most: usize,
    lifetime: Duration,
}

impl Filters {
    /// No filters.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            pending: PendingRing::default(),
            terms: Terms::new(limits.server_terms),
            table: Mutex::default(),
            most: limits.filters,
            lifetime: limits.filter_lifetime,
        }
    }

    /// Installs a filter that begins at `next`. Filters that nobody polls make room for it.
    ///
    /// # Errors
    /// [`crate::error::LIMIT_EXCEEDED`] where every filter is in use.
    pub(crate) fn install(&self, kind: Kind, next: u64) -> Result<U128, RpcError> {
        let now = Instant::now();
        let id = random_id()?;
        let mut table = self.table.lock();
        let mut terms = self.terms.take(kind.terms());
        if table.len() >= self.most || terms.is_none() {
            table.retain(|_, filter| now.duration_since(filter.polled) < self.lifetime);
            terms = terms.or_else(|| self.terms.take(kind.terms()));
        }
        while (table.len() >= self.most || terms.is_none()) && evict_oldest(&mut table, now) {
            terms = terms.or_else(|| self.terms.take(kind.terms()));
        }
        let terms = terms.ok_or_else(|| self.terms.exhausted())?;
        if table.len() >= self.most {
            return Err(RpcError::limit(format!(
                "too many filters: the limit is {}; uninstall some, or use eth_subscribe",
                self.most
            )));
        }
        table.insert(id, Installed { kind, _terms: terms, next, polled: now });
        Ok(id)
    }

    /// Removes a filter; false where there was none.
    pub(crate) fn uninstall(&self, id: &U128) -> bool {
        self.table.lock().remove(id).is_some()
    }

    /// A filter's kind and where it is; marks it as polled.
    pub(crate) fn poll(&self, id: &U128) -> Option<(Kind, u64)> {
        let now = Instant::now();
        let mut table = self.table.lock();
        let filter = table.get_mut(id)?;
        if now.duration_since(filter.polled) >= self.lifetime {
            table.remove(id);
            return None;
        }
        filter.polled = now;
        Some((filter.kind.clone(), filter.next))
    }

    /// Moves a filter on from where it was polled; what lies before `next` is not reported again. One that went back with
    /// the chain in the meantime stays there.
    pub(crate) fn advance(&self, id: &U128, polled: u64, next: u64) {
        if let Some(filter) = self.table.lock().get_mut(id).filter(|filter| filter.next == polled) {
            filter.next = next;
        }
    }

    /// Runs `revert`, which takes the chain back to the height that it gives, and the filters with it: heights above are
    /// new to those that had seen them. No filter is looked at meanwhile; true where there was something to go back to.
    ///
    /// # Errors
    /// That of `revert`.
    pub(crate) fn reverting<E>(&self, revert: impl FnOnce() -> Result<Option<u64>, E>) -> Result<bool, E> {
        let mut table = self.table.lock();
        let Some(height) = revert()? else { return Ok(false) };
        for filter in table.values_mut().filter(|filter| !matches!(filter.kind, Kind::Pending)) {
            filter.next = filter.next.min(height.saturating_add(1));
        }
        Ok(true)
    }

    /// Filters installed, expired ones included until they are noticed.
    pub(crate) fn count(&self) -> usize {
        self.table.lock().len()
    }

    /// Drops expired filters; called now and then.
    pub(crate) fn expire(&self) {
        let now = Instant::now();
        self.table.lock().retain(|_, filter| now.duration_since(filter.polled) < self.lifetime);
    }
}

/// Removes the filter that was polled longest ago; false where all are in use.
fn evict_oldest(table: &mut HashMap<U128, Installed>, now: Instant) -> bool {
    let oldest = table.iter().min_by_key(|(_, filter)| filter.polled);
    let stale = oldest.filter(|(_, filter)| now.duration_since(filter.polled) >= FRESH);
    stale.map(|(id, _)| *id).is_some_and(|id| table.remove(&id).is_some())
}

/// An id that other clients cannot guess.
///
/// # Errors
/// The operating system has no entropy.
pub(crate) fn random_id() -> Result<U128, RpcError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|e| RpcError::internal(format!("no entropy: {e}")))?;
    Ok(U128::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::LIMIT_EXCEEDED;

    fn filters(most: usize, lifetime: Duration) -> Filters {
        Filters::new(&Limits { filters: most, filter_lifetime: lifetime, ..Limits::default() })
    }

    #[test]
    fn a_filter_remembers_where_its_client_is() {
        let filters = filters(2, Duration::from_secs(60));
        let id = filters.install(Kind::Blocks, 7).unwrap();
        assert!(matches!(filters.poll(&id), Some((Kind::Blocks, 7))));
        filters.advance(&id, 7, 9);
        assert!(matches!(filters.poll(&id), Some((_, 9))));
        assert!(filters.uninstall(&id) && !filters.uninstall(&id));
        assert!(filters.poll(&id).is_none());
    }

    #[test]
    fn filters_in_use_are_kept_and_more_are_refused() {
        let filters = filters(2, Duration::from_secs(60));
        let kept: Vec<_> = (0..2).map(|_| filters.install(Kind::Blocks, 0).unwrap()).collect();
        let error = filters.install(Kind::Blocks, 0).unwrap_err();
        assert_eq!(error.code, LIMIT_EXCEEDED);
        assert!(error.message.contains("the limit is 2"), "{}", error.message);
        assert!(kept.iter().all(|id| filters.poll(id).is_some()));
    }

    #[test]
    fn abandoned_filters_make_room() {
        let filters = filters(2, Duration::ZERO);
        for _ in 0..100 {
            filters.install(Kind::Blocks, 0).unwrap();
        }
        assert!(filters.count() <= 2);
        filters.expire();
        assert_eq!(filters.count(), 0);
    }

    #[test]
    fn the_terms_of_all_filters_are_bounded_and_abandoned_ones_give_theirs_back() {
        let limits =
            Limits { server_terms: 5, filter_lifetime: Duration::from_secs(60), ..Limits::default() };
        let filters = Filters::new(&limits);
        let two = || {
            let address = alloy_primitives::Address::repeat_byte;
            let json = format!("{{\"address\":[\"{}\",\"{}\"]}}", address(1), address(2));
            Kind::Logs(Arc::new(serde_json::from_str(&json).unwrap()))
        };
        let (first, _) = (filters.install(two(), 0).unwrap(), filters.install(two(), 0).unwrap());
        let error = filters.install(two(), 0).unwrap_err();
        assert_eq!(error.code, LIMIT_EXCEEDED);
        assert!(error.message.contains("may have 5 together"), "{}", error.message);
        filters.install(Kind::Blocks, 0).expect("a filter without terms");
        assert!(filters.uninstall(&first));
        filters.install(two(), 0).unwrap();
        let hasty = Filters::new(&Limits { filter_lifetime: Duration::ZERO, ..limits });
        for _ in 0..100 {
            hasty.install(two(), 0).unwrap();
        }
    }

    #[test]
    fn an_expired_filter_is_gone_even_before_it_is_swept() {
        let filters = filters(2, Duration::ZERO);
        let id = filters.install(Kind::Pending, 0).unwrap();
        assert!(filters.poll(&id).is_none());
        assert_eq!(filters.count(), 0);
    }
}
