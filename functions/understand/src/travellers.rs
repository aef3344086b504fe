//! Who travels: "two of us", "2 adults and a child", "my wife and I", "just me", "for 4", "a family of five".

use contracts::dialogue::Travellers;

use crate::ages;
use crate::calendar;
use crate::numbers::{number, number_or_one};
use crate::repairs;
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
    if let Some(accompanied) = accompanied(text) {
        return Some(accompanied);
    }
    take_disowned(text);
    if let Some(speaker) = speaker_joins(text).or_else(|| speaker_too(text)).or_else(|| others_alone(text)) {
        return Some(speaker);
    }
    let (counted, of_age) = counted(text);
    let group = group(text);
    let alone = alone(text);
    let mut found = counted.or(alone);
    // "Family of 5, kids 12, 9 and 3": the eldest is among the five.
    if let Some(found) = found.as_mut().filter(|found| found.total.is_some() && found.adults == of_age) {
        found.adults = None;
    }
    // "The kids are 14, 6 and 1": they were counted before.
    let listed = (0..text.len()).any(|at| {
        matches!(text.at(at), "kids" | "children" | "they") && matches!(text.at(at + 1), "are" | "aged" | "ages")
    });
    if let Some(found) = found.as_mut()
        && listed
        && group.is_none()
        && !found.more
        && found.total.is_none()
        && found.adults == of_age
    {
        found.aged = true;
    }
    // "Unaccompanied minor, 9 years", "my daughter, 10, flies alone": nobody else travels.
    const ALONE: &[&str] =
        &["unaccompanied", "alone", "by herself", "by himself", "on her own", "on his own", "by themselves"];
    let unaccompanied = (0..text.len()).any(|at| text.any_of(at, ALONE).is_some());
    if unaccompanied && found.is_none_or(|found| found.total == Some(1) && found.adults.is_none()) {
        found = alone_by_age(text).or(found);
    }
    if let Some(found) = found.as_mut().filter(|found| unaccompanied && found.adults.is_none() && found.total.is_none())
    {
        found.adults = Some(0);
        return Some(*found);
    }
    // "I travel with my 15-year-old daughter": she counts as an adult, and so does who writes.
    if let (Some(found), None, Some(grown)) = (&mut found, group, of_age)
        && found.total.is_none()
        && found.adults == Some(grown)
        && speaks_of_self(text)
    {
        found.adults = Some(grown.saturating_add(1));
    }
    // "three seats for my wife, me and the kid": the number that was said is the sum, whatever the list says.
    if let Some(group) = group {
        found = Some(match found {
            // "Me, my wife and our kids 13 and 6": one of the kids counts as an adult beside us.
            Some(found) if found.total.is_none() && found.adults.is_some() && found.adults == of_age => Travellers {
                adults: Some(group.adults.unwrap_or(0).saturating_add(of_age.unwrap_or(0))),
                more: group.more,
                ..found
            },
            Some(found) if found.total.is_some() || found.adults.is_some() => found,
            Some(found) => Travellers { adults: group.adults.or(found.adults), ..found },
            None => group,
        });
    }
    found
}

/// "My daughter flies alone, she's 10": the age stands apart from whom it is said of.
fn alone_by_age(text: &mut Text) -> Option<Travellers> {
    const YOUNG: &[&str] = &[
        "daughter",
        "son",
        "niece",
        "nephew",
        "grandson",
        "granddaughter",
        "kid",
        "child",
        "boy",
        "girl",
        "sister",
        "brother",
    ];
    let whose =
        |at: &usize| matches!(text.before(*at, 1), "my" | "our" | "her" | "his") && YOUNG.contains(&text.at(*at));
    let at = (0..text.len()).find(whose)?;
    let (start, years, length) = (at + 1..text.len()).find_map(|at| {
        let is = text.any_of(at, &["shes", "hes", "she is", "he is", "she 's", "he 's", "aged", "age"])?;
        let (years, length) = number(text, at + is).filter(|(years, _)| *years < 18)?;
        let end = at + is + length;
        let ends = !text.is_word(end) || matches!(text.at(end), "years" | "yo" | "yrs" | "and" | "so" | "old");
        ends.then_some((at, years, is + length))
    })?;
    text.take(at..at + 1);
    text.take(start..start + length);
    Some(match by_age((years, length)).1 {
        Who::Child => Travellers { children: Some(1), ..Travellers::default() },
        Who::Infant => Travellers { infants: Some(1), ..Travellers::default() },
        Who::Adult | Who::Anyone => Travellers { total: Some(1), ..Travellers::default() },
    })
}

