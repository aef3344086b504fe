//! What people in danger are told: a small script by class, written by people, never by a model.
//!
//! Each reply acknowledges what was said without quoting it, asks directly whether they are safe, gives the number for now, a
//! person to talk to at any hour and a trusted person, and where it happens now: the emergency number first, not to be
//! alone, distance from means. (What such replies leave out when they do harm is listed by the open rubric VERA-MH: the risk itself, the question about safety, help at any hour,
//! other people.) Later replies of a session differ from the earlier ones.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::care::{Answer, Care};
use crate::helplines::{DIRECTORY, Helpline, Kind, kinds, of};
use crate::{Alarm, Class, Region};

/// Short replies in other languages, by language and kind of danger.
const TRANSLATED: &str = include_str!("../data/replies.txt");

/// The most helplines that a reply names.
const LINES: usize = 3;

/// A service that a reply names, for buttons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HelpLine {
    /// What it is for.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// What to dial, in words where there are several numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "116 123")]
    pub call: Option<String>,
    /// What to text, to what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Where to chat or report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online: Option<String>,
    /// When it answers, in local time; `24/7` is at any hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<String>,
}

impl From<&Helpline> for HelpLine {
    fn from(line: &Helpline) -> Self {
        Self {
            kind: line.kind,
            name: line.name.clone(),
            call: line.call.clone(),
            text: line.text.clone(),
            online: line.chat.clone().or_else(|| line.url.clone()),
            hours: line.hours.clone(),
        }
    }
}

/// The help that goes with a reply to somebody in danger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Help {
    /// What danger was recognised.
    pub class: Class,
    /// The country that the numbers are of, ISO 3166-1 alpha-2; none where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Whom to call, the most urgent first.
    #[serde(default)]
    pub lines: Vec<HelpLine>,
    /// The lines of all countries.
    pub directory: String,
}

/// A reply, the help in it, and what the session is to remember.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Its words.
    pub words: String,
    /// Whom to call.
    pub help: Help,
    /// For the session.
    pub care: Care,
}

/// The reply to an alarm; `before` is what the session remembers of an earlier one.
pub fn to_alarm(alarm: Alarm, region: Region, before: Option<&Care>) -> Reply {
    let contacts = Contacts::of(alarm.class, region_or(region, before));
    let code = contacts.region.code();
    let (words, care) = match before.filter(|before| before.class == alarm.class || alarm.class != Class::LosingMoney) {
        Some(before) => {
            let care =
                Care { class: alarm.class, replies: before.replies.saturating_add(1), ..Care::new(alarm.class, code) };
            let words = if before.class == alarm.class {
                again(alarm, &contacts, before.replies)
            } else {
                first(alarm, &contacts)
            };
            (words, care)
        }
        None => (first(alarm, &contacts), Care::new(alarm.class, code)),
    };
    Reply { words, help: contacts.help(alarm.class), care }
}

/// The reply to a message that answers the last crisis reply; `None` where it is about something else.
///
/// `goes_on` where it says something else as well, a journey say: then only an answer that must not be passed over is one.
pub fn to_answer(message: &str, region: Region, before: &Care, goes_on: bool) -> Option<Reply> {
    let answer =
        before.answer(message).filter(|answer| !goes_on || matches!(answer, Answer::NotSafe | Answer::CannotCall))?;
    let contacts = Contacts::of(before.class, region_or(region, Some(before)));
    let words = follow_up(answer, before, &contacts);
    let care = Care {
        replies: before.replies.saturating_add(1),
        turns_since: 0,
        safe: matches!(answer, Answer::Safe | Answer::Thanks) || before.safe && answer != Answer::NotSafe,
        ..before.clone()
    };
    Some(Reply { words, help: contacts.help(before.class), care })
}

/// What is added to the next reply about something else.
pub fn reminder(care: &Care) -> String {
    let region = care.region.as_deref().and_then(Region::named).unwrap_or_default();
    format!("And if it gets bad again, at any hour: {}.", Contacts::of(care.class, region).talk())
}

