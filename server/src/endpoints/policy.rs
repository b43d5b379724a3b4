//! The policies of answers: what browsers may do with a page (CSP), and who may embed the rest.
//!
//! `<img src="http://mantel:8080/stream">` on anybody's own page is a use that Mantel is made for, so
//! pictures may be embedded everywhere; without CORS nobody's script can read them there.

use http::{HeaderValue, header};
use warp::reply::Response;

/// In the extensions of a page that has its style inside.
#[derive(Clone, Copy, Debug)]
pub(super) struct InlineStyle;

/// From these versions on engines know `'wasm-unsafe-eval'`. Before, WebAssembly takes the
/// permission to evaluate any text; Firefox never asked for either.
const CHROMIUM_KNOWS: u32 = 97;
const SAFARI_KNOWS: u32 = 16;

/// Adds what belongs to an answer of its kind. `origins` may frame our pages; `agent` is the
/// browser's `User-Agent`.
pub(super) fn apply(response: &mut Response, agent: &str, origins: &[String]) {
    let has_inline_style = response.extensions().get::<InlineStyle>().is_some();
    let headers = response.headers_mut();
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or("");
    let is_picture = [
        "image/jpeg",
        "multipart/",
        "application/octet-stream",
        "video/",
    ]
    .iter()
    .any(|picture| kind.starts_with(picture));
    if is_picture {
        return;
    }
    if kind.starts_with("text/html") {
        if let Ok(policy) = HeaderValue::from_str(&policy(agent, origins, has_inline_style)) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        // A page that opened this one has no hold on it.
        headers.insert(
            "cross-origin-opener-policy",
            HeaderValue::from_static("same-origin"),
        );
        // Not `no-referrer`: our own pages tell ours which settings a QR code is for.
        headers.insert(
            header::REFERRER_POLICY,
            HeaderValue::from_static("same-origin"),
        );
        headers.insert(
            "permissions-policy",
            HeaderValue::from_static(
                "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
            ),
        );
    }
    headers.insert(
        "cross-origin-resource-policy",
        HeaderValue::from_static("same-origin"),
    );
}

fn policy(agent: &str, origins: &[String], has_inline_style: bool) -> String {
    let eval = if knows_wasm_eval(agent) {
        "'wasm-unsafe-eval'"
    } else {
        "'unsafe-eval'"
    };
    let style = if has_inline_style {
        " 'unsafe-inline'"
    } else {
        ""
    };
    let mut ancestors = String::from("'self'");
    for origin in origins {
        ancestors.push(' ');
        ancestors.push_str(origin);
    }
    format!(
        "default-src 'none'; script-src 'self' {eval}; style-src 'self'{style}; \
         img-src 'self' data: blob:; media-src 'self' data: blob:; connect-src 'self'; \
         manifest-src 'self'; worker-src 'self'; frame-src 'self'; base-uri 'none'; \
         form-action 'self'; frame-ancestors {ancestors}"
    )
}

/// Unknown engines are taken for new ones: they come with the strict policy, and where the viewer
/// does not start, the page goes on with `<img>`.
fn knows_wasm_eval(agent: &str) -> bool {
    let version_after = |name: &str| -> Option<u32> {
        let (_, rest) = agent.split_once(name)?;
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse().ok()
    };
    if let Some(version) = version_after("Chrome/").or_else(|| version_after("Chromium/")) {
        return version >= CHROMIUM_KNOWS;
    }
    if agent.contains("Safari/") || agent.contains("AppleWebKit/") {
        // TVs of Samsung call themselves `Version/5.0 TV Safari`; an app's web view has no version.
        return version_after("Version/").is_some_and(|version| version >= SAFARI_KNOWS);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_engines_get_what_they_understand() {
        for (agent, knows) in [
            ("", true),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
                true,
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/67.0.3372.0 Safari/537.36",
                false,
            ),
            (
                "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/68.0.3440.106 Safari/537.36",
                false,
            ),
            (
                "Mozilla/5.0 (SMART-TV; Linux; Tizen 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Version/5.0 TV Safari/537.36",
                false,
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Mobile/15E148 Safari/604.1",
                false,
            ),
            (
                "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15",
                true,
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
                true,
            ),
            ("Chrome/", true),
        ] {
            assert_eq!(knows_wasm_eval(agent), knows, "{agent}");
        }
    }

    fn of(kind: &str) -> Response {
        let mut response: Response = http::Response::new(bytes::Bytes::new()).map(Into::into);
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, kind.parse().unwrap());
        apply(&mut response, "", &["https://home.example".to_owned()]);
        response
    }

    #[test]
    fn pages_are_strict_and_pictures_may_go_anywhere() {
        let page = of("text/html; charset=utf-8");
        let policy = page.headers()[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        assert!(policy.starts_with(
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
        ));
        assert!(policy.ends_with("frame-ancestors 'self' https://home.example"));
        assert_eq!(
            of("application/json").headers()["cross-origin-resource-policy"],
            "same-origin"
        );
        for kind in [
            "image/jpeg",
            "multipart/x-mixed-replace; boundary=a",
            "application/octet-stream",
        ] {
            assert_eq!(of(kind).headers().len(), 1, "{kind}");
        }
    }
}
