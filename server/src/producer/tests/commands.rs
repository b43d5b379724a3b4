//! What people do meanwhile.

use std::num::NonZeroU64;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_pause_holds_for_as_long_as_it_lasts_and_the_slide_gets_its_time_afterwards() {
    let house = House::start(Plan::default());
    let viewer = house.watch(Kind::Stills);
    sleep(MINUTE).await;
    house.act(Act::Pause).await;
    sleep(MINUTE).await;
    let paused = viewer.take().pop().unwrap();
    assert!(paused.paused);
    sleep(HOUR).await;
    assert_eq!(viewer.take(), []);
    house.act(Act::Resume).await;
    let resumed_at = house.clock.now().0;
    sleep(MINUTE).await;
    let seen = viewer.take();
    assert_eq!(seen[0].slide, paused.slide, "the same slide, told anew");
    assert!(!seen[0].paused);
    assert_eq!(
        seen[1].show_at,
        Some(resumed_at + millis(house.plan.interval))
    );
    assert_eq!(seen[1].slide, paused.slide.map(|slide| slide + 1));
    assert!(seen[1..].iter().all(|seen| seen.lateness() <= TICK));
}

#[tokio::test(start_paused = true)]
async fn next_is_on_at_once_and_numbers_only_grow() {
    let house = House::start(Plan::default());
    let viewer = house.watch(Kind::Stills);
    sleep(MINUTE).await;
    let mut last = viewer.take().pop().unwrap().slide.unwrap();
    for act in [
        Act::Next,
        Act::Next,
        Act::Previous,
        Act::Next,
        Act::Previous,
    ] {
        sleep(Duration::from_millis(3700)).await;
        house.act(act).await;
        let asked = house.clock.now().0;
        // The next one has been made; the one before may have to be made again.
        sleep(house.plan.takes + Duration::from_millis(TICK)).await;
        let seen = viewer.take();
        let on = seen.last().unwrap();
        assert_eq!(on.slide, Some(house.showing().current.no.0), "{act:?}");
        assert!(on.slide.unwrap() > last, "{act:?}");
        if act == Act::Next {
            assert!(on.at - asked <= TICK, "{act:?}: {on:?}");
        }
        last = on.slide.unwrap();
    }
    sleep(HOUR).await;
    let seen = viewer.take();
    let numbers: Vec<u64> = seen.iter().filter_map(|seen| seen.slide).collect();
    assert_eq!(numbers, (last + 1..=last + 360).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_photo_that_is_asked_for_is_on_as_soon_as_it_is_made_and_the_others_follow() {
    let house = House::start(Plan::default());
    let viewer = house.watch(Kind::Stills);
    sleep(MINUTE).await;
    let before = viewer.take().pop().unwrap();
    let photos = house.photos();
    let at = |picture: &str| photos.iter().position(|(_, name)| name == picture).unwrap();
    let far = (at(&before.picture) + 12) % photos.len();
    house.act(Act::Show(photos[far].0)).await;
    let asked = house.clock.now().0;
    sleep(MINUTE).await;
    let seen = viewer.take();
    assert_eq!(seen[0].picture, photos[far].1);
    assert!(seen[0].at - asked <= millis(house.plan.takes) + TICK);
    assert_eq!(
        at(&seen[1].picture),
        (at(&before.picture) + 1) % photos.len()
    );
}

#[tokio::test(start_paused = true)]
async fn another_interval_holds_from_the_slide_that_is_on() {
    let house = House::start(Plan::default());
    let viewer = house.watch(Kind::Stills);
    sleep(MINUTE).await;
    viewer.take();
    house
        .act(Act::Interval(NonZeroU64::new(3000).unwrap()))
        .await;
    sleep(MINUTE).await;
    let seen = viewer.take();
    assert_eq!(
        seen.len(),
        20,
        "the slide that is on told anew, and nineteen others"
    );
    for pair in seen.windows(2) {
        assert_eq!(pair[1].show_at.unwrap() - pair[0].show_at.unwrap(), 3000);
        assert_eq!(pair[1].slide.unwrap() - pair[0].slide.unwrap(), 1);
        assert!(pair[1].lateness() <= TICK);
    }
}

/// Faster than pictures are made and fades end, at all sorts of moments.
#[tokio::test(start_paused = true)]
async fn after_any_commands_the_slide_that_is_on_stands_on_every_screen() {
    let house = House::start(Plan {
        transition: Transition::Crossfade { millis: 600 },
        interval: 2 * HOUR,
        ..Plan::default()
    });
    let stills = house.watch(Kind::Stills);
    let motion = house.watch(Kind::Motion);
    sleep(MINUTE).await;
    let photos = house.photos();
    let mut random = 1_u64;
    let mut dice = |n: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (random >> 33) % n
    };
    for round in 0..300 {
        for _ in 0..=dice(5) {
            let act = [Act::Next, Act::Next, Act::Previous][dice(3) as usize];
            house.act(act).await;
            sleep(Duration::from_millis(dice(2) * dice(700))).await;
        }
        sleep(Duration::from_secs(2)).await;
        let on = house.showing().current;
        let (_, name) = photos.iter().find(|(id, _)| *id == on.photo).unwrap();
        let still = stills.take().pop().unwrap();
        assert_eq!(
            (still.slide, &still.picture),
            (Some(on.no.0), name),
            "{round}"
        );
        let seen = motion.take();
        let last = seen.last().unwrap();
        assert_eq!(&last.picture, name, "{round}: {seen:?}");
        assert!(last.next.is_some(), "{round}: {seen:?}");
        // What was promised came, or gave way to a command's.
        assert!(seen.windows(2).all(|pair| pair[0].no != pair[1].no));
    }
}
