//! Who travels: "two of us", "2 adults and a child", "my wife and I", "just me", "for 4", "a family of five".

use contracts::dialogue::Travellers;

use crate::ages;
use crate::numbers::{number, number_or_one};
use crate::text::Text;

/// Who a word counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Anyone,
    Adult,
    Child,
    Infant,
}

/// Who travels, as far as a message says. What is read is taken.
pub fn travellers(text: &mut Text) -> Option<Travellers> {
    if let Some((grown, at)) = ages::grown(text) {
        text.take(at);
        return Some(grown);
    }
    if let Some(fewer) = fewer(text).or_else(|| among(text)).or_else(|| denied(text)) {
        return Some(fewer);
    }
    let counted = counted(text);
    let group = group(text);
    let alone = alone(text);
    let mut found = counted.or(alone);
    // "three seats for my wife, me and the kid": the number that was said is the sum, whatever the list says.
    if let Some(group) = group {
        found = Some(match found {
            Some(found) if found.total.is_some() || found.adults.is_some() => found,
            Some(found) => Travellers { adults: group.adults.or(found.adults), ..found },
            None => group,
        });
    }
    found
}

/// Travellers with their ages, or a number of them, start at a token: how many tokens.
pub fn sure(text: &Text, at: usize) -> Option<usize> {
    ages::aged(text, at).map(|(_, length)| length)
}

/// "My wife isn't coming", "without the kids", "one less".
fn fewer(text: &mut Text) -> Option<Travellers> {
    const NOT_COMING: &[&str] = &[
        "isnt coming",
        "is not coming",
        "wont come",
        "not coming",
        "cant come",
        "cannot come",
        "isnt going",
        "is not joining",
        "not joining",
        "wont be coming",
        "arent coming",
        "are not coming",
        "dropped out",
        "is out",
    ];
    let fewer = |who: Who, count: u32| {
        let mut found = Travellers { fewer: true, ..Travellers::default() };
        match who {
            Who::Child => found.children = Some(count),
            Who::Infant => found.infants = Some(count),
            Who::Adult | Who::Anyone => found.adults = Some(count),
        }
        found
    };
    (0..text.len()).find_map(|at| {
        if let Some(length) = text.any_of(
            at,
            &[
                "one less",
                "one less adult",
                "one adult less",
                "one fewer",
                "minus one",
                "1 less",
                "minus 1",
                "one person less",
                "one less person",
            ],
        ) {
            text.take(at..at + length);
            return Some(fewer(Who::Anyone, 1));
        }
        let (count, who, length) = companion(text, at).or_else(|| {
            (text.at(at) == "the" && matches!(text.at(at + 1), "kids" | "children")).then_some((99, Who::Child, 2))
        })?;
        let behind = text.any_of(at + length, NOT_COMING);
        let before = matches!(text.before(at, 1), "without" | "minus" | "except");
        (before || behind.is_some()).then(|| {
            text.take(at..at + length + behind.unwrap_or(0));
            fewer(who, count)
        })
    })
}

/// "One of us is a baby of 6 months": who it is was counted before.
fn among(text: &mut Text) -> Option<Travellers> {
    (0..text.len()).find_map(|at| {
        let (count, length) = number(text, at)?;
        let next = at + length;
        let of = text.any_of(
            next,
            &[
                "of us is",
                "of us are",
                "of them is",
                "of them are",
                "of us",
                "of the passengers is",
                "of the travellers is",
            ],
        )?;
        let noun = next + of;
        let by_years = || {
            let article = usize::from(matches!(text.at(noun), "a" | "an"));
            let (_, who, length) = aged(text, noun + article)?;
            let mut found = Travellers::default();
            match who {
                Who::Child => found.children = Some(count),
                Who::Infant => found.infants = Some(count),
                Who::Adult | Who::Anyone => found.adults = Some(0),
            }
            Some((found, article + length))
        };
        let aged = ages::aged(text, noun).filter(|(found, _)| found.adults.is_none()).or_else(by_years);
        let (found, end) = match aged {
            Some((found, length)) => (found, noun + length),
            None => {
                let article = usize::from(matches!(text.at(noun), "a" | "an"));
                let (who, length) = unit(text, noun + article, true)?;
                let mut found = Travellers::default();
                match who {
                    Who::Child => found.children = Some(count),
                    Who::Infant => found.infants = Some(count),
                    Who::Adult | Who::Anyone => return None,
                }
                (found, noun + article + length)
            }
        };
        text.take(at..end);
        Some(Travellers { among: true, ..found })
    })
}

