//! The chain as the story finds it: two licences, two payers with pots, a submitter with collateral, a watcher.

use std::{collections::BTreeMap, convert::Infallible};

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::{SolCall, SolEvent, SolValue};
use chlom_chain::blobs::{IDataAvailability, blob_id};
use chlom_crypto::AccountKey;
use chlom_lane::{
    Frame, Header, LaneId, LaneState, Receipt, build,
    lane::{ADLUXE, lane_id},
    receipt::{Body, Name, ReceiptId},
    state::EarlierRecord,
};
use chlom_primitives::address::{
    DATA_AVAILABILITY, LANE_REGISTRY, LICENSE_REGISTRY, PAYOUT_PROOFS, POLICY_REGISTRY, ROYALTY_LEDGER,
    SPLIT_REGISTRY,
};
use chlom_royalty::Period;

use crate::{
    batch::Batch,
    bindings::{Claim, LicenseData, Money, PayerAuthorisation, Payout, Payouts, Setup},
    machine::{AUTHORITY, Done, Machine, START},
};

pub(crate) const CHM: u128 = 1_000_000_000_000_000_000;
pub(crate) const WEEK: u32 = 20_250_901;
pub(crate) const SUBMITTER: Address = Address::repeat_byte(0x5b);
pub(crate) const WATCHER: Address = Address::repeat_byte(0x3a);
/// What the lane's cent is in wei.
pub(crate) const CENT: u128 = CHM / 100;

/// (name, royaltyBps, payee).
pub(crate) const LICENCES: [(&str, u16, Address); 2] =
    [("FILM-1", 2_000, Address::repeat_byte(0xf1)), ("SONG-1", 500, Address::repeat_byte(0x50))];

/// What the contracts say, for whoever builds and checks.
pub(crate) struct State(BTreeMap<B256, u16>);

impl LaneState for State {
    type Error = Infallible;
    fn allows(&self, licence: &B256, time: u64, _: u64) -> Result<bool, Infallible> {
        Ok(self.0.contains_key(licence) && time >= START)
    }
    fn royalty_bps(&self, licence: &B256, _: u64, _: u64) -> Result<Option<u16>, Infallible> {
        Ok(self.0.get(licence).copied())
    }
    fn source_key(&self, _: &LaneId, _: &Address, _: &B256, _: u64) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(None)
    }
    fn admits(&self, _: &Header, _: &Address, _: &B256, _: bool) -> Result<bool, Infallible> {
        Ok(true)
    }
    fn earlier(&self, _: &Header, _: &B256, _: &ReceiptId) -> Result<Option<EarlierRecord>, Infallible> {
        Ok(None)
    }
}

pub(crate) fn state() -> State {
    State(LICENCES.iter().map(|(name, bps, _)| (keccak256(name), *bps)).collect())
}

pub(crate) fn lane() -> LaneId {
    lane_id(ADLUXE)
}

/// So many receipts of 10.00 each, by turns of two payers and two licences, ids from `first` on.
pub(crate) fn receipts(payers: &[Address], first: usize, count: usize) -> Vec<Receipt> {
    let one = |number: usize| Receipt {
        payer: payers[number % payers.len()],
        licence: keccak256(LICENCES[number / payers.len() % 2].0),
        source: Name::new("ad-server").unwrap(),
        id: ReceiptId::new(&format!("AD-{number}")).unwrap(),
        time: START + 60 + number as u64,
        body: Body::AdConversion { campaign: Name::new("CAMP-1").unwrap(), value: 1_000 },
        signature: None,
    };
    (first..first + count).map(one).collect()
}

pub(crate) struct World {
    pub(crate) machine: Machine,
    keys: Vec<AccountKey>,
    number: u32,
}

impl World {
    /// So many payers, each with 1,000 CHM in its pot.
    pub(crate) fn new(payers: usize) -> Self {
        let machine = Machine::new(&[AUTHORITY, SUBMITTER, WATCHER]);
        let key = |number: usize| AccountKey::from_bytes(keccak256(format!("payer {number}")).0).unwrap();
        let mut keys: Vec<AccountKey> = (0..payers).map(key).collect();
        keys.sort_by_key(AccountKey::address);
        let mut world = Self { machine, keys, number: 0 };
        world.prepare();
        world
    }

    fn prepare(&mut self) {
        let policy = keccak256("policy");
        let activate = Setup::activateCall { policyHash: policy, activationHeight: 1 };
        self.machine.send(AUTHORITY, POLICY_REGISTRY, 0, &activate);
        for (name, bps, payee) in LICENCES {
            let split = self.split_among(payee);
            let d = LicenseData {
                owner: AUTHORITY,
                licensee: AUTHORITY,
                royaltyBps: bps.to_string().parse().unwrap(),
                startTs: START,
                endTs: START + 86_400 * 365,
                adeSplitHash: split,
                acePolicyHash: policy,
                flags: 0,
                metaHash: keccak256(name),
            };
            self.machine.send(AUTHORITY, LICENSE_REGISTRY, 0, &Setup::mintCall { id: keccak256(name), d });
        }
        let register =
            Setup::registerSubmitterCall { lane: lane().into_array().into(), submitter: SUBMITTER };
        self.machine.send(AUTHORITY, LANE_REGISTRY, 0, &register);
        let add = Payouts::addCollateralCall { account: SUBMITTER };
        self.machine.send(SUBMITTER, PAYOUT_PROOFS, 100_000 * CHM, &add);
        for payer in self.payers() {
            let amount = U256::from(1_000 * CHM);
            let deposit =
                Money::depositCall { token: Address::ZERO, lane: lane().into_array().into(), payer, amount };
            self.machine.send(AUTHORITY, ROYALTY_LEDGER, 1_000 * CHM, &deposit);
        }
        // The period is over, and a day more.
        self.machine.wait(8 * 86_400, 1_000);
    }

