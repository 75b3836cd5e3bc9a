//! Payees: what each can withdraw. An account is asked for when something happened to it, and only then.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, U256};
use chlom_client::{
    ClientError,
    contracts::royalty_ledger::IRoyaltyLedger::{Payout, payoutReceiptCall, withdrawableCall},
};
use chlom_primitives::address::ROYALTY_LEDGER;
use serde_json::{Value, json};

use super::{
    At,
    index::{Account, AccountKey, Division, Index, Part},
};

/// How many are shown.
const SHOWN: usize = 100;
/// Payees of one account that are asked for: those with the largest parts.
const OF_AN_ACCOUNT: usize = 64;
/// Licences that are named of one payee.
const LICENCES: usize = 3;

/// What one payee has in one token.
#[derive(Default)]
struct Purse {
    due: U256,
    can: U256,
    held: U256,
    licences: Vec<B256>,
}

/// Those who can withdraw something first.
pub(super) fn show(
    at: At<'_>,
    index: &mut Index,
    name: &impl Fn(&B256) -> Option<String>,
) -> Result<Value, ClientError> {
    refresh(at, index)?;
    let (mut purses, mut unlisted, mut trees) = (BTreeMap::<(Address, Address), Purse>::new(), 0, 0);
    for ((token, ..), account) in index.accounts.iter() {
        let parts = match &account.division {
            Division::Tree => {
                trees += 1;
                continue;
            }
            Division::Vector(parts, more) => {
                unlisted += more;
                parts
            }
        };
        for part in parts {
            let purse = purses.entry((part.payee, *token)).or_default();
            purse.due += part.due;
            purse.can += part.can;
            purse.held += part.held;
            if !purse.licences.contains(&account.key.licence) {
                purse.licences.push(account.key.licence);
            }
        }
    }
    let mut all: Vec<_> = purses.into_iter().filter(|(_, purse)| !purse.due.is_zero()).collect();
    let total = all.len();
    all.sort_by(|(a, left), (b, right)| {
        let order = |token: &Address, purse: &Purse| (purse.can.is_zero(), *token);
        let tokens = order(&a.1, left).cmp(&order(&b.1, right));
        tokens.then(right.can.cmp(&left.can)).then(right.due.cmp(&left.due)).then(a.cmp(b))
    });
    all.truncate(SHOWN);
    let row = |((payee, token), purse): &((Address, Address), Purse)| {
        let named = |id: &B256| json!({ "id": id, "name": name(id) });
        json!({
            "payee": payee, "token": token, "due": purse.due.to_string(), "can": purse.can.to_string(),
            "held": purse.held.to_string(),
            "taken": purse.due.saturating_sub(purse.can).saturating_sub(purse.held).to_string(),
            "licences": purse.licences.iter().take(LICENCES).map(named).collect::<Vec<_>>(),
            "moreLicences": purse.licences.len().saturating_sub(LICENCES),
        })
    };
    let rows: Vec<Value> = all.iter().map(row).collect();
    Ok(json!({
        "total": total, "unlisted": unlisted, "byProof": trees, "accounts": index.accounts.total, "shown": rows,
    }))
}

/// Asks for the accounts to which something happened.
fn refresh(at: At<'_>, index: &mut Index) -> Result<(), ClientError> {
    let stale = |(_, account): &(&AccountKey, &Account)| account.stale;
    let keys: Vec<AccountKey> = index.accounts.iter().filter(stale).map(|(key, _)| *key).collect();
    let call = |key: &AccountKey| {
        let account = index.accounts.get(key)?;
        Some(payoutReceiptCall { token: key.0, key: account.key.clone() })
    };
    let calls: Vec<_> = keys.iter().filter_map(call).collect();
    let receipts = at.chain.view_each_at(at.height, ROYALTY_LEDGER, &calls)?;
    let mut found = Vec::new();
    for ((key, call), receipt) in keys.iter().zip(calls).zip(receipts) {
        let division = match receipt {
            Ok(receipt) => {
                let allocations = receipt.allocations.into_iter().map(|share| (share.to, share.amount));
                divide(at, call, (0u32..).zip(allocations).collect())?
            }
            // What is no vector is a tree.
            Err(ClientError::Revert { .. }) => Division::Tree,
            Err(other) => return Err(other),
        };
        found.push((key, division));
    }
    for (key, division) in found {
        if let Some(account) = index.accounts.get_mut(key) {
            (account.division, account.stale) = (division, false);
        }
    }
    Ok(())
}

fn divide(
    at: At<'_>,
    call: payoutReceiptCall,
    mut allocations: Vec<(u32, (Address, U256))>,
) -> Result<Division, ClientError> {
    allocations.sort_by_key(|(_, share)| std::cmp::Reverse(share.1));
    let more = allocations.len().saturating_sub(OF_AN_ACCOUNT);
    allocations.truncate(OF_AN_ACCOUNT);
    let payout = |(index, _): &(u32, _)| withdrawableCall {
        p: Payout { key: call.key.clone(), token: call.token, index: *index },
    };
    let calls: Vec<_> = allocations.iter().map(payout).collect();
    let answers = at.chain.view_each_at(at.height, ROYALTY_LEDGER, &calls)?;
    let part = |((_, (payee, due)), answer): ((u32, (Address, U256)), Result<_, ClientError>)| {
        let answer: chlom_client::contracts::royalty_ledger::IRoyaltyLedger::withdrawableReturn = answer?;
        Ok(Part { payee, due, can: answer.amount, held: answer.held })
    };
    let parts = allocations.into_iter().zip(answers).map(part).collect::<Result<Vec<_>, ClientError>>()?;
    Ok(Division::Vector(parts, more))
}
