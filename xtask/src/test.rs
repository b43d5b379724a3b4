//! `test`: what the tests need, then cargo's own tests of every package.

use std::{
    ffi::OsString,
    io::{BufRead as _, BufReader, Write},
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context as _, bail};

use crate::{
    args::Profile,
    clients, dist,
    fetch::Turn,
    parts::{Parts, is_ci},
    project::Project,
    run, viewer,
};

/// The tests that run at a time at least. The browsers among them are counted apart (`tests/it/support`).
const LEAST_TESTS: usize = 5;

/// The tests of the whole that get a second chance at most: more than these fail for a reason.
const MOST_AGAIN: usize = 3;

/// Builds, gets the clients, and runs `cargo test` with these arguments.
pub(crate) fn test(project: &Project, arguments: &[OsString]) -> anyhow::Result<ExitCode> {
    let mut parts = Parts::default();
    let mut program = None;
    let built = parts.run("viewer", || {
        let sizes = viewer::ensure(project)?;
        eprintln!("{}", run::viewer_line(sizes));
        Ok(())
    });
    let built = built
        && parts.run("server", || {
            let server = server(project)?;
            run::holds_viewer(project, &server)?;
            program = Some(server);
            Ok(())
        });

    let must_run = is_ci();
    parts.try_run("old browsers", must_run, || {
        clients::ensure_chromiums(project, &Turn::wait(project)?)
    });
    parts.try_run("hls.js", must_run, || {
        clients::ensure_player(project, &Turn::wait(project)?)
    });

    let mut results = Vec::new();
    if built {
        let cargo = |n_threads: usize| {
            let mut cargo = dist::cargo(project, "test")?;
            cargo.env("RUST_TEST_THREADS", n_threads.to_string());
            if let Some(program) = &program {
                cargo.env("MANTEL_BIN", program);
            }
            cargo
                .env("MANTEL_DIST", &project.dist)
                .env("MANTEL_CLIENTS", clients::folder(project))
                .env("MANTEL_ARCHIVES", dist::folder(project));
            anyhow::Ok(cargo)
        };
        parts.run("cargo test", || {
            // Tests of the whole mostly wait for clients: as many at a time as there are processors leave those idle.
            let n_cores = std::thread::available_parallelism().map_or(1, usize::from);
            let n_threads = n_cores.max(LEAST_TESTS);
            let mut all = cargo(n_threads)?;
            all.arg("--no-fail-fast").args(arguments);
            let screen = &mut std::io::stdout();
            let again = results_of(&mut all, screen, &mut results)?;
            if !again.is_empty() {
                let mut alone = cargo(1)?;
                alone.args(["--test", "it", "--", "--exact"]).args(&again);
                once_more(&mut alone, &again, screen, &mut results)?;
            }
            Ok(())
        });
    } else {
        parts.try_run("cargo test", true, || bail!("there is nothing to test"));
    }

    println!("\n=== Summary");
    for line in parts.lines() {
        println!("{line}");
    }
    // Cargo's own words last: they are what people and programs look for.
    println!();
    for line in &results {
        println!("{line}");
    }
    Ok(parts.exit_code())
}

/// The program that is tested. It is optimised because a debug build is too slow with pixels. In CI it is the one that
/// `dist` has packed for this machine: what is tested is what is shipped, and a build is saved. Elsewhere the one there
/// may be of other sources, and what `cargo xtask run` runs is tested.
fn server(project: &Project) -> anyhow::Result<PathBuf> {
    match dist::packed_for_this_machine(project).filter(|_| is_ci()) {
        Some(packed) => {
            eprintln!("The program of the archive: {}", packed.display());
            Ok(packed)
        }
        None => run::server(project, Profile::Release),
    }
}

/// Runs cargo test with its output passed through, and keeps the closing line of each test program. Gives the tests
/// that failed where they are few enough for a second chance.
fn results_of(
    cargo: &mut Command,
    screen: &mut impl Write,
    results: &mut Vec<String>,
) -> anyhow::Result<Vec<String>> {
    let mut child = cargo
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo can't be started")?;
    let (mut n_results, mut failed) = (0, Vec::new());
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).split(b'\n') {
            let line = String::from_utf8_lossy(&line?).into_owned();
            writeln!(screen, "{line}")?;
            failed.extend(failed_test(&line).map(str::to_owned));
            if is_result(&line) {
                n_results += 1;
                results.push(line);
            }
        }
    }
    let status = child.wait()?;
    if !status.success() && !(1..=MOST_AGAIN).contains(&failed.len()) {
        bail!("`cargo test` failed ({status})");
    }
    if n_results == 0 {
        bail!("`cargo test` ran no test");
    }
    Ok(failed)
}

