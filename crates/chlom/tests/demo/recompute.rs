//! What a file must pay, worked out from its text alone: no code is shared with the chain or the lanes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// xorshift64*: the same seed, the same licences and receipts.
pub(crate) struct Lot(u64);

impl Lot {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) % most
    }
}

pub(crate) struct Licence {
    id: String,
    bps: u128,
    payees: Vec<(String, u128)>,
    denom: u128,
    /// Place of the licence above, and the share that passes up.
    parent: Option<(usize, u128, u128)>,
}

impl Licence {
    pub(crate) fn some(lot: &mut Lot) -> Vec<Self> {
        let count = 5 + lot.below(8) as usize;
        (0..count)
            .map(|place| {
                // Two levels at least: the third is below the second, that below the first.
                let above = match place {
                    0 => None,
                    1 | 2 => Some(place - 1),
                    _ => (lot.below(3) > 0).then(|| lot.below(place as u64) as usize),
                };
                let parent = above.map(|above| {
                    let d = 1 + u128::from(lot.below(999));
                    (above, 1 + u128::from(lot.below(d as u64)), d)
                });
                let payees: Vec<(String, u128)> = (0..1 + lot.below(9))
                    .map(|_| {
                        let address =
                            (0..5).map(|_| format!("{:08x}", lot.below(1 << 32))).collect::<String>();
                        (format!("0x{address}"), 1 + u128::from(lot.below(5_000)))
                    })
                    .collect();
                let denom = payees.iter().map(|(_, weight)| weight).sum();
                Self {
                    id: format!("LIC {place}/{}", lot.below(1 << 20)),
                    bps: u128::from(lot.below(10_001)),
                    payees,
                    denom,
                    parent,
                }
            })
            .collect()
    }

    fn percent(&self) -> String {
        format!("{}.{:02}", self.bps / 100, self.bps % 100)
    }
}

pub(crate) fn licences_json(licences: &[Licence]) -> String {
    let objects: Vec<String> = licences
        .iter()
        .map(|licence| {
            let splits: Vec<Value> =
                licence.payees.iter().map(|(to, weight)| json!({ "to": to, "weight": *weight as u64 })).collect();
            let mut object = json!({
                "id": licence.id, "owner": format!("0x{:040x}", 0xaaaa), "licensee": format!("0x{:040x}", 0xbbbb),
                "rights_granted": ["use"], "channels": ["web"], "territories": ["US"], "languages": ["EN"],
                "exclusivity": "NonExclusive", "start": "2024-02-01", "end": "2024-12-31", "audit_rights": false,
                "splits": splits, "denom": licence.denom as u64,
                "royalty": { "type": "percent", "value": "PERCENT" },
            });
            if let Some((above, n, d)) = licence.parent {
                object["parent"] = json!({ "id": licences[above].id, "rate": [n as u64, d as u64] });
            }
            // A number with the digits as they are.
            object.to_string().replace("\"PERCENT\"", &licence.percent())
        })
        .collect();
    format!("[{}]", objects.join(","))
}

/// The last day of February's fourth week, or a day of the fifth, which that leap year has.
fn time(lot: &mut Lot) -> String {
    let day = 22 + lot.below(8);
    format!("2024-02-{day}T{:02}:{:02}:{:02}Z", lot.below(24), lot.below(60), lot.below(60))
}

/// Up to six places, now and then none.
fn amount(millionths: u128, lot: &mut Lot) -> String {
    let text = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
    match lot.below(3) {
        0 => text,
        _ => {
            let short = text.trim_end_matches('0');
            short.trim_end_matches('.').to_owned()
        }
    }
}

pub(crate) fn csv_of_conversions(licences: &[Licence], lot: &mut Lot) -> String {
    let mut text = "event,ts,campaign,license_id,value,currency,txid\n".to_owned();
    for number in 0..300 + lot.below(300) {
        let most = if lot.below(9) == 0 { 40_000_000_000 } else { 90_000_000 };
        let value = u128::from(lot.below(most));
        let licence = &licences[lot.below(licences.len() as u64) as usize].id;
        let (ts, value) = (time(lot), amount(value, lot));
        text.push_str(&format!("ad_conversion,{ts},C-{},{licence},{value},USD,T-{number}\n", lot.below(9)));
    }
    text
}