/// "Plus me", "and I'm coming too": who writes joins those who were named.
fn speaker_too(text: &mut Text) -> Option<Travellers> {
    const TOO: &[&str] = &[
        "plus me",
        "and me too",
        "me too",
        "plus myself",
        "and myself",
        "im coming too",
        "ill come too",
        "count me in",
        "add me",
    ];
    let short = (0..text.len()).filter(|at| text.is_word(*at)).count() <= 5;
    let (at, length) = (0..text.len()).find_map(|at| Some((at, text.any_of(at, TOO)?))).filter(|_| short)?;
    text.take(at..at + length);
    Some(Travellers { adults: Some(1), more: true, ..Travellers::default() })
}

/// "My grandparents (72 and 70), Muscat to Kochi": they travel, and who writes does not.
fn others_alone(text: &mut Text) -> Option<Travellers> {
    let at = usize::from(matches!(text.at(0), "for" | "hi" | "hello"));
    let (count, who, length) = companion(text, at).filter(|_| text.at(at) == "my" && text.free(at))?;
    let told = matches!(
        text.at(at + length),
        "is" | "was"
            | "died"
            | "said"
            | "told"
            | "has"
            | "lives"
            | "passed"
            | "got"
            | "and"
            | ","
            | "gave"
            | "wants"
            | "flight"
            | "booking"
            | "cant"
            | "will"
            | "would"
    );
    let whole = text.plain(0..text.len());
    let speaker = [" i ", " me ", " we ", " us ", " im ", " our "].iter().any(|word| whole.contains(word));
    let short = (0..text.len()).filter(|at| text.is_word(*at)).count() < 4;
    if told || speaker || short || who != Who::Adult {
        return None;
    }
    text.take(at..at + length);
    // "(72 and 70)" are their ages.
    if text.at(at + length) == "("
        && let Some(close) = (at + length..at + length + 8).find(|at| text.at(*at) == ")")
    {
        text.take(at + length..close + 1);
    }
    Some(Travellers { adults: Some(count), ..Travellers::default() })
}

/// "I'll fly with her": who writes travels, too.
fn speaker_joins(text: &mut Text) -> Option<Travellers> {
    const JOINS: &[&str] = &[
        "fly with",
        "go with",
        "come with",
        "travel with",
        "be with",
        "going with",
        "flying with",
        "coming with",
        "accompany",
    ];
    let at = (0..text.len()).find(|at| {
        let Some(length) = text.any_of(*at, JOINS) else { return false };
        let whom = matches!(text.at(at + length), "her" | "him" | "them");
        whom && (matches!(text.before(*at, 1), "ill" | "i" | "im" | "will" | "me" | "gonna")
            || text.before(*at, 2) == "i")
    })?;
    let length = text.any_of(at, JOINS)?;
    text.take(at..at + length + 1);
    Some(Travellers { adults: Some(1), more: true, ..Travellers::default() })
}

/// "So she's going with grandma now": those who were named before travel with these, and who writes does not.
fn accompanied(text: &mut Text) -> Option<Travellers> {
    const GOES: &[&str] = &[
        "going with",
        "flying with",
        "travelling with",
        "traveling with",
        "goes with",
        "flies with",
        "travels with",
        "go with",
        "fly with",
        "travel with",
    ];
    let at = (0..text.len()).find(|at| {
        let helper =
            usize::from(matches!(text.before(*at, 1), "'s" | "is" | "are" | "will" | "now" | "can" | "should"));
        let subject = text.before(*at, 1 + helper);
        text.any_of(*at, GOES).is_some()
            && matches!(subject, "she" | "he" | "they" | "shes" | "hes" | "theyre" | "shell" | "hell" | "theyll")
    })?;
    let start = at + text.any_of(at, GOES)?;
    let owned = usize::from(matches!(text.at(start), "my" | "our" | "her" | "his" | "their" | "the" | "both"));
    let (count, _, length) = companion(text, start)
        .or_else(|| relative(text, start + owned).map(|(count, who)| (count, who, owned + 1)))
        .filter(|(_, who, _)| *who == Who::Adult)?;
    text.take(at..start + length);
    Some(Travellers { adults: Some(count), accompanied: true, ..Travellers::default() })
}