/// "The 3rd, not three people": what was counted before counts nobody.
fn denied(text: &mut Text) -> Option<Travellers> {
    (0..text.len()).find_map(|at| {
        let (count, length) = number(text, at).filter(|_| text.before(at, 1) == "not")?;
        let noun = matches!(
            text.at(at + length),
            "people" | "persons" | "passengers" | "travellers" | "travelers" | "pax" | "adults" | "tickets"
        );
        noun.then(|| {
            text.take(at..at + length + 1);
            Travellers { total: Some(count), fewer: true, among: true, ..Travellers::default() }
        })
    })
}

fn add(sum: &mut Option<u32>, count: u32) {
    *sum = Some(sum.unwrap_or(0).saturating_add(count));
}

/// Numbers with a word for people or places behind them, and "group of five", "for two".
fn counted(text: &mut Text) -> Option<Travellers> {
    let mut found = Travellers::default();
    let mut any = false;
    let mut at = 0;
    while at < text.len() {
        if let Some((aged, length)) = ages::aged(text, at).filter(|_| text.free(at)) {
            let sums = [
                (&mut found.adults, aged.adults),
                (&mut found.children, aged.children),
                (&mut found.infants, aged.infants),
            ];
            for (sum, count) in sums {
                count.into_iter().for_each(|count| add(sum, count));
            }
            any = true;
            text.take(at..at + length);
            at += length;
            continue;
        }
        let Some((count, who, length)) = one_count(text, at).filter(|_| text.free(at)) else {
            at += 1;
            continue;
        };
        let more = matches!(text.before(at, 1), "plus" | "another" | "add" | "extra") || text.at(at) == "another";
        match who {
            // "3 seats ... for 2 people": the later counts.
            Who::Anyone => found.total = Some(count),
            Who::Adult => add(&mut found.adults, count),
            Who::Child => add(&mut found.children, count),
            Who::Infant => add(&mut found.infants, count),
        }
        found.more |= more;
        any = true;
        text.take(at..at + length);
        at += length;
    }
    // "the two of us plus a baby" says everything; "plus a baby" alone adds to who was named before.
    found.more &= found.total.is_none() && found.adults.is_none();
    any.then_some(found)
}

fn one_count(text: &Text, at: usize) -> Option<(u32, Who, usize)> {
    if let Some(length) = text.any_of(at, &["group of", "party of", "family of", "team of", "group with"]) {
        let (count, digits) = number(text, at + length)?;
        return Some((count, Who::Anyone, length + digits));
    }
    if let Some(found) = aged(text, at) {
        return Some(found);
    }
    let article = usize::from(text.at(at) == "a");
    if text.at(at + article) == "couple" && (text.at(at + article + 1) != "of" || text.at(at + article + 2) == "with") {
        let counts = matches!(
            text.at(at + article + 1),
            "more" | "days" | "weeks" | "nights" | "hours" | "months" | "bags" | "people"
        );
        return (!counts).then_some((2, Who::Adult, 1 + article));
    }
    if let Some(length) = text.any_of(at, &["we are", "were", "we r", "there are"]) {
        let (count, digits) = number(text, at + length)?;
        let ends = !text.is_word(at + length + digits);
        return (ends && count > 0).then_some((count, Who::Anyone, length + digits));
    }
    if let Some(length) =
        text.any_of(at, &["no kids", "no kid", "no child", "no children", "without kids", "without children"])
    {
        return Some((0, Who::Child, length));
    }
    let (count, length) = number_or_one(text, at)?;
    let spelled = number(text, at).is_some();
    if text.at(at) == "one" && matches!(text.at(at + 1), "way" | "-") {
        return None;
    }
    let mut next = at + length;
    if text.is(next, &["of", "us"]) {
        return Some((count, Who::Anyone, length + 2));
    }
    next += adjectives(text, next);
    let (who, noun) = unit(text, next, spelled)?;
    // "Me and one more person" are two; "two friends" and the like are for `group`.
    let with_speaker = text.before(at, 1) == "and" && matches!(text.before(at, 2), "me" | "myself");
    let more = usize::from(who == Who::Anyone && with_speaker && text.at(at + length) == "more");
    Some((count + more as u32, who, next + noun - at))
}

