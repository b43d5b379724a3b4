//! Nights of a screen's own: a plan that holds for it in place of the house's, wherever its pictures are darkened here.

use std::sync::{Arc, Mutex, Weak};

use mantel_shared::UnixMillis;

use super::{
    NightNow, Veils,
    choices::{ChannelNo, Channels},
};
use crate::{
    locked::locked,
    timeline::{Veil, night::Plan},
};

/// A screen's own nights. Whoever watches by the same plan shares them.
#[derive(Clone, Debug)]
pub struct OwnNight {
    /// `None`: light all the time, whatever the house has planned.
    plan: Arc<Option<Plan>>,
    veils: Arc<Veils>,
}

impl OwnNight {
    /// The veil at `now`: of this plan, under what somebody has set by hand for the house.
    pub fn veil(&self, now: UnixMillis) -> Veil {
        self.veils.at_own(self.plan.as_ref().as_ref(), now)
    }
}

/// The number of an own night, as a part of the key by which feeds are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct NightNo(usize);

impl NightNo {
    /// The house's nights.
    pub(super) const HOUSE: Self = Self(0);
}

/// The limit of plans that are watched at a time is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{MAX_NIGHTS} different plans of nights are being watched, which is the limit; take one of those"
)]
pub struct TooManyNights;

/// Plans that are watched at once: each has pictures made of its own.
const MAX_NIGHTS: usize = 16;

/// The own nights that are watched.
#[derive(Debug, Default)]
pub(super) struct OwnNights {
    plans: Mutex<Vec<Weak<Option<Plan>>>>,
}

impl OwnNights {
    /// The nights of this plan. A number is given again once nobody holds its nights any more.
    pub(super) fn of(
        &self,
        plan: Option<Plan>,
        veils: &Arc<Veils>,
    ) -> Result<(NightNo, OwnNight), TooManyNights> {
        let mut plans = locked(&self.plans);
        let held: Vec<Option<Arc<Option<Plan>>>> = plans.iter().map(Weak::upgrade).collect();
        let same = held.iter().position(|held| held.as_deref() == Some(&plan));
        let free = || held.iter().position(Option::is_none);
        let at = same.or_else(free).unwrap_or(plans.len());
        let plan = match held.get(at).cloned().flatten() {
            Some(plan) => plan,
            None if at >= MAX_NIGHTS => return Err(TooManyNights),
            None => {
                let plan = Arc::new(plan);
                match plans.get_mut(at) {
                    Some(place) => *place = Arc::downgrade(&plan),
                    None => plans.push(Arc::downgrade(&plan)),
                }
                plan
            }
        };
        let veils = Arc::clone(veils);
        Ok((NightNo(at + 1), OwnNight { plan, veils }))
    }
}

impl Channels {
    /// How dark it is at `now` for those who watch a channel by nights of their own, where that has a plan.
    pub fn own_night(&self, no: ChannelNo, now: UnixMillis) -> Option<NightNow> {
        let place = no.night().0.checked_sub(1)?;
        let plan = locked(&self.nights.plans).get(place)?.upgrade()?;
        let plan = plan.as_ref().as_ref()?;
        Some(self.veils().own_night(plan, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> Option<Plan> {
        Some(Plan::read(text, None).unwrap())
    }

    #[test]
    fn one_plan_has_one_number_for_as_long_as_somebody_holds_it() {
        let (nights, veils) = (OwnNights::default(), Arc::new(Veils::new(None)));
        let (no, held) = nights.of(plan("20:00-22:00"), &veils).unwrap();
        assert_eq!(nights.of(plan("20:00-22:00"), &veils).unwrap().0, no);
        let (off, _light) = nights.of(None, &veils).unwrap();
        assert!(off != no && off != NightNo::HOUSE && no != NightNo::HOUSE);
        drop(held);
        let (again, _held) = nights.of(plan("21:00-22:00"), &veils).unwrap();
        assert_eq!(again, no, "nobody held it");
        let more: Vec<_> = (0..60)
            .map(|minute| nights.of(plan(&format!("20:{minute:02}-22:00")), &veils))
            .collect();
        let n_held = more.iter().filter(|more| more.is_ok()).count();
        assert_eq!(n_held, MAX_NIGHTS - 2);
        assert_eq!(more.last().unwrap().as_ref().unwrap_err(), &TooManyNights);
        // What is held already is no new one.
        assert_eq!(nights.of(None, &veils).unwrap().0, off);
    }
}
