//! A batch against its header and state: the first fraud, if there is one. What is found later relies on what was right before,
//! so that every fraud found can be proven.

use alloy_primitives::B256;

use super::{
    Fraud, Place,
    alone::{self, Entries, Fault, Role},
};
use crate::{
    Header, Row,
    blob::Blob,
    build::first_twice,
    merkle::{self, Tree},
    page::{self, Page, RecordPage, RecordView, TablePage, node::TreeKind},
    state::LaneState,
};

/// Checks a batch. `None`: it is right. Upholds [LAN-64].
///
/// # Errors
/// When state cannot be read.
pub fn check<S: LaneState>(blob: Blob<'_>, state: &S) -> Result<Option<Fraud>, S::Error> {
    let batch = match Batch::decode(blob) {
        Ok(batch) => batch,
        Err(fraud) => return Ok(Some(fraud)),
    };
    if let Err(fraud) = batch.links().and_then(|()| batch.trees(blob)).and_then(|()| batch.records()) {
        return Ok(Some(fraud));
    }
    batch.against(state)
}

/// A batch whose pages decode.
pub(super) struct Batch<'a> {
    pub(super) header: &'a Header,
    records: Vec<RecordPage>,
    tables: Vec<TablePage>,
    leaves: Vec<B256>,
}

impl<'a> Batch<'a> {
    /// Decodes all pages, each beside the one before.
    fn decode(blob: Blob<'a>) -> Result<Self, Fraud> {
        let header = blob.header();
        let mut batch = Self { header, records: Vec::new(), tables: Vec::new(), leaves: Vec::new() };
        let mut last: Option<Entries> = None;
        for index in 0..blob.pages() {
            let role = Role::of(header, index);
            let page = blob.page(index);
            if role == Role::Node || role == Role::Rest {
                if alone::is_malformed(header, index, page.as_ref()) {
                    return Err(Fraud::Page(index));
                }
                continue;
            }
            let page = page.ok_or(Fraud::Page(index))?;
            let entries = decode(role, index, &page)?;
            let before = last.take().filter(|_| role.range(header).0 != index);
            link(header, index, before.as_ref(), &entries)?;
            match (before, role) {
                (Some(Entries::Records(page)), _) => batch.records.push(page),
                (Some(Entries::Rows(page)), _) => batch.tables.push(page),
                (None, _) => {}
            }
            if role == Role::Record {
                batch.leaves.push(page::leaf(&page));
            }
            if index.checked_add(1) == Some(role.range(header).1) {
                match entries {
                    Entries::Records(page) => batch.records.push(page),
                    Entries::Rows(page) => batch.tables.push(page),
                }
            } else {
                last = Some(entries);
            }
        }
        Ok(batch)
    }

