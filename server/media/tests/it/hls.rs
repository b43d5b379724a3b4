//! Playlists: consistent whatever is put in, and one by the letter.

use mantel_media::hls::{
    Cut, Found, Name, Pace, Part, Prefix, Refusal, Served, Setup, Turn, Variant, Window, Wish,
    max_age, multivariant,
};
use proptest::prelude::*;

use crate::playlist::{Op, Playlist, run};

const TICKS: u32 = 90_000;

fn window(target_secs: u32, n_segments: usize) -> Window<u32> {
    let setup = Setup {
        prefix: Prefix::new(0xab),
        target_secs,
        part_target: TICKS / 5,
        n_segments,
        max_bytes: 1 << 30,
    };
    Window::new(setup, 0)
}

/// A part of 200 ms and 1000 bytes.
fn part(is_independent: bool) -> Part<u32> {
    Part {
        duration: TICKS / 5,
        is_independent,
        n_bytes: 1000,
        content: 0,
    }
}

/// Puts in segments of two seconds, each whole but the last.
fn fill(window: &mut Window<u32>, n_parts: u64) {
    for n in 0..n_parts {
        window.push(part(n % 10 == 0), 1_709_164_799_900 + n * 200);
    }
}

#[test]
fn a_playlist_is_this_to_the_letter() {
    let mut window = window(1, 3);
    for n in 0..12_u64 {
        if n == 7 {
            window.restart(1);
        }
        window.push(part(n % 3 == 1), 1_709_164_799_900 + n * 200);
    }
    let text = window.playlist(false, "token=a%20b");
    // Segments 0.2, 0.6, 0.6 long, then another encoder's.
    let wanted = "#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:1
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.60000,CAN-SKIP-UNTIL=6.00000
#EXT-X-PART-INF:PART-TARGET=0.20000
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-MAP:URI=\"00000000000000ab-init0.mp4?token=a%20b\"
#EXT-X-PROGRAM-DATE-TIME:2024-02-28T23:59:59.900Z
#EXT-X-PART:DURATION=0.20000,URI=\"00000000000000ab-0.0.m4s?token=a%20b\"
#EXT-X-PART:DURATION=0.20000,URI=\"00000000000000ab-0.1.m4s?token=a%20b\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.20000,URI=\"00000000000000ab-0.2.m4s?token=a%20b\"
#EXT-X-PART:DURATION=0.20000,URI=\"00000000000000ab-0.3.m4s?token=a%20b\"
#EXTINF:0.80000,
00000000000000ab-0.m4s?token=a%20b
#EXT-X-PROGRAM-DATE-TIME:2024-02-29T00:00:00.700Z
#EXT-X-PART:DURATION=0.20000,URI=\"00000000000000ab-1.0.m4s?token=a%20b\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.20000,URI=\"00000000000000ab-1.1.m4s?token=a%20b\"
#EXT-X-PART:DURATION=0.20000,URI=\"00000000000000ab-1.2.m4s?token=a%20b\"
#EXTINF:0.60000,
00000000000000ab-1.m4s?token=a%20b
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI=\"00000000000000ab-init1.mp4?token=a%20b\"
#EXT-X-PROGRAM-DATE-TIME:2024-02-29T00:00:01.300Z
#EXT-X-PART:DURATION=0.20000,URI=\"00000000000000ab-2.0.m4s?token=a%20b\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.20000,URI=\"00000000000000ab-2.1.m4s?token=a%20b\"
#EXT-X-PART:DURATION=0.20000,URI=\"00000000000000ab-2.2.m4s?token=a%20b\"
#EXTINF:0.60000,
00000000000000ab-2.m4s?token=a%20b
#EXT-X-PROGRAM-DATE-TIME:2024-02-29T00:00:01.900Z
#EXT-X-PART:DURATION=0.20000,URI=\"00000000000000ab-3.0.m4s?token=a%20b\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.20000,URI=\"00000000000000ab-3.1.m4s?token=a%20b\"
#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"00000000000000ab-3.2.m4s?token=a%20b\"
";
    assert_eq!(text, wanted);
}

