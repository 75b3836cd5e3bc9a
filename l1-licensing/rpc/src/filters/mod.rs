//! `eth_newFilter` and its kin: what a client polls.
//!
//! A filter holds where its client is in the chain, not what it has not fetched: a poll reads the store from there. An
//! abandoned filter costs a few hundred bytes until it expires, however busy the chain is. Pending transactions are in no
//! store; their hashes go to one bounded ring that all such filters share.

pub(crate) mod methods;
mod pending;
mod registry;

pub(crate) use pending::PendingRing;
pub(crate) use registry::{Filters, Kind, random_id};
