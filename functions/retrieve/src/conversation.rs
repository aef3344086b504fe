//! From a message and what came before it to what is searched for.

use contracts::knowledge::{Intent, RetrieveRequest};
use english::{is_stop_word, plain_words};

use crate::follow_up::{intent, search_text};
use crate::reading::{Asked, read, says_something};

/// A search for one question of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// The question as it was read.
    pub question: String,
    /// How it is meant.
    pub intent: Intent,
    /// What is searched for.
    pub text: String,
    /// What it goes on with.
    pub topic: String,
    /// All that the person has said.
    pub said: String,
    /// The passages that the last answer cited.
    pub told: Vec<String>,
    /// Those that are not wanted again.
    pub skip: Vec<String>,
    /// The topic is what the person told along with the question.
    pub is_story: bool,
}

impl Search {
    /// Whether it means something only together with its topic.
    pub fn leans(&self) -> bool {
        !matches!(self.intent, Intent::Question | Intent::Unanswered)
    }

    /// Whether it may go on with its topic where nothing answers it alone.
    pub fn may_go_on(&self) -> bool {
        self.intent == Intent::Unanswered || self.intent == Intent::Question && content(&self.question) <= FEW_WORDS + 1
    }

    /// Whether it has so few words of its own that it may.
    pub fn may_lean(&self) -> bool {
        let words: Vec<String> = plain_words(&self.question).take(3).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        // "What is staking" names its own subject.
        let defines = matches!(words[..], ["what", "is" | "are", word] if word != "the" && !is_stop_word(word));
        self.intent == Intent::Question && !defines && content(&self.question) <= FEW_WORDS
    }
}

/// The searches that a message asks for, its typing errors mended by `mend`; none where it asks nothing.
pub fn searches(request: &RetrieveRequest, mend: impl Fn(&str) -> String) -> Vec<Search> {
    let before: Vec<String> = request.before.iter().map(|message| plain(message, &request.assistant, &mend)).collect();
    let asked = read(&request.question, &request.assistant);
    let said: Vec<&str> =
        request.before.iter().map(|message| message.0.as_str()).chain([request.question.0.as_str()]).collect();
    let said = said.join("\n");
    let mut searches: Vec<Search> = Vec::new();
    for one in asked {
        let within = searches.last().map(|last| last.question.clone());
        let question = mend(&one.text);
        let search = search(question, &one, within, &before, request);
        searches.push(Search { said: said.clone(), ..search });
    }
    searches
}

/// An earlier message as it was read.
fn plain(message: &str, assistant: &str, mend: impl Fn(&str) -> String) -> String {
    let asked = read(message, assistant);
    mend(&asked.iter().map(|one| one.text.as_str()).collect::<Vec<_>>().join(". "))
}

fn search(
    question: String,
    asked: &Asked,
    within: Option<String>,
    before: &[String],
    request: &RetrieveRequest,
) -> Search {
    let intent = intent(&question);
    // The last answer that was one: a topic survives an "I don't know" and a greeting.
    let told = request.cited.iter().rev().find(|cited| !cited.is_empty()).cloned().unwrap_or_default();
    let earlier =
        before.iter().rev().find(|message| says_something(message) && self::intent(message) == Intent::Question);
    let earlier = earlier.cloned().unwrap_or_default();
    let base = Search { question: question.clone(), intent, text: question.clone(), ..Search::default() };
    let leans = intent != Intent::Question;
    match (within, leans) {
        // "What is an approval and how do I revoke it": the second half of a message leans on the first.
        (Some(first), true) => Search { topic: first, intent: Intent::FollowUp, ..base },
        _ if !asked.story.is_empty() => {
            // The whole story is searched for, and what is asked of it counts twice.
            let text = format!("{}. {question}", asked.story);
            Search { text, topic: question, is_story: true, intent: Intent::Question, ..base }
        }
        (None, true) if told.is_empty() && earlier.is_empty() => {
            let text = search_text(&question, before);
            Search { text, intent: Intent::Question, ..base }
        }
        (None, true) if intent == Intent::Unanswered => {
            let last = before.iter().rev().find(|message| self::intent(message) != Intent::Unanswered);
            let last = last.cloned().unwrap_or_default();
            let skip = request.cited.iter().rev().take(2).flatten().cloned().collect();
            // What follows the complaint says more of what is wanted.
            let more = question.split_once([',', '.']).map(|(_, more)| more).unwrap_or_default();
            Search { text: format!("{last}\n{more}"), topic: earlier, told, skip, ..base }
        }
        // Nothing was told yet: it is one question with the earlier one.
        (None, true) if told.is_empty() => {
            Search { text: format!("{earlier}\n{question}"), intent: Intent::Question, ..base }
        }
        (_, _) => Search { topic: earlier, told, ..base },
    }
}

/// A question with so few words that say something says little by itself.
const FEW_WORDS: usize = 2;

/// How many words say something.
fn content(question: &str) -> usize {
    plain_words(question).filter(|word| !is_stop_word(word)).count()
}

#[cfg(test)]
mod tests {
    use contracts::private::Private;

    use super::*;

    fn request(question: &str, turns: &[(&str, &[&str])]) -> RetrieveRequest {
        RetrieveRequest {
            assistant: "fertility".to_owned(),
            question: Private(question.to_owned()),
            before: turns.iter().map(|(message, _)| Private((*message).to_owned())).collect(),
            cited: turns.iter().map(|(_, cited)| cited.iter().map(|id| (*id).to_owned()).collect()).collect(),
            ..RetrieveRequest::default()
        }
    }

    fn of(question: &str, turns: &[(&str, &[&str])]) -> Vec<Search> {
        searches(&request(question, turns), str::to_owned)
    }

    #[test]
    fn a_follow_up_goes_on_with_what_was_told_last() {
        let turns: [(&str, &[&str]); 3] = [("hi, whats IVF", &["a"]), ("and the moon?", &[]), ("ok", &[])];
        let found = of("and the risks?", &turns);
        assert_eq!((found[0].intent, found[0].topic.as_str()), (Intent::FollowUp, "what is IVF"));
        assert_eq!(found[0].told, ["a"]);
        assert_eq!(of("what is an AMH test", &turns)[0].intent, Intent::Question);
    }

    #[test]
    fn what_did_not_answer_is_not_given_again() {
        let found = of("that doesn't answer my question", &[("is it covered", &["a", "b"])]);
        assert_eq!((found[0].intent, found[0].skip.len()), (Intent::Unanswered, 2));
        assert!(found[0].text.starts_with("is it covered"));
    }

    #[test]
    fn the_second_question_of_a_message_may_lean_on_the_first() {
        let found = of("what is an embryo grade and how do i read it", &[]);
        let topics: Vec<&str> = found.iter().map(|search| search.topic.as_str()).collect();
        assert_eq!(topics, ["", "what is an embryo grade"]);
    }

    #[test]
    fn a_greeting_searches_nothing() {
        assert_eq!(of("hello there", &[("what is IVF", &["a"])]), []);
    }
}
