use geo::airports;
use proptest::prelude::*;

use super::*;
use crate::tokens::tokens;

/// The places of a message as `CODE`, `CODE|CODE` where ambiguous, `?` where unknown, `(Region)`.
fn named(words: &str) -> Vec<String> {
    let shown = |mention: Mention| match mention.named {
        Named::Place(places) if places.is_empty() => "?".to_owned(),
        Named::Place(places) => places.iter().map(|place| place.iata.to_string()).collect::<Vec<_>>().join("|"),
        Named::Near { airports } => {
            format!("~{}", airports.iter().map(|place| place.iata.to_string()).collect::<Vec<_>>().join("|"))
        }
        Named::Region { name, .. } => format!("({name})"),
    };
    find(&tokens(words)).into_iter().map(shown).collect()
}

fn check(cases: &[(&str, &[&str])]) {
    let wrong: Vec<_> = cases
        .iter()
        .map(|(words, expected)| (words, named(words), expected))
        .filter(|(_, found, expected)| found != *expected)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn cities_are_found_by_the_names_people_say() {
    check(&[
        ("fly me from Lahore to Dubai next Friday", &["LHE", "DXB"]),
        ("I will be departing from Vancouver on the 3rd", &["YVR"]),
        ("London to New York", &["LON", "NYC"]),
        ("nyc to la", &["NYC", "LAX"]),
        ("from SF to Philly", &["SFO", "PHL"]),
        ("Chi-town", &["CHI"]),
        ("vegas please", &["LAS"]),
        ("KL to Delhi", &["KUL", "DEL"]),
        ("from CDMX, not Ciudad de Mexico", &["MEX", "MEX"]),
        ("Washington D.C. or Washington", &["WAS", "WAS"]),
        ("the Big Apple", &["NYC"]),
        ("salt lake city, then palm springs", &["SLC", "PSP"]),
        ("Sao Paulo, Zürich, Málaga, Düsseldorf", &["SAO", "ZRH", "AGP", "DUS"]),
        ("from München via Köln to Wien", &["MUC", "CGN", "VIE"]),
        ("Bombay and Mumbai", &["BOM", "BOM"]),
        ("St. Louis to St. John's", &["STL", "YYT"]),
        ("st louis and saint louis", &["STL", "STL"]),
        ("Xi'an and Martha's Vineyard", &["XIY", "MVY"]),
        ("I'd like to see Tokyo's sights", &["TYO"]),
        ("newyork losangeles", &["NYC", "LAX"]),
        ("I WANT TO FLY FROM BOSTON TO ROME", &["BOS", "ROM"]),
    ]);
}

#[test]
fn airports_are_found_by_name_and_code() {
    check(&[
        ("Heathrow to JFK", &["LHR", "JFK"]),
        ("from O'Hare to Charles de Gaulle", &["ORD", "CDG"]),
        ("Logan airport to Dulles", &["BOS", "IAD"]),
        ("SEA to LAX", &["SEA", "LAX"]),
        ("from lhr to sfo", &["LHR", "SFO"]),
        ("yyz to yvr", &["YYZ", "YVR"]),
        ("Lahore (LHE) to Dubai (DXB)", &["LHE", "DXB"]),
        ("Heathrow, London to JFK in New York", &["LHR", "JFK"]),
        ("London Heathrow", &["LHR"]),
        ("to Seattle airport", &["SEA"]),
        ("from SAT to MIA", &["SAT", "MIA"]),
        ("leave SAT or SUN", &[]),
        ("what is the ETA in EUR or USD", &[]),
    ]);
}

#[test]
fn regions_tell_namesakes_apart() {
    check(&[
        ("Portland, OR", &["PDX"]),
        ("portland, or", &["PDX"]),
        ("from Portland, or Seattle", &["PDX", "SEA"]),
        ("Portland, Maine", &["PWM"]),
        ("Portland (Maine) to Boston", &["PWM", "BOS"]),
        ("Phoenix, Az", &["PHX"]),
        ("phoenix az to seattle wa", &["PHX", "SEA"]),
        ("Sydney, NSW", &["SYD"]),
        ("Sydney, Nova Scotia", &["YQY"]),
        ("London, england", &["LON"]),
        ("London, Ontario", &["YXU"]),
        ("to London on March 3rd", &["LON"]),
        ("to London , on the 1st", &["LON"]),
        ("Toronto, ON", &["YTO"]),
        ("San Jose, Costa Rica", &["SJO"]),
        ("San Jose in California", &["SJC"]),
        ("New York, NY to Washington, DC", &["NYC", "WAS"]),
        ("Vancouver, BC", &["YVR"]),
        ("Paris France to London UK", &["PAR", "LON"]),
        ("Paris, Germany", &["?"]),
        ("Kansas City, Kansas", &["MCI"]),
        ("Birmingham, Alabama", &["BHM"]),
        ("Delhi, India to Nairobi, Kenya", &["DEL", "NBO"]),
        ("Reading, PA", &["RDG"]),
        ("Lexington Kentucky to Louisville", &["LEX", "SDF"]),
        ("Ontario, California", &["ONT"]),
    ]);
}

#[test]
fn who_is_flown_to_most_bears_the_name_and_equals_are_ambiguous() {
    check(&[
        ("San Jose", &["SJC|SJO"]),
        ("san josé", &["SJC|SJO"]),
        ("London", &["LON"]),
        ("Paris", &["PAR"]),
        ("Sydney", &["SYD"]),
        ("Portland", &["PDX"]),
        ("Birmingham", &["BHX"]),
        ("Melbourne", &["MEL"]),
        ("Manchester", &["MAN"]),
        ("Santiago", &["SCL"]),
        ("Naples", &["NAP"]),
        ("Springfield", &["SGF|SPI"]),
    ]);
    let san_jose = find(&tokens("San Jose"));
    let Named::Place(places) = &san_jose[0].named else { panic!("no place: {san_jose:?}") };
    let names: Vec<&str> = places.iter().map(|place| place.name.as_str()).collect();
    assert_eq!(names, ["San Jose, California", "San Jose, Costa Rica"]);
}

#[test]
fn places_are_called_what_people_call_them() {
    for (words, name) in [
        ("LAX", "Los Angeles"),
        ("NYC", "New York"),
        ("LHR", "London Heathrow"),
        ("JFK", "New York John F. Kennedy"),
        ("CDG", "Paris Charles de Gaulle"),
        ("KL", "Kuala Lumpur"),
        ("Phoenix, Az", "Phoenix"),
        ("Portland, Maine", "Portland, Maine"),
        ("sao paulo", "São Paulo"),
        ("YVR", "Vancouver"),
    ] {
        let found = find(&tokens(words));
        let Some(Named::Place(places)) = found.first().map(|mention| &mention.named) else {
            panic!("{words}: {found:?}")
        };
        let names: Vec<&str> = places.iter().map(|place| place.name.as_str()).collect();
        assert_eq!(names, [name], "{words}");
    }
}

#[test]
fn one_typing_error_is_forgiven_where_a_place_is_expected() {
    check(&[
        ("from Lodnon to Pariss", &["LON", "PAR"]),
        ("to san fransisco", &["SFO"]),
        ("from los angelas to new yrok", &["LAX", "NYC"]),
        ("Seatle", &["SEA"]),
        ("to Kuala Lumpor", &["KUL"]),
        ("fly to philadephia from atlnata", &["PHL", "ATL"]),
        ("to Berlim", &["BER"]),
        ("I quit my job", &[]),
        ("to rest a bit, to settle, to land in August", &[]),
        ("from two parts", &[]),
    ]);
}

#[test]
fn ordinary_words_are_no_places_without_evidence() {
    check(&[
        ("that's nice, thanks", &[]),
        ("Nice!", &[]),
        ("Nice, thank you", &[]),
        ("from nice to split", &["NCE", "SPU"]),
        ("I want to split the cost", &[]),
        ("I want to go to Split", &["SPU"]),
        ("flights to Nice on Friday", &["NCE"]),
        ("I was reading on my mobile phone", &[]),
        ("from Mobile to Cork", &["MOB", "ORK"]),
        ("it's the same, most of them are male", &[]),
        ("my name is Austin", &[]),
        ("I am David, flying from Goa with my friend Charlotte", &["GOI"]),
        ("in march or may, for the holiday", &[]),
        ("the orange bar, of all", &[]),
        ("is there anything else", &[]),
        ("from Monday to Friday", &[]),
        ("to say the least", &[]),
        ("two of us", &[]),
        ("I'd like to book a flight for Christmas", &[]),
        ("Yes. That's perfect, go ahead", &[]),
        ("what's the price in dollars?", &[]),
        ("on Alaska Airlines or United, to Alaska", &["(Alaska)"]),
        ("with Singapore Airlines to Singapore", &["SIN"]),
    ]);
}

#[test]
fn regions_alone_are_no_city() {
    check(&[
        ("to Spain", &["(Spain)"]),
        ("from California to the UK", &["(California)", "(United Kingdom)"]),
        ("I want to visit the United States", &["(United States)"]),
        ("to Georgia", &["(Georgia)"]),
        ("somewhere in Europe", &["(Europe)"]),
        ("to Luxembourg via Singapore", &["LUX", "SIN"]),
        ("in or for me, ok", &[]),
    ]);
}

#[test]
fn every_airport_code_in_capitals_is_found() {
    for airport in airports::airports() {
        let words = format!("from {} to the coast", airport.iata);
        let tokens = tokens(&words);
        // JAL is Japan Airlines before it is Jalapa.
        if !crate::airlines::find(&tokens).is_empty() {
            continue;
        }
        let found = find(&tokens);
        let region = found.iter().any(|mention| matches!(mention.named, Named::Region { .. }));
        let place = found.iter().any(|mention| matches!(&mention.named, Named::Place(places) if places.iter().any(|place| place.iata == airport.iata)));
        assert!(place || region, "{words}: {found:?}");
    }
}

#[test]
fn every_city_of_a_busy_airport_is_found_by_its_name() {
    for airport in airports::airports().iter().filter(|airport| airport.tier >= names::PROMINENT) {
        let words = format!("flights from {} to somewhere", airport.city);
        let found = named(&words);
        assert!(!found.is_empty(), "{words}");
    }
}

proptest! {
    #[test]
    fn no_words_make_it_panic_and_names_never_overlap(
        words in prop_oneof![".{0,120}", "((from|to|in|the|San|Jose|new|York|LHR|,|\\(|\\)|Paris|parsi|or|OR|'s|-|\\.) ?){0,40}"]
    ) {
        let tokens = tokens(&words);
        let mut last = 0;
        for mention in find(&tokens) {
            prop_assert!(last <= mention.tokens.start && mention.tokens.start < mention.tokens.end);
            prop_assert!(mention.tokens.end <= tokens.len());
            last = mention.tokens.end;
        }
    }

    #[test]
    fn a_key_is_folded_once_and_for_all(words in ".{0,40}") {
        prop_assert_eq!(names::key(&names::key(&words)), names::key(&words));
    }

    #[test]
    fn one_error_in_a_prominent_name_is_forgiven(which in 0usize..10_000, at in 0usize..40, letter in "[a-z]", kind in 0u8..4) {
        let known: Vec<&str> = names::prominent().into_iter().filter(|name| name.len() >= 6 && names::bearers(name)[0].tier >= 3).collect();
        let name = known[which % known.len()];
        let mut letters: Vec<char> = name.chars().collect();
        let at = at % (letters.len() - 1);
        let letter = letter.chars().next().unwrap();
        match kind {
            0 => letters.insert(at, letter),
            1 => drop(letters.remove(at)),
            2 => letters[at] = letter,
            _ => letters.swap(at, at + 1),
        }
        let typed: String = letters.into_iter().collect();
        let words = typed.split(' ').collect::<Vec<_>>();
        // What is itself a name, or an ordinary word, is taken at its word.
        prop_assume!(words.iter().all(|word| names::bearers(word).is_empty() && regions::regions(word).is_empty() && !names::is_ordinary(word) && word.len() > 1));
        prop_assume!(names::bearers(&typed).is_empty());
        prop_assume!(words.iter().chain([&typed.as_str()]).all(|word| crate::towns::town(word).is_none()));
        prop_assume!(crate::airlines::find(&tokens(&typed)).is_empty());
        let expected = names::bearers(name)[0].iata;
        let found = find(&tokens(&format!("fly from {typed} on Friday")));
        let meant = |mention: &Mention| matches!(&mention.named, Named::Place(places) if places.iter().any(|place| place.iata == expected));
        let other = found.iter().any(|mention| matches!(&mention.named, Named::Place(places) if places.iter().all(|place| names::bearer(place.iata).is_some_and(|bearer| bearer.tier >= 3))));
        prop_assert!(found.iter().any(meant) || other, "{} for {}: {:?}", typed, name, found);
    }
}
