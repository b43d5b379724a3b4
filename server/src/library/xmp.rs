//! XMP: ratings, keywords, captions and dates that programs write into photos or beside them.
//!
//! A packet is found by scanning for its marks, which ISO 16684-1 provides for and which is the same
//! for every kind of file. Pure, bounded, and content with half a packet.

use std::sync::LazyLock;

use chrono::NaiveDateTime;
use memchr::memmem::Finder;
use quick_xml::{
    Reader,
    escape::unescape,
    events::{BytesStart, Event},
};

use super::{dates::moment, facts::Position, metadata::stars};

/// The facts that a packet states.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Xmp {
    pub(super) rating: Option<Rating>,
    pub(super) keywords: Vec<String>,
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) taken: Option<NaiveDateTime>,
    pub(super) position: Option<Position>,
    pub(super) place: Place,
}

/// The stars that somebody gave, or took away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rating {
    /// One to five.
    Stars(u8),
    /// It is to have none: 0, or -1 for a photo that was rejected.
    None,
}

impl Rating {
    /// How many, if any.
    pub(super) fn stars(self) -> Option<u8> {
        match self {
            Self::Stars(stars) => Some(stars),
            Self::None => None,
        }
    }
}

/// Where it was taken, in the words of whoever filled the fields of IPTC's core in.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Place {
    pub(super) location: Option<String>,
    pub(super) city: Option<String>,
    pub(super) region: Option<String>,
    pub(super) country: Option<String>,
    pub(super) country_code: Option<String>,
}

impl Place {
    /// `Florence, Tuscany, Italy`; `None` where neither town nor country are named.
    pub(super) fn name(&self) -> Option<String> {
        let near = self.city.as_ref().or(self.location.as_ref());
        let country = self.country.as_ref().or(self.country_code.as_ref());
        near.or(country)?;
        let mut parts: Vec<&str> = Vec::new();
        for part in [near, self.region.as_ref(), country].into_iter().flatten() {
            if !parts.contains(&part.as_str()) {
                parts.push(part);
            }
        }
        Some(parts.join(", "))
    }
}

/// A packet that is longer holds thumbnails or an editor's history, after what is wanted here.
const MAX_PACKET_BYTES: usize = 256 * 1024;
/// An element deeper than this is nothing that is wanted here.
const MAX_DEPTH: usize = 32;
const MAX_WORDS: usize = 256;
const MAX_TEXT_BYTES: usize = 16 * 1024;
/// More packets are not a photo's own: of pictures within pictures each may bring one.
const MAX_PACKETS: usize = 8;

impl Xmp {
    /// `self` where it says something, `other` where it doesn't.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            rating: self.rating.or(other.rating),
            keywords: if self.keywords.is_empty() {
                other.keywords
            } else {
                self.keywords
            },
            title: self.title.or(other.title),
            description: self.description.or(other.description),
            taken: self.taken.or(other.taken),
            position: self.position.or(other.position),
            place: if self.place.name().is_some() {
                self.place
            } else {
                other.place
            },
        }
    }
}

/// The packets within `bytes`, read as one: what the first doesn't say the next may. In UTF-8, or in UTF-16 where that is
/// all that there is.
pub(super) fn find(bytes: &[u8]) -> Option<Xmp> {
    find_utf8(bytes).or_else(|| find_utf8(utf16(bytes)?.as_bytes()))
}

