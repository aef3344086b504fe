//! How well passages are found for questions that nobody here wrote, and how well none are given where nothing answers.
//!
//! `COLLOQUY_EVAL` names the folder with `retrieval/`. Words need nothing else. Meaning needs vectors: those kept in the
//! folder that `COLLOQUY_VECTORS` names, or made by the embedder of the environment, of at most `COLLOQUY_EMBED_MOST` (500)
//! texts a set. What is not measured is named. The tables are printed with
//! `cargo test -p tests --test retrieval -- --nocapture`.

use std::path::{Path, PathBuf};

use retrieve::answer::{LEAST_EVIDENCE, Settings, least_cosine};
use retrieve::index::{Memory, Question};
use retrieve::meaning::VectorMatrix;
use retrieve::rank::best;
use shared::assistants::Assistants;
use shared::embedder::Embedder;
use shared::knowledge_store::CorpusChunk;
use tests::retrieval::{Scores, Set, Vectors, chunk, embeddable, read, score};

/// nDCG@10 of Lucene's BM25 and of all-MiniLM-L6-v2 on the public questions of each set.
const REFERENCE: [(&str, f64, f64); 4] = [
    ("counsel_chat", 0.419, 0.673),
    ("defi_faq", 0.603, 0.797),
    ("medquad_liveqa", 0.459, 0.644),
    ("scifact", 0.653, 0.657),
];
/// How far below a reference a figure may be.
const TOLERANCE: f64 = 0.01;

/// Everything, ranked.
const RANKED: Settings = Settings { limit: 10, least_cosine: -1.0, least_evidence: 0.0 };

fn sets() -> Option<Vec<Set>> {
    let folder = std::env::var_os("COLLOQUY_EVAL").map(|folder| PathBuf::from(folder).join("retrieval"));
    let Some(folder) = folder.filter(|folder| folder.is_dir()) else {
        println!("skipped: COLLOQUY_EVAL names no folder with retrieval/");
        return None;
    };
    Some(REFERENCE.iter().map(|(name, ..)| read(&folder.join(name)).unwrap()).collect())
}

fn vectors() -> (Vectors, usize) {
    let most = std::env::var("COLLOQUY_EMBED_MOST").map_or(500, |most| most.parse().unwrap());
    (Vectors::open(Embedder::from_env().unwrap()).unwrap(), most)
}

/// Gives the chunks their vectors; false where they have none.
async fn embed(chunks: &mut [CorpusChunk], vectors: &mut Vectors, most: usize) -> bool {
    let texts: Vec<String> = chunks.iter().map(embeddable).collect();
    let Some(found) = vectors.of(&texts, most).await.unwrap() else { return false };
    for (chunk, vector) in chunks.iter_mut().zip(found) {
        chunk.vector = Some(vector);
    }
    true
}

fn ranking(memory: &Memory, text: &str, vector: Option<&[f32]>) -> Vec<String> {
    let found = memory.search(&Question { text, vector, sources: &[] }, &RANKED);
    found.passages.into_iter().map(|passage| passage.id).collect()
}

#[tokio::test]
async fn passages_are_found_as_well_as_by_the_references() {
    let Some(sets) = sets() else { return };
    let (mut vectors, most) = vectors();
    println!("set              by       nDCG@10  recall@10  MRR@10");
    for (mut set, (name, words_reference, meaning_reference)) in sets.into_iter().zip(REFERENCE) {
        let print = |by: &str, scores: Scores| {
            println!("{name:16} {by:8} {:7.3} {:10.3} {:7.3}", scores.ndcg, scores.recall, scores.mrr);
            scores.ndcg
        };
        let questions: Vec<String> = set.questions.iter().map(|(text, _)| text.clone()).collect();
        let embedded = embed(&mut set.chunks, &mut vectors, most).await;
        let asked = if embedded { vectors.of(&questions, most).await.unwrap() } else { None };
        let dimensions = set.chunks.iter().find_map(|chunk| chunk.vector.as_ref()).map_or(0, Vec::len);
        let memory = Memory::new(set.chunks.clone(), dimensions);

        let rankings: Vec<_> = questions.iter().map(|text| ranking(&memory, text, None)).collect();
        let words = print("words", score(&set, &rankings));
        assert!(words >= words_reference - TOLERANCE, "{name}: words {words:.3}, Lucene {words_reference}");

        let Some(asked) = asked else {
            println!("{name:16} meaning and fusion skipped: no vectors for {} texts", set.chunks.len());
            continue;
        };
        let matrix = VectorMatrix::new(dimensions, set.chunks.iter().map(|chunk| chunk.vector.as_deref()));
        let nearest = |vector: &Vec<f32>| {
            let cosines: Vec<f32> = matrix.score(vector).into_iter().map(Option::unwrap).collect();
            best(&cosines, 10, |_| true).into_iter().map(|at| set.chunks[at].id.clone()).collect()
        };
        let rankings: Vec<_> = asked.iter().map(nearest).collect();
        let meaning = print("meaning", score(&set, &rankings));
        assert!(meaning >= meaning_reference - TOLERANCE, "{name}: meaning {meaning:.3}, MiniLM {meaning_reference}");

        let pairs = questions.iter().zip(&asked);
        let rankings: Vec<_> = pairs.map(|(text, vector)| ranking(&memory, text, Some(vector))).collect();
        let fusion = print("fusion", score(&set, &rankings));
        assert!(fusion >= words.max(meaning) - TOLERANCE, "{name}: fusion {fusion:.3}");
    }
}

