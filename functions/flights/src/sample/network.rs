//! The routes of the sample network: which airline could take a traveller from one airport to another, nonstop or over its
//! hubs. Worked out from where hubs are, how far airlines fly, and how busy airports are; no timetable lies behind it.

use geo::airports::{Airport, distance_km};

use crate::carriers::{Carrier, carriers};

/// The most airports of one city that are tried.
const AIRPORTS_TRIED: usize = 3;

/// The shortest flight, in kilometres.
const SHORTEST_FLIGHT: f64 = 90.0;
/// Airports in the midst of cities that have no long flights, by rule or by runway.
const SHORT_FLIGHTS_ONLY: &[&str] =
    &["LGA", "DCA", "LCY", "DAL", "MDW", "ITM", "CGH", "SDU", "AEP", "LIN", "BMA", "YTZ"];
/// The longest flight from one of those, in kilometres.
const SHORT_FLIGHT: f64 = 2_600.0;
/// Countries between which nobody flies.
const NO_FLIGHTS: &[(&str, &str)] = &[
    ("IN", "PK"),
    ("DZ", "MA"),
    ("AM", "AZ"),
    ("IL", "AF BD DZ ID IQ IR KW LB LY MY OM PK QA SA SY TN YE"),
    (
        "RU",
        "AT AU BE BG CA CH CY CZ DE DK EE ES FI FR GB GR HR HU IE IS IT JP KR LT LU LV MT NL NO NZ PL PT RO SE SI SK UA US",
    ),
];

/// One flight of a route.
#[derive(Debug, Clone, Copy)]
pub struct Leg {
    /// Who flies it.
    pub carrier: &'static Carrier,
    /// From where.
    pub from: &'static Airport,
    /// To where.
    pub to: &'static Airport,
    /// How far, in kilometres.
    pub km: f64,
}

/// A way to get from one airport to another.
#[derive(Debug, Clone)]
pub struct Route {
    /// Its flights: one to three.
    pub legs: Vec<Leg>,
    /// The great-circle distance between its ends, in kilometres.
    pub direct_km: f64,
}

impl Route {
    fn km(&self) -> f64 {
        self.legs.iter().map(|leg| leg.km).sum()
    }

    /// Sorts routes: kilometres flown, as many for each stop as are flown in two hours, and half of that where two airlines
    /// of no common alliance share the way.
    fn effort(&self) -> f64 {
        let strangers = self.legs.windows(2).filter(|pair| match pair {
            [one, next] => !one.carrier.is_partner_of(next.carrier),
            _ => false,
        });
        self.km() + 1_600.0 * (self.legs.len() - 1) as f64 + 800.0 * strangers.count() as f64
    }
}

/// An end of the journey, with what is known of each hub as seen from there.
struct End {
    airport: &'static Airport,
    /// Per carrier, per hub: kilometres from here, and whether the carrier flies between the two.
    hubs: Vec<Vec<(f64, bool)>>,
}

impl End {
    fn new(airport: &'static Airport, wanted: &[&'static Carrier]) -> Self {
        let hubs = wanted.iter().map(|carrier| {
            let hubs = carrier.hubs.iter().map(|hub| {
                let km = distance_km(airport, hub);
                (km, flies(carrier, hub, airport, km))
            });
            hubs.collect()
        });
        Self { airport, hubs: hubs.collect() }
    }
}

/// Whether an airline flies between a hub of its own and an airport `km` away: the busier the two, the farther people fly,
/// and at home an airline goes everywhere.
fn flies(carrier: &Carrier, hub: &Airport, to: &Airport, km: f64) -> bool {
    let home = carrier.country == to.country;
    let reach: f64 = match (to.tier, hub.tier) {
        (4, 4) => 16_000.0,
        (4, 3) | (3, 4) => 10_000.0,
        _ if home && to.tier >= 1 => 9_000.0,
        _ if home => 3_000.0,
        (4, _) | (2, 4) => 6_000.0,
        (3, 3) => 4_500.0,
        (3, _) | (2, _) => 3_500.0,
        (1, _) => 2_000.0,
        _ if !has_airline(to.country) => 2_500.0,
        _ => 0.0,
    };
    let in_reach = (SHORTEST_FLIGHT..=reach.min(carrier.range)).contains(&km);
    let short = || [hub, to].iter().any(|airport| SHORT_FLIGHTS_ONLY.contains(&airport.iata.as_str()));
    in_reach && (km <= SHORT_FLIGHT || !short()) && may_fly(hub.country, to.country)
}

