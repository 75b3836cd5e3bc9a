//! What is shown now. Upholds [PAG-5].
//!
//! Viewers only ever take what was worked out last. One thread looks at the source, at most twice a second, and sleeps when nobody
//! has asked for a while: a page that nobody looks at costs nothing, and a thousand viewers cost their copies.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use parking_lot::{Condvar, Mutex};
use serde_json::{Map, Value, json};

/// Between two looks at the source.
const PAUSE: Duration = Duration::from_millis(500);
/// Nobody looks when nobody has asked for so long.
const IDLE: Duration = Duration::from_secs(10);

/// What a page shows, as often as it is asked.
pub trait Source: Send {
    /// Members of the page's state; `None` when they are those of last time. May block.
    ///
    /// # Errors
    /// Why it cannot be told, in words for people; what was known stays.
    fn look(&mut self) -> Result<Option<Map<String, Value>>, String>;
}

/// The state of a page: JSON, and a tag that changes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// One JSON object.
    pub json: Bytes,
    /// An entity tag, quotes included.
    pub tag: String,
}

/// The newest state of a page.
pub struct Board {
    inner: Mutex<Inner>,
    asked: Condvar,
}

struct Inner {
    /// The last time that somebody asked.
    wanted: Option<Instant>,
    /// Whether the thread has looked since it woke.
    fresh: bool,
    ended: bool,
    shown: Option<Shown>,
    number: u64,
    /// Tells tags of one process from those of another.
    born: u128,
}

impl Board {
    /// A board on which nothing is yet.
    pub fn new() -> Arc<Self> {
        let born = std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_nanos());
        let inner = Inner { wanted: None, fresh: false, ended: false, shown: None, number: 0, born };
        Arc::new(Self { inner: Mutex::new(inner), asked: Condvar::new() })
    }

    /// Starts the thread that looks at `source`. `about`: members of the state that never change.
    ///
    /// # Errors
    /// When there can be no thread.
    pub fn start(
        self: &Arc<Self>,
        about: Map<String, Value>,
        source: Box<dyn Source>,
    ) -> std::io::Result<()> {
        let board = self.clone();
        std::thread::Builder::new().name("page".into()).spawn(move || board.run(about, source)).map(drop)
    }

    /// What is shown now; `None` while the first look of a while is being taken: ask again soon.
    pub fn latest(&self) -> Option<Shown> {
        let mut inner = self.inner.lock();
        inner.wanted = Some(Instant::now());
        self.asked.notify_all();
        if inner.fresh { inner.shown.clone() } else { None }
    }

    /// Ends the thread, after the look that it is taking.
    pub fn end(&self) {
        self.inner.lock().ended = true;
        self.asked.notify_all();
    }

    fn run(&self, about: Map<String, Value>, mut source: Box<dyn Source>) {
        let mut known = Map::new();
        while self.is_wanted() {
            let trouble = match source.look() {
                Ok(Some(members)) => {
                    known = members;
                    Value::Null
                }
                Ok(None) => Value::Null,
                Err(why) => {
                    tracing::debug!(%why, "the page cannot be brought up to date");
                    json!(why)
                }
            };
            let mut all = about.clone();
            all.insert("trouble".into(), trouble);
            all.extend(known.iter().map(|(name, value)| (name.clone(), value.clone())));
            self.show(Value::Object(all).to_string().into());
            self.rest();
        }
    }

    /// Waits until somebody looks; false at the end.
    fn is_wanted(&self) -> bool {
        let mut inner = self.inner.lock();
        loop {
            if inner.ended {
                return false;
            }
            if inner.wanted.is_some_and(|at| at.elapsed() < IDLE) {
                return true;
            }
            inner.fresh = false;
            self.asked.wait(&mut inner);
        }
    }

    fn show(&self, json: Bytes) {
        let mut inner = self.inner.lock();
        if inner.shown.as_ref().is_none_or(|shown| shown.json != json) {
            inner.number += 1;
            let tag = format!("\"{:x}-{}\"", inner.born, inner.number);
            inner.shown = Some(Shown { json, tag });
        }
        inner.fresh = true;
    }

    fn rest(&self) {
        let until = Instant::now() + PAUSE;
        let mut inner = self.inner.lock();
        while !inner.ended && !self.asked.wait_until(&mut inner, until).timed_out() {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// Shows how often it was looked at; the second look has no answer, the third nothing new.
    struct Counted(Arc<AtomicU64>);

    impl Source for Counted {
        fn look(&mut self) -> Result<Option<Map<String, Value>>, String> {
            match self.0.fetch_add(1, Ordering::SeqCst) + 1 {
                2 => Err("no answer".into()),
                3 => Ok(None),
                looks => Ok(Some(Map::from_iter([("looks".to_owned(), json!(looks))]))),
            }
        }
    }

    /// Asks until something is so; how often it asked.
    fn until(board: &Board, is: impl Fn(&Value) -> bool) -> (Shown, u64) {
        let begun = Instant::now();
        for asked in 1.. {
            if let Some(shown) = board.latest()
                && is(&serde_json::from_slice(&shown.json).unwrap())
            {
                return (shown, asked);
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "it is never shown");
            std::thread::yield_now();
        }
        unreachable!("the loop has no end");
    }

    #[test]
    fn pag_5_nothing_is_looked_at_before_somebody_asks_and_viewers_share_each_look() {
        let looks = Arc::new(AtomicU64::new(0));
        let board = Board::new();
        let about = Map::from_iter([("kind".to_owned(), json!("test"))]);
        board.start(about, Box::new(Counted(looks.clone()))).unwrap();
        assert_eq!(looks.load(Ordering::SeqCst), 0, "nobody asked");
        assert_eq!(board.latest(), None);
        let begun = Instant::now();
        let (first, _) = until(&board, |state| state["looks"] == 1 && state["kind"] == "test");
        let (troubled, _) = until(&board, |state| state["trouble"] == "no answer" && state["looks"] == 1);
        assert_ne!(troubled.tag, first.tag);
        until(&board, |state| state["trouble"].is_null() && state["looks"] == 1);
        let (_, asked) = until(&board, |state| state["looks"] == 4);
        let most = begun.elapsed().as_millis() / PAUSE.as_millis() + 2;
        let looked = looks.load(Ordering::SeqCst);
        assert!(u128::from(looked) <= most, "{looked} looks in {:?}", begun.elapsed());
        assert!(asked > looked, "a look is not for one viewer");
        board.end();
    }

    #[test]
    fn the_same_state_keeps_its_tag() {
        let board = Board::new();
        board.show("{}".into());
        let first = board.latest().unwrap();
        board.show("{}".into());
        assert_eq!(board.latest().unwrap(), first);
        board.show("{\"a\":1}".into());
        assert_ne!(board.latest().unwrap().tag, first.tag);
        assert_ne!(Board::new().inner.lock().born, board.inner.lock().born, "another process, other tags");
    }
}
