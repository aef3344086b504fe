//! Weeks of a month: "2nd week of jan", "the last week of March, maybe Tuesday".

use contracts::dialogue::{DateExpr, Part};

use super::weekdays::weekday_name;
use super::{Found, month_at};
use crate::numbers::ordinal;
use crate::text::Text;

/// A week of a month, which tells no day; with a weekday behind it, that one: the second Tuesday lies in the second week.
pub(super) fn week_of_month(text: &Text, at: usize) -> Found {
    const HEDGES: &[&str] =
        &["maybe", "say", "like", "perhaps", "probably", "preferably", "on", "on a", "on the", "the"];
    let start = at + usize::from(text.at(at) == "the");
    let (nth, length) = match text.at(start) {
        "last" => (-1, 1),
        _ => ordinal(text, start)
            .and_then(|(nth, length)| Some((i8::try_from(nth).ok().filter(|nth| (1..=5).contains(nth))?, length)))?,
    };
    let mut next = start + length;
    if text.at(next) != "week" {
        return None;
    }
    next += 1 + usize::from(matches!(text.at(next + 1), "of" | "in"));
    let (month, length) = month_at(text, next)?;
    next += length;
    let comma = next + usize::from(text.at(next) == ",");
    let day = comma + text.any_of(comma, HEDGES).unwrap_or(0);
    Some(match weekday_name(text.at(day)) {
        Some(weekday) => (DateExpr::NthWeekday { nth, weekday, month: Some(month), ahead: 0 }, day + 1 - at),
        None => (DateExpr::InMonth { month: Some(month), ahead: 0, part: Part::Any }, next - at),
    })
}
