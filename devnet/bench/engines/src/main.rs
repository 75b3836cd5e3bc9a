//! Storage engines compared under the pattern of a CHLOM node: see `devnet/bench/README.md` and
//! `spec/decisions/0001-storage-engine.md`.

mod engine;
mod fjall_engine;
mod fjall_tuning;
mod lmdb_engine;
mod mdbx_engine;
mod meter;
mod redb_engine;
mod report;
mod run;
mod workload;

use anyhow::{Context, Result};
use clap::Parser;
use run::Figures;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Compare storage engines under the writes and reads of a node. Prints a table; every engine runs in its own process.
#[derive(Parser)]
struct Args {
    /// Engines to run, in this order.
    #[arg(default_values_t = engine::ALL.map(String::from))]
    engines: Vec<String>,
    /// Blocks per engine.
    #[arg(long, default_value_t = 100)]
    blocks: u64,
    /// Folder for the databases; a temporary one by default. It must be on a disk: on tmpfs fdatasync is free.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Read for the next block while a block is being committed.
    #[arg(long)]
    overlap: bool,
    /// Changes to fjall's settings, such as `workers=1,trie.memtable=128`.
    #[arg(long, default_value = "")]
    tune: String,
    /// Print JSON after the table.
    #[arg(long)]
    json: bool,
    /// Internal: load one engine in this folder.
    #[arg(long, hide = true)]
    preload: Option<PathBuf>,
    /// Internal: run one engine in this folder, print its figures as JSON, wait to be killed.
    #[arg(long, hide = true)]
    child: Option<PathBuf>,
    /// Internal: open what a killed child left and check it.
    #[arg(long, hide = true)]
    reopen: Option<PathBuf>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let only = args.engines.first().context("name an engine")?;
    if let Some(path) = &args.preload {
        println!("{}", run::preload(only, path, &args.tune)?);
        return Ok(());
    }
    if let Some(path) = &args.child {
        println!("{}", serde_json::to_string(&run::run(only, path, &args.tune, args.blocks, args.overlap)?)?);
        // The parent kills this process; the end of its pipe ends it should the parent be gone.
        std::io::stdin().lines().for_each(drop);
        return Ok(());
    }
    if let Some(path) = &args.reopen {
        println!("{}", run::reopen(only, path, &args.tune, args.blocks)?);
        return Ok(());
    }
    let mut all = Vec::new();
    for name in &args.engines {
        eprintln!("{name} …");
        all.push(measure(name, &args)?);
    }
    report::print_table(&all);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&all)?);
    }
    Ok(())
}

fn command(name: &str, args: &Args, mode: &str, path: &Path) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(name).args(["--blocks", &args.blocks.to_string(), "--tune", &args.tune]).arg(mode).arg(path);
    if args.overlap {
        command.arg("--overlap");
    }
    Ok(command)
}

/// Runs a child that prints one number.
fn number(name: &str, args: &Args, mode: &str, path: &Path) -> Result<f64> {
    let output = command(name, args, mode, path)?.stderr(Stdio::inherit()).output()?;
    let text = String::from_utf8(output.stdout)?;
    text.trim().parse().with_context(|| format!("{name} {mode} failed"))
}

/// Loads an engine, runs it, tries to open its data a second time, kills it and opens the data again.
fn measure(name: &str, args: &Args) -> Result<Figures> {
    let folder = match &args.dir {
        Some(dir) => tempfile::tempdir_in(dir)?,
        None => tempfile::tempdir()?,
    };
    let path = folder.path();
    let preload_s = number(name, args, "--preload", path)?;
    let mut child = command(name, args, "--child", path)?
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start the child")?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("stdout is piped")?).read_line(&mut line)?;
    let figures: Figures = serde_json::from_str(&line).with_context(|| format!("{name} failed"))?;
    let second = command(name, args, "--reopen", path)?.stderr(Stdio::null()).output()?;
    child.kill()?;
    child.wait()?;
    let reopen_ms = number(name, args, "--reopen", path)?;
    Ok(Figures { preload_s, reopen_ms, refuses_second: !second.status.success(), ..figures })
}
