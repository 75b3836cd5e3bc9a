//! Leaves of rows and the tree over them, as `settle` checks them.

use alloy_primitives::{Address, B256, keccak256};
use chlom_lane::{
    Row,
    merkle::{self, Tree},
};
use serde_json::json;

use crate::vectors::assert_vectors;

fn row(index: u32) -> Row {
    let word = keccak256(format!("row {index}"));
    let wide = u128::from_be_bytes(word[..16].try_into().unwrap());
    // From the narrowest numbers to the widest.
    let revenue = if index == 6 { u128::MAX } else { wide >> (index * 17 % 128) };
    let royalty_bps = [10_000, 0, 1, 3_333, 500][index as usize % 5];
    Row {
        payer: Address::from_word(keccak256(format!("payer {}", index / 3))),
        licence: keccak256(format!("AST-{index}")),
        first_record: if index == 6 { u32::MAX - 1 } else { index * 1_000 },
        count: 1 + index,
        revenue,
        royalty_bps,
        owed: chlom_royalty::base::most_due(revenue, royalty_bps).unwrap(),
    }
}

#[test]
fn lan_20_rows_hash_to_leaves_and_leaves_to_a_root() {
    let cases = [1u32, 2, 3, 5, 8, 13].map(|count| {
        let rows: Vec<Row> = (0..count).map(row).collect();
        let leaves: Vec<B256> = rows.iter().map(Row::leaf).collect();
        let tree = Tree::new(leaves.clone()).unwrap();
        let rows: Vec<_> = rows
            .iter()
            .enumerate()
            .map(|(index, row)| {
                let path = tree.path(index).unwrap();
                assert!(merkle::verify(&tree.root(), leaves[index], index, leaves.len(), &path));
                json!({
                    "payer": row.payer.to_string().to_lowercase(), "licence": row.licence,
                    "firstRecord": row.first_record, "count": row.count, "revenue": row.revenue.to_string(),
                    "royaltyBps": row.royalty_bps, "owed": row.owed.to_string(), "leaf": leaves[index], "path": path,
                })
            })
            .collect();
        json!({ "rows": rows, "root": tree.root() })
    });
    assert_vectors("rows.json", cases.to_vec());
}

#[test]
fn lan_20_a_leaf_is_the_hash_of_95_packed_bytes() {
    let row = row(3);
    let packed = [
        &[0u8][..],
        row.payer.as_slice(),
        row.licence.as_slice(),
        &row.first_record.to_be_bytes(),
        &row.count.to_be_bytes(),
        &row.revenue.to_be_bytes(),
        &row.royalty_bps.to_be_bytes(),
        &row.owed.to_be_bytes(),
    ]
    .concat();
    assert_eq!(packed.len(), 95);
    assert_eq!(row.leaf(), keccak256(packed));
}
