//! A lane as a drill needs it, made on a development chain with the accounts that its node holds: licences, a payer with money in its
//! pot and, where the fraud asks for it, with a key for its source or an allowance; a submitter with collateral.

use alloy_primitives::{Address, B256, U256, aliases::U96, keccak256};
use chlom_client::{
    Chain, ClientError, Request, Signer,
    contracts::{
        license_registry::ILicenseRegistry::{LicenseData, mint_1Call},
        policy_registry::IPolicyRegistry::activateCall,
        split_registry::ISplitRegistry::registerVectorCall,
    },
    lanes::{Lane, money, registry},
};
use chlom_crypto::AccountKey;
use chlom_lane::LaneId;
use chlom_primitives::address::{LICENSE_REGISTRY, POLICY_REGISTRY, SPLIT_REGISTRY};
use chlom_royalty::Period;
use serde_json::json;

use crate::WatchError;

/// 1 CHM in wei.
pub const CHM: u128 = 1_000_000_000_000_000_000;
/// What an account keeps for gas, wei.
const FOR_GAS: u128 = 50 * CHM;
/// What a drill puts into its payer's pot, wei.
const POT: u128 = 20 * CHM;
/// How many blocks on a drill's policy becomes active.
const AHEAD: u64 = 30;
/// Rates of the drill's licences.
const RATES: [u16; 3] = [2_000, 500, 1_000];

/// A lane that a drill can be held on.
pub struct World<'a> {
    /// The chain.
    pub chain: &'a Chain,
    /// The lane.
    pub lane: LaneId,
    /// The period before the head's.
    pub period: Period,
    /// Whoever submits: an account of the node.
    pub submitter: Signer,
    /// Whoever owes.
    pub payer: AccountKey,
    /// Licences with their rates.
    pub licences: Vec<(B256, u16)>,
    accounts: Vec<Address>,
}

fn unfit(why: impl ToString) -> WatchError {
    WatchError::Drill(why.to_string())
}

impl<'a> World<'a> {
    /// Makes one. `seed` names licences and payer: another seed, another payer, whose receipts nobody has counted.
    ///
    /// # Errors
    /// A chain that is no development chain, or whose accounts have too little.
    pub fn new(chain: &'a Chain, lane: LaneId, seed: B256) -> Result<Self, WatchError> {
        let accounts: Vec<Address> = chain.rpc().ask("eth_accounts", json!([]))?;
        let [authority, submitter, ..] = accounts[..] else {
            return Err(unfit(
                "a drill needs a node that holds accounts, as `chlom dev` does; never hold one elsewhere",
            ));
        };
        let payer = AccountKey::from_bytes(keccak256([&seed[..], b"payer"].concat()).0).map_err(unfit)?;
        let now = chain.time()?;
        let before = Period::containing(now).map(|period| period.start().saturating_sub(1));
        let period =
            before.and_then(Period::containing).ok_or_else(|| unfit("the chain's time has no period"))?;
        let authority = Signer::Unlocked(authority);
        let mut world = Self {
            chain,
            lane,
            period,
            submitter: Signer::Unlocked(submitter),
            payer,
            licences: Vec::new(),
            accounts,
        };
        world.licensed(&authority, seed)?;
        world.appointed(&authority)?;
        let deposit = money::deposit(lane, Address::ZERO, world.payer.address(), U256::from(POT));
        world.paid_by_somebody(POT, deposit)?;
        Ok(world)
    }