fn region_or(region: Region, before: Option<&Care>) -> Region {
    let before = || before.and_then(|care| care.region.as_deref()).and_then(Region::named).unwrap_or_default();
    if region.code().is_some() { region } else { before() }
}

/// Whom to reach in a region.
struct Contacts {
    region: Region,
    emergency: Option<&'static Helpline>,
    lines: Vec<&'static Helpline>,
}

impl Contacts {
    fn of(class: Class, region: Region) -> Self {
        let mut lines: Vec<_> = kinds(class).iter().flat_map(|kind| of(region, *kind).into_iter().take(2)).collect();
        if lines.is_empty() && class != Class::Medical && class != Class::LosingMoney {
            lines = of(region, Kind::Crisis);
        }
        lines.truncate(LINES);
        Self { region, emergency: of(region, Kind::Emergency).into_iter().next(), lines }
    }

    fn help(&self, class: Class) -> Help {
        Help {
            class,
            region: self.region.code().map(str::to_owned),
            lines: self.emergency.iter().chain(&self.lines).map(|line| HelpLine::from(*line)).collect(),
            directory: DIRECTORY.to_owned(),
        }
    }

    /// "call 999", or where the country is not known, what most of the world calls.
    fn emergency(&self) -> String {
        match self.emergency.and_then(|line| line.call.as_ref()) {
            Some(number) if number.contains(',') || number.starts_with(|letter: char| letter.is_ascii_alphabetic()) => {
                format!("call for help ({number})")
            }
            Some(number) => format!("call {number}"),
            None => {
                "call your local emergency number (112 in Europe and from most mobile phones, 911 in North America, \
                     999 in the United Kingdom, 000 in Australia)"
                    .to_owned()
            }
        }
    }

    /// The lines, a sentence's end each: "Samaritans (call 116 123, at any hour)".
    fn named(&self) -> Vec<String> {
        let name = |line: &&Helpline| match &line.hours {
            Some(_) if line.at_any_hour() => format!("{} ({}; at any hour)", line.name, line.reach()),
            Some(hours) => format!("{} ({}; {hours})", line.name, line.reach()),
            None => format!("{} ({})", line.name, line.reach()),
        };
        self.lines.iter().map(name).collect()
    }

    /// Whom to talk to: the lines, or the directory of all countries.
    fn talk(&self) -> String {
        match self.named().as_slice() {
            [] => format!("the lines of every country are listed at {DIRECTORY}"),
            lines => lines.join("; or "),
        }
    }

    /// The first line alone.
    fn one(&self) -> String {
        self.named().into_iter().next().unwrap_or_else(|| format!("a line of your country from {DIRECTORY}"))
    }

    /// Ways to reach somebody without speaking.
    fn silent(&self) -> String {
        let ways: Vec<String> = self
            .lines
            .iter()
            .filter_map(|line| {
                let text = line.text.as_ref().map(|text| format!("text {text}"));
                let way = text.or_else(|| line.chat.as_ref().map(|chat| format!("chat at {chat}")))?;
                Some(format!("{}: {way}", line.name))
            })
            .collect();
        if ways.is_empty() {
            format!("many countries have lines that answer by text or chat: {DIRECTORY}")
        } else {
            ways.join("; or ")
        }
    }
}

/// The parts of a first reply.
struct Script {
    acknowledges: &'static str,
    asks: &'static str,
    /// What to do where it happens now; `{emergency}` is the call.
    urgent: &'static str,
    /// Who helps besides; `{talk}` are the lines.
    helps: &'static str,
}

/// The last sentence of most replies: it is a program, and it does not go away.
const STAYS: &str = "I am an AI: I can't call anyone or see where you are, but this conversation stays open.";

