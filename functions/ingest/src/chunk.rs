//! Cuts a document into chunks: by its headings, then by its paragraphs and sentences where a section is too long.
//!
//! A section keeps the path of headings above it. A last line `Source: Name – https://…` names where the section is from and
//! is not part of its text; neither is one before it, `Asked as: one way; another way`, of other ways in which people ask for what
//! stands there.
//!
//! All of it takes time in proportion to the text, whatever that is, and stops when its time is up.

use std::collections::HashSet;

use aws::knowledge_store::ChunkText;
use contracts::documents::{is_name, is_web_address};
use contracts::problem::Problem;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use runtime::deadline::Deadline;
use text_splitter::{ChunkConfig, ChunkSizer, MarkdownSplitter, TextSplitter};

/// The most tokens in a chunk: an answer of some 600 words stays whole. On the public sets questions found their answers by
/// meaning better in whole texts than in pieces of 256, 400 or 512 tokens, although all-MiniLM-L6-v2 reads 256 of them.
const MOST_TOKENS: usize = 800;
/// A section that must be cut is cut into pieces of this many tokens at least, where its paragraphs allow it.
const LEAST_TOKENS: usize = 300;
/// How many tokens a piece has in common with the one before it.
const OVERLAP_TOKENS: usize = 40;

/// How much of a section is given to the splitter at once, in tokens and in bytes: some chunks of it. For each chunk of a long
/// run the splitter looks at all of the run that is left.
const WINDOW_TOKENS: usize = 3 * MOST_TOKENS;
const WINDOW: usize = 24 * 1024;
/// The most chunks of one document: what can be written within one request.
const MOST_CHUNKS: usize = 4_000;

/// The longest heading and the longest name of a source, in characters.
const HEADING_CHARACTERS: usize = 200;
/// The most ways of asking for a section.
const MOST_WAYS: usize = 20;
/// The longest address, in bytes.
const URL_BYTES: usize = 2_000;

/// What every chunk of a document has by default.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The document's title; empty where it has none.
    pub title: &'a str,
    /// The name of where it is from.
    pub source: &'a str,
    /// Its address.
    pub url: Option<&'a str>,
}

/// The chunks of a document, each once, as far as there may be more and time is left.
#[derive(Debug)]
pub struct Chunks {
    deadline: Deadline,
    seen: HashSet<String>,
    all: Vec<ChunkText>,
}

impl Chunks {
    /// None yet, to be cut until the deadline.
    pub fn until(deadline: Deadline) -> Self {
        Self { deadline, seen: HashSet::new(), all: Vec::new() }
    }

    /// All of them, in their order.
    pub fn into_all(self) -> Vec<ChunkText> {
        self.all
    }

    fn in_time(&self) -> Result<(), Problem> {
        if self.deadline.remaining().is_zero() { Err(Problem::deadline()) } else { Ok(()) }
    }

    fn push(&mut self, chunk: ChunkText) -> Result<(), Problem> {
        self.in_time()?;
        if self.seen.insert(chunk.hash()) {
            self.all.push(chunk);
        }
        if self.all.len() > MOST_CHUNKS {
            let detail =
                format!("it has more than {MOST_CHUNKS} sections, which is the most that can be taken at once");
            return Err(Problem::field("content", detail));
        }
        Ok(())
    }

    /// Adds the chunks of one section of text: one, unless it is too long.
    pub fn section(
        &mut self,
        origin: Origin<'_>,
        headings: &[&str],
        text: &str,
        markdown: bool,
    ) -> Result<(), Problem> {
        self.in_time()?;
        let (text, cited) = take_source(text);
        let (source, url) = match cited {
            Some((source, url)) => (source, Some(url)),
            None => (origin.source, origin.url),
        };
        let (text, asked) = take_asked(text);
        let heading = heading_path(origin.title, headings);
        let (mut rest, mut more) = (text.trim(), true);
        while more {
            let pieces;
            (pieces, rest) = first_pieces(rest, markdown);
            more = !rest.trim().is_empty();
            for piece in pieces {
                self.push(ChunkText {
                    text: piece.to_owned(),
                    heading: heading.clone(),
                    source: source.to_owned(),
                    url: url.map(str::to_owned),
                    asked: asked.clone(),
                })?;
            }
        }
        Ok(())
    }