/// "Did I say three grown-ups? Two": what is denied so counts nobody.
fn take_disowned(text: &mut Text) {
    const DISOWNED: &[&str] = &["did i say", "did i write", "did i put", "did i type", "who said"];
    let sentences = text.sentences();
    for (number, sentence) in sentences.iter().enumerate() {
        let disowned = sentence.clone().take(3).any(|at| text.any_of(at, DISOWNED).is_some());
        if disowned && number + 1 < sentences.len() {
            text.take(sentence.clone());
        }
    }
}

/// The message says that who writes travels with them.
fn speaks_of_self(text: &Text) -> bool {
    let plain = text.plain(0..text.len());
    [" with my ", " with our ", " me and ", " and me ", " i and ", " and i ", " me my "]
        .iter()
        .any(|phrase| plain.contains(phrase))
}

/// Travellers with their ages, or a number of them, start at a token: how many tokens.
pub fn sure(text: &Text, at: usize) -> Option<usize> {
    ages::aged(text, at).map(|(_, length)| length)
}

/// Said of somebody who does not come along.
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
    "dropping out",
    "drops out",
    "pulling out",
    "backing out",
    "not able to come",
    "cant come anymore",
    "wont make it",
    "couldnt make it",
    "cannot make it",
    "is out",
    "staying with",
    "is staying",
    "are staying",
    "isnt travelling",
    "isnt traveling",
    "isnt flying",
    "is not flying",
    "is not travelling",
    "is not traveling",
    "are not flying",
    "will not come",
    "arent travelling",
    "arent traveling",
    "wont travel",
    "wont fly",
    "not flying",
    "not travelling",
    "not traveling",
    "backed out",
    "pulled out",
    "bailed",
    "bailing",
    "no longer coming",
    "stays home",
    "stays at home",
    "stay home",
    "stay at home",
    "stays behind",
    "stays with",
    "stay with",
    "is staying with",
    "will stay with",
    "staying home",
    "staying at home",
    "is staying home",
    "will stay home",
    "cancelled",
    "canceled",
    "bailed",
    "cant make it",
    "cant join",
    "wont join",
    "doesnt come",
    "dont come",
    "isnt joining",
    "arent joining",
    "is not going",
    "not going",
];

/// How many tokens say that who was named right before does not come along: "'s dropping out", "has bailed".
fn leaves(text: &Text, at: usize) -> Option<usize> {
    let verb = usize::from(matches!(text.at(at), "'s" | "has" | "have" | "is" | "are" | "just"));
    text.any_of(at + verb, NOT_COMING).map(|length| verb + length).or_else(|| text.any_of(at, NOT_COMING))
}

/// "My wife isn't coming", "without the kids", "one less".
fn fewer(text: &mut Text) -> Option<Travellers> {
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
        let (count, who, length) = companion(text, at)
            .or_else(|| {
                let lead = usize::from(matches!(text.at(at), "the" | "my" | "our"));
                let who = match text.at(at + lead) {
                    "kids" | "children" => Who::Child,
                    "infants" | "babies" | "twins" => Who::Infant,
                    _ => return None,
                };
                Some((99, who, lead + 1))
            })
            .or_else(|| {
                let lead = usize::from(matches!(text.at(at), "the" | "my" | "our"));
                let (_, who, length) = aged(text, at + lead).or_else(|| ages::one(text, at + lead).map(by_age))?;
                Some((1, who, lead + length))
            })
            .or_else(|| relative(text, at).map(|(count, who)| (count, who, 1)))
            .or_else(|| leaves(text, at + 1).filter(|_| is_first_name(text, at)).map(|_| (1, Who::Adult, 1)))?;
        // "One of my parents can't come."
        let one_of = text.before(at, 2) == "one"
            && text.before(at, 1) == "of"
            && matches!(text.at(at), "the" | "my" | "our" | "us");
        let count = if one_of { 1 } else { count };
        let behind = leaves(text, at + length);
        let before = matches!(
            text.before(at, 1),
            "without"
                | "minus"
                | "except"
                | "scrap"
                | "drop"
                | "remove"
                | "forget"
                | "skip"
                | "lose"
                | "ditch"
                | "leave"
                | "cancel"
        ) || matches!((text.before(at, 2), text.before(at, 1)), ("leave" | "take", "out" | "off"));
        (before || behind.is_some()).then(|| {
            text.take(at..at + length + behind.unwrap_or(0));
            fewer(who, count)
        })
    })
}

