//! Processes whose logs are read, so that they can be killed at a step of which they say that they begin it.

use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::Value;

/// A machine may be ten times slower than the one that this was written on.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

/// Waits for a condition.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "not within {} s: {what}", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The binary that is tested.
pub(crate) fn chlom() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chlom"));
    command.env_remove("CHLOM_LANE_DATA").env_remove("CHLOM_DATABASE").env_remove("CHLOM_LOG");
    command
}

/// Runs a command to its end, which must be a good one; what it said.
pub(crate) fn done(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {out}{err}");
    out.into_owned()
}

/// The same, of a command that answers in JSON.
pub(crate) fn answer(command: &mut Command) -> Value {
    serde_json::from_str(&done(command)).unwrap()
}

/// A process that logs in JSON. Dropped, it is killed.
pub(crate) struct Logged {
    child: Child,
    log: Arc<Mutex<Vec<Value>>>,
}

impl Logged {
    /// Starts it.
    pub(crate) fn start(command: &mut Command) -> Self {
        command.args(["--log", "info", "--log-format", "json"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (lines, shared) = (BufReader::new(child.stderr.take().unwrap()).lines(), log.clone());
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                match serde_json::from_str(&line) {
                    Ok(event) => shared.lock().unwrap().push(event),
                    Err(_) => eprintln!("process: {line}"),
                }
            }
        });
        // Nobody reads what it says there; a full pipe would stop it.
        let mut out = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            let _all = out.read_to_end(&mut Vec::new());
        });
        Self { child, log }
    }

    /// Whether it has logged this.
    pub(crate) fn has(&self, message: &str) -> bool {
        self.log.lock().unwrap().iter().any(|event| event["fields"]["message"] == message)
    }

    /// Waits until it has logged this.
    pub(crate) fn wait_for(&self, message: &str) {
        until(&format!("{message:?} in a log"), || self.has(message));
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// What was logged, for a failure's message.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let log = self.log.lock().unwrap();
        let bad = log.iter().filter(|event| event["level"] == "WARN" || event["level"] == "ERROR");
        bad.map(|event| event["fields"].to_string()).collect()
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// An operator's data directory and who signs for it.
pub(crate) struct Operator {
    pub(crate) data: PathBuf,
    pub(crate) lane: &'static str,
    pub(crate) rpc: String,
    pub(crate) key: PathBuf,
    /// Keys of payers that sign for themselves.
    pub(crate) payer_keys: Vec<PathBuf>,
}

impl Operator {
    pub(crate) fn command(&self, name: &str) -> Command {
        let mut command = chlom();
        command.args(["lane", name, "--data"]).arg(&self.data);
        command
    }

    /// Makes its directory; `database` for Postgres.
    pub(crate) fn init(&self, database: Option<&str>) {
        let mut init = self.command("init");
        init.args(["--lane", self.lane, "--rpc", &self.rpc]);
        if let Some(url) = database {
            init.env("CHLOM_DATABASE", url);
        }
        done(&mut init);
    }

    /// How many receipts of a file are new.
    pub(crate) fn ingest(&self, payer: &str, file: &Path) -> u64 {
        let mut ingest = self.command("ingest");
        ingest.args(["--payer", payer, "--source", "shop", "--json"]).arg(file);
        answer(&mut ingest)["files"][0]["accepted"].as_u64().unwrap()
    }

    fn signed(&self, name: &str) -> Command {
        let mut command = self.command(name);
        command.args(["--rpc", &self.rpc, "--json"]).arg("--key-file").arg(&self.key);
        for key in &self.payer_keys {
            command.arg("--payer-key-file").arg(key);
        }
        command
    }

    /// Its sequencer, on and on.
    pub(crate) fn run(&self) -> Logged {
        Logged::start(self.signed("run").args(["--every", "1"]))
    }

    /// One turn; what it did.
    pub(crate) fn turn(&self) -> Vec<Value> {
        let said = done(self.signed("run").arg("--once"));
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(crate) fn status(&self) -> Value {
        answer(self.command("status").arg("--json"))["lanes"][0].clone()
    }

    /// Its receipts by where they are: `waiting`, `aside`, or a batch's state.
    pub(crate) fn receipts(&self, place: &str) -> u64 {
        let status = self.status();
        status["periods"].as_array().unwrap().iter().map(|period| period[place].as_u64().unwrap()).sum()
    }
}
