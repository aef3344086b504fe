//! What a journey keeps to on its way, in words.

use contracts::travel::{Alliance, Layover, Limits, LowCost, TimeWindow};

use crate::phrases::duration;

/// ", arriving by 18:00, with waits of at most 2 h, not through Chicago": empty where there is no limit.
pub(crate) fn limits(limits: &Limits) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(limits.arrival_time.map(|window| format!("arriving {}", within(window))));
    parts.extend(limits.return_arrival_time.map(|window| format!("arriving back {}", within(window))));
    parts.extend(limits.layover.and_then(waits));
    let avoided: Vec<&str> = limits.without_airports.iter().map(|place| place.name.as_str()).collect();
    if !avoided.is_empty() {
        parts.push(format!("not through {}", avoided.join(" or ")));
    }
    parts.extend(limits.alliance.and_then(name).map(|alliance| format!("with airlines of the {alliance} alone")));
    parts.extend(match limits.low_cost {
        Some(LowCost::Without) => Some("without low-cost airlines".to_owned()),
        Some(LowCost::Only) => Some("with low-cost airlines alone".to_owned()),
        None | Some(LowCost::Other) => None,
    });
    parts.iter().map(|part| format!(", {part}")).collect()
}

fn within(window: TimeWindow) -> String {
    let clock = |time: jiff::civil::Time| time.strftime("%H:%M").to_string();
    if window.from.hour() == 0 && window.from.minute() == 0 {
        format!("by {}", clock(window.to))
    } else if window.to.hour() == 23 && window.to.minute() == 59 {
        format!("after {}", clock(window.from))
    } else {
        format!("between {} and {}", clock(window.from), clock(window.to))
    }
}

fn waits(layover: Layover) -> Option<String> {
    let mut bounds: Vec<String> = Vec::new();
    bounds.extend(layover.least.map(|least| format!("of at least {}", duration(least))));
    bounds.extend(layover.most.map(|most| format!("of at most {}", duration(most))));
    if layover.by_day {
        bounds.push("not over a night".to_owned());
    }
    (!bounds.is_empty()).then(|| format!("with layovers {}", bounds.join(" and ")))
}

fn name(alliance: Alliance) -> Option<&'static str> {
    Some(match alliance {
        Alliance::Star => "Star Alliance",
        Alliance::Oneworld => "oneworld alliance",
        Alliance::Skyteam => "SkyTeam alliance",
        Alliance::Other => return None,
    })
}

#[cfg(test)]
mod tests {
    use contracts::travel::Place;
    use jiff::civil::time;

    use super::*;

    #[test]
    fn each_limit_is_told_back() {
        let chicago = Place { name: "Chicago".into(), iata: "CHI".parse().unwrap() };
        let all = Limits {
            arrival_time: Some(TimeWindow { from: time(0, 0, 0, 0), to: time(18, 0, 0, 0) }),
            layover: Some(Layover { most: Some(150), ..Layover::default() }),
            without_airports: vec![chicago],
            alliance: Some(Alliance::Star),
            low_cost: Some(LowCost::Without),
            ..Limits::default()
        };
        assert_eq!(
            limits(&all),
            ", arriving by 18:00, with layovers of at most 2 h 30 min, not through Chicago, with airlines of the Star \
             Alliance alone, without low-cost airlines"
        );
        assert_eq!(limits(&Limits::default()), "");
    }
}
