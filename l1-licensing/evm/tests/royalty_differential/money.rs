//! Money: every action of the ledger, on both sides.

use alloy_primitives::{Address, B256, IntoLogData, LogData, U256, keccak256};
use alloy_sol_types::{SolCall, SolError};
use chlom_primitives::address::{PAUSE_FLAGS, ROYALTY_LEDGER};
use chlom_royalty::{
    Leaf, LeafProof, Period, Registry, RouteKey, Row, Split,
    base::most_due,
    ledger::{Captured, Payout, Settled, Withdrawn},
};

use crate::{
    bindings::{self, Pauses, Royalties as R},
    machine::AUTHORITY,
    twin::{LANES, PAYERS, SOURCE, Twin, encoded, encoded_payout, pick},
};

const DAY: u64 = 86_400;
/// The flag of payouts.
const PAYOUTS: u8 = 3;

fn word(amount: impl Into<u128>) -> U256 {
    U256::from(amount.into())
}

impl Twin {
    fn amount(&mut self) -> u128 {
        self.seed.wide(82)
    }

    fn lane_and_payer(&mut self) -> (chlom_royalty::ledger::Lane, Address) {
        (LANES[self.seed.below(2)], PAYERS[self.seed.below(2)])
    }

    pub(crate) fn deposit(&mut self) {
        let ((lane, payer), amount) = (self.lane_and_payer(), self.amount());
        let done = self.ledger.deposit(self.token, lane, payer, amount);
        let event = R::PotDeposited { payer, lane, token: self.token, from: payer, amount: word(amount) };
        let call = R::depositCall { token: self.token, lane, payer, amount: word(amount) };
        let expected = done.map(|()| (vec![], vec![event.to_log_data()]));
        let value = self.value_of(amount);
        self.compare("deposit", (payer, value, call), expected, None);
    }

    pub(crate) fn withdraw_pot(&mut self) {
        let (lane, payer) = self.lane_and_payer();
        let free = self.ledger.pot_of(self.token, lane, payer).free;
        let amount = if self.seed.one_in(3) { free.saturating_add(1) } else { self.amount().min(free) };
        let done = self.ledger.withdraw_pot(self.token, lane, payer, amount);
        let event = R::PotWithdrawn { payer, lane, token: self.token, to: payer, amount: word(amount) };
        let call = R::withdrawPotCall { token: self.token, lane, amount: word(amount), to: payer };
        let expected = done.map(|()| (vec![], vec![event.to_log_data()]));
        self.compare("withdrawPot", (payer, 0, call), expected, None);
    }

    fn reserve(&mut self, batch: B256, lane: chlom_royalty::ledger::Lane, payer: Address, amount: u128) {
        let done = self.ledger.reserve(batch, self.token, lane, payer, amount);
        let event = R::PotReserved { batch, payer, lane, token: self.token, amount: word(amount) };
        let call = R::reserveCall { batch, token: self.token, lane, payer, amount: word(amount) };
        let expected = done.map(|()| (vec![], vec![event.to_log_data()]));
        self.compare("reserve", (AUTHORITY, 0, call), expected, None);
    }

    pub(crate) fn release(&mut self) {
        let Some(row) = self.any_row() else { return };
        let Row { batch, lane, payer, .. } = row;
        let amount = word(self.ledger.release(batch, self.token, lane, payer));
        let event = R::PotReleased { batch, payer, lane, token: self.token, amount };
        let call = R::releaseCall { batch, token: self.token, lane, payer };
        self.compare("release", (AUTHORITY, 0, call), Ok((vec![amount], vec![event.to_log_data()])), None);
    }

    /// A batch: funded mostly well, settled in rows, now and then one that was settled before.
    pub(crate) fn settle_batch(&mut self) {
        let batch = keccak256(format!("batch {} {}", self.step, self.rows.len()));
        let (lane, payer) = self.lane_and_payer();
        let period = self.period();
        let rows: Vec<_> = (0..1 + self.seed.below(3))
            .map_while(|_| {
                let (licence, revenue) = (self.any_licence()?, self.amount());
                Some(Row { batch, lane, period, token: self.token, payer, licence, revenue })
            })
            .collect();
        let start = Period::new(period).map_or(0, Period::start);
        let bps = |row: &Row| self.forest.royalty_bps_at(row.licence, start).unwrap();
        let needed: u128 = rows.iter().map(|row| most_due(row.revenue, bps(row)).unwrap()).sum();
        let needed = if self.seed.one_in(8) { needed.saturating_sub(1) } else { needed };
        if needed > self.ledger.pot_of(self.token, lane, payer).free && !self.seed.one_in(8) {
            self.fund(lane, payer, needed);
        }
        self.reserve(batch, lane, payer, needed);
        if self.seed.one_in(3) {
            self.settle_together(rows);
        } else {
            rows.into_iter().for_each(|row| self.settle(row));
        }
        if let Some(row) = self.any_row().filter(|_| self.seed.one_in(6)) {
            self.settle(row);
        }
    }

