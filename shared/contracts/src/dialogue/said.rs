//! What a person's words say, before anything is resolved.

use safety::Class;
use serde::{Deserialize, Serialize};

use super::{Slot, Topic, Unmet};
use crate::festivals::Festival;
use crate::outcome::Usage;
use crate::private::Private;
use crate::travel::{Airline, Alliance, Cabin, Layover, LowCost, Place, TimeWindow, Trip};

/// What the words of one message say, with nothing resolved that the words alone do not tell: a date stays an
/// expression, a place a list of candidates, a number that counts nothing a number.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Understanding {
    /// What the person does with the message, in the order of the words.
    pub acts: Vec<Act>,
    /// What is asked about offers or about the assistant.
    pub questions: Vec<Topic>,
    /// Places named.
    pub places: Vec<PlaceMention>,
    /// Days named.
    pub dates: Vec<DateMention>,
    /// One way or there and back.
    pub trip: Option<Trip>,
    /// Who travels.
    pub travellers: Option<Travellers>,
    /// The class of travel.
    pub cabin: Option<Wish<Cabin>>,
    /// The only airlines wanted.
    pub airlines: Option<Wish<Vec<Airline>>>,
    /// Airlines not wanted.
    pub without_airlines: Vec<Airline>,
    /// The most stops.
    pub max_stops: Option<Wish<u8>>,
    /// The most it may cost.
    pub max_price: Option<Wish<Budget>>,
    /// Times of day.
    pub times: Vec<TimeMention>,
    /// The offer meant.
    pub pick: Option<Pick>,
    /// Numbers that count nothing ("4"): their sense depends on what was asked.
    pub numbers: Vec<u32>,
    /// The language it is written in, where that was recognised as another than English: ISO 639-1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// When to arrive.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arrivals: Vec<TimeMention>,
    /// What the journey keeps to on its way.
    #[serde(skip_serializing_if = "LimitsSaid::is_empty")]
    pub limits: LimitsSaid,
    /// Places not to be passed through.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without_places: Vec<Place>,
    /// Places to be passed through.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub through: Vec<Place>,
    /// Two offers to be compared, by their numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub compare: Vec<u32>,
    /// In which order offers are wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<Pick>,
    /// Wishes that no search can be held to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unmet: Vec<Unmet>,
    /// The limit that is known is meant for each traveller (`true`), or for all together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_each: Option<bool>,
    /// The flights of a journey over several cities, in their order; one alone is flown onward from what is known. Where there
    /// are several, `places` and `dates` are empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub legs: Vec<LegSaid>,
    /// Days that would do as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flexible: Option<Flexible>,
    /// What rests on one reading alone, of a model or of the rules against a model's: told back by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<Slot>,
    /// The message's words, lower case and without accents, at most 48: what a choice among names is matched with.
    pub words: Private<Vec<String>>,
    /// What a language model used, where one was asked for what the rules left open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The danger that a model saw where the guard saw none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub danger: Option<Class>,
    /// A language model was asked, also where it did not answer.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub asked_model: bool,
}

/// What a message says of what the journey keeps to on its way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LimitsSaid {
    /// How long layovers may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layover: Option<Wish<Layover>>,
    /// Which alliance's airlines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alliance: Option<Wish<Alliance>>,
    /// Low-cost airlines, or none of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low_cost: Option<Wish<LowCost>>,
}

impl LimitsSaid {
    /// It says nothing of it.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Days that would do as well as the one that is known, or instead of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Flexible {
    /// "±3 days", "give or take a few days".
    Around {
        /// How many before and after.
        days: u8,
    },
    /// "Which day is cheapest that week", "the cheapest day next week".
    InWeek {
        /// Which; the one of the day that is known, or the coming one, where it is [`Week::Coming`].
        week: Week,
    },
    /// "The cheapest day in January": of the month that is known.
    InMonth,
    /// "The cheapest day to fly": near what is known, be it a day, a month or nothing.
    Anytime,
    /// "Exactly on that day": takes it back.
    No,
    /// A kind this release does not know.
    #[serde(other)]
    Other,
}

