//! How well passages are found for questions that nobody here wrote, and how well none are given where nothing answers.
//!
//! `COLLOQUY_EVAL` names the folder with `retrieval/`. Its texts go through `POST /v1/documents`, the queue, the embedder and
//! the table, and its questions through the step `retrieve`. Words need nothing else. Meaning needs vectors: those kept in
//! the folder that `COLLOQUY_VECTORS` names, and those that all-MiniLM-L6-v2 makes within `COLLOQUY_EMBED_SECONDS` (120),
//! the smallest set first. What is not measured is named.
//!
//! `EMBEDDER=local cargo test -p tests --features models/local-model --test retrieval -- --nocapture` prints the tables.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws::knowledge_store::CorpusChunk;
use contracts::knowledge::{RetrieveRequest, VectorSpace};
use contracts::private::Private;
use models::embedder::Embedder;
use models::embedder::distilled::Distilled;
use retrieve::answer::{LEAST_EVIDENCE, Settings, least_cosine, meaning_weight};
use retrieve::conversation::searches;
use retrieve::index::{Index, Memory};
use retrieve::meaning::VectorMatrix;
use retrieve::question::Question;
use retrieve::rank::{MEANING_WEIGHT, best};
use runtime::assistants::Assistants;
use tests::retrieval::{Judged, Library, Scores, Set, score};
use tests::vectors::Vectors;

/// nDCG@10 of Lucene's BM25 and of all-MiniLM-L6-v2 on the public questions of each set, the smallest set first.
const REFERENCE: [(&str, f64, f64); 4] = [
    ("defi_faq", 0.603, 0.797),
    ("medquad_liveqa", 0.459, 0.644),
    ("counsel_chat", 0.419, 0.673),
    ("scifact", 0.653, 0.657),
];
/// How far below a reference a figure may be.
const TOLERANCE: f64 = 0.01;
/// The assistants of this repository that answer from texts.
const OWN: [&str; 3] = ["defi", "fertility", "therapy"];

#[tokio::test]
async fn passages_are_found_for_what_is_answered_and_none_for_what_is_not() {
    let folder = std::env::var_os("COLLOQUY_EVAL").map(|folder| PathBuf::from(folder).join("retrieval"));
    let Some(folder) = folder.filter(|folder| folder.is_dir()) else {
        println!("skipped: COLLOQUY_EVAL names no folder with retrieval/");
        return;
    };
    let sets: Vec<Set> = REFERENCE.iter().map(|(name, ..)| Set::read(&folder.join(name)).unwrap()).collect();
    let all: Vec<&Set> = sets.iter().collect();
    let library = Library::new(&all, None).await.unwrap();
    println!("set              by                nDCG@10  recall@10  MRR@10");
    let mut by_words = Vec::new();
    for (set, (name, reference, _)) in all.iter().zip(REFERENCE) {
        let words = print(name, "words", scores(&library, name, &set.questions).await);
        if !set.held_out.is_empty() {
            print(name, "words, held out", scores(&library, name, &set.held_out).await);
        }
        assert!(words >= reference - TOLERANCE, "{name}: words {words:.3}, Lucene {reference}");
        let chunks = library.chunks(name).await.unwrap();
        let [alone, with_words] = by_static(&chunks, &set.questions);
        print(name, "static", alone);
        print(name, "static, words", with_words);
        if !set.held_out.is_empty() {
            print(name, "static, words, held out", by_static(&chunks, &set.held_out)[1]);
        }
        by_words.push(words);
    }
    let mut rooms = Vec::new();
    for room in rooms_of(&all) {
        rooms.push(room.open(&library, None).await);
    }
    let mut vectors = Vectors::open(seconds()).unwrap();
    let (known, own) = with_vectors(&all, &library, &mut vectors).await;
    library.stop().await;

    let vectors = Arc::new(vectors);
    let library = Library::new(&known, Some(vectors.serve().await.unwrap())).await.unwrap();
    for set in &known {
        let at = all.iter().position(|other| other.name == set.name).unwrap();
        let (name, _, reference) = REFERENCE[at];
        let chunks = library.chunks(name).await.unwrap();
        let by_meaning = print(name, "meaning", meaning(&chunks, &set.questions, &vectors));
        let by_both = print(name, "fusion", scores(&library, name, &set.questions).await);
        if !set.held_out.is_empty() {
            print(name, "meaning, held out", meaning(&chunks, &set.held_out, &vectors));
            print(name, "fusion, held out", scores(&library, name, &set.held_out).await);
        }
        assert!(by_meaning >= reference - TOLERANCE, "{name}: meaning {by_meaning:.3}, MiniLM {reference}");
        assert!(by_both >= by_words[at].max(by_meaning) - TOLERANCE, "{name}: fusion {by_both:.3}");
    }
    refused_by_words(&rooms);
    if own {
        let mut rooms = Vec::new();
        for room in rooms_of(&known) {
            rooms.push(room.open(&library, Some(&vectors)).await);
        }
        refused_by_meaning(&rooms);
    } else {
        println!("by meaning skipped: the assistants' own texts have no vectors");
    }
    library.stop().await;
}

