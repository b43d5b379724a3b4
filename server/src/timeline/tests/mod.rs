//! The timeline in virtual time.

use proptest::prelude::*;

use super::*;

mod arrivals;
mod encores;
mod fresh;
mod history;
mod stays;

const SETTINGS: Settings = Settings {
    interval_millis: 10_000,
    transition: Transition::Crossfade { millis: 1000 },
};

fn playlist(n: usize) -> Arc<Playlist> {
    without(n, &[])
}

fn without(n: usize, gone: &[PhotoId]) -> Arc<Playlist> {
    let entries = (0..n)
        .map(|i| format!("{i}.jpg"))
        .map(|name| Entry {
            id: PhotoId::of(name.as_bytes()),
            taken: 0,
            name: name.as_str().into(),
            shape: Shape::Unknown,
            album: 0,
            camera: 0,
            likeness: None,
            added: 0,
            favourite: false,
            plays_millis: 0,
        })
        .filter(|entry| !gone.contains(&entry.id))
        .collect();
    Arc::new(Playlist::new(entries, Order::Shuffle, 1))
}

fn timeline(n: usize) -> Timeline {
    Timeline::new(SETTINGS, playlist(n), None, UnixMillis(0))
}

fn at(timeline: &Timeline, now: u64) -> Showing {
    timeline.at(UnixMillis(now)).unwrap()
}

const NOW: u64 = 1_800_000_003_000;

#[test]
fn a_slide_is_where_the_clock_says_on_every_screen() {
    let (a, b) = (timeline(9), timeline(9));
    for now in (NOW..NOW + 300_000).step_by(777) {
        let showing = at(&a, now);
        assert_eq!(showing, at(&b, now));
        assert_eq!(showing.current.no.0, now / 10_000);
        assert_eq!(showing.current.starts_at.0, now / 10_000 * 10_000);
        let later = at(&a, showing.next.starts_at.0);
        assert_eq!(later.current, showing.next);
    }
}

#[test]
fn next_brings_the_promised_slide_at_once() {
    let mut timeline = timeline(9);
    let promised = at(&timeline, NOW).next;
    timeline.act(Act::Next, UnixMillis(NOW)).unwrap();
    let current = at(&timeline, NOW).current;
    assert_eq!((current.no, current.photo), (promised.no, promised.photo));
    assert_eq!(current.starts_at.0, NOW);
}

#[test]
fn previous_goes_back_under_a_number_nobody_was_promised() {
    let mut timeline = timeline(9);
    let before = at(&timeline, NOW - 10_000).current;
    let promised = at(&timeline, NOW).next;
    timeline.act(Act::Previous, UnixMillis(NOW)).unwrap();
    let showing = at(&timeline, NOW);
    assert_eq!(showing.current.photo, before.photo);
    assert!(showing.current.no > promised.no);
}

#[test]
fn show_interrupts_and_the_playlist_goes_on() {
    let mut timeline = timeline(9);
    let showing = at(&timeline, NOW);
    let other = at(&timeline, NOW + 50_000).current.photo;
    timeline.act(Act::Show(other), UnixMillis(NOW)).unwrap();
    assert_eq!(at(&timeline, NOW).current.photo, other);
    assert_eq!(at(&timeline, NOW).next.photo, showing.next.photo);
    assert_eq!(
        at(&timeline, NOW + 10_000).current.photo,
        showing.next.photo
    );
    timeline.act(Act::Show(other), UnixMillis(NOW + 1)).unwrap();
    timeline.act(Act::Previous, UnixMillis(NOW + 2)).unwrap();
    assert_eq!(at(&timeline, NOW + 2).current.photo, showing.current.photo);
    let unknown = PhotoId(1);
    assert_eq!(
        timeline.act(Act::Show(unknown), UnixMillis(NOW)),
        Err(UnknownPhoto(unknown))
    );
}

#[test]
fn pause_stands_for_ever_and_commands_work_in_it() {
    let mut timeline = timeline(9);
    let current = at(&timeline, NOW).current;
    timeline.act(Act::Pause, UnixMillis(NOW)).unwrap();
    let later = at(&timeline, NOW + 86_400_000);
    assert_eq!((later.current, later.paused), (current, true));
    timeline
        .act(Act::Next, UnixMillis(NOW + 90_000_000))
        .unwrap();
    let stepped = at(&timeline, NOW + 99_000_000);
    assert_eq!(
        (stepped.current.no.0, stepped.paused),
        (current.no.0 + 1, true)
    );
    timeline
        .act(Act::Resume, UnixMillis(NOW + 100_000_000))
        .unwrap();
    let resumed = at(&timeline, NOW + 100_000_000);
    assert!(!resumed.paused);
    assert_eq!(resumed.current.no, stepped.current.no);
    assert_eq!(resumed.next.starts_at.0, NOW + 100_010_000);
}

#[test]
fn another_interval_keeps_the_slide_and_the_one_announced() {
    for millis in [1_000, 4_000, 60_000] {
        let mut timeline = timeline(9);
        // Nine of the slide's ten seconds are over: by a shorter interval others would have
        // come since.
        let then = NOW - NOW % 10_000 + 9_000;
        let before = at(&timeline, then);
        let interval = Act::Interval(NonZeroU64::new(millis).unwrap());
        timeline.act(interval, UnixMillis(then)).unwrap();
        let after = at(&timeline, then);
        assert_eq!(
            (after.current.no, after.current.photo),
            (before.current.no, before.current.photo)
        );
        assert_eq!(
            (after.next.no, after.next.photo),
            (before.next.no, before.next.photo)
        );
        assert_eq!(after.next.starts_at.0, then + millis);
        // Numbers only grow, one at a time.
        let mut last = after.current.no.0;
        for now in (then..then + 20 * millis).step_by(millis as usize / 4) {
            let no = at(&timeline, now).current.no.0;
            assert!(no == last || no == last + 1, "{no} after {last}");
            last = no;
        }
        assert_eq!(last, before.current.no.0 + 19);
    }
}

