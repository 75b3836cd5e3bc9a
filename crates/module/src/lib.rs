//! The contracts between a system module, the EVM and the host
