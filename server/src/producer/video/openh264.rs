//! openh264 as an encoder: one thread, no control of the rate but ours, no picture dropped.
//!
//! `unsafe` in one place: the crate has no door to the one number that is changed while it runs.

#![allow(
    unsafe_code,
    reason = "how coarsely to encode is set by openh264's own interface"
)]

use openh264::{
    OpenH264API,
    encoder::{
        BitRate, Complexity, EncoderConfig, FrameRate, IntraFramePeriod, Profile, QpRange,
        RateControlMode, SpsPpsStrategy, UsageType, VuiConfig,
    },
    formats::YUVSource,
};
use openh264_sys2::{ENCODER_OPTION_SVC_ENCODE_PARAM_EXT, SEncParamExt};

use super::{
    encoder::{Encoder, EncoderError},
    rate::Qp,
};
use crate::{render::Planes, size::Size};

/// An encoder of openh264.
pub(super) struct OpenH264 {
    encoder: openh264::encoder::Encoder,
    /// How coarsely it encodes; none before its first picture, when it can't be told.
    qp: Option<Qp>,
}

/// A picture as openh264 takes it.
struct Source<'a>(&'a Planes);

impl YUVSource for Source<'_> {
    fn dimensions(&self) -> (usize, usize) {
        let Size { width, height } = self.0.size();
        (width as usize, height as usize)
    }

    fn strides(&self) -> (usize, usize, usize) {
        let width = self.0.size().width as usize;
        (width, width / 2, width / 2)
    }

    fn y(&self) -> &[u8] {
        self.0.planes()[0]
    }

    fn u(&self) -> &[u8] {
        self.0.planes()[1]
    }

    fn v(&self) -> &[u8] {
        self.0.planes()[2]
    }
}

impl OpenH264 {
    pub(super) fn open(size: Size, fps: u32) -> Result<Self, EncoderError> {
        let config = EncoderConfig::new()
            .profile(Profile::Baseline)
            .vui(VuiConfig::bt709())
            .usage_type(UsageType::CameraVideoRealTime)
            .complexity(Complexity::Low)
            .rate_control_mode(RateControlMode::Off)
            .skip_frames(false)
            // Nothing is held to it, but the level follows from it.
            .bitrate(BitRate::from_bps(u32::try_from(size.n_pixels() * 4).unwrap_or(u32::MAX).min(40_000_000)))
            .max_frame_rate(FrameRate::from_hz(fps as f32))
            .intra_frame_period(IntraFramePeriod::from_num_frames(0))
            .sps_pps_strategy(SpsPpsStrategy::ConstantId)
            .num_threads(1)
            .scene_change_detect(false)
            .adaptive_quantization(false)
            .background_detection(false)
            .qp(QpRange::new(0, 51));
        let api = OpenH264API::from_source();
        let encoder = openh264::encoder::Encoder::with_api_config(api, config).map_err(failed)?;
        Ok(Self { encoder, qp: None })
    }

    /// Sets how coarsely pictures are encoded from the next one on. The library takes parameters as a whole, and begins
    /// anew with a key frame only when others than this one differ (`WelsEncoderParamAdjust` in encoder_ext.cpp).
    fn set_qp(&mut self, qp: Qp) -> Result<(), EncoderError> {
        let mut parameters = SEncParamExt::default();
        let option = ENCODER_OPTION_SVC_ENCODE_PARAM_EXT;
        // SAFETY: The encoder is initialised, because it has encoded a picture. For this option the library reads or
        // writes one `SEncParamExt` at the address, during the call alone (`ISVCEncoder::GetOption` and `SetOption` in
        // codec_api.h).
        let codes = unsafe {
            let api = self.encoder.raw_api();
            let got = api.get_option(option, (&raw mut parameters).cast());
            parameters.sSpatialLayers[0].iDLayerQp = i32::from(qp.0);
            let set = if got == 0 {
                api.set_option(option, (&raw mut parameters).cast())
            } else {
                got
            };
            (got, set)
        };
        if codes != (0, 0) {
            return Err(EncoderError::Failed(format!(
                "it refused its parameters ({codes:?})"
            )));
        }
        self.qp = Some(qp);
        Ok(())
    }
}

impl Encoder for OpenH264 {
    fn encode(
        &mut self,
        picture: &Planes,
        _: u64,
        key: bool,
        qp: Qp,
    ) -> Result<Vec<u8>, EncoderError> {
        let is_first = self.qp.is_none();
        if !is_first && self.qp != Some(qp) {
            self.set_qp(qp)?;
        }
        if key && !is_first {
            self.encoder.force_intra_frame();
        }
        let unit = self
            .encoder
            .encode(&Source(picture))
            .map_err(failed)?
            .to_vec();
        if is_first {
            self.set_qp(qp)?;
        }
        Ok(unit)
    }
}

fn failed(error: openh264::Error) -> EncoderError {
    EncoderError::Failed(error.to_string())
}
