//! Final, settled, withdrawn; then everything is counted again.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, U256};
use anyhow::{Context as _, Result, ensure};
use chlom_client::{
    ClientError, Request,
    contracts::royalty_ledger::IRoyaltyLedger::{
        Payout, RouteKey, accountedCall, accrualOfCall, feesOwedCall, payoutReceiptCall, takenOfCall,
    },
    lanes::{batches, money, word},
};
use chlom_primitives::address::ROYALTY_LEDGER;

use super::{
    batches::Submitted,
    fraud::Caught,
    input::Input,
    report::{Licence, Paid, Report, units},
    stage::{Stage, WINDOW},
    steps::Steps,
};

/// Of one transaction: each may need 925,000 gas, a transaction has 2²⁴.
const WITHDRAWALS_AT_ONCE: usize = 14;

mod token {
    alloy_sol_types::sol! {
        /// ERC-20.
        function balanceOf(address account) external view returns (uint256);
    }
}

/// A licence's account, with what is due to each payee of it.
struct Account {
    licence: B256,
    key: RouteKey,
    /// In the split's order.
    due: Vec<(Address, U256)>,
    residual: U256,
}

/// Finalises and settles the right batches, pays everybody, and counts.
pub(super) fn play(
    stage: &Stage,
    input: &Input,
    right: &[Submitted],
    caught: Caught,
    steps: &mut Steps,
) -> Result<Report> {
    steps.part("The money");
    stage.warp(WINDOW.into())?;
    let finalize: Vec<Request> = right.iter().map(|batch| batches::finalize(batch.root)).collect();
    stage.chain.send_all(&stage.anyone, &finalize)?;
    steps.done(format!("seven days later nobody has objected: {} batches are final", right.len()));
    let rows = settle(stage, right)?;
    steps.done(format!("{rows} rows settled"));
    let accounts = accounts(stage, input)?;
    let payees = withdraw(stage, &accounts)?;
    steps.done(format!("{payees} payees have withdrawn"));
    let rest = stage.lane().pot(stage.token, stage.payer.address())?.free;
    if !rest.is_zero() {
        let take = money::withdraw_pot(stage.lane, stage.token, rest, stage.payer.address());
        stage.chain.send_one(&stage.payer, &take)?;
    }
    let report = report(stage, input, &accounts, caught)?;
    conserved(stage, &report)?;
    steps.done(format!("every unit accounted for, after {}", steps.total()));
    Ok(report)
}

fn settle(stage: &Stage, right: &[Submitted]) -> Result<usize> {
    let mut requests = Vec::new();
    for batch in right {
        for (index, row) in batch.draft.rows.iter().enumerate() {
            let path = batch.draft.row_path(index).context("a row without a path")?;
            requests.push(batches::settle(batch.root, &batch.claim, row, u32::try_from(index)?, path));
        }
    }
    stage.chain.send_all(&stage.anyone, &requests)?;
    for batch in right {
        let status = batches::Status::of(&batches::batch(&stage.chain, batch.root)?);
        ensure!(
            status == batches::Status::Done,
            "batch {} is {} after its rows",
            batch.header.number,
            status.word()
        );
    }
    Ok(requests.len())
}

/// Every account that a licence of the file has.
fn accounts(stage: &Stage, input: &Input) -> Result<Vec<Account>> {
    let mut accounts: Vec<Account> = Vec::new();
    for period in input.periods()? {
        for document in &input.documents {
            let licence = document.id();
            let Some(key) = route(stage, licence, period.code())? else { continue };
            if accounts.iter().any(|known| known.key == key) {
                continue;
            }
            let call = payoutReceiptCall { token: stage.token, key: key.clone() };
            let receipt = stage.chain.view(ROYALTY_LEDGER, &call)?;
            let due = receipt.allocations.iter().map(|share| (share.to, share.amount)).collect();
            accounts.push(Account { licence, key, due, residual: receipt.residual });
        }
    }
    Ok(accounts)
}

