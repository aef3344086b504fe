//! Whether a message wants an offer booked. "How can I pay?" asks how it is done, and who takes one chooses it.

use contracts::dialogue::{Topic, Understanding};

/// It wants an offer booked.
pub(crate) fn is_wanted(said: &Understanding) -> bool {
    const VERBS: [&str; 4] = ["book", "buy", "purchase", "reserve"];
    const ASKING: [&str; 13] =
        ["how", "where", "what", "whats", "which", "when", "who", "why", "is", "are", "does", "do", "should"];
    let words: Vec<&str> = said.words.0.iter().map(String::as_str).collect();
    let first = words.first().is_some_and(|first| ASKING.contains(first));
    let pair = |one: &str, other: &str| words.windows(2).any(|pair| pair == [one, other]);
    let asks = first || ["can", "could", "may", "should", "do"].iter().any(|may| pair(may, "i") || pair(may, "we"));
    let books = words.iter().any(|word| VERBS.contains(word));
    let waits = ["dont", "not", "before", "later", "hold"].iter().any(|word| words.contains(word));
    !asks && !waits && (books || said.questions.contains(&Topic::Booking))
}

#[cfg(test)]
mod tests {
    use contracts::dialogue::Pick;
    use contracts::private::Private;

    use super::*;

    #[test]
    fn a_wish_to_book_is_told_from_a_question_about_booking() {
        let read = |words: &str, pick: Option<Pick>, questions: Vec<Topic>| {
            let words = Private(words.split(' ').map(str::to_owned).collect());
            is_wanted(&Understanding { words, pick, questions, ..Understanding::default() })
        };
        let booking = || vec![Topic::Booking];
        assert!(read("book it", None, booking()));
        assert!(read("ok great book the cheapest please", Some(Pick::Cheapest), vec![]));
        assert!(
            !read("ill take the second one", Some(Pick::Nth(2)), vec![]),
            "it is chosen, and shown with what follows"
        );
        assert!(read("go with that", None, booking()));
        assert!(!read("how do i book it", None, booking()));
        assert!(!read("so where can i buy", None, booking()));
        assert!(!read("can i pay with paypal", None, booking()));
        assert!(!read("the second one", Some(Pick::Nth(2)), vec![]));
        assert!(!read("dont book it yet", None, booking()));
        assert!(!read("how long does the second one take", Some(Pick::Nth(2)), vec![]));
    }
}
