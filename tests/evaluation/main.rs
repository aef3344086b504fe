//! How well it understands people it never heard: public dialogues, played through `POST /v1/chat`.
//!
//! `COLLOQUY_EVAL` names the folder with `sgd_flights/public.jsonl`. The table is printed with
//! `cargo test -p tests --test evaluation -- --nocapture`; with `COLLOQUY_EVAL_MISSES=1` every turn that went wrong of the part that
//! is not held out follows it.

use contracts::travel::Slots;
use futures::{StreamExt, stream};
use serde_json::json;
use tests::evaluation::{Dialogue, Report, data, read};
use tests::{App, session_of};

/// Dialogues played at once; each is a talk of its own.
const AT_ONCE: usize = 8;

async fn play(app: &App, dialogue: &Dialogue) -> anyhow::Result<Vec<Slots>> {
    let client_time = dialogue.now()?.to_string();
    let mut session_id: Option<String> = None;
    let mut played = Vec::new();
    for turn in &dialogue.turns {
        let mut body = json!({"assistant": "travel", "message": turn.user, "client_time": client_time});
        if let Some(id) = &session_id {
            body["session_id"] = json!(id);
        }
        let answer = app.post_chat(&body).await;
        anyhow::ensure!(answer.status == 200, "{} was answered with {}", turn.user, answer.body);
        session_id = Some(session_of(&answer.body).to_owned());
        played.push(serde_json::from_value(answer.body["slots"].clone())?);
    }
    Ok(played)
}

#[tokio::test(flavor = "multi_thread")]
async fn public_dialogues_are_understood() {
    let Some(path) = data() else {
        println!("skipped: COLLOQUY_EVAL names no folder with sgd_flights/public.jsonl");
        return;
    };
    let dialogues = read(&path).unwrap();
    let app = App::start().await;
    let played: Vec<_> =
        stream::iter(&dialogues).map(|dialogue| play(&app, dialogue)).buffered(AT_ONCE).collect().await;
    let mut report = Report::default();
    for (dialogue, slots) in dialogues.iter().zip(played) {
        report.add(dialogue, &slots.unwrap());
    }
    println!("{report}");
    if std::env::var_os("COLLOQUY_EVAL_MISSES").is_some() {
        report.misses.iter().filter(|miss| !miss.carried).for_each(|miss| println!("{miss}"));
    }
    assert!(report.overall.f1() >= 0.95, "slot F1 {:.3}", report.overall.f1());
    assert!(report.overall.joint_goal_accuracy() >= 0.86, "{:.3}", report.overall.joint_goal_accuracy());
}
