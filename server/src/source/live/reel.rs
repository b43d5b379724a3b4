//! H.264 that a sender brings, on two ways: as it came, for video of the same ([`Strip`]), and as pictures, by a decoder
//! between the sender and its channel, started with the first unit. What can't be decoded is passed over up to the next
//! key frame. Where video goes on as it came and nobody wants pictures, key frames alone are decoded, so that there is a
//! picture to begin with.

use std::{collections::VecDeque, io, sync::Arc};

use mantel_media::inlet::{Inlet, Kind, Sample};
use tokio::sync::mpsc;

use super::strip::{Hold, Strip};
use crate::source::{child::Film, decoding, film::Outcome, meant::named};

/// The pictures that wait to be taken: with more the decoder waits, and then what comes is passed over.
const MAX_READY: usize = 2;
/// The units that wait for the decoder of a sender that can wait: fewer than it takes.
const MAX_WAITING: usize = 4;
/// The units that wait for the decoder of a sender whose video may be passed through: it is judged by its own pace, not by
/// the decoder's. With more, it waits as well.
const MAX_BEHIND: usize = 200;
/// A decoder that is so many units behind goes on at the next key frame.
const MAX_LATE: usize = 50;
/// The units that wait where a key frame can be asked for.
const MAX_ASKED: usize = 8;
/// The bytes of units that are kept.
const MAX_KEPT_BYTES: usize = 8 << 20;
/// A stream of which so many key frames give no picture is none that can be decoded.
const MAX_KEYS_LOST: u32 = 3;

/// The H.264 of one sender.
#[derive(Debug, Default)]
pub struct Reel {
    /// Where video goes on as it came, and whether its sender can be asked for key frames; nowhere where a sender waits for each
    /// picture to be seen.
    to: Option<(Arc<Strip>, bool)>,
    /// The hold on that, from the first unit on.
    hold: Option<Hold>,
    running: Option<Running>,
    /// Whether the last unit went on as it came.
    passes: bool,
    /// Whether every unit is to be decoded.
    is_all: bool,
    /// The units since the last key frame that the decoder has not been given, and which of them are key frames.
    kept: VecDeque<(Vec<u8>, bool)>,
    n_kept_bytes: usize,
    /// Whether units are left out until a key frame comes.
    skips: bool,
    /// The units that went on and were never decoded, since this was last asked.
    n_unseen: u64,
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
    /// The H.264 of a sender to this strip, which can be asked for key frames or can't.
    pub fn to(strip: Arc<Strip>, can_be_asked: bool) -> Self {
        Self {
            to: Some((strip, can_be_asked)),
            ..Self::default()
        }
    }

    /// Takes a unit, with start codes. False: it is passed over, and all up to the next key frame.
    ///
    /// # Errors
    /// Nothing of it is shown, nor will be.
    pub fn put(&mut self, unit: &[u8], is_key: bool) -> Result<bool, Undecoded> {
        if self.n_keys_lost >= MAX_KEYS_LOST {
            return Err(Undecoded::Unfit);
        }
        if let Some((strip, can_be_asked)) = self.to.take() {
            self.hold = Some(Hold::new(strip, can_be_asked));
        }
        // By WebRTC come those who can be asked.
        let is_call = self.hold.as_ref().is_some_and(Hold::can_be_asked);
        let named = named(unit, is_call);
        let unit = named.as_deref().unwrap_or(unit);
        self.passes = self.hold.as_mut().is_some_and(|hold| hold.came(unit));
        self.look();
        if self.running.is_none() {
            let (ready, outcomes) = mpsc::channel(MAX_READY);
            let film = decoding::film(move |outcome| {
                // Nobody is there any more: the decoder ends with the next one.
                let _ = ready.blocking_send(outcome);
            });
            let film = film.map_err(Undecoded::NotStarted)?;
            self.running = Some(Running { film, outcomes });
        }
        let Some(hold) = &self.hold else {
            return self.decode(unit, is_key);
        };
        let most = if hold.can_be_asked() && self.is_all {
            MAX_ASKED
        } else {
            usize::MAX
        };
        if is_key {
            // All begins anew for a decoder that is behind, or has been given key frames alone.
            if !self.is_all || self.kept.len() > MAX_LATE {
                self.forget();
            }
            self.skips = false;
        } else if self.skips {
            self.n_unseen += 1;
            return Ok(false);
        }
        self.n_kept_bytes += unit.len();
        self.kept.push_back((unit.to_vec(), is_key));
        self.feed()?;
        if self.kept.len() > most || self.n_kept_bytes > MAX_KEPT_BYTES {
            self.forget();
            (self.skips, self.is_lost) = (true, true);
        }
        Ok(!self.skips)
    }