/// "5-year-old", "a six month old baby".
fn aged(text: &Text, at: usize) -> Option<(u32, Who, usize)> {
    let (lead_count, lead) = match number_or_one(text, at) {
        Some((count, length)) if number(text, at + length).is_some() => (count, length),
        _ => (1, 0),
    };
    let (age, length) = number(text, at + lead)?;
    let mut next = at + lead + length;
    next += usize::from(text.at(next) == "-");
    let years = match text.at(next) {
        "year" | "years" | "yr" | "yrs" => age,
        "month" | "months" => 0,
        _ => return None,
    };
    next += 1 + usize::from(text.at(next + 1) == "-");
    // "A 6 month baby" says the same.
    let old = matches!(text.at(next), "old" | "olds" | "o");
    if !old && (years > 0 || unit(text, next, true).is_none()) {
        return None;
    }
    next += usize::from(old);
    next += unit(text, next, true).map_or(0, |(_, length)| length);
    let who = match years {
        0..2 => Who::Infant,
        2..12 => Who::Child,
        _ => Who::Adult,
    };
    Some((lead_count, who, next - at))
}

/// The words between a number and "tickets": "three one-way economy class tickets".
fn adjectives(text: &Text, from: usize) -> usize {
    const WORDS: &[&str] = &[
        "economy",
        "premium",
        "business",
        "first",
        "class",
        "coach",
        "one",
        "way",
        "oneway",
        "round",
        "trip",
        "return",
        "direct",
        "nonstop",
        "non",
        "stop",
        "-",
        "flight",
        "plane",
        "air",
        "airline",
        "cheap",
        "cheapest",
        "more",
        "other",
        "of",
        "the",
        "adult",
        "young",
        "roundtrip",
        "refundable",
        "little",
        "small",
        "grown",
    ];
    let mut at = from;
    while at - from < 6
        && WORDS.contains(&text.at(at))
        && !unit(text, at, true).is_some_and(|(who, _)| who == Who::Adult)
    {
        at += 1;
    }
    at - from
}

/// The word that says what is counted. "A ticket" counts nobody, "one ticket" does.
fn unit(text: &Text, at: usize, spelled: bool) -> Option<(Who, usize)> {
    Some(match text.at(at) {
        "people" | "ppl" | "persons" | "passengers" | "pax" | "travelers" | "travellers" | "peoples" | "members"
        | "folks" | "guys" | "flyers" | "individuals" => (Who::Anyone, 1),
        "person" | "passenger" | "traveler" | "traveller" | "individual" if spelled => (Who::Anyone, 1),
        "tickets" | "seats" | "tix" => (Who::Anyone, 1),
        "ticket" | "seat" if spelled => (Who::Anyone, 1),
        "adult" | "adults" | "grownup" | "grownups" | "senior" | "seniors" | "teenager" | "teenagers" | "teens"
        | "students" | "pensioners" => (Who::Adult, 1),
        "student" | "pensioner" | "teen" | "elder" | "elders" | "elderly" if spelled => (Who::Adult, 1),
        "grown" if text.is(at + 1, &["-", "ups"]) => (Who::Adult, 3),
        "child" | "children" | "kid" | "kids" | "childs" => (Who::Child, 1),
        "infant" | "infants" | "baby" | "babies" | "newborn" | "toddler" | "toddlers" => (Who::Infant, 1),
        _ => return None,
    })
}

/// "just me", "solo", "for 2", "for one".
fn alone(text: &mut Text) -> Option<Travellers> {
    const ALONE: &[&str] = &[
        "just me",
        "only me",
        "just myself",
        "only myself",
        "by myself",
        "on my own",
        "solo",
        "alone",
        "me alone",
        "just one",
        "only one",
        "me only",
        "me myself",
        "just for me",
        "just for myself",
        "only for me",
        "just 1",
        "only 1",
        "it is me",
    ];
    let mut found = None;
    for at in 0..text.len() {
        if let Some(length) = text.any_of(at, ALONE).filter(|length| text.all_free(at..at + length)) {
            let counts_other = matches!(
                text.at(at + length),
                "stop" | "way" | "bag" | "layover" | "and" | "-" | "connection" | "suitcase"
            );
            // "Show me only direct ones."
            let shown = matches!(text.at(at), "me")
                && matches!(text.before(at, 1), "show" | "give" | "tell" | "find" | "send" | "get");
            if !counts_other && !shown {
                text.take(at..at + length);
                found = Some(1);
            }
        }
        if let Some((count, length)) =
            text.any_of(at, &["for all", "for just", "for only", "for the", "for", "of", "both"]).and_then(|lead| {
                (text.at(at) == "for")
                    .then(|| number(text, at + lead))
                    .flatten()
                    .map(|(count, length)| (count, lead + length))
            })
            && text.all_free(at..at + length)
            && ends_count(text, at + length)
            && count > 0
        {
            text.take(at..at + length);
            found = Some(count);
        }
        if let Some(length) = text
            .any_of(at, &["both of us", "couple of us", "a couple", "us both"])
            .filter(|length| text.all_free(at..at + length))
        {
            text.take(at..at + length);
            found = Some(2);
        }
    }
    found.map(|total| Travellers { total: Some(total), ..Travellers::default() })
}

