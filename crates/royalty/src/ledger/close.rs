//! Closing a route: what flooring left is swept once nothing can flow in any more.

use alloy_primitives::{Address, B256};

use super::{AccountId, Ledger, RouteKey, account_id, settle, withdraw::split_of};
use crate::{
    LedgerError, Period, Registry, Split,
    period::{SUBMISSION_WINDOW, WEEK},
};

/// A route is superseded when it was in force at neither end of so many seconds, a period and its window, and no period that
/// still takes batches pays by it.
pub const ROUTE_WINDOW: u64 = SUBMISSION_WINDOW + WEEK;

/// A generation of a route, closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The route.
    pub route: B256,
    /// What was swept.
    pub residual: u128,
}

impl Ledger {
    /// Sweeps the residual of a route that is superseded at `now`, 60 days past the end of the last period that paid it, and
    /// of whose licence no row is `unsettled`. Payees still withdraw; money that comes later begins a new generation.
    ///
    /// # Errors
    /// [`LedgerError`]: the first condition that does not hold.
    pub fn close_route(
        &mut self,
        token: Address,
        key: &RouteKey,
        now: u64,
        unsettled: bool,
        registry: &impl Registry,
    ) -> Result<Closed, LedgerError> {
        let (id, route, licence) = (account_id(token, key), key.route(), key.licence);
        let open = self.generations.get(&(token, route)).copied().unwrap_or(0);
        let account = self.accounts.get(&id).filter(|_| open == key.generation);
        let account = *account.ok_or(LedgerError::RouteUnknown(route))?;
        for time in [now, now.saturating_sub(ROUTE_WINDOW)] {
            let nodes = registry.route_at(licence, time).ok_or(LedgerError::LicenseUnknown(licence))?;
            if nodes.first().is_some_and(|node| node.route == route) {
                return Err(LedgerError::RouteInForce { licence, route });
            }
        }
        let last_period = account.last_period();
        let until = Period::new(last_period)?.end().saturating_add(SUBMISSION_WINDOW);
        if now < until {
            return Err(LedgerError::RouteTooRecent { last_period, until });
        }
        let mut open_period = Period::containing(now);
        while let Some(period) = open_period.filter(|p| now < p.end().saturating_add(SUBMISSION_WINDOW)) {
            let nodes = settle::route(licence, period, registry).unwrap_or_default();
            if nodes.first().is_some_and(|node| node.route == route) {
                return Err(LedgerError::RouteInForce { licence, route });
            }
            open_period = period.start().checked_sub(1).and_then(Period::containing);
        }
        if unsettled {
            return Err(LedgerError::RouteUnsettled(licence));
        }
        let residual = match split_of(key, registry)? {
            Split::Vector(vector) => vector.residual(account.kept()),
            Split::Tree { denom, leaves, .. } => self.tree_residual(&id, account.kept(), *denom, *leaves)?,
        };
        self.generations.insert((token, route), open.saturating_add(1));
        self.swept.insert(id, residual);
        self.pay_out(token, residual);
        Ok(Closed { route, residual })
    }

    /// What a tree's leaves leave: known once all weight has claimed at `kept`.
    fn tree_residual(
        &self,
        id: &AccountId,
        kept: u128,
        denom: u128,
        leaves: u32,
    ) -> Result<u128, LedgerError> {
        let tally = self.tallies.get(id).filter(|tally| tally.kept == kept).copied().unwrap_or_default();
        if kept > 0 && tally.weight != denom {
            return Err(LedgerError::LeavesUnclaimed { claimed: tally.leaves, leaves });
        }
        Ok(kept.saturating_sub(tally.taken))
    }
}
