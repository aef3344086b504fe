//! Numbers and ordinals, in digits and in words.

use crate::text::Text;

const UNITS: &[&str] = &[
    "zero",
    "one",
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
];
const TENS: &[&str] = &["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const ORDINALS: &[&str] = &[
    "zeroth",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
];

fn position(list: &[&str], word: &str) -> Option<u32> {
    list.iter().position(|entry| *entry == word).map(|at| at as u32)
}

/// The number that starts at a token, and how many tokens it takes: "12", "twelve", "twenty-five", "a couple of".
pub fn number(text: &Text, at: usize) -> Option<(u32, usize)> {
    let word = text.at(at);
    if !word.is_empty() && word.len() <= 6 && word.bytes().all(|byte| byte.is_ascii_digit()) {
        return word.parse().ok().map(|value| (value, 1));
    }
    if let Some(tens) = position(TENS, word) {
        let tens = (tens + 2) * 10;
        let next = at + 1 + usize::from(text.at(at + 1) == "-");
        return Some(match position(UNITS, text.at(next)).filter(|units| (1..10).contains(units)) {
            Some(units) => (tens + units, next + 1 - at),
            None => (tens, 1),
        });
    }
    if let Some(length) = text.any_of(at, &["a couple of", "a couple", "couple of"]) {
        return Some((2, length));
    }
    match word {
        "dozen" => Some((12, 1)),
        _ => position(UNITS, word).map(|value| (value, 1)),
    }
}

/// A number, or "a", "an" and "another" for one.
pub fn number_or_one(text: &Text, at: usize) -> Option<(u32, usize)> {
    number(text, at).or_else(|| matches!(text.at(at), "a" | "an" | "another").then_some((1, 1)))
}

/// The ordinal that starts at a token, and how many tokens it takes: "3rd", "third", "twenty-first", "3 rd".
pub fn ordinal(text: &Text, at: usize) -> Option<(u32, usize)> {
    digit_ordinal(text, at).or_else(|| {
        let word = text.at(at);
        if let Some(value) = position(ORDINALS, word) {
            return Some((value, 1));
        }
        if matches!(word, "twentieth" | "thirtieth") {
            return Some((if word == "twentieth" { 20 } else { 30 }, 1));
        }
        let tens = position(TENS, word)?;
        let next = at + 1 + usize::from(text.at(at + 1) == "-");
        let units = position(ORDINALS, text.at(next)).filter(|units| (1..10).contains(units))?;
        Some(((tens + 2) * 10 + units, next + 1 - at))
    })
}

/// An ordinal in digits: "3rd", "3 rd".
pub fn digit_ordinal(text: &Text, at: usize) -> Option<(u32, usize)> {
    let word = text.at(at);
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 || digits > 3 {
        return None;
    }
    let (number, ending) = word.split_at_checked(digits)?;
    let value = number.parse().ok()?;
    let is_ending = |word: &str| matches!(word, "st" | "nd" | "rd" | "th");
    if is_ending(ending) {
        Some((value, 1))
    } else if ending.is_empty() && is_ending(text.at(at + 1)) {
        Some((value, 2))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_digits_and_in_words() {
        let cases = [
            ("12", Some((12, 1))),
            ("twelve", Some((12, 1))),
            ("twenty-five", Some((25, 3))),
            ("forty two", Some((42, 2))),
            ("a couple of", Some((2, 3))),
            ("1234567", None),
            ("12th", None),
            ("way", None),
        ];
        for (words, expected) in cases {
            assert_eq!(number(&Text::new(words), 0), expected, "{words}");
        }
    }

    #[test]
    fn ordinals_are_read_in_digits_and_in_words() {
        let cases = [
            ("3rd", Some((3, 1))),
            ("3 rd", Some((3, 2))),
            ("third", Some((3, 1))),
            ("twenty-first", Some((21, 3))),
            ("thirtieth", Some((30, 1))),
            ("3", None),
        ];
        for (words, expected) in cases {
            assert_eq!(ordinal(&Text::new(words), 0), expected, "{words}");
        }
    }
}
