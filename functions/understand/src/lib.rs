//! Reads what the words of a message say about a journey.
//!
//! In: words. Out: an [`Understanding`], in which nothing is resolved that the words alone do not tell. By rule, well below a
//! millisecond, and pure, so that it can be cached by its words; a language model, where there is one, may add what the rules
//! left open.

pub mod airlines;
pub mod places;
pub mod tokens;

mod acts;
mod ages;
mod breaks;
mod calendar;
mod chart;
mod danger;
mod dates;
mod flexible;
mod journey;
mod languages;
mod legs;
mod limits;
mod model;
mod months;
mod numbers;
mod price;
mod questions;
mod repairs;
mod services;
mod shorthand;
mod text;
mod times;
mod topics;
mod towns;
mod translate;
mod travellers;
mod trip;
mod unmet;
mod wishes;

use std::sync::Arc;

use axum::Router;
use contracts::api::{Kind, UNDERSTAND, Usage, Utterance};
use contracts::dialogue::{Act, DateExpr, DateMention, Pick, Topic, Understanding, Unmet, Wish};
use contracts::private::Private;
use contracts::travel::{Airline, Place};
use models::llm::ChatModel;
use runtime::config;
use runtime::deadline::Deadline;
use runtime::flags::FlagSource;
use runtime::step::Serve;

use crate::journey::Named;
use crate::model::Clarity;
use crate::text::{Kind as Reading, Text};

/// How many of a message's words are kept for matching a choice.
const WORDS_KEPT: usize = 48;
/// The most places, days, times and numbers of one message that are kept.
const MOST_MENTIONS: usize = 12;

/// What the step needs.
#[derive(Default)]
pub struct Deps {
    /// Asked for what the rules leave open; without it, they have the last word.
    pub model: Option<ChatModel>,
    /// Whether it is asked.
    pub flags: FlagSource,
    /// Whether it reads each message for danger too.
    pub reads_for_danger: bool,
    /// Whether it reads again what is not clear, and translates what the rules cannot read.
    pub reads_again: bool,
}

impl Deps {
    /// With the model that `CHAT_MODEL` names, if any, which reads for danger where `MODEL_READS_FOR_DANGER` is `true`,
    /// and a second time what is not clear where `MODEL_READS_AGAIN` is.
    ///
    /// # Errors
    /// A variable that is missing or cannot be read, named.
    pub fn from_env() -> anyhow::Result<Self> {
        let reads_for_danger = config::parsed("MODEL_READS_FOR_DANGER", false)?;
        let reads_again = config::parsed("MODEL_READS_AGAIN", false)?;
        Ok(Self { model: ChatModel::from_env()?, flags: FlagSource::from_env(), reads_for_danger, reads_again })
    }
}

/// The step.
pub fn router(deps: Deps) -> Router {
    UNDERSTAND.serve(Arc::new(deps), async |deps: Arc<Deps>, utterance: Utterance, deadline| {
        let (mut understanding, clarity) = read(&utterance.words);
        let is_read = match clarity {
            Clarity::Clear => true,
            Clarity::Doubtful => !deps.reads_again,
            Clarity::Open => false,
        };
        let fills = !is_read && utterance.kind == Kind::Travel;
        if let Some(model) = deps.model.as_ref().filter(|_| fills || deps.reads_for_danger)
            && deps.flags.of_turn().await.asks_models()
        {
            let danger = async {
                if deps.reads_for_danger { danger::read(model, &utterance.words, deadline).await } else { (None, None) }
            };
            let fill = async {
                if fills {
                    fill(&deps, model, &utterance.words, &mut understanding, deadline).await;
                }
            };
            let ((danger, usage), ()) = tokio::join!(danger, fill);
            understanding.asked_model |= deps.reads_for_danger;
            understanding.usage = Usage::sum(understanding.usage.take(), usage);
            understanding.danger = danger;
        }
        Ok(understanding)
    })
}