/// Texts, questions that they answer, and rooms whose questions they do not.
struct Room {
    name: &'static str,
    foreign: &'static [&'static str],
    memory: Memory,
    questions: Vec<(String, Option<Vec<f32>>)>,
}

/// The assistants and the sets, and who asks them about something else. Neither are questions of the same domain that
/// these texts may answer or not; a medical encyclopedia has something on most troubles of body and mind.
const ROOMS: [(&str, &[&str]); 6] = [
    ("defi", &["fertility", "therapy", "medquad_liveqa", "counsel_chat", "scifact"]),
    ("defi_faq", &["fertility", "therapy", "medquad_liveqa", "counsel_chat", "scifact"]),
    ("fertility", &["defi", "therapy", "defi_faq", "medquad_liveqa", "counsel_chat"]),
    ("medquad_liveqa", &["defi", "defi_faq"]),
    ("therapy", &["defi", "fertility", "defi_faq", "medquad_liveqa", "scifact"]),
    ("counsel_chat", &["defi", "fertility", "defi_faq", "medquad_liveqa", "scifact"]),
];

/// The knowledge of an assistant of this repository, an entry a text, and the questions its manifest says people ask.
fn own_knowledge(name: &str, assistants: &Assistants) -> (Vec<CorpusChunk>, Vec<String>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assistants").join(name).join("knowledge");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let texts = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect::<Vec<_>>().join("\n");
    let entries = texts.split("\n## ").skip(1).filter_map(|entry| entry.split_once('\n'));
    let chunks = entries.map(|(heading, text)| chunk(heading, heading.trim(), text.trim())).collect();
    (chunks, assistants.get(name).unwrap().questions.clone())
}

async fn rooms(sets: &[Set]) -> Vec<Room> {
    let assistants = Assistants::embedded().unwrap();
    let (mut vectors, most) = vectors();
    let mut rooms = Vec::new();
    for (name, foreign) in ROOMS.into_iter().chain([("scifact", &[][..])]) {
        let (mut chunks, asked) = match sets.iter().find(|set| set.name == name) {
            Some(set) => (set.chunks.clone(), set.questions.iter().map(|(text, _)| text.clone()).collect()),
            None => own_knowledge(name, &assistants),
        };
        let embedded = embed(&mut chunks, &mut vectors, most).await;
        let found = if embedded { vectors.of(&asked, most).await.unwrap() } else { None };
        let found = found.map_or(vec![None; asked.len()], |found| found.into_iter().map(Some).collect());
        let dimensions = chunks.iter().find_map(|chunk| chunk.vector.as_ref()).map_or(0, Vec::len);
        let questions = asked.into_iter().zip(found).collect();
        rooms.push(Room { name, foreign, memory: Memory::new(chunks, dimensions), questions });
    }
    rooms
}

/// The shares of questions that are answered, by words or by both, averaged over the rooms: of those that a room's texts
/// answer, and of those that others ask it.
fn answered(rooms: &[Room], hybrid: bool, settings: Settings) -> (f64, f64) {
    let known = |room: &Room| !hybrid || room.questions.iter().all(|(_, vector)| vector.is_some());
    let share = |room: &Room, asking: &Room| {
        let answers = |(text, vector): &&(String, Option<Vec<f32>>)| {
            let vector = vector.as_deref().filter(|_| hybrid);
            !room.memory.search(&Question { text, vector, sources: &[] }, &settings).passages.is_empty()
        };
        asking.questions.iter().filter(answers).count() as f64 / asking.questions.len() as f64
    };
    let (mut own, mut foreign) = (Vec::new(), Vec::new());
    for room in rooms.iter().filter(|room| known(room) && !room.foreign.is_empty()) {
        own.push(share(room, room));
        let asking = rooms.iter().filter(|other| known(other) && room.foreign.contains(&other.name));
        foreign.extend(asking.map(|asking| share(room, asking)));
    }
    let mean = |shares: &[f64]| shares.iter().sum::<f64>() / shares.len().max(1) as f64;
    (mean(&own), mean(&foreign))
}

#[tokio::test]
async fn questions_of_another_domain_are_refused_and_answerable_ones_are_not() {
    let Some(sets) = sets() else { return };
    let rooms = rooms(&sets).await;
    let one = Settings { limit: 1, ..RANKED };
    println!("words alone: least evidence, answerable questions answered, foreign ones refused");
    for least_evidence in [0.08, 0.12, LEAST_EVIDENCE, 0.2, 0.25, 0.3] {
        let (own, foreign) = answered(&rooms, false, Settings { least_evidence, ..one });
        println!("  {least_evidence:.2}  {own:.3}  {:.3}", 1.0 - foreign);
    }
    let (own, foreign) = answered(&rooms, false, Settings { least_evidence: LEAST_EVIDENCE, ..one });
    assert!(own >= 0.9 && foreign <= 0.12, "words: {own:.3} answered, {foreign:.3} not refused");

    if !rooms.iter().any(|room| room.questions.iter().all(|(_, vector)| vector.is_some())) {
        println!("hybrid skipped: no vectors");
        return;
    }
    println!("hybrid: least cosine, answerable questions answered, foreign ones refused");
    let least = least_cosine("all_minilm_l6_v2_384");
    for least_cosine in [0.3, 0.35, least, 0.45, 0.5] {
        let (own, foreign) = answered(&rooms, true, Settings { least_cosine, ..one });
        println!("  {least_cosine:.2}  {own:.3}  {:.3}", 1.0 - foreign);
    }
    let (own, foreign) = answered(&rooms, true, Settings { least_cosine: least, ..one });
    assert!(own >= 0.95 && foreign <= 0.08, "hybrid: {own:.3} answered, {foreign:.3} not refused");
}
