//! Who is let in: names that are not ours, pages of other sites, passwords, tokens, and what a
//! proxy says of its clients.

use std::{path::Path, time::Duration};

use mantel::config::Invocation;
use tempfile::TempDir;

use crate::{
    around::{await_pictures, await_true},
    support::{
        clients::Client,
        devtools::Browser,
        eventually,
        http::{self, Reply, Stream},
        parts::Parts,
        photos::Photos,
        pixels::{GREEN, Picture, RED},
        server::{Program, STANDING, Server, program},
    },
};

pub(crate) fn start(photos: &Photos, more: &[&str]) -> Server {
    let args: Vec<&str> = STANDING.iter().chain(more).copied().collect();
    Server::start(photos.path(), &args)
}

/// The answer to a request given line by line, each without its end.
fn raw(server: &Server, lines: &[&str]) -> Reply {
    let text = format!("{}\r\nConnection: close\r\n\r\n", lines.join("\r\n"));
    let mut stream = Stream::send(server.address, text.as_bytes());
    let head = stream.read_head();
    let body = stream.rest();
    Reply { head, body }
}

pub(crate) fn with(server: &Server, target: &str, more: &str) -> Reply {
    http::request(server.address, "GET", target, more, "")
}

fn post(server: &Server, more: &str) -> Reply {
    let command = "{\"command\":\"next\"}";
    let more = format!("Content-Type: application/json\r\n{more}");
    http::request(server.address, "POST", "/control", &more, command)
}

fn slide(server: &Server) -> String {
    server.get("/status").json()["channel"]["slide"]["number"].to_string()
}

/// Runs `mantel token …` or `mantel password …`, as the program does, on a data directory.
pub(crate) fn token(data: &Path, args: &[&str]) -> String {
    let data = data.to_str().expect("a path that is text");
    let line = [&["token"], args, &["--data-dir", data]].concat();
    match Invocation::from_args(line) {
        Ok(Invocation::Token(task)) => {
            let mut out = Vec::new();
            mantel::tasks::token(&task, &mut out).expect("a token");
            String::from_utf8(out).expect("text")
        }
        other => panic!("{args:?}: {other:?}"),
    }
}

/// Makes a token and returns its secret.
pub(crate) fn new_token(data: &Path, name: &str, more: &[&str]) -> String {
    let args: Vec<&str> = ["new", name].iter().chain(more).copied().collect();
    let told = token(data, &args);
    let (_, rest) = told.split_once("?token=").expect("a link");
    rest.split_whitespace().next().expect("a token").to_owned()
}

/// Waits until the server asks for tokens, now that there is one.
pub(crate) fn until_shut(server: &Server) {
    eventually("the door to be shut", || {
        match server.get("/status").status() {
            401 => Ok(()),
            status => Err(status.to_string()),
        }
    });
}

#[test]
fn other_names_are_refused_and_told_what_to_do() {
    let photos = Photos::of(&[RED]);
    let server = start(&photos, &["--host", "Photos.Example.org"]);
    let port = server.address.port();
    for host in [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        format!("127.0.0.1.evil.example:{port}"),
        format!("localhost.evil.example:{port}"),
    ] {
        for target in ["/", "/stream", "/snapshot", "/status", "/bytes", "/nothing"] {
            let reply = raw(
                &server,
                &[&format!("GET {target} HTTP/1.1"), &format!("Host: {host}")],
            );
            assert_eq!(reply.status(), 421, "{host} {target}");
            assert!(reply.text().contains("--host"), "{}", reply.text());
        }
    }
    for host in [
        "localhost",
        "mantel.local:1",
        "192.168.1.7",
        "[::1]:8080",
        "photos.example.org",
    ] {
        let reply = raw(
            &server,
            &["GET /healthz HTTP/1.1", &format!("Host: {host}")],
        );
        assert_eq!(reply.status(), 200, "{host}");
    }
    // The request line counts as well as the header, and wins.
    for (line, status) in [
        ("GET http://evil.example/snapshot HTTP/1.1", 421),
        ("GET http://localhost/healthz HTTP/1.1", 200),
    ] {
        assert_eq!(
            raw(&server, &[line, "Host: localhost"]).status(),
            status,
            "{line}"
        );
    }
    assert_eq!(raw(&server, &["GET /healthz HTTP/1.1"]).status(), 400);
    assert_eq!(
        raw(
            &server,
            &["GET /healthz HTTP/1.1", "Host: a", "Host: localhost"]
        )
        .status(),
        400
    );
    assert_eq!(
        raw(&server, &["GET /healthz HTTP/1.1", "Host: localhost@evil"]).status(),
        400
    );
    assert_eq!(raw(&server, &["GET /healthz HTTP/1.0"]).status(), 200);
}