fn seconds() -> Duration {
    Duration::from_secs(std::env::var("COLLOQUY_EMBED_SECONDS").map_or(120, |seconds| seconds.parse().unwrap()))
}

fn print(name: &str, by: &str, scores: Scores) -> f64 {
    println!("{name:16} {by:17} {:7.3} {:10.3} {:7.3}", scores.ndcg, scores.recall, scores.mrr);
    scores.ndcg
}

/// How good the answers of `retrieve` are.
async fn scores(library: &Library, name: &str, questions: &[Judged]) -> Scores {
    let mut rankings = Vec::new();
    for (question, _) in questions {
        let passages = library.ask(name, question).await.unwrap();
        rankings.push(passages.into_iter().map(|passage| passage.source).collect());
    }
    score(questions, &rankings)
}

/// How good static embeddings are, alone and with words.
fn by_static(chunks: &[CorpusChunk], questions: &[Judged]) -> [Scores; 2] {
    let embedder = Distilled::new().unwrap();
    let times = Embedder::Static(embedder).heading_times();
    let headed = |chunk: &CorpusChunk| format!("{}{}", format!("{}\n\n", chunk.heading).repeat(times), chunk.text);
    let vectors = embedder.embed(&chunks.iter().map(headed).collect::<Vec<_>>());
    let with_vector = |(chunk, vector): (&CorpusChunk, _)| CorpusChunk { vector, ..chunk.clone() };
    let chunks = chunks.iter().zip(vectors.into_iter().map(Result::ok)).map(with_vector).collect();
    let memory = Memory::new(chunks, Some(&Embedder::Static(embedder).space()));
    [1.0, meaning_weight(embedder.slug())].map(|weight| {
        let settings = Settings { limit: 50, meaning_weight: weight, ..ONE };
        let ranking = |(text, _): &Judged| {
            let vector = embedder.embed(std::slice::from_ref(text)).remove(0).ok();
            let question = Question { text, vector: vector.as_deref(), ..Question::default() };
            memory.search(&question, &settings).passages.into_iter().map(|passage| passage.source).collect()
        };
        score(questions, &questions.iter().map(ranking).collect::<Vec<_>>())
    })
}

/// How good the order of the cosines alone is.
fn meaning(chunks: &[CorpusChunk], questions: &[Judged], vectors: &Vectors) -> Scores {
    let dimensions = chunks.iter().find_map(|chunk| chunk.vector.as_ref()).map_or(0, Vec::len);
    let matrix = VectorMatrix::new(dimensions, chunks.iter().map(|chunk| chunk.vector.as_deref()));
    let ranking = |(question, _): &Judged| {
        let cosines = matrix.score(&vectors.of(question).unwrap());
        let cosines: Vec<f32> = cosines.into_iter().map(|cosine| cosine.unwrap_or(-1.0)).collect();
        best(&cosines, 50, |_| true).into_iter().map(|at| chunks[at].source.clone()).collect()
    };
    score(questions, &questions.iter().map(ranking).collect::<Vec<_>>())
}

