//! Committed state, blocks and history on disk or in memory
