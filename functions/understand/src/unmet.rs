//! Wishes that are heard and that no search can be held to: they are said so, not dropped.

use contracts::dialogue::Unmet;

use crate::calendar;
use crate::text::Text;

/// Such wishes of a message, each once.
pub fn unmet(text: &Text) -> Vec<Unmet> {
    const KINDS: [(Unmet, &[&str]); 3] = [
        (
            Unmet::Aircraft,
            &[
                "no boeing",
                "no airbus",
                "737 max",
                "not a boeing",
                "not boeing",
                "dreamliner",
                "a380",
                "on a 787",
                "a350",
                "no propeller",
                "no props",
                "turboprop",
                "no small planes",
                "no small plane",
            ],
        ),
        (
            Unmet::SeveralCities,
            &[
                "multi city",
                "multi - city",
                "multicity",
                "open jaw",
                "open - jaw",
                "then fly to",
                "and then to",
                "then to",
                "then on to",
                "two cities",
                "several cities",
                "3 cities",
                "round the world",
            ],
        ),
        (Unmet::Via, &["stopover", "stop over", "break the journey", "stop in", "stopping in"]),
    ];
    let mut found: Vec<Unmet> = Vec::new();
    for (wish, phrases) in KINDS {
        if (0..text.len()).any(|at| text.any_of(at, phrases).is_some() && !text.is_taken_back(at..at + 1)) {
            found.push(wish);
        }
    }
    // "Every Monday in January" is several journeys.
    let each_time =
        (0..text.len()).any(|at| matches!(text.at(at), "every" | "each") && calendar::expression(text, at).is_some());
    if each_time {
        found.push(Unmet::EachTime);
    }
    // "Fly into Milan, out of Rome."
    let into = (0..text.len()).any(|at| text.at(at) == "into");
    if into && (0..text.len()).any(|at| text.is(at, &["out", "of"])) && !found.contains(&Unmet::SeveralCities) {
        found.push(Unmet::SeveralCities);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journey_on_several_days_is_heard() {
        for (words, expected) in [
            ("every monday in january", &[Unmet::EachTime][..]),
            ("Oslo to Rome each friday in May please", &[Unmet::EachTime]),
            ("on the first monday in january", &[]),
            ("a seat for each of us", &[]),
        ] {
            assert_eq!(unmet(&Text::new(words)), expected, "{words}");
        }
    }
}
