//! Receipts over HTTP, against a real server on a port of its own.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use chlom_lane::receipt::Name;
use chlom_operator::{
    Store,
    serve::{ServeLimits, Server},
    store::Lane,
};
use serde_json::{Value, json};

use crate::stores::{each, payer};

/// A server in a thread of its own; it ends in order when this is dropped.
struct Running {
    addr: SocketAddr,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Running {
    fn start(store: &Store, limits: ServeLimits) -> Self {
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let (tell, told) = std::sync::mpsc::channel();
        let store = store.again().unwrap();
        let thread = std::thread::spawn(move || {
            let server = Server::bind("127.0.0.1:0".parse().unwrap(), &store, limits).unwrap();
            tell.send(server.local_addr()).unwrap();
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(server.serve(async { drop(stopped.await) })).unwrap();
        });
        Self { addr: told.recv().unwrap(), stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{} {}", self.head, self.body))
    }

    fn header(&self, name: &str) -> Option<&str> {
        let find = |line: &&str| line.to_ascii_lowercase().starts_with(&format!("{name}:"));
        self.head.lines().find(find).and_then(|line| line.split_once(": ")).map(|(_, value)| value)
    }
}

/// A client of one connection, which it keeps.
struct Client(TcpStream);

impl Client {
    fn new(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        Self(stream)
    }

    fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n", body.len());
        headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        head.push_str("\r\n");
        // A server that has seen enough may answer before it has read all.
        let _early = self.0.write_all(&[head.as_bytes(), body].concat());
        self.receive()
    }

    fn receive(&mut self) -> Reply {
        let mut bytes = Vec::new();
        let mut byte = [0];
        while !bytes.ends_with(b"\r\n\r\n") {
            self.0.read_exact(&mut byte).unwrap_or_else(|error| panic!("{error} after {bytes:?}"));
            bytes.push(byte[0]);
        }
        let head = String::from_utf8(bytes).unwrap();
        let status = head[9..12].parse().unwrap();
        let mut reply = Reply { status, head, body: String::new() };
        let mut body = vec![0; reply.header("content-length").unwrap_or("0").parse().unwrap()];
        self.0.read_exact(&mut body).unwrap();
        reply.body = String::from_utf8(body).unwrap();
        reply
    }

    fn report(&mut self, key: &str, more: &[(&str, &str)], body: &str) -> Reply {
        let bearer = format!("Bearer {key}");
        let headers =
            [&[("authorization", bearer.as_str()), ("content-type", "application/json")], more].concat();
        self.send("POST", "/v1/receipts", &headers, body.as_bytes())
    }
}

fn receipt(id: &str, value: &str) -> Value {
    json!({
        "event": "ad_conversion", "ts": "2025-09-02T04:01:05Z", "campaign": "C", "license_id": "AST-1",
        "value": value, "currency": "USD", "txid": id,
    })
}

fn list(ids: impl IntoIterator<Item = u32>) -> String {
    Value::from_iter(ids.into_iter().map(|id| receipt(&format!("A-{id}"), "1.00"))).to_string()
}

fn key(store: &Store, lane: &Lane, per_second: u64) -> String {
    let source = Name::new("shop").unwrap();
    store.add_key(lane, payer(7), &source, "", per_second).unwrap().1.expose().to_owned()
}

fn count(store: &Store, lane: &Lane) -> u64 {
    // By another connection than any that wrote: what it sees is committed.
    store.again().unwrap().counts(lane).unwrap().iter().map(|count| count.receipts).sum()
}

const PLENTY: u64 = 1_000_000;

#[test]
fn what_is_acknowledged_is_in_the_store_and_what_is_refused_is_said() {
    each(|store, lane| {
        let (key, server) = (key(store, lane, PLENTY), Running::start(store, ServeLimits::default()));
        let mut client = Client::new(server.addr);
        let reply = client.report(&key, &[], &list(0..100));
        assert_eq!((reply.status, reply.json()), (200, json!({"accepted": 100, "known": 0, "refused": []})));
        assert_eq!(count(store, lane), 100);
        let mut other = receipt("A-101", "1");
        other["payer"] = payer(8).to_string().into();
        let body = format!(
            "[{},\n{},\n{},\n{}]",
            receipt("A-1", "1"),
            receipt("A-2", "9"),
            receipt("A-100", "0.1"),
            other
        );
        let reply = client.report(&key, &[], &body).json();
        assert_eq!((&reply["accepted"], &reply["known"]), (&json!(1), &json!(1)));
        let refused = reply["refused"].as_array().unwrap();
        assert_eq!((&refused[0]["line"], &refused[0]["field"]), (&json!(2), &json!("txid")));
        assert_eq!((&refused[1]["line"], &refused[1]["field"]), (&json!(4), &json!("payer")));
        let lines = format!("{}\n{}\n", receipt("A-7", "1"), receipt("A-200", "1"));
        let bearer = format!("Bearer {key}");
        let headers =
            [("authorization", bearer.as_str()), ("content-type", "application/x-ndjson; charset=utf-8")];
        let reply = client.send("POST", "/v1/receipts", &headers, lines.as_bytes());
        assert_eq!(reply.json(), json!({"accepted": 1, "known": 1, "refused": []}));
        assert_eq!(count(store, lane), 102);
        let metrics = client.send("GET", "/metrics", &[], b"").body;
        assert!(metrics.contains("chlom_lane_receipts_total{outcome=\"New\"} 102"), "{metrics}");
        assert_eq!(client.send("GET", "/health", &[], b"").json(), json!({"status": "ok"}));
        let described = client.send("GET", "/openapi.json", &[], b"").json();
        assert!(described["paths"]["/v1/receipts"]["post"].is_object());
    });
}

#[test]
fn a_request_that_is_repeated_gets_its_answer_again_and_takes_nothing_twice() {
    each(|store, lane| {
        let (key, server) = (key(store, lane, PLENTY), Running::start(store, ServeLimits::default()));
        let mut client = Client::new(server.addr);
        let name = [("idempotency-key", "monday 1")];
        let first = client.report(&key, &name, &list(0..3));
        assert_eq!(first.header("idempotency-replayed"), None);
        let again = client.report(&key, &name, &list(0..3));
        assert_eq!(
            (again.body.as_str(), again.header("idempotency-replayed")),
            (first.body.as_str(), Some("true"))
        );
        let other = client.report(&key, &name, &list(0..4));
        assert_eq!(other.status, 422, "{}", other.body);
        assert_eq!(client.report(&key, &[("idempotency-key", &"x".repeat(129))], &list(0..4)).status, 400);
        // Without the name: every receipt is known by its id.
        assert_eq!(client.report(&key, &[], &list(0..3)).json()["known"], 3);
        assert_eq!(count(store, lane), 3);
    });
}

#[test]
fn a_key_that_is_none_opens_nothing_and_guessing_is_slowed_down() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_file(&folder.path().join("store.sqlite")).unwrap();
    let lane = store.make_lane("adluxe", "USD", 6).unwrap();
    let key = key(&store, &lane, PLENTY);
    let limits = ServeLimits { key_time: Duration::ZERO, ..ServeLimits::default() };
    let server = Running::start(&store, limits);
    let mut client = Client::new(server.addr);
    assert_eq!(client.report(&key, &[], &list([0])).status, 200);
    let headers = [("content-type", "application/json")];
    assert_eq!(client.send("POST", "/v1/receipts", &headers, b"[]").status, 401);
    let mut slowed = 0;
    for guess in 0..300 {
        let forged = format!("chlom_key_{guess:064x}");
        let reply = client.report(&forged, &[], &list([1]));
        match reply.status {
            401 => {}
            429 => {
                slowed += 1;
                assert_eq!(reply.header("retry-after"), Some("1"));
            }
            other => panic!("{other}"),
        }
    }
    assert!(slowed > 0, "300 guesses, and none was slowed down");
    // Whoever has a key that works is not kept out by guesses from the same address.
    assert_eq!(client.report(&key, &[], &list([2])).status, 200);
    let id = store.keys().unwrap()[0].id;
    store.revoke_key(id).unwrap();
    assert_eq!(client.report(&key, &[], &list([3])).status, 401);
    assert_eq!(count(&store, &lane), 2);
}

