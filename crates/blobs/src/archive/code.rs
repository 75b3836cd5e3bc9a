//! The Reed–Solomon code over a blob's data.

use bytes::Bytes;
use reed_solomon_erasure::galois_8::ReedSolomon;

use crate::archive::{error::ArchiveError, shard::Sharding};

fn bad(sharding: Sharding) -> ArchiveError {
    ArchiveError::BadSharding { data: sharding.data(), parity: sharding.parity() }
}

fn code(sharding: Sharding) -> Result<ReedSolomon, ArchiveError> {
    ReedSolomon::new(sharding.data().into(), sharding.parity().into()).map_err(|_| bad(sharding))
}

/// Payloads of all shards, data first. What the last data shard lacks is filled with zeros.
pub(crate) fn encode(sharding: Sharding, mut data: Vec<u8>) -> Result<Vec<Bytes>, ArchiveError> {
    let code = code(sharding)?;
    let length = data.len().div_ceil(code.data_shard_count());
    data.resize(length * code.data_shard_count(), 0);
    let data = Bytes::from(data);
    let mut shards: Vec<_> =
        (0..code.data_shard_count()).map(|i| data.slice(i * length..(i + 1) * length)).collect();
    let mut parity = vec![vec![0; length]; code.parity_shard_count()];
    // It refuses counts and lengths only, which are right by the lines above.
    code.encode_sep(&shards, &mut parity).map_err(|_| bad(sharding))?;
    shards.extend(parity.into_iter().map(Bytes::from));
    Ok(shards)
}

/// The data from payloads by index; `None` when there are too few, or their lengths differ.
pub(crate) fn decode(sharding: Sharding, payloads: Vec<(u8, Bytes)>, length: usize) -> Option<Vec<u8>> {
    let code = code(sharding).ok()?;
    let mut shards: Vec<Option<Vec<u8>>> = vec![None; code.total_shard_count()];
    for (index, payload) in payloads {
        *shards.get_mut(usize::from(index))? = Some(payload.into());
    }
    code.reconstruct_data(&mut shards).ok()?;
    let mut data = Vec::with_capacity(length + code.data_shard_count());
    for shard in shards.into_iter().take(code.data_shard_count()) {
        data.extend_from_slice(&shard?);
    }
    data.truncate(length);
    (data.len() == length).then_some(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All subsets of k of the shards.
    fn choices(sharding: Sharding) -> impl Iterator<Item = Vec<u8>> {
        let k = u32::from(sharding.data());
        (0u32..1 << sharding.total())
            .filter(move |set| set.count_ones() == k)
            .map(move |set| (0..sharding.total()).filter(|index| set >> index & 1 == 1).collect())
    }

    #[test]
    fn any_k_shards_give_the_data_back() {
        for (k, m) in [(1, 1), (4, 2), (3, 3), (5, 1), (7, 2)] {
            let sharding = Sharding::new(k, m).unwrap();
            let data: Vec<u8> = (0..4096u32).map(|i| ((i * 31) >> 3) as u8).collect();
            let shards = encode(sharding, data.clone()).unwrap();
            assert_eq!(shards.len(), usize::from(k + m));
            for chosen in choices(sharding) {
                let some = chosen.iter().map(|index| (*index, shards[usize::from(*index)].clone())).collect();
                assert_eq!(decode(sharding, some, data.len()).as_ref(), Some(&data), "{k}+{m}: {chosen:?}");
            }
        }
    }

    #[test]
    fn one_shard_fewer_than_k_gives_nothing() {
        let sharding = Sharding::default();
        let shards = encode(sharding, vec![7; 1000]).unwrap();
        let some = (0..3).map(|index| (index, shards[usize::from(index)].clone())).collect();
        assert_eq!(decode(sharding, some, 1000), None);
    }
}
