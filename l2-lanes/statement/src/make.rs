//! A statement made: the same reckoning as when one is checked, so that what is written holds.

use std::collections::BTreeSet;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256};

use crate::{
    document::{
        AccountLine, Batch, Evidence, FORMAT, Line, LineProof, Names, Route, Statement, Total, Units,
    },
    fault::Fault,
    flow::{self, Paying, Reckoned},
    rows,
    slots::{self, Slot, State},
    trie::Nodes,
};

/// What a statement is made of.
#[derive(Clone, Debug)]
pub struct Draft {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// The block that it is proven against.
    pub header: Header,
    /// Who is paid.
    pub payee: Address,
    /// What is paid in; zero is CHM.
    pub token: Address,
    /// The first period that has lines.
    pub from: Option<u32>,
    /// The last one.
    pub to: Option<u32>,
    /// Names whose hashes are ids.
    pub names: Names,
    /// Routes, each after the one above it; see [`Evidence::routes`].
    pub routes: Vec<Route>,
    /// Batches of which rows are shown.
    pub batches: Vec<Batch>,
}

/// Makes a statement. `nodes`: proofs of all [`slots_of`] under the header's state root; those that are needed are taken from it.
///
/// # Errors
/// [`Fault`]: what the evidence does not prove.
pub fn make(draft: Draft, nodes: &Nodes) -> Result<Statement, Fault> {
    nodes.forget_used();
    let Draft { chain_id, header, payee, token, from, to, names, routes, batches } = draft;
    let evidence = Evidence { routes, batches, nodes: Vec::new() };
    let state = State::new(header.state_root, nodes);
    let derived = derive(&evidence, payee, token, (from, to), &state)?;
    let header = alloy_rlp::encode(&header).into();
    let (Derived { decimals, lines, accounts, total, .. }, format) = (derived, FORMAT.to_owned());
    let mut statement = Statement {
        format,
        chain_id,
        header,
        payee,
        token,
        decimals,
        from,
        to,
        names,
        lines,
        accounts,
        total,
        evidence,
    };
    statement.evidence.nodes = nodes.used();
    Ok(statement)
}

/// The slots that a statement of these routes and batches is proven by. `generations`: how often a route was closed, by its hash.
///
/// # Errors
/// [`Fault`] for routes that are none.
pub fn slots_of(
    routes: &[Route],
    batches: &[Batch],
    payee: Address,
    token: Address,
    generations: &dyn Fn(B256) -> u32,
) -> Result<BTreeSet<Slot>, Fault> {
    let evidence = Evidence { routes: routes.to_vec(), batches: batches.to_vec(), nodes: Vec::new() };
    let mut found: BTreeSet<Slot> = BTreeSet::from([slots::token(token)]);
    found.extend(batches.iter().map(|batch| slots::claim(batch.root)));
    for (index, (node, route)) in flow::nodes(&evidence)?.iter().zip(routes).enumerate() {
        if !node.needed {
            continue;
        }
        found.insert(slots::generations(token, node.hash));
        if node.station.is_some() {
            found.insert(slots::edge(route.licence));
        }
        let own = match &route.split {
            Some(split) => {
                found.insert(slots::split(route.licence, route.split_version));
                flow::own_parts(index, split, payee)?
            }
            None => Vec::new(),
        };
        for generation in 0..=generations(node.hash) {
            found.insert(slots::account(token, node.hash, generation));
            found.extend(own.iter().map(|by| by.slot(token, node.hash, generation)));
        }
        for accrual in &route.accruals {
            found.insert(slots::accrual(token, route.licence, &accrual.lane, accrual.period));
            let batch = |row: &crate::document::RowOf| {
                batches.get(row.batch).map(|batch| batch.root).unwrap_or_default()
            };
            let rows = accrual.rows.iter().flatten();
            found.extend(rows.map(|row| slots::settled(batch(row), row.payer, route.licence)));
        }
    }
    Ok(found)
}

