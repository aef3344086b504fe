//! Wishes for every journey of a session: "always nonstop", "never Ryanair". They outlive the journey they were said of.

use contracts::dialogue::{Session, Standing, Understanding, Wish};

/// Keeps what a message wishes for always, and drops what it takes back.
pub(crate) fn keep(standing: &mut Standing, said: &Understanding) {
    if said.max_stops == Some(Wish::Any) {
        standing.max_stops = None;
    }
    if said.cabin == Some(Wish::Any) {
        standing.cabin = None;
    }
    if said.airlines == Some(Wish::Any) {
        standing.without_airlines.clear();
    }
    if !says_always(said) {
        return;
    }
    if let Some(Wish::Only(most)) = said.max_stops {
        standing.max_stops = Some(most);
    }
    if let Some(Wish::Only(cabin)) = said.cabin {
        standing.cabin = Some(cabin);
    }
    for airline in &said.without_airlines {
        if standing.without_airlines.iter().all(|other| other.iata != airline.iata) {
            standing.without_airlines.push(airline.clone());
        }
    }
}

/// A new journey begins with them.
pub(crate) fn apply(session: &mut Session) {
    let Standing { max_stops, cabin, without_airlines } = session.standing.clone();
    session.slots.max_stops = max_stops;
    session.slots.cabin = cabin;
    session.slots.without_airlines = without_airlines;
}

/// "Always", "never" and the like, which "never mind" is not.
fn says_always(said: &Understanding) -> bool {
    let words = &said.words.0;
    words.iter().enumerate().any(|(at, word)| match word.as_str() {
        "always" | "ever" | "everytime" => true,
        "never" => words.get(at + 1).is_none_or(|next| next != "mind"),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use contracts::private::Private;
    use contracts::travel::Airline;

    use super::*;

    fn said(words: &str) -> Understanding {
        Understanding {
            words: Private(words.split(' ').map(str::to_owned).collect()),
            max_stops: words.contains("nonstop").then_some(Wish::Only(0)),
            without_airlines: match words.contains("ryanair") {
                true => vec![Airline { name: "Ryanair".into(), iata: "FR".into() }],
                false => Vec::new(),
            },
            ..Understanding::default()
        }
    }

    #[test]
    fn what_is_always_wanted_is_wanted_of_the_next_journey() {
        let mut session = Session::default();
        keep(&mut session.standing, &said("always nonstop please"));
        keep(&mut session.standing, &said("never ryanair"));
        keep(&mut session.standing, &said("never mind nonstop"));
        apply(&mut session);
        assert_eq!(session.slots.max_stops, Some(0));
        assert_eq!(session.slots.without_airlines.len(), 1);

        let any = Understanding { max_stops: Some(Wish::Any), ..Understanding::default() };
        keep(&mut session.standing, &any);
        apply(&mut session);
        assert_eq!(session.slots.max_stops, None);
    }

    #[test]
    fn a_wish_of_this_journey_alone_is_not_kept() {
        let mut standing = Standing::default();
        keep(&mut standing, &said("nonstop please"));
        keep(&mut standing, &said("never mind ryanair"));
        assert_eq!(standing, Standing::default());
    }
}
