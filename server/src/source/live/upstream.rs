//! The facts of what brings a source its pictures, where the server itself fetches them: whether it runs, and what is wrong.

use std::sync::Arc;

use mantel_shared::UnixMillis;

use super::Source;
use crate::locked::locked;

/// The facts of what brings a source its pictures, where the server itself fetches them.
#[derive(Clone, Debug, Default)]
pub struct UpstreamFacts {
    /// Whether it runs at this moment.
    pub is_running: bool,
    /// How often it was started.
    pub n_starts: u64,
    /// Since when it has been in trouble and why, in a sentence; `None` while pictures come, or while nobody watches.
    pub trouble: Option<(UnixMillis, Arc<str>)>,
    /// The last lines that a program wrote to its standard error.
    pub last_words: String,
}

/// The lines of a program's last words that are kept, and their length.
const MAX_LAST_LINES: usize = 8;
const MAX_LINE_CHARS: usize = 300;

impl Source {
    /// A picture was brought that can't be shown, and what brings them goes on; says why, in a sentence.
    pub fn in_trouble(&self, why: &str) {
        let now = self.clock.now();
        locked(&self.upstream).trouble = Some((now, why.into()));
        tracing::debug!(channel = &*self.name, why, "a picture can't be shown");
    }

    /// The facts of what brings its pictures.
    pub fn upstream(&self) -> UpstreamFacts {
        locked(&self.upstream).clone()
    }

    /// Keeps a line that the program that brings its pictures wrote to its standard error.
    pub fn said(&self, line: &str) {
        let mut upstream = locked(&self.upstream);
        let mut lines: Vec<&str> = upstream.last_words.lines().collect();
        let line: String = line.chars().take(MAX_LINE_CHARS).collect();
        lines.push(&line);
        let first = lines.len().saturating_sub(MAX_LAST_LINES);
        upstream.last_words = lines[first..].join("\n");
    }
}
