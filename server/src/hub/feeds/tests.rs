use super::*;

/// What fills a feed here.
const SOURCE: char = 'a';

type Started = Arc<Mutex<Vec<(u8, char, Arc<Feed>)>>>;

fn feeds(limit: usize) -> (Feeds<u8, char>, Started) {
    let started = Arc::new(Mutex::new(Vec::new()));
    let log = started.clone();
    (
        Feeds::new(limit, move |key, source, feed| {
            log.lock().unwrap().push((key, source, feed));
        }),
        started,
    )
}

#[test]
fn a_feed_is_started_once_and_counted() {
    let (feeds, started) = feeds(4);
    let a = feeds.open(&1, &SOURCE).unwrap().unwrap();
    let _b = feeds.open(&1, &SOURCE).unwrap().unwrap();
    assert_eq!(started.lock().unwrap().len(), 1);
    assert_eq!(feeds.survey()[0].1, 2);
    drop(a);
    assert_eq!(feeds.survey()[0].1, 1);
}

#[test]
fn a_held_feed_is_not_released() {
    let (feeds, started) = feeds(4);
    let lease = feeds.open(&1, &SOURCE).unwrap().unwrap();
    let feed = started.lock().unwrap()[0].2.clone();
    assert!(!feeds.release(&1, &feed));
    drop(lease);
    assert!(feeds.release(&1, &feed));
    assert!(feeds.survey().is_empty());
}

#[test]
fn beyond_the_limit_the_nearest_is_taken() {
    let (feeds, started) = feeds(2);
    let (_small, _large) = (
        feeds.open(&10, &SOURCE).unwrap(),
        feeds.open(&50, &SOURCE).unwrap(),
    );
    let wanted = 40;
    let distance = |key: &u8| Some(u64::from(key.abs_diff(wanted)));
    let (key, _lease) = feeds
        .open_nearest(&wanted, &SOURCE, distance)
        .unwrap()
        .unwrap();
    assert_eq!(key, 50);
    assert_eq!(started.lock().unwrap().len(), 2);
    assert_eq!(
        feeds.open_nearest(&wanted, &SOURCE, |_| None).unwrap_err(),
        Full(2)
    );
    drop(_small);
    let (key, _lease) = feeds
        .open_nearest(&wanted, &SOURCE, distance)
        .unwrap()
        .unwrap();
    assert_eq!(key, wanted, "room is made before anything else is taken");
}

#[test]
fn the_limit_makes_room_only_for_what_nobody_watches() {
    let (feeds, _) = feeds(1);
    let lease = feeds.open(&1, &SOURCE).unwrap().unwrap();
    assert_eq!(feeds.open(&2, &SOURCE).unwrap_err(), Full(1));
    drop(lease);
    assert!(feeds.open(&2, &SOURCE).unwrap().is_some());
}

#[test]
fn the_idle_feed_that_was_held_longest_ago_gives_way() {
    let (feeds, started) = feeds(3);
    let held = feeds.open(&0, &SOURCE).unwrap();
    for key in [1, 2, 1] {
        feeds.open(&key, &SOURCE).unwrap();
    }
    feeds.open(&3, &SOURCE).unwrap();
    let mut keys: Vec<u8> = feeds.survey().into_iter().map(|(key, _)| key).collect();
    keys.sort_unstable();
    assert_eq!(keys, [0, 1, 3], "1 was held after 2");
    let retired = |key| {
        let started = started.lock().unwrap();
        started
            .iter()
            .any(|(of, _, feed)| *of == key && feed.is_retired())
    };
    assert!(retired(2) && !retired(1) && !retired(0));
    drop(held);
    // A viewer that stayed long and left a moment ago was the last to hold one.
    feeds.open(&4, &SOURCE).unwrap();
    assert!(retired(1) && !retired(0));
}

#[tokio::test]
async fn producers_are_never_more_than_the_limit() {
    const LIMIT: usize = 3;
    let (alive, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = (alive.clone(), most.clone());
    let feeds = Feeds::new(LIMIT, move |_: u32, (), feed: Arc<Feed>| {
        let (alive, most) = counts.clone();
        tokio::spawn(async move {
            let mut demand = feed.demand();
            let Some(_place) = feed.place().await else {
                return;
            };
            most.fetch_max(alive.fetch_add(1, SeqCst) + 1, SeqCst);
            while !feed.is_retired() && demand.changed().await.is_ok() {}
            // Whoever is slow to end keeps the next one waiting.
            tokio::task::yield_now().await;
            alive.fetch_sub(1, SeqCst);
        });
    });
    for key in 0..400 {
        let lease = feeds.open(&key, &()).unwrap();
        if key % 3 == 0 {
            tokio::task::yield_now().await;
        }
        drop(lease);
        assert!(feeds.n_producing() <= LIMIT);
    }
    for _ in 0..2_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(most.load(SeqCst), LIMIT);
    assert_eq!((alive.load(SeqCst), feeds.n_producing()), (LIMIT, LIMIT));
}

#[tokio::test]
async fn a_producer_that_ends_by_itself_ends_its_viewers() {
    let (feeds, started) = feeds(2);
    let lease = feeds.open(&1, &SOURCE).unwrap().unwrap();
    let mut viewer = lease.subscribe(Kind::Motion);
    let feed = started.lock().unwrap()[0].2.clone();
    feeds.ended(&1, &feed);
    assert!(viewer.changed().await.is_none());
    assert!(feeds.survey().is_empty());
    // Whoever comes then gets a producer again, and the late word of the first harms nobody.
    let _again = feeds.open(&1, &SOURCE).unwrap().unwrap();
    feeds.ended(&1, &feed);
    assert_eq!(
        (started.lock().unwrap().len(), feeds.survey().len()),
        (2, 1)
    );
}

#[test]
fn a_feed_beside_another_is_filled_from_the_same_source() {
    let (feeds, started) = feeds(2);
    assert!(feeds.open_beside(&1, &2).unwrap().is_none(), "no such feed");
    let _held = feeds.open(&1, &'b').unwrap().unwrap();
    let _beside = feeds.open_beside(&1, &2).unwrap().unwrap();
    assert_eq!(started.lock().unwrap()[1].1, 'b');
    assert!(feeds.open_beside(&1, &3).is_err(), "the limit holds");
}

#[test]
fn closed_feeds_open_no_more() {
    let (feeds, _) = feeds(1);
    feeds.close();
    assert!(feeds.open(&1, &SOURCE).unwrap().is_none());
}
