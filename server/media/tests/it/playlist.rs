//! A reader of media playlists that believes nothing, and what has to hold of each and of one after another
//! (RFC 8216bis). Also used by the fuzz target.

use mantel_media::hls::{Found, Name, Part, Prefix, Refusal, Setup, Turn, Window, Wish};

/// A playlist, its times in units of 10 µs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Playlist {
    pub(crate) target_secs: u64,
    pub(crate) part_target: u64,
    pub(crate) first_msn: u64,
    pub(crate) n_discontinuities: u64,
    pub(crate) n_skipped: usize,
    pub(crate) is_independent: bool,
    /// The last one may be without `uri`: it is being filled.
    pub(crate) segments: Vec<Segment>,
    pub(crate) hint: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Segment {
    pub(crate) uri: Option<String>,
    pub(crate) duration: u64,
    pub(crate) is_discontinuous: bool,
    pub(crate) map: Option<String>,
    pub(crate) date: String,
    pub(crate) parts: Vec<(u64, String, bool)>,
}

fn time(text: &str) -> u64 {
    let (whole, decimals) = text.split_once('.').unwrap();
    assert_eq!(decimals.len(), 5, "{text}");
    whole.parse::<u64>().unwrap() * 100_000 + decimals.parse::<u64>().unwrap()
}

fn attribute<'a>(list: &'a str, key: &str) -> Option<&'a str> {
    let mut all = list.split(',').filter_map(|pair| pair.split_once('='));
    let value = all.find(|(name, _)| *name == key)?.1;
    Some(value.trim_matches('"'))
}

impl Playlist {
    /// Reads `text`; every line has to be known, and where it belongs.
    pub(crate) fn read(text: &str) -> Self {
        let mut list = Self::default();
        assert!(text.starts_with("#EXTM3U\n#EXT-X-VERSION:9\n") && text.ends_with('\n'));
        let mut next = Segment::default();
        for line in text.lines().skip(2) {
            assert!(list.hint.is_empty(), "the hint is last");
            let (tag, rest) = line.split_once(':').unwrap_or((line, ""));
            match tag {
                "#EXT-X-TARGETDURATION" => list.target_secs = rest.parse().unwrap(),
                "#EXT-X-SERVER-CONTROL" => {
                    assert_eq!(attribute(rest, "CAN-BLOCK-RELOAD"), Some("YES"));
                    // In which order the tags stand is free; here these two follow.
                    list.part_target = time(attribute(rest, "PART-HOLD-BACK").unwrap());
                    let skip = time(attribute(rest, "CAN-SKIP-UNTIL").unwrap());
                    assert!(skip >= list.target_secs * 600_000);
                }
                "#EXT-X-PART-INF" => {
                    let part_target = time(attribute(rest, "PART-TARGET").unwrap());
                    assert!(list.part_target >= part_target * 2, "held back too little");
                    list.part_target = part_target;
                }
                "#EXT-X-MEDIA-SEQUENCE" => list.first_msn = rest.parse().unwrap(),
                "#EXT-X-DISCONTINUITY-SEQUENCE" => list.n_discontinuities = rest.parse().unwrap(),
                "#EXT-X-INDEPENDENT-SEGMENTS" => list.is_independent = true,
                "#EXT-X-SKIP" => {
                    assert!(list.segments.is_empty() && next == Segment::default());
                    list.n_skipped = attribute(rest, "SKIPPED-SEGMENTS")
                        .unwrap()
                        .parse()
                        .unwrap();
                    assert!(list.n_skipped > 0);
                }
                "#EXT-X-DISCONTINUITY" => {
                    assert_eq!(next, Segment::default());
                    next.is_discontinuous = true;
                }
                "#EXT-X-MAP" => {
                    assert!(next.parts.is_empty());
                    next.map = Some(attribute(rest, "URI").unwrap().to_owned());
                }
                "#EXT-X-PROGRAM-DATE-TIME" => {
                    assert!(next.parts.is_empty() && next.date.is_empty());
                    assert_eq!((rest.len(), &rest[10..11], &rest[23..]), (24, "T", "Z"));
                    next.date = rest.to_owned();
                }
                "#EXT-X-PART" => {
                    let duration = time(attribute(rest, "DURATION").unwrap());
                    let uri = attribute(rest, "URI").unwrap().to_owned();
                    let is_independent = attribute(rest, "INDEPENDENT") == Some("YES");
                    next.parts.push((duration, uri, is_independent));
                }
                "#EXTINF" => next.duration = time(rest.strip_suffix(',').unwrap()),
                "#EXT-X-PRELOAD-HINT" => {
                    assert_eq!(attribute(rest, "TYPE"), Some("PART"));
                    attribute(rest, "URI").unwrap().clone_into(&mut list.hint);
                }
                _ => {
                    assert!(!line.starts_with('#') && !line.is_empty(), "{line}");
                    assert!(next.duration > 0 && !next.date.is_empty());
                    next.uri = Some(line.to_owned());
                    list.segments.push(std::mem::take(&mut next));
                }
            }
        }
        assert_eq!(next.duration, 0, "EXTINF without a segment");
        if next != Segment::default() {
            assert!(!next.parts.is_empty());
            list.segments.push(next);
        }
        list.check();
        list
    }

