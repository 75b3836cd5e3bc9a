//! Memory that saves reads. Nothing here is needed for an answer to be right: every cache may be emptied at any moment.

pub(crate) mod recent;
pub(crate) mod state;
pub(crate) mod tip;
