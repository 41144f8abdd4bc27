//! `azid demo`: every credential at work, with nothing installed and no network.

mod scenario;

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use azidentity::{AccessTokenInfo, Credential};
use azidentity_emulator::{Config, Emulator};
use serde::Serialize;

use crate::{
    cli::{DemoArgs, ReportOutput},
    failure::Failure,
    jwt::Jwt,
    output,
    transport::Transports,
};

use super::block_on;
use scenario::{Scenario, Stage};

const RESOURCE: &str = "https://vault.azure.net";
const SCOPES: [&str; 1] = ["https://vault.azure.net/.default"];

/// How often the cache is asked: one answer takes less than a clock can tell.
const CACHED_CALLS: u32 = 1_000;

pub(super) fn run(args: &DemoArgs) -> Result<ExitCode, Failure> {
    let emulator = Emulator::start(Config::default())
        .map_err(|error| Failure::Other(format!("the emulator did not start: {error}")))?;
    // Making its key takes longer than all that is measured.
    emulator.wait_until_ready();
    let folder = tempfile::tempdir().map_err(|error| {
        Failure::Other(format!("there is no folder for temporary files: {error}"))
    })?;
    let stage = Stage {
        folder,
        transports: Transports::loopback(emulator.ca_certificate_der()),
        emulator,
    };
    let results: Vec<Outcome> = block_on(async {
        let mut results = Vec::new();
        for scenario in scenario::all() {
            results.push(play(scenario, &stage).await);
        }
        results
    })?;
    let all_well = results.iter().all(|result| result.error.is_none());
    output::print(&match args.output {
        ReportOutput::Text => text(&results),
        ReportOutput::Json => output::json_pretty(&Report {
            ok: all_well,
            results: &results,
        }),
    })?;
    Ok(if all_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

#[derive(Serialize)]
struct Report<'a> {
    ok: bool,
    results: &'a [Outcome],
}

/// What one credential did.
#[derive(Serialize)]
struct Outcome {
    name: &'static str,
    credential: Option<String>,
    first_token_ms: Option<f64>,
    cached_token_us: Option<f64>,
    requests: usize,
    audience: Option<String>,
    client_id: Option<String>,
    identity: Option<String>,
    error: Option<String>,
}

async fn play(scenario: &Scenario, stage: &Stage) -> Outcome {
    stage.emulator.clear_requests();
    let mut outcome = Outcome {
        name: scenario.name,
        credential: None,
        first_token_ms: None,
        cached_token_us: None,
        requests: 0,
        audience: None,
        client_id: None,
        identity: None,
        error: None,
    };
    if let Err(why) = acquire(scenario, stage, &mut outcome).await {
        outcome.error = Some(why);
    }
    outcome.requests = stage.emulator.request_count();
    outcome
}

async fn acquire(scenario: &Scenario, stage: &Stage, outcome: &mut Outcome) -> Result<(), String> {
    let start = Instant::now();
    let credential = (scenario.make)(stage).map_err(|error| error.to_string())?;
    let token = credential
        .get_token_info(&SCOPES, None)
        .await
        .map_err(words)?;
    outcome.first_token_ms = Some(millis(start.elapsed()));
    outcome.credential = Some(token.credential().to_owned());

    let jwt = Jwt::decode(token.token())?;
    outcome.audience = jwt.text("aud").map(str::to_owned);
    outcome.client_id = jwt.client_id().map(str::to_owned);
    outcome.identity = jwt.client_id().and_then(|id| stage.name_of(id));
    if outcome.audience.as_deref() != Some(RESOURCE) {
        return Err("the token is for another audience than was asked for".into());
    }
    if outcome.client_id.as_deref() != Some(scenario.client_id) {
        return Err("the token is of another identity than was asked for".into());
    }

    let requests = stage.emulator.request_count();
    outcome.cached_token_us = Some(ask_the_cache(&*credential, &token).await?);
    if stage.emulator.request_count() != requests {
        return Err("a request was sent although the token was in the cache".into());
    }
    Ok(())
}

/// Microseconds for one answer.
async fn ask_the_cache(
    credential: &dyn Credential,
    token: &AccessTokenInfo,
) -> Result<f64, String> {
    let start = Instant::now();
    for _ in 0..CACHED_CALLS {
        let cached = credential
            .get_token_info(&SCOPES, None)
            .await
            .map_err(words)?;
        if !std::ptr::eq(cached.token(), token.token()) {
            return Err("the cache holds another token than the first one".into());
        }
    }
    Ok(millis(start.elapsed()) * 1_000.0 / f64::from(CACHED_CALLS))
}

fn words(error: azure_core::Error) -> String {
    Failure::from(error).to_string()
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn text(results: &[Outcome]) -> String {
    let mut rows = vec![
        [
            "CREDENTIAL",
            "TOKEN FROM",
            "FIRST",
            "CACHED",
            "REQUESTS",
            "AUDIENCE",
            "IDENTITY",
            "RESULT",
        ]
        .map(str::to_owned),
    ];
    let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".into());
    for outcome in results {
        rows.push([
            outcome.name.to_owned(),
            or_dash(outcome.credential.clone()),
            or_dash(outcome.first_token_ms.map(|ms| format!("{ms:.1} ms"))),
            or_dash(outcome.cached_token_us.map(|us| format!("{us:.2} µs"))),
            outcome.requests.to_string(),
            or_dash(outcome.audience.clone()),
            or_dash(outcome.identity.clone().or(outcome.client_id.clone())),
            outcome
                .error
                .as_ref()
                // A chain tells each attempt on a line of its own, and a table has no room for that.
                .map_or_else(
                    || "ok".into(),
                    |error| format!("failed: {}", error.replace("\n ", ";")),
                ),
        ]);
    }
    output::table(&rows)
}
