//! Past one machine: a house shown by edges, through real NATS servers, each of which goes and comes back.

use std::{
    ffi::OsStr,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    page::look,
    support::{
        clients::{Client, require},
        devtools::Browser,
        eventually, http,
        photos::Photos,
        pixels::{BLUE, GREEN, Picture, RED, Rgb},
        process::Process,
        server::{STANDING, address_in, command, program},
    },
};

fn free_port() -> u16 {
    let port = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    port.local_addr().expect("an address").port()
}

/// A NATS server that can go and come back.
struct Bus {
    program: PathBuf,
    folder: TempDir,
    port: u16,
    process: Option<Process>,
}

impl Bus {
    /// A server with these lines in its configuration.
    fn start(lines: &str) -> Option<Self> {
        let mut bus = Self {
            program: require(Client::Nats)?.remove(0),
            folder: TempDir::with_prefix("mantel-nats-").expect("a folder"),
            port: free_port(),
            process: None,
        };
        bus.configure(lines);
        bus.begin();
        Some(bus)
    }

    fn configure(&self, lines: &str) {
        let text = format!("listen: 127.0.0.1:{}\n{lines}\n", self.port);
        std::fs::write(self.folder.path().join("conf"), text).expect("a written file");
    }

    fn begin(&mut self) {
        let mut line = Command::new(&self.program);
        line.arg("-c").arg(self.folder.path().join("conf"));
        let mut process = Process::start(line);
        process.await_line("a server that is ready", |line| {
            line.contains("Server is ready").then_some(())
        });
        self.process = Some(process);
    }

    fn end(&mut self) {
        self.process = None;
    }

    fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }
}

/// A house or an edge: the program, which can be killed and started again.
struct Machine {
    line: Vec<String>,
    data: TempDir,
    process: Option<Process>,
    address: SocketAddr,
}

impl Machine {
    fn start(program: &Path, line: &[&str]) -> Self {
        let mut machine = Self {
            line: line.iter().map(|word| (*word).to_owned()).collect(),
            data: TempDir::with_prefix("mantel-data-").expect("a data directory"),
            process: None,
            address: ([127, 0, 0, 1], free_port()).into(),
        };
        machine.begin(program);
        machine
    }

    fn begin(&mut self, program: &Path) {
        let listen = self.address.to_string();
        let mut line: Vec<&OsStr> = self.line.iter().map(OsStr::new).collect();
        line.extend([OsStr::new("--listen"), OsStr::new(&listen)]);
        let mut process = Process::start(command(program, self.data.path(), &line));
        process.await_line("the address to open", address_in);
        self.process = Some(process);
    }

    fn kill(&mut self) {
        self.process = None;
    }

    fn status(&self) -> Value {
        http::get(self.address, "/status").json()
    }

    fn colour(&self) -> Result<Rgb, String> {
        let reply = http::get(self.address, "/snapshot?size=640x360");
        if reply.status() != 200 {
            return Err(format!("{}: {}", reply.status(), reply.text()));
        }
        Ok(Picture::from_jpeg(&reply.body)?.middle())
    }

    fn await_colour(&self, wanted: Rgb) {
        eventually("the colour", || {
            let colour = self.colour()?;
            colour
                .is(wanted)
                .then_some(())
                .ok_or_else(|| format!("{colour:?} in place of {wanted:?}"))
        });
    }

    fn next(&self) {
        let reply = http::control(self.address, "{\"command\":\"next\"}");
        assert_eq!(reply.status(), 200, "{}", reply.text());
    }

    fn await_log(&self, words: &str) {
        let process = self.process.as_ref().expect("a program that runs");
        process.await_output(words);
    }
}

fn colour_of_house(house: &Machine) -> Rgb {
    eventually("one of the photos at the house", || {
        let colour = house.colour()?;
        colour.named().ok_or_else(|| format!("{colour:?}"))
    })
}

