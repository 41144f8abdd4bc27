//! The time, in one place.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;

/// The clock of one emulator. Clones are the same clock.
///
/// Whatever it is set to, it shows a moment from 1970 to the end of 9999: what
/// a token can say in seconds and an error in four digits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock(Arc<Mutex<Setting>>);

#[derive(Clone, Copy, Debug)]
enum Setting {
    /// Goes with the system's clock, so far ahead of it or behind.
    Running(time::Duration),
    Standing(OffsetDateTime),
}

impl Default for Setting {
    fn default() -> Self {
        Self::Running(time::Duration::ZERO)
    }
}

impl Clock {
    /// A clock that shows this moment now, and runs.
    pub(crate) fn starting_at(moment: SystemTime) -> Self {
        let ahead = date(moment) - OffsetDateTime::now_utc();
        Self(Arc::new(Mutex::new(Setting::Running(ahead))))
    }

    pub(crate) fn now(&self) -> SystemTime {
        let at = match *self.lock() {
            Setting::Running(ahead) => OffsetDateTime::now_utc().saturating_add(ahead),
            Setting::Standing(at) => at,
        };
        at.max(OffsetDateTime::UNIX_EPOCH).into()
    }

    pub(crate) fn is_running(&self) -> bool {
        matches!(*self.lock(), Setting::Running(_))
    }

    /// Sets it to a moment, at which it stands still: a test that compares
    /// times needs the one it has set, not one a few milliseconds later.
    pub(crate) fn stand_at(&self, moment: SystemTime) {
        *self.lock() = Setting::Standing(date(moment));
    }

    /// Lets it run so many seconds ahead of the system's clock, or behind.
    pub(crate) fn run_ahead(&self, seconds: i64) {
        *self.lock() = Setting::Running(time::Duration::seconds(seconds));
    }

    pub(crate) fn advance(&self, by: Duration) {
        let by = signed(by);
        match &mut *self.lock() {
            Setting::Running(ahead) => *ahead = ahead.saturating_add(by),
            Setting::Standing(at) => *at = at.saturating_add(by),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Setting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The moment, or the nearest that the clock can show. `OffsetDateTime::from`
/// would panic where a year has five digits.
fn date(moment: SystemTime) -> OffsetDateTime {
    let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    OffsetDateTime::UNIX_EPOCH.saturating_add(signed(since))
}

fn signed(duration: Duration) -> time::Duration {
    duration.try_into().unwrap_or(time::Duration::MAX)
}

/// Whole seconds since 1970.
pub(crate) fn unix(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// As Entra writes a moment: `2026-11-30 20:48:31Z`.
pub(crate) fn text(at: SystemTime) -> String {
    let at = OffsetDateTime::from(at);
    let (date, time) = (at.date(), at.time());
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use super::{Clock, text, unix};

    const MOMENT: Duration = Duration::from_secs(1_796_071_711);

    #[test]
    fn moments_are_written_as_entra_does() {
        let at = UNIX_EPOCH + MOMENT;
        assert_eq!(text(at), "2026-11-30 20:48:31Z");
        assert_eq!(unix(at), 1_796_071_711);
    }

    #[test]
    fn a_clock_that_was_set_moves_when_it_is_told_to() {
        let clock = Clock::default();
        clock.stand_at(UNIX_EPOCH + MOMENT);
        assert_eq!(clock.now(), UNIX_EPOCH + MOMENT);
        clock.clone().advance(Duration::from_millis(1500));
        assert_eq!(
            clock.now(),
            UNIX_EPOCH + MOMENT + Duration::from_millis(1500)
        );
        assert!(!clock.is_running());
    }

    #[test]
    fn a_clock_that_runs_follows_the_systems() {
        let day = Duration::from_secs(24 * 60 * 60);
        let clock = Clock::default();
        clock.advance(day);
        clock.advance(day);
        let before = SystemTime::now();
        let shown = clock.now();
        assert!(before + 2 * day <= shown && shown <= SystemTime::now() + 2 * day);
        clock.run_ahead(-86_400);
        let before = SystemTime::now();
        let shown = clock.now();
        assert!(before - day <= shown && shown <= SystemTime::now() - day);
        assert!(clock.is_running());
        assert!(Clock::starting_at(UNIX_EPOCH + MOMENT).now() >= UNIX_EPOCH + MOMENT);
    }

    #[test]
    fn no_setting_leaves_the_range_that_can_be_written() {
        let last = "9999-12-31 23:59:59Z";
        let clock = Clock::default();
        let far = UNIX_EPOCH.checked_add(Duration::from_secs(1 << 60));
        clock.stand_at(far.unwrap());
        assert_eq!(text(clock.now()), last);
        clock.advance(Duration::MAX);
        assert_eq!(text(clock.now()), last);
        clock.stand_at(UNIX_EPOCH - Duration::from_secs(1));
        assert_eq!(clock.now(), UNIX_EPOCH);
        for (seconds, shown) in [(i64::MAX, last), (i64::MIN, "1970-01-01 00:00:00Z")] {
            clock.run_ahead(seconds);
            assert_eq!(text(clock.now()), shown);
        }
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert_eq!(text(clock.now()), last);
    }
}
