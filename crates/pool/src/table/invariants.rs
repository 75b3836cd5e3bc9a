//! What is always true of a table: every index says the same as `senders`.

use std::collections::{BTreeMap, HashSet};

use alloy_primitives::U256;

use super::Table;

impl Table {
    pub(crate) fn check_invariants(&self) {
        let (mut weight, mut raw, mut heads) = (0, 0, HashSet::new());
        let (mut waiting, mut hashes) = (BTreeMap::new(), 0);
        for (address, sender) in &self.senders {
            assert!(!sender.txs.is_empty(), "{address} has no transactions and is not forgotten");
            assert!(sender.txs.first_key_value().is_some_and(|(first, _)| *first >= sender.nonce));
            assert!(
                (sender.nonce..sender.next).all(|nonce| sender.txs.contains_key(&nonce)),
                "a gap in pending"
            );
            let after = sender.txs.get(&sender.next);
            assert!(
                after.is_none_or(|entry| sender.spent + entry.cost > sender.balance),
                "it could be pending"
            );
            let mut spent = U256::ZERO;
            for (nonce, entry) in &sender.txs {
                assert_eq!((entry.tx.sender(), entry.tx.nonce()), (*address, *nonce));
                assert_eq!(self.by_hash.get(&entry.hash).map(|tx| tx.hash()), Some(entry.tx.hash()));
                assert!(entry.cost <= sender.dearest);
                (weight, raw, hashes) =
                    (weight + entry.weight, raw + entry.tx.raw().len() as u64, hashes + 1);
                assert_eq!(entry.queued_since.is_some(), *nonce >= sender.next, "queued has a time");
                match entry.queued_since {
                    Some(since) => _ = waiting.insert((since, entry.id), (*address, *nonce)),
                    None => spent += entry.cost,
                }
            }
            assert_eq!(spent, sender.spent);
            if let Some(head) = sender.head() {
                heads.insert((*address, sender.nonce, head.id));
            }
        }
        assert_eq!(waiting, self.waiting);
        assert_eq!((hashes, weight, raw), (self.by_hash.len(), self.weight, self.raw_bytes));
        let published: Vec<_> = self.heads().iter().map(|head| (head.address, head.nonce, head.id)).collect();
        assert_eq!(published.len(), heads.len());
        assert_eq!(published.into_iter().collect::<HashSet<_>>(), heads);
        assert!(self.suspects.iter().all(|suspect| self.senders.contains_key(suspect)));
        let (limits, held) = (&self.config, self.by_hash.len());
        assert!(held <= limits.max_txs && self.weight <= limits.max_bytes);
        assert!(self.senders.values().all(|sender| sender.txs.len() <= limits.max_per_account));
    }
}
