//! Where a person corrects themselves within a message: "3 tickets no 4 tickets", "Monday, sorry, Tuesday".

use crate::text::Text;

/// Words that put right what stands before them.
const REPAIRS: &[&str] = &[
    "no",
    "er",
    "err",
    "erm",
    "uh",
    "um",
    "er no",
    "er sorry",
    "er actually",
    "sorry",
    "meant",
    "i mean",
    "i meant",
    "no wait",
    "wait",
    "wait no",
    "actually",
    "oops",
    "hang on",
    "hold on",
    "hang on no",
    "my bad",
    "correction",
    "scratch that",
    "rather",
    "or rather",
    "make that",
    "make it",
    "no sorry",
    "no make it",
    "no make that",
    "sorry i mean",
    "no actually",
    "actually no",
    "oh no",
    "no i mean",
    "i mean no",
    "as in",
    "but its",
    "but it is",
    "but it should be",
    "meaning",
    "i . e .",
];

/// Nothing but such words stands between two readings.
pub fn between(text: &Text, from: usize, to: usize) -> bool {
    let plain = text.plain(from..to);
    let said = plain.trim();
    !said.is_empty() && REPAIRS.contains(&said)
}

/// Such words stand right before a token.
pub fn marked(text: &Text, at: usize) -> bool {
    (1..=4).any(|back| {
        at.checked_sub(back).is_some_and(|from| {
            let plain = text.plain(from..at);
            REPAIRS.contains(&plain.trim())
        })
    })
}
