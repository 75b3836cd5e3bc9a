//! A second path from CSV to payouts: a plain script over sorted lines, which shares nothing with the crate but the licences' file.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, keccak256};

use crate::demo::{Licence, RECEIPTS, licences, pay, receipts};

/// Millionths of a dollar, by shifting the point.
fn micros(text: &str) -> u128 {
    let mut digits = String::new();
    let mut places = None;
    for c in text.chars() {
        match c {
            '.' => places = Some(0),
            _ => {
                digits.push(c);
                places = places.map(|n| n + 1);
            }
        }
    }
    digits.extend(std::iter::repeat_n('0', 6 - places.unwrap_or(0)));
    digits.parse().unwrap()
}

/// Licence by licence, over lines that `sort -t, -k4` would give.
fn revenues(lines: &[&str]) -> Vec<(String, u128)> {
    let mut sorted: Vec<(&str, &str)> = lines
        .iter()
        .map(|line| {
            let mut fields = line.split(',');
            (fields.nth(3).unwrap(), fields.next().unwrap())
        })
        .collect();
    sorted.sort_unstable();
    let mut out: Vec<(String, u128)> = Vec::new();
    for (licence, value) in sorted {
        match out.last_mut() {
            Some((last, sum)) if last == licence => *sum += micros(value),
            _ => out.push((licence.to_owned(), micros(value))),
        }
    }
    out
}

/// Base, fee of 50 basis points with a cap of 1,000 dollars, what passes up each edge, and each payee's floor.
fn script(lines: &[&str]) -> (BTreeMap<(B256, Address), u128>, u128) {
    let all = licences();
    let of = |id: &str| all.iter().find(|licence| licence.id == id).unwrap();
    let (mut inflow, mut fees) = (BTreeMap::<String, u128>::new(), 0);
    for (licence, revenue) in revenues(lines) {
        let base = revenue * u128::from(of(&licence).bps()) / 10_000;
        let fee = (base * 50 / 10_000).min(1_000_000_000);
        fees += fee;
        *inflow.entry(licence).or_default() += base - fee;
    }
    let depth = |licence: &Licence| {
        let mut steps = 0;
        let mut at = licence.parent.as_ref();
        while let Some(parent) = at {
            steps += 1;
            at = of(&parent.id).parent.as_ref();
        }
        steps
    };
    let mut deepest_first: Vec<&Licence> = all.iter().collect();
    deepest_first.sort_by_key(|licence| std::cmp::Reverse(depth(licence)));
    let mut paid = BTreeMap::new();
    for licence in deepest_first {
        let here = inflow.get(&licence.id).copied().unwrap_or(0);
        let mut up = 0;
        if let Some(parent) = &licence.parent {
            up = here * u128::from(parent.rate.0) / u128::from(parent.rate.1);
            *inflow.entry(parent.id.clone()).or_default() += up;
        }
        for entry in &licence.splits {
            let amount = (here - up) * entry.weight / licence.denom;
            if amount > 0 {
                *paid.entry((keccak256(&licence.id), entry.to)).or_default() += amount;
            }
        }
    }
    (paid, fees)
}

#[test]
fn both_paths_from_csv_to_payouts_agree_to_the_unit() {
    let all: Vec<&str> = RECEIPTS.lines().skip(1).collect();
    // The whole file, parts of it, every n-th line.
    let mut parts: Vec<Vec<&str>> =
        vec![all.clone(), all[..1].to_vec(), all[..37].to_vec(), all[1_200..].to_vec()];
    parts.extend([2, 3, 7, 50].map(|n| all.iter().step_by(n).copied().collect::<Vec<_>>()));
    for (number, lines) in parts.into_iter().enumerate() {
        let receipts = receipts(lines.iter().copied(), 1 + number);
        let batches = receipts.chunks(1 + lines.len() / (1 + number % 4)).map(<[_]>::to_vec).collect();
        let (mut paid, _, fees) = pay(batches);
        paid.retain(|_, amount| *amount > 0);
        assert_eq!((paid, fees), script(&lines), "part {number}");
    }
}
