//! Four sponges in the lanes of AVX2's registers.

use alloy_primitives::B256;
use pulp::{NullaryFnOnce, u64x4, x86::V3};

use super::{LANES, RATE};

/// FIPS 202, ι: what each of the 24 rounds adds.
const ROUNDS: [u64; 24] = [
    0x0000_0000_0000_0001,
    0x0000_0000_0000_8082,
    0x8000_0000_0000_808a,
    0x8000_0000_8000_8000,
    0x0000_0000_0000_808b,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8009,
    0x0000_0000_0000_008a,
    0x0000_0000_0000_0088,
    0x0000_0000_8000_8009,
    0x0000_0000_8000_000a,
    0x0000_0000_8000_808b,
    0x8000_0000_0000_008b,
    0x8000_0000_0000_8089,
    0x8000_0000_0000_8003,
    0x8000_0000_0000_8002,
    0x8000_0000_0000_0080,
    0x0000_0000_0000_800a,
    0x8000_0000_8000_000a,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8080,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8008,
];

type State = [u64x4; 25];

/// The processor's vector unit, when it has one that will do.
pub(crate) fn unit() -> Option<V3> {
    V3::try_new()
}

/// Hashes four messages of as many blocks each, the last of which padding fills up.
pub(crate) fn hash(unit: V3, messages: [&[u8]; LANES]) -> [B256; LANES] {
    debug_assert!(messages.iter().all(|message| message.len() / RATE == messages[0].len() / RATE));
    unit.vectorize(Sponges { unit, messages })
}

/// What is compiled for the unit.
struct Sponges<'m> {
    unit: V3,
    messages: [&'m [u8]; LANES],
}

impl NullaryFnOnce for Sponges<'_> {
    type Output = [B256; LANES];

    #[inline(always)]
    fn call(self) -> Self::Output {
        let Self { unit, messages } = self;
        let mut state = [u64x4(0, 0, 0, 0); 25];
        let whole = messages[0].len() / RATE;
        for block in 0..whole {
            absorb(unit, &mut state, messages.map(|message| &message[block * RATE..][..RATE]));
        }
        let mut last = [[0; RATE]; LANES];
        for (last, message) in last.iter_mut().zip(messages) {
            let rest = &message[whole * RATE..];
            last[..rest.len()].copy_from_slice(rest);
            last[rest.len()] = 0x01;
            last[RATE - 1] |= 0x80;
        }
        absorb(unit, &mut state, std::array::from_fn(|lane| &last[lane][..]));
        squeeze(&state)
    }
}

/// Takes one block of each message in.
#[inline(always)]
fn absorb(unit: V3, state: &mut State, blocks: [&[u8]; LANES]) {
    let [a, b, c, d] = blocks.map(|block| block.as_chunks::<8>().0);
    for at in 0..RATE / 8 {
        let [a, b, c, d] = [a[at], b[at], c[at], d[at]].map(u64::from_le_bytes);
        state[at] = unit.xor_u64x4(state[at], u64x4(a, b, c, d));
    }
    for constant in ROUNDS {
        round(unit, state, constant);
    }
}

#[inline(always)]
fn squeeze(state: &State) -> [B256; LANES] {
    let mut hashes = [B256::ZERO; LANES];
    for (at, u64x4(a, b, c, d)) in state.iter().take(4).enumerate() {
        for (hash, word) in hashes.iter_mut().zip([a, b, c, d]) {
            hash.0[at * 8..at * 8 + 8].copy_from_slice(&word.to_le_bytes());
        }
    }
    hashes
}

#[inline(always)]
fn rotate<const LEFT: i32, const RIGHT: i32>(unit: V3, word: u64x4) -> u64x4 {
    unit.or_u64x4(unit.shl_const_u64x4::<LEFT>(word), unit.shr_const_u64x4::<RIGHT>(word))
}

/// Word x of the sum of all planes.
#[inline(always)]
fn column(unit: V3, state: &State, x: usize) -> u64x4 {
    let upper = unit.xor_u64x4(state[x + 10], state[x + 15]);
    unit.xor_u64x4(unit.xor_u64x4(unit.xor_u64x4(state[x], state[x + 5]), upper), state[x + 20])
}

/// What θ adds to the words of column x.
#[inline(always)]
fn beside(unit: V3, columns: &[u64x4; 5], x: usize) -> u64x4 {
    unit.xor_u64x4(columns[(x + 4) % 5], rotate::<1, 63>(unit, columns[(x + 1) % 5]))
}

/// One round of keccak-f\[1600\] (FIPS 202, section 3.2); word (x, y) is at x + 5y. What is called here must be inlined: only then
/// is it compiled for the unit.
#[inline(always)]
fn round(unit: V3, state: &mut State, constant: u64) {
    // θ
    let c = [
        column(unit, state, 0),
        column(unit, state, 1),
        column(unit, state, 2),
        column(unit, state, 3),
        column(unit, state, 4),
    ];
    let d = [
        beside(unit, &c, 0),
        beside(unit, &c, 1),
        beside(unit, &c, 2),
        beside(unit, &c, 3),
        beside(unit, &c, 4),
    ];
    // ρ and π: each word of the next state, where it comes from and how far it turns.
    macro_rules! turned {
        ($from:literal, $by:literal) => {
            rotate::<$by, { 64 - $by }>(unit, unit.xor_u64x4(state[$from], d[$from % 5]))
        };
    }
    #[rustfmt::skip]
    let moved = [
        unit.xor_u64x4(state[0], d[0]), turned!(6, 44), turned!(12, 43), turned!(18, 21), turned!(24, 14),
        turned!(3, 28), turned!(9, 20), turned!(10, 3), turned!(16, 45), turned!(22, 61),
        turned!(1, 1), turned!(7, 6), turned!(13, 25), turned!(19, 8), turned!(20, 18),
        turned!(4, 27), turned!(5, 36), turned!(11, 10), turned!(17, 15), turned!(23, 56),
        turned!(2, 62), turned!(8, 55), turned!(14, 39), turned!(15, 41), turned!(21, 2),
    ];
    // χ
    for y in 0..5 {
        let row = &moved[y * 5..y * 5 + 5];
        for x in 0..5 {
            state[y * 5 + x] = unit.xor_u64x4(row[x], unit.andnot_u64x4(row[(x + 1) % 5], row[(x + 2) % 5]));
        }
    }
    // ι
    state[0] = unit.xor_u64x4(state[0], unit.splat_u64x4(constant));
}
