//! `chlom lane export` and `chlom verify statement` on a chain of their own: licences with overrides, receipts of two weeks settled by
//! `chlom lane run`, a statement for every payee; each holds against the block it was made at, says what the ledger owes, and does not
//! hold any more once anything in it or around it is another.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, clippy::disallowed_types)]

mod world;

use std::{collections::BTreeMap, path::Path, process::Output};

use alloy_primitives::{Address, B256, U256, hex};
use serde_json::{Value, json};
use world::{World, chlom};

/// `chlom verify statement FILE …`
fn verify(file: &Path, trusted: &[&str]) -> Output {
    chlom().args(["verify", "statement", "--json"]).arg(file).args(trusted).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Not so, with this exit code and these words.
fn refused(output: &Output, code: i32, words: &str) {
    let said = said(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(words), "{said:?} has no {words:?}");
    assert!(output.stdout.is_empty());
}

fn number(value: &Value) -> u128 {
    value.as_str().unwrap().parse().unwrap()
}

#[test]
fn stm_1_every_payee_has_a_statement_that_holds_against_its_block_and_no_other() {
    let world = World::settled();
    let exported: Value = serde_json::from_str(&world.export("all", &[])).unwrap();
    let block = exported["block"]["hash"].as_str().unwrap().to_owned();
    let folder = world.path("all");

    // [STM-12] What the files say is what the ledger owes, payee by payee.
    let owed = world.owed();
    let mut stated: BTreeMap<Address, U256> = BTreeMap::new();
    for statement in exported["statements"].as_array().unwrap() {
        let payee: Address = statement["payee"].as_str().unwrap().parse().unwrap();
        let file = folder.join(format!("{payee}.json"));
        let output = verify(&file, &["--block-hash", &block]);
        assert!(output.status.success(), "{}", said(&output));
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(found["holds"], true);
        assert_eq!(found["accruals"], found["itemised"], "all rows are shown");
        let amount = number(&found["total"]["amount"]);
        stated.insert(payee, U256::from(amount));
        let whole: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let lines = whole["lines"].as_array().unwrap();
        let sum: u128 = lines.iter().map(|line| number(&line["amount"])).sum();
        assert_eq!(sum, amount, "the lines are all there is");
        // [STM-20] One line of CSV each, and one of columns.
        let csv = std::fs::read_to_string(file.with_extension("csv")).unwrap();
        assert_eq!(csv.lines().count(), lines.len() + 1);
    }
    assert_eq!(stated, owed);
    let payees: Vec<Address> = stated.keys().copied().collect();
    assert!(payees.len() > 4, "several payees: {payees:?}");

    let file = folder.join(format!("{}.json", world.override_payee()));
    let lines = |file: &Path| -> Vec<Value> {
        let whole: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        whole["lines"].as_array().unwrap().clone()
    };
    assert!(
        lines(&file).iter().any(|line| line["licence"] != line["earnedBy"]),
        "what passes up has lines of its own"
    );

    // The header from a file: as a node answers, and as RLP.
    let header = world.file("header.json", &world.block(&block).to_string());
    assert!(verify(&file, &["--header", &header]).status.success());
    let statement: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let rlp = world.file("header.rlp", statement["header"].as_str().unwrap());
    assert!(verify(&file, &["--header", &rlp]).status.success());
    // Or a node's word.
    assert!(verify(&file, &["--rpc", &world.url]).status.success());

    // Nothing is trusted unsaid, and not two things at once.
    refused(&verify(&file, &[]), 2, "--block-hash");
    refused(&verify(&file, &["--block-hash", &block, "--rpc", &world.url]), 2, "cannot be used with");

    another_block_or_chain(&world, &file, &block);
    anything_changed(&world, &file, &block);
    no_statement_at_all(&world, &file, &block);
    periods_and_payments(&world);
}

/// [STM-2].
fn another_block_or_chain(world: &World, file: &Path, block: &str) {
    let other = world.block_at(1)["hash"].as_str().unwrap().to_owned();
    refused(&verify(file, &["--block-hash", &other]), 6, "not the trusted block");
    let header = world.file("other.json", &world.block_at(1).to_string());
    refused(&verify(file, &["--header", &header]), 6, "another block or another chain");
    // A header whose hash was left as it was.
    let mut forged = world.block(block);
    forged["stateRoot"] = json!(B256::repeat_byte(7));
    let forged = world.file("forged.json", &forged.to_string());
    refused(&verify(file, &["--header", &forged]), 2, "hashes to");
    let genesis = world.file("genesis.json", r#"{ "config": { "chainId": 99 }, "alloc": {} }"#);
    let foreign = World::bare(&["--genesis", &genesis]);
    refused(&verify(file, &["--rpc", &foreign.url]), 6, "the node's chain is 99");
    let same_id = World::bare(&[]);
    refused(&verify(file, &["--rpc", &same_id.url]), 6, "has no block");
    refused(&verify(file, &["--rpc", "http://127.0.0.1:1"]), 1, "no answer from");
}

/// [STM-3], [STM-10]: every number and every node of the file, one after the other, as something else.
fn anything_changed(world: &World, file: &Path, block: &str) {
    let whole: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let mut places = Vec::new();
    leaves(&whole, String::new(), &mut places);
    let mut tried: BTreeMap<String, usize> = BTreeMap::new();
    for place in places {
        // Of a kind of place a few: every name of a field, wherever it stands.
        let kind: String = place.chars().filter(|c| !c.is_ascii_digit()).collect();
        let seen = tried.entry(kind).or_default();
        *seen += 1;
        // [STM-4] What the header does not prove, and what nothing depends on.
        if *seen > 3 || place == "/chainId" {
            continue;
        }
        let mut changed = whole.clone();
        alter(changed.pointer_mut(&place).unwrap());
        let changed = world.file("changed.json", &changed.to_string());
        let output = verify(Path::new(&changed), &["--block-hash", block]);
        let code = output.status.code().unwrap();
        assert!(code == 6 || code == 2, "{place}: {code} {}", said(&output));
        assert!(said(&output).starts_with("error: "), "{place}: {}", said(&output));
    }
    assert!(tried.len() > 40, "{tried:?}");
    // In words that say where.
    let mut changed = whole.clone();
    let amount = number(&whole["lines"][0]["amount"]);
    changed["lines"][0]["amount"] = json!((amount + 1).to_string());
    let text = world.file("changed.json", &changed.to_string());
    refused(&verify(Path::new(&text), &["--block-hash", block]), 6, "lines[0].amount is");
    let mut changed = whole.clone();
    changed["evidence"]["nodes"].as_array_mut().unwrap().remove(0);
    let text = world.file("changed.json", &changed.to_string());
    refused(&verify(Path::new(&text), &["--block-hash", block]), 6, "is cut");
    // [STM-12] Something left out shows in the sums.
    let mut changed = whole.clone();
    let routes = changed["evidence"]["routes"].as_array_mut().unwrap();
    let earner = routes.iter_mut().rev().find(|route| route.get("accruals").is_some()).unwrap();
    earner["accruals"].as_array_mut().unwrap().pop();
    let text = world.file("changed.json", &changed.to_string());
    refused(&verify(Path::new(&text), &["--block-hash", block]), 6, "left out or listed twice");
}

/// Places of all values that are no containers.
fn leaves(value: &Value, place: String, found: &mut Vec<String>) {
    match value {
        Value::Array(all) => {
            all.iter()
                .enumerate()
                .for_each(|(index, value)| leaves(value, format!("{place}/{index}"), found));
        }
        Value::Object(all) => {
            all.iter().for_each(|(key, value)| leaves(value, format!("{place}/{key}"), found))
        }
        _ => found.push(place),
    }
}

/// Something else of the same kind.
fn alter(value: &mut Value) {
    *value = match value {
        Value::Bool(yes) => json!(!*yes),
        Value::Number(number) => json!(number.as_u64().unwrap() + 1),
        Value::String(text) => match text.strip_prefix("0x") {
            Some(digits) if !digits.is_empty() => {
                let mut bytes = hex::decode(digits).unwrap_or_else(|_| vec![1]);
                *bytes.last_mut().unwrap() ^= 1;
                json!(hex::encode_prefixed(bytes))
            }
            _ => match text.parse::<u128>() {
                Ok(number) => json!((number + 1).to_string()),
                Err(_) => json!(format!("{text}x")),
            },
        },
        other => panic!("{other}"),
    };
}

/// Broken, cut, too long, something else.
fn no_statement_at_all(world: &World, file: &Path, block: &str) {
    let text = std::fs::read_to_string(file).unwrap();
    let check = |text: &str, words: &str| {
        let path = world.file("no.json", text);
        refused(&verify(Path::new(&path), &["--block-hash", block]), 2, words);
    };
    check(&text[..text.len() / 2], "not a whole statement");
    check("", "not a whole statement");
    check(&format!("{text}{{}}"), "trailing characters");
    check(&text.replacen("chlom-statement-1", "chlom-statement-2", 1), "this build reads");
    check(&text.replacen("\"payee\"", "\"note\": 1, \"payee\"", 1), "unknown field");
    check(&"[".repeat(100_000), "not a whole statement");
    let huge = world.path("huge.json");
    std::fs::File::create(&huge).unwrap().set_len((64 << 20) + 1).unwrap();
    refused(&verify(&huge, &["--block-hash", block]), 2, "longer than 67108864 bytes");
    refused(&verify(&world.path("none.json"), &["--block-hash", block]), 2, "No such file");
    refused(&verify(file, &["--header", huge.to_str().unwrap()]), 2, "a header is not");
}

/// [STM-15], [STM-5]: lines of one week only, and what was taken once it was.
fn periods_and_payments(world: &World) {
    let payee = world.override_payee();
    let [first, second] = world.periods.map(|period| period.code().to_string());
    let of_week = |name: &str, args: &[&str]| -> Value {
        world.export(name, &[&["--payee", &payee.to_string()], args].concat());
        let file = world.path(name).join(format!("{payee}.json"));
        let statement: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let hash = alloy_primitives::keccak256(hex::decode(statement["header"].as_str().unwrap()).unwrap());
        let output = verify(&file, &["--block-hash", &hash.to_string()]);
        assert!(output.status.success(), "{}", said(&output));
        statement
    };
    let sum = |statement: &Value| -> u128 {
        statement["lines"].as_array().unwrap().iter().map(|line| number(&line["amount"])).sum()
    };
    let (one, other) = (of_week("one", &["--to", &first]), of_week("other", &["--from", &second]));
    assert!(sum(&one) > 0 && sum(&other) > 0);
    assert_eq!(sum(&one) + sum(&other), number(&one["total"]["amount"]));
    assert_eq!(number(&one["total"]["taken"]), 0);
    world.withdraw(payee);
    let after = of_week("after", &[]);
    assert_eq!(after["total"]["taken"], after["total"]["amount"]);
    assert_eq!(number(&after["total"]["due"]), 0);
    assert_eq!(after["total"]["amount"], one["total"]["amount"]);
    // Somebody whom nothing reached.
    let nobody = Address::repeat_byte(9).to_string();
    let output = world.export_output("nobody", &["--payee", &nobody]);
    refused(&output, 2, "nothing that this lane settled reaches");
    refused(&world.export_output("nobody", &["--from", &second, "--to", &first]), 2, "is after");
}
