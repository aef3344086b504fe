//! `template.yaml` as the tests ask for it.

use std::collections::{BTreeMap, BTreeSet};

use yaml_serde::Value;

use crate::code::{Names, root};

/// The template, its tags (`!Ref x`) written out (`{Ref: x}`).
pub struct Template(pub Value);

/// A function of the template.
pub struct Function<'a> {
    pub name: String,
    pub binary: String,
    properties: &'a Value,
}

impl Template {
    pub fn read() -> Self {
        let text = std::fs::read_to_string(root().join("template.yaml")).unwrap();
        Self(plain(yaml_serde::from_str(&text).unwrap()))
    }

    /// The names and bodies of the resources of a type.
    pub fn resources(&self, kind: &str) -> BTreeMap<String, &Value> {
        let all = self.0["Resources"].as_mapping().unwrap().iter();
        all.filter(|(_, resource)| resource["Type"] == kind).map(|(name, resource)| (text(name), resource)).collect()
    }

    pub fn functions(&self) -> Vec<Function<'_>> {
        let functions = self.resources("AWS::Serverless::Function");
        functions
            .into_iter()
            .map(|(name, function)| Function {
                name,
                binary: text(&function["Metadata"]["BuildProperties"]["Binary"]),
                properties: &function["Properties"],
            })
            .collect()
    }
}

impl Function<'_> {
    /// The paths at one of the APIs, with their methods.
    pub fn routes(&self, api: &str) -> BTreeSet<(String, String)> {
        let events = self.properties["Events"].as_mapping().into_iter().flatten().map(|(_, event)| event);
        events
            .filter(|event| event["Type"] == "Api" && event["Properties"]["RestApiId"]["Ref"] == api)
            .map(|event| (text(&event["Properties"]["Path"]), text(&event["Properties"]["Method"])))
            .collect()
    }

    /// Its variables and their values.
    pub fn variables(&self) -> BTreeMap<String, &Value> {
        let variables = self.properties["Environment"]["Variables"].as_mapping().into_iter().flatten();
        variables.map(|(name, value)| (text(name), value)).collect()
    }

    /// What its role may do: actions, and the resources each is for.
    pub fn permissions(&self) -> BTreeSet<(String, String)> {
        let mut statements = Vec::new();
        collect(&self.properties["Policies"], "Statement", &mut statements);
        let mut permissions = BTreeSet::new();
        for statement in statements.iter().flat_map(|list| list.as_sequence().unwrap()) {
            assert_eq!(statement["Effect"], "Allow");
            for action in many(&statement["Action"]) {
                permissions.extend(many(&statement["Resource"]).map(|resource| (text(action), arn(resource))));
            }
        }
        permissions
    }

    /// The actions of a service, whatever they are for.
    pub fn actions(&self, services: &[&str]) -> Names {
        let actions = self.permissions().into_iter().map(|(action, _)| action);
        actions.filter(|action| services.iter().any(|service| action.starts_with(&format!("{service}:")))).collect()
    }
}

/// A resource of a statement: the text of a `Sub`, or `${Name.Arn}`.
fn arn(resource: &Value) -> String {
    match &resource["GetAtt"] {
        Value::Null => match &resource["Sub"] {
            Value::Sequence(parts) => text(&parts[0]),
            name => text(name),
        },
        Value::Sequence(parts) => format!("${{{}}}", parts.iter().map(text).collect::<Vec<_>>().join(".")),
        name => format!("${{{}}}", text(name)),
    }
}

fn many(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_sequence().map_or_else(|| std::slice::from_ref(value), Vec::as_slice).iter()
}

/// Every value under `key`, wherever it stands.
fn collect<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Mapping(mapping) => {
            for (name, value) in mapping {
                if name == key {
                    found.push(value);
                }
                collect(value, key, found);
            }
        }
        Value::Sequence(values) => values.iter().for_each(|value| collect(value, key, found)),
        _ => {}
    }
}

/// Everything that `Ref`, `GetAtt` and `Sub` name below a value: parameters and resources, those with their attributes.
pub fn named(value: &Value) -> Names {
    let mut found = Vec::new();
    ["Ref", "GetAtt", "Sub"].iter().for_each(|function| collect(value, function, &mut found));
    let mut names = Names::new();
    for argument in found {
        match argument {
            Value::String(written) if written.contains("${") => {
                names.extend(written.split("${").skip(1).filter_map(|rest| Some(rest.split_once('}')?.0.to_owned())));
            }
            Value::String(name) => drop(names.insert(name.clone())),
            _ => {}
        }
    }
    names
}

/// The conditions by which something below a value is one way or another.
pub fn conditions(value: &Value) -> Names {
    let mut found = Vec::new();
    collect(value, "If", &mut found);
    found.into_iter().map(|arguments| text(&arguments[0])).collect()
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value:?}")).to_owned()
}

fn plain(value: Value) -> Value {
    match value {
        Value::Tagged(tagged) => {
            let name = tagged.tag.to_string().trim_start_matches('!').to_owned();
            Value::Mapping([(Value::String(name), plain(tagged.value))].into_iter().collect())
        }
        Value::Sequence(values) => Value::Sequence(values.into_iter().map(plain).collect()),
        Value::Mapping(mapping) => {
            Value::Mapping(mapping.into_iter().map(|(key, value)| (key, plain(value))).collect())
        }
        other => other,
    }
}