#[test]
fn a_window_stays_as_long_as_it_is_to_be_and_keeps_what_it_told_a_while() {
    let mut window = window(2, 10);
    fill(&mut window, 10 * 40 + 1);
    let list = Playlist::read(&window.playlist(false, ""));
    assert_eq!((list.first_msn, list.segments.len()), (30, 11));
    assert!(list.is_independent);
    // Taken off no more than 22 seconds ago: its own length, and the longest playlist's.
    let is_there = |msn| window.find(Name::Segment { msn }) != Found::Gone;
    let kept: Vec<_> = (0..40).filter(|&msn| is_there(msn)).collect();
    assert_eq!(kept, (18..40).collect::<Vec<_>>());
    assert_eq!(
        (window.peak_bits(), window.average_bits()),
        (40_000, 40_000)
    );
    assert_eq!(window.n_bytes(), 221_000);
    // Twelve seconds stay in an update.
    let update = Playlist::read(&window.playlist(true, ""));
    assert_eq!((update.n_skipped, update.segments.len()), (4, 7));
    assert_eq!(update.with_skipped(&list), list);
    // Parts are told of the last six seconds.
    let n_parts = list.segments.iter().map(|segment| segment.parts.len());
    assert_eq!(n_parts.collect::<Vec<_>>()[6..], [0, 10, 10, 10, 1]);
}

#[test]
fn key_frames_that_come_seldom_make_longer_segments_up_to_a_limit() {
    let mut slow = window(2, 3);
    for n in 0..60 {
        slow.push(part(n % 25 == 0), 0);
    }
    let list = Playlist::read(&slow.playlist(false, ""));
    assert_eq!((list.target_secs, list.segments.len()), (5, 3));
    assert!(list.is_independent);
    let mut never = window(2, 3);
    (0..200).for_each(|n| never.push(part(n == 0), 0));
    let list = Playlist::read(&never.playlist(false, ""));
    assert_eq!((list.target_secs, list.segments.len()), (30, 2));
    assert!(!list.is_independent);
}

#[test]
fn memory_comes_before_length() {
    let setup = Setup {
        prefix: Prefix::new(1),
        target_secs: 2,
        part_target: TICKS / 5,
        n_segments: 10,
        max_bytes: 50_000,
    };
    let mut window = Window::new(setup, 0_u32);
    fill(&mut window, 1000);
    assert!((40_000..=60_000).contains(&window.n_bytes()));
    // Huge pictures: segments end before the memory does.
    for _ in 0..100 {
        let n_bytes = 9_000;
        window.push(
            Part {
                n_bytes,
                ..part(false)
            },
            0,
        );
        assert!(window.n_bytes() <= 50_000 + 12_500 + 9_000);
    }
}

#[test]
fn numbers_go_on_after_everything_was_forgotten() {
    let mut window = window(2, 3);
    fill(&mut window, 25);
    let before = Playlist::read(&window.playlist(false, ""));
    window.forget();
    assert_eq!(window.n_bytes(), 0);
    assert_eq!(window.judge(&Wish::default()), Ok(Turn::Wait));
    window.restart(1);
    fill(&mut window, 11);
    let after = Playlist::read(&window.playlist(false, ""));
    after.check_follows(&before);
    assert_eq!((after.first_msn, after.segments.len()), (3, 2));
    assert!(after.segments[0].is_discontinuous);
    assert_eq!(window.find(Name::Init { epoch: 0 }), Found::Gone);
    assert_eq!(window.find(Name::Init { epoch: 1 }), Found::Init(&1));
}

#[test]
fn whole_segments_have_no_parts_and_lengthen_none() {
    let mut window = window(2, 3);
    let target = window.part_target();
    let whole = Part {
        duration: 2 * TICKS,
        ..part(true)
    };
    for n in 0..3 {
        window.push_whole(whole.clone(), 2000 * n);
    }
    assert_eq!(window.part_target(), target);
    let text = window.playlist(false, "");
    assert!(!text.contains("#EXT-X-PART:"), "{text}");
    // Nobody can begin with parts before a segment has some.
    window.push(part(true), 6000);
    assert_eq!(window.judge(&Wish::default()), Ok(Turn::Wait));
    window.end_segment();
    assert_eq!(window.judge(&Wish::default()), Ok(Turn::Now));
    assert_eq!(Playlist::read(&text).segments.len(), 3);
}

