//! Which action comes next.

use crate::twin::Twin;

const DAY: u64 = 86_400;

impl Twin {
    /// One action, or several of a kind.
    pub(crate) fn act(&mut self) {
        let seconds = match self.seed.below(12) {
            0 => 20 * DAY + self.seed.next() % (60 * DAY),
            1..4 => self.seed.next() % (6 * DAY),
            _ => self.seed.next() % 600,
        };
        self.machine.advance(2 + seconds);
        match self.seed.below(42) {
            0..4 => self.mint(),
            4..7 => self.modify(),
            7 => self.activate(),
            8 if self.seed.one_in(6) => self.revoke(),
            9 if self.seed.one_in(8) => self.revoke_subtree(),
            8..11 => self.deposit(),
            11 => self.withdraw_pot(),
            12 => self.release(),
            13 => self.collect_fees(),
            14 => self.place_hold(),
            15 => self.release_hold(),
            16..18 => self.withdraw_released(),
            18..21 => self.close_route(),
            21..24 => self.withdraw_leaf(),
            24..28 => self.withdraw(),
            28..30 => self.withdraw_batch(),
            40 => self.withdraw_to(),
            41 if self.seed.one_in(3) => self.pause(),
            _ => self.settle_batch(),
        }
    }
}
