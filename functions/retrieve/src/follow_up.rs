//! What a question is about when it does not say so itself: "and the success rate?".
//!
//! By rule, from the words alone. A question that stands on its own feet is searched as it is; one that leans on what was
//! said before is searched together with that, back to the last question that stood alone.

use contracts::knowledge::Intent;
use english::{is_stop_word, plain_words};

/// How many earlier messages a follow-up may lean on.
const FURTHEST: usize = 3;

/// Words that go on with something.
const GOES_ON: &[&str] = &["and", "but", "or", "so", "then", "also", "else", "otherwise", "besides", "plus"];
/// Two words that do.
const GOES_ON_IN_TWO: &[[&str; 2]] =
    &[["what", "about"], ["how", "about"], ["how", "so"], ["why", "not"], ["what", "else"], ["which", "one"]];
/// Words that a piece of a sentence begins with, but seldom a question.
const BEGINS_A_PIECE: &[&str] =
    &["for", "in", "with", "without", "at", "on", "over", "under", "above", "below", "after", "before", "during", "if"];
/// Words that stand for something said before.
const STANDS_FOR: &[&str] = &[
    "it", "its", "they", "them", "their", "this", "that", "these", "those", "he", "him", "his", "she", "her", "one",
    "ones", "former", "latter",
];
/// Words that begin what an "it" before them stands for.
const SAYS_WHAT_IT_IS: &[&str] = &["to", "when", "if"];
/// Words that ask for more without saying of what.
const ASKS_FOR_MORE: &[&str] = &[
    "tell",
    "say",
    "explain",
    "elaborate",
    "describe",
    "clarify",
    "continue",
    "go",
    "more",
    "detail",
    "details",
    "example",
    "examples",
    "mean",
    "simpler",
    "simply",
    "again",
    "another",
    "further",
    "please",
    "thanks",
    "thank",
    "ok",
    "okay",
    "yes",
    "yeah",
    "really",
    "sure",
    "give",
    "show",
    "something",
    "anything",
    "happens",
    "happen",
    "next",
    "exactly",
];
/// Words that questions and requests begin with; without any of them a few words are a piece of a sentence.
const BEGINS_A_QUESTION: &[&str] = &[
    "what", "whats", "who", "whom", "whose", "which", "when", "where", "why", "how", "is", "are", "am", "was", "were",
    "do", "does", "did", "can", "could", "will", "would", "shall", "should", "may", "might", "must", "has", "have",
    "had", "i", "we", "my", "our", "define", "compare", "list", "find",
];

/// The text to search with: the question, after what it leans on.
pub fn search_text(question: &str, before: &[impl AsRef<str>]) -> String {
    if !leans_on_before(question) {
        return question.to_owned();
    }
    let mut said: Vec<&str> = Vec::new();
    for earlier in before.iter().rev().map(AsRef::as_ref).take(FURTHEST) {
        said.push(earlier);
        if !leans_on_before(earlier) {
            break;
        }
    }
    said.reverse();
    said.push(question);
    said.join("\n")
}

/// How a question is meant, by its words.
pub fn intent(question: &str) -> Intent {
    let words: Vec<String> = plain_words(question).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| !POLITE.contains(word)).collect();
    let has =
        |phrases: &[&[&str]]| phrases.iter().any(|phrase| words.windows(phrase.len()).any(|window| window == *phrase));
    let short = words.len() <= 8;
    let leans = || leans_on_before(question);
    if has(UNANSWERED) {
        Intent::Unanswered
    } else if short && has(SOURCE) || matches!(words[..], ["source" | "sources" | "reference" | "references" | "link"])
    {
        Intent::Source
    } else if short && has(SIMPLER) {
        Intent::Simpler
    } else if words.len() <= 6 && has(EXAMPLE) && says_little(&words) {
        Intent::Example
    } else if words.len() <= 6 && has(MORE) && says_little(&words) || matches!(words[..], ["more" | "continue"]) {
        Intent::More
    } else if leans() {
        Intent::FollowUp
    } else {
        Intent::Question
    }
}

/// Whether words say nothing of a subject.
fn says_little(words: &[&str]) -> bool {
    let about = words.iter().filter(|word| !is_stop_word(word) && !STANDS_FOR.contains(word));
    about.filter(|word| !ASKS_FOR_MORE.contains(word)).count() == 0
}