fn script(class: Class) -> Script {
    match class {
        Class::Suicide | Class::Other => Script {
            acknowledges: "I'm glad you told me. It sounds as if it hurts more than you can bear, and I take that seriously.",
            asks: "Are you safe right now? Have you already done something, or do you have something with you that you could \
                   use to hurt yourself?",
            urgent: "If so, or if you might act on it: {emergency} now, or go to the nearest emergency department. Don't stay \
                     alone, ask somebody to come to you, and get away from whatever you could use: hand it to them, or leave \
                     the room.",
            helps: "A person will listen at any hour: {talk}. Please also tell one person you trust, today, in the words you \
                    told me, and a doctor or therapist as soon as you can.",
        },
        Class::SelfHarm => Script {
            acknowledges: "Thank you for saying that. Hurting yourself is often a way to get through something unbearable, \
                           and you need not be ashamed of it here.",
            asks: "Are you hurt now? And are you also thinking of ending your life?",
            urgent: "If a wound is deep, keeps bleeding or gapes, if you took something, or if you can't stop: {emergency} now, and \
                     ask somebody to stay with you. Put away what you use, or go to another room.",
            helps: "You can talk to a person about exactly this: {talk}. A doctor or therapist can help with what lies behind \
                    it; tell them, or first somebody you trust.",
        },
        Class::EatingDisorder => Script {
            acknowledges: "Thank you for telling me. What you describe is hard on a body, and it is an illness, not a failing.",
            asks: "Do you feel faint, is your heart racing or skipping, do you bring up blood, or have you had nothing to drink \
                   today? And are you safe with yourself?",
            urgent: "With any of those: {emergency} or go to an emergency department now, and don't stay alone. Otherwise let a \
                     doctor check you today, not next week.",
            helps: "To talk to somebody who knows this: {talk}. And tell one person you trust, so that you need not carry it \
                    alone.",
        },
        Class::Overdose => Script {
            acknowledges: "This needs help now, even if you feel all right: some things do their harm hours later.",
            asks: "Is somebody with you? Was it meant to hurt, or an accident?",
            urgent: "{emergency} now and say what was taken, how much and when. Don't wait for signs, don't bring it up, eat or drink \
                     anything unless they say so. Unlock the door, keep the packet at hand, and lie on your side if you get drowsy. If \
                     somebody does not wake or breathe, say that first and do what they tell you.",
            helps: "Whom else to ask: {talk}. If you wanted to die: tell them that too. They are there to help, not to judge.",
        },
        Class::Medical => Script {
            acknowledges: "What you describe can be an emergency, and it is better to be checked once too often.",
            asks: "Is anybody with you?",
            urgent: "{emergency} now: say what happens, where you are, and if you are pregnant or in fertility treatment. \
                     Sit or lie down, unlock the door, don't drive yourself, and ask somebody to stay with you. On board a plane or at \
                     an airport, tell the crew or staff this minute.",
            helps: "After that call, ring your clinic's or maternity unit's emergency number if you have one. I can't \
                    examine anybody, so please don't wait for me.",
        },
        Class::Abuse => Script {
            acknowledges: "I'm sorry this is happening to you. It is not your fault: nobody has the right to hurt or frighten you.",
            asks: "Are you safe at this moment, and can anyone else read this screen?",
            urgent: "If you are in danger: {emergency} now. Get to a place with a way out and with people; away from kitchens and \
                     weapons. If you were choked or hit on the head, see a doctor today, even without marks.",
            helps: "People who know how to get safe, at your pace: {talk}. Tell one person you trust, and agree on a word that means \
                    \"call for help\".",
        },
        Class::Child => Script {
            acknowledges: "Thank you for telling me. What is happening is not okay, and it is not your fault, nor the child's.",
            asks: "Are you, or is the child, safe right now?",
            urgent: "If somebody is being hurt or may be soon: {emergency} now.",
            helps: "There are people whose job is exactly this, and they won't be angry: {talk}. Tell a grown-up you trust who is not \
                    the one doing it: a teacher, a school nurse, a relative, a neighbour. If somebody threatens with pictures: send \
                    nothing more, pay nothing, keep the messages, and tell.",
        },
        Class::HarmToOthers => Script {
            acknowledges: "It is good that you said this before anything happened. Such thoughts are frightening, and they can be \
                           helped.",
            asks: "Is anybody in danger right now? Are you near them, and do you have a weapon?",
            urgent: "If you might act: {emergency} now and say so. Go away from the person, hand over or leave what you could use; \
                     a baby you can lay safely in the cot and go to another room. Don't stay alone with it.",
            helps: "To talk it down with a person: {talk}. If voices tell you to do things, let a doctor or an emergency \
                    department see you today.",
        },
        Class::ThirdParty => Script {
            acknowledges: "It is right that you don't look away, and hard to carry alone.",
            asks: "Do you know where they are, and are they safe right now?",
            urgent: "If they have taken something, are hurt, have the means with them, or can't be reached after a goodbye: \
                     {emergency} now and say where they are. Stay with them if that is safe for you, and keep what they could use away. \
                     Where somebody is violent, don't step between: call.",
            helps: "Ask them openly whether they think of killing themselves, or are being hurt: asking does no harm, and listening \
                    helps. For them and for you: {talk}. Bring in one more person you both trust, and a doctor.",
        },
        Class::LosingMoney => Script {
            acknowledges: "I'm sorry. Minutes count now, so first what to do, in this order:",
            asks: "Which was it: the seed phrase, a signature, a payment, or the phone number?",
            urgent: "",
            helps: "",
        },
    }
}

