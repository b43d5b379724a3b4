//! Pictures as video has them: brightness and colours in planes of their own, the colours at half the size. By the
//! numbers of BT.709, of limited range, as players take it for granted and the streams say.

use yuv::{
    BufferStoreMut, YuvConversionMode, YuvPlanarImageMut, YuvRange, YuvStandardMatrix,
    rgb_to_yuv420,
};

use super::{Alpha, Picture};
use crate::size::Size;

/// A picture in planes: of brightness a byte for each pixel, of both colours one for each four.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planes {
    size: Size,
    y: Vec<u8>,
    u: Vec<u8>,
    v: Vec<u8>,
}

impl Planes {
    /// The size that video has of pictures of this one: of both sides the next lower even number, and at least two.
    pub fn size_of(size: Size) -> Size {
        Size::new((size.width & !1).max(2), (size.height & !1).max(2))
    }

    /// A picture of one shade, from black at 16 to white at 235.
    pub fn grey(size: Size, shade: u8) -> Self {
        let size = Self::size_of(size);
        let n = n_pixels(size);
        Self {
            size,
            y: vec![shade; n],
            u: vec![128; n / 4],
            v: vec![128; n / 4],
        }
    }

    /// The planes of a picture; its last column and row are left out where they have no partner. A picture of another
    /// size than `size` gives a black one: nobody has to do with such.
    pub fn of(picture: &Picture, size: Size) -> Self {
        let mut planes = Self::grey(size, 16);
        if Self::size_of(picture.size()) != planes.size {
            return planes;
        }
        let Size { width, height } = planes.size;
        let mut image = YuvPlanarImageMut {
            y_plane: BufferStoreMut::Borrowed(&mut planes.y),
            y_stride: width,
            u_plane: BufferStoreMut::Borrowed(&mut planes.u),
            u_stride: width / 2,
            v_plane: BufferStoreMut::Borrowed(&mut planes.v),
            v_stride: width / 2,
            width,
            height,
        };
        let stride = picture.width() * 3;
        let n_bytes = stride as usize * height as usize;
        let rows = picture.pixels().get(..n_bytes).unwrap_or_default();
        let converted = rgb_to_yuv420(
            &mut image,
            rows,
            stride,
            YuvRange::Limited,
            YuvStandardMatrix::Bt709,
            YuvConversionMode::Balanced,
        );
        // The sizes were made to fit.
        debug_assert!(converted.is_ok());
        planes
    }

    /// Mixes two pictures of one size into `self`, as [`blend`](super::blend) does: of another size than its own it
    /// takes nothing.
    pub fn mix(&mut self, a: &Self, b: &Self, alpha: Alpha) {
        if a.size != self.size || b.size != self.size {
            return;
        }
        let planes = [
            (&a.y, &b.y, &mut self.y),
            (&a.u, &b.u, &mut self.u),
            (&a.v, &b.v, &mut self.v),
        ];
        for (a, b, out) in planes {
            super::frame::blend::mix(a, b, alpha, out);
        }
    }

    /// Width and height, both even.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The planes, row by row without gaps: brightness, blue, red.
    pub fn planes(&self) -> [&[u8]; 3] {
        [&self.y, &self.u, &self.v]
    }
}

fn n_pixels(size: Size) -> usize {
    size.width as usize * size.height as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: u8, b: u8) -> bool {
        a.abs_diff(b) <= 1
    }

    #[test]
    fn colours_are_those_of_bt_709() {
        // By the standard's formulas: Y = 16 + 219 (0.2126 R + 0.7152 G + 0.0722 B), and so on.
        for (rgb, [y, u, v]) in [
            ([0, 0, 0], [16, 128, 128]),
            ([255, 255, 255], [235, 128, 128]),
            ([255, 0, 0], [63, 102, 240]),
            ([0, 255, 0], [173, 42, 26]),
            ([0, 0, 255], [32, 240, 118]),
        ] {
            let picture = Picture::filled(16, 16, rgb);
            let planes = Planes::of(&picture, picture.size());
            let [ys, us, vs] = planes.planes();
            assert!(ys.iter().all(|&shade| near(shade, y)), "{rgb:?}: {}", ys[0]);
            assert!(us.iter().all(|&shade| near(shade, u)), "{rgb:?}: {}", us[0]);
            assert!(vs.iter().all(|&shade| near(shade, v)), "{rgb:?}: {}", vs[0]);
        }
    }

    #[test]
    fn odd_sides_lose_a_row_and_a_column() {
        for (width, height) in [(17, 9), (16, 9), (17, 10), (3, 2)] {
            let picture = Picture::filled(width, height, [255; 3]);
            let planes = Planes::of(&picture, picture.size());
            assert_eq!(planes.size(), Size::new(width & !1, height & !1));
            assert!(planes.planes()[0].iter().all(|&shade| near(shade, 235)));
        }
    }

    #[test]
    fn a_mix_lies_between() {
        let size = Size::new(18, 6);
        let (dark, light) = (Planes::grey(size, 20), Planes::grey(size, 220));
        let mut out = Planes::grey(size, 16);
        let mut last = 20;
        for alpha in [64, 128, 192] {
            out.mix(&dark, &light, Alpha::new(alpha));
            let shade = out.planes()[0][0];
            assert!(shade > last && out.planes()[0].iter().all(|&other| other == shade));
            last = shade;
        }
        out.mix(&dark, &light, Alpha::FULL);
        assert_eq!(out, light);
        out.mix(&dark, &Planes::grey(Size::new(4, 4), 99), Alpha::NONE);
        assert_eq!(out, light, "of another size");
    }
}
