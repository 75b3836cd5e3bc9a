//! `/health`.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::{context::Context, dispatch::Answer};

/// Says whether the node does its work; each binary knows what that means for it.
pub trait Health: Send + Sync {
    /// Why the node should not be sent traffic; `None` where all is well. Must answer at once.
    fn trouble(&self) -> Option<String>;
}

/// A node's state of health.
#[derive(Debug)]
pub(super) struct Report {
    /// False gives status 503.
    pub(super) healthy: bool,
    /// JSON text.
    pub(super) text: String,
}

/// Asks `health` and adds the head.
pub(super) fn report(context: &Context, health: &dyn Health) -> Report {
    let head = context.store.head();
    let trouble = match &head {
        None => Some("the chain has no genesis".to_owned()),
        Some(_) => health.trouble(),
    };
    let status = if trouble.is_some() { "unhealthy" } else { "ok" };
    let mut text = format!("{{\"status\":\"{status}\"");
    if let Some(head) = head {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let age = now.saturating_sub(head.block.header.timestamp);
        let (height, hash) = (head.block.height(), head.block.hash);
        text.push_str(&format!(",\"height\":{height},\"hash\":\"{hash}\",\"age_s\":{age}"));
    }
    if let Some(reason) = &trouble {
        let reason = Answer::of(reason).map(|json| String::from_utf8_lossy(json.as_bytes()).into_owned());
        text.push_str(&format!(",\"reason\":{}", reason.unwrap_or_else(|_| "null".into())));
    }
    text.push('}');
    Report { healthy: trouble.is_none(), text }
}
