//! One trace id for all that a request sets off: every step, worker, upstream call and log line carries it.
//!
//! It comes in as `traceparent` (W3C Trace Context, level 1), else as X-Ray's `X-Amzn-Trace-Id`, which Lambda sets, else it
//! begins here; a header that cannot be read is as good as none. It goes out as both to the steps, X-Ray's with the parent and the
//! sampling that X-Ray gave it: its map knows the segments of Lambda, and none of our spans. It goes out as `traceparent` to what is outside and on messages, and as `x-trace-id` on answers, for a person to report.

use std::cell::Cell;
use std::fmt;
use std::future::Future;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::task::JoinHandle;
use tracing::Instrument;
use uuid::Uuid;

/// The header of W3C Trace Context, and the attribute of a message.
pub const TRACEPARENT: &str = "traceparent";
/// The header of X-Ray.
pub const X_RAY: HeaderName = HeaderName::from_static("x-amzn-trace-id");
/// The header of an answer that names its trace.
pub const TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");

tokio::task_local! {
    static CURRENT: Cell<(Trace, &'static str)>;
}

/// A trace, at one of its spans. Neither id is ever zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    id: u128,
    span: u64,
    sampled: bool,
    /// What X-Ray said of it.
    x_ray: Option<XRay>,
}

/// X-Ray's header, as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct XRay {
    root: u128,
    parent: Option<u64>,
    sampled: Option<bool>,
}

impl Trace {
    /// A trace that begins here.
    pub fn begin() -> Self {
        Self { id: Uuid::new_v4().as_u128(), span: new_span(), sampled: true, x_ray: None }
    }

    /// The trace that a request belongs to, at a span of its own.
    pub fn of(headers: &HeaderMap) -> Self {
        let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
        let x_ray = headers.get(X_RAY).and_then(text).and_then(|text| Self::from_x_ray(&text));
        // Two of them are none: nobody can tell which is meant.
        let mut told = headers.get_all(TRACEPARENT).iter();
        let parent = told.next().filter(|_| told.next().is_none()).and_then(text);
        let trace = match (parent.and_then(|text| Self::from_traceparent(&text)), x_ray) {
            (Some(parent), Some(x_ray)) => Self { x_ray: x_ray.x_ray, ..parent },
            (Some(trace), None) | (None, Some(trace)) => trace,
            (None, None) => return Self::begin(),
        };
        trace.child()
    }

    /// The trace that the code running now belongs to.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|current| current.get().0).ok()
    }

    /// Reads `version-trace-parent-flags` in lower case hexadecimal. A later version may have more after the flags.
    pub fn from_traceparent(text: &str) -> Option<Self> {
        let (version, rest) = text.split_at_checked(2)?;
        let version = u8::try_from(hexadecimal(version)?).ok().filter(|version| *version != 0xff)?;
        let (fields, more) = rest.split_at_checked(53)?;
        let mut fields = fields.strip_prefix('-')?.split('-');
        let (id, span, flags) = (fields.next()?, fields.next()?, fields.next()?);
        let ends_well = if version == 0 { more.is_empty() } else { more.is_empty() || more.starts_with('-') };
        if fields.next().is_some() || (id.len(), span.len(), flags.len()) != (32, 16, 2) || !ends_well {
            return None;
        }
        let (id, span) = (hexadecimal(id)?, u64::try_from(hexadecimal(span)?).ok()?);
        let sampled = hexadecimal(flags)? & 1 == 1;
        (id != 0 && span != 0).then_some(Self { id, span, sampled, x_ray: None })
    }

    /// Reads `Root=1-seconds-rest;Parent=span;Sampled=1`, of which only the root must be there.
    pub fn from_x_ray(text: &str) -> Option<Self> {
        let field = |name: &str| {
            let mut fields = text.split(';').filter_map(|field| field.trim().split_once('='));
            fields.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        };
        let (seconds, rest) = field("Root")?.strip_prefix("1-")?.split_once('-')?;
        if (seconds.len(), rest.len()) != (8, 24) {
            return None;
        }
        let root = hexadecimal(seconds)? << 96 | hexadecimal(rest)?;
        let parent = field("Parent").filter(|parent| parent.len() == 16).and_then(hexadecimal);
        let parent = parent.and_then(|parent| u64::try_from(parent).ok()).filter(|parent| *parent != 0);
        let sampled = match field("Sampled") {
            Some("0") => Some(false),
            Some("1") => Some(true),
            _ => None,
        };
        let x_ray = Some(XRay { root, parent, sampled });
        let (span, sampled) = (parent.unwrap_or_else(new_span), sampled.unwrap_or(true));
        (root != 0).then_some(Self { id: root, span, sampled, x_ray })
    }

    /// The same trace at a new span.
    pub fn child(self) -> Self {
        Self { span: new_span(), ..self }
    }

    /// Its value as a `traceparent`.
    pub fn traceparent(&self) -> String {
        format!("00-{:032x}-{:016x}-{:02x}", self.id, self.span, u8::from(self.sampled))
    }

    /// Its value as X-Ray's header: what X-Ray said, else this span of it.
    pub fn x_ray(&self) -> String {
        let here = XRay { root: self.id, parent: Some(self.span), sampled: Some(self.sampled) };
        let XRay { root, parent, sampled } = self.x_ray.unwrap_or(here);
        let (seconds, rest) = (root >> 96, root & ((1 << 96) - 1));
        let parent = parent.map(|parent| format!(";Parent={parent:016x}")).unwrap_or_default();
        let sampled = sampled.map(|sampled| format!(";Sampled={}", u8::from(sampled))).unwrap_or_default();
        format!("Root=1-{seconds:08x}-{rest:024x}{parent}{sampled}")
    }

    /// Its id as the value of a header.
    pub fn header(&self) -> HeaderValue {
        // Hexadecimal digits are a value that a header can have.
        HeaderValue::try_from(self.to_string()).unwrap_or(HeaderValue::from_static(""))
    }

    /// What its log lines lie in. An error's level, so that the id is in every line that is logged at all.
    pub fn span(&self, function: &'static str) -> tracing::Span {
        tracing::error_span!("request", function, trace = %self)
    }

    /// Does `work` of `function` as a part of this trace: its calls carry it.
    pub fn around<F: Future>(self, function: &'static str, work: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(Cell::new((self, function)), work)
    }

    /// The same for work that does not wait.
    pub fn around_now<T>(self, function: &'static str, work: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(Cell::new((self, function)), work)
    }

    /// Does `work` of `function` as a part of this trace: its calls and its log lines carry it.
    pub fn instrument<F: Future>(self, function: &'static str, work: F) -> impl Future<Output = F::Output> {
        self.around(function, work).instrument(self.span(function))
    }
}

