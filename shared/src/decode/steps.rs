//! The steps of the decoder in its longer states. The parent module tells which state follows
//! which, `search` how a delimiter is found.

use super::{
    DecodeError, DecodeErrorKind, Decoder, Event, State, after_delimiter,
    search::{Begins, Step},
};
use crate::PartHead;

impl Decoder {
    /// Goes on with the preamble; false when more input is needed.
    pub(super) fn skip_preamble(&mut self, input: &mut &[u8], n: u64) -> Result<bool, DecodeError> {
        let before = input.len();
        let step = self.search.step(input);
        let (n_content, delimiter) = step.map_or((0, None), |step| {
            (step.content.len() as u64, step.delimiter)
        });
        let needs_more = n_content == 0 && delimiter.is_none();
        self.took(before - input.len());
        let n = n + n_content;
        if n > self.limits.preamble_bytes {
            return self.fail(DecodeErrorKind::PreambleTooLong, self.limits.preamble_bytes);
        }
        self.state = delimiter.map_or(State::Preamble { n }, after_delimiter);
        Ok(!needs_more)
    }

    pub(super) fn read_head(&mut self, input: &mut &[u8]) -> Result<Option<PartHead>, DecodeError> {
        let n_held = self.search.held().len();
        let mut held = self.search.held();
        let mut read = self.head.read(&mut held, &self.limits);
        let n_left = held.len();
        self.search.let_go(n_held - n_left);
        if let Ok(None) = read {
            let before = input.len();
            read = self.head.read(input, &self.limits);
            self.took(before - input.len());
        }
        let head = match read {
            Ok(Some(head)) => head,
            Ok(None) => return Ok(None),
            Err(error) => return self.fail(error.kind, error.offset),
        };
        let start = self.offset - n_left as u64;
        self.state = match head.content_length {
            Some(n) if n > self.limits.body_bytes => {
                return self.fail(DecodeErrorKind::BodyTooLong, start);
            }
            Some(content_length) => State::Counted {
                left: content_length,
                content_length,
            },
            None => State::Body { start, n: 0 },
        };
        Ok(Some(head))
    }

    pub(super) fn read_body<'s, 'i: 's>(
        &'s mut self,
        input: &mut &'i [u8],
        start: u64,
        n: u64,
    ) -> Result<Option<Event<'s>>, DecodeError> {
        let before = input.len();
        let step = self.search.step(input);
        self.offset += (before - input.len()) as u64;
        let Some(Step { content, delimiter }) = step else {
            return Ok(None);
        };
        let room = self.limits.body_bytes - n;
        let fitting = usize::try_from(room)
            .unwrap_or(usize::MAX)
            .min(content.len());
        let piece = &content[..fitting];
        if fitting < content.len() {
            let offset = start + self.limits.body_bytes;
            let error = DecodeError {
                kind: DecodeErrorKind::BodyTooLong,
                offset,
            };
            self.state = State::Failed(error);
            return if piece.is_empty() {
                Err(error)
            } else {
                Ok(Some(Event::Body(piece)))
            };
        }
        self.state = match delimiter {
            None => State::Body {
                start,
                n: n + piece.len() as u64,
            },
            Some(closes) if piece.is_empty() => {
                self.state = after_delimiter(closes);
                return Ok(Some(Event::PartEnd));
            }
            Some(closes) => State::Ended { closes },
        };
        Ok(Some(Event::Body(piece)))
    }

    /// Goes on between a counted body and the delimiter; false when more input is needed.
    pub(super) fn skip_padding(
        &mut self,
        input: &mut &[u8],
        n: u64,
        content_length: u64,
    ) -> Result<bool, DecodeError> {
        let kind = DecodeErrorKind::LengthContradicted { content_length };
        if self.search.held().is_empty() {
            let is_padding = |b: &&u8| matches!(b, b'\r' | b'\n' | b' ' | b'\t' | 0);
            let n_more = input.iter().take_while(is_padding).count();
            *input = &input[n_more..];
            self.took(n_more);
            let n = n + n_more as u64;
            if n > self.limits.padding_bytes {
                return self.fail(kind, self.offset - n + self.limits.padding_bytes);
            }
            self.state = State::Padding { n, content_length };
        }
        let before = input.len();
        let begins = self.search.look(input);
        self.took(before - input.len());
        match begins {
            Begins::With(closes) => self.state = after_delimiter(closes),
            Begins::Unclear => return Ok(false),
            Begins::Otherwise => {
                return self.fail(kind, self.offset - self.search.held().len() as u64);
            }
        }
        Ok(true)
    }
}
