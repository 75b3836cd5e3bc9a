//! The revm host: block building, the precompile adapter and the genesis allocation
