//! What a search costs: `cargo bench -p tests --bench retrieve --profile measure`.
//!
//! In memory over 1,000, 10,000 and 100,000 chunks, through the table over 1,000 and 5,000. The chunks are made up: 100 words
//! each of 20,000, few of them common, and vectors that point anywhere; how long a search takes depends on no more than that.

use std::time::{Duration, Instant};

use aws::knowledge_store::{ChunkText, CorpusChunk, DocumentId, KnowledgeStore, NewDocument, VectorSpace};
use futures::{StreamExt, TryStreamExt, stream};
use local::Options;
use models::embedder::Embedder;
use models::embedder::openai::OpenAi;
use models::openai::Server;
use retrieve::answer::Settings;
use retrieve::index::{Index, Memory, Table};
use retrieve::meaning::VectorMatrix;
use retrieve::question::Question;
use retrieve::rank::MEANING_WEIGHT;
use retrieve::words::WordIndex;
use tests::App;

/// How many words a chunk has, of how many there are.
const WORDS: usize = 100;
const VOCABULARY: f64 = 20_000.0;
/// How many words a question has.
const ASKED: usize = 8;
/// How many chunks a document has.
const DOCUMENT: usize = 100;

const SETTINGS: Settings =
    Settings { limit: 6, least_cosine: -1.0, least_evidence: 0.0, meaning_weight: MEANING_WEIGHT, least_mix: None };

/// Numbers that are the same at every run (xorshift64*).
struct Dice(u64);

