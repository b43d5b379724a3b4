//! A producer's slides: those that are ready, those under way, and the photos that failed.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use tokio::task::{AbortHandle, JoinSet};

use super::{
    admission::Claim, blending::Between, clip::Clip, coarseness::Coarseness, queue::Urgency,
    slide::Rendered, studio::Done,
};
use crate::timeline::{PhotoId, Turn, Veil};

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
    /// The control of the bitrate, where there is a limit.
    pub(super) coarseness: Option<Coarseness>,
    /// The clip of the slide that is on.
    pub(super) clip: Clip,
    pub(super) running: JoinSet<Done>,
}

/// A slide that is being made, or waits for it.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) claim: Arc<Claim>,
    pub(super) task: AbortHandle,
}

impl Work {
    /// Starts over where another veil lies over the slides: what was made under the one before is of no use.
    pub(super) fn take_veil(&mut self, veil: &Veil) {
        if self.veil != *veil {
            *self = Self {
                failed: std::mem::take(&mut self.failed),
                lagging: self.lagging,
                veil: veil.clone(),
                coarseness: self.coarseness.take(),
                ..Self::default()
            };
        }
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
