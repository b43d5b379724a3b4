//! The sequence parameter set (ITU-T H.264, 7.3.2.1.1): read, and rewritten for decoders that would wait.

use alloc::{format, string::String, vec::Vec};
use core::ops::Range;

use super::{
    AvcError, AvcErrorKind, MAX_SPS_BYTES,
    bits::{Reader, Writer, unescaped, write_escaped},
    vui::{Colour, Restriction, Timing, Vui},
};
use crate::annexb::NalKind;

/// The most macroblocks in a picture, and the most of them in a row or column: level 6.2.
const MAX_MACROBLOCKS: u32 = 139_264;
const MAX_MACROBLOCKS_ACROSS: u32 = 1055;

/// The profiles whose parameter sets say how colour is sampled and how many bits a sample has.
const HIGH_PROFILES: [u8; 13] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

/// The facts that a sequence parameter set tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sps {
    /// `profile_idc`: 66 Baseline, 77 Main, 100 High.
    pub profile: u8,
    /// The constraint flags, set 0 in the highest bit; the two lowest bits are 0.
    pub constraints: u8,
    /// `level_idc`, ten times the level's number: 40 is level 4.
    pub level: u8,
    /// The number by which picture parameter sets name it.
    pub id: u8,
    /// How colour is sampled (`chroma_format_idc`): 0 none, 1 4:2:0, 2 4:2:2, 3 4:4:4.
    pub chroma: u8,
    /// Bits of a brightness sample.
    pub luma_bits: u8,
    /// Bits of a colour sample.
    pub chroma_bits: u8,
    /// Width in pixels, after cropping; at least one.
    pub width: u16,
    /// Height in pixels, after cropping; at least one.
    pub height: u16,
    /// Whether every picture is a whole frame, none a field.
    pub is_progressive: bool,
    /// How many frames are held as references at most.
    pub n_ref_frames: u8,
    /// `pic_order_cnt_type`; where it is 2, pictures are shown in the order in which they are sent.
    pub order_kind: u8,
    /// The meaning of the colours.
    pub colour: Colour,
    /// How long a picture is, where it says so.
    pub timing: Option<Timing>,
    /// How many pictures a decoder has to hold, where it says so.
    pub restriction: Option<Restriction>,
}

/// An SPS as it was read, with the places where it can be rewritten.
struct Read {
    sps: Sps,
    payload: Vec<u8>,
    /// Where `vui_parameters_present_flag` stands.
    vui_at: usize,
    /// The place of a signal type that names no colours, if there is a VUI.
    colourless: Option<Range<usize>>,
    /// Where `timing_info_present_flag` stands, if there is a VUI.
    timing_at: Option<usize>,
    /// How many bits there are before the one that ends the payload.
    end: usize,
    /// Where `bitstream_restriction_flag` stands, if there is a VUI.
    restriction_at: Option<usize>,
}

impl Sps {
    /// Reads an SPS, a NAL unit from its header byte on. What stands behind its fields is not looked at.
    ///
    /// # Errors
    ///
    /// What an [`AvcErrorKind`] names.
    pub fn parse(nal: &[u8]) -> Result<Self, AvcError> {
        Ok(read(nal)?.sps)
    }

    /// The value of `codecs=` in a media type (RFC 6381), `avc1.42C01F`.
    pub fn codec_string(&self) -> String {
        let (profile, constraints, level) = (self.profile, self.constraints, self.level);
        format!("avc1.{profile:02X}{constraints:02X}{level:02X}")
    }

    /// How many pictures may be shown later than ones that were sent behind them: 0 where there are no
    /// B-frames, `None` where it is left open.
    pub fn n_reordered(&self) -> Option<u32> {
        let said = self.restriction.map(|restriction| restriction.n_reordered);
        // 8.2.1: output order is decoding order.
        said.or((self.order_kind == 2).then_some(0))
    }
}

/// An SPS with `max_num_reorder_frames` 0 in its VUI, and everything else kept. Without that a
/// decoder may hold back as many pictures as its memory takes (C.4.5.3), seconds of a stream of 5 fps.
///
/// Whether a stream has B-frames is not always said by its SPS: slices tell
/// ([`is_b_slice`](super::is_b_slice)).
///
/// # Errors
///
/// What [`Sps::parse`] finds, and [`AvcErrorKind::Reorders`] where the SPS says that there are B-frames.
pub fn with_restriction(nal: &[u8]) -> Result<Vec<u8>, AvcError> {
    let Read {
        sps,
        payload,
        vui_at,
        restriction_at,
        ..
    } = read(nal)?;
    match sps.restriction {
        Some(said) if said.n_reordered == 0 => return Ok(nal.to_vec()),
        Some(said) => return Err(AvcErrorKind::Reorders(said.n_reordered).at(vui_at)),
        None => {}
    }
    let mut fields = Writer::default();
    if let Some(at) = restriction_at {
        fields.copy(&payload, 0..at);
    } else {
        fields.copy(&payload, 0..vui_at);
        fields.flag(true);
        Vui::write_empty(&mut fields);
    }
    Restriction {
        n_reordered: 0,
        n_buffered: u32::from(sps.n_ref_frames),
    }
    .write(&mut fields);
    Ok(finished(nal, fields))
}

