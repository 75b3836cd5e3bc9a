//! The next batch: of the earliest period whose receipts wait, as many as fit a blob, checked with a watcher's eyes before anything is
//! at stake. What cannot be in it is set aside with the reason, and looked at again later.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use alloy_primitives::B256;
use chlom_client::{ClientError, lanes::state::ChainState};
use chlom_crypto::kzg::{Cancel, DataRows, commit};
use chlom_lane::{Draft, Frame, Header, Receipt};
use chlom_royalty::{Period, period::SUBMISSION_WINDOW};

use super::{
    Did, Obstacle, SequenceError, Sequencer,
    candidates::{Candidate, Terms, places_of},
    convict::{Attempt, Right, attempt, culprit},
    obstacle::{CONVICTED, LATE},
};
use crate::store::{NewBatch, Place, ReceiptKey};

/// Receipts that are looked at for one batch: more than a blob holds, few enough for memory.
const MOST: usize = 400_000;
/// A turn in which so many parts of batches were convicted ends: something is thoroughly wrong.
const MOST_CONVICTED: u32 = 16;
/// What is set aside is looked at again after so long at first, and after twice as long each time that nothing has changed.
const FIRST_LOOK: Duration = Duration::from_secs(1);
/// At most.
const LAST_LOOK: Duration = Duration::from_secs(300);

