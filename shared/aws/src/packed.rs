//! Long texts in a table, compressed: a table is paid by the KiB written, and JSON says its names again and again.
//!
//! A text is read as it is found: as a string, which it was in earlier releases and is where it is short, or compressed.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::Read;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::read::DeflateDecoder;
use flate2::{Compress, Compression, FlushCompress, Status};

/// From this size on, in bytes, a text is compressed: below, an item takes its one KiB anyway.
const LEAST: usize = 768;
/// The largest text that is read, in bytes: an item holds 400 KB, and no text of ours is as dense as that.
const LARGEST: u64 = 16 * 1024 * 1024;

thread_local! {
    /// One for all texts, for it takes a quarter of a megabyte and longer to make than to use.
    static COMPRESS: RefCell<Compress> = RefCell::new(Compress::new(Compression::fast(), false));
}

/// The value that holds a text.
pub fn pack(text: String) -> AttributeValue {
    let packed =
        if text.len() < LEAST { None } else { COMPRESS.with_borrow_mut(|with| deflated(with, text.as_bytes())) };
    packed.map_or(AttributeValue::S(text), |bytes| AttributeValue::B(Blob::new(bytes)))
}

fn deflated(with: &mut Compress, text: &[u8]) -> Option<Vec<u8>> {
    with.reset();
    // What gets no smaller stays as it is.
    let mut packed = Vec::with_capacity(text.len());
    let status = with.compress_vec(text, &mut packed, FlushCompress::Finish).ok()?;
    (status == Status::StreamEnd).then(|| {
        packed.shrink_to_fit();
        packed
    })
}

/// The text that a value holds; `None` where it holds none.
pub fn unpack(value: &AttributeValue) -> Option<Cow<'_, str>> {
    match value {
        AttributeValue::S(text) => Some(Cow::Borrowed(text)),
        AttributeValue::B(bytes) => {
            let mut text = String::with_capacity(4 * bytes.as_ref().len());
            DeflateDecoder::new(bytes.as_ref()).take(LARGEST).read_to_string(&mut text).ok()?;
            Some(Cow::Owned(text))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_smaller_and_comes_back_as_it_was() {
        let offers: Vec<String> = (0..40).map(|n| format!(r#"{{"price":"{n}.00","carrier":"Émirates"}}"#)).collect();
        let text = format!("[{}]", offers.join(","));
        for _ in 0..2 {
            let packed = pack(text.clone());
            let bytes = packed.as_b().unwrap().as_ref().len();
            assert!(bytes * 4 < text.len(), "{bytes} of {}", text.len());
            assert_eq!(unpack(&packed).unwrap(), text);
        }
    }

    #[test]
    fn what_is_short_or_no_smaller_compressed_stays_a_string() {
        let mut random = without_pattern();
        let dense: String = (0..2_000).map(|_| char::from(33 + (random() % 90) as u8)).collect();
        for text in ["{}".to_owned(), "a".repeat(LEAST - 1)] {
            assert_eq!(
                (pack(text.clone()), unpack(&pack(text.clone())).unwrap().into_owned()),
                (AttributeValue::S(text.clone()), text)
            );
        }
        assert_eq!(unpack(&pack(dense.clone())).unwrap(), dense);
    }

    /// Numbers without a pattern.
    fn without_pattern() -> impl FnMut() -> u64 {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        }
    }

    #[test]
    fn what_is_no_text_is_none() {
        assert_eq!(unpack(&AttributeValue::Bool(true)), None);
        assert_eq!(unpack(&AttributeValue::B(Blob::new(b"not deflated".to_vec()))), None);
    }
}
