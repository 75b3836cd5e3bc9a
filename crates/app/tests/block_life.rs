//! The life of a block, on memory state: build, judge, finalise.
#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::Arc;

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, keccak256};
use alloy_sol_types::SolCall;
use chlom_app::{App, AppError, Base, LastCommit, Proposal, Rejection, TxSource, genesis};
use chlom_chain::{
    blobs::{self, BlobStatus, BlobsRead, IDataAvailability},
    staking::Validator,
    votes::{CommitFlags, Evidence, EvidenceError, VoteExtension, sign_extension},
};
use chlom_crypto::{
    AccountKey, ValidatorKey,
    kzg::{self, BlobHeader, Cancel, DataRows, RowCount},
};
use chlom_evm::{TxInvalid, genesis::GenesisSpec};
use chlom_primitives::{Additions, Block, Entry0, L0_CHAIN_ID, Params, Tx, address::DATA_AVAILABILITY};
use chlom_state::{MemoryState, StateReader};
use proptest::prelude::*;

const SENDERS: u8 = 4;

fn key(index: u8) -> AccountKey {
    AccountKey::from_bytes(keccak256([index, 0x5a]).0).expect("in range")
}

fn proposer() -> Address {
    Address::repeat_byte(0xfe)
}

fn validator() -> ValidatorKey {
    ValidatorKey::from_seed(&[7; 32])
}

/// The commit of `height` by the one validator, attesting `blobs`.
fn last_commit(height: u64, blobs: Vec<B256>) -> LastCommit {
    if height == 0 {
        return LastCommit::default();
    }
    let signed = sign_extension(&validator(), L0_CHAIN_ID, height, 0, &VoteExtension::of(blobs));
    LastCommit {
        flags: CommitFlags { round: 0, committed: vec![signed.consensus_key] },
        extensions: vec![signed],
    }
}

fn spec() -> GenesisSpec {
    let endowment = U256::from(10).pow(U256::from(20));
    let accounts = (0..SENDERS).map(|index| (key(index).address(), endowment));
    let consensus_key = validator().consensus_key().into();
    let validator = Validator { consensus_key, account: proposer(), power: 1 };
    GenesisSpec::dev(accounts, vec![validator], 0)
}

/// A chain on memory state: the model of a store.
struct Chain {
    app: App,
    state: MemoryState,
    parent: Arc<Block>,
}

impl Chain {
    fn new() -> Self {
        let spec = spec();
        let genesis = genesis::block(&spec).expect("valid");
        let mut state = MemoryState::default();
        state.commit(&genesis.diff, &genesis.trie);
        let app = App::new(Arc::new(spec.params), Arc::new(chlom_app::modules()));
        Self { app, state, parent: genesis.block }
    }

    fn base(&self) -> Base<MemoryState> {
        Base { parent: self.parent.clone(), state: self.state.clone() }
    }

    fn prepare(&mut self, txs: Vec<Arc<Tx>>, time: u64) -> Proposal {
        let last_commit = last_commit(self.parent.height(), Vec::new());
        self.prepare_with(txs, time, last_commit)
    }

    fn prepare_with(&mut self, txs: Vec<Arc<Tx>>, time: u64, last_commit: LastCommit) -> Proposal {
        let base = self.base();
        let mut source = Fixed { txs: txs.into_iter(), refused: Vec::new() };
        self.app
            .prepare_proposal(&base, time, proposer(), last_commit, &mut source, &mut || false)
            .expect("no fault")
    }

    fn process(&mut self, proposal: &Proposal) -> Result<(), Rejection> {
        let base = self.base();
        self.app.process_proposal(&base, proposal, &recover).expect("no fault")
    }

    fn finalize(&mut self, proposal: &Proposal) -> Result<bool, AppError> {
        let base = self.base();
        let done = self.app.finalize_block(&base, proposal, &recover)?;
        self.state.commit(&done.executed.diff, &done.executed.trie);
        assert_eq!(self.state.state_root(), done.executed.block.header.state_root);
        self.parent = done.executed.block;
        Ok(done.reused)
    }
}

struct Fixed {
    txs: std::vec::IntoIter<Arc<Tx>>,
    refused: Vec<B256>,
}

