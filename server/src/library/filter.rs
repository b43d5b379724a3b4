//! Which photos of the library take turns: by album, date, rating, keyword, shape, anniversary, or
//! the newest.
//!
//! Pure: reads wishes as people type them, on the command line, in the file or in an address, and
//! says them in SQL.

use std::{fmt, sync::Arc};

use chrono::{Datelike, Months, NaiveDate};
use rusqlite::types::Value;

use super::letters;
use crate::typed::on_or_off;

/// A choice of photos. The default lets every one through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    album: Option<String>,
    /// The first day, and the first day that is too late.
    from: Option<NaiveDate>,
    until: Option<NaiveDate>,
    rating: Option<u8>,
    /// All of them.
    keywords: Vec<String>,
    shape: Option<Shape>,
    on_this_day: Option<YearsBack>,
    newest: Option<u32>,
    favourites: bool,
    /// The filter that this one narrows.
    outer: Option<Arc<Self>>,
}

/// How a photo stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Shape {
    Landscape,
    Portrait,
    Square,
}

/// How far back anniversaries go; `None`: all the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct YearsBack(Option<u32>);

/// A query and its values, in order.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

/// The keys that [`Filter::set`] knows: options of the command line without their dashes, keys of
/// the configuration file and of an address' query.
pub const KEYS: [&str; 9] = [
    "album",
    "from",
    "to",
    "rating",
    "keyword",
    "orientation",
    "on-this-day",
    "newest",
    "favourites",
];

/// More keywords in one wish are a mistake, or mischief.
const MAX_KEYWORDS: usize = 8;
const MAX_CHARS: usize = 200;

