//! The most a journey may cost: "under 450 euros", "$300 max", "my budget is 800".

use std::ops::Range;

use contracts::dialogue::{Budget, Wish};

use crate::numbers::number;
use crate::repairs;
use crate::text::Text;

/// The most a journey may cost. What is read is taken.
pub fn max_price(text: &mut Text) -> Option<Wish<Budget>> {
    const ANY: &[&str] = &[
        "$ $ $ doesnt matter",
        "money doesnt matter",
        "money no object",
        "no price cap",
        "any budget",
        "unlimited budget",
        "any price",
        "no budget",
        "price doesnt matter",
        "money is no object",
        "whatever it costs",
        "no price limit",
        "price does not matter",
        "no limit",
        "without limit",
        "no max",
        "no maximum",
        "no upper limit",
        "sky is the limit",
        "whatever the price",
        "whatever price",
        "at any price",
        "cost doesnt matter",
        "no limit on price",
    ];
    if let Some(at) = text.not_minded(&["price", "cost", "costs", "money", "budget"]) {
        text.take(at);
        return Some(Wish::Any);
    }
    let mut found = None;
    for at in 0..text.len() {
        let limit = text.any_of(at, &["price limit", "budget limit", "limit", "price cap", "budget", "cap"]);
        let lifted = limit.filter(|length| text.is_taken_back(at..at + length));
        if let Some(length) = text.any_of(at, ANY).or(lifted) {
            text.take(at..at + length);
            found = Some(Wish::Any);
            continue;
        }
        let Some(Amount { amount, currency, unit, thousands, length }) =
            amount(text, at).filter(|found| text.all_free(at..at + found.length))
        else {
            continue;
        };
        let money = currency.is_some() || unit.is_some();
        let lead = bound_before(text, at).max(if money || thousands { put_right(text, at) } else { 0 });
        let behind = text.any_of(
            at + length,
            &[
                "max",
                "maximum",
                "at a push",
                "at a stretch",
                "or less",
                "at most",
                "tops",
                "at the most",
                "or below",
                "ish max",
                "is my limit",
                "is my budget",
                "is the limit",
                "is max",
                "not more",
                "no more",
                "or under",
                "or cheaper",
                "budget",
                "limit",
            ],
        );
        // "Rome to Athens 300 euros": money that is no price of anything shown is what may be spent.
        // "Lahore Muscat 35k", "something for 150 quid".
        let short = text.at(at).ends_with('k') && length == 1 && !text.is_word(at + length) && !tells_price(text, at);
        let paid = money && text.before(at, 1) == "for" && !matches!(text.before(at, 2), "why" | "it" | "that" | "one");
        let said_alone = short
            || paid
            || (money || thousands) && says_nothing_else(text, at..at + length)
            || money && behind.is_none() && !tells_price(text, at);
        let end = at + length + behind.unwrap_or(0);
        let each = is_each(text, end);
        // "Make that 200 each."
        let put_right = each && amount.len() >= 2 && repairs::marked(text, at);
        if lead == 0 && behind.is_none() && !said_alone && !put_right {
            continue;
        }
        // A bare number needs the word "budget", "price" or "cost" close by: "under 12" may be a child.
        let named = money
            || thousands
            || (at.saturating_sub(6)..end + 3).any(|at| {
                matches!(text.at(at), "budget" | "price" | "cost" | "costs" | "costing" | "pay" | "spend" | "cheaper")
            })
            || amount.len() >= 3 && (lead > 0 || behind.is_some())
            || put_right
            || each && lead > 0 && amount.len() >= 2;
        if named {
            text.take(at - lead..end);
            found = Some(Wish::Only(Budget { amount, currency, each, unit }));
        }
    }
    found.or_else(|| currency_alone(text))
}

