//! The assistants: one folder each below `assistants/`, read from the binary itself.

use std::collections::BTreeMap;

use anyhow::Context;
use serde::Deserialize;

use crate::api::AssistantView;
use crate::problem::Problem;

/// What every binary that needs the assistants carries: name and manifest.
const EMBEDDED: &[(&str, &str)] = &[("travel", include_str!("../../assistants/travel/assistant.toml"))];

/// An assistant's manifest, `assistant.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assistant {
    /// Its name for people.
    pub title: String,
    /// What it is for, in a sentence.
    pub description: String,
    /// What it says first.
    pub greeting: String,
    /// Things to say to it, to begin with.
    #[serde(default)]
    pub suggestions: Vec<String>,
}

/// All assistants, by name.
#[derive(Debug, Clone)]
pub struct Assistants(BTreeMap<String, Assistant>);

impl Assistants {
    /// The assistants of this build.
    ///
    /// # Errors
    /// A manifest that cannot be read, named.
    pub fn embedded() -> anyhow::Result<Self> {
        let read = |&(name, manifest): &(&str, &str)| {
            let assistant = toml::from_str(manifest).with_context(|| format!("assistants/{name}/assistant.toml"))?;
            Ok((name.to_owned(), assistant))
        };
        EMBEDDED.iter().map(read).collect::<anyhow::Result<_>>().map(Self)
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

    /// What the public sees of them, by name.
    pub fn views(&self) -> Vec<AssistantView> {
        let view = |(name, assistant): (&String, &Assistant)| AssistantView {
            name: name.clone(),
            title: assistant.title.clone(),
            description: assistant.description.clone(),
            greeting: assistant.greeting.clone(),
            suggestions: assistant.suggestions.clone(),
        };
        self.0.iter().map(view).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_manifest_can_be_read() {
        let assistants = Assistants::embedded().unwrap();
        assert_eq!(assistants.get("travel").unwrap().title, "Travel agent");
        assert_eq!(assistants.get("nobody").unwrap_err().status(), 404);
    }
}
