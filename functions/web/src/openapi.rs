//! The description of the public API (OpenAPI 3.1): its types as `shared` defines them, its paths as told here.
//!
//! The functions that serve the paths are crates of their own, so the paths are described apart from them; a test over
//! HTTP holds the running server to this description. `openapi.json` beside this crate is what it makes, kept so that a
//! change of the contract is seen in review.

use contracts::api::{
    Answer, AskReply, AskRequest, AssistantList, ChatReply, ChatRequest, FeedbackRequest, HandoffList, HealthReport,
    SessionView, TurnEvent, TurnList,
};
use contracts::documents::{DocumentRequest, DocumentView};
use contracts::problem::ProblemBody;
use http::{HeaderValue, header};
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, ComponentsBuilder, ContentBuilder, HttpMethod, InfoBuilder, LicenseBuilder, ObjectBuilder, OpenApi,
    OpenApiBuilder, PathItem, PathsBuilder, Ref, RefOr, Required, Response, ResponseBuilder, Schema, Type,
};
use utoipa::{PartialSchema, ToSchema};

use crate::document::Document;

/// The description as it is served.
pub(crate) fn document() -> Document {
    Document::new(text(), [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))])
}

/// The description as text, with a line for each part so that changes can be read.
fn text() -> String {
    // The builders only hold what JSON can say; an empty document would fail the tests below.
    serde_json::to_string_pretty(&description()).unwrap_or_default() + "\n"
}

fn description() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Colloquy")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Chat assistants over HTTP. Every error is a problem (RFC 9457) whose `type` is stable and whose `detail` says \
             what to do. Answers only grow: ignore the fields you do not know. The paths are below the address that this \
             document came from, without its own `/v1/openapi.json`.",
        ))
        .license(Some(LicenseBuilder::new().name("MIT OR Apache-2.0").identifier(Some("MIT OR Apache-2.0")).build()));
    OpenApiBuilder::new()
        .info(info)
        .paths(
            PathsBuilder::new()
                .path("/v1/chat", PathItem::new(HttpMethod::Post, chat()))
                .path("/v1/chat/stream", PathItem::new(HttpMethod::Post, chat_stream()))
                .path("/v1/ask", PathItem::new(HttpMethod::Post, ask()))
                .path("/v1/ask/stream", PathItem::new(HttpMethod::Post, ask_stream()))
                .path("/v1/session", session())
                .path("/v1/session/turns", PathItem::new(HttpMethod::Get, turns()))
                .path("/v1/turns/{id}", turn())
                .path("/v1/turns/{id}/events", PathItem::new(HttpMethod::Get, turn_events()))
                .path("/v1/turns/{id}/feedback", PathItem::new(HttpMethod::Post, feedback()))
                .path("/v1/admin/handoffs", PathItem::new(HttpMethod::Get, handoffs()))
                .path("/v1/documents", PathItem::new(HttpMethod::Post, add_document()))
                .path("/v1/documents/{id}", document_by_id())
                .path("/v1/assistants", PathItem::new(HttpMethod::Get, assistants()))
                .path("/v1/health", PathItem::new(HttpMethod::Get, health()))
                .path("/v1/openapi.json", PathItem::new(HttpMethod::Get, openapi()))
                .path("/", PathItem::new(HttpMethod::Get, page())),
        )
        .components(Some(components()))
        .build()
}

fn components() -> Components {
    let mut schemas = Vec::new();
    with_parts::<ChatRequest>(&mut schemas);
    with_parts::<ChatReply>(&mut schemas);
    with_parts::<AskRequest>(&mut schemas);
    with_parts::<AskReply>(&mut schemas);
    with_parts::<TurnEvent>(&mut schemas);
    with_parts::<SessionView>(&mut schemas);
    with_parts::<TurnList>(&mut schemas);
    with_parts::<HandoffList>(&mut schemas);
    with_parts::<FeedbackRequest>(&mut schemas);
    with_parts::<AssistantList>(&mut schemas);
    with_parts::<DocumentRequest>(&mut schemas);
    with_parts::<DocumentView>(&mut schemas);
    with_parts::<HealthReport>(&mut schemas);
    with_parts::<ProblemBody>(&mut schemas);
    let key = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("The operator's key for documents."));
    let key = SecurityScheme::Http(key.build());
    let operator = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("The operator's key."));
    let operator = SecurityScheme::Http(operator.build());
    let components = ComponentsBuilder::new().schemas_from_iter(schemas).security_scheme(DOCUMENTS_KEY, key);
    components.security_scheme(OPERATOR_KEY, operator).build()
}

