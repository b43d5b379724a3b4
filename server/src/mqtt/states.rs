//! The states that are told by topic: what is on, how bright it is, who watches. Read from the house; what is news of it is
//! decided elsewhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Value, json};

use super::{
    discovery::{self, ALL_PHOTOS},
    picframe,
    screens::Screens,
    topics::Topics,
};
use crate::{
    blocking::Blocking,
    caption, clock,
    config::MqttConfig,
    endpoints::Outputs,
    library::{Facts, Photo, iso},
    photo::PhotoId,
    profiles::ScreenName,
    rights::ChannelName,
    timeline::Slide,
};

/// Albums that can be chosen: more than that are no list to choose from, and a longer document is refused.
const MAX_ALBUMS: usize = 200;
/// The states of a screen.
const SCREEN_STATES: [&str; 4] = ["lit", "screen", "channel", "album"];
/// Letters of a state: Home Assistant refuses longer ones.
const MAX_CHARS: usize = 250;

/// The words that are told, in their order: documents before states, which are of no use without them.
pub(super) type States = Vec<(String, String)>;

/// The house as it is told, with what is not looked up each time.
pub(super) struct Reader {
    pub(super) setup: MqttConfig,
    pub(super) topics: Topics,
    pub(super) outputs: Arc<Outputs>,
    albums: Vec<String>,
    screens: Screens,
}

impl Reader {
    pub(super) fn new(
        setup: MqttConfig,
        topics: Topics,
        screens: Screens,
        outputs: Arc<Outputs>,
    ) -> Self {
        Self {
            setup,
            topics,
            outputs,
            albums: Vec::new(),
            screens,
        }
    }

    /// The topics of the screens that were told of before this start, and may be no more.
    pub(super) fn told_before(&self) -> Vec<String> {
        let of_screen = |name: &String| {
            let document = discovery::topic(&self.topics.screen_device(name));
            let states = SCREEN_STATES.map(|key| self.topics.screen_state(name, key));
            std::iter::once(document).chain(states)
        };
        self.screens.names().flat_map(of_screen).collect()
    }

    /// Keeps which screens the broker has been told of.
    pub(super) async fn keep_screens(&mut self) {
        if let Some(write) = self.screens.write() {
            // A panic there is logged by the runtime.
            let _ = Blocking::run(write).await;
        }
    }

    /// Looks for albums again.
    pub(super) async fn take_albums(&mut self) {
        let library = self.outputs.house.library.clone();
        let found = Blocking::run(move |blocking| library.albums(blocking)).await;
        let found = found.unwrap_or_default();
        let albums = found.into_iter().map(|(path, _)| path);
        let fits = |path: &String| !path.is_empty() && path.chars().count() <= MAX_CHARS;
        self.albums = albums.filter(fits).take(MAX_ALBUMS).collect();
    }

    /// Everything that is told now.
    pub(super) async fn read(&mut self) -> States {
        let mut states = States::new();
        self.take_screens();
        let (topics, page) = (&self.topics, self.setup.page.as_ref());
        let visible = page.map(|page| page.open());
        let told = discovery::Told {
            topics,
            page: visible.as_deref(),
            has_picture: page.is_some(),
            albums: &self.albums,
        };
        let document = discovery::server(&told);
        let channels = self.outputs.house.channels.live().names();
        let channels: Vec<String> = channels.iter().map(ToString::to_string).collect();
        states.push((discovery::topic(topics.id()), document.to_string()));
        for name in self.screens.names() {
            let document = discovery::screen(&told, name, &channels);
            let topic = discovery::topic(&topics.screen_device(name));
            states.push((topic, document.to_string()));
        }
        states.push((topics.availability(), "online".to_owned()));
        self.server(&mut states).await;
        if let Some(id) = &self.setup.picframe {
            let own = |key: &str| {
                let topic = topics.state(key);
                let found = states.iter().find(|(told, _)| *told == topic);
                found.map(|(_, state)| state.as_str())
            };
            let more = picframe::states(id, own);
            states.extend(more);
        }
        let lit = self.lit();
        for name in self.screens.names() {
            let state = switch(lit.contains(name));
            states.push((topics.screen_state(name, "lit"), state));
            let parsed = name.parse::<ScreenName>();
            let sleeps = parsed.is_ok_and(|name| self.outputs.house.sleepers.has(&name));
            states.push((topics.screen_state(name, "screen"), switch(!sleeps)));
            self.chosen(name, &channels, &mut states);
        }
        states
    }