/// Whether there are flights between two countries at all. Only the pairs that a traveller would stumble over.
fn may_fly(one: &str, other: &str) -> bool {
    !NO_FLIGHTS.iter().any(|(country, others)| {
        let others = || others.split(' ');
        (*country == one && others().any(|name| name == other))
            || (*country == other && others().any(|name| name == one))
    })
}

fn has_airline(country: &str) -> bool {
    carriers().iter().any(|carrier| carrier.country == country)
}

/// The routes of the carriers wanted between two sets of airports (those of a city, the busiest first) with at most
/// `most_stops`, the least effort first.
pub fn routes(
    origins: impl Iterator<Item = &'static Airport>,
    destinations: impl Iterator<Item = &'static Airport>,
    wanted: &[&'static Carrier],
    most_stops: u8,
) -> Vec<Route> {
    let ends = |airports: &mut dyn Iterator<Item = &'static Airport>| -> Vec<End> {
        airports.take(AIRPORTS_TRIED).map(|airport| End::new(airport, wanted)).collect()
    };
    let (origins, destinations) = (ends(&mut { origins }), ends(&mut { destinations }));
    let pairs = || origins.iter().flat_map(|origin| destinations.iter().map(move |destination| (origin, destination)));
    let mut found = Vec::new();
    for (origin, destination) in pairs() {
        let direct_km = distance_km(origin.airport, destination.airport);
        // The airports of one city, or an airport and itself.
        if direct_km < SHORTEST_FLIGHT {
            continue;
        }
        nonstop(origin, destination, wanted, direct_km, &mut found);
        if most_stops >= 1 {
            over_one_hub(origin, destination, wanted, direct_km, &mut found);
        }
    }
    if most_stops >= 2
        && found.len() < 6
        && let (Some(origin), Some(destination)) = (origins.first(), destinations.first())
    {
        over_two_hubs(origin, destination, wanted, &mut found);
    }
    found.sort_by(|a, b| a.effort().total_cmp(&b.effort()));
    found
}

