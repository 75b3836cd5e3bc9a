//! The `params` member of a call: positional arguments, read as geth reads them.

use std::{
    fmt,
    time::{Duration, Instant},
};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    dispatch::budget::{Budget, Room},
    error::RpcError,
};

/// No method takes more arguments than this; later ones are counted, not kept.
const KEPT: usize = 8;

/// A call's positional arguments, still as text. An argument is parsed when a method asks for it, straight into the type
/// that the method wants.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Params<'a> {
    kept: [Option<&'a RawValue>; KEPT],
    given: usize,
    /// When the call's time is up, and the time that it had.
    expires: Option<(Instant, Duration)>,
    /// Where the memory of an answer in the making is taken from.
    budget: Option<&'a Budget>,
}

impl<'a> Params<'a> {
    /// Splits `params`. Absent and `null` are no arguments.
    ///
    /// # Errors
    /// [`crate::error::INVALID_PARAMS`] for an object (named arguments are not taken, as in geth) or a scalar.
    pub(crate) fn parse(raw: Option<&'a RawValue>) -> Result<Self, RpcError> {
        let Some(raw) = raw else { return Ok(Self::default()) };
        match raw.get().as_bytes().first() {
            Some(b'[') => serde_json::from_str(raw.get()).map_err(|e| RpcError::invalid_params(reason(&e))),
            Some(b'n') => Ok(Self::default()),
            _ => Err(RpcError::invalid_params(
                "non-array args: params must be an array of positional arguments",
            )),
        }
    }

    /// Sets when the call's time is up; `allowed` is for the message.
    #[must_use]
    pub(crate) fn expiring(mut self, at: Instant, allowed: Duration) -> Self {
        self.expires = Some((at, allowed));
        self
    }

    /// Sets what the answer's memory is taken from.
    #[must_use]
    pub(crate) fn within(mut self, budget: &'a Budget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Room for an answer that grows while it is made. Methods whose answers can be large cover them as they write, so
    /// that answers in the making are bounded like those that wait to be sent.
    pub(crate) fn room(&self) -> Room {
        self.budget.map(Room::new).unwrap_or_default()
    }

    /// Long methods ask this between pieces of work (a block, a transaction, a few thousand steps), so that a call whose
    /// caller was told of the timeout does not keep a thread.
    ///
    /// # Errors
    /// [`crate::error::TIMED_OUT`].
    pub(crate) fn check_time(&self) -> Result<(), RpcError> {
        match self.expires {
            Some((at, allowed)) if Instant::now() >= at => Err(RpcError::timed_out(allowed)),
            _ => Ok(()),
        }
    }

    /// Arguments given.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.given
    }

    /// Refuses more than `most` arguments. Every method calls this first.
    ///
    /// # Errors
    /// geth's `too many arguments, want at most N`.
    pub(crate) fn at_most(&self, most: usize) -> Result<(), RpcError> {
        debug_assert!(most <= KEPT, "raise KEPT");
        if self.given > most {
            return Err(RpcError::invalid_params(format!("too many arguments, want at most {most}")));
        }
        Ok(())
    }

    /// The text of argument `index`, counted from 0; `None` where it is missing or `null`.
    pub(crate) fn raw(&self, index: usize) -> Option<&'a RawValue> {
        self.kept.get(index).copied().flatten().filter(|raw| raw.get() != "null")
    }

    /// Argument `index`, counted from 0.
    ///
    /// # Errors
    /// `missing value for required argument N` where it is missing or `null`; `invalid argument N: …` where it is
    /// something else than a `T`.
    pub(crate) fn required<T: Deserialize<'a>>(&self, index: usize) -> Result<T, RpcError> {
        match self.optional(index)? {
            Some(value) => Ok(value),
            None => Err(RpcError::invalid_params(format!("missing value for required argument {index}"))),
        }
    }

    /// Argument `index`, counted from 0; `None` where it is missing or `null`.
    ///
    /// # Errors
    /// `invalid argument N: …` where it is something else than a `T`.
    pub(crate) fn optional<T: Deserialize<'a>>(&self, index: usize) -> Result<Option<T>, RpcError> {
        let Some(raw) = self.raw(index) else { return Ok(None) };
        serde_json::from_str(raw.get()).map(Some).map_err(|e| invalid(index, reason(&e)))
    }
}

/// `invalid argument N: why`, for what a type's own parser cannot know (a bound, a combination).
pub(crate) fn invalid(index: usize, why: impl fmt::Display) -> RpcError {
    RpcError::invalid_params(format!("invalid argument {index}: {why}"))
}

/// serde_json's message without the position, which counts from the argument and would mislead.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Params<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Positional)
    }
}

struct Positional;

impl<'de> Visitor<'de> for Positional {
    type Value = Params<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of positional arguments")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut params = Params::default();
        while params.given < KEPT {
            let Some(raw) = seq.next_element::<&RawValue>()? else { return Ok(params) };
            params.kept[params.given] = Some(raw);
            params.given += 1;
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {
            params.given += 1;
        }
        Ok(params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::INVALID_PARAMS;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.into()).unwrap()
    }

    #[test]
    fn absent_and_null_params_are_no_arguments() {
        assert_eq!(Params::parse(None).unwrap().len(), 0);
        assert_eq!(Params::parse(Some(&raw("null"))).unwrap().len(), 0);
        assert_eq!(Params::parse(Some(&raw("[]"))).unwrap().len(), 0);
    }

    #[test]
    fn named_arguments_and_scalars_are_refused() {
        for text in ["{\"address\":\"0x\"}", "7", "\"x\"", "true"] {
            let error = Params::parse(Some(&raw(text))).unwrap_err();
            assert_eq!(error.code, INVALID_PARAMS, "{text}");
            assert!(error.message.starts_with("non-array args"), "{}", error.message);
        }
    }

    #[test]
    fn arguments_are_read_by_position_and_type() {
        let text = raw(" [1, \"two\", null]");
        let params = Params::parse(Some(&text)).unwrap();
        assert_eq!(params.required::<u64>(0).unwrap(), 1);
        assert_eq!(params.required::<String>(1).unwrap(), "two");
        assert_eq!(params.optional::<u64>(2).unwrap(), None);
        assert_eq!(params.optional::<u64>(3).unwrap(), None);
        assert_eq!(params.required::<u64>(2).unwrap_err().message, "missing value for required argument 2");
        assert_eq!(params.required::<u64>(9).unwrap_err().message, "missing value for required argument 9");
        let wrong = params.required::<u64>(1).unwrap_err().message;
        assert!(wrong.starts_with("invalid argument 1: invalid type: string"), "{wrong}");
        assert!(!wrong.contains("line"), "{wrong}");
    }

    #[test]
    fn surplus_arguments_are_counted_and_refused() {
        let text = raw(&format!("[{}]", vec!["0"; 1000].join(",")));
        let params = Params::parse(Some(&text)).unwrap();
        assert_eq!(params.len(), 1000);
        assert_eq!(params.at_most(2).unwrap_err().message, "too many arguments, want at most 2");
        assert!(Params::parse(Some(&raw("[1,2]"))).unwrap().at_most(2).is_ok());
    }
}
