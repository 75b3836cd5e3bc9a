//! The stage: a chain in this process, who acts on it, a token, a lane, licences.

use std::{collections::BTreeSet, io::Write, sync::Arc, thread::JoinHandle};

use alloy_primitives::{
    Address, B256, Bytes, FixedBytes, U256,
    aliases::{U40, U80},
    hex, keccak256,
};
use alloy_sol_types::{SolCall, SolValue};
use anyhow::{Context as _, Result, anyhow};
use chlom_abci::DevChain;
use chlom_client::{
    Chain, Request, Signer,
    contracts::{
        lane_registry::ILaneRegistry::addLaneCall, policy_registry::IPolicyRegistry::activateCall,
        royalty_ledger::IRoyaltyLedger::enableTokenCall, timelock::TimelockController,
    },
    lanes::{Lane, registry},
};
use chlom_crypto::AccountKey;
use chlom_evm::genesis::GenesisAccount;
use chlom_lane::{LaneId, lane::lane_id, receipt::Kind};
use chlom_primitives::address::{LANE_REGISTRY, POLICY_REGISTRY, ROYALTY_LEDGER, TIMELOCK};
use clap::Parser;
use tokio::sync::oneshot;

use super::{
    input::{CURRENCY, DECIMALS, Input},
    steps::Steps,
};
use crate::{
    dev::{self, DevAccount, DevArgs, DevNode, Shown, accounts},
    exit::Usage,
    license::{self, Licences, Sender, Verdict},
    stop,
};

/// `devnet/compat/contracts/tokens/Dollar.sol` as forge built it; write it anew when that contract changes.
const DOLLAR: &str = include_str!("../../../../devnet/compat/contracts/tokens/Dollar.hex");
/// Whole units of CHM that each actor has: enough for the bond of any batch that a contract takes.
const ENDOWMENT_CHM: u64 = 1_000_000_000_000;
/// Of each who acts.
const ACCOUNTS: u32 = 5;
/// T, as the lanes of genesis have it.
pub(super) const WINDOW: u32 = 604_800;
/// Data is kept for so long after T.
const MARGIN: u32 = 14 * 86_400;

/// A chain and who acts on it.
pub(super) struct Stage {
    pub(super) chain: Chain,
    pub(super) clock: DevChain,
    /// Governs, allots ids, keeps lanes.
    pub(super) authority: Signer,
    pub(super) payer: Signer,
    pub(super) payer_key: AccountKey,
    pub(super) submitter: Signer,
    pub(super) watcher: Signer,
    /// Whoever finalises, settles and withdraws for others: anyone may.
    pub(super) anyone: Signer,
    pub(super) token: Address,
    pub(super) lane: LaneId,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<()>>,
}

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    dev: DevArgs,
}

/// The demo's one payer.
pub(super) fn payer_address() -> Result<Address> {
    Ok(accounts::derive(2)?.get(1).context("no second account")?.address)
}

