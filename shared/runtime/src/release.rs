//! What a function does once with each release: asked by CloudFormation, which waits for it, through a custom resource.

use anyhow::{Context, anyhow};
use lambda_http::request::LambdaRequest;
use serde::{Deserialize, Deserializer};
use serde_json::json;
use serde_json::value::RawValue;

use crate::upstream::{client, exchange};

/// What a function is invoked with that takes requests, and releases.
pub(crate) enum RequestOrRelease {
    /// A request, by API Gateway.
    Request(Box<LambdaRequest>),
    /// A release, by CloudFormation.
    Release(Change),
}

/// A custom resource is made, changed or deleted.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Change {
    request_type: String,
    #[serde(rename = "ResponseURL")]
    response_url: String,
    stack_id: String,
    request_id: String,
    logical_resource_id: String,
}

impl<'de> Deserialize<'de> for RequestOrRelease {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = Box::<RawValue>::deserialize(deserializer)?;
        if let Ok(change) = serde_json::from_str(event.get()) {
            return Ok(Self::Release(change));
        }
        let request = serde_json::from_str(event.get()).map_err(serde::de::Error::custom)?;
        Ok(Self::Request(Box::new(request)))
    }
}

impl Change {
    /// Whether it goes with the whole stack: the name never changes, so nothing else deletes it.
    pub fn is_delete(&self) -> bool {
        self.request_type == "Delete"
    }

    /// Tells CloudFormation whether it was done, else it would wait until its own limit. What was not done takes the
    /// deployment back.
    ///
    /// # Errors
    /// CloudFormation was not reached, or would not hear of it.
    pub async fn tell(&self, done: bool) -> anyhow::Result<()> {
        let answer = json!({
            "Status": if done { "SUCCESS" } else { "FAILED" },
            "Reason": if done { "" } else { "What belongs to the release was not done: see the log group of the stack." },
            "PhysicalResourceId": self.logical_resource_id,
            "StackId": self.stack_id,
            "RequestId": self.request_id,
            "LogicalResourceId": self.logical_resource_id,
        });
        // The address is signed for a body without a type.
        let put = client()?.put(&self.response_url).body(answer.to_string());
        let answer = exchange("cloudformation", put).await.context("telling CloudFormation")?;
        if !answer.status.is_success() {
            return Err(anyhow!("CloudFormation answered {} to what became of a release", answer.status));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::Router;
    use axum::routing::put;
    use http::HeaderMap;
    use serde_json::Value;

    use super::*;

    fn event(kind: &str, url: &str) -> String {
        let resource = json!({"ServiceToken": "arn:aws:lambda:x", "Release": "arn:aws:lambda:x:7"});
        json!({
            "RequestType": kind, "ResponseURL": url, "StackId": "arn:aws:cloudformation:x", "RequestId": "1",
            "ResourceType": "Custom::BuiltInTexts", "LogicalResourceId": "BuiltInTexts", "ResourceProperties": resource,
        })
        .to_string()
    }

    #[test]
    fn a_request_and_a_release_are_told_apart() {
        let request = include_str!("../../../events/ingest.json");
        assert!(matches!(serde_json::from_str(request).unwrap(), RequestOrRelease::Request(_)));
        for (kind, is_delete) in [("Create", false), ("Update", false), ("Delete", true)] {
            let RequestOrRelease::Release(change) = serde_json::from_str(&event(kind, "https://x")).unwrap() else {
                panic!("a release")
            };
            assert_eq!(change.is_delete(), is_delete, "{kind}");
        }
        assert!(serde_json::from_str::<RequestOrRelease>("7").is_err());
    }

    #[tokio::test]
    async fn cloudformation_is_told_what_became_of_it_in_a_body_without_a_type() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let seen = told.clone();
        let hear = async move |headers: HeaderMap, body: String| {
            assert!(!headers.contains_key("content-type"));
            seen.lock().unwrap().push(serde_json::from_str::<Value>(&body).unwrap());
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/answer?signature=x", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/answer", put(hear))).await });
        let change: Change = serde_json::from_str(&event("Update", &url)).unwrap();

        change.tell(true).await.unwrap();
        change.tell(false).await.unwrap();

        let told = told.lock().unwrap();
        assert_eq!((&told[0]["Status"], &told[1]["Status"]), (&json!("SUCCESS"), &json!("FAILED")));
        for answer in told.iter() {
            let name = &answer["LogicalResourceId"];
            assert_eq!(
                (name, &answer["PhysicalResourceId"], &answer["RequestId"]),
                (&json!("BuiltInTexts"), name, &json!("1"))
            );
        }
    }
}