/// Has a model add what the rules left open; of a message in a language that they do not know, read its translation instead.
async fn fill(
    deps: &Deps,
    model: &ChatModel,
    words: &Private<String>,
    understanding: &mut Understanding,
    deadline: Deadline,
) {
    if deps.reads_again && translate::is_unknown(words) {
        let (translated, usage) = translate::read(model, words, deadline).await;
        *understanding = translated.unwrap_or_else(|| std::mem::take(understanding));
        understanding.asked_model = true;
        understanding.usage = usage;
        return;
    }
    model::fill(model, words, understanding, deadline, deps.reads_again).await;
}

/// What the words of one message say, by the rules alone.
pub fn understand(words: &str) -> Understanding {
    read(words).0
}

/// What the words say, and how far they were read.
fn read(words: &str) -> (Understanding, Clarity) {
    match languages::translate(words) {
        Some(translated) => {
            let (understanding, open) = read_english(&translated.words);
            (Understanding { language: Some(translated.language.to_owned()), ..understanding }, open)
        }
        None => read_english(words),
    }
}

fn read_english(words: &str) -> (Understanding, Clarity) {
    let mut text = Text::new(words);
    let mut acts = acts::acts(&text);
    let services = services::services(&text);
    chart::claim(&mut text);
    let flexible = flexible::flexible(&mut text);
    let routes = routes(&text);
    let questions = questions::questions(&mut text, &routes);
    let named_airlines = read_airlines(&mut text);
    let compare = acts::compare(&mut text);
    let order = acts::order(&text);
    let pick = named_airlines.pick.or_else(|| acts::pick(&mut text)).or_else(|| order.clone());
    text.reads(Some(Reading::Day));
    let dates = dates::dates(&mut text);
    let flexible = flexible.or_else(|| flexible::in_month(&text, &dates));
    text.reads(Some(Reading::Money));
    let max_price = price::max_price(&mut text);
    text.reads(None);
    let named = read_places(&mut text);
    // "I paid yesterday and still have no ticket" is about a booking, not about a day to fly on.
    let dates = if named.is_empty() && services.iter().any(|topic| topic.is_service()) {
        let passed = |date: &DateMention| matches!(date.expression, DateExpr::InDays { days } if days < 0);
        dates.into_iter().filter(|date| !passed(date)).collect()
    } else {
        dates
    };
    let mixes_cabins = wishes::mixes_cabins(&text);
    let limits = limits::limits(&mut text);
    let max_stops = wishes::max_stops(&mut text);
    let cabin = wishes::cabin(&mut text).filter(|_| !mixes_cabins);
    text.reads(Some(Reading::Time));
    let (times, arrivals) = times::times(&mut text);
    text.reads(Some(Reading::People));
    let trip = trip::trip(&text);
    let travellers = travellers::travellers(&mut text);
    // "Can infants sit on a lap?" asks; it names nobody who travels.
    let asks = services.iter().any(|topic| topic.is_service())
        && is_asked(&text)
        && dates.is_empty()
        && named.is_empty()
        && (!acts.contains(&Act::Search) || services.contains(&Topic::Assistance));
    let travellers = travellers.filter(|_| !asks);
    text.reads(None);
    let mut unmet = unmet::unmet(&text);
    if mixes_cabins {
        unmet.push(Unmet::MixedCabins);
    }
    let through = journey::passed_through(&text, &named);
    // "Not via Europe": no search is held to a whole region, which is said.
    if journey::avoids_region(&text, &named) {
        unmet.push(Unmet::Via);
    }
    let without_places = through.iter().filter(|(_, avoided)| *avoided).map(|(place, _)| place.clone()).collect();
    let through: Vec<Place> = through.into_iter().filter(|(_, avoided)| !avoided).map(|(place, _)| place).collect();
    if !through.is_empty() {
        unmet.push(Unmet::Via);
    }
    let mut places = journey::mentions(&text, words, &named);
    // "What's the weather in Dubai?" and "how far is Durban airport from the city?" ask for no flight.
    let asks_otherwise = services.iter().any(|topic| matches!(topic, Topic::Chatter | Topic::Weather))
        && is_asked(&text)
        || services.contains(&Topic::OtherTransport) && text.at(0) == "how";
    if asks_otherwise && !text.is_proposed() && places.len() == 1 && dates.is_empty() && !acts.contains(&Act::Search) {
        places.clear();
    }
    let legs = legs::legs(&text, &named, &places, &dates);
    let dates = if legs.len() > 1 {
        places.clear();
        unmet.retain(|wish| *wish != Unmet::SeveralCities);
        Vec::new()
    } else {
        dates
    };
    if named_airlines.wish.is_some() && !acts.contains(&Act::Search) {
        acts.push(Act::Search);
    }
    let understanding = Understanding {
        acts,
        questions: with_services(questions, services),
        places: bounded(places),
        dates: bounded(dates),
        trip,
        travellers,
        cabin,
        airlines: named_airlines.wish,
        without_airlines: named_airlines.without,
        max_stops,
        price_each: if max_price.is_none() { price::each_or_all(&text) } else { None },
        max_price,
        times: bounded(times),
        arrivals: bounded(arrivals),
        limits,
        without_places: bounded(without_places),
        through: bounded(through),
        compare,
        order,
        unmet,
        pick,
        legs,
        flexible,
        numbers: bounded(bare_numbers(&text)),
        words: kept_words(&text),
        language: None,
        usage: None,
        danger: None,
        doubts: Vec::new(),
        asked_model: false,
    };
    let clarity = model::clarity(&understanding, &text);
    (understanding, clarity)
}

