//! The pictures of a rendition's video, and their encoder: from what is on the screen to an encoded unit. Blocking.

use std::sync::Arc;

use bytes::Bytes;
use mantel_media::{
    annexb::{self, Unit},
    avc::{self, AvcError, ParameterSets, Timing},
};
use mantel_shared::UnixMillis;

use super::{
    encoder::{self, Encoder, EncoderError, Shape},
    rate::{Kind, Rate},
};
use crate::{
    hub::{Encoded, Frame, FrameNo, Look, Start},
    render::{self, Alpha, DecodeLimits, Planes},
    rendition::{EncoderChoice, Rendition},
    size::Size,
    timeline::blend_at,
};

/// Pictures that are kept decoded: the one that goes, the one that comes, and the one after it.
const MAX_KEPT: usize = 3;

/// A picture that is to be encoded.
#[derive(Debug)]
pub(super) struct Order {
    /// The look of the screen.
    pub(super) look: Look,
    /// At which moment of it.
    pub(super) now: UnixMillis,
    /// When the picture is to be seen, in ticks since the start.
    pub(super) at: u64,
    /// For how long, in ticks.
    pub(super) duration: u64,
    /// Whether it has to be a key frame.
    pub(super) key: bool,
    /// Whether it shows something else than the last one.
    pub(super) moves: bool,
}

/// The maker of one rendition's video, from one start of its encoder on.
pub(super) struct Maker {
    size: Size,
    shape: Shape,
    choice: EncoderChoice,
    no: u64,
    began_at: UnixMillis,
    encoder: Option<Box<dyn Encoder>>,
    rate: Rate,
    start: Option<Arc<Start>>,
    kept: Vec<(FrameNo, Arc<Planes>)>,
    out: Planes,
    /// The look of the last picture, and how far it had come.
    last: Option<(Look, Alpha)>,
}

impl Maker {
    /// A maker of the rendition's start number `no`, whose ticks began at `began_at`.
    pub(super) fn new(
        rendition: &Rendition,
        choice: EncoderChoice,
        no: u64,
        began_at: UnixMillis,
    ) -> Self {
        let size = Planes::size_of(rendition.size);
        let shape = Shape {
            size,
            fps: rendition.fps.0,
            bits_per_second: rendition.video_bits_per_second(),
        };
        Self {
            size,
            shape,
            choice,
            no,
            began_at,
            encoder: None,
            rate: Rate::new(shape.bits_per_second),
            start: None,
            kept: Vec::new(),
            out: Planes::grey(size, 16),
            last: None,
        }
    }

    /// Whether this frame's picture is ready.
    pub(super) fn has(&self, no: FrameNo) -> bool {
        self.kept.iter().any(|(kept, _)| *kept == no)
    }

    /// Makes a frame's picture ready.
    pub(super) fn ready(&mut self, frame: &Frame) {
        self.planes(frame);
    }

    /// Makes a picture and encodes it.
    ///
    /// # Errors
    /// The encoder has failed.
    pub(super) fn make(&mut self, order: Order) -> Result<Encoded, EncoderError> {
        let Order {
            look,
            now,
            at,
            duration,
            key,
            moves,
        } = order;
        let picture = self.picture(look, now);
        let encoder = match &mut self.encoder {
            Some(encoder) => encoder,
            None => self
                .encoder
                .insert(encoder::open(self.choice, &self.shape)?),
        };
        let bytes = encoder.encode(
            picture.as_deref().unwrap_or(&self.out),
            at,
            key,
            self.rate.qp(Kind { moves, key }),
        )?;
        let unit = self
            .told(&Unit::new(annexb::split(&bytes)))
            .map_err(|error| EncoderError::Failed(error.to_string()))?;
        let key = unit.is_key();
        self.rate.made(Kind { moves, key }, bytes.len(), at);
        let start = self.started(&unit)?;
        Ok(Encoded {
            start,
            at,
            duration,
            is_key: unit.is_key(),
            annexb: Bytes::copy_from_slice(unit.annexb()),
            sample: unit.sample().into(),
        })
    }

    /// The unit, whose parameter sets say all that a decoder and a player have to know.
    fn told(&self, unit: &Unit) -> Result<Unit, AvcError> {
        let timing = Timing {
            n_units: 1,
            time_scale: 2 * self.shape.fps,
        };
        // A decoder that isn't told that nothing is reordered waits for as many pictures as it can hold.
        avc::timed(&avc::restricted(unit)?, timing)
    }

    /// The picture as it looks at `now`; `None`: it is in `out`.
    fn picture(&mut self, look: Look, now: UnixMillis) -> Option<Arc<Planes>> {
        let share = blend_at(look.starts_at, look.ends_at, now);
        let alpha = look
            .from
            .as_ref()
            .map_or(Alpha::FULL, |_| Alpha::new(share));
        let is_next = |(last, _): &(Look, Alpha)| !last.is_like(&look);
        // A change that was overtaken by another one goes on from where it was.
        if let Some(from) = &look.from
            && let Some((_, reached)) = self.last.as_ref().filter(|last| is_next(last))
            && *reached != Alpha::FULL
        {
            let standing = Arc::new(self.out.clone());
            self.keep(from.no, standing);
        }
        let to = self.planes(&look.to);
        let from = look.from.as_ref().filter(|_| alpha != Alpha::FULL);
        let from = from.map(|from| self.planes(from));
        self.last = Some((look, alpha));
        match from {
            Some(from) => {
                self.out.mix(&from, &to, alpha);
                None
            }
            None => Some(to),
        }
    }

    fn planes(&mut self, frame: &Frame) -> Arc<Planes> {
        if let Some((_, planes)) = self.kept.iter().find(|(no, _)| *no == frame.no) {
            return planes.clone();
        }
        let decoded = render::decode(&frame.jpeg(), &DecodeLimits::default());
        let planes = match decoded {
            Ok(picture) => Planes::of(&picture, self.size),
            Err(error) => {
                tracing::error!(%error, "a frame that was made here can't be read again");
                Planes::grey(self.size, 16)
            }
        };
        let planes = Arc::new(planes);
        self.keep(frame.no, planes.clone());
        planes
    }

    fn keep(&mut self, no: FrameNo, planes: Arc<Planes>) {
        self.kept.retain(|(kept, _)| *kept != no);
        if self.kept.len() >= MAX_KEPT {
            self.kept.remove(0);
        }
        self.kept.push((no, planes));
    }

    /// The start that a unit is of, which a key frame tells.
    fn started(&mut self, unit: &Unit) -> Result<Arc<Start>, EncoderError> {
        let sets =
            ParameterSets::of(unit).map_err(|error| EncoderError::Failed(error.to_string()))?;
        if let Some(sets) = sets {
            let known = self.start.as_ref();
            if known.is_none_or(|start| start.sets != sets) {
                // Behind a change of parameters nothing can be decoded by those before.
                self.no += u64::from(known.is_some());
                self.start = Some(Arc::new(Start {
                    no: self.no,
                    began_at: self.began_at,
                    size: self.size,
                    sets,
                }));
            }
        }
        let start = self.start.clone();
        start.ok_or_else(|| EncoderError::Failed("it began without parameters".into()))
    }
}
