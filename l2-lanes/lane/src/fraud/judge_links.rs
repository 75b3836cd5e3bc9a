//! Statements about what pages say of each other: rows and records, payers and rows, nodes and what they hash.

use alloy_primitives::B256;

use super::{
    Check, NoFraud,
    alone::{Entries, Role},
    judge::{Opened, proven},
    prove::{node_pages, root_page},
};
use crate::{
    Header, Row, merkle,
    page::{self, RecordPage, TablePage, node::TreeKind},
};

/// The table page at a place of the opened ones.
pub(super) fn table(opened: &Opened<'_>, at: usize, count: usize) -> Result<(u32, TablePage), NoFraud> {
    match opened.entries(at, count, Role::Table)? {
        (index, Entries::Rows(page)) => Ok((index, page)),
        _ => Err(NoFraud::Cells),
    }
}

/// The record page at a place of the opened ones.
pub(super) fn records(opened: &Opened<'_>, at: usize, count: usize) -> Result<(u32, RecordPage), NoFraud> {
    match opened.entries(at, count, Role::Record)? {
        (index, Entries::Records(page)) => Ok((index, page)),
        _ => Err(NoFraud::Cells),
    }
}

/// A row at a place of its page.
pub(super) fn row_at(table: &TablePage, at: u16) -> Result<(u32, &Row), NoFraud> {
    let row = table.rows.get(usize::from(at)).ok_or(NoFraud::Place)?;
    Ok((table.first_row.checked_add(at.into()).ok_or(NoFraud::Place)?, row))
}

/// Cells: the record's page, the row's. Upholds [LAN-52].
pub(super) fn row_record(opened: &Opened<'_>, row: u16, record: u16) -> Result<Check, NoFraud> {
    let ((_, page), (_, table)) = (records(opened, 0, 2)?, table(opened, 1, 2)?);
    let (_, row) = row_at(&table, row)?;
    let index = page.first.checked_add(record.into()).ok_or(NoFraud::Place)?;
    let record = page.record(record.into()).ok_or(NoFraud::Place)?;
    let covers = index.checked_sub(row.first_record).is_some_and(|place| place < row.count);
    if !covers {
        return Err(NoFraud::Place);
    }
    proven((record.payer, record.licence) != row.pair())
}

/// Cells: the page of the row's first record, that of its last where it is another, the row's. Upholds [LAN-53].
pub(super) fn row_revenue(opened: &Opened<'_>, row: u16) -> Result<Check, NoFraud> {
    let count = opened.indices().len();
    let last = count.checked_sub(2).ok_or(NoFraud::Cells)?;
    let (_, table) = table(opened, last.saturating_add(1), count)?;
    let ((_, first), (_, last)) = (records(opened, 0, count)?, records(opened, last, count)?);
    let (_, row) = row_at(&table, row)?;
    let end = row.first_record.checked_add(row.count).ok_or(NoFraud::Place)?;
    // The sum before an index, read from the page that has the record there or, for the end, the record before it.
    let within = |page: &RecordPage, index: u32| {
        let at = index.checked_sub(page.first).and_then(|at| usize::try_from(at).ok());
        at.filter(|at| *at <= page.len()).ok_or(NoFraud::Place)
    };
    let (from, to) = (within(&first, row.first_record)?, within(&last, end)?);
    if from >= first.len() || to == 0 {
        return Err(NoFraud::Place);
    }
    let before = first.sum_until(from).ok_or(NoFraud::Place)?;
    let after = last.sum_until(to).ok_or(NoFraud::Place)?;
    proven(after.checked_sub(before) != Some(row.revenue))
}

/// Cells: the row's page. Upholds [LAN-13].
pub(super) fn payer_row(opened: &Opened<'_>, row: u16) -> Result<Check, NoFraud> {
    let (_, table) = table(opened, 0, 1)?;
    let (index, row) = row_at(&table, row)?;
    let payer = opened.header.payer_of_row(index).ok_or(NoFraud::Place)?;
    proven(payer != row.payer)
}

