//! Nights: what a veil costs, and that nothing goes on beneath one that nobody can see through.

use super::*;
use crate::timeline::night::{self, Mode};

impl House {
    fn night(&self, mode: Option<Mode>) {
        self.channels.veils().set(mode, None, self.clock.now());
    }

    /// Somebody whose screen has nights of its own.
    pub(super) fn watch_by(&self, plan: Option<night::Plan>) -> Viewer {
        let chosen = (MAIN, self.channel.clone());
        let (channel, held) = self.channels.by_night(plan, chosen).unwrap();
        let key = FeedKey {
            channel,
            ..self.key
        };
        assert_ne!(key, self.key);
        self.watch_feed(&key, &held, Kind::Stills)
    }
}

#[tokio::test(start_paused = true)]
async fn black_is_made_once_and_costs_nothing_while_it_stands() {
    let house = House::start(Plan::default());
    let stills = house.watch(Kind::Stills);
    let motion = house.watch(Kind::Motion);
    sleep(MINUTE).await;
    let before = house.showing().current;
    let n_made = house.maker.n_made.load(SeqCst);
    stills.take();
    motion.take();
    house.night(Some(Mode::Black));
    sleep(12 * HOUR).await;
    for viewer in [&stills, &motion] {
        let seen = viewer.take();
        // The frame that is on, perhaps after one that only takes back what was promised to follow.
        let black: Vec<&Seen> = seen
            .iter()
            .filter(|seen| seen.picture == "veil 0")
            .collect();
        assert_eq!(black.len(), 1, "{seen:?}");
        assert!(seen.len() <= 2, "{seen:?}");
        assert!(!black[0].paused, "nobody has asked for a pause");
    }
    // The one that is on, and the next one for when it is over.
    assert!(house.maker.n_made.load(SeqCst) <= n_made + 2);
    let held = house.showing();
    assert_eq!((held.current.photo, held.paused), (before.photo, true));
    assert!(held.current.no > before.no);

    house.night(None);
    sleep(Duration::from_secs(6)).await;
    let on = house.showing();
    assert_eq!((on.current.photo, on.paused), (before.photo, false));
    assert!(on.current.no > held.current.no);
    let seen = stills.take();
    assert_ne!(seen.last().unwrap().picture, "veil 0");
    sleep(HOUR).await;
    let numbers: Vec<u64> = stills.take().iter().filter_map(|seen| seen.slide).collect();
    assert_eq!(numbers.len(), 360, "slides come as before");
    assert!(numbers.is_sorted_by(|a, b| a < b));
}

#[tokio::test(start_paused = true)]
async fn dimmed_slides_come_as_they_would_have_and_are_made_once_each() {
    let house = House::start(Plan::default());
    let stills = house.watch(Kind::Stills);
    sleep(MINUTE).await;
    stills.take();
    house.night(Some(Mode::Dim(20)));
    sleep(Duration::from_secs(6)).await;
    assert_eq!(stills.take().last().unwrap().picture, "veil 200");
    let n_made = house.maker.n_made.load(SeqCst);
    sleep(HOUR).await;
    let seen = stills.take();
    assert_eq!(seen.len(), 360);
    assert!(seen.iter().all(|seen| seen.picture == "veil 200"));
    assert_eq!(house.maker.n_made.load(SeqCst), n_made + 360);
}

