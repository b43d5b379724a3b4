//! Plans and modes as people type them: `22:30-06:30`, `mon-fri 22:30-06:30 dim 20%, sat+sun 23:30-sunrise black`.

use std::str::FromStr;

use chrono::NaiveTime;

use super::{DAYS, Edge, Mode, Plan, Position, Slot, USUAL, USUAL_PERCENT};
use crate::typed;

/// More slots are a mistake, or mischief.
const MAX_SLOTS: usize = 28;
/// Half a day: further from the sun's edge it is another day's.
const MAX_OFFSET_MINUTES: i32 = 12 * 60;

impl Plan {
    /// Reads a plan; where a slot asks for the sun, `position` says where.
    ///
    /// # Errors
    /// A sentence that names the slot and what it ought to be.
    pub fn read(text: &str, position: Option<Position>) -> Result<Self, String> {
        let slots: Vec<&str> = text.split(',').map(str::trim).collect();
        if slots.len() > MAX_SLOTS {
            return Err(format!("a plan has at most {MAX_SLOTS} slots"));
        }
        let slots = slots.into_iter().map(|slot| {
            let read: Slot = slot.parse().map_err(|reason| in_slot(slot, reason))?;
            let asks_for_sun = [read.from, read.to]
                .iter()
                .any(|edge| !matches!(edge, Edge::Time(_)));
            if asks_for_sun && position.is_none() {
                let reason = "the sun takes a position: give one, such as --position 52.52,13.40";
                return Err(in_slot(slot, reason));
            }
            Ok(read)
        });
        Ok(Self {
            slots: slots.collect::<Result<_, _>>()?,
            position,
        })
    }
}

fn in_slot(slot: &str, reason: &str) -> String {
    if slot.is_empty() {
        "a slot is missing; write one like 22:30-06:30, several with commas between".to_owned()
    } else {
        format!("in {slot:?} {reason}")
    }
}

impl FromStr for Slot {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (days, rest) = match words.first() {
            Some(word) if word.starts_with(|c: char| c.is_ascii_alphabetic()) => match days(word) {
                Some(days) => (days, &words[1..]),
                None => ([true; 7], &words[..]),
            },
            _ => ([true; 7], &words[..]),
        };
        let (span, mode) = rest.split_first().ok_or(NO_SPAN)?;
        let (from, to) = span
            .match_indices('-')
            .find_map(|(at, _)| Some((edge(&span[..at])?, edge(&span[at + 1..])?)))
            .ok_or(NO_SPAN)?;
        if from == to {
            return Err("the slot ends when it begins");
        }
        let mode = if mode.is_empty() {
            USUAL
        } else {
            mode.join(" ").parse()?
        };
        Ok(Self {
            days,
            from,
            to,
            mode,
        })
    }
}

const NO_SPAN: &str = "there has to be from when to when, such as 22:30-06:30, mon-fri 22:30-06:30, sat+sun 23:00-sunrise \
                       or sunset+30m-07:00";

impl FromStr for Mode {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words[..] {
            ["black"] => Ok(Self::Black),
            ["clock"] => Ok(Self::Clock),
            ["dim"] => Ok(USUAL),
            ["warm"] => Ok(Self::Warm(USUAL_PERCENT)),
            ["dim", percent] => light_left(percent).map(Self::Dim),
            ["warm", percent] => light_left(percent).map(Self::Warm),
            _ => Err(NO_MODE),
        }
    }
}

fn light_left(text: &str) -> Result<u8, &'static str> {
    let percent = text.strip_suffix('%').unwrap_or(text).parse().ok();
    percent.filter(|n| (1..=99).contains(n)).ok_or(NO_MODE)
}

const NO_MODE: &str =
    "the mode has to be dim or warm with the light that is left, from 1% to 99%, black or clock";

/// Reads `mon`, `mon-fri`, `sat+sun`; a span may go over the week's end.
fn days(text: &str) -> Option<[bool; 7]> {
    let day = |name: &str| {
        let name = name.to_ascii_lowercase();
        DAYS.iter().position(|day| name == *day)
    };
    let mut days = [false; 7];
    for part in text.split('+') {
        let (first, last) = match part.split_once('-') {
            Some((first, last)) => (day(first)?, day(last)?),
            None => (day(part)?, day(part)?),
        };
        let n = (last + 7 - first) % 7;
        for at in 0..=n {
            days[(first + at) % 7] = true;
        }
    }
    Some(days)
}

fn edge(text: &str) -> Option<Edge> {
    let text = text.trim().to_ascii_lowercase();
    let (sun, offset) = if let Some(offset) = text.strip_prefix("sunset") {
        (Edge::Sunset as fn(i32) -> Edge, offset)
    } else if let Some(offset) = text.strip_prefix("sunrise") {
        (Edge::Sunrise as fn(i32) -> Edge, offset)
    } else {
        return time(&text).map(Edge::Time);
    };
    if offset.is_empty() {
        return Some(sun(0));
    }
    let sign = match offset.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let minutes = i32::try_from(typed::millis(&offset[1..]).ok()? / 60_000).ok()?;
    (minutes <= MAX_OFFSET_MINUTES).then(|| sun(sign * minutes))
}

fn time(text: &str) -> Option<NaiveTime> {
    let (hours, minutes) = text.split_once(':')?;
    let is_number = |text: &str| {
        (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !is_number(hours) || minutes.len() != 2 || !is_number(minutes) {
        return None;
    }
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    // As people write the end of a day.
    NaiveTime::from_hms_opt(
        if (hours, minutes) == (24, 0) {
            0
        } else {
            hours
        },
        minutes,
        0,
    )
}
