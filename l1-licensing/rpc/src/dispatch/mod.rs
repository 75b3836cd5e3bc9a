//! From the text of a call to the text of its answer.
//!
//! - [`envelope`] reads the JSON-RPC envelope, after [`depth`] has bounded its nesting.
//! - [`table`] names every method, [`params`] reads its arguments, [`answer`] holds its result.
//! - [`service`] runs a single call, [`batch`] many; [`blocking`] bounds what runs at once and for how long,
//!   on the threads of [`crew`].
//! - [`output`] writes responses; [`budget`] bounds the memory that they take.

pub(crate) mod answer;
pub(crate) mod batch;
pub(crate) mod blocking;
pub(crate) mod budget;
mod crew;
pub(crate) mod depth;
pub(crate) mod envelope;
pub(crate) mod output;
pub(crate) mod params;
pub(crate) mod service;
pub(crate) mod table;

use std::sync::Arc;

pub(crate) use answer::{Answer, Reply};
pub(crate) use params::Params;

use crate::context::Context;

/// Where a method runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Point reads, microseconds: on the connection's own worker.
    Light,
    /// Execution, scans, proofs, traces: on a thread of its own, a bounded number at once, under the time limit.
    Heavy,
}

/// A method: blocking and without I/O but the store's.
pub(crate) type Method = fn(&Arc<Context>, &Params<'_>) -> Reply;

/// A row of a method table: name, class, function.
pub(crate) type Row = (&'static str, Class, Method);
