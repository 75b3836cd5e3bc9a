//! From the file's text to a [`GenesisSpec`].

use std::collections::BTreeMap;

use alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS;
use alloy_primitives::{Address, B256, U256};
use chlom_primitives::address::is_reserved;

use super::{
    account::GenesisAccount,
    chlom_config::ChlomConfig,
    error::GenesisError,
    json::{Json, Node},
    scalar::parse_address,
    spec::{GenesisSpec, Ignored},
};

/// Fields of an Ethereum genesis whose value CHLOM's rules fix.
const FIXED: [(&str, &str); 10] = [
    ("nonce", "a header's nonce is zero"),
    ("extraData", "extraData is the hash of entry 0's additions (BLK-3)"),
    ("difficulty", "there is no proof of work"),
    ("coinbase", "nobody proposes the genesis block"),
    ("number", "genesis is height 0"),
    ("gasUsed", "genesis executes no transactions"),
    ("parentHash", "genesis has no parent"),
    ("excessBlobGas", "blocks carry no blobs"),
    ("blobGasUsed", "blocks carry no blobs"),
    ("parentBeaconBlockRoot", "there is no beacon chain"),
];

impl GenesisSpec {
    /// Reads a genesis file.
    ///
    /// # Errors
    /// See [`GenesisError`]; each names the place in the file.
    pub fn parse(text: &str) -> Result<Self, GenesisError> {
        let json: Json = serde_json::from_str(text).map_err(|e| GenesisError::Json(e.to_string()))?;
        let mut file = File::read(&Node::root(&json))?;
        file.override_params()?;
        file.config.params.check()?;
        Ok(Self {
            params: file.config.params,
            timestamp: file.timestamp,
            mix_hash: file.mix_hash,
            alloc: file.alloc,
            validators: file.config.validators,
            governance: file.config.governance,
            ignored: file.ignored,
        })
    }
}

/// The file's parts, before those that mean one parameter are reconciled.
struct File {
    config: ChlomConfig,
    chain_id: Option<u64>,
    gas_limit: Option<u64>,
    base_fee: Option<u64>,
    timestamp: u64,
    mix_hash: B256,
    alloc: BTreeMap<Address, GenesisAccount>,
    ignored: Vec<Ignored>,
}

impl File {
    fn read(root: &Node<'_>) -> Result<Self, GenesisError> {
        let mut file = Self {
            config: ChlomConfig::defaults(),
            chain_id: None,
            gas_limit: None,
            base_fee: None,
            timestamp: 0,
            mix_hash: B256::ZERO,
            alloc: BTreeMap::new(),
            ignored: Vec::new(),
        };
        for (key, field) in root.fields()? {
            match key {
                "config" => file.read_config(&field)?,
                "alloc" => file.alloc = read_alloc(&field)?,
                "timestamp" => file.timestamp = field.timestamp()?,
                "gasLimit" => file.gas_limit = Some(field.quantity()?),
                "baseFeePerGas" => file.base_fee = Some(field.quantity()?),
                "mixHash" | "mixhash" => file.mix_hash = field.word()?,
                _ => file.ignore_fixed(key, field)?,
            }
        }
        Ok(file)
    }

    fn read_config(&mut self, node: &Node<'_>) -> Result<(), GenesisError> {
        for (key, field) in node.fields()? {
            match key {
                "chainId" => self.chain_id = Some(field.quantity()?),
                "chlom" => self.config = ChlomConfig::parse(&field)?,
                _ => self.ignored.push(Ignored {
                    path: field.path,
                    reason: "CHLOM has Osaka's rules from genesis on; no fork is scheduled here",
                }),
            }
        }
        Ok(())
    }

    fn ignore_fixed(&mut self, key: &str, field: Node<'_>) -> Result<(), GenesisError> {
        let Some((_, reason)) = FIXED.iter().find(|(fixed, _)| *fixed == key) else {
            return Err(field.unknown());
        };
        self.ignored.push(Ignored { path: field.path, reason });
        Ok(())
    }

    /// Ethereum's names of three of our parameters.
    fn override_params(&mut self) -> Result<(), GenesisError> {
        let config = &mut self.config;
        let given = |name| config.overrides(name);
        let (chain_given, gas_given, fee_given) =
            (given("chain.evm_chain_id"), given("gas.block_gas_limit"), given("gas.initial_base_fee_wei"));
        let params = &mut config.params;
        let chain = ("config.chainId", "config.chlom.params.chain.evm_chain_id");
        reconcile(self.chain_id, chain, &mut params.chain.evm_chain_id, chain_given)?;
        let gas = ("gasLimit", "config.chlom.params.gas.block_gas_limit");
        reconcile(self.gas_limit, gas, &mut params.gas.block_gas_limit, gas_given)?;
        let fee = ("baseFeePerGas", "config.chlom.params.gas.initial_base_fee_wei");
        reconcile(self.base_fee, fee, &mut params.gas.initial_base_fee_wei, fee_given)
    }
}

fn reconcile(
    ethereum: Option<u64>,
    (first, second): (&'static str, &'static str),
    param: &mut u64,
    given: bool,
) -> Result<(), GenesisError> {
    match ethereum {
        Some(first_value) if given && first_value != *param => {
            Err(GenesisError::Conflict { first, first_value, second, second_value: *param })
        }
        Some(value) => {
            *param = value;
            Ok(())
        }
        None => Ok(()),
    }
}

/// Upholds [GEN-1] and [GEN-3].
fn read_alloc(node: &Node<'_>) -> Result<BTreeMap<Address, GenesisAccount>, GenesisError> {
    let mut alloc = BTreeMap::new();
    let mut supply = U256::ZERO;
    for (key, field) in node.fields()? {
        let Some(address) = parse_address(key) else {
            let got = format!("{key:?}");
            return Err(GenesisError::Kind {
                path: field.path,
                expected: "an address of 40 hex digits",
                got,
            });
        };
        if is_reserved(&address) || address == HISTORY_STORAGE_ADDRESS {
            return Err(GenesisError::Reserved { path: field.path, address });
        }
        let account = GenesisAccount::parse(&field)?;
        let Some(sum) = supply.checked_add(account.balance) else {
            return Err(GenesisError::SupplyOverflow { path: field.path });
        };
        supply = sum;
        if alloc.insert(address, account).is_some() {
            return Err(GenesisError::Duplicate { path: field.path });
        }
    }
    Ok(alloc)
}
