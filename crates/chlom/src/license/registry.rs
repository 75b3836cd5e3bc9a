//! The licence contracts as the commands use them.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, FixedBytes, U256, keccak256};
use alloy_sol_types::SolValue;
use anyhow::{Result, anyhow};
use chlom_client::{
    Chain, ClientError,
    contracts::{
        license_registry::{ILicenseRegistry, ILicenseRegistry::LicenseData},
        rights_registry::{IRightsRegistry, IRightsRegistry::Rights},
        split_registry::ISplitRegistry,
    },
};
use chlom_primitives::address::{LICENSE_REGISTRY, POLICY_REGISTRY, RIGHTS_REGISTRY, SPLIT_REGISTRY};

use super::document::{Document, Words};

mod roles {
    alloy_sol_types::sol! {
        /// Solady's OwnableRoles, which every system contract has.
        function hasAnyRole(address user, uint256 roles) external view returns (bool);
    }
}

/// `Roles.REGISTRAR` of `contracts/src/core/Roles.sol`.
const REGISTRAR: U256 = U256::ONE;
/// `IRightsRegistry.Dimension`.
pub(crate) const RIGHT: u8 = 0;
pub(crate) const CHANNEL: u8 = 1;
pub(crate) const LANGUAGE: u8 = 2;

/// What holds of a licence now.
pub(crate) struct Held {
    pub(crate) data: LicenseData,
    pub(crate) terms: ILicenseRegistry::Terms,
    pub(crate) status: ILicenseRegistry::Status,
}

/// A chain's licences; words of the vocabulary are asked for once.
pub(crate) struct Licences<'a> {
    pub(crate) chain: &'a Chain,
    indices: BTreeMap<(u8, String), u8>,
}

impl<'a> Licences<'a> {
    pub(crate) fn new(chain: &'a Chain) -> Self {
        Self { chain, indices: BTreeMap::new() }
    }

    /// `None`: the id was never used.
    pub(crate) fn held(&self, id: B256) -> Result<Option<Held>> {
        let owner = self.chain.view(LICENSE_REGISTRY, &ILicenseRegistry::licensorOfCall { id })?;
        if owner.is_zero() {
            return Ok(None);
        }
        let l = self.chain.view(LICENSE_REGISTRY, &ILicenseRegistry::licensesCall { id })?;
        let data = LicenseData {
            owner: l.owner,
            licensee: l.licensee,
            royaltyBps: l.royaltyBps,
            startTs: l.startTs,
            endTs: l.endTs,
            adeSplitHash: l.adeSplitHash,
            acePolicyHash: l.acePolicyHash,
            flags: l.flags,
            metaHash: l.metaHash,
        };
        let time = self.chain.time()?;
        let terms = self.chain.view(LICENSE_REGISTRY, &ILicenseRegistry::termsOfCall { id })?;
        let status =
            self.chain.view(LICENSE_REGISTRY, &ILicenseRegistry::stateAtCall { id, time, asOf: time })?;
        Ok(Some(Held { data, terms, status }))
    }

    pub(crate) fn is_registrar(&self, who: Address) -> Result<bool> {
        Ok(self.chain.view(LICENSE_REGISTRY, &roles::hasAnyRoleCall { user: who, roles: REGISTRAR })?)
    }

    pub(crate) fn is_policy_active(&self, policy: B256) -> Result<bool> {
        use chlom_client::contracts::policy_registry::IPolicyRegistry::isPolicyHashActiveCall;
        Ok(self.chain.view(POLICY_REGISTRY, &isPolicyHashActiveCall { policyHash: policy })?)
    }

    pub(crate) fn is_split(&self, split: B256) -> Result<bool> {
        Ok(self.chain.view(SPLIT_REGISTRY, &ISplitRegistry::isValidSplitHashCall { splitHash: split })?)
    }

    pub(crate) fn are_rights(&self, rights: B256) -> Result<bool> {
        Ok(self.chain.view(RIGHTS_REGISTRY, &IRightsRegistry::isRegisteredCall { rightsHash: rights })?)
    }

