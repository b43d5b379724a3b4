//! The kinds of picture files that are known here.

use std::fmt;

/// A kind of picture file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// JPEG, baseline or progressive.
    Jpeg,
    /// PNG, its first picture where it is animated.
    Png,
    /// WebP, its first picture where it is animated.
    WebP,
    /// GIF, its first picture.
    Gif,
    /// Windows bitmap.
    Bmp,
    /// TIFF, its first page.
    Tiff,
    /// HEIC, an iPhone's default.
    Heic,
    /// AVIF.
    Avif,
    /// JPEG XL, its first picture where it moves.
    JpegXl,
    /// JPEG 2000, of archives and scanners.
    Jpeg2000,
    /// Photoshop's own file, by the picture of all its layers.
    Photoshop,
    /// A camera's raw: DNG, CR2, CR3, NEF, ARW, RAF, ORF, RW2 and their like, by the JPEG that it carries.
    Raw,
    /// A clip in MP4 or QuickTime's container. Another program gets pictures out of it.
    Mp4,
    /// A clip in Matroska's container, WebM among them. The same holds.
    Matroska,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Jpeg,
        Self::Png,
        Self::WebP,
        Self::Gif,
        Self::Bmp,
        Self::Tiff,
        Self::Heic,
        Self::Avif,
        Self::JpegXl,
        Self::Jpeg2000,
        Self::Photoshop,
        Self::Raw,
        Self::Mp4,
        Self::Matroska,
    ];

    /// Whether it is a clip, which moves and is not decoded here.
    pub const fn is_clip(self) -> bool {
        matches!(self, Self::Mp4 | Self::Matroska)
    }

    /// The kind's name, as people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Gif => "GIF",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
            Self::Heic => "HEIC",
            Self::Avif => "AVIF",
            Self::JpegXl => "JPEG XL",
            Self::Jpeg2000 => "JPEG 2000",
            Self::Photoshop => "Photoshop",
            Self::Raw => "camera raw",
            Self::Mp4 => "MP4",
            Self::Matroska => "Matroska",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