    fn fund(&mut self, lane: chlom_royalty::ledger::Lane, payer: Address, amount: u128) {
        self.ledger.deposit(self.token, lane, payer, amount).unwrap();
        let event = R::PotDeposited { payer, lane, token: self.token, from: payer, amount: word(amount) };
        let call = R::depositCall { token: self.token, lane, payer, amount: word(amount) };
        let value = self.value_of(amount);
        self.compare("deposit", (payer, value, call), Ok((vec![], vec![event.to_log_data()])), None);
    }

    fn period(&mut self) -> u32 {
        if self.seed.one_in(40) {
            return u32::try_from(self.seed.next() % 30_000_000).unwrap();
        }
        let now = self.now();
        let time = if self.seed.one_in(20) { now + 7 * DAY } else { now - self.seed.next() % (90 * DAY) };
        Period::containing(time).unwrap().code()
    }

    fn settle(&mut self, row: Row) {
        let now = self.now();
        let done = self.ledger.settle(&row, now, &self.forest);
        let call = R::settleCall { row: encoded_row(&row) };
        let keys: Vec<_> = done.iter().flat_map(|s| s.stations.iter().map(|station| station.key)).collect();
        if let Ok(settled) = &done {
            self.note(&row, settled);
        }
        let returns = |s: &Settled| vec![word(s.due.base), word(s.due.fee)];
        let expected = done.map(|settled| (returns(&settled), settled_logs(&row, &settled)));
        self.compare("settle", (AUTHORITY, 0, call), expected, None);
        for key in keys {
            self.compare_account(&key);
        }
    }

    fn note(&mut self, row: &Row, settled: &Settled) {
        self.rows.push(*row);
        self.accruals.insert((row.licence, row.lane, row.period));
        let keys: Vec<_> = settled.stations.iter().map(|station| station.key).collect();
        if keys.iter().any(|key| key.generation > 0) {
            self.count("settle by a route that was closed".into(), true);
        }
        self.keys.extend(keys);
    }

    /// Rows in one call: all or none.
    fn settle_together(&mut self, rows: Vec<Row>) {
        let (now, before) = (self.now(), self.ledger.clone());
        let settled: Result<Vec<_>, _> =
            rows.iter().map(|row| self.ledger.settle(row, now, &self.forest)).collect();
        let call = R::settleBatchCall { rows: rows.iter().map(encoded_row).collect() };
        let expected = match settled {
            Ok(all) => {
                rows.iter().zip(&all).for_each(|(row, settled)| self.note(row, settled));
                Ok((vec![], rows.iter().zip(&all).flat_map(|(row, s)| settled_logs(row, s)).collect()))
            }
            Err(error) => {
                self.ledger = before;
                Err(error)
            }
        };
        self.compare("settleBatch", (AUTHORITY, 0, call), expected, None);
    }

    /// What a deposit sends along.
    fn value_of(&self, amount: u128) -> u128 {
        if self.token.is_zero() { amount } else { 0 }
    }

    fn any_payout(&mut self) -> Option<Payout> {
        let key = self.key_or_other()?;
        let count = match self.forest.split_of(key.licence, key.split_version) {
            Some(Split::Vector(vector)) => vector.shares().len(),
            _ => 3,
        };
        let past = usize::from(self.seed.one_in(12));
        let index = u32::try_from(self.seed.below(count) + past).unwrap();
        Some(Payout { key, token: self.token, index })
    }

