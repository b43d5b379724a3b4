//! The kind of bytes, by their beginning.

use crate::annexb::NalKind;

/// The kind of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A JPEG.
    Jpeg,
    /// A PNG.
    Png,
    /// A WebP.
    WebP,
    /// A GIF.
    Gif,
    /// A Windows bitmap.
    Bmp,
    /// A TIFF.
    Tiff,
    /// HEIC, HEIF or AVIF.
    Heif,
    /// A JPEG XL, bare or in its container.
    Jxl,
    /// Pixels as they are.
    Raw(super::Raw),
    /// An access unit of H.264 with start codes: a picture for who knows those before it, from a key frame on.
    H264 {
        /// Whether decoding can begin with it.
        is_key: bool,
    },
}

/// The kinds that are recognised, and not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// H.264 as Annex B has it, where none is taken.
    H264,
    /// Start codes as Annex B has them, without H.264 behind: H.265, mostly.
    AnnexB,
    /// An MPEG transport stream.
    MpegTs,
    /// None of what is known.
    Unknown,
}

/// The kind that a body's first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sniffed {
    /// Two dashes: a delimiter.
    Multipart,
    Picture(Kind),
    /// Access units of H.264.
    H264,
    Refused(Refused),
    /// It depends on what comes.
    Open,
}

const MAGICS: [(&[u8], Sniffed); 11] = [
    (b"--", Sniffed::Multipart),
    (b"\xff\xd8\xff", Sniffed::Picture(Kind::Jpeg)),
    (b"\x89PNG\r\n\x1a\n", Sniffed::Picture(Kind::Png)),
    (b"GIF87a", Sniffed::Picture(Kind::Gif)),
    (b"GIF89a", Sniffed::Picture(Kind::Gif)),
    (b"BM", Sniffed::Picture(Kind::Bmp)),
    (b"II*\0", Sniffed::Picture(Kind::Tiff)),
    (b"MM\0*", Sniffed::Picture(Kind::Tiff)),
    (b"\xff\x0a", Sniffed::Picture(Kind::Jxl)),
    (b"\0\0\0\x0cJXL \r\n\x87\n", Sniffed::Picture(Kind::Jxl)),
    (b"G@", Sniffed::Refused(Refused::MpegTs)),
];

/// The start codes of Annex B, the longer one first.
const START_CODES: [&[u8]; 2] = [b"\0\0\0\x01", b"\0\0\x01"];

/// Whether a NAL unit with this first byte can be the first of a stream of H.264. Those of H.265 that come first have
/// numbers, or a rank, that are not H.264's there.
fn begins_h264(header: u8) -> bool {
    let is_reference = header & 0x60 != 0;
    match NalKind::from_header(header) {
        NalKind::Sps | NalKind::Pps | NalKind::IdrSlice => is_reference,
        NalKind::Delimiter | NalKind::Sei => !is_reference,
        NalKind::Slice => true,
        _ => false,
    }
}

/// The brands of ISO/IEC 23008-12 and of AVIF that stand first in real files.
const BRANDS: [&[u8]; 8] = [
    b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis",
];

/// The kind that `bytes` begin like; twelve of them are always enough.
pub(super) fn sniff(bytes: &[u8]) -> Sniffed {
    let mut open = false;
    // A box as long as 256 to 511 bytes begins like a start code: its name is looked at first.
    for (lead, names) in [(&b"ftyp"[..], &BRANDS[..]), (b"RIFF", &[&b"WEBP"[..]])] {
        let from = if lead == b"ftyp" { 4 } else { 0 };
        let is_box = from == 0 || bytes.first().is_none_or(|&b| b == 0);
        let have = bytes.get(from..).unwrap_or_default();
        let have = &have[..have.len().min(4)];
        if !is_box || !lead.starts_with(have) {
            continue;
        }
        match bytes.get(8..12) {
            Some(name) if names.contains(&name) => {
                let kind = if from == 4 { Kind::Heif } else { Kind::WebP };
                return Sniffed::Picture(kind);
            }
            Some(_) => {}
            None => open = true,
        }
    }
    // What surely is something else need not wait for a box's name.
    for (magic, what) in MAGICS {
        if bytes.starts_with(magic) {
            return what;
        }
        open |= magic.starts_with(bytes);
    }
    for (no, code) in START_CODES.into_iter().enumerate() {
        if code.starts_with(bytes) {
            return Sniffed::Open;
        }
        let is_box = open && no == 1;
        if let Some(&header) = bytes.strip_prefix(code).and_then(<[u8]>::first)
            && !is_box
        {
            return if begins_h264(header) {
                Sniffed::H264
            } else {
                Sniffed::Refused(Refused::AnnexB)
            };
        }
    }
    if open {
        Sniffed::Open
    } else {
        Sniffed::Refused(Refused::Unknown)
    }
}