/// What may be somebody's name: a word that no other reader knows, at the head of its clause.
fn is_first_name(text: &Text, at: usize) -> bool {
    const NO_NAMES: &[&str] = &[
        "i",
        "we",
        "it",
        "that",
        "this",
        "they",
        "he",
        "she",
        "you",
        "who",
        "which",
        "there",
        "one",
        "everyone",
        "everybody",
        "nobody",
        "flight",
        "flights",
        "airline",
        "me",
        "us",
        "day",
        "date",
        "price",
        "deal",
        "offer",
        "and",
        "but",
        "im",
        "ive",
        "is",
        "are",
        "has",
        "was",
        "were",
        "its",
        "thats",
        "hes",
        "shes",
        "theyre",
        "so",
        "if",
        "or",
        "plan",
        "luggage",
    ];
    let word = text.at(at);
    let heads = at == 0
        || !text.is_word(at - 1)
        || matches!(
            text.before(at, 1),
            "wait" | "oh" | "actually" | "sorry" | "but" | "and" | "because" | "now" | "that" | "as"
        );
    let letters = word.len() >= 3 && word.bytes().all(|letter| letter.is_ascii_lowercase());
    heads && letters && text.free(at) && !NO_NAMES.contains(&word) && calendar::expression(text, at).is_none()
}

