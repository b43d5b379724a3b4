//! The samples that HEVC and AV1 decoders give, as pictures; and what their boxes' errors mean.

use heifer::Image;

use crate::{
    colour::{
        gamma::Gamma,
        profile::Space,
        tone::{self, Curve},
    },
    formats::{raster::flatten, stored::DecodeError},
    picture::{CHANNELS, Picture, Size},
};

/// The meaning of a picture's samples: its profile, or code points of ITU-T H.273.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Colours {
    pub(crate) profile: Option<Vec<u8>>,
    /// Primaries and transfer; 2 for unknown.
    pub(crate) code_points: Option<(u16, u16)>,
}

impl Colours {
    /// The curve, where the samples are of high dynamic range.
    pub(crate) fn curve(&self) -> Option<Curve> {
        Curve::from_code_point(self.code_points?.1)
    }

    /// The curve, where it is one of standard range other than sRGB's, and no profile says more.
    pub(crate) fn gamma(&self) -> Option<Gamma> {
        match self.profile {
            Some(_) => None,
            None => Gamma::from_code_point(self.code_points?.1),
        }
    }

    pub(crate) fn primaries(&self) -> u16 {
        self.code_points.map_or(2, |(primaries, _)| primaries)
    }

    /// The space of samples of standard range.
    pub(crate) fn space(self, picture: &Picture) -> Space {
        let primaries = self.primaries();
        match Space::from_icc(self.profile, picture) {
            Space::Srgb => Space::from_code_points(primaries),
            space => space,
        }
    }
}

/// RGBA of 8 bits as a picture, what is transparent over a backdrop.
pub(crate) fn flat(image: Image<u8>) -> Option<Picture> {
    let (width, height) = (image.width, image.height);
    let pixels = if image.has_alpha {
        flatten(&image.data)
    } else {
        let (samples, _) = image.data.as_chunks::<4>();
        let mut pixels = crate::spare::zeros(samples.len() * CHANNELS);
        let (rgb, _) = pixels.as_chunks_mut::<CHANNELS>();
        for (pixel, &[r, g, b, _]) in rgb.iter_mut().zip(samples) {
            *pixel = [r, g, b];
        }
        pixels
    };
    Picture::new(width, height, pixels).ok()
}

/// RGBA of another curve than sRGB's as a picture in that.
pub(crate) fn bent(image: Image, gamma: Gamma) -> Option<Picture> {
    let max = image.max_value();
    let (colours, alphas) = (gamma.table(max), u32::from(max.max(1)));
    let byte = |(i, sample): (usize, u16)| match i % 4 {
        3 => (u32::from(sample.min(max)) * 255 / alphas) as u8,
        _ => colours[usize::from(sample.min(max))],
    };
    flat(Image {
        width: image.width,
        height: image.height,
        bit_depth: 8,
        has_alpha: image.has_alpha,
        data: image.data.into_iter().enumerate().map(byte).collect(),
    })
}

/// RGBA of high dynamic range as a picture in sRGB.
pub(crate) fn tone_mapped(image: &Image, colours: &Colours) -> Option<Picture> {
    let size = Size::new(image.width, image.height);
    let curve = colours.curve()?;
    tone::to_srgb(
        &image.data,
        size,
        image.bit_depth,
        curve,
        colours.primaries(),
    )
}

pub(crate) fn explain_boxes(error: heifer::heifer_isobmff::Error) -> DecodeError {
    match error {
        heifer::heifer_isobmff::Error::UnexpectedEof => DecodeError::Truncated { percent: None },
        heifer::heifer_isobmff::Error::Unimplemented(what) => {
            DecodeError::Unsupported(format!("HEIF ({what})"))
        }
        error => DecodeError::Damaged(error.to_string()),
    }
}
