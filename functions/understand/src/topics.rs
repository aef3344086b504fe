//! What a question is about, by its words.
//!
//! A text here is a sentence as [`plain`](crate::text::Text::plain) has it: whole words between blanks.

use contracts::dialogue::Topic;

/// What a question about an offer is about.
pub fn about_offers(plain: &str) -> Vec<Topic> {
    let has = |phrases: &[&str]| phrases.iter().any(|phrase| plain.contains(phrase));
    let buys = has(&[" buy ", " book ", " purchase ", " pay "]);
    let stops = has(&[" stop ", " stops ", " layover", " connect", " change planes "]);
    let where_ = !buys && !stops && has(&[" where ", " airport ", " airports ", " station ", " terminal "]);
    let when = has(&[" when ", " what time ", " time ", " at what "]);
    let mut topics = Vec::new();
    let mut add = |found: bool, topic: Topic| {
        if found {
            topics.push(topic);
        }
    };
    add(
        has(&[
            " per person ",
            " per head ",
            " for all of us ",
            " for everyone ",
            " for all ",
            " each ",
            " altogether ",
        ]),
        Topic::Total,
    );
    add(has(&[" how much ", " price", " cost", " fare ", " expensive "]), Topic::Price);
    let arrives = has(&[
        " arriv",
        " land",
        " reach",
        " get there ",
        " get in ",
        " gets in ",
        " gets there ",
        " get to ",
        " next day ",
        " day after ",
        " same day ",
    ]);
    add(where_, Topic::Airports);
    add(arrives && (when || !where_), Topic::Arrival);
    let departs = has(&[" leave", " leaving ", " depart", " take off ", " takes off ", " start"]);
    add(departs && when && (!arrives || has(&[" and "])), Topic::Departure);
    add(has(&[" how long ", " duration ", " flight time ", " how many hours "]), Topic::Duration);
    add(
        has(&[
            " stops ",
            " stop ",
            " wait ",
            " layover",
            " direct ",
            " nonstop ",
            " connection",
            " non stop ",
            " change planes ",
        ]),
        Topic::Stops,
    );
    add(has(&[" airline ", " airlines ", " carrier ", " operate", " who flies ", " company "]), Topic::Airline);
    add(
        has(&[" refund", " bag ", " bags ", " luggage ", " baggage ", " suitcase", " carry on ", " cancel"]),
        Topic::Terms,
    );
    add(has(&[" book ", " buy ", " purchase ", " pay ", " reserve "]), Topic::Booking);
    add(
        has(&[
            " passengers ",
            " persons ",
            " people ",
            " person ",
            " passenger ",
            " class ",
            " seats ",
            " how many tickets ",
        ]),
        Topic::Summary,
    );
    if topics.is_empty() && (departs || has(&[" redeye ", " red eye "])) {
        topics.push(Topic::Departure);
    }
    topics
}

/// Questions and courtesies that need no offer; `free` where the sentence asks nothing about one.
pub fn standing(plain: &str, free: bool) -> Vec<Topic> {
    let has = |phrases: &[&str]| phrases.iter().any(|phrase| plain.contains(phrase));
    let mut topics = Vec::new();
    let mut add = |found: bool, topic: Topic| {
        if found {
            topics.push(topic);
        }
    };
    add(
        has(&[
            " ranked ",
            " ranking ",
            " sorted ",
            " sort them ",
            " in this order ",
            " why is this first ",
            " why is that first ",
            " what order ",
            " is this the best ",
            " how do you rank ",
            " why is it first ",
            " why is the first ",
        ]),
        Topic::Ranking,
    );
    add(
        has(&[
            " real flights ",
            " are these real ",
            " real prices ",
            " is this real ",
            " where do you get ",
            " data come from ",
            " flights come from ",
            " your source",
            " sample data ",
            " prices come from ",
            " are these flights real ",
            " are they real ",
            " fake ",
            " made up ",
            " makeup prices ",
            " prices real ",
            " legit ",
            " invented ",
        ]),
        Topic::Sources,
    );
    let pointing = has(&[
        " it ",
        " this ",
        " that ",
        " the ticket",
        " the flight",
        " them ",
        " these ",
        " my reservation ",
        " the reservation ",
    ]);
    let buys = has(&[" book ", " buy ", " purchase ", " reserve ", " reservation ", " pay "]);
    add(
        free && buys && pointing
            || has(&[
                " how do i book ",
                " where can i buy ",
                " where do i buy ",
                " where to buy ",
                " where can i book ",
                " where do i book ",
                " where to book ",
                " how do i buy ",
                " how can i buy ",
                " how to buy ",
                " book it ",
                " buy it ",
                " link to book ",
                " booking link ",
                " how can i book ",
                " can i book ",
                " how to book ",
                " how do i pay ",
                " can i pay ",
                " ill take it ",
                " i will take it ",
                " i take it ",
                " well take it ",
                " we will take it ",
                " ill take that ",
                " go with that ",
                " go with it ",
            ]),
        Topic::Booking,
    );
    add(
        has(&[
            " refund policy ",
            " cancellation policy ",
            " baggage allowance ",
            " bag allowance ",
            " luggage allowance ",
            " how many bags ",
            " refundable if ",
            " is luggage included ",
            " are bags included ",
            " baggage fee",
            " change fee",
        ]),
        Topic::Terms,
    );
    add(
        has(&[
            " what can you do ",
            " how does this work ",
            " how do you work ",
            " what do you do ",
            " who are you ",
            " what are you ",
            " how do i use ",
        ]) || plain == " help "
            || plain == " help me "
            || plain == " help please ",
        Topic::Help,
    );
    add(
        has(&[
            " so far ",
            " summary ",
            " summarise ",
            " summarize ",
            " what have i told ",
            " what do you know ",
            " my details ",
            " did i say ",
            " have i said ",
            " what weekday ",
            " which weekday ",
            " day of the week ",
            " what day is that ",
            " what day is it ",
        ]),
        Topic::Summary,
    );
    let first = plain.split_whitespace().next().unwrap_or_default();
    add(
        matches!(first, "hi" | "hello" | "hey" | "hiya" | "greetings" | "howdy" | "salam" | "namaste")
            || has(&[" good morning ", " good afternoon ", " good evening ", " how are you "]),
        Topic::Greeting,
    );
    add(
        has(&[" thanks ", " thank you ", " thankyou ", " thx ", " cheers ", " much appreciated ", " appreciate "]),
        Topic::Thanks,
    );
    add(
        has(&[
            " bye ",
            " goodbye ",
            " good bye ",
            " see you ",
            " thats all ",
            " that is all ",
            " that will be all ",
            " thatll be all ",
            " that is it ",
            " thats it ",
            " nothing else ",
            " that would be all ",
            " all set ",
            " good night ",
            " have a nice day ",
            " that will be it ",
            " all i need ",
            " need anything else ",
            " that should do it ",
        ]),
        Topic::Goodbye,
    );
    topics
}
