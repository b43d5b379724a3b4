//! The player in virtual time.

use super::*;

/// A picture that can be told apart.
type Player = super::Player<&'static str>;

fn part(slide: u64, at: f64) -> Announcement {
    Announcement {
        slide: SlideNo(slide),
        fingerprint: Fingerprint(slide),
        show_at: Some(Local(at)),
        fade_millis: 1000.0,
        dwell_millis: 0.0,
        paused: false,
    }
}

fn decode(player: &mut Player, part: Announcement, picture: &'static str) {
    match player.announce(part) {
        Verdict::Decode(ticket) => assert!(player.decoded(ticket, picture)),
        other => panic!("{other:?}"),
    }
}

fn drawn(player: &Player, now: f64) -> Vec<(&'static str, f64)> {
    player
        .layers(Local(now))
        .map(|shown| (*shown.picture, shown.alpha))
        .collect()
}

/// Slide 1 shows at 0, slide 2 waits for 10,000.
fn two_slides() -> Player {
    let mut player = Player::default();
    decode(&mut player, part(1, -4000.0), "one");
    assert_eq!(
        player.advance(Local(0.0)),
        Step {
            draw: true,
            gently: false,
            wake: Wake::Never
        }
    );
    decode(&mut player, part(2, 10_000.0), "two");
    player
}

#[test]
fn the_first_picture_shows_at_once_and_whole() {
    let player = two_slides();
    assert_eq!(drawn(&player, 0.0), [("one", 1.0)]);
    assert_eq!(
        (player.showing(), player.phase()),
        (Some(SlideNo(1)), Phase::Playing)
    );
}

#[test]
fn nothing_is_drawn_while_a_slide_stands() {
    let mut player = two_slides();
    for now in [1.0, 5000.0, 9999.0] {
        let step = player.advance(Local(now));
        assert_eq!(
            step,
            Step {
                draw: false,
                gently: false,
                wake: Wake::At(Local(10_000.0))
            }
        );
    }
}

#[test]
fn a_crossfade_runs_from_the_given_moment_over_an_opaque_picture() {
    let mut player = two_slides();
    // The display's refresh comes 7 ms after the slide's moment: the schedule counts, not the
    // refresh.
    assert_eq!(
        player.advance(Local(10_007.0)),
        Step {
            draw: true,
            gently: false,
            wake: Wake::NextFrame
        }
    );
    assert_eq!(player.showing(), Some(SlideNo(2)));
    let mut last = 0.0;
    for now in (10_010..11_000).step_by(16) {
        let now = f64::from(now);
        assert!(player.advance(Local(now)).draw);
        let layers = drawn(&player, now);
        assert_eq!(layers[0], ("one", 1.0));
        assert_eq!(layers[1].0, "two");
        assert!(layers[1].1 > last && layers[1].1 < 1.0, "{layers:?}");
        last = layers[1].1;
    }
    assert_eq!(drawn(&player, 10_500.0)[1].1, 0.5);
    // The last frame is drawn whole, then nothing moves.
    assert_eq!(
        player.advance(Local(11_001.0)),
        Step {
            draw: true,
            gently: false,
            wake: Wake::Never
        }
    );
    assert_eq!(drawn(&player, 11_001.0), [("two", 1.0)]);
    assert_eq!(
        player.advance(Local(11_017.0)),
        Step {
            draw: false,
            gently: false,
            wake: Wake::Never
        }
    );
}

#[test]
fn a_cut_takes_no_time() {
    let mut player = two_slides();
    player.announce(Announcement {
        fade_millis: 0.0,
        ..part(2, 10_000.0)
    });
    assert_eq!(
        player.advance(Local(10_003.0)),
        Step {
            draw: true,
            gently: false,
            wake: Wake::Never
        }
    );
    assert_eq!(drawn(&player, 10_003.0), [("two", 1.0)]);
}

#[test]
fn a_picture_that_is_late_starts_its_fade_when_it_is_ready() {
    let mut player = Player::default();
    decode(&mut player, part(1, 0.0), "one");
    player.advance(Local(0.0));
    let Verdict::Decode(ticket) = player.announce(part(2, 10_000.0)) else {
        panic!()
    };
    assert_eq!(
        player.advance(Local(10_500.0)),
        Step {
            draw: false,
            gently: false,
            wake: Wake::Never
        }
    );
    assert_eq!(drawn(&player, 10_500.0), [("one", 1.0)]);
    player.decoded(ticket, "two");
    player.advance(Local(12_000.0));
    assert_eq!(drawn(&player, 12_000.0), [("one", 1.0), ("two", 0.0)]);
    assert_eq!(drawn(&player, 12_500.0)[1], ("two", 0.5));
}