const POLITE: &[&str] = &["please", "pls", "thanks", "ok", "okay", "hmm", "sorry"];
const UNANSWERED: &[&[&str]] = &[
    &["not", "answer"],
    &["not", "what", "i", "asked"],
    &["not", "what", "i", "meant"],
    &["not", "my", "question"],
    &["not", "help"],
    &["not", "helpful"],
    &["not", "helping"],
    &["not", "answering"],
    &["only", "answered"],
    &["i", "asked", "something", "else"],
    &["wrong", "answer"],
    &["you", "misunderstood"],
    &["other", "questions"],
    &["tried", "all", "that"],
    &["tried", "that"],
];
const SOURCE: &[&[&str]] = &[
    &["your", "source"],
    &["your", "sources"],
    &["the", "source"],
    &["the", "sources"],
    &["a", "source"],
    &["any", "source"],
    &["any", "sources"],
    &["where", "is", "that", "from"],
    &["where", "is", "this", "from"],
    &["where", "did", "you", "get"],
    &["where", "do", "you", "get"],
    &["where", "does", "that", "come", "from"],
    &["who", "says"],
    &["how", "do", "you", "know"],
    &["a", "link"],
];
const SIMPLER: &[&[&str]] = &[
    &["simpler"],
    &["simply"],
    &["simple", "words"],
    &["simple", "terms"],
    &["plain", "english"],
    &["plain", "words"],
    &["easier"],
    &["eli5"],
    &["in", "short"],
    &["shorter"],
    &["tldr"],
    &["too", "complicated"],
    &["too", "long"],
    &["not", "understand"],
    &["not", "get", "it"],
    &["like", "i", "am", "five"],
];
const EXAMPLE: &[&[&str]] = &[&["example"], &["examples"], &["instance"], &["like", "what"], &["such", "as"]];
const MORE: &[&[&str]] = &[
    &["tell", "me", "more"],
    &["more"],
    &["go", "on"],
    &["continue"],
    &["what", "else"],
    &["anything", "else"],
    &["another", "one"],
    &["and", "then"],
    &["elaborate"],
    &["details"],
    &["further"],
];

/// Whether a question needs what was said before it.
fn leans_on_before(question: &str) -> bool {
    let words: Vec<String> = plain_words(question).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let Some(first) = words.first() else { return true };
    let stands_for_something = words.iter().any(|word| STANDS_FOR.contains(word));
    let about = words.iter().filter(|word| !is_stop_word(word) && !STANDS_FOR.contains(word));
    let about = about.filter(|word| !ASKS_FOR_MORE.contains(word)).count();
    // "Is it safe to fly?" says what "it" is; "is it safe?" does not.
    let says_what = words.iter().any(|word| SAYS_WHAT_IT_IS.contains(word));
    about == 0
        || GOES_ON.contains(first)
        || GOES_ON_IN_TWO.iter().any(|pair| words.starts_with(pair))
        || (BEGINS_A_PIECE.contains(first) && about <= 3)
        || (stands_for_something && (about <= 2 || (about == 3 && !says_what)))
        || (about <= 2 && words.len() <= 4 && !BEGINS_A_QUESTION.contains(first))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_wanted_of_an_answer_is_known_by_its_words() {
        for (question, expected) in [
            ("source?", Intent::Source),
            ("where did you get that", Intent::Source),
            ("what is open source", Intent::Question),
            ("tell me more", Intent::More),
            ("more details please", Intent::More),
            ("explain simpler please", Intent::Simpler),
            ("I do not understand", Intent::Simpler),
            ("give me an example", Intent::Example),
            ("example?", Intent::Example),
            ("that does not answer my question, i am in texas", Intent::Unanswered),
            ("you only answered one of them", Intent::Unanswered),
            ("and the risks?", Intent::FollowUp),
            ("why?", Intent::FollowUp),
            ("What is an AMH test?", Intent::Question),
        ] {
            assert_eq!(intent(question), expected, "{question}");
        }
    }

    #[test]
    fn a_follow_up_is_known_by_its_words() {
        for question in [
            "and the success rate?",
            "What about the side effects?",
            "how about women over 40",
            "But is it safe?",
            "How much does it cost?",
            "how much does it cost in the UK?",
            "does it hurt",
            "What are its risks?",
            "Can they be frozen?",
            "why is that?",
            "Why?",
            "tell me more",
            "Can you explain that again, please?",
            "for men?",
            "over 40?",
            "the fees?",
            "side effects?",
            "Which one is better?",
            "Is this normal?",
            "",
        ] {
            assert!(leans_on_before(question), "{question}");
        }
    }

    #[test]
    fn a_question_that_stands_alone_is_known_by_its_words() {
        for question in [
            "What is IVF?",
            "How long does it take to get pregnant after stopping the pill?",
            "Is it safe to eat sushi while pregnant?",
            "What is impermanent loss?",
            "How do I revoke a token approval?",
            "What does it mean when a loan is liquidated on Aave?",
            "I have been feeling down for weeks and I can't sleep at night",
            "Are stablecoins safe?",
            "Someone has my seed phrase",
            "How does staking work?",
            "What are the warning signs of OHSS?",
        ] {
            assert!(!leans_on_before(question), "{question}");
        }
    }

    #[test]
    fn a_follow_up_is_searched_with_the_questions_back_to_one_that_stands_alone() {
        let before = ["What is DeFi?", "How does IVF work?", "and the success rate?"];
        let cases = [
            ("and over 40?", "How does IVF work?\nand the success rate?\nand over 40?"),
            ("What is an AMH test?", "What is an AMH test?"),
        ];
        for (question, expected) in cases {
            assert_eq!(search_text(question, &before), expected);
        }
        assert_eq!(search_text("why?", &[] as &[&str]), "why?");
        assert_eq!(search_text("why?", &["why?"; 9]), "why?\nwhy?\nwhy?\nwhy?");
    }

    proptest! {
        #[test]
        fn the_question_itself_is_always_searched(question in "\\PC{0,60}", before in prop::collection::vec("\\PC{0,30}", 0..5)) {
            prop_assert!(search_text(&question, &before).ends_with(&question));
        }
    }
}