/// Adds the schema of a type and of every type it is made of.
fn with_parts<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    T::schemas(schemas);
    schemas.push((T::name().into_owned(), T::schema()));
}

// ---- The paths ----

fn chat() -> OperationBuilder {
    said("chat", "Say something to an assistant").response("200", json::<ChatReply>("The answer.")).description(Some(
        "Answers one message. A part that failed or was too slow is named in `degraded`, and the rest is answered: a \
         provider that is away is no error.",
    ))
}

fn chat_stream() -> OperationBuilder {
    said("stream_chat", "Say something and follow the answer as it is made").response("200", events()).description(
        Some(
            "The same as `POST /v1/chat`, as server-sent events: `turn`, `step`, `offers`, `citations`, `delta` (bits of the reply), then \
             `done` with the whole answer, or `error` with a problem. What is wrong with the request is answered as a \
             problem before the stream begins. A client that leaves does not end the turn: `GET /v1/turns/{id}` has it whole, \
             and its events go on at `GET /v1/turns/{id}/events`. The schema is that of one event.",
        ),
    )
}

fn ask() -> OperationBuilder {
    asked("ask", "Ask an assistant one question").response("200", json::<AskReply>("The answer.")).description(Some(
        "Answers from the assistant's texts, without a session. A question that nothing in them answers is told so.",
    ))
}

fn ask_stream() -> OperationBuilder {
    asked("stream_ask", "Ask one question and follow the answer as it is made")
        .response("200", events())
        .description(Some("The same as `POST /v1/ask`, as server-sent events like those of `POST /v1/chat/stream`."))
}

/// An event stream is described event by event, and what is in its `data` as JSON inside a string.
fn events() -> Response {
    let data = ObjectBuilder::new()
        .schema_type(Type::String)
        .content_media_type("application/json")
        .content_schema(Some(reference::<TurnEvent>()));
    let event = ObjectBuilder::new().property("event", string()).property("data", data).required("data");
    let event = event.property("id", string());
    let events = ContentBuilder::new().schema(Some(Schema::from(event))).build();
    ResponseBuilder::new().description("The events.").content("text/event-stream", events).build()
}

/// A question, with everything that can be wrong with it.
fn asked(id: &str, summary: &str) -> OperationBuilder {
    let body = RequestBodyBuilder::new()
        .description(Some("At most 64 KiB."))
        .required(Some(Required::True))
        .content(JSON, ContentBuilder::new().schema(Some(reference::<AskRequest>())).build());
    operation(id, summary)
        .parameter(deadline())
        .request_body(Some(body.build()))
        .response("400", problem("The body is not JSON."))
        .response("404", problem("There is no such assistant (`unknown-assistant`)."))
        .response("413", problem("The body is larger than 64 KiB."))
        .response("415", problem("The body is not sent as `application/json`."))
        .response("422", problem("A field is not valid: `errors` names it."))
        .response("500", problem("A fault of the server."))
}

/// A message said, with everything that can be wrong with it.
fn said(id: &str, summary: &str) -> OperationBuilder {
    let body = RequestBodyBuilder::new()
        .description(Some("At most 64 KiB."))
        .required(Some(Required::True))
        .content(JSON, ContentBuilder::new().schema(Some(reference::<ChatRequest>())).build());
    operation(id, summary)
        .parameter(idempotency_key())
        .parameter(deadline())
        .request_body(Some(body.build()))
        .response("400", problem("The body is not JSON."))
        .response(
            "404",
            problem("There is no such assistant (`unknown-assistant`) or no such session (`unknown-session`)."),
        )
        .response("409", retry(problem("The request with this `Idempotency-Key` is still being answered.")))
        .response("413", problem("The body is larger than 64 KiB."))
        .response("415", problem("The body is not sent as `application/json`."))
        .response("422", problem("A field or the `Idempotency-Key` is not valid: `errors` names it."))
        .response("500", problem("A fault of the server."))
        .response("503", retry(problem("The session cannot be read or kept right now.")))
        .response("504", problem("The time was up before the session could be read or kept."))
}

fn session_id() -> Parameter {
    header_parameter("Colloquy-Session")
        .required(Required::True)
        .description(Some("The `session_id` of an answer. Who knows it may read, continue and delete the session."))
        .schema(Some(pattern("^[0-9a-f]{32}$")))
        .build()
}

fn turn_id() -> Parameter {
    let id = ParameterBuilder::new().name("id").parameter_in(ParameterIn::Path).required(Required::True);
    id.description(Some("The `turn_id` of an answer.")).schema(Some(pattern(TURN_ID))).build()
}

