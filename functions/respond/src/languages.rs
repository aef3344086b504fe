//! What is said first in the language of a message that was not in English: that English is understood best, what was
//! understood, and what is still to be told.

use contracts::api::ReplyRequest;
use contracts::dialogue::{Action, Slot};

/// The phrases of one language, in the order of the table's columns.
struct Phrases {
    best: &'static str,
    understood: &'static str,
    back: &'static str,
    groups: [&'static str; 3],
    questions: [&'static str; 4],
}

fn phrases(language: &str) -> Option<Phrases> {
    let line = include_str!("../data/languages.tsv").lines().find(|line| line.split('\t').next() == Some(language))?;
    let mut fields = line.split('\t').skip(1);
    let mut next = || fields.next();
    Some(Phrases {
        best: next()?,
        understood: next()?,
        back: next()?,
        groups: [next()?, next()?, next()?],
        questions: [next()?, next()?, next()?, next()?],
    })
}

/// The beginning of the reply in the person's language; nothing for a message in English.
pub(crate) fn beginning(request: &ReplyRequest) -> Option<String> {
    let phrases = phrases(request.session.language.as_deref()?)?;
    let mut text = phrases.best.to_owned();
    let known = known(request, &phrases);
    if !known.is_empty() {
        text.push_str(&format!(" {}: {known}.", phrases.understood));
    }
    let [when, when_back, from, to] = phrases.questions;
    let question = match &request.action {
        Action::Ask { slot: Slot::DepartureDate, .. } => Some(when),
        Action::Ask { slot: Slot::ReturnDate, .. } => Some(when_back),
        Action::Ask { slot: Slot::Origin, .. } => Some(from),
        Action::Ask { slot: Slot::Destination, .. } => Some(to),
        _ => None,
    };
    question.into_iter().for_each(|question| text.push_str(&format!(" {question}")));
    text.push_str("\n\n");
    Some(text)
}

/// "Paris (PAR) → Montreal (YMQ), 2026-12-20, retour 2027-01-03, 2 adultes".
fn known(request: &ReplyRequest, phrases: &Phrases) -> String {
    let slots = &request.session.slots;
    let place = |place: &contracts::travel::Place| format!("{} ({})", place.name, place.iata);
    let route = match (&slots.origin, &slots.destination) {
        (Some(from), Some(to)) => Some(format!("{} → {}", place(from), place(to))),
        (Some(from), None) => Some(format!("{} → ?", place(from))),
        (None, Some(to)) => Some(format!("? → {}", place(to))),
        (None, None) => None,
    };
    let party = slots.passengers.map(|party| {
        let counts = [party.adults, party.children, party.infants].into_iter().zip(phrases.groups);
        counts
            .filter(|(count, _)| *count > 0)
            .map(|(count, group)| format!("{count} {group}"))
            .collect::<Vec<_>>()
            .join(", ")
    });
    let parts = [
        route,
        slots.departure_date.map(|day| day.to_string()),
        slots.return_date.map(|day| format!("{} {day}", phrases.back)),
        party,
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_of_the_table_is_whole() {
        for line in include_str!("../data/languages.tsv").lines().filter(|line| !line.starts_with('#')) {
            let language = line.split('\t').next().expect("a language");
            assert!(phrases(language).is_some(), "{language}");
        }
        assert!(phrases("xx").is_none());
    }
}
