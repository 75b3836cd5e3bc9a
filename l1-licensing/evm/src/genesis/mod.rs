//! The genesis file and the state that it makes.
