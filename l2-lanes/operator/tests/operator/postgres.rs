//! A cluster of Postgres of this test process's own: on a Unix socket in a temporary folder, gone when the process is.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

const MISSING: &str = "this test needs PostgreSQL, and neither PATH nor /usr/lib/postgresql has initdb. \
`make postgres` installs it from the distribution (or: apt-get install postgresql).";

const PREFIX: &str = "chlom-pg-";

/// The URL of an empty database that nobody else uses.
pub(crate) fn database() -> String {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let socket = &CLUSTER.get_or_init(Cluster::new).home;
    let name = format!("test{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let mut client = connect(socket).expect("the cluster answers");
    client.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
    format!("postgresql:///{name}?host={}&user=operator", socket.display())
}

fn connect(socket: &Path) -> Result<postgres::Client, postgres::Error> {
    let url = format!("postgresql:///postgres?host={}&user=operator", socket.display());
    postgres::Client::connect(&url, postgres::NoTls)
}

fn binaries() -> PathBuf {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<_> = installed.map(|entry| entry.path().join("bin")).collect();
    // The newest first, by number.
    let version = |folder: &PathBuf| -> Option<u32> { folder.parent()?.file_name()?.to_str()?.parse().ok() };
    folders.sort_by_key(|folder| std::cmp::Reverse(version(folder)));
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    folders.into_iter().find(|folder| folder.join("initdb").exists()).expect(MISSING)
}

/// Postgres refuses to run as root: then it runs as the user that its package made, or as nobody.
fn owner() -> Option<(u32, u32)> {
    let root =
        std::fs::metadata("/proc/self").map(|me| std::os::unix::fs::MetadataExt::uid(&me)).unwrap() == 0;
    if !root {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let find = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let fields: Vec<&str> = line.split(':').collect();
        Some((fields[2].parse().unwrap(), fields[3].parse().unwrap()))
    };
    Some(find("postgres").or_else(|| find("nobody")).expect("a user that is not root"))
}

/// Folders of test processes that are no more: theirs cannot be removed by themselves, since the server outlives their last line.
fn remove_old_ones() {
    for entry in std::fs::read_dir(std::env::temp_dir()).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            let _another_was_first = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// A cluster that can be taken away and come back.
pub(crate) struct Cluster {
    home: PathBuf,
    bin: PathBuf,
    owner: Option<(u32, u32)>,
}

impl Cluster {
    /// Makes one, and starts it.
    pub(crate) fn new() -> Self {
        remove_old_ones();
        let prefix = format!("{PREFIX}{}-", std::process::id());
        let home = tempfile::Builder::new().prefix(&prefix).tempdir().unwrap().keep();
        let cluster = Self { home, bin: binaries(), owner: owner() };
        if let Some((user, group)) = cluster.owner {
            std::os::unix::fs::chown(&cluster.home, Some(user), Some(group)).unwrap();
        }
        let mut init = cluster.command("initdb");
        init.arg("-D").arg(cluster.home.join("data")).args(["-U", "operator", "-A", "trust"]);
        let made = init.args(["-E", "UTF8", "--no-locale", "--no-sync"]).output().unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        cluster.start();
        cluster
    }

    pub(crate) fn url(&self) -> String {
        format!("postgresql:///postgres?host={}&user=operator", self.home.display())
    }

    /// As its owner; the program ends when the thread ends that started it.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        command.arg("--pdeathsig=QUIT").current_dir(&self.home).stdin(Stdio::null());
        if let Some((user, group)) = self.owner {
            command.args([format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".into()]);
        }
        command.arg(self.bin.join(program));
        command
    }

    /// Starts it, and waits until it answers.
    pub(crate) fn start(&self) {
        let mut server = self.command("postgres");
        server.arg("-D").arg(self.home.join("data")).arg("-k").arg(&self.home);
        server.args(["-c", "listen_addresses=", "-c", "max_connections=200"]);
        server.stdout(Stdio::null()).stderr(std::fs::File::create(self.home.join("log")).unwrap());
        // This thread waits for as long as the server runs, and so the server runs for as long as the process.
        std::thread::spawn(move || {
            let status = server.spawn().and_then(|mut server| server.wait());
            eprintln!("the test's Postgres ended: {status:?}");
        });
        let end = Instant::now() + Duration::from_secs(120);
        while connect(&self.home).is_err() {
            let log = || std::fs::read_to_string(self.home.join("log")).unwrap_or_default();
            assert!(Instant::now() < end, "Postgres does not answer: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Takes it away, at once, as a crash of its machine would.
    pub(crate) fn stop(&self) {
        let mut stop = self.command("pg_ctl");
        stop.arg("stop").arg("-D").arg(self.home.join("data")).args(["-m", "immediate", "-w"]);
        assert!(stop.stdout(Stdio::null()).status().unwrap().success());
    }
}