/// The next photo at the house, once it is on: that is some time after the command is answered, which `asked` is sent.
fn next_of_house(house: &Machine, asked: &Machine) -> Rgb {
    let before = colour_of_house(house);
    asked.next();
    eventually("the next photo at the house", || {
        let now = colour_of_house(house);
        (!now.is(before))
            .then_some(now)
            .ok_or_else(|| format!("still {now:?}"))
    })
}

/// The key of the house, in a file.
fn key(folder: &TempDir) -> String {
    let path = folder.path().join("key");
    std::fs::write(&path, "a secret of this house alone\n").expect("a written file");
    path.to_str().expect("a path in UTF-8").to_owned()
}

#[test]
fn a_house_is_shown_by_edges_and_each_machine_may_go() {
    let (Some(program), Some(mut bus)) = (program(), Bus::start("")) else {
        return;
    };
    let folder = TempDir::with_prefix("mantel-key-").expect("a folder");
    let (url, key) = (bus.url(), key(&folder));
    let photos = Photos::of(&[RED, GREEN, BLUE]);
    let common = ["--nats", &url, "--house-key", &key, "--mdns", "off"];
    let of_house = [
        &STANDING[..],
        &common,
        &[photos.path().to_str().expect("UTF-8")],
    ]
    .concat();
    let of_edge = [
        &["edge", "--edge-silent-after", "1s", "--size", "640x360"][..],
        &common,
    ]
    .concat();
    let mut house = Machine::start(&program, &of_house);
    let mut edges = [0; 2].map(|_| Machine::start(&program, &of_edge));
    let first = colour_of_house(&house);
    for edge in &edges {
        edge.await_colour(first);
    }
    // A page at one, a stream at the other.
    let browser = Browser::start(Client::Chromium);
    let mut page = browser
        .as_ref()
        .map(|browser| browser.open(&format!("http://{}/?size=640x360", edges[0].address)));
    let mut await_page = |wanted: Rgb| {
        if let Some(page) = &mut page {
            eventually("the page", || {
                let seen = look(page)?;
                seen.colour
                    .is(wanted)
                    .then_some(())
                    .ok_or(format!("{seen:?}"))
            });
        }
    };
    await_page(first);
    let request = b"GET /stream?size=640x360 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    let mut stream = http::Stream::send(edges[1].address, request);
    assert_eq!(stream.read_head().status(), 200);
    // Video is encoded at the house; at the edge it begins with a key frame, its parameter sets before it.
    let request = b"GET /stream.h264?size=640x360 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    let mut video = http::Stream::send(edges[1].address, request);
    // A program may be built without an encoder.
    if video.read_head().status() == 200 {
        assert_eq!(video.exactly(5), [0, 0, 0, 1, 0x67]);
        video.exactly(500);
    }
    drop(video);

    // A command at an edge is one to the house, and all follow.
    let second = next_of_house(&house, &edges[0]);
    for edge in &edges {
        edge.await_colour(second);
    }
    await_page(second);

    // The bus goes: what is on stays; and comes back: what is on by then is shown.
    bus.end();
    for edge in &edges {
        edge.await_log("nothing is heard of the house");
    }
    let third = next_of_house(&house, &house);
    bus.begin();
    for edge in &edges {
        edge.await_colour(third);
    }
    await_page(third);

    // The house goes: a card takes the picture's place, and says why.
    house.kill();
    let dark = Rgb([24, 26, 30]);
    for edge in &edges {
        eventually("a card", || {
            let reply = http::get(edge.address, "/snapshot?size=640x360");
            let colour = Picture::from_jpeg(&reply.body)?.at(5, 5);
            (colour.distance(dark) < 12)
                .then_some(())
                .ok_or_else(|| format!("{colour:?}"))
        });
        let told = &edge.status()["house"];
        assert_eq!(told["heard"], false, "{told}");
        assert_eq!(told["why"], "no server sends its pictures");
    }
    let refused = http::control(edges[0].address, "{\"command\":\"next\"}");
    assert_eq!(refused.status(), 503, "{}", refused.text());
    house.begin(&program);
    let now = colour_of_house(&house);
    for edge in &edges {
        edge.await_colour(now);
    }
    await_page(now);

    // An edge goes, and nobody else notices.
    edges[0].kill();
    let last = next_of_house(&house, &house);
    edges[1].await_colour(last);
    edges[0].begin(&program);
    edges[0].await_colour(last);
    await_page(last);
    assert!(!stream.closed_within(std::time::Duration::from_millis(10)));

    // Whoever is on the bus without the key shows nothing.
    let before = edges[1].status()["house"]["dropped"].as_u64();
    let mut stranger = TcpStream::connect(("127.0.0.1", bus.port)).expect("a connection");
    let forged = "CONNECT {\"verbose\":false}\r\nPUB mantel.home.want.main.x 4\r\nMntl\r\nPING\r\n";
    stranger.write_all(forged.as_bytes()).expect("sent");
    let mut heard = [0; 8192];
    let _ = stranger.read(&mut heard);
    eventually("a count", || {
        let nats = house.status()["nats"].clone();
        let n = nats["dropped"].as_u64();
        n.is_some_and(|n| n > 0)
            .then_some(())
            .ok_or(nats.to_string())
    });
    assert_eq!(edges[1].status()["house"]["dropped"].as_u64(), before);

    // A second machine for the same house says so.
    let second = Machine::start(&program, &of_house);
    second.await_log("another server sends the pictures of this house");
    edges[1].await_colour(last);
    // Nobody's log tells a secret.
    for machine in [&house, &second, &edges[0], &edges[1]] {
        let log = machine.process.as_ref().expect("a program").output();
        assert!(!log.contains("a secret"), "{log}");
    }
}

