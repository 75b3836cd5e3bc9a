//! What the largest batch costs on chain: 32 rows of blob, 128 payers, and one fraud of each kind in its dearest form, proven with
//! real cells through the real contracts and modules.

use alloy_primitives::{Address, B256, keccak256};
use alloy_sol_types::{SolError, SolValue};
use chlom_lane::{
    Frame, Header, Receipt, build,
    fraud::{Fraud, Place},
    lane::source_id,
    page::{Page, RecordPage, TablePage, node::TreeKind},
    receipt::{Body, Name, ReceiptId},
    state::EarlierRecord,
};
use chlom_primitives::address::{LANE_REGISTRY, PAYOUT_PROOFS};
use chlom_royalty::Period;

use crate::{
    batch::Batch,
    bindings::{Payouts, Setup},
    machine::START,
    story::Pretended,
    world::{CHM, LICENCES, SUBMITTER, WATCHER, WEEK, World, lane},
};

const PAYERS: usize = 128;
/// More than 1,024 pages, so that the blob has 32 rows.
const RECEIPTS: usize = 420_000;
/// What any challenge may cost (issue 6).
const MOST_GAS: u64 = 1_000_000;

/// Receipts of one to ten cents, so that the pots last for all batches. One is under a licence that nobody has.
fn sold(payers: &[Address]) -> Vec<Receipt> {
    let licences: Vec<B256> = LICENCES.iter().map(|(name, ..)| keccak256(name)).collect();
    let (source, campaign) = (Name::new("ad-server").unwrap(), Name::new("CAMP-1").unwrap());
    let one = |number: usize| Receipt {
        payer: payers[number % payers.len()],
        licence: licences[number / payers.len() % 2],
        source: source.clone(),
        id: ReceiptId::new(&format!("AD-{number:06}")).unwrap(),
        time: START + 60 + number as u64,
        body: Body::AdConversion { campaign: campaign.clone(), value: 1 + number as u128 * 7_919 % 10 },
        signature: None,
    };
    let mut all: Vec<Receipt> = (0..RECEIPTS).map(one).collect();
    all[77].licence = keccak256("NOBODYS-1");
    all
}

/// The batch as it was built, and what differs from it in those that are submitted.
struct Full {
    world: World,
    batch: Batch,
    number: u32,
    predecessor: B256,
}

impl Full {
    fn new() -> Self {
        let mut world = World::new(PAYERS);
        let add = Payouts::addCollateralCall { account: SUBMITTER };
        world.machine.send(SUBMITTER, PAYOUT_PROOFS, 1_000_000 * CHM, &add);
        let frame = Frame { as_of: world.machine.now() - 1, ..world.frame() };
        let (draft, rest) = build(frame, sold(&world.payers()), &Pretended).unwrap();
        assert!(rest.is_empty());
        let batch = Batch::right(draft);
        assert_eq!((batch.header.blob.rows.data(), batch.header.payers.len()), (32, PAYERS));
        println!("{RECEIPTS} receipts, {} pages, {} rows", batch.header.pages(), batch.header.rows);
        Self { world, batch, number: 0, predecessor: B256::ZERO }
    }

    fn page(&self, index: u32) -> Page {
        self.batch.blob().page(index).unwrap()
    }

    /// The batch with other pages, under a header that says what `change` says, published and accepted as the lane's next.
    fn submit(&mut self, pages: &[(u32, Page)], change: impl FnOnce(&mut Header)) -> Batch {
        self.number += 1;
        let mut said = self.batch.header.clone();
        (said.number, said.predecessor) = (self.number, self.predecessor);
        change(&mut said);
        let batch = self.batch.changed(&said, pages);
        self.world.submit(&batch);
        self.predecessor = batch.root();
        batch
    }

    /// Gas of the challenge that convicts, with its commitment.
    fn convict(&mut self, batch: &Batch, fraud: &Fraud) -> u64 {
        let (root, proof, salt) = (batch.root(), batch.proof_of(fraud), B256::repeat_byte(9));
        let commitment = keccak256((root, keccak256(&proof), WATCHER, salt).abi_encode());
        self.world.call(WATCHER, &Payouts::commitChallengeCall { commitment });
        self.world.machine.wait(2, 1);
        let call = Payouts::challenge_1Call { batchRoot: root, fraudProof: proof.into(), salt };
        let gas = self.world.call(WATCHER, &call).gas;
        let cells: std::collections::BTreeSet<u16> =
            chlom_lane::fraud::prove(batch.blob(), fraud).cells.iter().map(|cell| cell.row).collect();
        println!("| {:?} | {} | {gas} |", fraud.kind(), cells.len());
        assert!(gas <= MOST_GAS, "{:?}: {gas}", fraud.kind());
        gas
    }
}