    /// Adds the chunks of a Markdown document.
    pub fn markdown(&mut self, content: &str, origin: Origin<'_>) -> Result<(), Problem> {
        let mut path: Vec<(usize, String)> = Vec::new();
        for section in sections(content) {
            if let Some((level, title)) = section.heading {
                path.retain(|(above, _)| *above < level);
                path.push((level, title));
            }
            let headings: Vec<&str> = path.iter().map(|(_, title)| title.as_str()).collect();
            self.section(origin, &headings, section.text, true)?;
        }
        Ok(())
    }
}

struct Section<'a> {
    /// Its level, 1 to 6, and its words; none before the first heading.
    heading: Option<(usize, String)>,
    text: &'a str,
}

/// The document, cut before every heading. A `#` in a block of code is none.
fn sections(content: &str) -> Vec<Section<'_>> {
    let mut sections = Vec::new();
    let (mut heading, mut start) = (None, 0);
    let mut open: Option<(usize, usize, String)> = None;
    for (event, range) in Parser::new_ext(content, Options::ENABLE_TABLES).into_offset_iter() {
        match (event, &mut open) {
            (Event::Start(Tag::Heading { level, .. }), _) => open = Some((level as usize, range.start, String::new())),
            (Event::Text(words) | Event::Code(words), Some((_, _, title))) => title.push_str(&words),
            (Event::SoftBreak | Event::HardBreak, Some((_, _, title))) => title.push(' '),
            (Event::End(TagEnd::Heading(_)), _) => {
                let Some((level, at, title)) = open.take() else { continue };
                sections.push(Section { heading, text: content.get(start..at).unwrap_or_default() });
                heading = Some((level, title.trim().to_owned()));
                start = range.end;
            }
            _ => {}
        }
    }
    sections.push(Section { heading, text: content.get(start..).unwrap_or_default() });
    sections
}

/// Headings, the outermost first, joined by " › "; a title that the first heading repeats is said once. Each is cut to what a
/// heading may have: it goes with every chunk below it.
fn heading_path(title: &str, headings: &[&str]) -> String {
    let title = Some(title.trim()).filter(|title| headings.first().is_none_or(|first| first.trim() != *title));
    let all = title.into_iter().chain(headings.iter().map(|heading| heading.trim()));
    let short = |heading: &str| heading.chars().filter(|c| is_name(*c)).take(HEADING_CHARACTERS).collect::<String>();
    all.filter(|heading| !heading.is_empty()).map(short).collect::<Vec<_>>().join(" › ")
}

/// Takes a last line `Source: Name – https://… (checked 2026-11-21)` off a text. The date is for those who keep the text, and
/// may be missing; of several sources, divided by semicolons, the first is the one that is cited.
fn take_source(text: &str) -> (&str, Option<(&str, &str)>) {
    let trimmed = text.trim_end();
    let (before, last) = trimmed.rsplit_once('\n').unwrap_or(("", trimmed));
    let cited = last.trim().strip_prefix("Source:").and_then(|rest| {
        let rest = rest.rsplit_once(" (checked ").map_or(rest, |(sources, _)| sources);
        let rest = rest.split_once("; ").filter(|(first, _)| first.contains("://")).map_or(rest, |(first, _)| first);
        let dash = [" – ", " — ", " - "].into_iter().filter_map(|dash| Some((rest.rfind(dash)?, dash))).max()?;
        let (name, url) = (rest.get(..dash.0)?.trim(), rest.get(dash.0 + dash.1.len()..)?.trim());
        let short = name.chars().count() <= HEADING_CHARACTERS && url.len() <= URL_BYTES;
        (short && name.chars().all(is_name) && !name.is_empty() && is_web_address(url)).then_some((name, url))
    });
    if cited.is_some() { (before, cited) } else { (text, None) }
}

