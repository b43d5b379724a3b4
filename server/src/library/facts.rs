//! The facts that are known of a photo beyond its pixels: from its metadata, its name and its folder.

use std::path::PathBuf;

use crate::{
    render::{Kind, Orientation},
    size::Size,
};

/// The facts that a photo's file states, and what follows from them. Whatever is not known is absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The kind of picture, by its content.
    pub kind: Option<Kind>,
    /// Width and height as people see it: turned upright.
    pub size: Option<Size>,
    /// How its stored pixels are to be turned.
    pub orientation: Orientation,
    /// When it was taken.
    pub taken: Option<Taken>,
    /// Maker and model, such as `Apple iPhone 13`.
    pub camera: Option<String>,
    /// Where it was taken.
    pub position: Option<Position>,
    /// The name of that place, such as `Moab, Utah, US`.
    pub place: Option<String>,
    /// One to five stars.
    pub rating: Option<u8>,
    /// Keywords, each once.
    pub keywords: Vec<String>,
    /// The words that somebody wrote under it.
    pub caption: Option<String>,
    /// How long it is, in milliseconds, where it is a clip.
    pub length_millis: Option<u32>,
    /// The file of its moving half, where that is one of its own.
    pub moving_half: Option<PathBuf>,
    /// The folder that it lies in; none directly below a root.
    pub album: Option<String>,
}

/// A moment as the camera's clock showed it: local time, whose zone is seldom known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Taken {
    /// Seconds since 1970-01-01 00:00 of that local clock.
    pub local_seconds: i64,
    /// How it is known.
    pub source: DateSource,
}

impl Taken {
    /// The moment, if it is one of the photo: the time at which a file was last changed is not.
    pub fn of_photo(&self) -> Option<chrono::NaiveDateTime> {
        let is_of_photo = self.source != DateSource::Modified;
        is_of_photo.then(|| self.moment()).flatten()
    }

    /// The moment, wherever it comes from.
    pub fn moment(&self) -> Option<chrono::NaiveDateTime> {
        let moment = chrono::DateTime::from_timestamp(self.local_seconds, 0)?;
        Some(moment.naive_utc())
    }
}

/// A moment in ISO 8601, without a zone: `2021-07-04T12:30:00`.
pub fn iso(moment: chrono::NaiveDateTime) -> String {
    moment.format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Where a date comes from, the most trustworthy first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DateSource {
    /// The file's own metadata.
    Metadata,
    /// A pattern in the file's name.
    Name,
    /// The time the file was last changed.
    Modified,
}

/// A position on Earth, in degrees, north and east positive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// -90 to 90.
    pub latitude: f64,
    /// -180 to 180.
    pub longitude: f64,
}

impl Facts {
    /// Taller than wide; unknown sizes are neither.
    pub fn is_portrait(&self) -> bool {
        self.size.is_some_and(|size| size.height > size.width)
    }
}
