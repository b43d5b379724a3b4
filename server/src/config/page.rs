//! The address at which Home Assistant reaches this server. Pure.

use std::{fmt, str::FromStr};

use http::Uri;

/// The address of the page, perhaps with a token that opens the pictures. Never written whole but into the picture's
/// address, for those who read the broker.
#[derive(Clone, PartialEq, Eq)]
pub struct Page {
    /// With a slash at its end.
    base: String,
    query: String,
}

/// The text is no page's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the address of this server's page is like http://10.0.0.2:8080/ or https://frames.example/?token=…"
)]
pub struct NoPage;

impl Page {
    /// The page's address without what may be a secret in it.
    pub fn open(&self) -> String {
        self.base.clone()
    }

    /// The address of the picture that is on; another one with each slide.
    pub fn picture(&self, slide: u64) -> String {
        let Self { base, query } = self;
        let more = if query.is_empty() { "" } else { "&" };
        format!("{base}snapshot?{query}{more}slide={slide}")
    }
}

impl FromStr for Page {
    type Err = NoPage;

    fn from_str(text: &str) -> Result<Self, NoPage> {
        let uri: Uri = text.trim().parse().map_err(|_| NoPage)?;
        let scheme = uri.scheme_str().filter(|s| matches!(*s, "http" | "https"));
        let (scheme, authority) = scheme.zip(uri.authority()).ok_or(NoPage)?;
        if authority.as_str().contains('@') {
            return Err(NoPage);
        }
        let path = uri.path().trim_end_matches('/');
        Ok(Self {
            base: format!("{scheme}://{authority}{path}/"),
            query: uri.query().unwrap_or_default().to_owned(),
        })
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Page({})", self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_lies_below_the_page_and_the_page_tells_no_token() {
        for (text, open, picture) in [
            (
                "http://10.0.0.2:8080",
                "http://10.0.0.2:8080/",
                "http://10.0.0.2:8080/snapshot?slide=7",
            ),
            (
                "https://frames.example/c/hall/?token=abc",
                "https://frames.example/c/hall/",
                "https://frames.example/c/hall/snapshot?token=abc&slide=7",
            ),
        ] {
            let page: Page = text.parse().unwrap();
            assert_eq!((page.open().as_str(), &*page.picture(7)), (open, picture));
            assert!(!format!("{page:?}").contains("abc"));
        }
        for text in ["", "frames.example", "ftp://a/", "http://a:b@c/", "/x"] {
            assert_eq!(text.parse::<Page>(), Err(NoPage), "{text}");
        }
    }
}
