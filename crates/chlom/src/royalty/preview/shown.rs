//! What a preview says, as tables and as JSON.

use alloy_primitives::Address;
use chlom_royalty::{Period, accrual::Due};
use serde_json::{Value, json};

use super::{PreviewArgs, division::Division, route::Station};
use crate::{license::id_of, output, table::table};

pub(super) fn tables(args: &PreviewArgs, period: Period, before: u128, due: Due, stations: &[Station<'_>]) {
    let after = if before == 0 { String::new() } else { format!(" after {before}") };
    output::line(format!(
        "{} in {}: revenue {}{after}, base {}, fee {}\n",
        args.id,
        period.code(),
        args.revenue,
        due.base,
        due.fee
    ));
    let named = |s: &Station<'_>| {
        if s.licence == id_of(&args.id) { args.id.clone() } else { s.licence.to_string() }
    };
    let row = |s: &Station<'_>| {
        let residual = s.residual.map_or_else(|| "?".into(), |residual| residual.to_string());
        let numbers = [s.before.inflow(), s.inflow, s.passed_up, s.kept].map(|n| n.to_string());
        [named(s)].into_iter().chain(numbers).chain([residual]).collect::<Vec<_>>()
    };
    let rows: Vec<_> = stations.iter().map(row).collect();
    output::line(table(&["licence", "had", "inflow", "passes up", "keeps", "residual"], &rows));
    let rows: Vec<_> = stations.iter().flat_map(payees).collect();
    output::print(&table(&["payee", "amount"], &rows));
}

/// Who gets what; a tree whose leaves nobody named is one line.
fn payees(station: &Station<'_>) -> Vec<Vec<String>> {
    if let Division::Root { leaves, .. } = station.division {
        let what = format!("{leaves} leaves of a sum tree (--leaves names them)");
        return vec![vec![what, station.kept.to_string()]];
    }
    station.payees.iter().map(|(payee, amount)| vec![payee.to_string(), amount.to_string()]).collect()
}

pub(super) fn as_json(
    args: &PreviewArgs,
    period: Period,
    before: u128,
    due: Due,
    stations: &[Station<'_>],
) -> Value {
    let paid =
        |(to, amount): &(Address, u128)| json!({ "address": to.to_string(), "amount": amount.to_string() });
    let station = |s: &Station<'_>| {
        let mut shown = json!({
            "licence": s.licence, "inflow": s.inflow.to_string(), "passedUp": s.passed_up.to_string(),
            "kept": s.kept.to_string(), "payees": s.payees.iter().map(paid).collect::<Vec<_>>(),
            "residual": s.residual.map(|residual| residual.to_string()),
            "before": { "inflow": s.before.inflow().to_string(), "passedUp": s.before.passed_up().to_string() },
        });
        if let Division::Root { root, leaves } = s.division {
            shown["tree"] = json!({ "root": root, "leaves": leaves });
        }
        shown
    };
    json!({
        "id": args.id, "period": period.code(), "revenue": args.revenue.to_string(),
        "revenueBefore": before.to_string(), "base": due.base.to_string(), "fee": due.fee.to_string(),
        "licences": stations.iter().map(station).collect::<Vec<_>>(),
    })
}
