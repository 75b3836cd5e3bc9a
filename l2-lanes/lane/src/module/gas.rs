//! What the module's work costs beside call data and return data, which all modules charge for.
//!
//! Gas follows measured time at 100 gas a microsecond of one core of the reference machine, rounded up
//! (`make bench-lane` prints the times that the constants are made from).

use crate::fraud::FraudKind;

/// Gas of decoding any header.
pub const HEADER_BASE: u64 = 300;
/// Gas of each 32 bytes of a header.
pub const HEADER_WORD: u64 = 10;

/// Gas of any judgement.
pub const JUDGE_BASE: u64 = 1_000;
/// Gas of each cell: copying it, decoding the worst page, hashing it once.
pub const JUDGE_CELL: u64 = 6_000;
/// Gas of each 32 bytes of evidence: copying and hashing it.
pub const JUDGE_WORD: u64 = 20;
/// Gas of a double count beside that: the earlier batch's header, page and path.
pub const JUDGE_EARLIER: u64 = 10_000;
/// Gas of a forged source beside that: one signature of the slowest scheme.
pub const JUDGE_SIGNATURE: u64 = 40_000;

/// Gas of judging a fraud of a kind by so many cells and bytes of evidence, beside the header's. Upholds [LAN-65].
pub fn judge(kind: u8, cells: usize, evidence: usize) -> u64 {
    let cells = u64::try_from(cells).unwrap_or(u64::MAX).saturating_mul(JUDGE_CELL);
    let evidence = words(evidence).saturating_mul(JUDGE_WORD);
    let extra = match FraudKind::from_number(kind) {
        Some(FraudKind::DoubleCount) => JUDGE_EARLIER,
        Some(FraudKind::ForgedSource) => JUDGE_SIGNATURE,
        _ => 0,
    };
    [cells, evidence, extra].into_iter().fold(JUDGE_BASE, u64::saturating_add)
}

/// Gas of decoding a header of so many bytes.
pub fn header(bytes: usize) -> u64 {
    words(bytes).saturating_mul(HEADER_WORD).saturating_add(HEADER_BASE)
}

fn words(bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(32)).unwrap_or(u64::MAX)
}
