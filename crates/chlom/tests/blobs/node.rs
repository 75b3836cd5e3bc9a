//! A `chlom dev` of the test's own, on a free port, ended with the test.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use chlom_client::Rpc;
use serde_json::{Value, json};

/// How long anything may take on a machine that is ten times slower than ours.
const PATIENCE: Duration = Duration::from_secs(300);
const LOOK: Duration = Duration::from_millis(50);

pub(crate) const CHLOM: &str = env!("CARGO_BIN_EXE_chlom");

pub(crate) struct Node {
    child: Child,
    pub(crate) rpc: Rpc,
    account: String,
}

impl Node {
    /// Starts what `command` starts: `chlom dev --json --port 0` and more.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no node: {line:?}"));
        // Whatever it says later must not fill the pipe.
        std::thread::spawn(move || out.read_to_end(&mut Vec::new()));
        let account = ready["accounts"][0]["address"].as_str().unwrap().to_owned();
        Self { child, rpc: Rpc::new(ready["http"].as_str().unwrap()).unwrap(), account }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Runs `chlom` against it.
    pub(crate) fn chlom<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Output {
        Command::new(CHLOM).args(args).args(["--rpc", self.rpc.url()]).output().unwrap()
    }

    /// Puts a file as the blob of a period of `adluxe`: its id, or what was said instead. On a machine so busy that the command
    /// gives up waiting it is put again: the same file is the same blob.
    pub(crate) fn put(&self, file: &Path, period: &str) -> Result<String, String> {
        let mut put = self.put_once(file, period);
        for _ in 0..10 {
            if !put.as_ref().is_err_and(|said| said.contains("timeout")) {
                break;
            }
            put = self.put_once(file, period);
        }
        put
    }

    fn put_once(&self, file: &Path, period: &str) -> Result<String, String> {
        let file = file.to_str().unwrap();
        let args =
            ["blob", "put", file, "--lane", "adluxe", "--period", period, "--from", &self.account, "--json"];
        let output = self.chlom(args);
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let put: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(put["status"], "available");
        Ok(put["id"].as_str().unwrap().to_owned())
    }

    pub(crate) fn ask(&self, method: &'static str, params: Value) -> Value {
        self.rpc.ask(method, params).unwrap()
    }

    pub(crate) fn height(&self) -> u64 {
        let height = self.ask("eth_blockNumber", json!([]));
        u64::from_str_radix(height.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
    }

    /// Ends it as an operator does.
    pub(crate) fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until something holds.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(LOOK);
    }
}

/// Bytes that no two seeds share.
pub(crate) fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let word = |n: u64| alloy_primitives::keccak256([seed.to_be_bytes(), n.to_be_bytes()].concat()).0;
    (0..).flat_map(word).take(bytes).collect()
}
