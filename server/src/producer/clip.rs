//! The slide that moves, for one rendition: its frames, each at its moment, from its clip's pictures. The picture that the slide
//! begins with stands until the first of them, and whatever fails leaves what stands.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use mantel_shared::{SlideNo, UnixMillis};
use tokio::{
    sync::{Semaphore, mpsc},
    task::AbortHandle,
};

use super::slide::Rendered;
use crate::{
    clock::Clock,
    locked::locked,
    render::{self, Focus, Picture, Pixels, Quality, Recipe},
    rendition::Rendition,
    source::clips::{Motion, Moving, Playing, Still},
    timeline::Showing,
};

/// How late a picture may be and still be shown: later ones are passed over, so that all screens stay in step.
const LATE_MILLIS: u64 = 100;
/// How long pictures may come too late before a clip is given up, in milliseconds of it.
const TOO_LATE_MILLIS: u64 = 5_000;
/// How long a clip plays on that nobody watches, in milliseconds: who asks for one picture after the other starts none anew.
const LINGER_MILLIS: u64 = 3_000;

/// A slide at its place in time: where either is another, its clip begins anew.
type Begun = (SlideNo, UnixMillis);

/// The clip of the slide that is on, if it moves.
#[derive(Debug)]
pub(super) struct Clip {
    begun: Option<Begun>,
    state: State,
    /// One decoder a rendition: a clip waits until nothing is left of the one before.
    place: Arc<Semaphore>,
    /// Since when nobody watches.
    left_at: Option<UnixMillis>,
}

#[derive(Debug, Default)]
enum State {
    /// Nothing moves, or nobody watches.
    #[default]
    Idle,
    Plays(Player),
    Over,
}

#[derive(Debug)]
struct Player {
    frames: mpsc::Receiver<Bytes>,
    task: AbortHandle,
    quality: Arc<Mutex<Quality>>,
}

impl Drop for Player {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Default for Clip {
    fn default() -> Self {
        Self {
            begun: None,
            state: State::Idle,
            place: Arc::new(Semaphore::new(1)),
            left_at: None,
        }
    }
}

/// Where a clip is shown, and by which time.
pub(super) struct Place<'a> {
    pub(super) rendition: &'a Rendition,
    pub(super) clock: &'a Clock,
    pub(super) is_watched: bool,
    /// How long a slide takes to come, in milliseconds: its clip begins then.
    pub(super) coming_millis: u64,
}

impl Clip {
    /// Follows what is on; returns whether that moves, or is about to.
    pub(super) fn follow(
        &mut self,
        now: UnixMillis,
        showing: &Showing,
        current: &Rendered,
        place: &Place<'_>,
    ) -> bool {
        let Some(motion) = current.motion.as_ref().filter(|_| !showing.paused) else {
            self.stop();
            return false;
        };
        let begun = (showing.current.no, showing.current.starts_at);
        if self.begun != Some(begun) {
            self.stop();
            self.begun = Some(begun);
        }
        if matches!(self.state, State::Over) {
            return false;
        }
        let begins = UnixMillis(begun.1.0 + place.coming_millis);
        if place.is_watched {
            self.left_at = None;
        } else if now.0.saturating_sub(self.left_at.get_or_insert(now).0) >= LINGER_MILLIS {
            self.state = State::Idle;
            return false;
        }
        if matches!(self.state, State::Plays(_)) {
            return true;
        }
        if now.0 >= begins.0 + u64::from(motion.0.most_millis) {
            self.state = State::Over;
            return false;
        }
        if !place.is_watched {
            return false;
        }
        let quality = Arc::new(Mutex::new(motion.1.quality));
        let (frames, taken) = mpsc::channel(1);
        let show = Show {
            motion: motion.clone(),
            begins,
            fps: place.rendition.fps.0,
            clock: place.clock.clone(),
            frames,
            quality: quality.clone(),
            still: current.jpeg.clone(),
        };
        let task = tokio::spawn(show.run(self.place.clone())).abort_handle();
        self.state = State::Plays(Player {
            frames: taken,
            task,
            quality,
        });
        true
    }

    /// The next frame that is on; `None`: it is over. Waits for ever where nothing plays. Cancel safe.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        match &mut self.state {
            State::Plays(player) => player.frames.recv().await,
            State::Idle | State::Over => std::future::pending().await,
        }
    }

    /// The clip is over; what stands stays.
    pub(super) fn over(&mut self) {
        self.state = State::Over;
    }

    /// Frames are to be so coarse from now on.
    pub(super) fn set_quality(&self, quality: Quality) {
        if let State::Plays(player) = &self.state {
            *locked(&player.quality) = quality;
        }
    }

    /// Nothing moves any more.
    pub(super) fn stop(&mut self) {
        (self.begun, self.state, self.left_at) = (None, State::Idle, None);
    }
}

