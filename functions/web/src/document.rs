//! A text that is the same for everybody until the next deploy, served so that a client fetches it once.

use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, StatusCode};
use sha2::{Digest, Sha256};

/// The text and the headers that go with it.
pub(crate) struct Document {
    body: Bytes,
    etag: String,
    headers: HeaderMap,
}

impl Document {
    /// The text with its headers, to which what every document has is added: `ETag`, `Cache-Control` and the ban on
    /// guessing another content type.
    pub(crate) fn new(body: String, headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>) -> Self {
        let etag = format!("\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&body)));
        let mut headers: HeaderMap = headers.into_iter().collect();
        if let Ok(value) = HeaderValue::from_str(&etag) {
            headers.insert(header::ETAG, value);
        }
        // Kept, but asked about each time, so that a deploy is seen at once: a 304 costs one short answer.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        Self { body: body.into(), etag, headers }
    }

    /// The document, or 304 where the client says it has it.
    pub(crate) fn answer(&self, asked: &HeaderMap) -> Response {
        if self.is_known_by(asked) {
            let mut headers = self.headers.clone();
            headers.remove(header::CONTENT_TYPE);
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        (self.headers.clone(), self.body.clone()).into_response()
    }

    /// RFC 9110, 13.1.2: any tag of the list, weak or not; proxies that compress make tags weak.
    fn is_known_by(&self, asked: &HeaderMap) -> bool {
        let tags = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        tags.flat_map(|list| list.split(','))
            .map(str::trim)
            .any(|tag| tag == "*" || tag.trim_start_matches("W/") == self.etag)
    }
}

/// How a Content-Security-Policy names an inline script or style that it lets through.
pub(crate) fn csp_hash(text: &str) -> String {
    format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_has_the_document_is_told_so() {
        let document = Document::new("hello".to_owned(), []);
        let other = "\"x\"";
        let cases = [
            (document.etag.clone(), StatusCode::NOT_MODIFIED),
            (format!("W/{}", document.etag), StatusCode::NOT_MODIFIED),
            (format!("{other}, {}", document.etag), StatusCode::NOT_MODIFIED),
            ("*".to_owned(), StatusCode::NOT_MODIFIED),
            (other.to_owned(), StatusCode::OK),
        ];
        for (tag, expected) in cases {
            let asked = HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_str(&tag).unwrap())]);
            assert_eq!(document.answer(&asked).status(), expected, "{tag}");
        }
    }

    #[test]
    fn a_hash_is_written_as_browsers_compute_it() {
        // The example of the Content Security Policy specification, level 2, 7.17.
        assert_eq!(csp_hash("alert('Hello, world.');"), "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='");
    }
}