    /// A word's index; `Err` with the word when the vocabulary has none.
    pub(crate) fn index(&mut self, dimension: u8, word: &str) -> Result<Result<u8, String>> {
        if let Some(index) = self.indices.get(&(dimension, word.to_owned())) {
            return Ok(Ok(*index));
        }
        let call = IRightsRegistry::termIndexCall { dimension, word: word.to_owned() };
        match self.chain.view(RIGHTS_REGISTRY, &call) {
            Ok(index) => {
                self.indices.insert((dimension, word.to_owned()), index);
                Ok(Ok(index))
            }
            Err(ClientError::Revert { .. }) => {
                let what = ["right", "channel", "language"][usize::from(dimension.min(LANGUAGE))];
                Ok(Err(format!("the chain's vocabulary has no {what} {word:?}")))
            }
            Err(other) => Err(other.into()),
        }
    }

    /// The set that words make; `Err` with those that the vocabulary lacks.
    pub(crate) fn rights(&mut self, words: &Words) -> Result<Result<Rights, String>> {
        let mut bits = [U256::ZERO; 3];
        let languages = words.languages.clone().unwrap_or_default();
        for (dimension, list) in [(RIGHT, &words.rights), (CHANNEL, &words.channels), (LANGUAGE, &languages)]
        {
            for word in list {
                match self.index(dimension, word)? {
                    Ok(index) => bits[usize::from(dimension)].set_bit(index.into(), true),
                    Err(what) => return Ok(Err(what)),
                }
            }
        }
        let narrow =
            |bits: U256| u64::try_from(bits).map_err(|_| anyhow!("the vocabulary has more than 64 words"));
        Ok(Ok(Rights {
            rights: narrow(bits[0])?,
            channels: narrow(bits[1])?,
            languages: if words.languages.is_none() { U256::MAX } else { bits[2] },
            worldwide: words.territories.is_none(),
            territories: words.territories.clone().unwrap_or_default(),
        }))
    }

    /// The words of a registered set.
    pub(crate) fn words_of(&self, rights: B256) -> Result<Words> {
        let set = self.chain.view(RIGHTS_REGISTRY, &IRightsRegistry::rightsOfCall { rightsHash: rights })?;
        let list = |dimension: u8, bits: U256| -> Result<Vec<String>> {
            let mut words = Vec::new();
            for index in (0..=u8::MAX).filter(|index| bits.bit((*index).into())) {
                words
                    .push(self.chain.view(RIGHTS_REGISTRY, &IRightsRegistry::termCall { dimension, index })?);
            }
            Ok(words)
        };
        Ok(Words {
            rights: list(RIGHT, U256::from(set.rights))?,
            channels: list(CHANNEL, U256::from(set.channels))?,
            languages: if set.languages == U256::MAX { None } else { Some(list(LANGUAGE, set.languages)?) },
            territories: if set.worldwide { None } else { Some(set.territories) },
        })
    }
}

/// keccak256("CHLOM_RIGHTS_V1" ‖ abi.encode(set)), as RightsRegistry has it.
pub(crate) fn rights_hash(set: &Rights) -> B256 {
    keccak256([b"CHLOM_RIGHTS_V1".as_slice(), &set.abi_encode()].concat())
}

/// keccak256(abi.encode(chain id, registry, id, owner, metaHash)), as LicenseRegistry has it.
pub(crate) fn commitment(chain_id: u64, id: B256, owner: Address, meta_hash: B256) -> B256 {
    keccak256((U256::from(chain_id), LICENSE_REGISTRY, id, owner, meta_hash).abi_encode())
}

/// What `mint` and `modify` take.
pub(crate) fn data_of(document: &Document, policy: B256) -> LicenseData {
    LicenseData {
        owner: document.owner,
        licensee: document.licensee,
        royaltyBps: alloy_primitives::aliases::U96::from(document.royalty_bps),
        startTs: document.start,
        endTs: document.end,
        adeSplitHash: document.division.hash(),
        acePolicyHash: policy,
        flags: document.flags,
        metaHash: document.meta_hash,
    }
}

/// `USVA` as `US-VA`.
pub(crate) fn territory_shown(code: &FixedBytes<5>) -> String {
    let text: String = code.iter().filter(|b| **b != 0).map(|b| char::from(*b)).collect();
    match text.split_at_checked(2) {
        Some((country, part)) if !part.is_empty() => format!("{country}-{part}"),
        _ => text,
    }
}

/// An ASCII word in a `bytes32`.
pub(crate) fn ascii(word: B256) -> String {
    word.iter().take_while(|b| **b != 0).map(|b| char::from(*b)).collect()
}

/// `ILicenseRegistry.State`.
pub(crate) fn state_shown(state: u8) -> &'static str {
    ["draft", "active", "suspended", "revoked", "expired"]
        .get(usize::from(state))
        .copied()
        .unwrap_or("unknown")
}
