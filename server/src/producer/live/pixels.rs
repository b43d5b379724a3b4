//! The bytes of a frame of live pictures: passed on as they came where they are what would be made of them, else decoded,
//! fitted and encoded anew. Blocking.

use std::time::Instant;

use mantel_media::{
    inlet::{Kind, Layout},
    jpeg::{Coding, Head, cleaned_into},
};

use super::{super::slide::veil_words, frames::Subject, signs::Signs};
use crate::{
    buffers,
    hub::ROOM,
    render::{
        self, DecodeError, DecodeLimits, Orientation, Picture, Pixels, Quality, Recipe, Slot,
        words::Caption,
    },
    rendition::Rendition,
    source::{decoding, gallery::LoadError, live::Sample, wire::Wish},
    timeline::Veil,
};

/// Makes the frame of a subject.
///
/// # Errors
/// It can't be decoded.
#[expect(
    clippy::disallowed_methods,
    reason = "encoding is timed, for figures alone"
)]
pub(super) fn make(
    subject: &Subject,
    rendition: Rendition,
    limits: &DecodeLimits,
    signs: &Signs,
    veil: &Veil,
) -> Result<Vec<u8>, LoadError> {
    let (pixels, words) = match subject {
        // Where nothing is seen no picture is opened.
        _ if veil.is_opaque() => (None, Caption::default()),
        Subject::Sample(sample) => {
            if signs.is_empty()
                && veil.is_none()
                && let Some(jpeg) = passed(sample, rendition)
            {
                return Ok(jpeg);
            }
            let mut pixels = pixels(sample, rendition, limits)?;
            if let Some(sign) = signs.of(sample, rendition.size) {
                sign.write(&mut pixels.picture);
            }
            (Some(pixels), Caption::default())
        }
        Subject::Aged(sample, words) => (Some(pixels(sample, rendition, limits)?), words.clone()),
        Subject::Card(words, _) => (Some(render::ground(rendition.size)), words.clone()),
    };
    let recipe = Recipe {
        frame: rendition.size,
        fit: rendition.fit,
        quality: rendition.quality,
        words: vec![words],
        sign: None,
        light: veil.light,
        warmth: veil.warmth,
        over: veil_words(veil),
    };
    let slide = render::slide(&recipe, pixels.into_iter().collect(), Instant::now)?;
    Ok(slide.jpeg)
}

/// The picture itself without what it carries besides, where it is what would be made of it: a baseline JPEG with halved
/// colours, upright, of the rendition's size.
fn passed(sample: &Sample, rendition: Rendition) -> Option<Vec<u8>> {
    let is_wanted = sample.kind == Kind::Jpeg
        && sample.turned == Orientation::default()
        && sample.size == Some(rendition.size)
        && rendition.quality >= Quality::default();
    if !is_wanted {
        return None;
    }
    let head = Head::parse(&sample.bytes).ok()?;
    let is_plain = head.coding == Coding::Baseline && head.precision_bits == 8 && head.is_420();
    let memory = || buffers::taken(sample.bytes.len() + ROOM);
    is_plain.then(|| cleaned_into(&sample.bytes, memory()).ok())?
}

