//! Clocks that jump: a machine that slept, a clock that the network sets.

use super::*;

#[tokio::test(start_paused = true)]
async fn after_a_sleep_of_the_machine_what_is_on_is_what_would_have_been() {
    let house = House::start(Plan::default());
    let viewer = house.watch(Kind::Stills);
    sleep(MINUTE).await;
    let before = viewer.take().pop().unwrap();
    house.clock.set_forward(3 * HOUR);
    // A clock that was set forward is noticed within five seconds.
    sleep(Duration::from_secs(5) + house.plan.takes).await;
    let on = viewer.take().pop().unwrap();
    assert_eq!(on.slide, Some(house.showing().current.no.0));
    let slept = millis(3 * HOUR) / millis(house.plan.interval);
    assert!(on.slide.unwrap() >= before.slide.unwrap() + slept);
    sleep(HOUR).await;
    let seen = viewer.take();
    assert_eq!(seen.len(), 360);
    assert!(seen.iter().all(|seen| seen.lateness() <= TICK));
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_takes_no_slide_back() {
    // Wherever in a slide's time it happens.
    for offset in (0..100).map(|n| n * 100 + 50) {
        let house = House::start(Plan::default());
        let stills = house.watch(Kind::Stills);
        let motion = house.watch(Kind::Motion);
        sleep(MINUTE + Duration::from_millis(offset)).await;
        let before = stills.take().pop().unwrap();
        motion.take();
        house.clock.set_back(HOUR);
        sleep(MINUTE).await;
        let seen = stills.take();
        let mut last = before.slide.unwrap();
        for seen in &seen {
            let slide = seen.slide.unwrap();
            assert!(
                slide == last || slide == last + 1,
                "at {offset}: {slide} after {last}"
            );
            last = slide;
        }
        assert!(
            last >= before.slide.unwrap() + 5,
            "at {offset}: slides go on"
        );
        let pictures: Vec<String> = motion.take().into_iter().map(|seen| seen.picture).collect();
        let mut once = pictures.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), pictures.len(), "at {offset}: {pictures:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_by_a_little_all_the_time_makes_nothing_twice() {
    let house = House::start(Plan::default());
    let viewer = house.watch(Kind::Stills);
    sleep(MINUTE).await;
    viewer.take();
    let made = house.maker.n_made.load(SeqCst);
    for n in 0..600 {
        // As a network's time is followed: by some milliseconds, both ways.
        let by = Duration::from_millis(n % 7);
        if n % 2 == 0 {
            house.clock.set_back(by);
        } else {
            house.clock.set_forward(by);
        }
        sleep(Duration::from_secs(1)).await;
    }
    let seen = viewer.take();
    let numbers: Vec<u64> = seen.iter().filter_map(|seen| seen.slide).collect();
    assert!(
        numbers.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "{numbers:?}"
    );
    assert!((59..=61).contains(&numbers.len()));
    assert!(house.maker.n_made.load(SeqCst) - made <= 62);
}