    /// What has to hold of a playlist by itself.
    fn check(&self) {
        assert!(self.target_secs > 0 && !self.hint.is_empty());
        let starts = self.n_skipped == 0;
        assert!(
            self.segments
                .first()
                .is_none_or(|first| !starts || first.map.is_some())
        );
        // How far a segment's end is from that of the playlist.
        let length = |segment: &Segment| {
            let parts: u64 = segment.parts.iter().map(|part| part.0).sum();
            if segment.uri.is_some() {
                segment.duration
            } else {
                parts
            }
        };
        let mut left: u64 = self.segments.iter().map(length).sum();
        for segment in &self.segments {
            left -= length(segment);
            assert!((segment.duration + 50_000) / 100_000 <= self.target_secs);
            assert!(segment.parts.iter().all(|part| part.0 <= self.part_target));
            // Rounding apart.
            let close = 100_u64 * 12;
            if left + close < self.target_secs * 300_000 {
                let sum: u64 = segment.parts.iter().map(|part| part.0).sum();
                let n = segment.parts.len() as u64;
                // Segments may have no parts at all.
                assert!(segment.uri.is_none() || n == 0 || sum.abs_diff(segment.duration) <= n);
            } else if left > self.target_secs * 300_000 + close {
                assert!(segment.parts.is_empty());
            }
            if self.is_independent
                && let Some(first) = segment.parts.first()
            {
                assert!(first.2);
            }
            assert!(!segment.is_discontinuous || segment.map.is_some());
        }
        let inside = self.segments.iter().rev().skip(1);
        assert!(inside.clone().all(|segment| segment.uri.is_some()));
    }

    /// The segments with their numbers, those of their discontinuities and what stands before them.
    fn numbered(&self) -> Vec<(u64, u64, Option<&str>, &Segment)> {
        let first = self.first_msn + self.n_skipped as u64;
        let (mut n_discontinuities, mut map) = (self.n_discontinuities, None);
        let segments = (first..).zip(&self.segments);
        let numbered = segments.map(|(msn, segment)| {
            n_discontinuities += u64::from(segment.is_discontinuous);
            map = segment.map.as_deref().or(map);
            (msn, n_discontinuities, map, segment)
        });
        numbered.collect()
    }

