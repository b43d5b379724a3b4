//! The video of a rendition: what is on its screen, encoded as H.264 at a steady pace, while somebody watches it as such.
//!
//! A task beside the producer, which shows it what is on the screen ([`Look`]); its pictures lie on the
//! feed's [`Tape`](crate::hub::Tape). When one is due is decided in [`cadence`], how coarse it is in [`rate`], and
//! pixels are worked on in [`maker`].

mod cadence;
mod encoder;
mod ffmpeg;
mod maker;
#[cfg(feature = "h264")]
mod openh264;
mod pass;
mod rate;
#[cfg(test)]
#[cfg(feature = "h264")]
mod tests;

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::Instant};

use crate::{
    clock::Clock,
    hub::{Encoded, Feed, Look, Reader, TICKS, Unit, ticks},
    rendition::{EncoderChoice, Rendition},
};
use cadence::{Cadence, Input, Step};
use encoder::EncoderError;
use maker::{Maker, Order};
use pass::Entry;

/// How long an encoder goes on when nobody watches: players that lost their connection come back within it.
const LINGER: Duration = Duration::from_secs(5);
/// How long to wait before an encoder that failed is started again.
const PAUSE: Duration = Duration::from_secs(1);

/// The video of one feed.
#[derive(Debug)]
pub struct Film {
    /// The feed whose look is shown, and on whose tape the video goes.
    pub feed: Arc<Feed>,
    /// In which shape.
    pub rendition: Rendition,
    /// By which encoder.
    pub encoder: EncoderChoice,
    /// By which pictures change.
    pub clock: Clock,
}

/// The subject of a run.
enum Next {
    /// Video that comes, where it does, else an encoder.
    Begin,
    /// An encoder.
    Draw,
    /// Video that comes, from a key frame on.
    Pass(Reader, Arc<Unit>),
}

/// Why a run ended.
enum Ended {
    /// Nobody watches.
    Left,
    /// The feed has ended, or the server stops.
    Over,
    /// The screen's picture comes as video: from this unit on, a key frame.
    Given(Reader, Arc<Unit>),
    /// It does not any more.
    NotGiven,
    /// It failed.
    Failed(EncoderError),
}