fn first(alarm: Alarm, contacts: &Contacts) -> String {
    if let Some(words) = alarm.language.and_then(|language| translated(language, alarm.class, contacts)) {
        return words;
    }
    if alarm.class == Class::LosingMoney {
        return first_aid(contacts);
    }
    let Script { acknowledges, asks, urgent, helps } = script(alarm.class);
    let urgent = capitalized(&urgent.replace("{emergency}", &contacts.emergency()));
    let helps = helps.replace("{talk}", &contacts.talk());
    let at_once = alarm.now || matches!(alarm.class, Class::Overdose | Class::Medical);
    let order = if at_once { [acknowledges, &urgent, asks, &helps] } else { [acknowledges, asks, &urgent, &helps] };
    format!("{}\n\n{STAYS}", order.join("\n\n"))
}

/// What to do when money is being drained, in order.
fn first_aid(contacts: &Contacts) -> String {
    let report = match contacts.named().as_slice() {
        [] => "Report it to the police and your country's fraud line".to_owned(),
        lines => format!("Report it: {}", lines.join("; or ")),
    };
    let Script { acknowledges, asks, .. } = script(Class::LosingMoney);
    format!(
        "{acknowledges}\n\n\
         1. Send nothing more to anyone: no fee, no tax, no \"unlocking\", nothing to somebody who offers to get it back. End remote \
         access and screen sharing.\n\
         2. If your seed phrase or key may be known: make a new wallet on a clean device and move what is left to it now, the most \
         valuable first. A new password does not help.\n\
         3. If you signed or approved something: once the rest is moved, revoke the approvals in your wallet or at revoke.cash.\n\
         4. Call your exchange, bank or card from the number in its own app and have transfers stopped. If your phone lost its signal, \
         call your mobile provider from another phone.\n\
         5. Keep everything: addresses, transaction hashes, messages, names, times.\n\
         6. {report}. What is on the chain can rarely be brought back, and whoever promises that for money is the next fraud.\n\n\
         {asks} I can tell you more about each step. And if this makes you think of hurting yourself, say so here or to somebody \
         near you: that comes first."
    )
}

/// A reply to the same danger once more. The parts have 4, 3 and 5 forms, so that sixty replies differ.
fn again(alarm: Alarm, contacts: &Contacts, replies: u8) -> String {
    if alarm.class == Class::LosingMoney {
        return format!(
            "It is still the order that counts: stop sending, move what is left to a new wallet, revoke, call your exchange or bank, \
             report ({}). Which step are you at?",
            contacts.talk()
        );
    }
    const OPENINGS: [&str; 4] = [
        "I hear you, and I'm still here.",
        "You are not a burden for saying it again.",
        "I'm taking every word of this seriously.",
        "Thank you for staying with me.",
    ];
    const ASKS: [&str; 3] = [
        "Is there anyone within reach, in the building or on the phone, who could be with you in the next minutes?",
        "Are you safe where you are, yes or no?",
        "What is the smallest thing that would make the next hour safer?",
    ];
    let at = usize::from(replies);
    let opening = OPENINGS.get(at % OPENINGS.len()).copied().unwrap_or_default();
    let asks = ASKS.get(at % ASKS.len()).copied().unwrap_or_default();
    let step = match at % 5 {
        0 => format!("Please make one call now: {}.", contacts.one()),
        1 if alarm.now => format!("Please {} now, and stay on the line.", contacts.emergency()),
        1 => format!("If it gets closer to happening, {}: that is what the number is for.", contacts.emergency()),
        2 => format!("You can also write instead of speaking: {}.", contacts.silent()),
        3 => format!("Somebody trained for this is there: {}. You can read them what you wrote to me.", contacts.one()),
        _ => format!(
            "Go to where people are: a neighbour, an emergency department, any lit place; or {}.",
            contacts.emergency()
        ),
    };
    let known = script(alarm.class);
    let danger =
        if alarm.now { capitalized(&known.urgent.replace("{emergency}", &contacts.emergency())) } else { step.clone() };
    if alarm.now && danger != step {
        format!("{opening} {danger}\n\n{asks}")
    } else {
        format!("{opening} {step}\n\n{asks}")
    }
}

