//! The containers of video, each viewer's own: its time begins at 0, and what it sends of a unit is the unit's own bytes.
//! Pure.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use mantel_media::{
    fmp4::{self, Fragment, Sample, Track},
    ts,
};

use super::{
    blocks::{self, Blocks},
    clip::Clip,
};
use crate::{
    endpoints::address::Form,
    hub::{Pictures, Start, StreamTime, TICKS, Unit},
};

/// After how many ticks an MP4 without an end wants another key frame: a page that appends fragments can let go of what is behind
/// it up to one alone.
const LONGEST_GOP: u64 = 10 * TICKS;
/// How many bytes have to have gathered besides: of a slide that stands it is little in an hour.
const LARGEST_GOP: u64 = 1 << 18;

/// A viewer's container, between two units.
pub(super) struct Container {
    kind: Kind,
    /// Where it ends, in ticks since its first unit.
    ends_at: Option<u64>,
    time: StreamTime,
    n_bytes: u64,
    /// The time of the last unit.
    at: u64,
    /// The time of the last key frame, and the bytes before it.
    key: (u64, u64),
    /// For those who read by blocks.
    blocks: Option<Blocks>,
}

enum Kind {
    H264,
    Ts(ts::Muxer),
    Mp4(Mp4),
}

#[derive(Default)]
struct Mp4 {
    n_chunks: u32,
    /// The start whose parameters stand at the beginning.
    first: Option<Arc<Start>>,
    /// Whether there were others: from then on key frames bring theirs with them, as players take it.
    is_mixed: bool,
    /// Where one can jump to, of one that has an end.
    fragments: Vec<Fragment>,
}

impl Container {
    /// `fills`: what a stream without an end has is seen soon by those who read it by blocks.
    pub(super) fn new(form: Form, clip: Option<Clip>, fills: bool) -> Self {
        Self {
            kind: match form {
                Form::H264 => Kind::H264,
                Form::Ts => Kind::Ts(ts::Muxer::new()),
                Form::Mp4 => Kind::Mp4(Mp4::default()),
            },
            blocks: match form {
                _ if !fills || clip.is_some() => None,
                Form::H264 => Some(Blocks::of(&blocks::VLC)),
                Form::Ts => None,
                Form::Mp4 => Some(Blocks::of(&blocks::CHROMIUM)),
            },
            ends_at: clip.map(|Clip(ticks)| ticks),
            time: StreamTime::default(),
            n_bytes: 0,
            at: 0,
            key: (0, 0),
        }
    }

    /// Puts a unit into `out`, and what has to stand before it. False: it is none of this stream's any more, which ends.
    pub(super) fn put(&mut self, unit: &Unit, out: &mut VecDeque<Bytes>) -> bool {
        let is_first = !self.time.has_begun();
        if let Kind::Mp4(mp4) = &self.kind
            && let Some(first) = &mp4.first
            && first.size != unit.start.size
        {
            // The size of an MP4 stands at its beginning, once.
            return false;
        }
        let at = self.time.of(unit);
        if self.ends_at.is_some_and(|end| at >= end) {
            return false;
        }
        self.at = at;
        if unit.is_key {
            self.key = (at, self.n_bytes);
        }
        let n_before = out.len();
        match &mut self.kind {
            Kind::H264 => out.push_back(unit.annexb.clone()),
            Kind::Ts(muxer) => {
                out.push_back(muxer.write(&unit.annexb, at, unit.is_key).into());
            }
            Kind::Mp4(mp4) => {
                if is_first {
                    let track = Track {
                        sets: unit.start.sets.clone(),
                        duration: self.ends_at,
                    };
                    mp4.first = Some(unit.start.clone());
                    out.push_back(fmp4::init(&track).into());
                }
                let offset = self.n_bytes + out.iter().map(|bytes| bytes.len() as u64).sum::<u64>();
                mp4.put(unit, at, self.ends_at, offset, out);
            }
        }
        let new = out.iter().skip(n_before);
        self.n_bytes += new.map(|bytes| bytes.len() as u64).sum::<u64>();
        let blocks = self.blocks.as_mut();
        if let Some(n) = blocks.and_then(|blocks| blocks.sent(at, self.n_bytes)) {
            out.push_back(self.kind.filling(n));
            self.n_bytes += n;
        }
        true
    }