#[test]
fn a_body_that_cannot_be_read_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_file(&folder.path().join("store.sqlite")).unwrap();
    let lane = store.make_lane("adluxe", "USD", 6).unwrap();
    let key = key(&store, &lane, PLENTY);
    let limits = ServeLimits {
        receipts: 10,
        body_bytes: 8_000,
        body_time: Duration::from_millis(300),
        ..ServeLimits::default()
    };
    let server = Running::start(&store, limits);
    let status = |body: &str| Client::new(server.addr).report(&key, &[], body).status;
    assert_eq!(status(""), 400);
    assert_eq!(status("[]"), 400);
    assert_eq!(status(&list(0..11)), 413);
    assert_eq!(status(&format!("[{}", " ".repeat(9_000))), 413);
    assert_eq!(status("{\"event\":\"order\"}"), 400);
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "text/csv")];
    assert_eq!(Client::new(server.addr).send("POST", "/v1/receipts", &headers, b"x").status, 415);
    assert_eq!(Client::new(server.addr).send("GET", "/v1/receipts", &headers, b"").status, 405);
    assert_eq!(Client::new(server.addr).send("GET", "/", &[], b"").status, 404);
    // A body that never comes.
    let mut slow = Client::new(server.addr);
    let head = format!(
        "POST /v1/receipts HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: {bearer}\r\ncontent-length: 100\r\n\r\n["
    );
    slow.0.write_all(head.as_bytes()).unwrap();
    assert_eq!(slow.receive().status, 408);
    assert_eq!(count(&store, &lane), 0);
}