    /// By the payee, to whom it likes; or by another, who may not.
    pub(crate) fn withdraw_to(&mut self) {
        let Some(payout) = self.any_payout() else { return };
        let key = payout.key;
        let Some(Split::Vector(vector)) = self.forest.split_of(key.licence, key.split_version) else {
            return;
        };
        let Some(payee) = vector.shares().get(payout.index as usize).map(|share| share.payee) else { return };
        let to = PAYERS[self.seed.below(2)];
        let call = R::withdrawToCall { p: encoded_payout(&payout), to };
        if self.seed.one_in(4) && self.ledger.withdrawable(&payout, &self.forest).is_ok() {
            let refused = R::NotPayee { caller: AUTHORITY, payee }.abi_encode();
            assert_eq!(self.machine.send(AUTHORITY, ROYALTY_LEDGER, 0, &call).unwrap_err().as_ref(), refused);
            self.count("withdrawTo: NotPayee".into(), false);
            return;
        }
        let done = self.ledger.withdraw(&payout, &self.forest);
        let expected =
            done.map(|w| (vec![word(w.amount)], withdrawn_to_logs(self.token, key.licence, &w, to)));
        self.compare("withdrawTo", (payee, 0, call), expected, Some(&key));
    }

    /// Several in one call, those that fail among them.
    pub(crate) fn withdraw_batch(&mut self) {
        let payouts: Vec<_> = (0..1 + self.seed.below(5)).filter_map(|_| self.any_payout()).collect();
        let (mut answer, mut logs) = (vec![word(32_u128), word(payouts.len() as u128)], vec![]);
        for payout in &payouts {
            let key = payout.key;
            match self.ledger.withdraw(payout, &self.forest) {
                Ok(w) => {
                    answer.push(word(w.amount));
                    logs.extend(withdrawn_logs(self.token, key.licence, &w));
                }
                Err(error) => {
                    answer.push(U256::ZERO);
                    let reason = self.revert_for(&error, Some(&key)).into();
                    let failed = R::WithdrawalFailed { licence: key.licence, token: self.token, reason };
                    logs.push(failed.to_log_data());
                }
            }
        }
        let call = R::withdrawBatchCall { ps: payouts.iter().map(encoded_payout).collect() };
        self.compare("withdrawBatch", (AUTHORITY, 0, call), Ok((answer, logs)), None);
    }

    /// Payouts paused and opened again: in between nothing that pays does anything, and a payer takes what is free.
    pub(crate) fn pause(&mut self) {
        let evidence = B256::repeat_byte(8);
        let until = self.machine.height() + 7;
        for call in [
            Pauses::flagFraudCall { evidence }.abi_encode(),
            Pauses::pauseCall { flag: PAYOUTS, untilHeight: until, reason: evidence }.abi_encode(),
        ] {
            self.machine.send_bytes(AUTHORITY, PAUSE_FLAGS, 0, call).unwrap();
        }
        let refused = R::PayoutsPaused { untilHeight: until }.abi_encode();
        let mut calls = vec![R::settleBatchCall { rows: vec![] }.abi_encode()];
        if let Some(payout) = self.any_payout() {
            let (p, key) = (encoded_payout(&payout), encoded(&payout.key));
            calls.push(R::withdrawCall { p: p.clone() }.abi_encode());
            calls.push(R::withdrawToCall { p, to: AUTHORITY }.abi_encode());
            calls.push(R::closeRouteCall { token: self.token, key }.abi_encode());
        }
        if let Some((id, payee)) = self.captured_or_other() {
            calls.push(R::withdrawReleasedCall { holdId: word(id), payee }.abi_encode());
        }
        for call in calls {
            let answer = self.machine.send_bytes(AUTHORITY, ROYALTY_LEDGER, 0, call);
            assert_eq!(answer.unwrap_err().as_ref(), refused);
        }
        self.withdraw_pot();
        self.machine.send(AUTHORITY, PAUSE_FLAGS, 0, &Pauses::unpauseCall { flag: PAYOUTS }).unwrap();
        self.count("pause".into(), true);
    }

    /// Of a vector's entry, sometimes one past the last, or of a tree as if it were a vector.
    pub(crate) fn withdraw(&mut self) {
        let Some(payout) = self.any_payout() else { return };
        let key = payout.key;
        let done = self.ledger.withdraw(&payout, &self.forest);
        let call = R::withdrawCall { p: encoded_payout(&payout) };
        let expected = done.map(|w| (vec![word(w.amount)], withdrawn_logs(self.token, key.licence, &w)));
        self.compare("withdraw", (AUTHORITY, 0, call), expected, Some(&key));
    }

