//! `chlom lane` as an operator meets it: real processes, files and exit codes.

#![allow(clippy::disallowed_types, clippy::disallowed_methods, clippy::unwrap_used)]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

const PAYER: &str = "0x0707070707070707070707070707070707070707";

fn lane(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chlom"));
    command.arg("lane").args(arguments).current_dir(folder);
    command.env_remove("CHLOM_LANE_DATA").env_remove("CHLOM_DATABASE").output().unwrap()
}

fn ok(folder: &Path, arguments: &[&str]) -> String {
    let output = lane(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn fails(folder: &Path, arguments: &[&str], code: i32) -> String {
    let output = lane(folder, arguments);
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stderr).unwrap()
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn an_operator_goes_from_nothing_to_receipts_that_wait() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    assert!(fails(home, &["status", "--data", "op"], 2).contains("chlom lane init"));
    let made = parsed(&ok(home, &["init", "--data", "op", "--lane", "adluxe", "--json"]));
    assert_eq!(
        (&made["database"], &made["currency"], &made["decimals"]),
        (&json!("sqlite"), &json!("USD"), &json!(6))
    );
    assert_eq!(fs::metadata(home.join("op")).unwrap().permissions().mode() & 0o777, 0o700);
    ok(home, &["init", "--data", "op", "--lane", "adluxe"]);
    assert!(
        fails(home, &["init", "--data", "op", "--lane", "adluxe", "--currency", "EUR"], 5)
            .contains("counts in USD")
    );
    fs::write(home.join("other"), "").unwrap();
    assert!(fails(home, &["init", "--data", ".", "--lane", "adluxe"], 2).contains("holds other things"));

    ok(home, &["generate", "--receipts", "5000", "--licenses", "30", "--seed", "3", "--out", "made"]);
    let ingest =
        ["ingest", "--data", "op", "--payer", PAYER, "--source", "shop", "made/receipts.csv", "--json"];
    let done = parsed(&ok(home, &ingest));
    let file = |known, accepted| json!({"file": "made/receipts.csv", "accepted": accepted, "known": known, "refused": 0});
    assert_eq!(done, json!({"files": [file(0, 5_000)], "rejects": null}));
    assert_eq!(parsed(&ok(home, &ingest))["files"][0], file(5_000, 0));
    let status = parsed(&ok(home, &["status", "--data", "op", "--json"]));
    let period = &status["lanes"][0]["periods"][0];
    assert_eq!((&period["period"], &period["waiting"]), (&json!(20_250_901), &json!(5_000)));
    let shown = ok(home, &["status", "--data", "op"]);
    assert!(shown.contains("20250901  5000") && shown.contains("made/receipts.csv"), "{shown}");
    // Fifty years: nothing is that old.
    assert!(
        parsed(&ok(home, &["retain", "--data", "op", "--months", "600", "--json"]))["removed"] == json!([])
    );
}

#[test]
fn what_is_refused_is_in_a_file_and_the_exit_code_says_so() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    ok(home, &["init", "--data", "op", "--lane", "adluxe"]);
    let good = "ad_conversion,2025-09-02T04:01:05Z,C,AST-1,1.00,USD,A-";
    let text = format!(
        "event,ts,campaign,license_id,value,currency,txid\n{good}1\n{}\n{good}2\n",
        good.replace("1.00", "-1")
    );
    fs::write(home.join("in.csv"), text).unwrap();
    fs::write(home.join("excel.csv"), "event;ts\n").unwrap();
    let ingest = ["ingest", "--data", "op", "--payer", PAYER, "--source", "shop", "excel.csv", "in.csv"];
    assert!(fails(home, &ingest, 7).contains("op/rejects.csv"));
    let rejects = fs::read_to_string(home.join("op/rejects.csv")).unwrap();
    let lines: Vec<&str> = rejects.lines().collect();
    assert_eq!((lines.len(), lines[0]), (3, "file,line,field,reason"));
    assert!(lines[1].starts_with("excel.csv,1,,") && lines[1].contains("semicolons"), "{rejects}");
    assert!(lines[2].starts_with("in.csv,3,value,"), "{rejects}");
    assert_eq!(
        parsed(&ok(home, &["status", "--data", "op", "--json"]))["lanes"][0]["periods"][0]["waiting"],
        2
    );
    assert!(fails(home, &["ingest", "--data", "op", "no-such-file"], 2).contains("no-such-file"));
    assert!(
        fails(home, &["ingest", "--data", "op", "--lane", "media-ott", "in.csv"], 2).contains("media-ott")
    );
}

#[test]
fn an_import_that_is_killed_anywhere_goes_on_when_it_is_run_again() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    ok(home, &["generate", "--receipts", "60000", "--licenses", "30", "--seed", "3", "--out", "made"]);
    for turn in 0..5 {
        let data = format!("op{turn}");
        ok(home, &["init", "--data", &data, "--lane", "adluxe"]);
        let ingest =
            ["ingest", "--data", &data, "--payer", PAYER, "--source", "shop", "made/receipts.csv", "--json"];
        let mut begun = Command::new(env!("CARGO_BIN_EXE_chlom"));
        let mut begun =
            begun.arg("lane").args(ingest).current_dir(home).stdout(Stdio::null()).spawn().unwrap();
        // Killed when so much of its log of changes is on disk, or after it has ended: where that is differs each time.
        let log = home.join(&data).join("receipts.sqlite-wal");
        let size = || fs::metadata(&log).map_or(0, |log| log.len());
        while size() < turn * 2_000_000 && begun.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        begun.kill().unwrap();
        begun.wait().unwrap();
        let file = &parsed(&ok(home, &ingest))["files"][0];
        let (accepted, known) = (file["accepted"].as_u64().unwrap(), file["known"].as_u64().unwrap());
        assert_eq!((accepted + known, &file["refused"]), (60_000, &json!(0)), "turn {turn}");
        let status = parsed(&ok(home, &["status", "--data", &data, "--json"]));
        assert_eq!(status["lanes"][0]["periods"][0]["waiting"], 60_000);
    }
}

