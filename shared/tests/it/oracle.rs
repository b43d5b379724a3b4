//! A decoder that has the whole stream before it and looks at each place in turn: slow, and plain
//! enough to be checked by reading. It says what the push decoder must say. It shares only
//! [`PartHead::parse`] with it.

use mantel_shared::{Boundary, DecodeError, DecodeErrorKind, HeadError, Limits, PartHead, Place};

use crate::outcome::{Outcome, Piece};

/// The meaning of the bytes at a place.
enum At {
    Delimiter {
        end: usize,
        closes: bool,
        form: usize,
    },
    /// A delimiter that the end of the stream cuts off; `whole` when the boundary is all there.
    Cut {
        whole: bool,
    },
    Nothing,
}

pub(crate) fn decode(boundary: &Boundary, limits: Limits, stream: &[u8]) -> Outcome {
    let mut outcome = Outcome::new();
    outcome.end = Oracle { stream, limits }.run(forms(boundary), &mut outcome);
    outcome
}

/// The forms of a delimiter, without its newlines and padding; the longer one first.
fn forms(boundary: &Boundary) -> Vec<String> {
    let text = boundary.as_str();
    let mut forms = vec![format!("--{text}")];
    if text.starts_with("--") && text.contains(|c| c != '-') {
        forms.push(text.to_owned());
    }
    forms
}

struct Oracle<'a> {
    stream: &'a [u8],
    limits: Limits,
}