/// One person of an age, and how many tokens say so.
fn by_age((years, length): (u32, usize)) -> (u32, Who, usize) {
    let who = match years {
        0..2 => Who::Infant,
        2..12 => Who::Child,
        _ => Who::Adult,
    };
    (1, who, length)
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
        // "One of us is 16": a number alone is the age.
        let by_number = || {
            let (years, length) =
                number(text, noun).filter(|(years, length)| *years < 100 && !text.is_word(noun + length))?;
            let mut found = Travellers::default();
            match years {
                0..2 => found.infants = Some(count),
                2..12 => found.children = Some(count),
                _ => found.adults = Some(0),
            }
            Some((found, length))
        };
        let aged =
            ages::aged(text, noun).filter(|(found, _)| found.adults.is_none()).or_else(by_years).or_else(by_number);
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

/// Numbers with a word for people or places behind them, and "group of five", "for two"; and how many of the adults are
/// children by name ("kids 13 and 6").
fn counted(text: &mut Text) -> (Option<Travellers>, Option<u32>) {
    let mut found = Travellers::default();
    let mut of_age = None;
    let (mut any, mut plus_only, mut joined_to_us) = (false, true, false);
    let mut at = 0;
    while at < text.len() {
        if let Some((aged, length)) = ages::aged(text, at).filter(|_| text.free(at)) {
            let sums = [
                (&mut found.adults, aged.adults),
                (&mut found.children, aged.children),
                (&mut found.infants, aged.infants),
            ];
            found.more |= matches!(text.before(at, 1), "plus" | "add" | "also" | "another");
            aged.adults.into_iter().for_each(|count| add(&mut of_age, count));
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
        let more = matches!(text.before(at, 1), "plus" | "another" | "add" | "extra")
            || matches!(text.at(at), "another" | "+")
            || who != Who::Anyone && number_or_one(text, at).is_some_and(|(_, length)| text.at(at + length) == "more");
        plus_only &= more;
        let (count, length) = match put_right(text, at + length) {
            Some((count, end)) => (count, end - at),
            None => (count, length),
        };
        if who == Who::Adult && aged(text, at).is_some() {
            add(&mut of_age, count);
        }
        joined_to_us |= matches!(who, Who::Child | Who::Infant)
            && matches!(text.before(at, 1), "and" | "plus" | "&" | "+")
            && matches!(
                text.before(at, 2),
                "us" | "people" | "persons" | "person" | "passengers" | "pax" | "travellers" | "log"
            );
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
    // "The two of us and a child" are three; "four of us, including a child" are four.
    if let Some(total) = found.total
        && found.adults.is_none()
        && joined_to_us
    {
        (found.total, found.adults) = (None, Some(total));
    }
    // "the two of us plus a baby" says everything; "plus a baby" alone adds to who was named before.
    found.more &= found.total.is_none() && (found.adults.is_none() || plus_only);
    (any.then_some(found), of_age)
}

/// "2 people, no, make that 3": the number that puts a count right, and where it ends.
fn put_right(text: &Text, counted: usize) -> Option<(u32, usize)> {
    (counted + 1..counted + 7).find_map(|at| {
        let (count, length) = number(text, at).filter(|_| text.free(at) && repairs::between(text, counted, at))?;
        let ends = !text.is_word(at + length) && text.at(at + length) != "/"
            || matches!(text.at(at + length), "please" | "of");
        (ends && (1..=20).contains(&count)).then_some((count, at + length))
    })
}

/// "👩 + 🧒🧒": people drawn where nothing else is written.
fn drawn(text: &Text, at: usize) -> Option<(u32, Who, usize)> {
    let who = |at: usize| match text.at(at) {
        "👩" | "👨" | "🧑" | "👵" | "👴" | "🧓" | "🧔" | "👱" => Some(Who::Adult),
        "🧒" | "👧" | "👦" => Some(Who::Child),
        "👶" | "🍼" => Some(Who::Infant),
        _ => None,
    };
    let wordless = (0..text.len()).all(|at| {
        !text.is_word(at)
            || matches!(
                text.at(at),
                "us" | "we" | "for" | "are" | "its" | "and" | "just" | "me" | "plus" | "so" | "make" | "it"
            )
    });
    let first = who(at).filter(|_| wordless)?;
    let length = (at..text.len()).take_while(|at| who(*at) == Some(first)).count();
    Some((u32::try_from(length).ok()?, first, length))
}

/// "Two plus a 9 year old", "3 and a baby": a number beside the young counts the adults.
fn beside_the_young(text: &Text, at: usize) -> Option<(u32, Who, usize)> {
    let (count, length) = number(text, at).filter(|(count, _)| (1..=9).contains(count))?;
    let opens = at == 0
        || !text.is_word(at - 1)
        || matches!(
            text.before(at, 1),
            "for" | "its" | "just" | "only" | "us" | "were" | "are" | "no" | "it" | "be" | "meant"
        );
    let joint = at + length;
    if !opens || !matches!(text.at(joint), "plus" | "and" | "+" | "&" | "with") {
        return None;
    }
    let next = joint + 1;
    let article = usize::from(matches!(text.at(next), "a" | "an" | "one" | "my" | "our" | "the"));
    // "They are 5 and 7 years old" tells two ages.
    let ages = article == 0 && matches!(text.at(joint), "and" | "&");
    let by_age = aged(text, next).or_else(|| ages::one(text, next + article).map(by_age)).filter(|_| !ages);
    let who = by_age
        .map(|(_, who, _)| who)
        .or_else(|| unit(text, next + article, article == 1).filter(|_| article == 1).map(|(who, _)| who))?;
    matches!(who, Who::Child | Who::Infant).then_some((count, Who::Adult, length))
}

/// "x2 ppl", "2x adults".
fn multiplied(text: &Text, at: usize) -> Option<(u32, Who, usize)> {
    let word = text.at(at);
    let digits = word.strip_prefix('x').or_else(|| word.strip_suffix('x'))?;
    let count: u32 = digits.parse().ok().filter(|count| (1..=20).contains(count))?;
    let (who, length) = unit(text, at + 1, true)?;
    Some((count, who, 1 + length))
}

fn one_count(text: &Text, at: usize) -> Option<(u32, Who, usize)> {
    if let Some(found) = drawn(text, at).or_else(|| multiplied(text, at)).or_else(|| beside_the_young(text, at)) {
        return Some(found);
    }
    // "+1", "+ 2 adults", "plus one".
    if text.at(at) == "+" && (at == 0 || !text.is_word(at - 1)) || text.is(at, &["plus", "one"]) {
        let (count, length) = number(text, at + 1)?;
        let (who, noun) = unit(text, at + 1 + length, true).unwrap_or((Who::Adult, 0));
        let ends = noun > 0 || !text.is_word(at + 1 + length);
        let who = if who == Who::Anyone { Who::Adult } else { who };
        return (ends && count < 10).then_some((count, who, 1 + length + noun));
    }
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
    // "3 adults + senior", "couple and toddler": one of them, without a number.
    if matches!(text.before(at, 1), "+" | "and" | "plus" | "&") && at >= 2 && !text.free(at - 2) {
        let one = match text.at(at) {
            "senior" | "adult" | "teenager" | "pensioner" => Some(Who::Adult),
            "child" | "kid" => Some(Who::Child),
            "infant" | "baby" | "toddler" | "newborn" => Some(Who::Infant),
            _ => None,
        };
        if let Some(who) = one {
            return Some((1, who, 1));
        }
    }
    // "Does she count as a child?"
    let (count, length) = number_or_one(text, at).filter(|_| text.before(at, 1) != "as")?;
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
    // "10yo son", "15y daughter".
    if lead == 0
        && let Some((years, length)) = ages::one(text, at)
        && text.at(at).starts_with(|first: char| first.is_ascii_digit())
        && length == 1
        && unit_or_young(text, at + 1)
    {
        let (count, who, _) = by_age((years, length));
        return Some((count, who, 2));
    }
    // "One 7yo".
    if let Some((count, length)) = number_or_one(text, at).filter(|(count, _)| (1..=9).contains(count))
        && text.at(at + length).starts_with(|first: char| first.is_ascii_digit())
        && let Some((years, of_age)) = ages::one(text, at + length)
        && of_age == 1
    {
        let (_, who, _) = by_age((years, of_age));
        return Some((count, who, length + of_age + usize::from(unit_or_young(text, at + length + of_age))));
    }
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
    if let Some(several) = several_at_birth(text, next) {
        let (_, who, _) = by_age((years, 0));
        return Some((lead_count * several, who, next + 1 - at));
    }
    next += unit(text, next, true).map_or(usize::from(relative(text, next).is_some()), |(_, length)| length);
    let who = match years {
        0..2 => Who::Infant,
        2..12 => Who::Child,
        _ => Who::Adult,
    };
    Some((lead_count, who, next - at))
}

fn unit_or_young(text: &Text, at: usize) -> bool {
    unit(text, at, true).is_some() || relative(text, at).is_some()
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
        "lads" | "girls" | "dudes" | "mates" if spelled && text.before(at, 1) != "more" && !joined_to_speaker(text) => {
            (Who::Adult, 1)
        }
        "log" if spelled && is_all_that_is_said(text) => (Who::Anyone, 1),
        "people" | "ppl" | "persons" | "passengers" | "pax" | "travelers" | "travellers" | "peoples" | "members"
        | "folks" | "guys" | "flyers" | "individuals" => (Who::Anyone, 1),
        "person" | "passenger" | "traveler" | "traveller" | "individual" if spelled => (Who::Anyone, 1),
        "tickets" | "seats" | "tix" => (Who::Anyone, 1),
        "ticket" | "seat" if spelled => (Who::Anyone, 1),
        "adult" | "adults" | "grownup" | "grownups" | "senior" | "seniors" | "teenager" | "teenagers" | "teens"
        | "students" | "pupils" | "schoolchildren" | "pensioners" | "teachers" | "men" | "women" | "ladies"
        | "gentlemen" | "players" | "athletes" | "employees" | "engineers" => (Who::Adult, 1),
        "teacher" | "man" | "woman" | "lady" | "employee" | "engineer" | "chaperone" if spelled => (Who::Adult, 1),
        "friends" | "mates" | "colleagues" | "cousins" if spelled && is_all_that_is_said(text) => (Who::Anyone, 1),
        "friends" | "mates" | "colleagues" | "cousins" | "coworkers" | "relatives" if counts_speaker(text, at + 1) => {
            (Who::Anyone, 1)
        }
        "student" | "pensioner" | "teen" | "elder" | "elders" | "elderly" if spelled => (Who::Adult, 1),
        "grown" if text.is(at + 1, &["-", "ups"]) => (Who::Adult, 3),
        "child" | "children" | "kid" | "kids" | "childs" => (Who::Child, 1),
        "infant" | "infants" | "baby" | "babies" | "newborn" | "toddler" | "toddlers" => (Who::Infant, 1),
        _ => return None,
    })
}

/// "Me and two mates" counts one more; "two lads" are two.
fn joined_to_speaker(text: &Text) -> bool {
    (0..text.len()).any(|at| matches!(text.at(at), "me" | "i" | "myself" | "im" | "my" | "with"))
}

/// "6 colleagues incl me", "five friends including myself".
fn counts_speaker(text: &Text, at: usize) -> bool {
    let including = matches!(text.at(at), "incl" | "including" | "inc" | "counting");
    including && matches!(text.at(at + 1 + usize::from(text.at(at + 1) == ".")), "me" | "myself" | "i")
}

/// "Four friends" says how many travel; "me and four friends" counts one more.
fn is_all_that_is_said(text: &Text) -> bool {
    (0..text.len()).filter(|at| text.is_word(*at)).count() <= 2
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
            " plus our ",
            " plus the ",
            " with me ",
            " bringing my ",
            " taking my ",
            " along with ",
            " accompanied by ",
            " me plus ",
            " accompany ",
            " next to my ",
            " beside my ",
        ];
        let with_friends =
            [" friend", " colleague", " coworker", " others ", " more person ", " more people ", " kids "]
                .iter()
                .any(|word| plain.contains(word))
                && plain.contains(" with ");
        let bare = sentence.clone().any(|at| bare_relative(text, at).is_some());
        let joins = [
            " coming ",
            " comes ",
            " joining ",
            " joins ",
            " join ",
            " come along ",
            " add ",
            " as well ",
            " comes along ",
            " put my ",
            " put our ",
            " include my ",
            " tagging along ",
            " tags along ",
            " bring my ",
        ];
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
            " join ",
            " come along ",
            " as well ",
            " coming along ",
            " is joining ",
            " joins ",
            " put my ",
            " include my ",
            " tagging along ",
            " tags along ",
            " bring my ",
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
            let named = companion(text, at).or_else(|| bare_relative(text, at)).or_else(|| owned_by_age(text, at));
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

/// "Our 3yo", "my 8 year old".
fn owned_by_age(text: &Text, at: usize) -> Option<(u32, Who, usize)> {
    let lead = usize::from(matches!(text.at(at), "my" | "our" | "a" | "the" | "her" | "his"));
    // "My wife and 2yr old".
    let joined = matches!(text.before(at, 1), "and" | "+" | "plus" | "with" | "&" | "," | "add");
    let owned = matches!(text.at(at), "my" | "our") || joined;
    let (count, who, length) = owned.then(|| ages::one(text, at + lead).map(by_age)).flatten()?;
    let several = several_at_birth(text, at + lead + length);
    Some((count * several.unwrap_or(1), who, length + lead + usize::from(several.is_some())))
}

/// "Twins" are two of that age.
fn several_at_birth(text: &Text, at: usize) -> Option<u32> {
    match text.at(at) {
        "twins" => Some(2),
        "triplets" => Some(3),
        _ => None,
    }
}

/// "with mom and dad", "me + gf": relatives as they are called, behind a word that joins them to others.
fn bare_relative(text: &Text, at: usize) -> Option<(u32, Who, usize)> {
    let is_short = usize::from(text.at(at + 1) == "'s");
    let comes = text
        .any_of(
            at + 1 + is_short,
            &[
                "joining",
                "join",
                "joins",
                "will join",
                "wants to come",
                "also coming",
                "comes",
                "comes too",
                "too",
                "are joining",
                "is joining",
                "are coming",
                "is coming",
                "come along",
                "coming",
            ],
        )
        .is_some();
    let joined = comes
        || matches!(text.before(at, 1), "with" | "and" | "+" | "plus" | "," | "add" | "me")
        || at > 0 && relative(text, at - 1).is_some()
        || matches!(text.before(at, 1), "my" | "our" | "her" | "his")
            && matches!(text.before(at, 2), "and" | "+" | "," | "with");
    let (count, who) = relative(text, at)?;
    (joined && (comes || !is_told_of(text, at + 1))).then_some((count, who, 1))
}

/// A relative as they are called, and how many they are.
fn relative(text: &Text, at: usize) -> Option<(u32, Who)> {
    Some(match text.at(at) {
        "mom" | "mum" | "mother" | "dad" | "father" | "wife" | "husband" | "girlfriend" | "boyfriend" | "sister"
        | "brother" | "grandma" | "grandpa" | "grandmother" | "grandfather" | "granny" | "grandad" | "nan" | "aunt"
        | "uncle" | "partner" | "fiance" | "fiancee" | "hubby" | "cousin" => (1, Who::Adult),
        "parents" | "grandparents" => (2, Who::Adult),
        "son" | "daughter" | "kid" | "child" | "grandson" | "granddaughter" | "grandchild" | "nephew" | "niece" => {
            (1, Who::Child)
        }
        "grandkids" | "grandchildren" => (2, Who::Child),
        "baby" | "infant" | "newborn" | "toddler" => (1, Who::Infant),
        _ => return None,
    })
}

/// "my wife", "our two kids", "3 friends", "a friend", "one more person".
fn companion(text: &Text, at: usize) -> Option<(u32, Who, usize)> {
    let possessed = usize::from(matches!(text.at(at), "my" | "our" | "the" | "her" | "his" | "their"));
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
        | "cousin" | "aunt" | "uncle" | "roommate" | "flatmate" | "housemate" | "classmate" | "neighbour"
        | "neighbor" | "grandmother" | "grandma" | "grandfather" | "grandpa" | "buddy" | "mate" | "client"
        | "manager" | "girl" | "companion" => (Who::Adult, Some(1)),
        "parents" | "grandparents" => (Who::Adult, Some(2)),
        "friends" | "colleagues" | "coworkers" | "sisters" | "brothers" | "cousins" | "others" | "buddies"
        | "mates" | "people" | "persons" | "person" | "teammates" | "roommates" | "flatmates" | "housemates"
        | "classmates" | "neighbours" | "neighbors" | "siblings" | "bosses" | "clients" | "aunts" | "uncles" => {
            (Who::Adult, None)
        }
        "son" | "daughter" | "kid" | "child" | "boy" | "grandson" | "granddaughter" | "grandchild" | "nephew"
        | "niece" => (Who::Child, Some(1)),
        "sons" | "daughters" | "kids" | "children" | "boys" | "girls" => (Who::Child, None),
        "baby" | "infant" | "newborn" | "toddler" => (Who::Infant, Some(1)),
        "babies" | "infants" => (Who::Infant, None),
        "twins" | "triplets" => {
            let several = several_at_birth(text, next)?;
            let (who, length) = age_behind(text, next + 1)?;
            return (!visited).then_some((several, who, next + 1 + length - at));
        }
        _ => return None,
    };
    // "My little brother, he's 5."
    if let (Some(1), Some((years, behind))) =
        (counted.map_or(usual, |(count, _)| Some(count)), ages::told_behind(text, next + 1))
        && !visited
    {
        let (count, who, _) = by_age((years, 0));
        return Some((count, who, next + 1 + behind - at));
    }
    let count = counted.map(|(count, _)| count).or(usual)?;
    (!is_told_of(text, next + 1) && !visited).then_some((count, who, next + 1 - at))
}

