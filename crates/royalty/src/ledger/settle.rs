//! Settlement: a row's royalty due leaves its payer's pot and flows up the licence's route.

use alloy_primitives::{Address, B256};

use super::{AccountId, Lane, Ledger, MAX_U104, RouteKey, bounded};
use crate::{
    Account, Accrual, Due, LedgerError, Period, Registry, RouteNode,
    base::most_due,
    route::{route_hash, stations},
};

/// One row of a batch: what one payer's receipts of one licence say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The batch's hash.
    pub batch: B256,
    /// The lane.
    pub lane: Lane,
    /// `yyyymm0w`.
    pub period: u32,
    /// The settlement token; zero for CHM.
    pub token: Address,
    /// Whoever owes.
    pub payer: Address,
    /// The licence used.
    pub licence: B256,
    /// What the receipts say, in minor units.
    pub revenue: u128,
}

/// What a settlement did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Royalty due and fee.
    pub due: Due,
    /// Where the rest flowed in.
    pub route: B256,
    /// The licences that it reached, from the licence up.
    pub stations: Vec<Station>,
}

/// What one licence on the way kept of a settlement, and what it passed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Station {
    /// Its account.
    pub key: RouteKey,
    /// The account had seen nothing before.
    pub opened: bool,
    /// What reached it.
    pub inflow: u128,
    /// What of that stays.
    pub kept: u128,
    /// What passes up.
    pub passed_up: u128,
}

/// What a flow did at every licence, and the accounts as they are to be.
type Flow = (Vec<Station>, Vec<(AccountId, Account)>);

impl Ledger {
    /// Pays a row out of its batch's reservation at `now`, and returns to the pot what the row did not need.
    ///
    /// # Errors
    /// [`LedgerError`]: settled before, a period that is none or has not begun, a licence unknown or not in force then, a
    /// reservation too small, a sum too large. Nothing changes then.
    pub fn settle(&mut self, row: &Row, now: u64, registry: &impl Registry) -> Result<Settled, LedgerError> {
        let Row { batch, lane, token, payer, licence, revenue, .. } = *row;
        if self.is_settled(batch, payer, licence) {
            return Err(LedgerError::AlreadySettled { batch, payer, licence });
        }
        let period = Period::new(row.period)?;
        if period.start() >= now {
            return Err(LedgerError::PeriodNotBegun { period: row.period, start: period.start() });
        }
        let nodes = route(licence, period, registry)?;
        let mut accrual = self.accrual(row, period, registry)?;
        let due = accrual.add(revenue)?;
        let needed = most_due(revenue, accrual.royalty_bps()).unwrap_or(u128::MAX);
        let reserved = self.reservation_of(batch, token, lane, payer);
        let rest = reserved.checked_sub(needed);
        let rest = rest.ok_or(LedgerError::ReservationShort { batch, payer, reserved, needed })?;
        let fees = bounded(self.fees_owed(token), due.fee, MAX_U104)?;
        let (stations, accounts) = self.flow(token, &nodes, due.inflow(), row.period)?;
        let route = nodes.first().map_or(B256::ZERO, |node| node.route);

        self.settled.insert((batch, payer, licence));
        self.accruals.insert((token, licence, lane, row.period), accrual);
        self.reservations.insert((batch, token, lane, payer), rest);
        self.unreserve(token, lane, payer, needed, needed.saturating_sub(due.base));
        self.accounts.extend(accounts);
        self.fees.insert(token, fees);
        Ok(Settled { due, route, stations })
    }

    /// What is due so far, or nothing yet at the rates of the period's start.
    fn accrual(&self, row: &Row, period: Period, registry: &impl Registry) -> Result<Accrual, LedgerError> {
        let Row { lane, token, licence, .. } = *row;
        if let Some(accrual) = self.accrual_of(token, licence, lane, row.period) {
            return Ok(*accrual);
        }
        let decimals = self.tokens.get(&token).ok_or(LedgerError::TokenNotEnabled(token))?.decimals;
        let bps = registry.royalty_bps_at(licence, period.start());
        let bps = bps.ok_or(LedgerError::LicenseUnknown(licence))?;
        let fee = registry.fee_at(period.start(), decimals);
        Accrual::new(bps, fee).map_err(|_| LedgerError::LicenseUnknown(licence))
    }

    /// What a flow leaves at every licence that it reaches. Writes nothing.
    fn flow(
        &self,
        token: Address,
        nodes: &[RouteNode],
        inflow: u128,
        period: u32,
    ) -> Result<Flow, LedgerError> {
        let (mut inflow, mut out, mut accounts) = (inflow, Vec::new(), Vec::new());
        for (node, rate) in stations(nodes) {
            if inflow == 0 {
                break;
            }
            let key = self.current_key(token, &node);
            let id = (token, node.route, key.generation);
            let before = self.accounts.get(&id).copied();
            let mut account = before.unwrap_or_default();
            let passed_up = account.add(inflow, rate, period)?;
            let kept = inflow.saturating_sub(passed_up);
            out.push(Station { key, opened: before.is_none(), inflow, kept, passed_up });
            accounts.push((id, account));
            inflow = passed_up;
        }
        Ok((out, accounts))
    }

    /// The key of a licence's account in the generation that it is paid in.
    pub fn current_key(&self, token: Address, node: &RouteNode) -> RouteKey {
        let generation = self.generations.get(&(token, node.route)).copied().unwrap_or(0);
        let RouteNode { step, parent_route, .. } = *node;
        RouteKey { licence: step.licence, split_version: step.split_version, parent_route, generation }
    }
}

/// The licence's route at the period's start. A licence that woke within the period counts as active: it keeps its own.
pub(super) fn route(
    licence: B256,
    period: Period,
    registry: &impl Registry,
) -> Result<Vec<RouteNode>, LedgerError> {
    let nodes = registry.route_at(licence, period.start());
    let mut nodes = nodes.ok_or(LedgerError::LicenseUnknown(licence))?;
    if let Some(first) = nodes.first_mut().filter(|first| !first.step.active) {
        if !registry.woke_within(licence, period.start(), period.end()) {
            return Err(LedgerError::LicenceInactive(licence));
        }
        first.step.active = true;
        first.route = route_hash(first.parent_route, licence, first.step.split_version, true);
    }
    Ok(nodes)
}
