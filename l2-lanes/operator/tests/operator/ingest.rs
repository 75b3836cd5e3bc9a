//! From files into the store: what is taken, what is refused, and that nothing else is lost.

use std::{fs, path::Path};

use chlom_lane::receipt::{Intake, Name};
use chlom_operator::{
    Store,
    generate::{Event, Recipe},
    ingest::{Bounds, FileFault, ImportError, Imported, RejectFile, import},
    store::Lane,
};
use proptest::prelude::*;

use crate::stores::{payer, week};

const ADS: &str = "event,ts,campaign,license_id,value,currency,txid";
const ORDERS: &str = "event,ts,order_id,license_id,gross,discount,net,currency";
const LATEST: u64 = 1_800_000_000;

struct Desk {
    folder: tempfile::TempDir,
    store: Store,
    lane: Lane,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_file(&folder.path().join("store.sqlite")).unwrap();
        let lane = store.make_lane("adluxe", "USD", 6).unwrap();
        Self { folder, store, lane }
    }

    fn bounds(&self) -> Bounds {
        Bounds { period: None, latest: LATEST }
    }

    fn read(&self, content: impl AsRef<[u8]>) -> Result<(Imported, Vec<String>), ImportError> {
        self.read_with(content, self.bounds())
    }

    /// What an import did, and the lines of the file of rejects: `line,field,reason`.
    fn read_with(
        &self,
        content: impl AsRef<[u8]>,
        bounds: Bounds,
    ) -> Result<(Imported, Vec<String>), ImportError> {
        let (path, rejects) = (self.folder.path().join("in"), self.folder.path().join("rejects.csv"));
        fs::write(&path, content).unwrap();
        let _none = fs::remove_file(&rejects);
        let intake = Intake {
            currency: "USD".into(),
            decimals: 6,
            payer: Some(payer(7)),
            source: Some(Name::new("shop").unwrap()),
        };
        let mut file = RejectFile::new(&rejects);
        let done = import(&self.store, &self.lane, &path, &intake, bounds, &mut file, |_| {})?;
        let text = fs::read_to_string(&rejects).unwrap_or_default();
        let name = format!("{},", path.display());
        let lines: Vec<String> = text
            .lines()
            .skip(1)
            .map(|line| line.strip_prefix(&name).expect("the file's name").to_owned())
            .collect();
        assert_eq!(lines.len() as u64, done.refused, "{text}");
        Ok((done, lines))
    }

    fn count(&self) -> u64 {
        self.store.counts(&self.lane).unwrap().iter().map(|count| count.receipts).sum()
    }
}

fn ad(id: &str, value: &str) -> String {
    format!("ad_conversion,2025-09-02T04:01:05Z,CAMP-21,AST-9007,{value},USD,{id}")
}

fn done(accepted: u64, known: u64, refused: u64) -> Imported {
    Imported { accepted, known, refused }
}

#[test]
fn csv_of_both_column_sets_is_taken_and_taken_again_changes_nothing() {
    let desk = Desk::new();
    let ads = format!("{ADS}\n{}\n{}\n", ad("A-1", "10263.00"), ad("A-2", "30.34"));
    assert_eq!(desk.read(&ads).unwrap(), (done(2, 0, 0), vec![]));
    assert_eq!(desk.read(&ads).unwrap(), (done(0, 2, 0), vec![]));
    let order = format!("{ORDERS}\norder,2025-09-02T04:01:05Z,O-1,AST-1,84.00,4.00,80.00,USD");
    assert_eq!(desk.read(order).unwrap().0, done(1, 0, 0));
    let revenue: Vec<u128> =
        desk.store.waiting(&desk.lane, week()).map(|found| found.unwrap().receipt.body.revenue()).collect();
    assert_eq!(revenue, [10_263_000_000, 30_340_000, 80_000_000]);
    assert_eq!(desk.store.last_imports(&desk.lane, 9).unwrap().len(), 3);
}

#[test]
fn csv_is_read_as_spreadsheets_export_it() {
    let desk = Desk::new();
    // A mark of UTF-8, ends of line of Windows, quotes where none are needed, columns in another order, blank lines.
    let text = "\u{feff}\"txid\",\"value\",event,ts,campaign,license_id,currency\r\n\
        \"A-1\",\"84.00\",ad_conversion,2025-09-02T04:01:05Z,\"Sommer, \"\"große\"\" Wäsche\",AST-1,USD\r\n\r\n\
        A-2,1,ad_conversion,2025-09-02T04:01:05Z,x,AST-1,USD\r\n";
    assert_eq!(desk.read(text).unwrap(), (done(2, 0, 0), vec![]));
    let first = desk.store.waiting(&desk.lane, week()).next().unwrap().unwrap().receipt;
    assert_eq!(first.body.parts().label, "Sommer, \"große\" Wäsche");
}

