//! Entry 0 of a block: an Ethereum header plus what consensus adds (ARCHITECTURE §3).

use alloy_consensus::Header;
use alloy_primitives::{B256, Bytes, keccak256};
use alloy_rlp::{Decodable, Encodable, RlpDecodable, RlpEncodable};

use crate::{params::Params, votes::Evidence};

/// What consensus adds to a block, by version: to genesis the parameters, to the rest the vote extensions of the last commit.
/// The beacon's proof and inclusion lists come as later versions, each with its own RLP list after the version byte.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Additions {
    /// Layout of `body`; [`Additions::VERSION`] is the only one that this build accepts.
    pub version: u8,
    /// The version's fields, RLP-encoded as one list. In version 2 the parameters at height 0, [evidence] above.
    pub body: Bytes,
}

/// A parameter in genesis.
#[derive(RlpEncodable, RlpDecodable)]
struct NamedParam {
    name: String,
    value: u64,
}

/// Why bytes are not an entry 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Entry0Error {
    /// Not RLP of the expected shape.
    #[error("entry 0 is not canonical RLP: {0}")]
    Rlp(String),
    /// A version that this build does not know.
    #[error("entry 0 has version {got}, this build reads version {want}")]
    Version {
        /// Version found.
        got: u8,
        /// Version read by this build.
        want: u8,
    },
    /// The additions of a known version have another shape than it states.
    #[error("the additions of version {version} are malformed")]
    Body {
        /// Version of the additions.
        version: u8,
    },
    /// `extraData` is not the hash of the additions.
    #[error("extraData {extra_data} is not the hash {want} of the additions")]
    ExtraData {
        /// The header's field.
        extra_data: Bytes,
        /// keccak256 of the additions.
        want: B256,
    },
}

impl Additions {
    /// The version that this build writes and reads.
    pub const VERSION: u8 = 2;

    /// Nobody attests anything: the additions of height 1.
    pub fn empty() -> Self {
        Self::of(&Evidence::default())
    }

    /// The additions of a block above genesis.
    pub fn of(evidence: &Evidence) -> Self {
        let mut body = Vec::new();
        alloy_rlp::encode_list::<&Evidence, Evidence>(&[evidence], &mut body);
        Self { version: Self::VERSION, body: body.into() }
    }

    /// The vote extensions of the last commit; `None` where the body is no canonical list of them.
    pub fn evidence(&self) -> Option<Evidence> {
        let mut rest = self.body.as_ref();
        let [evidence] = <[Evidence; 1]>::try_from(Vec::decode(&mut rest).ok()?).ok()?;
        (Self::of(&evidence).body == self.body).then_some(evidence)
    }

    /// The additions of genesis: the parameters that consensus agrees on, as a list of (name, value). Upholds [GEN-11].
    pub fn genesis(params: &Params) -> Self {
        let named = params.consensus().map(|(name, value)| NamedParam { name: name.to_owned(), value });
        let mut body = Vec::new();
        alloy_rlp::encode_list(&named[..], &mut body);
        Self { version: Self::VERSION, body: body.into() }
    }

    /// The parameters that a genesis block binds, by name in the order of the names; `None` where the body is no such
    /// list.
    pub fn params(&self) -> Option<Vec<(String, u64)>> {
        let mut rest = self.body.as_ref();
        let named = Vec::<NamedParam>::decode(&mut rest).ok()?;
        let sorted = named.is_sorted_by(|a, b| a.name < b.name);
        (rest.is_empty() && sorted && !named.is_empty())
            .then(|| named.into_iter().map(|NamedParam { name, value }| (name, value)).collect())
    }

    /// version byte ‖ body: what [`Additions::hash`] hashes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1 + self.body.len());
        out.push(self.version);
        out.extend_from_slice(&self.body);
        out
    }

    /// keccak256 of [`Additions::to_bytes`]; the header's `extraData`. Upholds [BLK-3].
    pub fn hash(&self) -> B256 {
        keccak256(self.to_bytes())
    }

    fn check(&self, height: u64) -> Result<(), Entry0Error> {
        if self.version != Self::VERSION {
            return Err(Entry0Error::Version { got: self.version, want: Self::VERSION });
        }
        let known = match height {
            0 => self.params().is_some(),
            _ => self.evidence().is_some(),
        };
        if !known {
            return Err(Entry0Error::Body { version: self.version });
        }
        Ok(())
    }
}