#[test]
fn discontinuities_are_counted_as_they_leave() {
    let mut window = window(1, 3);
    for epoch in 1..=20 {
        fill(&mut window, 10);
        window.restart(epoch);
        window.restart(epoch);
    }
    fill(&mut window, 1);
    let list = Playlist::read(&window.playlist(false, ""));
    let n = list.segments.iter().filter(|one| one.is_discontinuous);
    assert_eq!(list.n_discontinuities + n.count() as u64, 20);
    assert_eq!(list.segments.len(), 4);
}

#[test]
fn a_hinted_part_is_waited_for_until_it_can_come_no_more() {
    let mut window = window(2, 3);
    fill(&mut window, 3);
    let hinted = Name::Part { msn: 0, part: 3 };
    assert_eq!(window.find(hinted), Found::Wait);
    window.end_segment();
    assert_eq!(window.find(hinted), Found::Gone);
    assert_eq!(window.find(Name::Part { msn: 1, part: 0 }), Found::Wait);
    let Found::Parts(parts) = window.find(Name::Segment { msn: 0 }) else {
        panic!("a whole segment is there")
    };
    assert_eq!(parts.len(), 3);
    for part in [4, u64::MAX] {
        assert_eq!(window.find(Name::Part { msn: 0, part }), Found::Gone);
    }
}

#[test]
fn wishes_are_read_and_other_keys_go_on() {
    let wish = |query| Wish::parse(query).unwrap();
    assert_eq!(wish(""), Wish::default());
    assert_eq!(wish("&&"), Wish::default());
    let all = wish("token=x%22y&_HLS_msn=12&_HLS_part=0&_HLS_skip=v2&_HLS_new=1&_HLS_&a");
    assert_eq!((all.msn, all.part, all.may_skip), (Some(12), Some(0), true));
    assert_eq!(all.extra, "token=x%22y&a");
    assert!(all.is_blocking());
    assert!(wish("_HLS_skip=YES").may_skip && !wish("_HLS_skip=no").may_skip);
    assert!(!wish("_HLS_skip=YES").is_blocking());
    // Nothing gets out of the quotes or into a line of its own.
    let extra = wish("a=\"\r\n#<é").extra;
    assert_eq!(extra, "a=%22%0D%0A%23%3C%C3%A9");
    for query in [
        "_HLS_msn=",
        "_HLS_msn",
        "_HLS_msn=-1",
        "_HLS_msn=+1",
        "_HLS_msn=NaN",
    ] {
        assert_eq!(Wish::parse(query), Err(Refusal::BadNumber), "{query}");
    }
    for query in [
        "_HLS_msn=18446744073709551616",
        "_HLS_msn=1&_HLS_msn=1",
        "_HLS_msn=1&_HLS_part=1.5",
    ] {
        assert_eq!(Wish::parse(query), Err(Refusal::BadNumber), "{query}");
    }
    assert_eq!(Wish::parse("_HLS_part=1"), Err(Refusal::PartAlone));
    let long = |n| Wish::parse(&"\n".repeat(n)).map(|wish| wish.extra.len());
    assert_eq!((long(341), long(342)), (Ok(1023), Err(Refusal::TooLong)));
}

#[test]
fn segments_three_ahead_are_refused() {
    let mut window = window(2, 3);
    fill(&mut window, 25);
    // Whole: 0, 1; being filled: 2, with five parts.
    let judge = |msn, part| {
        let msn = Some(msn);
        let wish = Wish {
            msn,
            part,
            ..Wish::default()
        };
        window.judge(&wish)
    };
    for (msn, part, turn) in [
        (0, None, Ok(Turn::Now)),
        (1, None, Ok(Turn::Now)),
        (1, Some(9), Ok(Turn::Now)),
        (1, Some(10), Ok(Turn::Now)),
        (2, None, Ok(Turn::Wait)),
        (2, Some(4), Ok(Turn::Now)),
        (2, Some(5), Ok(Turn::Wait)),
        // Fifteen parts of 200 ms are three seconds.
        (2, Some(19), Ok(Turn::Wait)),
        (2, Some(20), Err(Refusal::TooFar)),
        (3, Some(0), Ok(Turn::Wait)),
        (3, None, Ok(Turn::Wait)),
        (4, None, Err(Refusal::TooFar)),
        (4, Some(0), Err(Refusal::TooFar)),
    ] {
        assert_eq!(judge(msn, part), turn, "{msn} {part:?}");
    }
}