/// "Rupees ofc", "I meant dollars", "in euros": the limit that is known was meant in another currency.
fn currency_alone(text: &mut Text) -> Option<Wish<Budget>> {
    const BESIDE: &[&str] = &[
        "ofc",
        "obviously",
        "of",
        "course",
        "i",
        "mean",
        "meant",
        "in",
        "not",
        "no",
        "sorry",
        "yes",
        "ok",
        "thats",
        "its",
        "is",
        "that",
        "please",
        "actually",
        "oh",
        "lol",
        "it",
        "was",
        "the",
        "limit",
        "budget",
        "im",
        "irish",
        "european",
        "british",
        "american",
        "australian",
        "canadian",
        "swiss",
        "indian",
        "pakistani",
    ];
    let (at, (currency, unit, length)) = (0..text.len()).find_map(|at| {
        let named = currency(text, at).map(|(code, length)| (Some(code), None, length));
        Some((at, named.or_else(|| unit(text, at).map(|(unit, length)| (None, Some(unit), length)))?))
    })?;
    let denied = |at: usize| text.before(at, 1) == "not";
    let rest = (0..text.len()).filter(|other| !(at..at + length).contains(other) && text.is_word(*other));
    let mut rest = rest.peekable();
    let alone = rest.all(|other| BESIDE.contains(&text.at(other)) || denied(other));
    let word = text.at(at).chars().count() > 1 && text.at(at) != "try";
    if !alone || denied(at) || !word {
        return None;
    }
    text.take(at..at + length);
    Some(Wish::Only(Budget { amount: String::new(), currency, each: false, unit }))
}

/// How many tokens before an amount of money put it in the place of another: "make it $350".
fn put_right(text: &Text, at: usize) -> usize {
    const LEADS: &[&str] = &[
        "make it",
        "make that",
        "raise it to",
        "raise to",
        "increase it to",
        "lower it to",
        "go up to",
        "say",
        "how about",
        "what about",
        "let us say",
    ];
    (1..=3)
        .rev()
        .filter_map(|length| at.checked_sub(length).map(|start| (length, start)))
        .find(|(length, start)| text.any_of(*start, LEADS) == Some(*length))
        .map_or(0, |(length, _)| length)
}

/// An amount of money alone: "$350 then".
fn says_nothing_else(text: &Text, amount: Range<usize>) -> bool {
    const BESIDE: &[&str] = &[
        "then", "ok", "okay", "please", "no", "yes", "well", "now", "instead", "each", "actually", "sorry", "and",
        "is", "fine", "works", "too", "can", "do", "i", "we", "could", "let", "s", "lets", "go", "up", "to", "for",
        "me", "alright", "hmm", "also", "even", "be", "would", "but",
    ];
    (0..text.len()).all(|at| amount.contains(&at) || !text.is_word(at) || BESIDE.contains(&text.at(at)))
}

/// How many tokens before an amount say that it is the most.
fn bound_before(text: &Text, at: usize) -> usize {
    const BOUNDS: &[&str] = &[
        "under",
        "below",
        "less than",
        "max",
        "maximum",
        "maximum of",
        "max of",
        "up to",
        "at most",
        "no more than",
        "not more than",
        "within",
        "cheaper than",
        "budget of",
        "budget is",
        "budget",
        "spend",
        "not over",
        "not above",
        "lower than",
        "limit of",
        "limit is",
        "pay",
        "don't exceed",
        "exceed",
        "exceeding",
        "price of",
        "beyond",
        "over",
        "budget to",
        "around",
        "spend more than",
        "pay more than",
        "go over",
        "go above",
        "stretch to",
        "stretch it to",
        "as high as",
        "as much as",
        "manage",
    ];
    (1..=3)
        .rev()
        .filter_map(|length| at.checked_sub(length).map(|start| (length, start)))
        .find(|(length, start)| {
            text.any_of(*start, BOUNDS) == Some(*length)
                && (!matches!(text.at(*start), "over" | "beyond" | "around" | "exceed")
                    || matches!(text.before(*start, 1), "not" | "nothing" | "dont"))
                && (*length == 1
                    || !matches!(text.at(*start), "spend" | "pay" | "go")
                    || matches!(text.before(*start, 1), "not" | "cant" | "cannot" | "dont" | "wont" | "to"))
        })
        .map_or(0, |(length, _)| length)
}

/// An amount of money as it was written.
struct Amount {
    /// A decimal.
    amount: String,
    /// ISO 4217, where the words tell.
    currency: Option<String>,
    /// What the currency was called, where several go by that name.
    unit: Option<String>,
    /// It was said in thousands or more ("12 thousand", "2 lakh").
    thousands: bool,
    /// How many tokens it takes.
    length: usize,
}

/// An amount with its currency, or one in lakhs, starts at a token: how many tokens it takes, "max" behind it included.
pub fn sure(text: &Text, at: usize) -> Option<usize> {
    let found = amount(text, at).filter(|found| found.currency.is_some() || found.unit.is_some())?;
    Some(found.length + usize::from(matches!(text.at(at + found.length), "max" | "maximum")))
}