/// What may stand behind "for 2".
fn ends_count(text: &Text, at: usize) -> bool {
    !text.tokens.get(at).is_some_and(|token| token.is_word())
        && !matches!(text.at(at), "$" | "€" | "£" | ":" | "/" | "%" | "-")
        || matches!(
            text.at(at),
            "please"
                | "on"
                | "from"
                | "to"
                | "in"
                | "leaving"
                | "departing"
                | "and"
                | "with"
                | "this"
                | "next"
                | "tomorrow"
                | "thanks"
        )
}

/// "my wife and I", "me and three friends", "with my two kids": the speaker and who comes along.
fn group(text: &mut Text) -> Option<Travellers> {
    let sentences = text.sentences();
    for sentence in sentences {
        let plain = text.plain(sentence.clone());
        let together = [
            " and i ",
            " and me ",
            " and myself ",
            " me and ",
            " me my ",
            " my wife and ",
            " my husband and ",
            " my partner and ",
            " myself and ",
            " i and ",
            " with my ",
            " with our ",
            " with a ",
            " plus my ",
            " with me ",
            " bringing my ",
            " taking my ",
            " along with ",
            " accompanied by ",
            " me plus ",
            " accompany ",
        ];
        let with_friends =
            [" friend", " colleague", " coworker", " others ", " more person ", " more people ", " kids "]
                .iter()
                .any(|word| plain.contains(word))
                && plain.contains(" with ");
        let bare = sentence.clone().any(|at| bare_relative(text, at).is_some());
        let joins = [" coming ", " comes ", " joining ", " joins ", " add ", " as well ", " comes along "];
        let bare = bare || joins.iter().any(|phrase| plain.contains(phrase));
        if !together.iter().any(|phrase| plain.contains(phrase)) && !with_friends && !bare {
            continue;
        }
        let speaker = [" me ", " i ", " myself ", " im ", " we ", " with "].iter().any(|word| plain.contains(word));
        let added = [
            "plus ",
            "add ",
            "also ",
            " too ",
            " coming ",
            " joining ",
            " as well ",
            " coming along ",
            " is joining ",
            " joins ",
        ]
        .iter()
        .any(|word| plain.contains(word));
        let more = added && !speaker;
        let mut sum = if more {
            Travellers { more: true, ..Travellers::default() }
        } else {
            Travellers { adults: Some(1), ..Travellers::default() }
        };
        let mut any = false;
        let mut at = sentence.start;
        while at < sentence.end {
            let named = companion(text, at).or_else(|| bare_relative(text, at));
            let Some((count, who, length)) = named.filter(|_| text.free(at)) else {
                at += 1;
                continue;
            };
            match who {
                Who::Child => add(&mut sum.children, count),
                Who::Infant => add(&mut sum.infants, count),
                Who::Adult | Who::Anyone => add(&mut sum.adults, count),
            }
            any = true;
            text.take(at..at + length);
            at += length;
        }
        if any {
            return Some(sum);
        }
    }
    None
}

/// "with mom and dad", "me + gf": relatives as they are called, behind a word that joins them to others.
fn bare_relative(text: &Text, at: usize) -> Option<(u32, Who, usize)> {
    let joined = matches!(text.before(at, 1), "with" | "and" | "+" | "plus" | "," | "add")
        || matches!(text.before(at, 1), "my" | "our" | "her" | "his")
            && matches!(text.before(at, 2), "and" | "+" | "," | "with");
    let (count, who) = match text.at(at) {
        "mom" | "mum" | "mother" | "dad" | "father" | "wife" | "husband" | "girlfriend" | "boyfriend" | "sister"
        | "brother" | "grandma" | "grandpa" | "grandmother" | "grandfather" | "aunt" | "uncle" | "partner"
        | "fiance" | "fiancee" => (1, Who::Adult),
        "parents" | "grandparents" => (2, Who::Adult),
        "son" | "daughter" | "kid" | "child" => (1, Who::Child),
        "baby" | "infant" | "newborn" | "toddler" => (1, Who::Infant),
        _ => return None,
    };
    let owned = text.at(at + 1) == "'s";
    (joined && !owned).then_some((count, who, 1))
}