/// It asks how things are, and nothing of this assistant: "can you find one seat?" wants one.
fn is_asked(text: &Text) -> bool {
    let begins = matches!(
        text.at(0),
        "can" | "may" | "do" | "does" | "is" | "are" | "what" | "whats" | "how" | "will" | "should" | "could" | "must"
    );
    begins && !matches!(text.at(1), "you" | "u" | "there")
}

/// What is asked: of the topics that say the same, the one that says more.
fn with_services(mut questions: Vec<Topic>, services: Vec<Topic>) -> Vec<Topic> {
    let serious = services.iter().any(|topic| !topic.is_social());
    if serious {
        questions.retain(|topic| {
            !matches!(topic, Topic::Terms | Topic::Other | Topic::Summary | Topic::Airports | Topic::Airline)
        });
    }
    // "How much CO2 is that?" asks for no price, and "can I reserve it and pay later?" books nothing.
    if services.iter().any(|topic| matches!(topic, Topic::Emissions | Topic::Hold)) {
        questions.retain(|topic| !matches!(topic, Topic::Price | Topic::Duration | Topic::Booking));
    }
    // "Does a surfboard cost extra?" asks what the board costs, not the flight.
    const CHARGED: [Topic; 6] =
        [Topic::Baggage, Topic::Seats, Topic::Meals, Topic::Pets, Topic::Amenities, Topic::Insurance];
    if services.iter().any(|topic| CHARGED.contains(topic)) {
        questions.retain(|topic| *topic != Topic::Price);
    }
    for topic in services {
        // "Great, thanks" thanks; a joke beside a question is none.
        let idle = topic.is_social()
            && (serious || !questions.is_empty())
            && !matches!(topic, Topic::Sympathy | Topic::Insult);
        if !idle && !questions.contains(&topic) {
            questions.push(topic);
        }
    }
    questions
}

/// Where a message names a route: two places in one sentence.
fn routes(text: &Text) -> Vec<std::ops::Range<usize>> {
    let found = places::find(&text.tokens);
    let both = found.windows(2).filter(|pair| match pair {
        [one, other] => {
            let free = text.claimed(one.tokens.start).is_none() && text.claimed(other.tokens.start).is_none();
            let between = text.plain(one.tokens.end..other.tokens.start);
            free && text.sentence(one.tokens.start) == text.sentence(other.tokens.start) && between.trim() != "or"
        }
        _ => false,
    });
    both.filter_map(|pair| Some(pair.first()?.tokens.start..pair.last()?.tokens.end)).collect()
}

