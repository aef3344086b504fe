//! One turn with an assistant that answers from its texts: whatever is no courtesy is a question.

use contracts::dialogue::{Act, Action, Session, Understanding};

/// Takes one turn: the session as it stands then, and what is done.
pub(crate) fn advance(mut session: Session, said: &Understanding) -> (Session, Action) {
    if said.is_short() && said.acts.contains(&Act::Handoff) {
        session.handed_off = true;
        return (session, Action::Handoff);
    }
    if said.is_short() && said.acts.contains(&Act::StartOver) {
        let handed_off = session.handed_off;
        return (Session { handed_off, ..Session::default() }, Action::StartOver);
    }
    match said.courtesy() {
        Some(topic) => (session, Action::Answer { topic, rank: None, then_ask: None }),
        None => (session, Action::Retrieve),
    }
}

#[cfg(test)]
mod tests {
    use contracts::dialogue::Topic;
    use contracts::private::Private;

    use super::*;

    fn said(words: &str, acts: &[Act], questions: &[Topic]) -> Understanding {
        let words = words.split(' ').map(str::to_owned).collect();
        Understanding {
            words: Private(words),
            acts: acts.to_vec(),
            questions: questions.to_vec(),
            ..Default::default()
        }
    }

    #[test]
    fn courtesies_are_returned_and_everything_else_is_looked_up() {
        let cases = [
            (said("hello there", &[], &[Topic::Greeting]), "Answer"),
            (said("hello what is ivf and how long does it take", &[], &[Topic::Greeting]), "Retrieve"),
            (said("thanks a lot", &[], &[Topic::Thanks]), "Answer"),
            (said("what is ivf", &[], &[]), "Retrieve"),
            (said("how much does it cost", &[], &[Topic::Price]), "Retrieve"),
            (said("let's start over", &[Act::StartOver], &[]), "StartOver"),
            (said("can a woman start over with ivf after a miscarriage", &[Act::StartOver], &[]), "Retrieve"),
            (said("a human please", &[Act::Handoff], &[]), "Handoff"),
        ];
        for (said, expected) in cases {
            let (_, action) = advance(Session::default(), &said);
            assert!(format!("{action:?}").starts_with(expected), "{:?}: {action:?}", said.words.0);
        }
    }
}
