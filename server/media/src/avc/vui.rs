//! Video usability information (ITU-T H.264, annex E): colours, times, and how much a decoder must hold.

use core::ops::Range;

use super::{
    AvcError, AvcErrorKind,
    bits::{Reader, Writer},
};

/// The meaning of a picture's numbers as colours, by ITU-T H.273; 2 is "unspecified".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Colour {
    /// The three primaries; 1 is BT.709.
    pub primaries: u8,
    /// The transfer function; 1 is BT.709.
    pub transfer: u8,
    /// The matrix between RGB and YCbCr; 1 is BT.709.
    pub matrix: u8,
    /// Whether samples use all values, 0 to 255, and not 16 to 235 only.
    pub is_full_range: bool,
}

impl Default for Colour {
    fn default() -> Self {
        Self {
            primaries: 2,
            transfer: 2,
            matrix: 2,
            is_full_range: false,
        }
    }
}

impl Colour {
    /// Colours of high definition (ITU-R BT.709), in the range of video.
    pub const BT709: Self = Self {
        primaries: 1,
        transfer: 1,
        matrix: 1,
        is_full_range: false,
    };

    /// Standard definition and video calls (ITU-R BT.601), in the range of video: no more than how the numbers are made of
    /// red, green and blue.
    pub const BT601: Self = Self {
        primaries: 2,
        transfer: 2,
        matrix: 6,
        is_full_range: false,
    };

    /// Writes the flag and the signal type of a stream of these colours.
    pub(super) fn write(self, fields: &mut Writer) {
        fields.flag(true); // video_signal_type_present_flag
        // video_format: unspecified.
        [true, false, true]
            .into_iter()
            .for_each(|bit| fields.flag(bit));
        fields.flag(self.is_full_range);
        fields.flag(true); // colour_description_present_flag
        for value in [self.primaries, self.transfer, self.matrix] {
            fields.copy(&[value], 0..8);
        }
    }
}

/// How long the pictures of a stream are. A picture lasts two ticks (E.2.1), of `n_units` of
/// `1 / time_scale` seconds each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timing {
    /// `num_units_in_tick`, never 0.
    pub n_units: u32,
    /// `time_scale`, never 0.
    pub time_scale: u32,
}

impl Timing {
    /// Writes the flag and the timing of a stream whose pictures may last longer.
    pub(super) fn write(self, fields: &mut Writer) {
        fields.flag(true); // timing_info_present_flag
        fields.word(self.n_units);
        fields.word(self.time_scale);
        fields.flag(false); // fixed_frame_rate_flag
    }
}

/// How many pictures a decoder has to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Restriction {
    /// `max_num_reorder_frames`: how many may be shown later than ones that were sent behind them.
    pub n_reordered: u32,
    /// `max_dec_frame_buffering`: how many are held altogether.
    pub n_buffered: u32,
}

impl Restriction {
    /// Writes the flag and, in what is not said, the values that hold without it.
    pub(super) fn write(self, fields: &mut Writer) {
        fields.flag(true); // bitstream_restriction_flag
        fields.flag(true); // motion_vectors_over_pic_boundaries_flag
        fields.ue(2); // max_bytes_per_pic_denom
        fields.ue(1); // max_bits_per_mb_denom
        // Quarter pixels. Editions allow up to 15 or 16; no level allows vectors that need more than 13.
        fields.ue(15); // log2_max_mv_length_horizontal
        fields.ue(15); // log2_max_mv_length_vertical
        fields.ue(self.n_reordered);
        fields.ue(self.n_buffered);
    }
}

/// The parts of the VUI that are of use here.
pub(super) struct Vui {
    pub(super) colour: Colour,
    /// From `video_signal_type_present_flag` to before what follows the signal type, where that names no colours.
    pub(super) colourless: Option<Range<usize>>,
    pub(super) timing: Option<Timing>,
    /// Where `timing_info_present_flag` stands.
    pub(super) timing_at: usize,
    pub(super) restriction: Option<Restriction>,
    /// Where `bitstream_restriction_flag` stands.
    pub(super) restriction_at: usize,
}

impl Vui {
    /// Writes a VUI that says nothing, up to `bitstream_restriction_flag`.
    pub(super) fn write_empty(fields: &mut Writer) {
        // Aspect ratio, overscan, signal type, chroma location, timing, both HRDs, pic_struct.
        (0..8).for_each(|_| fields.flag(false));
    }

