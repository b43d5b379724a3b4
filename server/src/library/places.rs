//! Names of places, from positions, without a network: GeoNames' cities of 1,000 people and more
//! (CC BY 4.0), inside the program.

use reverse_geocoder::ReverseGeocoder;

use super::facts::Position;

/// Farther from any place than this it is open sea or desert, and no name is better than a wrong one.
const MAX_KM: f64 = 60.0;

/// Names places. Costs a tenth of a second and 50 MB when the first one is asked for, so a scan
/// makes one and drops it at its end.
#[derive(Default)]
pub(super) struct Places {
    geocoder: Option<ReverseGeocoder>,
}

impl Places {
    /// The nearest place: `Moab, Utah, US`.
    pub(super) fn name(&mut self, position: Position) -> Option<String> {
        let geocoder = self.geocoder.get_or_insert_with(ReverseGeocoder::new);
        let found = geocoder
            .search((position.latitude, position.longitude))
            .record;
        let there = Position {
            latitude: found.lat,
            longitude: found.lon,
        };
        if km_between(position, there) > MAX_KM {
            return None;
        }
        let parts = [&found.name, &found.admin1, &found.cc];
        let mut name = String::new();
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            if name == *part {
                continue;
            }
            if !name.is_empty() {
                name.push_str(", ");
            }
            name.push_str(part);
        }
        Some(name)
    }
}

impl std::fmt::Debug for Places {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Places(loaded: {})", self.geocoder.is_some())
    }
}

/// Along the great circle, by the haversine formula.
fn km_between(a: Position, b: Position) -> f64 {
    const EARTH_RADIUS_KM: f64 = 6371.0;
    let (lat_a, lat_b) = (a.latitude.to_radians(), b.latitude.to_radians());
    let half = |degrees: f64| (degrees.to_radians() / 2.0).sin().powi(2);
    let h =
        half(b.latitude - a.latitude) + lat_a.cos() * lat_b.cos() * half(b.longitude - a.longitude);
    2.0 * EARTH_RADIUS_KM * h.sqrt().min(1.0).asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(latitude: f64, longitude: f64) -> Position {
        Position {
            latitude,
            longitude,
        }
    }

    #[test]
    fn places_have_names_and_the_sea_has_none() {
        let mut places = Places::default();
        assert_eq!(
            places.name(at(38.57, -109.55)).as_deref(),
            Some("Moab, Utah, US")
        );
        assert_eq!(places.name(at(-45.0, -120.0)), None);
        assert_eq!(places.name(at(0.0, -30.0)), None);
    }

    #[test]
    fn distances() {
        let paris_to_london = km_between(at(48.8566, 2.3522), at(51.5074, -0.1278));
        assert!((paris_to_london - 344.0).abs() < 2.0, "{paris_to_london}");
        assert!(km_between(at(0.0, 179.9), at(0.0, -179.9)) < 30.0);
    }
}
