//! The veils over the gallery's slides: the night of the plan, a hand over it, light for a while, and messages. One for all
//! choices of photos, for it is one house.

use std::sync::{Arc, Mutex};

use mantel_shared::UnixMillis;
use tokio::sync::watch;

use crate::{
    clock,
    locked::locked,
    timeline::{
        Veil,
        night::{Mode, Night, Plan},
    },
};

/// The veils of a house. Shared.
#[derive(Debug)]
pub struct Veils {
    plan: Option<Plan>,
    state: Mutex<State>,
    changed: watch::Sender<u64>,
    touches: watch::Sender<u64>,
}

/// The things that people have set.
#[derive(Clone, Debug, Default)]
struct State {
    by_hand: Option<ByHand>,
    /// Until when there is light, whatever else holds.
    lit_until: Option<UnixMillis>,
    /// Until when screens with nights of their own have light. They may be dark while the house is not.
    own_lit_until: Option<UnixMillis>,
    said: Option<Said>,
}

/// A mode that somebody has set over the plan.
#[derive(Clone, Copy, Debug)]
pub(super) struct ByHand {
    /// `None`: awake.
    pub(super) mode: Option<Mode>,
    /// When the plan holds again; `None`: not by itself.
    pub(super) until: Option<UnixMillis>,
}

#[derive(Clone, Debug)]
struct Said {
    text: Arc<str>,
    until: UnixMillis,
}

/// How dark it is at a moment, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NightNow {
    /// `None`: awake.
    pub mode: Option<Mode>,
    /// The light that is left, in thousandths.
    pub light: u16,
    /// When that changes next, if that is known.
    pub until: Option<UnixMillis>,
    /// Whether somebody has set it so.
    pub by_hand: bool,
}

/// How long somebody who does something is given light at night.
const WAKES_FOR_MILLIS: u64 = 5 * 60 * 1000;

impl Veils {
    /// The veils of a house with this plan.
    pub fn new(plan: Option<Plan>) -> Self {
        Self {
            plan,
            state: Mutex::default(),
            changed: watch::Sender::new(0),
            touches: watch::Sender::new(0),
        }
    }

    /// Tells when somebody has set something.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Counts how often somebody has done something.
    pub fn touches(&self) -> watch::Receiver<u64> {
        self.touches.subscribe()
    }

    /// The veil at `now`.
    pub(super) fn at(&self, now: UnixMillis) -> Veil {
        let State {
            by_hand,
            lit_until,
            said,
            ..
        } = self.state_at(now);
        under(self.plan.as_ref(), by_hand, lit_until, said, now)
    }

    /// The veil at `now` of a screen that has this plan in place of the house's.
    pub(super) fn at_own(&self, plan: Option<&Plan>, now: UnixMillis) -> Veil {
        let State {
            by_hand,
            own_lit_until,
            said,
            ..
        } = self.state_at(now);
        under(plan, by_hand, own_lit_until, said, now)
    }

    /// How dark it is at `now`; `None` where there is neither a plan nor a hand.
    pub fn night(&self, now: UnixMillis) -> Option<NightNow> {
        let State {
            by_hand, lit_until, ..
        } = self.state_at(now);
        if self.plan.is_none() && by_hand.is_none() && lit_until.is_none() {
            return None;
        }
        let light = self.at(now).light;
        Some(told(self.planned(now), by_hand, lit_until, light))
    }

    /// How dark it is at `now` by nights in place of the house's.
    pub fn own_night(&self, plan: &Plan, now: UnixMillis) -> NightNow {
        let State {
            by_hand,
            own_lit_until,
            ..
        } = self.state_at(now);
        let light = self.at_own(Some(plan), now).light;
        let planned = planned(Some(plan), now);
        // Light for a while is only told where it is the only light.
        let lit_until = own_lit_until.filter(|_| planned.mode.is_some() || by_hand.is_some());
        told(planned, by_hand, lit_until, light)
    }

