//! A batch with one fraud, so that nothing else of it is wrong.

use std::convert::Infallible;

use alloy_primitives::{Address, B256};
use chlom_lane::{
    Frame, Header, LaneId, LaneState, Receipt, build,
    forge::Forgery,
    receipt::{Body, Name, ReceiptId},
    state::EarlierRecord,
};

use super::Plant;
use crate::WatchError;

/// The source of a drill's receipts.
pub const SOURCE: &str = "drill";
/// Receipts of a batch.
const RECEIPTS: usize = 24;
/// A receipt's value in minor units.
const VALUE: u128 = 100;

/// What whoever builds such a batch pretends: every licence is allowed, at the rate that they say.
struct Pretended<'a>(&'a [(B256, u16)]);

impl LaneState for Pretended<'_> {
    type Error = Infallible;

    fn allows(&self, _: &B256, _: u64, _: u64) -> Result<bool, Infallible> {
        Ok(true)
    }
    fn royalty_bps(&self, licence: &B256, _: u64, _: u64) -> Result<Option<u16>, Infallible> {
        Ok(self.0.iter().find(|(id, _)| id == licence).map(|(_, bps)| *bps))
    }
    fn source_key(&self, _: &LaneId, _: &Address, _: &B256, _: u64) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(None)
    }
    fn admits(&self, _: &Header, _: &Address, _: &B256, _: bool) -> Result<bool, Infallible> {
        Ok(true)
    }
    fn earlier(&self, _: &Header, _: &B256, _: &ReceiptId) -> Result<Option<EarlierRecord>, Infallible> {
        Ok(None)
    }
}

fn unfit(why: impl ToString) -> WatchError {
    WatchError::Drill(format!("the drill's batch cannot be made: {}", why.to_string()))
}

/// Receipts with ids from `first` on, over two licences.
fn receipts(
    frame: &Frame,
    payer: Address,
    licences: &[(B256, u16)],
    first: usize,
) -> Result<Vec<Receipt>, WatchError> {
    let one = |number: usize| {
        let (licence, _) = *licences.get(number % 2).ok_or_else(|| unfit("two licences are needed"))?;
        Ok(Receipt {
            payer,
            licence,
            source: Name::new(SOURCE).map_err(unfit)?,
            id: ReceiptId::new(&format!("D-{}", first + number)).map_err(unfit)?,
            time: frame.period.start() + 60 + number as u64,
            body: Body::AdConversion { campaign: Name::new("DRILL").map_err(unfit)?, value: VALUE },
            signature: None,
        })
    };
    (0..RECEIPTS).map(one).collect()
}

/// A batch with this fraud, its blob not committed to yet. `first`: number of its first receipt's id.
///
/// # Errors
/// Never for a world that a drill made.
pub fn forge(
    plant: Plant,
    frame: Frame,
    payer: Address,
    licences: &[(B256, u16)],
    first: usize,
) -> Result<Forgery, WatchError> {
    let mut receipts = receipts(&frame, payer, licences, first)?;
    let mut pretended = licences.to_vec();
    match plant {
        Plant::WrongTerms => pretended.iter_mut().for_each(|(_, bps)| *bps += 1),
        Plant::InvalidLicense => {
            let nobodys = alloy_primitives::keccak256([payer.as_slice(), b"nobody's"].concat());
            pretended.push((nobodys, 500));
            receipts.iter_mut().take(3).for_each(|receipt| receipt.licence = nobodys);
        }
        _ => {}
    }
    let (draft, _) = build(frame, receipts, &Pretended(&pretended)).map_err(unfit)?;
    let mut forged = Forgery::of(&draft);
    change(plant, &mut forged).ok_or_else(|| unfit(format!("{plant} does not fit it")))?;
    Ok(forged)
}

