//! The pool's rules, one scenario each, and the pool against a naive model.

mod admission;
mod blocks;
mod concurrency;
mod durability;
mod fixture;
mod limits;
mod model;
mod order;
mod property;
