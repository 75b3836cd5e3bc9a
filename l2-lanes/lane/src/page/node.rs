//! Node pages: every node of both trees and nothing else, 62 hashes a page.

use alloy_primitives::B256;

use super::{NODES, Page};
use crate::{Header, merkle};

/// One of a batch's two trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeKind {
    /// Over the record pages; its root is `receipts_root`.
    Receipts,
    /// Over the rows; its root is `licenses_root`.
    Rows,
}

impl TreeKind {
    /// Its leaves.
    pub fn leaves(self, header: &Header) -> usize {
        let leaves = match self {
            Self::Receipts => header.record_pages,
            Self::Rows => header.rows,
        };
        usize::try_from(leaves).unwrap_or(usize::MAX)
    }

    /// Its root, by the header.
    pub const fn root(self, header: &Header) -> B256 {
        match self {
            Self::Receipts => header.receipts_root,
            Self::Rows => header.licenses_root,
        }
    }

    /// The place of a node among all of the batch; `None` when the tree has no such node. Upholds [LAN-55].
    pub fn position(self, header: &Header, level: usize, index: usize) -> Option<NodePosition> {
        let mut before = match self {
            Self::Receipts => 0,
            Self::Rows => merkle::node_count(Self::Receipts.leaves(header)),
        };
        for (at, width) in merkle::widths(self.leaves(header)).enumerate() {
            if at == level {
                let place = before.checked_add(index).filter(|_| index < width)?;
                return NodePosition::new(header, place);
            }
            before = before.checked_add(width)?;
        }
        None
    }

    /// Levels of the tree.
    pub fn levels(self, header: &Header) -> usize {
        merkle::widths(self.leaves(header)).count()
    }
}

/// Where a node is in the blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodePosition {
    /// Page of the blob.
    pub page: u32,
    offset: usize,
}

impl NodePosition {
    fn new(header: &Header, place: usize) -> Option<Self> {
        let place = u32::try_from(place).ok()?;
        let first = header.record_pages.checked_add(header.table_pages)?;
        let page = first.checked_add(place / NODES)?;
        let offset = usize::try_from(place % NODES).ok()?.checked_mul(32)?;
        Some(Self { page, offset })
    }

    /// The node, of its page.
    pub fn read(&self, page: &Page) -> Option<B256> {
        page.get(self.offset..)?.first_chunk::<32>().map(|bytes| B256::from(*bytes))
    }
}

/// Bytes of a node page that hold nodes; what follows is zero. Only the last page has fewer than all.
pub fn used_bytes(header: &Header, page: u32) -> usize {
    let first = header.record_pages.saturating_add(header.table_pages);
    let nodes = merkle::node_count(TreeKind::Receipts.leaves(header))
        .saturating_add(merkle::node_count(TreeKind::Rows.leaves(header)));
    let before = page.saturating_sub(first).saturating_mul(NODES);
    let left = nodes.saturating_sub(usize::try_from(before).unwrap_or(usize::MAX));
    left.saturating_mul(32).min(super::PAGE_BYTES)
}
