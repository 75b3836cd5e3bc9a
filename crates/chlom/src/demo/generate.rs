//! Receipts where no file is given: the same seed, the same receipts.

use alloy_primitives::keccak256;
use chlom_royalty::Period;

use crate::license::{Document, date};

/// How many there are.
const COUNT: u64 = 10_000;

/// CSV of receipts of the licences that are in force through the whole week, as an ad server would export them. `Err` with a
/// reason when no week has such a licence.
pub(super) fn csv(documents: &[Document], seed: u64) -> Result<String, String> {
    // The first week that begins when every licence has begun, or what comes nearest to it.
    let latest = documents.iter().map(|document| document.start).max().unwrap_or(0);
    let period = whole_after(latest).ok_or("the licences begin later than any receipt can be")?;
    let (start, end) = (period.start(), period.end());
    let in_force: Vec<&Document> =
        documents.iter().filter(|document| document.start <= start && document.end >= end).collect();
    if in_force.is_empty() {
        let day = date::shown(start);
        return Err(format!("no licence is in force for the week from {day}; give --receipts for another"));
    }
    let mut lot = Lot { seed, drawn: 0 };
    let mut text = String::from("event,ts,campaign,license_id,value,currency,txid\n");
    for number in 0..COUNT {
        let licence = &in_force[lot.below(in_force.len() as u64) as usize].name;
        let time = date::shown_with_time(start + lot.below(end - start));
        // Many small sales and some large ones, in cents.
        let cents = if lot.below(20) == 0 { 100_000 + lot.below(2_000_000) } else { 100 + lot.below(25_000) };
        let (campaign, dollars, rest) = (lot.below(25), cents / 100, cents % 100);
        text.push_str(&format!(
            "ad_conversion,{time},CAMP-{campaign},{},{dollars}.{rest:02},USD,AD-{seed}-{number}\n",
            quoted(licence)
        ));
    }
    Ok(text)
}

/// The first period that begins at `time` or later.
fn whole_after(time: u64) -> Option<Period> {
    let found = Period::containing(time)?;
    if found.start() >= time { Some(found) } else { Period::containing(found.end()) }
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// Numbers that follow from a seed alone: keccak256 of it and of how many were drawn.
struct Lot {
    seed: u64,
    drawn: u64,
}

impl Lot {
    /// A number below `most`; the bias of a remainder of 64 bits is far below what anybody could see.
    fn below(&mut self, most: u64) -> u64 {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.seed.to_be_bytes());
        bytes[8..].copy_from_slice(&self.drawn.to_be_bytes());
        self.drawn += 1;
        let hash = keccak256(bytes);
        let mut word = [0; 8];
        word.copy_from_slice(&hash[..8]);
        u64::from_be_bytes(word).checked_rem(most).unwrap_or(0)
    }
}
