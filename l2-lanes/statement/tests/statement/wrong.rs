//! Evidence that cannot be, each in one thing: what somebody would write who wants to say more, or less, than is so.

use alloy_primitives::{Address, B256};

use crate::{
    two_generations,
    world::{PAYEE, World, bytes, state},
};
use chlom_statement::{
    Draft, Fault,
    document::{MOST_BYTES, Route, Split, Units},
    make, verify,
};

fn refused(draft: Draft, world: &World, words: &str) {
    let fault = make(draft, &world.nodes).unwrap_err().to_string();
    assert!(fault.contains(words), "{fault:?} has no {words:?}");
}

/// A world with licences below others.
fn world(fits: impl Fn(&World) -> bool) -> World {
    (0..4_000).filter_map(World::new).find(|world| fits(world)).unwrap()
}

fn earner(world: &World) -> usize {
    world.routes.iter().position(|route| !route.accruals.is_empty()).unwrap()
}

#[test]
fn stm_11_routes_are_a_forest_in_order_each_once() {
    let world =
        world(|world| world.routes.iter().any(|route| route.parent.is_some() && !route.accruals.is_empty()));
    let change = |change: &dyn Fn(&mut Vec<Route>)| {
        let mut draft = world.draft();
        change(&mut draft.routes);
        draft
    };
    let below = world.routes.iter().position(|route| route.parent.is_some()).unwrap();
    refused(change(&|routes| routes[below].parent = Some(below)), &world, "must come before it");
    refused(change(&|routes| routes[below].parent = Some(usize::MAX)), &world, "must come before it");
    refused(change(&|routes| routes.push(routes[0].clone())), &world, "listed twice");
    let earner = earner(&world);
    refused(change(&|routes| routes[earner].active = false), &world, "it does not count");
    let only = |routes: &mut Vec<Route>| routes.iter_mut().for_each(|route| route.split = None);
    refused(change(&only), &world, "nothing that it earns reaches the payee");
    // 17 licences above one.
    let deep = |routes: &mut Vec<Route>| {
        let first = routes.len();
        for level in 0..18 {
            let parent = (level > 0).then(|| first + level - 1);
            let licence = B256::repeat_byte(level as u8 + 1);
            let (split, accruals) = (None, Vec::new());
            routes.push(Route { licence, split_version: 1, active: true, parent, split, accruals });
        }
    };
    refused(change(&deep), &world, "more than 16 licences above");
    // Another version, another way: the state has nothing under such a route.
    let paid = world.routes.iter().position(|route| route.split.is_some()).unwrap();
    assert!(make(change(&|routes| routes[paid].split_version += 7), &world.nodes).is_err());
}

#[test]
fn stm_12_what_is_left_out_or_listed_twice_shows() {
    let world =
        world(|world| world.owed.0 > 1_000 && world.routes.iter().any(|route| route.accruals.len() > 1));
    let earner = world.routes.iter().position(|route| route.accruals.len() > 1).unwrap();
    let mut draft = world.draft();
    let gone = draft.routes[earner].accruals.pop().unwrap();
    // Only what brought something is missed.
    match make(draft.clone(), &world.nodes) {
        Ok(_) | Err(Fault::Unexplained { .. }) => {}
        Err(other) => panic!("{other}"),
    }
    let first = draft.routes[earner].accruals[0].clone();
    draft.routes[earner].accruals.push(first);
    refused(draft.clone(), &world, "listed twice");
    draft.routes[earner].accruals.pop();
    draft.routes[earner].accruals.push(gone);
    let mut never = draft.clone();
    never.routes[earner].accruals[0].lane = Address::repeat_byte(0xee);
    refused(never, &world, "has settled nothing of it");
    draft.routes[earner].accruals[0].period = 20_251_305;
    refused(draft, &world, "is no period");
}

#[test]
fn stm_13_a_split_is_the_licences_own_and_names_the_payee() {
    let vector = |world: &World| {
        let is = |route: &Route| matches!(&route.split, Some(Split::Vector(shares)) if shares.len() > 1);
        world.routes.iter().position(is)
    };
    let found = world(|world| vector(world).is_some());
    let index = vector(&found).unwrap();
    type Shares = Vec<(Address, Units)>;
    let change = |change: &dyn Fn(&mut Shares)| {
        let mut draft = found.draft();
        if let Some(Split::Vector(shares)) = &mut draft.routes[index].split {
            change(shares);
        }
        draft
    };
    refused(change(&|shares| shares[0].1.0 += 1), &found, "not the split");
    refused(change(&|shares| shares.swap(0, 1)), &found, "does not come after");
    refused(change(&|shares| shares[0].1.0 = u128::MAX), &found, "is more than");
    refused(change(&|shares| shares.clear()), &found, "needs a payee");
    let other = Draft { payee: Address::repeat_byte(0x78), ..found.draft() };
    refused(other, &found, "is no payee of it");
    let tree = |world: &World| {
        let is = |route: &Route| matches!(&route.split, Some(Split::Tree { .. }));
        world.routes.iter().position(is)
    };
    let found = world(|world| tree(world).is_some());
    let index = tree(&found).unwrap();
    let change = |change: &dyn Fn(&mut Vec<chlom_statement::document::OwnLeaf>)| {
        let mut draft = found.draft();
        if let Some(Split::Tree { own, .. }) = &mut draft.routes[index].split {
            change(own);
        }
        draft
    };
    refused(change(&|own| own[0].weight.0 += 1), &found, "leaf");
    refused(change(&|own| own.push(own[0].clone())), &found, "do not ascend");
    refused(change(&|own| own.clear()), &found, "no leaf of");
}