/// An SPS with a timing in its VUI where that says none, and everything else kept. Players of a stream without times go by
/// it; VLC and ffmpeg take 25 pictures a second where there is none.
///
/// # Errors
///
/// What [`Sps::parse`] finds.
pub fn with_timing(nal: &[u8], timing: Timing) -> Result<Vec<u8>, AvcError> {
    let read = read(nal)?;
    let Some(at) = read.timing_at.filter(|_| read.sps.timing.is_none()) else {
        return Ok(nal.to_vec());
    };
    let mut fields = Writer::default();
    fields.copy(&read.payload, 0..at);
    timing.write(&mut fields);
    let has_zeroes = read.payload[at / 8] >> (7 - at % 8) & 1 == 1;
    let n_said = if has_zeroes { 1 + 32 + 32 + 1 } else { 1 };
    fields.copy(&read.payload, at + n_said..read.end);
    Ok(finished(nal, fields))
}

/// An SPS whose VUI names these colours where it names none, and everything else kept: the range of the numbers as well.
///
/// # Errors
///
/// What [`Sps::parse`] finds.
pub fn with_colour(nal: &[u8], colour: Colour) -> Result<Vec<u8>, AvcError> {
    let read = read(nal)?;
    let mut fields = Writer::default();
    let colour = Colour {
        is_full_range: read.sps.colour.is_full_range,
        ..colour
    };
    match (read.colourless, read.restriction_at) {
        (Some(place), _) => {
            fields.copy(&read.payload, 0..place.start);
            colour.write(&mut fields);
            fields.copy(&read.payload, place.end..read.end);
        }
        (None, None) => {
            fields.copy(&read.payload, 0..read.vui_at);
            fields.flag(true);
            Vui::write_colour(&mut fields, colour);
        }
        (None, Some(_)) => return Ok(nal.to_vec()),
    }
    Ok(finished(nal, fields))
}

/// The SPS `nal` with other fields.
fn finished(nal: &[u8], fields: Writer) -> Vec<u8> {
    let mut out = Vec::with_capacity(nal.len() + 16);
    out.extend(nal.first());
    write_escaped(&fields.finish(), &mut out);
    out
}

fn read(nal: &[u8]) -> Result<Read, AvcError> {
    let Some((&header, rest)) = nal.split_first() else {
        return Err(AvcErrorKind::NotAnSps.at(0));
    };
    if NalKind::from_header(header) != NalKind::Sps || header & 0x80 != 0 {
        return Err(AvcErrorKind::NotAnSps.at(0));
    }
    if nal.len() > MAX_SPS_BYTES {
        return Err(AvcErrorKind::TooLong.at(0));
    }
    let payload = unescaped(rest);
    let mut fields = Reader::new(&payload);
    let mut sps = read_head(&mut fields)?;
    sps.read_order(&mut fields)?;
    sps.n_ref_frames = fields.ue("max_num_ref_frames", 16)? as u8;
    fields.flag()?; // gaps_in_frame_num_value_allowed_flag
    sps.read_size(&mut fields)?;
    let vui_at = fields.at();
    let (mut colourless, mut timing_at, mut restriction_at) = (None, None, None);
    if fields.flag()? {
        let vui = Vui::read(&mut fields)?;
        sps.colour = vui.colour;
        sps.timing = vui.timing;
        sps.restriction = vui.restriction;
        colourless = vui.colourless;
        (timing_at, restriction_at) = (Some(vui.timing_at), Some(vui.restriction_at));
    }
    let end = fields.end();
    Ok(Read {
        sps,
        payload,
        vui_at,
        colourless,
        timing_at,
        end,
        restriction_at,
    })
}

