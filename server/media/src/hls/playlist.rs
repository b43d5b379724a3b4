//! The text of a media playlist.

use alloc::{format, string::String};

use super::{
    Name, TICKS,
    window::{Segment, Window},
};

/// How many target durations before the end segments may be left out of an update, and how long parts are
/// told (RFC 8216bis, 4.4.3.8 and 6.2.2).
const SKIP_TARGETS: u64 = 6;
const PART_TARGETS: u64 = 3;

/// How many part targets from the end a client plays: three are recommended (4.4.3.8), for a part that is
/// late.
const HOLD_BACK_PARTS: u64 = 3;

impl<T> Window<T> {
    /// The playlist as it is now. `may_skip` and `extra` are a [`Wish`](super::Wish)'s.
    pub fn playlist(&self, may_skip: bool, extra: &str) -> String {
        let suffix = suffix(extra);
        let target_ticks = u64::from(self.target_secs()) * TICKS;
        let skip_until = SKIP_TARGETS * target_ticks;
        let part_target = u64::from(self.part_target());
        let mut out = format!(
            "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:{}\n\
             #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={},CAN-SKIP-UNTIL={}\n\
             #EXT-X-PART-INF:PART-TARGET={}\n#EXT-X-MEDIA-SEQUENCE:{}\n\
             #EXT-X-DISCONTINUITY-SEQUENCE:{}\n",
            self.target_secs(),
            seconds(HOLD_BACK_PARTS * part_target),
            seconds(skip_until),
            seconds(part_target),
            self.first_msn(),
            self.n_discontinuities(),
        );
        if self.is_independent() {
            out += "#EXT-X-INDEPENDENT-SEGMENTS\n";
        }
        // How far each segment's end is from the playlist's, whose end is that of the last part.
        let mut left: u64 = self.listed().map(|segment| segment.duration).sum();
        left += self.current().duration;
        let mut epoch = None;
        let mut n_skipped = 0;
        if may_skip {
            for segment in self.listed() {
                if left - segment.duration <= skip_until {
                    break;
                }
                left -= segment.duration;
                epoch = Some(segment.epoch);
                n_skipped += 1;
            }
            if n_skipped > 0 {
                out += &format!("#EXT-X-SKIP:SKIPPED-SEGMENTS={n_skipped}\n");
            }
        }
        for segment in self.listed().skip(n_skipped) {
            left -= segment.duration;
            self.write_head(segment, &mut epoch, &suffix, &mut out);
            if segment.tells_parts && left < PART_TARGETS * target_ticks {
                self.write_parts(segment, &suffix, &mut out);
            }
            let name = Name::Segment { msn: segment.msn }.to_text(self.prefix());
            let duration = seconds(segment.duration);
            out += &format!("#EXTINF:{duration},\n{name}{suffix}\n");
        }
        let current = self.current();
        if !current.parts.is_empty() {
            self.write_head(current, &mut epoch, &suffix, &mut out);
            self.write_parts(current, &suffix, &mut out);
        }
        let next = self.next_part().to_text(self.prefix());
        out + &format!("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{next}{suffix}\"\n")
    }

    /// The lines before a segment: where another encoder begins, and when.
    fn write_head(
        &self,
        segment: &Segment<T>,
        epoch: &mut Option<u64>,
        suffix: &str,
        out: &mut String,
    ) {
        if segment.is_discontinuous {
            *out += "#EXT-X-DISCONTINUITY\n";
        }
        if *epoch != Some(segment.epoch) {
            *epoch = Some(segment.epoch);
            let (prefix, epoch) = (self.prefix(), segment.epoch);
            let name = Name::Init { epoch }.to_text(prefix);
            *out += &format!("#EXT-X-MAP:URI=\"{name}{suffix}\"\n");
        }
        let date = date_time(segment.at_unix_millis);
        *out += &format!("#EXT-X-PROGRAM-DATE-TIME:{date}\n");
    }

    fn write_parts(&self, segment: &Segment<T>, suffix: &str, out: &mut String) {
        let msn = segment.msn;
        for (part, told) in (0..).zip(&segment.parts) {
            let name = Name::Part { msn, part }.to_text(self.prefix());
            let duration = seconds(u64::from(told.duration));
            let independent = if told.is_independent {
                ",INDEPENDENT=YES"
            } else {
                ""
            };
            *out +=
                &format!("#EXT-X-PART:DURATION={duration},URI=\"{name}{suffix}\"{independent}\n");
        }
    }
}

/// The query of a name, empty where there is none.
pub(super) fn suffix(extra: &str) -> String {
    if extra.is_empty() {
        String::new()
    } else {
        format!("?{extra}")
    }
}

/// Ticks as seconds with five decimals, which tell each tick from the next.
fn seconds(ticks: u64) -> String {
    let rounded = (ticks * 100_000 + TICKS / 2) / TICKS;
    format!("{}.{:05}", rounded / 100_000, rounded % 100_000)
}

/// A moment as ISO 8601 has it, in UTC with milliseconds.
fn date_time(unix_millis: u64) -> String {
    const DAY: u64 = 86_400_000;
    /// The last moment of four digits' years.
    const LAST: u64 = 253_402_300_799_999;
    let unix_millis = unix_millis.min(LAST);
    let (mut days, millis) = (unix_millis / DAY, unix_millis % DAY);
    // Years begin in March here, so that the odd day is a year's last one; days count from 1 March 0000.
    days += 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year_of_era = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute) = (millis / 3_600_000, millis / 60_000 % 60);
    let (second, millis) = (millis / 1000 % 60, millis % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}
