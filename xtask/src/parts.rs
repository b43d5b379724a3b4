//! A command that consists of parts: each is announced, all run even when one fails, and the end says
//! how each went.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

/// How a part went.
#[derive(Debug)]
enum Outcome {
    Passed,
    Failed(String),
    LeftOut(String),
}

/// What has run so far.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    done: Vec<(String, Outcome, Duration)>,
}

impl Parts {
    /// Runs a part. True if it passed.
    pub(crate) fn run(&mut self, name: &str, part: impl FnOnce() -> anyhow::Result<()>) -> bool {
        eprintln!("\n=== {name}");
        let start = Instant::now();
        let outcome = match part() {
            Ok(()) => Outcome::Passed,
            Err(error) => Outcome::Failed(format!("{error:#}")),
        };
        self.add(name, outcome, start.elapsed())
    }

    /// Gets what a later part would like to have. Failing that, it is left out by name; where everything
    /// has to be there (CI), that is a failure.
    pub(crate) fn try_run(
        &mut self,
        name: &str,
        must_run: bool,
        part: impl FnOnce() -> anyhow::Result<()>,
    ) {
        let start = Instant::now();
        let outcome = match part() {
            Ok(()) => Outcome::Passed,
            Err(error) if must_run => Outcome::Failed(format!("{error:#}")),
            Err(error) => Outcome::LeftOut(format!("{error:#}")),
        };
        self.add(name, outcome, start.elapsed());
    }

    fn add(&mut self, name: &str, outcome: Outcome, took: Duration) -> bool {
        let passed = matches!(outcome, Outcome::Passed);
        self.done.push((name.to_owned(), outcome, took));
        if let Some(line) = self.lines().last() {
            eprintln!("{line}");
        }
        passed
    }

    /// One line a part.
    pub(crate) fn lines(&self) -> Vec<String> {
        let width = self
            .done
            .iter()
            .map(|(name, ..)| name.chars().count())
            .max()
            .unwrap_or(0);
        let line = |(name, outcome, took): &(String, Outcome, Duration)| match outcome {
            Outcome::Passed => format!("{name:width$}  passed    {:>5.1} s", took.as_secs_f64()),
            Outcome::Failed(why) => format!(
                "{name:width$}  FAILED    {:>5.1} s  {why}",
                took.as_secs_f64()
            ),
            Outcome::LeftOut(why) => format!("{name:width$}  left out           {why}"),
        };
        self.done.iter().map(line).collect()
    }

    /// The exit code of the whole.
    pub(crate) fn exit_code(&self) -> ExitCode {
        if self.failed() {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        }
    }

    /// Whether any part failed.
    pub(crate) fn failed(&self) -> bool {
        self.done
            .iter()
            .any(|(_, outcome, _)| matches!(outcome, Outcome::Failed(_)))
    }
}

/// Whether this is CI, where what is left out counts as failed.
pub(crate) fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_fails_the_whole_and_the_rest_still_runs() {
        let mut parts = Parts::default();
        assert!(parts.run("first", || Ok(())));
        assert!(!parts.run("second", || anyhow::bail!("it broke")));
        assert!(parts.run("third", || Ok(())));
        assert!(parts.failed());
        let lines = parts.lines();
        assert_eq!(lines.len(), 3);
        assert!(
            lines[1].contains("FAILED") && lines[1].ends_with("it broke"),
            "{lines:?}"
        );
    }

    #[test]
    fn what_is_left_out_fails_only_where_it_must_run() {
        for must_run in [false, true] {
            let mut parts = Parts::default();
            parts.try_run("player", must_run, || anyhow::bail!("it is not installed"));
            parts.try_run("browser", must_run, || Ok(()));
            assert_eq!(parts.failed(), must_run);
        }
    }
}
