//! Faults, carried out.

use axum::body::Bytes;
use axum::http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use http_body_util::BodyExt as _;

use super::Service;
use super::exchange::regular;
use super::takeover::{After, Plan, TakeOver};
use crate::script::{Delivery, Fault};

const MEBIBYTE: u64 = 1024 * 1024;

/// Not the beginning of any HTTP answer, in whatever protocol version.
const GARBAGE: &[u8] = b"\x00\xff\xfe*** this is no HTTP ***\r\n\x00\r\n\r\n";

/// What a fault makes of a request: an answer as HTTP has it, or a reason to
/// go on without HTTP.
pub(super) async fn commit(
    fault: &Fault,
    service: &Service,
    parts: Parts,
    body: Result<Bytes, StatusCode>,
) -> Result<Response, TakeOver> {
    // Even no time at all would be a tick of the timer, a millisecond.
    if !fault.delay.is_zero() {
        tokio::time::sleep(fault.delay).await;
    }
    match fault.delivery {
        Delivery::Garbage => return Err(TakeOver::without_answer(Plan::garbage(GARBAGE))),
        Delivery::Reset => return Err(TakeOver::without_answer(Plan::Reset)),
        _ => {}
    }
    let mut response = match fault.reply.instead(&parts, &service.state) {
        Some(response) => response,
        None => regular(service, parts, body).await,
    };
    fault.reply.add_headers(response.headers_mut());
    if fault.delivery == Delivery::Whole {
        return Ok(response);
    }
    let (head, body) = response.into_parts();
    // The bodies are all made of text in memory.
    let body = body.collect().await.unwrap_or_default().to_bytes();
    // An answer without a body announces one byte, so that it is missing, too.
    let length = body.len().max(1);
    let plan = match fault.delivery {
        Delivery::Truncated(after) => Plan::Send {
            head: text(head.status, &head.headers, length as u64),
            body: body.slice(..after.min(length - 1)),
            blanks: 0,
            after: After::Close,
        },
        Delivery::Oversized(size) => {
            let blanks = (size * MEBIBYTE).saturating_sub(body.len() as u64);
            Plan::Send {
                head: text(head.status, &head.headers, body.len() as u64 + blanks),
                body,
                blanks,
                after: After::Close,
            }
        }
        _ => Plan::Send {
            head: text(head.status, &head.headers, length as u64),
            body: Bytes::new(),
            blanks: 0,
            after: After::Stall,
        },
    };
    Err(TakeOver {
        status: Some(head.status),
        plan,
    })
}

/// The head of an answer, as it goes over the wire.
fn text(status: StatusCode, headers: &HeaderMap, length: u64) -> Bytes {
    let reason = status.canonical_reason().unwrap_or_default();
    let mut text = format!("HTTP/1.1 {} {reason}\r\n", status.as_str()).into_bytes();
    for (name, value) in headers {
        if ![CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION].contains(name) {
            text.extend_from_slice(name.as_str().as_bytes());
            text.extend_from_slice(b": ");
            text.extend_from_slice(value.as_bytes());
            text.extend_from_slice(b"\r\n");
        }
    }
    let end = format!("content-length: {length}\r\nconnection: close\r\n\r\n");
    text.extend_from_slice(end.as_bytes());
    text.into()
}