#[test]
fn servers_of_a_cluster_and_a_leaf_carry_it_and_may_go() {
    let Some(program) = program() else { return };
    let ports: Vec<u16> = (0..4).map(|_| free_port()).collect();
    let routes: Vec<String> = ports[..3]
        .iter()
        .map(|port| format!("nats://127.0.0.1:{port}"))
        .collect();
    let routes = routes.join(", ");
    let of_cluster = |n: usize| {
        format!(
            "server_name: s{n}\ncluster {{ name: c, listen: 127.0.0.1:{}, routes: [{routes}] }}\n\
             authorization {{ user: anna, password: geheim }}",
            ports[n]
        )
    };
    let hub = format!(
        "{}\nleafnodes {{ listen: 127.0.0.1:{} }}",
        of_cluster(2),
        ports[3]
    );
    let (Some(mut first), Some(second), Some(_third)) = (
        Bus::start(&of_cluster(0)),
        Bus::start(&of_cluster(1)),
        Bus::start(&hub),
    ) else {
        return;
    };
    let leaf = format!(
        "server_name: leaf\nleafnodes {{ remotes: [{{ url: \"nats://anna:geheim@127.0.0.1:{}\" }}] }}",
        ports[3]
    );
    let Some(leaf) = Bus::start(&leaf) else {
        return;
    };
    let photos = Photos::of(&[RED, GREEN, BLUE]);
    let list = format!(
        "nats://anna:geheim@127.0.0.1:{},nats://127.0.0.1:{}",
        first.port, second.port
    );
    let path = photos.path().to_str().expect("UTF-8");
    let of_house = [&STANDING[..], &["--nats", &list, "--mdns", "off", path]].concat();
    let house = Machine::start(&program, &of_house);
    let of_edge = |url: &str| {
        let line = ["edge", "--size", "640x360", "--mdns", "off", "--nats", url];
        Machine::start(&program, &line)
    };
    let edges = [of_edge(&list), of_edge(&leaf.url())];
    let now = colour_of_house(&house);
    for edge in &edges {
        edge.await_colour(now);
    }
    // The server that most of them are connected to goes; another one of the list carries on.
    first.end();
    let now = next_of_house(&house, &house);
    for edge in &edges {
        edge.await_colour(now);
        let log = edge.process.as_ref().expect("a program").output();
        assert!(!log.contains("geheim"), "{log}");
    }
}