#[test]
fn a_part_for_an_earlier_moment_replaces_what_is_pending() {
    let mut player = two_slides();
    let Verdict::Decode(late) = player.announce(part(3, 10_000.0)) else {
        panic!()
    };
    decode(&mut player, part(4, 200.0), "four");
    assert!(!player.decoded(late, "three"));
    player.advance(Local(250.0));
    assert_eq!(
        (player.showing(), player.pending()),
        (Some(SlideNo(4)), None)
    );
    assert_eq!(player.n_skipped(), 2);
}

#[test]
fn the_slide_to_show_now_is_not_lost_to_the_one_after_it() {
    let mut player = Player::default();
    let Verdict::Decode(now) = player.announce(part(1, -4000.0)) else {
        panic!()
    };
    let Verdict::Decode(ahead) = player.announce(part(2, 6000.0)) else {
        panic!()
    };
    assert!(player.wants(now) && player.wants(ahead));
    assert!(player.decoded(now, "one"));
    player.advance(Local(10.0));
    assert_eq!(player.showing(), Some(SlideNo(1)));
    assert!(player.decoded(ahead, "two"));
    assert_eq!(player.advance(Local(20.0)).wake, Wake::At(Local(6000.0)));
}

#[test]
fn a_slide_that_is_due_is_not_lost_to_the_next_one_that_comes_in_the_same_moment() {
    let mut player = two_slides();
    decode(&mut player, part(3, 20_000.0), "three");
    assert_eq!(player.advance(Local(10_002.0)).wake, Wake::NextFrame);
    assert_eq!(player.showing(), Some(SlideNo(2)));
    assert_eq!(
        player.advance(Local(11_500.0)).wake,
        Wake::At(Local(20_000.0))
    );
    assert_eq!(player.n_skipped(), 0);
}

#[test]
fn of_several_slides_that_are_due_the_newest_wins() {
    let mut player = two_slides();
    decode(&mut player, part(3, 20_000.0), "three");
    // The device slept.
    player.advance(Local(25_000.0));
    assert_eq!(
        (player.showing(), player.n_skipped()),
        (Some(SlideNo(3)), 1)
    );
}

#[test]
fn an_engine_slower_than_the_stream_still_shows_pictures() {
    let mut player = Player::default();
    let mut jobs = Vec::new();
    let mut n_shown = 0;
    // A slide each second, and seven seconds to decode one.
    for second in 1..100_u64 {
        let now = 1000.0 * second as f64;
        match player.announce(part(second, now)) {
            Verdict::Decode(ticket) => jobs.push(ticket),
            other => panic!("{other:?}"),
        }
        if second % 7 == 0 {
            jobs.retain(|job| player.wants(*job));
            let before = player.showing();
            player.decoded(jobs.remove(0), "picture");
            player.advance(Local(now));
            n_shown += usize::from(player.showing() != before);
        }
    }
    assert_eq!(n_shown, 14);
}

#[test]
fn next_re_times_the_pending_slide_without_decoding_it_again() {
    let mut player = two_slides();
    assert_eq!(player.announce(part(2, 3000.0)), Verdict::Known);
    assert_eq!(player.advance(Local(2999.0)).wake, Wake::At(Local(3000.0)));
    player.advance(Local(3001.0));
    assert_eq!(player.showing(), Some(SlideNo(2)));
}

#[test]
fn a_pause_drops_what_is_pending_and_resuming_brings_it_again() {
    let mut player = two_slides();
    assert_eq!(
        player.announce(Announcement {
            paused: true,
            ..part(1, 0.0)
        }),
        Verdict::Known
    );
    assert_eq!((player.phase(), player.pending()), (Phase::Paused, None));
    assert_eq!(
        player.advance(Local(20_000.0)),
        Step {
            draw: false,
            gently: false,
            wake: Wake::Never
        }
    );
    assert_eq!(player.announce(part(1, 0.0)), Verdict::Known);
    assert_eq!(player.phase(), Phase::Playing);
    decode(&mut player, part(2, 30_000.0), "two");
    assert_eq!(
        player.advance(Local(20_500.0)).wake,
        Wake::At(Local(30_000.0))
    );
}

