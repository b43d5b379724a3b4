//! Sunrise and sunset, by the usual approximation: right to about two minutes, and to about ten near the poles.

use chrono::{Datelike, NaiveDate, NaiveTime};

/// A position on Earth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Latitude and longitude in ten-thousandths of a degree, north and east positive.
    latitude: i32,
    longitude: i32,
}

/// Why a text is no position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PositionError {
    /// Not two numbers.
    #[error("it has to be a latitude and a longitude in degrees, such as 52.52,13.40")]
    Form,
    /// Beyond a pole.
    #[error("a latitude is between -90 (the south pole) and 90 (the north pole)")]
    Latitude,
    /// More than once around.
    #[error("a longitude is between -180 (west) and 180 (east)")]
    Longitude,
}

impl std::str::FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (latitude, longitude) = text.split_once(',').ok_or(PositionError::Form)?;
        let degrees = |text: &str| {
            let degrees: f64 = text.trim().parse().map_err(|_| PositionError::Form)?;
            if degrees.is_finite() {
                Ok(degrees)
            } else {
                Err(PositionError::Form)
            }
        };
        let (latitude, longitude) = (degrees(latitude)?, degrees(longitude)?);
        if latitude.abs() > 90.0 {
            return Err(PositionError::Latitude);
        }
        if longitude.abs() > 180.0 {
            return Err(PositionError::Longitude);
        }
        Ok(Self {
            latitude: (latitude * 1e4).round() as i32,
            longitude: (longitude * 1e4).round() as i32,
        })
    }
}

impl Position {
    /// Sunrise and sunset of a day there, in Unix milliseconds. Where the sun doesn't set, the sunset is the midnight
    /// after, and the sunrise the one before; where it doesn't rise, both are noon.
    pub(super) fn sun(self, day: NaiveDate) -> (i64, i64) {
        let latitude = (f64::from(self.latitude) / 1e4).to_radians();
        let longitude = f64::from(self.longitude) / 1e4;
        let midnight = day.and_time(NaiveTime::MIN).and_utc().timestamp();
        // The position in the year at local noon, in radians (NOAA's formulas).
        let hours = 12.0 - longitude / 15.0;
        let ordinal = f64::from(day.ordinal0()) + (hours - 12.0) / 24.0;
        let n_days = if day.leap_year() { 366.0 } else { 365.0 };
        let g = std::f64::consts::TAU / n_days * ordinal;
        let (g2, g3) = (2.0 * g, 3.0 * g);
        let equation_of_time = 229.18
            * (0.000_075 + 0.001_868 * g.cos()
                - 0.032_077 * g.sin()
                - 0.014_615 * g2.cos()
                - 0.040_849 * g2.sin());
        let declination = 0.006_918 - 0.399_912 * g.cos() + 0.070_257 * g.sin()
            - 0.006_758 * g2.cos()
            + 0.000_907 * g2.sin()
            - 0.002_697 * g3.cos()
            + 0.001_48 * g3.sin();
        // The sun's upper edge, lifted by the air.
        let zenith = 90.833_f64.to_radians();
        let cosine = zenith.cos() / (latitude.cos() * declination.cos())
            - latitude.tan() * declination.tan();
        let half_day = cosine.clamp(-1.0, 1.0).acos().to_degrees() * 4.0;
        let noon = 720.0 - 4.0 * longitude - equation_of_time;
        let at = |minutes: f64| (midnight * 1000) + (minutes * 60_000.0) as i64;
        (at(noon - half_day), at(noon + half_day))
    }
}