#[test]
fn another_interval_during_a_pause_ends_no_pause() {
    let mut timeline = timeline(9);
    timeline.act(Act::Pause, UnixMillis(NOW)).unwrap();
    let before = at(&timeline, NOW);
    let interval = Act::Interval(NonZeroU64::new(1_000).unwrap());
    timeline.act(interval, UnixMillis(NOW + 50_000)).unwrap();
    let after = at(&timeline, NOW + 90_000);
    assert!(after.paused);
    assert_eq!(
        (after.current.no, after.current.photo),
        (before.current.no, before.current.photo)
    );
    timeline.act(Act::Resume, UnixMillis(NOW + 90_000)).unwrap();
    let resumed = at(&timeline, NOW + 90_000);
    assert_eq!(resumed.next.starts_at.0, NOW + 91_000);
}

#[test]
fn a_photo_that_goes_away_gives_way_at_once_and_no_other_moves() {
    let mut timeline = timeline(9);
    let showing = at(&timeline, NOW);
    timeline.set_playlist(without(9, &[showing.current.photo]), UnixMillis(NOW));
    let after = at(&timeline, NOW);
    assert_eq!(
        (after.current.no, after.current.photo),
        (showing.next.no, showing.next.photo)
    );
    assert_eq!(after.current.starts_at.0, NOW);

    let upcoming = after.next;
    timeline.set_playlist(
        without(9, &[showing.current.photo, upcoming.photo]),
        UnixMillis(NOW + 1),
    );
    let then = at(&timeline, NOW + 1);
    assert_eq!(then.current, after.current);
    assert_ne!(then.next.photo, upcoming.photo);
}

#[test]
fn losing_all_photos_and_getting_them_back() {
    let mut timeline = timeline(3);
    timeline.set_playlist(playlist(0), UnixMillis(NOW));
    assert_eq!(timeline.at(UnixMillis(NOW)), None);
    assert!(timeline.act(Act::Next, UnixMillis(NOW)).is_ok());
    timeline.set_playlist(playlist(3), UnixMillis(NOW));
    assert!(timeline.at(UnixMillis(NOW)).is_some());
}

#[test]
fn a_clock_set_back_does_not_hold_a_slide_up() {
    let mut timeline = timeline(9);
    let current = at(&timeline, NOW).current;
    timeline.clock_went_back(UnixMillis(NOW), UnixMillis(NOW - 3_600_000));
    let showing = at(&timeline, NOW - 3_600_000);
    assert_eq!(
        (showing.current.no, showing.current.photo),
        (current.no, current.photo)
    );
    assert_eq!(showing.next.starts_at.0, NOW - 3_600_000 + 10_000);
}

proptest! {
    #[test]
    fn a_restart_goes_on_and_numbers_only_grow(
        acts in proptest::collection::vec((0u8..6, 0u64..40_000), 0..40),
        interval in 500u64..60_000,
    ) {
        let mut timeline = timeline(7);
        let mut now = NOW;
        let mut last = at(&timeline, now).current.no;
        for (kind, wait) in acts {
            now += wait;
            let before = at(&timeline, now);
            prop_assert!(before.current.no >= last);
            let act = match kind {
                0 => Act::Next,
                1 => Act::Previous,
                2 => Act::Pause,
                3 => Act::Resume,
                4 => Act::Show(before.next.photo),
                // The photo that is on, shown out of turn, may be the next one too.
                _ if before.current.photo == before.next.photo => continue,
                _ => {
                    timeline.set_playlist(without(7, &[before.next.photo]), UnixMillis(now));
                    timeline.set_playlist(playlist(7), UnixMillis(now));
                    prop_assert_eq!(at(&timeline, now).current, before.current);
                    continue;
                }
            };
            timeline.act(act, UnixMillis(now)).unwrap();
            prop_assert!(at(&timeline, now).current.no >= before.current.no);
            last = at(&timeline, now).current.no;
        }
        let again = Timeline::new(SETTINGS, playlist(7), Some(timeline.saved()), UnixMillis(now));
        prop_assert_eq!(at(&again, now + 5), at(&timeline, now + 5));

        let settings = Settings { interval_millis: interval, ..SETTINGS };
        let mut late = Timeline::new(settings, playlist(0), Some(timeline.saved()), UnixMillis(now));
        late.set_playlist(playlist(7), UnixMillis(now));
        prop_assert!(at(&late, now).current.no.0 >= last.0);
        let other = Timeline::new(settings, playlist(7), Some(timeline.saved()), UnixMillis(now));
        prop_assert!(at(&other, now).current.no >= last);
    }
}

#[test]
fn a_photo_that_followed_itself_gives_way_to_the_second_one() {
    let mut timeline = timeline(1);
    let only = at(&timeline, NOW).current.photo;
    timeline.set_playlist(playlist(2), UnixMillis(NOW));
    assert_eq!(at(&timeline, NOW).current.photo, only);
    assert_ne!(at(&timeline, NOW).next.photo, only);
}
