//! Weeks of nights in virtual time, over both changes of the clocks of Central Europe in 2026.

use chrono::{FixedOffset, Offset, Timelike, Weekday};
use proptest::prelude::*;

use super::*;

/// Central Europe in 2026: an hour ahead, two from 29 March until 25 October, from and until 1:00 UTC.
#[derive(Clone, Copy, Debug)]
struct Berlin;

fn utc(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
}

fn hours(n: i32) -> FixedOffset {
    FixedOffset::east_opt(n * 3600).unwrap()
}

impl TimeZone for Berlin {
    type Offset = FixedOffset;

    fn from_offset(_: &FixedOffset) -> Self {
        Self
    }

    fn offset_from_local_date(&self, local: &NaiveDate) -> LocalResult<FixedOffset> {
        self.offset_from_local_datetime(&local.and_time(NaiveTime::MIN))
    }

    fn offset_from_local_datetime(&self, local: &NaiveDateTime) -> LocalResult<FixedOffset> {
        let fits = |offset: &FixedOffset| {
            let at = *local - offset.fix();
            self.offset_from_utc_datetime(&at) == *offset
        };
        let mut found = [hours(2), hours(1)].into_iter().filter(fits);
        match (found.next(), found.next()) {
            (None, _) => LocalResult::None,
            (Some(one), None) => LocalResult::Single(one),
            (Some(first), Some(second)) => LocalResult::Ambiguous(first, second),
        }
    }

    fn offset_from_utc_date(&self, utc: &NaiveDate) -> FixedOffset {
        self.offset_from_utc_datetime(&utc.and_time(NaiveTime::MIN))
    }

    fn offset_from_utc_datetime(&self, at: &NaiveDateTime) -> FixedOffset {
        let is_summer = (utc("2026-03-29 01:00")..utc("2026-10-25 01:00")).contains(at);
        hours(if is_summer { 2 } else { 1 })
    }
}

fn at(utc_text: &str) -> UnixMillis {
    UnixMillis(utc(utc_text).and_utc().timestamp_millis().cast_unsigned())
}

fn plan(text: &str) -> Plan {
    Plan::read(text, "52.52,13.40".parse().ok()).unwrap()
}

const WEEK: &str =
    "mon-thu+sun 22:30-06:30 dim 20%, fri+sat 23:45-08:15 black, sat+sun 13:00-14:00 clock";

/// The mode by the clock on the wall, without a thought about instants.
fn by_the_wall(local: NaiveDateTime) -> Option<Mode> {
    use Weekday::{Fri, Sat, Sun};
    let minutes = local.hour() * 60 + local.minute();
    let today = local.weekday();
    let late = [Fri, Sat].contains(&today);
    let late_yesterday = [Fri, Sat].contains(&today.pred());
    let dim = (!late && minutes >= 22 * 60 + 30) || (!late_yesterday && minutes < 6 * 60 + 30);
    let black = (late && minutes >= 23 * 60 + 45) || (late_yesterday && minutes < 8 * 60 + 15);
    let clock = [Sat, Sun].contains(&today) && (13 * 60..14 * 60).contains(&minutes);
    match (dim, black, clock) {
        (true, ..) => Some(Mode::Dim(20)),
        (_, true, _) => Some(Mode::Black),
        (_, _, true) => Some(Mode::Clock),
        _ => None,
    }
}

#[test]
fn a_week_over_both_changes_of_the_clocks_is_as_the_wall_has_it() {
    let plan = plan(WEEK);
    for start in ["2026-03-24 00:00", "2026-10-20 00:00"] {
        let start = at(start).0;
        let mut changes = 0;
        let mut promised: Option<UnixMillis> = None;
        let mut before = None;
        for minute in 0..10 * 24 * 60 {
            let now = UnixMillis(start + minute * 60_000);
            let local = DateTime::<Utc>::from_timestamp_millis(now.0.cast_signed()).unwrap();
            let night = plan.at(&Berlin, now);
            let wall = by_the_wall(local.with_timezone(&Berlin).naive_local());
            assert_eq!(night.mode, wall, "{local}");
            if minute > 0 && night.mode != before {
                // Told before, to the instant.
                assert_eq!(promised, Some(now), "{local}");
                changes += 1;
            }
            assert!(night.until.is_some_and(|until| until > now));
            assert_eq!(night.since.is_some(), night.mode.is_some());
            (before, promised) = (night.mode, night.until);
        }
        assert!((22..=30).contains(&changes), "{changes}");
    }
}

