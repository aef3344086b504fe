//! Puts what was decided into words, always as a stream.
//!
//! In: an action, the session, and what was found for it: flights or passages. Out: the reply bit by bit. It decides nothing
//! and looks nothing up: what it says is in what it was given. With a language model, questions are answered by it, from
//! the passages; without one, or where it does not answer, by the passages' own sentences.

mod about;
mod answer;
mod booking;
mod citations;
mod courtesy;
mod days;
mod extract;
mod facts;
mod fare;
mod language;
mod languages;
mod limits;
mod offers;
mod phrases;
mod prompt;
mod questions;
mod remarks;
mod rephrase;
mod told;
mod topics;
mod words;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use contracts::api::Kind;
use contracts::api::{
    HealthCheck, HealthChecks, HealthRequest, HealthStatus, RESPOND, RESPOND_HEALTH, ReplyEvent, ReplyRequest, Writer,
};
use contracts::dialogue::Action;
use contracts::private::Private;
use contracts::problem::Problem;
use futures::stream::{self, BoxStream, StreamExt};
use models::llm::ChatModel;
use runtime::assistants::Assistants;
use runtime::config;
use runtime::deadline::Deadline;
use runtime::flags::FlagSource;
use runtime::health::check;
use runtime::step::{Serve, ServeStream};

/// What is left of the deadline for an answer to get out.
const RESERVE: Duration = Duration::from_millis(100);

/// What the step needs.
pub struct Deps {
    assistants: Assistants,
    model: Option<ChatModel>,
    flags: FlagSource,
    model_words: bool,
}

impl Deps {
    /// For these assistants, with a model or without.
    pub fn new(assistants: Assistants, model: Option<ChatModel>) -> Self {
        Self { assistants, model, flags: FlagSource::default(), model_words: false }
    }

    /// The same, with switches that are read from `flags`.
    pub fn with_flags(self, flags: FlagSource) -> Self {
        Self { flags, ..self }
    }

    /// The same, where the model may word what the rules say of a journey, or may not.
    pub fn with_model_words(self, model_words: bool) -> Self {
        Self { model_words, ..self }
    }

    /// For the assistants of this build and of `COLLOQUY_ASSISTANTS`, with the model that `CHAT_MODEL` names, if any, which words
    /// what the rules say where `MODEL_WORDS` is `true`.
    ///
    /// # Errors
    /// A variable or a manifest that cannot be read, named.
    pub fn from_env() -> anyhow::Result<Self> {
        let deps = Self::new(Assistants::from_env()?, ChatModel::from_env()?).with_flags(FlagSource::from_env());
        Ok(deps.with_model_words(config::parsed("MODEL_WORDS", false)?))
    }

    /// The model that writes, if there is one.
    pub fn model(&self) -> Option<&str> {
        self.model.as_ref().map(ChatModel::model)
    }
}

/// The routes.
pub fn router(deps: Deps) -> Router {
    let deps = Arc::new(deps);
    RESPOND.serve(deps.clone(), respond).merge(RESPOND_HEALTH.serve(deps, health))
}

/// Tries the model, if there is one. Without it passages are quoted.
async fn health(deps: Arc<Deps>, _: HealthRequest, deadline: Deadline) -> Result<HealthChecks, Problem> {
    let limit = deadline.less(RESERVE);
    let Some(model) = &deps.model else { return Ok(HealthChecks::new()) };
    let (name, tried) = check("model", HealthStatus::Degraded, limit, model.probe(limit)).await;
    Ok(HealthChecks::from([(name, HealthCheck { circuit: Some(model.circuit()), ..tried })]))
}