fn bounded<T>(mut found: Vec<T>) -> Vec<T> {
    found.truncate(MOST_MENTIONS);
    found
}

fn kept_words(text: &Text) -> Private<Vec<String>> {
    Private(
        text.tokens.iter().filter(|token| token.is_word()).take(WORDS_KEPT).map(|token| token.text.clone()).collect(),
    )
}

/// Places that no surer reader has taken. What is read is taken.
fn read_places(text: &mut Text) -> Vec<Named> {
    let found = places::find(&text.tokens);
    let mut named = Vec::new();
    for mention in found {
        if !text.all_free(mention.tokens.clone()) {
            continue;
        }
        text.take(mention.tokens.clone());
        named.push(match mention.named {
            places::Named::Place(candidates) => Named { at: mention.tokens, candidates, region: false, near: false },
            places::Named::Near { airports } => {
                Named { at: mention.tokens, candidates: airports, region: false, near: true }
            }
            places::Named::Region { busiest, .. } => {
                Named { at: mention.tokens, candidates: busiest, region: true, near: false }
            }
        });
    }
    named
}

/// What a message says of airlines.
#[derive(Debug, Default)]
struct Airlines {
    wish: Option<Wish<Vec<Airline>>>,
    without: Vec<Airline>,
    pick: Option<Pick>,
}

/// Airlines wanted, not wanted, or used to point at an offer ("the Delta one"). What is read is taken.
fn read_airlines(text: &mut Text) -> Airlines {
    const ANY: &[&str] = &[
        "whatever airline",
        "whichever carrier",
        "all carriers",
        "any airline then",
        "any airline",
        "any airlines",
        "any carrier",
        "any carriers",
        "any other airline",
        "whichever airline",
        "every airline",
        "all airlines",
        "no airline preference",
        "no preferred airline",
        "no airline in particular",
        "no particular airline",
        "airline doesnt matter",
        "no preference",
        "no preferences",
        "dont care about the airline",
        "dont mind which airline",
        "any airline is fine",
        "who flies it",
        "who flies me",
        "whoever flies it",
        "who operates it",
        "who im flying with",
        "who i fly with",
        "who we fly with",
    ];
    const NOT_ALLOWED: &[&str] = &[
        "neither",
        "is out",
        "not either",
        "isnt ok",
        "is not ok",
        "not ok",
        "not okay",
        "not fine",
        "isnt fine",
        "no good",
        "no thanks",
        "isnt allowed",
        "is not allowed",
        "not allowed",
        "isnt an option",
        "is not an option",
        "is no option",
        "is banned",
        "is off limits",
        "is off the table",
        "is a no",
        "is a no go",
        "is a no - go",
        "wont do",
        "doesnt work for me",
    ];
    let mut found = Airlines::default();
    let mut wanted: Vec<Airline> = Vec::new();
    let mut taken_back = false;
    let mut last = None;
    for mention in airlines::find(&text.tokens) {
        let at = mention.tokens.clone();
        if !text.all_free(at.clone()) {
            continue;
        }
        let before = text.before(at.start, 1);
        // "not with Ryanair or easyJet": what is not wanted goes on.
        let goes_on = last.as_ref().is_some_and(|(end, unwanted): &(usize, bool)| {
            *unwanted
                && (at.start == *end || at.start == end + 1 && matches!(before, "or" | "and" | "nor" | "," | "/" | "&"))
        });
        // "Flydubai neither".
        let neither = text.any_of(at.end, NOT_ALLOWED).is_some();
        let unwanted = goes_on || neither || is_unwanted(text, at.start);
        // "With or without Wizz": all the same.
        if matches!((text.before(at.start, 3), text.before(at.start, 2), before), ("with", "or", "without")) {
            text.take(at);
            taken_back = true;
            continue;
        }
        // "It need not be Emirates": it may be, though.
        if !unwanted && text.is_taken_back(at.clone()) {
            text.take(at);
            taken_back = true;
            continue;
        }
        last = Some((at.end, unwanted));
        let pointed = before == "the" && matches!(text.at(at.end), "one" | "flight" | "option" | "offer");
        text.take(at.start..at.end + usize::from(pointed));
        let list = if unwanted { &mut found.without } else { &mut wanted };
        if pointed && !unwanted {
            found.pick = Some(Pick::By(mention.airline));
        } else if !list.contains(&mention.airline) {
            list.push(mention.airline);
        }
    }
    let any = (0..text.len())
        .find_map(|at| text.any_of(at, ANY).map(|length| at..at + length))
        .or_else(|| text.not_minded(&["airline", "airlines", "carrier", "carriers"]));
    found.wish = match any {
        _ if !wanted.is_empty() => Some(Wish::Only(bounded(wanted))),
        Some(at) => {
            text.take(at);
            Some(Wish::Any)
        }
        None => taken_back.then_some(Wish::Any),
    };
    found.without = bounded(found.without);
    found
}

