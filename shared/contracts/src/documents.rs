//! The public contract of documents: how an assistant's knowledge is added, looked at and taken away.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::knowledge::Retrieval;
use crate::problem::Problem;

/// The largest body of `POST /v1/documents`, in bytes: room for a PDF of 1 MiB in base64.
pub const DOCUMENT_BODY_LIMIT: usize = 1536 * 1024;
/// The largest document, in bytes.
pub const DOCUMENT_LIMIT: usize = 1024 * 1024;

/// What a document's content is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum ContentType {
    /// Markdown: split at its headings. A last line `Source: Name – https://…` of a section says where it is from, and
    /// one before it, `Asked as: one way; another way`, how else people ask for what stands there.
    #[serde(rename = "text/markdown")]
    Markdown,
    /// HTML: the same, without navigation, scripts and forms.
    #[serde(rename = "text/html")]
    Html,
    /// Plain text: split between paragraphs.
    #[serde(rename = "text/plain")]
    Plain,
    /// A JSON list of `{"question", "answer", "source"?, "url"?}`.
    #[serde(rename = "application/json")]
    QuestionsAndAnswers,
    /// A PDF in base64.
    #[serde(rename = "application/pdf")]
    Pdf,
}

/// A document for an assistant to answer from.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentRequest {
    /// Whose it is: a name from `GET /v1/assistants`.
    #[schema(example = "defi")]
    pub assistant: String,
    /// The name that answers cite it by: 1 to 200 characters, none of them for control or for the direction of writing.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]*[^\s\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069][^\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]*$",
        example = "Handbook"
    )]
    pub source: String,
    /// Its title, to 200 characters of the same kind; a blank one is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        max_length = 200,
        pattern = r"^[^\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]*$"
    )]
    pub title: Option<String>,
    /// Where it can be read: an address with http or https.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000, pattern = r"^https?://[!-~]+$", example = "https://example.org/handbook")]
    pub url: Option<String>,
    /// What you know it by. A document with the key of an earlier one takes its place; without a key, a document is another
    /// one as soon as anything in it differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub key: Option<String>,
    /// What the content is.
    pub content_type: ContentType,
    /// The content, at most 1 MiB (of a PDF before it became base64).
    #[schema(min_length = 1, example = "## May I bring a dog?\n\nYes, on a lead.")]
    pub content: String,
}

impl DocumentRequest {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// 422, naming the field.
    pub fn check(&self) -> Result<(), Problem> {
        check_source("", Some(&self.source), self.url.as_deref())?;
        plain("title", self.title.as_deref())?;
        within("title", self.title.as_deref().filter(|title| !title.trim().is_empty()), 200)?;
        within("key", self.key.as_deref(), 500)?;
        if self.content.trim().is_empty() {
            return Err(Problem::field("content", "it must not be blank"));
        }
        if self.content_type != ContentType::Pdf && self.content.len() > DOCUMENT_LIMIT {
            return Err(Problem::field("content", "it may have at most 1 MiB"));
        }
        Ok(())
    }
}

/// Checks what answers cite: the name of a source, to 200 characters, and its address, to 2,000. `prefix` comes before the
/// names of the fields.
///
/// # Errors
/// 422, naming the field.
pub fn check_source(prefix: &str, source: Option<&str>, url: Option<&str>) -> Result<(), Problem> {
    plain(&format!("{prefix}source"), source)?;
    within(&format!("{prefix}source"), source, 200)?;
    let field = format!("{prefix}url");
    within(&field, url, 2_000)?;
    if url.is_some_and(|url| !is_web_address(url)) {
        return Err(Problem::field(field, "it must be an address that begins with https:// or http://"));
    }
    Ok(())
}

fn within(field: &str, value: Option<&str>, most: usize) -> Result<(), Problem> {
    match value {
        Some(value) if value.chars().count() > most => {
            Err(Problem::field(field, format!("it may have at most {most} characters")))
        }
        Some(value) if value.trim().is_empty() => Err(Problem::field(field, "it must not be blank")),
        _ => Ok(()),
    }
}

fn plain(field: &str, value: Option<&str>) -> Result<(), Problem> {
    if value.is_some_and(|value| !value.chars().all(is_name)) {
        let detail = "it must have no characters for control or for the direction of writing";
        return Err(Problem::field(field, detail));
    }
    Ok(())
}

/// Whether a character may be in a name that is shown beside an answer: it neither controls a terminal nor turns the words
/// around it, so that nothing can pass for what it is not.
pub fn is_name(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !c.is_control() && !turns
}

/// Whether a text is an address that may become a link: of the web, and without anything that is no part of one.
pub fn is_web_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| !c.is_whitespace() && !c.is_control()))
}

/// A document and how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DocumentView {
    /// Its id.
    #[schema(example = "defi-0123456789abcdef01234567")]
    pub id: String,
    /// Whose it is.
    pub assistant: String,
    /// The name that answers cite it by.
    pub source: String,
    /// Its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Where it can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What its sender knows it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How many chunks it was cut into. All of them are found by words at once.
    pub chunks: usize,
    /// How many of them are found by meaning too.
    pub embedded: usize,
    /// How many the embedder refused: these are found by words alone.
    pub failed: usize,
    /// How many still wait to be embedded; 0 where there is no embedder. All of them where taking the document in was broken
    /// off: what it was before stays in answers until it is sent again.
    pub pending: usize,
    /// How it is searched once nothing is pending: `words` where there is no embedder.
    pub retrieval: Retrieval,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_beside_an_answer_can_neither_control_nor_turn_what_is_shown() {
        let request = |source: &str, title: &str| DocumentRequest {
            assistant: "defi".to_owned(),
            source: source.to_owned(),
            title: Some(title.to_owned()),
            url: None,
            key: None,
            content_type: ContentType::Plain,
            content: "Words.".to_owned(),
        };
        for name in ["Handbook", "Règlement, 2ᵉ éd.", "مدونة", "家庭 \u{1f468}\u{200d}\u{1f469}"] {
            request(name, name).check().unwrap();
        }
        request("Handbook", "").check().unwrap();
        for name in ["a\u{1b}[2J", "a\nb", "NHS\u{202e}gro.live", "\u{2066}a", "a\u{9b}b", "a\u{200f}"] {
            for (request, field) in [(request(name, "Title"), "source"), (request("Handbook", name), "title")] {
                let problem = request.check().unwrap_err();
                assert_eq!(
                    (problem.status().as_u16(), problem.body().errors[0].field.as_str()),
                    (422, field),
                    "{name:?}"
                );
            }
        }
    }
}
