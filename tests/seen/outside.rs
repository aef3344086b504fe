//! A stand-in for everything outside, which refuses all and keeps what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use flights::duffel::Duffel;
use flights::provider::Provider;
use http::StatusCode;
use local::Options;
use models::embedder::Embedder;
use models::embedder::openai::OpenAi;
use models::llm::ChatModel;
use models::openai::Server;
use runtime::assistants::Assistants;
use runtime::config::Secret;

/// What was asked: path and `traceparent` of each request.
#[derive(Clone, Default)]
pub struct Outside {
    asked: Arc<Mutex<Vec<(String, String)>>>,
}

impl Outside {
    /// Starts it; and the options of a set whose providers and models are all there.
    pub async fn start() -> (Self, Options) {
        let outside = Self::default();
        let asked = outside.asked.clone();
        let refuse = async move |request: Request| {
            let parent = request.headers().get("traceparent").map(|value| value.to_str().unwrap().to_owned());
            asked.lock().unwrap().push((request.uri().path().to_owned(), parent.unwrap_or_default()));
            StatusCode::FORBIDDEN
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(refuse)).await });
        let server = Server::new(&url, None).unwrap();
        let model = ChatModel::new(server.clone(), "stand-in", 100);
        let client = runtime::upstream::client().unwrap();
        let duffel = Duffel::new(client, &url, Secret::new("DUFFEL_API_TOKEN", "test".to_owned()));
        let options = Options {
            respond: respond::Deps::new(Assistants::embedded().unwrap(), Some(model.clone())),
            understand: understand::Deps { model: Some(model), ..Default::default() },
            flights: flights::Deps::new([Provider::Duffel(duffel)], Duration::from_secs(2)).with_duffel_day_searches(2),
            embedder: Some(Embedder::OpenAi(OpenAi::new(server, "stand-in", Some(8)).unwrap())),
            ..tests::options()
        };
        (outside, options)
    }

    /// The trace ids that came along to a path.
    pub fn traces(&self, path: &str) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        let of_path = asked.iter().filter(|(asked, _)| asked == path);
        of_path.map(|(_, parent)| parent.split('-').nth(1).unwrap_or_default().to_owned()).collect()
    }
}