/// Takes a last line `Asked as: one way; another way` off a text.
fn take_asked(text: &str) -> (&str, String) {
    let trimmed = text.trim_end();
    let (before, last) = trimmed.rsplit_once('\n').unwrap_or(("", trimmed));
    let Some(ways) = last.trim().strip_prefix("Asked as:") else { return (text, String::new()) };
    let short = |way: &str| way.trim().chars().filter(|c| is_name(*c)).take(HEADING_CHARACTERS).collect::<String>();
    let ways = ways.split(';').map(short).filter(|way| !way.is_empty());
    (before, ways.take(MOST_WAYS).collect::<Vec<_>>().join("; "))
}

/// The first pieces of a text, and what is left to be cut.
fn first_pieces(text: &str, markdown: bool) -> (Vec<&str>, &str) {
    let window = beginning(text);
    if window.is_empty() || (window.len() == text.len() && Tokens.size(text) <= MOST_TOKENS) {
        return (Some(window).filter(|window| !window.is_empty()).into_iter().collect(), "");
    }
    let config = ChunkConfig::new(LEAST_TOKENS..MOST_TOKENS).with_sizer(Tokens);
    // The overlap is smaller than the chunk, which is all that can be wrong with it.
    let Ok(config) = config.with_overlap(OVERLAP_TOKENS) else { return (vec![window], "") };
    let mut pieces: Vec<(usize, &str)> = if markdown {
        MarkdownSplitter::new(config).chunk_indices(window).collect()
    } else {
        TextSplitter::new(config).chunk_indices(window).collect()
    };
    let mut end = window.len();
    if window.len() < text.len() && pieces.len() > 1 {
        // Where the last one ends, the window does and not the text: it is cut anew, with what follows.
        end = pieces.pop().map_or(end, |(start, _)| start);
    }
    (pieces.into_iter().map(|(_, piece)| piece).collect(), text.get(end..).unwrap_or_default())
}

/// As much of a text as the splitter is given at once.
fn beginning(text: &str) -> &str {
    let (mut tokens, mut kind, mut length) = (0, Kind::Space, 0);
    for (at, c) in text.char_indices() {
        let next = Kind::of(c);
        if next != kind {
            tokens += kind.tokens(length);
            (kind, length) = (next, 0);
        }
        length += 1;
        if at >= WINDOW || tokens + kind.tokens(length) > WINDOW_TOKENS {
            return text.get(..at).unwrap_or(text);
        }
    }
    text
}

/// Counts tokens without any one model's vocabulary: a word is one per six letters begun, a number one per three digits, and a
/// sign one, as is a character of a script that doesn't part its words; long white space is one per eight. Of English prose
/// that is about what the tokenizers of OpenAI's and BERT's models count.
#[derive(Debug, Clone, Copy)]
struct Tokens;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Letter,
    Digit,
    Space,
    Sign,
}

impl Kind {
    fn of(c: char) -> Self {
        // Thai to Khmer, and the scripts of East Asia.
        let unparted = matches!(u32::from(c), 0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x2E80..=0xD7FF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF);
        match c {
            c if c.is_whitespace() => Self::Space,
            c if c.is_numeric() => Self::Digit,
            c if c.is_alphabetic() && !unparted => Self::Letter,
            _ => Self::Sign,
        }
    }

    /// How many tokens so many of this kind in a row are.
    fn tokens(self, length: usize) -> usize {
        match self {
            Self::Letter => length.div_ceil(6),
            Self::Digit => length.div_ceil(3),
            Self::Space => length / 8,
            Self::Sign => length,
        }
    }
}

