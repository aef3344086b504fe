//! The chat page: one response with its style and script in it, so that it works wherever its one address leads.
//!
//! The Content-Security-Policy lets through exactly that style and that script, by their hashes: text that slipped into
//! the page as markup could neither run nor be styled, and nothing could be sent elsewhere.

use http::{HeaderValue, header};

use crate::document::{Document, csp_hash};

const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = concat!(
    include_str!("page/offers.js"),
    include_str!("page/calendar.js"),
    include_str!("page/fare.js"),
    include_str!("page/turn.js"),
    include_str!("page/wire.js"),
    include_str!("page/session.js")
);

/// The page as it is served.
pub(crate) fn document() -> Document {
    let page = PAGE.replace("/* page.css */", STYLE).replace("/* page.js */", SCRIPT);
    let mut headers = vec![
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    headers.extend(HeaderValue::from_str(&policy()).ok().map(|policy| (header::CONTENT_SECURITY_POLICY, policy)));
    Document::new(page, headers)
}

fn policy() -> String {
    format!(
        "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        csp_hash(SCRIPT),
        csp_hash(STYLE),
    )
}
