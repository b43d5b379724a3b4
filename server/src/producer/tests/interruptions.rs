//! Live channels that interrupt the slides.

use mantel_media::inlet::{self, Inlet};

use super::*;
use crate::{
    channel::{Interrupter, air::Rules},
    render::{self, Picture, Size},
    source::live::Source,
};

const SECOND: Duration = Duration::from_secs(1);

struct Door {
    source: Arc<Source>,
    jpeg: Vec<u8>,
}

impl Door {
    /// A house whose gallery a door with these rules interrupts.
    fn in_a_house(plan: Plan, rules: Rules) -> (House, Self) {
        let mut door = None;
        let mut house = House::start_with(plan, |clock| {
            let source = Arc::new(Source::new("door", None, clock.clock()));
            let interrupter = Interrupter {
                source: source.reader(),
                rules,
            };
            let picture = Picture::filled(64, 48, [200, 40, 40]);
            let jpeg = render::encode(&picture, Quality::default()).unwrap();
            door = Some(Self { source, jpeg });
            vec![interrupter]
        });
        // Small ones are made quickly.
        house.key.rendition.size = Size::new(160, 90);
        (house, door.expect("a door"))
    }

    fn ring(&self) {
        self.source.came(self.sample());
    }

    fn sample(&self) -> inlet::Sample {
        let mut inlet = Inlet::new(None, None);
        let found = inlet.next(&mut &self.jpeg[..]).unwrap();
        found.or_else(|| inlet.finish().unwrap()).unwrap()
    }
}

impl House {
    fn is_slide(&self, seen: &Seen) -> bool {
        self.photos().iter().any(|(_, name)| *name == seen.picture)
            || seen.picture.contains(" of 256")
    }
}

