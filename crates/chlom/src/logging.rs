//! Structured logs on standard error.

use std::io::IsTerminal;

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

/// How the process logs.
#[derive(Args)]
pub(crate) struct LoggingArgs {
    /// What to log: a level (error, warn, info, debug, trace) or directives such as `info,chlom_rpc=debug`.
    #[arg(long, global = true, env = "CHLOM_LOG", default_value = "warn", value_name = "FILTER")]
    log: String,
    /// One line of text, or one JSON object, an event.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

#[derive(Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

/// Sends the process's events to standard error. An unreadable filter falls back to `warn` and says so.
pub(crate) fn init(args: &LoggingArgs) {
    let (filter, complaint) = match EnvFilter::try_new(&args.log) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new("warn"), Some(error)),
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match args.log_format {
        LogFormat::Text => builder.with_target(false).init(),
        LogFormat::Json => builder.json().init(),
    }
    if let Some(error) = complaint {
        tracing::warn!(filter = %args.log, %error, "log filter not understood, logging at level warn");
    }
}