    fn table_place(&self, page: usize, at: usize) -> Place {
        place(self.header.record_pages, page, at)
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = (Place, &Row)> {
        self.tables.iter().enumerate().flat_map(move |(page, table)| {
            table.rows.iter().enumerate().map(move |(at, row)| (self.table_place(page, at), row))
        })
    }

    /// All records with their places.
    pub(super) fn all(&self) -> impl Iterator<Item = (Place, RecordView<'_>)> {
        self.records.iter().enumerate().flat_map(|(page, records)| {
            records.records().enumerate().map(move |(at, record)| (place(0, page, at), record))
        })
    }

    /// Rows against records and payers.
    fn links(&self) -> Result<(), Fraud> {
        let mut records = self.all();
        for (row_place, row) in self.rows() {
            let (mut revenue, mut first, mut last) = (0u128, None, 0);
            for (record_place, record) in records.by_ref().take(usize::try_from(row.count).unwrap_or(0)) {
                if (record.payer, record.licence) != row.pair() {
                    return Err(Fraud::RowRecord { row: row_place, record: record_place });
                }
                revenue = revenue.saturating_add(record.revenue());
                first = first.or(Some(record_place.page));
                last = record_place.page;
            }
            if revenue != row.revenue {
                let first = first.unwrap_or(last);
                return Err(Fraud::RowRevenue { row: row_place, first, last });
            }
        }
        self.payers()
    }

    fn payers(&self) -> Result<(), Fraud> {
        let header = self.header;
        let (mut payer, mut owed, mut first) = (0usize, 0u128, None);
        let mut index = 0u32;
        for (place, row) in self.rows() {
            if header.payer_of_row(index) != Some(row.payer) {
                return Err(Fraud::PayerRow(place));
            }
            owed = owed.saturating_add(row.owed);
            let from = *first.get_or_insert(place.page);
            index = index.saturating_add(1);
            if index == header.end_row(payer) {
                if header.payers.get(payer).map(|total| total.owed) != Some(owed) {
                    let number = u16::try_from(payer).unwrap_or(u16::MAX);
                    return Err(Fraud::PayerTotal { payer: number, first: from, last: place.page });
                }
                (payer, owed, first) = (payer.saturating_add(1), 0, None);
            }
        }
        Ok(())
    }

    /// Every node of both trees.
    fn trees(&self, blob: Blob<'_>) -> Result<(), Fraud> {
        self.tree(blob, TreeKind::Receipts, self.leaves.clone())?;
        self.tree(blob, TreeKind::Rows, self.rows().map(|(_, row)| row.leaf()).collect())
    }

    fn tree(&self, blob: Blob<'_>, kind: TreeKind, leaves: Vec<B256>) -> Result<(), Fraud> {
        let widths: Vec<usize> = merkle::widths(leaves.len()).collect();
        let Some(tree) = Tree::new(leaves) else { return Ok(()) };
        let mut nodes = tree.nodes();
        let mut page: Option<(u32, Option<Page>)> = None;
        for (level, width) in widths.into_iter().enumerate() {
            for (index, right) in (0..width).zip(nodes.by_ref()) {
                let Some(position) = kind.position(self.header, level, index) else { continue };
                if page.as_ref().is_none_or(|(at, _)| *at != position.page) {
                    page = Some((position.page, blob.page(position.page)));
                }
                let bytes = page.as_ref().and_then(|(_, bytes)| bytes.as_ref());
                if bytes.and_then(|bytes| position.read(bytes)) != Some(*right) {
                    return Err(self.wrong_node(kind, level, index));
                }
            }
        }
        if tree.root() == kind.root(self.header) { Ok(()) } else { Err(Fraud::Root(kind)) }
    }

    fn wrong_node(&self, tree: TreeKind, level: usize, index: usize) -> Fraud {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        let row_page = || self.tables.iter().position(|table| table.row(index).is_some());
        let content = (level == 0 && tree == TreeKind::Rows).then(row_page).flatten();
        let content = content.map(|page| self.table_place(page, 0).page);
        Fraud::Node { tree, level: u8::try_from(level).unwrap_or(u8::MAX), index, content }
    }

    /// What records say by themselves.
    fn records(&self) -> Result<(), Fraud> {
        if let Some((place, _)) =
            self.all().find(|(_, record)| alone::is_out_of_period(self.header, record.time))
        {
            return Err(Fraud::Time(place));
        }
        // Places only: a blob may have a million records.
        let places: Vec<Place> = self.all().map(|(place, _)| place).collect();
        let at = |index: u32| places.get(usize::try_from(index).ok()?).copied();
        let key = |index: u32| {
            let Place { page, at } = at(index)?;
            let record = self.records.get(usize::try_from(page).ok()?)?.record(at.into())?;
            Some((record.payer, record.source, record.id))
        };
        let twice = first_twice(self.header.records, key);
        match twice.and_then(|(a, b)| Some((at(a)?, at(b)?))) {
            Some((a, b)) => Err(Fraud::Twice(a.min(b), a.max(b))),
            None => Ok(()),
        }
    }
}

fn decode(role: Role, index: u32, page: &Page) -> Result<Entries, Fraud> {
    match Entries::decode(role, page) {
        Some(Ok(entries)) => Ok(entries),
        Some(Err(Fault::Order)) => Err(Fraud::OrderWithin(index)),
        _ => Err(Fraud::Page(index)),
    }
}

/// A page of entries beside the header and the page before.
fn link(header: &Header, index: u32, before: Option<&Entries>, page: &Entries) -> Result<(), Fraud> {
    let ensure = |holds: bool, fraud| if holds { Ok(()) } else { Err(fraud) };
    ensure(!alone::ends_wrong(header, index, page), Fraud::Ends(index))?;
    ensure(!alone::row_ends_wrong(header, index, page), Fraud::RowEnds(index))?;
    ensure(!alone::sum_starts_wrong(header, index, page), Fraud::SumStart(index))?;
    let Some(before) = before else { return Ok(()) };
    ensure(before.indices().1 == page.indices().0, Fraud::Next(index))?;
    ensure(before.sums().1 == page.sums().0, Fraud::SumNext(index))?;
    ensure(before.is_before(page), Fraud::OrderAcross(index))?;
    let (end, first) = (before.covered().map(|rows| rows.1), page.covered().map(|rows| rows.0));
    ensure(end == first, Fraud::RowNext(index))
}

fn place(first: u32, page: usize, at: usize) -> Place {
    let page = first.saturating_add(u32::try_from(page).unwrap_or(u32::MAX));
    Place { page, at: u16::try_from(at).unwrap_or(u16::MAX) }
}