    /// What has to hold of a playlist that was fetched after another. Neither is an update.
    pub(crate) fn check_follows(&self, before: &Self) {
        assert!(self.target_secs >= before.target_secs && self.part_target >= before.part_target);
        assert!(self.first_msn >= before.first_msn);
        assert!(self.n_discontinuities >= before.n_discontinuities);
        assert!(before.is_independent || !self.is_independent);
        let (mine, theirs) = (self.numbered(), before.numbered());
        let last = |all: &[(u64, u64, Option<&str>, &Segment)]| all.last().map(|one| one.0);
        if let (Some(mine), Some(theirs)) = (last(&mine), last(&theirs)) {
            assert!(mine >= theirs, "the end went back");
        }
        for old in theirs {
            let Some(new) = mine.iter().find(|new| new.0 == old.0) else {
                assert!(old.0 < self.first_msn, "segment {} vanished", old.0);
                continue;
            };
            assert_eq!((new.1, new.2), (old.1, old.2), "segment {}", old.0);
            assert_eq!(new.3.date, old.3.date);
            if old.3.uri.is_some() {
                assert_eq!((&new.3.uri, new.3.duration), (&old.3.uri, old.3.duration));
            }
            let n = new.3.parts.len().min(old.3.parts.len());
            assert_eq!(new.3.parts[..n], old.3.parts[..n]);
            // Parts go all at once, of whole segments.
            assert!(n == old.3.parts.len() || n == 0 && new.3.uri.is_some());
        }
    }

    /// What a client makes of an update, having `before`.
    pub(crate) fn with_skipped(mut self, before: &Self) -> Self {
        let n_gone = usize::try_from(self.first_msn - before.first_msn).unwrap();
        let old = before.segments.iter().skip(n_gone).take(self.n_skipped);
        let mut segments: Vec<_> = old.cloned().collect();
        assert_eq!(
            segments.len(),
            self.n_skipped,
            "skipped what the client has not"
        );
        if let Some(first) = segments.first_mut() {
            let known = before.numbered();
            first.map = known[n_gone].2.map(str::to_owned);
        }
        segments.append(&mut self.segments);
        (self.segments, self.n_skipped) = (segments, 0);
        self
    }

    /// The same without what a client forgets of old segments.
    pub(crate) fn without_old_parts(mut self) -> Self {
        let n = self.segments.len().saturating_sub(1);
        self.segments[..n]
            .iter_mut()
            .for_each(|old| old.parts.clear());
        self
    }
}

/// What is done to a window: a kind, a duration or number, a size.
pub(crate) type Op = (u8, u32, u16);

/// Does all of it and looks at the playlist after each.
pub(crate) fn run(
    (target_secs, part_target, n_segments, max_bytes): (u32, u32, u8, u16),
    ops: &[Op],
) {
    let prefix = Prefix::new(7);
    let setup = Setup {
        prefix: prefix.clone(),
        target_secs: target_secs % 8,
        part_target,
        n_segments: usize::from(n_segments % 20),
        max_bytes: u64::from(max_bytes) * 64,
    };
    let n_segments = setup.n_segments.max(1);
    let limit = setup.max_bytes;
    let mut window = Window::new(setup, 0_u32);
    let mut before = Playlist::read(&window.playlist(false, ""));
    let mut now = 0;
    for (step, &(kind, n, n_bytes)) in (1_u32..).zip(ops) {
        match kind % 8 {
            0 => window.end_segment(),
            1 => window.restart(step),
            2 if n % 4 == 0 => {
                window.forget();
                window.restart(step);
            }
            _ => {
                let duration = if kind & 0x40 == 0 { n % 200_000 } else { n };
                let part = Part {
                    duration,
                    is_independent: kind & 0x80 != 0,
                    n_bytes: u64::from(n_bytes),
                    content: step,
                };
                now += u64::from(duration) / 90;
                window.push(part, now);
            }
        }
        let after = Playlist::read(&window.playlist(false, ""));
        after.check_follows(&before);
        let update = Playlist::read(&window.playlist(true, ""));
        // An update is for a client that has seen what it leaves out; ten seconds in one part are too much.
        let has_uri = |one: &&Segment| one.uri.is_some();
        let n_seen = before.segments.iter().filter(has_uri).count() as u64;
        if update.first_msn + update.n_skipped as u64 <= before.first_msn + n_seen {
            let told = update.with_skipped(&before).without_old_parts();
            let all = after.clone().without_old_parts();
            assert_eq!(told.numbered().len(), all.numbered().len());
            assert!(
                told.numbered()
                    .iter()
                    .zip(all.numbered())
                    .all(|(told, all)| {
                        (told.0, told.1, told.2, &told.3.uri) == (all.0, all.1, all.2, &all.3.uri)
                    })
            );
        }
        check_finds(&window, &prefix, &after);
        check_turns(&window, &after);
        assert!(after.segments.len() <= n_segments + 33);
        let whole = after
            .segments
            .iter()
            .filter(|segment| segment.uri.is_some());
        let filled = u64::from(u16::MAX) + limit / 4;
        assert!(window.n_bytes() <= limit + 2 * filled || whole.count() <= 1);
        before = after;
    }
}