impl Film {
    /// Encodes whenever somebody watches, until the feed ends or `stop` turns true.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let tape = self.feed.tape.clone();
        let mut n_starts = 0;
        let mut next = Next::Begin;
        while !tape.is_over() {
            if tape.n_readers() == 0 {
                tokio::select! {
                    () = tape.asked() => {}
                    _ = stop.wait_for(|stop| *stop) => return,
                }
                continue;
            }
            let ended = match next {
                Next::Begin => self.begin(n_starts, &mut stop).await,
                Next::Draw => self.draw(n_starts, &mut stop).await,
                Next::Pass(reader, unit) => {
                    self.pass(reader, Some(unit), n_starts, &mut stop).await
                }
            };
            next = match ended {
                Ended::Left => {
                    tracing::debug!(rendition = ?self.rendition, "an encoder ends");
                    Next::Begin
                }
                Ended::Over => return,
                Ended::Given(reader, unit) => Next::Pass(reader, unit),
                Ended::NotGiven => Next::Draw,
                Ended::Failed(error) => {
                    tracing::error!(%error, "no video can be made");
                    tokio::time::sleep(PAUSE).await;
                    Next::Begin
                }
            };
            // More than one if the parameters changed while it ran.
            n_starts += 1 << 16;
            tape.wind();
        }
    }

    /// The first run for somebody: of what comes as video, where that is so, else of an encoder.
    async fn begin(&self, n_starts: u64, stop: &mut watch::Receiver<bool>) -> Ended {
        let given = self.feed.given.tape().borrow().clone();
        match given {
            Some(given) => {
                let reader = Reader::new(given, false);
                self.pass(reader, None, n_starts, stop).await
            }
            None => self.draw(n_starts, stop).await,
        }
    }

    /// A run of an encoder, for which pictures are wanted as long as it lasts.
    async fn draw(&self, n_starts: u64, stop: &mut watch::Receiver<bool>) -> Ended {
        self.feed.given.draw(true);
        let ended = self.encode(n_starts, stop).await;
        self.feed.given.draw(false);
        ended
    }

    /// One run of an encoder.
    #[expect(
        clippy::disallowed_methods,
        reason = "video counts from its encoder's start by the monotonic clock; what it shows comes by `Clock`"
    )]
    async fn encode(&self, no: u64, stop: &mut watch::Receiver<bool>) -> Ended {
        let (tape, rendition) = (&self.feed.tape, &self.rendition);
        let mut looks = self.feed.look();
        let mut given = Entry::of(&self.feed);
        let mut cadence = Cadence::new(rendition.fps, rendition.gop_ticks());
        let begun = Instant::now();
        let mut maker = Maker::new(rendition, self.encoder, no, self.clock.now());
        let mut shown: Option<Look> = None;
        let mut left_at = None;
        tracing::debug!(?rendition, "an encoder starts");
        loop {
            if tape.is_over() {
                return Ended::Over;
            }
            let since = begun.elapsed();
            let until_left = if tape.n_readers() > 0 {
                left_at = None;
                None
            } else {
                Some(*left_at.get_or_insert(since + LINGER))
            };
            if until_left.is_some_and(|until| since >= until) {
                return Ended::Left;
            }
            let look = looks.borrow_and_update().clone();
            let step = look.as_ref().map(|look| {
                let now = self.clock.now();
                let is_new = shown.as_ref().is_none_or(|shown| !shown.is_like(look));
                let (moves, is_at_once) = (look.is_moving(now), look.from.is_none());
                let input = Input {
                    now: ticks(since),
                    moves,
                    needed: tape.needed(),
                    is_new,
                    // Live pictures are alike, whatever they are.
                    is_cut: is_new && is_at_once && look.to.source().is_none(),
                    wants_key: tape.wants_key(),
                    is_cut_up: tape.is_cut() || rendition.gop.is_some(),
                };
                (cadence.step(input), moves || is_new)
            });
            let wake = match (step, look) {
                (Some((Step::Encode { at, duration, key }, moves)), Some(look)) => {
                    shown = Some(look.clone());
                    let order = Order {
                        look,
                        now: self.clock.now(),
                        at,
                        duration,
                        key,
                        moves,
                    };
                    match make(maker, order).await {
                        Ok((encoded, same)) => {
                            maker = same;
                            tape.push(encoded);
                        }
                        Err(error) => return Ended::Failed(error),
                    }
                    continue;
                }
                (Some((Step::Wait(until), _)), Some(look)) => {
                    if let Some(next) = look.next.filter(|next| !maker.has(next.no)) {
                        let ready = tokio::task::spawn_blocking(move || {
                            maker.ready(&next);
                            maker
                        });
                        match ready.await {
                            Ok(same) => maker = same,
                            Err(error) => {
                                return Ended::Failed(EncoderError::Failed(error.to_string()));
                            }
                        }
                        continue;
                    }
                    Some(span(until))
                }
                _ => None,
            };
            let wake = wake.into_iter().chain(until_left).min();
            tokio::select! {
                () = sleep_until(begun, wake) => {}
                changed = looks.changed() => if changed.is_err() {
                    return Ended::Over;
                },
                (reader, unit) = given.key() => return Ended::Given(reader, unit),
                () = tape.asked() => {}
                _ = stop.wait_for(|stop| *stop) => return Ended::Over,
            }
        }
    }
}

/// Has a picture made, off the threads that serve.
async fn make(mut maker: Maker, order: Order) -> Result<(Encoded, Maker), EncoderError> {
    let made = tokio::task::spawn_blocking(move || {
        let made = maker.make(order);
        made.map(|encoded| (encoded, maker))
    });
    // A panic is a bug, but no reason to be without video.
    made.await
        .unwrap_or_else(|error| Err(EncoderError::Failed(error.to_string())))
}

async fn sleep_until(begun: Instant, wake: Option<Duration>) {
    match wake {
        Some(after) => tokio::time::sleep_until(begun + after).await,
        None => std::future::pending().await,
    }
}

/// The span until a tick, rounded up, so that it has come after it.
fn span(ticks: u64) -> Duration {
    let micros = (u128::from(ticks) * 1_000_000).div_ceil(u128::from(TICKS));
    Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}
