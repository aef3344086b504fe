//! From what a provider says to an [`Offer`]: local times get their offset, durations are read or worked out, and an offer
//! whose flights do not follow one another in time is refused.

use contracts::travel::{Airline, Cabin, Cost, Fare, Iata, Itinerary, LocalTime, Money, Offer, Place, Segment};
use geo::airports;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp, Unit, Zoned};

/// The longest single flight or direction that is believed, in minutes.
const LONGEST_MINUTES: i64 = 7 * 24 * 60;

/// An offer as a provider tells it.
pub struct Draft {
    /// The provider's name.
    pub provider: &'static str,
    /// The provider's id of the offer.
    pub id: String,
    /// Not for sale.
    pub sample: bool,
    /// For all travellers.
    pub total_price: Money,
    /// How many they are; at least one.
    pub travellers: u8,
    /// The flights of each direction.
    pub directions: Vec<Vec<Flight>>,
    /// Until when the price holds.
    pub expires_at: Option<Timestamp>,
    /// The airline that sells all of it, where the provider tells.
    pub sold_by: Option<Airline>,
    /// What is known of the fare.
    pub fare: Fare,
    /// Kilograms of carbon dioxide, for all travellers.
    pub co2_kg: Option<u32>,
}

/// One flight of a draft.
pub struct Flight {
    /// The airline that sells it.
    pub carrier: Airline,
    /// Its number.
    pub number: String,
    /// The airline that flies it.
    pub operated_by: Option<Airline>,
    /// The airport left.
    pub origin: Place,
    /// The airport reached.
    pub destination: Place,
    /// Departure.
    pub departs: Zoned,
    /// Arrival.
    pub arrives: Zoned,
    /// Stops within the flight.
    pub technical_stops: u8,
    /// The cabin, where it is stated.
    pub cabin: Option<Cabin>,
    /// The kind of aircraft, where it is stated.
    pub aircraft: Option<String>,
}

impl Draft {
    /// The offer, not ranked yet; `None` where a direction has no flight, a flight arrives before it departs, or departs
    /// before the one before it has arrived, or the price is negative.
    pub fn offer(self) -> Option<Offer> {
        let cabin = main_cabin(self.directions.iter().flatten());
        let itineraries = self.directions.into_iter().map(|flights| itinerary(flights, cabin));
        let itineraries: Vec<Itinerary> = itineraries.collect::<Option<_>>()?;
        if itineraries.is_empty() || self.total_price.minor < 0 {
            return None;
        }
        let first = itineraries.first().and_then(|way| way.segments.first());
        let sold_by = self.sold_by.filter(|seller| first.is_some_and(|first| first.carrier.iata != seller.iata));
        let travellers = i64::from(self.travellers.max(1));
        let each = self.total_price.minor / travellers + i64::from(self.total_price.minor % travellers > 0);
        Some(Offer {
            id: self.id,
            provider: self.provider.to_owned(),
            sample: self.sample,
            total_price: self.total_price,
            price_per_traveller: Money { minor: each, currency: self.total_price.currency },
            cabin,
            stops: itineraries.iter().map(Itinerary::stops).sum(),
            airline_changes: itineraries.iter().map(Itinerary::airline_changes).sum(),
            itineraries,
            cost: Cost { total: 0.0, terms: Vec::new() },
            rank: 0,
            dominated: false,
            outside_times: false,
            expires_at: self.expires_at,
            sold_by,
            fare: self.fare,
            co2_kg: self.co2_kg,
        })
    }
}

fn itinerary(flights: Vec<Flight>, cabin: Option<Cabin>) -> Option<Itinerary> {
    let (first, last) = (flights.first()?, flights.last()?);
    let chained = flights.windows(2).all(|pair| match pair {
        [one, next] => one.arrives.timestamp() <= next.departs.timestamp(),
        _ => true,
    });
    if !chained {
        return None;
    }
    let duration_minutes = minutes_between(&first.departs, &last.arrives)?;
    let segments = flights.into_iter().map(|flight| segment(flight, cabin)).collect::<Option<_>>()?;
    Some(Itinerary { duration_minutes, segments })
}

fn segment(flight: Flight, cabin: Option<Cabin>) -> Option<Segment> {
    let duration_minutes = minutes_between(&flight.departs, &flight.arrives)?;
    let operated_by = flight.operated_by.filter(|airline| airline.iata != flight.carrier.iata);
    Some(Segment {
        carrier: flight.carrier,
        flight_number: flight.number,
        operated_by,
        origin: flight.origin,
        destination: flight.destination,
        departs_at: LocalTime::new(&flight.departs),
        arrives_at: LocalTime::new(&flight.arrives),
        duration_minutes,
        technical_stops: flight.technical_stops,
        cabin: flight.cabin.filter(|own| Some(*own) != cabin),
        aircraft: flight.aircraft,
    })
}

