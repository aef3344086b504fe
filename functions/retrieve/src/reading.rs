//! Reads what a message asks: which questions it has, without what stands around them.
//!
//! By rule, from the words alone: greetings, thanks and the like are taken off, short forms are written out, several questions
//! are told apart, and of a long story the questions are kept, with the story as what they are about.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use english::{is_stop_word, plain_words};

/// The most questions of a message that are answered.
const QUESTIONS: usize = 4;
/// The most words of a form or a wrapper.
const LONGEST: usize = 12;
/// A message of more words that asks something in one of its sentences is a story.
const STORY_WORDS: usize = 30;

const SHORT_FORMS: &str = include_str!("../data/short-forms.txt");
const WRAPPERS: &str = include_str!("../data/wrappers.txt");

static FORMS: LazyLock<HashMap<&str, HashMap<Vec<&str>, &str>>> = LazyLock::new(forms);
static AROUND: LazyLock<HashSet<Vec<&str>>> = LazyLock::new(|| {
    WRAPPERS.lines().filter(|line| !line.starts_with('#')).map(|line| line.split_whitespace().collect()).collect()
});

/// A question of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Its words.
    pub text: String,
    /// What else the message says: what the question is about where it does not say so itself.
    pub story: String,
    /// It is a question of its own, not the second half of one.
    pub is_whole: bool,
}

/// The questions of a message to an assistant; none where it says nothing but a greeting, thanks or the like.
pub fn read(message: &str, assistant: &str) -> Vec<Asked> {
    let message = without_persons(message);
    let mut clauses: Vec<(Vec<String>, bool)> = Vec::new();
    for sentence in sentences(&message) {
        let ends_asking = sentence.ends_with('?');
        let mut words = written_out(&words_of(sentence), assistant);
        peel(&mut words);
        let parts = split(words);
        let count = parts.len();
        for (at, mut part) in parts.into_iter().enumerate() {
            peel(&mut part);
            without_working(&mut part);
            if !part.is_empty() {
                let asks = begins_asking(&part) || (ends_asking && at + 1 == count);
                clauses.push((part, asks));
            }
        }
    }
    let length: usize = clauses.iter().map(|(words, _)| words.len()).sum();
    let asking = clauses.iter().filter(|(_, asks)| *asks).count();
    if asking == 0 || (asking == 1 && clauses.len() == 1) {
        let text = clauses.into_iter().map(|(words, _)| join(&words)).collect::<Vec<_>>().join(". ");
        return if text.is_empty() { Vec::new() } else { vec![Asked { text, story: String::new(), is_whole: true }] };
    }
    let told: Vec<String> = clauses.iter().filter(|(_, asks)| !asks).map(|(words, _)| join(words)).collect();
    let story = told.join(". ");
    let asked = clauses.iter().filter(|(_, asks)| *asks).map(|(words, _)| join(words));
    if length <= STORY_WORDS && !story.is_empty() && asking == 1 {
        // A short message is one question, whatever its signs.
        let text = clauses.iter().map(|(words, _)| join(words)).collect::<Vec<_>>().join(". ");
        return vec![Asked { text, story: String::new(), is_whole: true }];
    }
    // The last questions of a long story are what it comes to.
    let skipped = asking.saturating_sub(QUESTIONS);
    let asked = asked.skip(skipped).enumerate();
    asked.map(|(at, text)| Asked { text, story: story.clone(), is_whole: at == 0 }).collect()
}

/// The message without addresses, numbers and names that its writer has told of themselves.
fn without_persons(message: &str) -> String {
    const TELLS: [&str; 9] = [
        "my name is ",
        "my name's ",
        "my phone is ",
        "my phone number is ",
        "my email is ",
        "born ",
        "living at ",
        "i live at ",
        "my address is ",
    ];
    // Its words are nobody's business, and of no subject.
    const SECRETS: [&str; 5] =
        ["my seed phrase is ", "my recovery phrase is ", "my secret phrase is ", "my private key is ", "my seed is "];
    let message = message.replace(['\u{2019}', '\u{2018}'], "'");
    let kept: Vec<&str> = message.split(' ').filter(|word| !is_address(word)).collect();
    let mut text = kept.join(" ");
    for tells in SECRETS {
        if let Some(at) = text.to_ascii_lowercase().find(tells) {
            let end = text.get(at..).and_then(|rest| rest.find([',', '.', '?'])).map_or(text.len(), |end| at + end);
            text.replace_range(at..end, "someone has my seed phrase");
        }
    }
    for tells in TELLS {
        while let Some(at) = text.to_ascii_lowercase().find(tells) {
            let rest = text.get(at..).unwrap_or_default();
            let end = rest.find([',', ';', '\n']).or_else(|| rest.find(" and ")).or_else(|| rest.find(". "));
            let end = end.map_or(text.len(), |end| at + end);
            text.replace_range(at..end, " ");
        }
    }
    text
}

fn is_address(word: &str) -> bool {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
    (word.contains('@') && word.contains('.')) || (bare.starts_with("0x") && bare.len() > 12) || digits >= 6
}