pub(crate) fn csv_of_orders(licences: &[Licence], lot: &mut Lot) -> String {
    // As a spreadsheet leaves it: with a mark, quotes and its own ends of lines.
    let mut text = "\u{feff}event,ts,order_id,license_id,gross,discount,net,currency\r\n".to_owned();
    for number in 0..200 + lot.below(200) {
        let gross = u128::from(lot.below(500_000_000));
        let discount = u128::from(lot.below(gross as u64 + 1));
        let licence = &licences[lot.below(licences.len() as u64) as usize].id;
        let (ts, net) = (time(lot), amount(gross - discount, lot));
        let (gross, discount) = (amount(gross, lot), amount(discount, lot));
        text.push_str(&format!("order,{ts},O-{number},\"{licence}\",{gross},{discount},\"{net}\",USD\r\n"));
    }
    text
}

fn millionths(text: &str) -> u128 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{part:0<6}").parse().unwrap()
}

/// The README's arithmetic (devnet/data/demo): floors of sums, the fee of each licence and period, overrides, splits.
pub(crate) fn expected(licences: &[Licence], csv: &str) -> Value {
    let mut lines = csv.trim_start_matches('\u{feff}').lines();
    let columns: Vec<&str> = lines.next().unwrap().split(',').collect();
    let column = |name: &str| columns.iter().position(|column| *column == name);
    let revenue_column = column("net").or(column("value")).unwrap();
    // By licence and week of the month.
    let mut revenue: BTreeMap<(&str, u32), u128> = BTreeMap::new();
    for line in lines {
        let cells: Vec<&str> = line.split(',').map(|cell| cell.trim_matches('"')).collect();
        let day: u32 = cells[column("ts").unwrap()][8..10].parse().unwrap();
        let licence = cells[column("license_id").unwrap()];
        *revenue.entry((licence, day.div_ceil(7))).or_default() += millionths(cells[revenue_column]);
    }
    let count = licences.len();
    let (mut revenues, mut bases, mut fees) = (vec![0u128; count], vec![0u128; count], vec![0u128; count]);
    for (place, licence) in licences.iter().enumerate() {
        for week in 1..=5 {
            let revenue = revenue.get(&(licence.id.as_str(), week)).copied().unwrap_or(0);
            let base = revenue * licence.bps / 10_000;
            revenues[place] += revenue;
            bases[place] += base;
            fees[place] += (base * 50 / 10_000).min(1_000_000_000);
        }
    }
    // Parents stand before their children: from the last to the first all below is known.
    let mut inflow: Vec<u128> = (0..count).map(|place| bases[place] - fees[place]).collect();
    let mut kept = vec![0; count];
    for place in (0..count).rev() {
        let up = licences[place].parent.map_or(0, |(above, n, d)| {
            let up = inflow[place] * n / d;
            inflow[above] += up;
            up
        });
        kept[place] = inflow[place] - up;
    }
    let (mut paid, mut residuals) = (0, 0);
    let of = |(place, licence): (usize, &Licence)| {
        let shares = licence.payees.iter().map(|(to, weight)| (to, weight * kept[place] / licence.denom));
        let payees: Vec<Value> = shares
            .clone()
            .map(|(to, amount)| json!({ "address": to, "amount": amount.to_string() }))
            .collect();
        let sum: u128 = shares.map(|(_, amount)| amount).sum();
        paid += sum;
        residuals += kept[place] - sum;
        json!({
            "id": licence.id, "revenue": revenues[place].to_string(), "base": bases[place].to_string(),
            "fee": fees[place].to_string(), "payees": payees, "residual": (kept[place] - sum).to_string(),
        })
    };
    let all: Vec<Value> = licences.iter().enumerate().map(of).collect();
    let (gross, fees): (u128, u128) = (bases.iter().sum(), fees.iter().sum());
    assert_eq!(gross, fees + paid + residuals, "the recomputation itself");
    json!({
        "licenses": all,
        "totals": {
            "gross": gross.to_string(), "fees": fees.to_string(), "paid": paid.to_string(), "residual": residuals.to_string(),
        },
    })
}
