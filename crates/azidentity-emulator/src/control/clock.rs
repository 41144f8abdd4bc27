//! The clock over HTTP.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock;
use crate::state::State;

/// What the clock is to do, in seconds. In JSON an object with one key.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Setting {
    /// Stand at this time since 1970.
    Seconds(u64),
    /// Move on.
    Advance(u64),
    /// Run so far ahead of the system's clock.
    Offset(i64),
}

pub(super) async fn show(Shared(state): Shared<Arc<State>>) -> Json<Value> {
    let now = state.now();
    Json(json!({
        "seconds": clock::unix(now),
        "time": clock::text(now),
        "running": state.world.clock.is_running(),
    }))
}

/// Whatever its media type says, the body is JSON.
pub(super) async fn set(
    Shared(state): Shared<Arc<State>>,
    body: String,
) -> Result<StatusCode, (StatusCode, String)> {
    let setting = serde_json::from_str(&body).map_err(|error| {
        (
            StatusCode::BAD_REQUEST,
            format!(
                "one of {{\"seconds\": N}}, {{\"advance\": N}} and {{\"offset\": N}} is needed: {error}"
            ),
        )
    })?;
    let clock = &state.world.clock;
    match setting {
        Setting::Seconds(seconds) => clock.stand_at(since_1970(seconds)),
        Setting::Advance(seconds) => clock.advance(Duration::from_secs(seconds)),
        Setting::Offset(seconds) => clock.run_ahead(seconds),
    }
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn reset(Shared(state): Shared<Arc<State>>) -> StatusCode {
    state.world.clock.run_ahead(0);
    StatusCode::NO_CONTENT
}

/// The moment, or one that the clock takes for its last.
fn since_1970(seconds: u64) -> SystemTime {
    const FAR: Duration = Duration::from_secs(1 << 38);
    UNIX_EPOCH + Duration::from_secs(seconds).min(FAR)
}
