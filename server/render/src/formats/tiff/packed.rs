//! The ways in which a TIFF's samples are packed, as readers that unpack as they go: so a strip that is the whole picture
//! takes no memory twice.

use std::io::{self, Cursor, ErrorKind, Read};

use image::{DynamicImage, ImageDecoder, codecs::webp::WebPDecoder};

use super::{
    fax,
    plan::{Packing, Plan},
};
use crate::picture::Size;

/// A reader of a chunk's samples; not of JPEG's, which are no bytes in rows.
pub(super) fn open<'a>(plan: &Plan, data: &'a [u8], n_rows: u32) -> io::Result<Box<dyn Read + 'a>> {
    Ok(match plan.packing {
        Packing::None => Box::new(data),
        Packing::Runs | Packing::Fax3 { .. } | Packing::Fax4 => {
            let lines = fax::unpack(plan.packing, data, plan.chunk.width, n_rows);
            Box::new(Cursor::new(lines))
        }
        Packing::Lzw => Box::new(Lzw::new(data)),
        Packing::Deflate => Box::new(flate2::bufread::ZlibDecoder::new(data)),
        Packing::PackBits => Box::new(PackBits {
            data,
            left: 0,
            same: None,
        }),
        Packing::Zstd => {
            let unpacker = ruzstd::decoding::StreamingDecoder::new(data);
            Box::new(
                unpacker
                    .map_err(|error| io::Error::new(ErrorKind::InvalidData, error.to_string()))?,
            )
        }
        Packing::WebP => Box::new(Cursor::new(webp(plan, data, n_rows)?)),
        Packing::Jpeg | Packing::OldJpeg => return Err(ErrorKind::Unsupported.into()),
    })
}

fn webp(plan: &Plan, data: &[u8], n_rows: u32) -> io::Result<Vec<u8>> {
    let wrong = |error| io::Error::new(ErrorKind::InvalidData, error);
    let decoder = WebPDecoder::new(Cursor::new(data)).map_err(wrong)?;
    let size = {
        let (width, height) = decoder.dimensions();
        Size::new(width, height)
    };
    if size.width != plan.chunk.width || !(n_rows..=plan.chunk.height).contains(&size.height) {
        let message = "a part of it is of another size";
        return Err(io::Error::new(ErrorKind::InvalidData, message));
    }
    let image = DynamicImage::from_decoder(decoder).map_err(wrong)?;
    Ok(match plan.n_samples {
        4 => image.into_rgba8().into_raw(),
        _ => image.into_rgb8().into_raw(),
    })
}

/// Samples whose bits come the other way round.
pub(super) fn reversed(data: &[u8]) -> Vec<u8> {
    data.iter().map(|byte| byte.reverse_bits()).collect()
}

struct Lzw<'a> {
    data: &'a [u8],
    decoder: weezl::decode::Decoder,
}

impl<'a> Lzw<'a> {
    fn new(data: &'a [u8]) -> Self {
        // Files of before TIFF 6.0 have their codes the other way round, and begin with the code that clears.
        let decoder = match data {
            [0, second, ..] if second & 1 == 1 => {
                weezl::decode::Decoder::new(weezl::BitOrder::Lsb, 8)
            }
            _ => weezl::decode::Decoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8),
        };
        Self { data, decoder }
    }
}

impl Read for Lzw<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let result = self.decoder.decode_bytes(self.data, into);
            self.data = &self.data[result.consumed_in..];
            return match result.status {
                Ok(weezl::LzwStatus::Ok) if result.consumed_out == 0 && !into.is_empty() => {
                    continue;
                }
                // Some leave the end out.
                Ok(_) => Ok(result.consumed_out),
                Err(error) if result.consumed_out == 0 => {
                    Err(io::Error::new(ErrorKind::InvalidData, error))
                }
                Err(_) => Ok(result.consumed_out),
            };
        }
    }
}

/// Apple's runs of bytes.
struct PackBits<'a> {
    data: &'a [u8],
    left: usize,
    same: Option<u8>,
}

impl Read for PackBits<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.left == 0 {
            let Some((&head, rest)) = self.data.split_first() else {
                return Ok(0);
            };
            self.data = rest;
            match head {
                0..=127 => (self.left, self.same) = (usize::from(head) + 1, None),
                128 => {}
                129.. => {
                    let Some((&byte, rest)) = self.data.split_first() else {
                        return Ok(0);
                    };
                    self.data = rest;
                    (self.left, self.same) = (257 - usize::from(head), Some(byte));
                }
            }
        }
        let n = self.left.min(into.len());
        let n = match self.same {
            Some(byte) => {
                into[..n].fill(byte);
                n
            }
            None => {
                let n = n.min(self.data.len());
                into[..n].copy_from_slice(&self.data[..n]);
                self.data = &self.data[n..];
                n
            }
        };
        self.left -= n;
        Ok(n)
    }
}
