//! The lines for spreadsheets: decimal amounts, one line for each licence, lane and period. What proves them is in the JSON.

use alloy_primitives::{Address, B256};

use crate::document::{Line, Statement};

/// The columns.
pub const COLUMNS: [&str; 19] = [
    "line",
    "payee",
    "licence",
    "earned_by",
    "lane",
    "period",
    "token",
    "revenue",
    "royalty_percent",
    "base",
    "fee",
    "inflow",
    "passed_up",
    "kept",
    "weight",
    "of",
    "amount",
    "rows",
    "block",
];

/// The lines of a statement as CSV (RFC 4180), with a line of columns first. Upholds [STM-20], [STM-21].
pub fn write(statement: &Statement) -> String {
    let mut out = COLUMNS.join(",");
    out.push_str("\r\n");
    let block = alloy_primitives::keccak256(&statement.header).to_string();
    for (number, line) in statement.lines.iter().enumerate() {
        let cells = cells(statement, number.saturating_add(1), line, &block);
        out.push_str(&cells.map(|text| cell(&text)).join(","));
        out.push_str("\r\n");
    }
    out
}

fn cells(statement: &Statement, number: usize, line: &Line, block: &str) -> [String; 19] {
    let units = |amount: crate::document::Units| decimal(amount.0, statement.decimals);
    let [year, month, week] =
        [line.period / 10_000, (line.period / 100).wrapping_rem(100), line.period.wrapping_rem(100)];
    let lane = statement.names.lanes.get(&line.lane).cloned().unwrap_or_else(|| line.lane.to_string());
    [
        number.to_string(),
        statement.payee.to_string(),
        licence(statement, line.licence),
        licence(statement, line.earned_by),
        lane,
        format!("{year:04}-{month:02}-W{week:02}"),
        if statement.token == Address::ZERO { "CHM".into() } else { statement.token.to_string() },
        units(line.revenue),
        decimal(line.royalty_bps.into(), 2),
        units(line.base),
        units(line.fee),
        units(line.inflow),
        units(line.passed_up),
        units(line.kept),
        line.weight.to_string(),
        line.denom.to_string(),
        units(line.amount),
        rows(statement, line),
        block.to_owned(),
    ]
}

fn licence(statement: &Statement, id: B256) -> String {
    statement.names.licences.get(&id).cloned().unwrap_or_else(|| id.to_string())
}

/// `0xbatch/row` of each row, apart by spaces; empty where they are not shown.
fn rows(statement: &Statement, line: &Line) -> String {
    let evidence = &statement.evidence;
    let accrual =
        evidence.routes.get(line.proof.earned_by).and_then(|route| route.accruals.get(line.proof.accrual));
    let rows = accrual.and_then(|accrual| accrual.rows.as_deref()).unwrap_or_default();
    let named = rows.iter().map(|row| {
        let root = evidence.batches.get(row.batch).map(|batch| batch.root).unwrap_or_default();
        format!("{root}/{}", row.index)
    });
    named.collect::<Vec<_>>().join(" ")
}

/// Minor units with a point before the last `decimals` digits, and no rounding.
pub fn decimal(units: u128, decimals: u8) -> String {
    let decimals = usize::from(decimals);
    if decimals == 0 {
        return units.to_string();
    }
    let digits = format!("{units:0>width$}", width = decimals.saturating_add(1));
    let (whole, rest) = digits.split_at(digits.len().saturating_sub(decimals));
    format!("{whole}.{rest}")
}

/// A cell that no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
