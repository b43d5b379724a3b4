//! Google Takeout's JSON beside a photo: when it was taken, where, and what somebody wrote about it.
//!
//! Pure. Which JSON belongs to which photo is told by `sidecars`.

use serde::Deserialize;

use super::facts::Position;

/// The facts that such a file states.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Takeout {
    /// Unix milliseconds.
    pub(super) taken_millis: Option<i64>,
    pub(super) position: Option<Position>,
    pub(super) description: Option<String>,
    pub(super) is_favourite: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    photo_taken_time: Option<Time>,
    geo_data: Option<Geo>,
    geo_data_exif: Option<Geo>,
    description: Option<String>,
    favorited: Option<bool>,
}

#[derive(Deserialize)]
struct Time {
    timestamp: Option<Stamp>,
}

/// Seconds, which Google writes as a text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stamp {
    Text(String),
    Number(i64),
}

#[derive(Deserialize)]
struct Geo {
    latitude: f64,
    longitude: f64,
}

/// Reads the JSON; nothing where it is something else.
pub(super) fn read(json: &[u8]) -> Takeout {
    let Ok(file) = serde_json::from_slice::<File>(json) else {
        return Takeout::default();
    };
    let seconds = file
        .photo_taken_time
        .and_then(|time| match time.timestamp? {
            Stamp::Text(text) => text.trim().parse::<i64>().ok(),
            Stamp::Number(seconds) => Some(seconds),
        });
    let places = [file.geo_data, file.geo_data_exif].into_iter().flatten();
    let mut positions =
        places.filter_map(|geo| super::metadata::position(geo.latitude, geo.longitude));
    Takeout {
        taken_millis: seconds.and_then(|seconds| seconds.checked_mul(1000)),
        position: positions.next(),
        description: file
            .description
            .as_deref()
            .and_then(super::metadata::sentence),
        is_favourite: file.favorited.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_place_and_words_are_read() {
        let json = br#"{"title":"IMG_1.jpg","description":"Pandas","imageViews":"3","creationTime":{"timestamp":"1479000000"},
          "photoTakenTime":{"timestamp":"1478142000","formatted":"3 Nov 2016"},"geoData":{"latitude":0.0,"longitude":0.0,
          "altitude":0.0},"geoDataExif":{"latitude":30.66,"longitude":104.06},"favorited":true}"#;
        let found = read(json);
        assert_eq!(found.taken_millis, Some(1_478_142_000_000));
        assert_eq!(
            found.position.map(|position| position.latitude),
            Some(30.66)
        );
        assert_eq!(found.description.as_deref(), Some("Pandas"));
        assert!(found.is_favourite);
    }

    #[test]
    fn what_is_no_such_file_says_nothing() {
        for json in [
            &b""[..],
            b"[]",
            b"{}",
            b"{\"photoTakenTime\":3}",
            b"\xff\xfe",
            b"{\"photoTakenTime\":{\"timestamp\":\"soon\"}}",
        ] {
            assert_eq!(read(json), Takeout::default());
        }
    }
}
