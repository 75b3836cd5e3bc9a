//! The execution of blocks: what begins one, what may not be in it, and what it leaves.

mod blocks;
mod chain;
mod one_or_many;
mod traces;
