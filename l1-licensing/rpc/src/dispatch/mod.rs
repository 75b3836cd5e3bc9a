//! From the text of a call to the text of its answer.

pub(crate) mod answer;
pub(crate) mod params;

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
