//! A stand-in for SSM.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_ssm::Client;
use aws_sdk_ssm::config::retry::RetryConfig;
use aws_sdk_ssm::config::{Credentials, Region};
use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::StatusCode;
use serde_json::json;

/// The value of its one parameter, or none, after a while; and how often it was asked.
#[derive(Default)]
pub(crate) struct Ssm {
    pub value: Mutex<Option<&'static str>>,
    pub delay: Mutex<Duration>,
    pub asked: Mutex<usize>,
}

impl Ssm {
    /// One without a value, and a client of it that asks once.
    pub async fn start() -> (Arc<Self>, Client) {
        let ssm = Arc::new(Self::default());
        let stand_in = ssm.clone();
        let router = Router::new().route("/", post(async move || stand_in.answer().await));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let config = aws_sdk_ssm::Config::builder()
            .behavior_version_latest()
            .endpoint_url(url)
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .build();
        (ssm, Client::from_conf(config))
    }

    async fn answer(&self) -> Response {
        *self.asked.lock().unwrap() += 1;
        let (value, delay) = (*self.value.lock().unwrap(), *self.delay.lock().unwrap());
        tokio::time::sleep(delay).await;
        let Some(value) = value else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
        json!({"Parameter": {"Name": "/colloquy/it", "Type": "String", "Value": value}}).to_string().into_response()
    }

    pub fn set(&self, value: Option<&'static str>) {
        *self.value.lock().unwrap() = value;
    }

    pub fn asked(&self) -> usize {
        *self.asked.lock().unwrap()
    }
}
