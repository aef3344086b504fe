//! Days that bear a name.

use contracts::dialogue::{DateExpr, Holiday};
use contracts::festivals::{self, Festival};

use super::Found;
use crate::numbers::number;
use crate::text::Text;

/// Fixed and movable holidays.
pub(super) fn holiday(text: &Text, at: usize) -> Found {
    const NAMES: &[(&str, Holiday)] = &[
        ("new year 's eve", Holiday::NewYearsEve),
        ("new years eve", Holiday::NewYearsEve),
        ("new year eve", Holiday::NewYearsEve),
        ("nye", Holiday::NewYearsEve),
        ("hogmanay", Holiday::NewYearsEve),
        ("silvester", Holiday::NewYearsEve),
        ("new year 's day", Holiday::NewYearsDay),
        ("new years day", Holiday::NewYearsDay),
        ("new year 's", Holiday::NewYearsDay),
        ("new years", Holiday::NewYearsDay),
        ("new year", Holiday::NewYearsDay),
        ("valentine 's day", Holiday::ValentinesDay),
        ("valentines", Holiday::ValentinesDay),
        ("valentine", Holiday::ValentinesDay),
        ("vday", Holiday::ValentinesDay),
        ("valentines day", Holiday::ValentinesDay),
        ("valentine 's", Holiday::ValentinesDay),
        ("st patrick 's day", Holiday::SaintPatricksDay),
        ("st . patrick 's day", Holiday::SaintPatricksDay),
        ("saint patrick 's day", Holiday::SaintPatricksDay),
        ("st patricks day", Holiday::SaintPatricksDay),
        ("good friday", Holiday::GoodFriday),
        ("easter monday", Holiday::EasterMonday),
        ("easter sunday", Holiday::Easter),
        ("easter", Holiday::Easter),
        ("independence day", Holiday::IndependenceDay),
        ("labor day", Holiday::LaborDay),
        ("labour day", Holiday::LaborDay),
        ("halloween", Holiday::Halloween),
        ("thanksgiving day", Holiday::Thanksgiving),
        ("thanksgiving", Holiday::Thanksgiving),
        ("christmas eve", Holiday::ChristmasEve),
        ("xmas eve", Holiday::ChristmasEve),
        ("x - mas eve", Holiday::ChristmasEve),
        ("christmas day", Holiday::Christmas),
        ("xmas day", Holiday::Christmas),
        ("christmas", Holiday::Christmas),
        ("xmas", Holiday::Christmas),
        ("boxing day", Holiday::BoxingDay),
        ("second day of christmas", Holiday::BoxingDay),
        ("new year ' s eve", Holiday::NewYearsEve),
    ];
    const OFFSETS: &[(&str, i32)] = &[
        ("the day before", -1),
        ("the night before", -1),
        ("the evening before", -1),
        ("a day before", -1),
        ("one day before", -1),
        ("the day after", 1),
        ("a day after", 1),
        ("one day after", 1),
        ("a week before", -7),
        ("one week before", -7),
        ("a week after", 7),
        ("one week after", 7),
        ("right after", 1),
        ("straight after", 1),
        ("just after", 1),
        ("right before", -1),
        ("just before", -1),
    ];
    let led = OFFSETS.iter().find_map(|(phrase, days)| text.any_of(at, &[*phrase]).map(|length| (*days, length)));
    let counted = led.or_else(|| {
        let (count, length) = number(text, at)?;
        let sign = match (text.at(at + length), text.at(at + length + 1)) {
            ("days", "before") => -1,
            ("days", "after") => 1,
            ("weeks", "before") => -7,
            ("weeks", "after") => 7,
            _ => return None,
        };
        Some((sign * i32::try_from(count.min(400)).ok()?, length + 2))
    });
    let (offset, start) = counted.map_or((0, at), |(days, length)| (days, at + length));
    let is_weekend = |end: usize| text.at(end) == "weekend" || text.is(end, &["long", "weekend"]);
    let weekend = |end: usize| if text.at(end) == "long" { end + 2 - at } else { end + 1 - at };
    if let Some((festival, length)) = moving(text, start) {
        let end = start + length;
        return Some(match is_weekend(end) && start == at {
            true => (DateExpr::FestivalWeekend { festival }, weekend(end)),
            false => (DateExpr::Festival { festival, offset }, end - at),
        });
    }
    let (holiday, length) = NAMES
        .iter()
        .filter_map(|(phrase, holiday)| text.any_of(start, &[*phrase]).map(|length| (*holiday, length)))
        .max_by_key(|(_, length)| *length)?;
    let end = start + length;
    if matches!(text.at(end), "island" | "islands") {
        return None;
    }
    // "Easter Tuesday".
    let behind = match (holiday, text.at(end)) {
        (Holiday::Easter, "saturday") => Some(-1),
        (Holiday::Easter, "tuesday") => Some(2),
        _ => None,
    };
    if let Some(days) = behind {
        return Some((DateExpr::Holiday { holiday, offset: offset + days }, end + 1 - at));
    }
    Some(match is_weekend(end) && start == at {
        true => (DateExpr::HolidayWeekend { holiday }, weekend(end)),
        false => (DateExpr::Holiday { holiday, offset }, end - at),
    })
}

/// A festival whose day moves, and how many tokens its name takes.
fn moving(text: &Text, at: usize) -> Option<(Festival, usize)> {
    let at_name = at + usize::from(text.at(at) == "the");
    let (festival, length) = festivals::said(text.at(at_name))
        .filter_map(|(phrase, festival)| text.any_of(at_name, &[phrase]).map(|length| (festival, length)))
        .max_by_key(|(_, length)| *length)?;
    // "For the Ascension Island flight", "Eid street".
    (!matches!(text.at(at_name + length), "island" | "islands" | "street")).then_some((festival, at_name + length - at))
}
