//! What submitters and payers do on the chain, and what is refused with which exit code.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
};

use serde_json::{Value, json};

use crate::{chlom, done};

struct Node {
    child: Child,
    url: String,
    accounts: Vec<String>,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Node {
    fn start() -> Self {
        let args = ["dev", "--automine", "--block-time", "200ms", "--port", "0", "--json", "--accounts", "3"];
        let mut child = chlom().args(args).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let all = ready["accounts"].as_array().unwrap().iter();
        let accounts = all.map(|account| account["address"].as_str().unwrap().to_owned()).collect();
        Self { child, url: ready["http"].as_str().unwrap().to_owned(), accounts }
    }

    /// By an account, which the node signs for.
    fn by(&self, account: usize, arguments: &str) -> String {
        let mut command = chlom();
        command.args(arguments.split(' ')).args(["--rpc", &self.url, "--from", &self.accounts[account]]);
        done(&mut command)
    }

    fn asked(&self, arguments: &str) -> Value {
        let mut command = chlom();
        command.args(arguments.split(' ')).args(["--rpc", &self.url, "--json"]);
        serde_json::from_str(&done(&mut command)).unwrap()
    }

    /// The message of a command that ends with this code.
    fn refused(&self, account: usize, arguments: &str, code: i32) -> String {
        let mut command = chlom();
        command.args(arguments.split(' ')).args(["--rpc", &self.url, "--from", &self.accounts[account]]);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments}: {said}");
        said
    }
}

#[test]
fn submitters_and_payers_find_their_way_without_another_tool() {
    let node = Node::start();
    let [_, one, two] = &node.accounts[..] else { panic!("three accounts") };

    node.by(1, "lane collateral add --chm 100.5");
    node.by(2, &format!("lane collateral add --chm 0.25 --account {one}"));
    let free = |account: &str| node.asked(&format!("lane collateral show {account}"))["free"].clone();
    assert_eq!(free(one), "100750000000000000000");
    assert!(node.refused(1, "lane collateral withdraw --chm 100.76", 6).contains("CollateralShort"));
    node.by(1, &format!("lane collateral withdraw --chm 40.75 --to {two}"));
    assert_eq!(free(one), "60000000000000000000");
    node.by(1, "lane collateral withdraw --chm all");
    assert_eq!(free(one), "0");
    assert!(node.refused(1, "lane collateral add --chm 1.0000000000000000001", 2).contains("more places"));
    assert!(node.refused(1, "lane collateral add --chm 12,5", 2).contains("is no amount"));

    node.by(1, "lane pot deposit --lane adluxe --amount 10.5");
    node.by(2, &format!("lane pot deposit --lane adluxe --amount 1 --payer {one}"));
    let pot = || node.asked(&format!("lane pot show {one} --lane adluxe"));
    assert_eq!((&pot()["free"], &pot()["reserved"]), (&json!("11500000000000000000"), &json!("0")));
    assert!(
        node.refused(1, "lane pot withdraw --lane adluxe --amount 12", 6)
            .contains("missing: 500000000000000000")
    );
    node.by(1, "lane pot withdraw --lane adluxe --amount all");
    assert_eq!(pot()["free"], "0");
    assert!(node.refused(1, "lane pot deposit --lane adluxe --amount 0", 2).contains("nothing"));
    assert!(node.refused(1, "lane pot deposit --lane nobodys --amount 1", 6).contains("LaneUnknown"));

    assert!(
        node.refused(1, &format!("lane submitter register {two} --lane adluxe"), 6).contains("submitter")
    );
    let period = node.asked("lane period --last")["period"].as_u64().unwrap();
    assert!(period < node.asked("lane period")["period"].as_u64().unwrap());
    let allow = format!("lane allowance set --lane adluxe --period {period} --limit 20.01 --source shop");
    assert!(node.refused(1, &allow, 2).contains("--submitter"), "nobody submits yet");
    node.by(0, &format!("lane submitter register {two} --lane adluxe"));
    assert_eq!(
        node.asked("lane submitter show --lane adluxe")["submitter"].as_str().map(str::to_lowercase),
        Some(two.to_lowercase())
    );
    assert!(
        node.refused(0, &format!("lane submitter register {two} --lane adluxe"), 6)
            .contains("SubmitterKnown")
    );
    assert!(node.refused(2, "lane submitter take-over --lane adluxe", 6).contains("SubmitterActive"));
    node.by(1, &format!("{allow} --unsigned-sources"));
    let shown = node.asked(&format!(
        "lane allowance show {one} --lane adluxe --period {period} --source shop --source web"
    ));
    assert_eq!((&shown["limit"], &shown["used"]), (&json!("20010000000000000000"), &json!("0")));
    assert_eq!(shown["sources"], json!([{"name": "shop", "named": true}, {"name": "web", "named": false}]));
    assert!(node.refused(1, &allow, 6).contains("AllowanceNarrowed"), "what was admitted stays admitted");

    let hash = format!("0x{}", "11".repeat(32));
    node.refused(1, &format!("policy activate {hash}"), 6);
    assert_eq!(node.by(0, &format!("policy activate {hash}")).trim(), hash);
    assert_eq!(node.by(0, &format!("policy activate {hash}")).trim(), hash, "once is enough");
    assert!(node.refused(0, "policy activate no-such-pack.json", 2).contains("no-such-pack.json"));
}
