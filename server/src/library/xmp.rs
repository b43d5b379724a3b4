//! XMP: ratings, keywords, captions and dates that programs write into photos or beside them.
//!
//! A packet is found by scanning for its marks, which ISO 16684-1 provides for and which is the same
//! for every kind of file. Pure, bounded, and content with half a packet.

use chrono::{DateTime, NaiveDateTime};
use quick_xml::{
    Reader,
    escape::unescape,
    events::{BytesStart, Event},
};

use super::{
    facts::Position,
    metadata::{plausible, stars},
};

/// The facts that a packet states.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Xmp {
    pub(super) rating: Option<u8>,
    pub(super) keywords: Vec<String>,
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) taken: Option<NaiveDateTime>,
    pub(super) position: Option<Position>,
    pub(super) place: Place,
}

/// Where it was taken, in the words of whoever filled the fields of IPTC's core in.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Place {
    location: Option<String>,
    city: Option<String>,
    region: Option<String>,
    country: Option<String>,
    country_code: Option<String>,
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

/// The first packet within `bytes`, read.
pub(super) fn find(bytes: &[u8]) -> Option<Xmp> {
    let start = memchr::memmem::find(bytes, b"<x:xmpmeta")
        .or_else(|| memchr::memmem::find(bytes, b"<rdf:RDF"))?;
    let packet = &bytes[start..];
    let packet = &packet[..packet.len().min(MAX_PACKET_BYTES)];
    let end = memchr::memmem::find(packet, b"</rdf:RDF>").map_or(packet.len(), |end| end + 10);
    Some(read(&packet[..end]))
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
    original: Option<NaiveDateTime>,
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
                // `places|Italy|Rome`, as digiKam and Lightroom nest them: the last is the keyword.
                let word = text
                    .rsplit(['|', '/'])
                    .next()
                    .unwrap_or("")
                    .trim()
                    .to_owned();
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
                self.xmp.rating = value.and_then(|value| stars(value as i64));
            }
            "DateTimeOriginal" | "DateCreated" => self.original = self.original.or(moment(text)),
            "CreateDate" => self.created = self.created.or(moment(text)),
            "Location" => word(&mut self.xmp.place.location, text),
            "City" => word(&mut self.xmp.place.city, text),
            "State" => word(&mut self.xmp.place.region, text),
            "Country" => word(&mut self.xmp.place.country, text),
            "CountryCode" => word(&mut self.xmp.place.country_code, text),
            "GPSLatitude" => self.latitude = degrees(text),
            "GPSLongitude" => self.longitude = degrees(text),
            _ => {}
        }
    }

    fn finish(mut self) -> Xmp {
        self.xmp.taken = self.original.or(self.created);
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

/// `2021-07-04T12:30:59+02:00`, with or without seconds, fractions and zone; the local time counts.
fn moment(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim();
    let local = DateTime::parse_from_rfc3339(text)
        .map(|moment| moment.naive_local())
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f"))
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M"))
        .or_else(|_| {
            chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").map(|day| {
                day.and_time(chrono::NaiveTime::from_hms_opt(12, 0, 0).unwrap_or_default())
            })
        })
        .ok()?;
    plausible(local).then_some(local)
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
        assert_eq!(xmp.rating, Some(4));
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
        assert_eq!(xmp.rating, Some(3));
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
            rating: Some(5),
            ..Xmp::default()
        };
        let both = sidecar.or(find(PACKET.as_bytes()).unwrap());
        assert_eq!((both.rating, both.keywords.len()), (Some(5), 2));
    }
}