#[test]
fn any_challenge_of_the_largest_batch_costs_at_most_a_million_gas() {
    let mut full = Full::new();
    let header = full.batch.header.clone();
    let first_table = header.record_pages;
    println!("| kind | rows of the blob opened | gas |\n|---|---|---|");

    // As built, which is accepted and stands for now.
    let first = full.submit(&[], |_| {});

    // Malformed: the first page of the blob's second row does not begin where the one before ends.
    let mut page = RecordPage::decode(&full.page(64)).unwrap();
    page.first += 1;
    let batch = full.submit(&[(64, page.encode())], |_| {});
    full.convict(&batch, &Fraud::Next(64));

    // BadOrder: it has the records of the page before once more.
    let (before, page) = (full.page(63), RecordPage::decode(&full.page(64)).unwrap());
    let mut again = RecordPage::decode(&before).unwrap();
    (again.first, again.sum_before) = (page.first, page.sum_before);
    let batch = full.submit(&[(64, again.encode())], |_| {});
    full.convict(&batch, &Fraud::OrderAcross(64));

    // DoubleCount: a record of the earlier batch, shown with that batch's header of 128 payers, its page and its path.
    let batch = full.submit(&[], |_| {});
    let earlier = EarlierRecord {
        header: first.header.encode(),
        page: 640,
        bytes: Box::new(full.page(640)),
        at: 3,
        path: full.batch.draft.page_path(640).unwrap(),
    };
    full.convict(&batch, &Fraud::Earlier(Place { page: 640, at: 3 }, Box::new(earlier)));

    // WrongSum: a row with a cent too much, whose records begin in one row of the blob and end in another.
    let rows = &full.batch.draft.rows;
    let page_of = |record: u32| {
        (0..first_table).rfind(|page| RecordPage::decode(&full.page(*page)).unwrap().first <= record).unwrap()
    };
    let spans = |index: usize| {
        let ends = [rows[index].first_record, rows[index].first_record + rows[index].count - 1].map(page_of);
        (ends[0] / 64 != ends[1] / 64).then_some((index, ends))
    };
    let (index, [from, to]) =
        (0..rows.len()).find_map(spans).expect("rows are longer than a row of the blob is short");
    let table_page = (first_table..first_table + header.table_pages)
        .find(|page| TablePage::decode(&full.page(*page)).unwrap().row(index as u32).is_some())
        .unwrap();
    let mut table = TablePage::decode(&full.page(table_page)).unwrap();
    let at = index - table.first_row as usize;
    table.rows[at].revenue += 1;
    let batch = full.submit(&[(table_page, table.encode())], |_| {});
    let row = Place { page: table_page, at: at as u16 };
    full.convict(&batch, &Fraud::RowRevenue { row, first: from, last: to });

    // WrongTerms: a row at another rate.
    let mut table = TablePage::decode(&full.page(first_table)).unwrap();
    table.rows[0].royalty_bps += 1;
    let batch = full.submit(&[(first_table, table.encode())], |_| {});
    full.convict(&batch, &Fraud::Terms(Place { page: first_table, at: 0 }));

    // BadRoot: a node, and both below it on other pages.
    let (level, index, pages) = dearest_node(&header);
    let node = TreeKind::Receipts.position(&header, level.into(), index as usize).unwrap();
    let mut page = full.page(node.page);
    let known = node.read(&page).unwrap();
    let at = page.windows(32).position(|bytes| bytes == known.as_slice()).unwrap();
    page[at] ^= 1;
    assert_ne!(node.read(&page), Some(known));
    let batch = full.submit(&[(node.page, page)], |_| {});
    assert!(pages >= 2);
    full.convict(&batch, &Fraud::Node { tree: TreeKind::Receipts, level, index, content: None });

    // OutOfPeriod: `as_of` before the record.
    let batch = full.submit(&[], |said| said.as_of = START + 60);
    full.convict(&batch, &Fraud::Time(Place { page: 640, at: 3 }));

    // ForgedSource: a key that the payer registered before `as_of`, of the dearest scheme, and no signature.
    let payer = RecordPage::decode(&full.page(0)).unwrap().record(0).unwrap().payer;
    let key = [&[3u8, 2][..], &[7; 32]].concat();
    let register = Setup::registerSourceKeyCall {
        lane: lane().into_array().into(),
        name: "ad-server".into(),
        key: key.clone().into(),
    };
    full.world.machine.send(payer, LANE_REGISTRY, 0, &register);
    full.world.machine.wait(2, 1);
    let now = full.world.machine.now();
    let batch = full.submit(&[], |said| said.as_of = now - 1);
    assert_ne!(source_id(&lane(), &payer, "ad-server"), B256::ZERO);
    full.convict(&batch, &Fraud::Source(Place { page: 0, at: 0 }, key));

    // InvalidLicense: in the batch as it was built, all along.
    let place = (0..first_table)
        .find_map(|page| {
            let decoded = RecordPage::decode(&full.page(page)).unwrap();
            let at = decoded.records().position(|record| record.licence == keccak256("NOBODYS-1"))?;
            Some(Place { page, at: at as u16 })
        })
        .unwrap();
    full.convict(&first, &Fraud::Licence(place));
}

