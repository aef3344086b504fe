//! Where from and where to.

use contracts::dialogue::{Act, PlaceMention, PlaceRole, Remark, Session, Slot, Trouble, Unclear, Understanding};
use contracts::travel::{Place, Slots};

use geo::airports::{self, Airport};

use super::{Merged, limits};
use crate::nearness::{beside, country, is_airport_of, is_one_city};

/// The most places a name is asked about with.
const MOST_CHOICES: usize = 5;

pub(super) fn merge(session: &mut Session, said: &Understanding, merged: &mut Merged) {
    if choose(session, said) {
        merged.informed = true;
        return;
    }
    if said.acts.contains(&Act::Swap) {
        merged.informed = true;
        let Session { slots, unclear, .. } = session;
        std::mem::swap(&mut slots.origin, &mut slots.destination);
        for unclear in unclear {
            unclear.slot = if unclear.slot == Slot::Origin { Slot::Destination } else { Slot::Origin };
        }
    }
    // "The other way round, we're in Merida now": the place is one of the ends that were just swapped.
    let swapped = said.acts.contains(&Act::Swap);
    let is_end =
        |place: &PlaceMention| [Slot::Origin, Slot::Destination].iter().any(|slot| is_in(&session.slots, *slot, place));
    let meant: Vec<&PlaceMention> =
        said.places.iter().filter(|place| !(place.negated || swapped && is_end(place))).collect();
    let negated: Vec<&PlaceMention> = said.places.iter().filter(|place| place.negated).collect();
    if any_airport(session, said, &meant) {
        merged.informed = true;
        return;
    }
    if either_airport(session, &meant, merged) {
        return;
    }
    let (others, meant): (Vec<&PlaceMention>, Vec<&PlaceMention>) =
        meant.into_iter().partition(|mention| mention.either);
    for (at, mention) in meant.iter().enumerate() {
        // "Maine" after "to Portland" says which one.
        if mention.region
            && meant.len() == 1
            && let Some((slot, namesake)) = namesake(session, mention)
        {
            merged.informed = true;
            fill(session, slot, namesake);
            continue;
        }
        // "Russia" of a journey from Saint Petersburg says again what is known.
        if mention.region
            && mention.role == PlaceRole::Unknown
            && meant.len() == 1
            && is_within(&session.slots, mention)
        {
            merged.informed = true;
            continue;
        }
        if is_refused_airport(session, said, mention) {
            mention.candidates.first().into_iter().for_each(|place| limits::avoid(session, place));
            merged.informed = true;
            continue;
        }
        let Some(slot) = slot_of(session, said, &meant, &negated, at) else {
            // Named once more, it says nothing new, and is understood all the same.
            merged.informed = true;
            continue;
        };
        // "From Germany, I'd start in Berlin": the city says it all.
        let city =
            |other: &&PlaceMention| !other.region && (other.role == mention.role || mention.role == PlaceRole::Unknown);
        if mention.region && meant.iter().any(city) {
            continue;
        }
        merged.informed = true;
        place(session, mention, slot, merged);
        let same = others.iter().filter(|other| other.role == mention.role);
        let others: Vec<Place> = same.filter_map(|other| other.candidates.first().cloned()).collect();
        if let (Some(taken), false) = (slot_mut(&mut session.slots, slot).clone(), others.is_empty()) {
            session.remarks.push(Remark::OneOf { taken, others });
        }
    }
    if !meant.is_empty() {
        // "London to New York, anything but Heathrow": an airport of a city that is flown from or to.
        for place in negated.iter().filter_map(|mention| mention.candidates.first()) {
            let ends = [session.slots.origin.clone(), session.slots.destination.clone()];
            let holds = |end: &Place| end.iata != place.iata && is_airport_of(place.iata, end.iata);
            if ends.iter().flatten().any(holds) {
                limits::avoid(session, place);
            }
        }
    }
    if meant.is_empty() {
        take_back(session, &negated, merged);
    } else if meant.len() > 1 {
        // After "to Dubai from Lahore" a "no, Sharjah" is about where to, whatever was named last.
        session.recent = Some(Slot::Destination);
    }
}