fn minutes_between(from: &Zoned, to: &Zoned) -> Option<u32> {
    let minutes = to.timestamp().duration_since(from.timestamp()).as_mins();
    (1..=LONGEST_MINUTES).contains(&minutes).then_some(minutes as u32)
}

/// The best cabin such that more than half of the time is flown in it or a better one; `None` unless every flight
/// states its cabin.
fn main_cabin<'f>(flights: impl Iterator<Item = &'f Flight>) -> Option<Cabin> {
    let cabins = flights
        .map(|flight| Some((flight.cabin?, flight.arrives.timestamp().duration_since(flight.departs.timestamp()))));
    let mut cabins: Vec<_> = cabins.collect::<Option<_>>()?;
    cabins.sort_by_key(|(cabin, _)| std::cmp::Reverse(*cabin));
    let whole: SignedDuration = cabins.iter().map(|(_, time)| *time).sum();
    let mut flown = SignedDuration::ZERO;
    cabins.into_iter().find_map(|(cabin, time)| {
        flown += time;
        (flown * 2 > whole).then_some(cabin)
    })
}

/// The clock at an airport: in the zone that the provider names, else in the one our own table knows. Some providers name
/// the city where they leave the airport open.
pub fn clock(iata: Iata, zone: Option<&str>) -> Option<TimeZone> {
    let named = zone.and_then(|name| TimeZone::get(name).ok());
    named.or_else(|| airports::time_zone(iata))
}

/// When a flight departs and arrives, from the local times that providers state without an offset, and the minutes in
/// between where they state them too.
///
/// The minutes tell an arrival in the hour that is repeated when clocks go back, and one at an airport whose zone nobody
/// knows. `None` where a text is no date and time, or a zone is missing.
pub fn times(
    departs: (&str, Option<TimeZone>),
    arrives: (&str, Option<TimeZone>),
    minutes: Option<u32>,
) -> Option<(Zoned, Zoned)> {
    let (local, zone) = departs;
    let departs = local.parse::<DateTime>().ok()?.to_zoned(zone?).ok()?;
    let (local, zone) = arrives;
    let local: DateTime = local.parse().ok()?;
    let stated =
        minutes.and_then(|minutes| departs.timestamp().checked_add(SignedDuration::from_mins(minutes.into())).ok());
    let arrives = match (zone, stated) {
        (Some(zone), Some(stated)) => {
            let later = zone.to_ambiguous_zoned(local).later().ok().filter(|later| later.timestamp() == stated);
            later.or_else(|| local.to_zoned(zone).ok())
        }
        (Some(zone), None) => local.to_zoned(zone).ok(),
        (None, Some(stated)) => local.to_zoned(TimeZone::fixed(offset_between(stated, local)?)).ok(),
        (None, None) => None,
    };
    Some((departs, arrives?))
}

/// The offset of a clock that shows `local` at `instant`, where there can be such a clock: those in use differ from UTC by
/// whole quarters of an hour, from -12 to +14 hours.
fn offset_between(instant: Timestamp, local: DateTime) -> Option<Offset> {
    let seconds = local.duration_since(Offset::UTC.to_datetime(instant)).as_secs();
    let plausible = seconds % 900 == 0 && (-12 * 3_600..=14 * 3_600).contains(&seconds);
    if plausible { Offset::from_seconds(seconds as i32).ok() } else { None }
}

/// Whole minutes of an ISO 8601 duration (`PT2H26M`, `PT02H26M`, `P1DT2H`).
pub fn minutes(duration: &str) -> Option<u32> {
    let span: Span = duration.parse().ok()?;
    let minutes = span.total((Unit::Minute, SpanRelativeTo::days_are_24_hours())).ok()?;
    (1.0..=LONGEST_MINUTES as f64).contains(&minutes).then_some(minutes as u32)
}