/// Makes a right batch wrong, where that takes more than what it was built from.
fn change(plant: Plant, forged: &mut Forgery) -> Option<()> {
    let table = forged.header.record_pages;
    match plant {
        Plant::Malformed => {
            let rest = forged.header.pages();
            let mut page = forged.page(rest)?;
            *page.last_mut()? = 1;
            forged.put_page(rest, &page)
        }
        Plant::BadOrder => forged.change_rows(table, |rows| {
            if let [a, b, ..] = &mut rows[..] {
                std::mem::swap(&mut a.licence, &mut b.licence);
            }
        }),
        Plant::DoubleCount => {
            // The first record of the second licence gets the id of the first one's first: both lists stay in order.
            forged.change_records(0, |receipts| {
                let first = receipts.first().map(|receipt| (receipt.licence, receipt.id.clone()));
                let second = first
                    .as_ref()
                    .and_then(|(licence, _)| receipts.iter_mut().find(|r| r.licence != *licence));
                if let (Some((_, id)), Some(second)) = (first, second) {
                    second.id = id;
                }
            })?;
            forged.reroot()
        }
        Plant::WrongSum => {
            let before = owed(forged)?;
            forged.change_rows(table, |rows| {
                rows.iter_mut().take(1).for_each(|row| row.revenue += 10 * VALUE)
            })?;
            let more = owed(forged)?.checked_sub(before)?;
            forged.header.payers.first_mut()?.owed += more;
            forged.reroot()
        }
        Plant::BadRoot => {
            forged.header.licenses_root.0[0] ^= 1;
            Some(())
        }
        Plant::OutOfPeriod => {
            let before = forged.header.period.start().checked_sub(1)?;
            forged.change_records(0, |receipts| receipts.iter_mut().take(1).for_each(|r| r.time = before))?;
            forged.reroot()
        }
        Plant::Right
        | Plant::DoubleCountEarlier
        | Plant::WrongTerms
        | Plant::InvalidLicense
        | Plant::ForgedSource
        | Plant::UnconsentedSource => Some(()),
    }
}

/// What the first row can owe, as its page says.
fn owed(forged: &Forgery) -> Option<u128> {
    let page = chlom_lane::page::TablePage::decode(&forged.page(forged.header.record_pages)?).ok()?;
    Some(page.rows.first()?.owed)
}

#[cfg(test)]
mod tests {
    use chlom_lane::fraud::{Fraud, check};
    use chlom_royalty::Period;

    use super::*;

    /// State as the chain has it: the licences at their rates.
    struct True(Vec<(B256, u16)>);

    impl LaneState for True {
        type Error = Infallible;
        fn allows(&self, licence: &B256, _: u64, _: u64) -> Result<bool, Infallible> {
            Ok(self.0.iter().any(|(id, _)| id == licence))
        }
        fn royalty_bps(&self, licence: &B256, _: u64, _: u64) -> Result<Option<u16>, Infallible> {
            Ok(self.0.iter().find(|(id, _)| id == licence).map(|(_, bps)| *bps))
        }
        fn source_key(
            &self,
            _: &LaneId,
            _: &Address,
            _: &B256,
            _: u64,
        ) -> Result<Option<Vec<u8>>, Infallible> {
            Ok(None)
        }
        fn admits(&self, _: &Header, _: &Address, _: &B256, _: bool) -> Result<bool, Infallible> {
            Ok(true)
        }
        fn earlier(&self, _: &Header, _: &B256, _: &ReceiptId) -> Result<Option<EarlierRecord>, Infallible> {
            Ok(None)
        }
    }

    fn frame() -> Frame {
        let period = Period::new(20_250_901).unwrap();
        let lane = chlom_lane::lane::lane_id("adluxe");
        Frame { lane, parameters: 1, period, number: 1, predecessor: B256::ZERO, as_of: period.end() }
    }

    /// What needs no chain is found by the check alone, and is just what the drill is named for.
    #[test]
    fn wat_10_each_drill_has_one_fraud_of_its_kind() {
        let licences: Vec<(B256, u16)> = (1..4).map(|n| (B256::repeat_byte(n), 500 * u16::from(n))).collect();
        let state = True(licences.clone());
        let of_state = [Plant::DoubleCountEarlier, Plant::ForgedSource, Plant::UnconsentedSource];
        for plant in [Plant::Right].into_iter().chain(Plant::FRAUDS) {
            let forged = forge(plant, frame(), Address::repeat_byte(7), &licences, 0).unwrap();
            let found = check(forged.blob().unwrap(), &state).unwrap();
            let expected = plant.expected().filter(|_| !of_state.contains(&plant));
            assert_eq!(found.as_ref().map(Fraud::kind), expected, "{plant}: {found:?}");
            assert_eq!(plant.name().parse(), Ok(plant));
        }
        assert!("fraud".parse::<Plant>().is_err_and(|error| error.contains("wrong-sum")));
    }
}
