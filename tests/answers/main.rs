//! Whether the assistants answer what their texts know, asked as people ask and through the door that everyone uses.
//!
//! The questions are in `*.txt` beside this file; whoever adds to them needs no Rust. Without a model, and with the embedder
//! that `EMBEDDER` names (the default one where it names none). `COLLOQUY_ANSWERS=wrong` prints each wrong reply, `=all` all
//! of them; `COLLOQUY_ASSISTANTS` names other texts.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aws::knowledge_store::Spaces;
use contracts::api::RETRIEVE;
use contracts::knowledge::RetrieveRequest;
use contracts::private::Private;
use futures::{StreamExt, stream};
use local::Options;
use local::knowledge::own_texts_from_env;
use models::embedder::Embedder;
use runtime::deadline::Deadline;
use runtime::pipeline::Pipeline;
use serde_json::{Value, json};
use tests::answers::{Line, Session, Shares, read};
use tests::{App, options, session_of};

/// The assistants, with the least shares that must be right: of single questions, of those whose answers nobody tuned, and of
/// turns in conversations.
const ASSISTANTS: [(&str, [f64; 3]); 3] =
    [("fertility", [0.98, 0.80, 0.88]), ("therapy", [0.93, 0.76, 0.92]), ("defi", [0.95, 0.83, 0.94])];
/// The kind of the questions that were written and asked once before anything was changed for them.
const FIRST_SIGHT: &str = "first sight";
/// The kinds of single questions that are answered from the texts, and not by rule.
const OF_THE_TEXTS: [&str; 7] = ["plain", "short", "typos", "wrapped", "several", "story", FIRST_SIGHT];
const AT_ONCE: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn what_the_texts_know_is_answered_as_people_ask_it() {
    let app = start().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("answers");
    let mut fell = Vec::new();
    println!("{:12}{:14}right   of", "", "");
    for (assistant, least) in ASSISTANTS {
        let sessions = read(&folder.join(assistant).with_extension("txt")).unwrap();
        let shares = play(&app, assistant, &sessions).await;
        for kind in shares.kinds().collect::<Vec<_>>() {
            print(assistant, kind, shares.of(|other| other == kind));
        }
        let single = print(assistant, "SINGLE", shares.of(|kind| !is_turn(kind) && kind != FIRST_SIGHT));
        let unseen = print(assistant, "FIRST SIGHT", shares.of(|kind| kind == FIRST_SIGHT));
        let turns = print(assistant, "TURNS", shares.of(is_turn));
        print(assistant, "IN PASSAGES", in_passages(&app, assistant, &sessions).await.of(|_| true));
        let reached = [single, unseen, turns];
        if reached.iter().zip(least).any(|(reached, least)| *reached < least) {
            fell.push(format!("{assistant}: {reached:.3?} of {least:?}"));
        }
    }
    if let Some(sessions) = public_conversations() {
        let mut all = Shares::default();
        for (assistant, ..) in ASSISTANTS {
            let own: Vec<Session> =
                sessions.iter().filter(|(of, _)| of == assistant).map(|(_, session)| session.clone()).collect();
            let shares = play(&app, assistant, &own).await;
            let (share, count) = shares.of(|_| true);
            (0..count).for_each(|at| all.add("public", (at as f64) < share * count as f64 - 0.5));
        }
        print("all", "public turns", all.of(|_| true));
    }
    app.colloquy.stop().await;
    assert!(fell.is_empty(), "{fell:#?}");
}

fn is_turn(kind: &str) -> bool {
    kind.ends_with("turn")
}

fn print(assistant: &str, kind: &str, (share, count): (f64, usize)) -> f64 {
    println!("{assistant:12}{kind:14}{share:5.3} {count:4}");
    share
}

