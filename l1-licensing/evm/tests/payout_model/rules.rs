//! States, acts, and what each act changes.

/// Whom money belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Actor {
    /// Knows its own frauds from the start, and challenges itself when that seems wise.
    Submitter,
    /// Finds frauds by itself.
    Watcher,
    /// Knows a proof once the watcher has sent it.
    Copier,
}

pub(crate) const ACTORS: [Actor; 3] = [Actor::Submitter, Actor::Watcher, Actor::Copier];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Status {
    None,
    Open,
    Void,
    Final,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) window: u8,
    pub(crate) window_blocks: u8,
    pub(crate) life: u8,
    pub(crate) life_blocks: u8,
}

impl Rules {
    /// The submitter's money, in tenths of a stake: two batches' worth.
    pub(crate) const START: u8 = 20;
}

/// No search looks further, in seconds: every window that opened at once is over by then.
const LAST: u8 = 12;

/// What is fixed for a search.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    /// One or two, which follow each other.
    pub(crate) batches: usize,
    pub(crate) wrong: [bool; 2],
    /// How often the watcher may crash; it is down for at most one height.
    pub(crate) crashes: u8,
    /// Seconds in which no block comes, in all.
    pub(crate) outages: u8,
    /// Whether anybody watches.
    pub(crate) honest: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Commitment {
    time: u8,
    height: u8,
    order: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Batch {
    pub(crate) status: Status,
    at: (u8, u8),
    void_at: (u8, u8),
    commitments: [Option<Commitment>; 3],
    winner: Option<(u8, Actor)>,
    pub(crate) paid: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) batches: [Batch; 2],
    time: u8,
    height: u8,
    orders: u8,
    free: [u8; 3],
    locked: u8,
    pending: u8,
    pool: u8,
    crashes: u8,
    outages: u8,
    /// An outage is on: nothing gets into a block until one comes.
    stalled: bool,
    down_since: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Submit(usize),
    Commit(Actor, usize),
    /// With the actor's commitment, or without one.
    Challenge(Actor, usize, bool),
    Finalize(usize),
    PayAward(usize),
    Crash,
    Restart,
    /// A block, a second on.
    Block,
    /// A second without a block.
    Outage,
}

impl State {
    pub(crate) fn first() -> Self {
        let batch = Batch {
            status: Status::None,
            at: (0, 0),
            void_at: (0, 0),
            commitments: [None; 3],
            winner: None,
            paid: false,
        };
        Self {
            batches: [batch.clone(), batch],
            time: 0,
            height: 0,
            orders: 0,
            free: [Rules::START, 0, 0],
            locked: 0,
            pending: 0,
            pool: 0,
            crashes: 0,
            outages: 0,
            stalled: false,
            down_since: None,
        }
    }

    /// All that is an actor's, the submitter's stakes included.
    pub(crate) fn wealth(&self, actor: Actor) -> u8 {
        self.free[actor as usize] + if actor == Actor::Submitter { self.locked } else { 0 }
    }

    /// [PAY-60] and [PAY-61]: money moves and is never made; ten tenths are locked for each open batch.
    pub(crate) fn is_conserved(&self) -> bool {
        let all = self.free.iter().sum::<u8>() + self.locked + self.pending + self.pool;
        let open = self.batches.iter().filter(|batch| batch.status == Status::Open).count();
        all == Rules::START && usize::from(self.locked) == 10 * open
    }

    fn is_over(&self, rules: Rules, since: (u8, u8)) -> bool {
        self.time > since.0 + rules.life && self.height > since.1 + rules.life_blocks
    }

    /// A commitment that counts now.
    fn counts(&self, rules: Rules, batch: &Batch, actor: Actor) -> Option<Commitment> {
        let before = if batch.status == Status::Open { self.height } else { batch.void_at.1 };
        batch.commitments[actor as usize]
            .filter(|c| c.height < before && !self.is_over(rules, (c.time, c.height)))
    }

    /// Whether the actor can have the proof. The watcher's is in the pool from the block on in which it can be revealed.
    fn knows(&self, actor: Actor, batch: &Batch) -> bool {
        let shown = batch.commitments[Actor::Watcher as usize].is_some_and(|c| c.height < self.height);
        actor != Actor::Copier || shown || batch.status == Status::Void
    }

    /// What a watcher that is up still has to do at this height: a transaction of its gets into a block.
    fn is_due(&self, rules: Rules, scenario: Scenario) -> Option<Act> {
        if !scenario.honest || self.down_since.is_some() {
            return None;
        }
        (0..2).filter(|i| scenario.wrong[*i]).find_map(|i| {
            let batch = &self.batches[i];
            let own = batch.commitments[Actor::Watcher as usize];
            let alive = own.filter(|c| !self.is_over(rules, (c.time, c.height)));
            match (batch.status, alive) {
                (Status::Open, None) => Some(Act::Commit(Actor::Watcher, i)),
                (Status::Open, Some(c)) if c.height < self.height => {
                    Some(Act::Challenge(Actor::Watcher, i, true))
                }
                (Status::Void, Some(_)) if self.can_reveal(rules, i, Actor::Watcher) => {
                    Some(Act::Challenge(Actor::Watcher, i, true))
                }
                _ => None,
            }
        })
    }

