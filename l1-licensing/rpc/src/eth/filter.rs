//! What a caller wants of the chain's logs: a range or a block, addresses, topics by position.

use std::borrow::Cow;

use alloy_primitives::{Address, B256, Bloom, BloomInput, Log};
use serde::{Deserialize, Deserializer, de};

use super::block_id::NumberOrTag;
use crate::{error::RpcError, limits::Limits};

/// The most topics that a log has, and a filter may name.
const MAX_TOPICS: usize = 4;

/// Which blocks a filter searches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Heights, both inclusive; both default to the head.
    Range {
        /// First.
        from: NumberOrTag,
        /// Last.
        to: NumberOrTag,
    },
    /// One block.
    Block(B256),
}

/// A log filter as eth_getLogs, eth_newFilter and eth_subscribe take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Which blocks.
    pub(crate) scope: Scope,
    /// Emitters, sorted; any where empty.
    addresses: Vec<Address>,
    /// By position: the alternatives, sorted, any where empty. A log must have at least as many topics as this has positions.
    topics: Vec<Vec<B256>>,
}

impl Filter {
    /// Refuses more terms than the node takes.
    ///
    /// # Errors
    /// [`crate::error::INVALID_PARAMS`], with geth's message.
    pub(crate) fn check(&self, limits: &Limits) -> Result<(), RpcError> {
        let most = self.topics.iter().map(Vec::len).max().unwrap_or(0).max(self.addresses.len());
        if most > limits.filter_terms {
            return Err(RpcError::invalid_params(format!(
                "exceed max addresses or topics per search position: {most}, limit {}",
                limits.filter_terms
            )));
        }
        Ok(())
    }

    /// Addresses and topics, in all positions.
    pub(crate) fn terms(&self) -> usize {
        self.addresses.len() + self.topics.iter().map(Vec::len).sum::<usize>()
    }

    /// True when every log matches.
    pub(crate) fn takes_all(&self) -> bool {
        self.addresses.is_empty() && self.topics.is_empty()
    }

    /// True when a log matches, whichever its block.
    pub(crate) fn matches(&self, log: &Log) -> bool {
        let topics = log.topics();
        (self.addresses.is_empty() || self.addresses.binary_search(&log.address).is_ok())
            && self.topics.len() <= topics.len()
            && self
                .topics
                .iter()
                .zip(topics)
                .all(|(any, topic)| any.is_empty() || any.binary_search(topic).is_ok())
    }

    /// False when a block with this bloom holds no matching log.
    pub(crate) fn may_match(&self, bloom: &Bloom) -> bool {
        let has = |bytes: &[u8]| bloom.contains_input(BloomInput::Raw(bytes));
        if self.takes_all() {
            return !bloom.is_zero();
        }
        (self.addresses.is_empty() || self.addresses.iter().any(|address| has(address.as_slice())))
            && self.topics.iter().all(|any| any.is_empty() || any.iter().any(|topic| has(topic.as_slice())))
    }
}

/// In order, so that a log is compared with few of them.
fn sorted<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    block_hash: Option<B256>,
    from_block: Option<NumberOrTag>,
    to_block: Option<NumberOrTag>,
    #[serde(default)]
    address: OneOrMany<Address>,
    topics: Option<Vec<Option<OneOrMany<Option<B256>>>>>,
}

/// A value or an array of values.
#[derive(Default, Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
    #[default]
    None,
}

impl<T> OneOrMany<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(value) => vec![value],
            Self::Many(values) => values,
            Self::None => Vec::new(),
        }
    }
}