/// A dusk, in steps of four seconds: each is one picture, and the slides that come meanwhile are no later for it.
#[tokio::test(start_paused = true)]
async fn a_step_of_the_light_is_one_picture_and_the_next_slide_comes_in_time() {
    for (interval, takes) in [(3600, 300), (10, 300), (10, 2500)] {
        let house = House::start(Plan {
            interval: Duration::from_secs(interval),
            takes: Duration::from_millis(takes),
            ..Plan::default()
        });
        let stills = house.watch(Kind::Stills);
        // Behind a slide's moment, however long it stays.
        sleep(MINUTE * 3).await;
        stills.take();
        let n_made = house.maker.n_made.load(SeqCst);
        const N_STEPS: usize = 16;
        for step in 1..=N_STEPS {
            let light = u8::try_from(100 - 5 * step).unwrap();
            house.night(Some(Mode::Dim(light)));
            sleep(Duration::from_secs(4)).await;
        }
        let n_slides = if interval == 10 { 64 / 10 + 1 } else { 0 };
        let n_more = house.maker.n_made.load(SeqCst) - n_made;
        // What falls into a slide's last seconds is made for the next one as well.
        assert!(
            n_more <= N_STEPS + 2 * n_slides,
            "{n_more} with slides of {interval} s"
        );
        let seen = stills.take();
        let lights: HashSet<&str> = seen.iter().map(|seen| seen.picture.as_str()).collect();
        assert!(lights.len() >= N_STEPS, "{lights:?}");
        // Not while one slide gives way to another by itself.
        if interval == 10 {
            continue;
        }
        // Where the light stays, the next slide is made for whoever wants it at once.
        sleep(Duration::from_secs(3)).await;
        house.act(Act::Next).await;
        let asked = house.clock.now().0;
        sleep(Duration::from_millis(TICK)).await;
        let on = house.showing().current.no.0;
        let seen = stills.take();
        let last = seen.last().unwrap();
        assert!(
            last.slide == Some(on) && last.at - asked <= TICK,
            "{seen:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_is_on_at_once_moves_no_slide_and_goes_when_its_time_is_over() {
    let house = House::start(Plan::default());
    let stills = house.watch(Kind::Stills);
    sleep(MINUTE + Duration::from_secs(3)).await;
    let before = house.showing();
    stills.take();
    house
        .channels
        .veils()
        .say("Dinner", 4000, house.clock.now());
    sleep(Duration::from_secs(1)).await;
    let seen = stills.take();
    assert_eq!(seen.last().unwrap().picture, "Dinner", "{seen:?}");
    let on = house.showing();
    assert_eq!(on.current.photo, before.current.photo);
    assert_eq!(on.next.starts_at, before.next.starts_at);
    sleep(Duration::from_secs(5)).await;
    let seen = stills.take();
    assert_ne!(seen.last().unwrap().picture, "Dinner");
    assert_eq!(house.channel.programme().unwrap().veil().said, None);
}

/// A screen's own night beside a house that has none: its slides are the house's, but for those that nobody can see.
#[tokio::test(start_paused = true)]
async fn a_night_of_a_screens_own_is_its_alone() {
    let house = House::start(Plan::default());
    // By the clocks here, whatever zone that is: from ten minutes after the start, for an hour.
    let clock = |minutes: u64| {
        let at = UnixMillis(START.0 + minutes * 60_000);
        crate::clock::here(at).format("%H:%M").to_string()
    };
    let plan = format!("{}-{} black", clock(10), clock(70));
    let own = house.watch_by(Some(night::Plan::read(&plan, None).unwrap()));
    let others = house.watch(Kind::Stills);
    let until = |minutes: u64| {
        let now = house.clock.now().0;
        Duration::from_millis(START.0 + minutes * 60_000 - now)
    };
    sleep(until(9)).await;
    let seen = own.take();
    assert_eq!(seen.len(), others.take().len());
    assert!(
        seen.iter()
            .all(|seen| seen.picture == house.name_at(seen.at))
    );

    sleep(until(13)).await;
    let dusk = own.take();
    let lights: HashSet<&str> = dusk.iter().map(|seen| seen.picture.as_str()).collect();
    assert!(lights.len() > 16, "it falls in steps: {lights:?}");
    assert_eq!(dusk.last().unwrap().picture, "veil 0");
    assert!(
        others
            .take()
            .iter()
            .all(|seen| seen.picture == house.name_at(seen.at))
    );
    let n_made = house.maker.n_made.load(SeqCst);
    sleep(until(60)).await;
    let others_saw = others.take().len();
    assert!(others_saw > 250);
    let n_made = house.maker.n_made.load(SeqCst) - n_made;
    assert!(n_made <= others_saw + 2, "what nobody can see is not made");
    assert_eq!(own.take(), []);

    // Somebody does something in the house: there is light for five minutes.
    house.channels.veils().touched(house.clock.now());
    sleep(Duration::from_secs(2)).await;
    let seen = own.take();
    let lit = seen.last().unwrap();
    assert_eq!(lit.picture, house.name_at(lit.at));
    assert!(!lit.paused);
    sleep(MINUTE * 6).await;
    assert_eq!(own.take().last().unwrap().picture, "veil 0");

    sleep(until(75)).await;
    let seen = own.take();
    assert_eq!(
        seen.last().unwrap().picture,
        house.name_at(seen.last().unwrap().at)
    );
    let numbers: Vec<u64> = seen.iter().filter_map(|seen| seen.slide).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    let slides: HashSet<&Seen> = seen.iter().skip(1).collect();
    assert!(slides.iter().all(|seen| seen.lateness() < 2000));
}

/// A screen that is to have light whatever the house has planned, and one that has its own plan while the house sets one by hand.
#[tokio::test(start_paused = true)]
async fn a_hand_is_over_nights_of_a_screens_own_too() {
    let house = House::start(Plan::default());
    let own = house.watch_by(None);
    sleep(MINUTE).await;
    own.take();
    house.night(Some(Mode::Dim(30)));
    sleep(Duration::from_secs(3)).await;
    assert_eq!(own.take().last().unwrap().picture, "veil 300");
    house.night(None);
    sleep(Duration::from_secs(3)).await;
    let seen = own.take();
    let lit = seen.last().unwrap();
    assert_eq!(lit.picture, house.name_at(lit.at));
}
