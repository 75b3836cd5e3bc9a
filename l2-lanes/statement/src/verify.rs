//! A statement checked against a header that somebody trusts. Nothing else that the file says is believed.

use std::collections::{BTreeMap, BTreeSet};

use alloy_consensus::Header;
use alloy_primitives::{B256, keccak256};
use alloy_rlp::Decodable;
use chlom_lane::lane::lane_id;
use serde_json::Value;

use crate::{
    document::{FORMAT, MOST_BYTES, Names, Statement},
    fault::Fault,
    make::derive,
    slots::State,
    trie::Nodes,
};

/// A statement that holds.
#[derive(Clone, Debug)]
pub struct Verified {
    /// As the file has it, every number proven.
    pub statement: Statement,
    /// The block that it is proven against.
    pub header: Header,
    /// That block's hash.
    pub block: B256,
    /// Accruals: what a licence, lane and period brought.
    pub accruals: usize,
    /// How many of them show every row of every batch.
    pub itemised: usize,
    /// Licences that were paid by more than one route: under which of them an accrual is listed is proven by the sums alone.
    pub several_routes: Vec<B256>,
}

/// Checks a file. `trusted`: hash of the block that the reader trusts. Upholds [STM-1] to [STM-4].
///
/// # Errors
/// [`Fault`]: the first thing that is wrong.
pub fn verify(bytes: &[u8], trusted: B256) -> Result<Verified, Fault> {
    let statement = read(bytes)?;
    let header = header_of(&statement)?;
    let block = keccak256(&statement.header);
    if block != trusted {
        return Err(Fault::OtherHeader { number: header.number, found: block, trusted });
    }
    check_names(&statement.names)?;
    let nodes: Nodes = statement.evidence.nodes.iter().cloned().collect();
    let state = State::new(header.state_root, &nodes);
    let periods = (statement.from, statement.to);
    let derived = derive(&statement.evidence, statement.payee, statement.token, periods, &state)?;
    same("decimals", &statement.decimals, &derived.decimals)?;
    same("lines", &statement.lines, &derived.lines)?;
    same("accounts", &statement.accounts, &derived.accounts)?;
    same("total", &statement.total, &derived.total)?;
    let several_routes = several_routes(&statement);
    let (accruals, itemised) = (derived.accruals, derived.itemised);
    Ok(Verified { statement, header, block, accruals, itemised, several_routes })
}

/// A file as it stands, unproven.
///
/// # Errors
/// [`Fault`] for bytes that are no statement.
pub fn read(bytes: &[u8]) -> Result<Statement, Fault> {
    if bytes.len() > MOST_BYTES {
        return Err(Fault::TooLong { most: MOST_BYTES });
    }
    let malformed = |error: serde_json::Error| Fault::Malformed(error.to_string());
    let statement: Statement = serde_json::from_slice(bytes).map_err(malformed)?;
    if statement.format != FORMAT {
        return Err(Fault::Format { found: statement.format, expected: FORMAT });
    }
    Ok(statement)
}

/// The header of a file, unproven.
///
/// # Errors
/// [`Fault::Header`].
pub fn header_of(statement: &Statement) -> Result<Header, Fault> {
    let mut rest = statement.header.as_ref();
    let header = Header::decode(&mut rest).map_err(|error| Fault::Header(error.to_string()))?;
    if rest.is_empty() { Ok(header) } else { Err(Fault::Header("bytes behind it".into())) }
}

/// An id is the hash of its name.
fn check_names(names: &Names) -> Result<(), Fault> {
    let wrong = |what: &str, name: &str| {
        Fault::evidence(
            format!("names.{what}"),
            format!("{name:?} is not the name that the id is the hash of"),
        )
    };
    for (id, name) in &names.licences {
        if keccak256(name) != *id {
            return Err(wrong("licences", name));
        }
    }
    for (id, name) in &names.lanes {
        if lane_id(name) != *id {
            return Err(wrong("lanes", name));
        }
    }
    Ok(())
}

fn several_routes(statement: &Statement) -> Vec<B256> {
    let mut routes: BTreeMap<B256, BTreeSet<usize>> = BTreeMap::new();
    for (index, route) in statement.evidence.routes.iter().enumerate() {
        if !route.accruals.is_empty() {
            routes.entry(route.licence).or_default().insert(index);
        }
    }
    routes.into_iter().filter(|(_, routes)| routes.len() > 1).map(|(licence, _)| licence).collect()
}

/// Upholds [STM-3]: what the file says is what follows from its evidence, to the digit.
fn same<T: PartialEq + serde::Serialize>(name: &str, found: &T, proven: &T) -> Result<(), Fault> {
    if found == proven {
        return Ok(());
    }
    let value = |of: &T| serde_json::to_value(of).unwrap_or_default();
    let (found, proven) = (value(found), value(proven));
    Err(difference(name, &found, &proven).unwrap_or_else(|| Fault::Differs {
        place: name.into(),
        found: found.to_string(),
        proven: proven.to_string(),
    }))
}

/// The first place at which two values differ.
fn difference(place: &str, found: &Value, proven: &Value) -> Option<Fault> {
    let differs = |place: String, found: &dyn std::fmt::Display, proven: &dyn std::fmt::Display| {
        Some(Fault::Differs { place, found: found.to_string(), proven: proven.to_string() })
    };
    match (found, proven) {
        (Value::Array(found), Value::Array(proven)) => {
            if found.len() != proven.len() {
                return differs(format!("the number of {place}"), &found.len(), &proven.len());
            }
            let mut pairs = found.iter().zip(proven).enumerate();
            pairs.find_map(|(index, (found, proven))| difference(&format!("{place}[{index}]"), found, proven))
        }
        (Value::Object(found), Value::Object(proven)) => proven.iter().find_map(|(key, proven)| {
            difference(&format!("{place}.{key}"), found.get(key).unwrap_or(&Value::Null), proven)
        }),
        _ if found == proven => None,
        _ => differs(place.into(), found, proven),
    }
}
