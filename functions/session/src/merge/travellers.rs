//! Who travels.

use contracts::dialogue::{DateExpr, Session, Slot, Travellers, Trouble, Understanding};
use contracts::travel::Passengers;

use super::Merged;

/// The most that one booking holds.
const MOST: u32 = 9;

pub(super) fn merge(session: &mut Session, said: &Understanding, merged: &mut Merged) {
    let Some(travellers) = said.travellers.or_else(|| bare_count(session, said)) else { return };
    merged.informed = true;
    // Somebody who could not be booked yet is still of the party when the rest is put right.
    let known = session.party.take().or(session.slots.passengers);
    // "The 3rd, not three people": the number was no count.
    if travellers.fewer && travellers.among {
        let before = session.undo.as_ref().and_then(|before| before.passengers);
        if known.is_some_and(|known| Some(u32::from(known.total())) == travellers.total) {
            session.slots.passengers = before;
        }
        return;
    }
    let Some(party) = party(travellers, known) else {
        merged.wrong(Slot::Passengers, Trouble::TooManyPassengers { most: MOST as u8 });
        return;
    };
    if u32::from(party.total()) > MOST {
        merged.wrong(Slot::Passengers, Trouble::TooManyPassengers { most: MOST as u8 });
    } else if party.adults == 0 || party.infants > party.adults {
        session.party = Some(party);
        merged.wrong(Slot::Passengers, Trouble::TooFewAdults);
    } else {
        session.slots.passengers = Some(party);
    }
}

/// So many that travel nowhere together: the number counts something else.
pub(super) fn is_beyond_counting(number: u32) -> bool {
    number >= 100
}

/// A number that counts nothing counts travellers, unless a day was asked for.
fn bare_count(session: &Session, said: &Understanding) -> Option<Travellers> {
    let [number] = said.numbers.as_slice() else { return None };
    let day_asked = matches!(session.asked, Some(Slot::DepartureDate | Slot::ReturnDate));
    let short = said.words.0.len() <= 6 || session.asked == Some(Slot::Passengers);
    let counted_from_day = said.dates.iter().any(|date| matches!(date.expression, DateExpr::Impossible));
    let choosing = !session.unclear.is_empty();
    let counts = *number > 0 && !is_beyond_counting(*number);
    (short && !day_asked && !counted_from_day && !choosing && counts)
        .then_some(Travellers { total: Some(*number), ..Travellers::default() })
}

/// The party, with what was not said taken from what is known; `None` where it is beyond counting.
fn party(said: Travellers, known: Option<Passengers>) -> Option<Passengers> {
    let small = |count: Option<u32>| count.map(|count| u8::try_from(count.min(200)).unwrap_or(u8::MAX));
    let Travellers { total, adults, children, infants, more, among, fewer, grown, aged, accompanied } = said;
    let (total, adults, children, infants) = (small(total), small(adults), small(children), small(infants));
    let before = known.unwrap_or(Passengers::ONE);
    if grown {
        let mut party = before;
        if adults.is_some() {
            party.children = party.children.checked_sub(1)?;
            party.adults = party.adults.checked_add(1)?;
        } else if party.infants > 0 {
            party.infants -= 1;
            party.children = party.children.checked_add(1)?;
        }
        return Some(party);
    }
    let told = said.adults.unwrap_or(0) + said.children.unwrap_or(0) + said.infants.unwrap_or(0);
    if aged && u32::from(before.children) + u32::from(before.infants) == told {
        return Some(Passengers {
            adults: before.adults.checked_add(adults.unwrap_or(0))?,
            children: children.unwrap_or(0),
            infants: infants.unwrap_or(0),
        });
    }
    if accompanied {
        // "She's going with grandma" of a child; of an adult, both of them are.
        let alone = u8::from(before.children == 0 && before.infants == 0 && before.adults == 1);
        return Some(Passengers { adults: adults.unwrap_or(0).checked_add(alone)?, ..before });
    }
    if fewer {
        return Some(Passengers {
            adults: before.adults.saturating_sub(adults.unwrap_or(0)),
            children: before.children.saturating_sub(children.unwrap_or(0)),
            infants: before.infants.saturating_sub(infants.unwrap_or(0)),
        });
    }
    if among {
        let young = children.unwrap_or(0).checked_add(infants.unwrap_or(0))?;
        return Some(Passengers {
            adults: before.adults.saturating_sub(young),
            children: before.children.checked_add(children.unwrap_or(0))?,
            infants: before.infants.checked_add(infants.unwrap_or(0))?,
        });
    }
    if more {
        return Some(Passengers {
            adults: before.adults.checked_add(adults.unwrap_or(0))?.checked_add(total.unwrap_or(0))?,
            children: before.children.checked_add(children.unwrap_or(0))?,
            infants: before.infants.checked_add(infants.unwrap_or(0))?,
        });
    }
    let young = children.unwrap_or(0).checked_add(infants.unwrap_or(0))?;
    Some(match (total, adults) {
        // "So five seats, right?" of four adults and a child says nothing new.
        (Some(total), None) if young == 0 && children.is_none() && infants.is_none() && total == before.total() => {
            before
        }
        // "Four of us, two of them children."
        (Some(total), None) => Passengers {
            adults: total.saturating_sub(young),
            children: children.unwrap_or(0),
            infants: infants.unwrap_or(0),
        },
        (_, Some(adults)) => {
            let keep = |said: Option<u8>, known: u8| said.unwrap_or(known);
            // The adults alone put right a party that lacked them; said with others they are the whole party.
            let lacking = before.adults < before.infants || before.adults == 0;
            let (known_children, known_infants) = if lacking { (before.children, before.infants) } else { (0, 0) };
            Passengers { adults, children: keep(children, known_children), infants: keep(infants, known_infants) }
        }
        // The speaker travels along.
        (None, None) => Passengers {
            adults: before.adults.max(1),
            children: children.unwrap_or(before.children),
            infants: infants.unwrap_or(before.infants),
        },
    })
}