#[test]
fn pages_of_other_sites_command_nothing() {
    let photos = Photos::of(&[RED, GREEN]);
    let server = start(&photos, &["--allow-origin", "https://home.example"]);
    server.colour();
    let own = format!("Origin: http://{}\r\n", server.address);
    let before = slide(&server);
    for evil in [
        "Origin: http://evil.example\r\n",
        "Origin: null\r\n",
        "Origin: http://127.0.0.1:1\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        "Referer: http://evil.example/page\r\n",
        "Origin: https://home.example.evil\r\n",
    ] {
        // As a form sends it, which browsers don't ask about first.
        for kind in ["", "Content-Type: text/plain\r\n"] {
            let reply = post(&server, &format!("{evil}{kind}"));
            assert_eq!(reply.status(), 403, "{evil:?}: {}", reply.text());
            assert_eq!(reply.head.get("access-control-allow-origin"), None);
        }
    }
    assert_eq!(slide(&server), before);
    for good in [
        "",
        own.as_str(),
        "Sec-Fetch-Site: same-origin\r\n",
        "Origin: https://home.example\r\n",
    ] {
        assert_eq!(post(&server, good).status(), 200, "{good:?}");
    }
    assert_ne!(slide(&server), before);
}

#[test]
fn an_allowed_origin_may_read_and_frame_and_no_other() {
    let photos = Photos::of(&[RED]);
    let server = start(&photos, &["--allow-origin", "https://home.example"]);
    let ours = "Origin: https://home.example\r\n";
    for target in ["/snapshot", "/status", "/nothing"] {
        let reply = with(&server, target, ours);
        let allowed = reply.head.get("access-control-allow-origin");
        assert_eq!(allowed, Some("https://home.example"), "{target}");
        assert_eq!(
            reply.head.get("vary").map(|vary| vary.contains("origin")),
            Some(true)
        );
        let other = with(&server, target, "Origin: https://other.example\r\n");
        assert_eq!(
            other.head.get("access-control-allow-origin"),
            None,
            "{target}"
        );
    }
    let asks = format!("{ours}Access-Control-Request-Method: POST\r\n");
    let reply = http::request(server.address, "OPTIONS", "/control", &asks, "");
    assert_eq!(reply.status(), 204);
    assert!(
        reply
            .head
            .get("access-control-allow-methods")
            .unwrap_or("")
            .contains("POST")
    );
    let page = server.get("/");
    let policy = page.head.get("content-security-policy").expect("a policy");
    assert!(
        policy.ends_with("frame-ancestors 'self' https://home.example"),
        "{policy}"
    );
}

#[test]
fn the_page_says_what_it_needs_and_pictures_go_anywhere() {
    const CHROME_67: &str = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 \
                             (KHTML, like Gecko) HeadlessChrome/67.0.3372.0 Safari/537.36\r\n";
    let photos = Photos::of(&[RED]);
    let server = start(&photos, &[]);
    server.colour();
    let page = server.get("/");
    let policy = page.head.get("content-security-policy").expect("a policy");
    assert!(
        policy.contains("default-src 'none'") && policy.contains("'wasm-unsafe-eval'"),
        "{policy}"
    );
    assert!(!policy.contains("'unsafe-eval'"), "{policy}");
    assert_eq!(page.head.get("x-content-type-options"), Some("nosniff"));
    assert!(page.head.get("referrer-policy").is_some());
    let opener = page.head.get("cross-origin-opener-policy");
    assert_eq!(opener, Some("same-origin"));
    let old = with(&server, "/", CHROME_67);
    let policy = old.head.get("content-security-policy").expect("a policy");
    assert!(
        policy.contains("'unsafe-eval'") && !policy.contains("wasm-unsafe-eval"),
        "{policy}"
    );
    let snapshot = server.get("/snapshot");
    assert_eq!(snapshot.head.get("cross-origin-resource-policy"), None);
    assert_eq!(snapshot.head.get("access-control-allow-origin"), None);
}

