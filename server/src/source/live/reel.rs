//! H.264 that a sender brings, as pictures: a decoder between the sender and its channel, started with the first unit. What
//! can't be decoded is passed over up to the next key frame.

use std::{collections::VecDeque, io};

use mantel_media::inlet::{Inlet, Kind, Sample};
use tokio::sync::mpsc;

use crate::source::{child::Film, decoding, film::Outcome};

/// The pictures that wait to be taken: with more the decoder waits, and then what comes is passed over.
const MAX_READY: usize = 2;
/// The units that wait for the decoder of a sender that can wait: fewer than it takes.
const MAX_WAITING: usize = 4;
/// A stream of which so many key frames give no picture is none that can be decoded.
const MAX_KEYS_LOST: u32 = 3;

/// The H.264 of one sender.
#[derive(Debug, Default)]
pub struct Reel {
    running: Option<Running>,
    /// The units whose outcome is awaited: which of them are key frames.
    pending: VecDeque<bool>,
    n_pictures: u64,
    /// The key frames that gave no picture, as long as none has.
    n_keys_lost: u32,
    /// Whether a key frame is needed, and nobody has been told.
    is_lost: bool,
}

#[derive(Debug)]
struct Running {
    film: Film,
    outcomes: mpsc::Receiver<Outcome>,
}

/// Why a sender's H.264 is not shown. One sentence.
#[derive(Debug, thiserror::Error)]
pub enum Undecoded {
    /// There can't be a decoder.
    #[error("no decoder of video can be started: {0}")]
    NotStarted(io::Error),
    /// Nothing of it can be decoded.
    #[error(
        "this h.264 can't be decoded: what is progressive, with 8 bits and 4:2:0, without B frames, can (ffmpeg -c:v libx264 -pix_fmt yuv420p -tune zerolatency)"
    )]
    Unfit,
}

/// An inlet for a body with these headers, which takes H.264 where this program decodes it.
pub fn inlet(content_type: Option<&str>, content_length: Option<u64>) -> Inlet {
    let inlet = Inlet::new(content_type, content_length);
    if cfg!(feature = "h264") {
        inlet.taking_h264()
    } else {
        inlet
    }
}

impl Reel {
    /// Takes a unit, with start codes. False: it is passed over, and all up to the next key frame.
    ///
    /// # Errors
    /// Nothing of it is shown, nor will be.
    pub fn put(&mut self, unit: &[u8], is_key: bool) -> Result<bool, Undecoded> {
        if self.n_keys_lost >= MAX_KEYS_LOST {
            return Err(Undecoded::Unfit);
        }
        let running = match &mut self.running {
            Some(running) => running,
            none => {
                let (ready, outcomes) = mpsc::channel(MAX_READY);
                let film = decoding::film(move |outcome| {
                    // Nobody is there any more: the decoder ends with the next one.
                    let _ = ready.blocking_send(outcome);
                });
                let film = film.map_err(Undecoded::NotStarted)?;
                none.insert(Running { film, outcomes })
            }
        };
        let is_taken = running.film.put(unit, is_key);
        let is_taken = is_taken.map_err(|_| Undecoded::Unfit)?;
        if is_taken {
            self.pending.push_back(is_key);
        }
        self.is_lost |= !is_taken;
        Ok(is_taken)
    }

    /// Waits for the next picture, for ever where none comes. Cancel safe.
    pub async fn next(&mut self) -> Sample {
        loop {
            let Some(running) = &mut self.running else {
                return std::future::pending().await;
            };
            let Some(outcome) = running.outcomes.recv().await else {
                // The decoder was killed over and over: what comes next is told so.
                return std::future::pending().await;
            };
            if let Some(picture) = self.picture(outcome) {
                return picture;
            }
        }
    }

    /// Waits until another unit is taken for sure, for senders that can wait; gives the pictures that come meanwhile, and
    /// `None` then.
    pub async fn room(&mut self) -> Option<Sample> {
        self.until(MAX_WAITING).await
    }

    /// Waits for the next picture of what was put; `None` when there is none any more.
    ///
    /// # Errors
    /// There was none in all of it.
    pub async fn rest(&mut self) -> Result<Option<Sample>, Undecoded> {
        let picture = self.until(0).await;
        if picture.is_none() && self.running.is_some() && self.n_pictures == 0 {
            return Err(Undecoded::Unfit);
        }
        Ok(picture)
    }

    /// Waits for the next picture, or until no more than so many units wait.
    async fn until(&mut self, n: usize) -> Option<Sample> {
        while self.pending.len() > n {
            let outcome = self.running.as_mut()?.outcomes.recv().await?;
            if let Some(picture) = self.picture(outcome) {
                return Some(picture);
            }
        }
        None
    }

    /// Whether a key frame is needed to go on, since this was last asked.
    pub fn take_lost(&mut self) -> bool {
        std::mem::take(&mut self.is_lost)
    }

    fn picture(&mut self, outcome: Outcome) -> Option<Sample> {
        let is_key = self.pending.pop_front().unwrap_or_default();
        let bytes = match outcome {
            Outcome::Picture(bytes) => bytes,
            Outcome::Nothing => return None,
            Outcome::Lost => {
                self.is_lost = true;
                self.n_keys_lost += u32::from(is_key && self.n_pictures == 0);
                return None;
            }
        };
        self.n_pictures += 1;
        Some(Sample {
            bytes,
            kind: Kind::Jpeg,
            caption: None,
            timestamp: None,
            duration_millis: None,
        })
    }
}
