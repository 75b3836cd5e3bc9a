//! The Application: its modules and the order of a block, written out