/// Runs the tests of the whole that failed once more, one by one and with the machine to themselves: beside a dozen
/// browsers a test can fail by being late alone. One that fails again, or is none of the whole, fails the run; one that
/// passes is named at the end, for somebody to mend.
fn once_more(
    cargo: &mut Command,
    names: &[String],
    screen: &mut impl Write,
    results: &mut Vec<String>,
) -> anyhow::Result<()> {
    let named = names.join(", ");
    writeln!(screen, "\n=== once more, alone: {named}")?;
    let mut second = Vec::new();
    let failed = results_of(cargo, screen, &mut second);
    let n_passed = second
        .iter()
        .filter_map(|line| n_passed(line))
        .sum::<usize>();
    results.append(&mut second);
    if !failed.is_ok_and(|failed| failed.is_empty()) || n_passed != names.len() {
        bail!("{named}: failed, and once more alone");
    }
    results.push(format!(
        "FLAKY: {named}: failed beside the others, passed alone"
    ));
    Ok(())
}

/// The name of a test that failed, in the line that says so.
fn failed_test(line: &str) -> Option<&str> {
    line.strip_prefix("test ")?.strip_suffix(" ... FAILED")
}

/// The number of tests that passed, in a closing line.
fn n_passed(line: &str) -> Option<usize> {
    let (before, _) = line.split_once(" passed;")?;
    before.rsplit(' ').next()?.parse().ok()
}

/// The closing line of a test program that had something to run.
fn is_result(line: &str) -> bool {
    line.starts_with("test result:") && !line.contains(" 0 passed; 0 failed; 0 ignored")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_told_from_the_rest() {
        assert!(is_result(
            "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s"
        ));
        assert!(is_result(
            "test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 3 filtered out; finished in 1.00s"
        ));
        assert!(!is_result(
            "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s"
        ));
        assert!(!is_result("test parse ... ok"));
    }

    #[cfg(unix)]
    fn shell(script: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]);
        shell
    }

    #[cfg(unix)]
    #[test]
    fn a_run_without_tests_is_no_success() {
        let (mut screen, mut results) = (Vec::new(), Vec::new());
        results_of(&mut Command::new("true"), &mut screen, &mut results).expect_err("nothing ran");
        let one = "echo noise; printf 'test result: ok. 1 passed; 0 failed; 0 ignored'";
        results_of(&mut shell(one), &mut screen, &mut results).expect("one test ran");
        assert_eq!(results, ["test result: ok. 1 passed; 0 failed; 0 ignored"]);
        results_of(&mut Command::new("false"), &mut screen, &mut results)
            .expect_err("the exit code counts");
    }

    #[cfg(unix)]
    #[test]
    fn a_test_that_failed_has_a_second_chance_and_no_third() {
        let (mut screen, mut results) = (Vec::new(), Vec::new());
        let closing = "echo 'test result: FAILED. 9 passed; 1 failed; 0 ignored'";
        let one = format!("echo 'test a::b ... FAILED'; {closing}; exit 101");
        let again = results_of(&mut shell(&one), &mut screen, &mut results).expect("one alone");
        assert_eq!(again, ["a::b"]);
        let many =
            format!("for n in 1 2 3 4; do echo \"test $n ... FAILED\"; done; {closing}; exit 101");
        results_of(&mut shell(&many), &mut screen, &mut results).expect_err("four have a reason");
        // What fails without naming a test did not compile.
        results_of(
            &mut shell(&format!("{closing}; exit 101")),
            &mut screen,
            &mut results,
        )
        .expect_err("no test is named");

        let passes = "echo 'test result: ok. 1 passed; 0 failed; 0 ignored'";
        let nothing =
            "echo 'test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out'";
        once_more(&mut shell(passes), &again, &mut screen, &mut results).expect("passed alone");
        assert!(
            results
                .last()
                .is_some_and(|line| line.starts_with("FLAKY: a::b"))
        );
        once_more(&mut shell(&one), &again, &mut screen, &mut results).expect_err("failed again");
        once_more(&mut shell(nothing), &again, &mut screen, &mut results)
            .expect_err("none of that name");
    }
}
