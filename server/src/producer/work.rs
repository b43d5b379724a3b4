//! A producer's slides: those that are ready, those under way, and the photos that failed.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use mantel_shared::UnixMillis;
use tokio::task::{AbortHandle, JoinSet};

use super::{
    admission::Claim, blending::Between, clip::Clip, coarseness::Coarseness, nights::OwnVeil,
    queue::Urgency, slide::Rendered, studio::Done,
};
use crate::timeline::{PhotoId, Showing, Turn, Veil};

/// The slides of one producer: ready, under way, failed.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) cache: HashMap<Turn, Arc<Rendered>>,
    pub(super) rendering: HashMap<Turn, Job>,
    pub(super) failed: HashSet<PhotoId>,
    pub(super) blending: bool,
    /// The transition that is being blended.
    pub(super) between: Option<Arc<Between>>,
    /// The picture finished last, should it be too late for its slide.
    pub(super) spare: Option<(Turn, Arc<Rendered>)>,
    /// True when rendering takes longer than slides stay.
    pub(super) lagging: bool,
    /// The veil over all that is ready or under way.
    pub(super) veil: Veil,
    /// When that veil came in the place of another one.
    pub(super) veiled_at: Option<UnixMillis>,
    /// The veil of the screen's own nights, where it has some.
    pub(super) own: OwnVeil,
    /// Until when the next slide is not made, because its light may change before anybody sees it.
    pub(super) next_waits: Option<UnixMillis>,
    /// The control of the bitrate, where there is a limit.
    pub(super) coarseness: Option<Coarseness>,
    /// The clip of the slide that is on.
    pub(super) clip: Clip,
    pub(super) running: JoinSet<Done>,
}

/// After how long without a change the light is one that stays: longer than between two steps of a dusk.
const STANDS_AFTER_MILLIS: u64 = 5000;
/// How long before its moment a slide is made at the latest.
const IN_TIME_MILLIS: u64 = 4000;

/// A slide that is being made, or waits for it.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) claim: Arc<Claim>,
    pub(super) task: AbortHandle,
}

impl Work {
    /// Starts over where another veil lies over the slides: what was made under the one before is of no use.
    pub(super) fn take_veil(&mut self, veil: &Veil, now: UnixMillis) {
        if self.veil != *veil {
            *self = Self {
                failed: std::mem::take(&mut self.failed),
                lagging: self.lagging,
                own: std::mem::take(&mut self.own),
                veil: veil.clone(),
                veiled_at: Some(now),
                coarseness: self.coarseness.take(),
                ..Self::default()
            };
        }
    }

    /// Whether the next slide is better made later: at dusk each step of the light would make it once more. It is made in
    /// time all the same, and soon where the light stays as it is, for somebody may want it at once.
    pub(super) fn lets_next_wait(&mut self, showing: &Showing, now: UnixMillis) -> bool {
        let until = self.veiled_at.map(|at| {
            let stands_from = at.0.saturating_add(STANDS_AFTER_MILLIS);
            let in_time = showing.next.starts_at.0.saturating_sub(IN_TIME_MILLIS);
            UnixMillis(if showing.paused {
                stands_from
            } else {
                stands_from.min(in_time)
            })
        });
        self.next_waits = until.filter(|until| now < *until && !self.lagging);
        self.next_waits.is_some()
    }

    /// Says anew how urgent everything is that was asked for, and gives up what nobody will see and no
    /// worker has begun with.
    pub(super) fn reclaim(&mut self, [current, next]: [Turn; 2], is_watched: bool) {
        self.rendering.retain(|turn, job| {
            let urgency = match (is_watched, *turn == current, *turn == next) {
                (true, true, _) => Urgency::Current,
                (false, true, _) => Urgency::Idle,
                (true, false, true) => Urgency::Next,
                _ => Urgency::Past,
            };
            job.claim.set(urgency);
            let keep = urgency > Urgency::Past || job.claim.is_started();
            if !keep {
                job.task.abort();
            }
            keep
        });
    }

    /// A turn without its photos that failed; `None` when none is left.
    pub(super) fn left_of(&self, turn: Turn) -> Option<Turn> {
        let mut left = turn.photos().filter(|id| !self.failed.contains(id));
        Some(Turn {
            photo: left.next()?,
            beside: left.next(),
        })
    }
}