/// Cells: the page of the payer's first row, that of its last where it is another. Upholds [LAN-54].
pub(super) fn payer_total(opened: &Opened<'_>, payer: u16) -> Result<Check, NoFraud> {
    let count = opened.indices().len();
    let last = count.checked_sub(1).ok_or(NoFraud::Cells)?;
    if count > 2 {
        return Err(NoFraud::Cells);
    }
    let ((_, first), (_, last)) = (table(opened, 0, count)?, table(opened, last, count)?);
    let place = usize::from(payer);
    let total = opened.header.payers.get(place).ok_or(NoFraud::Place)?;
    let end = opened.header.end_row(place);
    let holds_first = first.row(total.first_row).is_some();
    let holds_last = end.checked_sub(1).is_some_and(|index| last.row(index).is_some());
    if !holds_first || !holds_last {
        return Err(NoFraud::Place);
    }
    let before = first.owed_until(total.first_row).ok_or(NoFraud::Place)?;
    let after = last.owed_until(end).ok_or(NoFraud::Place)?;
    proven(after.checked_sub(before) != Some(total.owed))
}

/// Cells: for a leaf, the page that it hashes and its own; else those of the node and its children. Upholds [LAN-56].
pub(super) fn node(opened: &Opened<'_>, tree: TreeKind, level: u8, index: u32) -> Result<Check, NoFraud> {
    let header = opened.header;
    let nodes = node_pages(header, tree, level, index).ok_or(NoFraud::Place)?;
    let found = read(opened, tree, level.into(), index)?;
    let wanted = if level == 0 {
        leaf(opened, tree, index, &nodes)?
    } else {
        if opened.indices() != nodes {
            return Err(NoFraud::Cells);
        }
        parent(opened, tree, usize::from(level).saturating_sub(1), index)?
    };
    proven(found != wanted)
}

/// What a leaf should be, from the one page beside the node's own.
fn leaf(opened: &Opened<'_>, tree: TreeKind, index: u32, nodes: &[u32]) -> Result<B256, NoFraud> {
    if opened.indices().get(1..) != Some(nodes) {
        return Err(NoFraud::Cells);
    }
    match tree {
        TreeKind::Receipts => match opened.indices().first() {
            Some(page) if *page == index => Ok(page::leaf(opened.bytes(index)?)),
            _ => Err(NoFraud::Cells),
        },
        TreeKind::Rows => {
            let (_, table) = table(opened, 0, 2)?;
            table.row(index).map(Row::leaf).ok_or(NoFraud::Place)
        }
    }
}

fn parent(opened: &Opened<'_>, tree: TreeKind, below: usize, index: u32) -> Result<B256, NoFraud> {
    let left_index = index.checked_mul(2).ok_or(NoFraud::Place)?;
    let right_index = left_index.checked_add(1).ok_or(NoFraud::Place)?;
    let left = read(opened, tree, below, left_index)?;
    let place = usize::try_from(right_index).map_err(|_| NoFraud::Place)?;
    if tree.position(opened.header, below, place).is_none() {
        return Ok(left);
    }
    Ok(merkle::join(&left, &read(opened, tree, below, right_index)?))
}

/// Cells: the page of the top node. Upholds [LAN-57].
pub(super) fn root(opened: &Opened<'_>, tree: TreeKind) -> Result<Check, NoFraud> {
    let header: &Header = opened.header;
    let page = root_page(header, tree).ok_or(NoFraud::Place)?;
    if opened.indices() != [page] {
        return Err(NoFraud::Cells);
    }
    let top = tree.levels(header).checked_sub(1).ok_or(NoFraud::Place)?;
    proven(read(opened, tree, top, 0)? != tree.root(header))
}

fn read(opened: &Opened<'_>, tree: TreeKind, level: usize, index: u32) -> Result<B256, NoFraud> {
    let index = usize::try_from(index).map_err(|_| NoFraud::Place)?;
    let position = tree.position(opened.header, level, index).ok_or(NoFraud::Place)?;
    position.read(opened.bytes(position.page)?).ok_or(NoFraud::Place)
}
