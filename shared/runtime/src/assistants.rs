//! The assistants: one folder each, with a manifest (`assistant.toml`) and a prompt (`prompt.md`).
//!
//! Those of this repository are in the binary itself; `COLLOQUY_ASSISTANTS` names a folder with more, whose assistants come
//! first where a name is the same.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use contracts::api::{AssistantView, Kind};
use contracts::problem::Problem;
use serde::Deserialize;

use crate::config;

/// `assistants/NAME` of this build, by the build script: name, manifest, prompt, whether it has texts.
const EMBEDDED: &[(&str, &str, &str, bool)] = include!(concat!(env!("OUT_DIR"), "/assistants.rs"));

/// What is its own in how an assistant's texts are searched; what is absent is as it was measured (see `retrieve`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetrievalOptions {
    /// The most passages of an answer.
    pub passages: Option<usize>,
    /// The least cosine of a passage that answers, 0 to 1; it depends on the embedder's model.
    pub least_cosine: Option<f32>,
    /// The least evidence by words of a passage that answers, where there is no embedder.
    pub least_evidence: Option<f32>,
}

/// An assistant's manifest and prompt.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assistant {
    /// Its name for people.
    pub title: String,
    /// What it is for, in a sentence.
    pub description: String,
    /// What it says first.
    pub greeting: String,
    /// What it answers with.
    #[serde(default)]
    pub kind: Kind,
    /// Things to say to it, to begin with.
    #[serde(default)]
    pub suggestions: Vec<String>,
    /// What it is not, said with its answers.
    #[serde(default)]
    pub disclaimer: Option<String>,
    /// What people often ask it.
    #[serde(default)]
    pub questions: Vec<String>,
    /// How its texts are searched.
    #[serde(default)]
    pub retrieval: RetrievalOptions,
    /// What a language model is told before the session.
    #[serde(skip)]
    pub prompt: String,
    /// Whether it comes with texts, which are taken in when it is first deployed or started.
    #[serde(skip)]
    pub has_texts: bool,
}

/// All assistants, by name.
#[derive(Debug, Clone)]
pub struct Assistants(BTreeMap<String, Assistant>);

impl Assistants {
    /// The assistants of this build, and those of the folder that `COLLOQUY_ASSISTANTS` names.
    ///
    /// # Errors
    /// A manifest that cannot be read, named.
    pub fn from_env() -> anyhow::Result<Self> {
        match config::optional("COLLOQUY_ASSISTANTS") {
            Some(folder) => Self::embedded()?.and_in_folder(Path::new(&folder)),
            None => Self::embedded(),
        }
    }

    /// These and the assistants of a folder, which come first where a name is the same.
    ///
    /// # Errors
    /// See [`Assistants::in_folder`].
    pub fn and_in_folder(mut self, folder: &Path) -> anyhow::Result<Self> {
        self.0.append(&mut Self::in_folder(folder)?.0);
        Ok(self)
    }

    /// The assistants of this build.
    ///
    /// # Errors
    /// A manifest that cannot be read, named.
    pub fn embedded() -> anyhow::Result<Self> {
        let read = |&(name, manifest, prompt, has_texts): &(&str, &str, &str, bool)| {
            let assistant =
                parse(manifest, prompt, has_texts).with_context(|| format!("assistants/{name}/assistant.toml"))?;
            Ok((name.to_owned(), assistant))
        };
        EMBEDDED.iter().map(read).collect::<anyhow::Result<_>>().map(Self)
    }