impl Sequencer<'_> {
    /// Puts the next batch of the earliest period into the outbox.
    pub(super) fn assemble(&mut self) -> Result<Vec<Did>, SequenceError> {
        // Whatever was accepted before this batch's predecessor is known once it was followed; whatever comes after that makes the batch
        // stale. So none of its receipts is in an accepted batch. Upholds [OPR-31].
        let predecessor = self.on_chain().last_batch()?;
        let mut did = self.follow()?;
        let looks = self.look_again()?;
        let unread: BTreeSet<Period> =
            self.store.unread(&self.lane)?.into_iter().map(|batch| batch.period).collect();
        let time = self.chain.time()?;
        for period in self.store.waiting_periods(&self.lane)? {
            let begun = period.start() < time && (self.config.unfinished_periods || period.end() <= time);
            if time >= period.end() + SUBMISSION_WINDOW {
                self.set_aside_late(period, &mut did)?;
            } else if begun && !unread.contains(&period) {
                let frame = self.frame(period, time, predecessor)?;
                if self.assemble_period(&frame, &mut did)? {
                    break;
                }
            }
        }
        self.looked(looks, &mut did);
        Ok(did)
    }

    fn frame(&self, period: Period, as_of: u64, predecessor: B256) -> Result<Frame, SequenceError> {
        let (parameters, _) = self.terms(period)?;
        let number = self.on_chain().next_number(period.code())?;
        Ok(Frame { lane: self.id, parameters, period, number, predecessor, as_of })
    }

    /// What was in the way may be gone: whether it was time to look.
    fn look_again(&self) -> Result<bool, SequenceError> {
        if Instant::now() < self.looks.due {
            return Ok(false);
        }
        for aside in self.store.asides(&self.lane)? {
            let for_ever = aside.kind == LATE;
            let until_restart = aside.kind == CONVICTED && self.looks.looked;
            if !for_ever && !until_restart {
                self.store.release(aside.id)?;
            }
        }
        Ok(true)
    }

    /// The next look comes soon when this one found something new, and later when it did not. What was said before is not said again.
    fn looked(&mut self, looks: bool, did: &mut Vec<Did>) {
        let aside = |did: &Did| match did {
            Did::SetAside { obstacle, receipts } => Some((obstacle.clone(), *receipts)),
            _ => None,
        };
        let found: BTreeSet<(Obstacle, u64)> = did.iter().filter_map(aside).collect();
        if !looks {
            // Nothing was let wait again: what was found is new.
            self.looks.last.extend(found);
            return;
        }
        let last = std::mem::replace(&mut self.looks.last, found);
        did.retain(|did| aside(did).is_none_or(|aside| !last.contains(&aside)));
        let same = last == self.looks.last && !last.is_empty();
        self.looks.pause = if same { (self.looks.pause * 2).min(LAST_LOOK) } else { FIRST_LOOK };
        self.looks.due = Instant::now() + self.looks.pause;
        self.looks.looked = true;
    }

    fn set_aside_late(&mut self, period: Period, did: &mut Vec<Did>) -> Result<(), SequenceError> {
        loop {
            let waiting = self.store.waiting(&self.lane, period).take(MOST);
            let places: Vec<Place> =
                waiting.map(|waiting| Ok(waiting?.place)).collect::<Result<_, SequenceError>>()?;
            if places.is_empty() {
                return Ok(());
            }
            self.set_aside(period, Obstacle::Late, places, did)?;
        }
    }

    fn set_aside(
        &self,
        period: Period,
        obstacle: Obstacle,
        mut places: Vec<Place>,
        did: &mut Vec<Did>,
    ) -> Result<(), SequenceError> {
        places.sort_unstable();
        let receipts = places.len() as u64;
        self.store.set_aside(&self.lane, period, obstacle.word(), &obstacle.to_string(), &places)?;
        did.push(Did::SetAside { obstacle, receipts });
        Ok(())
    }

    /// `false`: no receipt of the period can be in a batch now.
    fn assemble_period(&mut self, frame: &Frame, did: &mut Vec<Did>) -> Result<bool, SequenceError> {
        let (_, parameters) = self.terms(frame.period)?;
        let terms = Terms { period: frame.period, as_of: frame.as_of, parameters: &parameters };
        let state = ChainState::new(self.chain);
        let mut convicted = 0u32;
        loop {
            let found = self.candidates(&state, terms, MOST)?;
            for (obstacle, places) in found.aside {
                self.set_aside(frame.period, obstacle, places, did)?;
            }
            if found.receipts.is_empty() {
                return Ok(false);
            }
            let receipts = found.receipts.len();
            tracing::info!(lane = %self.lane.name, period = frame.period.code(), receipts, "building");
            let (what, part) = match self.attempt(frame, &state, found.receipts)? {
                Attempt::Right(right) => {
                    self.keep(frame, *right, found.known, did)?;
                    return Ok(true);
                }
                Attempt::Wrong { what, part } => (what, part),
            };
            let mut places = places_of(&found.known, &part);
            if places.is_empty() {
                places = vec![self.culprit(frame, &state, terms, found.known.len())?];
            }
            let receipts = places.len();
            tracing::error!(lane = %self.lane.name, period = frame.period.code(), receipts, ?part, %what,
                "a batch failed its own check: these receipts are set aside; report this");
            self.set_aside(frame.period, Obstacle::Convicted(what.clone()), places, did)?;
            convicted = convicted.saturating_add(1);
            if convicted == MOST_CONVICTED {
                return Err(SequenceError::Wrong(what));
            }
        }
    }

    fn attempt(
        &self,
        frame: &Frame,
        state: &ChainState<'_>,
        receipts: Vec<Receipt>,
    ) -> Result<Attempt, SequenceError> {
        // It asks the chain anew: a node that said something else before is found out here, not by a watcher.
        let eyes = |header: &Header| {
            let payers = header.payers.iter().map(|total| total.payer);
            let by_allowance = payers.filter(|payer| !self.signs(*payer)).collect();
            let state = ChainState::new(self.chain);
            state.with_allowances(by_allowance, header.period, self.signer.address())
        };
        Ok(attempt(frame.clone(), receipts, state, eyes, commit_to)?)
    }

    /// The one receipt without which those before it are a right batch.
    fn culprit(
        &self,
        frame: &Frame,
        state: &ChainState<'_>,
        terms: Terms<'_>,
        count: usize,
    ) -> Result<Place, SequenceError> {
        let all = self.candidates(state, terms, MOST)?;
        let first = |count: usize| all.receipts.iter().take(count).cloned().collect::<Vec<_>>();
        let at = culprit(count.min(all.receipts.len()), |count| {
            let attempt = self.attempt(frame, state, first(count))?;
            Ok::<_, SequenceError>(matches!(attempt, Attempt::Right(_)))
        })?;
        let gone = || {
            SequenceError::Client(ClientError::Answer {
                method: "eth_call",
                why: "the node says now this, now that of receipts that wait".into(),
            })
        };
        all.known.get(at).map(|candidate| candidate.place).ok_or_else(gone)
    }

    fn keep(
        &mut self,
        frame: &Frame,
        right: Right,
        known: Vec<Candidate>,
        did: &mut Vec<Did>,
    ) -> Result<(), SequenceError> {
        let Right { header, elements, rest } = right;
        let left: BTreeSet<ReceiptKey> = rest.iter().map(|receipt| self.key(receipt)).collect();
        let taken = known.iter().filter(|candidate| !left.contains(&candidate.key));
        let mut taken: Vec<Place> = taken.map(|candidate| candidate.place).collect();
        taken.sort_unstable();
        self.check_lead()?;
        let (root, bytes) = (header.batch_root(), header.encode());
        let new = NewBatch {
            period: frame.period,
            number: header.number,
            header: &bytes,
            root,
            elements: &elements,
        };
        let batch = self.store.take(&self.lane, &new, &taken)?;
        tracing::info!(batch, %root, receipts = taken.len(), "built");
        did.push(Did::Built { batch, receipts: taken.len() as u64 });
        Ok(())
    }

    fn key(&self, receipt: &Receipt) -> ReceiptKey {
        let source = chlom_lane::lane::source_id(&self.id, &receipt.payer, receipt.source.as_str());
        super::follow::key_of(&source, receipt.id.as_str())
    }
}

/// The header of a draft over its blob's commitments, and the blob.
fn commit_to(draft: &Draft) -> Result<(Header, Vec<u8>), String> {
    let wrong = |error: chlom_crypto::kzg::KzgError| error.to_string();
    let elements = draft.elements();
    let data = DataRows::from_elements(&elements, draft.blob_rows()).map_err(wrong)?;
    let commitments = commit(&data, &Cancel::new()).map_err(wrong)?;
    Ok((draft.header(commitments.fold(), commitments.merkle_root()), elements))
}
