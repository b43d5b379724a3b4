//! JPEGs as bytes, after ITU-T T.81: what a picture says about itself ([`Head`]), where pictures begin
//! and end in a row of them ([`Splitter`]), and a picture without what it carries besides itself
//! ([`cleaned()`]). No pixel is decoded.

mod cleaned;
mod error;
mod head;
mod segments;
mod split;
mod tables;

pub use cleaned::{cleaned, cleaned_into};
pub use error::{JpegError, JpegErrorKind};
pub use head::{Coding, Component, Head};
pub use split::{Splitter, TooLong};
pub use tables::STANDARD_TABLES;

/// The second bytes of markers (T.81, table B.1).
mod marker {
    pub(super) const DHT: u8 = 0xc4;
    pub(super) const JPG: u8 = 0xc8;
    pub(super) const DAC: u8 = 0xcc;
    pub(super) const SOI: u8 = 0xd8;
    pub(super) const EOI: u8 = 0xd9;
    pub(super) const SOS: u8 = 0xda;
    pub(super) const DRI: u8 = 0xdd;
    pub(super) const APP0: u8 = 0xe0;
    pub(super) const APP1: u8 = 0xe1;
    pub(super) const APP2: u8 = 0xe2;
    pub(super) const APP14: u8 = 0xee;
    pub(super) const APP15: u8 = 0xef;
    pub(super) const COM: u8 = 0xfe;

    /// Whether a marker stands alone, without a length behind it: TEM and RST0 to RST7. SOI and EOI
    /// do, too, and are asked for by name.
    pub(super) fn is_alone(code: u8) -> bool {
        code == 0x01 || is_restart(code)
    }

    pub(super) fn is_restart(code: u8) -> bool {
        matches!(code, 0xd0..=0xd7)
    }

    /// Whether a length and content stand behind a marker. What T.81 reserves below SOF0 is no marker
    /// that anybody writes: it is what damage looks like.
    pub(super) fn has_length(code: u8) -> bool {
        matches!(code, 0xc0..=0xcf | 0xda..=0xfe)
    }

    /// Whether a marker begins a frame: SOF0 to SOF15, among which are DHT, JPG and DAC.
    pub(super) fn is_frame(code: u8) -> bool {
        matches!(code, 0xc0..=0xcf) && !matches!(code, DHT | JPG | DAC)
    }
}
