use alloy_primitives::{Address, Bytes, U256, address, bytes, hex, keccak256};
use chlom_primitives::address::{
    CLAIMS_POOL, FEE_ROUTER, PAYOUT_PROOFS, ROYALTY_LEDGER, TIMELOCK, is_reserved,
};

use super::{
    allocate::{Yard, run},
    *,
};
use crate::genesis::{GenesisAccount, GenesisError, GenesisSpec};

const AUTHORITY: Address = address!("f39fd6e51aad88f6f4ce6ab8827279cfffb92266");
const AT: Address = address!("00000000000000000000000000000000000020ee");

fn spec() -> GenesisSpec {
    GenesisSpec { timestamp: 1_767_225_600, ..GenesisSpec::default() }
}

/// The accounts as text: a change of any byte of them is another chain.
fn text_of(accounts: &std::collections::BTreeMap<Address, GenesisAccount>) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    for (address, account) in accounts {
        let (bytes, hash) = (account.code.len(), keccak256(&account.code));
        writeln!(text, "{address:#x} nonce {} code {hash:#x} of {bytes} bytes", account.nonce).unwrap();
        for (slot, value) in &account.storage {
            writeln!(text, "  {slot:#066x} {value:#066x}").unwrap();
        }
    }
    let hash = keccak256(&text);
    writeln!(text, "keccak256 of the above {hash:#x}").unwrap();
    text
}

#[test]
fn gen_5_the_system_contracts_of_a_dev_chain_are_pinned() {
    let governance = Governance::dev(AUTHORITY);
    let text = text_of(&run(&spec(), &governance, SYSTEM_CONTRACTS).unwrap());
    let again = text_of(&run(&spec(), &governance, SYSTEM_CONTRACTS).unwrap());
    assert_eq!(text, again, "the same again");
    crate::genesis::tests::assert_snapshot(
        "contracts/snapshots/dev.txt",
        &text,
        include_str!("snapshots/dev.txt"),
    );
}

#[test]
fn gen_5_a_constructor_sees_its_own_address_the_timelock_and_block_0() {
    // SSTORE of ADDRESS, CALLER, TIMESTAMP, NUMBER, CHAINID, CALLDATASIZE, CALLVALUE; then the code 0x00.
    let creation = bytes!("305f5533600155426002554360035546600455366005553460065560005f5360015ff3");
    let mut yard = Yard::new(&spec());
    yard.construct("Probe", AT, creation).unwrap();
    let accounts = yard.finish().unwrap();
    let account = &accounts[&AT];
    let word = |address: Address| U256::from_be_slice(address.as_slice());
    let expected =
        [(0, word(AT)), (1, word(TIMELOCK)), (2, U256::from(1_767_225_600)), (4, U256::from(7272))];
    let storage: Vec<_> = account.storage.iter().map(|(slot, value)| (slot.to::<u64>(), *value)).collect();
    assert_eq!(storage, expected, "height, data and value are zero");
    assert_eq!((account.nonce, account.code.as_ref()), (1, &[0][..]));
    assert_eq!(accounts.len(), 1);
}

#[test]
fn gen_5_a_constructor_that_refuses_stops_genesis_with_its_reason() {
    let cases: [(&[u8], &str); 4] = [
        (&hex!("5f5ffd"), "reverted with 0x"),
        (&hex!("fe"), "Halt"),
        (&hex!("5f5ff3"), "0 bytes are no code"),
        (&hex!("60ef5f5360015ff3"), "1 bytes are no code"),
    ];
    for (creation, want) in cases {
        let refused =
            Yard::new(&spec()).construct("Probe", AT, Bytes::copy_from_slice(creation)).unwrap_err();
        let text = refused.to_string();
        assert!(text.starts_with(&format!("system contract Probe at {AT}: ")), "{text}");
        assert!(text.contains(want), "{text}");
    }
}

#[test]
fn gen_5_a_constructor_may_make_no_account_beside_the_list() {
    // CREATE with init code 0x00…: an empty account with nonce 1; then the code 0x00.
    let mut yard = Yard::new(&spec());
    yard.construct("Probe", AT, bytes!("5f5f5ff05060005f5360015ff3")).unwrap();
    assert!(matches!(yard.finish(), Err(GenesisError::Stray { .. })));
}

#[test]
fn every_system_contract_has_addresses_of_its_own_in_the_reserved_range() {
    let mut seen = std::collections::BTreeSet::new();
    for contract in SYSTEM_CONTRACTS {
        for address in [Some(contract.address), contract.implementation].into_iter().flatten() {
            assert!(is_reserved(&address) && seen.insert(address), "{} at {address}", contract.name);
        }
        if let Some(implementation) = contract.implementation {
            let [.., page, index] = implementation.0.0;
            assert_eq!((page, index), (0x21, contract.address[19]), "{}", contract.name);
        }
    }
}