/// The sets whose texts and questions all have vectors, and whether the assistants' own have. Those that lack some are named.
async fn with_vectors<'a>(sets: &[&'a Set], library: &Library, vectors: &mut Vectors) -> (Vec<&'a Set>, bool) {
    let mut own = true;
    for name in OWN {
        let chunks = library.chunks(name).await.unwrap();
        let texts: Vec<String> = chunks.iter().map(embeddable).chain(own_questions(name)).collect();
        own &= vectors.fill(&texts).await.unwrap() == 0;
    }
    let mut known = Vec::new();
    for set in sets {
        let chunks = library.chunks(&set.name).await.unwrap();
        let questions: Vec<&String> = set.questions.iter().chain(&set.held_out).map(|(question, _)| question).collect();
        let index = Index::Memory(Memory::new(chunks.clone(), None));
        let read = questions.iter().flat_map(|question| read(&set.name, question, &index));
        let asked = questions.iter().map(|question| (*question).clone()).chain(read);
        let texts: Vec<String> = asked.chain(chunks.iter().map(embeddable)).collect();
        match vectors.fill(&texts).await.unwrap() {
            0 => known.push(*set),
            missing => {
                println!("{:16} meaning, fusion: skipped, {missing} of {} vectors missing", set.name, texts.len())
            }
        }
    }
    (known, own)
}

/// What is searched for in answer to a question.
fn read(assistant: &str, question: &str, index: &Index) -> Vec<String> {
    let (assistant, question) = (assistant.to_owned(), Private(question.to_owned()));
    let request = RetrieveRequest { assistant, question, ..RetrieveRequest::default() };
    searches(&request, |text| index.mend(text)).into_iter().map(|search| search.text).collect()
}

/// What of a chunk is embedded.
fn embeddable(chunk: &CorpusChunk) -> String {
    let parts = [&chunk.heading, &chunk.asked, &chunk.text].into_iter().filter(|part| !part.is_empty());
    parts.map(String::as_str).collect::<Vec<_>>().join("\n\n")
}

/// What an assistant's manifest says people ask.
fn own_questions(name: &str) -> Vec<String> {
    Assistants::embedded().unwrap().get(name).unwrap().questions.clone()
}

/// Texts, questions that they answer, and rooms whose questions they do not.
struct Room {
    name: String,
    foreign: &'static [&'static str],
    questions: Vec<(String, Option<Arc<[f32]>>)>,
    memory: Memory,
}

/// The assistants and the sets, and who asks them about something else. Neither are questions of the same domain that
/// these texts may answer or not; a medical encyclopedia has something on most troubles of body and mind.
const ROOMS: [(&str, &[&str]); 7] = [
    ("defi", &["fertility", "therapy", "medquad_liveqa", "counsel_chat", "scifact"]),
    ("defi_faq", &["fertility", "therapy", "medquad_liveqa", "counsel_chat", "scifact"]),
    ("fertility", &["defi", "therapy", "defi_faq", "medquad_liveqa", "counsel_chat"]),
    ("medquad_liveqa", &["defi", "defi_faq"]),
    ("therapy", &["defi", "fertility", "defi_faq", "medquad_liveqa", "scifact"]),
    ("counsel_chat", &["defi", "fertility", "defi_faq", "medquad_liveqa", "scifact"]),
    ("scifact", &[]),
];

/// A room that nobody looked into yet.
struct Door {
    name: String,
    foreign: &'static [&'static str],
    questions: Vec<String>,
}