/// What concerns a turn that may still run.
fn of_turn(operation: OperationBuilder) -> OperationBuilder {
    let session = header_parameter("Colloquy-Session")
        .description(Some("The session of the turn; none for a question to `/v1/ask`, whose id is enough."))
        .schema(Some(pattern("^[0-9a-f]{32}$")));
    kept(operation).parameter(turn_id()).parameter(session.build()).response(
        "404",
        problem("There is no such turn (`unknown-turn`), or it is not of this session; or the header names none (`unknown-session`)."),
    )
}

/// A turn that is running, or began so recently that it may be.
fn not_finished() -> Response {
    retry(ResponseBuilder::new().description("It is not finished. Ask again.").build())
}

fn turn() -> PathItem {
    let answer = ContentBuilder::new().schema(Some(reference::<Answer>())).build();
    let read = operation("read_turn", "Read a finished turn")
        .description(Some(
            "The answer, whole, whether or not its client stayed. That to a question without a session is kept nowhere: the process that \
             wrote it has it for half a minute, and another can only say 202, then 404. Who wants to come back asks in a session.",
        ))
        .response("200", ResponseBuilder::new().description("The answer.").content(JSON, answer).build())
        .response("202", not_finished());
    let stop = operation("stop_turn", "Stop a turn")
        .description(Some(
            "The words so far are kept as its answer, marked `incomplete` and `stopped`. It may take a second until no more come.",
        ))
        .response("204", ResponseBuilder::new().description("It is being stopped, or had ended.").build());
    let mut item = PathItem::new(HttpMethod::Get, of_turn(read));
    item.merge_operations(PathItem::new(HttpMethod::Delete, of_turn(stop)));
    item
}

fn turn_events() -> OperationBuilder {
    let last = header_parameter("Last-Event-ID").schema(Some(string()));
    let last = last.description(Some("The `id` of the last event that was seen: what comes after it is sent."));
    of_turn(operation("follow_turn", "Follow a turn"))
        .description(Some(
            "Its events from the start, or after `Last-Event-ID`, then those to come, until half a minute after its end. A process \
             that does not run the turn tells it from its beginning, with the event `turn`, once it is finished.",
        ))
        .parameter(last.build())
        .response("200", events())
        .response("202", not_finished())
}

/// What the paths that need no more than the tables can fail with.
fn kept(operation: OperationBuilder) -> OperationBuilder {
    operation
        .parameter(deadline())
        .response("500", problem("A fault of the server."))
        .response("503", retry(problem("The sessions cannot be reached right now.")))
        .response("504", problem("The time was up."))
}

fn turns() -> OperationBuilder {
    let limit = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(100));
    let limit = limit.default(Some(20.into()));
    kept(operation("list_turns", "List the turns of a session"))
        .description(Some(
            "The newest first, each with what it took and cost. `recorded` is false for the moment until its cost is counted.",
        ))
        .parameter(session_id())
        .parameter(query("limit", "How many, at most.", limit.into()))
        .parameter(query("before", "Those before this turn: `next` of the page before.", pattern(TURN_ID)))
        .response("200", json::<TurnList>("A page of the turns."))
        .response("404", problem("There is no such session (`unknown-session`)."))
        .response("422", problem("`limit` or `before` is not valid, or the header is missing: `errors` names it."))
}

fn feedback() -> OperationBuilder {
    let body = RequestBodyBuilder::new()
        .required(Some(Required::True))
        .content(JSON, ContentBuilder::new().schema(Some(reference::<FeedbackRequest>())).build());
    kept(operation("rate_turn", "Say whether an answer was of use"))
        .description(Some(
            "Said again, it takes the place of what was said before. An answer to `/v1/ask` can be rated once it is counted, \
             seconds later.",
        ))
        .parameter(turn_id())
        .request_body(Some(body.build()))
        .response("204", ResponseBuilder::new().description("It is kept.").build())
        .response("400", problem("The body is not JSON."))
        .response("404", problem("There is no such turn (`unknown-turn`)."))
        .response("413", problem("The body is larger than 64 KiB."))
        .response("415", problem("The body is not sent as `application/json`."))
        .response("422", problem("A field is not valid: `errors` names it."))
}

/// A parameter of the query that may be missing.
fn query(name: &str, description: &str, schema: Schema) -> Parameter {
    let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query).required(Required::False);
    parameter.description(Some(description)).schema(Some(schema)).build()
}

