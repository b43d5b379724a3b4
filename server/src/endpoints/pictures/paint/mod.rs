//! When a client paints, and what has to be sent for it to do so at once.
//!
//! Blink paints a part only when the next part's head has come, to its blank line, so a server that
//! sends frames as they come due shows every slide one slide late. A gallery knows its next frame,
//! and sends its head ahead. A camera doesn't: it sends a head that says nothing of its frame, not even
//! how long it is. This file holds the rules, as a state machine without I/O: told what
//! is on, it says what to write.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use crate::hub::{Frame, FrameNo, Framing, Next, Now};

/// How a client is made to paint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::endpoints) enum Paint {
    /// After each JPEG the delimiter and the whole head of the next part: browsers paint at once.
    Advance,
    /// The frame that stands, again and again: players that wait for more bytes, engines that
    /// nobody could try, and proxies that hide the browser.
    Repeat,
    /// The delimiter only, for strict consumers.
    Plain,
}

impl std::str::FromStr for Paint {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "advance" => Ok(Self::Advance),
            "repeat" => Ok(Self::Repeat),
            "plain" => Ok(Self::Plain),
            _ => Err(()),
        }
    }
}

impl Paint {
    /// The framing that suits a client which calls itself `agent`.
    pub(in crate::endpoints) fn for_agent(agent: &str) -> Self {
        let agent = agent.to_ascii_lowercase();
        let has = |names: &[&str]| names.iter().any(|name| agent.contains(name));
        if has(&["chrome/", "chromium/", "firefox/"]) || is_known_webkit(&agent) {
            Self::Advance
        } else if has(&["go-http-client", "curl", "wget", "mantel/"]) {
            Self::Plain
        } else {
            // Players: VLC, GStreamer, and all that read through libavformat (mpv, ffmpeg, OpenCV), which
            // wants to see some twenty frames before it plays the first. Older WebKit, proxies such as
            // Home Assistant's, and whatever doesn't say: a frame that comes twice is painted everywhere.
            Self::Repeat
        }
    }
}

/// Whether `agent`, in lower case, is a WebKit of the kind that was seen to paint when the next head
/// comes: WebKitGTK 2.50, which like every Safari since iOS 11.3 calls itself 605.1.15.
fn is_known_webkit(agent: &str) -> bool {
    const TRIED: u32 = 605;
    let version = agent.split_once("applewebkit/").map(|(_, rest)| rest);
    let major = version.and_then(|version| version.split(['.', ' ']).next()?.parse().ok());
    major.is_some_and(|major: u32| major >= TRIED)
}

/// For this long after a stream's start the frame that stands is repeated at a quick pace. VLC 3
/// plays from when its buffer holds a second, and is late by that ever after: with a frame a second
/// that may be after two, with ten a second it is after one. libavformat guesses a stream's rate from
/// its first twenty frames or so, and mpv shows nothing before.
const WARM_UP: Duration = Duration::from_secs(3);

/// How long a frame stands before it is sent again: once soon, for clients that paint at the next
/// part; then about once a second.
const FIRST_REPEAT: Duration = Duration::from_millis(100);
const LATER_REPEATS: Duration = Duration::from_secs(1);

/// One client's stream of parts.
///
/// Its invariant: what was announced is sent. Once a head is out, that frame's body is the next
/// thing written, whatever has become of it meanwhile; after an open head that of any frame.
#[derive(Debug)]
pub(in crate::endpoints) struct Painter {
    paint: Paint,
    open_head: Bytes,
    owed: Owed,
    /// The frame that was sent last.
    sent: Option<FrameNo>,
    /// The most bytes a frame had on this stream.
    n_largest: usize,
    /// How often the frame that stands was sent again.
    n_repeats: u32,
}

/// A promise to a client: the body that has to come next.
#[derive(Clone, Debug, Default)]
enum Owed {
    /// Nothing: no head is out.
    #[default]
    Nothing,
    /// This frame's.
    Frame(Arc<Frame>),
    /// That of whichever frame comes.
    Any,
}

