//! Wishes that are heard and that no search can be held to: they are said so, not dropped.

use contracts::dialogue::Unmet;

use crate::text::Text;

/// Such wishes of a message, each once; `arrives` where it says when to arrive.
pub fn unmet(text: &Text, arrives: bool) -> Vec<Unmet> {
    const KINDS: [(Unmet, &[&str]); 6] = [
        (
            Unmet::Layover,
            &[
                "overnight layover",
                "overnight layovers",
                "overnight stop",
                "overnight stops",
                "overnight stopover",
                "long layover",
                "long layovers",
                "short layover",
                "short layovers",
                "layover not",
                "layovers not",
                "layover under",
                "layover less",
                "layover max",
                "max layover",
                "layover of",
                "layover at",
                "layover between",
                "hour layover",
                "hours layover",
                "hour connection",
                "hours connection",
                "an hour tho",
                "at least an hour",
                "connection time",
                "tight connection",
                "layover shorter",
                "layover longer",
                "layovers under",
                "layovers longer",
                "layovers over",
                "layover over",
                "layover less than",
                "layover no more",
                "hour stop",
                "hours stop",
                "long stops",
            ],
        ),
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
        (Unmet::Alliance, &["star alliance", "oneworld", "one world", "skyteam", "sky team", "alliance"]),
        (
            Unmet::LowCost,
            &[
                "low cost",
                "low - cost",
                "lowcost",
                "budget airline",
                "budget airlines",
                "budget carrier",
                "budget carriers",
                "no frills",
                "full service",
                "legacy carrier",
                "legacy airlines",
                "lcc",
                "lccs",
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
    if arrives {
        found.push(Unmet::Arrival);
    }
    // "Fly into Milan, out of Rome."
    let into = (0..text.len()).any(|at| text.at(at) == "into");
    if into && (0..text.len()).any(|at| text.is(at, &["out", "of"])) && !found.contains(&Unmet::SeveralCities) {
        found.push(Unmet::SeveralCities);
    }
    found
}