fn follow_up(answer: Answer, care: &Care, contacts: &Contacts) -> String {
    let even = care.replies.is_multiple_of(2);
    match answer {
        Answer::NotSafe => {
            let call = capitalized(&contacts.emergency());
            let place = match care.class {
                Class::Abuse | Class::Child => "If you can get out safely, go to where other people are and stay there",
                _ => "Unlock the door, leave what could hurt you behind, and go to where another person is",
            };
            if even {
                format!(
                    "Thank you for being honest. Then this comes first: {} now. {place}. Is there somebody you can shout for?",
                    contacts.emergency()
                )
            } else {
                format!(
                    "{call}, right now, before you write anything more. Say \"I am not safe\"; they know what to do. {place}. Who is nearest to you?"
                )
            }
        }
        Answer::CannotCall => {
            let ways = contacts.silent();
            if even {
                format!(
                    "Then without a call: {ways}. Or send somebody you know four words: \"Not safe, please come.\" Whose name comes to mind first?"
                )
            } else {
                format!(
                    "You don't have to speak to anyone on the phone. {}. You can also show this screen to a neighbour, a pharmacist, \
                     at any hospital or police station. Which of these could you do in the next ten minutes?",
                    capitalized(&ways)
                )
            }
        }
        Answer::WhoAreYou => format!(
            "I'm an AI, a program, and no person reads along here. I can't call anyone for you. That is why I would like you to have a person \
             now: {}. If it helps, I can find the words with you for what to say first.",
            contacts.one()
        ),
        Answer::Safe => format!(
            "I'm relieved to read that. For the next hours: stay with somebody, or keep somebody on the phone; keep away what could hurt \
             you; and keep this at hand: {}. {}",
            contacts.one(),
            if even {
                "What made today so hard? Or, if you would rather, we go back to what you came for."
            } else {
                "If you want, tell me what led to this; or we go on with something else."
            }
        ),
        Answer::Thanks => format!(
            "You did something hard by saying it. Keep {} within reach, and tell one person today. You can write here at any time.",
            contacts.one()
        ),
        Answer::Vague if even => format!(
            "You don't need the right words. One small step at a time: are you somewhere safe? If not, {}. If yes, would you let {} \
             listen for a while?",
            contacts.emergency(),
            contacts.one()
        ),
        Answer::Vague => format!(
            "I'm still here. A yes or a no is enough: is there anything near you that you could hurt yourself with, or anybody who might \
             hurt you? In that case {}. Otherwise, {} has time for you.",
            contacts.emergency(),
            contacts.one()
        ),
    }
}