impl Stage {
    /// Starts the chain just after the last period and prepares everything up to the first receipt.
    pub(super) fn set(input: &Input, port: u16, steps: &mut Steps) -> Result<Self> {
        steps.part("The stage");
        let begin = input.last_period()?.end() + 60;
        let port = port.to_string();
        let line = ["demo", "--port", &port, "--automine", "--block-time", "100ms", "--accounts", "5"];
        let args = Line::try_parse_from(line)?.dev;
        let held: Arc<[DevAccount]> = accounts::derive(ACCOUNTS)?.into();
        let mut spec = dev::genesis::spec(&args, &[])?;
        spec.timestamp = begin;
        let wei = U256::from(ENDOWMENT_CHM) * U256::from(10).pow(U256::from(18));
        spec.alloc.extend(held.iter().map(|account| (account.address, GenesisAccount::with_balance(wei))));
        let names = input.documents.iter().map(|document| (document.id(), document.name.clone())).collect();
        let shown = Shown { kind: "demo", names };
        let node = DevNode::start(&args, &spec, held.clone(), Some(begin + 1), shown)?;
        let (url, clock) = (node.url(), node.chain().clone());
        let (stop, stopped) = oneshot::channel();
        let serving = std::thread::Builder::new().name("node".into()).spawn(move || {
            node.serve(async {
                // A stage that is dropped ends the chain, too.
                let _told = stopped.await;
            })
        })?;
        let key = |index: usize| -> Result<AccountKey> {
            let account = held.get(index).context("an account is missing")?;
            AccountKey::from_bytes(account.private_key().0).context("a development key is none")
        };
        let signer = |index| key(index).map(Signer::Key);
        let mut stage = Self {
            chain: Chain::connect(&url)?,
            clock,
            authority: signer(0)?,
            payer: signer(1)?,
            payer_key: key(1)?,
            submitter: signer(2)?,
            watcher: signer(3)?,
            anyone: signer(4)?,
            token: Address::ZERO,
            lane: lane_id(lane_name(input)),
            stop,
            serving,
        };
        steps.done(format!("a chain of one validator makes blocks; look at it on {url}"));
        let prepared = stage.prepare(input, steps);
        match prepared {
            Ok(()) => Ok(stage),
            Err(error) => {
                // The first fault is the one to tell.
                let _ended = stage.end();
                Err(error)
            }
        }
    }

    fn prepare(&mut self, input: &Input, steps: &mut Steps) -> Result<()> {
        let policy = self.activate_policies(input)?;
        steps.done(format!("policy {policy} is active"));
        let levels = self.register_licences(input, policy)?;
        let count = input.documents.len();
        steps.done(format!(
            "{count} licences registered with their splits, up to {levels} levels of overrides"
        ));
        self.issue_token()?;
        self.open_lane(input)?;
        steps.done(format!(
            "settlement token {} (6 decimals) and lane {} opened",
            self.token,
            lane_name(input)
        ));
        Ok(())
    }

    /// One policy of the demo's own, and those that licences name.
    fn activate_policies(&self, input: &Input) -> Result<B256> {
        let own = keccak256("chlom demo: sponsored content is disclosed");
        let named = input.documents.iter().filter_map(|document| document.policy);
        let all: BTreeSet<B256> = named.chain([own]).collect();
        // A height that has not come when the last of them is in a block.
        let height = self.chain.height()? + 200 + all.len() as u64;
        let activate = |hash: &B256| {
            let call = activateCall { policyHash: *hash, activationHeight: height };
            Request::call("activating a policy", POLICY_REGISTRY, &call)
        };
        self.chain.send_all(&self.authority, &all.iter().map(activate).collect::<Vec<_>>())?;
        let left = height.saturating_sub(self.chain.height()?);
        self.clock.mine(left, None)?;
        Ok(own)
    }

    /// As `chlom license import` does it; how many levels of overrides there are.
    fn register_licences(&self, input: &Input, policy: B256) -> Result<usize> {
        let mut licences = Licences::new(&self.chain);
        let address = self.authority.address();
        let sender = Sender { address, registrar: licences.is_registrar(address)? };
        let steps = license::plan(&mut licences, input.documents.clone(), Some(policy), Some(sender))?;
        let refused: Vec<String> = steps
            .iter()
            .filter_map(|step| match &step.verdict {
                Verdict::Refused(why) => Some(format!("{}: {why}", step.document.place)),
                _ => None,
            })
            .collect();
        if !refused.is_empty() {
            return Err(Usage(format!("licences that no chain takes:\n  {}", refused.join("\n  "))).into());
        }
        license::apply(&licences, &self.authority, sender, &steps, &mut |_| {})?;
        Ok(steps.iter().map(|step| step.depth).max().unwrap_or(0))
    }

    /// The payer's dollars: as many as any file can owe.
    fn issue_token(&mut self) -> Result<()> {
        let supply = U256::from(1u128 << 110);
        let mut code = hex::decode(DOLLAR.trim()).context("the token's code")?;
        code.extend(supply.abi_encode());
        let made =
            self.chain.send_one(&self.payer, &Request::create("issuing the token", Bytes::from(code)))?;
        self.token = made.created.context("the node names no contract for the token")?;
        Ok(())
    }