/// "my wife", "our two kids", "3 friends", "a friend", "one more person".
fn companion(text: &Text, at: usize) -> Option<(u32, Who, usize)> {
    let possessed = usize::from(matches!(text.at(at), "my" | "our" | "the"));
    let counted = number_or_one(text, at + possessed);
    if possessed == 0 && counted.is_none() {
        return None;
    }
    let mut next = at + possessed + counted.map_or(0, |(_, length)| length);
    while matches!(
        text.at(next),
        "more" | "other" | "of" | "my" | "our" | "best" | "good" | "young" | "little" | "old" | "dear"
    ) {
        next += 1;
    }
    let visited = matches!(
        text.before(at, 1),
        "visit" | "see" | "meet" | "visiting" | "seeing" | "meeting" | "in" | "at" | "for"
    );
    let (who, usual) = match text.at(next) {
        "wife" | "husband" | "partner" | "girlfriend" | "boyfriend" | "fiance" | "fiancee" | "spouse" | "mom"
        | "mother" | "mum" | "dad" | "father" | "sister" | "brother" | "friend" | "colleague" | "coworker" | "boss"
        | "cousin" | "aunt" | "uncle" | "roommate" | "grandmother" | "grandma" | "grandfather" | "grandpa"
        | "buddy" | "mate" | "client" | "manager" | "girl" | "companion" => (Who::Adult, Some(1)),
        "parents" | "grandparents" => (Who::Adult, Some(2)),
        "friends" | "colleagues" | "coworkers" | "sisters" | "brothers" | "cousins" | "others" | "buddies"
        | "mates" | "people" | "persons" | "person" | "teammates" => (Who::Adult, None),
        "son" | "daughter" | "kid" | "child" | "boy" => (Who::Child, Some(1)),
        "sons" | "daughters" | "kids" | "children" | "boys" | "girls" => (Who::Child, None),
        "baby" | "infant" | "newborn" | "toddler" => (Who::Infant, Some(1)),
        "babies" | "infants" | "twins" => (Who::Infant, None),
        _ => return None,
    };
    let owned = text.at(next + 1) == "'s";
    let count = counted.map(|(count, _)| count).or(usual)?;
    (!owned && !visited).then_some((count, who, next + 1 - at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn travellers_are_counted() {
        let some = |total: u32, adults: u32, children: u32, infants: u32| {
            let said = |count: u32| (count > 0).then_some(count);
            Some(Travellers {
                total: said(total),
                adults: said(adults),
                children: said(children),
                infants: said(infants),
                ..Travellers::default()
            })
        };
        let cases = [
            ("two of us", some(2, 0, 0, 0)),
            ("for 2 people", some(2, 0, 0, 0)),
            ("2 tickets", some(2, 0, 0, 0)),
            ("make that 4 ppl", some(4, 0, 0, 0)),
            ("three one-way economy class tickets", some(3, 0, 0, 0)),
            ("a family of four", some(4, 0, 0, 0)),
            ("a group of 5 members", some(5, 0, 0, 0)),
            ("just me", some(1, 0, 0, 0)),
            ("I'm flying solo", some(1, 0, 0, 0)),
            ("to Rome for two, please", some(2, 0, 0, 0)),
            ("2 adults, a child and an infant", some(0, 2, 1, 1)),
            ("4 of us, including 2 kids", some(4, 0, 2, 0)),
            ("my wife and I", some(0, 2, 0, 0)),
            ("me and 3 friends", some(0, 4, 0, 0)),
            ("my husband, our two kids and me", some(0, 2, 2, 0)),
            ("with my 5-year-old", some(0, 0, 1, 0)),
            ("with my parents", some(0, 3, 0, 0)),
            ("for me and one more person", some(2, 0, 0, 0)),
            ("both of us", some(2, 0, 0, 0)),
        ];
        for (words, expected) in cases {
            let found = travellers(&mut Text::new(words));
            assert_eq!(found, expected, "{words}");
        }
    }

    #[test]
    fn what_counts_nobody_is_left_alone() {
        for words in [
            "a one way ticket",
            "for a week",
            "two bags",
            "to visit my sister",
            "my cousin's house",
            "for 2 nights",
            "one stop",
            "show me only direct ones",
        ] {
            assert_eq!(travellers(&mut Text::new(words)), None, "{words}");
        }
    }
}