fn handoffs() -> OperationBuilder {
    let days = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(30));
    let scopes: [&str; 0] = [];
    kept(operation("list_handoffs", "List the conversations that wait for a person"))
        .description(Some("The newest first, of the last 7 days where nothing else is asked. For who runs it alone."))
        .security(SecurityRequirement::new(OPERATOR_KEY, scopes))
        .parameter(query("days", "Of how many days, today included.", days.into()))
        .response("200", json::<HandoffList>("The conversations."))
        .response("401", problem("The key is missing or wrong."))
        .response("403", problem("Nothing can be seen here: no key is configured."))
        .response("422", problem("`days` is not valid: `errors` names it."))
}

fn session() -> PathItem {
    let id = session_id();
    let read = operation("read_session", "Read a session")
        .description(Some("What is known, what was shown last, and the last turns."))
        .response("200", json::<SessionView>("The session."));
    let delete = operation("delete_session", "Delete a session")
        .description(Some("Deletes what was said and what is known, at once."))
        .response("204", ResponseBuilder::new().description("The session is deleted.").build());
    let both = |operation: OperationBuilder| {
        kept(operation)
            .parameter(id.clone())
            .response(
                "404",
                problem("There is no such session: it never was, was deleted, or was forgotten after its time."),
            )
            .response("422", problem("The header is missing."))
    };
    let mut item = PathItem::new(HttpMethod::Get, both(read));
    item.merge_operations(PathItem::new(HttpMethod::Delete, both(delete)));
    item
}

fn add_document() -> OperationBuilder {
    let body = RequestBodyBuilder::new()
        .description(Some("At most 1.5 MiB."))
        .required(Some(Required::True))
        .content(JSON, ContentBuilder::new().schema(Some(reference::<DocumentRequest>())).build());
    guarded(operation("add_document", "Give an assistant a document to answer from"))
        .description(Some(
            "Cuts the document into chunks, which are found by words at once and by meaning once they are embedded. The same \
             document again does nothing twice, and finishes what was left unfinished.",
        ))
        .request_body(Some(body.build()))
        .response("202", json::<DocumentView>("The document is taken in."))
        .response("400", problem("The body is not JSON."))
        .response("404", problem("There is no such assistant (`unknown-assistant`)."))
        .response("413", problem("The body is larger than 1.5 MiB."))
        .response("415", problem("The body is not sent as `application/json`."))
        .response("422", problem("A field is not valid, or the content cannot be read: `errors` names it."))
}

fn document_by_id() -> PathItem {
    let id = ParameterBuilder::new()
        .name("id")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some("The `id` of a document."))
        .schema(Some(pattern("^[a-z0-9-]+-[0-9a-f]{24}$")))
        .build();
    let read =
        operation("read_document", "See how far a document is").response("200", json::<DocumentView>("The document."));
    let delete = operation("delete_document", "Take a document out of answers")
        .response("204", ResponseBuilder::new().description("It is no longer answered from.").build());
    let both = |operation: OperationBuilder| {
        guarded(operation).parameter(id.clone()).response("404", problem("There is no such document."))
    };
    let mut item = PathItem::new(HttpMethod::Get, both(read));
    item.merge_operations(PathItem::new(HttpMethod::Delete, both(delete)));
    item
}

/// What only who has the key may do.
fn guarded(operation: OperationBuilder) -> OperationBuilder {
    let scopes: [&str; 0] = [];
    operation
        .security(SecurityRequirement::new(DOCUMENTS_KEY, scopes))
        .parameter(deadline())
        .response("401", problem("The key is missing or wrong."))
        .response("403", problem("Nobody may: the operator configured no key."))
        .response("500", problem("A fault of the server."))
        .response(
            "503",
            retry(problem("The documents cannot be reached right now; sending it again goes on from there.")),
        )
        .response("504", problem("The time was up; sending it again goes on from there."))
}

fn assistants() -> OperationBuilder {
    operation("list_assistants", "List the assistants")
        .response("200", json::<AssistantList>("Who can be spoken to, and what to say to begin with."))
}

fn health() -> OperationBuilder {
    operation("check_health", "Check what the service depends on")
        .response("200", json::<HealthReport>("Answers can be given, if some `degraded`: without what `checks` names."))
        .response("503", json::<HealthReport>("Something no answer can do without is away; `checks` names it."))
}

fn openapi() -> OperationBuilder {
    let any_object = ObjectBuilder::new().schema_type(Type::Object).build();
    let content = ContentBuilder::new().schema(Some(Schema::from(any_object))).build();
    operation("describe", "Get this description")
        .parameter(if_none_match())
        .response("200", cached(ResponseBuilder::new().description("OpenAPI 3.1.").content(JSON, content)))
        .response("304", cached(ResponseBuilder::new().description("It is still the one of that `ETag`.")))
}

