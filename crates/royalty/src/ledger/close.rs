//! Closing a route: what flooring left is swept once nothing can flow in any more.

use alloy_primitives::{Address, B256};

use super::{AccountId, Ledger, RouteKey, account_id, withdraw::split_of};
use crate::{LedgerError, Period, Registry, Split, period::SUBMISSION_WINDOW, split::entitlement};

/// A generation of a route, closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The route.
    pub route: B256,
    /// What was swept.
    pub residual: u128,
}

impl Ledger {
    /// Sweeps the residual of a route that is superseded at `now`, more than 60 days past the end of the last period that
    /// paid it, and of whose licence no row is `unsettled`. Payees still withdraw; money that comes later begins a new
    /// generation.
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
        let in_force = registry.route_at(licence, now).ok_or(LedgerError::LicenseUnknown(licence))?;
        if in_force.first().is_some_and(|node| node.route == route) {
            return Err(LedgerError::RouteInForce { licence, route });
        }
        let last_period = account.last_period();
        let until = Period::new(last_period)?.end().saturating_add(SUBMISSION_WINDOW);
        if now <= until {
            return Err(LedgerError::RouteTooRecent { last_period, until });
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
    /// What a tree's leaves leave: known once each has taken all that it is owed.
    fn tree_residual(
        &self,
        id: &AccountId,
        kept: u128,
        denom: u128,
        leaves: u32,
    ) -> Result<u128, LedgerError> {
        let taken = |start| self.taken.get(&(*id, start)).copied().unwrap_or(0);
        let claims = self.leaves.get(id).into_iter().flatten();
        let done = claims.filter(|(start, weight)| taken(**start) == entitlement(**weight, denom, kept));
        let (claimed, paid) = done.fold((0u32, 0u128), |(n, sum), (start, _)| {
            (n.saturating_add(1), sum.saturating_add(taken(*start)))
        });
        if claimed < leaves {
            return Err(LedgerError::LeavesUnclaimed { claimed, leaves });
        }
        Ok(kept.saturating_sub(paid))
    }
}