impl TxSource for Fixed {
    fn next(&mut self) -> Option<Arc<Tx>> {
        self.txs.next()
    }
    fn refuse(&mut self, tx: &Arc<Tx>, _: Option<&TxInvalid>) {
        self.refused.push(tx.hash());
    }
}

fn recover(entries: &[Bytes]) -> Vec<Result<Tx, String>> {
    entries.iter().map(|raw| chlom_crypto::recover_tx(raw.clone()).map_err(|e| e.to_string())).collect()
}

fn transfer(from: u8, nonce: u64, to: Address, value: u64) -> Arc<Tx> {
    signed(from, nonce, to, value, Bytes::new(), 100_000)
}

fn call(from: u8, nonce: u64, to: Address, value: u64, input: Bytes) -> Arc<Tx> {
    signed(from, nonce, to, value, input, 2_000_000)
}

fn signed(from: u8, nonce: u64, to: Address, value: u64, input: Bytes, gas_limit: u64) -> Arc<Tx> {
    let tx = TxEip1559 {
        chain_id: 7272,
        nonce,
        gas_limit,
        max_fee_per_gas: 100_000_000_000,
        max_priority_fee_per_gas: 1_000_000_000,
        to: TxKind::Call(to),
        value: U256::from(value),
        input,
        ..Default::default()
    };
    let signature = key(from).sign_hash(tx.signature_hash());
    Arc::new(Tx::new(TxEnvelope::Eip1559(tx.into_signed(signature)), key(from).address()))
}

#[test]
fn blk_1_the_same_genesis_gives_the_same_block() {
    assert_eq!(genesis::block(&spec()).unwrap().block.hash, genesis::block(&spec()).unwrap().block.hash);
}

#[test]
fn blk_6_and_7_constant_fields_and_the_mix_are_as_specified() {
    let mut chain = Chain::new();
    let proposal = chain.prepare(vec![], 0);
    chain.finalize(&proposal).unwrap();
    let header = &chain.parent.header;
    assert_eq!(header.requests_hash, Some(chlom_app::rules::EMPTY_REQUESTS_HASH));
    assert_eq!(header.parent_beacon_block_root, Some(B256::ZERO));
    assert_eq!((header.blob_gas_used, header.excess_blob_gas), (Some(0), Some(0)));
    assert_eq!(header.withdrawals_root, Some(alloy_consensus::constants::EMPTY_WITHDRAWALS));
    let mut preimage = [0u8; 40];
    preimage[39] = 1;
    assert_eq!(header.mix_hash, keccak256(preimage));
    assert_eq!(header.beneficiary, proposer());
}

#[test]
fn blk_10_a_transaction_that_cannot_be_in_the_block_changes_nothing() {
    let mut chain = Chain::new();
    let to = Address::repeat_byte(0x22);
    let good = transfer(0, 0, to, 5);
    let proposal = chain.prepare(vec![transfer(1, 9, to, 7), good, transfer(0, 0, to, 11)], 0);
    assert_eq!(proposal.entries.len(), 2);
    chain.finalize(&proposal).unwrap();
    assert_eq!(chain.state.account(&to).unwrap().unwrap().balance, U256::from(5));
}

#[test]
fn blk_9_the_base_fee_is_burned_and_the_tip_is_the_proposers() {
    let mut chain = Chain::new();
    let proposal = chain.prepare(vec![transfer(0, 0, Address::repeat_byte(0x22), 5)], 0);
    chain.finalize(&proposal).unwrap();
    let tips = chain.state.account(&proposer()).unwrap().unwrap().balance;
    assert_eq!(tips, U256::from(21_000u64) * U256::from(1_000_000_000u64));
    let base_fee = U256::from(chain.parent.header.base_fee_per_gas.unwrap());
    let start = U256::from(10).pow(U256::from(20));
    let sender = chain.state.account(&key(0).address()).unwrap().unwrap().balance;
    assert_eq!(start - sender, U256::from(5) + tips + base_fee * U256::from(21_000));
}