fn page() -> OperationBuilder {
    let content =
        ContentBuilder::new().schema(Some(Schema::from(ObjectBuilder::new().schema_type(Type::String)))).build();
    operation("page", "Get the chat page")
        .parameter(if_none_match())
        .response("200", cached(ResponseBuilder::new().description("The page.").content("text/html", content)))
        .response("304", cached(ResponseBuilder::new().description("It is still the one of that `ETag`.")))
}

// ---- What they have in common ----

/// The shape of a turn's id.
const TURN_ID: &str = "^[0-7][0-9A-HJKMNP-TV-Z]{25}$";
const JSON: &str = "application/json";
const DOCUMENTS_KEY: &str = "documents_key";
/// The name of the security scheme of an operator.
const OPERATOR_KEY: &str = "operator";

fn operation(id: &str, summary: &str) -> OperationBuilder {
    let allow = HeaderBuilder::new().schema(Some(string())).description(Some("The methods this path takes.")).build();
    let wrong_method =
        ResponseBuilder::from(problem("The path does not take this method.")).header("Allow", allow).build();
    OperationBuilder::new().operation_id(Some(id)).summary(Some(summary)).response("405", wrong_method)
}

fn idempotency_key() -> Parameter {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some("^[!-~]+$"))
        .min_length(Some(1))
        .max_length(Some(255));
    header_parameter("Idempotency-Key")
        .description(Some(
            "Random, one for each message; at least 22 characters (128 bits) where there is no `session_id`. The same key \
             with the same body within 24 hours gives the same turn instead of a second one; with another body, 422.",
        ))
        .schema(Some(Schema::from(schema)))
        .build()
}

fn deadline() -> Parameter {
    // A text, for whatever else is sent is accepted as well.
    header_parameter("Colloquy-Deadline-Ms")
        .description(Some(
            "Milliseconds the answer may take, a whole number: less than 1,000 counts as 1,000, more than 25,000, nothing or \
             anything else as 25,000.",
        ))
        .schema(Some(string()))
        .example(Some("8000".into()))
        .build()
}

fn if_none_match() -> Parameter {
    header_parameter("If-None-Match").description(Some("The `ETag` the client has.")).schema(Some(string())).build()
}

fn header_parameter(name: &str) -> ParameterBuilder {
    ParameterBuilder::new().name(name).parameter_in(ParameterIn::Header).required(Required::False)
}

fn json<T: ToSchema>(description: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(reference::<T>())).build();
    ResponseBuilder::new().description(description).content(JSON, content).build()
}

fn problem(description: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(reference::<ProblemBody>())).build();
    ResponseBuilder::new().description(description).content("application/problem+json", content).build()
}

/// The response with the header that says when to ask again.
fn retry(response: Response) -> Response {
    let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
    let header = HeaderBuilder::new().schema(Some(Schema::from(seconds))).description(Some("Seconds to wait.")).build();
    ResponseBuilder::from(response).header("Retry-After", header).build()
}

fn cached(response: ResponseBuilder) -> Response {
    let etag: Header = HeaderBuilder::new().schema(Some(string())).build();
    response.header("ETag", etag).build()
}

fn reference<T: ToSchema>() -> Ref {
    Ref::from_schema_name(T::name())
}

fn string() -> RefOr<Schema> {
    String::schema()
}

fn pattern(pattern: &str) -> Schema {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).into()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// `UPDATE_OPENAPI=1 cargo test -p web` writes the file anew.
    #[test]
    fn the_description_in_the_repository_is_the_one_served() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(path, text()).unwrap();
        }
        assert!(text() == std::fs::read_to_string(path).unwrap_or_default(), "run UPDATE_OPENAPI=1 cargo test -p web");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let description: Value = serde_json::from_str(&text()).unwrap();
        let mut references = Vec::new();
        collect(&description, &mut references);
        assert!(references.len() > 30);
        for reference in references {
            let pointer = reference.trim_start_matches('#');
            assert!(description.pointer(pointer).is_some(), "{reference} leads nowhere");
        }
    }

    fn collect<'a>(value: &'a Value, references: &mut Vec<&'a str>) {
        match value {
            Value::Object(fields) => {
                references.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|field| collect(field, references));
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
            _ => {}
        }
    }

    #[test]
    fn money_is_told_as_text_so_that_no_client_rounds_it() {
        let description: Value = serde_json::from_str(&text()).unwrap();
        assert_eq!(description["components"]["schemas"]["Money"]["properties"]["amount"]["type"], "string");
    }
}