    /// Governance admits the token and adds the lane; its keeper registers the submitter.
    fn open_lane(&self, input: &Input) -> Result<()> {
        let parameters = registry::Parameters {
            token: self.token,
            decimals: DECIMALS,
            tokenDecimals: DECIMALS,
            blobRows: 32,
            effectiveFrom: U40::ZERO,
            zk: false,
            window: WINDOW,
            windowBlocks: 0,
            margin: MARGIN,
            timely: WINDOW,
            rebateBps: 1_000,
            chmPerUnit: U80::from(10u128.pow(18)),
            currency: FixedBytes(currency()),
        };
        self.govern(&[
            (ROYALTY_LEDGER, enableTokenCall { token: self.token, decimals: DECIMALS }.abi_encode()),
            (LANE_REGISTRY, addLaneCall { name: lane_name(input).into(), p: parameters }.abi_encode()),
        ])?;
        let register = registry::register_submitter(self.lane, self.submitter.address());
        self.chain.send_one(&self.authority, &register)?;
        Ok(())
    }

    /// Schedules calls with the timelock, waits, and has them executed.
    fn govern(&self, calls: &[(Address, Vec<u8>)]) -> Result<()> {
        let targets: Vec<Address> = calls.iter().map(|(to, _)| *to).collect();
        let payloads: Vec<Bytes> = calls.iter().map(|(_, data)| data.clone().into()).collect();
        let values = vec![U256::ZERO; calls.len()];
        let delay = self.chain.view(TIMELOCK, &TimelockController::getMinDelayCall {})?;
        let schedule = TimelockController::scheduleBatchCall {
            targets: targets.clone(),
            values: values.clone(),
            payloads: payloads.clone(),
            predecessor: B256::ZERO,
            salt: B256::ZERO,
            delay,
        };
        self.chain.send_one(&self.authority, &Request::call("scheduling", TIMELOCK, &schedule))?;
        self.warp(delay.saturating_to())?;
        let execute = TimelockController::executeBatchCall {
            targets,
            values,
            payloads,
            predecessor: B256::ZERO,
            salt: B256::ZERO,
        };
        self.chain.send_one(&self.authority, &Request::call("governing", TIMELOCK, &execute))?;
        Ok(())
    }

    pub(super) fn lane(&self) -> Lane<'_> {
        Lane::new(&self.chain, self.lane)
    }

    /// So many seconds later, in a block of that time.
    pub(super) fn warp(&self, seconds: u64) -> Result<()> {
        self.clock.increase_time(seconds)?;
        self.clock.mine(1, None)?;
        Ok(())
    }

    /// Waits until it is told to end, and says where to look meanwhile.
    pub(super) fn stay(&self) -> Result<()> {
        // Standard output is the report's.
        let url = self.chain.rpc().url();
        let _closed = writeln!(std::io::stderr(), "\nThe chain goes on: look at it on {url}; Ctrl-C ends it");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.context("waiting for the end")?.block_on(stop::signalled());
        Ok(())
    }

    /// Ends the chain.
    pub(super) fn end(self) -> Result<()> {
        // Gone already: joining says why.
        let _gone = self.stop.send(());
        self.serving.join().map_err(|_| anyhow!("the node's thread panicked"))?
    }
}

/// A lane of its own: the lanes of genesis settle in CHM for the periods that the receipts may be of.
fn lane_name(input: &Input) -> &'static str {
    match input.receipts.first().map(|line| line.receipt.body.kind()) {
        Some(Kind::Order) => "retail-cpg-usd",
        _ => "adluxe-usd",
    }
}

fn currency() -> [u8; 4] {
    let mut bytes = [0; 4];
    bytes.iter_mut().zip(CURRENCY.bytes()).for_each(|(to, from)| *to = from);
    bytes
}