#[test]
fn blk_11_another_node_accepts_what_was_proposed_and_names_the_first_wrong_field() {
    let mut proposer_node = Chain::new();
    let proposal = proposer_node.prepare(vec![transfer(0, 0, Address::repeat_byte(0x22), 5)], 0);
    assert_eq!(Chain::new().process(&proposal), Ok(()));

    let change = |edit: &dyn Fn(&mut alloy_consensus::Header)| {
        let mut entry = Entry0::decode(&proposal.entries[0]).unwrap();
        edit(&mut entry.header);
        let mut changed = proposal.clone();
        changed.entries[0] = entry.encode().into();
        Chain::new().process(&changed)
    };
    type Edit = (&'static str, Box<dyn Fn(&mut alloy_consensus::Header)>);
    let edits: Vec<Edit> = vec![
        ("parentHash", Box::new(|h| h.parent_hash = B256::repeat_byte(1))),
        ("number", Box::new(|h| h.number += 1)),
        ("timestamp", Box::new(|h| h.timestamp += 1)),
        ("miner", Box::new(|h| h.beneficiary = Address::repeat_byte(1))),
        ("gasLimit", Box::new(|h| h.gas_limit += 1)),
        ("baseFeePerGas", Box::new(|h| h.base_fee_per_gas = Some(7))),
        ("mixHash", Box::new(|h| h.mix_hash = B256::ZERO)),
        ("gasUsed", Box::new(|h| h.gas_used += 1)),
        ("stateRoot", Box::new(|h| h.state_root = B256::ZERO)),
        ("transactionsRoot", Box::new(|h| h.transactions_root = B256::ZERO)),
        ("receiptsRoot", Box::new(|h| h.receipts_root = B256::ZERO)),
        ("logsBloom", Box::new(|h| h.logs_bloom.0[0] ^= 1)),
        ("(constant)", Box::new(|h| h.difficulty = U256::from(1))),
        ("(constant)", Box::new(|h| h.requests_hash = None)),
    ];
    for (name, edit) in edits {
        match change(&*edit) {
            Err(Rejection::Header { field, .. }) => assert_eq!(field, name),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn blk_11_hostile_entries_are_rejected_and_never_panic() {
    let mut chain = Chain::new();
    let good = chain.prepare(vec![transfer(0, 0, Address::repeat_byte(0x22), 5)], 0);
    let judge = |entries: Vec<Bytes>| Chain::new().process(&Proposal { entries, ..good.clone() });
    assert_eq!(judge(vec![]), Err(Rejection::Empty));
    assert!(matches!(judge(vec![Bytes::from_static(b"x")]), Err(Rejection::Entry0(_))));
    let with = |raw: Bytes| judge(vec![good.entries[0].clone(), raw]);
    assert!(matches!(with(Bytes::new()), Err(Rejection::Tx { index: 1, .. })));
    let raw = good.entries[1].clone();
    for cut in 0..raw.len() {
        assert!(matches!(with(raw.slice(..cut)), Err(Rejection::Tx { index: 1, .. })), "cut at {cut}");
    }
    // The same transaction twice: the second one's nonce is used.
    let twice = judge(vec![good.entries[0].clone(), raw.clone(), raw]);
    assert!(matches!(twice, Err(Rejection::Tx { index: 2, .. })), "{twice:?}");
}

#[test]
fn blk_5_more_bytes_than_a_block_may_hold_are_rejected_unexecuted() {
    let mut spec = spec();
    spec.params.gas.max_block_bytes = 100;
    let mut app = App::new(Arc::new(spec.params.clone()), Arc::new(chlom_app::modules()));
    let mut chain = Chain::new();
    let proposal = chain.prepare(vec![transfer(0, 0, Address::repeat_byte(0x22), 5)], 0);
    let verdict = app.process_proposal(&chain_base(), &proposal, &recover).unwrap();
    assert!(matches!(verdict, Err(Rejection::TooLarge { limit: 100, .. })), "{verdict:?}");
}

#[test]
fn more_transactions_than_the_gas_limit_pays_for_are_rejected_before_any_signature_is_looked_at() {
    let mut chain = Chain::new();
    let mut proposal = chain.prepare(vec![], 0);
    proposal.entries.extend(vec![Bytes::from_static(b"x"); 10_000]);
    let never = |_: &[Bytes]| -> Vec<Result<Tx, String>> { panic!("signatures were recovered") };
    let base = Chain::new().base();
    let mut app = App::new(Arc::new(Params::default()), Arc::new(chlom_app::modules()));
    let verdict = app.process_proposal(&base, &proposal, &never).unwrap();
    assert_eq!(verdict, Err(Rejection::TooMany { got: 10_000, limit: 200_000_000 / 21_000 }));
}

fn chain_base() -> Base<MemoryState> {
    Chain::new().base()
}

#[test]
fn blk_12_a_result_is_reused_only_for_the_very_same_inputs() {
    let mut chain = Chain::new();
    let proposal = chain.prepare(vec![transfer(0, 0, Address::repeat_byte(0x22), 5)], 100);
    let mut other_time = proposal.clone();
    other_time.time = u64::from(u32::MAX);
    assert!(matches!(
        chain.finalize(&other_time),
        Err(AppError::DecidedInvalid { height: 1, why: Rejection::Header { field: "timestamp", .. } })
    ));
    // The failed one committed nothing, and forgot the candidate: executed anew, the same block comes out.
    assert!(!chain.finalize(&proposal).unwrap());
    let mut fresh = Chain::new();
    let again = fresh.prepare(vec![transfer(0, 0, Address::repeat_byte(0x22), 5)], 100);
    assert!(fresh.finalize(&again).unwrap());
    assert_eq!(fresh.parent.hash, chain.parent.hash);
}

#[test]
fn blk_13_blockhash_state_holds_the_parent() {
    let mut chain = Chain::new();
    let mut hashes = vec![chain.parent.hash];
    for _ in 0..3 {
        let proposal = chain.prepare(vec![], 0);
        chain.finalize(&proposal).unwrap();
        hashes.push(chain.parent.hash);
    }
    let history = alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS;
    for (height, hash) in hashes.iter().enumerate().take(3) {
        let slot = chain.state.storage(&history, &U256::from(height)).unwrap();
        assert_eq!(B256::from(slot), *hash, "height {height}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Two nodes that see the same transactions have the same history, whoever built the blocks: one reuses its own
    /// results, one judges and executes anew.
    #[test]
    fn same_transactions_same_history(blocks in prop::collection::vec(
        prop::collection::vec((0..SENDERS, 0..6u8, 0..1_000u64), 0..12), 1..6)) {
        let (mut builder, mut follower) = (Chain::new(), Chain::new());
        let mut nonces = [0u64; SENDERS as usize];
        for block in blocks {
            let txs = block.iter().map(|(from, to, value)| {
                let nonce = nonces[usize::from(*from)];
                nonces[usize::from(*from)] += 1;
                transfer(*from, nonce, Address::repeat_byte(0x30 + to), *value)
            }).collect();
            let proposal = builder.prepare(txs, 0);
            prop_assert!(builder.finalize(&proposal).unwrap());
            prop_assert_eq!(follower.process(&proposal), Ok(()));
            prop_assert!(follower.finalize(&proposal).unwrap());
            prop_assert_eq!(builder.parent.hash, follower.parent.hash);
        }
    }
}

/// The call that publishes a header at DataAvailability, with a blob of one zero row.
fn publish() -> (Bytes, B256) {
    let data = DataRows::from_payload(&[], RowCount::new(1).unwrap()).unwrap();
    let commitments = kzg::commit(&data, &Cancel::new()).unwrap();
    let header = BlobHeader {
        lane_id: Address::repeat_byte(3),
        period: 20_250_901,
        rows: commitments.rows(),
        kzg_commitment: commitments.fold(),
        merkle_root: commitments.merkle_root(),
    };
    let id = blobs::blob_id(&header.lane_id.into_array().into(), header.period, &header.merkle_root);
    let call = IDataAvailability::publishCall {
        header: header.encode().to_vec().into(),
        commitments: commitments.as_slice().concat().into(),
    };
    (call.abi_encode().into(), id)
}

#[test]
fn blk_14_a_blob_that_validators_attest_with_one_commit_is_available_in_the_next_block() {
    let mut chain = Chain::new();
    let (input, id) = publish();
    let status = |chain: &Chain| {
        let times = blobs::storage(&chain.state).blob_times(&id).unwrap();
        times.status(chain.parent.header.timestamp)
    };
    let proposal = chain.prepare(vec![call(0, 0, DATA_AVAILABILITY, 1_000_000_000_000_000, input)], 10);
    chain.finalize(&proposal).unwrap();
    assert_eq!(status(&chain), BlobStatus::Announced);
    let unsaid = chain.prepare(vec![], 20);
    chain.finalize(&unsaid).unwrap();
    assert_eq!(status(&chain), BlobStatus::Announced);
    let said = chain.prepare_with(vec![], 30, last_commit(2, vec![id]));
    // Another node, which sees the block only, comes to the same state.
    let mut other = Chain { app: Chain::new().app, state: chain.state.clone(), parent: chain.parent.clone() };
    assert_eq!(other.process(&said), Ok(()));
    other.finalize(&said).unwrap();
    chain.finalize(&said).unwrap();
    assert_eq!((status(&chain), status(&other)), (BlobStatus::Available, BlobStatus::Available));
    assert_eq!(chain.parent.hash, other.parent.hash);
    // Whoever executes the block again reads the same out of it.
    let before = chain.parent.clone();
    let again = chlom_app::attested(&before, &chain.state).unwrap();
    assert_eq!(again.statements[0].blobs, [id]);
}

#[test]
fn vot_3_a_block_whose_evidence_is_not_the_last_commits_is_rejected() {
    let mut chain = Chain::new();
    let first = chain.prepare(vec![], 10);
    assert_eq!(Entry0::decode(&first.entries[0]).unwrap().additions, Additions::empty());
    chain.finalize(&first).unwrap();
    let good = chain.prepare(vec![], 20);
    let judge = |chain: &mut Chain, evidence: &Evidence, flags: CommitFlags| {
        let mut entry = Entry0::decode(&good.entries[0]).unwrap();
        entry.additions = Additions::of(evidence);
        entry.header.extra_data = entry.additions.hash().0.into();
        let changed = Proposal { entries: vec![entry.encode().into()], last_commit: flags, ..good.clone() };
        let base = chain.base();
        App::new(Arc::new(Params::default()), Arc::new(chlom_app::modules()))
            .process_proposal(&base, &changed, &recover)
            .unwrap()
    };
    let flags = good.last_commit.clone();
    let evidence = Entry0::decode(&good.entries[0]).unwrap().additions.evidence().unwrap();
    assert_eq!(judge(&mut chain, &evidence, flags.clone()), Ok(()));
    let none = judge(&mut chain, &Evidence::default(), flags.clone());
    assert_eq!(none, Err(Rejection::Evidence(EvidenceError::Power { power: 0, total: 1 })));
    let round = CommitFlags { round: 1, ..flags.clone() };
    let want = EvidenceError::Round { got: 0, want: 1 };
    assert_eq!(judge(&mut chain, &evidence, round), Err(Rejection::Evidence(want)));
    let absent = CommitFlags { round: 0, committed: vec![] };
    let key = flags.committed[0];
    assert_eq!(
        judge(&mut chain, &evidence, absent),
        Err(Rejection::Evidence(EvidenceError::NotCommitted { key }))
    );
    let stale = last_commit(7, vec![]).extensions;
    let stale = Evidence { round: 0, extensions: stale };
    let verdict = judge(&mut chain, &stale, flags);
    assert!(matches!(verdict, Err(Rejection::Evidence(EvidenceError::Extension { .. }))), "{verdict:?}");
}

#[test]
fn vot_4_a_proposer_without_two_thirds_of_extensions_makes_no_block_and_says_why() {
    let mut chain = Chain::new();
    let first = chain.prepare(vec![], 10);
    chain.finalize(&first).unwrap();
    let base = chain.base();
    let mut source = Fixed { txs: Vec::new().into_iter(), refused: Vec::new() };
    let alone = LastCommit { flags: first.last_commit, extensions: Vec::new() };
    let made = chain.app.prepare_proposal(&base, 20, proposer(), alone, &mut source, &mut || false);
    let why = EvidenceError::Power { power: 0, total: 1 };
    assert_eq!(made.unwrap_err(), AppError::NoEvidence { height: 2, why });
}
