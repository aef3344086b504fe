//! What of a reply must stay whoever words it: numbers, prices, times, days, codes, names, and the words that turn a sentence
//! into its opposite. Two replies that say the same have the same facts in the same order.

use std::collections::HashSet;
use std::sync::LazyLock;

/// In which language a reply is, as far as its facts can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wording {
    /// English: every kind of fact is told.
    English,
    /// Another one: figures, codes and names alone are.
    Foreign,
}

/// Numbers in words, by what they are; "one" is too often none.
const NUMBERS: &[&str] = &[
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
    "hundred",
    "hundreds",
    "thousand",
    "thousands",
    "dozen",
    "dozens",
    "half",
    "quarter",
    "double",
    "twice",
    "triple",
    "second",
    "third",
    "fourth",
    "fifth",
    "couple",
];
/// Days and months, by their first three letters.
const DAYS: &[&str] = &[
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
/// Words without which a reply says something else.
const TELLING: &[&str] = &[
    "nonstop",
    "direct",
    "stop",
    "layover",
    "connection",
    "economy",
    "business",
    "premium",
    "adult",
    "child",
    "children",
    "infant",
    "each",
    "all",
    "sample",
    "sale",
    "sold",
    "book",
    "booked",
    "booking",
    "free",
    "refund",
    "refundable",
    "included",
    "guaranteed",
    "confirmed",
    "discount",
    "cheapest",
    "cheaper",
    "fastest",
    "faster",
    "slower",
    "dearer",
    "less",
    "more",
    "earlier",
    "later",
    "earliest",
    "latest",
    "before",
    "after",
    "today",
    "tomorrow",
    "yesterday",
    "tonight",
    "morning",
    "evening",
    "noon",
    "midnight",
    "am",
    "pm",
    "only",
    "back",
    "return",
    "out",
];
const NEGATIONS: &[&str] = &["not", "no", "never", "none", "cannot", "without", "nothing", "nobody", "neither", "nor"];

/// Names that are known whoever says them: of airlines and of cities much flown to, where they are one word and no other.
static NAMES: LazyLock<HashSet<String>> = LazyLock::new(|| {
    const LEAST_TIER: u8 = 3;
    let carriers = geo::airlines::carriers().iter().flat_map(|carrier| {
        let aliases = carrier.aliases.iter().filter(|alias| !alias.ordinary).map(|alias| alias.name.to_owned());
        aliases.chain([carrier.name.to_lowercase()])
    });
    let cities = geo::airports::airports().iter().filter(|airport| airport.tier >= LEAST_TIER);
    let cities = cities.map(|airport| airport.city.to_lowercase());
    let is_name =
        |name: &String| name.len() >= 4 && name.chars().all(char::is_alphabetic) && !english::is_stop_word(name);
    carriers.chain(cities).filter(is_name).collect()
});

/// A word, a number or a sign of a reply.
#[derive(Debug)]
struct Piece<'a> {
    text: &'a str,
    begins: bool,
}

/// The facts of a reply, in their order. `names` are the words with a capital letter of the reply that it is held to.
pub(crate) fn facts(reply: &str, names: &HashSet<String>, wording: Wording) -> Vec<String> {
    pieces(reply).iter().filter_map(|piece| fact(piece, names, wording)).collect()
}

/// The words of a reply that are written with a capital letter within a sentence.
pub(crate) fn names(reply: &str) -> HashSet<String> {
    let found = pieces(reply);
    let named = found.iter().filter(|piece| !piece.begins && is_capital(piece.text));
    named.map(|piece| piece.text.to_lowercase()).collect()
}

/// A day or a month is named in words.
pub(crate) fn names_a_day(reply: &str) -> bool {
    pieces(reply).iter().any(|piece| is_capital(piece.text) && day_or_month(piece.text).is_some())
}

fn fact(piece: &Piece, names: &HashSet<String>, wording: Wording) -> Option<String> {
    let text = piece.text;
    let lower = text.to_lowercase().replace('\u{2019}', "'");
    if text.chars().any(|letter| letter.is_numeric()) {
        return Some(number(&lower));
    }
    if text.chars().all(|sign| matches!(sign, '$' | '€' | '£' | '¥' | '₹' | '%')) {
        return Some(lower);
    }
    let letters = text.chars().filter(|letter| letter.is_alphabetic());
    if letters.clone().count() > 1 && letters.clone().all(char::is_uppercase) {
        return Some(text.to_owned());
    }
    if wording == Wording::English {
        if lower.ends_with("n't") || NEGATIONS.contains(&lower.as_str()) {
            return Some("not".to_owned());
        }
        if let Some(at) = NUMBERS.iter().position(|number| *number == lower) {
            return Some(if at < 11 { (at + 2).to_string() } else { lower });
        }
        let full = DAYS.contains(&lower.as_str()) && lower != "may";
        if let Some(day) = day_or_month(text).filter(|_| full || is_capital(text)) {
            return Some(day);
        }
        if let Some(telling) = telling(&lower) {
            return Some(telling.to_owned());
        }
    }
    let named = match wording {
        Wording::English => is_capital(text) && (!piece.begins || names.contains(&lower)),
        Wording::Foreign => names.contains(&lower) && is_capital(text),
    };
    (named || NAMES.contains(&lower)).then_some(lower)
}

/// A number as it may be written in another way: "1,200.00" is "1200.00", "3rd" is "3".
fn number(text: &str) -> String {
    let plain = text.replace(',', "");
    let digits = plain.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
    match plain.strip_prefix(digits) {
        Some("st" | "nd" | "rd" | "th") => digits.to_owned(),
        _ => plain,
    }
}

