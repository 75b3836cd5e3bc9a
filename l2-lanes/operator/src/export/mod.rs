//! Statements for a lane's payees (spec/statements.md): what the chain settled, gathered from its logs and proven at its head.
//!
//! - `forest`: routes that money took, by the rows that settled; who shares what they keep.
//! - `rows`: which rows of which batches that was, from the outbox or from the chain's blobs.
//! - [`Gathered`]: all of that at one block, of which statements are made, payee by payee.

mod error;
mod forest;
mod rows;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, U256};
use chlom_client::{Chain, lanes::settled::settled};
use chlom_lane::{LaneId, lane::lane_id};
use chlom_primitives::address::ROYALTY_LEDGER;
use chlom_royalty::{Period, SplitTree};
use chlom_statement::{
    Draft, Statement,
    document::{Batch, Names, Route},
    make::{hashes_of, slots_of},
    slots::{self, Slot},
    trie::Nodes,
};

pub use error::ExportError;
use forest::Forest;
use rows::Rows;

use crate::{Store, store::Lane};

/// What statements are wanted.
#[derive(Debug, Default)]
pub struct Wanted<'a> {
    /// What was paid in; without it, what the lane pays in now.
    pub token: Option<Address>,
    /// The first period that has lines.
    pub from: Option<Period>,
    /// The last one.
    pub to: Option<Period>,
    /// Sum trees' leaves: their payees are nowhere on the chain.
    pub trees: &'a [SplitTree],
    /// Names of licences, for people.
    pub licences: BTreeMap<B256, String>,
}

/// All that a lane paid in a token by one block.
pub struct Gathered<'a> {
    chain: &'a Chain,
    header: Header,
    token: Address,
    periods: (Option<u32>, Option<u32>),
    names: Names,
    forest: Forest,
    rows: Rows,
    generations: BTreeMap<B256, u32>,
    proofs: RefCell<Proofs>,
}

#[derive(Default)]
struct Proofs {
    nodes: Nodes,
    asked: BTreeSet<Slot>,
}

impl<'a> Gathered<'a> {
    /// Reads the chain up to its head, and the store's batches.
    ///
    /// # Errors
    /// [`ExportError`].
    pub fn gather(
        store: &Store,
        lane: &Lane,
        chain: &'a Chain,
        wanted: &Wanted<'_>,
    ) -> Result<Self, ExportError> {
        let header = chain.header(None)?;
        let id = lane_id(&lane.name);
        let token = match wanted.token {
            Some(token) => token,
            None => token_now(chain, id, header.timestamp)?,
        };
        let mut events = settled(chain, 0, header.number)?;
        events.retain(|event| event.token == token);
        let mut forest = Forest::plant(chain, &events)?;
        forest.divide(chain, id, wanted.trees)?;
        let mut rows = Rows::read(store, lane, chain, header.number, &events)?;
        forest.itemise(&mut rows);
        let hashes = hashes_of(&forest.routes)?;
        let asked: Vec<U256> = hashes.iter().map(|route| slots::generations(token, *route).1).collect();
        let words = chain.words(ROYALTY_LEDGER, &asked, header.number)?;
        let asked: Vec<U256> = hashes.iter().map(|route| slots::account(token, *route, 0).1).collect();
        let first = chain.words(ROYALTY_LEDGER, &asked, header.number)?;
        forest.forget_unpaid(|place| first.get(place).is_some_and(|word| !word.is_zero()));
        let generations =
            hashes.into_iter().zip(words).map(|(route, word)| (route, word.saturating_to::<u16>().into()));
        let lanes: BTreeMap<LaneId, String> =
            store.lanes()?.into_iter().map(|lane| (lane_id(&lane.name), lane.name)).collect();
        Ok(Self {
            chain,
            header,
            token,
            periods: (wanted.from.map(Period::code), wanted.to.map(Period::code)),
            names: Names { licences: wanted.licences.clone(), lanes },
            generations: generations.collect(),
            forest,
            rows,
            proofs: RefCell::default(),
        })
    }

    /// The block that statements are proven against.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Everybody whom the lane's money reached.
    pub fn payees(&self) -> impl Iterator<Item = Address> + '_ {
        self.forest.payees.keys().copied()
    }

    /// Trees of which nobody named the leaves: their payees have no statement.
    pub fn unknown_trees(&self) -> &BTreeSet<B256> {
        &self.forest.unknown_trees
    }

    /// A payee's statement.
    ///
    /// # Errors
    /// [`ExportError::NoPayee`] for somebody whom the lane's money did not reach; a node that has not the proofs any more.
    pub fn statement(&self, payee: Address) -> Result<Statement, ExportError> {
        let (routes, batches) = self.evidence(payee)?;
        let generations = |route: B256| self.generations.get(&route).copied().unwrap_or_default();
        let needed = slots_of(&routes, &batches, payee, self.token, &generations)?;
        let mut proofs = self.proofs.borrow_mut();
        let missing: Vec<Slot> = needed.difference(&proofs.asked).copied().collect();
        let found = self.chain.proofs(missing.iter().copied(), self.header.number)?;
        proofs.nodes.extend(found);
        proofs.asked.extend(missing);
        let draft = Draft {
            chain_id: self.chain.id(),
            header: self.header.clone(),
            payee,
            token: self.token,
            from: self.periods.0,
            to: self.periods.1,
            names: self.names_of(&routes),
            routes,
            batches,
        };
        Ok(chlom_statement::make(draft, &proofs.nodes)?)
    }

    /// The routes that pay somebody, those above them and those whose money reaches them; and the batches of their rows.
    fn evidence(&self, payee: Address) -> Result<(Vec<Route>, Vec<Batch>), ExportError> {
        let splits = self.forest.payees.get(&payee).ok_or(ExportError::NoPayee(payee))?;
        let wanted = self.forest.around(splits);
        let mut places: BTreeMap<usize, usize> = BTreeMap::new();
        let mut batches: BTreeMap<usize, usize> = BTreeMap::new();
        let mut routes = Vec::with_capacity(wanted.len());
        for (index, earns) in wanted {
            let Some(mut route) = self.forest.routes.get(index).cloned() else { continue };
            route.parent = route.parent.and_then(|parent| places.get(&parent).copied());
            route.split = splits.get(&index).and_then(|split| self.forest.split_of(*split, payee));
            if !earns {
                route.accruals.clear();
            }
            for row in route.accruals.iter_mut().filter_map(|accrual| accrual.rows.as_mut()).flatten() {
                let next = batches.len();
                row.batch = *batches.entry(row.batch).or_insert(next);
            }
            places.insert(index, routes.len());
            routes.push(route);
        }
        let mut shown: Vec<(usize, usize)> = batches.into_iter().map(|(from, to)| (to, from)).collect();
        shown.sort_unstable();
        let batches =
            shown.into_iter().filter_map(|(_, from)| self.rows.batches.get(from).cloned()).collect();
        Ok((routes, batches))
    }

    fn names_of(&self, routes: &[Route]) -> Names {
        let licences: BTreeSet<B256> = routes.iter().map(|route| route.licence).collect();
        let lanes: BTreeSet<LaneId> =
            routes.iter().flat_map(|route| &route.accruals).map(|accrual| accrual.lane).collect();
        let mut names = self.names.clone();
        names.licences.retain(|id, _| licences.contains(id));
        names.lanes.retain(|id, _| lanes.contains(id));
        names
    }
}

fn token_now(chain: &Chain, lane: LaneId, time: u64) -> Result<Address, ExportError> {
    Ok(chlom_client::lanes::Lane::new(chain, lane).parameters_at(time)?.1.token)
}