    /// The channel and the album that a screen is to show by its settings. `None` is no choice that Home Assistant has.
    fn chosen(&self, name: &str, channels: &[String], states: &mut States) {
        let parsed = name.parse::<ScreenName>().ok();
        let settings = parsed.and_then(|name| self.outputs.house.profiles.find(&name));
        let settings = settings.unwrap_or_default().to_string();
        let set = |wanted: &str| {
            let mut pairs = form_urlencoded::parse(settings.as_bytes());
            let found = pairs.find(|(key, _)| key == wanted);
            found.map(|(_, value)| value.into_owned())
        };
        let known = |value: Option<String>, usual: &str, all: &[String]| match value {
            None => usual.to_owned(),
            Some(value) if all.contains(&value) => value,
            Some(_) => "None".to_owned(),
        };
        let mut told = |key: &str, state: String| {
            states.push((self.topics.screen_state(name, key), state));
        };
        if channels.len() > 1 {
            told(
                "channel",
                known(set("channel"), ChannelName::MAIN, channels),
            );
        }
        if !self.albums.is_empty() {
            told("album", known(set("album"), ALL_PHOTOS, &self.albums));
        }
    }

    async fn server(&self, states: &mut States) {
        let outputs = &self.outputs;
        let mut told = |key: &str, state: String| states.push((self.topics.state(key), state));
        told("viewers", outputs.watched.viewers.rows().len().to_string());
        let Some(programme) = outputs.gallery() else {
            return;
        };
        told("light", self.light().to_string());
        told("pause", switch(programme.pause().is_some()));
        let seconds = programme.settings().interval_millis as f64 / 1000.0;
        told("interval", seconds.to_string());
        let said = programme.veil().said.as_deref().unwrap_or_default();
        told("message", said.to_owned());
        if !self.albums.is_empty() {
            let chosen = outputs.house.channels.chosen();
            told("album", chosen.album().unwrap_or(ALL_PHOTOS).to_owned());
        }
        let look = outputs.looks.rendition;
        let showing = programme.timeline(look.size, look.pair).at(clock::now());
        let slide = showing.map(|showing| showing.current);
        let (name, facts) = self.photo(slide).await;
        told("photo", name);
        told("photo-facts", facts.to_string());
        if let (Some(page), Some(slide)) = (&self.setup.page, slide) {
            told("picture", page.picture(slide.no.0));
        }
    }

    /// The light as Home Assistant has it: off where there is none.
    fn light(&self) -> Value {
        let night = self.outputs.house.channels.veils().night(clock::now());
        match night.map_or(1000, |night| night.light) {
            0 => json!({ "state": "OFF" }),
            light => json!({
                "state": "ON",
                "color_mode": "brightness",
                "brightness": (light / 10).max(1),
            }),
        }
    }

    /// The words for the slide that is on, and what is known of its photos.
    async fn photo(&self, slide: Option<Slide>) -> (String, Value) {
        let Some(slide) = slide else {
            return (String::new(), json!({}));
        };
        let ids: Vec<PhotoId> = slide.turn().photos().collect();
        let photos = self
            .outputs
            .house
            .catalogue
            .photos(ids.iter().copied())
            .await;
        let photos: Vec<&Arc<Photo>> = ids.iter().filter_map(|id| photos.get(id)).collect();
        let names: Vec<&str> = photos.iter().map(|photo| name(photo)).collect();
        let favourite = |id: &PhotoId| self.outputs.house.library.is_favourite(*id);
        let first = photos.first().map(|photo| &photo.facts);
        let taken = first.and_then(|facts| facts.taken?.of_photo());
        let language = self.outputs.looks.rendition.captions.language;
        let place = |facts: &Facts| caption::place(facts, language);
        let facts = json!({
            "photo": ids.first().map(ToString::to_string),
            "beside": ids.get(1).map(ToString::to_string),
            "album": first.and_then(|facts| facts.album.as_deref()).map(cut),
            "taken_at": taken.map(iso),
            "place": first.and_then(place).as_deref().map(cut),
            "caption": first.and_then(|facts| caption::text(facts)).map(cut),
            "favourite": ids.first().is_some_and(favourite),
        });
        (cut(&names.join(" · ")), facts)
    }