fn pixels(
    sample: &Sample,
    rendition: Rendition,
    limits: &DecodeLimits,
) -> Result<Pixels, LoadError> {
    let slot = Slot::alone(rendition.size, rendition.fit);
    let Kind::Raw(raw) = sample.kind else {
        let pixels = decoding::decode(&sample.bytes, limits, Wish::Fitted(slot))?;
        // Of pictures that come one after the other none is shown by half.
        return match pixels.damage {
            Some(damage @ DecodeError::Truncated { .. }) => Err(damage.into()),
            _ => Ok(pixels),
        };
    };
    let rgb: Vec<u8> = match raw.layout {
        Layout::Rgb => sample.bytes.to_vec(),
        Layout::Gray => sample.bytes.iter().flat_map(|&grey| [grey; 3]).collect(),
        Layout::Bgr => {
            let (pixels, _) = sample.bytes.as_chunks::<3>();
            pixels.iter().flat_map(|&[b, g, r]| [r, g, b]).collect()
        }
        // What is transparent shows white, as in pictures of other kinds.
        Layout::Rgba => {
            let (pixels, _) = sample.bytes.as_chunks::<4>();
            let over_white = |value: u8, alpha: u8| {
                let (value, alpha) = (u16::from(value), u16::from(alpha));
                ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
            };
            let pixels = pixels.iter();
            pixels
                .flat_map(|&[r, g, b, a]| [r, g, b].map(|value| over_white(value, a)))
                .collect()
        }
    };
    let picture = Picture::new(raw.width, raw.height, rgb).map_err(|_| LoadError::Broken)?;
    let upright = picture.size();
    Ok(Pixels {
        picture: render::fit(&picture, rendition.size, rendition.fit),
        upright,
        likeness: None,
        damage: None,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mantel_media::inlet::Inlet;

    use super::*;
    use crate::{
        clock::Clock,
        render::Fit,
        rendition::{Captions, Fps, Pair},
        size::Size,
        source::live::Source,
        timeline::Transition,
    };

    fn rendition(width: u32, height: u32) -> Rendition {
        Rendition {
            size: Size::new(width, height),
            fit: Fit::Contain,
            quality: Quality::default(),
            bitrate: None,
            gop: None,
            fps: Fps(60),
            transition: Transition::Cut,
            pair: Pair::Off,
            captions: Captions::default(),
            note: false,
        }
    }

    /// The picture as a source has it.
    fn came(content_type: Option<&str>, bytes: &[u8]) -> Subject {
        let mut inlet = Inlet::new(content_type, None);
        let found = inlet.next(&mut &bytes[..]).unwrap();
        let sample = found.or_else(|| inlet.finish().unwrap()).unwrap();
        let source = Arc::new(Source::new("plot", None, Clock::system()));
        source.came(sample);
        Subject::Sample(source.reader().now().sample.unwrap())
    }

    fn frame(subject: &Subject, rendition: Rendition) -> Vec<u8> {
        make(
            subject,
            rendition,
            &DecodeLimits::default(),
            &Signs::new(None, "plot"),
            &Veil::default(),
        )
        .unwrap()
    }

    fn decoded(jpeg: &[u8]) -> Picture {
        render::decode(jpeg, &DecodeLimits::default()).unwrap()
    }

    fn jpeg() -> Vec<u8> {
        let picture = Picture::filled(64, 48, [30, 90, 200]);
        render::encode(&picture, Quality::default()).unwrap()
    }

    /// The same with a comment and EXIF behind its first marker.
    fn marked(jpeg: &[u8], orientation: u8) -> Vec<u8> {
        let exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0";
        let exif = [&exif[..], &[orientation, 0, 0, 0, 0, 0, 0, 0]].concat();
        let n = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        let comment = b"\xFF\xFE\0\x08secret";
        [&jpeg[..2], b"\xFF\xE1", &n, &exif, comment, &jpeg[2..]].concat()
    }

    #[test]
    fn a_jpeg_of_the_right_size_passes_without_what_it_carries_besides() {
        let jpeg = jpeg();
        let passed = frame(&came(None, &marked(&jpeg, 1)), rendition(64, 48));
        assert!(!passed.windows(6).any(|bytes| bytes == b"secret"));
        assert!(!passed.windows(4).any(|bytes| bytes == b"Exif"));
        // The picture itself is the very same.
        let scan = |bytes: &[u8]| {
            let at = bytes.windows(2).position(|pair| pair == b"\xFF\xDA");
            bytes[at.unwrap()..].to_vec()
        };
        assert_eq!(scan(&passed), scan(&jpeg));
    }

    #[test]
    fn another_size_a_turn_or_a_lower_quality_is_made_anew() {
        let jpeg = jpeg();
        let small = frame(&came(None, &jpeg), rendition(32, 24));
        assert_eq!(decoded(&small).size(), Size::new(32, 24));
        let turned = came(None, &marked(&jpeg, 6));
        let Subject::Sample(sample) = &turned else {
            panic!("a picture")
        };
        assert_eq!(sample.size, Some(Size::new(48, 64)));
        let upright = frame(&turned, rendition(48, 64));
        assert_eq!(decoded(&upright).size(), Size::new(48, 64));
        let coarse = Rendition {
            quality: Quality::new(20).unwrap(),
            ..rendition(64, 48)
        };
        assert_ne!(frame(&came(None, &jpeg), coarse), jpeg);
    }

    #[test]
    fn at_night_nothing_passes_as_bright_as_it_came() {
        let at = |subject: &Subject, light| {
            let (limits, signs) = (DecodeLimits::default(), Signs::new(None, "plot"));
            let veil = Veil::dimmed(light);
            let jpeg = make(subject, rendition(64, 48), &limits, &signs, &veil).unwrap();
            decoded(&jpeg).pixels()[..3].to_vec()
        };
        let words = Caption {
            text: "plot: no picture yet".into(),
            details: String::new(),
        };
        let plot = came(None, &jpeg());
        for subject in [plot, Subject::Card(words, None)] {
            let [day, dim, black] = [1000, 100, 0].map(|light| at(&subject, light));
            assert!(
                dim.iter().zip(&day).all(|(dim, day)| dim < day),
                "{subject:?}"
            );
            assert!(dim.iter().any(|&value| value > 0));
            assert!(black.iter().all(|&value| value < 3), "{black:?}");
        }
        // What nobody sees is not even decoded.
        let broken = came(None, b"\x89PNG\r\n\x1a\nnonsense");
        assert!(at(&broken, 0).iter().all(|&value| value < 3));
    }

    #[test]
    fn pixels_need_no_coding() {
        for (layout, pixel) in [
            ("rgb8", &[30, 90, 200][..]),
            ("bgr8", &[200, 90, 30]),
            ("rgba8", &[30, 90, 200, 255]),
        ] {
            let kind = format!("image/x-{layout}; width=64; height=48");
            let subject = came(Some(&kind), &pixel.repeat(64 * 48));
            let [r, g, b] = decoded(&frame(&subject, rendition(64, 48))).pixels()[..3] else {
                panic!("three channels")
            };
            let near = |value: u8, wanted: u8| value.abs_diff(wanted) < 6;
            assert!(near(r, 30) && near(g, 90) && near(b, 200), "{layout}");
        }
        let grey = came(Some("image/x-gray8; width=64; height=48"), &[77; 64 * 48]);
        assert!(decoded(&frame(&grey, rendition(64, 48))).pixels()[0].abs_diff(77) < 4);
        let clear = [0, 0, 0, 0].repeat(64 * 48);
        let clear = came(Some("image/x-rgba8; width=64; height=48"), &clear);
        assert!(decoded(&frame(&clear, rendition(64, 48))).pixels()[0] > 250);
    }

    #[test]
    fn what_only_begins_like_a_picture_is_an_error() {
        let subject = came(None, b"\x89PNG\r\n\x1a\nnonsense");
        assert!(
            make(
                &subject,
                rendition(64, 48),
                &DecodeLimits::default(),
                &Signs::new(None, "plot"),
                &Veil::default(),
            )
            .is_err()
        );
    }

    #[test]
    fn cards_have_the_frames_size() {
        let words = Caption {
            text: "plot: no picture yet".into(),
            details: String::new(),
        };
        let card = frame(&Subject::Card(words, None), rendition(640, 360));
        assert_eq!(decoded(&card).size(), Size::new(640, 360));
    }
}
