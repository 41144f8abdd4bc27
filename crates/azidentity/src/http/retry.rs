//! Which answers and faults are worth another try, and how long to wait before it.
//!
//! The numbers are those of Microsoft's library for Python: at most three retries after 0, 1.6 and 3.2 seconds, and for
//! the instance metadata service five, with longer waits. A server's `Retry-After` replaces the wait, up to a minute.

use std::time::Duration;

use azure_core::{error::ErrorKind, time::parse_rfc7231};
use tracing::debug;

use crate::Environment;

use super::Answer;

/// The longest wait that a server can ask for. Asked for more, the request is tried again after this.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60);

/// No try begins later than this after the first one.
const LAST_TRY: Duration = Duration::from_secs(180);

/// The retries of one kind of endpoint.
#[derive(Clone, Copy)]
pub(crate) struct RetryRules {
    /// Most retries after an answer that can be retried.
    after_answers: u32,
    /// Most retries after a connection that failed.
    after_faults: u32,
    retryable: fn(u16) -> bool,
    /// The unit of the growing waits, by the status that causes them, in seconds.
    wait_unit: fn(u16) -> f64,
    longest_wait: Duration,
}

impl RetryRules {
    /// For Microsoft Entra and everything else that no other rules are known for.
    pub(crate) const STANDARD: Self = Self {
        after_answers: 3,
        after_faults: 3,
        retryable: |status| matches!(status, 408 | 429 | 500 | 502..=504 | 506..=998),
        wait_unit: |_| 0.8,
        longest_wait: Duration::from_secs(120),
    };

    /// For the instance metadata service, which says 404 and 410 while it starts or is updated; the latter for up to
    /// 70 seconds ([guidance](https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token#retry-guidance)).
    pub(crate) const IMDS: Self = Self {
        after_answers: 5,
        after_faults: 3,
        retryable: |status| matches!(status, 404 | 408 | 410 | 429 | 500..=998),
        wait_unit: |status| if status == 410 { 2.5 } else { 0.8 },
        longest_wait: Duration::from_secs(60),
    };

    /// Sends until an answer or a fault is final, which comes back with the number of tries.
    pub(super) async fn run<F>(
        &self,
        environment: &Environment,
        send: impl Fn() -> F,
    ) -> (azure_core::Result<Answer>, u32)
    where
        F: Future<Output = azure_core::Result<Answer>>,
    {
        let start = environment.now();
        let mut tries = 0;
        loop {
            let result = send().await;
            tries += 1;
            let wait = match &result {
                Ok(answer) => self.wait_after_answer(answer, tries, environment),
                Err(error) => self.wait_after_fault(error, tries),
            };
            let Some(wait) = wait else {
                return (result, tries);
            };
            let elapsed = environment.now() - start;
            if elapsed + wait > LAST_TRY {
                return (result, tries);
            }
            match &result {
                Ok(answer) => debug!(
                    status = answer.status,
                    ?wait,
                    "trying again after this answer"
                ),
                Err(error) => debug!(%error, ?wait, "trying again after this fault"),
            }
            environment.sleep(wait).await;
        }
    }

    fn wait_after_answer(
        &self,
        answer: &Answer,
        retry: u32,
        environment: &Environment,
    ) -> Option<Duration> {
        let asked = answer
            .header("retry-after")
            .filter(|_| answer.status >= 400);
        if retry > self.after_answers || !(asked.is_some() || (self.retryable)(answer.status)) {
            return None;
        }
        let milliseconds = || {
            ["retry-after-ms", "x-ms-retry-after-ms"]
                .into_iter()
                .find_map(|name| answer.header(name)?.trim().parse().ok())
                .map(Duration::from_millis)
        };
        asked
            .and_then(|text| parse_retry_after(text, environment))
            .or_else(milliseconds)
            .filter(|wait| !wait.is_zero())
            .map(|wait| wait.min(LONGEST_RETRY_AFTER))
            .or_else(|| Some(self.growing_wait(retry, answer.status)))
    }

    fn wait_after_fault(&self, error: &azure_core::Error, retry: u32) -> Option<Duration> {
        let passing = matches!(error.kind(), ErrorKind::Io | ErrorKind::Connection);
        (passing && retry <= self.after_faults).then(|| self.growing_wait(retry, 0))
    }

    /// None before the first retry, then doubling.
    fn growing_wait(&self, retry: u32, status: u16) -> Duration {
        if retry <= 1 {
            return Duration::ZERO;
        }
        let seconds = (self.wait_unit)(status) * f64::from(1_u32 << (retry - 1).min(16));
        Duration::from_secs_f64(seconds).min(self.longest_wait)
    }
}