/// The sentences, with the sign that ends each.
fn sentences(message: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut signs = message.char_indices().peekable();
    while let Some((at, c)) = signs.next() {
        let next = signs.peek().map(|(_, next)| *next);
        let ends = match c {
            '?' | '!' | '\n' => !matches!(next, Some('?' | '!')),
            '.' => next.is_none_or(char::is_whitespace),
            _ => false,
        };
        if ends {
            let end = at + c.len_utf8();
            found.push(message.get(start..end).unwrap_or_default());
            start = end;
        }
    }
    found.push(message.get(start..).unwrap_or_default());
    found.into_iter().map(str::trim).filter(|sentence| sentence.chars().any(char::is_alphanumeric)).collect()
}

/// The words with their commas, each apart.
fn words_of(sentence: &str) -> Vec<String> {
    let mut words = Vec::new();
    for word in sentence.split_whitespace() {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '%' | '$' | '£' | '€'));
        if !bare.is_empty() {
            words.push(bare.to_owned());
        }
        if word.ends_with([',', ';', ':']) || matches!(word, "-" | "–" | "—") {
            words.push(",".to_owned());
        }
    }
    words
}

/// Short forms in full, the longest first.
fn written_out(words: &[String], assistant: &str) -> Vec<String> {
    let lower: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let (own, all) = (FORMS.get(assistant), FORMS.get(""));
    let mut out = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let form = (1..=3).rev().find_map(|length| {
            let key: Vec<&str> = lower.get(at..at + length)?.iter().map(String::as_str).collect();
            let full = own.and_then(|own| own.get(&key)).or_else(|| all.and_then(|all| all.get(&key)))?;
            Some((length, *full))
        });
        match form {
            Some((length, full)) => {
                out.extend(full.split(' ').map(str::to_owned));
                at += length;
            }
            None => {
                out.extend(words.get(at).cloned());
                at += 1;
            }
        }
    }
    out
}

fn forms() -> HashMap<&'static str, HashMap<Vec<&'static str>, &'static str>> {
    let mut forms: HashMap<&str, HashMap<Vec<&str>, &str>> = HashMap::new();
    let mut assistant = "";
    for line in SHORT_FORMS.lines().filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            assistant = name;
        } else if let Some((form, full)) = line.split_once(" = ") {
            forms.entry(assistant).or_default().insert(form.split(' ').collect(), full);
        }
    }
    forms
}

/// Takes off what stands before and after a question.
fn peel(words: &mut Vec<String>) {
    loop {
        let comma = |word: Option<&String>| word.is_some_and(|word| word == ",");
        if comma(words.first()) {
            words.remove(0);
            continue;
        }
        if comma(words.last()) {
            words.pop();
            continue;
        }
        let plain: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
        if let Some(length) =
            (1..=LONGEST.min(plain.len())).rev().find(|length| plain.get(..*length).is_some_and(is_around))
        {
            // "And then?" is a question of its own, "right" in "right tube" a word of it.
            words.drain(..length);
        } else if let Some(length) = (1..=LONGEST.min(plain.len()))
            .rev()
            .find(|length| plain.get(plain.len() - length..).is_some_and(ends_around))
        {
            words.truncate(words.len() - length);
        } else {
            return;
        }
    }
}

/// "How does IVF work" asks of IVF, not of work.
fn without_working(words: &mut Vec<String>) {
    let lower = |at: usize| words.get(at).map(|word| word.to_lowercase()).unwrap_or_default();
    let asks_how = lower(0) == "how" && (words.len() <= 4 || matches!(lower(1).as_str(), "does" | "do"));
    if asks_how && words.len() > 2 && matches!(lower(words.len() - 1).as_str(), "work" | "works") {
        words.truncate(words.len() - 1);
    }
}

fn is_around(words: &[String]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| *word != ",").collect();
    if AROUND.contains(&words) {
        return true;
    }
    let with_any = |at: usize| {
        let mut any = words.clone();
        if let Some(word) = any.get_mut(at) {
            *word = "*";
        }
        any
    };
    words.first() == Some(&"my") && AROUND.contains(&with_any(1))
}

/// What may end a question: not every word that may begin one.
fn ends_around(words: &[String]) -> bool {
    const NOT_LAST: [&str; 12] =
        ["right", "now", "about", "if", "whether", "well", "fine", "look", "question", "all", "again", "up"];
    let last = words.last().map(String::as_str).unwrap_or_default();
    let asks = words.iter().any(|word| matches!(word.as_str(), "explain" | "tell" | "know"));
    !NOT_LAST.contains(&last) && !asks && is_around(words)
}

/// Words that questions begin with.
const BEGINS: &[&str] = &[
    "what", "which", "who", "whom", "whose", "when", "where", "why", "how", "is", "are", "am", "was", "were", "do",
    "does", "did", "can", "could", "will", "would", "shall", "should", "may", "has", "have", "had", "must", "cannot",
];

