//! `azid completions`.

use crate::support::{azid, run};

#[test]
fn every_shell_learns_the_names() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(&mut azid(&["completions", shell])).success();
        for word in ["managed-identity", "client-secret-file", "inspect"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn an_unknown_shell_is_bad_usage() {
    let message = run(&mut azid(&["completions", "tcsh"])).failure(2);
    assert!(message.contains("bash"), "{message}");
}

#[cfg(unix)]
#[test]
fn bash_reads_the_script() {
    let bash = std::path::Path::new("/bin/bash");
    if !bash.exists() {
        return;
    }
    let script = run(&mut azid(&["completions", "bash"])).success();
    let mut shell = assert_cmd::Command::new(bash);
    shell.args(["--norc", "-n"]).write_stdin(script);
    run(&mut shell).success();
}
