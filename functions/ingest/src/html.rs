//! The words of a web page, as Markdown that keeps its headings, lists and blocks of code.
//!
//! Works on the page's tags as they come, without building a tree: there is nothing that deep nesting could exhaust.

use std::borrow::Cow;
use std::cell::RefCell;

use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

/// The page's text and its `<title>`, which is empty where it has none.
pub fn to_markdown(html: &str) -> (String, String) {
    let tokenizer = Tokenizer::new(Page::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(&without_long_tags(html)));
    // A script does not run: the tokenizer pauses after it and is told to go on.
    while !input.is_empty() {
        drop(tokenizer.feed(&input));
    }
    tokenizer.end();
    let page = tokenizer.sink.0.into_inner();
    (page.text.trim().to_owned(), collapse(&page.title))
}

/// The page with nothing but the name of those tags that have more attributes than a person writes: the tokenizer compares
/// each with all before it.
fn without_long_tags(html: &str) -> Cow<'_, str> {
    let (mut short, mut kept, mut at) = (String::new(), 0, 0);
    while let Some(begin) = html.get(at..).and_then(|rest| rest.find('<')).map(|found| at + found) {
        at = begin + 1;
        let rest = html.get(at..).unwrap_or_default();
        if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            continue;
        }
        let ends = |at: usize, sign: &str| sign == ">" || rest.get(at + 1..).is_some_and(|next| next.starts_with('/'));
        let end = rest.match_indices(['<', '>']).find(|(at, sign)| ends(*at, sign)).map_or(rest.len(), |(at, _)| at);
        let tag = rest.get(..end).unwrap_or_default();
        let between = |c: char| c.is_ascii_whitespace() || matches!(c, '/' | '"' | '\'');
        if tag.matches(between).count() > ATTRIBUTES {
            let name = tag.find(between).unwrap_or(tag.len());
            short.push_str(html.get(kept..at + name).unwrap_or_default());
            kept = at + end;
        }
        at += end;
    }
    if kept == 0 {
        return Cow::Borrowed(html);
    }
    short.push_str(html.get(kept..).unwrap_or_default());
    Cow::Owned(short)
}

#[derive(Default)]
struct Page(RefCell<Written>);

#[derive(Default)]
struct Written {
    text: String,
    title: String,
    in_title: bool,
    /// The element whose content is left out, and how many of its name are open.
    skipping: Option<(String, usize)>,
    preformatted: bool,
    in_heading: bool,
}

/// The most that the attributes of a tag may have of what separates them.
const ATTRIBUTES: usize = 2_000;
/// Elements that are not what a page says.
const LEFT_OUT: &[&str] = &["nav", "header", "footer", "aside", "form", "svg", "template", "select", "button", "head"];
/// Elements that begin on a new line.
const BLOCKS: &[&str] = &[
    "p",
    "div",
    "section",
    "article",
    "main",
    "ul",
    "ol",
    "dl",
    "dt",
    "dd",
    "table",
    "blockquote",
    "figure",
    "figcaption",
    "address",
    "hr",
    "details",
    "summary",
    "body",
];

