//! The date of a photo, among all that tell of one: how they are written, which wins, and which is beyond belief.
//!
//! Pure: the time that it is now is an argument. Reads nothing.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime};

use super::facts::{DateSource, Taken};

/// All that tells when a photo was taken, as local time; the first of them that can be believed wins. The table in
/// docs/dates.md says the same to people.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Told {
    /// By the XMP file beside the photo: a correction.
    pub(super) sidecar: Option<NaiveDateTime>,
    /// EXIF's DateTimeOriginal.
    pub(super) original: Option<NaiveDateTime>,
    /// EXIF's DateTimeDigitized.
    pub(super) digitized: Option<NaiveDateTime>,
    /// By the XMP in the file, which may be coarse.
    pub(super) packet: Option<NaiveDateTime>,
    /// By IPTC's DateCreated.
    pub(super) iptc: Option<NaiveDateTime>,
    /// By the satellites' clock, which is UTC.
    pub(super) gps: Option<NaiveDateTime>,
    /// By Google Takeout's JSON beside the photo.
    pub(super) takeout: Option<NaiveDateTime>,
    /// EXIF's DateTime, of the last change.
    pub(super) modified: Option<NaiveDateTime>,
    /// By the file's name.
    pub(super) name: Option<NaiveDateTime>,
    /// By the file's own time of change.
    pub(super) file: Option<NaiveDateTime>,
}

impl Told {
    /// The date that counts, at the local time `now`.
    pub(super) fn taken(&self, now: NaiveDateTime) -> Option<Taken> {
        let own = [
            self.sidecar,
            self.original,
            self.digitized,
            self.packet,
            self.iptc,
            self.gps,
            self.takeout,
            self.modified,
        ];
        let own = || {
            own.into_iter()
                .flatten()
                .filter(|moment| is_credible(*moment, now))
        };
        let name = self.name.filter(|moment| is_credible(*moment, now));
        let (moment, source) = if let Some(moment) = own().find(|moment| !is_new_year(*moment)) {
            (moment, DateSource::Metadata)
        } else if let Some(moment) = name {
            (moment, DateSource::Name)
        } else if let Some(moment) = own().next() {
            (moment, DateSource::Metadata)
        } else {
            (self.file?, DateSource::Modified)
        };
        Some(Taken {
            local_seconds: moment.and_utc().timestamp(),
            source,
        })
    }
}

/// The moment that a program or camera wrote: EXIF's form, `2012:12:22 10:37:28`, those of XMP of every length (ISO 16684-1),
/// `2021`, `2021-07`, `2021-07-04T12:30+02:00`, and what scanners write instead: slashes or dots, fractions, no seconds. The local
/// time counts; a day alone is noon, a month or a year its first. Spaces for what is not known make no date.
pub(super) fn moment(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim();
    let (day, time) = match text.split_once(['T', 't', ' ']) {
        Some((day, time)) => (day, Some(time.trim())),
        None => (text, None),
    };
    let mut parts = day.splitn(3, [':', '-', '/', '.']);
    let mut part = |most: usize| {
        let Some(part) = parts.next() else {
            // What is left out is the first.
            return Some(1);
        };
        let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
        let fits = (1..=most).contains(&part.len());
        (is_number && fits).then(|| part.parse::<u32>().ok())?
    };
    let year = i32::try_from(part(4).filter(|year| *year > 999)?).ok()?;
    let day = NaiveDate::from_ymd_opt(year, part(2)?, part(2)?)?;
    let Some(time) = time else {
        return day.and_hms_opt(12, 0, 0);
    };
    // The zone, and fractions.
    let time = time.split(['Z', 'z', '+', '-']).next()?.trim();
    let time = time.split(['.', ',']).next()?;
    let of = |form| NaiveTime::parse_from_str(time, form).ok();
    Some(day.and_time(of("%H:%M:%S").or_else(|| of("%H:%M"))?))
}

/// Days on which clocks begin that were never set: of Macs, Unix, cameras of several makers, and spreadsheets; the evening
/// before, where a zone was taken off.
const BEGINNINGS: [(i32, u32, u32); 8] = [
    (1899, 12, 30),
    (1899, 12, 31),
    (1904, 1, 1),
    (1969, 12, 31),
    (1970, 1, 1),
    (1979, 11, 30),
    (1979, 12, 31),
    (1980, 1, 1),
];

/// Whether a photo can be of this date: photography begins in the 1820s, a clock that was never set says the day on which
/// such clocks begin, and nothing was taken in the future. A day is allowed for zones.
fn is_credible(moment: NaiveDateTime, now: NaiveDateTime) -> bool {
    let day = (moment.year(), moment.month(), moment.day());
    let is_past = now
        .checked_add_days(Days::new(1))
        .is_none_or(|limit| moment <= limit);
    let midnight = NaiveDate::from_ymd_opt(2000, 1, 1).map(|day| day.and_time(NaiveTime::MIN));
    moment.year() >= 1820 && is_past && !BEGINNINGS.contains(&day) && Some(moment) != midnight
}

