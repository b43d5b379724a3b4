//! The choice of what one named screen shows, by command: its settings with another album, or another channel.
//!
//! Nothing is told to the screen: it learns of its settings by itself, as when somebody keeps them on a page.

use std::sync::Arc;

use http::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    blocking::Blocking,
    endpoints::{Outputs, query},
    library::FILTER_KEYS,
    net::Refusal,
    profiles::{ProfileError, ScreenName, Settings},
    rights::ChannelName,
};

/// Has a named screen show these: the keys of a choice of photos, or a channel, of which `main` keeps the photos that were
/// chosen before.
pub(super) async fn choose(
    screen: &str,
    chosen: &[(String, String)],
    outputs: &Arc<Outputs>,
) -> Result<(), Refusal> {
    let name: ScreenName = screen.parse().map_err(refusal)?;
    let channel = chosen.iter().find(|(key, _)| key == query::CHANNEL);
    if let Some((_, wanted)) = channel {
        let names = outputs.house.channels.live().names();
        if !names.iter().any(|name| name.as_str() == wanted) {
            let sentence = format!("there is no channel {wanted:?}");
            return Err(Refusal::new(StatusCode::NOT_FOUND, sentence));
        }
    }
    let profiles = outputs.house.profiles.clone();
    let before = profiles.find(&name).unwrap_or_default().to_string();
    let settings: Settings = with(&before, chosen).parse().map_err(refusal)?;
    let kept = Blocking::run(move |blocking| profiles.set(blocking, name, settings)).await;
    kept.map_err(|_| Refusal::unavailable("the names could not be saved"))?
        .map_err(refusal)
}

/// A screen's settings with what is chosen in place of what was.
fn with(before: &str, chosen: &[(String, String)]) -> String {
    let back_to_photos =
        |(key, value): &(String, String)| key == query::CHANNEL && value == ChannelName::MAIN;
    let keeps_photos = chosen.iter().any(back_to_photos);
    let stays = |pair: &&str| {
        let key = pair.split('=').next().unwrap_or_default();
        let is_choice = FILTER_KEYS.contains(&key) && !keeps_photos;
        !pair.is_empty() && key != query::CHANNEL && !is_choice
    };
    let mut pairs: Vec<String> = before.split('&').filter(stays).map(str::to_owned).collect();
    let new = chosen.iter().filter(|pair| !back_to_photos(pair));
    pairs.extend(
        new.map(|(key, value)| format!("{key}={}", utf8_percent_encode(value, NON_ALPHANUMERIC))),
    );
    pairs.join("&")
}

fn refusal(error: ProfileError) -> Refusal {
    match error {
        ProfileError::Save(_) => Refusal::unavailable(error.to_string()),
        _ => Refusal::bad_request(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_keep_all_but_what_is_chosen() {
        let before = "fit=cover&album=Oslo&on-this-day&channel=door&clock=on";
        for (chosen, after) in [
            (&[][..], "fit=cover&clock=on"),
            (
                &[("album", "Rome & more")],
                "fit=cover&clock=on&album=Rome%20%26%20more",
            ),
            (
                &[("channel", "garden")],
                "fit=cover&clock=on&channel=garden",
            ),
            (
                &[("channel", "main")],
                "fit=cover&album=Oslo&on-this-day&clock=on",
            ),
        ] {
            let chosen: Vec<(String, String)> = chosen
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect();
            assert_eq!(with(before, &chosen), after);
        }
        assert_eq!(with("", &[]), "");
    }
}
