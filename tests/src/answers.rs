//! What people ask the assistants in their own words, as files (`tests/answers/*.txt`), and how their replies are judged.
//!
//! A line is `words => must hold` or `words => must hold !> must not hold`, both patterns matched without regard to case and
//! across line breaks. `[name]` begins a kind of questions, each asked in a session of its own; `[conversation]` begins a
//! conversation, whose lines begin with `>` and are said one after the other.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, ensure};
use regex::{Regex, RegexBuilder};

/// How a reply begins that gives none of the texts.
pub const UNKNOWN: &str = "I don't know";

/// Words, and what the reply to them must hold.
#[derive(Debug, Clone)]
pub struct Line {
    /// What is said.
    pub words: String,
    holds: Regex,
    holds_not: Option<Regex>,
    /// To say that one does not know is right.
    may_refuse: bool,
}

/// Lines that are said in one session.
#[derive(Debug, Clone, Default)]
pub struct Session {
    /// The kind of question, or `conversation`.
    pub kind: String,
    /// The lines, one after the other.
    pub lines: Vec<Line>,
}

impl Line {
    /// Reads `words => must hold !> must not hold`.
    ///
    /// # Errors
    /// It is not written so.
    pub fn read(line: &str) -> anyhow::Result<Self> {
        let (words, expected) = line.split_once(" => ").with_context(|| format!("{line}: => is missing"))?;
        let (holds, holds_not) = match expected.split_once(" !> ") {
            Some((holds, holds_not)) => (holds, Some(holds_not)),
            None => (expected, None),
        };
        let pattern = |pattern: &str| {
            let built = RegexBuilder::new(pattern.trim()).case_insensitive(true).dot_matches_new_line(true).build();
            built.with_context(|| line.to_owned())
        };
        let holds = pattern(holds)?;
        let may_refuse = holds.is_match(UNKNOWN);
        Ok(Self { words: words.trim().to_owned(), holds, holds_not: holds_not.map(pattern).transpose()?, may_refuse })
    }

    /// Whether a reply is right. What it names as things to ask does not count as an answer.
    pub fn is_right(&self, reply: &str) -> bool {
        let refused = reply.starts_with(UNKNOWN);
        let held = if refused { self.may_refuse } else { self.holds.is_match(reply) };
        held && (refused || !self.holds_not.as_ref().is_some_and(|pattern| pattern.is_match(reply)))
    }

    /// Whether what a reply must hold is in a text.
    pub fn is_held_by(&self, text: &str) -> bool {
        self.holds.is_match(text)
    }
}

/// Reads a file.
///
/// # Errors
/// It cannot be read, or a line is not written as it should be.
pub fn read(path: &Path) -> anyhow::Result<Vec<Session>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let (mut sessions, mut kind) = (Vec::<Session>::new(), String::new());
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            name.clone_into(&mut kind);
            if kind == "conversation" {
                sessions.push(Session { kind: kind.clone(), lines: Vec::new() });
            }
        } else if let Some(line) = line.strip_prefix('>') {
            let session = sessions.last_mut().filter(|_| kind == "conversation");
            session.with_context(|| format!("{line}: no conversation has begun"))?.lines.push(Line::read(line)?);
        } else {
            ensure!(!kind.is_empty() && kind != "conversation", "{line}: of no kind");
            sessions.push(Session { kind: kind.clone(), lines: vec![Line::read(line)?] });
        }
    }
    Ok(sessions)
}

/// How many of how many are right, by kind.
#[derive(Debug, Default)]
pub struct Shares(BTreeMap<String, (usize, usize)>);

impl Shares {
    /// Counts one.
    pub fn add(&mut self, kind: &str, right: bool) {
        let (rights, all) = self.0.entry(kind.to_owned()).or_default();
        *rights += usize::from(right);
        *all += 1;
    }

    /// The share of right ones among the kinds that `of` names, and among how many.
    pub fn of(&self, of: impl Fn(&str) -> bool) -> (f64, usize) {
        let kinds = self.0.iter().filter(|(kind, _)| of(kind));
        let (right, all) = kinds.fold((0, 0), |sum, (_, (right, all))| (sum.0 + right, sum.1 + all));
        (right as f64 / all.max(1) as f64, all)
    }

    /// The kinds.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