fn begins_asking(words: &[String]) -> bool {
    let word = |at: usize| words.get(at).map(|word| word.to_lowercase()).unwrap_or_default();
    let (first, second) = (word(0), word(1));
    // "In the UK, what does it cost": a few words may come first.
    let first_asks = BEGINS.contains(&first.as_str()) && !matches!(first.as_str(), "have" | "had" | "cannot" | "is");
    first_asks
        || first == "is" && words.len() > 1
        || matches!(first.as_str(), "have" | "had") && matches!(second.as_str(), "i" | "you" | "we" | "they")
        || matches!(first.as_str(), "in" | "for" | "at" | "with" | "after" | "of")
            && words.len() > 4
            && words.iter().skip(1).take(4).any(|word| matches!(word.to_lowercase().as_str(), "what" | "how" | "which"))
}

/// "What is A and how do I do B", "does A, how much B and can C".
fn split(words: Vec<String>) -> Vec<Vec<String>> {
    if !begins_asking(&words) {
        return vec![words];
    }
    let mut parts: Vec<Vec<String>> = vec![Vec::new()];
    let mut at = 0;
    while at < words.len() {
        let lower = |at: usize| words.get(at).map(|word| word.to_lowercase()).unwrap_or_default();
        let joins = match (lower(at).as_str(), lower(at + 1).as_str()) {
            (",", "and" | "or" | "but") => 2,
            ("," | "and" | "but", _) => 1,
            _ => 0,
        };
        let long_enough = parts.last().is_some_and(|part| part.len() >= 2);
        let rest = words.get(at + joins..).unwrap_or_default();
        if joins > 0 && long_enough && rest.len() >= 2 && begins_asking(rest) {
            parts.push(Vec::new());
            at += joins;
        } else {
            if let (Some(part), Some(word)) = (parts.last_mut(), words.get(at)) {
                part.push(word.clone());
            }
            at += 1;
        }
    }
    parts
}

fn join(words: &[String]) -> String {
    words.join(" ").replace(" ,", ",")
}

/// Whether a text has a word that says something.
pub(crate) fn says_something(text: &str) -> bool {
    plain_words(text).any(|word| !is_stop_word(&word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_stands_around_a_question_is_taken_off() {
        for (message, expected) in [
            ("whats OHSS", "what is OHSS"),
            ("hi, what is AMH", "what is AMH"),
            ("ok. what's gas", "what is gas"),
            ("btw how long does one cycle take lol", "how long does one cycle take"),
            ("hey there quick question, does egg collection hurt", "does egg collection hurt"),
            ("so um my cousin asked me what ICSI is", "what ICSI is"),
            ("thanks!! and what is a frozen embryo transfer", "what is a frozen embryo transfer"),
            ("Hello, I was wondering how long therapy usually takes?", "how long therapy usually takes"),
            ("sorry to bother you but whats the fertile window", "what is the fertile window"),
            ("hello! can you tell me how IVF works?", "how IVF"),
            ("FET what is it", "frozen embryo transfer FET what is it"),
            ("is my right tube blocked", "is my right tube blocked"),
            ("My name is Julia Berger, julia.b@example.com, how does egg freezing work", "how does egg freezing"),
        ] {
            let asked = read(message, "fertility");
            let texts: Vec<&str> = asked.iter().map(|asked| asked.text.as_str()).collect();
            assert_eq!(texts, [expected], "{message}");
        }
    }

    #[test]
    fn nothing_is_asked_by_a_greeting_or_thanks() {
        for message in ["hi", "Hello there!", "ok thanks", "thank you so much", "cool, cheers", "", "  ", "?!"] {
            assert_eq!(read(message, "defi"), [], "{message}");
        }
    }

    #[test]
    fn several_questions_are_told_apart() {
        let cases: [(&str, &[&str]); 5] = [
            (
                "Does smoking affect IVF, how much folic acid do I need and can I fly after transfer?",
                &["Does smoking affect IVF", "how much folic acid do I need", "can I fly after transfer"],
            ),
            ("what is an approval and how do i revoke it", &["what is an approval", "how do i revoke it"]),
            ("What is AMH? And what is FSH?", &["What is AMH", "what is FSH"]),
            ("are coffee and alcohol bad", &["are coffee and alcohol bad"]),
            ("are you a doctor? are you an AI?", &["are you a doctor", "are you an AI"]),
        ];
        for (message, expected) in cases {
            let asked = read(message, "fertility");
            let texts: Vec<&str> = asked.iter().map(|asked| asked.text.as_str()).collect();
            assert_eq!(texts, expected, "{message}");
        }
    }

    #[test]
    fn a_long_story_comes_to_its_question() {
        let message = "We have been trying for three years now and nothing happens, I am 37 and my husband is 41. His mother \
                       says that it is all my fault and I cry a lot. What does a low sperm count mean?";
        let asked = read(message, "fertility");
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].text, "What does a low sperm count mean");
        assert!(asked[0].story.contains("37"));
    }

    proptest! {
        #[test]
        fn any_message_can_be_read(message in "\\PC{0,120}") {
            prop_assert!(read(&message, "defi").len() <= QUESTIONS);
        }
    }
}