    pub(crate) fn withdraw_leaf(&mut self) {
        let trees = self.keys.iter().filter_map(|key| {
            let hash = self.forest.split_of(key.licence, key.split_version)?.hash();
            self.trees.contains_key(&hash).then_some(*key)
        });
        let trees = trees.collect();
        let Some(key) = pick(&mut self.seed, &trees) else { return };
        let hash = self.forest.split_of(key.licence, key.split_version).unwrap().hash();
        let count = self.trees[&hash].leaves().len();
        // Mostly all of them, so that routes of trees close.
        let places = if self.seed.one_in(3) { vec![self.seed.below(count)] } else { (0..count).collect() };
        for place in places {
            let tree = &self.trees[&hash];
            let (mut leaf, mut proof) = (tree.leaves()[place], tree.prove(place).unwrap());
            self.spoil(&mut leaf, &mut proof);
            self.claim(&key, leaf, proof);
        }
    }

    /// Now and then a lie.
    fn spoil(&mut self, leaf: &mut Leaf, proof: &mut LeafProof) {
        match self.seed.below(40) {
            0 => leaf.start += 1,
            1 => leaf.weight = 0,
            2 => leaf.payee = PAYERS[0],
            3 => proof.path ^= U256::ONE,
            4 => proof.siblings.push(B256::ZERO),
            5 => proof.sums.iter_mut().for_each(|sum| *sum += 1),
            6 => (proof.siblings, proof.sums) = (vec![B256::ZERO; 18], vec![0; 18]),
            _ => {}
        }
    }

    fn claim(&mut self, key: &RouteKey, leaf: Leaf, proof: LeafProof) {
        let done = self.ledger.withdraw_leaf(self.token, key, &leaf, &proof, &self.forest);
        let narrow = alloy_primitives::aliases::U96::from;
        let (start, weight) = (narrow(leaf.start), narrow(leaf.weight));
        let call = R::withdrawLeafCall {
            p: bindings::LeafPayout {
                key: encoded(key),
                token: self.token,
                leaf: bindings::Leaf { payee: leaf.payee, start, weight },
                path: proof.path,
                siblings: proof.siblings,
                sums: proof.sums.into_iter().map(narrow).collect(),
            },
        };
        let expected = done.map(|w| (vec![word(w.amount)], withdrawn_logs(self.token, key.licence, &w)));
        self.compare("withdrawLeaf", (AUTHORITY, 0, call), expected, Some(key));
    }

    pub(crate) fn place_hold(&mut self) {
        let Some(licence) = self.any_key().map(|key| key.licence).or(self.any_licence()) else { return };
        let payee = if self.seed.one_in(2) { None } else { pick(&mut self.seed, &self.payees) };
        let amount = if self.seed.one_in(4) { u128::MAX } else { self.amount() };
        let done = self.ledger.place_hold(licence, self.token, payee, amount);
        let (payee, reason) = (payee.unwrap_or_default(), B256::repeat_byte(7));
        let call = R::placeHoldCall { licence, token: self.token, payee, amount, reasonRef: reason };
        self.holds += u64::from(done.is_ok());
        let expected = done.map(|id| {
            let event = R::HoldPlaced {
                holdId: word(id),
                licence,
                token: self.token,
                payee,
                amount,
                reasonRef: reason,
            };
            (vec![word(id)], vec![event.to_log_data()])
        });
        self.compare("placeHold", (AUTHORITY, 0, call), expected, None);
    }

    pub(crate) fn release_hold(&mut self) {
        let Some((id, _)) = self.captured_or_other() else { return };
        let done = self.ledger.release_hold(id);
        let event = R::HoldReleased { holdId: word(id) };
        let call = R::releaseHoldCall { holdId: word(id) };
        let expected = done.map(|()| (vec![], vec![event.to_log_data()]));
        self.compare("releaseHold", (AUTHORITY, 0, call), expected, None);
    }

    pub(crate) fn withdraw_released(&mut self) {
        let Some((id, payee)) = self.captured_or_other() else { return };
        let licence = self.ledger.hold_of(id).map_or(B256::ZERO, |hold| hold.licence);
        let done = self.ledger.withdraw_released(id, payee);
        let call = R::withdrawReleasedCall { holdId: word(id), payee };
        let expected = done.map(|(amount, captured)| {
            let withdrawn = Withdrawn { payee, route: B256::ZERO, amount, captured };
            (vec![word(amount)], withdrawn_logs(self.token, licence, &withdrawn))
        });
        self.compare("withdrawReleased", (AUTHORITY, 0, call), expected, None);
    }

