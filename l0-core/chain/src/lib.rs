//! L0 system modules: staking begins as the genesis validator set
