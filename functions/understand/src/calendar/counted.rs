//! Days counted from today, and lengths of time.

use contracts::dialogue::DateExpr;

use super::Found;
use crate::numbers::number_or_one;
use crate::text::Text;

/// "today", "the day after tomorrow", "in two weeks", "ten days from now".
pub(super) fn counted(text: &Text, at: usize) -> Found {
    const NAMED: &[(&str, i32)] = &[
        ("the day after tomorrow", 2),
        ("day after tomorrow", 2),
        ("the day after tmrw", 2),
        ("overmorrow", 2),
        ("tomorrow", 1),
        ("tomorow", 1),
        ("tommorow", 1),
        ("tommorrow", 1),
        ("tomorrrow", 1),
        ("tmrw", 1),
        ("tmr", 1),
        ("later today", 0),
        ("today", 0),
        ("tonight", 0),
        ("this morning", 0),
        ("this afternoon", 0),
        ("this evening", 0),
        ("the day before yesterday", -2),
        ("yesterday 's", -1),
        ("yesterday", -1),
        ("a week today", 7),
        ("week today", 7),
        ("a week tomorrow", 8),
        ("a fortnight today", 14),
        ("fortnight today", 14),
        ("a fortnight tomorrow", 15),
        ("two weeks today", 14),
        ("two weeks tomorrow", 15),
        ("2 weeks today", 14),
        ("2 weeks tomorrow", 15),
        ("three weeks today", 21),
        ("3 weeks today", 21),
        ("a week from today", 7),
        ("a week from tomorrow", 8),
    ];
    if let Some((days, length)) = NAMED
        .iter()
        .filter_map(|(phrase, days)| text.any_of(at, &[*phrase]).map(|length| (*days, length)))
        .max_by_key(|(_, length)| *length)
    {
        return Some((DateExpr::InDays { days }, length));
    }
    let led = text.at(at) == "in";
    let start = at + usize::from(led);
    let (span, length) = span(text, start)?;
    let mut next = start + length;
    let from_now = text.any_of(next, &["from now", "from today", "ahead", "from tomorrow"]);
    let tomorrow = i32::from(text.at(next + 1) == "tomorrow");
    next += from_now.unwrap_or(0);
    if text.is(next, &["'s", "time"]) || text.is(next, &["'", "time"]) {
        next += 2;
    }
    next += usize::from(text.at(next) == "time");
    if !led && from_now.is_none() {
        return None;
    }
    let expression = match span {
        Span { days, months: 0 } => DateExpr::InDays { days: days + tomorrow },
        Span { months, .. } => DateExpr::InMonths { months },
    };
    Some((expression, next - at))
}

/// A length of time in whole days or months.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Days.
    pub days: i32,
    /// Months.
    pub months: i32,
}

/// A length of time that starts at a token: "two weeks", "a fortnight", "3-day", "5 nights"; and how many tokens.
pub fn span(text: &Text, at: usize) -> Option<(Span, usize)> {
    if text.at(at) == "fortnight" || text.is(at, &["a", "fortnight"]) {
        return Some((Span { days: 14, months: 0 }, 1 + usize::from(text.at(at) == "a")));
    }
    let (count, length) = number_or_one(text, at)?;
    let mut next = at + length;
    next += usize::from(text.at(next) == "-");
    next += usize::from(matches!(text.at(next), "full" | "whole" | "more" | "extra" | "other"));
    let count = i32::try_from(count.min(3_000)).ok()?;
    let span = match text.at(next) {
        "day" | "days" | "night" | "nights" => Span { days: count, months: 0 },
        "week" | "weeks" => Span { days: count * 7, months: 0 },
        "fortnights" => Span { days: count * 14, months: 0 },
        "month" | "months" => Span { days: 0, months: count },
        "year" | "years" if text.at(next + 1) != "old" && text.at(next + 1) != "-" => {
            Span { days: 0, months: count * 12 }
        }
        _ => return None,
    };
    Some((span, next + 1 - at))
}
