//! The list of requests, for tests that ask what a client sent.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Serialize, Serializer};

/// The oldest requests are forgotten beyond so many, so that an emulator can
/// serve for weeks.
const KEPT: usize = 10_000;

/// A request that reached an emulator, without anything secret.
///
/// Values are kept of parameters and headers that are known to hold nothing
/// secret; of the others only the names. Unknown parameters are all called
/// `[unknown]`, because a badly encoded secret can look like a name. Long values
/// are cut after 2048 characters, long lists after 100 parameters.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct RecordedRequest {
    server: Server,
    method: String,
    path: String,
    query: Fields,
    form: Fields,
    headers: Fields,
    status: Option<u16>,
    fault: bool,
}

/// Which of an emulator's two ports a request came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Server {
    /// The HTTPS port: Microsoft Entra.
    Authority,
    /// The HTTP port: managed identity endpoints.
    ManagedIdentity,
}

impl RecordedRequest {
    /// Which port it came to.
    pub fn server(&self) -> Server {
        self.server
    }

    /// The method, such as `POST`.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path as it was sent, slashes included.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The parameters of the query.
    pub fn query(&self) -> &Fields {
        &self.query
    }

    /// The parameters of a form-encoded body.
    pub fn form(&self) -> &Fields {
        &self.form
    }

    /// The headers, their names in lower case.
    pub fn headers(&self) -> &Fields {
        &self.headers
    }

    /// The status it was answered with; `None` while it is being answered, and
    /// for good when the client went away before, or got no answer because of
    /// a fault.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// Whether a fault of the script acted on it.
    pub fn fault(&self) -> bool {
        self.fault
    }

    /// Whether a token was asked for: from the authority's token endpoint or
    /// from a managed identity endpoint.
    pub fn is_token_request(&self) -> bool {
        self.path.trim_end_matches('/').ends_with("/token")
    }
}

/// Parameters or headers in the order in which they were sent.
///
/// In JSON an object; the value of what is withheld is `null`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(pub(crate) Vec<(String, Option<String>)>);

impl Fields {
    /// Whether there is a field of this name, whatever its value.
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// The value of the first field of this name; `None` when there is none,
    /// and when its value may be secret.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name)?.1.as_deref()
    }

    /// The names in order, repeated ones included.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// What is known of a request when it arrives.
pub(crate) struct Arrival {
    pub(crate) server: Server,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Fields,
    pub(crate) form: Fields,
    pub(crate) headers: Fields,
    pub(crate) fault: bool,
}

#[derive(Default)]
pub(crate) struct Recorder(Mutex<Log>);

#[derive(Default)]
struct Log {
    kept: VecDeque<RecordedRequest>,
    /// The number of the first request in `kept`, over the emulator's life.
    first: u64,
    count: usize,
    tokens: usize,
}

impl Recorder {
    /// Adds a request and returns its number.
    pub(crate) fn arrived(&self, arrival: Arrival) -> u64 {
        let Arrival {
            server,
            method,
            path,
            query,
            form,
            headers,
            fault,
        } = arrival;
        let request = RecordedRequest {
            server,
            method,
            path,
            query,
            form,
            headers,
            status: None,
            fault,
        };
        let mut log = self.lock();
        log.count += 1;
        log.tokens += usize::from(request.is_token_request());
        log.kept.push_back(request);
        if log.kept.len() > KEPT {
            log.kept.pop_front();
            log.first += 1;
        }
        log.first + log.kept.len() as u64 - 1
    }

    pub(crate) fn answered(&self, number: u64, status: u16) {
        let mut log = self.lock();
        // A request from before the last `clear` has a number below `first`.
        let Some(index) = number.checked_sub(log.first) else {
            return;
        };
        let request = usize::try_from(index)
            .ok()
            .and_then(|index| log.kept.get_mut(index));
        if let Some(request) = request {
            request.status = Some(status);
        }
    }

    pub(crate) fn all(&self) -> Vec<RecordedRequest> {
        self.lock().kept.iter().cloned().collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().count
    }

    pub(crate) fn token_count(&self) -> usize {
        self.lock().tokens
    }

    pub(crate) fn clear(&self) {
        let mut log = self.lock();
        log.first += log.kept.len() as u64;
        log.kept.clear();
        log.count = 0;
        log.tokens = 0;
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Arrival, Fields, KEPT, Recorder, Server};

    fn arrival(path: &str) -> Arrival {
        Arrival {
            server: Server::Authority,
            method: "GET".to_owned(),
            path: path.to_owned(),
            query: Fields::default(),
            form: Fields::default(),
            headers: Fields::default(),
            fault: false,
        }
    }

    #[test]
    fn requests_are_kept_in_order_with_their_status() {
        let recorder = Recorder::default();
        let first = recorder.arrived(arrival("/a"));
        let second = recorder.arrived(arrival("/t/oauth2/v2.0/token"));
        recorder.answered(second, 400);
        recorder.answered(first, 200);
        let seen: Vec<_> = recorder
            .all()
            .iter()
            .map(|r| (r.path().to_owned(), r.status()))
            .collect();
        assert_eq!(
            seen,
            [
                ("/a".to_owned(), Some(200)),
                ("/t/oauth2/v2.0/token".to_owned(), Some(400))
            ]
        );
        assert_eq!((recorder.count(), recorder.token_count()), (2, 1));
    }

    #[test]
    fn an_answer_after_a_clear_marks_nobody_else() {
        let recorder = Recorder::default();
        let old = recorder.arrived(arrival("/old"));
        recorder.clear();
        recorder.arrived(arrival("/new"));
        recorder.answered(old, 500);
        assert_eq!(recorder.all()[0].status(), None);
        assert_eq!(recorder.count(), 1);
    }

    #[test]
    fn the_list_is_bounded_and_the_count_is_not() {
        let recorder = Recorder::default();
        let mut last = 0;
        for _ in 0..KEPT + 10 {
            last = recorder.arrived(arrival("/"));
        }
        recorder.answered(last, 204);
        assert_eq!(recorder.all().len(), KEPT);
        assert_eq!(recorder.all()[KEPT - 1].status(), Some(204));
        assert_eq!(recorder.count(), KEPT + 10);
    }
}
