//! The methods against a chain in memory with real blocks.

pub(crate) mod chain;
pub(crate) mod contracts;

mod access_lists;
mod calls;
mod estimates;
mod fees;
mod logs;
mod reads;
mod shapes;
mod simulations;
