//! When a client paints, and what has to be sent for it to do so at once.
//!
//! Blink paints a part only when the next part's head has come, to its blank line, so a server that
//! sends frames as they come due shows every slide one slide late. A gallery knows its next frame,
//! and sends its head ahead. This file holds the rules, as a state machine without I/O: told what
//! is on, it says what to write.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use crate::hub::{Frame, FrameNo, Now};

/// How a client is made to paint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
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
    /// What suits a client that calls itself `agent`.
    pub(super) fn for_agent(agent: &str) -> Self {
        let agent = agent.to_ascii_lowercase();
        let has = |names: &[&str]| names.iter().any(|name| agent.contains(name));
        if has(&["chrome/", "chromium/", "firefox/"]) || is_known_webkit(&agent) {
            Self::Advance
        } else if has(&["go-http-client", "curl", "wget"]) {
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
/// thing written, whatever has become of it meanwhile.
#[derive(Debug)]
pub(super) struct Painter {
    paint: Paint,
    owed: Option<Arc<Frame>>,
    /// The frame that was sent last.
    sent: Option<FrameNo>,
    /// The most bytes a frame had on this stream.
    n_largest: usize,
    /// How often the frame that stands was sent again.
    n_repeats: u32,
}

/// The most copies of a small frame that are sent at once.
const MAX_COPIES: usize = 64;

impl Painter {
    pub(super) fn new(paint: Paint) -> Self {
        Self {
            paint,
            owed: None,
            sent: None,
            n_largest: 0,
            n_repeats: 0,
        }
    }

    /// How long the frame that stands may go on standing before it is sent again; `age` is the
    /// stream's. `None`: it needs no repeating.
    pub(super) fn again_after(&self, age: Duration) -> Option<Duration> {
        match self.paint {
            Paint::Advance | Paint::Plain => None,
            Paint::Repeat if self.n_repeats == 0 || age < WARM_UP => Some(FIRST_REPEAT),
            Paint::Repeat => Some(LATER_REPEATS),
        }
    }

    /// Appends what is to be written now that `now` is on; returns how many frames that is.
    pub(super) fn turn(&mut self, now: &Now, out: &mut Vec<Bytes>) -> usize {
        let mut n_frames = 0;
        while self.sent != Some(now.current.no) {
            let frame = match self.owed.take() {
                Some(owed) => owed,
                None => {
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
                let next = promise(&frame, now);
                out.push(next.head.clone());
                self.owed = Some(next);
            }
        }
        n_frames
    }

    /// The frame that is on, once more; returns how many copies that is.
    ///
    /// VLC 3 waits until as many bytes have come as its largest frame so far had, so after a large
    /// frame a small one is sent until they add up.
    pub(super) fn again(&mut self, frame: &Frame, out: &mut Vec<Bytes>) -> usize {
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

    /// The stream ends: what was announced is still sent.
    pub(super) fn close(&mut self, out: &mut Vec<Bytes>) {
        out.extend(self.owed.take().map(|owed| owed.body.clone()));
    }
}

/// What can be announced after `frame`: the frame that is on, if `frame` was an older promise;
/// the next one, where it is known; else the same again, which is a promise that can be kept.
fn promise(frame: &Arc<Frame>, now: &Now) -> Arc<Frame> {
    if frame.no != now.current.no {
        return now.current.clone();
    }
    now.next.clone().unwrap_or_else(|| frame.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::Framing;
    use mantel_shared::{Boundary, Collector, Decoder, Event, FrameMeta, Limits, UnixMillis};

    fn frame(no: u64) -> Arc<Frame> {
        // Every frame has another length, so that a broken promise shows.
        let jpeg = vec![b'x'; 10 + no as usize];
        Arc::new(Framing::default().frame(FrameNo(no), UnixMillis(no), FrameMeta::default(), &jpeg))
    }

    fn now(current: u64, next: Option<u64>) -> Now {
        Now {
            current: frame(current),
            next: next.map(frame),
        }
    }

    /// Runs `turns` and decodes what a client got, by frame number; with whether a head was out
    /// after each turn.
    fn run(paint: Paint, turns: &[Now]) -> (Vec<u64>, Vec<bool>) {
        let framing = Framing::default();
        let boundary = Boundary::from_content_type(&framing.content_type()).unwrap();
        let mut decoder = Decoder::new(boundary, Limits::default());
        let mut painter = Painter::new(paint);
        let (mut frames, mut announced) = (Vec::new(), Vec::new());
        let mut head_is_out = false;
        let mut n_body = 0;
        let mut feed = |bytes: &[u8], frames: &mut Vec<u64>, head_is_out: &mut bool| {
            let mut input = bytes;
            while let Some(event) = decoder.next(&mut input).unwrap() {
                match event {
                    Event::Head(_) => (*head_is_out, n_body) = (true, 0),
                    Event::Body(bytes) => n_body += bytes.len() as u64,
                    Event::PartEnd => {
                        *head_is_out = false;
                        frames.push(n_body - 10);
                    }
                    Event::Close => unreachable!("nothing was closed"),
                }
            }
        };
        feed(&framing.opening(), &mut frames, &mut head_is_out);
        for now in turns {
            let mut out = Vec::new();
            painter.turn(now, &mut out);
            feed(&out.concat(), &mut frames, &mut head_is_out);
            announced.push(head_is_out);
        }
        (frames, announced)
    }

    #[test]
    fn advance_announces_and_keeps_its_promise() {
        let turns = [now(1, Some(2)), now(2, Some(3)), now(3, Some(4))];
        let (frames, announced) = run(Paint::Advance, &turns);
        assert_eq!(frames, [1, 2, 3]);
        assert_eq!(announced, [true; 3]);
    }

    #[test]
    fn a_promise_that_was_overtaken_still_goes_out_then_what_is_on() {
        let (frames, announced) = run(
            Paint::Advance,
            &[now(1, Some(2)), now(7, Some(8)), now(8, None)],
        );
        assert_eq!(frames, [1, 2, 7, 8]);
        assert_eq!(announced, [true; 3]);
    }

    #[test]
    fn without_a_known_next_frame_the_same_is_announced_again() {
        let (frames, announced) = run(
            Paint::Advance,
            &[now(1, None), now(1, Some(2)), now(2, None)],
        );
        assert_eq!(frames, [1, 1, 2]);
        assert_eq!(announced, [true; 3]);
    }

    #[test]
    fn a_client_that_was_busy_gets_what_it_was_promised_and_the_newest() {
        let (frames, _) = run(Paint::Advance, &[now(1, Some(2)), now(40, Some(41))]);
        assert_eq!(frames, [1, 2, 40]);
    }

    #[test]
    fn what_one_feed_announced_is_sent_before_what_another_shows() {
        let framing = Framing::default();
        let mut painter = Painter::new(Paint::Advance);
        let mut out = vec![framing.opening()];
        painter.turn(&now(1, Some(2)), &mut out);
        let other = |length: usize, no: u64| {
            let jpeg = vec![b'y'; length];
            let frame = framing.frame(FrameNo(no), UnixMillis(0), FrameMeta::default(), &jpeg);
            Now {
                current: Arc::new(frame),
                next: None,
            }
        };
        painter.turn(&other(100, 7), &mut out);
        painter.turn(&other(200, 8), &mut out);
        painter.close(&mut out);
        let boundary = Boundary::from_content_type(&framing.content_type()).unwrap();
        let mut collector = Collector::new(boundary, Limits::default());
        collector.push(&out.concat()).unwrap();
        let parts = std::iter::from_fn(|| collector.take());
        let lengths: Vec<usize> = parts.map(|part| part.body.len()).collect();
        assert_eq!(lengths, [11, 12, 100, 100, 200, 200]);
    }

    #[test]
    fn plain_and_repeat_announce_nothing() {
        for paint in [Paint::Plain, Paint::Repeat] {
            let (frames, announced) = run(paint, &[now(1, Some(2)), now(1, None), now(5, Some(6))]);
            assert_eq!(frames, [1, 5]);
            assert_eq!(announced, [false; 3]);
        }
    }

    #[test]
    fn a_small_frame_after_a_large_one_is_repeated_until_its_bytes_add_up() {
        let mut painter = Painter::new(Paint::Repeat);
        let mut out = Vec::new();
        painter.turn(&now(2000, None), &mut out);
        assert_eq!(painter.again(&frame(2000), &mut out), 1);
        let small = now(2001, None);
        let small = Now {
            current: Arc::new(Framing::default().again(
                FrameNo(2001),
                FrameMeta::default(),
                &frame(100),
            )),
            ..small
        };
        painter.turn(&small, &mut out);
        out.clear();
        let n_copies = painter.again(&small.current, &mut out);
        let n_bytes: usize = out.iter().map(Bytes::len).sum();
        assert!(
            n_copies > 5 && n_bytes > 2010,
            "{n_copies} copies, {n_bytes} bytes"
        );
        assert_eq!(painter.again(&small.current, &mut out), 1);
    }

    #[test]
    fn repeats_come_quickly_at_first_and_soon_after_each_new_frame() {
        let (young, old) = (Duration::from_millis(700), Duration::from_secs(60));
        let mut painter = Painter::new(Paint::Repeat);
        let mut out = Vec::new();
        painter.turn(&now(1, None), &mut out);
        painter.again(&frame(1), &mut out);
        assert_eq!(painter.again_after(young), Some(FIRST_REPEAT));
        assert_eq!(painter.again_after(old), Some(LATER_REPEATS));
        painter.turn(&now(2, None), &mut out);
        assert_eq!(painter.again_after(old), Some(FIRST_REPEAT));
        for paint in [Paint::Advance, Paint::Plain] {
            assert_eq!(Painter::new(paint).again_after(young), None);
        }
    }

    #[test]
    fn agents() {
        let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/67.0.3372.0 Safari/537.36";
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
        let safari = "Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Safari/604.1";
        assert_eq!(Paint::for_agent(chrome), Paint::Advance);
        assert_eq!(Paint::for_agent(firefox), Paint::Advance);
        assert_eq!(Paint::for_agent(safari), Paint::Advance);
        let webkitgtk = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15";
        assert_eq!(Paint::for_agent(webkitgtk), Paint::Advance);
        let ipad_of_2015 = "Mozilla/5.0 (iPad; CPU OS 9_3_5 like Mac OS X) AppleWebKit/601.1.46 (KHTML, like Gecko) Version/9.0 Safari/601.1";
        assert_eq!(Paint::for_agent(ipad_of_2015), Paint::Repeat);
        assert_eq!(Paint::for_agent("AppleWebKit/"), Paint::Repeat);
        assert_eq!(Paint::for_agent("VLC/3.0.20 LibVLC/3.0.20"), Paint::Repeat);
        assert_eq!(Paint::for_agent("Lavf/59.27.100"), Paint::Repeat);
        assert_eq!(Paint::for_agent("curl/8.5.0"), Paint::Plain);
        assert_eq!(
            Paint::for_agent("HomeAssistant/2026.1 aiohttp/3.9"),
            Paint::Repeat
        );
        assert_eq!(Paint::for_agent(""), Paint::Repeat);
    }
}