/// An inner node of the tree over record pages which lies on another page than those below it, those on two where that can be.
fn dearest_node(header: &Header) -> (u8, u32, usize) {
    let page = |level: usize, index: usize| {
        TreeKind::Receipts.position(header, level, index).map(|position| position.page)
    };
    let levels = TreeKind::Receipts.levels(header);
    let nodes = (1..levels).flat_map(|level| (0..2_048).map(move |index| (level, index)));
    let known = nodes.filter_map(|(level, index)| {
        let mut pages =
            vec![page(level, index)?, page(level - 1, 2 * index)?, page(level - 1, 2 * index + 1)?];
        pages.sort_unstable();
        pages.dedup();
        Some((pages.len(), level as u8, index as u32))
    });
    let (pages, level, index) = known.max_by_key(|(pages, ..)| *pages).unwrap();
    (level, index, pages)
}

/// Numbers of batches begin again in each period; a receipt counts once for ever all the same.
#[test]
fn lan_73_a_receipt_counted_in_one_period_convicts_a_batch_of_the_next() {
    let mut world = World::new(2);
    let all = crate::world::receipts(&world.payers(), 0, 16);
    let mut shown = None;
    // Two batches of the first period: the receipt in question is in the second.
    for part in all.chunks(8) {
        let (draft, _) = build(world.frame(), part.to_vec(), &crate::world::state()).unwrap();
        let batch = Batch::right(draft);
        world.submit(&batch);
        shown = Some(batch);
    }
    let earlier = shown.unwrap();
    assert_eq!(earlier.header.number, 2);
    // The next period, whose first batch has the id again at a time of its own.
    world.machine.wait(8 * 86_400, 1_000);
    let next = Period::new(WEEK + 1).unwrap();
    let mut again = all[9].clone();
    again.time += 7 * 86_400;
    let frame = Frame { period: next, number: 1, ..world.frame() };
    let (draft, _) = build(frame, vec![again], &crate::world::state()).unwrap();
    let batch = Batch::right(draft);
    world.submit(&batch);
    let page = RecordPage::decode(&earlier.blob().page(0).unwrap()).unwrap();
    let id = all[9].id.to_string();
    let at =
        page.records().position(|r| r.receipt_id().is_some_and(|found| found.to_string() == id)).unwrap();
    let record = EarlierRecord {
        header: earlier.header.encode(),
        page: 0,
        bytes: Box::new(earlier.blob().page(0).unwrap()),
        at: at as u16,
        path: earlier.draft.page_path(0).unwrap(),
    };
    let fraud = Fraud::Earlier(Place { page: 0, at: 0 }, Box::new(record));
    let challenge = |batch: &Batch, fraud: &Fraud| Payouts::challenge_0Call {
        batchRoot: batch.root(),
        fraudProof: batch.proof_of(fraud).into(),
    };
    // Not the other way round: the order in which they were accepted decides.
    let back = EarlierRecord {
        header: batch.header.encode(),
        page: 0,
        bytes: Box::new(batch.blob().page(0).unwrap()),
        at: 0,
        path: batch.draft.page_path(0).unwrap(),
    };
    let wrong_way = Fraud::Earlier(Place { page: 0, at: at as u16 }, Box::new(back));
    let refusal = world.machine.attempt(WATCHER, PAYOUT_PROOFS, 0, &challenge(&earlier, &wrong_way));
    let refusal = refusal.map(|_| ()).unwrap_err();
    assert_eq!(refusal, Payouts::NotConfirmed { check: 4 }.abi_encode());
    world.call(WATCHER, &challenge(&batch, &fraud));
    assert_eq!(world.collateral(SUBMITTER).1, 20_000 * CHM, "two stand");
}