#[test]
fn a_pause_in_the_moment_of_a_change_goes_back_to_the_servers_slide() {
    let mut player = two_slides();
    player.advance(Local(10_000.0));
    player.advance(Local(11_500.0));
    decode(
        &mut player,
        Announcement {
            paused: true,
            ..part(1, 0.0)
        },
        "one",
    );
    player.advance(Local(12_000.0));
    player.advance(Local(13_000.0));
    assert_eq!(
        (player.showing(), player.phase()),
        (Some(SlideNo(1)), Phase::Paused)
    );
}

#[test]
fn older_parts_are_ignored() {
    let mut player = two_slides();
    player.advance(Local(10_000.0));
    assert_eq!(player.announce(part(1, 0.0)), Verdict::Stale);
    assert_eq!(player.showing(), Some(SlideNo(2)));
}

#[test]
fn another_size_is_decoded_beside_the_old_picture_and_swapped_in_place() {
    let mut player = two_slides();
    player.connected();
    let bigger = Announcement {
        fingerprint: Fingerprint(77),
        ..part(1, -4000.0)
    };
    let Verdict::Decode(ticket) = player.announce(bigger) else {
        panic!()
    };
    assert_eq!(player.announce(bigger), Verdict::Known);
    assert!(!player.advance(Local(100.0)).draw);
    assert_eq!(drawn(&player, 100.0), [("one", 1.0)]);
    assert!(player.decoded(ticket, "one, bigger"));
    assert!(player.advance(Local(200.0)).draw);
    assert_eq!(drawn(&player, 200.0), [("one, bigger", 1.0)]);
    assert_eq!(player.pending(), Some((SlideNo(2), true)));
}

#[test]
fn a_resize_during_a_crossfade_keeps_the_fade_going() {
    let mut player = two_slides();
    player.advance(Local(10_000.0));
    player.connected();
    let bigger = Announcement {
        fingerprint: Fingerprint(77),
        ..part(2, 10_000.0)
    };
    decode(&mut player, bigger, "two, bigger");
    player.advance(Local(10_500.0));
    assert_eq!(
        drawn(&player, 10_500.0),
        [("one", 1.0), ("two, bigger", 0.5)]
    );
}

#[test]
fn a_refresh_that_comes_after_its_slide_has_gone_is_dropped() {
    let mut player = two_slides();
    player.connected();
    let bigger = Announcement {
        fingerprint: Fingerprint(77),
        ..part(1, -4000.0)
    };
    let Verdict::Decode(ticket) = player.announce(bigger) else {
        panic!()
    };
    player.advance(Local(10_000.0));
    assert!(!player.decoded(ticket, "one, bigger"));
    assert_eq!(drawn(&player, 10_500.0)[0], ("one", 1.0));
}

#[test]
fn the_last_picture_stays_and_the_pending_one_still_shows_without_a_connection() {
    let mut player = two_slides();
    player.disconnected();
    assert_eq!(player.phase(), Phase::Reconnecting);
    player.advance(Local(10_000.0));
    player.advance(Local(99_000.0));
    assert_eq!(drawn(&player, 99_000.0), [("two", 1.0)]);
    assert_eq!(player.phase(), Phase::Reconnecting);
}

#[test]
fn a_server_that_counts_anew_is_followed() {
    let mut player = two_slides();
    player.advance(Local(10_000.0));
    player.disconnected();
    player.connected();
    assert_eq!(player.phase(), Phase::Reconnecting);
    decode(
        &mut player,
        Announcement {
            slide: SlideNo(0),
            ..part(9, 14_000.0)
        },
        "zero",
    );
    player.advance(Local(15_000.0));
    assert_eq!(
        (player.showing(), player.phase()),
        (Some(SlideNo(0)), Phase::Playing)
    );
    // The slide was due a second ago: the whole fade runs from now.
    assert_eq!(drawn(&player, 15_000.0), [("two", 1.0), ("zero", 0.0)]);
    assert_eq!(player.n_skipped(), 0);
}

#[test]
fn next_during_a_crossfade_blends_three_and_makes_a_fourth_wait() {
    let mut player = two_slides();
    player.advance(Local(10_000.0));
    decode(&mut player, part(3, 10_200.0), "three");
    player.advance(Local(10_200.0));
    decode(&mut player, part(4, 10_400.0), "four");
    let step = player.advance(Local(10_450.0));
    assert_eq!(
        step,
        Step {
            draw: true,
            gently: false,
            wake: Wake::NextFrame
        }
    );
    let names: Vec<_> = drawn(&player, 10_450.0)
        .iter()
        .map(|layer| layer.0)
        .collect();
    assert_eq!(names, ["one", "two", "three"]);
    // "two" covers "one" at 11,000: now there is room.
    player.advance(Local(11_000.0));
    let names: Vec<_> = drawn(&player, 11_000.0)
        .iter()
        .map(|layer| layer.0)
        .collect();
    assert_eq!(names, ["two", "three", "four"]);
    player.advance(Local(12_100.0));
    assert_eq!(drawn(&player, 12_100.0), [("four", 1.0)]);
}

