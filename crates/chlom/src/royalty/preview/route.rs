//! The licences that money reaches, with what their accounts hold.

use alloy_primitives::{Address, B256};
use alloy_sol_types::SolEvent;
use anyhow::Result;
use chlom_client::{
    Chain,
    contracts::{
        license_registry::ILicenseRegistry::splitHashOfCall,
        royalty_ledger::IRoyaltyLedger::{RouteClosed, RouteKey, accountOfCall},
        split_registry::ISplitRegistry::routeAtCall,
    },
};
use chlom_primitives::address::{LICENSE_REGISTRY, ROYALTY_LEDGER, SPLIT_REGISTRY};
use chlom_royalty::{
    Account, Period, SplitTree,
    route::{RouteNode, Step, chain as route_chain, stations},
};
use serde::Deserialize;
use serde_json::json;

use super::division::Division;
use crate::exit::Usage;

/// What one licence on the way gets.
pub(super) struct Station<'a> {
    pub(super) licence: B256,
    /// What its route had before.
    pub(super) before: Account,
    pub(super) inflow: u128,
    pub(super) passed_up: u128,
    pub(super) kept: u128,
    pub(super) division: Division<'a>,
    /// What each payee has more than before.
    pub(super) payees: Vec<(Address, u128)>,
    /// What flooring leaves of all that was kept; `None` where payees are not known.
    pub(super) residual: Option<u128>,
}

/// What is asked.
pub(super) struct Route<'a> {
    pub(super) chain: &'a Chain,
    pub(super) token: Address,
    pub(super) period: Period,
    pub(super) trees: &'a [SplitTree],
}

#[derive(Deserialize)]
struct Log {
    data: alloy_primitives::Bytes,
}

impl<'a> Route<'a> {
    /// Through every licence that money reaches, from the first one up.
    pub(super) fn through(&self, licence: B256, mut inflow: u128) -> Result<Vec<Station<'a>>> {
        let time = self.period.start();
        let nodes = self.chain.view(SPLIT_REGISTRY, &routeAtCall { licence, time })?;
        let step = |node: &chlom_client::contracts::split_registry::ISplitRegistry::RouteNode| Step {
            licence: node.licence,
            split_version: node.splitVersion,
            active: node.active,
            rate: (node.numer, node.denom),
        };
        let steps: Vec<Step> = nodes.iter().map(step).collect();
        let mut reached = Vec::new();
        for (node, rate) in stations(&route_chain(&steps)) {
            let station = self.station(&node, rate, inflow)?;
            inflow = station.passed_up;
            reached.push(station);
        }
        Ok(reached)
    }

    fn station(&self, node: &RouteNode, rate: (u64, u64), inflow: u128) -> Result<Station<'a>> {
        let before = self.account(node)?;
        let mut account = before;
        let passed_up = account.add(inflow, rate, self.period.code())?;
        let (licence, version) = (node.step.licence, node.step.split_version);
        let split =
            self.chain.view(LICENSE_REGISTRY, &splitHashOfCall { id: licence, splitVersion: version })?;
        let division = Division::of(self.chain, split, self.trees)?;
        let (had, has) = (division.amounts(before.kept()), division.amounts(account.kept()));
        let residual = has.as_ref().map(|has| {
            account
                .kept()
                .saturating_sub(has.iter().fold(0, |sum: u128, (_, amount)| sum.saturating_add(*amount)))
        });
        let payees = has.unwrap_or_default().into_iter().zip(had.unwrap_or_default());
        let payees = payees.map(|((payee, has), (_, had))| (payee, has.saturating_sub(had))).collect();
        let kept = account.kept().saturating_sub(before.kept());
        Ok(Station { licence, before, inflow, passed_up, kept, division, payees, residual })
    }

    /// What the route's open account holds. A route that was closed and receives again has a new one.
    fn account(&self, node: &RouteNode) -> Result<Account> {
        let generation = self.generation(node)?;
        let (licence, split_version) = (node.step.licence, node.step.split_version);
        let key =
            RouteKey { licence, splitVersion: split_version, parentRoute: node.parent_route, generation };
        let account = self.chain.view(ROYALTY_LEDGER, &accountOfCall { token: self.token, key })?;
        Ok(Account::of(account.inflow.to(), account.passedUp.to(), account.lastPeriod))
    }

    /// How often the route was closed, by the ledger's own events.
    fn generation(&self, node: &RouteNode) -> Result<u16> {
        let topics = [RouteClosed::SIGNATURE_HASH, node.step.licence, node.route, self.token.into_word()];
        let filter = json!([{ "address": ROYALTY_LEDGER, "topics": topics, "fromBlock": "earliest", "toBlock": "latest" }]);
        let logs: Vec<Log> = self.chain.rpc().ask("eth_getLogs", filter)?;
        let closed = logs.iter().filter_map(|log| RouteClosed::abi_decode_data(&log.data).ok());
        Ok(closed.map(|(generation, _)| generation.saturating_add(1)).max().unwrap_or(0))
    }

    /// Refuses leaves that are of no licence on the way: the user would look for them in vain.
    pub(super) fn check_trees(&self, stations: &[Station<'_>]) -> Result<()> {
        for (at, tree) in self.trees.iter().enumerate() {
            let used = |station: &Station<'_>| matches!(&station.division, Division::Tree(found) if found.split_hash() == tree.split_hash());
            if !stations.iter().any(used) {
                let hash = tree.split_hash();
                let what = format!(
                    "--leaves, file {}: its {} leaves are split {hash}, which no licence on the way has; check payees, weights \
                     and their order",
                    at + 1,
                    tree.leaves().len()
                );
                return Err(Usage(what).into());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::keccak256;

    use super::*;

    /// `eth_getLogs` is asked by the topics that forge's ABI says.
    #[test]
    fn a_closed_route_is_told_by_its_event() {
        let signature = "RouteClosed(bytes32,bytes32,address,uint16,uint256)";
        assert_eq!(RouteClosed::SIGNATURE_HASH, keccak256(signature));
    }
}