/// The hashes of routes, in their order: what `generations` is asked by.
///
/// # Errors
/// [`Fault`] for routes that are none.
pub fn hashes_of(routes: &[Route]) -> Result<Vec<B256>, Fault> {
    let evidence = Evidence { routes: routes.to_vec(), ..Evidence::default() };
    Ok(flow::nodes(&evidence)?.into_iter().map(|node| node.hash).collect())
}

/// What follows from evidence.
pub(crate) struct Derived {
    pub(crate) decimals: u8,
    pub(crate) lines: Vec<Line>,
    pub(crate) accounts: Vec<AccountLine>,
    pub(crate) total: Total,
    /// Accruals that show all their rows.
    pub(crate) itemised: usize,
    pub(crate) accruals: usize,
}

pub(crate) fn derive(
    evidence: &Evidence,
    payee: Address,
    token: Address,
    periods: (Option<u32>, Option<u32>),
    state: &State<'_>,
) -> Result<Derived, Fault> {
    let reckoned = flow::reckon(evidence, payee, token, state)?;
    let itemised = rows::check(evidence, token, &reckoned.accruals, state)?;
    let (mut lines, mut accounts, mut total) = (Vec::new(), Vec::new(), [0u128; 2]);
    for paying in &reckoned.paying {
        lines.extend(lines_of(evidence, &reckoned, paying, periods));
        let account = account_of(evidence, paying)?;
        total[0] = total[0].saturating_add(account.amount.0);
        total[1] = total[1].saturating_add(account.taken.0);
        accounts.push(account);
    }
    let [amount, taken] = total;
    let total =
        Total { amount: Units(amount), taken: Units(taken), due: Units(amount.saturating_sub(taken)) };
    let accruals = reckoned.accruals.iter().map(Vec::len).fold(0, usize::saturating_add);
    Ok(Derived { decimals: state.decimals(token)?, lines, accounts, total, itemised, accruals })
}

fn account_of(evidence: &Evidence, paying: &Paying) -> Result<AccountLine, Fault> {
    let owed = paying.all.owed;
    let due = owed.checked_sub(paying.taken).ok_or_else(|| {
        Fault::evidence(flow::place(paying.route), format!("{} was taken of {owed}", paying.taken))
    })?;
    Ok(AccountLine {
        licence: evidence.routes.get(paying.route).map(|route| route.licence).unwrap_or_default(),
        route: paying.route,
        kept: Units(paying.all.kept),
        weight: Units(paying.weight),
        denom: Units(paying.denom),
        amount: Units(owed),
        taken: Units(paying.taken),
        due: Units(due),
    })
}

fn lines_of(
    evidence: &Evidence,
    reckoned: &Reckoned,
    paying: &Paying,
    (from, to): (Option<u32>, Option<u32>),
) -> Vec<Line> {
    let within = |period: u32| from.is_none_or(|from| from <= period) && to.is_none_or(|to| period <= to);
    let mut lines = Vec::new();
    for (inflow, became) in paying.inflows.iter().filter(|(inflow, _)| within(inflow.period)) {
        let earner = evidence.routes.get(inflow.earner);
        let accrual = reckoned.accruals.get(inflow.earner).and_then(|own| own.get(inflow.accrual));
        let listed = earner.and_then(|route| route.accruals.get(inflow.accrual));
        let (Some(earner), Some(accrual), Some(listed), Some(route)) =
            (earner, accrual, listed, evidence.routes.get(paying.route))
        else {
            continue;
        };
        lines.push(Line {
            licence: route.licence,
            earned_by: earner.licence,
            lane: listed.lane,
            period: inflow.period,
            revenue: Units(accrual.revenue()),
            royalty_bps: accrual.royalty_bps(),
            base: Units(accrual.base()),
            fee: Units(accrual.fee()),
            inflow: Units(inflow.amount),
            passed_up: Units(became.passed_up),
            kept: Units(became.kept),
            weight: Units(paying.weight),
            denom: Units(paying.denom),
            amount: Units(became.owed),
            proof: LineProof { route: paying.route, earned_by: inflow.earner, accrual: inflow.accrual },
        });
    }
    lines
}
