//! `chlom blob get`.

use std::{
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use alloy_primitives::B256;
use anyhow::{Context, Result};
use chlom_client::blobs::read;
use clap::Args;

use super::container;
use crate::{
    connection::NodeArgs,
    exit::{Refused, Usage},
    output,
};

/// Arguments of `chlom blob get`.
#[derive(Args, Debug)]
pub(crate) struct GetArgs {
    /// The blob.
    id: B256,
    /// Where to write it; it must not be there.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The whole payload with the zeros behind it, whether a file of `chlom blob put` is in it or not.
    #[arg(long)]
    raw: bool,
    #[command(flatten)]
    node: NodeArgs,
}

/// # Errors
/// When the node has too little of it, or something else.
pub(crate) fn run(args: &GetArgs) -> Result<()> {
    if args.out.exists() {
        return Err(Usage(format!("{} is there already", args.out.display())).into());
    }
    let chain = args.node.chain()?;
    let body = read::data(&chain, args.id)?.body;
    let bytes = match args.raw {
        true => &body.payload[..],
        false => container::unwrap(&body.payload).map_err(|error| Refused(error.to_string()))?,
    };
    write(&args.out, bytes)?;
    let rebuilt = match body.rebuilt.to::<u64>() {
        0 => String::new(),
        cells => format!(", rebuilt without {cells} cells that the node misses"),
    };
    output::line(format!("{}: {} bytes, checked{rebuilt}", args.out.display(), bytes.len()));
    Ok(())
}

/// Whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let shown = path.display();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // What a file has that anybody makes: the user's umask takes from it.
    let usual = std::fs::Permissions::from_mode(0o666);
    let mut file = tempfile::Builder::new()
        .permissions(usual)
        .tempfile_in(folder)
        .map_err(|error| Usage(format!("cannot write into {}: {error}", folder.display())))?;
    file.write_all(bytes)
        .and_then(|()| file.as_file().sync_all())
        .with_context(|| format!("writing {shown}"))?;
    file.persist_noclobber(path).with_context(|| format!("naming {shown}"))?;
    Ok(())
}
