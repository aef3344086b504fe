//! PDFs that are made to harm whoever reads them, given to the function's own program.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::io::{Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use ingest::PdfReader;
use ingest::Unreadable::{Broken, NoText, TooLong, TooSlow};

/// A PDF of one page, whose content is this stream, with more objects from number 6 on.
fn pdf(filters: &str, content: &[u8], more: &[String]) -> Vec<u8> {
    let resources = "/Resources<</Font<</F1 4 0 R>>/XObject<</Fm0 6 0 R>>>>";
    let head = format!("<</Length {}{filters}>>stream\n", content.len());
    let mut objects = vec![
        b"<</Type/Catalog/Pages 2 0 R>>".to_vec(),
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>".to_vec(),
        format!("<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]{resources}/Contents 5 0 R>>").into_bytes(),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".to_vec(),
        [head.as_bytes(), content, b"\nendstream"].concat(),
    ];
    objects.extend(more.iter().map(|object| object.clone().into_bytes()));
    let mut file = b"%PDF-1.4\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (index, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", file.len()));
        file.extend(format!("{} 0 obj\n", index + 1).into_bytes());
        file.extend(object);
        file.extend(b"\nendobj\n");
    }
    let start = file.len();
    let size = objects.len() + 1;
    file.extend(format!("{table}trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n").into_bytes());
    file
}

/// A form that draws other forms, known to it as `/Fm0`, so many times.
fn form(draws: u32, times: usize) -> String {
    let drawn = "/Fm0 Do ".repeat(times);
    let resources = format!("/Resources<</XObject<</Fm0 {draws} 0 R>>>>");
    let length = drawn.len();
    format!("<</Type/XObject/Subtype/Form/BBox[0 0 9 9]{resources}/Length {length}>>stream\n{drawn}\nendstream")
}

fn zipped(mut content: impl Read) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    std::io::copy(&mut content, &mut encoder).unwrap();
    encoder.flush().unwrap();
    encoder.finish().unwrap()
}

const WORDS: &[u8] = b"BT /F1 12 Tf 10 100 Td (Words) Tj ET";

#[tokio::test]
async fn a_pdf_that_would_end_its_reader_is_refused_and_others_are_read() {
    let reader = PdfReader::new(PathBuf::from(env!("CARGO_BIN_EXE_ingest"))).within(Duration::from_secs(5));
    let bomb = zipped(&*zipped(std::io::repeat(b' ').take(256 * 1024 * 1024)));
    assert!(bomb.len() < 64 * 1024, "{}", bomb.len());
    let doubling: Vec<String> = (7..47).map(|next| form(next, 2)).chain([form(6, 0)]).collect();
    let cases = [
        // Where memory ends, the parser ends with it or takes what came so far, as it happens to be allocating.
        ("what unpacks to 256 MiB", pdf("/Filter[/FlateDecode/FlateDecode]", &bomb, &[]), &[Broken, NoText][..]),
        ("a form that draws itself", pdf("", b"/Fm0 Do", &[form(6, 1)]), &[Broken]),
        ("forms that draw 2⁴⁰ others", pdf("", b"/Fm0 Do", &doubling), &[TooSlow]),
        ("no PDF", b"%PDF-1.4 or so".to_vec(), &[Broken]),
        ("no words", pdf("", b"", &[]), &[NoText]),
    ];
    for (name, file, reasons) in cases {
        let refused = reader.text(file).await.unwrap().unwrap_err();
        assert!(reasons.contains(&refused), "{name}: {refused:?}");
        assert_eq!(reader.text(pdf("", WORDS, &[])).await.unwrap().unwrap().concat().trim(), "Words", "after {name}");
    }
    let packed = pdf("/Filter/FlateDecode", &zipped(WORDS), &[]);
    assert_eq!(reader.text(packed).await.unwrap().unwrap().concat().trim(), "Words");
}

#[tokio::test]
async fn a_small_pdf_with_more_words_than_a_document_may_have_is_refused() {
    let reader = PdfReader::new(PathBuf::from(env!("CARGO_BIN_EXE_ingest"))).within(Duration::from_secs(60));
    let many = format!("BT /F1 1 Tf {} ET", format!("({}) Tj ", "words ".repeat(100)).repeat(1_800));
    let file = pdf("/Filter/FlateDecode", &zipped(many.as_bytes()), &[]);
    assert!(file.len() < 64 * 1024, "{}", file.len());
    assert_eq!(reader.text(file).await.unwrap(), Err(TooLong));
}

#[tokio::test]
async fn a_program_that_cannot_read_is_no_fault_of_the_file() {
    for program in ["/nowhere/at/all", "/bin/false"] {
        let reader = PdfReader::new(PathBuf::from(program));
        assert!(reader.text(pdf("", WORDS, &[])).await.is_err(), "{program}");
    }
}

#[tokio::test]
async fn waiting_for_others_takes_nothing_of_a_files_time() {
    let reader = PdfReader::new(PathBuf::from(env!("CARGO_BIN_EXE_ingest"))).within(Duration::from_secs(2));
    let doubling: Vec<String> = (7..47).map(|next| form(next, 2)).chain([form(6, 0)]).collect();
    let slow = || reader.text(pdf("", b"/Fm0 Do", &doubling));
    let (one, other, waited) = tokio::join!(slow(), slow(), reader.text(pdf("", WORDS, &[])));
    assert_eq!((one.unwrap(), other.unwrap()), (Err(TooSlow), Err(TooSlow)));
    assert_eq!(waited.unwrap().unwrap().concat().trim(), "Words");
}