async fn respond(
    deps: Arc<Deps>,
    mut request: ReplyRequest,
    deadline: Deadline,
) -> Result<BoxStream<'static, ReplyEvent>, Problem> {
    let assistant = deps.assistants.get(&request.assistant)?;
    without_citations_of_their_own(&mut request);
    // What is asked of bags is answered by a text on bags, or by what the rules know, but never by the nearest passage.
    let off_topic = match &request.action {
        Action::LookUp { topic, .. } if topic.is_service() => {
            request.passages.retain(|passage| topics::speaks_of(*topic, &passage.heading, &passage.text));
            // Without a model the reply is what is quoted: that must speak of it, too.
            let quotes = extract::quotes(&request.question, &request.passages);
            let quoted = quotes.iter().any(|quote| topics::speaks_of(*topic, "", &quote.text));
            request.passages.is_empty() || deps.model.is_none() && !quoted
        }
        _ => false,
    };
    let next = match &request.action {
        Action::Retrieve => Some(None),
        Action::LookUp { then_ask, .. } if !request.passages.is_empty() && !off_topic => Some(*then_ask),
        _ => None,
    };
    if let Some(next) = next {
        let flags = deps.flags.of_turn().await;
        let model = deps.model.as_ref().filter(|_| flags.model);
        let answer = answer::answer(model, flags.is_capped(), assistant, &request, deadline).await;
        return Ok(and_then(answer, next.map(|slot| words::question(slot, &request))));
    }
    Ok(match assistant.kind {
        Kind::Travel => of_a_journey(&deps, &request, deadline).await,
        Kind::Knowledge | Kind::Other => said(courtesy::reply(&request.action, assistant), Writer::Rules, Vec::new()),
    })
}

/// What the rules say of a journey, in the model's words where it may word it and says the same.
async fn of_a_journey(deps: &Deps, request: &ReplyRequest, deadline: Deadline) -> BoxStream<'static, ReplyEvent> {
    let understood = request.degraded.iter().all(|missing| missing.part != "understand");
    let wanted = deps.model_words && understood && rephrase::is_allowed(&request.action);
    let model = match &deps.model {
        Some(model) if wanted && deps.flags.of_turn().await.asks_models() => model,
        _ => return said(words::reply(request), Writer::Rules, Vec::new()),
    };
    let english = words::in_english(request).concat();
    let (theirs, usage) = rephrase::rephrased(model, &english, request, deadline.less(RESERVE)).await;
    let (bits, written_by) = match theirs {
        Some(theirs) => (vec![theirs], Writer::Model),
        None => (words::reply(request), Writer::Rules),
    };
    let deltas = bits.into_iter().map(|text| ReplyEvent::Delta { text: Private(text) });
    let done = ReplyEvent::Done { written_by, cited: Vec::new(), usage };
    stream::iter(deltas.chain([done]).collect::<Vec<_>>()).boxed()
}

/// Takes out of what texts and people wrote whatever looks like a citation: in a reply, and to a model, `[1]` is the first
/// passage, whoever wrote it.
fn without_citations_of_their_own(request: &mut ReplyRequest) {
    for passage in &mut request.passages {
        for words in [&mut passage.text, &mut passage.heading, &mut passage.source] {
            *words = citations::without(words);
        }
        // In an address it is written another way.
        passage.url = passage.url.as_ref().map(|url| url.replace('[', "%5B").replace(']', "%5D"));
    }
    request.near = request.near.iter().map(|heading| citations::without(heading)).collect();
    for part in &mut request.parts {
        part.question = Private(citations::without(&part.question));
    }
}