/// Words that no mere courtesy has, though "how are you" is one.
const ASKING: &[&str] = &[
    "what", "whats", "which", "why", "when", "where", "who", "whos", "does", "can", "is", "explain", "tell", "about",
    "should", "define", "mean", "means", "meaning",
];

impl Understanding {
    /// The most words that a courtesy has; a longer message asks something.
    const SHORT: usize = 6;

    /// Whether the message is short enough to be nothing but a courtesy or a wish about the session itself.
    pub fn is_short(&self) -> bool {
        self.words.0.len() <= Self::SHORT
    }

    /// The courtesy that is all the message says: a greeting, thanks, a farewell, or the question what one can ask.
    pub fn courtesy(&self) -> Option<Topic> {
        let courtesy = |topic: &Topic| matches!(topic, Topic::Greeting | Topic::Thanks | Topic::Goodbye | Topic::Help);
        let only = self.is_short() && self.questions.iter().all(courtesy);
        // "Hi, what is AMH" greets and asks.
        let asks =
            |topic: &Topic| *topic != Topic::Help && self.words.0.iter().any(|word| ASKING.contains(&word.as_str()));
        self.questions.first().copied().filter(|topic| only && !asks(topic))
    }
}

/// What a person does with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Wants flights searched.
    Search,
    /// Wants other offers than those shown.
    Alternatives,
    /// Agrees.
    Affirm,
    /// Disagrees.
    Negate,
    /// Puts right something said before ("no, Oslo", "I meant", "actually").
    Correct,
    /// Drops the journey.
    Cancel,
    /// Wants to go the other way: from where the journey was to end, to where it was to start.
    Swap,
    /// Wants to begin again.
    StartOver,
    /// Wants the last change taken back.
    Undo,
    /// Wants a person.
    Handoff,
    /// A kind this release does not know.
    #[serde(other)]
    Other,
}

/// A wish with bounds, or the wish to have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish<T> {
    /// Whatever there is; takes an earlier wish back.
    Any,
    /// This.
    Only(T),
}

/// A place as it was named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlaceMention {
    /// The name, as written.
    pub name: Private<String>,
    /// Which places it may be, the likeliest first; none where the name is in no list of ours.
    pub candidates: Vec<Place>,
    /// It is a country or another region, in which the city is not said: the candidates are its busiest.
    #[serde(default)]
    pub region: bool,
    /// What it is in the journey, as far as the words around it tell.
    pub role: PlaceRole,
    /// It is what the journey is not ("not Paris").
    #[serde(default)]
    pub negated: bool,
    /// It would do as well as the place before ("Gatwick or Luton").
    #[serde(default)]
    pub either: bool,
    /// The place has no airport: the candidates are the nearest.
    #[serde(default)]
    pub near: bool,
}

/// One flight of a journey over several cities, as far as it was said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LegSaid {
    /// Where it starts; `None` is where the flight before ends.
    pub origin: Option<PlaceMention>,
    /// Where it ends.
    pub destination: Option<PlaceMention>,
    /// It ends where the journey starts ("home from Nice").
    pub home: bool,
    /// The day.
    pub date: Option<DateMention>,
}

/// What a place is in a journey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceRole {
    /// Where it starts.
    Origin,
    /// Where it ends.
    Destination,
    /// Where the way back starts, which is where the way out ends.
    ReturnOrigin,
    /// Where the way back ends, which is where the way out starts.
    ReturnDestination,
    /// The words do not tell.
    #[serde(other)]
    Unknown,
}

/// A day as it was named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DateMention {
    /// The expression.
    pub expression: DateExpr,
    /// Which day of the journey it is, as far as the words around it tell.
    pub role: DateRole,
    /// It is what the day is not ("not Friday").
    #[serde(default)]
    pub negated: bool,
    /// Days from it: -1 in "back before Sunday".
    #[serde(default)]
    pub offset: i32,
}