impl Dice {
    fn unit(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Words whose ranks spread as Zipf found.
    fn text(&mut self, words: usize) -> String {
        (0..words).map(|_| format!("w{:x} ", VOCABULARY.powf(self.unit()) as u64)).collect()
    }

    fn vector(&mut self, dimensions: usize) -> Vec<f32> {
        let vector: Vec<f64> = (0..dimensions).map(|_| self.unit() - 0.5).collect();
        let length = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
        vector.into_iter().map(|x| (x / length) as f32).collect()
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    println!("in memory: chunks × dimensions: index made; MiB; meaning, words, whole search (median)");
    for (chunks, dimensions) in
        [(1_000, 384), (1_000, 1_536), (10_000, 384), (10_000, 1_536), (100_000, 384), (100_000, 1_536)]
    {
        println!("{}", in_memory(chunks, dimensions));
    }
    println!("through the table: chunks × dimensions: loaded from segments; search (median)");
    for chunks in [1_000, 5_000] {
        println!("{}", through_the_table(chunks, 384).await?);
    }
    Ok(())
}

fn in_memory(count: usize, dimensions: usize) -> String {
    let mut dice = Dice(count as u64 + 1);
    let chunk = |at: usize| CorpusChunk {
        id: at.to_string(),
        document_id: String::new(),
        text: dice.text(WORDS),
        heading: String::new(),
        source: "bench".to_owned(),
        url: None,
        asked: String::new(),
        vector: Some(dice.vector(dimensions)),
    };
    let chunks: Vec<CorpusChunk> = (0..count).map(chunk).collect();
    let matrix = VectorMatrix::new(dimensions, chunks.iter().map(|chunk| chunk.vector.as_deref()));
    let words = WordIndex::new(chunks.iter().map(|chunk| &chunk.text));
    let times = if count > 10_000 { 21 } else { 201 };
    let mut asked = Dice(7);
    let meaning = median(times, || asked.vector(dimensions), |vector| drop(matrix.score(vector)));
    drop(matrix);
    let by_words = median(times, || asked.text(ASKED), |text| drop(words.score(text)));
    drop(words);

    let started = Instant::now();
    let memory = Memory::new(chunks, Some(&VectorSpace::new("bench", dimensions)));
    let made = started.elapsed();
    let whole = median(
        times,
        || (asked.text(ASKED), asked.vector(dimensions)),
        |(text, vector)| {
            drop(
                memory.search(&Question { text, vector: Some(vector), sources: &[], ..Question::default() }, &SETTINGS),
            )
        },
    );
    let mib = memory.bytes() / 1024 / 1024;
    format!("{count:7} × {dimensions:5}: {made:8.1?}; {mib:4} MiB; {meaning:8.1?}, {by_words:8.1?}, {whole:8.1?}")
}

fn median<T>(times: usize, mut ask: impl FnMut() -> T, mut search: impl FnMut(&T)) -> Duration {
    let mut took: Vec<Duration> = (0..times)
        .map(|_| {
            let question = ask();
            let started = Instant::now();
            search(&question);
            started.elapsed()
        })
        .collect();
    took.sort();
    took[times / 2]
}

async fn through_the_table(count: usize, dimensions: usize) -> anyhow::Result<String> {
    // It only says which vector index there is; the vectors are made up here.
    let embedder = OpenAi::new(Server::new("http://127.0.0.1:9", None)?, "bench", Some(dimensions))?;
    let embedder = Embedder::OpenAi(embedder);
    let space = embedder.space();
    let app = App::with_options(Options { embedder: Some(embedder), ..tests::options() }).await;
    let store = app.colloquy.knowledge();
    let mut dice = Dice(count as u64);
    for document in 0..count / DOCUMENT {
        fill(&store, &space, document, &mut dice).await?;
    }

    let mut loads = Vec::new();
    for _ in 0..5 {
        let started = Instant::now();
        let corpus =
            store.load("defi", Some(&space), usize::MAX).await.map_err(|problem| anyhow::anyhow!("{problem}"))?;
        loads.push(started.elapsed());
        anyhow::ensure!(corpus.is_some_and(|corpus| corpus.chunks.len() == count), "chunks are missing");
    }
    loads.sort();

    let index = Index::Table(Table::new(store, "defi", space));
    let mut took = Vec::new();
    for _ in 0..21 {
        let (text, vector) = (dice.text(ASKED), dice.vector(dimensions));
        let started = Instant::now();
        let found = index
            .search(&Question { text: &text, vector: Some(&vector), sources: &[], ..Question::default() }, &SETTINGS)
            .await;
        took.push(started.elapsed());
        anyhow::ensure!(found.is_ok_and(|found| found.passages.len() == SETTINGS.limit), "nothing was found");
    }
    took.sort();
    app.colloquy.stop().await;
    Ok(format!("{count:7} × {dimensions:5}: {:8.1?}; {:8.1?}", loads[2], took[10]))
}

/// Writes a document with its chunks and their vectors.
async fn fill(store: &KnowledgeStore, space: &VectorSpace, number: usize, dice: &mut Dice) -> anyhow::Result<()> {
    let failed = |problem: contracts::problem::Problem| anyhow::anyhow!("{problem}");
    let chunk = |_| ChunkText {
        text: dice.text(WORDS),
        heading: String::new(),
        source: "bench".to_owned(),
        url: None,
        asked: String::new(),
    };
    let document = NewDocument {
        id: DocumentId::of("defi", &[&number.to_string()]),
        source: "bench".to_owned(),
        title: String::new(),
        url: None,
        key: None,
        chunks: (0..DOCUMENT).map(chunk).collect(),
    };
    store.write(&document, &space.clone().into()).await.map_err(failed)?;
    let pending = store.unembedded(&document.id, [space]).await.map_err(failed)?;
    let chunks = store.chunks(&document.id, &pending).await.map_err(failed)?;
    let vectors: Vec<_> = chunks.into_iter().map(|chunk| (chunk, dice.vector(space.dimensions))).collect();
    let kept: Vec<_> =
        vectors.iter().map(|(chunk, vector)| store.keep_vector(&document.id, chunk, space, vector)).collect();
    stream::iter(kept).buffer_unordered(8).try_collect::<Vec<_>>().await.map_err(failed)?;
    store.settle(&document.id, &space.clone().into()).await.map_err(failed)?;
    Ok(())
}