    pub(crate) fn payers(&self) -> Vec<Address> {
        self.keys.iter().map(AccountKey::address).collect()
    }

    /// The split that gives one payee all. Registering it again changes nothing.
    pub(crate) fn split_among(&mut self, payee: Address) -> B256 {
        let (payees, weights, denom) = (vec![payee], vec!["1".parse().unwrap()], "1".parse().unwrap());
        let call = Setup::registerVectorCall { payees, weights, denom };
        B256::abi_decode(&self.machine.send(AUTHORITY, SPLIT_REGISTRY, 0, &call).data).unwrap()
    }

    pub(crate) fn frame(&mut self) -> Frame {
        let lane_word = lane().into_array().into();
        let predecessor = self.machine.read(PAYOUT_PROOFS, &Payouts::lastBatchOfCall { lane: lane_word });
        let period = Period::new(WEEK).unwrap();
        let as_of = self.machine.now() - 1;
        Frame { lane: lane(), parameters: 1, period, number: self.number + 1, predecessor, as_of }
    }

    pub(crate) fn right(&mut self, first: usize, count: usize) -> Batch {
        let receipts = receipts(&self.payers(), first, count);
        let (draft, rest) = build(self.frame(), receipts, &state()).unwrap();
        assert!(rest.is_empty());
        Batch::right(draft)
    }

    /// Publishes a batch's blob, for its fee, and has it attested.
    pub(crate) fn publish(&mut self, batch: &Batch) {
        let rows = u16::try_from(batch.header.blob.rows.data()).unwrap();
        let fee =
            self.machine.read(DATA_AVAILABILITY, &IDataAvailability::feeCall { rows: U256::from(rows) });
        let publish = IDataAvailability::publishCall {
            header: batch.header.blob.encode().to_vec().into(),
            commitments: batch.commitments().into(),
        };
        self.machine.send(SUBMITTER, DATA_AVAILABILITY, fee.to(), &publish);
        self.machine.wait(2, 1);
        let lane_word = lane().into_array().into();
        self.machine.attest(blob_id(&lane_word, batch.header.period.code(), &batch.header.blob.merkle_root));
    }

    /// Every payer's signature over (batch root, its total in wei).
    pub(crate) fn signed(&mut self, batch: &Batch) -> Vec<PayerAuthorisation> {
        let root = batch.root();
        let mut all = Vec::new();
        for total in &batch.header.payers {
            let digest =
                Payouts::authorisationDigestCall { batchRoot: root, total: U256::from(total.owed * CENT) };
            let digest = self.machine.read(PAYOUT_PROOFS, &digest);
            let key = self.keys.iter().find(|key| key.address() == total.payer).unwrap();
            let signature = key.sign_hash(digest).as_bytes().to_vec().into();
            all.push(PayerAuthorisation { standing: false, signature });
        }
        all
    }

    pub(crate) fn try_submit(
        &mut self,
        batch: &Batch,
        authorisations: Vec<PayerAuthorisation>,
    ) -> Result<Done, Bytes> {
        let header = batch.header.encode().into();
        self.machine.attempt(SUBMITTER, PAYOUT_PROOFS, 0, &Payouts::submit_1Call { header, authorisations })
    }

    /// Publishes and submits; the claim that the chain says.
    pub(crate) fn submit(&mut self, batch: &Batch) -> (Claim, u64) {
        self.publish(batch);
        let authorisations = self.signed(batch);
        let done = self.try_submit(batch, authorisations).unwrap_or_else(|why| panic!("submit: {why}"));
        self.number += 1;
        let accepted = |log: &alloy_primitives::Log| Payouts::BatchAccepted::decode_log_data(&log.data).ok();
        (done.logs.iter().find_map(accepted).expect("an event").claim, done.gas)
    }

    pub(crate) fn call<C: SolCall>(&mut self, from: Address, call: &C) -> Done {
        self.machine.send(from, PAYOUT_PROOFS, 0, call)
    }

    /// A payee of the ledger takes what it is owed of a licence.
    pub(crate) fn withdraw(&mut self, name: &str) -> u128 {
        let key = Money::routeKeyOfCall { licence: keccak256(name), period: WEEK };
        let key = self.machine.read(ROYALTY_LEDGER, &key);
        let call = Money::withdrawCall { p: Payout { key, token: Address::ZERO, index: 0 } };
        let done = self.machine.send(WATCHER, ROYALTY_LEDGER, 0, &call);
        U256::abi_decode(&done.data).unwrap().to()
    }

    pub(crate) fn accounted(&mut self) -> u128 {
        self.machine.read(ROYALTY_LEDGER, &Money::accountedCall { token: Address::ZERO }).to()
    }

    /// (free, reserved) of a payer's pot.
    pub(crate) fn pot(&mut self, payer: Address) -> (u128, u128) {
        let call = Money::potOfCall { token: Address::ZERO, lane: lane().into_array().into(), payer };
        let pot = self.machine.read(ROYALTY_LEDGER, &call);
        (pot.free.to(), pot.reserved.to())
    }

    /// (free, locked) collateral.
    pub(crate) fn collateral(&mut self, account: Address) -> (u128, u128) {
        let c = self.machine.read(PAYOUT_PROOFS, &Payouts::collateralOfCall { account });
        (c.free, c.locked)
    }
}
