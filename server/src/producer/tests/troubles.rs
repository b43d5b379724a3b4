//! Photos that can't be shown, viewers that come and go, a channel that ends.

use super::*;

#[tokio::test(start_paused = true)]
async fn photos_that_fail_are_left_out_and_cost_nobody_a_slide() {
    let house = House::start(Plan::default());
    let photos = house.photos();
    let bad: Vec<_> = photos.iter().skip(3).step_by(5).cloned().collect();
    let ids = bad.iter().map(|(id, _)| *id);
    house.maker.bad.lock().unwrap().extend(ids);
    let viewer = house.watch(Kind::Stills);
    sleep(HOUR).await;
    let seen = viewer.take();
    assert!(
        seen.iter()
            .all(|seen| bad.iter().all(|(_, name)| *name != seen.picture))
    );
    assert_eq!(house.photos().len(), photos.len() - bad.len());
    let mut last = None;
    for seen in &seen[1..] {
        assert!(seen.lateness() <= TICK, "{seen:?}");
        assert!(last < seen.slide, "{seen:?}");
        last = seen.slide;
    }
    assert_eq!(seen.len(), 361);
}

#[tokio::test(start_paused = true)]
async fn where_every_photo_fails_the_demo_is_shown() {
    let house = House::start(Plan::default());
    let ids = house.photos().into_iter().map(|(id, _)| id);
    house.maker.bad.lock().unwrap().extend(ids);
    let viewer = house.watch(Kind::Stills);
    sleep(MINUTE).await;
    assert_eq!(house.photos(), []);
    viewer.take();
    sleep(MINUTE).await;
    let seen = viewer.take();
    assert_eq!(seen.len(), 6);
    assert!(seen.iter().all(|seen| !seen.picture.contains("IMG")));
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_is_slower_than_its_slides_still_shows_pictures() {
    let house = House::start(Plan {
        interval: Duration::from_secs(2),
        takes: Duration::from_millis(2700),
        ..Plan::default()
    });
    let viewer = house.watch(Kind::Stills);
    sleep(10 * MINUTE).await;
    let seen = viewer.take();
    assert!(seen.len() > 100, "{}", seen.len());
    assert!(seen.windows(2).all(|pair| pair[0].slide < pair[1].slide));
}

#[tokio::test(start_paused = true)]
async fn nobody_watches_and_nothing_is_made_until_somebody_comes_back() {
    let house = House::start(Plan::default());
    let viewer = house.watch(Kind::Stills);
    sleep(MINUTE).await;
    let before = viewer.take().pop().unwrap();
    drop(viewer);
    sleep(Duration::from_secs(29)).await;
    assert_eq!(house.feeds.survey().len(), 1, "it stays warm for a while");
    sleep(Duration::from_secs(2)).await;
    assert_eq!(house.feeds.survey(), []);
    assert_eq!(house.feeds.n_producing(), 0);
    let made = house.maker.n_made.load(SeqCst);
    sleep(24 * HOUR).await;
    assert_eq!(house.maker.n_made.load(SeqCst), made);
    let viewer = house.watch(Kind::Stills);
    let came = house.clock.now().0;
    sleep(MINUTE).await;
    let seen = viewer.take();
    assert!(seen[0].at - came <= millis(house.plan.takes) + TICK);
    assert!(seen[0].no > before.no, "numbers never go back");
    assert!(seen[0].slide.unwrap() >= before.slide.unwrap() + 8640);
    assert!(seen[1..].iter().all(|seen| seen.lateness() <= TICK));
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_within_the_linger_finds_the_picture_ready() {
    let house = House::start(Plan::default());
    for _ in 0..20 {
        let viewer = house.watch(Kind::Stills);
        sleep(MINUTE).await;
        assert!(!viewer.take().is_empty());
        drop(viewer);
        sleep(Duration::from_secs(25)).await;
        let again = house.watch(Kind::Stills);
        sleep(Duration::from_millis(TICK)).await;
        let on = again.take().pop().unwrap();
        assert_eq!(on.slide, Some(house.showing().current.no.0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_ends_ends_its_viewers_and_no_feed_waits_for_it() {
    let house = House::start(Plan::default());
    let viewers = [Kind::Stills, Kind::Motion].map(|kind| house.watch(kind));
    sleep(MINUTE).await;
    assert!(viewers.iter().all(|viewer| !viewer.has_ended()));
    house.task.abort();
    sleep(Duration::from_millis(TICK)).await;
    assert!(viewers.iter().all(Viewer::has_ended));
    assert_eq!(house.feeds.survey(), []);
    // Whoever had the channel in hand and opens its feed a moment too late.
    let late = house.watch(Kind::Stills);
    sleep(MINUTE).await;
    assert!(late.has_ended());
    assert_eq!(house.feeds.n_producing(), 0);
}
