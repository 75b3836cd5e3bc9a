//! Who got what: a table and a line of conservation for people, one object for programs.

use alloy_primitives::U256;
use serde_json::{Value, json};

use super::fraud::Caught;
use crate::table::table;

/// Payees that the table shows; all are in the JSON.
const SHOWN: usize = 60;

/// What a payee of a licence's own split got of it, in the token's minor unit.
pub(super) struct Paid {
    /// The address as the file writes it.
    pub(super) written: String,
    pub(super) amount: U256,
}

/// What became of a licence's receipts, and of what passed up to it.
pub(super) struct Licence {
    pub(super) id: String,
    pub(super) revenue: U256,
    /// Royalty due on its own receipts (C44).
    pub(super) base: U256,
    pub(super) fee: U256,
    pub(super) payees: Vec<Paid>,
    pub(super) residual: U256,
}

pub(super) struct Report {
    pub(super) licences: Vec<Licence>,
    pub(super) caught: Caught,
}

/// Sums over all licences.
pub(super) struct Totals {
    pub(super) gross: U256,
    pub(super) fees: U256,
    pub(super) paid: U256,
    pub(super) residual: U256,
}

impl Report {
    pub(super) fn totals(&self) -> Totals {
        let sum = |of: fn(&Licence) -> U256| self.licences.iter().map(of).sum();
        Totals {
            gross: sum(|licence| licence.base),
            fees: sum(|licence| licence.fee),
            paid: sum(|licence| licence.payees.iter().map(|payee| payee.amount).sum()),
            residual: sum(|licence| licence.residual),
        }
    }

    pub(super) fn json(&self) -> Value {
        let licence = |licence: &Licence| {
            let payee = |paid: &Paid| json!({ "address": paid.written, "amount": paid.amount.to_string() });
            json!({
                "id": licence.id,
                "revenue": licence.revenue.to_string(),
                "base": licence.base.to_string(),
                "fee": licence.fee.to_string(),
                "payees": licence.payees.iter().map(payee).collect::<Vec<_>>(),
                "residual": licence.residual.to_string(),
            })
        };
        let totals = self.totals();
        json!({
            "licenses": self.licences.iter().map(licence).collect::<Vec<_>>(),
            "fraud": {
                "kind": format!("{:?}", self.caught.kind),
                "gas_used": self.caught.gas_used,
                "slashed": self.caught.slashed.to_string(),
                "reward": self.caught.reward.to_string(),
            },
            "totals": {
                "gross": totals.gross.to_string(),
                "fees": totals.fees.to_string(),
                "paid": totals.paid.to_string(),
                "residual": totals.residual.to_string(),
            },
        })
    }

    pub(super) fn text(&self) -> String {
        let payees = self.licences.iter().flat_map(|licence| {
            licence.payees.iter().map(move |paid| {
                vec![licence.id.clone(), paid.written.clone(), format!("{:>22}", shown(paid.amount))]
            })
        });
        let mut rows: Vec<Vec<String>> = payees.collect();
        let more = rows.len().saturating_sub(SHOWN);
        rows.truncate(SHOWN);
        let mut text = String::from("\n");
        text.push_str(&table(&["licence", "payee", "                   USD"], &rows));
        if more > 0 {
            text.push_str(&format!("… and {more} more; --json has all\n"));
        }
        let totals = self.totals();
        text.push_str(&format!(
            "\ngross {} = fees {} + paid {} + residual {} USD\n",
            shown(totals.gross),
            shown(totals.fees),
            shown(totals.paid),
            shown(totals.residual),
        ));
        text
    }
}

fn shown(amount: U256) -> String {
    amount.try_into().map_or_else(|_| amount.to_string(), units)
}

/// Minor units of six places: `1,234.500000`.
pub(super) fn units(amount: u128) -> String {
    let (whole, part) = ((amount / 1_000_000).to_string(), amount % 1_000_000);
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{grouped}.{part:06}")
}

#[cfg(test)]
mod tests {
    use super::units;

    #[test]
    fn amounts_are_grouped_and_have_six_places() {
        assert_eq!(units(0), "0.000000");
        assert_eq!(units(999_999_999), "999.999999");
        assert_eq!(units(1_000_000_000), "1,000.000000");
        assert_eq!(units(1_234_567_000_001), "1,234,567.000001");
    }
}
