//! Money by token: what was due, and where it is.

use std::collections::BTreeMap;

use alloy_primitives::Address;
use chlom_client::ClientError;
use serde_json::{Value, json};

use super::{At, index::Index, one};
use crate::text::shown;

/// Letters of a symbol.
const LETTERS: usize = 12;
/// Tokens that are remembered.
const TOKENS: usize = 256;

mod token {
    alloy_sol_types::sol! {
        /// ERC-20.
        function symbol() external view returns (string);
    }
}

/// Symbols and decimals of tokens.
#[derive(Default)]
pub(super) struct Tokens {
    symbols: BTreeMap<Address, String>,
    decimals: BTreeMap<Address, u8>,
}

impl Tokens {
    /// Remembers what somebody said of a token's decimals.
    pub(super) fn note(&mut self, token: Address, decimals: u8) {
        if self.decimals.len() < TOKENS {
            self.decimals.insert(token, decimals);
        }
    }

    fn symbol(&mut self, at: At<'_>, token: Address) -> Result<String, ClientError> {
        if token.is_zero() {
            return Ok("CHM".into());
        }
        if let Some(known) = self.symbols.get(&token) {
            return Ok(known.clone());
        }
        // A token may have none, or say anything.
        let said = match one(at.chain.view_each_at(at.height, token, &[token::symbolCall {}])) {
            Ok(said) => shown(&said.chars().take(LETTERS).collect::<String>()),
            Err(error @ ClientError::Transport { .. }) => return Err(error),
            Err(_) => String::new(),
        };
        let symbol = if said.trim().is_empty() { format!("{token:.8}…") } else { said };
        if self.symbols.len() < TOKENS {
            self.symbols.insert(token, symbol.clone());
        }
        Ok(symbol)
    }
}

/// What was due by settled rows, in each token that lanes use or rows were settled in.
pub(super) fn show(at: At<'_>, index: &Index, tokens: &mut Tokens) -> Result<Value, ClientError> {
    let mut rows = Vec::new();
    let of_lanes = tokens.decimals.keys().copied().map(|token| (token, Default::default()));
    let mut all: BTreeMap<Address, super::index::TokenFacts> = of_lanes.collect();
    all.extend(index.tokens.iter().map(|(token, facts)| (*token, *facts)));
    for (token, facts) in all {
        let known = facts.decimals.or_else(|| tokens.decimals.get(&token).copied());
        let decimals = known.unwrap_or(if token.is_zero() { 18 } else { 0 });
        let sums = facts.sums;
        rows.push(json!({
            "token": token, "symbol": tokens.symbol(at, token)?, "decimals": decimals,
            "revenue": sums.revenue.to_string(), "due": sums.base.to_string(), "fees": sums.fee.to_string(),
            "withdrawn": sums.withdrawn.to_string(),
            "left": sums.base.saturating_sub(sums.fee).saturating_sub(sums.withdrawn).to_string(),
        }));
    }
    Ok(rows.into())
}
