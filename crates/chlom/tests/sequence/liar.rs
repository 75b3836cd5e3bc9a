//! A node that says of a licence's rate now this, now that: the batch that would be wrong is not sent, the lane goes on without that licence, and
//! the operator is told.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
};

use alloy_primitives::{Bytes, hex, keccak256};
use alloy_sol_types::SolCall;
use chlom_client::contracts::license_registry::ILicenseRegistry::termsAtCall;
use serde_json::{Value, json};

use crate::{World, chlom, done, stamp};

const RECEIPTS: usize = 100;
/// The licence that the node lies about.
const VICTIM: &str = "AST-9000";

/// A node before the node: it passes everything on, and adds one basis point to the rate of the victim when it is asked for that alone.
fn liar(node: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let node = node.to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let node = node.clone();
            std::thread::spawn(move || while pass(&stream, &node).is_some() {});
        }
    });
    url
}

/// One request and its answer; `None` at the end of the connection.
fn pass(mut stream: &TcpStream, node: &str) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let (mut headers, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "host" | "accept-encoding" | "connection" | "transfer-encoding" => {}
            _ => headers.push((name.to_owned(), value.to_owned())),
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut request = agent.post(format!("{}{path}", node.trim_end_matches('/')));
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let mut response = request.send(&body[..]).ok()?;
    let status = response.status().as_u16();
    let mut answer = response.body_mut().with_config().limit(64 << 20).read_to_vec().ok()?;
    if let Some(lie) = lie(&body, &answer) {
        answer = lie;
    }
    let head = format!(
        "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        answer.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(&answer).ok()
}

fn lie(request: &[u8], answer: &[u8]) -> Option<Vec<u8>> {
    let request: Value = serde_json::from_slice(request).ok()?;
    let input: Bytes = serde_json::from_value(request["params"][0]["input"].clone()).ok()?;
    let call = termsAtCall::abi_decode(&input).ok().filter(|call| call.id == keccak256(VICTIM))?;
    let mut answer: Value = serde_json::from_slice(answer).ok()?;
    let truth: Bytes = serde_json::from_value(answer["result"].clone()).ok()?;
    let mut terms = termsAtCall::abi_decode_returns(&truth).ok()?;
    assert_ne!(call.time, 0);
    terms.royaltyBps += 1;
    answer["result"] = json!(hex::encode_prefixed(termsAtCall::abi_encode_returns(&terms)));
    Some(answer.to_string().into_bytes())
}

#[test]
fn opr_33_a_batch_that_fails_its_own_check_costs_nothing_and_stops_no_lane() {
    let world = World::new();
    let (made, governor) = (world.folder.path().join("made"), world.accounts[0].to_string());
    let period = world.period.code().to_string();
    let generate =
        ["lane", "generate", "--receipts", "1", "--licenses", "1", "--seed", "1", "--period", &period];
    done(chlom().args(generate).arg("--out").arg(&made));
    let mut import = chlom();
    import.args(["license", "import", "--policy", &keccak256("policy").to_string()]);
    done(import.arg(made.join("licenses.json")).args(["--rpc", &world.url, "--from", &governor]));
    let mut text = "event,ts,campaign,license_id,value,currency,txid\n".to_owned();
    for number in 0..RECEIPTS {
        let time = stamp(world.period.start() + number as u64);
        text.push_str(&format!("ad_conversion,{time},C-2,{VICTIM},0.10,USD,V-{number}\n"));
    }
    let file = world.folder.path().join("more.csv");
    std::fs::write(&file, text).unwrap();
    let payer = world.accounts[1].to_string();
    done(world.lane_command("ingest").args(["--payer", &payer, "--source", crate::SOURCE]).arg(file));

    let once = |url: &str, name: &str, more: &[&str]| -> Vec<Value> {
        let mut command = world.lane_command(name);
        command.args(more).args(["--json", "--rpc", url]).arg("--key-file").arg(&world.keys[2]);
        done(&mut command).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let did = once(&liar(&world.url), "run", &["--once"]);
    let of = |what: &str| did.iter().find(|did| did["did"] == what).cloned().unwrap_or_default();
    let aside = of("set aside");
    assert_eq!((&aside["obstacle"], &aside["receipts"]), (&json!("convicted"), &json!(RECEIPTS)), "{did:#?}");
    assert!(aside["reason"].as_str().unwrap().contains("WrongTerms"), "{aside}");
    assert_eq!(of("built")["receipts"], json!(crate::RECEIPTS));
    assert_eq!(of("submitted")["batch"], of("built")["batch"], "the others are on the chain");
    let status: Value = serde_json::from_str(&done(world.lane_command("status").arg("--json"))).unwrap();
    let alarms = status["lanes"][0]["alarms"].as_array().unwrap();
    assert!(alarms.len() == 1 && alarms[0].as_str().unwrap().contains("report this"), "{alarms:?}");
    assert!(done(&mut world.lane_command("status")).contains("ALARM 100 receipts"));

    // A process that asks the node itself finds them right.
    let did = once(&world.url, "batch", &[]);
    assert_eq!((&did[0]["did"], &did[0]["receipts"]), (&json!("built"), &json!(RECEIPTS)), "{did:#?}");
    let status: Value = serde_json::from_str(&done(world.lane_command("status").arg("--json"))).unwrap();
    assert_eq!(status["lanes"][0]["alarms"], json!([]));
}
