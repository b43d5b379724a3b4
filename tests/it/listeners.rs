//! Where connections come from: several addresses at once, IPv6, unix sockets, sockets that systemd
//! opened, and TLS.

use std::{
    ffi::OsStr,
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    os::unix::{
        fs::PermissionsExt,
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::support::{
    LIMIT,
    clients::left_out,
    eventually, http,
    photos::Photos,
    pixels::RED,
    process::{Process, run},
    server::{STANDING, command, program},
};

/// The program with nothing but these arguments, once it has said what `wanted` finds.
struct Running {
    process: Process,
    data: TempDir,
}

impl Running {
    fn start(program: &Path, args: &[&str]) -> Self {
        let data = TempDir::with_prefix("mantel-data-").expect("a data directory");
        let line: Vec<&OsStr> = STANDING.iter().chain(args).map(OsStr::new).collect();
        let process = Process::start(command(program, data.path(), &line));
        Self { process, data }
    }

    /// The address that follows `prefix` in a line of output: `http://[::1]:`.
    fn address(&mut self, prefix: &str) -> SocketAddr {
        self.process.await_line(prefix, |line| {
            let (_, rest) = line.split_once(prefix)?;
            let (scheme, _) = prefix.split_once("://")?;
            let host = &prefix[scheme.len() + 3..];
            let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
            format!("{host}{port}").parse().ok()
        })
    }
}

/// `GET target` through a unix socket; everything that came.
fn over_unix(path: &Path, target: &str) -> String {
    over_unix_with(path, target, "")
}

fn over_unix_with(path: &Path, target: &str, more: &str) -> String {
    let mut socket = eventually("the socket", || {
        UnixStream::connect(path).map_err(|error| error.to_string())
    });
    socket.set_read_timeout(Some(LIMIT)).expect("a time-out");
    write!(
        socket,
        "GET {target} HTTP/1.1\r\nHost: localhost\r\n{more}Connection: close\r\n\r\n"
    )
    .expect("to ask");
    let mut all = Vec::new();
    socket.read_to_end(&mut all).expect("an answer");
    String::from_utf8_lossy(&all).into_owned()
}

fn has(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").output().is_ok();
    if !found {
        left_out(tool, "not found on PATH", true);
    }
    found
}

#[test]
fn several_at_once() {
    let Some(program) = program() else { return };
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("mantel.sock");
    // Left over by a program that was killed.
    drop(UnixListener::bind(&path).expect("a socket"));
    let unix = format!("unix:{}", path.display());
    let mut running = Running::start(
        &program,
        &[
            "--listen",
            "127.0.0.1:0",
            "--listen",
            "[::1]:0",
            "--listen",
            &unix,
        ],
    );
    let v4 = running.address("http://127.0.0.1:");
    let v6 = running.address("http://[::1]:");
    for address in [v4, v6] {
        assert_eq!(http::get(address, "/healthz").status(), 200, "{address}");
    }
    let answer = over_unix(&path, "/healthz");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    running.process.await_output(&unix);
    // A proxy on this machine says whom it asks for; it can't make a stranger one of us.
    let mut socket = UnixStream::connect(&path).expect("to connect");
    let request = "GET /status HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 8.8.8.8\r\nConnection: close\r\n\r\n";
    socket.write_all(request.as_bytes()).expect("to ask");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    // A second program finds out, and leaves the socket alone.
    let data = TempDir::new().expect("a directory");
    let line = ["--listen", &unix].map(OsStr::new);
    let second = run(command(&program, data.path(), &line));
    assert_eq!(second.status.code(), Some(1));
    assert!(
        second.output.contains("another program listens there"),
        "{}",
        second.output
    );
    assert!(over_unix(&path, "/healthz").starts_with("HTTP/1.1 200"));
    running.process.signal("TERM");
    let ended = running.process.ended();
    assert!(ended.status.success(), "{}", ended.output);
    assert!(!path.exists(), "the socket is left over");
}

#[test]
fn both_families_on_one_port() {
    let Some(program) = program() else { return };
    let port = free_port();
    let (v4, v6) = (format!("0.0.0.0:{port}"), format!("[::]:{port}"));
    let mut running = Running::start(&program, &["--listen", &v4, "--listen", &v6]);
    running.address("http://127.0.0.1:");
    for address in [format!("127.0.0.1:{port}"), format!("[::1]:{port}")] {
        let address = address.parse().expect("an address");
        assert_eq!(http::get(address, "/healthz").status(), 200, "{address}");
    }
}

#[test]
fn the_same_twice_and_nonsense_are_refused_at_the_start() {
    let Some(program) = program() else { return };
    let data = TempDir::new().expect("a directory");
    for (args, expected) in [
        (
            &["--listen", "127.0.0.1:9", "--listen", "127.0.0.1:9"][..],
            "given twice",
        ),
        (&["--listen", "unix:"], "needs a path"),
        (&["--listen", "80000"], "too large"),
        (&["--listen", "nowhere"], "--listen"),
        (&["--tls-cert", "a.pem"], "--tls-key"),
        (&["--user", "anna"], "--password-file"),
        (&["--host", "http://a"], "a name alone"),
        (&["--allow-origin", "*"], "--allow-origin"),
        (&["--trusted-proxy", "nginx"], "an address"),
        (&["--max-head", "100"], "from 8192"),
        (&["--stall-timeout", "1ms"], "at least 100ms"),
    ] {
        let line: Vec<&OsStr> = args.iter().map(OsStr::new).collect();
        let ended = run(command(&program, data.path(), &line));
        assert_eq!(ended.status.code(), Some(2), "{args:?}: {}", ended.output);
        assert!(
            ended.output.contains(expected),
            "{args:?}: {}",
            ended.output
        );
    }
    let missing = ["--password-file", "/no/such/file"].map(OsStr::new);
    let ended = run(command(&program, data.path(), &missing));
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.output.contains("/no/such/file"), "{}", ended.output);
}

#[test]
fn systemd_may_open_the_socket() {
    let Some(program) = program() else { return };
    if !has("systemd-socket-activate") {
        return;
    }
    let data = TempDir::new().expect("a directory");
    let listen = format!("127.0.0.1:{}", free_port());
    let mut line = Command::new("systemd-socket-activate");
    line.args(["--listen", &listen])
        .arg(&program)
        .args(STANDING);
    line.arg("--data-dir").arg(data.path());
    let activated = Process::start(line);
    let address: SocketAddr = listen.parse().expect("an address");
    let reply = eventually("an answer", || {
        std::net::TcpStream::connect(address).map_err(|error| error.to_string())?;
        Ok(http::get(address, "/healthz"))
    });
    assert_eq!(reply.status(), 200);
    activated.await_output(&listen);
}

#[test]
fn tls_with_a_certificate_of_our_own() {
    let Some(program) = program() else { return };
    if !has("curl") {
        return;
    }
    let photos = Photos::of(&[RED]);
    let folder = photos.path().to_str().expect("text");
    let mut running = Running::start(&program, &["--listen", "127.0.0.1:0", "--tls", folder]);
    let address = running.address("https://127.0.0.1:");
    let cert = running.data.path().join("tls-cert.pem");
    let curl = |more: &[&str], target: &str| {
        let mut line = Command::new("curl");
        line.args([
            "--silent",
            "--show-error",
            "--include",
            "--max-time",
            "20",
            "--cacert",
        ]);
        line.arg(&cert)
            .args(more)
            .arg(format!("https://{address}{target}"));
        run(line).output
    };
    // Trusted for its address, and refused where it is not trusted.
    let answer = curl(&[], "/healthz");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let untrusted = run({
        let mut line = Command::new("curl");
        line.args([
            "--silent",
            "--show-error",
            &format!("https://{address}/healthz"),
        ]);
        line
    });
    assert!(!untrusted.status.success(), "{}", untrusted.output);
    if has("openssl") {
        let mut line = Command::new("openssl");
        line.args(["x509", "-noout", "-fingerprint", "-sha256", "-in"])
            .arg(&cert);
        let told = run(line).output;
        let (_, print) = told.trim().split_once('=').expect("a fingerprint");
        running.process.await_output(print);
    }
    // Somebody who forgot the s is sent on, and no cookie crosses in the clear.
    let plain = http::get(address, "/status?x=1");
    assert_eq!(plain.status(), 307);
    assert_eq!(
        plain.head.get("location"),
        Some(format!("https://{address}/status?x=1").as_str())
    );
    let command = http::control(address, "{\"command\":\"next\"}");
    assert_eq!(command.status(), 400);
    assert!(command.text().contains("https"), "{}", command.text());
    // Half a handshake, and nonsense, keep nobody out.
    let mut half = http::Stream::send(address, b"\x16\x03\x01\x02\x00\x01");
    let mut junk = http::Stream::send(address, b"\x16\x03\x01\x00\x05hello");
    assert!(junk.closed_within(LIMIT));
    assert!(curl(&[], "/healthz").starts_with("HTTP/1.1 200"));
    assert!(half.closed_within(LIMIT));
    if has("ffprobe") || Command::new("ffprobe").arg("-version").output().is_ok() {
        let mut line = Command::new("ffprobe");
        line.args(["-v", "error", "-f", "mpjpeg", "-tls_verify", "0"]);
        line.args([
            "-show_entries",
            "stream=codec_name,width,height",
            "-of",
            "csv=p=0",
        ]);
        line.arg(format!("https://{address}/stream?paint=repeat"));
        let probed = run(line).output;
        assert!(probed.contains("mjpeg,640,360"), "{probed}");
    }
}

#[test]
fn tls_with_files() {
    let Some(program) = program() else { return };
    if !has("curl") {
        return;
    }
    // Made by a first run with --tls, and given to a second one as somebody's own.
    let mut first = Running::start(&program, &["--listen", "127.0.0.1:0", "--tls"]);
    first.address("https://127.0.0.1:");
    let file = |name: &str| -> PathBuf { first.data.path().join(name) };
    let (cert, key) = (file("tls-cert.pem"), file("tls-key.pem"));
    let text = |path: &Path| path.to_str().expect("text").to_owned();
    let (cert, key) = (text(&cert), text(&key));
    let args = [
        "--listen",
        "127.0.0.1:0",
        "--tls-cert",
        &cert,
        "--tls-key",
        &key,
    ];
    let mut second = Running::start(&program, &args);
    let address = second.address("https://127.0.0.1:");
    let mut line = Command::new("curl");
    line.args([
        "--silent",
        "--show-error",
        "--max-time",
        "20",
        "--cacert",
        &cert,
    ]);
    line.arg(format!("https://{address}/healthz"));
    assert_eq!(run(line).output, "ok\n");
    assert!(
        !second.process.output().contains("can read the key"),
        "{}",
        second.process.output()
    );
    is_kept_to_under_its_name(&program, &cert, &key);

    // A key that everyone can read is complained about, and used.
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("the key's mode");
    let mut open = Running::start(&program, &args);
    open.address("https://127.0.0.1:");
    open.process
        .await_output("everyone on this machine can read the key");
    let swapped = ["--tls-cert", key.as_str(), "--tls-key", &cert].map(OsStr::new);
    let data = TempDir::new().expect("a directory");
    let ended = run(command(&program, data.path(), &swapped));
    assert_eq!(ended.status.code(), Some(1));
    assert!(
        ended.output.contains("there is no certificate in it"),
        "{}",
        ended.output
    );
}

/// Browsers remember that a name is to be reached by TLS alone, for each port of it: so that is said
/// under a name that was given for this server, and not under an address.
fn is_kept_to_under_its_name(program: &Path, cert: &str, key: &str) {
    let mut named = Running::start(
        program,
        &[
            "--listen",
            "127.0.0.1:0",
            "--tls-cert",
            cert,
            "--tls-key",
            key,
            "--host",
            "wall.example",
        ],
    );
    let address = named.address("https://127.0.0.1:");
    for (name, wanted) in [("wall.example", true), ("127.0.0.1", false)] {
        let mut line = Command::new("curl");
        line.args(["--silent", "--include", "--insecure", "--max-time", "20"])
            .arg("--resolve")
            .arg(format!("{name}:{}:127.0.0.1", address.port()))
            .arg(format!("https://{name}:{}/healthz", address.port()));
        let head = run(line).output.to_lowercase();
        assert!(head.starts_with("http/1.1 200"), "{name}: {head}");
        let is_there = head.contains("strict-transport-security: max-age=");
        assert_eq!(is_there, wanted, "{name}: {head}");
    }
}

/// Behind a unix socket is a proxy. One that names nobody has all its clients guess together.
#[test]
fn guesses_through_a_unix_socket_are_slowed_down() {
    let Some(program) = program() else { return };
    let folder = TempDir::new().expect("a directory");
    let (path, passwords) = (folder.path().join("s"), folder.path().join("passwords"));
    let mut hash = Command::new(&program);
    hash.args(["password", "anna"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped());
    let mut child = hash.spawn().expect("mantel password");
    let mut stdin = child.stdin.take().expect("a pipe");
    writeln!(stdin, "secret").expect("to write");
    drop(stdin);
    let line = child.wait_with_output().expect("an end").stdout;
    fs::write(&passwords, line).expect("to write");
    let listen = format!("unix:{}", path.display());
    let passwords = passwords.to_str().expect("text");
    let _running = Running::start(
        &program,
        &["--listen", &listen, "--password-file", passwords],
    );
    let statuses = |credentials: &str, n: usize| -> Vec<String> {
        let target = "/status".to_owned();
        (0..n)
            .map(|_| {
                let all = over_unix_with(&path, &target, credentials);
                all.split(' ').nth(1).unwrap_or("none").to_owned()
            })
            .collect()
    };
    // "anna:secret", "anna:wrong"
    const RIGHT: &str = "Authorization: Basic YW5uYTpzZWNyZXQ=\r\n";
    const WRONG: &str = "Authorization: Basic YW5uYTp3cm9uZw==\r\n";
    assert_eq!(statuses(RIGHT, 1), ["200"]);
    let answers = statuses(WRONG, 14);
    assert_eq!(answers[0], "401", "{answers:?}");
    let n_limited = answers.iter().filter(|status| *status == "429").count();
    assert!(n_limited >= 3, "{answers:?}");
    // What was right before stays right.
    assert_eq!(statuses(RIGHT, 1), ["200"]);
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}