#[test]
fn stm_16_rows_are_the_batchs_settled_and_all_of_them() {
    let found = world(|world| {
        world.batches.len() > 1
            && world.routes.iter().any(|route| {
                route.accruals.iter().any(|a| a.rows.as_ref().is_some_and(|rows| rows.len() > 1))
            })
    });
    let earner = found
        .routes
        .iter()
        .position(|route| route.accruals.iter().any(|a| a.rows.as_ref().is_some_and(|rows| rows.len() > 1)))
        .unwrap();
    let at = found.routes[earner].accruals.iter().position(|a| a.rows.as_ref().unwrap().len() > 1).unwrap();
    let change = |change: &dyn Fn(&mut Vec<chlom_statement::document::RowOf>)| {
        let mut draft = found.draft();
        change(draft.routes[earner].accruals[at].rows.as_mut().unwrap());
        draft
    };
    refused(change(&|rows| rows[0].count += 1), &found, "not in its batch");
    refused(change(&|rows| rows[0].revenue.0 += 1), &found, "not in its batch");
    refused(change(&|rows| rows[0].index += 1), &found, "not in its batch");
    refused(change(&|rows| rows[0].path.push(B256::ZERO)), &found, "not in its batch");
    refused(change(&|rows| rows.push(rows[0].clone())), &found, "listed twice");
    refused(change(&|rows| rows[0].batch = 1_000), &found, "no such batch");
    let revenue = found.routes[earner].accruals[at].rows.as_ref().unwrap()[0].revenue.0;
    if revenue != 0 {
        refused(change(&|rows| drop(rows.remove(0))), &found, "its rows have a revenue of");
    }
    let mut draft = found.draft();
    draft.batches[0].scale += 1;
    refused(draft, &found, "not what the chain keeps of batch");
    // Without rows it holds all the same, and says so.
    let mut draft = found.draft();
    draft.routes.iter_mut().flat_map(|route| &mut route.accruals).for_each(|accrual| accrual.rows = None);
    let statement = make(draft, &found.nodes).unwrap();
    let verified = verify(&bytes(&statement), found.header.hash_slow()).unwrap();
    assert_eq!(verified.itemised, 0);
    assert!(verified.accruals > 0);
}

#[test]
fn stm_2_another_block_is_told_apart_from_a_broken_file() {
    let (draft, words) = two_generations([10, 20]);
    let trusted = draft.header.hash_slow();
    let statement = make(draft, &state(&words, None).1).unwrap();
    let whole = bytes(&statement);
    verify(&whole, trusted).unwrap();
    let other = B256::repeat_byte(3);
    let number = 0;
    assert_eq!(
        verify(&whole, other).unwrap_err(),
        Fault::OtherHeader { number, found: trusted, trusted: other }
    );
    for length in [0, 1, whole.len() / 2, whole.len() - 1] {
        assert!(verify(&whole[..length], trusted).unwrap_err().is_unreadable(), "{length}");
    }
    let long = vec![b' '; MOST_BYTES + 1];
    assert_eq!(verify(&long, trusted).unwrap_err(), Fault::TooLong { most: MOST_BYTES });
    let mut cut = statement.clone();
    cut.header = cut.header.slice(..10);
    assert!(matches!(verify(&bytes(&cut), trusted), Err(Fault::Header(_))));
    // Of a state without the contracts.
    let header = alloy_consensus::Header::default();
    let mut empty = statement;
    empty.header = alloy_rlp::encode(&header).into();
    let fault = verify(&bytes(&empty), header.hash_slow()).unwrap_err();
    assert!(matches!(fault, Fault::NoContract(_)), "{fault}");
}

#[test]
fn nobody_takes_more_than_is_owed() {
    let (draft, mut words) = two_generations([10, 20]);
    let route = chlom_statement::make::hashes_of(&draft.routes).unwrap()[0];
    let token = draft.token;
    words.insert(chlom_statement::slots::taken(token, route, 1, 0), alloy_primitives::U256::from(50));
    let (root, nodes) = state(&words, None);
    let mut draft = draft;
    draft.header.state_root = root;
    assert_eq!(draft.payee, PAYEE);
    let fault = make(draft, &nodes).unwrap_err().to_string();
    assert!(fault.contains("was taken of"), "{fault}");
}