impl Filter {
    /// Narrows the choice by one of [`KEYS`].
    ///
    /// # Errors
    /// What the value ought to be, as the end of a sentence.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), &'static str> {
        let value = value.trim();
        if value.chars().count() > MAX_CHARS {
            return Err("at most 200 characters");
        }
        match key {
            "album" => {
                let name = value.trim_matches('/');
                if name.is_empty() {
                    return Err("the name of a folder, or its path below the one that is shown");
                }
                self.album = Some(letters::shown(name).into_owned());
            }
            "from" => self.from = Some(span(value).ok_or(A_DATE)?.0),
            "to" => self.until = Some(span(value).ok_or(A_DATE)?.1),
            "rating" => {
                let stars = value.parse().ok().filter(|stars| (1..=5).contains(stars));
                self.rating = Some(stars.ok_or("the fewest stars, 1 to 5")?);
            }
            "keyword" => {
                let words = value
                    .split(',')
                    .map(str::trim)
                    .filter(|word| !word.is_empty());
                self.keywords
                    .extend(words.map(|word| letters::shown(&word.to_lowercase()).into_owned()));
                self.keywords.sort();
                self.keywords.dedup();
                if self.keywords.is_empty() || self.keywords.len() > MAX_KEYWORDS {
                    return Err("one to eight keywords with commas between");
                }
            }
            "orientation" => {
                self.shape = Some(match value {
                    "landscape" => Shape::Landscape,
                    "portrait" => Shape::Portrait,
                    "square" => Shape::Square,
                    _ => return Err("landscape, portrait or square"),
                });
            }
            "on-this-day" => {
                self.on_this_day = match value {
                    "" | "true" | "yes" | "on" => Some(YearsBack(None)),
                    "false" | "no" | "off" => None,
                    years => {
                        let years = years.parse().ok().filter(|years| (1..=200).contains(years));
                        Some(YearsBack(Some(
                            years.ok_or("how many years back, 1 to 200, or nothing")?,
                        )))
                    }
                };
            }
            "newest" => {
                let n = value.parse().ok().filter(|n| *n > 0);
                self.newest = Some(n.ok_or("how many photos, 1 or more")?);
            }
            "favourites" => {
                self.favourites = value.is_empty() || on_or_off(value).ok_or("on or off")?;
            }
            _ => return Err("a key that is known"),
        }
        if let (Some(from), Some(until)) = (self.from, self.until)
            && from >= until
        {
            return Err("a day after the one that the range begins with");
        }
        Ok(())
    }

    /// The album that was asked for.
    pub fn album(&self) -> Option<&str> {
        self.album.as_deref()
    }

    /// The wishes, as [`Self::set`] reads them; not those of the filter that this one narrows.
    pub fn wishes(&self) -> Vec<(&'static str, String)> {
        let shape = self.shape.map(|shape| format!("{shape:?}").to_lowercase());
        let years = |YearsBack(years): YearsBack| {
            years.map_or_else(|| "on".to_owned(), |years| years.to_string())
        };
        // The last day that is shown.
        let to = self.until.and_then(|day| day.pred_opt());
        let keywords = (!self.keywords.is_empty()).then(|| self.keywords.join(","));
        let all = [
            ("album", self.album.clone()),
            ("from", self.from.map(|day| day.to_string())),
            ("to", to.map(|day| day.to_string())),
            ("rating", self.rating.map(|stars| stars.to_string())),
            ("keyword", keywords),
            ("orientation", shape),
            ("on-this-day", self.on_this_day.map(years)),
            ("newest", self.newest.map(|n| n.to_string())),
            ("favourites", self.favourites.then(|| "on".to_owned())),
        ];
        let wished = all.into_iter();
        wished
            .filter_map(|(key, value)| Some((key, value?)))
            .collect()
    }

    /// Lets every photo through.
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// Narrowed to what `outer` lets through as well.
    pub fn within(mut self, outer: &Self) -> Self {
        if !outer.is_all() {
            self.outer = Some(Arc::new(outer.clone()));
        }
        self
    }

    /// This filter on every day: for days on which nothing happened.
    pub fn on_any_day(&self) -> Self {
        Self {
            on_this_day: None,
            outer: self
                .outer
                .as_ref()
                .map(|outer| Arc::new(outer.on_any_day())),
            ..self.clone()
        }
    }

    /// Depends on what day it is.
    pub fn changes_daily(&self) -> bool {
        self.on_this_day.is_some()
            || self
                .outer
                .as_ref()
                .is_some_and(|outer| outer.changes_daily())
    }

    /// The photos that are let through. `album` finds the folders with a name; `all_shown` says that
    /// there are no rows of folders which are not shown.
    pub(super) fn query<E>(
        &self,
        today: NaiveDate,
        all_shown: bool,
        with_names: bool,
        album: &impl Fn(&str) -> Result<Vec<i64>, E>,
    ) -> Result<Query, E> {
        // Rows as they lie: through an index each would be looked up by itself, ten times as slow.
        let files = if self.is_all() {
            "files NOT INDEXED"
        } else {
            "files"
        };
        let columns =
            "files.id, taken, width, height, folder, camera, likeness, added, taken_from, length";
        let sql = if with_names {
            format!(
                "SELECT {columns}, folders.path, files.name FROM folders \
                 JOIN {files} ON folders.id = files.folder"
            )
        } else {
            format!("SELECT {columns} FROM {files}")
        };
        let mut query = Query {
            sql,
            values: Vec::new(),
        };
        self.conditions(&mut query, today, all_shown, album)?;
        Ok(query)
    }

    /// Everything behind the tables.
    fn conditions<E>(
        &self,
        query: &mut Query,
        today: NaiveDate,
        all_shown: bool,
        album: &impl Fn(&str) -> Result<Vec<i64>, E>,
    ) -> Result<(), E> {
        let Query { sql, values } = query;
        sql.push_str(" WHERE files.state = 0 AND files.gone = 0");
        if !all_shown {
            sql.push_str(" AND folder IN (SELECT id FROM folders WHERE active = 1)");
        }
        if let Some(name) = &self.album {
            // Numbers, from our own table.
            let list: Vec<String> = album(name)?.iter().map(i64::to_string).collect();
            sql.push_str(&format!(" AND folder IN ({})", list.join(",")));
        }
        let mut compare = |condition: &str, value: i64| {
            sql.push_str(condition);
            values.push(Value::Integer(value));
        };
        if let Some(from) = self.from {
            compare(" AND taken >= ?", seconds(from));
        }
        if let Some(until) = self.until {
            compare(" AND taken < ?", seconds(until));
        }
        if let Some(rating) = self.rating {
            compare(" AND rating >= ?", i64::from(rating));
        }
        if let Some(YearsBack(years)) = self.on_this_day {
            let this_year = NaiveDate::from_ymd_opt(today.year(), 1, 1).unwrap_or(today);
            compare(" AND taken < ?", seconds(this_year));
            if let Some(first) =
                years.and_then(|years| this_year.checked_sub_months(Months::new(12 * years)))
            {
                compare(" AND taken >= ?", seconds(first));
            }
            let days: Vec<String> = days_like(today).iter().map(u32::to_string).collect();
            sql.push_str(&format!(" AND month_day IN ({})", days.join(",")));
        }
        match self.shape {
            Some(Shape::Landscape) => sql.push_str(" AND width > height"),
            Some(Shape::Portrait) => sql.push_str(" AND width < height"),
            Some(Shape::Square) => sql.push_str(" AND width = height"),
            None => {}
        }
        if self.favourites {
            sql.push_str(" AND files.id IN (SELECT file FROM marks WHERE favourite = 1)");
        }
        for word in &self.keywords {
            sql.push_str(" AND files.id IN (SELECT file FROM keywords WHERE key = ?)");
            values.push(Value::Text(letters::key(word)));
        }
        if let Some(outer) = &self.outer {
            query
                .sql
                .push_str(" AND files.id IN (SELECT files.id FROM files");
            outer.conditions(query, today, all_shown, album)?;
            query.sql.push(')');
        }
        if let Some(n) = self.newest {
            query
                .sql
                .push_str(&format!(" ORDER BY taken DESC, files.id LIMIT {n}"));
        }
        Ok(())
    }
}

