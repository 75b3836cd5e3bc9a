//! What the chain runs: a statement judged by the cells that it is about. Each statement is judged for itself; what it relies on
//! must decode. A right batch makes every statement false.

use super::{
    Check, FraudKind, NoFraud, OpenedCell, Verdict,
    alone::{self, Entries, Fault, Role},
    evidence::Statement,
    judge_links, judge_records,
};
use crate::{Header, blob, page::Page};

/// Most cells that any statement needs.
pub(super) const MOST_CELLS: usize = 3;

/// The cells of a proof, with their pages.
pub(super) struct Opened<'a> {
    pub(super) header: &'a Header,
    pages: Vec<(u32, Option<Page>)>,
}

/// Judges a fraud. The cells must have been verified against the header's blob. Upholds [LAN-60] and [LAN-61].
///
/// # Errors
/// [`NoFraud`] when nothing is proven.
pub fn judge(header: &Header, kind: u8, cells: &[OpenedCell], evidence: &[u8]) -> Result<Verdict, NoFraud> {
    let kind = FraudKind::from_number(kind).ok_or(NoFraud::Kind)?;
    let opened = Opened::new(header, cells)?;
    let check = match Statement::decode(kind, evidence)? {
        Statement::Page => opened.malformed(),
        Statement::OrderWithin => opened.order_within(),
        Statement::Ends => opened.one(alone::ends_wrong),
        Statement::RowEnds => opened.one(alone::row_ends_wrong),
        Statement::SumStart => opened.one(alone::sum_starts_wrong),
        Statement::Next => opened.next(|a, b| a.indices().1 != b.indices().0),
        Statement::SumNext => opened.next(|a, b| a.sums().1 != b.sums().0),
        Statement::OrderAcross => opened.next(|a, b| !a.is_before(b)),
        Statement::RowNext => {
            opened.next(|a, b| a.covered().map(|(_, end)| end) != b.covered().map(|(first, _)| first))
        }
        Statement::RowRecord { row, record } => judge_links::row_record(&opened, row, record),
        Statement::RowRevenue { row } => judge_links::row_revenue(&opened, row),
        Statement::PayerRow { row } => judge_links::payer_row(&opened, row),
        Statement::PayerTotal { payer } => judge_links::payer_total(&opened, payer),
        Statement::Node { tree, level, index } => judge_links::node(&opened, tree, level, index),
        Statement::Root { tree } => judge_links::root(&opened, tree),
        Statement::Terms { row } => judge_records::terms(&opened, row),
        Statement::Twice { a, b } => judge_records::twice(&opened, a, b),
        Statement::Earlier { at, earlier } => judge_records::earlier(&opened, at, &earlier),
        Statement::Licence { at } => judge_records::licence(&opened, at),
        Statement::Time { at } => judge_records::time(&opened, at),
        Statement::Source { at, key } => judge_records::source(&opened, at, &key),
    }?;
    Ok(Verdict { kind, check })
}

/// Nothing is left to confirm, when it holds.
pub(super) fn proven(holds: bool) -> Result<Check, NoFraud> {
    if holds { Ok(Check::None) } else { Err(NoFraud::Right) }
}

impl<'a> Opened<'a> {
    fn new(header: &'a Header, cells: &[OpenedCell]) -> Result<Self, NoFraud> {
        if cells.is_empty() || cells.len() > MOST_CELLS {
            return Err(NoFraud::Cells);
        }
        let mut pages: Vec<(u32, Option<Page>)> = Vec::with_capacity(cells.len());
        for cell in cells {
            let page = blob::page_of(cell.row, cell.column, header.blob.rows).ok_or(NoFraud::Cells)?;
            let ascends = pages.last().is_none_or(|(last, _)| *last < page);
            if !ascends || cell.data.len() != chlom_crypto::kzg::BYTES_PER_CELL {
                return Err(NoFraud::Cells);
            }
            pages.push((page, blob::page_of_cell(&cell.data)));
        }
        Ok(Self { header, pages })
    }

    /// Indices of the pages.
    pub(super) fn indices(&self) -> Vec<u32> {
        self.pages.iter().map(|(index, _)| *index).collect()
    }

    /// The bytes of a page that was opened.
    pub(super) fn bytes(&self, index: u32) -> Result<&Page, NoFraud> {
        let (_, page) = self.pages.iter().find(|(at, _)| *at == index).ok_or(NoFraud::Cells)?;
        page.as_ref().ok_or(NoFraud::Undecodable)
    }

    /// The opened page of a role, when exactly `count` pages were opened; it is the one at `at`.
    pub(super) fn entries(&self, at: usize, count: usize, role: Role) -> Result<(u32, Entries), NoFraud> {
        if self.pages.len() != count {
            return Err(NoFraud::Cells);
        }
        let (index, page) = self.pages.get(at).ok_or(NoFraud::Cells)?;
        if Role::of(self.header, *index) != role {
            return Err(NoFraud::Cells);
        }
        let page = page.as_ref().ok_or(NoFraud::Undecodable)?;
        let entries = Entries::decode(role, page).ok_or(NoFraud::Cells)?;
        Ok((*index, entries.map_err(|_| NoFraud::Undecodable)?))
    }

    fn single(&self) -> Result<(u32, Option<&Page>), NoFraud> {
        match self.pages.as_slice() {
            [(index, page)] => Ok((*index, page.as_ref())),
            _ => Err(NoFraud::Cells),
        }
    }

    fn malformed(&self) -> Result<Check, NoFraud> {
        let (index, page) = self.single()?;
        proven(alone::is_malformed(self.header, index, page))
    }

    fn order_within(&self) -> Result<Check, NoFraud> {
        let (index, page) = self.single()?;
        let page = page.ok_or(NoFraud::Undecodable)?;
        match Entries::decode(Role::of(self.header, index), page) {
            Some(Err(Fault::Order)) => Ok(Check::None),
            Some(Err(Fault::Malformed)) => Err(NoFraud::Undecodable),
            Some(Ok(_)) => Err(NoFraud::Right),
            None => Err(NoFraud::Cells),
        }
    }

    /// A statement about one page of entries and the header.
    fn one(&self, is_wrong: impl Fn(&Header, u32, &Entries) -> bool) -> Result<Check, NoFraud> {
        let (index, _) = self.single()?;
        let (index, page) = self.entries(0, 1, Role::of(self.header, index))?;
        proven(is_wrong(self.header, index, &page))
    }

    /// A statement about two pages of one role that follow each other.
    fn next(&self, is_wrong: impl Fn(&Entries, &Entries) -> bool) -> Result<Check, NoFraud> {
        let indices = self.indices();
        let role = indices.first().map_or(Role::Rest, |index| Role::of(self.header, *index));
        let ((first, a), (second, b)) = (self.entries(0, 2, role)?, self.entries(1, 2, role)?);
        if first.checked_add(1) != Some(second) {
            return Err(NoFraud::Cells);
        }
        proven(is_wrong(&a, &b))
    }
}