impl TokenSink for Page {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let mut page = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(words) => page.words(&words),
            Token::TagToken(tag) => {
                page.tag(&tag);
                if tag.kind == TagKind::StartTag {
                    return raw(&tag);
                }
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// Elements whose content holds no tags.
fn raw(tag: &Tag) -> TokenSinkResult<()> {
    match &*tag.name {
        "script" => TokenSinkResult::RawData(RawKind::ScriptData),
        "style" | "noscript" | "iframe" | "noframes" | "xmp" => TokenSinkResult::RawData(RawKind::Rawtext),
        "title" | "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
        _ => TokenSinkResult::Continue,
    }
}

impl Written {
    fn words(&mut self, words: &str) {
        if self.in_title {
            self.title.push_str(words);
        } else if self.skipping.is_some() {
        } else if self.preformatted {
            self.text.push_str(words);
        } else {
            self.prose(words);
        }
    }

    /// Words with runs of white space as one space, so that they read as a browser shows them.
    fn prose(&mut self, words: &str) {
        for c in words.chars() {
            if !c.is_whitespace() || c == '\u{a0}' {
                // A line that a browser shows as text must not read as a heading.
                if c == '#' && !self.in_heading && (self.text.is_empty() || self.text.ends_with('\n')) {
                    self.text.push('\\');
                }
                self.text.push(c);
            } else if !self.text.is_empty() && !self.text.ends_with([' ', '\n']) {
                self.text.push(' ');
            }
        }
    }

    fn tag(&mut self, tag: &Tag) {
        let (name, opens) = (&*tag.name, tag.kind == TagKind::StartTag);
        if name == "title" {
            self.in_title = opens;
            return;
        }
        let raw = matches!(name, "script" | "style" | "noscript" | "iframe" | "noframes" | "textarea" | "xmp");
        if let Some((skipped, open)) = &mut self.skipping {
            // The body ends a head that was never closed.
            let begun = skipped == "head" && name == "body";
            if begun {
                self.skipping = None;
            } else if skipped == name {
                *open = if opens { *open + 1 } else { *open - 1 };
                if *open == 0 {
                    self.skipping = None;
                }
            }
            return;
        }
        if raw || LEFT_OUT.contains(&name) {
            if opens && !tag.self_closing {
                self.skipping = Some((name.to_owned(), 1));
            }
            return;
        }
        self.structure(name, opens);
    }

    fn structure(&mut self, name: &str, opens: bool) {
        match (name, opens) {
            ("h1" | "h2" | "h3" | "h4" | "h5" | "h6", _) => {
                self.blank_line();
                self.in_heading = opens;
                let level = name.get(1..).and_then(|level| level.parse().ok()).unwrap_or(1);
                if opens {
                    self.text.push_str(&"#".repeat(level));
                    self.text.push(' ');
                }
            }
            ("pre", true) => {
                self.blank_line();
                self.preformatted = true;
                self.text.push_str("```\n");
            }
            ("pre", false) => {
                self.preformatted = false;
                self.new_line();
                self.text.push_str("```\n\n");
            }
            ("li", true) => {
                self.new_line();
                self.text.push_str("- ");
            }
            ("br", _) if self.preformatted => self.text.push('\n'),
            ("br" | "tr", _) => self.new_line(),
            ("td" | "th", false) => self.prose(" "),
            (name, _) if BLOCKS.contains(&name) && !self.preformatted => self.blank_line(),
            _ => {}
        }
    }

    fn new_line(&mut self) {
        self.text.truncate(self.text.trim_end_matches(' ').len());
        if self.text.ends_with("\n-") {
            self.text.push(' ');
        } else if self.in_heading {
            self.prose(" ");
        } else if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    fn blank_line(&mut self) {
        self.new_line();
        if !self.in_heading && !self.text.is_empty() && !self.text.ends_with("\n\n") && !self.text.ends_with("\n- ") {
            self.text.push('\n');
        }
    }
}

fn collapse(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pages_words_keep_their_structure_and_nothing_else_comes_along() {
        let page = "<!doctype html><html><head><title>Bags &amp; more</title><style>p{}</style></head><body>\
            <nav><a href=/>Home</a></nav><h1>Baggage</h1><p>One <b>small</b>\n  bag &lt; 8&nbsp;kg.<br>Really.</p>\
            <script>if (a < b) { document.write('<p>no</p>') }</script>\
            <ul><li>Liquids<li><p>Knives</p></ul><h2>Hold\n<br>luggage</h2><pre># code\n  stays</pre>\
            <table><tr><th>A</th><td>1</td></tr><tr><th>B</th><td>2</td></tr></table># no heading<footer>Imprint</footer>";
        let (text, title) = to_markdown(page);
        assert_eq!(title, "Bags & more");
        assert_eq!(
            text,
            "# Baggage\n\nOne small bag < 8\u{a0}kg.\nReally.\n\n- Liquids\n- Knives\n\n## Hold luggage\n\n```\n# code\n  stays\n```\n\nA 1\nB 2\n\n\\# no heading"
        );
    }

    #[test]
    fn a_page_nested_as_deep_as_it_is_long_is_read_in_no_time() {
        let started = std::time::Instant::now();
        let (text, _) = to_markdown(&format!("{}deep", "<div><b>".repeat(120_000)));
        assert_eq!(text, "deep");
        assert!(started.elapsed().as_secs() < 5);
    }

    #[test]
    fn a_tag_with_as_many_attributes_as_a_page_has_room_for_is_read_in_no_time() {
        let each = |attribute: fn(usize) -> String| (0..100_000).map(attribute).collect::<String>();
        for attributes in [each(|n| format!("a{n} ")), each(|n| format!("a{n}=''")), each(|n| format!("a{n}/"))] {
            let started = std::time::Instant::now();
            let page = format!("<p>Before</p><p {attributes}>Within</p><a <a <b {attributes}");
            assert_eq!(to_markdown(&page).0, "Before\n\nWithin");
            assert!(started.elapsed().as_secs() < 3, "{:?}", started.elapsed());
        }
        let picture = format!("<p>A <img alt='x' src='data:image/png;base64,{}'> picture</p>", "iVBO".repeat(100_000));
        assert_eq!(to_markdown(&picture).0, "A picture");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(html in "(?s)(<[/!a-z]{0,2}(h1|p|pre|li|script|title|head|svg)?[> ]?|.){0,60}") {
            to_markdown(&html);
        }
    }
}
