//! The last lines that a program said on its standard error, without what is secret in them.

use std::{collections::VecDeque, mem};

use super::{Source, secrets::Secrets};

/// How much of a line of standard error is kept, and of how many lines.
const MAX_LINE_BYTES: usize = 1000;
const MAX_LINES: usize = 8;
/// How much of a line is looked through for secrets, so that none is cut in two: more than the longest is.
const MAX_RAW_BYTES: usize = 8000;

/// A line that says nothing, and that ffmpeg writes again and again.
const NOISE: &str = "deprecated pixel format used";

/// The last lines of one run of a program.
pub(super) struct LastWords<'a> {
    source: &'a Source,
    secrets: &'a Secrets,
    lines: VecDeque<String>,
    /// The line that it is saying.
    line: Vec<u8>,
}

impl<'a> LastWords<'a> {
    /// None yet, of what brings pictures to `source`.
    pub(super) fn new(source: &'a Source, secrets: &'a Secrets) -> Self {
        Self {
            source,
            secrets,
            lines: VecDeque::new(),
            line: Vec::new(),
        }
    }

    /// The lines, the oldest first.
    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }

    /// The last line.
    pub(super) fn last(&self) -> Option<&str> {
        self.lines.back().map(String::as_str)
    }

    /// Bytes of its standard error.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            match byte {
                b'\n' | b'\r' => self.end_line(),
                _ if self.line.len() < MAX_RAW_BYTES => self.line.push(byte),
                // The rest of a line without end.
                _ => {}
            }
        }
    }

    /// The end of the line that it is saying, which is kept.
    pub(super) fn end_line(&mut self) {
        let line = mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&line);
        let text = self.secrets.hide(&text);
        let text = text.replace(|c: char| c.is_control(), " ");
        let end = text.floor_char_boundary(MAX_LINE_BYTES);
        let text = text[..end].trim();
        if text.is_empty() || text.contains(NOISE) {
            return;
        }
        tracing::debug!(channel = &*self.source.name, text, "a program said");
        self.source.said(text);
        self.lines.push_back(text.to_owned());
        if self.lines.len() > MAX_LINES {
            self.lines.pop_front();
        }
    }
}
