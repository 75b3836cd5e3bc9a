//! The `debug_` methods: traces and raw records.
//!
//! - [`trace`]: the methods; [`replay`]: a block executed again up to a transaction; [`config`]: what callers ask for.
//! - [`tracer`]: the tracers by name; [`struct_log`]: the opcode logger, the default.
//! - [`raw`]: blocks, headers, transactions and receipts as bytes.

mod config;
mod raw;
mod replay;
mod struct_log;
mod trace;
mod tracer;

#[cfg(test)]
mod tests;

use crate::dispatch::{
    Class::{Heavy, Light},
    Row,
};

/// Every method of this module.
pub(crate) fn table() -> &'static [Row] {
    TABLE
}

const TABLE: &[Row] = &[
    ("debug_getBadBlocks", Light, raw::bad_blocks),
    ("debug_getRawBlock", Heavy, raw::raw_block),
    ("debug_getRawBlockAccessList", Light, raw::raw_block_access_list),
    ("debug_getRawHeader", Light, raw::raw_header),
    ("debug_getRawReceipts", Heavy, raw::raw_receipts),
    ("debug_getRawTransaction", Light, raw::raw_transaction),
    ("debug_traceBlockByHash", Heavy, trace::trace_block_by_hash),
    ("debug_traceBlockByNumber", Heavy, trace::trace_block_by_number),
    ("debug_traceCall", Heavy, trace::trace_call),
    ("debug_traceTransaction", Heavy, trace::trace_transaction),
];
