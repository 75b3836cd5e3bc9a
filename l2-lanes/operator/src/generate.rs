//! Receipts and licences that nobody ever had, from a seed: the same recipe gives the same bytes, on every machine.

use std::io::{self, Write};

use alloy_primitives::{Address, keccak256};
use chlom_royalty::Period;
use serde_json::{Value, json};

/// Payees of a licence's split, one of these.
const PAYEES: [u64; 5] = [1, 2, 3, 7, 11];
/// Royalties in percent, one of these, as they are written.
const PERCENTS: [&str; 5] = ["5", "12.5", "20", "33.33", "100"];
/// All weights of a split together.
const DENOM: u64 = 10_000;
/// Denominator of what a parent gets.
const RATE: u64 = 999;
/// Parents above a licence, at most.
const DEPTH: u8 = 3;
const CAMPAIGNS: u64 = 40;

/// What receipts are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// `ad_conversion`.
    AdConversion,
    /// `order`.
    Order,
}

/// What to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// How many receipts.
    pub receipts: u64,
    /// How many licences; at least one.
    pub licences: u32,
    /// What everything is drawn from.
    pub seed: u64,
    /// The period of all receipts, and the first of the licences.
    pub period: Period,
    /// What is reported.
    pub event: Event,
}

/// SplitMix64: small, well distributed, and the same for ever. Nothing here is a secret.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    /// From 0 to below `end`. The bias is below 2⁻³² for what is drawn here.
    fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or_default()
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len() as u64)).unwrap_or_default()]
    }
}

impl Recipe {
    /// A stream of draws of its own for each purpose, so that more receipts are not other licences.
    fn draws(&self, purpose: u64) -> Draws {
        let mut draws = Draws(self.seed ^ purpose.wrapping_mul(0xd6e8_feb8_6659_fd93));
        draws.next();
        draws
    }

    fn address(&self, what: &str) -> Address {
        Address::from_word(keccak256(format!("{} {what}", self.seed)))
    }

    /// An array of License Objects (REF §4.1) with splits and parents.
    ///
    /// # Errors
    /// The writer's.
    pub fn write_licences(&self, out: &mut impl Write) -> io::Result<()> {
        let mut draws = self.draws(1);
        let mut depths: Vec<u8> = Vec::new();
        out.write_all(b"[\n")?;
        for number in 0..self.licences {
            let fitting: Vec<usize> = (0..depths.len()).filter(|parent| depths[*parent] < DEPTH).collect();
            let parent = (!fitting.is_empty() && draws.below(10) < 6).then(|| draws.of(&fitting));
            depths.push(parent.map_or(0, |parent| depths[parent] + 1));
            let licence = self.licence(number, parent, &mut draws);
            let comma = if number + 1 < self.licences { "," } else { "" };
            writeln!(out, " {licence}{comma}")?;
        }
        out.write_all(b"]\n")
    }

    fn licence(&self, number: u32, parent: Option<usize>, draws: &mut Draws) -> Value {
        let (year, month) = (self.period.code() / 10_000, self.period.code() / 100 % 100);
        let percent: Value = serde_json::from_str(draws.of(&PERCENTS)).unwrap_or_default();
        let payees = draws.of(&PAYEES);
        // Cuts in a row of weights, each at least 1.
        let mut left = DENOM;
        let mut splits = Vec::new();
        for payee in 0..payees {
            let others = payees - payee - 1;
            let weight = if others == 0 { left } else { 1 + draws.below((left - others) * 2 / (others + 1)) };
            let weight = weight.min(left - others);
            left -= weight;
            splits.push(json!({"to": self.address(&format!("payee {number} {payee}")), "weight": weight}));
        }
        let mut licence = json!({
            "id": licence_name(number),
            "owner": self.address(&format!("owner {number}")),
            "licensee": self.address(&format!("licensee {number}")),
            "rights_granted": ["use"], "channels": ["web", "ads"], "territories": ["US-VA"], "languages": ["EN"],
            "exclusivity": "NonExclusive",
            "start": format!("{year:04}-{month:02}-01"), "end": format!("{:04}-{month:02}-28", year + 1),
            "royalty": {"type": "percent", "value": percent},
            "audit_rights": true, "privacy_flags": {"rates_private": false},
            "splits": splits, "denom": DENOM,
        });
        if let Some(parent) = parent {
            let rate = 1 + draws.below(RATE - 1);
            let parent = licence_name(u32::try_from(parent).unwrap_or_default());
            licence["parent"] = json!({"id": parent, "rate": [rate, RATE]});
        }
        licence
    }

    /// CSV in the columns of its event.
    ///
    /// # Errors
    /// The writer's.
    pub fn write_receipts(&self, out: &mut impl Write) -> io::Result<()> {
        let mut draws = self.draws(2);
        out.write_all(match self.event {
            Event::AdConversion => b"event,ts,campaign,license_id,value,currency,txid\n".as_slice(),
            Event::Order => b"event,ts,order_id,license_id,gross,discount,net,currency\n",
        })?;
        for number in 0..self.receipts {
            let time = self.time(&mut draws);
            let licence = licence_name(u32::try_from(draws.below(self.licences.into())).unwrap_or_default());
            let cents = if draws.below(10) == 0 { draws.below(2_000_000) } else { draws.below(20_000) };
            let (seed, money) = (self.seed, |cents: u64| format!("{}.{:02}", cents / 100, cents % 100));
            match self.event {
                Event::AdConversion => {
                    let (campaign, value) = (draws.below(CAMPAIGNS), money(cents));
                    writeln!(
                        out,
                        "ad_conversion,{time},CAMP-{campaign},{licence},{value},USD,AD-{seed}-{number}"
                    )?;
                }
                Event::Order => {
                    let discount = if draws.below(4) == 0 { draws.below(cents + 1) } else { 0 };
                    let (gross, net) = (money(cents), money(cents - discount));
                    let discount = money(discount);
                    writeln!(out, "order,{time},OR-{seed}-{number},{licence},{gross},{discount},{net},USD")?;
                }
            }
        }
        Ok(())
    }

    fn time(&self, draws: &mut Draws) -> String {
        let code = self.period.code();
        let (year, month, first) = (code / 10_000, code / 100 % 100, u64::from(code % 100) * 7 - 6);
        let second = draws.below(self.period.end() - self.period.start());
        let (day, second) = (first + second / 86_400, second % 86_400);
        format!(
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
            second / 3_600,
            second / 60 % 60,
            second % 60
        )
    }
}

fn licence_name(number: u32) -> String {
    format!("AST-{}", 9_000 + u64::from(number))
}