const A_DATE: &str = "a year, a month or a day: 2021, 2021-07 or 2021-07-04";

/// The first day of a year, a month or a day, and the first day after it.
fn span(text: &str) -> Option<(NaiveDate, NaiveDate)> {
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = text.split('-').collect();
    if !parts.iter().all(|part| is_number(part)) || parts[0].len() != 4 {
        return None;
    }
    let number = |at: usize| {
        parts
            .get(at)
            .map_or(Some(1), |part| part.parse::<u32>().ok())
    };
    let year = parts[0].parse().ok()?;
    let first = NaiveDate::from_ymd_opt(year, number(1)?, number(2)?)?;
    let after = match parts.len() {
        1 => first.checked_add_months(Months::new(12)),
        2 => first.checked_add_months(Months::new(1)),
        3 => first.succ_opt(),
        _ => None,
    };
    Some((first, after?))
}

/// The days, as month × 100 + day, whose anniversary `today` is: those of 29 February come on the
/// 28th in years that have no 29th.
fn days_like(today: NaiveDate) -> Vec<u32> {
    let mut days = vec![today.month() * 100 + today.day()];
    if days == [228] && !today.leap_year() {
        days.push(229);
    }
    days
}

fn seconds(day: NaiveDate) -> i64 {
    day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp()
}

impl fmt::Display for Filter {
    /// For people: `album Rome, from 2021-07-01, at least 4 stars`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = Vec::new();
        parts.extend(self.album.as_ref().map(|album| format!("album {album}")));
        parts.extend(self.from.map(|day| format!("from {day}")));
        parts.extend(self.until.map(|day| format!("before {day}")));
        parts.extend(self.rating.map(|stars| format!("at least {stars} stars")));
        parts.extend(self.keywords.iter().map(|word| format!("keyword {word}")));
        parts.extend(self.shape.map(|shape| format!("{shape:?}").to_lowercase()));
        parts.extend(self.on_this_day.map(|YearsBack(years)| match years {
            Some(years) => format!("on this day, {years} years back"),
            None => "on this day".into(),
        }));
        parts.extend(self.favourites.then(|| "favourites".into()));
        parts.extend(self.newest.map(|n| format!("the newest {n}")));
        if parts.is_empty() {
            return f.write_str("all photos");
        }
        f.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(wishes: &[(&str, &str)]) -> Result<Filter, &'static str> {
        let mut filter = Filter::default();
        for (key, value) in wishes {
            filter.set(key, value)?;
        }
        Ok(filter)
    }

    #[test]
    fn wishes_are_told_back() {
        let filter = filter(&[
            ("album", "/Rome/"),
            ("from", "2021"),
            ("to", "2021-07"),
            ("rating", "4"),
            ("keyword", "Cats, dogs"),
            ("orientation", "portrait"),
            ("on-this-day", "5"),
            ("newest", "9"),
            ("favourites", ""),
        ])
        .unwrap();
        assert_eq!(
            filter.to_string(),
            "album Rome, from 2021-01-01, before 2021-08-01, at least 4 stars, keyword cats, \
             keyword dogs, portrait, on this day, 5 years back, favourites, the newest 9"
        );
        assert!(Filter::default().is_all() && !filter.is_all());
    }

    #[test]
    fn bad_wishes_are_refused() {
        for (key, value) in [
            ("album", "/"),
            ("from", "yesterday"),
            ("from", "2021-13"),
            ("from", "21"),
            ("from", "2021-02-30"),
            ("to", "2021-1-1-1"),
            ("rating", "0"),
            ("rating", "6"),
            ("keyword", " , "),
            ("keyword", "a,b,c,d,e,f,g,h,i"),
            ("orientation", "round"),
            ("on-this-day", "0"),
            ("newest", "0"),
            ("newest", "many"),
            ("favourites", "some"),
            ("colour", "red"),
        ] {
            assert!(filter(&[(key, value)]).is_err(), "{key}={value}");
        }
        assert!(filter(&[("from", "2022"), ("to", "2021")]).is_err());
        assert!(filter(&[("from", "2021"), ("to", "2021")]).is_ok());
        assert!(filter(&[("album", &"x".repeat(201))]).is_err());
    }

    #[test]
    fn the_29th_of_february_has_its_day_each_year() {
        let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
        assert_eq!(days_like(day(2023, 2, 28)), [228, 229]);
        assert_eq!(days_like(day(2024, 2, 28)), [228]);
        assert_eq!(days_like(day(2024, 2, 29)), [229]);
    }
}