/// "The flight costs $300" tells a price; it sets none.
fn tells_price(text: &Text, at: usize) -> bool {
    const TELLING: [&str; 14] =
        ["costs", "cost", "was", "is", "are", "saw", "found", "paid", "charged", "says", "why", "its", "fee", "refund"];
    let sentence = text.sentence(at);
    (0..text.len()).any(|other| text.sentence(other) == sentence && TELLING.contains(&text.at(other)))
}

/// An amount that starts at a token: "$300", "450 euros", "1,200.50 USD", "2k", "8000 kr", "2.5 lakh rupees".
fn amount(text: &Text, at: usize) -> Option<Amount> {
    // "Try 2 days earlier" is no lira.
    let word = text.at(at) == "try" && !text.tokens.get(at).is_some_and(|token| token.capitals);
    let lead = currency(text, at).filter(|_| !word).map(|(code, length)| (Some(code), None, length)).or_else(|| {
        let (unit, length) = unit(text, at)
            .filter(|(_, length)| text.at(at + length).starts_with(|first: char| first.is_ascii_digit()))?;
        Some((None, Some(unit), length + usize::from(text.at(at + length) == ".")))
    });
    let start = at + lead.as_ref().map_or(0, |(_, _, length)| *length);
    let (digits, length) = decimal(text, start)?;
    let (digits, more) = multiplied(text, digits, start + length);
    let thousands = more > 0 || text.at(start).ends_with('k');
    let next = start + length + more;
    let south_asian = more > 0 && matches!(text.at(next - 1), "lakh" | "lakhs" | "lac" | "lacs" | "crore" | "crores");
    let (currency, unit, end) = match lead {
        Some((code, unit, _)) => (code, unit, next + currency(text, next).map_or(0, |(_, length)| length)),
        None => match (currency(text, next), unit(text, next)) {
            (Some((code, length)), _) => (Some(code), None, next + length),
            (None, Some((unit, length))) => (None, Some(unit), next + length),
            // Only money of South Asia is counted so.
            (None, None) if south_asian => (None, Some("rupee".to_owned()), next),
            (None, None) if more > 0 && matches!(text.at(next - 1), "juta" | "jt" | "ribu" | "rb") => {
                (Some("IDR".to_owned()), None, next)
            }
            (None, None) => (None, None, next),
        },
    };
    Some(Amount { amount: digits, currency, unit, thousands, length: end - at })
}