impl<'de> Deserialize<'de> for Filter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        let refuse = |why: &'static str| de::Error::custom(Cow::Borrowed(why));
        let scope = match wire.block_hash {
            Some(_) if wire.from_block.is_some() || wire.to_block.is_some() => {
                return Err(refuse(
                    "cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other",
                ));
            }
            Some(hash) => Scope::Block(hash),
            None => Scope::Range {
                from: wire.from_block.unwrap_or(NumberOrTag::Latest),
                to: wire.to_block.unwrap_or(NumberOrTag::Latest),
            },
        };
        let positions = wire.topics.unwrap_or_default();
        if positions.len() > MAX_TOPICS {
            return Err(refuse("exceed max topics"));
        }
        // A null among the alternatives makes the position a wildcard.
        let alternatives = |position: Option<OneOrMany<Option<B256>>>| {
            let any: Option<Vec<B256>> = position.unwrap_or_default().into_vec().into_iter().collect();
            sorted(any.unwrap_or_default())
        };
        let topics = positions.into_iter().map(alternatives).collect();
        Ok(Self { scope, addresses: sorted(wire.address.into_vec()), topics })
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::LogData;

    use super::*;

    fn filter(json: &str) -> Result<Filter, String> {
        serde_json::from_str(json).map_err(|e| e.to_string())
    }

    fn log(address: u8, topics: &[u8]) -> Log {
        let topics = topics.iter().map(|t| B256::repeat_byte(*t)).collect();
        Log {
            address: Address::repeat_byte(address),
            data: LogData::new_unchecked(topics, Default::default()),
        }
    }

    #[test]
    fn an_empty_filter_takes_every_log_of_the_head() {
        let all = filter("{}").unwrap();
        assert_eq!(all.scope, Scope::Range { from: NumberOrTag::Latest, to: NumberOrTag::Latest });
        assert!(all.takes_all() && all.matches(&log(1, &[])));
        assert_eq!(filter("{\"address\":null,\"topics\":null}").unwrap(), all);
        assert_eq!(filter("{\"address\":[],\"topics\":[]}").unwrap(), all);
    }

    #[test]
    fn positions_are_matched_in_order_with_wildcards() {
        let one = format!("\"{}\"", B256::repeat_byte(1));
        let two = format!("\"{}\"", B256::repeat_byte(2));
        let exact = filter(&format!("{{\"topics\":[{one},[{one},{two}]]}}")).unwrap();
        assert!(exact.matches(&log(9, &[1, 2])) && exact.matches(&log(9, &[1, 1, 7])));
        assert!(!exact.matches(&log(9, &[2, 2])) && !exact.matches(&log(9, &[1])));
        let wild = filter(&format!("{{\"topics\":[null,{two}]}}")).unwrap();
        assert!(wild.matches(&log(9, &[8, 2])) && !wild.matches(&log(9, &[2])));
        // As in geth, a trailing wildcard still asks for a topic there.
        let trailing = filter(&format!("{{\"topics\":[{one},[null,{two}]]}}")).unwrap();
        assert!(trailing.matches(&log(9, &[1, 5])) && !trailing.matches(&log(9, &[1])));
    }

    #[test]
    fn addresses_match_alone_or_as_a_list() {
        let five = Address::repeat_byte(5);
        let alone = filter(&format!("{{\"address\":\"{five}\"}}")).unwrap();
        let list = filter(&format!("{{\"address\":[\"{five}\"]}}")).unwrap();
        assert_eq!(alone, list);
        assert!(alone.matches(&log(5, &[1])) && !alone.matches(&log(6, &[1])));
    }

    #[test]
    fn the_bloom_never_hides_a_match() {
        let logged = log(5, &[1, 2]);
        let bloom: Bloom = [logged.clone()].iter().collect();
        for json in ["{}", "{\"topics\":[null,null]}"] {
            assert!(filter(json).unwrap().may_match(&bloom));
        }
        let other = format!("{{\"address\":\"{}\"}}", Address::repeat_byte(6));
        assert!(!filter(&other).unwrap().may_match(&bloom));
        assert!(!filter("{}").unwrap().may_match(&Bloom::ZERO));
    }

    #[test]
    fn contradictions_and_excess_are_refused() {
        let both = format!("{{\"blockHash\":\"{}\",\"fromBlock\":\"0x1\"}}", B256::ZERO);
        assert!(filter(&both).unwrap_err().contains("choose one or the other"));
        assert!(filter("{\"topics\":[null,null,null,null,null]}").unwrap_err().contains("exceed max topics"));
        let addresses: Vec<_> = (0..3).map(|n| format!("\"{}\"", Address::repeat_byte(n))).collect();
        let many = format!("{{\"address\":[{}]}}", addresses.join(","));
        let limits = Limits { filter_terms: 2, ..Limits::default() };
        assert!(filter(&many).unwrap().check(&limits).unwrap_err().message.contains("3, limit 2"));
    }
}
