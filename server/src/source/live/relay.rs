//! Another server's pictures: of mjpg-streamer, µStreamer, go2rtc, an ESP32-CAM, Motion, another Mantel. One connection,
//! however many watch; what is a single picture is asked for again and again.

#![expect(
    clippy::disallowed_methods,
    reason = "the shell: how long a picture may take is no matter of the wall clock"
)]

use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_auth::{PasswordClient, PasswordParams};
use mantel_media::inlet::Inlet;
use tokio::time::{Instant, sleep, timeout_at};

use super::{
    Ended, Source,
    via::{RunName, VIA},
};
use crate::{
    buffers,
    fetch::{Client, Credentials, Download, FetchError, Target, Trust},
};

/// Another server's address, and how its certificate is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay {
    /// Where its pictures are, with a name and a password where it asks for them.
    pub target: Target,
    /// The rule for its certificate.
    pub trust: Trust,
}

/// How long a server may take to answer, and how long to send its first picture.
const ANSWER_TIME: Duration = Duration::from_secs(10);
const FIRST_PICTURE: Duration = Duration::from_secs(30);
/// Of a server that sends pictures in a rhythm the next one is waited for so long at least, and at most.
const LEAST_PATIENCE: Duration = Duration::from_secs(5);
const MOST_PATIENCE: Duration = Duration::from_secs(60);
/// How often a single picture is asked for.
const EVERY: Duration = Duration::from_secs(1);

/// The patience with a server, which its own rhythm decides: one that hangs without closing is left and asked again.
#[derive(Debug)]
struct Rhythm {
    last: Instant,
    longest: Option<Duration>,
    n: u64,
}

impl Rhythm {
    fn new(now: Instant) -> Self {
        Self {
            last: now,
            longest: None,
            n: 0,
        }
    }

    fn came(&mut self, now: Instant) {
        if self.n > 0 {
            let gap = now - self.last;
            self.longest = Some(self.longest.map_or(gap, |longest| longest.max(gap)));
        }
        self.n += 1;
        self.last = now;
    }

    /// Until when the next picture has to have come.
    fn until(&self) -> Instant {
        let patience = match self.longest {
            Some(longest) => (longest * 4).clamp(LEAST_PATIENCE, MOST_PATIENCE),
            None => FIRST_PICTURE,
        };
        self.last + patience
    }
}

impl Relay {
    /// Brings the server's pictures until they end.
    pub(super) async fn run(&self, source: &Source, run: &RunName) -> Ended {
        let client = Client::new(self.trust, ANSWER_TIME);
        loop {
            match self.pictures(&client, source, run).await {
                // A single picture: there will be another one.
                Ok(1) => sleep(EVERY).await,
                Ok(_) => return Ended(format!("{} has ended its stream", self.target.authority())),
                Err(ended) => return ended,
            }
        }
    }

    /// Brings what one answer holds; gives how many pictures those were.
    async fn pictures(
        &self,
        client: &Client,
        source: &Source,
        run: &RunName,
    ) -> Result<u64, Ended> {
        let at = self.target.authority();
        let mut headers = HeaderMap::new();
        let way = source.ways.through(run).to_string();
        if let Ok(way) = HeaderValue::from_str(&way) {
            headers.insert(VIA, way);
        }
        // Its connection ends with it.
        let mut download = self.ask(client, headers).await?;
        let answer = &mut download.answer;
        let kind = answer.head.headers.get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.starts_with("text/html") {
            let why = format!("{at} answers with a page; the url has to be that of its stream");
            return Err(Ended(why));
        }
        // A length is that of the whole answer; of what is no single picture it says nothing.
        let mut inlet = Inlet::new(Some(kind), None);
        let mut rhythm = Rhythm::new(Instant::now());
        let nonsense = |error| Ended(format!("{at} sends what is no picture: {error}"));
        loop {
            let piece = match timeout_at(rhythm.until(), answer.piece()).await {
                Ok(Some(piece)) => piece.map_err(|error| ended(&error))?,
                Ok(None) => break,
                Err(_) => return Err(Ended(format!("{at} sends no more pictures"))),
            };
            let mut input = &piece[..];
            while let Some(sample) = inlet.next(&mut input).map_err(nonsense)? {
                rhythm.came(Instant::now());
                let n_bytes = sample.bytes.len();
                source.came(sample);
                inlet.reuse(buffers::taken(n_bytes));
            }
        }
        while let Some(sample) = inlet.finish().map_err(nonsense)? {
            rhythm.came(Instant::now());
            source.came(sample);
        }
        if rhythm.n == 0 {
            return Err(Ended(format!("{at} has sent no picture")));
        }
        Ok(rhythm.n)
    }

    /// Asks for the pictures; says who asks in the way in which the server wants to hear it.
    async fn ask(&self, client: &Client, mut headers: HeaderMap) -> Result<Download, Ended> {
        let at = self.target.authority();
        let mut download = client
            .get(&self.target, &headers)
            .await
            .map_err(|error| ended(&error))?;
        if download.answer.status() == StatusCode::UNAUTHORIZED {
            let Some(Credentials::User { name, password }) = self.target.credentials() else {
                let why = "asks for a name and a password: http://NAME:PASSWORD@HOST/…";
                return Err(Ended(format!("{at} {why}")));
            };
            let refuses = || Ended(format!("{at} refuses the name or the password"));
            let asked = challenges(&download).ok_or_else(refuses)?;
            let target = download.target.clone();
            let said = answered(asked, name, password, target.path()).ok_or_else(refuses)?;
            headers.insert(header::AUTHORIZATION, said);
            drop(download);
            let again = client.get(&target, &headers).await;
            download = again.map_err(|error| ended(&error))?;
            if download.answer.status() == StatusCode::UNAUTHORIZED {
                return Err(refuses());
            }
        }
        match download.answer.status() {
            status if status.is_success() => Ok(download),
            StatusCode::LOOP_DETECTED => {
                let why = "shows what is asked for by this channel itself, in a circle";
                Err(Ended(format!("{at} {why}")))
            }
            status => Err(Ended(format!("{at} answers {status}"))),
        }
    }
}

fn ended(error: &FetchError) -> Ended {
    Ended(error.to_string())
}

/// The server's question, where it is one that a name and a password answer.
fn challenges(download: &Download) -> Option<PasswordClient> {
    let mut asked = PasswordClient::builder();
    for challenge in download
        .answer
        .head
        .headers
        .get_all(header::WWW_AUTHENTICATE)
    {
        asked = asked.challenges(challenge.to_str().ok()?);
    }
    asked.build().ok()
}

fn answered(
    mut asked: PasswordClient,
    username: &str,
    password: &str,
    uri: &str,
) -> Option<HeaderValue> {
    let said = asked.respond(&PasswordParams {
        username,
        password,
        uri,
        method: "GET",
        body: Some(&[]),
    });
    let mut said = HeaderValue::from_str(&said.ok()?).ok()?;
    said.set_sensitive(true);
    Some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_follows_the_servers_rhythm() {
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        let mut rhythm = Rhythm::new(start);
        assert_eq!(rhythm.until(), start + FIRST_PICTURE);
        rhythm.came(after(2000));
        assert_eq!(rhythm.until(), after(2000) + FIRST_PICTURE);
        rhythm.came(after(2040));
        assert_eq!(rhythm.until(), after(2040) + LEAST_PATIENCE);
        rhythm.came(after(12_040));
        rhythm.came(after(12_080));
        assert_eq!(rhythm.until(), after(12_080 + 40_000));
        rhythm.came(after(100_000));
        assert_eq!(rhythm.until(), after(100_000) + MOST_PATIENCE);
    }
}
