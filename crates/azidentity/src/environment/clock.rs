//! The clock: the system's, or one that a test moves by hand.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use azure_core::time::OffsetDateTime;
use futures::channel::oneshot;

use super::timer;

/// Tells the time and lets it pass.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The current time.
    fn now(&self) -> OffsetDateTime;

    /// A future that is ready once `duration` has passed.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;

    /// A future that is ready once `duration` has passed, and bounds something else that goes on meanwhile.
    ///
    /// The same as [`sleep`](Self::sleep), unless a clock makes a difference between waiting and giving up.
    fn time_limit(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.sleep(duration)
    }
}

/// The system's clock. Sleeps on tokio's timer inside a tokio runtime, else on a thread that all sleepers share.
#[derive(Debug)]
pub(super) struct SystemClock;

impl SystemClock {
    /// Linux keeps a copy of the time that is a few milliseconds old and read in a quarter of the time: enough for whole
    /// seconds, and a third of what a look-up in the token cache takes.
    #[cfg(target_os = "linux")]
    pub(super) fn unix_now() -> i64 {
        rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse).tv_sec
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn unix_now() -> i64 {
        use std::time::{SystemTime, UNIX_EPOCH};

        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| {
                i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
            })
    }
}

impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        #[cfg(feature = "tokio")]
        if tokio::runtime::Handle::try_current().is_ok() {
            return Box::pin(tokio::time::sleep(duration));
        }
        Box::pin(timer::sleep(duration))
    }
}

/// A clock that stands still until it is moved: for tests of lifetimes, retries and time-outs.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use azidentity::{Environment, ManualClock};
///
/// let clock = Arc::new(ManualClock::new(1_700_000_000));
/// let environment = Environment::builder().clock(clock.clone()).build();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(environment.now().unix_timestamp(), 1_700_000_060);
/// ```
pub struct ManualClock {
    state: Mutex<State>,
    skipping: bool,
}

struct State {
    now: OffsetDateTime,
    sleepers: Vec<(OffsetDateTime, oneshot::Sender<()>)>,
    slept: Vec<Duration>,
}

impl ManualClock {
    /// A clock that stands at `unix_seconds`. Sleepers wait until [`advance`](Self::advance) moves it past their time.
    ///
    /// A time that no calendar has (thousands of years away) counts as the epoch.
    pub fn new(unix_seconds: i64) -> Self {
        Self {
            state: Mutex::new(State {
                now: OffsetDateTime::from_unix_timestamp(unix_seconds)
                    .unwrap_or(OffsetDateTime::UNIX_EPOCH),
                sleepers: Vec::new(),
                slept: Vec::new(),
            }),
            skipping: false,
        }
    }

    /// A clock on which every sleep is over at once and moves the time forward by its length, and on which no time
    /// limit is ever reached.
    pub fn skipping(unix_seconds: i64) -> Self {
        Self {
            skipping: true,
            ..Self::new(unix_seconds)
        }
    }

    /// Moves the time forward and wakes the sleepers whose time has come.
    pub fn advance(&self, duration: Duration) {
        let due: Vec<_> = {
            let mut state = self.state();
            state.now += duration;
            let now = state.now;
            let (due, waiting) = state
                .sleepers
                .drain(..)
                .filter(|(_, sender)| !sender.is_canceled())
                .partition(|(until, _)| *until <= now);
            state.sleepers = waiting;
            due
        };
        for (_, sender) in due {
            let _ = sender.send(());
        }
    }

    /// How many sleepers wait at this moment.
    pub fn sleepers(&self) -> usize {
        self.state()
            .sleepers
            .iter()
            .filter(|(_, sender)| !sender.is_canceled())
            .count()
    }

    /// The lengths of all sleeps that were begun so far, in order.
    pub fn slept(&self) -> Vec<Duration> {
        self.state().slept.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManualClock")
            .field("now", &self.now())
            .finish_non_exhaustive()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> OffsetDateTime {
        self.state().now
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut state = self.state();
        state.slept.push(duration);
        if self.skipping {
            state.now += duration;
            return Box::pin(std::future::ready(()));
        }
        let until = state.now + duration;
        if until <= state.now {
            return Box::pin(std::future::ready(()));
        }
        let (sender, receiver) = oneshot::channel();
        state.sleepers.push((until, sender));
        Box::pin(async move {
            let _ = receiver.await;
        })
    }

    fn time_limit(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        if self.skipping {
            Box::pin(std::future::pending())
        } else {
            self.sleep(duration)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_reading_agrees_with_the_exact_one() {
        let before = OffsetDateTime::now_utc().unix_timestamp();
        let quick = SystemClock::unix_now();
        let after = OffsetDateTime::now_utc().unix_timestamp();
        // It may be a few milliseconds old, and so still in the second before.
        assert!((before - 1..=after).contains(&quick));
    }
}
