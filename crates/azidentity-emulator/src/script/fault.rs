//! One fault: which requests it is meant for, how often it acts, what it does.

use std::ops::RangeInclusive;
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::{LOCATION, RETRY_AFTER};
use serde_json::Value;

use super::reply::{Body, Reply, header};
use super::selection::Selection;

mod places;

/// The longest that any fault keeps a client waiting, so that a forgotten one
/// does not hold a connection for ever.
pub(crate) const LONGEST: Duration = Duration::from_secs(600);

/// Statuses that end an exchange; those below promise another answer.
pub(super) const STATUSES: RangeInclusive<u64> = 200..=599;

/// Error numbers of Entra. The official Rust client reads them into 32 bits.
pub(super) const NUMBERS: RangeInclusive<u64> = 1..=99_999_999;

/// How far an answer can be filled up.
pub(super) const MEBIBYTES: RangeInclusive<u64> = 1..=1024;

/// Something that goes wrong at one endpoint, for a number of requests.
///
/// It begins with the place, and acts once unless told otherwise. Without an
/// action the real answer is given, and the request is still marked as one that
/// a fault was meant for: [`RecordedRequest::fault`](crate::RecordedRequest::fault).
///
/// ```
/// use std::time::Duration;
///
/// use azidentity_emulator::Fault;
/// use serde_json::json;
///
/// let faults = [
///     Fault::token().status(503).retry_after(2).times(2),
///     Fault::token().resource("https://vault.azure.net").aadsts(50076),
///     Fault::imds().delay(Duration::from_millis(50)).always(),
///     Fault::app_service().status(500).json(json!({ "message": "try again" })),
///     Fault::path("/*/v2.0/**").skip(1).truncate(20),
/// ];
/// # let _ = faults;
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Fault {
    pub(super) when: Selection,
    pub(super) skip: u32,
    /// `None`: without end.
    pub(super) times: Option<u32>,
    pub(crate) delay: Duration,
    pub(crate) reply: Reply,
    pub(crate) delivery: Delivery,
}

/// What becomes of an answer on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Delivery {
    #[default]
    Whole,
    /// Ends after so many bytes of the body.
    Truncated(usize),
    /// Ends before the body, and the connection stays open.
    Stalled,
    /// Becomes so many MiB long.
    Oversized(u64),
    /// There is none, but something else.
    Garbage,
    /// There is none.
    Reset,
}

impl Fault {
    pub(super) fn new(when: Selection) -> Self {
        Self {
            when,
            skip: 0,
            times: Some(1),
            delay: Duration::ZERO,
            reply: Reply::default(),
            delivery: Delivery::Whole,
        }
    }
}

/// Which of the requests there, and how many.
impl Fault {
    /// Only requests with this method.
    pub fn method(mut self, method: &str) -> Self {
        self.when.method = Some(method.to_owned());
        self
    }

    /// Only requests with this `grant_type` in the form.
    pub fn grant_type(mut self, grant_type: &str) -> Self {
        self.when.grant_type = Some(grant_type.to_owned());
        self
    }

    /// Only requests with this `client_id` in the form or query.
    pub fn client_id(mut self, client_id: &str) -> Self {
        self.when.client_id = Some(client_id.to_owned());
        self
    }

    /// Only requests whose `scope` or `resource`, in the form or query,
    /// contains this text in whatever letter case.
    pub fn resource(mut self, part: &str) -> Self {
        self.when.resource = Some(part.to_owned());
        self
    }

    /// Lets the first so many requests pass, which later faults of the script
    /// may be meant for. Requests that an earlier one took do not count.
    pub fn skip(mut self, requests: u32) -> Self {
        self.skip = requests;
        self
    }

    /// Acts on so many requests. Default: 1.
    pub fn times(mut self, requests: u32) -> Self {
        self.times = Some(requests);
        self
    }

    /// Acts on every request.
    pub fn always(mut self) -> Self {
        self.times = None;
        self
    }
}

/// What is answered in place of the real answer.
impl Fault {
    /// This status. The body is empty unless another method gives one.
    ///
    /// # Panics
    /// If the status is not from 200 to 599.
    #[track_caller]
    pub fn status(mut self, status: u16) -> Self {
        check("a status", status.into(), &STATUSES);
        self.reply.status = StatusCode::from_u16(status).ok();
        self
    }