/// The first entry of a block as CometBFT orders it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry0 {
    /// The Ethereum header; its hash is the application hash.
    pub header: Header,
    /// What consensus adds.
    pub additions: Additions,
}

#[derive(RlpEncodable, RlpDecodable)]
struct Wire {
    version: u8,
    header: Header,
    body: Bytes,
}

impl Entry0 {
    /// RLP list of version, header and the additions' body.
    pub fn encode(&self) -> Vec<u8> {
        let wire = Wire {
            version: self.additions.version,
            header: self.header.clone(),
            body: self.additions.body.clone(),
        };
        let mut out = Vec::with_capacity(wire.length());
        wire.encode(&mut out);
        out
    }

    /// Decodes and checks everything that needs no state: canonical bytes, a known version and that `extraData` binds
    /// the additions.
    ///
    /// # Errors
    /// See [`Entry0Error`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Entry0Error> {
        let mut rest = bytes;
        let wire = Wire::decode(&mut rest).map_err(|e| Entry0Error::Rlp(e.to_string()))?;
        if !rest.is_empty() {
            return Err(Entry0Error::Rlp("bytes after the list".into()));
        }
        let entry =
            Self { header: wire.header, additions: Additions { version: wire.version, body: wire.body } };
        entry.additions.check(entry.header.number)?;
        let want = entry.additions.hash();
        if entry.header.extra_data.as_ref() != want.as_slice() {
            return Err(Entry0Error::ExtraData { extra_data: entry.header.extra_data, want });
        }
        if entry.encode() != bytes {
            return Err(Entry0Error::Rlp("not the canonical encoding".into()));
        }
        Ok(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry0 {
        let additions = Additions::empty();
        let header = Header {
            number: 7,
            extra_data: additions.hash().0.into(),
            base_fee_per_gas: Some(1),
            ..Default::default()
        };
        Entry0 { header, additions }
    }

    #[test]
    fn blk_3_extra_data_is_the_hash_of_the_additions() {
        let good = entry();
        assert_eq!(Entry0::decode(&good.encode()), Ok(good.clone()));
        let mut bad = good;
        bad.header.extra_data = Bytes::from_static(b"chlom");
        assert!(matches!(Entry0::decode(&bad.encode()), Err(Entry0Error::ExtraData { .. })));
    }

    #[test]
    fn gen_11_the_parameters_are_in_genesis_and_nowhere_else() {
        let additions = Additions::genesis(&Params::default());
        let bound = Params::default().consensus().map(|(name, value)| (name.to_owned(), value));
        assert_eq!(additions.params().as_deref(), Some(&bound[..]));
        assert_eq!(Additions::empty().params(), None);
        let at = |number, additions: &Additions| {
            let header = Header {
                number,
                extra_data: additions.hash().0.into(),
                base_fee_per_gas: Some(1),
                ..Default::default()
            };
            let entry = Entry0 { header, additions: additions.clone() };
            Entry0::decode(&entry.encode()).map(|decoded| decoded == entry)
        };
        assert_eq!(at(0, &additions), Ok(true));
        assert_eq!(at(1, &Additions::empty()), Ok(true));
        let malformed = Err(Entry0Error::Body { version: Additions::VERSION });
        assert_eq!((at(1, &additions), at(0, &Additions::empty())), (malformed.clone(), malformed));
    }

    #[test]
    fn gen_11_the_default_parameters_give_the_vector() {
        let vector = include_str!("../../../spec/vectors/genesis-parameters.json");
        let vector: serde_json::Value = serde_json::from_str(vector).expect("JSON");
        let mut params = Params::default();
        for case in vector["cases"].as_array().expect("cases") {
            params.gas.elasticity = case["gas.elasticity"].as_u64().expect("a number");
            let additions = Additions::genesis(&params);
            assert_eq!(additions.body.to_string(), case["body"].as_str().expect("hex"));
            assert_eq!(additions.hash().to_string(), case["extraData"].as_str().expect("hex"));
        }
    }

    #[test]
    fn an_unknown_version_is_refused() {
        let mut next = entry();
        next.additions.version = 3;
        assert_eq!(Entry0::decode(&next.encode()), Err(Entry0Error::Version { got: 3, want: 2 }));
    }

    #[test]
    fn truncated_or_padded_bytes_are_refused() {
        let bytes = entry().encode();
        for cut in 0..bytes.len() {
            assert!(Entry0::decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        let mut padded = bytes;
        padded.push(0);
        assert!(matches!(Entry0::decode(&padded), Err(Entry0Error::Rlp(_))));
    }
}
