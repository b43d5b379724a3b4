//! Relays: channels that show another server's pictures, whatever dialect that speaks, for one viewer there however many
//! there are here; and that go on when it doesn't.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use serde_json::Value;

use crate::{
    live::House,
    support::{
        clients::{Client, require},
        eventually, http,
        parts::Parts,
        photos::flat,
        pixels::{BLUE, GREEN, Picture, RED, Rgb},
        process::Process,
    },
};

/// The configuration of a channel that relays this.
fn relaying(url: &str) -> String {
    format!("[channel.far]\nsource = \"relay\"\nurl = \"{url}\"\nsilent-after = \"off\"\n")
}

/// What `/channels` says of a channel.
fn row(house: &House, name: &str) -> Value {
    let rows = house.server.get("/channels").json();
    let rows = rows.as_array().expect("a list").clone();
    let row = rows.into_iter().find(|row| row["name"] == name);
    row.expect("the channel")
}

fn await_colour(house: &House, colour: Rgb) {
    eventually("the colour of the far end", || {
        let reply = house.server.get("/c/far/snapshot");
        let seen = Picture::from_jpeg(&reply.body)?.middle();
        let why = || format!("{seen:?}, {}", row(house, "far"));
        seen.is(colour).then_some(()).ok_or_else(why)
    });
}

fn await_trouble(house: &House, part: &str) {
    eventually("the reason why there is no picture", || {
        house.server.get("/c/far/snapshot");
        let row = row(house, "far");
        let trouble = row["live"]["trouble"].as_str().unwrap_or_default();
        trouble
            .contains(part)
            .then_some(())
            .ok_or_else(|| row.to_string())
    });
}

/// A server of pictures as others write them: what it answers, by the request's head.
struct FarEnd {
    address: SocketAddr,
    n_asked: Arc<AtomicUsize>,
}

impl FarEnd {
    /// Each connection gets the answer, and stays open while `holds`.
    fn new(holds: bool, answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let n_asked = Arc::new(AtomicUsize::new(0));
        let counted = n_asked.clone();
        // Ends with the test's process.
        thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let head = head_of(&mut stream);
                counted.fetch_add(1, SeqCst);
                // Whoever has gone gets nothing.
                let _ = stream.write_all(&answer(&head));
                if holds {
                    held.push(stream);
                } else {
                    let _ = stream.shutdown(Shutdown::Write);
                }
            }
        });
        Self { address, n_asked }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