    fn can_reveal(&self, rules: Rules, i: usize, actor: Actor) -> bool {
        let batch = &self.batches[i];
        let Some(own) = self.counts(rules, batch, actor) else { return false };
        !batch.paid && batch.winner.is_none_or(|(order, _)| own.order < order)
    }

    /// Every act that is possible now. Blocks come only when a watcher that is up has had its turn, unless an outage was before it.
    pub(crate) fn acts(&self, rules: Rules, scenario: Scenario) -> Vec<Act> {
        let mut acts = Vec::new();
        let more = self.time < LAST;
        if more && self.outages < scenario.outages {
            acts.push(Act::Outage);
        }
        if self.stalled {
            acts.extend(more.then_some(Act::Block));
            return acts;
        }
        for (i, batch) in self.batches.iter().enumerate().take(scenario.batches) {
            let after = i == 0 || self.batches[0].status != Status::None;
            if batch.status == Status::None && after && self.free[0] >= 10 {
                acts.push(Act::Submit(i));
            }
            for actor in ACTORS.into_iter().filter(|actor| *actor != Actor::Watcher) {
                let live = batch.commitments[actor as usize].is_some();
                if batch.status == Status::Open && !live && self.knows(actor, batch) {
                    acts.push(Act::Commit(actor, i));
                }
            }
            if scenario.wrong[i] {
                for actor in ACTORS.into_iter().filter(|actor| *actor != Actor::Watcher) {
                    if self.knows(actor, batch) && batch.status == Status::Open {
                        acts.push(Act::Challenge(actor, i, false));
                    }
                    let judged = matches!(batch.status, Status::Open | Status::Void);
                    if self.knows(actor, batch) && judged && self.can_reveal(rules, i, actor) {
                        acts.push(Act::Challenge(actor, i, true));
                    }
                }
            }
            let closed =
                self.time >= batch.at.0 + rules.window && self.height >= batch.at.1 + rules.window_blocks;
            if batch.status == Status::Open && closed {
                acts.push(Act::Finalize(i));
            }
            if batch.status == Status::Void && !batch.paid && self.is_over(rules, batch.void_at) {
                acts.push(Act::PayAward(i));
            }
        }
        let due = self.is_due(rules, scenario);
        acts.extend(due);
        match self.down_since {
            None if scenario.honest && self.crashes < scenario.crashes => acts.push(Act::Crash),
            Some(_) => acts.push(Act::Restart),
            None => {}
        }
        let late = self.down_since.is_some_and(|since| self.height > since);
        acts.extend((more && due.is_none() && !late).then_some(Act::Block));
        acts
    }

    pub(crate) fn after(&self, act: Act) -> Self {
        let mut next = self.clone();
        let now = (self.time, self.height);
        match act {
            Act::Submit(i) => {
                next.free[0] -= 10;
                next.locked += 10;
                (next.batches[i].status, next.batches[i].at) = (Status::Open, now);
            }
            Act::Commit(actor, i) => {
                next.orders += 1;
                let made = Commitment { time: now.0, height: now.1, order: next.orders };
                next.batches[i].commitments[actor as usize] = Some(made);
            }
            Act::Challenge(actor, i, committed) => {
                let batch = &mut next.batches[i];
                if batch.status == Status::Open {
                    (batch.status, batch.void_at) = (Status::Void, now);
                    next.locked -= 10;
                    next.pending += 10;
                }
                if committed && let Some(own) = batch.commitments[actor as usize].take() {
                    batch.winner = Some((own.order, actor));
                }
            }
            Act::Finalize(i) => {
                next.batches[i].status = Status::Final;
                next.locked -= 10;
                next.free[0] += 10;
            }
            Act::PayAward(i) => {
                next.batches[i].paid = true;
                next.pending -= 10;
                next.pool += if next.batches[i].winner.is_some() { 6 } else { 10 };
                if let Some((_, actor)) = next.batches[i].winner {
                    next.free[actor as usize] += 4;
                }
            }
            Act::Crash => {
                next.crashes += 1;
                next.down_since = Some(self.height);
                // It forgets its salts: what it committed to cannot be revealed any more.
                for batch in &mut next.batches {
                    batch.commitments[Actor::Watcher as usize] = None;
                }
            }
            Act::Restart => next.down_since = None,
            Act::Block => (next.time, next.height, next.stalled) = (self.time + 1, self.height + 1, false),
            Act::Outage => (next.time, next.outages, next.stalled) = (self.time + 1, self.outages + 1, true),
        }
        next
    }
}
