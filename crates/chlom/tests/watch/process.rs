//! Processes of a test: a chain, and watchers whose logs are read.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use alloy_primitives::{Address, B256};
use chlom_watcher::health::Report;
use serde_json::Value;

/// A machine may be ten times slower than the one that this was written on.
const PATIENCE: Duration = Duration::from_secs(300);

/// Waits for a condition.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "not within {} s: {what}", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn chlom() -> Command {
    Command::new(env!("CARGO_BIN_EXE_chlom"))
}

/// The first line of a process's output, as JSON.
fn first_line(child: &mut Child) -> Value {
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
}

/// `chlom dev`.
pub(crate) struct Node {
    child: Child,
    pub(crate) url: String,
    pub(crate) accounts: Vec<Address>,
    keys: Vec<String>,
}

impl Node {
    pub(crate) fn start(accounts: u32) -> Self {
        let accounts = accounts.to_string();
        let args =
            ["dev", "--automine", "--block-time", "300ms", "--port", "0", "--json", "--accounts", &accounts];
        let mut child = chlom().args(args).stdout(Stdio::piped()).spawn().unwrap();
        let ready = first_line(&mut child);
        let of = |name: &str| -> Vec<String> {
            let all = ready["accounts"].as_array().unwrap().iter();
            all.map(|account| account[name].as_str().unwrap().to_owned()).collect()
        };
        let accounts = of("address").iter().map(|address| address.parse().unwrap()).collect();
        Self { child, url: ready["http"].as_str().unwrap().to_owned(), accounts, keys: of("privateKey") }
    }

    /// An account's key in a file that only its owner may read.
    pub(crate) fn key_file(&self, folder: &Path, account: usize) -> PathBuf {
        use std::{io::Write, os::unix::fs::OpenOptionsExt};
        let path = folder.join(format!("key-{account}"));
        let mut file =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
        file.write_all(self.keys[account].trim_start_matches("0x").as_bytes()).unwrap();
        path
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// `chlom watch`.
pub(crate) struct WatchProcess {
    child: Child,
    http: String,
    log: Arc<Mutex<Vec<Value>>>,
}

impl WatchProcess {
    pub(crate) fn start(rpc: &str, dir: &Path, key: &Path) -> Self {
        Self::start_with(rpc, dir, key, &[])
    }

    pub(crate) fn start_with(rpc: &str, dir: &Path, key: &Path, more: &[&str]) -> Self {
        let mut command = chlom();
        command.args([
            "watch",
            "--json",
            "--log",
            "info",
            "--log-format",
            "json",
            "--listen",
            "127.0.0.1:0",
            "--poll",
            "100",
        ]);
        command.args(["--rpc", rpc]).arg("--dir").arg(dir).arg("--key-file").arg(key).args(more);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (lines, shared) = (BufReader::new(child.stderr.take().unwrap()).lines(), log.clone());
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                match serde_json::from_str(&line) {
                    Ok(event) => shared.lock().unwrap().push(event),
                    Err(_) => eprintln!("watch: {line}"),
                }
            }
        });
        let ready = first_line(&mut child);
        Self { child, http: ready["http"].as_str().unwrap().to_owned(), log }
    }

    /// Waits for a line of the log, of this batch unless it is zero.
    pub(crate) fn wait_for(&self, message: &str, step: &str, root: B256) {
        let batch = root.to_string();
        let is_it = |event: &Value| {
            let fields = &event["fields"];
            fields["message"] == message
                && (step.is_empty() || fields["step"] == step)
                && (root.is_zero() || fields["batch"] == batch.as_str())
        };
        until(&format!("{message} {step}"), || self.log.lock().unwrap().iter().any(is_it));
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn get(&self, path: &str) -> (u16, String) {
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE));
        let agent: ureq::Agent = config.build().into();
        let mut answer = agent.get(format!("{}{path}", self.http)).call().unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    }

    pub(crate) fn report(&self) -> Report {
        serde_json::from_str(&self.get("/status").1).unwrap()
    }

    pub(crate) fn health(&self) -> u16 {
        self.get("/health").0
    }

    /// SIGTERM; it ends by itself and well.
    pub(crate) fn stop(mut self, patience: Duration) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let end = Instant::now() + patience;
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.code();
            }
            assert!(Instant::now() < end, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        };
        assert_eq!(code, Some(0));
    }
}

impl Drop for WatchProcess {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
