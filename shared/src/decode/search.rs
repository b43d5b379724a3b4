//! The search for delimiters across chunks: content is borrowed from the chunk, and only bytes that
//! may be the beginning of a delimiter are held back, in a small buffer of fixed size.

use super::delimiter::{self, Delimiter, Found, Look, Scan};
use crate::Boundary;

/// The size of the buffer: more than the longest delimiter, so that a full one is always decided.
const HELD: usize = 128;
const _: () = assert!(HELD > delimiter::MAX_BYTES);

#[derive(Clone, Debug)]
pub(super) struct Search {
    delimiter: Delimiter,
    held: [u8; HELD],
    /// The beginning of the bytes held back, `held[from..to]`, which may begin a delimiter.
    from: usize,
    to: usize,
}

/// Content up to a delimiter, or up to where one may begin.
pub(super) struct Step<'a> {
    pub(super) content: &'a [u8],
    /// Whether the delimiter that follows `content` closes; `None` if none follows.
    pub(super) delimiter: Option<Closes>,
}

/// Whether a delimiter is a close-delimiter.
pub(super) type Closes = bool;

/// The outcome of [`Search::look`].
pub(super) enum Begins {
    With(Closes),
    /// The input doesn't begin with a delimiter; the bytes held back until this was clear still
    /// are.
    Otherwise,
    /// The input is too short to tell, and all of it is held back.
    Unclear,
}

impl Search {
    pub(super) fn new(boundary: &Boundary) -> Self {
        Self {
            delimiter: Delimiter::new(boundary),
            held: [0; HELD],
            from: 0,
            to: 0,
        }
    }

    /// The bytes held back.
    pub(super) fn held(&self) -> &[u8] {
        &self.held[self.from..self.to]
    }

    /// Lets go of the first `n` bytes held back.
    pub(super) fn let_go(&mut self, n: usize) {
        self.from = (self.from + n).min(self.to);
    }

    /// Whether the bytes held back are a delimiter if nothing follows them.
    pub(super) fn holds_delimiter(&self) -> bool {
        self.delimiter.is_whole_at_end(self.held())
    }

    /// Advances `input` to just after the next delimiter, or to the end of the content that it
    /// returns. `None` when all of the input was held back.
    pub(super) fn step<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8]) -> Option<Step<'s>> {
        if input.is_empty() {
            return None;
        }
        if self.from == self.to {
            return self.step_in(input);
        }
        let (n_held, n_more) = self.join(input);
        match self.delimiter.scan(&self.held[..n_held + n_more]) {
            Scan::Found(found) if found.start <= n_held => {
                self.found(&found);
                advance(input, found.end.saturating_sub(n_held));
                Some(Step {
                    content: &self.held[..found.start],
                    delimiter: Some(found.closes),
                })
            }
            Scan::Open(0) => {
                self.to = n_held + n_more;
                advance(input, n_more);
                None
            }
            Scan::Open(start) | Scan::Found(Found { start, .. }) => {
                // The rest, if any, stays held back; the input is looked at in the next step.
                self.from = start.min(n_held);
                Some(Step {
                    content: &self.held[..self.from],
                    delimiter: None,
                })
            }
        }
    }

    /// Whether the input begins with a delimiter; if so, goes past it.
    pub(super) fn look(&mut self, input: &mut &[u8]) -> Begins {
        let (n_held, n_more) = self.join(input);
        match self.delimiter.look(&self.held[..n_held + n_more]) {
            Look::Found(found) => {
                self.found(&found);
                advance(input, found.end.saturating_sub(n_held));
                Begins::With(found.closes)
            }
            Look::Open => {
                self.to = n_held + n_more;
                advance(input, n_more);
                Begins::Unclear
            }
            Look::Nothing => Begins::Otherwise,
        }
    }

    /// Does the work of [`Self::step`] when nothing is held back: content is borrowed.
    fn step_in<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8]) -> Option<Step<'s>> {
        let chunk = *input;
        let (content, delimiter) = match self.delimiter.scan(chunk) {
            Scan::Found(found) => {
                self.found(&found);
                advance(input, found.end);
                (&chunk[..found.start], Some(found.closes))
            }
            Scan::Open(start) => {
                let (content, open) = chunk.split_at(start);
                (self.from, self.to) = (0, open.len());
                self.held[..self.to].copy_from_slice(open);
                *input = &[];
                (content, None)
            }
        };
        (!content.is_empty() || delimiter.is_some()).then_some(Step { content, delimiter })
    }

    /// Copies as much of `input` as there is room for behind the bytes held back, without taking
    /// it. Returns the lengths of both.
    fn join(&mut self, input: &[u8]) -> (usize, usize) {
        self.held.copy_within(self.from..self.to, 0);
        (self.from, self.to) = (0, self.to - self.from);
        let n_more = input.len().min(HELD - self.to);
        self.held[self.to..self.to + n_more].copy_from_slice(&input[..n_more]);
        (self.to, n_more)
    }

    fn found(&mut self, found: &Found) {
        self.delimiter.settle(found);
        (self.from, self.to) = (0, 0);
    }
}

fn advance(input: &mut &[u8], n: usize) {
    *input = input.get(n..).unwrap_or_default();
}
