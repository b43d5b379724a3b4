//! Too many connections, too many wishes, peers that vanish without a word, and a clock that jumps:
//! whoever watches notices nothing, and whoever comes too late is told so. Loopback only; each flood
//! is bounded.

use std::{
    fs,
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    process::Command,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    live::push,
    support::{
        clients::{Client, is_root, left_out, require},
        emulated::{on_own_clock, set_clock},
        eventually, http,
        parts::Parts,
        photos::{Photos, flat, grained},
        pixels::{BLUE, GREEN, Picture, RED, YELLOW},
        process::Process,
        server::{Program, STANDING, Server, command, program},
    },
};

/// Something moves all the time, so that whoever is held up is late.
const BUSY: [&str; 8] = [
    "--size",
    "640x360",
    "--interval",
    "1s",
    "--transition",
    "500ms",
    "--fps",
    "10",
];

/// Lets this process, and those it starts, have `n` files open; says so where it may not.
fn may_open(n: u64) -> bool {
    let raised = Command::new("prlimit")
        .args(["--pid", &std::process::id().to_string()])
        .arg(format!("--nofile={n}:"))
        .output();
    let is_raised = raised.is_ok_and(|output| output.status.success());
    if !is_raised {
        left_out("many connections", &format!("no {n} open files"), false);
    }
    is_raised
}

/// Resident memory of a process, in bytes.
fn resident(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).expect("a running process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.expect("VmRSS in kB") * 1024
}

