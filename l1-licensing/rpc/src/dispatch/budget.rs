//! How much memory large bodies, answers and notices of all connections together may take: while they are made, while
//! they wait, and until they are written.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::RpcError;

/// Pieces up to this size are not counted. A connection has a bounded number of them, so that the cap on connections
/// bounds them all.
pub(crate) const FREE: usize = 16 * 1024;

const UNIT: usize = 1024;

/// Room that a growing piece takes in advance, at most.
const AHEAD: usize = 1024 * 1024;

/// A share of the memory; given back when dropped.
#[derive(Debug, Default)]
pub(crate) struct Share {
    permit: Option<OwnedSemaphorePermit>,
}

/// The memory that is left.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    left: Arc<Semaphore>,
    most: usize,
}

/// A piece that grows while it is made, and its share.
#[derive(Debug, Default)]
pub(crate) struct Room {
    budget: Option<Budget>,
    share: Share,
    covered: usize,
}

impl Budget {
    /// A budget of so many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        let units = (bytes / UNIT).min(Semaphore::MAX_PERMITS);
        Self { left: Arc::new(Semaphore::new(units)), most: bytes }
    }

    /// Takes room for a piece of `bytes`; `None` where there is none. Nobody waits: waiting pieces take memory too.
    pub(crate) fn take(&self, bytes: usize) -> Option<Share> {
        let mut share = Share::default();
        self.grow(&mut share, bytes).then_some(share)
    }

    /// Raises a share to `bytes`; one that is larger stays. False, and the share as it was, where there is no room.
    pub(crate) fn grow(&self, share: &mut Share, bytes: usize) -> bool {
        let needed = units(bytes);
        let held = share.units();
        if needed <= held {
            return true;
        }
        let Ok(more) = u32::try_from(needed - held) else { return false };
        match self.left.clone().try_acquire_many_owned(more) {
            Ok(permit) => {
                share.absorb(Share { permit: Some(permit) });
                true
            }
            Err(_) => false,
        }
    }

    /// Bytes that are taken.
    pub(crate) fn used(&self) -> usize {
        self.most.saturating_sub(self.left.available_permits().saturating_mul(UNIT))
    }

    /// What a caller is told for whom there is no room.
    pub(crate) fn busy(&self) -> RpcError {
        RpcError::limit(format!(
            "the node is busy: large requests and answers of all connections together may take {} bytes; try again later",
            self.most
        ))
    }
}

fn units(bytes: usize) -> usize {
    if bytes <= FREE { 0 } else { bytes.div_ceil(UNIT) }
}

impl Share {
    fn units(&self) -> usize {
        self.permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }

    /// Adds another share of the same budget to this one.
    pub(crate) fn absorb(&mut self, other: Self) {
        match (&mut self.permit, other.permit) {
            (Some(held), Some(more)) => held.merge(more),
            (held @ None, more) => *held = more,
            (Some(_), None) => {}
        }
    }

    /// Gives back what is more than `bytes` need.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        let surplus = self.units().saturating_sub(units(bytes));
        if let Some(held) = &mut self.permit {
            drop(held.split(surplus));
        }
    }
}

impl Room {
    /// Room in a budget, none taken yet.
    pub(crate) fn new(budget: &Budget) -> Self {
        Self { budget: Some(budget.clone()), ..Self::default() }
    }

    /// Notes that the piece has `bytes` now. Room is taken a good deal ahead, so that this costs nothing when called
    /// often.
    ///
    /// # Errors
    /// [`Budget::busy`].
    pub(crate) fn cover(&mut self, bytes: usize) -> Result<(), RpcError> {
        if bytes <= self.covered {
            return Ok(());
        }
        let Some(budget) = &self.budget else { return Ok(()) };
        let ahead = bytes.saturating_add((bytes / 4).min(AHEAD)).max(FREE);
        if !budget.grow(&mut self.share, ahead) {
            return Err(budget.busy());
        }
        self.covered = ahead;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_pieces_share_the_budget_and_small_ones_are_free() {
        let budget = Budget::new(10 * FREE);
        let first = budget.take(9 * FREE).expect("room");
        assert_eq!(budget.used(), 9 * FREE);
        assert!(budget.take(2 * FREE).is_none());
        assert!(budget.take(FREE).is_some());
        drop(first);
        assert!(budget.take(10 * FREE).is_some());
        assert!(budget.take(usize::MAX).is_none());
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn a_share_grows_shrinks_and_is_refused_without_being_lost() {
        let budget = Budget::new(10 * FREE);
        let mut share = budget.take(2 * FREE).expect("room");
        assert!(budget.grow(&mut share, 5 * FREE) && budget.grow(&mut share, 3 * FREE));
        assert_eq!(budget.used(), 5 * FREE);
        assert!(!budget.grow(&mut share, 11 * FREE));
        assert_eq!(budget.used(), 5 * FREE);
        share.absorb(budget.take(4 * FREE).expect("room"));
        assert_eq!(budget.used(), 9 * FREE);
        share.shrink(2 * FREE);
        assert_eq!(budget.used(), 2 * FREE);
        share.shrink(FREE);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn a_piece_in_the_making_takes_room_as_it_grows() {
        let budget = Budget::new(10 * FREE);
        let mut room = Room::new(&budget);
        room.cover(FREE).expect("small pieces are free");
        room.cover(4 * FREE).expect("room");
        let used = budget.used();
        assert!((4 * FREE..10 * FREE).contains(&used));
        room.cover(4 * FREE + 1).expect("covered ahead");
        assert_eq!(budget.used(), used);
        assert!(room.cover(10 * FREE).unwrap_err().message.starts_with("the node is busy"));
        drop(room);
        assert_eq!(budget.used(), 0);
        Room::default().cover(usize::MAX).expect("no budget, no bound");
    }
}