/// Which day of a journey a date is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateRole {
    /// The day out.
    Departure,
    /// The day back.
    Return,
    /// Both, moved alike.
    Both,
    /// The words do not tell.
    #[serde(other)]
    Unknown,
}

/// A day in words. What it is on the calendar depends on today and, for the day back, on the day out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DateExpr {
    /// "3 March", "2027-03-03".
    Date {
        /// Where it was said.
        year: Option<i16>,
        /// 1 to 12.
        month: i8,
        /// 1 to 31; whether the month has it is not yet checked.
        day: i8,
    },
    /// "3/12": month and day in an order the words do not tell.
    Numeric {
        /// The first number.
        first: i8,
        /// The second.
        second: i8,
        /// Where it was said.
        year: Option<i16>,
    },
    /// "the 3rd", "the 3rd of next month".
    DayOfMonth {
        /// 1 to 31.
        day: i8,
        /// Months from this one; `None` is the next month that has such a day ahead.
        month: Option<i8>,
    },
    /// "Friday", "this Friday", "next Friday", "Friday week".
    Weekday {
        /// 1 (Monday) to 7 (Sunday).
        weekday: i8,
        /// In which week.
        week: Week,
    },
    /// "today", "tomorrow", "in ten days".
    InDays {
        /// Days from today.
        days: i32,
    },
    /// "in two months".
    InMonths {
        /// Months from today.
        months: i32,
    },
    /// "in March", "end of March".
    InMonth {
        /// 1 to 12; `None` is counted by `ahead`.
        month: Option<i8>,
        /// Months from this one, where `month` is `None`.
        ahead: i8,
        /// Which part of it.
        part: Part,
    },
    /// "Christmas Eve".
    Holiday {
        /// Which.
        holiday: Holiday,
        /// Days from it: -1 is the day before.
        #[serde(default)]
        offset: i32,
    },
    /// "Diwali": a festival that moves.
    Festival {
        /// Which.
        festival: Festival,
        /// Days from it: -1 is the day before.
        #[serde(default)]
        offset: i32,
    },
    /// "Labor Day weekend": the first day of the weekend that a holiday makes.
    HolidayWeekend {
        /// Which.
        holiday: Holiday,
    },
    /// "Eid weekend": the same of a festival that moves.
    FestivalWeekend {
        /// Which.
        festival: Festival,
    },
    /// "the first Monday of February", "the last Saturday of the month".
    NthWeekday {
        /// 1 to 5; -1 is the last.
        nth: i8,
        /// 1 (Monday) to 7 (Sunday).
        weekday: i8,
        /// 1 to 12; `None` is counted by `ahead`.
        month: Option<i8>,
        /// Months from this one, where `month` is `None`.
        ahead: i8,
    },
    /// "the Sunday after", "the Wednesday before": counted from the day that is known.
    WeekdayFrom {
        /// 1 (Monday) to 7 (Sunday).
        weekday: i8,
        /// After it, or before.
        after: bool,
    },
    /// "a week later", "for ten days": counted from the day out.
    AfterDeparture {
        /// Days.
        days: i32,
        /// Months, added first.
        months: i32,
    },
    /// "a day later", "two days earlier": counted from what was said before.
    Shift {
        /// Days; negative is earlier.
        days: i32,
        /// Months, added first.
        #[serde(default)]
        months: i32,
    },
    /// "30 February", "the 45th".
    Impossible,
    /// A kind this release does not know.
    #[serde(other)]
    Other,
}

/// Which week a weekday is in. Weeks begin on Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Week {
    /// The first such day ahead.
    Coming,
    /// The current week.
    This,
    /// The week after the current one.
    Next,
    /// The week after that.
    AfterNext,
    /// The week before.
    Last,
    /// A week after the first such day ahead ("Friday week").
    ComingPlusWeek,
    /// What a later release knows.
    #[serde(other)]
    Other,
}

