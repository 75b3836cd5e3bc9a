//! The store against a naive twin.

use std::collections::BTreeMap;

use chlom_operator::{
    Store,
    store::{NewBatch, Outcome, Place},
};
use proptest::prelude::*;

use crate::stores::{order, root, week};

#[derive(Clone, Debug)]
enum Step {
    /// Receipts by id and amount.
    Add(Vec<(u8, u8)>),
    /// A batch of every n-th that waits.
    Take(usize),
    /// The n-th batch is voided, if it can be.
    Void(usize),
    /// Every n-th that waits is set aside.
    Aside(usize),
    /// All that is set aside comes back.
    Release,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec((any::<u8>(), 0u8..3), 0..40).prop_map(Step::Add),
        2 => (1usize..5).prop_map(Step::Take),
        1 => (0usize..4).prop_map(Step::Void),
        1 => (1usize..5).prop_map(Step::Aside),
        1 => Just(Step::Release),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_happens_each_receipt_is_at_one_place(steps in prop::collection::vec(step(), 1..30)) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_file(&folder.path().join("store.sqlite")).unwrap();
        let lane = store.make_lane("adluxe", "USD", 6).unwrap();
        // By id: the amount, and where it is (0 waits, a batch its number, negative is aside).
        let mut twin: BTreeMap<u8, (u8, i64)> = BTreeMap::new();
        let mut batches = Vec::new();
        for (number, step) in (1u32..).zip(steps) {
            let waiting: Vec<_> = store.waiting(&lane, week()).map(Result::unwrap).collect();
            let every = |n: usize| -> Vec<(Place, u8)> {
                let of = |w: &chlom_operator::store::Waiting| (w.place, w.receipt.id.as_str().parse().unwrap());
                waiting.iter().step_by(n).map(of).collect()
            };
            match step {
                Step::Add(receipts) => {
                    let all: Vec<_> = receipts.iter().map(|(id, amount)| order(&id.to_string(), (*amount).into())).collect();
                    let outcomes = store.add(&lane, &all).unwrap();
                    for ((id, amount), outcome) in receipts.into_iter().zip(outcomes) {
                        let expected = match twin.get(&id) {
                            None => Outcome::New,
                            Some((known, _)) if *known == amount => Outcome::Known,
                            Some(_) => Outcome::Conflict,
                        };
                        prop_assert_eq!(outcome, expected);
                        twin.entry(id).or_insert((amount, 0));
                    }
                }
                Step::Take(n) => {
                    let these = every(n);
                    let places: Vec<Place> = these.iter().map(|(place, _)| *place).collect();
                    let batch = NewBatch { period: week(), number, header: b"", root: root(number.into()), elements: b"" };
                    let id = store.take(&lane, &batch, &places).unwrap();
                    these.iter().for_each(|(_, id_of)| twin.get_mut(id_of).unwrap().1 = id);
                    batches.push(id);
                }
                Step::Void(n) if n < batches.len() => {
                    let id = batches.swap_remove(n);
                    store.void(id, "").unwrap();
                    twin.values_mut().filter(|(_, at)| *at == id).for_each(|(_, at)| *at = 0);
                }
                Step::Void(_) => {}
                Step::Aside(n) => {
                    let these = every(n);
                    let places: Vec<Place> = these.iter().map(|(place, _)| *place).collect();
                    let id = store.set_aside(&lane, week(), "licence", "why not", &places).unwrap();
                    these.iter().for_each(|(_, id_of)| twin.get_mut(id_of).unwrap().1 = -id);
                }
                Step::Release => {
                    for aside in store.asides(&lane).unwrap() {
                        store.release(aside.id).unwrap();
                    }
                    twin.values_mut().filter(|(_, at)| *at < 0).for_each(|(_, at)| *at = 0);
                }
            }
            let mut now: Vec<u8> =
                store.waiting(&lane, week()).map(|w| w.unwrap().receipt.id.as_str().parse().unwrap()).collect();
            now.sort_unstable();
            let expected: Vec<u8> = twin.iter().filter(|(_, (_, at))| *at == 0).map(|(id, _)| *id).collect();
            prop_assert_eq!(now, expected);
            if let Some(count) = store.counts(&lane).unwrap().first() {
                let at = |which: fn(i64) -> bool| twin.values().filter(|(_, at)| which(*at)).count() as u64;
                prop_assert_eq!(count.receipts, twin.len() as u64);
                prop_assert_eq!(count.waiting, at(|at| at == 0));
                prop_assert_eq!(count.aside, at(|at| at < 0));
                prop_assert_eq!(count.batched.iter().map(|(_, n)| n).sum::<u64>(), at(|at| at > 0));
            }
        }
    }
}