fn rooms_of(sets: &[&Set]) -> Vec<Door> {
    let door = |&(name, foreign): &(&str, &'static [&str])| {
        let questions = match sets.iter().find(|set| set.name == name) {
            Some(set) => set.questions.iter().map(|(question, _)| question.clone()).collect(),
            None if OWN.contains(&name) => own_questions(name),
            None => return None,
        };
        Some(Door { name: name.to_owned(), foreign, questions })
    };
    ROOMS.iter().filter_map(door).collect()
}

impl Door {
    async fn open(self, library: &Library, vectors: Option<&Vectors>) -> Room {
        let chunks = library.chunks(&self.name).await.unwrap();
        let dimensions = chunks.iter().find_map(|chunk| chunk.vector.as_ref()).map(Vec::len);
        let space = dimensions.map(|dimensions| VectorSpace::new("measured", dimensions));
        let asked = self.questions.into_iter().map(|question| {
            let vector = vectors.map(|vectors| vectors.of(&question).unwrap());
            (question, vector)
        });
        Room {
            name: self.name,
            foreign: self.foreign,
            questions: asked.collect(),
            memory: Memory::new(chunks, space.as_ref()),
        }
    }
}

/// The shares of questions that are answered, averaged over the rooms: of those that a room's texts answer, and of those
/// that others ask it.
fn answered(rooms: &[Room], settings: Settings) -> (f64, f64) {
    let share = |room: &Room, asking: &Room| {
        let answers = |(text, vector): &&(String, Option<Arc<[f32]>>)| {
            let question = Question { text, vector: vector.as_deref(), sources: &[], ..Question::default() };
            !room.memory.search(&question, &settings).passages.is_empty()
        };
        asking.questions.iter().filter(answers).count() as f64 / asking.questions.len() as f64
    };
    let (mut own, mut foreign) = (Vec::new(), Vec::new());
    for room in rooms.iter().filter(|room| !room.foreign.is_empty()) {
        own.push(share(room, room));
        let asking = rooms.iter().filter(|other| room.foreign.contains(&other.name.as_str()));
        foreign.extend(asking.map(|asking| share(room, asking)));
    }
    let mean = |shares: &[f64]| shares.iter().sum::<f64>() / shares.len().max(1) as f64;
    (mean(&own), mean(&foreign))
}

const ONE: Settings =
    Settings { limit: 1, least_cosine: -1.0, least_evidence: 0.0, meaning_weight: MEANING_WEIGHT, least_mix: None };

fn refused_by_words(rooms: &[Room]) {
    println!("by words: least evidence, answerable questions answered, foreign ones refused");
    for least_evidence in [0.08, 0.12, LEAST_EVIDENCE, 0.2, 0.25, 0.3] {
        let (own, foreign) = answered(rooms, Settings { least_evidence, ..ONE });
        println!("  {least_evidence:.2}  {own:.3}  {:.3}", 1.0 - foreign);
    }
    let (own, foreign) = answered(rooms, Settings { least_evidence: LEAST_EVIDENCE, ..ONE });
    assert!(own >= 0.9 && foreign <= 0.12, "words: {own:.3} answered, {foreign:.3} not refused");
}

fn refused_by_meaning(rooms: &[Room]) {
    println!("by meaning: least cosine, answerable questions answered, foreign ones refused");
    let least = least_cosine("all_minilm_l6_v2_384");
    for least_cosine in [0.3, 0.35, least, 0.45, 0.5] {
        let (own, foreign) = answered(rooms, Settings { least_cosine, ..ONE });
        println!("  {least_cosine:.2}  {own:.3}  {:.3}", 1.0 - foreign);
    }
    let (own, foreign) = answered(rooms, Settings { least_cosine: least, ..ONE });
    assert!(own >= 0.95 && foreign <= 0.08, "meaning: {own:.3} answered, {foreign:.3} not refused");
}