/// A password file: anna commands, bob looks.
fn passwords() -> Option<(TempDir, String)> {
    let program = program()?;
    let dir = TempDir::with_prefix("mantel-passwords-").expect("a directory");
    let path = dir.path().join("passwords");
    let line = |name: &str, rights: &str, password: &str| {
        let mut child = std::process::Command::new(&program)
            .args(["password", name, "--rights", rights])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("mantel password");
        use std::io::Write;
        let mut stdin = child.stdin.take().expect("a pipe");
        writeln!(stdin, "{password}").expect("to write");
        drop(stdin);
        String::from_utf8(child.wait_with_output().expect("an end").stdout).expect("text")
    };
    let text = format!(
        "# who\n{}{}",
        line("anna", "watch,control", "secret"),
        line("bob", "watch", "other")
    );
    std::fs::write(&path, text).expect("to write");
    let path = path.to_str().expect("text").to_owned();
    Some((dir, path))
}

// "anna:secret", "bob:other", "anna:wrong"
const ANNA: &str = "Authorization: Basic YW5uYTpzZWNyZXQ=\r\n";
const BOB: &str = "Authorization: Basic Ym9iOm90aGVy\r\n";
const WRONG: &str = "Authorization: Basic YW5uYTp3cm9uZw==\r\n";

#[test]
fn passwords_let_in_with_their_rights() {
    let photos = Photos::of(&[RED, GREEN]);
    let Some((_dir, file)) = passwords() else {
        return;
    };
    let server = start(&photos, &["--password-file", &file]);
    for target in [
        "/",
        "/stream",
        "/bytes",
        "/snapshot",
        "/status",
        "/metrics",
        "/library/skipped",
        "/nothing",
    ] {
        let reply = server.get(target);
        assert_eq!(reply.status(), 401, "{target}");
        let asks = reply.head.get("www-authenticate").unwrap_or("");
        assert!(asks.starts_with("Basic realm="), "{target}: {asks:?}");
        assert!(reply.text().contains("mantel token"), "{}", reply.text());
    }
    assert_eq!(server.get("/healthz").status(), 200);
    assert_eq!(with(&server, "/status", ANNA).status(), 200);
    assert_eq!(with(&server, "/status", BOB).status(), 200);
    assert_eq!(with(&server, "/status", WRONG).status(), 401);
    assert_eq!(post(&server, "").status(), 401);
    assert_eq!(post(&server, ANNA).status(), 200);
    let reply = post(&server, BOB);
    assert_eq!(reply.status(), 403);
    assert!(reply.text().contains("bob"), "{}", reply.text());
    // The page leaves a cookie, for what can't send passwords.
    let page = with(&server, "/", ANNA);
    let cookie = page.head.get("set-cookie").expect("a cookie");
    assert!(
        cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Lax"),
        "{cookie}"
    );
    assert!(
        cookie.contains("; Path=/;") && !cookie.contains("secret"),
        "{cookie}"
    );
    let pair = cookie.split(';').next().expect("a pair");
    let cookie = format!("Cookie: other=1; {pair}\r\n");
    assert_eq!(with(&server, "/snapshot", &cookie).status(), 200);
    assert_eq!(post(&server, &cookie).status(), 200);
    let forged = format!("Cookie: {}x\r\n", pair);
    assert_eq!(with(&server, "/snapshot", &forged).status(), 401);
    // With a password every network is answered, and none without.
    assert_eq!(with(&server, "/snapshot", "").status(), 401);
}