/// The most copies of a small frame that are sent at once.
const MAX_COPIES: usize = 64;

impl Painter {
    pub(in crate::endpoints) fn new(paint: Paint, framing: &Framing) -> Self {
        Self {
            paint,
            open_head: framing.open_head(),
            owed: Owed::Nothing,
            sent: None,
            n_largest: 0,
            n_repeats: 0,
        }
    }

    /// How long the frame that stands may go on standing before it is sent again; `age` is the
    /// stream's. `None`: it needs no repeating.
    pub(in crate::endpoints) fn again_after(&self, age: Duration) -> Option<Duration> {
        match self.paint {
            Paint::Advance | Paint::Plain => None,
            Paint::Repeat if self.n_repeats == 0 || age < WARM_UP => Some(FIRST_REPEAT),
            Paint::Repeat => Some(LATER_REPEATS),
        }
    }

    /// Appends what is to be written now that `now` is on; returns how many frames that is.
    pub(in crate::endpoints) fn turn(&mut self, now: &Now, out: &mut Vec<Bytes>) -> usize {
        let mut n_frames = 0;
        while self.sent != Some(now.current.no) {
            let frame = match std::mem::take(&mut self.owed) {
                Owed::Frame(owed) => owed,
                Owed::Any => now.current.clone(),
                Owed::Nothing => {
                    out.push(now.current.head.clone());
                    now.current.clone()
                }
            };
            out.push(frame.body.clone());
            self.sent = Some(frame.no);
            self.n_largest = self.n_largest.max(frame.body.len());
            self.n_repeats = 0;
            n_frames += 1;
            if self.paint == Paint::Advance {
                self.owed = after(&frame, now);
                match &self.owed {
                    Owed::Nothing => {}
                    Owed::Frame(frame) => out.push(frame.head.clone()),
                    Owed::Any => out.push(self.open_head.clone()),
                }
            }
        }
        n_frames
    }

    /// The frame that is on, once more; returns how many copies that is.
    ///
    /// VLC 3 waits until as many bytes have come as its largest frame so far had, so after a large
    /// frame a small one is sent until they add up.
    pub(in crate::endpoints) fn again(&mut self, frame: &Frame, out: &mut Vec<Bytes>) -> usize {
        let n_copies = match self.n_repeats {
            0 => self
                .n_largest
                .div_ceil(frame.body.len().max(1))
                .clamp(1, MAX_COPIES),
            _ => 1,
        };
        self.n_repeats = self.n_repeats.saturating_add(1);
        for _ in 0..n_copies {
            out.push(frame.head.clone());
            out.push(frame.body.clone());
        }
        n_copies
    }

    /// The stream ends: what was announced is still sent. Where that may be any frame it is the one that is `standing`, for
    /// an empty part leaves an empty picture.
    pub(in crate::endpoints) fn close(&mut self, standing: Option<&Frame>, out: &mut Vec<Bytes>) {
        match std::mem::take(&mut self.owed) {
            Owed::Nothing => {}
            Owed::Frame(frame) => out.push(frame.body.clone()),
            Owed::Any => out.extend(standing.map(|frame| frame.body.clone())),
        }
    }
}

/// The promise that can be made after `frame`: the frame that is on, if `frame` was an older promise;
/// the next one, where it is known; any, where nobody can say; else the same again, which is a promise
/// that can be kept.
fn after(frame: &Arc<Frame>, now: &Now) -> Owed {
    if frame.no != now.current.no {
        return Owed::Frame(now.current.clone());
    }
    match &now.next {
        Next::Known(next) => Owed::Frame(next.clone()),
        Next::NotYet => Owed::Frame(frame.clone()),
        Next::Unforeseen => Owed::Any,
    }
}

#[cfg(test)]
mod tests;