impl Oracle<'_> {
    fn run(&self, forms: Vec<String>, outcome: &mut Outcome) -> Result<(), DecodeError> {
        let (preamble_end, first) = self.find(&forms, 0);
        if preamble_end as u64 > self.limits.preamble_bytes {
            return self.fail(
                DecodeErrorKind::PreambleTooLong,
                self.limits.preamble_bytes as usize,
            );
        }
        let (mut at, mut closes, forms) = match first {
            At::Delimiter { end, closes, form } => (end, closes, vec![forms[form].clone()]),
            At::Cut { whole: true } => return Ok(()),
            _ => return self.end(Place::Preamble),
        };
        loop {
            if closes {
                outcome.closed = true;
                return Ok(());
            }
            if at == self.stream.len() {
                return Ok(());
            }
            match self.look(&forms, at) {
                At::Delimiter { end, closes: c, .. } => {
                    (at, closes) = (end, c);
                    continue;
                }
                At::Cut { whole: true } => return Ok(()),
                At::Cut { whole: false } => return self.end(Place::Head),
                At::Nothing => {}
            }
            let body = self.head_end(at)?;
            let head = PartHead::parse(&self.stream[at..body]).map_err(|error| {
                let HeadError::NotAHeader { at: line } = error;
                DecodeError {
                    kind: DecodeErrorKind::Head(error),
                    offset: (at + line) as u64,
                }
            })?;
            let length = head.content_length;
            if length.is_some_and(|n| n > self.limits.body_bytes) {
                return self.fail(DecodeErrorKind::BodyTooLong, body);
            }
            outcome.parts.push(Piece {
                head,
                body: Vec::new(),
                complete: false,
            });
            let part = outcome.parts.last_mut().unwrap();
            (at, closes) = match length {
                Some(n) => {
                    let body_end = (body as u64 + n).min(self.stream.len() as u64) as usize;
                    part.body = self.stream[body..body_end].to_vec();
                    if part.body.len() as u64 != n {
                        return self.end(Place::Body);
                    }
                    part.complete = true;
                    match self.after_padding(&forms, body_end, n)? {
                        Some(next) => next,
                        None => return Ok(()),
                    }
                }
                None => {
                    let (body_end, delimiter) = self.find(&forms, body);
                    let fitting = (body_end - body).min(self.limits.body_bytes as usize);
                    part.body = self.stream[body..body + fitting].to_vec();
                    if body + fitting < body_end {
                        return self.fail(DecodeErrorKind::BodyTooLong, body + fitting);
                    }
                    part.complete = true;
                    match delimiter {
                        At::Delimiter { end, closes, .. } => (end, closes),
                        At::Cut { whole: true } => return Ok(()),
                        _ => {
                            part.complete = false;
                            return self.end(Place::Body);
                        }
                    }
                }
            };
        }
    }

    /// The first place from `from` on where there is a delimiter or may be one.
    fn find(&self, forms: &[String], from: usize) -> (usize, At) {
        for at in from..self.stream.len() {
            match self.look(forms, at) {
                At::Nothing => {}
                found => return (at, found),
            }
        }
        (self.stream.len(), At::Nothing)
    }

    fn look(&self, forms: &[String], at: usize) -> At {
        let there = &self.stream[at..];
        let mut outcome = At::Nothing;
        for newline in ["\r\n", "\n", ""] {
            for (form, text) in forms.iter().enumerate() {
                let boundary = format!("{newline}{text}").into_bytes();
                if boundary.starts_with(there) && boundary.len() > there.len() {
                    outcome = At::Cut {
                        whole: matches!(outcome, At::Cut { whole: true }),
                    };
                }
                let Some(after) = there.strip_prefix(&boundary[..]) else {
                    continue;
                };
                for (tail, closes) in tails(after) {
                    if after.starts_with(&tail) {
                        let end = at + boundary.len() + tail.len();
                        return At::Delimiter { end, closes, form };
                    }
                    if tail.starts_with(after) {
                        outcome = At::Cut { whole: true };
                    }
                }
            }
        }
        outcome
    }

    fn head_end(&self, start: usize) -> Result<usize, DecodeError> {
        let mut line_start = start;
        let mut n_lines = 0;
        for end in start + 1..=self.stream.len() {
            if end - start > self.limits.head_bytes {
                return self.fail(DecodeErrorKind::HeadTooLong, start + self.limits.head_bytes);
            }
            let line = &self.stream[line_start..end];
            if line == b"\n" || line == b"\r\n" {
                return Ok(end);
            }
            if line.ends_with(b"\n") {
                n_lines += 1;
                if n_lines > self.limits.head_lines {
                    return self.fail(DecodeErrorKind::TooManyHeadLines, line_start);
                }
                line_start = end;
            }
        }
        self.end(Place::Head)
    }

    /// The beginning of the part after a body of a known length, and whether the delimiter closes;
    /// `None` at the end of the stream.
    fn after_padding(
        &self,
        forms: &[String],
        body_end: usize,
        content_length: u64,
    ) -> Result<Option<(usize, bool)>, DecodeError> {
        let kind = DecodeErrorKind::LengthContradicted { content_length };
        let rest = &self.stream[body_end..];
        let n = rest.iter().take_while(|b| b"\r\n \t\0".contains(b)).count();
        let limit = self.limits.padding_bytes as usize;
        if n > limit {
            return self.fail(kind, body_end + limit);
        }
        let at = body_end + n;
        if at == self.stream.len() {
            return Ok(None);
        }
        match self.look(forms, at) {
            At::Delimiter { end, closes, .. } => Ok(Some((end, closes))),
            At::Cut { .. } => Ok(None),
            At::Nothing => self.fail(kind, at),
        }
    }

    fn fail<T>(&self, kind: DecodeErrorKind, at: usize) -> Result<T, DecodeError> {
        Err(DecodeError {
            kind,
            offset: at as u64,
        })
    }

    fn end<T>(&self, place: Place) -> Result<T, DecodeError> {
        self.fail(DecodeErrorKind::UnexpectedEnd(place), self.stream.len())
    }
}

/// All tails of a delimiter, given the bytes `after` its boundary, each with whether it closes.
fn tails(after: &[u8]) -> Vec<(Vec<u8>, bool)> {
    let mut tails = vec![(b"--".to_vec(), true)];
    let n_pads = after.iter().take_while(|b| b" \t".contains(b)).count();
    for n in 0..=n_pads.min(32) {
        tails.push(([&after[..n], b"\r\n"].concat(), false));
        tails.push(([&after[..n], b"\n"].concat(), false));
    }
    tails
}
