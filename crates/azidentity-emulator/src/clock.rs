//! The time, in one place.

use std::time::{SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;

pub(crate) fn now() -> SystemTime {
    SystemTime::now()
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
    use std::time::{Duration, UNIX_EPOCH};

    use super::{text, unix};

    #[test]
    fn moments_are_written_as_entra_does() {
        let at = UNIX_EPOCH + Duration::from_secs(1_796_071_711);
        assert_eq!(text(at), "2026-11-30 20:48:31Z");
        assert_eq!(unix(at), 1_796_071_711);
    }
}