    /// Writes a VUI that names colours and says nothing else.
    pub(super) fn write_colour(fields: &mut Writer, colour: Colour) {
        // Aspect ratio, overscan.
        (0..2).for_each(|_| fields.flag(false));
        colour.write(fields);
        // Chroma location, timing, both HRDs, pic_struct, restriction.
        (0..6).for_each(|_| fields.flag(false));
    }

    pub(super) fn read(fields: &mut Reader<'_>) -> Result<Self, AvcError> {
        const EXTENDED_SAR: u8 = 255;
        if fields.flag()? && fields.byte()? == EXTENDED_SAR {
            fields.bits(32)?; // sar_width, sar_height
        }
        if fields.flag()? {
            fields.flag()?; // overscan_appropriate_flag
        }
        let signal_at = fields.at();
        let (colour, is_named) = read_colour(fields)?;
        let colourless = (!is_named).then(|| signal_at..fields.at());
        if fields.flag()? {
            fields.ue("chroma_sample_loc_type_top_field", 5)?;
            fields.ue("chroma_sample_loc_type_bottom_field", 5)?;
        }
        let timing_at = fields.at();
        let timing = if fields.flag()? {
            let (n_units, time_scale) = (fields.bits(32)?, fields.bits(32)?);
            fields.flag()?; // fixed_frame_rate_flag
            // Cameras that don't know write zeroes.
            (n_units > 0 && time_scale > 0).then_some(Timing {
                n_units,
                time_scale,
            })
        } else {
            None
        };
        let has_nal_hrd = fields.flag()?;
        if has_nal_hrd {
            pass_hrd(fields)?;
        }
        let has_vcl_hrd = fields.flag()?;
        if has_vcl_hrd {
            pass_hrd(fields)?;
        }
        if has_nal_hrd || has_vcl_hrd {
            fields.flag()?; // low_delay_hrd_flag
        }
        fields.flag()?; // pic_struct_present_flag
        let restriction_at = fields.at();
        let restriction = if fields.flag()? {
            Some(read_restriction(fields)?)
        } else {
            None
        };
        Ok(Self {
            colour,
            colourless,
            timing,
            timing_at,
            restriction,
            restriction_at,
        })
    }
}

/// The colours, and whether they are named.
fn read_colour(fields: &mut Reader<'_>) -> Result<(Colour, bool), AvcError> {
    let (mut colour, mut is_named) = (Colour::default(), false);
    if fields.flag()? {
        fields.bits(3)?; // video_format
        colour.is_full_range = fields.flag()?;
        is_named = fields.flag()?;
        if is_named {
            colour.primaries = fields.byte()?;
            colour.transfer = fields.byte()?;
            colour.matrix = fields.byte()?;
        }
    }
    Ok((colour, is_named))
}

fn read_restriction(fields: &mut Reader<'_>) -> Result<Restriction, AvcError> {
    fields.flag()?; // motion_vectors_over_pic_boundaries_flag
    fields.ue("max_bytes_per_pic_denom", 16)?;
    fields.ue("max_bits_per_mb_denom", 16)?;
    fields.ue("log2_max_mv_length_horizontal", 16)?;
    fields.ue("log2_max_mv_length_vertical", 16)?;
    let at = fields.at();
    let restriction = Restriction {
        n_reordered: fields.ue("max_num_reorder_frames", 16)?,
        n_buffered: fields.ue("max_dec_frame_buffering", 16)?,
    };
    if restriction.n_reordered > restriction.n_buffered {
        return Err(AvcErrorKind::OutOfRange("max_num_reorder_frames").at(at));
    }
    Ok(restriction)
}

/// E.1.2.
fn pass_hrd(fields: &mut Reader<'_>) -> Result<(), AvcError> {
    let n = fields.ue("cpb_cnt_minus1", 31)? + 1;
    fields.bits(8)?; // bit_rate_scale, cpb_size_scale
    for _ in 0..n {
        fields.ue("bit_rate_value_minus1", u32::MAX - 1)?;
        fields.ue("cpb_size_value_minus1", u32::MAX - 1)?;
        fields.flag()?; // cbr_flag
    }
    fields.bits(20)?; // three lengths of delays, time_offset_length
    Ok(())
}