    /// The assistants of a folder: each folder in it that has an `assistant.toml`.
    ///
    /// # Errors
    /// The folder, or a manifest or prompt that cannot be read, named.
    pub fn in_folder(folder: &Path) -> anyhow::Result<Self> {
        let mut assistants = BTreeMap::new();
        let entries = std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
        for entry in entries {
            let path = entry.with_context(|| format!("reading {}", folder.display()))?.path();
            let manifest = path.join("assistant.toml");
            let (Some(name), true) = (path.file_name().and_then(|name| name.to_str()), manifest.is_file()) else {
                continue;
            };
            let read =
                |path: &Path| std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()));
            let prompt = read(&path.join("prompt.md"))?;
            let has_texts = has_texts(&path.join("knowledge"));
            let assistant =
                parse(&read(&manifest)?, &prompt, has_texts).with_context(|| manifest.display().to_string())?;
            assistants.insert(name.to_owned(), assistant);
        }
        Ok(Self(assistants))
    }

    /// The assistant of that name.
    ///
    /// # Errors
    /// 404, listing the names there are.
    pub fn get(&self, name: &str) -> Result<&Assistant, Problem> {
        self.0.get(name).ok_or_else(|| {
            let names: Vec<_> = self.0.keys().map(String::as_str).collect();
            Problem::not_found(
                "unknown-assistant",
                format!("There is no such assistant; there is: {}.", names.join(", ")),
            )
        })
    }

    /// Every assistant, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Assistant)> {
        self.0.iter().map(|(name, assistant)| (name.as_str(), assistant))
    }

    /// What the public sees of them: those that do something besides answering first, then by name.
    pub fn views(&self) -> Vec<AssistantView> {
        let view = |(name, assistant): (&str, &Assistant)| AssistantView {
            name: name.to_owned(),
            title: assistant.title.clone(),
            description: assistant.description.clone(),
            greeting: assistant.greeting.clone(),
            suggestions: assistant.suggestions.clone(),
            disclaimer: assistant.disclaimer.clone(),
        };
        let (doing, answering): (Vec<_>, Vec<_>) =
            self.iter().partition(|(_, assistant)| assistant.kind != Kind::Knowledge);
        doing.into_iter().chain(answering).map(view).collect()
    }
}

fn parse(manifest: &str, prompt: &str, has_texts: bool) -> anyhow::Result<Assistant> {
    let assistant: Assistant = toml::from_str(manifest)?;
    anyhow::ensure!(assistant.kind != Kind::Other, "its kind must be knowledge or travel");
    Ok(Assistant { prompt: prompt.to_owned(), has_texts, ..assistant })
}

fn has_texts(folder: &Path) -> bool {
    let mut files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.any(|file| file.path().extension().is_some_and(|extension| extension == "md"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_assistant_can_be_read_and_says_what_it_is_not() {
        let assistants = Assistants::embedded().unwrap();
        let names: Vec<&str> = assistants.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["defi", "fertility", "therapy", "travel"]);
        for (name, assistant) in assistants.iter() {
            assert!(!assistant.prompt.is_empty() && assistant.has_texts, "{name}");
            assert_eq!(assistant.disclaimer.is_none(), name == "travel", "{name}");
        }
        assert_eq!(assistants.get("nobody").unwrap_err().status(), 404);
    }

    #[test]
    fn a_folder_with_a_manifest_and_a_prompt_is_an_assistant() {
        let folder = std::env::temp_dir().join(format!("colloquy-assistants-{}", std::process::id()));
        let garden = folder.join("garden");
        std::fs::create_dir_all(&garden).unwrap();
        std::fs::write(garden.join("assistant.toml"), "title = 'G'\ndescription = 'd'\ngreeting = 'g'\n").unwrap();
        std::fs::write(garden.join("prompt.md"), "You know gardens.").unwrap();
        std::fs::create_dir_all(folder.join("not-one")).unwrap();
        std::fs::create_dir_all(folder.join("mute")).unwrap();
        std::fs::copy(garden.join("assistant.toml"), folder.join("mute/assistant.toml")).unwrap();
        std::fs::write(folder.join("mute/prompt.md"), "You know nothing.").unwrap();
        std::fs::create_dir_all(garden.join("knowledge")).unwrap();
        std::fs::write(garden.join("knowledge/compost.md"), "# Compost").unwrap();

        let assistants = Assistants::in_folder(&folder);
        std::fs::remove_dir_all(&folder).unwrap();

        let assistants = assistants.unwrap();
        let garden = assistants.get("garden").unwrap();
        assert_eq!((garden.kind, garden.prompt.as_str()), (Kind::Knowledge, "You know gardens."));
        let has_texts: Vec<_> = assistants.iter().map(|(name, assistant)| (name, assistant.has_texts)).collect();
        assert_eq!(has_texts, [("garden", true), ("mute", false)]);
    }
}