/// The words before an airline say that it is not wanted: "not with", "anything but", "I don't want to fly".
fn is_unwanted(text: &Text, at: usize) -> bool {
    const BETWEEN: &[&str] = &[
        "its", "it", "with", "on", "by", "flying", "fly", "using", "use", "taking", "take", "for", "any", "the",
        "want", "to", "like", "travel", "do",
    ];
    match text.before(at, 1) {
        "but" | "than" => return true,
        "of" => return text.before(at, 2) == "instead",
        _ => {}
    }
    let before = (1..=5).find(|back| !BETWEEN.contains(&text.before(at, *back)));
    before.is_some_and(|back| {
        let word = text.before(at, back);
        let negates = matches!(
            word,
            "not"
                | "no"
                | "never"
                | "dont"
                | "wont"
                | "except"
                | "excluding"
                | "exclude"
                | "avoid"
                | "avoiding"
                | "without"
                | "hate"
                | "forget"
                | "drop"
                | "skip"
                | "cancel"
                | "ditch"
        );
        // "Why not with Emirates?" is a wish.
        negates && text.before(at, back + 1) != "why"
    })
}

/// Numbers that nobody has read and that count nothing: "4", "just 4 please".
fn bare_numbers(text: &Text) -> Vec<u32> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        match numbers::number(text, at).filter(|_| text.free(at)) {
            Some((value, length)) => {
                let next = text.at(at + length);
                let counts = text.tokens.get(at + length).is_some_and(|token| token.is_word())
                    && !matches!(
                        next,
                        "please"
                            | "thanks"
                            | "thank"
                            | "and"
                            | "in"
                            | "for"
                            | "total"
                            | "actually"
                            | "then"
                            | "will"
                            | "ok"
                            | "rather"
                            | "too"
                            | "max"
                            | "tops"
                            | "also"
                            | "instead"
                            | "lol"
                            | "sorry"
                    )
                    && !(next == "is"
                        && matches!(text.at(at + length + 1), "ok" | "fine" | "okay" | "also" | "good" | "too"));
                let money = matches!(text.before(at, 1), "$" | "€" | "£" | "¥" | "₹");
                let counted = money
                    || matches!(next, "$" | "€" | "£" | "%" | ":" | "/" | ".")
                        && text.joined(at + length - 1)
                        && text.joined(at + length);
                let hyphened = next == "-" && text.tokens.get(at + length + 1).is_some_and(|token| token.is_word());
                // "The one in Costa Rica" is a thing, not a number.
                let pronoun =
                    text.at(at) == "one" && !matches!(text.before(at, 1), "" | "," | "for" | "just" | "only" | "its");
                // "3 Dec, not 5" takes a day back.
                let denied = text.before(at, 1) == "not" && found.is_empty();
                if !denied && !counts && !counted && !hyphened && !pronoun {
                    found.push(value);
                }
                at += length;
            }
            None => at += 1,
        }
    }
    found
}
