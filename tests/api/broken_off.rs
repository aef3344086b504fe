//! Calls to the table of documents, counted: broken off or overtaken after any of them, what is there is whole or known not to
//! be.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws::knowledge_store::{ChunkText, Corpus, DocumentId, KnowledgeStore, NewDocument, Spaces, VectorSpace};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents, SharedInterceptor};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue::{B, S};
use serde_json::json;
use tests::App;

/// Is told before each call how many there were, and may fail it.
#[derive(Clone)]
struct Calls(Arc<dyn Fn(usize) -> Result<(), BoxError> + Send + Sync>, Arc<AtomicUsize>);

impl std::fmt::Debug for Calls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Calls")
    }
}

impl Intercept for Calls {
    fn name(&self) -> &'static str {
        "Calls"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0(self.1.fetch_add(1, Ordering::Relaxed))
    }
}

/// The knowledge of the set under test, and how many calls it made, of each of which `before` is told.
fn watched(
    app: &App,
    before: impl Fn(usize) -> Result<(), BoxError> + Send + Sync + 'static,
) -> (KnowledgeStore, Arc<AtomicUsize>) {
    let made = Arc::new(AtomicUsize::new(0));
    let calls = SharedInterceptor::new(Calls(Arc::new(before), made.clone()));
    let (client, _) = app.colloquy.tables();
    let config = client.config().to_builder().interceptor(calls).build();
    (KnowledgeStore::new(Client::from_conf(config), "knowledge"), made)
}

/// The same for a process that dies after so many calls.
fn dying(app: &App, most: usize) -> (KnowledgeStore, Arc<AtomicUsize>) {
    watched(app, move |made| if made < most { Ok(()) } else { Err("the process died".into()) })
}

/// The same for a process that stands still before one of its calls until `meanwhile` is done.
fn overtaken<F: Future>(
    app: &App,
    at: usize,
    meanwhile: impl Fn() -> F + Send + Sync + 'static,
) -> (KnowledgeStore, Arc<AtomicUsize>) {
    watched(app, move |made| {
        if made == at {
            let now = tokio::runtime::Handle::current();
            tokio::task::block_in_place(|| now.block_on(meanwhile()));
        }
        Ok(())
    })
}

fn chunk(text: String) -> ChunkText {
    ChunkText { text, heading: String::new(), source: "Handbook".to_owned(), url: None, asked: String::new() }
}

/// A document with the key `key`, of these texts.
fn keyed(key: &str, texts: &[&str]) -> NewDocument {
    NewDocument {
        id: DocumentId::of("defi", &["key", key]),
        source: "Handbook".to_owned(),
        title: String::new(),
        url: None,
        key: Some(key.to_owned()),
        chunks: texts.iter().map(|text| chunk(format!("{text} of {key}"))).collect(),
    }
}

fn texts(corpus: &Corpus, key: &str) -> Vec<String> {
    let suffix = format!(" of {key}");
    corpus.chunks.iter().filter_map(|chunk| chunk.text.strip_suffix(&suffix).map(str::to_owned)).collect()
}

const OLD: [&str; 3] = ["one", "two", "three"];
const NEW: [&str; 3] = ["two", "four", "five"];

#[tokio::test]
async fn a_replacement_broken_off_anywhere_is_finished_by_sending_it_again() {
    let app = App::start().await;
    let store = app.colloquy.knowledge();
    let space = VectorSpace::new("m_4", 4);
    for spaces in [Spaces::default(), space.into()] {
        for most in 0.. {
            let key = format!("{most} {}", spaces.current().is_some());
            let (old, new) = (keyed(&key, &OLD), keyed(&key, &NEW));
            store.write(&old, &spaces).await.unwrap();
            let version = store.corpus_state("defi").await.unwrap().version;

            let (dying, _) = dying(&app, most);
            let written = dying.write(&new, &spaces).await;

            let found = store.load("defi", None, usize::MAX).await.unwrap().unwrap();
            let kept = store.document(&new.id).await.unwrap().unwrap();
            if texts(&found, &key) != OLD {
                assert_eq!(texts(&found, &key), NEW, "{most}");
                assert!(!kept.is_settled_in(&spaces) || found.state.version > version, "{most}: searched by nobody");
            }
            if written.is_ok() {
                assert!(most > 8, "{most}");
                break;
            }
            // Even after the sweep had a look at it.
            store.settle(&new.id, &spaces).await.unwrap();
            let kept = store.write(&new, &spaces).await.unwrap();
            assert_eq!((kept.counts.chunks, store.document(&new.id).await.unwrap()), (3, Some(kept.clone())), "{most}");
            let found = store.load("defi", None, usize::MAX).await.unwrap().unwrap();
            assert_eq!(texts(&found, &key), NEW, "{most}");
            assert!(found.state.version > version, "{most}");
            assert!(store.delete(&new.id).await.unwrap());
        }
    }
}

#[tokio::test]
async fn a_new_document_broken_off_anywhere_can_be_deleted_whole() {
    let app = App::start().await;
    let store = app.colloquy.knowledge();
    let space = VectorSpace::new("m_4", 4);
    for most in 0.. {
        let document = keyed(&most.to_string(), &OLD);
        let (dying, _) = dying(&app, most);
        let written = dying.write(&document, &Spaces::default()).await.is_ok();

        let deleted = store.delete(&document.id).await.unwrap();
        assert_eq!(store.unembedded(&document.id, [&space]).await.unwrap(), [""; 0], "{most}: a chunk of nobody");
        assert!(deleted || most <= 1, "{most}");
        if written {
            break;
        }
    }
}