#[test]
fn many_wrong_passwords_are_slowed_down_and_nobody_else_is() {
    let photos = Photos::of(&[RED]);
    let Some((_dir, file)) = passwords() else {
        return;
    };
    let server = start(
        &photos,
        &["--password-file", &file, "--trusted-proxy", "127.0.0.1"],
    );
    let from = |address: &str, credentials: &str| {
        let more = format!("X-Forwarded-For: 6.6.6.6, {address}\r\n{credentials}");
        with(&server, "/status", &more)
    };
    assert_eq!(from("192.168.1.8", BOB).status(), 200);
    let replies: Vec<Reply> = (0..14).map(|_| from("192.168.1.7", WRONG)).collect();
    let n_limited = replies.iter().filter(|reply| reply.status() == 429).count();
    assert!(
        n_limited >= 3,
        "{:?}",
        replies.iter().map(Reply::status).collect::<Vec<_>>()
    );
    let last = replies.last().expect("a reply");
    assert!(last.head.number("retry-after") >= 1);
    assert!(last.text().contains("wrong passwords"), "{}", last.text());
    // Somebody else's password, from elsewhere, was never at stake.
    assert_eq!(from("192.168.1.9", ANNA).status(), 200);
    // And who was right from here before stays right.
    assert_eq!(from("192.168.1.7", BOB).status(), 200);
}

#[test]
fn a_proxys_strangers_are_strangers() {
    let photos = Photos::of(&[RED]);
    let server = start(&photos, &["--trusted-proxy", "127.0.0.1"]);
    let from = |value: &str| {
        with(
            &server,
            "/healthz",
            &format!("X-Forwarded-For: {value}\r\n"),
        )
        .status()
    };
    assert_eq!(from("192.168.1.7"), 200);
    assert_eq!(from("8.8.8.8"), 403);
    // What the client says of itself stands to the left of what the proxy saw.
    assert_eq!(from("192.168.1.7, 8.8.8.8"), 403);
    assert_eq!(from("nonsense"), 400);
    // Who is no proxy is not believed, and without a token whoever asks through it stays outside.
    let other = start(&photos, &[]);
    for header in [
        "X-Forwarded-For: 8.8.8.8",
        "X-Forwarded-For: 192.168.1.7",
        "Forwarded: for=192.168.1.7",
        "Via: 1.1 example",
        "X-Real-IP: 192.168.1.7",
    ] {
        for target in ["/healthz", "/stream", "/snapshot", "/"] {
            let reply = with(&other, target, &format!("{header}\r\n"));
            assert_eq!(reply.status(), 400, "{header} {target}");
            let text = reply.text();
            assert!(text.contains("--trusted-proxy 127.0.0.1"), "{text}");
        }
    }
    let secret = new_token(&other.data, "hall", &[]);
    until_shut(&other);
    let bearer = format!("Via: 1.1 example\r\nAuthorization: Bearer {secret}\r\n");
    assert_eq!(with(&other, "/status", &bearer).status(), 200);
}

/// What a browser says that opens a page.
const OPENS: &str = "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\n";

