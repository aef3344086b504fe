//! The one error: problem details for HTTP APIs (RFC 9457).
//!
//! A [`Problem`] says to the caller what is wrong and what is allowed. Its cause is for the operator: it is logged once,
//! where the problem becomes a response, and never sent.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a request got wrong in one of its fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// The field, as a path from the top of the body: `client_time`.
    #[schema(example = "message")]
    pub field: String,
    /// What is wrong with it, and what is allowed.
    pub detail: String,
}

/// The body of every error, as `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// A URN naming the kind of problem: stable, for programs.
    #[serde(rename = "type")]
    #[schema(example = "urn:colloquy:problem:invalid-field")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What is wrong this time.
    #[serde(default)]
    pub detail: String,
    /// The fields at fault, where there are any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// Why a request was not answered. Small to hand on, since every result carries room for one.
#[derive(Debug)]
pub struct Problem(Box<Parts>);

#[derive(Debug)]
struct Parts {
    status: StatusCode,
    kind: String,
    title: String,
    detail: String,
    errors: Vec<FieldError>,
    retry_after: Option<Duration>,
    allow: Option<&'static str>,
    permanent: bool,
    cause: Option<anyhow::Error>,
}

/// The media type of a problem.
pub const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");
const URN: &str = "urn:colloquy:problem:";

impl Problem {
    /// A problem of a kind, which is a short name in kebab case (`unknown-session`), with a title that is the same each time
    /// and a detail that is not.
    pub fn new(status: StatusCode, kind: &str, title: &str, detail: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            status,
            kind: format!("{URN}{kind}"),
            title: title.to_owned(),
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
            allow: None,
            permanent: false,
            cause: None,
        }))
    }

    /// 400: the body cannot be read at all.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed-body", "The body cannot be read", detail)
    }

    /// 422: a field is missing, unknown, or has a value that is not allowed.
    pub fn field(field: impl Into<String>, detail: impl Into<String>) -> Self {
        let error = FieldError { field: field.into(), detail: detail.into() };
        let detail = format!("{}: {}", error.field, error.detail);
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-field", "A field is not valid", detail);
        problem.0.errors.push(error);
        problem
    }

    /// 404: there is no such thing.
    pub fn not_found(kind: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, kind, "Not found", detail)
    }

    /// 503: something this answer needs is away for now; trying again later may help.
    pub fn unavailable(detail: impl Into<String>, cause: impl Into<anyhow::Error>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available right now", detail)
            .retry_after(Duration::from_secs(2))
            .caused_by(cause)
    }

    /// 500: a fault of ours.
    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        let detail = "Something went wrong on our side. The operator can find it in the logs.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error", detail).caused_by(cause)
    }

    /// 504: the time for this request was up.
    pub fn deadline() -> Self {
        let detail = "There was not enough time to answer.";
        Self::new(StatusCode::GATEWAY_TIMEOUT, "deadline", "Out of time", detail)
    }

    /// When to try again, sent as `Retry-After` in whole seconds, at least one.
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// A problem that stays until somebody changes what is configured, whatever its status tells the caller.
    pub fn permanent(mut self) -> Self {
        self.0.permanent = true;
        self
    }

    /// What lies behind it, for the log.
    pub fn caused_by(mut self, cause: impl Into<anyhow::Error>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    fn allow(mut self, methods: &'static str) -> Self {
        self.0.allow = Some(methods);
        self
    }

    /// Logs what lies behind it, which is then not logged again: for one that may be told to nobody, or more than once.
    pub fn logged(mut self) -> Self {
        if let Some(cause) = self.cause() {
            tracing::error!(status = self.0.status.as_u16(), problem = %self, cause, "request failed");
        }
        self.0.cause = None;
        self
    }

    /// What the caller is told, once more.
    pub fn told(&self) -> Self {
        let Parts { status, kind, title, detail, errors, retry_after, allow, permanent, cause: _ } = &*self.0;
        Self(Box::new(Parts {
            status: *status,
            kind: kind.clone(),
            title: title.clone(),
            detail: detail.clone(),
            errors: errors.clone(),
            retry_after: *retry_after,
            allow: *allow,
            permanent: *permanent,
            cause: None,
        }))
    }

    /// The HTTP status it is answered with.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// Whether the same request may succeed later, without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        let passes = match self.0.status {
            StatusCode::INTERNAL_SERVER_ERROR => false,
            StatusCode::TOO_MANY_REQUESTS => true,
            status => status.is_server_error(),
        };
        passes && !self.0.permanent
    }

    /// What lies behind it, down to its root: for the log of who goes on without an answer.
    pub fn cause(&self) -> Option<String> {
        self.0.cause.as_ref().map(|cause| format!("{cause:#}"))
    }

    /// What the caller is told.
    pub fn body(&self) -> ProblemBody {
        ProblemBody {
            kind: self.0.kind.clone(),
            title: self.0.title.clone(),
            status: self.0.status.as_u16(),
            detail: self.0.detail.clone(),
            errors: self.0.errors.clone(),
        }
    }

    /// Takes over the problem that a step answered with. A status that is no error becomes 502.
    pub fn from_body(body: ProblemBody, retry_after: Option<Duration>) -> Self {
        let status = StatusCode::from_u16(body.status).ok().filter(|status| status.as_u16() >= 400);
        Self(Box::new(Parts {
            status: status.unwrap_or(StatusCode::BAD_GATEWAY),
            kind: body.kind,
            title: body.title,
            detail: body.detail,
            errors: body.errors,
            retry_after,
            allow: None,
            permanent: false,
            cause: None,
        }))
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.0.status.as_u16(), self.0.kind.trim_start_matches(URN))
    }
}

impl std::error::Error for Problem {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_ref().map(|cause| cause.as_ref())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let problem = self.logged();
        let mut response = (problem.0.status, Json(problem.body())).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, PROBLEM_JSON);
        if let Some(wait) = problem.0.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        if let Some(methods) = problem.0.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(methods));
        }
        response
    }
}

/// The answer to a path that is there, asked with a method that it does not take; `allowed` is the `Allow` header.
pub fn wrong_method(allowed: &'static str) -> Problem {
    let detail = format!("This path takes {allowed}.");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "wrong-method", "Method not allowed", detail).allow(allowed)
}