#[test]
fn who_reports_more_than_agreed_is_told_when_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_file(&folder.path().join("store.sqlite")).unwrap();
    let lane = store.make_lane("adluxe", "USD", 6).unwrap();
    let (key, server) = (key(&store, &lane, 1), Running::start(&store, ServeLimits::default()));
    let mut client = Client::new(server.addr);
    assert_eq!(client.report(&key, &[], &list(0..1_000)).status, 200);
    let reply = client.report(&key, &[], &list(1_000..2_000));
    assert_eq!(reply.status, 429);
    let after: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((500..=1_000).contains(&after), "{after}");
    assert_eq!(count(&store, &lane), 1_000);
}

#[test]
fn a_flood_is_turned_away_in_part_and_nothing_acknowledged_is_lost() {
    each(|store, lane| {
        let key = key(store, lane, PLENTY);
        let server = Running::start(store, ServeLimits { queue: 300, ..ServeLimits::default() });
        let acknowledged: u64 = std::thread::scope(|scope| {
            let caller = |caller: u32| {
                let (key, addr) = (&key, server.addr);
                scope.spawn(move || {
                    let mut client = Client::new(addr);
                    let mut taken = 0;
                    for part in 0..20 {
                        let from = caller * 10_000 + part * 100;
                        let reply = client.report(key, &[], &list(from..from + 100));
                        match reply.status {
                            200 => taken += reply.json()["accepted"].as_u64().unwrap(),
                            503 => assert_eq!(reply.header("retry-after"), Some("1")),
                            other => panic!("{other} {}", reply.body),
                        }
                    }
                    taken
                })
            };
            let callers: Vec<_> = (0..16).map(caller).collect();
            callers.into_iter().map(|caller| caller.join().unwrap()).sum()
        });
        assert!(acknowledged > 0);
        assert_eq!(count(store, lane), acknowledged);
    });
}

#[test]
fn a_server_that_is_asked_to_end_answers_what_it_has_begun() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_file(&folder.path().join("store.sqlite")).unwrap();
    let lane = store.make_lane("adluxe", "USD", 6).unwrap();
    let (key, server) = (key(&store, &lane, PLENTY), Running::start(&store, ServeLimits::default()));
    let mut idle = Client::new(server.addr);
    assert_eq!(idle.report(&key, &[], &list(0..10)).status, 200);
    drop(server);
    assert_eq!(count(&store, &lane), 10);
    // An idle connection is closed.
    assert_eq!(idle.0.read(&mut [0; 16]).unwrap(), 0);
}

#[test]
fn a_database_that_goes_away_and_comes_back_loses_nothing_that_was_acknowledged() {
    let cluster = crate::postgres::Cluster::new();
    let store = Store::open(&cluster.url()).unwrap();
    let lane = store.make_lane("adluxe", "USD", 6).unwrap();
    let mut lead = store.lead(&lane).unwrap().unwrap();
    let (key, server) = (key(&store, &lane, PLENTY), Running::start(&store, ServeLimits::default()));
    let mut client = Client::new(server.addr);
    assert_eq!(client.report(&key, &[], &list(0..100)).status, 200);
    cluster.stop();
    let reply = client.report(&key, &[], &list(100..200));
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("5")), "{}", reply.body);
    let error = store.counts(&lane).unwrap_err();
    assert!(error.is_passing(), "{error}");
    assert!(matches!(lead.check(), Err(chlom_operator::StoreError::LeadLost(_))), "another may lead by now");
    cluster.start();
    // As whoever reads Retry-After would: the same again, until it is taken.
    let end = std::time::Instant::now() + Duration::from_secs(120);
    let reply = loop {
        let reply = client.report(&key, &[], &list(100..200));
        if reply.status != 503 || std::time::Instant::now() > end {
            break reply;
        }
    };
    assert_eq!(reply.json()["accepted"], 100, "{}", reply.body);
    assert_eq!(client.report(&key, &[], &list(0..100)).json()["known"], 100);
    assert_eq!(count(&store, &lane), 200);
    assert!(store.lead(&lane).unwrap().is_some());
}

/// Durable when acknowledged, in requests of 100: what the speed is here.
#[test]
fn requests_of_a_hundred_slow() {
    each(|store, lane| {
        let (key, server) = (key(store, lane, PLENTY), Running::start(store, ServeLimits::default()));
        let begun = std::time::Instant::now();
        std::thread::scope(|scope| {
            for caller in 0..16 {
                let (key, addr) = (&key, server.addr);
                scope.spawn(move || {
                    let mut client = Client::new(addr);
                    for part in 0..100 {
                        let from = caller * 10_000 + part * 100;
                        assert_eq!(client.report(key, &[], &list(from..from + 100)).status, 200);
                    }
                });
            }
        });
        let rate = 160_000_000 / u64::try_from(begun.elapsed().as_millis()).unwrap();
        eprintln!("{}: {rate} receipts/s in requests of 100", store.kind());
        assert_eq!(count(store, lane), 160_000);
    });
}