#[test]
fn a_token_leaves_the_address_of_a_page_once_its_cookie_is_set() {
    let photos = Photos::of(&[RED]);
    let server = start(&photos, &[]);
    server.colour();
    let secret = new_token(&server.data, "hall", &[]);
    let looks = new_token(&server.data, "guest", &["--rights", "watch"]);
    until_shut(&server);
    for (target, to) in [
        (format!("/?token={secret}"), "./"),
        (
            format!("/?fit=cover&token={secret}&clock=on"),
            "./?fit=cover&clock=on",
        ),
        (
            format!("/settings?token={secret}&name=hall"),
            "./settings?name=hall",
        ),
        (format!("/tv/hall?token={secret}"), "./hall"),
        (format!("/screens?token={secret}"), "./screens"),
    ] {
        let reply = with(&server, &target, OPENS);
        assert_eq!(reply.status(), 303, "{target}: {}", reply.text());
        assert_eq!(reply.head.get("location"), Some(to), "{target}");
        let cookie = reply.head.get("set-cookie").expect("a cookie");
        let pair = cookie.split(';').next().expect("a pair");
        let page = with(&server, "/", &format!("{OPENS}Cookie: {pair}\r\n"));
        assert_eq!(page.status(), 200);
        assert!(!reply.text().contains(&secret) && !to.contains("token"));
    }
    // A wrong one leads nowhere, and a player has no use for a cookie.
    assert_eq!(with(&server, "/?token=wrong", OPENS).status(), 401);
    assert_eq!(
        server.get(&format!("/snapshot?token={secret}")).status(),
        200
    );

    // Whoever may only watch reads settings, and finds nothing in them.
    let control = format!("Authorization: Bearer {secret}\r\n");
    let json = format!("{{\"name\":\"hall\",\"query\":\"?fit=cover&token={secret}\"}}");
    let kept = http::request(
        server.address,
        "POST",
        "/profiles",
        &format!("Content-Type: application/json\r\n{control}"),
        &json,
    );
    assert_eq!(kept.status(), 200, "{}", kept.text());
    let guest = format!("Authorization: Bearer {looks}\r\n");
    let list = with(&server, "/profiles", &guest).text();
    assert!(
        list.contains("fit=cover") && !list.contains("token"),
        "{list}"
    );
    let there = with(&server, "/tv/hall", &guest);
    assert_eq!(there.head.get("location"), Some("../?fit=cover&name=hall"));
    let file = std::fs::read_to_string(server.data.join("profiles.json")).expect("the file");
    assert!(!file.contains("token") && !file.contains(&secret), "{file}");
}

#[test]
fn a_page_of_another_site_finds_out_nothing() {
    let photos = Photos::of(&[RED, GREEN]);
    let server = start(&photos, &["--allow-origin", "https://home.example"]);
    server.colour();
    let own = format!("Referer: http://{}/\r\n", server.address);
    let size = |reply: &Reply| {
        let picture = Picture::from_jpeg(&reply.body).expect("a picture");
        (picture.width, picture.height)
    };
    let whole = size(&server.get("/snapshot"));
    for foreign in [
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Dest: image\r\n",
        "Sec-Fetch-Site: same-site\r\nSec-Fetch-Dest: iframe\r\n",
        "Origin: http://evil.example\r\n",
        "Referer: http://evil.example/page\r\n",
        "Origin: null\r\n",
    ] {
        for query in [
            "album=nowhere",
            "keyword=cats",
            "rating=5",
            "from=1901&to=1902",
            "newest=0",
            "size=320x180",
            "size=nonsense",
            "fps=1&quality=5",
        ] {
            let reply = with(&server, &format!("/snapshot?{query}"), foreign);
            assert_eq!(reply.status(), 200, "{foreign}{query}: {}", reply.text());
            assert_eq!(size(&reply), whole, "{foreign}{query}");
        }
    }
    for friendly in [
        "",
        &own,
        "Sec-Fetch-Site: same-origin\r\n",
        "Sec-Fetch-Site: none\r\n",
        // A link that somebody followed, and a page that was let in by name.
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Dest: document\r\n",
        "Referer: https://home.example/dashboard\r\nSec-Fetch-Site: cross-site\r\n",
        "Origin: https://home.example\r\n",
    ] {
        let reply = with(&server, "/snapshot?album=nowhere", friendly);
        assert_eq!(reply.status(), 404, "{friendly}");
        let reply = with(&server, "/snapshot?size=320x180", friendly);
        assert_ne!(size(&reply), whole, "{friendly}");
    }
}

