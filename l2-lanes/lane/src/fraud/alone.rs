//! What one page says by itself, beside the header. `check` and `judge` ask the same questions.

use crate::{
    Header,
    page::{self, Page, PageError, RecordPage, TablePage, node},
};

/// What a page of the blob is for. Upholds [LAN-13].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Record,
    Table,
    Node,
    /// Left over: zero.
    Rest,
}

impl Role {
    pub(super) fn of(header: &Header, page: u32) -> Self {
        let table = header.record_pages;
        let node = table.saturating_add(header.table_pages);
        if page < table {
            Self::Record
        } else if page < node {
            Self::Table
        } else if page < header.pages() {
            Self::Node
        } else {
            Self::Rest
        }
    }

    /// First page of the role and first one past it; of records and tables only.
    pub(super) fn range(self, header: &Header) -> (u32, u32) {
        let table = header.record_pages;
        let node = table.saturating_add(header.table_pages);
        match self {
            Self::Record => (0, table),
            Self::Table => (table, node),
            Self::Node => (node, header.pages()),
            Self::Rest => (header.pages(), u32::MAX),
        }
    }
}

/// A decoded page of entries.
#[derive(Clone, Debug)]
pub(super) enum Entries {
    Records(RecordPage),
    Rows(TablePage),
}

/// Why a page is nothing that can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Malformed,
    Order,
}

impl Entries {
    /// Decodes a record or table page; `None` for another role.
    pub(super) fn decode(role: Role, page: &Page) -> Option<Result<Self, Fault>> {
        let fault = |error| if error == PageError::Order { Fault::Order } else { Fault::Malformed };
        Some(match role {
            Role::Record => RecordPage::decode(page).map(Self::Records).map_err(fault),
            Role::Table => TablePage::decode(page).map(Self::Rows).map_err(fault),
            Role::Node | Role::Rest => return None,
        })
    }

    /// Index of the first entry and of the first one past the page.
    pub(super) fn indices(&self) -> (u32, u32) {
        match self {
            Self::Records(page) => (page.first, page.end()),
            Self::Rows(page) => (page.first_row, page.end_row()),
        }
    }

    /// Running sums before and after.
    pub(super) const fn sums(&self) -> (u128, u128) {
        match self {
            Self::Records(page) => (page.sum_before, page.sum_after),
            Self::Rows(page) => (page.owed_before, page.owed_after),
        }
    }

    /// Whether this page's last entry is below the next page's first.
    pub(super) fn is_before(&self, next: &Self) -> bool {
        match (self, next) {
            (Self::Records(a), Self::Records(b)) => {
                let (last, first) = (a.record(a.len().saturating_sub(1)), b.record(0));
                last.map(|last| last.key()) < first.map(|first| first.key())
            }
            (Self::Rows(a), Self::Rows(b)) => {
                a.rows.last().map(crate::Row::pair) < b.rows.first().map(crate::Row::pair)
            }
            _ => false,
        }
    }

    /// Records that the page's rows cover: first and first past the last. Of table pages only.
    pub(super) fn covered(&self) -> Option<(u32, u32)> {
        match self {
            Self::Records(_) => None,
            Self::Rows(page) => Some((page.rows.first()?.first_record, page.end_record)),
        }
    }
}

/// Whether a page is malformed by itself: not decodable, or not zero where it should be. Upholds [LAN-14], [LAN-40], [LAN-50] and
/// [LAN-55].
pub(super) fn is_malformed(header: &Header, index: u32, page: Option<&Page>) -> bool {
    let Some(page) = page else { return true };
    let role = Role::of(header, index);
    match role {
        Role::Record | Role::Table => {
            matches!(Entries::decode(role, page), Some(Err(Fault::Malformed)))
        }
        Role::Node => !page::is_zero(page.get(node::used_bytes(header, index)..).unwrap_or_default()),
        Role::Rest => !page::is_zero(page),
    }
}

/// Whether the first page of its role begins elsewhere than at 0, or the last one ends elsewhere than at the count.
pub(super) fn ends_wrong(header: &Header, index: u32, page: &Entries) -> bool {
    let (role, count) = match page {
        Entries::Records(_) => (Role::Record, header.records),
        Entries::Rows(_) => (Role::Table, header.rows),
    };
    let ((first, past), (from, to)) = (role.range(header), page.indices());
    (index == first && from != 0) || (index.checked_add(1) == Some(past) && to != count)
}

/// Whether the rows begin elsewhere than at record 0 or end elsewhere than at the number of records.
pub(super) fn row_ends_wrong(header: &Header, index: u32, page: &Entries) -> bool {
    let Some((from, to)) = page.covered() else { return false };
    let (first, past) = Role::Table.range(header);
    (index == first && from != 0) || (index.checked_add(1) == Some(past) && to != header.records)
}

/// Whether the first page of its role has a running sum.
pub(super) fn sum_starts_wrong(header: &Header, index: u32, page: &Entries) -> bool {
    let role = match page {
        Entries::Records(_) => Role::Record,
        Entries::Rows(_) => Role::Table,
    };
    index == role.range(header).0 && page.sums().0 != 0
}

/// Whether a record's time is outside of the period or later than `as_of`. Upholds [LAN-70].
pub(super) fn is_out_of_period(header: &Header, time: u64) -> bool {
    time < header.period.start() || time >= header.period.end() || time > header.as_of
}
