//! Order and uniqueness of receipts.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256};

use crate::receipt::{IdParts, Name, Receipt};

/// The places of receipts in the order of pages: by payer, licence, source, id. `None` for more than 32 bits can number.
///
/// Groups of one (payer, licence, source) are few and are sorted by name; only their ids are sorted one by one.
pub(super) fn sorted(receipts: &[Receipt]) -> Option<Vec<u32>> {
    u32::try_from(receipts.len()).ok()?;
    let mut groups: BTreeMap<(Address, B256, &Name), Vec<u32>> = BTreeMap::new();
    for (at, receipt) in (0u32..).zip(receipts) {
        groups.entry((receipt.payer, receipt.licence, &receipt.source)).or_default().push(at);
    }
    let id = |at: &u32| usize::try_from(*at).ok().and_then(|at| receipts.get(at)).map(|r| r.id.parts());
    let mut order = Vec::with_capacity(receipts.len());
    for mut group in groups.into_values() {
        group.sort_unstable_by(|a, b| id(a).cmp(&id(b)));
        order.append(&mut group);
    }
    Some(order)
}

/// Two receipts of one (payer, source, id).
pub(super) fn twice(receipts: &[Receipt]) -> Option<(&Receipt, &Receipt)> {
    let key = |at: u32| {
        let receipt = receipts.get(usize::try_from(at).ok()?)?;
        Some((receipt.payer, &receipt.source, receipt.id.parts()))
    };
    let (a, b) = first_twice(u32::try_from(receipts.len()).ok()?, key)?;
    Some((receipts.get(usize::try_from(a).ok()?)?, receipts.get(usize::try_from(b).ok()?)?))
}

/// What makes a record unique in a lane.
pub(crate) type UniqueKey<'a> = (Address, &'a Name, IdParts<'a>);

/// Two of `count` things with one key, the lower place first.
///
/// Numbers made from the keys are sorted, and only keys whose numbers collide are compared: whoever makes numbers collide on purpose
/// makes this as slow as sorting the keys, no slower.
pub(crate) fn first_twice<'a>(count: u32, key: impl Fn(u32) -> Option<UniqueKey<'a>>) -> Option<(u32, u32)> {
    let mut numbers: Vec<(u64, u32)> =
        (0..count).filter_map(|at| key(at).map(|key| (number_of(&key), at))).collect();
    numbers.sort_unstable();
    for run in numbers.chunk_by(|a, b| a.0 == b.0).filter(|run| run.len() > 1) {
        let mut places: Vec<u32> = run.iter().map(|(_, at)| *at).collect();
        places.sort_by(|a, b| key(*a).cmp(&key(*b)));
        let pair = places.windows(2).find_map(|pair| match pair {
            [a, b] if key(*a) == key(*b) => Some((*a, *b)),
            _ => None,
        });
        if pair.is_some() {
            return pair;
        }
    }
    None
}

/// FNV-1a over eight bytes at a time, and a last mix.
fn number_of((payer, source, id): &UniqueKey<'_>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut add = |word: u64| hash = (hash ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(29);
    for bytes in [payer.as_slice(), source.as_str().as_bytes(), id.stem] {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
            add(u64::from_le_bytes(word));
        }
    }
    add(id.width.into());
    add(id.number);
    hash ^ (hash >> 31)
}
