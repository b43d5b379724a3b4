//! Names of places, from positions, without a network: GeoNames' towns of 1,000 people and more (CC BY 4.0), inside the program.
//!
//! A position is in the country and region of the nearest point that is known, however small, and has the name of the town in
//! whose circle it lies, the larger the town the wider; outside of all circles that of the nearest one.

use std::io::Read;

use super::facts::Position;

/// Farther from any place than this it is open sea or desert, and no name is better than a wrong one.
const MAX_KM: f64 = 60.0;

/// How far is looked first: in most places there is somebody.
const NEAR_KM: f64 = 12.0;

/// People in a square kilometre of a town: its circle follows. Towns are denser in their middle, and thinner around it.
const DENSITY: f64 = 5000.0;
/// Hamlets have a circle as if so many lived there.
const FEWEST: f64 = 500.0;

/// Towns whose circle may reach beyond [`NEAR_KM`], or matter though others are nearer: GeoNames' number of people, as the
/// data has it (eight times the binary logarithm): 100,000.
const LARGE: u8 = 133;
/// The mark of a point without a name: a town's quarter, or land at a border. It says whose land it is.
const NAMELESS: u8 = 255;

/// Countries that are one town to people, whatever regions they have.
const TOWNS: [&str; 3] = ["HK", "MO", "SG"];

/// The data's steps in a degree, and its rows from pole to pole.
const STEPS: i32 = 10_000;
const ROWS: usize = 360;
const ROW_STEPS: i32 = STEPS / 2;
const KM_IN_A_DEGREE: f64 = 111.195;

static DATA: &[u8] = include_bytes!("../../assets/places/places.bin");

/// Names places. Costs some hundredths of a second and 5 MB when the first one is asked for, so a scan makes one and drops it
/// at its end.
#[derive(Default)]
pub(super) struct Places {
    gazetteer: Option<Gazetteer>,
}

impl Places {
    /// The name of the place at `position`: `Moab, Utah, US`.
    pub(super) fn name(&mut self, position: Position) -> Option<String> {
        // What can't be unpacked names nothing; a test unpacks it.
        let gazetteer = self
            .gazetteer
            .get_or_insert_with(|| Gazetteer::unpacked(DATA).unwrap_or_default());
        gazetteer.name(position)
    }
}

impl std::fmt::Debug for Places {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Places(loaded: {})", self.gazetteer.is_some())
    }
}

/// A region of a country; its name may be empty.
#[derive(Debug, PartialEq, Eq)]
struct Region {
    country: String,
    name: String,
}

/// All places, row by row from the south, in each from the west.
#[derive(Debug, Default)]
struct Gazetteer {
    regions: Vec<Region>,
    places: Vec<Place>,
    /// Where each row begins among the places, and where the last ends.
    rows: Vec<u32>,
    /// The large towns, by their number among the places, and where each row begins among these.
    large: Vec<u32>,
    large_rows: Vec<u32>,
    /// The names, one behind the other.
    names: String,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    /// Steps from 180 west, and from the South Pole.
    east: i32,
    north: i32,
    /// Where its name ends; it begins where that of the place before ends.
    name_end: u32,
    region: u16,
    people: u8,
}

impl Place {
    /// The radius of its circle.
    fn reach_km(&self) -> f64 {
        let people = f64::from(self.people) / 8.0;
        (people.exp2().max(FEWEST) / (std::f64::consts::PI * DENSITY)).sqrt()
    }
}

/// A place near a position.
#[derive(Clone, Copy, Debug)]
struct Near {
    km: f64,
    place: usize,
}

impl Gazetteer {
    fn name(&self, position: Position) -> Option<String> {
        let mut near = self.within(position, NEAR_KM);
        if !near.iter().any(|near| !self.is_nameless(near.place)) {
            near = self.within(position, MAX_KM);
        }
        let nearest = near.iter().min_by(|a, b| a.km.total_cmp(&b.km))?.place;
        near.extend(self.large_within(position));
        let region = self.places[nearest].region;
        let country = |region: u16| &self.regions[usize::from(region)].country;
        let named = |is_theirs: &dyn Fn(u16) -> bool| {
            let near = near.iter().filter(|near| {
                !self.is_nameless(near.place) && is_theirs(self.places[near.place].region)
            });
            self.best(near.copied())
        };
        let theirs = country(region);
        let in_region = if TOWNS.contains(&theirs.as_str()) {
            None
        } else {
            named(&|other| other == region)
        };
        let best = in_region.or_else(|| named(&|other| country(other) == theirs))?;
        Some(self.words(best))
    }