/// What there is of a document: its chunks in answers, in the table, and as its head counts them.
async fn found(store: &KnowledgeStore, key: &str) -> (Vec<String>, usize, Option<usize>) {
    let id = keyed(key, &[]).id;
    let corpus = store.load("defi", None, usize::MAX).await.unwrap().unwrap();
    let chunks = store.unembedded(&id, [&VectorSpace::new("m_4", 4)]).await.unwrap().len();
    (texts(&corpus, key), chunks, store.document(&id).await.unwrap().map(|kept| kept.counts.chunks))
}

fn whole(texts: &[&str]) -> (Vec<String>, usize, Option<usize>) {
    (texts.iter().map(|text| (*text).to_owned()).collect(), texts.len(), Some(texts.len()))
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_write_a_document_the_last_to_begin_wins_wherever_the_other_stood_still() {
    let app = App::start().await;
    let store = app.colloquy.knowledge();
    // Two segments of one, so that the other would delete the second.
    let long = ["two".to_owned(), "long ".repeat(40_000), "longer".repeat(40_000)];
    let long = [long[0].as_str(), long[1].as_str(), long[2].as_str()];
    for deletes in [false, true] {
        for at in 0.. {
            let key = format!("{at} {deletes}");
            store.write(&keyed(&key, &OLD), &Spaces::default()).await.unwrap();
            let (winner, winning) = (keyed(&key, &long), store.clone());
            let meanwhile = move || {
                let (winner, store) = (winner.clone(), winning.clone());
                async move {
                    if deletes {
                        store.delete(&winner.id).await.unwrap();
                    }
                    store.write(&winner, &Spaces::default()).await.unwrap();
                }
            };
            let (slow, made) = overtaken(&app, at, meanwhile);

            let written = slow.write(&keyed(&key, &NEW), &Spaces::default()).await;

            let last: &[&str] = if made.load(Ordering::Relaxed) <= at || at <= 1 { &NEW } else { &long };
            assert_eq!(found(&store, &key).await, whole(last), "{key}");
            assert!(written.is_ok() || last == long, "{key}");
            assert!(store.delete(&keyed(&key, &[]).id).await.unwrap());
            if made.load(Ordering::Relaxed) <= at {
                assert!(at > 8, "{at}");
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_deleted_while_it_is_written_leaves_no_chunk() {
    let app = App::start().await;
    let store = app.colloquy.knowledge();
    for at in 2.. {
        let key = at.to_string();
        let (id, deleting) = (keyed(&key, &[]).id, store.clone());
        let meanwhile = move || {
            let (id, store) = (id.clone(), deleting.clone());
            async move { assert!(store.delete(&id).await.unwrap()) }
        };
        let (slow, made) = overtaken(&app, at, meanwhile);

        let written = slow.write(&keyed(&key, &OLD), &Spaces::default()).await;

        if made.load(Ordering::Relaxed) <= at {
            assert!(written.is_ok() && at > 6, "{at}");
            break;
        }
        assert!(written.is_err(), "{at}");
        assert_eq!(found(&store, &key).await, (vec![], 0, None), "{at}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_stood_still_spares_what_was_written_since() {
    let app = App::start().await;
    let store = app.colloquy.knowledge();
    // Who deletes what was written anew before its first call has seen that; who only finishes a deletion does not.
    for (finishes, first) in [(false, 1), (true, 0)] {
        for at in first.. {
            let key = format!("{at} {finishes}");
            let (old, new) = (keyed(&key, &OLD), keyed(&key, &NEW));
            store.write(&old, &Spaces::default()).await.unwrap();
            if finishes {
                // It dies after it was marked.
                dying(&app, 1).0.delete(&old.id).await.unwrap_err();
            }
            let (id, writing) = (old.id.clone(), store.clone());
            let meanwhile = move || {
                let (new, store) = (new.clone(), writing.clone());
                async move {
                    store.delete(&new.id).await.unwrap();
                    store.write(&new, &Spaces::default()).await.unwrap();
                }
            };
            let (slow, made) = overtaken(&app, at, meanwhile);

            let deleted = if finishes { slow.finish_deleting(&id).await } else { slow.delete(&id).await };

            assert_eq!(deleted.unwrap(), at > 0, "{key}");
            if made.load(Ordering::Relaxed) <= at {
                assert_eq!(found(&store, &key).await, (vec![], 0, None), "{key}");
                assert!(at > 5, "{at}");
                break;
            }
            assert_eq!(found(&store, &key).await, whole(&NEW), "{key}");
        }
    }
}

#[tokio::test]
async fn a_corpus_far_beyond_the_limit_is_not_read_to_its_end() {
    let app = App::start().await;
    // 12 MB of words, on 4 of the 16 hash keys: three pages each.
    let text = "word ".repeat(50_000);
    let packed = json!([{"hash": "h", "text": text, "heading": "", "source": "S", "url": null, "embedded": false}]);
    let (client, _) = app.colloquy.tables();
    for n in 0..48 {
        let put = client.put_item().table_name("knowledge").item("assistant", S(format!("defi#{:02}", n % 4)));
        let put = put.item("id", S(format!("{n:024}#000"))).item("texts", B(Blob::new(packed.to_string())));
        put.send().await.unwrap();
    }
    let (counting, calls) = dying(&app, usize::MAX);
    assert!(counting.load("defi", None, usize::MAX).await.unwrap().is_some());
    let whole = calls.swap(0, Ordering::Relaxed);
    assert!(whole > 24, "{whole}");

    assert!(counting.load("defi", None, 500_000).await.unwrap().is_none());
    let read = calls.load(Ordering::Relaxed);
    assert!(read <= 17, "{read} of {whole}: the version and a page of each");
}