/// The word that is told by another form of it: "stops", "non-stop".
fn telling(lower: &str) -> Option<&'static str> {
    let bare = lower.strip_suffix('s').filter(|bare| bare.len() > 2);
    let known =
        TELLING.iter().find(|word| **word == lower).or_else(|| TELLING.iter().find(|word| Some(**word) == bare))?;
    Some(match *known {
        "direct" => "nonstop",
        "child" => "children",
        other => other,
    })
}

/// The first letters of a day or a month: "fri" of "Friday" and "Fri".
fn day_or_month(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let is_named = |day: &&&str| {
        **day == lower || lower.len() == 3 && day.starts_with(&lower) || lower == "sept" && **day == "september"
    };
    DAYS.iter().find(is_named).and_then(|day| day.get(..3)).map(str::to_owned)
}

fn is_capital(text: &str) -> bool {
    text.starts_with(char::is_uppercase)
        && !matches!(
            text,
            "I" | "I'm" | "I'll" | "I've" | "I'd" | "I\u{2019}m" | "I\u{2019}ll" | "I\u{2019}ve" | "I\u{2019}d"
        )
}

/// Words with their apostrophes, numbers with their points, signs of money; a hyphen within "non-stop" is none.
fn pieces(reply: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut begins = true;
    let mut chars = reply.char_indices().peekable();
    while let Some((start, first)) = chars.next() {
        let signed = first == '+' && chars.peek().is_some_and(|(_, next)| next.is_numeric());
        if !first.is_alphanumeric() && !signed {
            if matches!(first, '$' | '€' | '£' | '¥' | '₹' | '%') {
                found.push(Piece { text: reply.get(start..start + first.len_utf8()).unwrap_or_default(), begins });
            }
            begins |= matches!(first, '.' | '!' | '?' | '\n' | '“' | '–' | '—' | ':' | '"');
            continue;
        }
        let mut end = start + first.len_utf8();
        while let Some((at, next)) = chars.peek().copied() {
            let follows = reply.get(at + next.len_utf8()..).and_then(|rest| rest.chars().next());
            let inner = match next {
                '.' | ':' | ',' => {
                    follows.is_some_and(char::is_numeric)
                        && reply.get(..at).is_some_and(|before| before.ends_with(char::is_numeric))
                }
                '\'' | '\u{2019}' => follows.is_some_and(char::is_alphabetic),
                _ => false,
            };
            if !next.is_alphanumeric() && !inner {
                break;
            }
            end = at + next.len_utf8();
            chars.next();
        }
        found.push(Piece { text: reply.get(start..end).unwrap_or_default(), begins });
        begins = false;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(ours: &str, theirs: &str) -> bool {
        let names = names(ours);
        facts(ours, &names, Wording::English) == facts(theirs, &names, Wording::English)
    }

    #[test]
    fn what_is_said_in_other_words_has_the_same_facts() {
        for (ours, theirs) in [
            (
                "I found 12 flights from Lahore to Dubai on Friday 27 November, for 2 adults.",
                "Good news: there are 12 flights from Lahore to Dubai on Fri 27 Nov for your 2 adults.",
            ),
            ("When would you like to fly from Lahore to Dubai?", "And what day suits you for Lahore to Dubai?"),
            ("It costs USD 1,200.00, nonstop.", "That's USD 1200.00 and it's direct."),
            ("These are not for sale.", "These aren't for sale."),
            ("Dubai is two hours away.", "You reach Dubai in 2 hours."),
        ] {
            assert!(same(ours, theirs), "{ours} / {theirs}");
        }
    }

    #[test]
    fn whatever_is_changed_added_or_dropped_is_seen() {
        let ours = "I found 2 flights from Lahore to Dubai on Friday 27 November: Emirates EK 601 at 19:05 for USD 98.00, nonstop.";
        for (change, to) in [
            ("98.00", "89.00"),
            ("98.00", "98"),
            ("USD", "EUR"),
            ("19:05", "19:50"),
            ("Friday", "Saturday"),
            ("27", "28"),
            ("November", "December"),
            ("November", "december"),
            ("on Friday 27 November", ""),
            ("Emirates", "Qatar"),
            ("Emirates", "lufthansa"),
            ("EK", "QR"),
            ("601", "602"),
            ("Dubai", "Doha"),
            ("Lahore to Dubai", "Dubai to Lahore"),
            ("nonstop", "with 1 stop"),
            ("nonstop", "nonstop, with 5 seats left"),
            ("nonstop", "nonstop, with five seats left"),
            ("nonstop", "nonstop and refundable"),
            ("nonstop", "not nonstop"),
            ("I found", "I found no"),
            ("nonstop", "nonstop via Istanbul"),
            ("nonstop", "nonstop via istanbul"),
            ("USD 98.00", "$ USD 98.00"),
        ] {
            let theirs = ours.replace(change, to);
            assert_ne!(theirs, ours);
            assert!(!same(ours, &theirs), "{theirs}");
        }
    }

    #[test]
    fn figures_codes_and_names_are_told_in_any_language() {
        let ours = "I found 2 flights from Lahore to Dubai on 2026-11-27: EK 601 for USD 98.00.";
        let names = names(ours);
        let told = |theirs: &str| facts(theirs, &names, Wording::Foreign) == facts(ours, &names, Wording::Foreign);
        assert!(told("Ich habe 2 Flüge von Lahore nach Dubai am 2026-11-27 gefunden: EK 601 für USD 98.00."));
        assert!(!told("Ich habe 2 Flüge von Lahore nach Doha am 2026-11-27 gefunden: EK 601 für USD 98.00."));
        assert!(!told("Ich habe 2 Flüge von Lahore nach Dubai am 2026-11-28 gefunden: EK 601 für USD 98.00."));
    }
}