/// Everything that the playlist names is there.
fn check_finds(window: &Window<u32>, prefix: &Prefix, list: &Playlist) {
    let find = |uri: &str| window.find(Name::parse(prefix, uri).unwrap());
    let mut n_contents = 0;
    for (msn, _, map, segment) in list.numbered() {
        assert!(matches!(find(map.unwrap()), Found::Init(_)));
        if let Some(uri) = &segment.uri {
            assert_eq!(*uri, Name::Segment { msn }.to_text(prefix));
            let Found::Parts(parts) = find(uri) else {
                panic!("{uri} is not there")
            };
            assert!(parts.iter().map(|part| part.content).is_sorted());
            n_contents += parts.len();
        }
        for (part, (_, uri, is_independent)) in (0..).zip(&segment.parts) {
            assert_eq!(*uri, Name::Part { msn, part }.to_text(prefix));
            match find(uri) {
                Found::Parts([part]) => assert_eq!(part.is_independent, *is_independent),
                found => panic!("{uri}: {found:?}"),
            }
        }
    }
    assert!(n_contents > 0 || list.segments.iter().all(|one| one.uri.is_none()));
    assert_eq!(find(&list.hint), Found::Wait);
    let next = list.first_msn + list.segments.len() as u64;
    assert_eq!(window.find(Name::Segment { msn: next + 1 }), Found::Gone);
}

/// An answer comes when the playlist has what was asked for, and not before.
fn check_turns(window: &Window<u32>, list: &Playlist) {
    let all = list.numbered();
    let mut whole = all
        .iter()
        .filter(|one| one.3.uri.is_some())
        .map(|one| one.0);
    let last_whole = whole.next_back();
    let filled = all.last().filter(|one| one.3.uri.is_none());
    let n_filled = filled.map_or(0, |one| one.3.parts.len() as u64);
    let n_whole = all.len() as u64 - u64::from(filled.is_some());
    let current = list.first_msn + n_whole;
    let ask = |msn, part| {
        let wish = Wish {
            msn,
            part,
            ..Wish::default()
        };
        window.judge(&wish)
    };
    let there = |is_there| Ok(if is_there { Turn::Now } else { Turn::Wait });
    assert_eq!(ask(None, None), there(last_whole.is_some()));
    assert_eq!(ask(Some(current), None), there(false));
    assert_eq!(ask(Some(current + 1), None), there(false));
    assert_eq!(ask(Some(current + 2), None), Err(Refusal::TooFar));
    assert_eq!(ask(Some(u64::MAX), Some(u64::MAX)), Err(Refusal::TooFar));
    for part in 0..n_filled + 3 {
        assert_eq!(ask(Some(current), Some(part)), there(part < n_filled));
    }
    assert_eq!(ask(Some(current + 1), Some(0)), there(false));
    assert_eq!(ask(Some(current), Some(u64::MAX)), Err(Refusal::TooFar));
    if let Some(last) = last_whole {
        assert_eq!(ask(Some(last), None), there(true));
        assert_eq!(ask(Some(last), Some(0)), there(true));
        // Behind a segment's last part comes the next one's first.
        assert_eq!(ask(Some(last), Some(5000)), there(n_filled > 0));
    }
}
