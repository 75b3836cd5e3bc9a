//! Every system contract: the list is the protocol.

use alloy_primitives::{Address, Bytes, address};
use alloy_sol_types::{SolCall, SolValue};
use chlom_primitives::address as at;

use super::{
    artifact::{Artifact, ArtifactError},
    governance::Governance,
};

mod governed {
    alloy_sol_types::sol! {
        /// What an implementation is initialised with through its proxy.
        function initialize(address owner, address authority);
    }
}

mod settled {
    alloy_sol_types::sol! {
        /// The ledger also learns who settles; zero: nobody yet.
        function initialize(address owner, address authority, address settler);
    }
}

/// One system contract.
#[derive(Clone, Copy, Debug)]
pub struct SystemContract {
    /// As in `contracts/src`.
    pub name: &'static str,
    /// Where it is called: the proxy, or the contract itself when it has none.
    pub address: Address,
    /// Where its code is, when `address` is a proxy.
    pub implementation: Option<Address>,
    artifact: &'static str,
    /// ABI-encoded arguments of the constructor.
    constructor: fn(&Governance) -> Vec<u8>,
    /// Call of the initialiser; unused without a proxy.
    initializer: fn(&Governance) -> Vec<u8>,
}

impl SystemContract {
    /// Its artefact: for a proxied contract the implementation's.
    ///
    /// # Errors
    /// When the build is broken.
    pub fn artifact(&self) -> Result<Artifact<'static>, ArtifactError> {
        Artifact::parse(self.name, self.artifact)
    }

    pub(super) fn constructor(&self, governance: &Governance) -> Vec<u8> {
        (self.constructor)(governance)
    }

    pub(super) fn initializer(&self, governance: &Governance) -> Bytes {
        (self.initializer)(governance).into()
    }
}

macro_rules! artifact {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts/artifacts/", $name, ".json"))
    };
}

/// A contract behind a proxy, its implementation at `0x…21xx` with the same last byte.
macro_rules! proxied {
    ($name:literal, $address:expr, $implementation:literal) => {
        proxied!($name, $address, $implementation, |_| Vec::new(), governed)
    };
    ($name:literal, $address:expr, $implementation:literal, $constructor:expr, $initializer:expr) => {
        SystemContract {
            name: $name,
            address: $address,
            implementation: Some(address!($implementation)),
            artifact: artifact!($name),
            constructor: $constructor,
            initializer: $initializer,
        }
    };
}

/// All of them, in the order in which they are made: the timelock first, since it owns the others.
pub const SYSTEM_CONTRACTS: &[SystemContract] = &[
    SystemContract {
        name: "TimelockController",
        address: at::TIMELOCK,
        implementation: None,
        artifact: artifact!("TimelockController"),
        constructor: timelock,
        initializer: |_| Vec::new(),
    },
    proxied!("ParameterRegistry", at::PARAMETER_REGISTRY, "0000000000000000000000000000000000002109"),
    proxied!("PauseFlags", at::PAUSE_FLAGS, "0000000000000000000000000000000000002108"),
    proxied!("PolicyRegistry", at::POLICY_REGISTRY, "0000000000000000000000000000000000002104"),
    proxied!("RightsRegistry", at::RIGHTS_REGISTRY, "000000000000000000000000000000000000210b"),
    proxied!("SplitRegistry", at::SPLIT_REGISTRY, "0000000000000000000000000000000000002102"),
    proxied!(
        "LicenseRegistry",
        at::LICENSE_REGISTRY,
        "0000000000000000000000000000000000002101",
        |_| (at::POLICY_REGISTRY, at::SPLIT_REGISTRY).abi_encode_params(),
        governed
    ),
    proxied!("FeeRouter", at::FEE_ROUTER, "0000000000000000000000000000000000002105"),
    proxied!("Treasury", at::TREASURY, "0000000000000000000000000000000000002106"),
    proxied!("ClaimsPool", at::CLAIMS_POOL, "0000000000000000000000000000000000002107"),
    proxied!(
        "RoyaltyLedger",
        at::ROYALTY_LEDGER,
        "0000000000000000000000000000000000002103",
        |_| Vec::new(),
        settled
    ),
];

/// The proxy that all but the timelock are behind.
pub(super) fn proxy() -> Result<Artifact<'static>, ArtifactError> {
    Artifact::parse("ERC1967Proxy", artifact!("ERC1967Proxy"))
}

/// Delay, proposers, executors; without an administrator, so that only the timelock changes its roles.
fn timelock(governance: &Governance) -> Vec<u8> {
    let authority = vec![governance.authority];
    let delay = alloy_primitives::U256::from(governance.timelock_delay);
    (delay, authority.clone(), authority, Address::ZERO).abi_encode_params()
}

fn governed(governance: &Governance) -> Vec<u8> {
    governed::initializeCall { owner: at::TIMELOCK, authority: governance.authority }.abi_encode()
}

fn settled(governance: &Governance) -> Vec<u8> {
    let (authority, settler) = (governance.authority, governance.settler.unwrap_or_default());
    settled::initializeCall { owner: at::TIMELOCK, authority, settler }.abi_encode()
}