    /// Sets a mode by hand, `None` for awake: for so many milliseconds, else until the plan's next change. Light for a while
    /// leaves beneath it what holds.
    pub fn set(&self, mode: Option<Mode>, for_millis: Option<u64>, now: UnixMillis) {
        let planned = self.planned(now);
        let end = for_millis.map(|millis| UnixMillis(now.0.saturating_add(millis)));
        {
            let mut state = locked(&self.state);
            state.own_lit_until = mode.is_none().then(|| end.unwrap_or(awake_until(now)));
            state.lit_until = None;
            if mode.is_none() && end.is_some() {
                state.lit_until = end;
                // What was awake until the next change is so for this long alone.
                state.by_hand = state.by_hand.filter(|set| set.mode.is_some());
            } else {
                // By day waking only ends what was set.
                let is_planned = mode.is_none() && planned.mode.is_none();
                let until = end.or(planned.until);
                state.by_hand = (!is_planned).then_some(ByHand { mode, until });
            }
        }
        self.tell();
    }

    /// The mode that somebody has set, if it holds at `now`.
    pub(super) fn hand(&self, now: UnixMillis) -> Option<ByHand> {
        self.state_at(now).by_hand
    }

    /// Sets what somebody has set before.
    pub(super) fn take_hand(&self, hand: Option<ByHand>) {
        locked(&self.state).by_hand = hand;
        self.tell();
    }

    /// Somebody does something: at night there is light for five minutes.
    pub fn touched(&self, now: UnixMillis) {
        self.touches.send_modify(|n| *n = n.wrapping_add(1));
        let is_dark = self.at(now).light < 1000;
        let until = Some(awake_until(now));
        // Whoever has light for longer keeps it.
        let mut state = locked(&self.state);
        state.own_lit_until = state.own_lit_until.max(until);
        if is_dark || state.lit_until.is_some() {
            state.lit_until = state.lit_until.max(until);
            drop(state);
            self.tell();
        }
    }

    /// Writes a message over the pictures for so many milliseconds; an empty one takes it away.
    pub fn say(&self, text: &str, for_millis: u64, now: UnixMillis) {
        locked(&self.state).said = (!text.is_empty()).then(|| Said {
            text: text.into(),
            until: UnixMillis(now.0.saturating_add(for_millis)),
        });
        self.tell();
    }

    fn tell(&self) {
        self.changed.send_modify(|version| *version += 1);
    }

    fn planned(&self, now: UnixMillis) -> Night {
        planned(self.plan.as_ref(), now)
    }

    /// The things that people have set, as far as they still hold.
    fn state_at(&self, now: UnixMillis) -> State {
        let mut state = locked(&self.state);
        let holds = |until: UnixMillis| now < until;
        state.by_hand = state.by_hand.filter(|set| set.until.is_none_or(holds));
        state.lit_until = state.lit_until.filter(|until| holds(*until));
        state.own_lit_until = state.own_lit_until.filter(|until| holds(*until));
        state.said = state.said.take().filter(|said| holds(said.until));
        state.clone()
    }
}

/// The end of light that somebody is given who does something now.
fn awake_until(now: UnixMillis) -> UnixMillis {
    UnixMillis(now.0.saturating_add(WAKES_FOR_MILLIS))
}

fn planned(plan: Option<&Plan>, now: UnixMillis) -> Night {
    const DAY: Night = Night {
        mode: None,
        since: None,
        until: None,
    };
    plan.map_or(DAY, |plan| plan.at(&chrono::Local, now))
}

fn told(
    planned: Night,
    by_hand: Option<ByHand>,
    lit_until: Option<UnixMillis>,
    light: u16,
) -> NightNow {
    let (mode, until) = match by_hand {
        _ if lit_until.is_some() => (None, lit_until),
        Some(ByHand { mode, until }) => (mode, until),
        None => (planned.mode, planned.until),
    };
    NightNow {
        mode,
        light,
        until,
        by_hand: by_hand.is_some() || lit_until.is_some(),
    }
}

