//! Long times without events.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_day_shows_every_slide_once_in_order_and_none_late() {
    let house = House::start(Plan::default());
    let viewer = house.watch(Kind::Stills);
    sleep(24 * HOUR).await;
    let seen = viewer.take();
    // The first is on for some time already when somebody comes.
    let first = seen[0].slide.unwrap();
    assert_eq!(seen.len(), 8641);
    let photos = house.photos();
    let begins = photos
        .iter()
        .position(|(_, name)| *name == seen[0].picture)
        .unwrap();
    for (n, seen) in seen.iter().enumerate() {
        assert_eq!(seen.slide, Some(first + n as u64));
        assert_eq!(seen.picture, photos[(begins + n) % photos.len()].1);
        assert!(n == 0 || seen.lateness() <= TICK, "{seen:?}");
    }
    // Of a slide that is shown for the second time the picture is made again, but not twice at a time.
    assert_eq!(house.maker.n_made.load(SeqCst), 8642);
}

#[tokio::test(start_paused = true)]
async fn an_hour_of_crossfades_keeps_every_promise_and_moment() {
    let fade = Duration::from_secs(1);
    let house = House::start(Plan {
        transition: Transition::Crossfade { millis: 1000 },
        ..Plan::default()
    });
    let viewer = house.watch(Kind::Motion);
    sleep(HOUR).await;
    let seen = viewer.take();
    for pair in seen.windows(2) {
        assert_eq!(pair[0].next, Some(pair[1].no), "{pair:?}");
    }
    let interval = millis(house.plan.interval);
    let standing = seen.iter().filter(|seen| seen.picture.contains("img"));
    let standing: Vec<&Seen> = standing.collect();
    assert_eq!(standing.len(), 361, "one a slide");
    for seen in &standing[1..] {
        let moved = (seen.at - seen.at / interval * interval).abs_diff(millis(fade));
        assert!(moved <= TICK, "{moved} ms after its transition: {seen:?}");
    }
    // Ten frames a second, as long as it moves.
    assert_eq!(seen.len() - standing.len(), 10 * 360);
}