#[test]
fn ten_thousand_connections_disturb_nobody() {
    const N: usize = 10_000;
    const LIMIT: usize = 1000;
    let Some(program) = program() else { return };
    if !may_open(15_000) {
        return;
    }
    let photos = Photos::of(&[RED, GREEN, BLUE, YELLOW]);
    let limit = LIMIT.to_string();
    let args = [&BUSY[..], &["--max-connections", &limit]].concat();
    let server = Program::start(&program, photos.path(), &args);
    let address = server.address;
    let mut viewer = Parts::open(address, "/stream");
    for _ in 0..10 {
        viewer.part();
    }
    let before = resident(server.process.id());

    // None of them ever reads; those that are let in are streams.
    let request = format!("GET /stream HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let mut flood = Vec::with_capacity(N);
    for i in 0..N {
        let mut socket = TcpStream::connect(address)
            .unwrap_or_else(|error| panic!("connection {i} was not even taken: {error}"));
        let _ = socket.write_all(request.as_bytes());
        flood.push(socket);
        if i % 1000 == 0 {
            let picture = Picture::from_jpeg(&viewer.part().body);
            picture.expect("a whole frame amid the flood");
        }
    }
    for _ in 0..20 {
        let picture = Picture::from_jpeg(&viewer.part().body);
        picture.expect("a whole frame amid the flood");
    }
    let grown = resident(server.process.id()).saturating_sub(before);

    let (mut n_in, mut n_refused, mut n_silent) = (0, 0, 0);
    eventually("an answer or an end for everybody", || {
        (n_in, n_refused, n_silent) = (0, 0, 0);
        let mut n_waiting = 0;
        let answers: Vec<Option<String>> = flood.iter().map(peeked).collect();
        for answer in answers {
            match answer {
                Some(answer) if answer.starts_with("HTTP/1.1 200") => n_in += 1,
                Some(answer) if answer.starts_with("HTTP/1.1 503") => {
                    assert!(
                        answer.to_lowercase().contains("\r\nretry-after: "),
                        "{answer}"
                    );
                    n_refused += 1;
                }
                Some(answer) if answer.is_empty() => n_silent += 1,
                Some(answer) => panic!("{answer}"),
                None => n_waiting += 1,
            }
        }
        if n_waiting == 0 {
            Ok(())
        } else {
            Err(format!("{n_waiting} are neither let in nor refused"))
        }
    });
    let _ = writeln!(
        std::io::stderr(),
        "flood: of {N} connections {n_in} were let in, {n_refused} told to come back, {n_silent} \
         closed; {} KB of memory for each that was let in",
        grown / 1024 / n_in.max(1)
    );
    assert!(
        (LIMIT - 10..LIMIT).contains(&usize::try_from(n_in).expect("few")),
        "{n_in}"
    );
    // Only so many are waited for until they have taken it in; the others are told all the same.
    assert!(n_refused > n_silent, "{n_refused} were told so");
    // Sockets that nobody reads, and two frames at most that nobody else holds.
    assert!(grown < 200 << 20, "{} MB more", grown >> 20);

    drop(flood);
    eventually("room again", || {
        match http::get(address, "/snapshot").status() {
            200 => Ok(()),
            status => Err(status.to_string()),
        }
    });
    viewer.part();
}

/// The beginning of an answer, left where it is; `None` while there is neither that nor an end.
fn peeked(socket: &TcpStream) -> Option<String> {
    let mut answer = [0; 512];
    socket
        .set_nonblocking(true)
        .expect("to look without waiting");
    match socket.peek(&mut answer) {
        Ok(n_bytes) => Some(String::from_utf8_lossy(&answer[..n_bytes]).into_owned()),
        Err(error) if error.kind() == ErrorKind::WouldBlock => None,
        Err(_) => Some(String::new()),
    }
}

#[test]
fn a_flood_of_sizes_stays_within_its_renditions() {
    let photos = Photos::of(&[RED, GREEN]);
    let args = [&BUSY[..], &["--max-renditions", "3"]].concat();
    let server = Server::start(photos.path(), &args);
    let mut viewer = Parts::open(server.address, "/stream");
    viewer.part();
    // Streams that stay, each with another wish; more than there is room for.
    let mut others = Vec::new();
    for i in 0..12_u32 {
        let (width, quality) = (160 + i * 83, 10 + i * 7);
        let target = format!(
            "/stream?size={width}x{}&quality={quality}&fit=cover&paint=repeat",
            90 + i * 31
        );
        others.push(Parts::open(server.address, &target));
        viewer.part();
    }
    // And a burst of stills that ask for everything there is, at once forgotten.
    for i in 0..150_u32 {
        let target = format!(
            "/snapshot?size={}x{}&quality={}&fps={}",
            64 + i * 23 % 3000,
            64 + i * 41 % 2000,
            1 + i % 100,
            1 + i % 60
        );
        let reply = server.get(&target);
        match reply.status() {
            200 => drop(Picture::from_jpeg(&reply.body).expect("a picture, be it of another size")),
            503 => assert!(reply.head.get("retry-after").is_some(), "{target}"),
            status => panic!("{target}: {status}: {}", reply.text()),
        }
        if i % 25 == 0 {
            let status = server.get("/status").json();
            let rows = status["renditions"].as_array().expect("rows").len();
            assert!(rows <= 3, "{rows} renditions: {status}");
            viewer.part();
        }
    }
    for other in &mut others {
        Picture::from_jpeg(&other.part().body).expect("a picture for everybody");
    }
    let picture = Picture::from_jpeg(&viewer.part().body).expect("a JPEG");
    assert_eq!((picture.width, picture.height), (640, 360));
}

/// Two network namespaces with a cable between them: the server in one, viewers in the other. The
/// cable is pulled, so that no word comes of it, as when a TV is unplugged.
const CABLE: &str = r#"
set -eu
ip link set lo up
unshare --net sleep 600 &
there=$!
sleep 1
ip link add cable0 type veth peer name cable1 netns $there
ip addr add 10.213.77.1/24 dev cable0
ip link set cable0 up
in_there() { nsenter --target $there --net "$@"; }
in_there ip addr add 10.213.77.2/24 dev cable1
in_there ip link set cable1 up
"$@" &
until curl --silent --fail --output /dev/null http://10.213.77.1:8080/healthz; do sleep 0.2; done
for n in 1 2 3 4 5 6; do
    in_there curl --silent --no-buffer --output /dev/null http://10.213.77.1:8080/stream &
done
viewers() {
    curl --silent http://10.213.77.1:8080/status | tr ',' '\n' | sed -n 's/^"viewers":\([0-9]*\)$/\1/p' | head -1
}
until [ "$(viewers)" = 6 ]; do sleep 0.2; done
echo watching 6
in_there ip link set cable1 down
echo the cable is out
until [ "$(viewers)" = 0 ]; do sleep 0.5; done
echo watching 0
"#;

#[test]
fn peers_behind_a_pulled_cable_are_forgotten() {
    let Some(program) = program() else { return };
    let may = is_root()
        && Command::new("unshare")
            .args([
                "--net", "ip", "link", "add", "cable0", "type", "veth", "peer", "name", "cable1",
            ])
            .output()
            .is_ok_and(|output| output.status.success());
    if !may || require(Client::Curl).is_none() {
        left_out(
            "half-open peers",
            "no right to make network namespaces",
            true,
        );
        return;
    }
    let photos = Photos::of(&[RED, GREEN]);
    let data = TempDir::with_prefix("mantel-data-").expect("a data directory");
    let args = [&BUSY[..], &["--listen", "10.213.77.1:8080"]].concat();
    let mut args: Vec<&std::ffi::OsStr> = args.iter().map(std::ffi::OsStr::new).collect();
    args.push(photos.path().as_os_str());
    let server = command(&program, data.path(), &args);
    let mut script = Command::new("unshare");
    script.args(["--net", "sh", "-c", CABLE, "sh"]);
    script.arg(server.get_program()).args(server.get_args());
    for (name, value) in server.get_envs() {
        if value.is_none() {
            script.env_remove(name);
        }
    }
    let mut process = Process::start(script);
    process.await_line("viewers through the cable", |line| {
        (line == "watching 6").then_some(())
    });
    // A peer that acknowledges nothing is given up after a minute or so.
    let deadline = Instant::now() + Duration::from_secs(120);
    while !process.output().contains("watching 0") {
        assert!(
            Instant::now() < deadline,
            "still there:\n{}",
            process.output()
        );
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// The program on a clock that [`set_clock`] moves.
fn with_clock(photos: &Photos) -> Option<(Program, TempDir)> {
    let folder = TempDir::with_prefix("mantel-clock-").expect("a folder for the clock");
    let program = on_own_clock(&program()?, folder.path())?;
    set_clock(folder.path(), "+0");
    let line = [
        "--size",
        "640x360",
        "--interval",
        "1s",
        "--transition",
        "cut",
    ];
    Some((Program::start(&program, photos.path(), &line), folder))
}

#[test]
fn slides_go_on_when_the_clock_jumps() {
    let photos = Photos::of(&[RED, GREEN, BLUE, YELLOW]);
    let Some((server, folder)) = with_clock(&photos) else {
        return;
    };
    let address = server.address;
    let status = || http::get(address, "/status").json();
    let number = |status: &serde_json::Value| status["channel"]["slide"]["number"].as_u64();
    let mut stream = Parts::open(address, "/stream?paint=plain");
    stream.part();
    let mut last = number(&status()).expect("a slide");
    let mut real = status()["now_millis"].as_i64().expect("a time");
    for (jump, days) in [
        ("+1d", 1),
        ("+0", 0),
        ("-1d", -1),
        ("+3650d", 3650),
        ("-3650d", -3650),
        ("+0", 0),
    ] {
        set_clock(folder.path(), jump);
        // Slides keep coming: more than what may have been on its way.
        for _ in 0..4 {
            Picture::from_jpeg(&stream.part().body).expect("a JPEG");
        }
        let after = status();
        // The clock did jump, or nothing is tested.
        let now = after["now_millis"].as_i64().expect("a time");
        let jumped = now - real - days * 86_400_000;
        assert!(
            (0..120_000).contains(&jumped),
            "{jump}: {jumped} ms; {}",
            server.process.output()
        );
        real += jumped;
        let next = number(&after).expect("a slide");
        assert!(next > last, "{jump}: slide {next} after {last}");
        last = next;
        let due = after["channel"]["next_change_millis"]
            .as_i64()
            .expect("a moment")
            - now;
        assert!(due <= 1000, "{jump}: the next slide in {due} ms");
    }
}

/// What comes of a question, be it nothing.
fn asked(address: SocketAddr) -> String {
    let mut answer = Vec::new();
    if let Ok(mut socket) = TcpStream::connect(address) {
        let request = "GET /status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let _ = socket.write_all(request.as_bytes());
        let _ = socket.read_to_end(&mut answer);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_clock_before_1970_ends_nothing() {
    let photos = Photos::of(&[RED, GREEN, BLUE, YELLOW]);
    let Some((server, folder)) = with_clock(&photos) else {
        return;
    };
    let address = server.address;
    Parts::open(address, "/stream?paint=plain").part();
    set_clock(folder.path(), "-25000d");
    eventually(
        "the clock to be of 1958, or as near as the program can tell",
        || {
            // By hand: hyper's own date panics on a thread that had none before, which costs the connection
            // and nothing else.
            let answer = asked(address);
            if answer.contains("\"now_millis\":0,") {
                Ok(())
            } else {
                Err(answer)
            }
        },
    );
    // Longer than the channel's task looks away from the clock.
    std::thread::sleep(Duration::from_millis(2500));
    set_clock(folder.path(), "+0");
    // The channel's task has outlived it: before, streams sent nothing from here on.
    let mut stream = Parts::open(address, "/stream?paint=plain");
    for _ in 0..4 {
        Picture::from_jpeg(&stream.part().body).expect("slides go on");
    }
    let reply = http::control(address, r#"{"command":"next"}"#);
    assert_eq!(reply.status(), 200, "{}", server.process.output());
}

#[test]
fn sleepers_cost_little_and_disturb_nobody() {
    const N: u64 = 150;
    let Some(program) = program() else { return };
    let photos = Photos::of(&[RED, GREEN, BLUE, YELLOW]);
    let server = Program::start(&program, photos.path(), &BUSY);
    let address = server.address;
    let mut viewer = Parts::open(address, "/stream");
    for _ in 0..20 {
        viewer.part();
    }
    let before = resident(server.process.id());
    let request = format!("GET /stream HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let sleepers: Vec<http::Stream> = (0..N)
        .map(|_| http::Stream::send(address, request.as_bytes()))
        .collect();
    for _ in 0..60 {
        Picture::from_jpeg(&viewer.part().body).expect("a whole frame, whoever sleeps");
    }
    // Frames are shared: what nobody takes is two frames for all of them, not for each.
    let grown = resident(server.process.id()).saturating_sub(before);
    let each = grown / N / 1024;
    let _ = writeln!(std::io::stderr(), "sleepers: {each} KB each, {N} of them");
    assert!(each < 200, "{each} KB for each that never reads");
    drop(sleepers);
}

#[test]
fn viewers_of_a_live_channel_that_stall_cost_little_and_disturb_nobody() {
    const N: u64 = 50;
    const N_PICTURES: usize = 150;
    let Some(program) = program() else { return };
    let photos = Photos::of(&[RED]);
    let args = [&STANDING[..], &["--push-creates"]].concat();
    let server = Program::start(&program, photos.path(), &args);
    let address = server.address;
    // More than sockets hold, and each another one.
    let pictures = [RED, GREEN].map(|colour| grained(colour, 90));
    push(address, "/push/door", "", &pictures[0]);
    let mut viewer = Parts::open(address, "/c/door/stream?paint=plain");
    viewer.part();
    let before = resident(server.process.id());
    let request = format!("GET /c/door/stream HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let stalled: Vec<http::Stream> = (0..N)
        .map(|_| http::Stream::send(address, request.as_bytes()))
        .collect();
    let last = flat(BLUE);
    let body = [&pictures.concat().repeat(N_PICTURES / 2), &last[..]].concat();
    let sent =
        std::thread::spawn(move || push(address, "/push/door?when-full=wait", "", &body).json());
    let mut n_seen = 0;
    while !Picture::from_jpeg(&viewer.part().body)
        .expect("a whole picture, whoever stalls")
        .middle()
        .is(BLUE)
    {
        n_seen += 1;
    }
    let sent = sent.join().expect("an answer");
    assert_eq!(sent["came"], N_PICTURES + 1, "{sent}");
    // Who reads has them all but those that came while one was being read.
    assert!(n_seen > N_PICTURES / 4, "{n_seen}");
    let grown = resident(server.process.id()).saturating_sub(before);
    let each = grown / N / 1024;
    let length = pictures[0].len() / 1024;
    let _ = writeln!(
        std::io::stderr(),
        "stalled: {each} KB each, {N} of them, pictures of {length} KB; the viewer saw {n_seen}"
    );
    // What they are stuck in is one picture of all, or a few.
    assert!(each < 300, "{each} KB for each that stalls");
    drop(stalled);
}

#[test]
fn a_crowd_at_the_door_is_told_to_come_back() {
    // The same as the flood in small, so that it is known where nobody may open many files.
    let photos = Photos::of(&[RED]);
    let args = [&STANDING[..], &["--max-connections", "2"]].concat();
    let server = Server::start(photos.path(), &args);
    let mut viewer = Parts::open(server.address, "/stream?paint=repeat");
    let _second = Parts::open(server.address, "/stream?paint=repeat");
    let crowd: Vec<TcpStream> = (0..40)
        .map(|_| TcpStream::connect(server.address).expect("to reach the door"))
        .collect();
    eventually("everybody to be told", || {
        let n_told = crowd
            .iter()
            .filter(|socket| {
                peeked(socket).is_some_and(|answer| answer.starts_with("HTTP/1.1 503"))
            })
            .count();
        if n_told == crowd.len() {
            Ok(())
        } else {
            Err(format!("{n_told} were"))
        }
    });
    viewer.part();
}