/// The place of the same name as an end of the journey that lies in the region that is named, where the end itself does not.
fn namesake(session: &Session, region: &PlaceMention) -> Option<(Slot, Place)> {
    let there: Vec<&'static Airport> =
        region.candidates.iter().filter_map(|place| airports::airports_of(place.iata).next()).collect();
    let country = there.first()?.country;
    let first = there.first()?.subdivision;
    let whole = there.iter().any(|airport| airport.subdivision != first);
    let lies_there = |airport: &Airport| {
        airport.country == country && (whole || there.iter().any(|other| other.subdivision == airport.subdivision))
    };
    let ends = [(Slot::Origin, &session.slots.origin), (Slot::Destination, &session.slots.destination)];
    ends.into_iter().find_map(|(slot, end)| {
        let end = end.as_ref()?;
        let known = airports::airports_of(end.iata).next()?;
        if lies_there(known) {
            return None;
        }
        let city = end.name.split(',').next()?.trim();
        let named = |airport: &&Airport| airport.city.eq_ignore_ascii_case(city) && lies_there(airport);
        let found = airports::airports().iter().filter(named).max_by_key(|airport| airport.tier)?;
        Some((slot, Place { name: city.to_owned(), iata: found.iata }))
    })
}

/// "No Stansted please" of a journey from London: the airport is not wanted, where "no, Oslo" would be another place.
fn is_refused_airport(session: &Session, said: &Understanding, mention: &PlaceMention) -> bool {
    let name = mention.name.0.to_lowercase();
    let first = name.split(' ').next().unwrap_or_default();
    let refused = said.words.0.windows(2).any(|pair| matches!(pair, [no, word] if no == "no" && word == first));
    let ends = [&session.slots.origin, &session.slots.destination];
    let of_end = |place: &Place| ends.iter().copied().flatten().any(|end| is_airport_of(place.iata, end.iata));
    refused && mention.role == PlaceRole::Unknown && mention.candidates.first().is_some_and(of_end)
}

/// One end of the journey lies in the region that is named.
fn is_within(slots: &Slots, region: &PlaceMention) -> bool {
    let wanted = region.candidates.first().and_then(|place| country(place.iata));
    let ends = [&slots.origin, &slots.destination];
    slots.origin.is_some()
        && slots.destination.is_some()
        && ends.into_iter().flatten().any(|place| wanted.is_some() && country(place.iata) == wanted)
}

/// "Narita or Haneda, whichever" of a journey from Tokyo: the city, whatever airport.
fn any_airport(session: &mut Session, said: &Understanding, meant: &[&PlaceMention]) -> bool {
    let [one, other] = meant else { return false };
    let (Some(first), Some(second)) = (one.candidates.first(), other.candidates.first()) else { return false };
    let all_one =
        said.words.0.iter().any(|word| matches!(word.as_str(), "whichever" | "either" | "whatever" | "any" | "both"));
    let Some(city) = airports::metro_of(first.iata).filter(|city| is_airport_of(second.iata, city.iata)) else {
        return false;
    };
    if !other.either || !all_one {
        return false;
    }
    let ends = [(Slot::Origin, &session.slots.origin), (Slot::Destination, &session.slots.destination)];
    let known = |place: &Option<Place>| {
        place.as_ref().is_some_and(|place| place.iata == city.iata || is_airport_of(place.iata, city.iata))
    };
    let Some((slot, _)) = ends.into_iter().find(|(_, place)| known(place)) else { return false };
    fill(session, slot, Place { name: city.name.to_owned(), iata: city.iata });
    true
}

/// "Malpensa or Linate?" of a journey to Milan asks which airport to use: nothing changes until one is said.
fn either_airport(session: &Session, meant: &[&PlaceMention], merged: &mut Merged) -> bool {
    let [one, other] = meant else { return false };
    let (Some(first), Some(second)) = (one.candidates.first(), other.candidates.first()) else { return false };
    let unsaid = one.role == PlaceRole::Unknown && other.role == PlaceRole::Unknown;
    if !other.either || !unsaid || !is_one_city(first.iata, second.iata) {
        return false;
    }
    let slots = [(Slot::Origin, &session.slots.origin), (Slot::Destination, &session.slots.destination)];
    let of =
        slots.into_iter().find(|(_, place)| place.as_ref().is_some_and(|place| is_one_city(place.iata, first.iata)));
    let Some((slot, Some(city))) = of else { return false };
    let choices = vec![first.clone(), second.clone()];
    let trouble = Trouble::Ambiguous { name: format!("airport of {}", city.name), choices, region: false, near: false };
    merged.informed = true;
    merged.wrong(slot, trouble);
    true
}

