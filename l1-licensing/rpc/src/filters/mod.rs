//! `eth_newFilter` and its kin: what a client polls.
//!
//! A filter holds where its client is in the chain, not what it has not fetched: a poll reads the store from there. An
//! abandoned filter costs its addresses and topics until it expires, however busy the chain is; [`Terms`] bounds those of
//! all filters and subscriptions together. Pending transactions are in no
//! store; their hashes go to one bounded ring that all such filters share.

pub(crate) mod methods;
mod pending;
mod registry;
mod terms;

pub(crate) use pending::PendingRing;
pub(crate) use registry::{Filters, Kind, random_id};
pub(crate) use terms::{TermShare, Terms};
