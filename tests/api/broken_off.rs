//! Calls to the table of documents, counted: broken off after any of them, what is there is whole or known not to be.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents, SharedInterceptor};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue::{B, S};
use serde_json::json;
use shared::knowledge_store::{ChunkText, Corpus, DocumentId, KnowledgeStore, NewDocument, VectorSpace};
use tests::App;

/// Lets so many calls through, and counts them.
#[derive(Debug, Clone)]
struct Calls {
    most: usize,
    made: Arc<AtomicUsize>,
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
        let made = self.made.fetch_add(1, Ordering::Relaxed);
        if made < self.most { Ok(()) } else { Err("the process died".into()) }
    }
}

/// The knowledge of the set under test, for a process that dies after so many calls.
fn dying(app: &App, most: usize) -> (KnowledgeStore, Arc<AtomicUsize>) {
    let made = Arc::new(AtomicUsize::new(0));
    let calls = SharedInterceptor::new(Calls { most, made: made.clone() });
    let (client, _) = app.colloquy.tables();
    let config = client.config().to_builder().interceptor(calls).build();
    (KnowledgeStore::new(Client::from_conf(config), "knowledge"), made)
}

fn chunk(text: String) -> ChunkText {
    ChunkText { text, heading: String::new(), source: "Handbook".to_owned(), url: None }
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
    for space in [None, Some(&space)] {
        for most in 0.. {
            let key = format!("{most} {}", space.is_some());
            let (old, new) = (keyed(&key, &OLD), keyed(&key, &NEW));
            store.write(&old, space).await.unwrap();
            let version = store.corpus_version("defi").await.unwrap();

            let (dying, _) = dying(&app, most);
            let written = dying.write(&new, space).await;

            let found = store.load("defi", None, usize::MAX).await.unwrap().unwrap();
            let kept = store.document(&new.id).await.unwrap().unwrap();
            if texts(&found, &key) != OLD {
                assert_eq!(texts(&found, &key), NEW, "{most}");
                assert!(!kept.is_settled_in(space) || found.version > version, "{most}: searched by nobody");
            }
            if written.is_ok() {
                assert!(most > 8, "{most}");
                break;
            }
            // Even after the sweep had a look at it.
            store.settle(&new.id, space).await.unwrap();
            let kept = store.write(&new, space).await.unwrap();
            assert_eq!((kept.counts.chunks, store.document(&new.id).await.unwrap()), (3, Some(kept.clone())), "{most}");
            let found = store.load("defi", None, usize::MAX).await.unwrap().unwrap();
            assert_eq!(texts(&found, &key), NEW, "{most}");
            assert!(found.version > version, "{most}");
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
        let written = dying.write(&document, None).await.is_ok();

        let deleted = store.delete(&document.id).await.unwrap();
        assert_eq!(store.pending(&document.id, &space).await.unwrap(), [""; 0], "{most}: a chunk of nobody");
        assert!(deleted || most <= 1, "{most}");
        if written {
            break;
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