#[tokio::test(start_paused = true)]
async fn the_door_has_the_screens_and_then_the_slide_that_is_on_by_then() {
    // Wherever in a slide's time it happens, in its transition and just before its end as well.
    for offset in (0..20).map(|n| n * 501) {
        let plan = Plan {
            transition: Transition::Crossfade { millis: 1000 },
            ..Plan::default()
        };
        let (house, door) = Door::in_a_house(plan, Rules::default());
        let stills = house.watch(Kind::Stills);
        let motion = house.watch(Kind::Motion);
        sleep(MINUTE + Duration::from_millis(offset)).await;
        for seen in stills.take() {
            assert!(house.is_slide(&seen) && seen.source.is_none());
        }
        let promised = motion.take();
        // Nothing is promised that would have to be sent before the door.
        assert!(promised.iter().all(|seen| seen.next.is_none()));
        for _ in 0..3 {
            door.ring();
            sleep(SECOND).await;
        }
        let on = house.channel.interruption().expect("an interruption");
        assert_eq!(on.source.name(), "door");
        for viewer in [&stills, &motion] {
            let seen = viewer.take();
            let first_live = seen.iter().position(|seen| !house.is_slide(seen));
            let live = &seen[first_live.expect("the door")..];
            assert_eq!(live.len(), 3, "at {offset}");
            assert!(live.iter().all(|seen| !house.is_slide(seen)));
            let of_door = |seen: &Seen| seen.source.as_deref() == Some("door");
            assert!(live.iter().all(of_door), "at {offset}");
            assert!(live.windows(2).all(|two| two[0].slide < two[1].slide));
        }
        // Twenty seconds after the last picture.
        sleep(19 * SECOND - Duration::from_millis(20)).await;
        assert_eq!((stills.take(), motion.take()), (vec![], vec![]));
        sleep(Duration::from_millis(40)).await;
        assert!(house.channel.interruption().is_none());
        let mut back = None;
        for viewer in [&motion, &stills] {
            let seen = viewer.take();
            assert_eq!(seen[0].picture, house.name_at(seen[0].at), "at {offset}");
            back = seen.last().map(|seen| seen.no);
        }
        sleep(MINUTE).await;
        let mut seen = stills.take();
        // What follows it may have become known later.
        seen.retain(|seen| Some(seen.no) != back);
        assert_eq!(seen.len(), 6, "at {offset}: {seen:?}");
        assert!(seen.iter().all(|seen| seen.lateness() <= TICK));
        let seen = motion.take();
        assert!(seen.iter().all(|seen| house.is_slide(seen)));
        assert_eq!(seen.last().unwrap().next, None);
        assert!(!stills.has_ended() && !motion.has_ended());
    }
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_shown_holds_no_slide_up() {
    let plan = Plan {
        transition: Transition::Crossfade { millis: 1000 },
        ..Plan::default()
    };
    let (house, door) = Door::in_a_house(plan, Rules::default());
    let stills = house.watch(Kind::Stills);
    let motion = house.watch(Kind::Motion);
    sleep(MINUTE).await;
    stills.take();
    for _ in 0..6 {
        door.source.came(inlet::Sample {
            bytes: b"\xff\xd8 nonsense".to_vec(),
            ..door.sample()
        });
        sleep(10 * SECOND).await;
    }
    assert!(house.channel.interruption().is_some());
    let seen = stills.take();
    assert_eq!(seen.len(), 6, "{seen:?}");
    assert!(
        seen.iter()
            .all(|seen| house.is_slide(seen) && seen.lateness() <= TICK)
    );
    let blended = motion.take();
    assert!(blended.iter().any(|seen| seen.picture.contains(" of 256")));
    door.ring();
    sleep(SECOND).await;
    assert!(!house.is_slide(&stills.take()[0]));
}

#[tokio::test(start_paused = true)]
async fn a_screen_that_is_kept_out_of_it_sees_slides_alone() {
    let (house, door) = Door::in_a_house(Plan::default(), Rules::default());
    let (no, channel) = house.channels.undisturbed((MAIN, house.channel.clone()));
    let key = FeedKey {
        channel: no,
        ..house.key
    };
    assert_ne!(key, house.key);
    let lease = house.feeds.open(&key, &channel).unwrap().unwrap();
    let log = Arc::new(Mutex::new(Vec::new()));
    let noting = note(
        lease.subscribe(Kind::Stills),
        house.clock.clone(),
        log.clone(),
    );
    let noting = tokio::spawn(noting);
    let others = house.watch(Kind::Stills);
    sleep(MINUTE).await;
    door.ring();
    sleep(MINUTE).await;
    assert!(others.take().iter().any(|seen| !house.is_slide(seen)));
    let seen = log.lock().unwrap().clone();
    assert_eq!(seen.len(), 13);
    assert!(seen.iter().all(|seen| house.is_slide(seen)));
    noting.abort();
}

#[tokio::test(start_paused = true)]
async fn somebody_who_has_seen_enough_has_the_slides_back_at_once() {
    let (house, door) = Door::in_a_house(Plan::default(), Rules::default());
    let stills = house.watch(Kind::Stills);
    sleep(MINUTE).await;
    house.act(Act::Pause).await;
    sleep(SECOND).await;
    stills.take();
    for _ in 0..10 {
        door.ring();
        sleep(SECOND).await;
    }
    assert!(stills.take().iter().all(|seen| !house.is_slide(seen)));
    // What is commanded meanwhile shows afterwards.
    house.act(Act::Next).await;
    sleep(SECOND).await;
    assert_eq!(stills.take(), []);
    assert!(house.channel.dismiss().await);
    sleep(Duration::from_millis(TICK)).await;
    let seen = stills.take();
    assert_eq!(seen[0].picture, house.name_at(seen[0].at));
    assert!(seen[0].paused);
    door.ring();
    sleep(MINUTE).await;
    assert!(!house.channel.dismiss().await);
    assert_eq!(stills.take(), []);
}

/// A doorbell at night is there to be seen, also on a screen whose own night is black.
#[tokio::test(start_paused = true)]
async fn what_interrupts_at_night_is_lit() {
    let (house, door) = Door::in_a_house(Plan::default(), Rules::default());
    let all_day = "00:00-12:00 black, 12:00-00:00 black";
    let plan = crate::timeline::night::Plan::read(all_day, None).unwrap();
    let own = house.watch_by(Some(plan));
    sleep(MINUTE).await;
    assert_eq!(own.take().last().unwrap().picture, "veil 0");
    door.ring();
    sleep(SECOND).await;
    let seen = own.take();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(seen[0].source.as_deref(), Some("door"));
    assert!(!seen[0].picture.starts_with("veil"));
    assert!(house.channel.dismiss().await);
    sleep(SECOND).await;
    assert_eq!(own.take().last().unwrap().picture, "veil 0");
}