/// The airport as a place people know: by the city's name, where our table has it.
pub fn place(iata: Iata, name: Option<&str>) -> Place {
    let known = || airports::airports_of(iata).next().map(|airport| airport.city);
    let name = name.filter(|name| !name.is_empty()).or_else(known);
    Place { name: name.unwrap_or(iata.as_str()).to_owned(), iata }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn zone(name: &str) -> Option<TimeZone> {
        Some(TimeZone::get(name).unwrap())
    }

    #[test]
    fn durations_are_read_however_they_are_padded() {
        for (text, expected) in [
            ("PT2H26M", Some(146)),
            ("PT02H26M", Some(146)),
            ("PT45M", Some(45)),
            ("PT9H", Some(540)),
            ("P1DT2H", Some(1_560)),
            ("PT0S", None),
            ("P40D", None),
            ("-PT2H", None),
            ("2:26", None),
            ("", None),
        ] {
            assert_eq!(minutes(text), expected, "{text}");
        }
    }

    #[test]
    fn local_times_get_the_offset_of_their_airport() {
        for (departs, from, arrives, to, minutes, expected) in [
            // Across the date line, arriving before it departed by the calendar.
            ("2026-12-01T21:00:00", "Pacific/Auckland", "2026-12-01T12:45:00", "America/Los_Angeles", None, 765),
            // The clock in London is set back at 02:00; the minutes tell which 01:30 is meant.
            ("2026-10-24T23:30:00", "Europe/London", "2026-10-25T01:30:00", "Europe/London", Some(180), 180),
            ("2026-10-24T23:30:00", "Europe/London", "2026-10-25T01:30:00", "Europe/London", Some(120), 120),
            ("2026-10-24T23:30:00", "Europe/London", "2026-10-25T01:30:00", "Europe/London", None, 120),
            // Stated minutes that fit no clock do not move the arrival.
            ("2026-11-27T09:00:00", "Asia/Karachi", "2026-11-27T11:10:00", "Asia/Dubai", Some(999), 190),
        ] {
            let (departs, arrives) = times((departs, zone(from)), (arrives, zone(to)), minutes).unwrap();
            assert_eq!(minutes_between(&departs, &arrives), Some(expected), "{departs} {arrives}");
        }
    }

    #[test]
    fn an_unknown_zone_is_worked_out_from_the_minutes_or_refused() {
        let departs = ("2026-11-27T09:00:00", zone("Asia/Karachi"));
        let (_, arrives) = times(departs.clone(), ("2026-11-27T11:10:00", None), Some(190)).unwrap();
        assert_eq!(arrives.offset(), jiff::tz::offset(4));
        assert_eq!(times(departs.clone(), ("2026-11-27T11:10:00", None), Some(187)), None);
        assert_eq!(times(departs, ("2026-11-27T11:10:00", None), None), None);
        assert_eq!(times(("2026-11-27T09:00:00", None), ("2026-11-27T11:10:00", zone("Asia/Dubai")), Some(190)), None);
    }

    fn flight(departs: &Zoned, minutes: i64, cabin: Option<Cabin>) -> Flight {
        let airline = Airline { name: "Emirates".into(), iata: "EK".into() };
        let (origin, destination) = (place("LHE".parse().unwrap(), None), place("DXB".parse().unwrap(), None));
        let arrives = departs + SignedDuration::from_mins(minutes);
        Flight {
            carrier: airline.clone(),
            number: "623".into(),
            operated_by: Some(airline),
            origin,
            destination,
            departs: departs.clone(),
            arrives,
            technical_stops: 0,
            cabin,
            aircraft: None,
        }
    }

    fn draft(directions: Vec<Vec<Flight>>) -> Draft {
        let total_price = Money { minor: 100_00, currency: iso_currency::Currency::USD };
        Draft {
            provider: "duffel",
            id: "1".into(),
            sample: false,
            total_price,
            travellers: 3,
            directions,
            expires_at: None,
            sold_by: None,
            fare: Fare::default(),
            co2_kg: None,
        }
    }

    #[test]
    fn the_price_each_is_rounded_up_and_the_same_airline_flying_is_not_news() {
        let noon = date(2026, 11, 27).at(12, 0, 0, 0).in_tz("Asia/Karachi").unwrap();
        let offer = draft(vec![vec![flight(&noon, 190, None)]]).offer().unwrap();
        assert_eq!(offer.price_per_traveller.minor, 33_34);
        assert_eq!(offer.itineraries[0].segments[0].operated_by, None);
        assert_eq!(offer.itineraries[0].segments[0].origin.name, "Lahore");
    }

    #[test]
    fn an_offer_that_cannot_be_flown_is_refused() {
        let noon = date(2026, 11, 27).at(12, 0, 0, 0).in_tz("Asia/Karachi").unwrap();
        let later = &noon + SignedDuration::from_mins(100);
        for directions in [
            vec![],
            vec![vec![]],
            vec![vec![flight(&noon, 0, None)]],
            vec![vec![flight(&noon, -30, None)]],
            vec![vec![flight(&noon, 20_000, None)]],
            vec![vec![flight(&noon, 190, None), flight(&later, 60, None)]],
        ] {
            assert!(draft(directions).offer().is_none());
        }
    }

    #[test]
    fn the_cabin_is_the_one_most_of_the_time_is_flown_in_or_better() {
        use Cabin::{Business, Economy, First};
        let noon = date(2026, 11, 27).at(12, 0, 0, 0).in_tz("Asia/Karachi").unwrap();
        for (flights, expected) in [
            (vec![(60, Some(Economy)), (600, Some(Business))], Some(Business)),
            (vec![(600, Some(Economy)), (60, Some(Business))], Some(Economy)),
            (vec![(60, Some(Economy)), (40, Some(Business)), (50, Some(First))], Some(Business)),
            (vec![(60, Some(Economy)), (60, None)], None),
        ] {
            let flights: Vec<_> = flights.into_iter().map(|(minutes, cabin)| flight(&noon, minutes, cabin)).collect();
            assert_eq!(main_cabin(flights.iter()), expected);
        }
    }
}