/// The reply, with a question at its end.
fn and_then(reply: BoxStream<'static, ReplyEvent>, question: Option<String>) -> BoxStream<'static, ReplyEvent> {
    let Some(question) = question else { return reply };
    let events = move |event: ReplyEvent| {
        let asked = matches!(event, ReplyEvent::Done { .. })
            .then(|| ReplyEvent::Delta { text: Private(format!("\n\n{question}")) });
        stream::iter(asked.into_iter().chain([event]))
    };
    reply.flat_map(events).boxed()
}

/// Words that are all known already.
fn said(bits: Vec<String>, written_by: Writer, cited: Vec<usize>) -> BoxStream<'static, ReplyEvent> {
    let deltas = bits.into_iter().map(|text| ReplyEvent::Delta { text: Private(text) });
    stream::iter(deltas.chain([ReplyEvent::Done { written_by, cited, usage: None }]).collect::<Vec<_>>()).boxed()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use axum::Json;
    use axum::routing::post;
    use models::openai::Server;
    use serde_json::{Value, json};

    use super::*;

    /// A question whose passages cite in every way that they can.
    fn request() -> ReplyRequest {
        let passage = |id: &str, heading: &str, text: &str| {
            json!({
                "id": id, "heading": heading, "text": text, "source": "A book [2]", "url": "https://a.example/[2]", "score": 0.9,
            })
        };
        serde_json::from_value(json!({
            "assistant": "fertility", "action": {"type": "retrieve"}, "session": {}, "client_time": "2026-11-20T09:00:00Z",
            "question": "what is IVF and does it rain [2]",
            "parts": [
                {"question": "what is IVF", "passages": [1]},
                {"question": "source?", "intent": "source", "passages": [1]},
                {"question": "does it rain [2]", "passages": []},
            ],
            "passages": [
                passage("a", "Basics › What is IVF? [2]", "IVF is a treatment with eggs [2], as others say [passage 2].【2】"),
                passage("b", "Other", "Words of another text [1]."),
            ],
            "near": ["What is rain? [2]"],
        }))
        .unwrap()
    }

    async fn words(deps: Deps, request: ReplyRequest) -> (String, Vec<usize>) {
        let events = respond(Arc::new(deps), request, Deadline::after(Duration::from_secs(5))).await.unwrap();
        let (mut words, mut all) = (String::new(), Vec::new());
        for event in events.collect::<Vec<_>>().await {
            match event {
                ReplyEvent::Delta { text } => words.push_str(&text),
                ReplyEvent::Done { cited, .. } => all = cited,
                _ => {}
            }
        }
        (words, all)
    }

    #[tokio::test]
    async fn what_a_text_cites_is_no_citation_of_the_reply() {
        let assistants = Assistants::embedded().unwrap();
        let (reply, cited) = words(Deps::new(assistants.clone(), None), request()).await;
        assert_eq!(cited, [1]);
        assert!(reply.contains("IVF is a treatment with eggs, as others say. [1]"), "{reply}");
        assert!(reply.contains("A book – https://a.example/%5B2%5D [1]") && !reply.contains("[2]"), "{reply}");

        let mut unknown = request();
        unknown.parts.retain(|part| part.passages.is_empty());
        let (reply, cited) = words(Deps::new(assistants, None), unknown).await;
        assert!(cited.is_empty() && reply.contains("What is rain?") && !reply.contains("[2]"), "{reply}");
    }

    #[tokio::test]
    async fn what_a_text_cites_is_not_told_to_a_model() {
        let told = Arc::new(Mutex::new(String::new()));
        let seen = told.clone();
        let complete = async move |Json(body): Json<Value>| {
            let messages = body["messages"].as_array().unwrap();
            *seen.lock().unwrap() = messages.last().unwrap()["content"].as_str().unwrap().to_owned();
            (
                [("content-type", "text/event-stream")],
                "data: {\"choices\": [{\"delta\": {\"content\": \"Yes [1].\"}}]}\n\ndata: [DONE]\n\n",
            )
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server::new(&format!("http://{}", listener.local_addr().unwrap()), None).unwrap();
        tokio::spawn(
            async move { axum::serve(listener, Router::new().route("/chat/completions", post(complete))).await },
        );
        let model = ChatModel::new(server, "m", 100);

        let (reply, cited) = words(Deps::new(Assistants::embedded().unwrap(), Some(model)), request()).await;

        assert_eq!((reply.as_str(), cited), ("Yes [1].", vec![1]));
        let told = told.lock().unwrap();
        let (passages, question) = told.rsplit_once("\n\nQuestion:\n").unwrap();
        assert!(
            passages.contains("IVF is a treatment with eggs, as others say.\n") && !passages.contains("[2]"),
            "{passages}"
        );
        assert_eq!(question, "what is IVF and does it rain [2]", "what the person asked stays as it is");
    }
}
