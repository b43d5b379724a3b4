//! JPEGs of odd layouts by the `jpeg-decoder` crate, which is slower than zune-jpeg and knows more of them. Whole files alone.

use jpeg_decoder::{Decoder, Error, PixelFormat};

use super::{
    super::stored::{DecodeError, DecodeLimits},
    layout::Layout,
};
use crate::fence::fenced;

/// Red, green and blue of a picture that is grey or has colours.
pub(super) fn decode(
    bytes: &[u8],
    layout: &Layout,
    limits: &DecodeLimits,
) -> Result<Vec<u8>, DecodeError> {
    let work = || {
        let mut decoder = Decoder::new(bytes);
        decoder.set_max_decoding_buffer_size(usize::try_from(limits.bytes).unwrap_or(usize::MAX));
        let samples = decoder.decode().map_err(explain)?;
        let info = decoder.info();
        let info = info.filter(|info| {
            let size = (u32::from(info.width), u32::from(info.height));
            size == (layout.size.width, layout.size.height)
        });
        match info.map(|info| info.pixel_format) {
            Some(PixelFormat::RGB24) => Ok(samples),
            Some(PixelFormat::L8) => Ok(samples.into_iter().flat_map(|grey| [grey; 3]).collect()),
            _ => Err(DecodeError::Damaged(
                "its headers contradict each other".into(),
            )),
        }
    };
    fenced(work).unwrap_or_else(|panic| Err(DecodeError::Damaged(panic)))
}

fn explain(error: Error) -> DecodeError {
    match error {
        Error::Io(_) => DecodeError::Truncated { percent: None },
        Error::Unsupported(what) => DecodeError::Unsupported(format!("JPEG ({what:?})")),
        Error::Format(why) => DecodeError::Damaged(why),
        Error::Internal(error) => DecodeError::Damaged(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

    use crate::{DecodeError, DecodeLimits, Picture, decode};

    /// A slope, all of whose rows are alike or all of whose columns.
    fn file(set: impl FnOnce(&mut Encoder<&mut Vec<u8>>)) -> Vec<u8> {
        let mut file = vec![];
        let mut encoder = Encoder::new(&mut file, 95);
        set(&mut encoder);
        let samples = (0..64_u8).flat_map(|y| (0..96).flat_map(move |x| [x * 2, y * 3, 90]));
        let samples: Vec<u8> = samples.collect();
        encoder.encode(&samples, 96, 64, ColorType::Rgb).unwrap();
        file
    }

    fn open(file: &[u8]) -> Result<Picture, DecodeError> {
        decode(file, &DecodeLimits::default())
    }

    #[test]
    fn colours_apart_and_coarse_are_shown() {
        for sampling in [
            SamplingFactor::F_2_2,
            SamplingFactor::F_2_1,
            SamplingFactor::F_1_2,
        ] {
            let apart = file(|encoder| {
                encoder.set_sampling_factor(sampling);
                encoder.set_optimized_huffman_tables(true);
            });
            let picture = open(&apart).unwrap();
            let usual = open(&file(|encoder| encoder.set_sampling_factor(sampling))).unwrap();
            let pairs = picture.pixels().iter().zip(usual.pixels());
            assert!(
                pairs.clone().all(|(a, b)| a.abs_diff(*b) < 12),
                "{sampling:?}"
            );
            for end in 0..apart.len() {
                // Half of the colours are no picture.
                if let Err(error) = open(&apart[..end]) {
                    assert!(!error.to_string().contains("support"), "{end}: {error}");
                }
            }
        }
    }

    #[test]
    fn whatever_the_header_says_of_samples_is_no_panic() {
        for progressive in [false, true] {
            let plain = file(|encoder| {
                encoder.set_sampling_factor(SamplingFactor::F_1_1);
                encoder.set_progressive(progressive);
            });
            let frame = if progressive { 0xC2 } else { 0xC0 };
            let at = memchr::memmem::find(&plain, &[0xFF, frame]).unwrap();
            for (component, across, down) in
                (0..3).flat_map(|c| (0..6).flat_map(move |a| (0..6).map(move |d| (c, a, d))))
            {
                let mut altered = plain.clone();
                altered[at + 11 + 3 * component] = across << 4 | down;
                let _ = open(&altered);
            }
        }
    }
}
