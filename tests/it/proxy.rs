//! Behind nginx, with the samples in `deploy/`: frames pass as they come, a browser
//! paints at once, and the name and the address of whoever asks are passed on.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::Command,
    time::Instant,
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

/// Below the number of files that a process may have open everywhere.
const N_PLAYERS: usize = 400;

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
        Self::with("nginx.conf", &STANDING)
    }

    /// One with this sample, in front of a server with these options.
    fn with(sample: &str, options: &[&str]) -> Option<Self> {
        require(Client::Nginx)?;
        let photos = Photos::of(&[RED, GREEN, BLUE, YELLOW]);
        let args = [options, &["--host", NAME]].concat();
        let args = [&args[..], &["--trusted-proxy", "127.0.0.1"]].concat();
        let server = Server::start(photos.path(), &args);
        server.colour();
        let tap = Tap::on(server.address);
        let (address, nginx, folder) = nginx(sample, tap.address)?;
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

/// nginx with this sample, which asks whoever is at `upstream`.
fn nginx(sample: &str, upstream: SocketAddr) -> Option<(SocketAddr, Process, TempDir)> {
    let programs = require(Client::Nginx)?;
    let folder = TempDir::with_prefix("mantel-nginx-").expect("a folder for nginx");
    let sample = workspace().join("deploy").join(sample);
    let sample = fs::read_to_string(sample).expect("the sample");
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("a bound address");
    drop(listener);
    let filled = [
        ("server 127.0.0.1:8080;", format!("server {upstream};")),
        ("listen 80;", format!("listen {address};")),
    ]
    .iter()
    .fold(sample, |text, (place, value)| {
        assert_eq!(text.matches(place).count(), 1, "{place} in the sample");
        text.replace(place, value)
    });

    let cache = folder.path().join("cache").display().to_string();
    let filled = filled.replace("/var/cache/nginx/mantel", &cache);
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
         events {{ worker_connections 1024; }}\n\
         http {{ access_log off; gzip on; {temporary} include {}; }}\n",
        site.display()
    );
    let config = folder.path().join("nginx.conf");
    fs::write(&config, around).expect("to write nginx.conf");
    let mut command = Command::new(&programs[0]);
    command.arg("-p").arg(folder.path()).arg("-c").arg(&config);
    let nginx = Process::start(command);
    eventually("nginx to listen", || {
        TcpStream::connect(address).map_err(|error| format!("{error}\n{}", nginx.output()))
    });
    Some((address, nginx, folder))
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

/// As many players as connections may be open, each asking for what the others ask for: the next part's playlist, and then
/// that part.
#[test]
fn nginx_asks_once_for_all_who_play() {
    let Some(proxy) = Proxy::with("nginx-hls.conf", &STANDING) else {
        return;
    };
    let playlist = |query: &str| {
        let answer = http::get(proxy.address, &format!("/hls/main/video.m3u8{query}"));
        assert_eq!(answer.status(), 200, "{}", answer.text());
        answer.text()
    };
    let now = playlist("");
    let hinted = |text: &str| {
        let (_, name) = text.rsplit_once("URI=\"").expect("a hint");
        let name = name.split('"').next().unwrap_or("").to_owned();
        let (_, place) = name.split_once('-').expect("a prefix");
        let mut place = place.split('.');
        let mut number = || place.next().expect("a number").parse::<u64>().expect("one");
        (number(), number(), name)
    };
    // Far enough ahead that all have asked before it is there.
    let (msn, part, _) = hinted(&now);
    let target = format!("/hls/main/video.m3u8?_HLS_msn={msn}&_HLS_part={}", part + 3);
    let request = format!("GET {target} HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n");
    let ask = |request: &str| -> Vec<Vec<u8>> {
        let mut sockets: Vec<TcpStream> = (0..N_PLAYERS)
            .map(|_| TcpStream::connect(proxy.address).expect("nginx"))
            .collect();
        for socket in &mut sockets {
            socket.write_all(request.as_bytes()).expect("to ask");
        }
        let read = |mut socket: TcpStream| {
            let mut answer = Vec::new();
            socket.read_to_end(&mut answer).expect("an answer");
            answer
        };
        sockets.into_iter().map(read).collect()
    };
    let answers = ask(&request);
    let body = |answer: &[u8]| {
        let text = String::from_utf8_lossy(answer).into_owned();
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
        text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
    };
    let first = body(&answers[0]).expect("a playlist");
    assert!(
        answers
            .iter()
            .all(|answer| body(answer).as_ref() == Some(&first))
    );
    let asked = |target: &str| proxy.tap.calls(&format!("GET {target} ")).len();
    assert_eq!(asked(&target), 1, "of {N_PLAYERS} players");

    // A part that comes in a moment: it is held for all.
    let (_, _, name) = hinted(&first);
    let target = format!("/hls/main/{name}");
    let request = format!("GET {target} HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n");
    let answers = ask(&request);
    assert!(
        answers
            .iter()
            .all(|answer| answer.starts_with(b"HTTP/1.1 200"))
    );
    assert_eq!(asked(&target), 1, "of {N_PLAYERS} players");
}

/// Two caches, each with players of its own, behind a third one: what all of them ask for is made and sent once.
#[test]
fn nginx_in_two_layers_asks_once() {
    let Some(shield) = Proxy::with("nginx-hls.conf", &STANDING) else {
        return;
    };
    let tap = Tap::on(shield.address);
    let edges: Vec<_> = (0..2)
        .filter_map(|_| nginx("nginx-hls.conf", tap.address))
        .collect();
    let first = http::get(shield.address, "/hls/main/video.m3u8").text();
    let mut names = first.lines().rev();
    let segment = names.find(|line| !line.is_empty() && !line.starts_with('#'));
    let target = format!("/hls/main/{}", segment.expect("a segment"));
    let request = format!("GET {target} HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n");
    let mut sockets: Vec<TcpStream> = (0..100)
        .map(|n| TcpStream::connect(edges[n % 2].0).expect("nginx"))
        .collect();
    for socket in &mut sockets {
        socket.write_all(request.as_bytes()).expect("to ask");
    }
    for mut socket in sockets {
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).expect("an answer");
        assert!(answer.starts_with(b"HTTP/1.1 200"));
    }
    let start = format!("GET {target} ");
    assert_eq!(tap.calls(&start).len(), 2, "one of each edge");
    assert_eq!(shield.tap.calls(&start).len(), 1, "one of the shield");
}

