//! The parts of a multipart body, each a picture or nothing.

use alloc::vec::Vec;
use core::mem;

use mantel_shared::{Boundary, DecodeErrorKind, Decoder, Event, Limits, PartHead, Place};

use super::{
    InletError, Kind, Raw, Refused, Sample, check_raw,
    kind::{Sniffed, sniff},
    sample,
};
use crate::jpeg::Splitter;

/// Reads a multipart body.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    decoder: Decoder,
    head: PartHead,
    body: Vec<u8>,
    /// The first line, that had to be looked at before: the decoder takes it from here.
    first: Vec<u8>,
}

impl Parts {
    /// The parts behind `first`, of at most so many bytes each.
    pub(super) fn new(boundary: Boundary, first: Vec<u8>, max_bytes: usize) -> Self {
        let limits = Limits {
            body_bytes: max_bytes as u64,
            ..Limits::default()
        };
        Self {
            decoder: Decoder::new(boundary, limits),
            head: PartHead::default(),
            body: Vec::new(),
            first,
        }
    }

    /// Whether a part has begun and not ended.
    pub(super) fn is_inside(&self) -> bool {
        !self.body.is_empty()
    }

    /// Gives memory for the next part, where none has begun.
    pub(super) fn reuse(&mut self, memory: Vec<u8>) {
        if self.body.is_empty() {
            self.body = memory;
            self.body.clear();
        }
    }

    /// Takes bytes up to the end of the next part that holds something.
    pub(super) fn next(
        &mut self,
        input: &mut &[u8],
        max: usize,
    ) -> Result<Option<Sample>, InletError> {
        let first = mem::take(&mut self.first);
        // A first line alone completes no part.
        self.read(&mut &first[..], max)?;
        self.read(input, max)
    }

    fn read(&mut self, input: &mut &[u8], max: usize) -> Result<Option<Sample>, InletError> {
        while let Some(event) = self.decoder.next(input).map_err(InletError::Framing)? {
            match event {
                Event::Head(head) => self.head = head,
                Event::Body(piece) => self.body.extend_from_slice(piece),
                // Empty parts are fields of forms that nobody filled in.
                Event::PartEnd if self.body.is_empty() => {}
                Event::PartEnd => return self.part(max).map(Some),
                Event::Close => {}
            }
        }
        Ok(None)
    }

    /// Takes the end of the body. Called until it returns `None`.
    pub(super) fn finish(&mut self, max: usize) -> Result<Option<Sample>, InletError> {
        let mut nothing = &[][..];
        if let Some(last) = self.next(&mut nothing, max)? {
            return Ok(Some(last));
        }
        match self.decoder.finish() {
            Ok(Some(Event::PartEnd)) if !self.body.is_empty() => self.part(max).map(Some),
            Ok(_) => Ok(None),
            // Flask's tutorials have neither a length nor a delimiter behind the last picture.
            Err(error) if error.kind == DecodeErrorKind::UnexpectedEnd(Place::Body) => {
                let is_open = self.head.content_length.is_none();
                if is_open && self.body.ends_with(b"\xff\xd9") {
                    return self.part(max).map(Some);
                }
                if is_open && self.body.is_empty() {
                    return Ok(None);
                }
                Err(InletError::CutOff)
            }
            Err(error) => Err(InletError::Framing(error)),
        }
    }

    /// The part that is complete.
    fn part(&mut self, max_bytes: usize) -> Result<Sample, InletError> {
        let (head, bytes) = (mem::take(&mut self.head), mem::take(&mut self.body));
        if let Some(raw) = Raw::from_content_type(head.content_type.as_str())? {
            check_raw(Kind::Raw(raw), bytes.len(), true)?;
            return Ok(sample(bytes, Kind::Raw(raw), head));
        }
        match sniff(&bytes) {
            Sniffed::Picture(kind) => Ok(sample(bytes, kind, head)),
            Sniffed::H264 if !head.content_type.is_jpeg() => {
                Err(InletError::Refused(Refused::H264))
            }
            Sniffed::Refused(refused) if !head.content_type.is_jpeg() => {
                Err(InletError::Refused(refused))
            }
            // Some relays have junk before the first SOI.
            _ => match Splitter::new(max_bytes).next(&mut &bytes[..]) {
                Ok(Some(picture)) => Ok(sample(picture, Kind::Jpeg, head)),
                _ => Err(InletError::Refused(Refused::Unknown)),
            },
        }
    }
}