/// Puts a place into its slot, or keeps what is unclear about it.
fn place(session: &mut Session, mention: &PlaceMention, slot: Slot, merged: &mut Merged) {
    session.unclear.retain(|unclear| unclear.slot != slot);
    match mention.candidates.as_slice() {
        [] => merged.wrong(slot, Trouble::UnknownPlace),
        [first, rest @ ..] if mention.near => {
            let others = rest.iter().take(2).cloned().collect();
            fill(session, slot, first.clone());
            session.remarks.push(Remark::Nearest { name: mention.name.0.clone(), taken: first.clone(), others });
        }
        [only] => fill(session, slot, only.clone()),
        several => {
            let choices: Vec<Place> = several.iter().take(MOST_CHOICES).cloned().collect();
            // What stood there is no longer meant, and must not be searched while the name is unclear.
            *slot_mut(&mut session.slots, slot) = None;
            session.recent = Some(slot);
            session.unclear.push(Unclear {
                slot,
                name: mention.name.0.clone(),
                choices,
                region: mention.region,
                near: false,
            });
        }
    }
}

fn fill(session: &mut Session, slot: Slot, place: Place) {
    *slot_mut(&mut session.slots, slot) = Some(place);
    session.recent = Some(slot);
}

fn slot_mut(slots: &mut Slots, slot: Slot) -> &mut Option<Place> {
    if slot == Slot::Origin { &mut slots.origin } else { &mut slots.destination }
}

/// "not Paris" alone: the place is not known any more.
fn take_back(session: &mut Session, negated: &[&PlaceMention], merged: &mut Merged) {
    let away = |slot: &Slot| negated.iter().any(|mention| is_in(&session.slots, *slot, mention));
    if let (Some(mention), false) = (negated.first(), [Slot::Origin, Slot::Destination].iter().any(away)) {
        if let Some(place) = mention.candidates.first() {
            merged.informed = true;
            limits::avoid(session, place);
        }
        return;
    }
    for mention in negated {
        for slot in [Slot::Origin, Slot::Destination] {
            if is_in(&session.slots, slot, mention) {
                *slot_mut(&mut session.slots, slot) = None;
                session.recent = Some(slot);
                merged.informed = true;
            }
        }
    }
}

fn is_in(slots: &Slots, slot: Slot, mention: &PlaceMention) -> bool {
    let place = if slot == Slot::Origin { &slots.origin } else { &slots.destination };
    place.as_ref().is_some_and(|place| mention.candidates.iter().any(|candidate| candidate.iata == place.iata))
}

/// Which slot a place is for: what the words say, else what it puts right, else what was asked, else what is missing.
fn slot_of(
    session: &Session,
    said: &Understanding,
    meant: &[&PlaceMention],
    negated: &[&PlaceMention],
    at: usize,
) -> Option<Slot> {
    let mention = meant.get(at)?;
    let slots = &session.slots;
    match mention.role {
        PlaceRole::Origin => return Some(Slot::Origin),
        PlaceRole::Destination => return Some(Slot::Destination),
        PlaceRole::ReturnOrigin => {
            // "Flying home from Addis to Durban", where nothing was said before.
            let onward =
                |other: &&&PlaceMention| matches!(other.role, PlaceRole::Destination | PlaceRole::ReturnDestination);
            if slots.origin.is_none()
                && slots.destination.is_none()
                && meant.iter().any(|other| onward(&other))
                && meant.len() == 2
            {
                return Some(Slot::Origin);
            }
            return (slots.destination.is_none() && meant.len() < 3).then_some(Slot::Destination);
        }
        PlaceRole::ReturnDestination => return return_destination(slots, meant, mention),
        PlaceRole::Unknown => {}
    }
    if let Some(wrong) = negated.first() {
        let near = |slot: &Slot| {
            let place = if *slot == Slot::Origin { &slots.origin } else { &slots.destination };
            let city = |candidate: &Place| place.as_ref().is_some_and(|place| is_one_city(place.iata, candidate.iata));
            wrong.candidates.first().is_some_and(city)
        };
        let ends = [Slot::Origin, Slot::Destination];
        let replaced = ends.into_iter().find(|slot| is_in(slots, *slot, wrong)).or_else(|| ends.into_iter().find(near));
        return replaced.or(session.recent).or(Some(Slot::Destination));
    }
    // One that stands already where it could go is only named again.
    if [Slot::Origin, Slot::Destination].iter().any(|slot| is_in(slots, *slot, mention)) && meant.len() == 1 {
        let asked_other =
            matches!(session.asked, Some(slot @ (Slot::Origin | Slot::Destination)) if !is_in(slots, slot, mention));
        if !asked_other {
            return None;
        }
    }
    let taken =
        meant.iter().enumerate().filter(|(other, _)| *other != at).find_map(|(_, mention)| match mention.role {
            PlaceRole::Origin => Some(Slot::Destination),
            PlaceRole::Destination => Some(Slot::Origin),
            _ => None,
        });
    if taken.is_some() {
        return taken;
    }
    if meant.len() == 2 {
        return Some(if at == 0 { Slot::Origin } else { Slot::Destination });
    }
    let asked_place = matches!(session.asked, Some(Slot::Origin | Slot::Destination));
    if !asked_place && let Some(slot) = mention.candidates.first().and_then(|place| beside(slots, place)) {
        return Some(slot);
    }
    if is_correction(said) && session.recent.is_some() {
        return session.recent;
    }
    match session.asked {
        Some(slot @ (Slot::Origin | Slot::Destination)) => Some(slot),
        _ => match (&slots.origin, &slots.destination) {
            (None, Some(_)) => Some(Slot::Origin),
            (_, None) => Some(Slot::Destination),
            // Everything is known: people change where they go more often than where they start.
            (Some(_), Some(_)) => Some(Slot::Destination),
        },
    }
}

