//! The most a journey may cost: "under 450 euros", "$300 max", "my budget is 800".

use std::ops::Range;

use shared::dialogue::{Budget, Wish};

use crate::text::Text;

/// The most a journey may cost. What is read is taken.
pub fn max_price(text: &mut Text) -> Option<Wish<Budget>> {
    const ANY: [&str; 8] = [
        "any price",
        "no budget",
        "price doesnt matter",
        "money is no object",
        "whatever it costs",
        "no price limit",
        "price does not matter",
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
        if let Some(length) = text.any_of(at, &ANY).or(lifted) {
            text.take(at..at + length);
            found = Some(Wish::Any);
            continue;
        }
        let Some((amount, currency, length)) = amount(text, at).filter(|(_, _, length)| text.all_free(at..at + length))
        else {
            continue;
        };
        let lead = bound_before(text, at).max(if currency.is_some() { put_right(text, at) } else { 0 });
        let behind = text.any_of(
            at + length,
            &[
                "max",
                "maximum",
                "or less",
                "at most",
                "tops",
                "at the most",
                "or below",
                "or under",
                "or cheaper",
                "budget",
                "limit",
            ],
        );
        if lead == 0 && behind.is_none() && !(currency.is_some() && says_nothing_else(text, at..at + length)) {
            continue;
        }
        let end = at + length + behind.unwrap_or(0);
        let each = text
            .any_of(
                end,
                &[
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
                ],
            )
            .is_some_and(|length| !matches!(text.at(end + length), "way" | "direction"));
        // A bare number needs the word "budget", "price" or "cost" close by: "under 12" may be a child.
        let named = currency.is_some()
            || (at.saturating_sub(6)..end + 3).any(|at| {
                matches!(text.at(at), "budget" | "price" | "cost" | "costs" | "costing" | "pay" | "spend" | "cheaper")
            })
            || amount.len() >= 3 && lead > 0;
        if named {
            text.take(at - lead..end);
            found = Some(Wish::Only(Budget { amount, currency, each }));
        }
    }
    found
}

/// How many tokens before an amount of money put it in the place of another: "make it $350".
fn put_right(text: &Text, at: usize) -> usize {
    const LEADS: [&str; 11] = [
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
        .find(|(length, start)| text.any_of(*start, &LEADS) == Some(*length))
        .map_or(0, |(length, _)| length)
}

/// An amount of money alone: "$350 then".
fn says_nothing_else(text: &Text, amount: Range<usize>) -> bool {
    const BESIDE: [&str; 13] =
        ["then", "ok", "okay", "please", "no", "yes", "well", "now", "instead", "each", "actually", "sorry", "and"];
    (0..text.len()).all(|at| amount.contains(&at) || !text.is_word(at) || BESIDE.contains(&text.at(at)))
}

/// How many tokens before an amount say that it is the most.
fn bound_before(text: &Text, at: usize) -> usize {
    const BOUNDS: [&str; 31] = [
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
    ];
    (1..=3)
        .rev()
        .filter_map(|length| at.checked_sub(length).map(|start| (length, start)))
        .find(|(length, start)| {
            text.any_of(*start, &BOUNDS) == Some(*length)
                && (!matches!(text.at(*start), "over" | "beyond" | "around" | "exceed")
                    || matches!(text.before(*start, 1), "not" | "nothing" | "dont"))
        })
        .map_or(0, |(length, _)| length)
}

/// An amount that starts at a token: "$300", "450 euros", "1,200.50 USD", "2k"; with its currency and length.
fn amount(text: &Text, at: usize) -> Option<(String, Option<String>, usize)> {
    let lead = currency(text, at);
    let start = at + lead.as_ref().map_or(0, |(_, length)| *length);
    let (digits, length) = decimal(text, start)?;
    let next = start + length;
    let (code, end) = match lead {
        Some((code, _)) => (Some(code), next + currency(text, next).map_or(0, |(_, length)| length)),
        None => match currency(text, next) {
            Some((code, length)) => (Some(code), next + length),
            None => (None, next),
        },
    };
    Some((digits, code, end - at))
}

fn decimal(text: &Text, at: usize) -> Option<(String, usize)> {
    let word = text.at(at);
    if let Some(thousands) = word.strip_suffix('k').filter(|digits| !digits.is_empty() && digits.len() < 5) {
        return thousands.bytes().all(|byte| byte.is_ascii_digit()).then(|| (format!("{thousands}000"), 1));
    }
    if word.is_empty() || word.len() > 9 || !word.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut digits = word.to_owned();
    let mut length = 1;
    let all_digits = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    while text.at(at + length) == ","
        && text.joined(at + length - 1)
        && text.at(at + length + 1).len() == 3
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

/// The currency a word or sign names, and how many tokens it takes.
fn currency(text: &Text, at: usize) -> Option<(String, usize)> {
    const NAMES: [(&str, &str); 44] = [
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_an_amount_with_a_bound() {
        let only = |amount: &str, currency: Option<&str>, each| {
            Some(Wish::Only(Budget { amount: amount.into(), currency: currency.map(Into::into), each }))
        };
        let cases = [
            ("under 450 euros", only("450", Some("EUR"), false)),
            ("$300 max", only("300", Some("USD"), false)),
            ("no more than 1,250.50 GBP each", only("1250.50", Some("GBP"), true)),
            ("my budget is 800", only("800", None, false)),
            ("under 500 euros a person please", only("500", Some("EUR"), true)),
            ("at most €250 pp", only("250", Some("EUR"), true)),
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