/// The marks at which a packet begins, the better one first, made ready once: every file is searched for them.
struct Marks([Finder<'static>; 2]);

impl Marks {
    fn new(as_bytes: impl Fn(&str) -> Vec<u8>) -> Self {
        Self(["<x:xmpmeta", "<rdf:RDF"].map(|mark| Finder::new(&as_bytes(mark)).into_owned()))
    }

    fn first(&self, bytes: &[u8]) -> Option<usize> {
        self.0.iter().find_map(|mark| mark.find(bytes))
    }
}

static MARKS: LazyLock<Marks> = LazyLock::new(|| Marks::new(|mark| mark.into()));
static WIDE_MARKS: LazyLock<Marks> = LazyLock::new(|| {
    Marks::new(|mark| {
        let mut bytes: Vec<u8> = mark.encode_utf16().flat_map(u16::to_le_bytes).collect();
        // The last byte belongs to the next letter where the order is the other one.
        bytes.pop();
        bytes
    })
});

fn find_utf8(bytes: &[u8]) -> Option<Xmp> {
    let (mut found, mut rest) = (None::<Xmp>, bytes);
    for _ in 0..MAX_PACKETS {
        let Some(start) = MARKS.first(rest) else {
            break;
        };
        let packet = &rest[start..];
        let packet = &packet[..packet.len().min(MAX_PACKET_BYTES)];
        let end = memchr::memmem::find(packet, b"</rdf:RDF>").map_or(packet.len(), |end| end + 10);
        let read = read(&packet[..end]);
        found = Some(match found {
            Some(before) => before.or(read),
            None => read,
        });
        rest = &rest[start + end..];
    }
    found
}

/// The text of a packet in UTF-16, from its first mark on. Which byte comes first is told by the mark at the file's start, else
/// by whether letters begin at even places.
fn utf16(bytes: &[u8]) -> Option<String> {
    let start = WIDE_MARKS.first(bytes)?;
    let is_big =
        bytes.starts_with(b"\xfe\xff") || (!bytes.starts_with(b"\xff\xfe") && start % 2 == 1);
    let (start, read): (_, fn([u8; 2]) -> u16) = if is_big {
        (start.checked_sub(1)?, u16::from_be_bytes)
    } else {
        (start, u16::from_le_bytes)
    };
    let text = &bytes[start..];
    let text = &text[..text.len().min(2 * MAX_PACKET_BYTES)];
    let units = text.chunks_exact(2).map(|unit| read([unit[0], unit[1]]));
    let letters = char::decode_utf16(units);
    Some(
        letters
            .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect(),
    )
}

/// Reads a packet, or a sidecar file. What comes after a mistake is as if it weren't there.
pub(super) fn read(packet: &[u8]) -> Xmp {
    let mut xmp = Found::default();
    let mut path: Vec<String> = Vec::new();
    let packet = String::from_utf8_lossy(packet);
    let mut reader = Reader::from_str(&packet);
    loop {
        match reader.read_event() {
            Ok(Event::Start(element)) => {
                if path.len() >= MAX_DEPTH {
                    break;
                }
                path.push(element.local_name().as_ref().to_owned());
                xmp.text.clear();
                xmp.attributes(&element, &path);
            }
            Ok(Event::Empty(element)) => {
                path.push(element.local_name().as_ref().to_owned());
                xmp.attributes(&element, &path);
                path.pop();
            }
            Ok(Event::End(_)) => {
                xmp.element(&path);
                path.pop();
                xmp.text.clear();
            }
            Ok(Event::Text(text)) => xmp.text(&text),
            Ok(Event::GeneralRef(name)) => {
                if let Ok(text) = unescape(&format!("&{};", &*name)) {
                    xmp.text(&text);
                }
            }
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    xmp.finish()
}

#[derive(Debug, Default)]
struct Found {
    xmp: Xmp,
    /// Text of the element being read.
    text: String,
    latitude: Option<f64>,
    longitude: Option<f64>,
    /// The half of the Earth that a reference names, where degrees name none.
    is_south: bool,
    is_west: bool,
    original: Option<NaiveDateTime>,
    dated: Option<NaiveDateTime>,
    created: Option<NaiveDateTime>,
}

impl Found {
    /// Programs write simple properties as attributes of a description as often as in elements.
    fn attributes(&mut self, element: &BytesStart<'_>, path: &[String]) {
        if path.last().map(String::as_str) != Some("Description") {
            return;
        }
        for attribute in element.attributes().flatten() {
            let text = unescape(&attribute.value).unwrap_or_default();
            self.property(attribute.key.local_name().as_ref(), &text);
        }
    }

    /// Text comes in pieces, cut at entities.
    fn text(&mut self, text: &str) {
        if self.text.len() + text.len() <= MAX_TEXT_BYTES {
            self.text.push_str(text);
        }
    }

    /// An element ends, and with it its text.
    fn element(&mut self, path: &[String]) {
        let text = self.text.trim().to_owned();
        if text.is_empty() {
            return;
        }
        let names: Vec<&str> = path.iter().rev().take(3).map(String::as_str).collect();
        match names.as_slice() {
            ["li", "Bag" | "Seq" | "Alt", name] => self.item(name, text),
            [name, "Description", ..] => self.property(name, &text),
            _ => {}
        }
    }

    /// One entry of an array; of texts in several languages the first one, which is the default.
    fn item(&mut self, name: &str, text: String) {
        let xmp = &mut self.xmp;
        match name {
            "subject" | "TagsList" | "hierarchicalSubject" => {
                // `places/Italy/Rome` in digiKam, `places|Italy|Rome` in Lightroom: the last is the keyword. In a plain
                // subject a slash parts nothing: AC/DC.
                let nested = match name {
                    "TagsList" => text.rsplit('/').next(),
                    "hierarchicalSubject" => text.rsplit('|').next(),
                    _ => None,
                };
                let word = nested.unwrap_or(&text).trim().to_owned();
                if word.is_empty() {
                    return;
                }
                if xmp.keywords.len() < MAX_WORDS && !xmp.keywords.contains(&word) {
                    xmp.keywords.push(word);
                }
            }
            "title" => xmp.title = xmp.title.take().or(Some(text)),
            "description" => xmp.description = xmp.description.take().or(Some(text)),
            _ => {}
        }
    }

    fn property(&mut self, name: &str, text: &str) {
        match name {
            "Rating" if self.xmp.rating.is_none() => {
                let value = text.trim().parse::<f64>().ok();
                self.xmp.rating =
                    value.map(|value| stars(value as i64).map_or(Rating::None, Rating::Stars));
            }
            "DateTimeOriginal" => self.original = self.original.or(moment(text)),
            "DateCreated" => self.dated = self.dated.or(moment(text)),
            "CreateDate" => self.created = self.created.or(moment(text)),
            "Location" => word(&mut self.xmp.place.location, text),
            "City" => word(&mut self.xmp.place.city, text),
            "State" => word(&mut self.xmp.place.region, text),
            "Country" => word(&mut self.xmp.place.country, text),
            "CountryCode" => word(&mut self.xmp.place.country_code, text),
            "GPSLatitude" => self.latitude = degrees(text),
            "GPSLongitude" => self.longitude = degrees(text),
            "GPSLatitudeRef" => self.is_south = text.trim().starts_with(['S', 's']),
            "GPSLongitudeRef" => self.is_west = text.trim().starts_with(['W', 'w']),
            _ => {}
        }
    }

    fn finish(mut self) -> Xmp {
        self.xmp.taken = self.original.or(self.dated).or(self.created);
        // Degrees with a letter have their sign already.
        let signed = |degrees: f64, is_other: bool| if is_other { -degrees.abs() } else { degrees };
        self.latitude = self.latitude.map(|degrees| signed(degrees, self.is_south));
        self.longitude = self.longitude.map(|degrees| signed(degrees, self.is_west));
        self.xmp.position = self
            .latitude
            .zip(self.longitude)
            .and_then(|(latitude, longitude)| super::metadata::position(latitude, longitude));
        self.xmp
    }
}

/// The first word for something; a place has a line at most.
fn word(of: &mut Option<String>, text: &str) {
    if of.is_none() {
        *of = super::metadata::sentence(text);
    }
}

/// `48,51.5N`, `48,51,30N` (XMP's GPSCoordinate) or plain degrees.
fn degrees(text: &str) -> Option<f64> {
    let text = text.trim();
    let (numbers, sign) = match text.chars().last()? {
        'N' | 'E' => (&text[..text.len() - 1], 1.0),
        'S' | 'W' => (&text[..text.len() - 1], -1.0),
        _ => (text, 1.0),
    };
    let mut sum = 0.0;
    for (part, scale) in numbers.split(',').zip([1.0, 60.0, 3600.0]) {
        sum += part.trim().parse::<f64>().ok()? / scale;
    }
    Some(sum * sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: &str = r#"junk<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>
      <rdf:Description rdf:about="" xmp:Rating="4" xmp:CreateDate="2021-07-04T12:30:59.25+02:00"
        exif:GPSLatitude="48,51.5N" exif:GPSLongitude="2,21,0W">
       <dc:subject><rdf:Bag><rdf:li>Rome</rdf:li><rdf:li>cats &amp; dogs</rdf:li></rdf:Bag></dc:subject>
       <dc:description><rdf:Alt><rdf:li xml:lang="x-default">Grüße</rdf:li></rdf:Alt></dc:description>
       <xmpMM:History><rdf:Seq><rdf:li stEvt:when="2024-08-06T13:35:53"/></rdf:Seq></xmpMM:History>
      </rdf:Description></rdf:RDF></x:xmpmeta>"#;

    #[test]
    fn a_packet_is_found_and_read() {
        let xmp = find(PACKET.as_bytes()).unwrap();
        assert_eq!(xmp.rating, Some(Rating::Stars(4)));
        assert_eq!(xmp.keywords, ["Rome", "cats & dogs"]);
        assert_eq!(xmp.description.as_deref(), Some("Grüße"));
        let taken = xmp.taken.unwrap().and_utc().timestamp();
        assert_eq!(taken, 1_625_401_859);
        let position = xmp.position.unwrap();
        assert!(
            (position.latitude - 48.858_333).abs() < 1e-4,
            "{position:?}"
        );
        assert!((position.longitude + 2.35).abs() < 1e-4, "{position:?}");
    }

    #[test]
    fn elements_serve_as_well_as_attributes() {
        let xmp = read(
            b"<rdf:RDF><rdf:Description><xmp:Rating>3</xmp:Rating>\
              <photoshop:DateCreated>2020-02-29</photoshop:DateCreated></rdf:Description></rdf:RDF>",
        );
        assert_eq!(xmp.rating, Some(Rating::Stars(3)));
        assert_eq!(xmp.taken.unwrap().to_string(), "2020-02-29 12:00:00");
    }

    #[test]
    fn places_are_named_by_whoever_filled_them_in() {
        let place = |fields: &str| {
            let packet = format!("<rdf:RDF><rdf:Description {fields}/></rdf:RDF>");
            read(packet.as_bytes()).place.name()
        };
        let code =
            r#"photoshop:City="Florence" photoshop:State="Tuscany" Iptc4xmpCore:CountryCode="IT""#;
        assert_eq!(place(code).as_deref(), Some("Florence, Tuscany, IT"));
        let named = format!(r#"{code} photoshop:Country="Italia""#);
        assert_eq!(place(&named).as_deref(), Some("Florence, Tuscany, Italia"));
        let farm = r#"Iptc4xmpCore:Location="The farm" photoshop:Country="Kenya""#;
        assert_eq!(place(farm).as_deref(), Some("The farm, Kenya"));
        let city = r#"photoshop:City=" Monaco
" photoshop:Country="Monaco""#;
        assert_eq!(place(city).as_deref(), Some("Monaco"));
        assert_eq!(
            place(r#"photoshop:State="flagged" photoshop:City="""#),
            None
        );
    }

    #[test]
    fn a_packet_cut_anywhere_says_what_is_left_of_it() {
        for end in 0..PACKET.len() {
            if PACKET.is_char_boundary(end) {
                find(&PACKET.as_bytes()[..end]);
            }
        }
        let deep = format!("<x:xmpmeta>{}", "<a>".repeat(100_000));
        assert_eq!(find(deep.as_bytes()), Some(Xmp::default()));
        assert_eq!(find(b"<x:xmpmeta <<<&&&>]]>\xff"), Some(Xmp::default()));
    }

    #[test]
    fn what_a_sidecar_says_wins() {
        let sidecar = Xmp {
            rating: Some(Rating::Stars(5)),
            ..Xmp::default()
        };
        let both = sidecar.or(find(PACKET.as_bytes()).unwrap());
        assert_eq!(
            (both.rating, both.keywords.len()),
            (Some(Rating::Stars(5)), 2)
        );
    }

    fn described(properties: &str) -> Xmp {
        read(format!("<rdf:RDF><rdf:Description {properties}/></rdf:RDF>").as_bytes())
    }

    #[test]
    fn dates_of_every_length_are_read() {
        for (text, expected) in [
            ("2017-10-23T12:34+02:00", "2017-10-23 12:34:00"),
            ("2017-10-23T12:34", "2017-10-23 12:34:00"),
            ("2017-10-23T12:34Z", "2017-10-23 12:34:00"),
            ("2017-10-23T12:34:56.789-05:00", "2017-10-23 12:34:56"),
            ("2017:10:23 12:34:56", "2017-10-23 12:34:56"),
            ("2017-10-23", "2017-10-23 12:00:00"),
            ("1987-06", "1987-06-01 12:00:00"),
            ("1987", "1987-01-01 12:00:00"),
        ] {
            let found = described(&format!(r#"exif:DateTimeOriginal="{text}""#)).taken;
            assert_eq!(
                found.map(|moment| moment.to_string()).as_deref(),
                Some(expected),
                "{text}"
            );
        }
        for text in [
            "",
            "soon",
            "12-10-2017",
            "2017-13",
            "2017-02-30",
            "2017-10-23T25:00",
            "T12:00",
            "2017-10-23T",
        ] {
            assert_eq!(
                described(&format!(r#"exif:DateTimeOriginal="{text}""#)).taken,
                None,
                "{text}"
            );
        }
    }

    #[test]
    fn the_photos_own_date_counts_before_coarse_ones_in_any_order() {
        let (own, coarse) = (
            r#"exif:DateTimeOriginal="2010-09-30T16:06:06""#,
            r#"photoshop:DateCreated="2010-01-01T12:00" xmp:CreateDate="2011-01-01T12:00""#,
        );
        for order in [format!("{own} {coarse}"), format!("{coarse} {own}")] {
            assert_eq!(
                described(&order).taken.unwrap().to_string(),
                "2010-09-30 16:06:06"
            );
        }
    }

    #[test]
    fn references_say_on_which_half_of_the_earth_plain_degrees_are() {
        let of = |properties: &str| {
            let position = described(properties).position.unwrap();
            (position.latitude, position.longitude)
        };
        let plain = r#"exif:GPSLatitude="28.1845" exif:GPSLongitude="14.1606""#;
        assert_eq!(
            of(&format!(r#"{plain} exif:GPSLongitudeRef="W""#)),
            (28.1845, -14.1606)
        );
        assert_eq!(
            of(&format!(r#"exif:GPSLatitudeRef="South" {plain}"#)),
            (-28.1845, 14.1606)
        );
        assert_eq!(of(plain), (28.1845, 14.1606));
        assert_eq!(
            of(
                r#"exif:GPSLatitude="28.5S" exif:GPSLatitudeRef="S" exif:GPSLongitude="-14.5" exif:GPSLongitudeRef="W""#
            ),
            (-28.5, -14.5)
        );
    }

    #[test]
    fn stars_are_taken_away_by_nought_and_by_rejecting() {
        for (text, expected) in [
            ("0", Rating::None),
            ("-1", Rating::None),
            ("5", Rating::Stars(5)),
            ("3.0", Rating::Stars(3)),
        ] {
            assert_eq!(
                described(&format!(r#"xmp:Rating="{text}""#)).rating,
                Some(expected)
            );
        }
        assert_eq!(described(r#"xmp:Rating="many""#).rating, None);
    }

    #[test]
    fn a_slash_parts_keywords_where_a_program_nests_them_by_it() {
        let bag = |name: &str, word: &str| {
            read(format!("<rdf:RDF><rdf:Description><{name}><rdf:Bag><rdf:li>{word}</rdf:li></rdf:Bag></{name}></rdf:Description></rdf:RDF>").as_bytes()).keywords
        };
        assert_eq!(bag("dc:subject", "AC/DC"), ["AC/DC"]);
        assert_eq!(bag("dc:subject", "1/2 marathon"), ["1/2 marathon"]);
        assert_eq!(bag("digiKam:TagsList", "places/Italy/Rome"), ["Rome"]);
        assert_eq!(bag("lr:hierarchicalSubject", "bands|AC/DC"), ["AC/DC"]);
    }

    #[test]
    fn several_packets_are_one_and_utf_16_is_read() {
        let packet = |properties: &str| {
            format!("<x:xmpmeta><rdf:RDF><rdf:Description {properties}/></rdf:RDF></x:xmpmeta>")
        };
        let two = format!(
            "{}junk{}",
            packet(r#"HDRGainMap:Version="1""#),
            packet(r#"xmp:Rating="4""#)
        );
        assert_eq!(find(two.as_bytes()).unwrap().rating, Some(Rating::Stars(4)));
        let one = packet(r#"xmp:Rating="4" photoshop:City="Zürich""#);
        let little: Vec<u8> = one.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = one.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [
            [&b"\xff\xfe"[..], &little].concat(),
            [&b"\xfe\xff"[..], &big].concat(),
        ] {
            let found = find(&bytes).unwrap();
            assert_eq!(found.place.name().as_deref(), Some("Zürich"));
            assert_eq!(found.rating, Some(Rating::Stars(4)));
        }
        assert!(find(&[b'<', 0].repeat(100_000)).is_none());
    }
}