impl ChunkSizer for Tokens {
    fn size(&self, chunk: &str) -> usize {
        let (mut tokens, mut kind, mut length) = (0, Kind::Space, 0);
        for next in chunk.chars().map(Kind::of) {
            if next != kind {
                tokens += kind.tokens(length);
                (kind, length) = (next, 0);
            }
            length += 1;
        }
        tokens + kind.tokens(length)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ORIGIN: Origin<'_> = Origin { title: "", source: "handbook", url: Some("https://example.org/handbook") };

    fn later() -> Deadline {
        Deadline::after(std::time::Duration::from_secs(30))
    }

    fn markdown(content: &str, origin: Origin<'_>) -> Vec<ChunkText> {
        let mut chunks = Chunks::until(later());
        chunks.markdown(content, origin).unwrap();
        chunks.into_all()
    }

    fn said(chunks: &[ChunkText]) -> Vec<(&str, &str)> {
        chunks.iter().map(|chunk| (chunk.heading.as_str(), chunk.text.as_str())).collect()
    }

    #[test]
    fn a_section_is_a_chunk_below_the_headings_above_it() {
        let content =
            "Before.\n\n# Baggage\n\n## Cabin\nOne bag.\n\n### Size\n55 cm.\n\n## Hold\n\n```sh\n# no heading\n```\n";
        let chunks = markdown(content, ORIGIN);
        let expected = [
            ("", "Before."),
            ("Baggage › Cabin", "One bag."),
            ("Baggage › Cabin › Size", "55 cm."),
            ("Baggage › Hold", "```sh\n# no heading\n```"),
        ];
        assert_eq!(said(&chunks), expected);
        assert!(chunks.iter().all(|chunk| chunk.source == "handbook" && chunk.url.as_deref() == ORIGIN.url));
    }

    #[test]
    fn a_title_comes_first_unless_the_document_repeats_it() {
        let titled = Origin { title: "Rules", ..ORIGIN };
        for (content, heading) in [("# Rules\n## One\nx", "Rules › One"), ("## One\nx", "Rules › One"), ("x", "Rules")]
        {
            assert_eq!(said(&markdown(content, titled)), [(heading, "x")], "{content}");
        }
    }

    #[test]
    fn the_last_line_says_where_a_section_is_from() {
        let cases = [
            ("Text.\n\nSource: NHS, IVF – https://nhs.uk/ivf/", "Text.", "NHS, IVF", Some("https://nhs.uk/ivf/")),
            ("Text.\nSource: A – B - https://a.org/x", "Text.", "A – B", Some("https://a.org/x")),
            ("Text.\nSource: A – https://a.org/x (checked 2026-11-21)", "Text.", "A", Some("https://a.org/x")),
            (
                "Text.\nSource: A – https://a.org; B – https://b.org (checked 2026-11-21)",
                "Text.",
                "A",
                Some("https://a.org"),
            ),
            ("Text.\nSource: my memory", "Text.\nSource: my memory", "handbook", ORIGIN.url),
            ("Source: NHS – https://nhs.uk\nText.", "Source: NHS – https://nhs.uk\nText.", "handbook", ORIGIN.url),
        ];
        for (content, text, source, url) in cases {
            let chunks = markdown(&format!("## Q\n{content}\n"), ORIGIN);
            assert_eq!(said(&chunks), [("Q", text)]);
            assert_eq!((chunks[0].source.as_str(), chunks[0].url.as_deref()), (source, url));
        }
    }

    #[test]
    fn a_line_says_how_else_people_ask_for_a_section() {
        for (content, text, asked, source) in [
            ("Text.\n\nAsked as: what now; and then\n\nSource: A – https://a.org", "Text.", "what now; and then", "A"),
            ("Text.\nAsked as: one;; two ;\u{202e}\n", "Text.", "one; two", "handbook"),
            ("Text.\nAsked as:", "Text.", "", "handbook"),
            ("Asked as: x\nText.", "Asked as: x\nText.", "", "handbook"),
            ("They ask. Asked as: x", "They ask. Asked as: x", "", "handbook"),
        ] {
            let chunks = markdown(&format!("## Q\n{content}\n"), ORIGIN);
            assert_eq!(said(&chunks), [("Q", text)]);
            assert_eq!((chunks[0].asked.as_str(), chunks[0].source.as_str()), (asked, source));
        }
        let many = format!("## Q\nText.\n\nAsked as: {}", "how; ".repeat(99));
        assert_eq!(markdown(&many, ORIGIN)[0].asked.split(';').count(), MOST_WAYS);
    }

    #[test]
    fn a_section_that_is_too_long_is_cut_between_sentences() {
        let sentence = |number| format!("The quick brown fox jumps over {number} lazy dogs, and nobody minds. ");
        let chunks = markdown(&format!("## Foxes\n{}", (0..200).map(sentence).collect::<String>()), ORIGIN);
        assert!(chunks.len() >= 4, "{}", chunks.len());
        assert!(chunks.iter().all(|chunk| chunk.heading == "Foxes" && Tokens.size(&chunk.text) <= MOST_TOKENS));
        assert!(chunks.iter().all(|chunk| chunk.text.starts_with("The quick") && chunk.text.ends_with("minds.")));
    }

    #[test]
    fn a_long_section_is_cut_in_windows_and_nothing_of_it_is_lost() {
        let text: String = (0..30_000).map(|number| format!("w{number} ")).collect();
        let chunks = markdown(&text, ORIGIN);
        let mut next = 0;
        for chunk in &chunks {
            assert!(Tokens.size(&chunk.text) <= MOST_TOKENS);
            let numbers: Vec<usize> = chunk.text.split(' ').map(|word| word[1..].parse().unwrap()).collect();
            assert!(numbers[0] <= next, "{} after {next}", numbers[0]);
            assert!(next == 0 || next - numbers[0] < OVERLAP_TOKENS, "{} after {next}", numbers[0]);
            next = numbers.last().unwrap() + 1;
        }
        assert_eq!(next, 30_000);
    }

    /// A second of one processor each. Before the windows, 25.
    #[test]
    fn a_mebibyte_of_signs_is_cut_in_seconds() {
        for unit in ["*_", "[", ">", "|", "#", "a. ", "\u{301}"] {
            let text = unit.repeat(1024 * 1024 / unit.len());
            let (started, mut chunks) = (std::time::Instant::now(), Chunks::until(later()));
            chunks.markdown(&text, ORIGIN).unwrap();
            let took = started.elapsed();
            assert!(took.as_secs() < 10, "{unit:?}: {took:?}");
            assert!((1..=4).contains(&chunks.all.len()), "{unit:?}: one and the same, again and again");
        }
    }

    #[test]
    fn cutting_stops_when_its_time_is_up_and_when_there_is_too_much() {
        let text = "Some words. ".repeat(50_000);
        let mut chunks = Chunks::until(Deadline::after(std::time::Duration::from_millis(5)));
        std::thread::sleep(std::time::Duration::from_millis(10));
        assert_eq!(chunks.markdown(&text, ORIGIN).unwrap_err().status(), 504);
        assert!(chunks.all.is_empty());
        let sections: String = (0..MOST_CHUNKS + 500).map(|number| format!("# {number}\n{number}\n")).collect();
        let mut chunks = Chunks::until(later());
        assert_eq!(chunks.markdown(&sections, ORIGIN).unwrap_err().status(), 422);
        assert_eq!(chunks.all.len(), MOST_CHUNKS + 1);
    }

    #[test]
    fn tokens_are_counted_about_as_tokenizers_count_them() {
        for (text, tokens) in [
            ("", 0),
            ("What is IVF?", 4),
            ("internationalisation", 4),
            ("€1,234.56", 6),
            ("试管婴儿", 4),
            ("Der Hund bellt.", 4),
        ] {
            assert_eq!(Tokens.size(text), tokens, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn no_word_is_lost_and_no_chunk_too_long(words in prop::collection::vec("[a-z]{1,9}[.,]?", 0..800)) {
            let content = words.join(" ");
            let mut chunks = Chunks::until(later());
            chunks.section(Origin { title: "T", ..ORIGIN }, &[], &content, false).unwrap();
            let chunks = chunks.into_all();
            for word in &words {
                prop_assert!(chunks.iter().any(|chunk| chunk.text.contains(word.as_str())));
            }
            for chunk in &chunks {
                prop_assert!(Tokens.size(&chunk.text) <= MOST_TOKENS);
            }
        }

        #[test]
        fn any_text_is_cut_without_a_panic(content in "(?s).{0,400}") {
            Chunks::until(later()).markdown(&content, ORIGIN).unwrap();
        }
    }
}
