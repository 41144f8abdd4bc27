//! A server that gives one answer to everything: for answers that no real service gives.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    thread,
};

pub(crate) struct Stub {
    address: String,
}

impl Stub {
    /// Answers until the test's process ends. `{echo}` in the body stands for the head of the request, in one line.
    pub(crate) fn new(status: &'static str, body: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that goes away is not this thread's concern.
                let _ = answer(&stream.unwrap(), status, body);
            }
        });
        Self { address }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

fn answer(mut stream: &TcpStream, status: &str, body: &str) -> std::io::Result<()> {
    let mut head = String::new();
    let mut lines = BufReader::new(stream);
    while lines.read_line(&mut head)? > 2 {}
    let echo = head.replace(['\r', '\n', '"', '\\'], " ");
    let body = body.replace("{echo}", &echo);
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}