    /// A gap: units before the next one were lost.
    pub fn lost(&mut self) {
        if let Some(hold) = &mut self.hold {
            hold.lost();
        }
    }

    /// Whether the last unit goes on as it came.
    pub fn passes(&self) -> bool {
        self.passes
    }

    /// How many units went on and were never decoded, since this was last asked.
    pub fn take_unseen(&mut self) -> u64 {
        std::mem::take(&mut self.n_unseen)
    }

    /// Waits for the next picture, for ever where none comes. Cancel safe.
    pub async fn next(&mut self) -> Sample {
        loop {
            self.look();
            // What can't be decoded any more is told with the next unit.
            let _ = self.feed();
            let Some(running) = &mut self.running else {
                return std::future::pending().await;
            };
            let hold = &mut self.hold;
            let looked = async {
                match hold {
                    Some(hold) => hold.looked().await,
                    None => std::future::pending().await,
                }
            };
            let outcome = tokio::select! {
                outcome = running.outcomes.recv() => outcome,
                () = looked => continue,
            };
            let Some(outcome) = outcome else {
                // The decoder was killed over and over: what comes next is told so.
                return std::future::pending().await;
            };
            if let Some(picture) = self.picture(outcome) {
                return picture;
            }
        }
    }

    /// Waits until another unit is taken for sure, for senders that can wait; gives the pictures that come meanwhile, and
    /// `None` then. Where video goes on as it comes nothing waits for the decoder.
    pub async fn room(&mut self) -> Option<Sample> {
        if self.passes {
            return None;
        }
        let is_live = self.hold.as_ref().is_some_and(|hold| !hold.is_too_fast());
        let most = if is_live { MAX_BEHIND } else { MAX_WAITING };
        self.until(most).await
    }

    /// Waits for the next picture of what was put; `None` when there is none any more. Nothing is put from then on.
    ///
    /// # Errors
    /// There was none in all of it.
    pub async fn rest(&mut self) -> Result<Option<Sample>, Undecoded> {
        // What stands from now on is the last picture, whether somebody wanted it or not.
        (self.passes, self.is_all) = (false, true);
        let picture = self.until(0).await;
        if picture.is_none() && self.running.is_some() && self.n_pictures == 0 {
            return Err(Undecoded::Unfit);
        }
        Ok(picture)
    }

    /// Waits for the next picture, or until no more than so many units wait.
    async fn until(&mut self, n: usize) -> Option<Sample> {
        loop {
            self.feed().ok()?;
            if self.pending.len() + self.kept.len() <= n {
                return None;
            }
            let outcome = self.running.as_mut()?.outcomes.recv().await?;
            if let Some(picture) = self.picture(outcome) {
                return Some(picture);
            }
        }
    }

    /// Whether a key frame is needed to go on, since this was last asked.
    pub fn take_lost(&mut self) -> bool {
        let is_wanted = self.hold.as_ref().is_some_and(Hold::wants_key);
        std::mem::take(&mut self.is_lost) || is_wanted
    }

    /// Looks who wants pictures.
    fn look(&mut self) {
        let is_looked_at = self.hold.as_ref().is_some_and(Hold::is_looked_at);
        self.is_all = !self.passes || is_looked_at;
    }

    /// Gives the decoder what was kept, as far as it takes it.
    fn feed(&mut self) -> Result<(), Undecoded> {
        while self.pending.len() < MAX_WAITING
            && let Some((_, is_key)) = self.kept.front()
            && (self.is_all || *is_key && self.hold.as_mut().is_some_and(Hold::draws))
            && let Some((unit, is_key)) = self.kept.pop_front()
        {
            self.n_kept_bytes -= unit.len();
            self.decode(&unit, is_key)?;
        }
        Ok(())
    }