fn head_of(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

fn joined(pieces: &[&[u8]]) -> Vec<u8> {
    pieces.concat()
}

#[test]
fn every_dialect_of_other_servers_is_understood() {
    let (green, red) = (flat(GREEN), flat(RED));
    let length = format!("Content-Length: {}\r\n\r\n", green.len());
    let multipart = "HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=";
    // The picture that is looked for comes before another one, of which no end has come.
    let dialects: [(&str, Vec<u8>); 5] = [
        (
            "mjpg-streamer and its like",
            joined(&[
                multipart.as_bytes(),
                b"boundarydonotcross\r\n\r\n--boundarydonotcross\r\nContent-Type: image/jpeg\r\n",
                length.as_bytes(),
                &green,
                b"\r\n--boundarydonotcross\r\n",
            ]),
        ),
        (
            "a boundary with its dashes",
            joined(&[
                multipart.as_bytes(),
                b"--myboundary\r\n\r\n--myboundary\r\nContent-Type: image/jpeg\r\n",
                length.as_bytes(),
                &green,
                b"\r\n--myboundary\r\n",
            ]),
        ),
        (
            "no lengths",
            joined(&[
                multipart.as_bytes(),
                b"frame\r\n\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n",
                &green,
                b"\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n",
                &red[..red.len() / 2],
            ]),
        ),
        (
            "JPEG after JPEG of no type",
            joined(&[b"HTTP/1.0 200 OK\r\n\r\n", &green, &red[..red.len() / 2]]),
        ),
        (
            "one picture",
            joined(&[
                b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n",
                length.as_bytes(),
                &green,
            ]),
        ),
    ];
    for (name, answer) in dialects {
        eprintln!("{name}");
        let far = FarEnd::new(true, move |_| answer.clone());
        let house = House::with(&relaying(&far.url("/?action=stream")));
        await_colour(&house, GREEN);
        let n_asked = || far.n_asked.load(SeqCst);
        if name == "one picture" {
            eventually("the next one to be asked for", || {
                (n_asked() > 1).then_some(()).ok_or_else(String::new)
            });
        } else {
            assert_eq!(n_asked(), 1, "{name}");
        }
    }
}

#[test]
fn a_server_that_wants_a_digest_gets_one() {
    let answer = |head: &str| {
        let said = head
            .lines()
            .find_map(|line| line.strip_prefix("authorization: "));
        // RFC 2617 of this name, realm, password, nonce and path.
        let is_right = said.is_some_and(|said| {
            said.starts_with("Digest ") && said.contains("3400792ff79260aaee4c33a695d54dfd")
        });
        if is_right {
            let green = flat(GREEN);
            joined(&[
                b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n",
                &green,
            ])
        } else {
            let asked = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\
                         WWW-Authenticate: Digest realm=\"cam\", nonce=\"abc\"\r\n\r\n";
            asked.as_bytes().to_vec()
        }
    };
    let far = FarEnd::new(false, answer);
    let url = far.url("/mjpg");
    let known = format!("{}user = \"anna\"\npassword = \"secret\"\n", relaying(&url));
    await_colour(&House::with(&known), GREEN);
    let wrong = format!("{}user = \"anna\"\npassword = \"wrong\"\n", relaying(&url));
    let house = House::with(&wrong);
    await_trouble(&house, "refuses the name or the password");
    let told = house.server.get("/channels").text();
    assert!(!told.contains("wrong") && !told.contains("anna"), "{told}");
    await_trouble(
        &House::with(&relaying(&url)),
        "asks for a name and a password",
    );
}

#[test]
fn what_is_no_picture_and_who_is_not_there_get_a_sentence() {
    let page = FarEnd::new(false, |_| {
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>".to_vec()
    });
    await_trouble(
        &House::with(&relaying(&page.url("/"))),
        "answers with a page",
    );
    let missing = FarEnd::new(false, |_| {
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec()
    });
    await_trouble(&House::with(&relaying(&missing.url("/"))), "404 Not Found");
    let free = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let nobody = format!("http://{}/", free.local_addr().expect("an address"));
    drop(free);
    await_trouble(&House::with(&relaying(&nobody)), "can't reach 127.0.0.1");
}

#[test]
fn one_viewer_there_serves_all_here_and_a_restart_there_ends_nothing_here() {
    let far = House::plot();
    far.push_colour(GREEN);
    let near = House::with(&relaying(&far.server.url("/c/plot/stream")));
    let mut stream = Parts::open(near.address(), "/c/far/stream?paint=plain");
    let _others: Vec<Parts> = (0..4)
        .map(|_| Parts::open(near.address(), "/c/far/stream?paint=plain"))
        .collect();
    await_colour(&near, GREEN);
    assert_eq!(row(&far, "plot")["viewers"], 1);
    far.push_colour(BLUE);
    await_colour(&near, BLUE);
    // No picture comes twice.
    let (before, _) = (row(&near, "far")["live"]["frame"].clone(), ());
    thread::sleep(Duration::from_millis(1500));
    assert_eq!(row(&near, "far")["live"]["frame"], before);

    let address = far.address();
    drop(far);
    await_trouble(&near, "127.0.0.1");
    let red = flat(RED);
    let again = TcpListener::bind(address).expect("the port again");
    thread::spawn(move || {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = again.accept() {
            head_of(&mut stream);
            let _ = stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n");
            let _ = stream.write_all(&red);
            held.push(stream);
        }
    });
    await_colour(&near, RED);
    let size = |jpeg: &[u8]| Picture::from_jpeg(jpeg).map(|p| (p.width, p.height));
    let first = size(&stream.part().body).expect("a picture");
    loop {
        let part = stream.part().body;
        assert_eq!(size(&part), Ok(first));
        if Picture::from_jpeg(&part).is_ok_and(|picture| picture.middle().is(RED)) {
            break;
        }
    }
}

#[test]
fn nobody_asks_for_pictures_in_a_circle() {
    let free = || {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        listener.local_addr().expect("an address")
    };
    // Over no other server, and over one.
    let own = free();
    let alone = House::at(own, &relaying(&format!("http://{own}/c/far/stream")));
    await_trouble(&alone, "in a circle");
    let (one, two) = (free(), free());
    let first = House::at(one, &relaying(&format!("http://{two}/c/far/stream")));
    let _second = House::at(two, &relaying(&format!("http://{one}/c/far/stream")));
    eventually("a card that says so", || {
        first.server.get("/c/far/snapshot");
        let rows = [&first, &_second].map(|house| row(house, "far").to_string());
        let is_seen = rows.iter().any(|row| row.contains("in a circle"));
        is_seen.then_some(()).ok_or(rows.concat())
    });
}

/// An address at which nobody listens.
fn free_address() -> SocketAddr {
    let free = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    free.local_addr().expect("an address")
}

/// Without a camera it shows a picture of one's own.
fn ustreamer(program: &Path, at: SocketAddr, picture: &Path) -> Process {
    let mut command = Command::new(program);
    let port = at.port().to_string();
    command
        .args([
            "--device",
            "/dev/no-camera",
            "--host",
            "127.0.0.1",
            "--port",
            &port,
            "--blank",
        ])
        .arg(picture)
        .stdin(Stdio::null());
    Process::start(command)
}

#[test]
fn ustreamer_has_one_client_however_many_watch_here_and_comes_back() {
    let Some(programs) = require(Client::Ustreamer) else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let picture = folder.path().join("picture.jpg");
    let show = |colour: Rgb| std::fs::write(&picture, flat(colour)).expect("a picture");
    let at = free_address();
    show(GREEN);
    let first = ustreamer(&programs[0], at, &picture);
    let house = House::with(&relaying(&format!("http://{at}/stream")));
    let _viewers: Vec<Parts> = (0..3)
        .map(|_| Parts::open(house.address(), "/c/far/stream?paint=plain"))
        .collect();
    await_colour(&house, GREEN);
    let state = http::get(at, "/state").json();
    assert_eq!(state["result"]["stream"]["clients"], 1, "{state}");
    drop(first);
    show(RED);
    let _second = ustreamer(&programs[0], at, &picture);
    await_colour(&house, RED);
}

#[test]
fn ffmpeg_is_relayed_though_it_serves_one_client() {
    let Some(programs) = require(Client::Ffmpeg) else {
        return;
    };
    let at = free_address();
    let mut ffmpeg = Command::new(&programs[0]);
    ffmpeg
        .args(["-nostdin", "-loglevel", "error", "-re", "-f", "lavfi", "-i"])
        .arg("color=c=0x0000ff:s=320x180:r=10:d=60")
        .args(["-f", "mpjpeg", "-listen", "1"])
        .arg(format!("http://{at}/"))
        .stdin(Stdio::null());
    let _ffmpeg = Process::start(ffmpeg);
    let house = House::with(&relaying(&format!("http://{at}/")));
    let _viewers: Vec<Parts> = (0..3)
        .map(|_| Parts::open(house.address(), "/c/far/stream?paint=plain"))
        .collect();
    eventually("a blue picture", || {
        let reply = house.server.get("/c/far/snapshot");
        let Rgb([r, g, b]) = Picture::from_jpeg(&reply.body)?.middle();
        let why = || format!("{r} {g} {b}, {}", row(&house, "far"));
        (b > 200 && r < 60 && g < 60).then_some(()).ok_or_else(why)
    });
}
