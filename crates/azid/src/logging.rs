//! The log on standard error, for those who ask for it.

use std::io;

use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    registry,
};

/// Who may speak. The crates below these log whole messages at their finest level, and those hold secrets.
const SPEAKERS: [&str; 4] = ["azid", "azidentity", "azure_core", "typespec_client_core"];

/// Starts the log, the finer the more often `-v` was given. Without it there is none, which costs nothing.
pub(crate) fn start(verbosity: u8) {
    let level = match verbosity {
        0 => return,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let speakers = Targets::new().with_targets(SPEAKERS.map(|speaker| (speaker, level)));
    // A log that nobody reads any more must not end the program, as reporting that to standard error would.
    let lines = fmt::layer()
        .with_writer(io::stderr)
        .log_internal_errors(false);
    let _ = tracing::subscriber::set_global_default(registry().with(speakers).with(lines));
}
