//! A server on loopback that does not live long, for the tests of what calls one.
#![allow(clippy::unwrap_used, missing_docs, reason = "it is a part of tests")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};

/// What a server does once it has answered a request on a connection that is to stay.
#[derive(Clone, Copy)]
pub enum Then {
    /// It closes the connection.
    Closes,
    /// It reads one more request, and dies.
    Dies,
}

/// A server on a thread of its own, so that it goes on while the client's runtime stands still as in a frozen Lambda.
pub struct Mortal {
    pub url: String,
    requests: Arc<AtomicUsize>,
    pub closed: Receiver<()>,
}

impl Mortal {
    pub fn start(then: Then, body: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let requests = Arc::new(AtomicUsize::new(0));
        let (counter, (say, closed)) = (requests.clone(), channel());
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                let read = |connection: &mut TcpStream| {
                    let bytes = connection.read(&mut [0; 4096]).unwrap_or_default();
                    counter.fetch_add(usize::from(bytes > 0), Ordering::SeqCst);
                };
                read(&mut connection);
                connection.write_all(answer.as_bytes()).unwrap();
                if matches!(then, Then::Dies) {
                    read(&mut connection);
                }
                drop(connection);
                say.send(()).unwrap_or_default();
            }
        });
        Self { url, requests, closed }
    }

    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}