/// Does `work` in a task of its own, which goes on as a part of the trace of the code running now.
pub fn spawn<F>(work: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let work = work.in_current_span();
    match CURRENT.try_with(Cell::get) {
        Ok((trace, function)) => tokio::spawn(trace.around(function, work)),
        Err(_) => tokio::spawn(work),
    }
}

/// The function whose work the code running now is; `none` outside of all.
pub fn function() -> &'static str {
    CURRENT.try_with(|current| current.get().1).unwrap_or("none")
}

/// The id, as logs and answers have it: 32 hexadecimal digits.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.id)
    }
}

fn new_span() -> u64 {
    fastrand::u64(1..)
}

/// A number in lower case hexadecimal; Rust's own reading takes a sign and capitals too.
fn hexadecimal(text: &str) -> Option<u128> {
    let lower = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.bytes().all(lower).then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const ROOT: &str = "Root=1-5759e988-bd862e3fe1be46a994272793";

    fn headers(all: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in all {
            headers.append(HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn a_traceparent_is_read_and_written_as_it_was() {
        let trace = Trace::from_traceparent(PARENT).unwrap();
        assert_eq!((trace.to_string().as_str(), trace.traceparent().as_str()), (ID, PARENT));
        let unsampled = PARENT.replace("-01", "-00");
        assert_eq!(Trace::from_traceparent(&unsampled).unwrap().traceparent(), unsampled);
    }

    #[test]
    fn what_is_no_traceparent_is_none() {
        for text in [
            "",
            "00",
            "hello",
            ID,
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more",
        ] {
            assert_eq!(Trace::from_traceparent(text), None, "{text}");
        }
        let later = "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more";
        assert_eq!(Trace::from_traceparent(later).unwrap().to_string(), ID);
    }

    #[test]
    fn x_rays_header_is_the_same_trace_in_other_clothes() {
        let text = format!("{ROOT};Parent=53995c3f42cd8ad8;Sampled=1");
        let trace = Trace::from_x_ray(&text).unwrap();
        assert_eq!(trace.to_string(), "5759e988bd862e3fe1be46a994272793");
        assert_eq!(trace.x_ray(), text);
        assert_eq!(trace.traceparent(), "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01");
        for (rest, flags) in
            [("", "01"), (";Sampled=0", "00"), (";Sampled=1", "01"), (";Parent=53995c3f42cd8ad8", "01")]
        {
            let trace = Trace::from_x_ray(&format!("{ROOT}{rest}")).unwrap();
            assert_eq!(trace.x_ray(), format!("{ROOT}{rest}"));
            assert!(trace.traceparent().ends_with(&format!("-{flags}")), "{rest}");
        }
        for text in
            ["", "Root=", "Root=1-5759e988-bd86", "Parent=53995c3f42cd8ad8", "Root=1-00000000-000000000000000000000000"]
        {
            assert_eq!(Trace::from_x_ray(text), None, "{text}");
        }
    }

    #[test]
    fn a_request_goes_on_with_its_callers_trace_at_a_span_of_its_own() {
        let trace = Trace::of(&headers(&[(TRACEPARENT, PARENT)]));
        assert_eq!(trace.to_string(), ID);
        assert_ne!(trace.traceparent(), PARENT);
        let x_ray = trace.x_ray();
        assert_eq!(Trace::from_x_ray(&x_ray).unwrap().to_string(), ID, "{x_ray}");
        let span = trace.traceparent().split('-').nth(2).unwrap().to_owned();
        assert!(x_ray.ends_with(&format!(";Parent={span};Sampled=1")), "{x_ray}");
    }

    #[test]
    fn x_rays_parent_and_sampling_go_on_as_they_came_whatever_a_caller_says() {
        let unsampled = PARENT.replace("-01", "-00");
        for x_ray in [";Parent=53995c3f42cd8ad8;Sampled=1", ";Parent=53995c3f42cd8ad8;Sampled=0", ";Sampled=1", ""] {
            let x_ray = format!("{ROOT}{x_ray}");
            let alone = Trace::of(&headers(&[("X-Amzn-Trace-Id", &x_ray)]));
            assert_eq!(alone.child().x_ray(), x_ray);
            assert!(!alone.traceparent().contains("53995c3f42cd8ad8"), "a span of its own: {}", alone.traceparent());
            for parent in [PARENT, &unsampled] {
                let both = Trace::of(&headers(&[(TRACEPARENT, parent), ("X-Amzn-Trace-Id", &x_ray)]));
                assert_eq!((both.to_string().as_str(), both.x_ray()), (ID, x_ray.clone()));
                assert_eq!(both.traceparent()[53..], parent[53..]);
            }
        }
    }

    #[test]
    fn a_header_that_cannot_be_read_is_replaced() {
        for bad in [&[][..], &[(TRACEPARENT, "hello")], &[(TRACEPARENT, PARENT), (TRACEPARENT, PARENT)]] {
            let (one, other) = (Trace::of(&headers(bad)), Trace::of(&headers(bad)));
            assert_ne!(one.to_string(), other.to_string());
            assert_ne!(one.to_string(), ID);
        }
        let fallback = Trace::of(&headers(&[(TRACEPARENT, "hello"), ("X-Amzn-Trace-Id", ROOT)]));
        assert_eq!(fallback.to_string(), "5759e988bd862e3fe1be46a994272793");
    }

    #[tokio::test]
    async fn work_knows_its_trace_and_others_do_not() {
        let trace = Trace::begin();
        assert_eq!(Trace::current(), None);
        assert_eq!(trace.instrument("test", async { Trace::current() }).await, Some(trace));
        assert_eq!(trace.around_now("test", Trace::current), Some(trace));
        assert_eq!(Trace::current(), None);
    }

    #[tokio::test]
    async fn a_task_of_its_own_stays_in_the_trace() {
        let trace = Trace::begin();
        let task = async { spawn(async { (Trace::current(), function()) }).await.unwrap() };
        assert_eq!(trace.around("test", task).await, (Some(trace), "test"));
        assert_eq!(spawn(async { (Trace::current(), function()) }).await.unwrap(), (None, "none"));
    }

    proptest! {
        #[test]
        fn any_trace_survives_both_forms(id in 1_u128.., span in 1_u64.., sampled: bool) {
            let trace = Trace { id, span, sampled, x_ray: None };
            prop_assert_eq!(Trace::from_traceparent(&trace.traceparent()), Some(trace));
            let x_ray = trace.x_ray();
            let read = Trace::from_x_ray(&x_ray).unwrap();
            prop_assert_eq!((read.traceparent(), read.x_ray()), (trace.traceparent(), x_ray));
        }

        #[test]
        fn no_text_is_too_odd(text in "\\PC{0,80}", hex in "[0-9a-f-]{0,70}") {
            for text in [text, hex] {
                Trace::from_x_ray(&text);
                if let Some(trace) = Trace::from_traceparent(&text) {
                    prop_assert_eq!(Trace::from_traceparent(&trace.traceparent()), Some(trace));
                }
            }
        }
    }
}