#[test]
fn an_hour_that_is_left_out_or_comes_twice_starts_no_slot_twice() {
    let plan = plan("02:30-05:00");
    // The hour from 2 to 3 is left out: the slot begins when the clocks go on.
    let spring = |text: &str| plan.at(&Berlin, at(text)).mode.is_some();
    assert!(!spring("2026-03-29 00:59") && spring("2026-03-29 01:00"));
    assert!(spring("2026-03-29 02:59") && !spring("2026-03-29 03:00"));
    // It comes twice: the slot begins with the first 2:30, and goes on through the second hour.
    assert!(!spring("2026-10-25 00:29") && spring("2026-10-25 00:30"));
    assert!(spring("2026-10-25 01:10") && spring("2026-10-25 03:59"));
    assert!(!spring("2026-10-25 04:00"));
    let night = plan.at(&Berlin, at("2026-10-24 20:00"));
    assert_eq!(night.until, Some(at("2026-10-25 00:30")));
}

#[test]
fn dusk_falls_once_in_steps_and_day_comes_at_once() {
    let plan = plan("22:00-06:00 dim 20%, 06:00-07:00 black, 07:00-08:00 dim 10%");
    let time = NaiveTime::MIN;
    let start = at("2026-07-01 20:00").0;
    let light = |now: u64| {
        plan.at(&Berlin, UnixMillis(now))
            .veil(UnixMillis(now), time)
            .light
    };
    assert_eq!(light(start - 1), 1000);
    let lights: Vec<u16> = (0..120).map(|s| light(start + s * 1000)).collect();
    assert!(lights.is_sorted_by(|a, b| a >= b) && lights[0] > 850);
    let mut steps = lights.clone();
    steps.dedup();
    assert_eq!((steps.len(), lights[59] > 200, lights[64]), (16, true, 200));
    // No flash between two modes, and none at the end.
    let hour = 3_600_000;
    assert_eq!(light(start + 8 * hour - 1), 200);
    assert_eq!(light(start + 8 * hour), 0);
    assert_eq!(light(start + 9 * hour), 100);
    assert_eq!(light(start + 10 * hour), 1000);
}

#[test]
fn the_sun_is_where_almanacs_have_it() {
    for (place, day, sunrise, sunset) in [
        (
            "52.52,13.40",
            "2026-06-21",
            "2026-06-21 02:43",
            "2026-06-21 19:33",
        ),
        (
            "52.52,13.40",
            "2026-12-21",
            "2026-12-21 07:15",
            "2026-12-21 14:54",
        ),
        (
            "-33.87,151.21",
            "2026-06-21",
            "2026-06-20 21:00",
            "2026-06-21 06:54",
        ),
        (
            "40.71,-74.01",
            "2026-03-20",
            "2026-03-20 10:59",
            "2026-03-20 23:09",
        ),
        ("0,0", "2026-03-20", "2026-03-20 06:04", "2026-03-20 18:11"),
    ] {
        let place: Position = place.parse().unwrap();
        let (rise, set) = place.sun(day.parse().unwrap());
        for (found, expected) in [(rise, sunrise), (set, sunset)] {
            let off = found - at(expected).0.cast_signed();
            assert!(off.abs() <= 3 * 60_000, "{day} {expected}: off by {off} ms");
        }
    }
}

#[test]
fn where_the_sun_does_not_set_there_is_no_night_and_where_it_does_not_rise_no_day() {
    let plan = Plan::read("sunset-sunrise", "78.2,15.6".parse().ok()).unwrap();
    let n_dark = |from: &str| {
        let minutes = (0..24 * 60).map(|minute| UnixMillis(at(from).0 + minute * 60_000));
        minutes
            .filter(|now| plan.at(&Berlin, *now).mode.is_some())
            .count()
    };
    assert!(n_dark("2026-06-21 00:00") < 3);
    assert!(n_dark("2026-12-21 00:00") > 24 * 60 - 3);
    assert!((6 * 60..14 * 60).contains(&n_dark("2026-03-21 00:00")));
    for pole in ["90,0", "-90,0", "90,180", "-90,-180"] {
        let plan = Plan::read("sunset-sunrise", pole.parse().ok()).unwrap();
        for day in 1..28 {
            plan.at(&Berlin, at(&format!("2026-03-{day:02} 12:00")));
        }
    }
}