/// An amount in thousands, lakhs, crores or millions; and how many tokens say so.
fn multiplied(text: &Text, digits: String, at: usize) -> (String, usize) {
    let zeros = match text.at(at) {
        "hundred" | "hundreds" => 2,
        "thousand" | "thousands" | "grand" | "k" | "hazar" | "hazaar" | "tusen" | "mil" | "bin" | "ribu" | "rb" => 3,
        "lakh" | "lakhs" | "lac" | "lacs" => 5,
        "million" | "mio" | "juta" | "jt" | "millones" | "milhoes" => 6,
        "crore" | "crores" => 7,
        _ => return (digits, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    if whole.len() + zeros > 12 || fraction.len() > zeros {
        return (digits, 0);
    }
    (format!("{whole}{fraction:0<zeros$}"), 1)
}

fn decimal(text: &Text, at: usize) -> Option<(String, usize)> {
    // "Two grand", "fifty thousand".
    if let Some((value, length)) = number(text, at).filter(|(value, length)| {
        *value > 0
            && text.at(at).starts_with(char::is_alphabetic)
            && matches!(
                text.at(at + length),
                "hundred" | "thousand" | "grand" | "lakh" | "lakhs" | "lac" | "million" | "crore"
            )
    }) {
        return Some((value.to_string(), length));
    }
    let word = text.at(at);
    let all_digits = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(thousands) = word.strip_suffix('k').filter(|digits| all_digits(digits) && digits.len() < 5) {
        return Some((format!("{thousands}000"), 1));
    }
    // "1.5k"
    if all_digits(word)
        && text.at(at + 1) == "."
        && text.joined(at)
        && text.joined(at + 1)
        && let Some(tenths) = text.at(at + 2).strip_suffix('k').filter(|tenths| all_digits(tenths) && tenths.len() < 4)
    {
        return Some((format!("{word}{tenths:0<3}"), 3));
    }
    if word.len() > 9 || !all_digits(word) {
        return None;
    }
    let mut digits = word.to_owned();
    let mut length = 1;
    // "1,200", and "1.200" as in most of Europe; "1,50,000" as in South Asia.
    while matches!(text.at(at + length), "," | ".")
        && text.joined(at + length - 1)
        && text.joined(at + length)
        && (text.at(at + length + 1).len() == 3
            || text.at(at + length + 1).len() == 2 && text.at(at + length + 2) == ",")
        && digits.len() < 9
        && all_digits(text.at(at + length + 1))
    {
        digits.push_str(text.at(at + length + 1));
        length += 2;
    }
    let fraction = text.at(at + length + 1);
    if text.at(at + length) == "."
        && text.joined(at + length - 1)
        && text.joined(at + length)
        && (1..=2).contains(&fraction.len())
        && all_digits(fraction)
    {
        digits.push('.');
        digits.push_str(fraction);
        length += 2;
    }
    Some((digits, length))
}

/// A name that several currencies go by; which is meant depends on where the journey starts.
fn unit(text: &Text, at: usize) -> Option<(String, usize)> {
    const UNITS: &[(&str, &str)] = &[
        ("rs", "rupee"),
        ("rs .", "rupee"),
        ("rupees", "rupee"),
        ("rupee", "rupee"),
        ("rupaye", "rupee"),
        ("rupay", "rupee"),
        ("kr", "krone"),
        ("kr .", "krone"),
        ("krona", "krone"),
        ("kronor", "krone"),
        ("krone", "krone"),
        ("kroner", "krone"),
        ("crowns", "krone"),
        ("dinar", "dinar"),
        ("dinars", "dinar"),
        ("riyal", "riyal"),
        ("riyals", "riyal"),
        ("rial", "riyal"),
        ("rials", "riyal"),
        ("sr", "riyal"),
        ("peso", "peso"),
        ("pesos", "peso"),
        ("won", "won"),
        ("lira", "lira"),
        ("liras", "lira"),
        ("taka", "taka"),
        ("baht", "baht"),
        ("ringgit", "ringgit"),
        ("rm", "ringgit"),
        ("rand", "rand"),
        ("naira", "naira"),
        ("shilling", "shilling"),
        ("shillings", "shilling"),
        ("ksh", "shilling"),
        ("reais", "real"),
        ("real", "real"),
        ("rubles", "ruble"),
        ("rupiah", "rupiah"),
        ("zloty", "zloty"),
        ("dh", "dirham"),
    ];
    UNITS
        .iter()
        .filter_map(|(phrase, name)| text.any_of(at, &[*phrase]).map(|length| ((*name).to_owned(), length)))
        .max_by_key(|(_, length)| *length)
}

/// The currency a word or sign names, and how many tokens it takes.
fn currency(text: &Text, at: usize) -> Option<(String, usize)> {
    const NAMES: &[(&str, &str)] = &[
        ("buck", "USD"),
        ("us dollar", "USD"),
        ("u s dollars", "USD"),
        ("nz dollars", "NZD"),
        ("nzd", "NZD"),
        ("hkd", "HKD"),
        ("hk dollars", "HKD"),
        ("dhs", "AED"),
        ("thb", "THB"),
        ("zar", "ZAR"),
        ("myr", "MYR"),
        ("idr", "IDR"),
        ("php", "PHP"),
        ("krw", "KRW"),
        ("rmb", "CNY"),
        ("rub", "RUB"),
        ("₽", "RUB"),
        ("₺", "TRY"),
        ("₩", "KRW"),
        ("₦", "NGN"),
        ("ngn", "NGN"),
        ("kes", "KES"),
        ("bdt", "BDT"),
        ("qar", "QAR"),
        ("kwd", "KWD"),
        ("omr", "OMR"),
        ("pln", "PLN"),
        ("egp", "EGP"),
        ("us $", "USD"),
        ("us dollars", "USD"),
        ("$", "USD"),
        ("usd", "USD"),
        ("dollars", "USD"),
        ("dollar", "USD"),
        ("bucks", "USD"),
        ("canadian dollars", "CAD"),
        ("cad", "CAD"),
        ("australian dollars", "AUD"),
        ("aud", "AUD"),
        ("€", "EUR"),
        ("eur", "EUR"),
        ("euro", "EUR"),
        ("euros", "EUR"),
        ("£", "GBP"),
        ("gbp", "GBP"),
        ("pound", "GBP"),
        ("pounds", "GBP"),
        ("quid", "GBP"),
        ("pkr", "PKR"),
        ("inr", "INR"),
        ("₹", "INR"),
        ("indian rupees", "INR"),
        ("pakistani rupees", "PKR"),
        ("aed", "AED"),
        ("dirhams", "AED"),
        ("dirham", "AED"),
        ("¥", "JPY"),
        ("yen", "JPY"),
        ("jpy", "JPY"),
        ("yuan", "CNY"),
        ("cny", "CNY"),
        ("chf", "CHF"),
        ("francs", "CHF"),
        ("swiss francs", "CHF"),
        ("sek", "SEK"),
        ("nok", "NOK"),
        ("dkk", "DKK"),
        ("mxn", "MXN"),
        ("brl", "BRL"),
        ("try", "TRY"),
        ("sar", "SAR"),
        ("sgd", "SGD"),
    ];
    NAMES
        .iter()
        .filter_map(|(phrase, code)| text.any_of(at, &[*phrase]).map(|length| ((*code).to_owned(), length)))
        .max_by_key(|(_, length)| *length)
}

/// It is said of each traveller: "200 each", "150 pp", but not "200 each way".
fn is_each(text: &Text, end: usize) -> bool {
    const EACH: &[&str] = &[
        "each",
        "per person",
        "a person",
        "per head",
        "a head",
        "per passenger",
        "per traveler",
        "per traveller",
        "apiece",
        "per ticket",
        "per adult",
        "per seat",
        "a ticket",
        "a seat",
        "a passenger",
        "a traveller",
        "a traveler",
        "for each",
        "for every",
        "pp",
        "p . p",
        "p / p",
        "/ person",
        "/ head",
    ];
    text.any_of(end, EACH).is_some_and(|length| !matches!(text.at(end + length), "way" | "direction"))
}

/// The limit that is known is meant for each traveller, or for all together: "total i mean, not each", "each, we are 3".
pub fn each_or_all(text: &Text) -> Option<bool> {
    const EACH: &[&str] = &[
        "each",
        "per person",
        "per head",
        "pp",
        "a head",
        "apiece",
        "per passenger",
        "a person",
        // "For two of us, so double it".
        "double it",
        "double that",
        "double the budget",
        "times two",
        "twice that",
    ];
    const ALL: [&str; 10] = [
        "total",
        "in total",
        "altogether",
        "all together",
        "for all",
        "for everyone",
        "for both",
        "for all of us",
        "combined",
        "overall",
    ];
    let denied = |at: usize| matches!(text.before(at, 1), "not") || text.before(at, 2) == "not";
    let said = |phrases: &[&str]| (0..text.len()).any(|at| text.any_of(at, phrases).is_some() && !denied(at));
    let asks = (0..text.len()).any(|at| matches!(text.at(at), "?" | "whats" | "what" | "how"));
    match (said(EACH), said(&ALL)) {
        (true, false) => Some(true),
        (false, true) if !asks => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_an_amount_with_a_bound() {
        let only = |amount: &str, currency: Option<&str>, each| {
            Some(Wish::Only(Budget { amount: amount.into(), currency: currency.map(Into::into), each, unit: None }))
        };
        let cases = [
            ("under 450 euros", only("450", Some("EUR"), false)),
            ("$300 max", only("300", Some("USD"), false)),
            ("no more than 1,250.50 GBP each", only("1250.50", Some("GBP"), true)),
            ("my budget is 800", only("800", None, false)),
            ("under 500 euros a person please", only("500", Some("EUR"), true)),
            ("at most €250 pp", only("250", Some("EUR"), true)),
            ("make that 200 each", only("200", None, true)),
            ("under 300 euros each way", only("300", Some("EUR"), false)),
            ("any price", Some(Wish::Any)),
            ("never mind the price", Some(Wish::Any)),
            ("forget the budget", Some(Wish::Any)),
            ("drop the price limit", Some(Wish::Any)),
            ("the limit isn't needed any more", Some(Wish::Any)),
            ("don't forget the price: 300 euros max", only("300", Some("EUR"), false)),
            ("kids under 12", None),
            ("make it $350", only("350", Some("USD"), false)),
            ("ok, 350 euros then", only("350", Some("EUR"), false)),
            ("it costs $300", None),
        ];
        for (words, expected) in cases {
            assert_eq!(max_price(&mut Text::new(words)), expected, "{words}");
        }
    }
}
