//! Conversations that a person can read (`tests/dialogues/*.toml`), played through understanding and dialogue, and what
//! holds for any conversation at all.

use std::path::Path;

use contracts::dialogue::{Action, Session};
use contracts::travel::Money;
use jiff::Zoned;
use proptest::collection::vec;
use proptest::prelude::*;
use session::dialogue::advance;
use tests::conversations::{Conversation, in_short, known, offers, read};
use understand::understand;

/// The talk after a turn, with what a search would have shown, and the action.
fn turn(session: Session, words: &str, now: &Zoned) -> (Session, Action) {
    let (mut session, action) = advance(session, &understand(words), now);
    if let Action::SearchFlights { query, skip } = &action {
        session.shown = offers(query, *skip).unwrap();
    }
    (session, action)
}

/// What went otherwise than the file has it.
fn play(conversation: &Conversation) -> Result<(), String> {
    let mut session = Session::default();
    let mut now = &conversation.at;
    for expected in &conversation.turn {
        now = expected.at.as_ref().unwrap_or(now);
        let (next, action) = turn(session, &expected.you, now);
        let (action, slots) = (in_short(&action), known(&next.slots));
        if action != expected.then {
            return Err(format!(
                "{:?}\n  expected {}\n  got      {action}, knowing {slots:?}",
                expected.you, expected.then
            ));
        }
        if let Some(expected_slots) = expected.known.as_ref().filter(|expected| **expected != slots) {
            return Err(format!("{:?}\n  expected {expected_slots:?}\n  got      {slots:?}", expected.you));
        }
        session = next;
    }
    Ok(())
}

#[test]
fn conversations_go_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("dialogues");
    let conversations = read(&folder).unwrap();
    let wrong: Vec<String> = conversations
        .iter()
        .filter_map(|(name, conversation)| Some(format!("{name}: {}", play(conversation).err()?)))
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), conversations.len(), wrong.join("\n"));
}

#[test]
fn the_cheapest_is_looked_for_in_one_currency() {
    use iso_currency::Currency::{EUR, JPY, USD};

    let cases = [
        // What most of them are in; of as many, what the best is in.
        ("tomorrow", [(USD, "300.00"), (JPY, "40000"), (USD, "290.00")], "show 3"),
        ("tomorrow", [(USD, "300.00"), (JPY, "40000"), (EUR, "250.00")], "show 1"),
        ("tomorrow, at most 70,000 yen", [(USD, "300.00"), (JPY, "40000"), (USD, "290.00")], "show 2"),
        ("tomorrow, at most 500 pounds", [(USD, "300.00"), (JPY, "40000"), (USD, "290.00")], "show 3"),
    ];
    for (when, prices, expected) in cases {
        let (mut session, _) = turn(Session::default(), &format!("Lahore to Tokyo {when}"), &now());
        for (offer, (currency, amount)) in session.shown.iter_mut().zip(prices) {
            offer.total_price = Money::parse(amount, currency).unwrap();
        }
        let (_, action) = turn(session, "the cheapest one", &now());
        assert_eq!(in_short(&action), expected, "{when} {prices:?}");
    }
}

fn now() -> Zoned {
    "2026-11-20T09:00:00+05:00[Asia/Karachi]".parse().unwrap()
}

/// Bits that people's messages are made of, and bits that they are not.
fn message() -> impl Strategy<Value = String> {
    const BITS: [&str; 60] = [
        "from",
        "to",
        "Lahore",
        "Dubai",
        "San Jose",
        "New York",
        "LHE",
        "next",
        "Friday",
        "the 3rd",
        "3/12",
        "tomorrow",
        "back",
        "a week later",
        "in two weeks",
        "end of March",
        "Christmas",
        "30 February",
        "returning",
        "on",
        "for",
        "two",
        "4",
        "99",
        "people",
        "adults",
        "infants",
        "me and my wife",
        "business",
        "economy",
        "nonstop",
        "any airline",
        "Delta",
        "not",
        "no,",
        "actually",
        "make it",
        "yes",
        "cancel",
        "start over",
        "anything else?",
        "the second one",
        "the cheapest",
        "how much is it?",
        "under 450 euros",
        "after 6pm",
        "in the morning",
        "round trip",
        "one way",
        "thanks",
        "hello",
        "California",
        "a day later",
        "push the return by two days",
        "?",
        ".",
        "-",
        "→",
        "é😀",
        "2026-12-24",
    ];
    vec(prop_oneof![4 => prop::sample::select(&BITS[..]).prop_map(str::to_owned), 1 => "\\PC{0,12}"], 0..8)
        .prop_map(|bits| bits.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn no_words_are_too_odd(words in "\\PC{0,400}") {
        advance(Session::default(), &understand(&words), &now());
    }

    #[test]
    fn days_that_are_known_never_lie_in_the_past_nor_the_return_before_the_departure(words in vec(message(), 1..6)) {
        let mut session = Session::default();
        for words in words {
            session = turn(session, &words, &now()).0;
            let slots = &session.slots;
            for date in [slots.departure_date, slots.return_date].into_iter().flatten() {
                // West of the date line it is still the day before.
                prop_assert!(date >= now().date().yesterday().unwrap(), "{words}: {date}");
            }
            if let (Some(departure), Some(back)) = (slots.departure_date, slots.return_date) {
                prop_assert!(back >= departure, "{words}: {departure} to {back}");
            }
            if let Some(passengers) = slots.passengers {
                prop_assert!(passengers.adults > 0 && passengers.total() <= 9 && passengers.infants <= passengers.adults);
            }
        }
    }

    #[test]
    fn a_full_sentence_said_twice_leaves_the_same_journey(
        day in 1..28, month in prop::sample::select(&["January", "February", "March"][..]), people in 1..9
    ) {
        let words = format!("from Lahore to Dubai on {day} {month} 2027 for {people} people in economy, nonstop, back on 30 April 2027");
        let (once, _) = advance(Session::default(), &understand(&words), &now());
        prop_assert!(once.slots.return_date.is_some() && once.slots.passengers.is_some());
        let (twice, _) = advance(once.clone(), &understand(&words), &now());
        prop_assert_eq!(once.slots, twice.slots);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, ..ProptestConfig::default() })]

    #[test]
    fn a_session_stays_small_however_long_it_is(words in vec(message(), 200)) {
        let mut session = Session::default();
        for words in words {
            session = turn(session, &words, &now()).0;
            // What was shown is bounded by what shows it.
            let bare = Session { shown: Vec::new(), ..session.clone() };
            prop_assert!(serde_json::to_vec(&bare).unwrap().len() < 4 * 1024);
        }
    }
}
