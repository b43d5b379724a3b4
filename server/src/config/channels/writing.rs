//! The settings of the words that are written on a channel's pictures.

use super::{
    super::{ConfigError, bad},
    FileChannel,
};
use crate::{
    render::words::{Place, Style},
    rights::ChannelName,
    source::live::Words,
};

impl FileChannel {
    /// The words on the gallery's pictures and its nights: the things that its table has.
    pub(in crate::config) fn of_gallery(
        self,
    ) -> Result<(Option<Words>, Option<String>), ConfigError> {
        let words = self.words(ChannelName::MAIN)?;
        let night = self.night.clone();
        let rest = Self {
            night: None,
            text: None,
            text_place: None,
            text_size: None,
            text_colour: None,
            text_shadow: None,
            ..self
        };
        if rest != Self::default() {
            let reason = "main is the gallery: its night, its text and how that looks stand here, its other settings at the top of the file";
            return Err(bad("channel.main", "", reason));
        }
        Ok((words, night))
    }

    /// The words, if there are any.
    pub(super) fn words(&self, name: &str) -> Result<Option<Words>, ConfigError> {
        let key = |key: &str| format!("channel.{name}.{key}");
        let Some(text) = self.text.as_deref() else {
            let given = [
                ("text-place", self.text_place.is_some()),
                ("text-size", self.text_size.is_some()),
                ("text-colour", self.text_colour.is_some()),
                ("text-shadow", self.text_shadow.is_some()),
            ];
            let reason = "it says how a text looks, and there is no text";
            return match given.into_iter().find(|(_, is_given)| *is_given) {
                Some((setting, _)) => Err(bad(key(setting), "", reason)),
                None => Ok(None),
            };
        };
        let template = text
            .parse()
            .map_err(|error| bad(key("text"), text, error))?;
        let mut style = Style::USUAL;
        if let Some(text) = self.text_place.as_deref() {
            let place: Result<Place, &str> = text.parse();
            style.place = place.map_err(|reason| bad(key("text-place"), text, reason))?;
        }
        if let Some(size) = self.text_size {
            let max = Style::MAX_SIZE;
            style.size = u8::try_from(size)
                .ok()
                .filter(|size| (1..=max).contains(size))
                .ok_or_else(|| {
                    let reason =
                        format!("it has to be 1 to {max}, in hundredths of the frame's short side");
                    bad(key("text-size"), size, reason)
                })?;
        }
        if let Some(text) = self.text_colour.as_deref() {
            let reason = "a colour is six hexadecimal digits, like \"#ffcc00\"";
            style.colour = colour(text).ok_or_else(|| bad(key("text-colour"), text, reason))?;
        }
        style.shadow = self.text_shadow.unwrap_or(style.shadow);
        Ok(Some(Words { template, style }))
    }
}

/// Reads `#rrggbb`.
fn colour(text: &str) -> Option<[u8; 3]> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let [_, r, g, b] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
    Some([r, g, b])
}