    /// Of places `near`, the one in whose circle the position lies most, or else whose circle is nearest.
    fn best(&self, near: impl Iterator<Item = Near>) -> Option<usize> {
        // Inside the share of the radius, 0 to 1; outside the way to the circle, behind all of those.
        let distance = |near: &Near| {
            let reach = self.places[near.place].reach_km();
            if near.km <= reach {
                near.km / reach
            } else {
                1.0 + near.km - reach
            }
        };
        near.map(|near| (distance(&near), near.place))
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, place)| place)
    }

    fn words(&self, place: usize) -> String {
        let begin = place
            .checked_sub(1)
            .map_or(0, |before| self.places[before].name_end as usize);
        let Place {
            name_end, region, ..
        } = self.places[place];
        let region = &self.regions[usize::from(region)];
        let mut words = self.names[begin..name_end as usize].to_owned();
        for part in [&region.name, &region.country] {
            if !part.is_empty() && words != *part {
                words.push_str(", ");
                words.push_str(part);
            }
        }
        words
    }

    fn is_nameless(&self, place: usize) -> bool {
        self.places[place].people == NAMELESS
    }

    fn within(&self, position: Position, km: f64) -> Vec<Near> {
        self.look(position, km, &self.rows, |at| at)
    }

    fn large_within(&self, position: Position) -> Vec<Near> {
        self.look(position, MAX_KM, &self.large_rows, |at| {
            self.large[at] as usize
        })
    }

    /// The places within `km`, of those that stand in `rows`, each at its number there.
    fn look(
        &self,
        position: Position,
        km: f64,
        rows: &[u32],
        place: impl Fn(usize) -> usize,
    ) -> Vec<Near> {
        let mut found = Vec::new();
        let steps = |degrees: f64| (degrees * f64::from(STEPS)).round() as i32;
        let (east, north) = (
            steps(position.longitude + 180.0),
            steps(position.latitude + 90.0),
        );
        // One circle is near enough to an ellipse of degrees at such distances; not at the poles, where nobody lives.
        let narrowing = position.latitude.to_radians().cos().max(0.01);
        let high = steps(km / KM_IN_A_DEGREE);
        let wide = steps(km / KM_IN_A_DEGREE / narrowing).min(180 * STEPS);
        let row = |north: i32| {
            usize::try_from(north / ROW_STEPS)
                .unwrap_or(0)
                .min(ROWS - 1)
        };
        for row in row(north - high)..=row(north + high) {
            let Some(&[from, to]) = rows.get(row..row + 2) else {
                continue;
            };
            let (from, to) = (from as usize, to as usize);
            // Round the world once more on both sides.
            for turn in [-360 * STEPS, 0, 360 * STEPS] {
                let (west, far_east) = (east - wide + turn, east + wide + turn);
                let first =
                    from + partition(to - from, |at| self.places[place(from + at)].east < west);
                for at in first..to {
                    let number = place(at);
                    let there = &self.places[number];
                    if there.east > far_east {
                        break;
                    }
                    let up = f64::from(there.north - north);
                    let along = f64::from(there.east - east - turn) * narrowing;
                    let away = up.hypot(along) / f64::from(STEPS) * KM_IN_A_DEGREE;
                    if away <= km {
                        found.push(Near {
                            km: away,
                            place: number,
                        });
                    }
                }
            }
        }
        found
    }

    /// The places in `packed`, whose form `assets/places/make.py` tells.
    fn unpacked(packed: &[u8]) -> Option<Self> {
        let mut bytes = Vec::new();
        flate2::read::ZlibDecoder::new(packed)
            .read_to_end(&mut bytes)
            .ok()?;
        let mut rest = bytes.as_slice();
        let mut regions = Vec::new();
        for _ in 0..u16_of(&mut rest)? {
            let country = text(take(&mut rest, 2)?)?.to_owned();
            let length = take(&mut rest, 1)?[0];
            let name = text(take(&mut rest, usize::from(length))?)?.to_owned();
            regions.push(Region { country, name });
        }
        let mut rows = vec![0];
        let n_rows = u16_of(&mut rest)?;
        let mut n_places: u32 = 0;
        for _ in 0..n_rows {
            n_places += u32::from(u16_of(&mut rest)?);
            rows.push(n_places);
        }
        let mut places = Vec::with_capacity(n_places as usize);
        for (row, of) in (0..).zip(rows.windows(2)) {
            let mut east = 0;
            for _ in of[0]..of[1] {
                east += varint(&mut rest)?;
                places.push(Place {
                    east,
                    north: row * ROW_STEPS,
                    name_end: 0,
                    region: 0,
                    people: 0,
                });
            }
        }
        let n = places.len();
        let columns = (
            (take(&mut rest, n)?, take(&mut rest, n)?),
            (take(&mut rest, n)?, take(&mut rest, n)?),
            take(&mut rest, n)?,
        );
        let n_named = columns
            .2
            .iter()
            .filter(|people| **people != NAMELESS)
            .count();
        let mut lengths = take(&mut rest, n_named)?.iter();
        let names = text(rest)?.to_owned();
        let (mut name_end, mut large, mut large_rows) = (0, Vec::new(), vec![0]);
        for (at, place) in places.iter_mut().enumerate() {
            let ((low, high), (region_low, region_high), people) = columns;
            place.north += i32::from(u16::from_le_bytes([low[at], high[at]]));
            place.region = u16::from_le_bytes([region_low[at], region_high[at]]);
            place.people = people[at];
            if place.people != NAMELESS {
                name_end += u32::from(*lengths.next()?);
                if place.people >= LARGE {
                    large.push(u32::try_from(at).ok()?);
                }
            }
            place.name_end = name_end;
            (usize::from(place.region) < regions.len()).then_some(())?;
            names.is_char_boundary(name_end as usize).then_some(())?;
        }
        for row in &rows[1..] {
            let n_before = large.partition_point(|place| place < row);
            large_rows.push(u32::try_from(n_before).ok()?);
        }
        Some(Self {
            regions,
            places,
            rows,
            large,
            large_rows,
            names,
        })
    }
}