/// The set, once all its texts can be found.
async fn start() -> App {
    let (embedder, own_texts) = (Embedder::from_env().unwrap(), own_texts_from_env().unwrap());
    let spaces = Spaces::new(embedder.as_ref().map(Embedder::space), None);
    let app = App::with_options(Options { embedder, own_texts: own_texts.clone(), ..options() }).await;
    let started = Instant::now();
    for (assistant, ..) in ASSISTANTS {
        let count = own_texts.iter().filter(|text| text.assistant == assistant).count();
        loop {
            let documents = app.colloquy.knowledge().documents(assistant).await.unwrap();
            if documents.len() == count && documents.iter().all(|document| document.is_settled_in(&spaces)) {
                break;
            }
            assert!(started.elapsed() < Duration::from_secs(120), "the texts of {assistant} are not taken in");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    // Texts are looked at anew after two seconds.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    app
}

/// Whether what a reply must hold is in the passages that a model would be given to write it from.
async fn in_passages(app: &App, assistant: &str, sessions: &[Session]) -> Shares {
    let pipeline = Pipeline::new(app.colloquy.steps_url()).unwrap();
    let mut shares = Shares::default();
    for session in sessions.iter().filter(|session| OF_THE_TEXTS.contains(&session.kind.as_str())) {
        for line in &session.lines {
            let question = Private(line.words.clone());
            let request = RetrieveRequest { assistant: assistant.to_owned(), question, ..RetrieveRequest::default() };
            let found = pipeline.call(&RETRIEVE, &request, Deadline::after(Duration::from_secs(20))).await.unwrap();
            let texts: Vec<&str> = found.passages.iter().map(|passage| passage.text.as_str()).collect();
            shares.add(&session.kind, line.is_held_by(&texts.join("\n")));
        }
    }
    shares
}

async fn play(app: &App, assistant: &str, sessions: &[Session]) -> Shares {
    let played: Vec<Vec<String>> =
        stream::iter(sessions).map(|session| replies(app, assistant, session)).buffered(AT_ONCE).collect().await;
    let mut shares = Shares::default();
    for (session, replies) in sessions.iter().zip(played) {
        for (at, (line, reply)) in session.lines.iter().zip(replies).enumerate() {
            let right = line.is_right(&reply);
            let kind = match (session.kind.as_str(), at) {
                ("conversation", 0) => "first turn",
                ("conversation", _) => "later turn",
                (kind, _) => kind,
            };
            shares.add(kind, right);
            tell(assistant, kind, line, &reply, right);
        }
    }
    shares
}

fn tell(assistant: &str, kind: &str, line: &Line, reply: &str, right: bool) {
    let wanted = std::env::var("COLLOQUY_ANSWERS").unwrap_or_default();
    if wanted == "all" || wanted == "wrong" && !right {
        let mark = if right { "right" } else { "WRONG" };
        println!("{mark} {assistant} [{kind}] {}\n      {}", line.words, reply.replace('\n', "\n      "));
    }
}

async fn replies(app: &App, assistant: &str, session: &Session) -> Vec<String> {
    let (mut session_id, mut replies) = (None::<String>, Vec::new());
    for line in &session.lines {
        let mut body = json!({"assistant": assistant, "message": line.words});
        if let Some(id) = &session_id {
            body["session_id"] = json!(id);
        }
        let answer = app.post_chat(&body).await;
        assert_eq!(answer.status, 200, "{}: {}", line.words, answer.body);
        session_id = Some(session_of(&answer.body).to_owned());
        replies.push(answer.body["reply"].as_str().unwrap_or_default().to_owned());
    }
    replies
}

/// Conversations that others wrote, where `COLLOQUY_EVAL` names a folder with `knowledge_talks/public.jsonl`.
fn public_conversations() -> Option<Vec<(String, Session)>> {
    let path = PathBuf::from(std::env::var_os("COLLOQUY_EVAL")?).join("knowledge_talks/public.jsonl");
    let lines = std::fs::read_to_string(path).ok()?;
    let conversation = |line: &str| {
        let json: Value = serde_json::from_str(line).unwrap();
        let turns = json["turns"].as_array().unwrap().iter().map(|turn| {
            let pattern = turn["expect"].as_str().unwrap().split_once("regex: ").unwrap().1;
            Line::read(&format!("{} => {pattern}", turn["user"].as_str().unwrap())).unwrap()
        });
        let session = Session { kind: "conversation".to_owned(), lines: turns.collect() };
        (json["assistant"].as_str().unwrap().to_owned(), session)
    };
    Some(lines.lines().map(conversation).collect())
}