#[test]
fn a_full_disk_is_said_and_what_was_taken_before_is_there() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    ok(home, &["init", "--data", "op", "--lane", "adluxe"]);
    ok(home, &["generate", "--receipts", "200000", "--licenses", "30", "--seed", "3", "--out", "made"]);
    // No file may have more than 8 MiB: to SQLite that is a disk on which no more fits.
    let chlom = env!("CARGO_BIN_EXE_chlom");
    let ingest = format!("lane ingest --data op --payer {PAYER} --source shop made/receipts.csv");
    let full = format!("trap '' XFSZ; ulimit -f 8192; exec {chlom} {ingest}");
    let output = Command::new("bash").args(["-c", &full]).current_dir(home).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && said.contains("could not be kept"), "{said}");
    let waiting = || {
        let status = parsed(&ok(home, &["status", "--data", "op", "--json"]));
        status["lanes"][0]["periods"][0]["waiting"].as_u64().unwrap_or(0)
    };
    let before = waiting();
    assert!(before < 200_000);
    let arguments: Vec<&str> = ingest.split(' ').skip(1).chain(["--json"]).collect();
    let done = parsed(&ok(home, &arguments));
    assert_eq!((&done["files"][0]["known"], waiting()), (&json!(before), 200_000));
}

/// [OPR-9]: by itself, while it serves, with a record that `retain` shows.
#[test]
fn serving_removes_what_is_too_old_and_says_so() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    ok(home, &["init", "--data", "op", "--lane", "adluxe"]);
    let text = "event,ts,campaign,license_id,value,currency,txid\nad_conversion,2020-09-02T04:01:05Z,C,AST-1,1.00,USD,A-1\n";
    fs::write(home.join("in.csv"), text).unwrap();
    ok(home, &["ingest", "--data", "op", "--payer", PAYER, "--source", "shop", "in.csv"]);
    let mut server = Command::new(env!("CARGO_BIN_EXE_chlom"));
    server.args(["lane", "serve", "--data", "op", "--listen", "127.0.0.1:0", "--json"]).current_dir(home);
    let mut server = server.stdout(Stdio::piped()).spawn().unwrap();
    let end = std::time::Instant::now() + std::time::Duration::from_secs(300);
    loop {
        let status = parsed(&ok(home, &["status", "--data", "op", "--json"]));
        if status["lanes"][0]["periods"][0]["retired"] == 1 {
            break;
        }
        assert!(std::time::Instant::now() < end, "{status}");
    }
    server.kill().unwrap();
    server.wait().unwrap();
    let record = parsed(&ok(home, &["retain", "--data", "op", "--json"]));
    assert_eq!(record["removed"][0]["receipts"], 1, "{record}");
}

#[test]
fn a_key_is_shown_once_and_opens_the_server_until_it_is_revoked() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    ok(home, &["init", "--data", "op", "--lane", "adluxe"]);
    let key =
        ok(home, &["key", "add", "--data", "op", "--payer", PAYER, "--source", "shop", "--label", "tills"]);
    let key = key.trim();
    assert!(!ok(home, &["key", "list", "--data", "op", "--json"]).contains(key));
    let kept = fs::read(home.join("op/receipts.sqlite")).unwrap();
    assert!(!kept.windows(key.len()).any(|part| part == key.as_bytes()));

    let mut server = Command::new(env!("CARGO_BIN_EXE_chlom"));
    server.args(["lane", "serve", "--data", "op", "--listen", "127.0.0.1:0", "--json"]).current_dir(home);
    let mut server = server.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let addr = parsed(&line)["http"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
    let body = "[{\"event\":\"view\",\"ts\":\"2025-09-02T04:01:05Z\",\"view_id\":\"V-1\",\"title\":\"T\",\"views\":3,\"value\":\"1.5\",\"license_id\":\"L\",\"currency\":\"USD\"}]";
    let mut stream = TcpStream::connect(&addr).unwrap();
    write!(
        stream,
        "POST /v1/receipts HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 200") && reply.contains("\"accepted\":1"), "{reply}");
    let taken = Command::new(env!("CARGO_BIN_EXE_chlom"))
        .args(["lane", "serve", "--data", "op", "--listen", &addr])
        .current_dir(home)
        .output()
        .unwrap();
    assert_eq!(taken.status.code(), Some(3), "the port is taken");
    // Killed, not asked to end: what was acknowledged is there.
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!(
        parsed(&ok(home, &["status", "--data", "op", "--json"]))["lanes"][0]["periods"][0]["waiting"],
        1
    );
    ok(home, &["key", "revoke", "--data", "op", "1"]);
    fails(home, &["key", "revoke", "--data", "op", "1"], 2);
}