#[test]
fn every_method_gets_an_answer_whatever_its_target_looks_like() {
    let photos = Photos::of(&[RED]);
    let Some((_dir, file)) = passwords() else {
        return;
    };
    for args in [&[][..], &["--password-file", &file]] {
        let server = start(&photos, args);
        let is_open = args.is_empty();
        for method in [
            "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW",
        ] {
            for (target, is_path) in [
                ("/", true),
                ("/healthz", true),
                ("http://localhost", true),
                ("http://localhost/healthz", true),
                ("localhost", false),
                ("localhost:80", false),
                ("127.0.0.1:80", false),
                ("*", false),
            ] {
                let reply = raw(
                    &server,
                    &[
                        &format!("{method} {target} HTTP/1.1"),
                        "Host: localhost",
                        "Connection: close",
                        "Content-Length: 0",
                    ],
                );
                let status = reply.status();
                let told = format!("{method} {target}: {status}");
                match (method, is_path) {
                    ("CONNECT", _) => assert!([400, 405].contains(&status), "{told}"),
                    ("OPTIONS", false) if target == "*" => assert_eq!(status, 204, "{told}"),
                    (_, false) => assert_eq!(status, 400, "{told}"),
                    ("GET" | "HEAD", true) if is_open => assert_eq!(status, 200, "{told}"),
                    (_, true) => assert!((200..500).contains(&status), "{told}"),
                }
            }
        }
        if is_open {
            let metrics = server.get("/metrics").text();
            assert!(metrics.contains("\nmantel_panics_total 0\n"), "{metrics}");
        }
    }
}

#[test]
fn bodies_say_what_they_are_and_how_long() {
    let photos = Photos::of(&[RED]);
    let server = start(&photos, &[]);
    server.colour();
    let before = slide(&server);
    for target in ["/control", "/report", "/profiles"] {
        for kind in [
            "",
            "Content-Type: text/plain\r\n",
            "Content-Type: application/x-www-form-urlencoded\r\n",
        ] {
            let reply = http::request(
                server.address,
                "POST",
                target,
                kind,
                r#"{"command":"next"}"#,
            );
            assert_eq!(reply.status(), 415, "{target} {kind}");
            assert!(
                reply.text().contains("application/json"),
                "{}",
                reply.text()
            );
        }
    }
    assert_eq!(slide(&server), before);
    // One that is too large is not waited for, nor is one in a coding that nobody undoes.
    for (lines, status) in [
        (
            &["Content-Type: application/json", "Content-Length: 9999999"][..],
            413,
        ),
        (
            &[
                "Content-Type: application/json",
                "Transfer-Encoding: gzip, chunked",
            ],
            501,
        ),
    ] {
        let head = ["POST /control HTTP/1.1", "Host: localhost"];
        let lines: Vec<&str> = head.iter().chain(lines).copied().collect();
        assert_eq!(raw(&server, &lines).status(), status, "{lines:?}");
    }
    for lines in [
        ["GET /healthz HTTP/1.1", "Host: 0.0.0.0:80"],
        ["GET /healthz HTTP/1.1", "Host: [::]"],
    ] {
        assert_eq!(raw(&server, &lines).status(), 421, "{lines:?}");
    }
}

#[test]
fn a_token_opens_every_address_and_the_page_passes_it_on() {
    let photos = Photos::of(&[RED, GREEN]);
    let server = start(&photos, &[]);
    server.colour();
    let secret = new_token(&server.data, "living-room", &[]);
    let looks = new_token(&server.data, "hall", &["--rights", "watch"]);
    until_shut(&server);
    // Without users there is no password to ask for.
    assert_eq!(server.get("/").head.get("www-authenticate"), None);
    for target in ["/", "/snapshot", "/status", "/library/skipped", "/metrics"] {
        let reply = server.get(&format!("{target}?token={secret}"));
        assert_eq!(reply.status(), 200, "{target}: {}", reply.text());
    }
    for target in ["/stream", "/bytes"] {
        Parts::open(
            server.address,
            &format!("{target}?size=320x180&token={secret}"),
        )
        .part();
    }
    let bearer = format!("Authorization: Bearer {secret}\r\n");
    assert_eq!(with(&server, "/status", &bearer).status(), 200);
    let page = server.get(&format!("/?token={secret}"));
    let cookie = page.head.get("set-cookie").expect("a cookie");
    let pair = cookie.split(';').next().expect("a pair").to_owned();
    let cookie = format!("Cookie: {pair}\r\n");
    for target in ["/", "/snapshot"] {
        assert_eq!(with(&server, target, &cookie).status(), 200, "{target}");
    }
    assert_eq!(post(&server, &cookie).status(), 200);
    // A picture leaves none: it may stand in anybody's page.
    let picture = server.get(&format!("/snapshot?token={secret}"));
    assert_eq!(picture.head.get("set-cookie"), None);
    let looks = format!("Authorization: Bearer {looks}\r\n");
    assert_eq!(with(&server, "/snapshot", &looks).status(), 200);
    assert_eq!(post(&server, &looks).status(), 403);
    for wrong in ["x", "", &secret[..21], &format!("{secret}x")] {
        assert_eq!(
            server.get(&format!("/status?token={wrong}")).status(),
            401,
            "{wrong:?}"
        );
    }
    // The viewers' list has names, not tokens.
    let _watching = Parts::open(server.address, &format!("/stream?token={secret}"));
    let status = server.get(&format!("/status?token={secret}")).text();
    assert!(
        status.contains("living-room") && !status.contains(&secret),
        "{status}"
    );
}