/// The first of `n` numbers for which `is_before` no longer holds.
fn partition(n: usize, is_before: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = usize::midpoint(low, high);
        if is_before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

fn take<'a>(rest: &mut &'a [u8], n: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(n)?;
    *rest = left;
    Some(taken)
}

fn u16_of(rest: &mut &[u8]) -> Option<u16> {
    Some(u16::from_le_bytes(take(rest, 2)?.try_into().ok()?))
}

fn varint(rest: &mut &[u8]) -> Option<i32> {
    let mut value: i32 = 0;
    for shift in (0..28).step_by(7) {
        let byte = take(rest, 1)?[0];
        value |= i32::from(byte & 127) << shift;
        if byte < 128 {
            return Some(value);
        }
    }
    None
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
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

    /// Sights of the world and the other side of their borders: what people say where they are.
    const SIGHTS: [(&str, f64, f64, &[&str]); 73] = [
        ("Horseshoe Falls", 43.0790, -79.0780, &["Niagara Falls, CA"]),
        ("Juarez centre", 31.7390, -106.4870, &["Ciudad Juárez, MX"]),
        (
            "Times Square",
            40.758,
            -73.9855,
            &["New York City, US", "Manhattan, US"],
        ),
        ("Eiffel Tower", 48.8584, 2.2945, &["Paris, FR"]),
        ("Louvre", 48.8606, 2.3376, &["Paris, FR"]),
        (
            "Brooklyn Bridge Park",
            40.7003,
            -73.9967,
            &["New York City, US", "Brooklyn, US"],
        ),
        (
            "Golden Gate Bridge",
            37.8199,
            -122.4783,
            &["San Francisco, US"],
        ),
        (
            "Big Ben",
            51.5007,
            -0.1246,
            &["London, GB", "Westminster, GB"],
        ),
        (
            "Greenwich Observatory",
            51.4769,
            -0.0005,
            &["London, GB", "Greenwich, GB"],
        ),
        ("Brandenburg Gate", 52.5163, 13.3777, &["Berlin, DE"]),
        ("Sanssouci", 52.4042, 13.0385, &["Potsdam, DE"]),
        (
            "Neuschwanstein",
            47.5576,
            10.7498,
            &["Schwangau, DE", "Füssen, DE"],
        ),
        ("Colosseum", 41.8902, 12.4922, &["Rome, IT"]),
        ("St Peter's Square", 41.9022, 12.4568, &["Vatican City, VA"]),
        ("Leaning Tower", 43.723, 10.3966, &["Pisa, IT"]),
        ("Sagrada Familia", 41.4036, 2.1744, &["Barcelona, ES"]),
        ("Alhambra", 37.176, -3.5881, &["Granada, ES"]),
        ("Acropolis", 37.9715, 23.7257, &["Athens, GR"]),
        ("Hagia Sophia", 41.0086, 28.9802, &["Istanbul, TR"]),
        ("Red Square", 55.7539, 37.6208, &["Moscow, RU"]),
        ("Charles Bridge", 50.0865, 14.4114, &["Prague, CZ"]),
        ("Schoenbrunn", 48.1848, 16.3122, &["Vienna, AT"]),
        ("Jet d'Eau", 46.2074, 6.1559, &["Geneva, CH", "Genève, CH"]),
        ("Zurich main station", 47.3779, 8.5403, &["Zürich, CH"]),
        ("Little Mermaid", 55.6929, 12.5993, &["Copenhagen, DK"]),
        ("Pyramids", 29.9792, 31.1342, &["Giza, EG", "Cairo, EG"]),
        ("Khan el-Khalili", 30.0477, 31.2623, &["Cairo, EG"]),
        ("Table Mountain top", -33.9628, 18.4098, &["Cape Town, ZA"]),
        ("Burj Khalifa", 25.1972, 55.2744, &["Dubai, AE"]),
        ("Taj Mahal", 27.1751, 78.0421, &["Agra, IN", "Āgra, IN"]),
        ("Gateway of India", 18.922, 72.8347, &["Mumbai, IN"]),
        ("Kinkaku-ji", 35.0394, 135.7292, &["Kyoto, JP"]),
        ("Shibuya Crossing", 35.6595, 139.7005, &["Tokyo, JP"]),
        ("Forbidden City", 39.9163, 116.3972, &["Beijing, CN"]),
        ("The Bund", 31.24, 121.49, &["Shanghai, CN"]),
        (
            "Victoria Peak",
            22.2759,
            114.1455,
            &["Hong Kong, HK", "Central, HK"],
        ),
        ("Marina Bay Sands", 1.2834, 103.8607, &["Singapore, SG"]),
        ("Petronas Towers", 3.1578, 101.7117, &["Kuala Lumpur, MY"]),
        ("Sydney Opera House", -33.8568, 151.2153, &["Sydney, AU"]),
        (
            "Christ the Redeemer",
            -22.9519,
            -43.2105,
            &["Rio de Janeiro, BR"],
        ),
        ("Obelisco", -34.6037, -58.3816, &["Buenos Aires, AR"]),
        ("CN Tower", 43.6426, -79.3871, &["Toronto, CA"]),
        (
            "White House",
            38.8977,
            -77.0365,
            &["Washington, US", "Washington, D.C., US"],
        ),
        (
            "Hollywood Sign",
            34.1341,
            -118.3215,
            &["Los Angeles, US", "Hollywood, US"],
        ),
        (
            "Cologne Cathedral",
            50.9413,
            6.9583,
            &["Köln, DE", "Cologne, DE"],
        ),
        ("Miniatur Wunderland", 53.5438, 9.9886, &["Hamburg, DE"]),
        ("Marienplatz", 48.1374, 11.5755, &["Munich, DE"]),
        ("Versailles", 48.8049, 2.1204, &["Versailles, FR"]),
        ("Strasbourg Cathedral", 48.5818, 7.7508, &["Strasbourg, FR"]),
        ("Konstanz harbour", 47.6603, 9.179, &["Konstanz, DE"]),
        ("Kreuzlingen station", 47.65, 9.172, &["Kreuzlingen, CH"]),
        ("El Paso downtown", 31.7587, -106.4869, &["El Paso, US"]),
        (
            "Monte Carlo casino",
            43.7392,
            7.4281,
            &["Monte-Carlo, MC", "Monaco, MC"],
        ),
        ("Nice promenade", 43.6947, 7.257, &["Nice, FR"]),
        ("Basel Minster", 47.5565, 7.5924, &["Basel, CH"]),
        ("Weil am Rhein", 47.5937, 7.621, &["Weil am Rhein, DE"]),
        ("Hoboken", 40.744, -74.028, &["Hoboken, US"]),
        (
            "Liberty Island",
            40.6892,
            -74.0445,
            &["New York City, US", "Jersey City, US"],
        ),
        ("Johor Bahru", 1.458, 103.764, &["Johor Bahru, MY"]),
        ("Sutro Baths", 37.7801, -122.5137, &["San Francisco, US"]),
        ("Alcatraz", 37.8267, -122.423, &["San Francisco, US"]),
        ("Oakland city hall", 37.8053, -122.2725, &["Oakland, US"]),
        (
            "Disneyland Paris",
            48.8722,
            2.7758,
            &[
                "Chessy, FR",
                "Coupvray, FR",
                "Serris, FR",
                "Magny-le-Hongre, FR",
            ],
        ),
        (
            "Saint-Denis basilica",
            48.9354,
            2.3598,
            &["Saint-Denis, FR"],
        ),
        (
            "La Defense",
            48.8924,
            2.236,
            &[
                "Puteaux, FR",
                "Courbevoie, FR",
                "Paris, FR",
                "Nanterre, FR",
                "Paris La Défense, FR",
                "La Défense, FR",
            ],
        ),
        (
            "Neuilly town hall",
            48.8846,
            2.2686,
            &["Neuilly-sur-Seine, FR"],
        ),
        (
            "Machu Picchu",
            -13.1631,
            -72.545,
            &["Machu Picchu, PE", "Aguas Calientes, PE", "Machupicchu, PE"],
        ),
        ("Angkor Wat", 13.4125, 103.867, &["Siem Reap, KH"]),
        ("Moab", 38.57, -109.55, &["Moab, US"]),
        ("Uluru", -25.3444, 131.0369, &["Yulara, AU"]),
        (
            "Grand Canyon Village",
            36.0544,
            -112.1401,
            &["Grand Canyon Village, US", "Grand Canyon, US"],
        ),
        ("Zermatt", 46.0207, 7.7491, &["Zermatt, CH"]),
        ("Interlaken", 46.6863, 7.8632, &["Interlaken, CH"]),
    ];

    #[test]
    fn sights_are_where_people_say_they_are() {
        let mut places = Places::default();
        for (sight, latitude, longitude, right) in SIGHTS {
            let name = places.name(at(latitude, longitude)).unwrap_or_default();
            let (place, country) = (name.split(", ").next(), name.rsplit(", ").next());
            let is_right = right.iter().any(|right| {
                let (town, code) = right.rsplit_once(", ").unwrap();
                place == Some(town) && country == Some(code)
            });
            assert!(is_right, "{sight}: {name}");
        }
    }

    #[test]
    fn places_have_names_and_the_sea_has_none() {
        let mut places = Places::default();
        for (latitude, longitude, name) in [
            (38.57, -109.55, Some("Moab, Utah, US")),
            (28.32, -14.05, Some("Tuineje, Canary Islands, ES")),
            (47.3779, 8.5403, Some("Zürich, Zurich, CH")),
            (-45.0, -120.0, None),
            (0.0, -30.0, None),
            (90.0, 0.0, None),
            (-90.0, 180.0, None),
        ] {
            let found = places.name(at(latitude, longitude));
            assert_eq!(found.as_deref(), name, "{latitude} {longitude}");
        }
        // On both sides of the date line.
        let west = places.name(at(66.32, 179.95));
        assert!(west.is_some() && west == places.name(at(66.32, -179.95)));
    }

    #[test]
    fn data_that_is_cut_or_spoiled_names_nothing_and_breaks_nothing() {
        let mut whole = Vec::new();
        flate2::read::ZlibDecoder::new(DATA)
            .read_to_end(&mut whole)
            .unwrap();
        let packed = |bytes: &[u8]| {
            let mut packed = Vec::new();
            let fast = flate2::Compression::fast();
            flate2::read::ZlibEncoder::new(bytes, fast)
                .read_to_end(&mut packed)
                .unwrap();
            packed
        };
        for at in (0..whole.len()).step_by(whole.len() / 40) {
            assert!(Gazetteer::unpacked(&packed(&whole[..at])).is_none(), "{at}");
            let mut spoiled = whole.clone();
            spoiled[at] ^= 0x55;
            if let Some(gazetteer) = Gazetteer::unpacked(&packed(&spoiled)) {
                gazetteer.name(at_home());
            }
        }
        assert!(Gazetteer::unpacked(&DATA[..1000]).is_none());
        assert!(DATA.len() < 5_000_000);
    }

    fn at_home() -> Position {
        at(52.5163, 13.3777)
    }
}
