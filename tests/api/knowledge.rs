//! Questions find their passages: by words, by meaning, in memory and through the table, and the newest ones.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws::knowledge_store::{ChunkText, DocumentId, KnowledgeStore, NewDocument, Spaces};
use aws_sdk_dynamodb::types::AttributeValue::{N, S};
use axum::extract::State as Shared;
use axum::routing::post;
use axum::{Json, Router};
use contracts::api::RETRIEVE;
use contracts::knowledge::{Retrieval, RetrieveRequest, Retrieved};
use contracts::private::Private;
use http::StatusCode;
use local::Options;
use models::embedder::Embedder;
use models::embedder::distilled::Distilled;
use models::embedder::openai::OpenAi;
use models::openai::Server;
use retrieve::answer::Settings;
use retrieve::index::Index;
use retrieve::question::Question;
use retrieve::shelf::Shelves;
use runtime::assistants::Assistants;
use runtime::config::Secret;
use runtime::deadline::Deadline;
use runtime::flags::{EmbedderSlot, FlagSource};
use runtime::pipeline::Pipeline;
use serde_json::{Value, json};
use tests::{App, DOCUMENTS_KEY};

const DIMENSIONS: usize = 64;

const GLOSSARY: &str = "# Glossary\n\n## Staking\n\nStaking locks coins so that a network can be secured; it pays a reward.\n\n\
    ## Bridges\n\nA bridge moves tokens from one chain to another, and is often attacked.\n\n\
    ## Liquidation\n\nA loan whose collateral falls too far is liquidated: the collateral is sold.\n";

/// A stand-in for an embeddings server: a text's vector counts its words, each at a place of its own.
async fn embeddings(Shared(away): Shared<Arc<AtomicBool>>, Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
    if away.load(Ordering::Relaxed) {
        return (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({"error": {"message": "no"}})));
    }
    let vector = |text: &str| {
        let mut vector = vec![0.01_f32; DIMENSIONS];
        for word in text.to_lowercase().split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 4) {
            let place = word.bytes().fold(7_usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
            vector[place % DIMENSIONS] += 1.0;
        }
        vector
    };
    let texts = body["input"].as_array().unwrap().iter().enumerate();
    let data: Vec<Value> =
        texts.map(|(index, text)| json!({"index": index, "embedding": vector(text.as_str().unwrap())})).collect();
    (StatusCode::OK, Json(json!({"data": data, "model": "words"})))
}

