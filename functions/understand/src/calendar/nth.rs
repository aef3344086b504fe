//! Days counted within a month, and weekdays counted from a day that is known: "the first Monday of February", "last sat of
//! nov", "the Sunday after".

use contracts::dialogue::DateExpr;

use super::weekdays::weekday_name;
use super::{Found, month_at};
use crate::numbers::ordinal;
use crate::text::Text;

/// "first monday of feb", "the 2nd friday in december", "last saturday next month".
pub(super) fn nth_weekday(text: &Text, at: usize) -> Found {
    if let Some(found) = every_weekday(text, at) {
        return Some(found);
    }
    let start = at + usize::from(text.at(at) == "the");
    let (nth, length) = match text.at(start) {
        "last" => (-1, 1),
        _ => ordinal(text, start)
            .and_then(|(nth, length)| Some((i8::try_from(nth).ok().filter(|nth| (1..=5).contains(nth))?, length)))?,
    };
    let weekday = match text.at(start + length) {
        "weekend" => 6,
        word => weekday_name(word)?,
    };
    let mut next = start + length + 1;
    next += usize::from(matches!(text.at(next), "of" | "in"));
    if let Some((month, length)) = month_at(text, next) {
        return Some((DateExpr::NthWeekday { nth, weekday, month: Some(month), ahead: 0 }, next + length - at));
    }
    let named = [("this month", 0), ("the month", 0), ("that month", -1), ("next month", 1), ("the next month", 1)]
        .iter()
        .find_map(|(phrase, ahead)| text.any_of(next, &[*phrase]).map(|length| (*ahead, length)));
    // "Now the second Monday": of the month that is spoken of.
    let ends = !text.is_word(next) || matches!(text.at(next), "please" | "instead" | "then" | "now" | "again");
    let alone = start > at && nth > 0 && text.at(start + length) != "weekend" && ends;
    let (ahead, length) = named.or_else(|| alone.then_some((-1, 0)))?;
    Some((DateExpr::NthWeekday { nth, weekday, month: None, ahead }, next + length - at))
}

/// "Every Monday in January": the first of them, for one journey is searched at a time.
fn every_weekday(text: &Text, at: usize) -> Found {
    let length = text.any_of(at, &["every", "each", "all", "all the"])?;
    let weekday = weekday_name(text.at(at + length))?;
    let next = at + length + 1;
    let (month, length) = month_at(text, next + 1).filter(|_| matches!(text.at(next), "in" | "of"))?;
    Some((DateExpr::NthWeekday { nth: 1, weekday, month: Some(month), ahead: 0 }, next + 1 + length - at))
}

/// "the sunday after", "wednesday before", "the saturday after that".
pub(super) fn from_known(text: &Text, at: usize) -> Found {
    let start = at + usize::from(text.at(at) == "the");
    let weekday = weekday_name(text.at(start))?;
    let after = match text.at(start + 1) {
        "after" => true,
        "before" => false,
        _ => return None,
    };
    let next = start + 2;
    let that = text.any_of(next, &["that", "this", "it"]).unwrap_or(0);
    let ends = !text.is_word(next + that)
        || matches!(text.at(next + that), "please" | "instead" | "then" | "and" | "for" | "back");
    ends.then_some((DateExpr::WeekdayFrom { weekday, after }, next + that - at))
}