/// "My cousin lives there", "her brother's wedding", "his sister might come": said of somebody who is not said to travel.
fn is_told_of(text: &Text, behind: usize) -> bool {
    text.at(behind) == "'s"
        || matches!(text.at(behind), "lives" | "lived" | "got" | "gets" | "has" | "works" | "might" | "may" | "maybe")
        || text
            .any_of(
                behind,
                &[
                    "is getting",
                    "is marrying",
                    "are getting",
                    "is in",
                    "is at",
                    "is sick",
                    "is ill",
                    "are in",
                    "live in",
                    "live there",
                    "is from",
                ],
            )
            .is_some()
}

/// "(they're 5 months)", "aged 7", "who are 3": the age behind those it is said of, and how many tokens say it.
fn age_behind(text: &Text, at: usize) -> Option<(Who, usize)> {
    const BESIDE: &[&str] =
        &["(", ",", "theyre", "they", "are", "both", "who", "whore", "aged", "age", "of", "is", "only", "-"];
    let start = (at..at + 5).find(|at| !BESIDE.contains(&text.at(*at)))?;
    let led = (at..start).any(|at| matches!(text.at(at), "aged" | "age" | "theyre" | "are" | "whore"));
    let (years, length) = ages::one(text, start).or_else(|| {
        let (years, length) = number(text, start).filter(|_| led)?;
        (!text.is_word(start + length)).then_some((years, length))
    })?;
    let (_, who, length) = by_age((years, length));
    let end = start + length;
    Some((who, end + usize::from(text.at(end) == ")") - at))
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
            "the weather cant make it better",
            "it cant make it by then",
            "friday cant make it",
            "my aunt lives there",
            "her sister might come instead",
            "does she count as a child then?",
            "if one twin gets her own seat does she count as a child",
        ] {
            assert_eq!(travellers(&mut Text::new(words)), None, "{words}");
        }
    }

    fn shown(found: Option<Travellers>) -> String {
        let Some(found) = found else { return String::new() };
        let counts = [(found.total, 't'), (found.adults, 'a'), (found.children, 'c'), (found.infants, 'i')];
        let counts = counts.into_iter().filter_map(|(count, kind)| Some(format!("{}{kind}", count?)));
        let flags = [
            (found.more, "more"),
            (found.fewer, "fewer"),
            (found.among, "among"),
            (found.grown, "grown"),
            (found.aged, "aged"),
            (found.accompanied, "accompanied"),
        ];
        let flags = flags.into_iter().filter(|(set, _)| *set).map(|(_, name)| name.to_owned());
        counts.chain(flags).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_form_of_the_table_is_read() {
        let lines = include_str!("../examples/people.txt").lines().filter(|line| !line.starts_with('#'));
        let wrong: Vec<String> = lines
            .filter_map(|line| {
                let (words, expected) = line.split_once(" => ").expect("words => people");
                let found = shown(crate::understand(words).travellers);
                (found != expected.trim()).then(|| format!("{words}: {found}"))
            })
            .collect();
        assert_eq!(wrong, Vec::<String>::new());
    }
}
