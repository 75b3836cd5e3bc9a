//! An operator's data directory: a file that says which database it is, and SQLite's own file where it is that one.

use std::{
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use chlom_operator::{Store, store::Lane};
use clap::Args;
use serde::Deserialize;

use crate::exit::Usage;

const CONFIG: &str = "operator.toml";
const SQLITE: &str = "receipts.sqlite";

/// Where an operator keeps things.
#[derive(Args, Debug)]
pub(crate) struct DataArgs {
    /// The operator's data directory, made by `chlom lane init`.
    #[arg(long, value_name = "DIR", env = "CHLOM_LANE_DATA", default_value = "chlom-lane")]
    pub(crate) data: PathBuf,
    /// Which lane, by name; may be left out while there is one.
    #[arg(long, value_name = "NAME")]
    pub(crate) lane: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// Of Postgres; without it, SQLite in the directory.
    database: Option<String>,
}

impl DataArgs {
    /// The store.
    ///
    /// # Errors
    /// When the directory was not made, or the database cannot be used.
    pub(crate) fn store(&self) -> Result<Store> {
        open(&self.data)
    }

    /// The store and the lane.
    ///
    /// # Errors
    /// As for [`DataArgs::store`]; when there is no such lane, or several and none is named.
    pub(crate) fn lane(&self) -> Result<(Store, Lane)> {
        let store = self.store()?;
        if let Some(name) = &self.lane {
            let lane = store.lane(name)?;
            return Ok((store, lane));
        }
        let lanes = store.lanes()?;
        let names: Vec<&str> = lanes.iter().map(|lane| lane.name.as_str()).collect();
        match lanes.as_slice() {
            [lane] => Ok((store, lane.clone())),
            [] => Err(Usage("there is no lane yet: chlom lane init --lane NAME".into()).into()),
            _ => Err(Usage(format!("which lane? --lane {}", names.join(" | --lane "))).into()),
        }
    }

    /// A file or folder in the directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.data.join(name)
    }
}

/// Makes the directory, or finds it made with the same database.
///
/// # Errors
/// When it is somebody else's, or was made with another database.
pub(super) fn make(data: &Path, database: Option<&str>) -> Result<Store> {
    let (config, shown) = (data.join(CONFIG), data.display());
    if config.exists() {
        let known = read(data)?.database;
        if database.is_some() && known.as_deref() != database {
            let message = format!("{shown} was made with another database; it stays with that one");
            return Err(Usage(message).into());
        }
        return open(data);
    }
    if data.exists() && data.read_dir().with_context(|| format!("reading {shown}"))?.next().is_some() {
        return Err(
            Usage(format!("{shown} holds other things; name an empty directory, or a new one")).into()
        );
    }
    // The database first: a directory whose database was never reached is not made.
    if let Some(url) = database {
        Store::open(url)?;
    }
    std::fs::create_dir_all(data).with_context(|| format!("making {shown}"))?;
    let private = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(data, private).with_context(|| format!("making {shown} private"))?;
    let text = match database {
        Some(url) => {
            format!("# It may hold a password: only its owner may read it.\ndatabase = {}\n", quoted(url)?)
        }
        None => format!("# Receipts are in {SQLITE}, beside this file.\n"),
    };
    write_private(&config, &text).with_context(|| format!("writing {}", config.display()))?;
    open(data)
}

/// A basic string of TOML, which JSON's is.
fn quoted(url: &str) -> Result<String> {
    Ok(serde_json::to_string(url)?)
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let new = path.with_extension("new");
    let mut file = std::fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&new, path)
}

fn open(data: &Path) -> Result<Store> {
    match read(data)?.database {
        Some(url) => Ok(Store::open(&url)?),
        None => Ok(Store::open_file(&data.join(SQLITE))?),
    }
}

fn read(data: &Path) -> Result<Config> {
    let path = data.join(CONFIG);
    let text = std::fs::read_to_string(&path).map_err(|error| {
        let (path, data) = (path.display(), data.display());
        Usage(format!("{path}: {error}; `chlom lane init --data {data} --lane NAME` makes it"))
    })?;
    Ok(toml::from_str(&text).map_err(|error| Usage(format!("{}: {}", path.display(), error.message())))?)
}