    /// A `retry-after` header in seconds. For a date use [`Fault::header`].
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.reply.headers.insert(RETRY_AFTER, seconds.into());
        self
    }

    /// A header, replacing the one that the answer would have. With nothing
    /// else it goes to the real answer. Repeated, all are sent.
    ///
    /// # Panics
    /// If name or value cannot stand in a header, or the name is
    /// `content-length` or `transfer-encoding`, which follow from the body.
    #[track_caller]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match header(name, value) {
            Ok((name, value)) => {
                self.reply.headers.append(name, value);
                self
            }
            Err(what) => panic!("{what}"),
        }
    }

    /// This text, as `text/plain` if no header says otherwise, with status 200
    /// if none is given.
    pub fn body(mut self, text: impl Into<String>) -> Self {
        self.reply.body = Some(Body::Text(text.into()));
        self
    }

    /// This value as JSON, with status 200 if none is given.
    ///
    /// With [`Fault::aadsts`] it is an object of fields that the error has
    /// besides the usual ones or in their place.
    pub fn json(mut self, value: Value) -> Self {
        self.reply.body = Some(Body::Json(value));
        self
    }

    /// An error as Entra writes it, of this number.
    ///
    /// The number decides the status and the OAuth 2.0 error code, as in the
    /// real answers: `invalid_client` for 7000215, `interaction_required` for
    /// 50076, 50079 and 50158, `invalid_grant` for 50173, 65001, 70008 and
    /// 700082, `temporarily_unavailable` with 503 for 90033. Numbers that the
    /// emulator does not know are `invalid_request` with 400.
    /// [`Fault::status`] and [`Fault::json`] replace any of it;
    /// [`Fault::body`] has no effect.
    ///
    /// ```
    /// use azidentity_emulator::Fault;
    /// use serde_json::json;
    ///
    /// let challenge = r#"{"access_token":{"nbf":{"essential":true,"value":"1"}}}"#;
    /// let fault = Fault::token()
    ///     .aadsts(50076)
    ///     .json(json!({ "suberror": "basic_action", "claims": challenge }));
    /// # let _ = fault;
    /// ```
    ///
    /// # Panics
    /// If the number is not from 1 to 99,999,999.
    #[track_caller]
    pub fn aadsts(mut self, number: u32) -> Self {
        check("an error number", number.into(), &NUMBERS);
        self.reply.aadsts = Some(number);
        self
    }

    /// A redirection to this address, with status 302 if no other is given.
    ///
    /// # Panics
    /// If the address cannot stand in a header.
    #[track_caller]
    pub fn redirect(mut self, location: &str) -> Self {
        self.reply.headers.remove(LOCATION);
        self.reply.status.get_or_insert(StatusCode::FOUND);
        self.header(LOCATION.as_str(), location)
    }
}

/// How the answer arrives, whether the real one or another. Of these the last
/// one counts.
impl Fault {
    /// After a while. Goes with everything else, which then happens after it.
    ///
    /// # Panics
    /// If the delay is longer than ten minutes.
    #[track_caller]
    pub fn delay(mut self, delay: Duration) -> Self {
        assert!(
            delay <= LONGEST,
            "a fault delays an answer by at most {LONGEST:?}, not by {delay:?}"
        );
        self.delay = delay;
        self
    }

    /// Incomplete: all of it is announced, and the connection ends after so
    /// many bytes of the body. If that would be all of it, the last is missing.
    pub fn truncate(mut self, after: usize) -> Self {
        self.delivery = Delivery::Truncated(after);
        self
    }

    /// Without its body, for which the client waits: until it hangs up, until
    /// the emulator is dropped, at most ten minutes.
    pub fn stall(mut self) -> Self {
        self.delivery = Delivery::Stalled;
        self
    }

    /// Too long: blanks follow it until the body has so many MiB. What was
    /// JSON still is, so only a client that limits the length refuses it.
    ///
    /// # Panics
    /// If the length is not from 1 to 1024 MiB.
    #[track_caller]
    pub fn oversize(mut self, mebibytes: u32) -> Self {
        check("a length in MiB", mebibytes.into(), &MEBIBYTES);
        self.delivery = Delivery::Oversized(mebibytes.into());
        self
    }

    /// Not at all: bytes that are no HTTP, after which the connection ends.
    pub fn garbage(mut self) -> Self {
        self.delivery = Delivery::Garbage;
        self
    }

    /// Not at all: the connection is reset, without so much as a goodbye of TLS.
    pub fn reset(mut self) -> Self {
        self.delivery = Delivery::Reset;
        self
    }
}

#[track_caller]
fn check(what: &str, value: u64, allowed: &RangeInclusive<u64>) {
    let (least, most) = (allowed.start(), allowed.end());
    assert!(
        allowed.contains(&value),
        "{what} is from {least} to {most}, not {value}"
    );
}
