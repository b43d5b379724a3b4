//! The words of a veil: the clock of a dark screen, and what somebody has to say.

use crate::{
    render::words::{Column, Place, Row, Style},
    timeline::{Clock, Veil},
};

/// Dark, and of no blue that would light a bedroom.
const CLOCK: [u8; 3] = [74, 60, 44];
const CLOCK_SIZE: u8 = 16;
const MESSAGE_SIZE: u8 = 8;

/// The words over a slide, and how they look.
pub(in crate::producer) fn words(veil: &Veil) -> Vec<(String, Style)> {
    let clock = veil.clock.map(|clock| {
        let text = format!("{}:{:02}", clock.hour, clock.minute);
        let style = Style {
            place: place(clock),
            size: CLOCK_SIZE,
            colour: CLOCK,
            shadow: false,
        };
        (text, style)
    });
    let said = veil.said.as_ref().map(|text| {
        let style = Style {
            place: Place {
                row: Row::Middle,
                column: Column::Middle,
            },
            size: MESSAGE_SIZE,
            ..Style::USUAL
        };
        (text.to_string(), style)
    });
    clock.into_iter().chain(said).collect()
}

/// The clock's place: another one every minute, so that nothing burns in.
fn place(clock: Clock) -> Place {
    const ROWS: [Row; 3] = [Row::Top, Row::Middle, Row::Bottom];
    const COLUMNS: [Column; 3] = [Column::Left, Column::Middle, Column::Right];
    let minutes = usize::from(clock.hour) * 60 + usize::from(clock.minute);
    // All nine, in an order in which neighbours differ in both.
    let at = minutes * 4 % 9;
    Place {
        row: ROWS[at / 3],
        column: COLUMNS[at % 3],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_nowhere_for_long() {
        let clock = |minutes: u16| Clock {
            hour: u8::try_from(minutes / 60).unwrap(),
            minute: u8::try_from(minutes % 60).unwrap(),
        };
        let mut counts = [[0; 3]; 3];
        for minutes in 0..24 * 60 {
            let here = place(clock(minutes));
            assert_ne!(here, place(clock((minutes + 1) % (24 * 60))), "{minutes}");
            counts[here.row as usize][here.column as usize] += 1;
        }
        assert!(counts.iter().flatten().all(|n| *n == 24 * 60 / 9));
        let veil = Veil {
            said: Some("Dinner".into()),
            ..Veil::clock(chrono::NaiveTime::from_hms_opt(6, 5, 0).unwrap())
        };
        let words: Vec<String> = words(&veil).into_iter().map(|(text, _)| text).collect();
        assert_eq!(words, ["6:05", "Dinner"]);
        assert!(super::words(&Veil::default()).is_empty());
    }
}