    /// Whether key frames are needed all the time, by those who read by blocks: without times VLC begins anew when it comes out
    /// of step, which it can at those alone; and Firefox hands a plain `<video>` what is between two of them when it has found
    /// the second one (`MP4TrackDemuxer::SetNextKeyFrameTime`).
    pub(super) fn needs_keys(&self) -> bool {
        self.blocks.is_some()
    }

    /// Whether another key frame is wanted by now: who keeps what comes would have to keep it for ever.
    pub(super) fn wants_key(&self) -> bool {
        let (at, n_before) = self.key;
        matches!(self.kind, Kind::Mp4(_))
            && self.at >= at + LONGEST_GOP
            && self.n_bytes >= n_before + LARGEST_GOP
    }

    /// How many pictures are needed while nothing moves: where there are no times players count them, and an engine's buffers
    /// are to be full soon.
    pub(super) fn needs(&self) -> Pictures {
        let is_filling = self.blocks.as_ref().is_some_and(Blocks::is_filling);
        match &self.kind {
            Kind::H264 => Pictures::Steady,
            Kind::Mp4(_) if is_filling => Pictures::Many,
            Kind::Ts(_) | Kind::Mp4(_) => Pictures::Few,
        }
    }

    /// Puts the end of the stream into `out`, where it has one.
    pub(super) fn end(&mut self, out: &mut VecDeque<Bytes>) {
        if let (Kind::Mp4(mp4), Some(_)) = (&self.kind, self.ends_at)
            && self.time.has_begun()
        {
            out.push_back(fmp4::index(&mp4.fragments).into());
        }
    }
}

impl Kind {
    /// So many bytes that say nothing.
    fn filling(&self, n_bytes: u64) -> Bytes {
        match self {
            Self::Mp4(_) => fmp4::filling(n_bytes).into(),
            // Zeroes may stand behind each unit (`trailing_zero_8bits`, B.1.1).
            Self::H264 | Self::Ts(_) => vec![0; n_bytes as usize].into(),
        }
    }
}

impl Mp4 {
    fn put(
        &mut self,
        unit: &Unit,
        at: u64,
        ends_at: Option<u64>,
        offset: u64,
        out: &mut VecDeque<Bytes>,
    ) {
        self.n_chunks = self.n_chunks.wrapping_add(1);
        if ends_at.is_some() && unit.is_key {
            self.fragments.push(Fragment {
                decode_time: at,
                offset,
            });
        }
        let is_other = |first: &Arc<Start>| first.sets != unit.start.sets;
        self.is_mixed |= self.first.as_ref().is_some_and(is_other);
        let sets = (self.is_mixed && unit.is_key).then(|| in_band(&unit.start));
        let n_bytes = unit.sample.len() + sets.as_ref().map_or(0, Vec::len);
        let until = ends_at.map_or(u64::MAX, |end| end - at);
        // No unit has a gigabyte, or stands for half a day.
        let fits = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let sample = Sample {
            size: fits(n_bytes as u64),
            duration: fits(unit.duration.min(until)),
            is_key: unit.is_key,
        };
        let head = fmp4::chunk_head(self.n_chunks, at, &[sample]);
        out.push_back(head.into());
        out.extend(sets.map(Bytes::from));
        out.push_back(unit.sample.clone());
    }
}

/// The parameters of a start as a part of a sample: a length before each.
fn in_band(start: &Start) -> Vec<u8> {
    let mut out = Vec::new();
    for set in [start.sets.sps()].into_iter().chain(start.sets.pps()) {
        // No more than 64 KB each.
        out.extend(u32::try_from(set.len()).unwrap_or_default().to_be_bytes());
        out.extend(set);
    }
    out
}