#[test]
fn a_multivariant_playlist_is_this_to_the_letter() {
    let variants = [Variant {
        uri: "1080/index.m3u8",
        codecs: "avc1.42C028",
        width: 1920,
        height: 1080,
        millihertz: 29_970,
        peak_bits: 4_000_000,
        average_bits: 5_000_000,
    }];
    let wanted = "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-STREAM-INF:BANDWIDTH=4000000,\
                  AVERAGE-BANDWIDTH=4000000,CODECS=\"avc1.42C028\",RESOLUTION=1920x1080,\
                  FRAME-RATE=29.970\n1080/index.m3u8?t=1\n";
    assert_eq!(multivariant(&variants, "t=1"), wanted);
}

#[test]
fn caches_keep_answers_as_the_appendix_says() {
    let ages = |served| (max_age(served, true, 2), max_age(served, false, 2));
    assert_eq!(ages(Served::BlockingPlaylist), (12, 8));
    assert_eq!(ages(Served::Playlist), (1, 2));
    assert_eq!(ages(Served::Media), (12, 2));
    assert_eq!(max_age(Served::Media, true, u32::MAX), u32::MAX);
}

#[test]
fn parts_are_even_at_every_rate_of_the_ladder() {
    for fps in [5, 10, 15, 20, 25, 30, 60] {
        let duration = TICKS / fps;
        let mut pace = Pace::new(TICKS / 5);
        let mut filled = 0;
        for n in 0..4 * fps {
            let cut = pace.add(duration, n % (2 * fps) == 0);
            assert!(!cut.is_before, "each ended as soon as it was full");
            filled += duration;
            assert_eq!(cut.is_behind, filled == TICKS / 5, "{fps}");
            if cut.is_behind {
                filled = 0;
            }
        }
    }
    let mut pace = Pace::new(TICKS / 5);
    let mut add = |millis, is_key| {
        let Cut {
            is_before,
            is_behind,
        } = pace.add(millis * 90, is_key);
        (is_before, is_behind)
    };
    // Two pictures of a motion, then one that stands.
    assert_eq!(add(40, true), (false, false));
    assert_eq!(add(40, false), (false, false));
    assert_eq!(add(200, false), (true, true));
    // A key frame begins a part, a long picture is one.
    assert_eq!(add(40, false), (false, false));
    assert_eq!(add(40, true), (true, false));
    assert_eq!(add(1000, false), (true, true));
    assert_eq!(add(u32::MAX / 90, false), (false, true));
}

proptest! {
    #[test]
    fn playlists_are_consistent_whatever_is_put_in(
        setup in (any::<u32>(), 0..200_000_u32, any::<u8>(), any::<u16>()),
        ops in prop::collection::vec(any::<Op>(), 0..120),
    ) {
        run(setup, &ops);
    }

    #[test]
    fn names_are_read_as_they_were_written(msn in any::<u64>(), part in any::<u64>(), junk in "[0-9a-z.-]{0,30}") {
        let prefix = Prefix::new(msn ^ part);
        for name in [Name::Segment { msn }, Name::Part { msn, part }, Name::Init { epoch: msn }] {
            let text = name.to_text(&prefix);
            prop_assert_eq!(Name::parse(&prefix, &text), Some(name));
            prop_assert_eq!(Name::parse(&Prefix::new(!(msn ^ part)), &text), None);
            for end in 0..text.len() {
                prop_assert_eq!(Name::parse(&prefix, &text[..end]), None);
            }
        }
        let text = std::format!("{}-{junk}", prefix.as_str());
        if let Some(name) = Name::parse(&prefix, &text) {
            prop_assert_eq!(name.to_text(&prefix), text);
        }
    }
}

#[test]
fn names_have_one_spelling() {
    let prefix = Prefix::new(0xab);
    for name in [
        "00.m4s",
        "01.m4s",
        "1.00.m4s",
        "+1.m4s",
        "1..m4s",
        ".m4s",
        "-1.m4s",
        "1.2.3.m4s",
    ] {
        let text = format!("00000000000000ab-{name}");
        assert_eq!(Name::parse(&prefix, &text), None, "{name}");
    }
}