    fn take_screens(&mut self) {
        let kept = self.outputs.house.profiles.all().into_iter();
        let kept: BTreeSet<String> = kept.map(|(name, _)| name.to_string()).collect();
        let reported = self.outputs.watched.reports.fresh(clock::now());
        let reported = reported.into_iter().map(|row| row.report.name);
        let seen = reported.filter(|name| name.parse::<ScreenName>().is_ok());
        let seen: BTreeSet<String> = seen.collect();
        self.screens.take(&kept, &seen);
    }

    /// The screens whose last word was that they show pictures.
    fn lit(&self) -> BTreeSet<String> {
        let mut reported = self.outputs.watched.reports.fresh(clock::now());
        reported.sort_by_key(|row| row.at);
        let last: BTreeMap<String, String> = reported
            .into_iter()
            .map(|row| (row.report.name, row.report.state))
            .collect();
        let lit = last
            .into_iter()
            .filter(|(_, state)| !matches!(&**state, "reconnecting" | "asleep"));
        lit.map(|(name, _)| name).collect()
    }
}

fn switch(is_on: bool) -> String {
    if is_on { "ON" } else { "OFF" }.to_owned()
}

/// The file's name without its folders.
fn name(photo: &Photo) -> &str {
    photo.name.rsplit('/').next().unwrap_or_default()
}

fn cut(text: &str) -> String {
    let letters = text.chars().filter(|c| mantel_shared::is_readable(*c));
    letters.take(MAX_CHARS).collect()
}

/// The things that have been told, by topic; `None` where nobody knows whether they still count.
#[derive(Debug, Default)]
pub(super) struct Told(BTreeMap<String, Option<String>>);

impl Told {
    /// Nothing that was told counts any more; what has gone since is still taken back.
    pub(super) fn forget(&mut self) {
        self.0.values_mut().for_each(|payload| *payload = None);
    }

    /// The news in `states`; what is told no more is news as nothing.
    pub(super) fn news(&self, states: &States) -> States {
        let there: BTreeSet<&str> = states.iter().map(|(topic, _)| topic.as_str()).collect();
        let gone = self.0.iter().filter(|(topic, payload)| {
            !there.contains(topic.as_str()) && payload.as_deref() != Some("")
        });
        let gone = gone.map(|(topic, _)| (topic.clone(), String::new()));
        let news = states
            .iter()
            .filter(|(topic, payload)| self.0.get(topic).and_then(Option::as_ref) != Some(payload));
        gone.chain(news.cloned()).collect()
    }

    /// These may have been told before, nobody knows with which words.
    pub(super) fn expect(&mut self, topics: Vec<String>) {
        self.0.extend(topics.into_iter().map(|topic| (topic, None)));
    }

    pub(super) fn told(&mut self, topic: String, payload: String) {
        self.0.insert(topic, Some(payload));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(pairs: &[(&str, &str)]) -> States {
        let owned = |(topic, payload): &(&str, &str)| ((*topic).into(), (*payload).into());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn only_news_is_told_and_what_has_gone_is_taken_back_once() {
        let mut told = Told::default();
        let both = states(&[("b", "1"), ("a", "2")]);
        assert_eq!(told.news(&both), both);
        for (topic, payload) in told.news(&both) {
            told.told(topic, payload);
        }
        assert_eq!(told.news(&both), []);
        let one = states(&[("a", "3")]);
        assert_eq!(told.news(&one), states(&[("b", ""), ("a", "3")]));
        for (topic, payload) in told.news(&one) {
            told.told(topic, payload);
        }
        assert_eq!(told.news(&one), []);
        told.forget();
        assert_eq!(told.news(&one), states(&[("b", ""), ("a", "3")]));
        assert_eq!(Told::default().news(&one), one);
        let mut told = Told::default();
        told.expect(vec!["a".into(), "c".into()]);
        assert_eq!(told.news(&one), states(&[("c", ""), ("a", "3")]));
    }

    #[test]
    fn names_are_cut_to_what_home_assistant_takes() {
        assert_eq!(cut(&"ä".repeat(1000)).chars().count(), MAX_CHARS);
        assert_eq!(cut("a\u{202e}b\nc"), "abc");
    }
}
