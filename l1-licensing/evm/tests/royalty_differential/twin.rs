//! The contracts and the ledger in memory, side by side.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, LogData, U256, hex, keccak256};
use alloy_sol_types::SolCall;
use chlom_primitives::address::{LICENSE_REGISTRY, POLICY_REGISTRY, ROYALTY_LEDGER};
use chlom_royalty::{
    Forest, Ledger, LedgerError, Registry, RouteKey, Split, SplitTree,
    ledger::{Lane, Payout},
    receipt::verify_allocation,
};

use crate::{
    bindings::{self, Policies, Royalties as R, Tokens},
    machine::{AUTHORITY, Answer, Machine, logs_of},
    refusal::revert_of,
    seed::Seed,
};

/// Every other scenario is in a token of 6 decimals, the rest in CHM.
const ERC20: Address = Address::repeat_byte(0x41);
/// contracts/test/RoyaltyBase.t.sol:TestToken, as it runs.
const ERC20_CODE: &str = include_str!("token.hex");
/// A settler with code: it keeps the word that it is sent, and answers it to whatever else it is asked.
pub(crate) const SOURCE: Address = Address::repeat_byte(0x51);
/// CALLDATASIZE = 36: SSTORE(0, CALLDATALOAD(4)), as `set(bool)` has it; else it returns SLOAD(0).
const SOURCE_CODE: [u8; 22] = hex!("36602414600f575f545f5260205ff35b6004355f5500");
const SETTLER: u8 = 1 << 3;
pub(crate) const LANES: [Lane; 2] = [Lane::repeat_byte(0x11), Lane::repeat_byte(0x12)];
pub(crate) const PAYERS: [Address; 2] = [Address::repeat_byte(0x21), Address::repeat_byte(0x22)];
pub(crate) const POLICY: B256 = B256::repeat_byte(0x31);

/// What the ledger in memory answers: the words returned, and the logs that should tell of it.
pub(crate) type Expected = Result<(Vec<U256>, Vec<LogData>), LedgerError>;

/// A licence as the test minted it.
pub(crate) struct Minted {
    pub(crate) id: B256,
    pub(crate) start: u64,
}

pub(crate) struct Twin {
    pub(crate) seed: Seed,
    /// The token that all of it is in.
    pub(crate) token: Address,
    pub(crate) step: usize,
    pub(crate) machine: Machine,
    pub(crate) forest: Forest,
    pub(crate) ledger: Ledger,
    pub(crate) licences: Vec<Minted>,
    pub(crate) trees: BTreeMap<B256, SplitTree>,
    pub(crate) keys: BTreeSet<RouteKey>,
    pub(crate) rows: Vec<chlom_royalty::Row>,
    pub(crate) accruals: BTreeSet<(B256, Lane, u32)>,
    pub(crate) holds: u64,
    pub(crate) payees: BTreeSet<Address>,
    pub(crate) counts: BTreeMap<String, (u64, u64)>,
}

impl Twin {
    pub(crate) fn new(seed: u64) -> Self {
        let code = hex::decode(ERC20_CODE.trim()).unwrap();
        let mut machine = Machine::new(&PAYERS, [(ERC20, code.into()), (SOURCE, SOURCE_CODE.into())]);
        machine.advance(2);
        machine.govern(&R::grantRolesCall { user: SOURCE, roles: U256::from(SETTLER) });
        machine.govern(&R::enableTokenCall { token: ERC20, decimals: 6 });
        for to in PAYERS {
            machine.send(to, ERC20, 0, &Tokens::mintCall { to, amount: U256::ONE << 100 }).unwrap();
            let approve = Tokens::approveCall { spender: ROYALTY_LEDGER, amount: U256::MAX };
            machine.send(to, ERC20, 0, &approve).unwrap();
        }
        let height = machine.height();
        let activate = Policies::activateCall { policyHash: POLICY, activationHeight: height };
        machine.send(AUTHORITY, POLICY_REGISTRY, 0, &activate).unwrap();
        let mut ledger = Ledger::new();
        let (token, decimals) = if seed.is_multiple_of(2) { (Address::ZERO, 18) } else { (ERC20, 6) };
        ledger.enable_token(token, decimals).unwrap();
        Self {
            seed: Seed::new(seed),
            token,
            step: 0,
            machine,
            // The parameters that genesis defines.
            forest: Forest::new(50, 1_000),
            ledger,
            licences: Vec::new(),
            trees: BTreeMap::new(),
            keys: BTreeSet::new(),
            rows: Vec::new(),
            accruals: BTreeSet::new(),
            holds: 0,
            payees: BTreeSet::new(),
            counts: BTreeMap::new(),
        }
    }

