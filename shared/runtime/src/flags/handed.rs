//! The flags as `chat` hands them on to the steps of a turn, so that each turn is of one mind and no step reads them again.

use std::future::Future;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{EmbedderSlot, FlagSource, Flags, Order};

/// The header of a step's call that carries them, as JSON.
pub const FLAGS_HEADER: HeaderName = HeaderName::from_static("colloquy-flags");

tokio::task_local! {
    static HANDED: Option<Arc<Flags>>;
}

/// What is handed on. What a newer `chat` adds is not read; what an older one does not know has its default.
#[derive(Serialize, Deserialize)]
pub(crate) struct Handed {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    providers: Option<Vec<String>>,
    #[serde(default = "on")]
    model: bool,
    #[serde(default)]
    steps: Order,
    #[serde(default)]
    embedder: EmbedderSlot,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    capped_on: Option<Date>,
}

fn on() -> bool {
    true
}

impl Handed {
    /// The value of the header.
    pub(crate) fn header(flags: &Flags) -> Option<HeaderValue> {
        let Flags { providers, model, steps, embedder, capped_on, .. } = flags.clone();
        let json = serde_json::to_vec(&Self { providers, model, steps, embedder, capped_on }).ok()?;
        HeaderValue::from_bytes(&json).ok()
    }

    /// The flags of a call; none where it carries none, or what this release cannot read.
    pub(crate) fn read(headers: &HeaderMap) -> Option<Arc<Flags>> {
        let Self { providers, model, steps, embedder, capped_on } =
            serde_json::from_slice(headers.get(FLAGS_HEADER)?.as_bytes()).ok()?;
        Some(Arc::new(Flags { providers, model, steps, embedder, capped_on, unknown: Vec::new() }))
    }
}

/// Does the work of a step whose call carried these flags.
pub(crate) fn in_turn<F: Future>(handed: Option<Arc<Flags>>, work: F) -> impl Future<Output = F::Output> {
    HANDED.scope(handed, work)
}

impl FlagSource {
    /// The flags of the turn that the code running now is a step of, else as they are read here.
    pub async fn of_turn(&self) -> Arc<Flags> {
        match HANDED.try_with(Clone::clone).ok().flatten() {
            Some(flags) => flags,
            None => self.get().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handed(json: &str) -> Option<Flags> {
        let headers = HeaderMap::from_iter([(FLAGS_HEADER, HeaderValue::from_bytes(json.as_bytes()).unwrap())]);
        Handed::read(&headers).map(|flags| (*flags).clone())
    }

    #[test]
    fn what_is_handed_on_arrives() {
        for flags in [
            Flags::default(),
            Flags { model: false, steps: Order::Sequential, ..Flags::default() },
            Flags { providers: Some(vec!["duffel".to_owned(), "düffel\n".to_owned()]), ..Flags::default() },
            Flags { embedder: EmbedderSlot::Next, ..Flags::default() },
            Flags { capped_on: Some(jiff::civil::date(2026, 11, 21)), ..Flags::default() },
        ] {
            let header = Handed::header(&flags).unwrap();
            assert_eq!(Handed::read(&HeaderMap::from_iter([(FLAGS_HEADER, header)])).as_deref(), Some(&flags));
        }
    }

    #[test]
    fn an_older_or_newer_chat_is_understood_and_rubbish_is_as_good_as_nothing() {
        assert_eq!(handed("{}"), Some(Flags::default()));
        assert_eq!(handed(r#"{"model": false, "new": [1]}"#), Some(Flags { model: false, ..Flags::default() }));
        for rubbish in ["", "model", r#"{"model": "off"}"#, r#"{"steps": "sideways"}"#] {
            assert_eq!(handed(rubbish), None, "{rubbish}");
        }
        assert_eq!(Handed::read(&HeaderMap::new()), None);
    }

    #[tokio::test]
    async fn a_step_goes_by_what_it_was_handed_and_reads_nothing_itself() {
        let unreadable = FlagSource::file(std::path::Path::new("/nowhere/at/all"), std::time::Duration::ZERO);
        let off = Arc::new(Flags { model: false, ..Flags::default() });
        assert_eq!(in_turn(Some(off.clone()), unreadable.of_turn()).await, off);
        assert!(unreadable.0.as_ref().unwrap().last.borrow().due.is_none(), "it was not read");
        assert_eq!(*in_turn(None, unreadable.of_turn()).await, Flags::default());
        assert!(unreadable.0.as_ref().unwrap().last.borrow().due.is_some());
    }
}