/// `None`: the licence is paid for nothing in that period, since it was not in force.
fn route(stage: &Stage, licence: B256, period: u32) -> Result<Option<RouteKey>> {
    match money::route_key(&stage.chain, licence, period) {
        Ok(key) => Ok(Some(key)),
        Err(ClientError::Revert { .. }) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

/// Withdraws for everybody, and looks at their purses.
fn withdraw(stage: &Stage, accounts: &[Account]) -> Result<usize> {
    let mut owed: BTreeMap<Address, U256> = BTreeMap::new();
    let mut payouts = Vec::new();
    for account in accounts {
        for (index, (payee, amount)) in (0u32..).zip(&account.due) {
            if !amount.is_zero() {
                *owed.entry(*payee).or_default() += *amount;
                payouts.push(Payout { key: account.key.clone(), token: stage.token, index });
            }
        }
    }
    let before = balances(stage, &owed)?;
    let requests: Vec<Request> =
        payouts.chunks(WITHDRAWALS_AT_ONCE).map(|some| money::withdraw_batch(some.to_vec())).collect();
    stage.chain.send_all(&stage.anyone, &requests)?;
    let after = balances(stage, &owed)?;
    for (payee, amount) in &owed {
        let got = after[payee].saturating_sub(before[payee]);
        ensure!(got == *amount, "{payee} was owed {amount} and has got {got}");
    }
    Ok(owed.len())
}

fn balances(stage: &Stage, of: &BTreeMap<Address, U256>) -> Result<BTreeMap<Address, U256>> {
    let balance = |account: &Address| -> Result<(Address, U256)> {
        let call = token::balanceOfCall { account: *account };
        Ok((*account, stage.chain.view(stage.token, &call)?))
    };
    of.keys().map(balance).collect()
}

fn report(stage: &Stage, input: &Input, accounts: &[Account], caught: Caught) -> Result<Report> {
    let mut licences = Vec::new();
    for document in &input.documents {
        let id = document.id();
        let (mut revenue, mut base, mut fee) = (U256::ZERO, U256::ZERO, U256::ZERO);
        for period in input.periods()? {
            let call = accrualOfCall {
                token: stage.token,
                licence: id,
                lane: word(stage.lane),
                period: period.code(),
            };
            let accrual = stage.chain.view(ROYALTY_LEDGER, &call)?;
            revenue += U256::from(accrual.revenue);
            base += U256::from(accrual.base);
            fee += U256::from(accrual.fee);
        }
        let own = || accounts.iter().filter(|account| account.licence == id);
        let mut payees = Vec::new();
        for (written, payee) in input.payees.get(&id).into_iter().flatten() {
            let mut amount = U256::ZERO;
            for account in own() {
                let index =
                    account.due.iter().position(|(address, _)| address == payee).context("a payee")?;
                let key = account.key.clone();
                let call = takenOfCall { token: stage.token, key, indexOrStart: U256::from(index) };
                amount += stage.chain.view(ROYALTY_LEDGER, &call)?;
            }
            payees.push(Paid { written: written.clone(), amount });
        }
        let residual = own().map(|account| account.residual).sum();
        licences.push(Licence { id: document.name.clone(), revenue, base, fee, payees, residual });
    }
    Ok(Report { licences, caught })
}

/// gross = fees + paid + residual, and the ledger has neither more nor less than what is left of it.
fn conserved(stage: &Stage, report: &Report) -> Result<()> {
    let totals = report.totals();
    ensure!(
        totals.gross == totals.fees + totals.paid + totals.residual,
        "{} gross are not {} fees, {} paid and {} residual",
        totals.gross,
        totals.fees,
        totals.paid,
        totals.residual
    );
    let accounted = stage.chain.view(ROYALTY_LEDGER, &accountedCall { token: stage.token })?;
    let fees = stage.chain.view(ROYALTY_LEDGER, &feesOwedCall { token: stage.token })?;
    let balance = stage.chain.view(stage.token, &token::balanceOfCall { account: ROYALTY_LEDGER })?;
    ensure!(fees == totals.fees, "the ledger has {fees} of fees, the licences paid {}", totals.fees);
    ensure!(
        accounted == totals.fees + totals.residual && balance == accounted,
        "the ledger has {balance}, accounts for {accounted}, and {} is left to it",
        units((totals.fees + totals.residual).saturating_to())
    );
    Ok(())
}
