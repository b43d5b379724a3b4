//! Behind nginx, with the sample that `deploy/nginx.conf` is: frames pass as they come, a browser
//! paints at once, and the name and the address of whoever asks are passed on.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    process::Command,
};

use tempfile::TempDir;

use crate::{
    page::await_screen,
    support::{
        clients::{Client, is_root, require, workspace},
        devtools::Browser,
        eventually,
        http::{self, Stream},
        parts::Parts,
        photos::Photos,
        pixels::{BLUE, GREEN, Picture, RED, YELLOW},
        process::Process,
        server::{STANDING, Server},
        site,
        tap::Tap,
    },
    wire::QUIET,
};

const NAME: &str = "photos.example.org";

/// nginx in front of a server, with the sample configuration.
struct Proxy {
    address: SocketAddr,
    /// Between nginx and the server: what arrives there.
    tap: Tap,
    server: Server,
    _photos: Photos,
    _nginx: Process,
    _folder: TempDir,
}

impl Proxy {
    fn start() -> Option<Self> {
        let programs = require(Client::Nginx)?;
        let photos = Photos::of(&[RED, GREEN, BLUE, YELLOW]);
        let args = [&STANDING[..], &["--host", NAME]].concat();
        let args = [&args[..], &["--trusted-proxy", "127.0.0.1"]].concat();
        let server = Server::start(photos.path(), &args);
        server.colour();
        let tap = Tap::on(server.address);

        let sample = workspace().join("deploy/nginx.conf");
        let sample = fs::read_to_string(sample).expect("the sample");
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        drop(listener);
        let filled = [
            ("server 127.0.0.1:8080;", format!("server {};", tap.address)),
            ("listen 80;", format!("listen {address};")),
        ]
        .iter()
        .fold(sample, |text, (place, value)| {
            assert_eq!(text.matches(place).count(), 1, "{place} in the sample");
            text.replace(place, value)
        });

        let folder = TempDir::with_prefix("mantel-nginx-").expect("a folder for nginx");
        let site = folder.path().join("site.conf");
        fs::write(&site, filled).expect("to write the sample");
        let at = folder.path().display();
        // What a distribution's nginx.conf says around it.
        let user = if is_root() { "user root;" } else { "" };
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|kind| format!("{kind}_temp_path {at}/{kind};"))
            .collect();
        let around = format!(
            "{user} daemon off; master_process off; pid {at}/pid; error_log stderr warn;\n\
             events {{ worker_connections 256; }}\n\
             http {{ access_log off; gzip on; {temporary} include {}; }}\n",
            site.display()
        );
        let config = folder.path().join("nginx.conf");
        fs::write(&config, around).expect("to write nginx.conf");
        let mut command = Command::new(&programs[0]);
        command.arg("-p").arg(folder.path()).arg("-c").arg(&config);
        let nginx = Process::start(command);
        eventually("nginx to listen", || {
            std::net::TcpStream::connect(address)
                .map_err(|error| format!("{error}\n{}", nginx.output()))
        });
        Some(Self {
            address,
            tap,
            server,
            _photos: photos,
            _nginx: nginx,
            _folder: folder,
        })
    }
}

#[test]
fn nginx_passes_every_address_on() {
    let Some(proxy) = Proxy::start() else {
        return;
    };
    for target in ["/", "/status", "/healthz", "/library/skipped"] {
        let reply = http::get(proxy.address, target);
        assert_eq!(reply.status(), 200, "{target}: {}", reply.text());
    }
    let snapshot = http::get(proxy.address, "/snapshot");
    assert_eq!(snapshot.body, proxy.server.get("/snapshot").body);
    let etag = snapshot.head.get("etag").expect("an ETag through nginx");
    let again = format!("If-None-Match: {etag}\r\n");
    let again = http::request(proxy.address, "GET", "/snapshot", &again, "");
    assert_eq!(again.status(), 304, "nginx made a weak tag of it");

    let before = proxy.server.colour();
    let reply = http::control(proxy.address, "{\"command\":\"next\"}");
    assert_eq!(reply.status(), 200, "{}", reply.text());
    eventually("another slide", || {
        let now = proxy.server.colour();
        if now == before {
            Err("the same")
        } else {
            Ok(())
        }
        .map_err(str::to_owned)
    });
}

#[test]
fn nginx_holds_no_frame_back() {
    let Some(proxy) = Proxy::start() else {
        return;
    };
    // Whole frames with slides of two hours: what is held back doesn't come.
    let mut stream = Parts::open(proxy.address, "/stream?paint=plain");
    let mut bytes = Parts::open(proxy.address, "/bytes");
    let first = Picture::from_jpeg(&stream.part().body).expect("a JPEG");
    assert!(first.middle().is(proxy.server.colour()));
    bytes.part();
    bytes.part();
    for _ in 0..3 {
        let wanted = proxy.server.advance();
        let picture = Picture::from_jpeg(&stream.part().body).expect("a JPEG");
        assert!(picture.middle().is(wanted), "{:?}", picture.middle());
        bytes.part();
    }
    assert_eq!(stream.stream.peek_for(QUIET), b"");
}

#[test]
fn nginx_tells_who_asks_and_by_which_name() {
    let Some(proxy) = Proxy::start() else {
        return;
    };
    let ask = |host: &str, more: &str| {
        let head = format!(
            "GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             User-Agent: kitchen/1.0\r\n{more}\r\n"
        );
        Stream::send(proxy.address, head.as_bytes())
            .read_head()
            .status()
    };
    assert_eq!(ask(NAME, "X-Forwarded-For: 8.8.8.8\r\n"), 200);
    let calls = proxy.tap.calls("GET /healthz");
    let request = String::from_utf8_lossy(&calls[0].request).to_lowercase();
    for line in [
        "\r\nhost: photos.example.org\r\n",
        "\r\nuser-agent: kitchen/1.0\r\n",
        // Not what the client says of itself.
        "\r\nx-forwarded-for: 127.0.0.1\r\n",
        "\r\nx-forwarded-proto: http\r\n",
    ] {
        assert!(request.contains(line), "no {line:?} in {request}");
    }
    assert!(
        request.starts_with("get /healthz http/1.1\r\n"),
        "{request}"
    );
}

#[test]
fn chromium_behind_nginx_paints_at_once() {
    let Some(proxy) = Proxy::start() else {
        return;
    };
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let site = site::serve(&format!(
        "<!doctype html><style>html, body {{ margin: 0 }} img {{ width: 100vw; height: 100vh; \
         display: block }}</style><img alt='' src='http://{}/stream'>",
        proxy.address
    ));
    let mut page = browser.open(&format!("http://{site}/"));
    await_screen(&mut page, proxy.server.colour());
    for _ in 0..3 {
        let wanted = proxy.server.advance();
        await_screen(&mut page, wanted);
    }
    // The browser's name came through: the next frame is announced, none is sent twice.
    let calls = proxy.tap.calls("GET /stream");
    let (pictures, is_owed) = calls[0].pictures();
    assert!(
        is_owed && pictures.len() <= 8,
        "{} pictures",
        pictures.len()
    );
}