/// Seconds or a date, by [RFC 9110, section 10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3).
fn parse_retry_after(text: &str, environment: &Environment) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let wait = parse_rfc7231(text).ok()? - environment.now();
    wait.try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::{
        cell::{Cell, RefCell},
        collections::VecDeque,
        sync::Arc,
    };

    use azure_core::http::{RawResponse, StatusCode, headers::Headers};
    use futures::executor::block_on;

    use super::*;
    use crate::ManualClock;

    #[allow(clippy::unnecessary_wraps, reason = "stands beside `fault`")]
    fn answer(status: u16, headers: &[(&'static str, &'static str)]) -> azure_core::Result<Answer> {
        let mut map = Headers::new();
        for (name, value) in headers {
            map.insert(*name, *value);
        }
        Ok(Answer {
            status,
            raw: RawResponse::from_bytes(StatusCode::from(status), map, ""),
        })
    }

    fn fault(kind: ErrorKind) -> azure_core::Result<Answer> {
        Err(azure_core::Error::with_message(kind, "fault"))
    }

    /// Plays `answers`, the last one for ever; returns the number of tries and the waits between them in seconds.
    fn play(
        rules: &RetryRules,
        answers: Vec<azure_core::Result<Answer>>,
        last: impl Fn() -> azure_core::Result<Answer>,
    ) -> (u32, Vec<f64>) {
        let clock = Arc::new(ManualClock::skipping(1_700_000_000));
        let environment = Environment::builder().clock(clock.clone()).build();
        let answers = RefCell::new(VecDeque::from(answers));
        let tries = Cell::new(0);
        let _ = block_on(rules.run(&environment, || {
            tries.set(tries.get() + 1);
            std::future::ready(answers.borrow_mut().pop_front().unwrap_or_else(&last))
        }));
        let waits = clock.slept().iter().map(Duration::as_secs_f64).collect();
        (tries.get(), waits)
    }

    #[test]
    fn standard_rules_try_four_times() {
        for status in [408, 429, 500, 502, 503, 504, 506, 599] {
            let played = play(&RetryRules::STANDARD, vec![], || answer(status, &[]));
            assert_eq!(played, (4, vec![0.0, 1.6, 3.2]), "status {status}");
        }
        for status in [200, 302, 400, 401, 403, 404, 410, 501, 505] {
            let played = play(&RetryRules::STANDARD, vec![], || answer(status, &[]));
            assert_eq!(played, (1, vec![]), "status {status}");
        }
    }

    #[test]
    fn imds_rules_are_more_patient() {
        for status in [404, 408, 429, 500, 501, 505, 599] {
            let played = play(&RetryRules::IMDS, vec![], || answer(status, &[]));
            assert_eq!(
                played,
                (6, vec![0.0, 1.6, 3.2, 6.4, 12.8]),
                "status {status}"
            );
        }
        let played = play(&RetryRules::IMDS, vec![], || answer(410, &[]));
        assert_eq!(played, (6, vec![0.0, 5.0, 10.0, 20.0, 40.0]), "410");
        for status in [400, 401, 403] {
            let played = play(&RetryRules::IMDS, vec![], || answer(status, &[]));
            assert_eq!(played, (1, vec![]), "status {status}");
        }
    }

    #[test]
    fn retry_after_rules_within_a_minute() {
        for (header, wait) in [
            ("2", 2.0),
            ("0.5", 0.5),
            ("3600", 60.0),
            ("Tue, 14 Nov 2023 22:13:27 GMT", 7.0),
            ("Tue, 14 Nov 2020 22:13:27 GMT", 0.0),
            ("soon", 0.0),
            ("-5", 0.0),
        ] {
            let first = answer(400, &[("retry-after", header)]);
            let played = play(&RetryRules::STANDARD, vec![first], || answer(200, &[]));
            assert_eq!(played, (2, vec![wait]), "Retry-After: {header}");
        }
        let first = answer(503, &[("x-ms-retry-after-ms", "1500")]);
        let played = play(&RetryRules::STANDARD, vec![first], || answer(200, &[]));
        assert_eq!(played, (2, vec![1.5]));
        let alone = play(&RetryRules::STANDARD, vec![], || {
            answer(400, &[("retry-after-ms", "9")])
        });
        assert_eq!(
            alone,
            (1, vec![]),
            "only the standard header asks for a retry"
        );
    }

    #[test]
    fn faults_are_retried_unless_permanent() {
        let (tries, _) = play(&RetryRules::STANDARD, vec![], || {
            fault(ErrorKind::Connection)
        });
        assert_eq!(tries, 4);
        let (tries, _) = play(&RetryRules::IMDS, vec![], || fault(ErrorKind::Io));
        assert_eq!(tries, 4);
        let (tries, _) = play(&RetryRules::STANDARD, vec![], || fault(ErrorKind::Other));
        assert_eq!(tries, 1);
    }

    #[test]
    fn no_try_begins_after_three_minutes() {
        let (tries, waits) = play(&RetryRules::IMDS, vec![], || {
            answer(429, &[("retry-after", "60")])
        });
        assert_eq!((tries, waits.iter().sum::<f64>()), (4, 180.0));
    }
}