/// The veil under a plan and the things that people have set over it.
fn under(
    plan: Option<&Plan>,
    by_hand: Option<ByHand>,
    lit_until: Option<UnixMillis>,
    said: Option<Said>,
    now: UnixMillis,
) -> Veil {
    let time = clock::here(now).time();
    let veil = match by_hand {
        _ if lit_until.is_some() => Veil::default(),
        Some(ByHand { mode, .. }) => mode.map_or_else(Veil::default, |mode| mode.veil(time)),
        None => planned(plan, now).veil(now, time),
    };
    let said = said.map(|said| said.text);
    Veil { said, ..veil }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: u64) -> UnixMillis {
        // Some day in 2027; the plan is of the clocks here, whatever zone that is.
        let day = chrono::NaiveDate::from_ymd_opt(2027, 1, 20).unwrap();
        let time = chrono::NaiveTime::from_hms_opt(u32::try_from(hour).unwrap(), 0, 0).unwrap();
        let local = day.and_time(time).and_local_timezone(chrono::Local);
        UnixMillis(local.unwrap().timestamp_millis().cast_unsigned())
    }

    fn later(now: UnixMillis, seconds: u64) -> UnixMillis {
        UnixMillis(now.0 + seconds * 1000)
    }

    fn veils() -> Veils {
        Veils::new(Some(Plan::read("20:00-22:00 dim 20%", None).unwrap()))
    }

    #[test]
    fn a_hand_is_over_the_plan_until_its_next_change() {
        let veils = veils();
        assert_eq!(veils.at(at(12)), Veil::default());
        assert_eq!(veils.at(at(21)).light, 200);
        veils.set(Some(Mode::Black), None, at(12));
        assert_eq!((veils.at(at(13)).light, veils.at(at(19)).light), (0, 0));
        let told = veils.night(at(13)).unwrap();
        assert_eq!((told.until, told.by_hand), (Some(at(20)), true));
        assert_eq!(veils.at(at(21)).light, 200);
        // At night, awake until morning, or for a while.
        veils.set(None, None, at(21));
        assert_eq!(veils.at(later(at(21), 3000)).light, 1000);
        assert_eq!(veils.night(at(21)).unwrap().until, Some(at(22)));
        veils.set(None, Some(300_000), at(21));
        assert_eq!(veils.at(later(at(21), 299)).light, 1000);
        assert_eq!(veils.at(later(at(21), 300)).light, 200);
    }

    #[test]
    fn without_a_plan_a_hand_is_until_another() {
        let veils = Veils::new(None);
        assert_eq!(veils.night(at(12)), None);
        veils.set(Some(Mode::Dim(30)), None, at(12));
        assert_eq!(veils.at(later(at(12), 1 << 30)).light, 300);
        assert_eq!(veils.night(at(12)).unwrap().until, None);
        veils.set(None, None, at(13));
        assert_eq!(
            (veils.at(at(13)), veils.night(at(13))),
            (Veil::default(), None)
        );
    }

    #[test]
    fn a_touch_wakes_at_night_alone_and_shortens_nothing() {
        let veils = veils();
        veils.touched(at(12));
        assert!(!veils.night(at(12)).unwrap().by_hand);
        veils.touched(at(21));
        assert_eq!(veils.at(later(at(21), 299)).light, 1000);
        assert_eq!(veils.at(later(at(21), 300)).light, 200);
        veils.set(None, None, at(21));
        veils.touched(later(at(21), 60));
        assert_eq!(veils.night(later(at(21), 60)).unwrap().until, Some(at(22)));
    }

    #[test]
    fn a_message_stands_over_any_night_and_goes() {
        let veils = veils();
        let mut changes = veils.changes();
        changes.mark_unchanged();
        veils.say("Dinner", 8000, at(21));
        assert!(changes.has_changed().unwrap());
        let veil = veils.at(later(at(21), 7));
        assert_eq!((veil.said.as_deref(), veil.light), (Some("Dinner"), 200));
        assert_eq!(veils.at(later(at(21), 8)).said, None);
        veils.say("Dinner", 8000, at(21));
        veils.say("", 8000, at(21));
        assert_eq!(veils.at(at(21)).said, None);
    }
}