#[test]
fn plans_are_read_and_what_makes_none_gets_one_sentence() {
    let mode = |text: &str, now: &str| plan(text).at(&Berlin, at(now)).mode;
    assert_eq!(mode("22:30-06:30", "2026-07-01 21:00"), Some(USUAL));
    assert_eq!(
        mode("22:30-24:00 dim 7", "2026-07-01 21:00"),
        Some(Mode::Dim(7))
    );
    assert_eq!(
        mode("sunset+30m-23:59 clock", "2026-06-21 20:10"),
        Some(Mode::Clock)
    );
    assert_eq!(mode("sunset+30m-23:59 clock", "2026-06-21 19:50"), None);
    assert_eq!(
        mode("sunset-30m-sunrise-1h", "2026-06-21 19:10"),
        Some(USUAL)
    );
    // Over the end of the week, and the first that holds counts.
    assert_eq!(
        mode("sat-mon 8:00-9:00 black", "2026-07-06 06:30"),
        Some(Mode::Black)
    );
    assert_eq!(mode("sat-mon 8:00-9:00 black", "2026-07-07 06:30"), None);
    assert_eq!(
        mode("8:00-9:00 dim, 8:00-9:00 black", "2026-07-06 06:30"),
        Some(USUAL)
    );
    for (text, says) in [
        ("", "a slot is missing"),
        ("22:30-06:30,", "a slot is missing"),
        ("22:30", "from when to when"),
        ("22:30-25:00", "from when to when"),
        ("22:60-23:00", "from when to when"),
        ("2230-0630", "from when to when"),
        ("someday 22:30-06:30", "from when to when"),
        ("mon-someday 22:30-06:30", "from when to when"),
        ("22:30-22:30", "ends when it begins"),
        ("22:30-06:30 dim 0%", "from 1% to 99%"),
        ("22:30-06:30 dim 100%", "from 1% to 99%"),
        ("22:30-06:30 dark", "black or clock"),
        ("sunset+13h-06:30", "from when to when"),
        ("sunset*2-06:30", "from when to when"),
    ] {
        let reason = Plan::read(text, "0,0".parse().ok()).unwrap_err();
        assert!(
            reason.contains(says) && !reason.contains('\n'),
            "{text}: {reason}"
        );
    }
    let lost = Plan::read("sunset-06:30", None).unwrap_err();
    assert!(lost.contains("--position"), "{lost}");
    let long = vec!["22:30-06:30"; 29].join(",");
    assert!(Plan::read(&long, None).unwrap_err().contains("at most 28"));
    for (text, error) in [
        ("90.1,0", PositionError::Latitude),
        ("0,180.5", PositionError::Longitude),
        ("nan,0", PositionError::Form),
        ("inf,0", PositionError::Form),
        ("52", PositionError::Form),
        ("north,west", PositionError::Form),
    ] {
        assert_eq!(text.parse::<Position>(), Err(error), "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader_and_no_plan_the_clock(
        text in "[a-z0-9:+,% -]{0,40}|(mon|sat-sun|fri\\+sun)? ?(sunset|sunrise|[0-9]{1,2}:[0-9]{2})([+-][0-9]{1,4}[mh])?-(sunset|[0-9]{1,2}:[0-9]{2})( black| clock| dim [0-9]{1,3}%)?",
        now in any::<u64>(),
    ) {
        if let Ok(plan) = Plan::read(&text, "64.1,-21.9".parse().ok()) {
            for now in [now, now % 4_000_000_000_000] {
                let night = plan.at(&Berlin, UnixMillis(now));
                night.veil(UnixMillis(now), NaiveTime::MIN);
                prop_assert!(night.until.is_none_or(|until| until.0 > now));
            }
        }
        // Each mode is read as it is written.
        if let Ok(mode) = text.parse::<Mode>() {
            prop_assert_eq!(mode.to_string().parse::<Mode>(), Ok(mode));
        }
    }
}