    fn licensed(&mut self, authority: &Signer, seed: B256) -> Result<(), WatchError> {
        let policy = keccak256([&seed[..], b"policy"].concat());
        // Blocks may come between asking for the height and being in one: it must not have come by then.
        let height = self.chain.height()?.saturating_add(AHEAD);
        let activate = activateCall { policyHash: policy, activationHeight: height };
        self.chain.send_one(authority, &Request::call("activating a policy", POLICY_REGISTRY, &activate))?;
        let left = height.saturating_sub(self.chain.height()?);
        if left > 0 {
            let _: serde_json::Value =
                self.chain.rpc().ask("evm_mine", json!([{ "blocks": format!("{left:#x}") }]))?;
        }
        let payee = Address::from_word(keccak256([&seed[..], b"payee"].concat()));
        let one = U96::from(1);
        let vector = registerVectorCall { payees: vec![payee], weights: vec![one], denom: one };
        let split = self.chain.view(SPLIT_REGISTRY, &vector)?;
        self.chain.send_one(authority, &Request::call("registering a split", SPLIT_REGISTRY, &vector))?;
        let mut mints = Vec::new();
        for (number, bps) in RATES.iter().enumerate() {
            let id = keccak256([&seed[..], &[number as u8]].concat());
            let d = LicenseData {
                owner: authority.address(),
                licensee: authority.address(),
                royaltyBps: U96::from(*bps),
                startTs: self.period.start(),
                endTs: self.period.end().saturating_add(365 * 86_400),
                adeSplitHash: split,
                acePolicyHash: policy,
                flags: 0,
                metaHash: id,
            };
            mints.push(Request::call("minting a licence", LICENSE_REGISTRY, &mint_1Call { id, d }));
            self.licences.push((id, *bps));
        }
        self.chain.send_all(authority, &mints)?;
        Ok(())
    }

    fn appointed(&self, authority: &Signer) -> Result<(), WatchError> {
        let (lane, submitter) = (Lane::new(self.chain, self.lane), self.submitter.address());
        if lane.active()?.submitter == submitter {
            return Ok(());
        }
        if !lane.is_submitter(submitter)? {
            self.chain.send_one(authority, &registry::register_submitter(self.lane, submitter))?;
        }
        if lane.active()?.submitter != submitter {
            self.chain.send_one(authority, &registry::appoint(self.lane, submitter))?;
        }
        Ok(())
    }

    /// Sees to it that the submitter has so much free collateral, out of whatever the node's accounts have.
    ///
    /// # Errors
    /// When they have too little together.
    pub fn collateral(&self, wei: u128) -> Result<(), WatchError> {
        let submitter = self.submitter.address();
        let mut missing = wei.saturating_sub(money::collateral(self.chain, submitter)?.free);
        for account in &self.accounts {
            if missing == 0 {
                return Ok(());
            }
            let some = missing.min(self.spare(account)?);
            if some > 0 {
                let add = money::add_collateral(submitter, U256::from(some));
                self.chain.send_one(&Signer::Unlocked(*account), &add)?;
                missing -= some;
            }
        }
        if missing == 0 {
            return Ok(());
        }
        let short = missing.div_ceil(CHM);
        Err(unfit(format!(
            "a batch stands behind {} CHM of collateral, and the node's accounts lack {short} of them: start chlom dev with more \
             --accounts (each has 10,000 CHM)",
            wei.div_ceil(CHM)
        )))
    }

    /// What an account can give, wei.
    fn spare(&self, account: &Address) -> Result<u128, ClientError> {
        let balance: U256 = self.chain.rpc().ask("eth_getBalance", json!([account, "latest"]))?;
        Ok(balance.saturating_to::<u128>().saturating_sub(FOR_GAS))
    }

    fn paid_by_somebody(&self, wei: u128, request: Request) -> Result<(), WatchError> {
        for account in &self.accounts {
            if self.spare(account)? >= wei {
                self.chain.send_one(&Signer::Unlocked(*account), &request)?;
                return Ok(());
            }
        }
        Err(unfit(format!("none of the node's accounts has {} CHM to spare", wei / CHM)))
    }

    /// Has the payer send something itself, with gas from an account of the node.
    ///
    /// # Errors
    /// When it is refused.
    pub fn as_payer(&self, request: &Request) -> Result<(), WatchError> {
        let payer = self.payer.address();
        let gas = Request {
            what: "gas for the payer".into(),
            to: alloy_primitives::TxKind::Call(payer),
            data: Default::default(),
            value: U256::from(CHM),
        };
        self.paid_by_somebody(CHM, gas)?;
        let key = AccountKey::from_bytes(self.payer.expose_bytes().0).map_err(unfit)?;
        self.chain.send_one(&Signer::Key(key), request)?;
        Ok(())
    }
}