/// Everything up to the kind of picture order count.
fn read_head(fields: &mut Reader<'_>) -> Result<Sps, AvcError> {
    let mut sps = Sps {
        profile: fields.byte()?,
        constraints: fields.byte()?,
        level: fields.byte()?,
        id: fields.ue("seq_parameter_set_id", 31)? as u8,
        chroma: 1,
        luma_bits: 8,
        chroma_bits: 8,
        width: 0,
        height: 0,
        is_progressive: true,
        n_ref_frames: 0,
        order_kind: 0,
        colour: Colour::default(),
        timing: None,
        restriction: None,
    };
    if HIGH_PROFILES.contains(&sps.profile) {
        sps.read_samples(fields)?;
    }
    fields.ue("log2_max_frame_num_minus4", 12)?;
    Ok(sps)
}

impl Sps {
    fn read_samples(&mut self, fields: &mut Reader<'_>) -> Result<(), AvcError> {
        self.chroma = fields.ue("chroma_format_idc", 3)? as u8;
        if self.chroma == 3 {
            fields.flag()?; // separate_colour_plane_flag
        }
        self.luma_bits = 8 + fields.ue("bit_depth_luma_minus8", 6)? as u8;
        self.chroma_bits = 8 + fields.ue("bit_depth_chroma_minus8", 6)? as u8;
        fields.flag()?; // qpprime_y_zero_transform_bypass_flag
        if fields.flag()? {
            let n_lists = if self.chroma == 3 { 12 } else { 8 };
            for list in 0..n_lists {
                if fields.flag()? {
                    pass_scaling_list(fields, if list < 6 { 16 } else { 64 })?;
                }
            }
        }
        Ok(())
    }

    fn read_order(&mut self, fields: &mut Reader<'_>) -> Result<(), AvcError> {
        self.order_kind = fields.ue("pic_order_cnt_type", 2)? as u8;
        match self.order_kind {
            0 => {
                fields.ue("log2_max_pic_order_cnt_lsb_minus4", 12)?;
            }
            1 => {
                fields.flag()?; // delta_pic_order_always_zero_flag
                fields.se("offset_for_non_ref_pic")?;
                fields.se("offset_for_top_to_bottom_field")?;
                for _ in 0..fields.ue("num_ref_frames_in_pic_order_cnt_cycle", 255)? {
                    fields.se("offset_for_ref_frame")?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn read_size(&mut self, fields: &mut Reader<'_>) -> Result<(), AvcError> {
        let at = fields.at();
        let across = fields.ue("pic_width_in_mbs_minus1", MAX_MACROBLOCKS_ACROSS - 1)? + 1;
        let down = fields.ue("pic_height_in_map_units_minus1", MAX_MACROBLOCKS_ACROSS - 1)? + 1;
        self.is_progressive = fields.flag()?;
        // A map unit is two macroblocks high where there are fields.
        let n_fields = 2 - u32::from(self.is_progressive);
        if !self.is_progressive {
            fields.flag()?; // mb_adaptive_frame_field_flag
        }
        fields.flag()?; // direct_8x8_inference_flag
        if across * down * n_fields > MAX_MACROBLOCKS || down * n_fields > MAX_MACROBLOCKS_ACROSS {
            return Err(AvcErrorKind::BadSize.at(at));
        }
        let (mut width, mut height) = (across * 16, down * n_fields * 16);
        if fields.flag()? {
            // 7.4.2.1.1: cropping counts in samples of colour.
            let unit_x = if matches!(self.chroma, 1 | 2) { 2 } else { 1 };
            let unit_y = if self.chroma == 1 { 2 } else { 1 } * n_fields;
            let at = fields.at();
            let mut crop = |unit: u32, of: u32| {
                let one = fields.ue("frame_crop_offset", of / unit)?;
                let other = fields.ue("frame_crop_offset", of / unit)?;
                of.checked_sub((one + other) * unit)
                    .filter(|&left| left > 0)
                    .ok_or(AvcErrorKind::BadSize.at(at))
            };
            width = crop(unit_x, width)?;
            height = crop(unit_y, height)?;
        }
        let size = |n: u32| u16::try_from(n).map_err(|_| AvcErrorKind::BadSize.at(at));
        (self.width, self.height) = (size(width)?, size(height)?);
        Ok(())
    }
}

/// 7.3.2.1.1.1.
fn pass_scaling_list(fields: &mut Reader<'_>, n: usize) -> Result<(), AvcError> {
    let mut last = 8;
    for _ in 0..n {
        let at = fields.at();
        let delta = fields.se("delta_scale")?;
        if !(-128..=127).contains(&delta) {
            return Err(AvcErrorKind::OutOfRange("delta_scale").at(at));
        }
        last = (last + delta) & 0xff;
        if last == 0 {
            break; // The rest is as the last one, or the list is the default one.
        }
    }
    Ok(())
}