/// Which part of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Its first day.
    Beginning,
    /// The 15th.
    Middle,
    /// Its last day.
    End,
    /// No part in particular: too wide to search, so the day is asked for.
    Any,
    /// What a later release knows.
    #[serde(other)]
    Other,
}

/// A day that bears a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holiday {
    /// 1 January.
    NewYearsDay,
    /// 14 February.
    ValentinesDay,
    /// 17 March.
    SaintPatricksDay,
    /// The Friday before Easter.
    GoodFriday,
    /// Western Easter Sunday.
    Easter,
    /// The day after Easter.
    EasterMonday,
    /// 4 July.
    IndependenceDay,
    /// The first Monday of September.
    LaborDay,
    /// 31 October.
    Halloween,
    /// The fourth Thursday of November.
    Thanksgiving,
    /// 24 December.
    ChristmasEve,
    /// 25 December.
    Christmas,
    /// 26 December.
    BoxingDay,
    /// 31 December.
    NewYearsEve,
    /// What a later release knows.
    #[serde(other)]
    Other,
}

/// Who travels, as far as it was said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Travellers {
    /// Everyone together ("four of us"), where only that was said.
    pub total: Option<u32>,
    /// From 12 years.
    pub adults: Option<u32>,
    /// From 2 to 11 years.
    pub children: Option<u32>,
    /// Below 2 years.
    pub infants: Option<u32>,
    /// They come on top of who was named before ("plus an infant").
    pub more: bool,
    /// They are among who was named before ("one of us is a baby").
    pub among: bool,
    /// They no longer come along ("my wife isn't coming").
    pub fewer: bool,
    /// They were counted as the age group below ("the 11-year-old has turned 12").
    pub grown: bool,
    /// The ages of children who were counted before ("the kids are 14, 6 and 1").
    pub aged: bool,
    /// The adults whom those named before travel with, instead of who writes ("she's going with grandma now").
    pub accompanied: bool,
}

/// The most a journey may cost, as it was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// A decimal ("450", "450.50"); empty where only another currency was said of the limit that is known.
    pub amount: String,
    /// ISO 4217, where the words tell; a bare "$" is USD.
    pub currency: Option<String>,
    /// For each traveller, not for all together.
    #[serde(default)]
    pub each: bool,
    /// What the currency was called, where its name is that of several ("rs", "kr").
    #[serde(default)]
    pub unit: Option<String>,
}

/// A time of day as it was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeMention {
    /// From when to when; `None` takes an earlier wish back.
    pub window: Option<TimeWindow>,
    /// Which way it is about.
    pub role: DateRole,
    /// Only one end of what is known changes ("till 6 is ok").
    #[serde(default)]
    pub bound: Option<TimeBound>,
    /// From so many hours from now on.
    #[serde(default)]
    pub from_now: Option<u8>,
    /// The window that is known moves by so many minutes ("an hour later").
    #[serde(default)]
    pub shift: Option<i16>,
}

impl Default for TimeMention {
    fn default() -> Self {
        Self { window: None, role: DateRole::Unknown, bound: None, from_now: None, shift: None }
    }
}

/// One end of a window of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeBound {
    /// Where it begins.
    From,
    /// Where it ends.
    Until,
    /// A kind this release does not know.
    #[serde(other)]
    Other,
}

/// An offer among those shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pick {
    /// "the second one": counted from 1 in what was shown last.
    Nth(u32),
    /// "the last one".
    Last,
    /// The lowest price.
    Cheapest,
    /// The shortest.
    Fastest,
    /// The first to leave.
    Earliest,
    /// The last to leave.
    Latest,
    /// The first to arrive.
    FirstToArrive,
    /// The shortest wait between flights.
    ShortestWait,
    /// The highest price.
    Dearest,
    /// The fewest stops.
    FewestStops,
    /// One by this airline.
    By(Airline),
    /// "that one": the one talked about.
    That,
    /// A kind this release does not know.
    #[serde(other)]
    Other,
}
