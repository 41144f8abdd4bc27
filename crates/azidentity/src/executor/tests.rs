//! Both executors, side by side, with real programs.

use std::{env, ffi::OsStr, io::ErrorKind};

use super::*;

/// All there are under these features: [`new_executor`] must be as good as any.
fn executors() -> Vec<Arc<dyn Executor>> {
    executors_with(&Manner::default())
}

fn executors_with(manner: &Manner) -> Vec<Arc<dyn Executor>> {
    vec![
        with_manner(manner.clone()),
        Arc::new(thread::ThreadExecutor(manner.clone())),
    ]
}

#[tokio::test]
async fn a_program_gets_its_arguments_and_is_heard() {
    let this = env::current_exe().unwrap();
    for executor in executors() {
        let args = ["--list", "--format", "terse"].map(OsStr::new);
        let output = executor.run(this.as_os_str(), &args).await.unwrap();
        assert!(output.status.success(), "{executor:?}: {output:?}");
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(printed.contains("is_heard: test"), "{executor:?}");
    }
}

#[tokio::test]
async fn a_program_that_is_not_there_is_an_error_of_that_kind() {
    for executor in executors() {
        let result = executor
            .run(OsStr::new("azidentity-no-such-program"), &[])
            .await;
        assert_eq!(
            result.unwrap_err().kind(),
            ErrorKind::NotFound,
            "{executor:?}"
        );
    }
}

#[test]
fn outside_of_a_runtime_threads_wait() {
    let this = env::current_exe().unwrap();
    let args = ["--list"].map(OsStr::new);
    let executor = new_executor();
    let output = futures::executor::block_on(executor.run(this.as_os_str(), &args));
    assert!(output.unwrap().status.success());
}

#[test]
fn threads_need_no_driver() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let this = env::current_exe().unwrap();
    let output = runtime.block_on(async move {
        let args = ["--list"].map(OsStr::new);
        thread::ThreadExecutor::default()
            .run(this.as_os_str(), &args)
            .await
    });
    assert!(output.unwrap().status.success());
}

/// What takes a shell to say.
#[cfg(unix)]
mod scripts {
    use std::{
        fs,
        io::{Seek, Write},
        path::Path,
        time::{Duration, Instant},
    };

    use super::*;

    /// Long enough for a machine that does much else.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// More than a pipe holds.
    const MUCH: usize = 300_000;

    async fn shell(executor: &dyn Executor, script: &str) -> Output {
        let args = ["-c", script].map(OsStr::new);
        executor.run(OsStr::new("/bin/sh"), &args).await.unwrap()
    }

    #[tokio::test]
    async fn status_and_both_outputs_are_kept_apart() {
        for executor in executors() {
            let output = shell(&*executor, "printf out; printf err >&2; exit 7").await;
            assert_eq!(output.status.code(), Some(7), "{executor:?}");
            assert_eq!(output.stdout, b"out", "{executor:?}");
            assert_eq!(output.stderr, b"err", "{executor:?}");
        }
    }

    #[tokio::test]
    async fn there_is_nothing_to_read() {
        for executor in executors() {
            let output = shell(&*executor, "cat; read answer || printf end").await;
            assert_eq!(output.stdout, b"end", "{executor:?}");
        }
    }

    /// The same with a process around it in which there is something.
    #[test]
    fn what_the_caller_has_to_read_is_left_alone() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"for the caller\n").unwrap();
        file.rewind().unwrap();
        let mut again = Command::new(env::current_exe().unwrap());
        again.args([
            "--exact",
            "executor::tests::scripts::there_is_nothing_to_read",
        ]);
        let output = again.stdin(file).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(printed.contains("1 passed"), "{printed}");
    }

    #[tokio::test]
    async fn no_pipe_fills_up_while_the_other_is_read() {
        for executor in executors() {
            let zeros = format!("head -c {MUCH} /dev/zero");
            let script = format!("{zeros} >&2; {zeros}; {zeros} >&2; {zeros}");
            let output = shell(&*executor, &script).await;
            assert_eq!(output.stdout.len(), 2 * MUCH, "{executor:?}");
            assert_eq!(output.stderr.len(), 2 * MUCH, "{executor:?}");
        }
    }

    #[tokio::test]
    async fn too_much_output_ends_the_program() {
        let manner = Manner {
            folder: Some("/".into()),
            longest_output: Some(10),
        };
        for executor in executors_with(&manner) {
            let output = shell(&*executor, "pwd; printf 123456789 >&2").await;
            assert_eq!(output.stdout, b"/\n", "{executor:?}");
            assert!(output.stderr.is_empty(), "{executor:?}");
            // What is said there goes nowhere, however much it is.
            let noise = format!("head -c {MUCH} /dev/zero >&2; pwd");
            let output = shell(&*executor, &noise).await;
            assert_eq!(output.stdout, b"/\n", "{executor:?}");
            for script in [
                "printf 12345678901",
                // It would go on for ever, and doesn't care that nobody reads any more.
                "trap '' PIPE; while :; do echo again; done 2>/dev/null",
            ] {
                let args = ["-c", script].map(OsStr::new);
                let result = executor.run(OsStr::new("/bin/sh"), &args).await;
                assert_eq!(
                    result.unwrap_err().kind(),
                    ErrorKind::FileTooLarge,
                    "{executor:?} {script}"
                );
            }
        }
    }

    #[tokio::test]
    async fn a_program_that_closes_its_output_is_waited_for() {
        for executor in executors() {
            let output = shell(&*executor, "exec >&- 2>&-; sleep 0.1; exit 3").await;
            assert_eq!(output.status.code(), Some(3), "{executor:?}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn dropping_the_future_kills_the_program() {
        let folder = tempfile::tempdir().unwrap();
        for (number, executor) in executors().into_iter().enumerate() {
            let file = folder.path().join(number.to_string());
            let task = tokio::spawn({
                let (file, executor) = (file.clone(), Arc::clone(&executor));
                async move {
                    let script = r#"echo $$ >"$0"; exec sleep 1000"#;
                    let args = ["-c", script].map(OsStr::new);
                    let args = [args[0], args[1], file.as_os_str()];
                    executor.run(OsStr::new("/bin/sh"), &args).await
                }
            });
            let process = until(|| written(&file)).await;
            assert!(is_there(&process), "{executor:?}");

            task.abort();
            assert!(task.await.unwrap_err().is_cancelled(), "{executor:?}");
            // A process that was killed is there until it has been waited for: with `ThreadExecutor` that is the last
            // thing its thread does, and tokio does it when its driver comes by.
            until(|| (!is_there(&process)).then_some(())).await;
        }
    }

    /// The whole line, once it has been written.
    fn written(file: &Path) -> Option<String> {
        let text = fs::read_to_string(file).ok()?;
        text.strip_suffix('\n').map(str::to_owned)
    }

    fn is_there(process: &str) -> bool {
        let mut asked = Command::new("/bin/sh");
        asked.args(["-c", r#"kill -0 "$0" 2>/dev/null"#, process]);
        asked.status().unwrap().success()
    }

    async fn until<T>(mut found: impl FnMut() -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(found) = found() {
                return found;
            }
            assert!(started.elapsed() < PATIENCE, "waited in vain");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