async fn embedder() -> (Embedder, Arc<AtomicBool>) {
    let away = Arc::new(AtomicBool::new(false));
    let router = Router::new().route("/v1/embeddings", post(embeddings)).with_state(away.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let server = Server::new(&url, Some(Secret::new("OPENAI_API_KEY", "test".to_owned()))).unwrap();
    (Embedder::OpenAi(OpenAi::new(server, "words", Some(DIMENSIONS)).unwrap()), away)
}

async fn ingest(app: &App, source: &str, content: &str) -> DocumentId {
    let body = json!({"assistant": "defi", "source": source, "content_type": "text/markdown", "content": content});
    let request = app.request("POST", "/v1/documents").bearer_auth(DOCUMENTS_KEY).json(&body);
    let answer = app.send(request).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    answer.body["id"].as_str().unwrap_or_else(|| panic!("{}", answer.body)).parse().unwrap()
}

async fn embedded(app: &App, id: &DocumentId, embedder: &Embedder) {
    let (store, space) = (app.colloquy.knowledge(), embedder.space());
    let started = Instant::now();
    while !store.unembedded(id, [&space]).await.unwrap().is_empty()
        || store.document(id).await.unwrap().unwrap().counts.embedded == 0
    {
        assert!(started.elapsed() < Duration::from_secs(20), "not embedded");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn ask(app: &App, request: RetrieveRequest) -> Retrieved {
    let pipeline = Pipeline::new(app.colloquy.steps_url()).unwrap();
    pipeline.call(&RETRIEVE, &request, Deadline::after(Duration::from_secs(10))).await.unwrap()
}

fn question(question: &str) -> RetrieveRequest {
    RetrieveRequest { assistant: "defi".to_owned(), question: Private(question.to_owned()), ..Default::default() }
}

fn found(retrieved: &Retrieved, words: &str) -> bool {
    retrieved.passages.first().is_some_and(|passage| passage.text.contains(words) || passage.heading.contains(words))
}

#[tokio::test]
async fn without_an_embedder_words_find_passages_and_say_so() {
    let app = App::start().await;
    let nothing = ask(&app, question("What is staking?")).await;
    assert_eq!((nothing.passages.len(), nothing.corpus_version), (0, 0));
    ingest(&app, "Glossary", GLOSSARY).await;
    ingest(&app, "News", "# News\n\nStaking rewards fell this year, says a report on staking.").await;

    let started = Instant::now();
    let mut first = ask(&app, question("What is liquidation of collateral?")).await;
    while !found(&first, "liquidated") {
        assert!(started.elapsed() < Duration::from_secs(5), "the new texts are not seen");
        tokio::time::sleep(Duration::from_millis(200)).await;
        first = ask(&app, question("What is liquidation of collateral?")).await;
    }
    assert_eq!(first.retrieval, Retrieval::Words);
    assert!(first.corpus_version > 0);
    assert_eq!(first.passages[0].source, "Glossary");

    let news = RetrieveRequest { sources: vec!["News".to_owned()], ..question("Did staking rewards fall this year?") };
    let news = ask(&app, news).await;
    assert!(!news.passages.is_empty() && news.passages.iter().all(|passage| passage.source == "News"));

    let follow_up = RetrieveRequest {
        before: vec![Private("What is a bridge?".to_owned())],
        ..question("and why is it attacked?")
    };
    assert!(found(&ask(&app, follow_up).await, "bridge"));

    assert!(ask(&app, question("How do I bake sourdough bread at home?")).await.passages.is_empty());
    app.colloquy.stop().await;
}

#[tokio::test]
async fn meaning_is_searched_in_memory_and_through_the_table_alike_and_words_stand_in_for_it() {
    for retrieve_memory in [64 * 1024 * 1024, 0] {
        let (embedder, away) = embedder().await;
        let options = Options { retrieve_memory, embedder: Some(embedder.clone()), ..tests::options() };
        let app = App::with_options(options).await;
        let id = ingest(&app, "Glossary", GLOSSARY).await;
        embedded(&app, &id, &embedder).await;

        let answer = ask(&app, question("staking coins for a reward from the network")).await;
        assert_eq!(answer.retrieval, Retrieval::Hybrid);
        assert!(found(&answer, "Staking"), "{retrieve_memory}: {answer:?}");
        let nowhere = RetrieveRequest { sources: vec!["News".to_owned()], ..question("staking coins") };
        assert!(ask(&app, nowhere).await.passages.is_empty());

        away.store(true, Ordering::Relaxed);
        let request = question("what secures a network by staking coins?");
        if retrieve_memory > 0 {
            let answer = ask(&app, request).await;
            assert_eq!(answer.retrieval, Retrieval::Words);
            assert!(found(&answer, "Staking"));
        } else {
            let pipeline = Pipeline::new(app.colloquy.steps_url()).unwrap();
            let answer = pipeline.call(&RETRIEVE, &request, Deadline::after(Duration::from_secs(10))).await;
            assert_eq!(answer.unwrap_err().status(), 503);
        }
        app.colloquy.stop().await;
    }
}

/// Notes that the first texts of `defi` are being taken in, as whoever does it would.
async fn begin_taking_in(app: &App) {
    let (client, _) = app.colloquy.tables();
    // The set itself has none to take in, and notes that.
    while !app.colloquy.knowledge().corpus_state("defi").await.unwrap().is_known {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let update = client.update_item().table_name("knowledge").key("assistant", S("defi".to_owned()));
    let now = N(jiff::Timestamp::now().as_second().to_string());
    let update = update.key("id", S("corpus".to_owned())).update_expression("SET taking_in = :now");
    update.expression_attribute_values(":now", now).send().await.unwrap();
    // What is known of it is looked at anew after two seconds.
    tokio::time::sleep(Duration::from_millis(2_100)).await;
}

async fn put(app: &App, question: &str, deadline_ms: u64) -> Value {
    let request = app.request("POST", "/v1/ask").header("colloquy-deadline-ms", deadline_ms);
    let answer = app.send(request.json(&json!({"assistant": "defi", "question": question}))).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

#[tokio::test]
async fn a_question_waits_within_its_deadline_for_texts_that_are_taken_in_and_is_never_told_that_nobody_knows() {
    let app = App::start().await;
    begin_taking_in(&app).await;

    let hurried = put(&app, "What is liquidation of collateral?", 3_000).await;
    assert_eq!(hurried["degraded"], json!([{"part": "texts", "reason": "loading"}]));
    let reply = hurried["reply"].as_str().unwrap();
    assert!(reply.starts_with("My texts are still being loaded"), "{reply}");
    let started = Instant::now();
    let greeted = put(&app, "hello", 25_000).await;
    assert!(started.elapsed() < Duration::from_secs(2) && greeted["degraded"] == json!([]), "{greeted}");

    let come = async {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        ingest(&app, "Glossary", GLOSSARY).await;
        app.colloquy.knowledge().finish_taking_in("defi").await.unwrap();
    };
    let (patient, ()) = tokio::join!(put(&app, "What is liquidation of collateral?", 25_000), come);
    assert_eq!((&patient["citations"][0]["source"], &patient["degraded"]), (&json!("Glossary"), &json!([])));
}

#[tokio::test]
async fn the_first_question_after_the_first_start_is_answered() {
    let embedder = Some(Embedder::Static(Distilled::new().unwrap()));
    let mut own_texts = local::knowledge::own_texts(None).unwrap();
    // Fewer than there are: unoptimised, on a busy machine, all of them can take longer than a question may.
    own_texts.retain(|text| text.assistant == "defi");
    let app = App::with_options(Options { embedder, own_texts, ..tests::options() }).await;
    let questions = ["What is impermanent loss, and when does it hurt?", "how do i revoke a token approval"];
    let answers = questions.map(|question| put(&app, question, 25_000));
    for answer in futures::future::join_all(answers).await {
        assert_eq!(answer["degraded"], json!([]), "{answer}");
        assert!(answer["citations"][0].is_object(), "{answer}");
    }
}

#[tokio::test]
async fn a_vector_index_that_is_not_there_yet_is_no_fault_of_ours() {
    let (embedder, _) = embedder().await;
    let app = App::start().await;
    let store = app.colloquy.knowledge();
    let searched = store.nearest("defi", &embedder.space(), &[1.0; DIMENSIONS], 3, None).await;
    let problem = searched.unwrap_err();
    assert_eq!((problem.status(), problem.is_transient()), (StatusCode::SERVICE_UNAVAILABLE, true));
}

/// A text of an assistant without any of its own in the set.
async fn write(store: &KnowledgeStore, assistant: &str, name: &str, text: &str) -> DocumentId {
    let id = DocumentId::of(assistant, &[name]);
    let chunk = ChunkText {
        text: text.to_owned(),
        heading: name.to_owned(),
        source: name.to_owned(),
        url: None,
        asked: String::new(),
    };
    let (source, title) = (name.to_owned(), String::new());
    let document = NewDocument { id: id.clone(), source, title, url: None, key: None, chunks: vec![chunk] };
    store.write(&document, &Spaces::default()).await.unwrap();
    id
}

fn texts_of(index: &Index) -> Vec<String> {
    let Index::Memory(memory) = index else { panic!("in memory") };
    let all = Settings { limit: 50, least_cosine: -1.0, least_evidence: 0.0, meaning_weight: 0.5, least_mix: None };
    let found = memory.search(&Question { text: "word", ..Question::default() }, &all);
    let mut texts: Vec<String> = found.passages.into_iter().map(|passage| passage.text).collect();
    texts.sort();
    texts
}

#[tokio::test]
async fn a_changed_document_is_loaded_and_no_other() {
    let app = App::start().await;
    let (store, (client, _)) = (app.colloquy.knowledge(), app.colloquy.tables());
    for name in ["changed", "deleted", "kept"] {
        write(&store, "garden", name, &format!("A word of {name}.")).await;
    }
    let shelves = Shelves::new(store.clone(), Spaces::default(), usize::MAX);
    let first = shelves.texts("garden", EmbedderSlot::Current).await.unwrap();
    assert_eq!(texts_of(&first.index), ["A word of changed.", "A word of deleted.", "A word of kept."]);

    // Were it loaded again, it would be missing.
    let kept = DocumentId::of("garden", &["kept"]).to_string().replace("garden-", "");
    for shard in 0..16 {
        let key = [("assistant", format!("garden#{shard:02}")), ("id", format!("{kept}#000"))];
        let key = key.map(|(name, value)| (name.to_owned(), S(value))).into();
        client.delete_item().table_name("knowledge").set_key(Some(key)).send().await.unwrap();
    }
    write(&store, "garden", "changed", "Another word.").await;
    write(&store, "garden", "new", "A new word.").await;
    store.delete(&DocumentId::of("garden", &["deleted"])).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2_100)).await;

    let renewed = shelves.texts("garden", EmbedderSlot::Current).await.unwrap();
    assert_eq!(texts_of(&renewed.index), ["A new word.", "A word of kept.", "Another word."]);
    assert!(renewed.state.version > first.state.version);
}

#[tokio::test]
async fn the_texts_of_all_assistants_share_one_budget_and_those_asked_for_the_longest_ago_leave() {
    let app = App::start().await;
    let store = app.colloquy.knowledge();
    let text = "One word after another. ".repeat(400);
    for assistant in ["a", "b", "c"] {
        write(&store, assistant, "text", &text).await;
    }
    let alone =
        Shelves::new(store.clone(), Spaces::default(), usize::MAX).texts("a", EmbedderSlot::Current).await.unwrap();
    let Index::Memory(memory) = &*alone.index else { panic!("in memory") };
    // Room for two, not for three.
    let shelves = Shelves::new(store, Spaces::default(), memory.bytes() * 5 / 2);
    let index = async |assistant: &str| shelves.texts(assistant, EmbedderSlot::Current).await.unwrap().index;
    let (a, b) = (index("a").await, index("b").await);
    assert!(Arc::ptr_eq(&a, &index("a").await) && Arc::ptr_eq(&b, &index("b").await), "there is room for both");
    index("a").await;

    let c = index("c").await;

    assert!(Arc::ptr_eq(&a, &index("a").await) && Arc::ptr_eq(&c, &index("c").await));
    assert!(!Arc::ptr_eq(&b, &index("b").await), "it was asked for the longest ago");
    assert!(!Arc::ptr_eq(&a, &index("a").await), "and now that was another");
}

#[tokio::test]
async fn questions_that_come_at_once_load_texts_once() {
    let app = App::start().await;
    let store = app.colloquy.knowledge();
    write(&store, "garden", "text", "A word.").await;
    let shelves = Shelves::new(store, Spaces::default(), usize::MAX);
    let all = futures::future::join_all((0..20).map(|_| shelves.texts("garden", EmbedderSlot::Current))).await;
    let first = all[0].as_ref().unwrap();
    assert!(all.iter().all(|held| Arc::ptr_eq(&held.as_ref().unwrap().index, &first.index)));
}

/// A stand-in for an embeddings server that counts how often it is asked for a text.
#[derive(Clone, Default)]
struct Counted {
    asked: Arc<Mutex<HashMap<String, usize>>>,
    is_away: Arc<AtomicBool>,
}

impl Counted {
    async fn embed(Shared(counted): Shared<Self>, Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
        for text in body["input"].as_array().unwrap() {
            *counted.asked.lock().unwrap().entry(text.as_str().unwrap().to_owned()).or_default() += 1;
        }
        embeddings(Shared(counted.is_away), Json(body)).await
    }

    async fn embedder(&self, model: &str) -> Embedder {
        let probe = axum::routing::get(async || "");
        let router = Router::new().route("/embeddings", post(Self::embed)).route("/models", probe);
        let server = Server::new(&tests::serve(router.with_state(self.clone())).await, None).unwrap();
        Embedder::OpenAi(OpenAi::new(server, model, Some(DIMENSIONS)).unwrap())
    }

    fn times(&self, part: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|(text, _)| text.contains(part)).map(|(_, times)| times).sum()
    }
}

/// Asks until `done`, and expects an answer by meaning each time.
async fn ask_until(app: &App, done: impl AsyncFn() -> bool) {
    let started = Instant::now();
    for number in 0.. {
        let answer = ask(app, question(&format!("staking coins for a reward from the network {number}"))).await;
        assert_eq!((answer.retrieval, &answer.degraded[..]), (Retrieval::Hybrid, &[][..]), "{answer:?}");
        assert!(found(&answer, "Staking"), "{answer:?}");
        if done().await {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "it is not done");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn another_embedder_takes_over_without_a_question_unanswered_in_between() {
    let folder = std::env::temp_dir().join(format!("colloquy-embedders-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let flags = folder.join("flags.json");
    std::fs::write(&flags, "{}").unwrap();
    let (old, new) = (Counted::default(), Counted::default());
    let (a, b) = (old.embedder("a").await, new.embedder("b").await);
    let start = async |embedder: &Embedder, next: Option<&Embedder>| {
        let state = local::State::Folder(folder.join("state"));
        let flags = FlagSource::file(&flags, Duration::from_millis(100));
        let (embedder, next_embedder) = (Some(embedder.clone()), next.cloned());
        App::with_options(Options { state, flags, embedder, next_embedder, ..tests::options() }).await
    };

    let app = start(&a, None).await;
    let id = ingest(&app, "Glossary", GLOSSARY).await;
    embedded(&app, &id, &a).await;
    let texts = old.times("Staking locks");
    app.colloquy.stop().await;

    // Filled behind the answers, which go on with the old one.
    let app = start(&a, Some(&b)).await;
    let store = app.colloquy.knowledge();
    ask_until(&app, async || store.is_complete_in("defi", &b.space()).await.unwrap()).await;
    assert_eq!((old.times("Staking locks"), new.times("Staking locks"), new.times("a reward from")), (texts, 1, 0));

    // Switched by the flag, and back, and again.
    for (flag, now) in [("next", &new), ("current", &old), ("next", &new)] {
        let before = now.times("a reward from");
        std::fs::write(&flags, format!(r#"{{"embedder": "{flag}"}}"#)).unwrap();
        ask_until(&app, async || now.times("a reward from") > before + 2).await;
    }
    let last = old.times("a reward from");
    ask(&app, question("staking coins for a reward from the network at last")).await;
    assert_eq!(old.times("a reward from"), last, "the old one is asked no more");

    // A text that comes now gets both.
    let id = ingest(&app, "News", "# News\n\nSlashing takes coins from who staked them and cheated.").await;
    embedded(&app, &id, &a).await;
    embedded(&app, &id, &b).await;
    app.colloquy.stop().await;

    // The new one becomes the current one: nothing is embedded anew, and the old vectors go.
    old.is_away.store(true, Ordering::Relaxed);
    std::fs::write(&flags, "{}").unwrap();
    let app = start(&b, None).await;
    let (client, _) = app.colloquy.tables();
    ask_until(&app, async || {
        let rows = client.scan().table_name("knowledge").send().await.unwrap().items.unwrap();
        rows.iter().all(|row| !row.contains_key(a.space().name()))
    })
    .await;
    assert_eq!((new.times("Staking locks"), new.times("Slashing takes")), (1, 1));
    app.colloquy.stop().await;
    std::fs::remove_dir_all(&folder).unwrap();
}

/// A folder that is an assistant, below a folder that goes away with it.
struct Garden(std::path::PathBuf);

impl Garden {
    fn plant() -> Self {
        let folder = std::env::temp_dir().join(format!("colloquy-garden-{}", std::process::id()));
        let knowledge = folder.join("garden/knowledge");
        std::fs::create_dir_all(&knowledge).unwrap();
        let files = [
            (
                "assistant.toml",
                "title = \"Garden guide\"\ndescription = \"Knows tomatoes and compost.\"\n\
                 greeting = \"What grows with you?\"\nsuggestions = [\"When do I sow tomatoes?\"]\n",
            ),
            ("prompt.md", "You answer questions of gardeners from the passages given, and cite them.\n"),
            (
                "knowledge/tomatoes.md",
                "# Tomatoes\n\n## When do I sow tomatoes?\n\nTomatoes are sown indoors in March, six to eight weeks before the last \
                 frost.\n\nSource: The Gardener's Almanac – https://example.org/tomatoes\n",
            ),
            (
                "knowledge/compost.md",
                "# Compost\n\n## What must not go into compost?\n\nMeat, cooked food and diseased plants must not go into compost.\n\n\
                 Source: The Compost Book – https://example.org/compost\n",
            ),
        ];
        for (name, text) in files {
            std::fs::write(folder.join("garden").join(name), text).unwrap();
        }
        Self(folder)
    }
}

impl Drop for Garden {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

#[tokio::test]
async fn a_folder_outside_is_another_assistant_that_answers_from_its_texts() {
    let garden = Garden::plant();
    let assistants = Assistants::embedded().unwrap().and_in_folder(&garden.0).unwrap();
    let mut own_texts = local::knowledge::own_texts(Some(&garden.0)).unwrap();
    own_texts.retain(|text| text.assistant == "garden");
    let respond = respond::Deps::new(assistants.clone(), None);
    let app = App::with_options(Options { assistants, own_texts, respond, ..tests::options() }).await;

    let listed = app.get("/v1/assistants").await;
    let views = listed.body["assistants"].as_array().unwrap();
    let garden = views.iter().find(|view| view["name"] == "garden").unwrap_or_else(|| panic!("{}", listed.body));
    assert_eq!((views.len(), &garden["title"]), (5, &json!("Garden guide")));

    let question = json!({"assistant": "garden", "question": "when should I sow tomatoes?"});
    let started = Instant::now();
    let answer = loop {
        let answer = app.send(app.request("POST", "/v1/ask").json(&question)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        if answer.body["citations"][0].is_object() {
            break answer.body;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "its texts are not taken in: {}", answer.body);
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!(answer["citations"][0]["source"], "The Gardener's Almanac");
    assert_eq!(answer["citations"][0]["url"], "https://example.org/tomatoes");
    let reply = answer["reply"].as_str().unwrap();
    assert!(
        reply.contains("Tomatoes are sown indoors in March, six to eight weeks before the last frost. [1]"),
        "{reply}"
    );
    app.colloquy.stop().await;
}

#[tokio::test]
async fn a_question_in_the_middle_of_a_booking_is_answered_from_texts_and_the_booking_goes_on() {
    let mut own_texts = local::knowledge::own_texts(None).unwrap();
    own_texts.retain(|text| text.assistant == "travel");
    let app = App::with_options(Options { own_texts, ..tests::options() }).await;
    let first = app.say(None, "I want to fly from Islamabad to London").await;
    let session = first["session_id"].as_str().unwrap();

    let started = Instant::now();
    let answer = loop {
        let answer = app.say(Some(session), "can I bring a power bank in my hand luggage?").await;
        if answer["citations"][0].is_object() {
            break answer;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "the texts are not taken in: {answer}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let reply = answer["reply"].as_str().unwrap();
    assert!(reply.contains("in the cabin only") && reply.contains("[1]"), "{reply}");
    assert!(reply.ends_with("\n\nWhen would you like to fly from Islamabad to London?"), "{reply}");
    assert_eq!((&answer["action"], &answer["written_by"]), (&json!("answer"), &json!("extract")));
    let source = answer["citations"][0]["source"].as_str().unwrap();
    assert!(source.contains("power banks"), "{source}");

    let unknown = app.say(Some(session), "can my daughter play the violin there").await;
    assert!(!unknown["citations"][0].is_object(), "{unknown}");
    let reply = unknown["reply"].as_str().unwrap();
    assert!(reply.ends_with("When would you like to fly from Islamabad to London?"), "{reply}");

    let found = app.say(Some(session), "next Friday").await;
    assert_eq!(found["action"], "search_flights");
    assert_eq!(found["slots"]["destination"]["iata"], "LON");
    app.colloquy.stop().await;
}
