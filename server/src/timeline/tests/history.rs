//! What was on, held against the timeline asked at every second.

use super::*;
use crate::timeline::History;

fn every(n: usize, interval_millis: u64) -> Timeline {
    let settings = Settings {
        interval_millis,
        transition: Transition::Cut,
    };
    Timeline::new(settings, playlist(n), None, UnixMillis(0))
}

#[test]
fn history_is_what_was_on_at_each_second_whatever_was_commanded() {
    let mut timeline = every(40, 7_000);
    let start = 1_800_000_000_000;
    let mut history = History::default();
    let mut on: Vec<Slide> = Vec::new();
    for second in 0..5000_u64 {
        let now = UnixMillis(start + second * 1000);
        let act = match second {
            500 | 505 => Some(Act::Next),
            700 => Some(Act::Previous),
            900 => Some(Act::Pause),
            1000 => Some(Act::Resume),
            _ => None,
        };
        let showing = timeline.at(now).unwrap().current;
        if on.last().is_none_or(|last| last.no != showing.no) {
            on.push(showing);
        }
        // Looked at now and then, and before and after each command.
        if second % 13 == 0 || act.is_some() || second == 4999 {
            history.note(&timeline, now);
        }
        if let Some(act) = act {
            timeline.act(act, now).unwrap();
            history.note(&timeline, now);
            on.push(timeline.at(now).unwrap().current);
            on.dedup_by_key(|slide| slide.no);
        }
    }
    let told: Vec<Slide> = history.latest_first().collect();
    let earliest = start + 4999 * 1000 - 3_600_000;
    let expected: Vec<Slide> = on
        .iter()
        .rev()
        .take_while(|slide| slide.starts_at.0 >= earliest)
        .copied()
        .collect();
    assert!(expected.len() > 450);
    let photos = |slides: &[Slide]| -> Vec<_> {
        slides.iter().map(|slide| (slide.no, slide.photo)).collect()
    };
    assert_eq!(photos(&told)[..expected.len()], photos(&expected)[..]);
    // The one before was on in that hour as well.
    assert_eq!(told.len(), expected.len() + 1);
}

#[test]
fn a_clock_that_was_set_back_or_slept_makes_no_history_of_its_own() {
    let timeline = every(9, 1_000);
    let mut history = History::default();
    for now in [10_000_000, 5_000_000, 5_003_000] {
        history.note(&timeline, UnixMillis(now));
    }
    assert_eq!(history.latest_first().count(), 5);
    // A year later the last hour counts.
    history.note(&timeline, UnixMillis(40_000_000_000));
    assert!((3599..=3600).contains(&history.latest_first().count()));
}
