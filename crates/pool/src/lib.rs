//! The transaction pool and its journal