/// Whether it is the first second of a year, as clocks say that begin in the year of their make, and people who know the year
/// alone: less to go by than a name that tells a date.
fn is_new_year(moment: NaiveDateTime) -> bool {
    moment.ordinal() == 1 && moment.time() == NaiveTime::MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap()
    }

    fn now() -> NaiveDateTime {
        at("2026-11-26 12:00:00")
    }

    fn won(told: Told) -> Option<(String, DateSource)> {
        let taken = told.taken(now())?;
        Some((taken.moment().unwrap().to_string(), taken.source))
    }

    #[test]
    fn each_gives_way_to_those_before_it() {
        let day = |n: u32| {
            NaiveDate::from_ymd_opt(2010, 1, n)
                .unwrap()
                .and_hms_opt(9, 0, 0)
        };
        let mut told = Told {
            sidecar: day(1),
            original: day(2),
            digitized: day(3),
            packet: day(4),
            iptc: day(5),
            gps: day(6),
            takeout: day(7),
            modified: day(8),
            name: day(9),
            file: day(10),
        };
        for n in 1..=10 {
            let source = match n {
                9 => DateSource::Name,
                10 => DateSource::Modified,
                _ => DateSource::Metadata,
            };
            assert_eq!(won(told), Some((day(n).unwrap().to_string(), source)));
            let slot = [
                &mut told.sidecar,
                &mut told.original,
                &mut told.digitized,
                &mut told.packet,
                &mut told.iptc,
                &mut told.gps,
                &mut told.takeout,
                &mut told.modified,
                &mut told.name,
                &mut told.file,
            ];
            *slot.into_iter().nth(n as usize - 1).unwrap() = None;
        }
        assert_eq!(won(told), None);
    }

    #[test]
    fn clocks_that_were_never_set_and_dates_to_come_lose_to_everything() {
        for clock in [
            "1899-12-30 00:00:00",
            "1904-01-01 00:00:00",
            "1904-01-01 00:12:07",
            "1969-12-31 19:00:00",
            "1970-01-01 00:00:00",
            "1979-11-30 00:00:00",
            "1980-01-01 00:00:12",
            "2000-01-01 00:00:00",
            "0001-01-01 00:00:00",
            "2036-02-07 06:28:16",
            "2099-01-01 00:00:00",
        ] {
            let told = Told {
                original: Some(at(clock)),
                name: Some(at("2015-07-04 12:30:00")),
                ..Told::default()
            };
            assert_eq!(won(told).unwrap().0, "2015-07-04 12:30:00", "{clock}");
            let alone = Told { name: None, ..told };
            assert_eq!(won(alone), None, "{clock}");
            let next = Told {
                digitized: Some(at("2014-01-02 03:04:05")),
                ..told
            };
            assert_eq!(won(next).unwrap().0, "2014-01-02 03:04:05", "{clock}");
        }
        let zone = Told {
            original: Some(at("2026-11-27 01:00:00")),
            ..Told::default()
        };
        assert!(won(zone).is_some(), "it is tomorrow already elsewhere");
    }

    #[test]
    fn the_first_second_of_a_year_is_believed_where_no_name_says_more() {
        let told = Told {
            original: Some(at("1965-01-01 00:00:00")),
            file: Some(at("2020-05-05 05:05:05")),
            ..Told::default()
        };
        assert_eq!(won(told).unwrap().0, "1965-01-01 00:00:00");
        let named = Told {
            original: Some(at("2012-01-01 00:00:00")),
            name: Some(at("2015-07-04 12:30:00")),
            ..told
        };
        assert_eq!(won(named).unwrap().1, DateSource::Name);
    }

    #[test]
    fn dates_are_read_in_every_form() {
        for (text, expected) in [
            ("2012:12:22 10:37:28", "2012-12-22 10:37:28"),
            ("2012-12-22 10:37:28", "2012-12-22 10:37:28"),
            ("2012/12/22 10:37:28", "2012-12-22 10:37:28"),
            ("2012-12-22T10:37:28Z", "2012-12-22 10:37:28"),
            ("2012-12-22T10:37:28.123+02:00", "2012-12-22 10:37:28"),
            ("2012:12:22 10:37", "2012-12-22 10:37:00"),
            ("2012:12:22", "2012-12-22 12:00:00"),
            (" 2012:12:22 10:37:28 ", "2012-12-22 10:37:28"),
            ("2012:1:2 10:37:28", "2012-01-02 10:37:28"),
        ] {
            assert_eq!(
                moment(text).map(|moment| moment.to_string()).as_deref(),
                Some(expected),
                "{text}"
            );
        }
        for text in [
            "",
            "    :  :     :  :  ",
            "0000:00:00 00:00:00",
            "2012:13:01 00:00:00",
            "2012:12:22 25:00:00",
            "soon",
            "12:12:2012",
        ] {
            assert_eq!(moment(text), None, "{text:?}");
        }
    }
}