#[test]
fn a_token_that_is_revoked_ends_its_streams_and_no_others() {
    let photos = Photos::of(&[RED]);
    let server = start(&photos, &[]);
    let open = |target: &str| {
        let mut parts = Parts::open(server.address, target);
        parts.part();
        parts
    };
    // Somebody who came before there was a door.
    let mut first = open("/stream?paint=plain");
    let gone = new_token(&server.data, "gone", &[]);
    let stays = new_token(&server.data, "stays", &[]);
    assert!(
        first.stream.closed_within(Duration::from_secs(20)),
        "an open stream behind a shut door"
    );
    until_shut(&server);
    let mut ended: Vec<Parts> = ["/stream?paint=plain", "/bytes?"]
        .iter()
        .map(|target| open(&format!("{target}&token={gone}")))
        .collect();
    let mut other = open(&format!("/stream?paint=repeat&token={stays}"));
    let told = token(&server.data, &["revoke", "gone"]);
    assert!(told.contains("gone is revoked"), "{told}");
    for parts in &mut ended {
        assert!(
            parts.stream.closed_within(Duration::from_secs(20)),
            "a revoked token still watches"
        );
    }
    assert_eq!(server.get(&format!("/status?token={gone}")).status(), 401);
    for _ in 0..3 {
        other.part();
    }
    let list = token(&server.data, &["list"]);
    assert!(
        list.contains("stays") && !list.contains("gone") && !list.contains(&stays),
        "{list}"
    );
}

#[test]
fn tokens_stand_in_no_log() {
    let Some(program) = program() else { return };
    let photos = Photos::of(&[RED]);
    let data = TempDir::with_prefix("mantel-data-").expect("a directory");
    let secret = new_token(data.path(), "tv", &[]);
    let running = Program::start_in(
        &program,
        data,
        photos.path(),
        &["--log", "json"],
        &[("MANTEL_LOG", "trace")],
    );
    for target in ["/", "/status", "/nothing", "/snapshot"] {
        http::get(running.address, &format!("{target}?token={secret}"));
        http::get(running.address, &format!("{target}?token={secret}wrong"));
    }
    let more = format!(
        "Authorization: Bearer {secret}\r\nCookie: mantel-{}={secret}\r\n",
        running.address.port()
    );
    assert_eq!(
        http::request(running.address, "GET", "/status", &more, "").status(),
        200
    );
    running.process.await_output("\n{");
    let log = running.process.output();
    assert!(!log.contains(&secret), "a token in the log");
}

#[test]
fn a_page_whose_token_is_revoked_says_so() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&[RED]);
    let server = start(&photos, &[]);
    if !server.has_viewer() {
        return;
    }
    let secret = new_token(&server.data, "tv", &[]);
    until_shut(&server);
    let mut page = browser.open(&server.url(&format!("/?token={secret}")));
    await_pictures(&mut page);
    token(&server.data, &["revoke", "tv"]);
    let told = "/password or a token is needed/.test((document.getElementById('problem') || {}).textContent)";
    await_true(&mut page, told);
}