/// A clip that is shown: from its pictures to frames at their moments.
struct Show {
    motion: Arc<(Motion, Recipe)>,
    begins: UnixMillis,
    fps: u32,
    clock: Clock,
    frames: mpsc::Sender<Bytes>,
    quality: Arc<Mutex<Quality>>,
    still: Bytes,
}

impl Show {
    async fn run(self, place: Arc<Semaphore>) {
        let (motion, recipe) = &*self.motion;
        let Ok(place) = place.acquire_owned().await else {
            return;
        };
        let playing = Playing {
            frame: recipe.frame,
            fit: recipe.fit,
            fps: self.fps,
            from_millis: self.clock.now().0.saturating_sub(self.begins.0),
        };
        let failed = match motion.play(playing, place).await {
            Ok(moving) => self.show(moving).await,
            Err(why) => Some(why),
        };
        if let Some(why) = failed {
            tracing::warn!(clip = &*motion.name(), %why, "a clip plays no more; its picture stands");
        }
        if motion.still == Still::First {
            let _ = self.frames.send(self.still).await;
        }
    }

    /// Shows pictures until the last; returns why there are no more, where that is no good reason.
    async fn show(&self, mut moving: Moving) -> Option<String> {
        let mut board = Board::default();
        let mut last = None;
        let mut late_since = None;
        loop {
            let (at, picture) = match moving.next().await {
                Ok(picture) => picture,
                Err(why) => {
                    // The one that stands from now on is the last, however late it came.
                    if let Some(picture) = last {
                        let (_, jpeg) = self.made(board, picture).await?;
                        let _ = self.frames.send(jpeg).await;
                    }
                    return why;
                }
            };
            let due = UnixMillis(self.begins.0 + at);
            if self.clock.now().0 > due.0 + LATE_MILLIS {
                last = Some(picture);
                if at.saturating_sub(*late_since.get_or_insert(at)) > TOO_LATE_MILLIS {
                    return Some("this machine is too slow for it".into());
                }
                continue;
            }
            (last, late_since) = (None, None);
            let (same, jpeg) = self.made(board, picture).await?;
            board = same;
            tokio::time::sleep(self.clock.until(due).min(Duration::from_secs(60))).await;
            self.frames.send(jpeg).await.ok()?;
        }
    }

    /// The frame of a picture; `None` where there is none, which is an error that was told.
    async fn made(&self, mut board: Board, picture: Picture) -> Option<(Board, Bytes)> {
        let (motion, quality) = (self.motion.clone(), *locked(&self.quality));
        let made = tokio::task::spawn_blocking(move || {
            let jpeg = board.frame(&motion.1, &motion.0, picture, quality);
            jpeg.map(|jpeg| (board, jpeg))
        });
        match made.await {
            Ok(Ok(made)) => Some(made),
            Ok(Err(error)) => {
                tracing::error!(%error, "a frame of a clip could not be made");
                None
            }
            Err(error) => {
                // A panic in a worker is a bug, but no reason to stand still.
                tracing::error!(%error, "a clip's worker failed");
                None
            }
        }
    }
}

/// The part of a frame beside the picture, which stands still, and where the picture is looked at: both are the first one's.
#[derive(Default)]
struct Board {
    first: Option<(Picture, Focus)>,
}

impl Board {
    #[expect(
        clippy::disallowed_methods,
        reason = "encoding is timed, for figures alone"
    )]
    fn frame(
        &mut self,
        recipe: &Recipe,
        motion: &Motion,
        picture: Picture,
        quality: Quality,
    ) -> Result<Bytes, render::EncodeError> {
        let (size, fit) = (recipe.frame, recipe.fit);
        let lies = render::lies(motion.upright(), size, fit);
        let (beside, focus) = self.first.get_or_insert_with(|| {
            let focus = render::focus(&picture);
            (render::fit_around(&picture, size, fit, || focus), focus)
        });
        let whole = match lies {
            Some(((left, top), inner)) if picture.size() == inner => {
                let mut whole = beside.clone();
                whole.put(&picture, left, top);
                whole
            }
            _ => render::fit_around(&picture, size, fit, || *focus),
        };
        let recipe = Recipe {
            quality,
            ..recipe.clone()
        };
        let pixels = Pixels {
            upright: motion.upright(),
            ..Pixels::whole(whole)
        };
        let slide = render::slide(&recipe, vec![pixels], Instant::now)?;
        Ok(slide.jpeg.into())
    }
}