#[test]
fn what_is_refused_is_listed_and_nothing_else_is_lost() {
    let desk = Desk::new();
    let huge = ad("A-1", &"9".repeat(100_000));
    let bad: Vec<(String, &str, &str)> = vec![
        (ad("A-1", "1.2345678"), "value", "at most 6 places"),
        (ad("A-1", "\"84,00\""), "value", "behind a point"),
        (ad("A-1", "\"1.234,00\""), "value", "behind a point"),
        (ad("A-1", "-5.00"), "value", "without sign"),
        (ad("A-1", "1e3"), "value", "exponent"),
        (ad("A-1", "79228162514264337593543950336"), "value", "below 2^96"),
        (ad("A-1", "99999999999999999999999999999999999999999999999999"), "value", "below 2^96"),
        (ad("A-1", ""), "value", "needs the field value"),
        (ad("A 1", "1"), "txid", "no space"),
        (ad("A-1", "1").replace("USD", "EUR"), "currency", "counts in USD"),
        (ad("A-1", "1").replace("ad_conversion", "refund"), "event", "none of"),
        (ad("A-1", "1").replace("T04:01:05Z", " 04:01"), "ts", "no time such as"),
        (ad("A-1", "1").replace("2025-09-02", "2025-02-30"), "ts", "no time such as"),
        (ad("A-1", "1").replace("2025", "2099"), "ts", "later than"),
        (ad("A-1", "1").replace("CAMP-21", "\"CAMP"), "", "never closed"),
        (ad("A-1", "1").replace("CAMP-21", "CA\"MP"), "", "within a cell"),
        (ad("A-1", "1").replace("CAMP-21", "CA,MP"), "", "it has 8 cells"),
        (ad("A-1", "1").replace(",CAMP-21", ""), "", "it has 6 cells"),
        (ad("A-1", "1").replace("CAMP-21", &"x".repeat(65)), "campaign", "1 to 64 bytes"),
        (huge, "", "more than 16384 bytes"),
    ];
    let mut text = format!("{ADS}\n").into_bytes();
    for (number, (line, ..)) in bad.iter().enumerate() {
        text.extend_from_slice(format!("{line}\n{}\n", ad(&format!("GOOD-{number}"), "1.00")).as_bytes());
    }
    // Not UTF-8: as a spreadsheet of Windows writes it that was not asked for UTF-8.
    text.extend_from_slice(b"ad_conversion,2025-09-02T04:01:05Z,W\xe4sche,AST-1,1,USD,A-1\n");
    let (imported, lines) = desk.read(&text).unwrap();
    assert_eq!(imported, done(bad.len() as u64, 0, bad.len() as u64 + 1));
    assert_eq!(desk.count(), bad.len() as u64);
    for (number, (line, field, reason)) in bad.iter().enumerate() {
        let at = format!("{},{field},", 2 * number + 2);
        assert!(
            lines[number].starts_with(&at) && lines[number].contains(reason),
            "{line}: {}",
            lines[number]
        );
    }
    assert!(lines.last().unwrap().contains("byte 37 is not UTF-8"), "{lines:?}");
}

#[test]
fn an_id_with_another_content_is_refused_whether_in_one_file_or_in_two() {
    let desk = Desk::new();
    let text = format!("{ADS}\n{}\n{}\n{}\n", ad("A-1", "1"), ad("A-1", "2"), ad("A-1", "1"));
    let (imported, lines) = desk.read(text).unwrap();
    assert_eq!(imported, done(1, 1, 1));
    assert!(lines[0].starts_with("3,txid,") && lines[0].contains("A-1 of source shop"), "{lines:?}");
    let (imported, lines) = desk.read(format!("{ADS}\n{}", ad("A-1", "3"))).unwrap();
    assert_eq!((imported, lines.len()), (done(0, 0, 1), 1));
}

#[test]
fn ndjson_and_arrays_are_taken_as_csv_is() {
    let desk = Desk::new();
    let one = |id: &str| {
        format!(
            "{{\"event\":\"view\",\"ts\":\"2025-09-02T04:01:05Z\",\"view_id\":\"{id}\",\"title\":\"T\",\"views\":3,\"value\":\"1.5\",\"license_id\":\"L\",\"currency\":\"USD\"}}"
        )
    };
    let spy = one("V-9").replace("\"views\":3", "\"views\":3,\"email\":\"someone@example.org\"");
    let (imported, lines) =
        desk.read(format!("{}\r\n\n{spy}\n{}\n{{broken\n", one("V-1"), one("V-2"))).unwrap();
    assert_eq!(imported, done(2, 0, 2));
    assert!(
        lines[0].starts_with("3,,") && lines[0].contains("email") && !lines[0].contains("example.org"),
        "{lines:?}"
    );
    let array = format!("\u{feff}[{},\n{spy},\n {} , 7, {}]", one("V-2"), one("V-3"), one("V-4"));
    let (imported, lines) = desk.read(array).unwrap();
    assert_eq!(imported, done(1, 1, 2));
    assert!(lines[1].starts_with("3,,") && lines[1].contains("nothing from here on was read"), "{lines:?}");
}

