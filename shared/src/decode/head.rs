//! The end of a head, found over chunks and within the limits. Reading its lines is
//! [`PartHead`]'s.

use alloc::vec::Vec;

use super::{DecodeError, DecodeErrorKind};
use crate::{Limits, PartHead};

/// The head that is being read. A head that lies in one chunk isn't copied.
#[derive(Clone, Debug, Default)]
pub(super) struct HeadReader {
    /// The bytes of the head that came in earlier chunks.
    block: Vec<u8>,
    /// The offset in the head at which the current line begins.
    line_start: usize,
    n_lines: usize,
    /// The offset in the stream at which the head begins.
    offset: u64,
}

impl HeadReader {
    /// Begins a head at `offset` of the stream.
    pub(super) fn begin(&mut self, offset: u64) {
        self.block.clear();
        (self.line_start, self.n_lines, self.offset) = (0, 0, offset);
    }

    /// Advances `input` to just after the blank line, and reads the head; `None` when the blank
    /// line has not come yet.
    pub(super) fn read(
        &mut self,
        input: &mut &[u8],
        limits: &Limits,
    ) -> Result<Option<PartHead>, DecodeError> {
        let chunk = *input;
        let mut at = 0;
        while let Some(newline) = memchr::memchr(b'\n', &chunk[at..]) {
            at += newline + 1;
            let end = self.block.len() + at;
            self.check_length(end, limits)?;
            let is_blank = match end - self.line_start {
                1 => true,
                2 => self.byte(end - 2, chunk) == Some(b'\r'),
                _ => false,
            };
            if is_blank {
                *input = &chunk[at..];
                let head = if self.block.is_empty() {
                    PartHead::parse(&chunk[..at])
                } else {
                    self.block.extend_from_slice(&chunk[..at]);
                    PartHead::parse(&self.block)
                };
                return head.map(Some).map_err(|error| {
                    let crate::HeadError::NotAHeader { at } = error;
                    self.error(DecodeErrorKind::Head(error), at)
                });
            }
            self.n_lines += 1;
            if self.n_lines > limits.head_lines {
                return Err(self.error(DecodeErrorKind::TooManyHeadLines, self.line_start));
            }
            self.line_start = end;
        }
        *input = &[];
        self.check_length(self.block.len() + chunk.len(), limits)?;
        self.block.extend_from_slice(chunk);
        Ok(None)
    }

    fn check_length(&self, n: usize, limits: &Limits) -> Result<(), DecodeError> {
        if n > limits.head_bytes {
            return Err(self.error(DecodeErrorKind::HeadTooLong, limits.head_bytes));
        }
        Ok(())
    }

    fn byte(&self, at: usize, chunk: &[u8]) -> Option<u8> {
        let in_block = self.block.get(at);
        in_block
            .or_else(|| chunk.get(at - self.block.len()))
            .copied()
    }

    fn error(&self, kind: DecodeErrorKind, at: usize) -> DecodeError {
        DecodeError {
            kind,
            offset: self.offset + at as u64,
        }
    }
}