    pub(crate) fn close_route(&mut self) {
        let Some(key) = self.key_or_other() else { return };
        let now = self.now();
        // Of the settlers one has code: what it says decides.
        let unsettled = self.seed.one_in(4);
        self.machine.send(AUTHORITY, SOURCE, 0, &bindings::Source::setCall { unsettled }).unwrap();
        let done = self.ledger.close_route(self.token, &key, now, unsettled, &self.forest);
        let call = R::closeRouteCall { token: self.token, key: encoded(&key) };
        let RouteKey { licence, generation, .. } = key;
        let expected = done.map(|closed| {
            let residual = word(closed.residual);
            let event =
                R::RouteClosed { licence, route: closed.route, token: self.token, generation, residual };
            (vec![residual], vec![event.to_log_data()])
        });
        self.compare("closeRoute", (AUTHORITY, 0, call), expected, Some(&key));
    }

    pub(crate) fn collect_fees(&mut self) {
        let done = self.ledger.collect_fees(self.token).map(word);
        let call = R::collectFeesCall { token: self.token };
        let event = |amount| R::FeesCollected { token: self.token, amount }.to_log_data();
        let expected = done.map(|amount| (vec![amount], vec![event(amount)]));
        self.compare("collectFees", (AUTHORITY, 0, call), expected, None);
    }

    fn any_row(&mut self) -> Option<Row> {
        let count = self.rows.len();
        (count > 0).then(|| self.rows[self.seed.below(count)])
    }

    /// One that is, one that was released, or one that never was.
    fn any_hold(&mut self) -> u64 {
        self.seed.next() % (self.holds + 2)
    }

    /// A hold and a payee of whom it has captured, or any.
    fn captured_or_other(&mut self) -> Option<(u64, Address)> {
        let all = (1..=self.holds).flat_map(|id| self.payees.iter().map(move |payee| (id, *payee)));
        let owed = |id, payee| self.ledger.hold_of(id).is_some_and(|hold| hold.capture_of(payee).owed > 0);
        let captured = all.filter(|(id, payee)| owed(*id, *payee)).collect();
        let any = (self.any_hold(), pick(&mut self.seed, &self.payees)?);
        let captured = pick(&mut self.seed, &captured).filter(|_| !self.seed.one_in(5));
        Some(captured.unwrap_or(any))
    }

    /// A route that was paid, or now and then one that was not.
    fn key_or_other(&mut self) -> Option<RouteKey> {
        let key = self.any_key()?;
        Some(if self.seed.one_in(12) { RouteKey { generation: key.generation + 1, ..key } } else { key })
    }
}

fn settled_logs(row: &Row, settled: &Settled) -> Vec<LogData> {
    let Row { batch, lane, period, token, payer, licence, revenue } = *row;
    let (base, fee) = (word(settled.due.base), word(settled.due.fee));
    let revenue = word(revenue);
    let route = settled.route;
    let first = R::Settled { licence, batch, payer, lane, period, token, revenue, base, fee, route };
    let mut logs = vec![first.to_log_data()];
    for station in &settled.stations {
        let RouteKey { licence, split_version, parent_route, generation } = station.key;
        let route = station.key.route();
        if station.opened {
            let (parent, version) = (parent_route, split_version);
            let opened =
                R::RouteOpened { licence, route, parentRoute: parent, splitVersion: version, generation };
            logs.push(opened.to_log_data());
        }
        let receipt = R::PayoutReceipt {
            licence,
            route,
            token,
            period,
            inflow: word(station.inflow),
            kept: word(station.kept),
            passedUp: word(station.passed_up),
        };
        logs.push(receipt.to_log_data());
    }
    logs
}

fn encoded_row(row: &Row) -> bindings::Row {
    let Row { batch, lane, period, token, payer, licence, revenue } = *row;
    bindings::Row { batch, lane, period, token, payer, licence, revenue }
}

fn withdrawn_logs(token: Address, licence: B256, withdrawn: &Withdrawn) -> Vec<LogData> {
    withdrawn_to_logs(token, licence, withdrawn, withdrawn.payee)
}

fn withdrawn_to_logs(token: Address, licence: B256, withdrawn: &Withdrawn, to: Address) -> Vec<LogData> {
    let Withdrawn { payee, route, amount, ref captured } = *withdrawn;
    let held =
        |c: &Captured| R::HoldCaptured { holdId: word(c.hold), payee, amount: word(c.amount) }.to_log_data();
    let mut logs: Vec<_> = captured.iter().map(held).collect();
    if amount > 0 {
        let paid = R::Withdrawn { licence, payee, token, route, to, amount: word(amount) };
        logs.push(paid.to_log_data());
    }
    logs
}