/// "no, Oslo", "actually Rome", "make that Rome".
fn is_correction(said: &Understanding) -> bool {
    said.acts.contains(&Act::Correct)
}

/// "and back to Lahore" names the origin once more; "I must get back to Lahore" alone says where to.
fn return_destination(slots: &Slots, meant: &[&PlaceMention], mention: &PlaceMention) -> Option<Slot> {
    let named_twice = meant.iter().filter(|other| other.candidates == mention.candidates).count() > 1;
    let others = meant.len() > 1;
    match (&slots.origin, &slots.destination) {
        _ if named_twice => None,
        (None, None) if !others => Some(Slot::Destination),
        (None, Some(_)) => Some(Slot::Origin),
        (None, None) => meant.iter().any(|other| other.role == PlaceRole::Destination).then_some(Slot::Origin),
        (Some(_), None) if !is_in(slots, Slot::Origin, mention) => Some(Slot::Destination),
        // "Go back to Kuala Lumpur" after another town was looked at.
        (Some(origin), Some(_)) if !others && slots.return_date.is_none() => {
            let home = mention.candidates.first().is_some_and(|place| is_one_city(place.iata, origin.iata));
            (!home).then_some(Slot::Destination)
        }
        _ => None,
    }
}

/// Reads an answer to "which San Jose?": "California", "the one in Costa Rica", "the first", "SJO".
fn choose(session: &mut Session, said: &Understanding) -> bool {
    let Some(unclear) = session.unclear.first().cloned() else { return false };
    let Some(place) = chosen(&unclear, said) else { return false };
    session.unclear.retain(|other| other.slot != unclear.slot);
    fill(session, unclear.slot, place);
    true
}

fn chosen(unclear: &Unclear, said: &Understanding) -> Option<Place> {
    use contracts::dialogue::Pick;
    let by_place = match said.pick {
        Some(Pick::Nth(count)) => unclear.choices.get(usize::try_from(count).ok()?.checked_sub(1)?),
        Some(Pick::Last) => unclear.choices.last(),
        _ => match said.numbers.as_slice() {
            [count] if said.words.0.len() <= 3 => {
                usize::try_from(*count).ok()?.checked_sub(1).and_then(|at| unclear.choices.get(at))
            }
            _ => None,
        },
    };
    if let Some(place) = by_place {
        return Some(place.clone());
    }
    // A city is the answer or another place; a region ("California") says which of them.
    let cities = said.places.iter().filter(|mention| !mention.region);
    let named: Vec<&Place> = cities.flat_map(|mention| &mention.candidates).collect();
    if let Some(place) =
        unclear.choices.iter().find(|choice| named.len() == 1 && named.iter().any(|place| place.iata == choice.iata))
    {
        return Some(place.clone());
    }
    if !named.is_empty() && !named.iter().any(|place| unclear.choices.iter().any(|choice| choice.iata == place.iata)) {
        return None;
    }
    let shared_name = words_of(&unclear.name);
    let scores: Vec<usize> = unclear
        .choices
        .iter()
        .map(|choice| {
            let own = words_of(&choice.name).into_iter().chain([choice.iata.as_str().to_lowercase()]);
            own.filter(|word| !shared_name.contains(word) && said.words.0.contains(word)).count()
        })
        .collect();
    let best = scores.iter().copied().max().filter(|best| *best > 0)?;
    let mut winners =
        unclear.choices.iter().zip(&scores).filter(|(_, score)| **score == best).map(|(choice, _)| choice);
    let winner = winners.next()?.clone();
    winners.next().is_none().then_some(winner)
}

fn words_of(name: &str) -> Vec<String> {
    name.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// What is still unclear about a place, as it is asked.
pub fn unclear_of(session: &Session) -> Option<(Slot, Trouble)> {
    let unclear = session.unclear.first()?;
    let Unclear { slot, name, choices, region, near } = unclear.clone();
    Some((slot, Trouble::Ambiguous { name, choices, region, near }))
}