#[test]
fn an_undecodable_picture_leaves_the_old_one() {
    let mut player = Player::default();
    decode(&mut player, part(1, 0.0), "one");
    player.advance(Local(0.0));
    let Verdict::Decode(ticket) = player.announce(part(2, 10.0)) else {
        panic!()
    };
    player.undecodable(ticket);
    assert_eq!(
        player.advance(Local(20.0)),
        Step {
            draw: false,
            gently: false,
            wake: Wake::Never
        }
    );
    decode(&mut player, part(3, 30.0), "three");
    player.advance(Local(30.0));
    assert_eq!(
        (player.showing(), player.n_skipped()),
        (Some(SlideNo(3)), 1)
    );
}

#[test]
fn pictures_are_dropped_when_they_are_covered() {
    use std::rc::Rc;
    let picture = Rc::new(());
    let mut player = super::Player::default();
    for slide in 1..50_u64 {
        let at = Local(10_000.0 * slide as f64);
        let announcement = Announcement {
            show_at: Some(at),
            ..part(slide, 0.0)
        };
        let Verdict::Decode(ticket) = player.announce(announcement) else {
            panic!()
        };
        assert!(player.decoded(ticket, Rc::clone(&picture)));
        player.advance(at);
        assert!(Rc::strong_count(&picture) <= 3);
        player.advance(at.after(1000.0));
        assert_eq!(Rc::strong_count(&picture), 2);
    }
}

#[test]
fn standing_pictures_move_only_where_that_is_wanted_and_as_long_as_they_stand() {
    let mut player = Player::default();
    let moving = Announcement {
        dwell_millis: 9000.0,
        ..part(2, 0.0)
    };
    decode(&mut player, moving, "two");
    player.advance(Local(0.0));
    assert_eq!(player.advance(Local(16.0)).wake, Wake::Never);
    player.set_moves(true);
    assert!(!player.advance(Local(32.0)).gently, "first as it is");
    let step = player.advance(Local(5000.0));
    assert!(step.draw && step.gently && step.wake == Wake::NextFrame);
    let progress = |player: &Player, now| {
        let shown = player.layers(Local(now)).next().expect("a picture");
        shown.progress.expect("it moves").done
    };
    assert_eq!(progress(&player, 5000.0), 0.5);
    // The move goes on below the picture that fades in over it, and no further.
    assert_eq!(player.advance(Local(10_000.0)).wake, Wake::Never);
    assert_eq!(progress(&player, 60_000.0), 1.0);
}

#[test]
fn a_move_goes_on_after_every_frame_that_draws_something_else() {
    for fade_millis in [0.0, 1000.0] {
        let mut player = Player::default();
        player.set_moves(true);
        for slide in 1..4 {
            // Each is there before the one that it follows begins, so that nothing comes that would wake the screen.
            let at = (slide - 1) as f64 * 9000.0;
            let moving = Announcement {
                dwell_millis: 9000.0,
                fade_millis,
                ..part(slide, at)
            };
            decode(&mut player, moving, "it");
        }
        // The screen refreshes only when it is asked to.
        let mut now = 0.0;
        while now < 26_000.0 {
            let step = player.advance(Local(now));
            assert_eq!(step.wake, Wake::NextFrame, "{now} with {fade_millis}");
            now += 16.0;
        }
    }
}

/// What interrupts a gallery: it has no moment of its own, and other numbers.
fn live(slide: u64) -> Announcement {
    Announcement {
        show_at: None,
        fade_millis: 0.0,
        fingerprint: Fingerprint(slide + 1_000_000),
        ..part(slide, 0.0)
    }
}

#[test]
fn live_pictures_that_interrupt_show_at_once_and_the_slide_that_waited_does_not() {
    for number in [1_760_000_000_000, 5, 2] {
        let mut player = two_slides();
        decode(&mut player, live(number), "door");
        player.advance(Local(100.0));
        assert_eq!(drawn(&player, 100.0), [("door", 1.0)]);
        decode(&mut player, live(number + 1), "open door");
        player.advance(Local(10_500.0));
        assert_eq!(drawn(&player, 10_500.0), [("open door", 1.0)]);
        assert_eq!(player.n_skipped(), 0);
    }
}

