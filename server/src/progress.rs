//! The progress of a scan or a push, told to people: a bar at a terminal, a line now and then in a log.

#![expect(
    clippy::disallowed_methods,
    reason = "the bar is a thread that draws by the clock"
)]

use std::{
    io::IsTerminal,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::library::{Counts, Library};

/// The terminal's one bar; global, so that the log can get it out of the way.
static BAR: OnceLock<ProgressBar> = OnceLock::new();

/// How long a scan runs before its progress is told.
const PATIENCE: Duration = Duration::from_millis(800);
const REDRAW: Duration = Duration::from_millis(200);
const LOG_EVERY: Duration = Duration::from_secs(15);

/// Starts the thread that shows how far scans of `library` are, until `stop`. Nobody misses it when there is none.
pub(crate) fn start(library: Arc<Library>, stop: Arc<AtomicBool>) {
    let _ = std::thread::Builder::new()
        .name("progress".into())
        .spawn(move || Progress::start().follow(&library, &stop));
}

/// Follows a scan.
#[derive(Debug)]
pub(crate) struct Progress {
    on_terminal: bool,
}

impl Progress {
    pub(crate) fn start() -> Self {
        Self {
            on_terminal: std::io::stderr().is_terminal(),
        }
    }

    /// Shows how far `library`'s scan is until `done`.
    pub(crate) fn follow(&self, library: &Library, done: &AtomicBool) {
        let mut since: Option<Instant> = None;
        let mut logged = Instant::now();
        while !done.load(Relaxed) {
            std::thread::sleep(REDRAW);
            let counts = library.counts();
            if !counts.scanning {
                if since.take().is_some()
                    && let Some(bar) = BAR.get()
                {
                    bar.finish_and_clear();
                }
                continue;
            }
            let started = *since.get_or_insert_with(Instant::now);
            if started.elapsed() < PATIENCE {
                continue;
            }
            if self.on_terminal {
                draw(&counts);
            } else if logged.elapsed() >= LOG_EVERY {
                logged = Instant::now();
                tracing::info!("{}", sentence(&counts));
            }
        }
        if let Some(bar) = BAR.get() {
            bar.finish_and_clear();
        }
    }
}

/// A line that says how something goes: it changes at a terminal, and is told now and then elsewhere.
#[derive(Debug)]
pub(crate) struct Line {
    on_terminal: bool,
    told: Instant,
}

impl Line {
    pub(crate) fn start() -> Self {
        Self {
            on_terminal: std::io::stderr().is_terminal(),
            told: Instant::now(),
        }
    }

    /// Says how it goes now.
    pub(crate) fn set(&mut self, text: &str) {
        if self.on_terminal {
            let bar = BAR.get_or_init(|| {
                let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
                let style = ProgressStyle::with_template("{wide_msg}");
                bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
            });
            bar.set_message(text.to_owned());
            bar.tick();
        } else if self.told.elapsed() >= LOG_EVERY {
            self.told = Instant::now();
            eprintln!("{text}");
        }
    }

    /// Says something that stays.
    pub(crate) fn say(&self, text: &str) {
        without_bar(|| eprintln!("{text}"));
    }

    /// Takes the line away.
    pub(crate) fn end(&self) {
        if let Some(bar) = BAR.get() {
            bar.finish_and_clear();
        }
    }
}

/// Lets `write` write to the terminal with no bar in between.
pub fn without_bar<T>(write: impl FnOnce() -> T) -> T {
    match BAR.get() {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

fn draw(counts: &Counts) {
    let bar = BAR.get_or_init(|| {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{wide_msg}\n{wide_bar:.cyan}  {eta} left");
        bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
    });
    if bar.is_finished() {
        bar.reset();
    }
    if let Some(n) = counts.to_scan {
        bar.set_length(n);
    }
    bar.set_position(counts.scanned);
    bar.set_message(sentence(counts));
}

/// The state of a scan in words: `indexing 12,400 of 80,000`.
pub(crate) fn sentence(counts: &Counts) -> String {
    match counts.to_scan {
        Some(n) => format!("indexing {} of {}", grouped(counts.scanned), grouped(n)),
        None => format!("indexing, {} so far", grouped(counts.scanned)),
    }
}

/// Tells the log once how much there is to show and how long it took to find out; `url` is where the pages are.
pub(crate) fn tell(counts: &Counts, took: Duration, url: Option<&String>) {
    let page = url.map(|url| format!("{url}library/skipped"));
    let (photos, skipped, seconds) = (counts.photos, counts.skipped, took.as_secs());
    let sentence = ready(counts, took, page.as_deref());
    if photos == 0 {
        tracing::warn!(skipped, "{sentence}");
    } else {
        tracing::info!(photos, skipped, seconds, "{sentence}");
    }
}

/// The result of a scan in words:
/// `42,000 photos ready in 2 s; 3 files can't be shown: http://…/library/skipped`.
fn ready(counts: &Counts, took: Duration, skipped_page: Option<&str>) -> String {
    let place = match skipped_page {
        Some(page) => format!(": {page}"),
        None => String::new(),
    };
    let unshown = format!("{} can't be shown{place}", many(counts.skipped, "file"));
    match (counts.photos, counts.skipped) {
        (0, 0) => {
            "no photo found in the folders given; drawn pictures are shown until there is one"
                .into()
        }
        (0, _) => format!(
            "no photo found in the folders given, drawn pictures are shown until there is one; {unshown}"
        ),
        (n, 0) => format!("{} ready in {}", many(n, "photo"), span(took)),
        (n, _) => format!("{} ready in {}; {unshown}", many(n, "photo"), span(took)),
    }
}

/// A number with its noun: `1 photo`, `42,000 photos`.
pub(crate) fn many(n: u64, what: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {what}{plural}", grouped(n))
}

/// A span of time in words: `0.4 s`, `12 s`, `3 min 20 s`.
fn span(took: Duration) -> String {
    match took.as_secs() {
        0..3 => format!("{:.1} s", took.as_secs_f64()),
        seconds @ 3..120 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// A number with its thousands apart: `12400` as `12,400`.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_in_threes() {
        for (n, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(n), text);
        }
        let counts = Counts {
            scanned: 12_400,
            to_scan: Some(80_000),
            ..Counts::default()
        };
        assert_eq!(sentence(&counts), "indexing 12,400 of 80,000");
    }

    #[test]
    fn what_is_ready_is_a_sentence() {
        let told = |photos, skipped, seconds| {
            let counts = Counts {
                photos,
                skipped,
                ..Counts::default()
            };
            ready(
                &counts,
                Duration::from_secs(seconds),
                Some("http://a/library/skipped"),
            )
        };
        assert_eq!(
            told(42_000, 3, 12),
            "42,000 photos ready in 12 s; 3 files can't be shown: http://a/library/skipped"
        );
        assert_eq!(told(1, 0, 200), "1 photo ready in 3 min 20 s");
        assert!(told(0, 1, 0).ends_with("1 file can't be shown: http://a/library/skipped"));
        assert!(!told(0, 0, 0).contains("can't be shown"));
    }
}
