//! From a fraud to what is sent to the chain.

use super::{Fraud, FraudKind, evidence};
use crate::{
    Header,
    blob::{Blob, cell_id},
    page::node::TreeKind,
};

/// A data cell of the blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedCell {
    /// Its row.
    pub row: u16,
    /// Its column.
    pub column: u16,
    /// 2,048 bytes.
    pub data: Vec<u8>,
}

/// A fraud proof. The cells' KZG proofs are made by whoever holds the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The kind.
    pub kind: FraudKind,
    /// At most three, in the order of their pages.
    pub cells: Vec<OpenedCell>,
    /// What they show.
    pub evidence: Vec<u8>,
}

/// The proof of a fraud. Upholds [LAN-64].
pub fn prove(blob: Blob<'_>, fraud: &Fraud) -> Proof {
    let mut pages = pages(blob.header(), fraud);
    pages.sort_unstable();
    pages.dedup();
    let open = |page: u32| {
        let id = cell_id(page);
        OpenedCell { row: id.row, column: id.column, data: blob.cell(page).to_vec() }
    };
    Proof {
        kind: fraud.kind(),
        cells: pages.into_iter().map(open).collect(),
        evidence: evidence::encode(fraud),
    }
}

fn pages(header: &Header, fraud: &Fraud) -> Vec<u32> {
    match fraud {
        Fraud::Page(page)
        | Fraud::Ends(page)
        | Fraud::OrderWithin(page)
        | Fraud::RowEnds(page)
        | Fraud::SumStart(page) => vec![*page],
        Fraud::Next(page) | Fraud::OrderAcross(page) | Fraud::RowNext(page) | Fraud::SumNext(page) => {
            vec![page.saturating_sub(1), *page]
        }
        Fraud::Twice(a, b) => vec![a.page, b.page],
        Fraud::Earlier(place, _)
        | Fraud::PayerRow(place)
        | Fraud::Terms(place)
        | Fraud::Licence(place)
        | Fraud::Time(place)
        | Fraud::Source(place, _) => vec![place.page],
        Fraud::RowRecord { row, record } => vec![record.page, row.page],
        Fraud::RowRevenue { row, first, last } => vec![*first, *last, row.page],
        Fraud::PayerTotal { first, last, .. } => vec![*first, *last],
        Fraud::Node { tree, level, index, content } => {
            let mut pages = node_pages(header, *tree, *level, *index).unwrap_or_default();
            if *level == 0 {
                pages.push(content.unwrap_or(*index));
            }
            pages
        }
        Fraud::Root(tree) => root_page(header, *tree).into_iter().collect(),
    }
}

/// Pages of a node and of its children, where it has any; `None` when the tree has no such node.
pub(super) fn node_pages(header: &Header, tree: TreeKind, level: u8, index: u32) -> Option<Vec<u32>> {
    let (level, index) = (usize::from(level), usize::try_from(index).ok()?);
    let mut pages = vec![tree.position(header, level, index)?.page];
    if let Some(below) = level.checked_sub(1) {
        let left = index.checked_mul(2)?;
        pages.push(tree.position(header, below, left)?.page);
        pages.extend(tree.position(header, below, left.checked_add(1)?).map(|position| position.page));
    }
    pages.sort_unstable();
    pages.dedup();
    Some(pages)
}

/// The page of the top node.
pub(super) fn root_page(header: &Header, tree: TreeKind) -> Option<u32> {
    let top = tree.levels(header).checked_sub(1)?;
    tree.position(header, top, 0).map(|position| position.page)
}