    fn decode(&mut self, unit: &[u8], is_key: bool) -> Result<bool, Undecoded> {
        let Some(running) = &mut self.running else {
            return Ok(false);
        };
        let is_taken = running.film.put(unit, is_key);
        let is_taken = is_taken.map_err(|_| Undecoded::Unfit)?;
        if is_taken {
            self.pending.push_back(is_key);
        }
        self.is_lost |= !is_taken;
        Ok(is_taken)
    }

    fn forget(&mut self) {
        self.n_unseen += self.kept.len() as u64;
        self.kept.clear();
        self.n_kept_bytes = 0;
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

#[cfg(test)]
#[cfg(feature = "h264")]
mod tests {
    use std::time::Duration;

    use openh264::{
        OpenH264API,
        encoder::{Encoder, EncoderConfig, SpsPpsStrategy},
        formats::YUVBuffer,
    };

    use super::*;
    use crate::{
        clock::Clock,
        source::live::{Fate, Source},
    };

    const GOP: usize = 25;

    /// So many pictures, each `GOP`th a key frame.
    fn film(n: usize) -> Vec<(Vec<u8>, bool)> {
        film_of(n, GOP)
    }

    fn film_of(n: usize, gop: usize) -> Vec<(Vec<u8>, bool)> {
        let config = EncoderConfig::new().sps_pps_strategy(SpsPpsStrategy::ConstantId);
        let mut encoder = Encoder::with_api_config(OpenH264API::from_source(), config).unwrap();
        let picture = |no: usize| {
            let shade = u8::try_from(no % 200).unwrap();
            YUVBuffer::from_vec(vec![shade; 64 * 48 * 3 / 2], 64, 48)
        };
        (0..n)
            .map(|no| {
                let is_key = no.is_multiple_of(gop);
                if is_key {
                    encoder.force_intra_frame();
                }
                (encoder.encode(&picture(no)).unwrap().to_vec(), is_key)
            })
            .collect()
    }

    /// Puts units as they come at 25 pictures a second; gives how many pictures were made of them.
    async fn put(reel: &mut Reel, units: &[(Vec<u8>, bool)]) -> u64 {
        let before = reel.n_pictures;
        for (unit, is_key) in units {
            reel.put(unit, *is_key).unwrap();
            drain(reel).await;
            tokio::time::advance(Duration::from_millis(40)).await;
        }
        reel.n_pictures - before
    }

    /// Takes all pictures that come of what the decoder was given.
    async fn drain(reel: &mut Reel) {
        reel.look();
        reel.feed().unwrap();
        while !reel.pending.is_empty() {
            let outcome = reel.running.as_mut().unwrap().outcomes.recv().await;
            reel.picture(outcome.unwrap());
            reel.feed().unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_passes_is_decoded_for_who_looks_and_else_by_its_key_frames() {
        let source = Source::new("plot", None, Clock::system());
        let (strip, film) = (source.reader().strip().clone(), film(8 * GOP));
        let fate = strip.fate();
        assert_eq!(*fate.borrow(), Fate::None);
        let mut reel = source.reel(false);
        // Nobody knows yet whether it can be.
        assert_eq!(put(&mut reel, &film[..GOP]).await, GOP as u64);
        assert!(!reel.passes());
        assert!(matches!(*fate.borrow(), Fate::Encoded(_)));
        assert_eq!(put(&mut reel, &film[GOP..3 * GOP]).await, 2);
        assert!(reel.passes());
        assert!(matches!(*fate.borrow(), Fate::Passed(form) if form.fps == 25));
        // In the middle, without a key frame: what came since the last one is there.
        assert_eq!(put(&mut reel, &film[3 * GOP..3 * GOP + 10]).await, 1);
        let looker = strip.look();
        drain(&mut reel).await;
        assert_eq!(reel.n_pictures, (GOP + 2 + 10) as u64);
        let rest = &film[3 * GOP + 10..5 * GOP];
        assert_eq!(put(&mut reel, rest).await, rest.len() as u64);
        drop(looker);
        assert_eq!(put(&mut reel, &film[5 * GOP..7 * GOP]).await, 2);
        assert_eq!(reel.take_unseen(), (4 * (GOP - 1) - (GOP - 1)) as u64);
        // The last picture is what stands.
        assert_eq!(put(&mut reel, &film[7 * GOP..7 * GOP + 5]).await, 1);
        let mut n = 0;
        while reel.rest().await.unwrap().is_some() {
            n += 1;
        }
        assert_eq!(n, 4);
        drop(reel);
        assert_eq!(*fate.borrow(), Fate::None);
    }

    /// A browser makes key frames when it is asked, and none by itself.
    #[tokio::test(start_paused = true)]
    async fn who_makes_key_frames_when_asked_is_asked_while_nobody_looks() {
        let source = Source::new("plot", None, Clock::system());
        let strip = source.reader().strip().clone();
        let config = EncoderConfig::new().sps_pps_strategy(SpsPpsStrategy::ConstantId);
        let mut browser = Encoder::with_api_config(OpenH264API::from_source(), config).unwrap();
        let mut reel = source.reel(true);
        let (mut asks, mut asked, mut looker) = (Vec::new(), None, None);
        for no in 0..20 * GOP {
            // The answer takes its time.
            let is_key = no == 0 || asked.is_some_and(|asked| no >= asked + 5);
            if is_key {
                browser.force_intra_frame();
                asked = None;
            }
            let shade = u8::try_from(no % 200).unwrap();
            let picture = YUVBuffer::from_vec(vec![shade; 64 * 48 * 3 / 2], 64, 48);
            let unit = browser.encode(&picture).unwrap().to_vec();
            reel.put(&unit, is_key).unwrap();
            drain(&mut reel).await;
            if reel.take_lost() && asked.is_none() {
                asks.push(no);
                asked = Some(no);
            }
            if no == 15 * GOP {
                looker = Some(strip.look());
            }
            tokio::time::advance(Duration::from_millis(40)).await;
        }
        assert!(reel.passes() && looker.is_some());
        let n_before = asks.iter().filter(|no| **no < 15 * GOP).count();
        assert!((4..=8).contains(&n_before), "{asks:?}");
        assert_eq!(
            asks.len(),
            n_before,
            "who is looked at is asked by what is lost"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn of_nothing_but_key_frames_no_more_than_one_a_second_is_decoded() {
        let source = Source::new("plot", None, Clock::system());
        let film = film_of(200, 1);
        let mut reel = source.reel(false);
        put(&mut reel, &film[..50]).await;
        assert!(reel.passes());
        let n = put(&mut reel, &film[50..150]).await;
        assert!((3..=5).contains(&n), "{n} in 4 s");
        let _looker = source.reader().strip().look();
        assert!(put(&mut reel, &film[150..]).await >= 50);
    }

    #[tokio::test(start_paused = true)]
    async fn a_sender_that_took_the_place_is_not_disturbed_by_the_one_before() {
        let source = Source::new("plot", None, Clock::system());
        let (strip, film) = (source.reader().strip().clone(), film(3 * GOP));
        let mut before = source.reel(false);
        put(&mut before, &film[..2 * GOP]).await;
        assert!(before.passes());
        let mut after = source.reel(false);
        put(&mut after, &film[..2 * GOP]).await;
        assert!(after.passes());
        let mut reader = crate::hub::Reader::new(strip.tape().clone(), false);
        reader.next().await.unwrap();
        put(&mut before, &film[2 * GOP..]).await;
        assert!(!before.passes(), "nothing of it goes on");
        drop(before);
        assert!(matches!(*strip.fate().borrow(), Fate::Passed(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_lost_on_the_way_is_waited_for_up_to_a_key_frame() {
        let source = Source::new("plot", None, Clock::system());
        let film = film(3 * GOP);
        let mut reel = source.reel(true);
        put(&mut reel, &film[..GOP + 5]).await;
        assert!(reel.passes());
        reel.lost();
        reel.put(&film[GOP + 6].0, false).unwrap();
        assert!(!reel.passes());
        put(&mut reel, &film[2 * GOP..2 * GOP + 1]).await;
        assert!(reel.passes(), "one that can be asked");
    }
}