fn nonstop(origin: &End, destination: &End, wanted: &[&'static Carrier], km: f64, found: &mut Vec<Route>) {
    for carrier in wanted {
        let is_hub = |airport: &Airport| carrier.hubs.iter().any(|hub| hub.iata == airport.iata);
        let from_hub = is_hub(origin.airport) && flies(carrier, origin.airport, destination.airport, km);
        let to_hub = is_hub(destination.airport) && flies(carrier, destination.airport, origin.airport, km);
        if from_hub || to_hub {
            let leg = Leg { carrier, from: origin.airport, to: destination.airport, km };
            found.push(Route { legs: vec![leg], direct_km: km });
        }
    }
}

/// The farthest that a way round may be, in kilometres.
fn longest_detour(direct_km: f64) -> f64 {
    direct_km * 1.45 + 250.0
}

fn over_one_hub(origin: &End, destination: &End, wanted: &[&'static Carrier], direct_km: f64, found: &mut Vec<Route>) {
    let (from, to) = (origin.airport, destination.airport);
    for ((carrier, seen_from), seen_to) in wanted.iter().zip(&origin.hubs).zip(&destination.hubs) {
        // Flying people within one country over another is not done.
        if from.country == to.country && carrier.country != from.country {
            continue;
        }
        let hubs = carrier.hubs.iter().zip(seen_from).zip(seen_to);
        let ways = hubs.filter(|((_, (first, flown)), (second, flown_too))| {
            *flown && *flown_too && first + second <= longest_detour(direct_km)
        });
        // The best hub of each airline is enough.
        let best = ways.min_by(|((_, a), b), ((_, c), d)| (a.0 + b.0).total_cmp(&(c.0 + d.0)));
        if let Some(((hub, (first, _)), (second, _))) = best {
            let legs = vec![Leg { carrier, from, to: hub, km: *first }, Leg { carrier, from: hub, to, km: *second }];
            found.push(Route { legs, direct_km });
        }
    }
}

/// Over a hub near each end, with one airline or with two that sell each other's flights; the three best.
fn over_two_hubs(origin: &End, destination: &End, wanted: &[&'static Carrier], found: &mut Vec<Route>) {
    const TRIED: usize = 12;
    let near = |end: &End| -> Vec<(&'static Carrier, &'static Airport, f64)> {
        let hubs = wanted.iter().zip(&end.hubs).flat_map(|(carrier, seen)| {
            let flown = carrier.hubs.iter().zip(seen).filter(|(_, (_, flown))| *flown);
            flown.map(|(hub, (km, _))| (*carrier, *hub, *km))
        });
        let mut hubs: Vec<_> = hubs.collect();
        hubs.sort_by(|a, b| a.2.total_cmp(&b.2));
        hubs.truncate(TRIED);
        hubs
    };
    let direct_km = distance_km(origin.airport, destination.airport);
    let (from, to) = (origin.airport, destination.airport);
    let mut best = Vec::new();
    let (first_hubs, last_hubs) = (near(origin), near(destination));
    for (one, hub, first) in &first_hubs {
        for (other, next, last) in &last_hubs {
            let partners = one.iata == other.iata || !(one.is_low_cost() || other.is_low_cost());
            if !partners || hub.iata == next.iata || hub.iata == to.iata || next.iata == from.iata {
                continue;
            }
            let middle = distance_km(hub, next);
            let carrier = if middle <= one.range { one } else { other };
            if middle < SHORTEST_FLIGHT
                || !may_fly(hub.country, next.country)
                || middle > carrier.range
                || first + middle + last > longest_detour(direct_km)
            {
                continue;
            }
            let legs = vec![
                Leg { carrier: one, from, to: hub, km: *first },
                Leg { carrier, from: hub, to: next, km: middle },
                Leg { carrier: other, from: next, to, km: *last },
            ];
            best.push(Route { legs, direct_km });
        }
    }
    best.sort_by(|a, b| a.effort().total_cmp(&b.effort()));
    best.truncate(3);
    found.append(&mut best);
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::airports::airports_of;

    fn described(from: &str, to: &str, most_stops: u8) -> Vec<String> {
        let wanted: Vec<_> = carriers().iter().collect();
        let found = routes(airports_of(from.parse().unwrap()), airports_of(to.parse().unwrap()), &wanted, most_stops);
        let described = found.iter().map(|route| {
            let legs = route.legs.iter().map(|leg| format!("{} {}-{}", leg.carrier.iata, leg.from.iata, leg.to.iata));
            legs.collect::<Vec<_>>().join(", ")
        });
        described.collect()
    }

    #[test]
    fn the_airlines_of_both_ends_fly_nonstop_and_others_over_their_hub() {
        let nonstop = described("LHE", "DXB", 0);
        assert!(
            ["EK LHE-DXB", "FZ LHE-DXB", "PK LHE-DXB"].iter().all(|route| nonstop.contains(&(*route).to_owned())),
            "{nonstop:?}"
        );
        assert!(described("LHE", "JFK", 0).is_empty());
        let one_stop = described("LHE", "JFK", 1);
        assert!(one_stop.contains(&"QR LHE-DOH, QR DOH-JFK".to_owned()), "{one_stop:?}");
        assert!(!one_stop.iter().any(|route| route.starts_with("QF")), "{one_stop:?}");
    }

    #[test]
    fn small_places_are_reached_over_two_hubs() {
        let routes = described("SKZ", "BTV", 2);
        assert!(!routes.is_empty() && routes.iter().all(|route| route.matches('-').count() == 3), "{routes:?}");
        assert!(described("SKZ", "BTV", 1).is_empty());
    }

    #[test]
    fn nobody_flies_from_a_place_to_itself_or_across_a_city() {
        assert!(described("LHE", "LHE", 2).is_empty());
        assert!(described("LHR", "LGW", 2).is_empty());
        assert!(described("LON", "LHR", 2).is_empty());
    }
}
