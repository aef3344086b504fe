//! What is said of matters besides flights where no text answers, and how a text is told to speak of them.

use contracts::dialogue::Topic;

/// What is said where no text of ours answers: what can't be known here, and who knows it.
pub(crate) fn answer(topic: Topic) -> Option<&'static str> {
    Some(match topic {
        Topic::Baggage => {
            "How many bags a fare includes, and what more of them cost, is the airline's to say: look for baggage (luggage) in the fare \
             before you pay. The offers I have don't tell it."
        }
        Topic::LostBaggage => {
            "For a bag that is lost or late, go to the airline's baggage desk before you leave the airport, and get a written report with its \
             reference; the airline you flew with last has to trace it and answer your claim."
        }
        Topic::Seats => {
            "Seats (window, aisle, more legroom) are chosen with the airline, when you book or check in; some fares charge for it. I can't \
             reserve a seat here."
        }
        Topic::Meals => {
            "Special meals (halal, kosher, vegetarian, allergies) are asked for with the airline at least 24 to 48 hours before the flight; \
             short or low-cost flights may sell food only."
        }
        Topic::Pets => {
            "Pets travel by the airline's own rules (cabin or hold, size, papers, fee): ask the airline before you buy, for it takes few on each \
             flight. I can't see that in the offers."
        }
        Topic::Assistance => {
            "Wheelchair and other assistance is free: ask the airline for it at least 48 hours ahead, with the booking. It goes from the \
             check-in to the seat and on to the exit."
        }
        Topic::Health => {
            "Whether you may fly when pregnant or ill is the airline's rule, often with a doctor's letter (pregnancy: commonly from week 28, and not \
             after week 36): ask the airline and your doctor before you buy."
        }
        Topic::Amenities => {
            "Wi-Fi, USB power, screens and lounges differ by aircraft and fare; I can't tell what is on board from these offers. The airline's \
             page for the flight number does."
        }
        Topic::Aircraft => {
            "I don't know the type of aircraft or its seats: the offers I have don't tell it. The airline shows the aircraft for each flight number."
        }
        Topic::Emissions => {
            "The offers I have don't tell their CO2: the airline's site does for many flights, and a nonstop in economy usually emits the least."
        }
        Topic::Hold => {
            "I can't hold an offer, and those I have don't tell whether they can be held: the airline, or the agent who sells the ticket, \
             says whether you can reserve now and pay later."
        }
        Topic::Entry => {
            "Whether you need a visa or other entry papers depends on your passport and the country: check with its embassy or government \
             site, also for countries where you change planes. I can't decide that for you."
        }
        Topic::Insurance => {
            "I don't sell insurance. Travel insurance is bought with the ticket or from an insurer; look at what it pays when you cancel or \
             fall ill."
        }
        Topic::Refunds => {
            "Whether a ticket can be refunded or changed is in the fare's conditions; whoever sold it, the airline or the agent, makes the refund. \
             I don't sell tickets, so I can't do it here."
        }
        Topic::Compensation => {
            "Compensation for a delay or cancellation depends on where you flew and why it was late; claim it from the airline that flew. \
             A refund or another flight is owed when the airline cancels."
        }
        Topic::Status => {
            "I can't see whether a flight is on time, nor its gate or terminal: the airline or the airport has its live status, by flight number."
        }
        Topic::MyBooking => {
            "I can't see or change a booking: none is made here. The airline or agent you booked with can, with your booking code (PNR)."
        }
        Topic::CheckIn => {
            "Online check-in usually opens 24 to 48 hours ahead. Be at the airport 2 hours before a short flight, 3 hours before a long one; \
             the airline says when its desk closes."
        }
        Topic::Forbidden => {
            "Knives, weapons, fireworks and most liquids above 100 ml don't go through security in hand luggage; the airline and the airport list \
             what is allowed, and staff at security decide."
        }
        Topic::Alerts => {
            "I can't watch prices or notify you, and I don't know how they will move. I can compare days: tell me one, then another, and look \
             which is cheaper."
        }
        Topic::OtherTransport => {
            "I only know flights and don't know distances by road: for a train, bus, car or hotel you'd ask its own company. For a short way a train may well be better."
        }
        Topic::Currency => {
            "I can't convert between currencies; the prices are in the currency they are shown in (here mostly USD). Your bank's rate on the day \
             is what you'd pay."
        }
        Topic::ChildFare => {
            "A child who is 2 or older on any day of the trip needs an own seat and a child's fare for it; an infant under 2 sits on a lap. Say \
             “as a child” and I count the child so. Student, senior and other discounts are the airlines' own; these offers don't show them."
        }
        Topic::NearestAirport => "Tell me the town, and I name the airports near it.",
        Topic::Identity => {
            "I'm an automatic assistant, not a person: I find flights and rank them. Ask for a person and I pass this on."
        }
        Topic::Insult => {
            "I'd rather help than argue. If the flights were wrong, tell me what to change; or ask for a person."
        }
        Topic::Praise => {
            "Good. Say “book it” to hear how to buy it, or change anything: the day, the cabin, the airline."
        }
        Topic::Weather => {
            "I can't tell the weather: look at a forecast for the place; I can tell you the flights there."
        }
        Topic::Sending => {
            "I can't send e-mails or messages from here: copy the flight numbers, or keep this page; the session stays as it is."
        }
        Topic::Chatter => "I'm better with flights than with small talk.",
        Topic::Apology => "No problem at all.",
        Topic::Sympathy => "I'm sorry to hear that. I'll keep it short.",
        Topic::Nonsense => "I find flights, and nothing else; that I can't do.",
        _ => return None,
    })
}

/// A text speaks of the topic: its heading, or how it begins, has one of the topic's own words. Any other is not quoted.
pub(crate) fn speaks_of(topic: Topic, heading: &str, text: &str) -> bool {
    /// How much of a text says what it is about, in characters.
    const BEGINNING: usize = 100;
    let words: &[&str] = match topic {
        Topic::Baggage | Topic::LostBaggage => &["bag", "luggage"],
        Topic::Seats => &["seat"],
        Topic::Meals => &["meal", "food"],
        Topic::Pets => &["pet", "dog", "animal"],
        Topic::Assistance => &["wheelchair", "assistance", "unaccompanied"],
        Topic::Health => &["pregnan", "medic", "doctor", "fit to fly"],
        Topic::Amenities => &["wi-fi", "wifi", "usb", "lounge", "power"],
        Topic::Aircraft => &["aircraft"],
        Topic::Entry => &["visa", "passport", "esta", "etias"],
        Topic::Insurance => &["insur"],
        Topic::Refunds | Topic::Terms => &["refund"],
        Topic::Compensation => &["compensat"],
        Topic::CheckIn => &["check in", "check-in", "hours before"],
        Topic::Forbidden => &["liquid", "security", "knife", "knives", "battery", "power bank"],
        Topic::ChildFare => &["infant", "child"],
        _ => return true,
    };
    let text = heading.chars().chain(text.chars().take(BEGINNING)).collect::<String>().to_lowercase();
    words.iter().any(|word| text.contains(word))
}