#[test]
fn a_file_that_is_no_list_of_receipts_is_refused_with_what_to_do() {
    let desk = Desk::new();
    let fault = |content: &[u8]| match desk.read(content) {
        Err(ImportError::File { fault, .. }) => fault,
        other => panic!("{other:?}"),
    };
    assert_eq!(fault(b"\xff\xfee\0v\0"), FileFault::Utf16);
    assert_eq!(fault(b""), FileFault::Empty);
    assert_eq!(fault(b"event;ts;value\n"), FileFault::Delimiter("semicolons"));
    assert_eq!(fault(b"event,ts,customer_email\n"), FileFault::Column("customer_email".into()));
    assert!(matches!(desk.store.last_imports(&desk.lane, 9).unwrap().as_slice(), []), "nothing began");
}

#[test]
fn a_period_that_was_asked_for_keeps_others_out() {
    let desk = Desk::new();
    let bounds = Bounds { period: Some(week()), latest: LATEST };
    let text = format!("{ADS}\n{}\n{}\n", ad("A-1", "1"), ad("A-2", "1").replace("09-02", "09-09"));
    let (imported, lines) = desk.read_with(text, bounds).unwrap();
    assert_eq!(imported, done(1, 0, 1));
    assert!(lines[0].starts_with("3,ts,") && lines[0].contains("20250902"), "{lines:?}");
}

#[test]
fn an_import_that_was_stopped_goes_on_when_it_is_run_again() {
    let desk = Desk::new();
    let all: Vec<String> = (0..50).map(|n| ad(&format!("A-{n}"), "1")).collect();
    // As if the process had ended within the file.
    desk.read(format!("{ADS}\n{}", all[..20].join("\n"))).unwrap();
    assert_eq!(desk.read(format!("{ADS}\n{}", all.join("\n"))).unwrap().0, done(30, 20, 0));
}

#[test]
fn the_worked_example_is_taken_whole() {
    let desk = Desk::new();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors/demo/receipts.csv");
    assert_eq!(desk.read(fs::read(path).unwrap()).unwrap(), (done(2_000, 0, 0), vec![]));
}

#[test]
fn a_recipe_gives_the_same_bytes_and_receipts_that_are_all_taken() {
    let desk = Desk::new();
    for (event, seed) in [(Event::AdConversion, 1), (Event::Order, 2)] {
        let recipe = Recipe { receipts: 3_000, licences: 50, seed, period: week(), event };
        let make = |recipe: Recipe| {
            let (mut receipts, mut licences) = (Vec::new(), Vec::new());
            recipe.write_receipts(&mut receipts).unwrap();
            recipe.write_licences(&mut licences).unwrap();
            (receipts, licences)
        };
        let (receipts, licences) = make(recipe);
        assert!(make(recipe) == (receipts.clone(), licences.clone()));
        assert!(make(Recipe { seed: 9, ..recipe }).0 != receipts);
        let bounds = Bounds { period: Some(week()), latest: LATEST };
        assert_eq!(desk.read_with(&receipts, bounds).unwrap(), (done(3_000, 0, 0), vec![]));
        let licences: serde_json::Value = serde_json::from_slice(&licences).unwrap();
        let licences = licences.as_array().unwrap();
        assert_eq!(licences.len(), 50);
        for licence in licences {
            let splits = licence["splits"].as_array().unwrap();
            let weights: Vec<u64> = splits.iter().map(|split| split["weight"].as_u64().unwrap()).collect();
            assert!(weights.iter().all(|weight| *weight > 0), "{licence}");
            assert_eq!(weights.iter().sum::<u64>(), licence["denom"].as_u64().unwrap());
        }
        assert!(licences.iter().any(|licence| licence.get("parent").is_some()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever stands between them, lines that are receipts are taken, and lines that are none are listed.
    #[test]
    fn any_bytes_between_receipts_lose_none(noise in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..20)) {
        let desk = Desk::new();
        let mut text = format!("{ADS}\n").into_bytes();
        let mut lines = 0;
        for (number, noise) in noise.iter().enumerate() {
            let noise: Vec<u8> = noise.iter().copied().filter(|byte| *byte != b'\n').collect();
            lines += u64::from(!noise.trim_ascii().is_empty());
            text.extend_from_slice(&noise);
            text.extend_from_slice(format!("\n{}\n", ad(&format!("A-{number}"), "1")).as_bytes());
        }
        let (imported, _) = desk.read(&text).unwrap();
        prop_assert_eq!(imported, done(noise.len() as u64, 0, lines));
    }
}
