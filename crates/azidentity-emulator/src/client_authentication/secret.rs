//! Client secrets.

use std::time::SystemTime;

use crate::entra_error::EntraError;
use crate::world::Application;

pub(super) fn check(
    application: &Application,
    presented: &str,
    now: SystemTime,
) -> Result<(), EntraError> {
    let id = application.client_id();
    // All are looked at, so that the time taken does not tell which one fits.
    let (mut valid, mut expired) = (false, false);
    for secret in application.secrets() {
        if secret.value.matches(presented) {
            if secret.expired_at(now) {
                expired = true;
            } else {
                valid = true;
            }
        }
    }
    if valid {
        return Ok(());
    }
    Err(if expired {
        EntraError::new(
            7_000_222,
            format!(
                "The client secret presented for the application '{id}' has expired. Create a new one."
            ),
        )
    } else {
        EntraError::new(
            7_000_215,
            format!(
                "The client secret presented for the application '{id}' is not valid. Send the value of \
                 the secret, not its id."
            ),
        )
    })
}
