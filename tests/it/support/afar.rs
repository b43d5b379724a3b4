//! Machines of one house and the NATS server between them, each of which can go and come back.

use std::{
    ffi::OsStr,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

use super::{
    clients::{Client, require},
    eventually, http,
    pixels::{Picture, Rgb},
    process::Process,
    server::{address_in, command},
};

pub(crate) fn free_port() -> u16 {
    let port = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    port.local_addr().expect("an address").port()
}

/// A NATS server that can go and come back.
pub(crate) struct Bus {
    program: PathBuf,
    pub(crate) folder: TempDir,
    pub(crate) port: u16,
    pub(crate) process: Option<Process>,
}

impl Bus {
    /// A server with these lines in its configuration.
    pub(crate) fn start(lines: &str) -> Option<Self> {
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

    pub(crate) fn configure(&self, lines: &str) {
        let text = format!("listen: 127.0.0.1:{}\n{lines}\n", self.port);
        std::fs::write(self.folder.path().join("conf"), text).expect("a written file");
    }

    pub(crate) fn begin(&mut self) {
        let mut line = Command::new(&self.program);
        line.arg("-c").arg(self.folder.path().join("conf"));
        let mut process = Process::start(line);
        process.await_line("a server that is ready", |line| {
            line.contains("Server is ready").then_some(())
        });
        self.process = Some(process);
    }

    pub(crate) fn end(&mut self) {
        self.process = None;
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }
}

/// A house or an edge: the program, which can be killed and started again.
pub(crate) struct Machine {
    line: Vec<String>,
    data: TempDir,
    pub(crate) process: Option<Process>,
    pub(crate) address: SocketAddr,
}

impl Machine {
    pub(crate) fn start(program: &Path, line: &[&str]) -> Self {
        let mut machine = Self {
            line: line.iter().map(|word| (*word).to_owned()).collect(),
            data: TempDir::with_prefix("mantel-data-").expect("a data directory"),
            process: None,
            address: ([127, 0, 0, 1], free_port()).into(),
        };
        machine.begin(program);
        machine
    }

    pub(crate) fn begin(&mut self, program: &Path) {
        let listen = self.address.to_string();
        let mut line: Vec<&OsStr> = self.line.iter().map(OsStr::new).collect();
        line.extend([OsStr::new("--listen"), OsStr::new(&listen)]);
        let command = command(program, self.data.path(), &line);
        let mut process = Process::start(command);
        process.await_line("the address to open", address_in);
        self.process = Some(process);
    }

    pub(crate) fn kill(&mut self) {
        self.process = None;
    }

    pub(crate) fn status(&self) -> Value {
        http::get(self.address, "/status").json()
    }

    pub(crate) fn colour(&self) -> Result<Rgb, String> {
        let reply = http::get(self.address, "/snapshot?size=640x360");
        if reply.status() != 200 {
            return Err(format!("{}: {}", reply.status(), reply.text()));
        }
        Ok(Picture::from_jpeg(&reply.body)?.middle())
    }

    pub(crate) fn await_colour(&self, wanted: Rgb) {
        eventually("the colour", || {
            let colour = self.colour()?;
            colour
                .is(wanted)
                .then_some(())
                .ok_or_else(|| format!("{colour:?} in place of {wanted:?}"))
        });
    }

    /// Waits until an edge hears its house: pictures may come a moment before.
    pub(crate) fn await_house(&self) {
        eventually("word of the house", || {
            let status = self.status();
            (status["house"]["heard"] == true)
                .then_some(())
                .ok_or_else(|| status["house"].to_string())
        });
    }

    pub(crate) fn next(&self) {
        let reply = http::control(self.address, "{\"command\":\"next\"}");
        assert_eq!(reply.status(), 200, "{}", reply.text());
    }

    pub(crate) fn await_log(&self, words: &str) {
        let process = self.process.as_ref().expect("a program that runs");
        process.await_output(words);
    }
}

pub(crate) fn colour_of_house(house: &Machine) -> Rgb {
    eventually("one of the photos at the house", || {
        let colour = house.colour()?;
        colour.named().ok_or_else(|| format!("{colour:?}"))
    })
}

/// The next photo at the house, once it is on: that is some time after the command is answered, which `asked` is sent.
pub(crate) fn next_of_house(house: &Machine, asked: &Machine) -> Rgb {
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
pub(crate) fn key(folder: &TempDir) -> String {
    let path = folder.path().join("key");
    std::fs::write(&path, "a secret of this house alone\n").expect("a written file");
    path.to_str().expect("a path in UTF-8").to_owned()
}
