//! Waiting where there is no runtime: one thread for all that sleep, for as long as somebody does.

use std::{
    cmp::Ordering,
    collections::BinaryHeap,
    io,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use futures::{
    channel::oneshot,
    future::{Either, pending},
};

static TIMER: Timer = Timer {
    state: Mutex::new(State {
        sleepers: BinaryHeap::new(),
        crowded_at: CROWD,
        running: false,
    }),
    changed: Condvar::new(),
};

/// From this number of sleepers on, those that were given up are looked for.
const CROWD: usize = 64;

struct Timer {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    sleepers: BinaryHeap<Sleeper>,
    /// At how many sleepers to look next for those that were given up.
    crowded_at: usize,
    running: bool,
}

struct Sleeper {
    due: Instant,
    wake: oneshot::Sender<()>,
}

/// The one that is due first is the greatest: that is what a heap has on top.
impl Ord for Sleeper {
    fn cmp(&self, other: &Self) -> Ordering {
        other.due.cmp(&self.due)
    }
}

impl PartialOrd for Sleeper {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Sleeper {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Sleeper {}

/// Ready once `duration` has passed; at once if the system has no thread left to wait with.
pub(super) fn sleep(duration: Duration) -> impl Future<Output = ()> + Send + 'static {
    // Longer than any clock runs means for ever.
    let Some(due) = Instant::now().checked_add(duration) else {
        return Either::Left(pending());
    };
    let (wake, woken) = oneshot::channel();
    TIMER.add(Sleeper { due, wake });
    Either::Right(async move {
        let _ = woken.await;
    })
}

impl Timer {
    fn add(&'static self, sleeper: Sleeper) {
        let mut state = self.state();
        if state.sleepers.len() >= state.crowded_at {
            state.sleepers.retain(|sleeper| !sleeper.wake.is_canceled());
            state.crowded_at = CROWD.max(state.sleepers.len() * 2);
        }
        state.sleepers.push(sleeper);
        if state.running {
            self.changed.notify_one();
        } else if self.start().is_ok() {
            state.running = true;
        } else {
            state.sleepers.clear();
        }
    }

    fn start(&'static self) -> io::Result<()> {
        thread::Builder::new()
            .name("azidentity-timer".into())
            .spawn(|| self.run())
            .map(drop)
    }

    /// Wakes one sleeper after the other, until there is none.
    fn run(&self) {
        let mut state = self.state();
        loop {
            let now = Instant::now();
            match state.sleepers.peek().map(|next| next.due) {
                None => {
                    state.running = false;
                    return;
                }
                Some(due) if due <= now => {
                    if let Some(sleeper) = state.sleepers.pop() {
                        // It may have been given up.
                        let _ = sleeper.wake.send(());
                    }
                }
                Some(due) => {
                    state = self
                        .changed
                        .wait_timeout(state, due - now)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0;
                }
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, executor::block_on, future::join_all};

    use super::*;

    #[test]
    fn all_are_woken_in_whatever_order_they_came() {
        let milliseconds = [30, 1, 20, 0, 10];
        block_on(join_all(
            milliseconds.map(|length| sleep(Duration::from_millis(length))),
        ));
        // The thread has ended or is about to; the next one gets another.
        block_on(sleep(Duration::from_millis(1)));
    }

    #[test]
    fn those_that_were_given_up_make_room() {
        let hour = Duration::from_secs(3600);
        for _ in 0..10_000 {
            assert!(sleep(hour).now_or_never().is_none());
        }
        assert!(TIMER.state().sleepers.len() <= 2 * CROWD);
        assert!(sleep(Duration::MAX).now_or_never().is_none());
    }
}