/// hls.js with low latency, through the cache: every change of slide comes, and it stays near what is on.
#[test]
fn hls_js_plays_through_nginx() {
    let (Some(script), Some(browser)) = (require(Client::HlsJs), Browser::start(Client::Chromium))
    else {
        return;
    };
    let Some(proxy) = Proxy::with(
        "nginx-hls.conf",
        &["--size", "640x360", "--order", "name", "--interval", "2h"],
    ) else {
        return;
    };
    let mut page = browser.open(&format!("http://{}/hls/main/index.m3u8x", proxy.address));
    let script = fs::read_to_string(&script[0]).expect("hls.js");
    page.eval(&format!("{script}; 0")).expect("hls.js runs");
    page.eval(
        "(function () {
            document.body.style.margin = 0;
            var video = window.video = document.createElement('video');
            video.muted = video.autoplay = true;
            video.style.cssText = 'position:fixed;top:0;left:0;width:100vw';
            document.body.appendChild(video);
            window.hls = new Hls({ lowLatencyMode: true });
            window.wrong = '';
            hls.on(Hls.Events.ERROR, function (_, data) { if (data.fatal) { window.wrong = data.details; } });
            hls.loadSource('/hls/main/index.m3u8');
            hls.attachMedia(video);
        }())",
    )
    .expect("a player");
    // Two changes of slide, by command, and how long each took to be seen.
    let mut delays = Vec::new();
    for _ in 0..3 {
        let asked = Instant::now();
        let wanted = proxy.server.colour();
        eventually("the slide in the player", || {
            let wrong = page.eval("window.wrong + ' ' + window.hls.latency")?;
            match page.screenshot()?.middle().named() {
                Some(colour) if colour == wanted => Ok(()),
                other => Err(format!("{other:?} for {wanted:?} {wrong}")),
            }
        });
        delays.push(asked.elapsed().as_millis());
        proxy.server.advance();
    }
    let latency = page.eval("window.hls.latency").expect("a figure");
    println!(
        "hls.js: first picture and two changes after {delays:?} ms, by its own word {latency} s behind"
    );
    assert!(
        latency.as_f64().is_some_and(|latency| latency < 6.0),
        "{latency}"
    );
    assert_eq!(page.eval("window.wrong"), Ok(serde_json::Value::from("")));
}