    pub(crate) fn now(&self) -> u64 {
        self.machine.now
    }

    pub(crate) fn count(&mut self, action: String, done: bool) {
        let (yes, no) = self.counts.entry(action).or_default();
        *(if done { yes } else { no }) += 1;
    }

    /// Sends to the ledger contract and compares with what the ledger in memory did. `key`: the route in question.
    pub(crate) fn compare<C: SolCall>(
        &mut self,
        action: &'static str,
        (from, value, call): (Address, u128, C),
        expected: Expected,
        key: Option<&RouteKey>,
    ) {
        let answer = self.machine.send(from, ROYALTY_LEDGER, value, &call);
        self.count(action.into(), expected.is_ok());
        if let Err(error) = &expected {
            let name = format!("{error:?}").split(['(', ' ']).next().unwrap_or_default().to_owned();
            self.count(format!("{action}: {name}"), false);
        }
        let place = format!("step {}, {action} at {}", self.step, self.now());
        match (answer, expected) {
            (Ok((data, logs)), Ok((words, expected))) => {
                let words: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes::<32>()).collect();
                assert_eq!(data.as_ref(), words, "{place}: what it returns");
                assert_eq!(logs_of(ROYALTY_LEDGER, logs), expected, "{place}: what it logs");
            }
            (Err(revert), Err(error)) => {
                let expected = self.revert_for(&error, key);
                assert_eq!(revert.as_ref(), expected, "{place}: refused, here with {error}");
            }
            (answer, expected) => panic!("{place}: the contract {answer:?}, the ledger {expected:?}"),
        }
        self.compare_totals();
    }

    /// The bytes that the contract reverts with.
    pub(crate) fn revert_for(&self, error: &LedgerError, key: Option<&RouteKey>) -> Vec<u8> {
        let split = key.and_then(|key| self.forest.split_of(key.licence, key.split_version));
        let (hash, is_tree) =
            split.map_or((B256::ZERO, false), |s| (s.hash(), matches!(s, Split::Tree { .. })));
        revert_of(error, hash, is_tree)
    }

    fn compare_totals(&mut self) {
        let books = self.ledger.books(self.token);
        assert_eq!(books.total(), self.ledger.accounted(self.token), "the ledger's own books");
        let accounted = self.machine.read(ROYALTY_LEDGER, &R::accountedCall { token: self.token });
        assert_eq!(accounted, U256::from(self.ledger.accounted(self.token)));
        let held = if self.token.is_zero() {
            self.machine.balance(ROYALTY_LEDGER)
        } else {
            self.machine.read(self.token, &Tokens::balanceOfCall { owner: ROYALTY_LEDGER })
        };
        assert_eq!(held, accounted, "what is held");
        let fees = self.machine.read(ROYALTY_LEDGER, &R::feesOwedCall { token: self.token });
        assert_eq!(fees, U256::from(books.fees));
        for (lane, payer) in LANES.into_iter().flat_map(|lane| PAYERS.map(|payer| (lane, payer))) {
            let pot = self.machine.read(ROYALTY_LEDGER, &R::potOfCall { token: self.token, lane, payer });
            let own = self.ledger.pot_of(self.token, lane, payer);
            assert_eq!((pot.free, pot.reserved), (U256::from(own.free), U256::from(own.reserved)));
        }
        if let Some(key) = self.any_key() {
            self.compare_account(&key);
        }
        self.compare_an_accrual();
    }

    /// Account, receipt, proof, storage and what payees have taken.
    pub(crate) fn compare_account(&mut self, key: &RouteKey) {
        let own = self.ledger.account_of(self.token, key);
        let call = R::accountOfCall { token: self.token, key: encoded(key) };
        let account = self.machine.read(ROYALTY_LEDGER, &call);
        let of = (account.inflow.to::<u128>(), account.passedUp.to::<u128>(), account.lastPeriod);
        assert_eq!(of, (own.inflow(), own.passed_up(), own.last_period()));
        let Ok(receipt) = self.ledger.payout_receipt(self.token, key, &self.forest) else { return };
        let call = R::payoutReceiptCall { token: self.token, key: encoded(key) };
        let theirs = self.machine.read(ROYALTY_LEDGER, &call);
        assert_eq!(theirs.merkleRoot, receipt.root());
        assert_eq!((theirs.kept, theirs.residual), (U256::from(receipt.kept), U256::from(receipt.residual)));
        let amounts = theirs.allocations.iter().map(|a| (a.to, a.amount.to::<u128>()));
        assert!(amounts.eq(receipt.allocations.iter().map(|a| (a.to, a.amount))));

        let count = receipt.allocations.len();
        let index = self.seed.below(count);
        let call = R::payoutProofCall { token: self.token, key: encoded(key), index: U256::from(index) };
        let proof = self.machine.read(ROYALTY_LEDGER, &call);
        assert_eq!(proof.path, receipt.path(index).unwrap());
        assert!(verify_allocation(receipt.root(), index, count, &receipt.allocations[index], &proof.path));
        let stored = self.machine.slot(ROYALTY_LEDGER, proof.accountSlot.into());
        let word = U256::from(own.inflow()) | (U256::from(own.passed_up()) << 112usize);
        assert_eq!(stored & ((U256::ONE << 224) - U256::ONE), word, "the account's slot");
        // The highest bit of the period says that the account is closed.
        assert_eq!((stored >> 224usize).to::<u32>() & !(1 << 31), own.last_period());

        let payout = Payout { key: *key, token: self.token, index: u32::try_from(index).unwrap() };
        let expected = self.ledger.withdrawable(&payout, &self.forest).unwrap();
        let call = R::withdrawableCall { p: encoded_payout(&payout) };
        let theirs = self.machine.read(ROYALTY_LEDGER, &call);
        assert_eq!((theirs.amount, theirs.held), (U256::from(expected.0), U256::from(expected.1)));
        let call = R::takenOfCall { token: self.token, key: encoded(key), indexOrStart: U256::from(index) };
        let taken = self.machine.read(ROYALTY_LEDGER, &call);
        assert_eq!(taken, U256::from(self.ledger.taken_of(self.token, key, index as u128)));
    }

    fn compare_an_accrual(&mut self) {
        let Some((licence, lane, period)) = pick(&mut self.seed, &self.accruals) else { return };
        let call = R::accrualOfCall { token: self.token, licence, lane, period };
        let theirs = self.machine.read(ROYALTY_LEDGER, &call);
        let own = self.ledger.accrual_of(self.token, licence, lane, period).unwrap();
        assert_eq!((theirs.revenue, theirs.base), (own.revenue(), own.base()));
        assert_eq!(theirs.fee.to::<u128>(), own.fee());
        assert_eq!(theirs.feeCap.to::<u128>(), own.terms().cap());
        assert_eq!((theirs.royaltyBps, theirs.feeBps), (own.royalty_bps(), own.terms().bps()));
    }

    pub(crate) fn any_key(&mut self) -> Option<RouteKey> {
        pick(&mut self.seed, &self.keys)
    }

    pub(crate) fn any_licence(&mut self) -> Option<B256> {
        let count = self.licences.len();
        (count > 0).then(|| self.licences[self.seed.below(count)].id)
    }

    /// To the licence registry. What it refuses is not this test's matter.
    pub(crate) fn tell_registry<C: SolCall>(&mut self, action: &'static str, call: &C) -> Answer {
        let answer = self.machine.send(AUTHORITY, LICENSE_REGISTRY, 0, call);
        self.count(action.into(), answer.is_ok());
        answer
    }
}

pub(crate) fn pick<T: Copy + Ord>(seed: &mut Seed, items: &BTreeSet<T>) -> Option<T> {
    if items.is_empty() {
        return None;
    }
    items.iter().nth(seed.below(items.len())).copied()
}

pub(crate) fn encoded(key: &RouteKey) -> bindings::RouteKey {
    bindings::RouteKey {
        licence: key.licence,
        splitVersion: key.split_version,
        parentRoute: key.parent_route,
        generation: key.generation,
    }
}

pub(crate) fn encoded_payout(payout: &Payout) -> bindings::Payout {
    bindings::Payout { key: encoded(&payout.key), token: payout.token, index: payout.index }
}

/// A payee that follows from its number.
pub(crate) fn payee(number: usize) -> Address {
    Address::from_word(keccak256(format!("payee {number}")))
}