#[test]
fn the_gallery_goes_on_behind_live_pictures_whatever_their_numbers() {
    let mut player = Player::default();
    decode(&mut player, part(41, -4000.0), "one");
    player.advance(Local(0.0));
    decode(&mut player, live(1_760_000_000_000), "door");
    player.advance(Local(100.0));
    // The next one is announced before the first one's picture is ready.
    let Verdict::Decode(first) = player.announce(part(43, 16_000.0)) else {
        panic!("a slide of the gallery");
    };
    let Verdict::Decode(next) = player.announce(part(44, 26_000.0)) else {
        panic!("the slide behind it");
    };
    assert!(player.decoded(first, "three") && player.decoded(next, "four"));
    player.advance(Local(20_000.0));
    player.advance(Local(21_500.0));
    assert_eq!(drawn(&player, 21_500.0), [("three", 1.0)]);
    player.advance(Local(26_000.0));
    player.advance(Local(27_500.0));
    assert_eq!(drawn(&player, 27_500.0), [("four", 1.0)]);
    assert_eq!(player.n_skipped(), 0);
}

#[test]
fn the_slide_that_was_interrupted_comes_back() {
    let mut player = two_slides();
    decode(&mut player, live(7), "door");
    player.advance(Local(100.0));
    decode(&mut player, part(1, -4000.0), "one");
    decode(&mut player, part(2, 10_000.0), "two");
    player.advance(Local(200.0));
    player.advance(Local(1300.0));
    assert_eq!(drawn(&player, 1300.0), [("one", 1.0)]);
    player.advance(Local(10_000.0));
    player.advance(Local(11_500.0));
    assert_eq!(drawn(&player, 11_500.0), [("two", 1.0)]);
}

/// A later picture of a slide, as one that moves has.
fn moved(slide: u64, at: f64, no: u64) -> Announcement {
    Announcement {
        fingerprint: Fingerprint(1000 + no),
        ..part(slide, at)
    }
}

fn ticket(verdict: Verdict) -> Ticket {
    match verdict {
        Verdict::Decode(ticket) => ticket,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_slide_that_moves_is_painted_at_once_and_what_follows_still_waits() {
    let mut player = two_slides();
    for no in 0..5 {
        let now = 100.0 * f64::from(u32::try_from(no).unwrap());
        decode(&mut player, moved(1, -4000.0, no), "moved");
        assert!(player.advance(Local(now)).draw);
        assert_eq!(drawn(&player, now), [("moved", 1.0)]);
    }
    assert_eq!(player.pending(), Some((SlideNo(2), true)));
    player.advance(Local(10_500.0));
    assert_eq!(drawn(&player, 10_500.0)[0], ("moved", 1.0));
    assert_eq!(player.showing(), Some(SlideNo(2)));
    assert_eq!(player.n_skipped(), 0);
}

/// Pictures come faster than they are decoded: each that is begun is shown, and none comes after a newer one.
#[test]
fn a_slow_engine_shows_some_of_what_moves() {
    let mut player = two_slides();
    let begun = ticket(player.announce(moved(1, -4000.0, 0)));
    let passed_over = ticket(player.announce(moved(1, -4000.0, 1)));
    let newest = ticket(player.announce(moved(1, -4000.0, 2)));
    assert!(!player.wants(passed_over));
    assert!(player.wants(begun) && player.decoded(begun, "begun"));
    assert_eq!(drawn(&player, 1.0), [("begun", 1.0)]);
    assert!(player.wants(newest) && player.decoded(newest, "newest"));
    assert!(!player.decoded(begun, "begun") && !player.decoded(passed_over, "passed over"));
    assert_eq!(drawn(&player, 2.0), [("newest", 1.0)]);
    assert_eq!(player.announce(moved(1, -4000.0, 2)), Verdict::Known);
}

/// A slide whose first picture is still being decoded when it moves already begins with that one.
#[test]
fn a_slow_engine_begins_what_moves() {
    let mut player = two_slides();
    let first = ticket(player.announce(part(3, 20_000.0)));
    for no in 0..5 {
        assert_eq!(player.announce(moved(3, 20_000.0, no)), Verdict::Known);
    }
    assert!(player.wants(first) && player.decoded(first, "three"));
    player.advance(Local(20_000.0));
    assert_eq!(player.showing(), Some(SlideNo(3)));
    decode(&mut player, moved(3, 20_000.0, 5), "moved");
}