/// The reply in another language, where there is one for this kind of danger.
fn translated(language: &str, class: Class, contacts: &Contacts) -> Option<String> {
    let kind = match class {
        Class::Overdose | Class::Medical => "emergency",
        Class::Abuse | Class::Child => "violence",
        Class::LosingMoney => "money",
        _ => "crisis",
    };
    let section = format!("[{language} {kind}]");
    let text = TRANSLATED.lines().skip_while(|line| *line != section).nth(1)?;
    let number = match contacts.emergency.and_then(|line| line.call.clone()) {
        Some(number) => number,
        None => "112 / 911 / 999 / 000".to_owned(),
    };
    let lines = match contacts.named().as_slice() {
        [] => DIRECTORY.to_owned(),
        lines => lines.join("; "),
    };
    Some(text.replace("{emergency}", &number).replace("{talk}", &lines))
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::guard::Reader;

    fn alarm(class: Class, now: bool) -> Alarm {
        Alarm { class, now, by: Reader::Pattern, language: None }
    }

    #[test]
    fn every_first_reply_asks_gives_a_number_and_a_person_and_says_what_it_is() {
        for class in Class::ALL.into_iter().filter(|class| *class != Class::LosingMoney) {
            for (region, number) in [(Region::named("GB").unwrap(), "call 999"), (Region::default(), "112")] {
                let reply = to_alarm(alarm(class, false), region, None);
                let words = &reply.words;
                assert!(words.to_lowercase().contains(number) && words.contains('?'), "{words}");
                assert!(words.contains("somebody") || words.contains("person"), "{words}");
                assert!(words.contains("I am an AI") && !words.contains('{'), "{words}");
                assert!(words.split_whitespace().count() < 220, "{} {words}", words.split_whitespace().count());
                assert_eq!(reply.help.class, class);
            }
        }
    }

    #[test]
    fn what_happens_now_begins_with_the_emergency_number() {
        let gb = Region::named("GB").unwrap();
        let place = |now| to_alarm(alarm(Class::Suicide, now), gb, None).words.find("999").unwrap();
        assert!(place(true) < place(false));
    }

    #[test]
    fn first_aid_for_money_is_a_list_in_order() {
        let words = to_alarm(alarm(Class::LosingMoney, false), Region::named("GB").unwrap(), None).words;
        assert!(words.contains("1. Send nothing more") && words.contains("0300 123 2040"), "{words}");
    }

    #[test]
    fn no_two_replies_of_a_session_are_the_same() {
        let mut care = None;
        let mut seen = HashSet::new();
        for _ in 0..40 {
            let reply = to_alarm(alarm(Class::Suicide, false), Region::named("US").unwrap(), care.as_ref());
            assert!(seen.insert(reply.words.clone()), "{}", reply.words);
            care = Some(reply.care);
        }
    }

    #[test]
    fn an_answer_is_followed_and_safe_is_remembered() {
        let first = to_alarm(alarm(Class::Suicide, false), Region::named("IE").unwrap(), None);
        let not_safe = to_answer("no", Region::default(), &first.care, false).unwrap();
        assert!(not_safe.words.contains("112") || not_safe.words.contains("999"), "{}", not_safe.words);
        assert_eq!(not_safe.care.region.as_deref(), Some("IE"));
        let safe = to_answer("yes I'm safe", Region::default(), &not_safe.care, false).unwrap();
        assert!(safe.care.safe && !safe.care.reminds());
        // With a journey beside it, only what must not be passed over is answered first.
        assert!(to_answer("my sister is with me now", Region::default(), &first.care, true).is_none());
        assert!(to_answer("no", Region::default(), &first.care, true).is_some());
    }

    #[test]
    fn another_danger_in_the_same_session_gets_its_own_reply() {
        let care = Care::new(Class::LosingMoney, Some("US"));
        let reply = to_alarm(alarm(Class::Suicide, false), Region::default(), Some(&care));
        assert!(reply.words.contains("I'm glad you told me") && reply.words.contains("988"), "{}", reply.words);
    }

    #[test]
    fn every_language_of_the_guard_has_its_replies() {
        for language in ["es", "fr", "de", "pt", "it", "tr", "ar", "hi", "ur", "zh", "ja"] {
            for class in [Class::Suicide, Class::Medical, Class::Abuse, Class::LosingMoney] {
                let alarm = Alarm { language: Some(language), ..alarm(class, false) };
                let words = to_alarm(alarm, Region::default(), None).words;
                assert!(!words.contains("I am an AI") && !words.contains('{'), "{language} {words}");
                assert!(class == Class::LosingMoney || words.contains("112"), "{language} {words}");
            }
        }
    }
}
