//! Slides that move, in virtual time.

use super::*;

const CLIP_MILLIS: u32 = 25_000;
/// How long a slide of a clip stays: it comes, plays, and stands for a moment.
const STAYS: u64 = 1000 + 25_000 + 1000;

/// Photos of which every third plays so long.
fn entries(n: usize, plays_millis: u32) -> Vec<Entry> {
    let name = |i: usize| format!("{i}.jpg");
    (0..n)
        .map(|i| Entry {
            id: PhotoId::of(name(i).as_bytes()),
            taken: 0,
            name: name(i).into(),
            shape: Shape::Unknown,
            album: 0,
            camera: 0,
            likeness: None,
            added: 0,
            favourite: false,
            plays_millis: if i % 3 == 1 { plays_millis } else { 0 },
        })
        .collect()
}

fn playing(plays_millis: u32, now: u64) -> Timeline {
    let playlist = Playlist::new(entries(9, plays_millis), Order::Shuffle, 1);
    Timeline::new(SETTINGS, Arc::new(playlist), None, UnixMillis(now))
}

fn plays(showing: &Showing) -> bool {
    let playing: Vec<PhotoId> = entries(9, 1)
        .into_iter()
        .filter(|entry| entry.plays_millis > 0)
        .map(|entry| entry.id)
        .collect();
    playing.contains(&showing.current.photo)
}

#[test]
fn what_moves_is_seen_to_its_end_and_others_stay_an_interval() {
    let timeline = playing(CLIP_MILLIS, NOW);
    let mut now = NOW;
    let mut n_playing = 0;
    for _ in 0..40 {
        let showing = at(&timeline, now);
        let stays = showing.next.starts_at.0 - showing.current.starts_at.0;
        let is_playing = plays(&showing);
        n_playing += u32::from(is_playing);
        assert_eq!(stays, if is_playing { STAYS } else { 10_000 });
        for within in [0, 1, stays / 2, stays - 1] {
            let moment = showing.current.starts_at.0 + within;
            assert_eq!(at(&timeline, moment), showing);
        }
        now = showing.next.starts_at.0;
        assert_eq!(at(&timeline, now).current, showing.next);
    }
    assert!((12..=15).contains(&n_playing), "{n_playing}");
}

#[test]
fn a_short_clip_takes_no_more_than_an_interval() {
    let (short, still) = (playing(7_000, NOW), playing(0, NOW));
    for now in (NOW..NOW + 300_000).step_by(777) {
        assert_eq!(at(&short, now), at(&still, now));
    }
}

#[test]
fn moving_the_anchor_changes_nothing_that_is_on() {
    let timeline = playing(CLIP_MILLIS, NOW);
    let mut moved = timeline.clone();
    let mut n_moved = 0;
    for now in (NOW..NOW + 3_600_000).step_by(1777) {
        assert_eq!(at(&moved, now), at(&timeline, now), "after {}", now - NOW);
        if moved.is_far(UnixMillis(now)) {
            moved.settle(UnixMillis(now));
            n_moved += 1;
            assert!(!moved.is_far(UnixMillis(now)));
        }
    }
    assert!(n_moved > 3, "{n_moved}");
}

/// Slides are counted one by one, but not over years; and each of them is there, in order, with a length.
#[test]
fn an_anchor_of_long_ago_is_no_burden() {
    let playlist = Playlist::new(entries(9, CLIP_MILLIS), Order::Shuffle, 1);
    let mut timeline = Timeline::new(SETTINGS, Arc::new(playlist), None, UnixMillis(0));
    let showing = at(&timeline, NOW);
    assert!(showing.current.starts_at.0 <= NOW && NOW < showing.next.starts_at.0);
    timeline.settle(UnixMillis(NOW));
    assert_eq!(at(&timeline, NOW), showing);
    assert!(!timeline.is_far(UnixMillis(NOW)));
}

#[test]
fn commands_begin_a_clip_anew_and_a_pause_holds_it() {
    let mut timeline = playing(CLIP_MILLIS, NOW);
    let clip = PhotoId::of(b"1.jpg");
    timeline.act(Act::Show(clip), UnixMillis(NOW)).unwrap();
    let on = at(&timeline, NOW + STAYS - 1);
    assert_eq!((on.current.photo, on.next.starts_at.0), (clip, NOW + STAYS));
    timeline.act(Act::Pause, UnixMillis(NOW + 5_000)).unwrap();
    assert_eq!(at(&timeline, NOW + 900_000).current.photo, clip);
    timeline
        .act(Act::Resume, UnixMillis(NOW + 900_000))
        .unwrap();
    let on = at(&timeline, NOW + 900_000);
    assert_eq!(on.next.starts_at.0, NOW + 900_000 + STAYS);
    timeline.act(Act::Next, UnixMillis(NOW + 901_000)).unwrap();
    let on = at(&timeline, NOW + 901_000);
    assert_eq!(on.current.starts_at.0, NOW + 901_000);
}