#[test]
fn every_artefact_is_read_and_another_contracts_is_refused() {
    for contract in SYSTEM_CONTRACTS {
        assert!(contract.artifact().unwrap().abi.get().starts_with('['), "{}", contract.name);
    }
    for (text, why) in [
        (r#"{"name":"B","bytecode":"0x00","abi":[]}"#, "the file is of B"),
        (r#"{"name":"A","abi":[]}"#, "missing field `bytecode`"),
        (r#"{"name":"A","bytecode":"0xzz","abi":[]}"#, "invalid"),
    ] {
        let refused = Artifact::parse("A", text).unwrap_err().to_string();
        assert!(refused.contains(why) && refused.ends_with("run `make contracts`"), "{refused}");
    }
}

fn parsed(governance: &str) -> Result<GenesisSpec, String> {
    GenesisSpec::parse(&format!(r#"{{"config":{{"chlom":{{"governance":{governance}}}}}}}"#))
        .map_err(|error| error.to_string())
}

#[test]
fn gen_6_governance_is_read_with_its_bounds() {
    let who = format!("{AUTHORITY:#x}");
    let given =
        parsed(&format!(r#"{{"authority":"{who}","timelockDelay":"0xe10","settler":"{who}"}}"#)).unwrap();
    let expected =
        Governance { timelock_delay: 3_600, settler: Some(AUTHORITY), ..Governance::of(AUTHORITY) };
    assert_eq!(given.governance, Some(expected));
    let least = parsed(&format!(r#"{{"authority":"{who}"}}"#)).unwrap();
    let expected = Governance {
        authority: AUTHORITY,
        timelock_delay: 172_800,
        settler: None,
        lane_window: 604_800,
        lane_window_blocks: 252_000,
    };
    assert_eq!(least.governance, Some(expected));
    let quick =
        parsed(&format!(r#"{{"authority":"{who}","laneWindow":60,"laneWindowBlocks":"0x0"}}"#)).unwrap();
    let expected = Governance { lane_window: 60, lane_window_blocks: 0, ..Governance::of(AUTHORITY) };
    assert_eq!(quick.governance, Some(expected));
    let at = "config.chlom.governance";
    let cases = [
        (
            "{}".to_owned(),
            format!(
                "{at}.authority: missing; name the address that governs the system contracts until the council exists"
            ),
        ),
        (r#"{"owner":1}"#.to_owned(), format!("{at}.owner: unknown key")),
        (
            r#"{"authority":"0x0000000000000000000000000000000000000000"}"#.to_owned(),
            format!("{at}.authority: {} is nobody's address", Address::ZERO),
        ),
        (
            format!(r#"{{"authority":"{who}","settler":"{TIMELOCK:#x}"}}"#),
            format!("{at}.settler: {TIMELOCK} is nobody's address"),
        ),
        (
            format!(r#"{{"authority":"{who}","laneWindow":0}}"#),
            format!("{at}.laneWindow: 0 is not 1 to 2592000"),
        ),
        (
            format!(r#"{{"authority":"{who}","laneWindowBlocks":2592001}}"#),
            format!("{at}.laneWindowBlocks: 2592001 is not 0 to 2592000"),
        ),
        (
            format!(r#"{{"authority":"{who}","timelockDelay":2592001}}"#),
            format!("{at}.timelockDelay: 2592001 s is more than 2592000 s"),
        ),
    ];
    for (governance, want) in cases {
        assert_eq!(parsed(&governance).unwrap_err(), want);
    }
}

#[test]
fn gen_6_without_an_authority_there_is_no_state() {
    let mut spec = GenesisSpec::dev([], vec![crate::genesis::tests::validator()], 1);
    spec.governance = None;
    assert_eq!(spec.state(), Err(GenesisError::NoAuthority));
}

#[test]
fn gen_5_the_timelock_knows_its_delay_and_nobody_administers_it_but_itself() {
    let governance = Governance { timelock_delay: 3_600, ..Governance::of(AUTHORITY) };
    let accounts = run(&spec(), &governance, SYSTEM_CONTRACTS).unwrap();
    let timelock = &accounts[&TIMELOCK];
    assert_eq!(timelock.storage[&U256::from(2)], U256::from(3_600), "_minDelay, by the storage layout");
    let has_role = |role: &[u8], account: Address| {
        let role = if role.is_empty() { alloy_primitives::B256::ZERO } else { keccak256(role) };
        let outer = keccak256([role.as_slice(), &[0; 32]].concat());
        let slot = keccak256([account.into_word().as_slice(), outer.as_slice()].concat());
        timelock.storage.get(&slot.into()) == Some(&U256::ONE)
    };
    for role in [b"PROPOSER_ROLE".as_slice(), b"EXECUTOR_ROLE", b"CANCELLER_ROLE"] {
        assert!(has_role(role, AUTHORITY));
    }
    assert!(has_role(b"", TIMELOCK) && !has_role(b"", AUTHORITY), "DEFAULT_ADMIN_ROLE");
}

#[test]
fn gen_12_the_payout_contract_settles_from_block_0() {
    let accounts = run(&spec(), &Governance::of(AUTHORITY), SYSTEM_CONTRACTS).unwrap();
    // Solady's OwnableRoles keeps roles at keccak256(user ‖ 8 zero bytes ‖ its seed of 4 bytes).
    let seed = [PAYOUT_PROOFS.as_slice(), &[0; 8], &hex!("8b78c6d8")].concat();
    for contract in [ROYALTY_LEDGER, CLAIMS_POOL, FEE_ROUTER] {
        let roles = accounts[&contract].storage.get(&keccak256(&seed).into());
        assert_eq!(roles, Some(&U256::from(8)), "SETTLER of {contract}");
    }
}
