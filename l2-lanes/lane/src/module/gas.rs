//! What the module's work costs beside call data and return data, which all modules charge for.
//!
//! Gas follows measured time at 100 gas a microsecond of one core of the reference machine, rounded up.

/// Gas of decoding any header.
pub const HEADER_BASE: u64 = 300;
/// Gas of each 32 bytes of a header.
pub const HEADER_WORD: u64 = 10;

/// Gas of decoding a header of so many bytes.
pub fn header(bytes: usize) -> u64 {
    words(bytes).saturating_mul(HEADER_WORD).saturating_add(HEADER_BASE)
}

fn words(bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(32)).unwrap_or(u64::MAX)
}
