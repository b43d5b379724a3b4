//! Home automation by a real broker: what it is told, what its commands do, and what becomes of it when one of the two
//! goes.

use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Command, Stdio},
    thread::sleep,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    clients::{Client, is_root, require},
    eventually, http,
    photos::Photos,
    pixels::{BLUE, GREEN, RED},
    process::Process,
    server::{STANDING, Server, address_in, program},
};

/// A broker that can go and come back.
struct Broker {
    programs: Vec<PathBuf>,
    port: u16,
    folder: TempDir,
    login: Vec<&'static str>,
    process: Option<Process>,
}

impl Broker {
    fn start() -> Option<Self> {
        let mut broker = Self::absent()?;
        broker.begin();
        Some(broker)
    }

    /// A broker that is not there yet.
    fn absent() -> Option<Self> {
        let programs = require(Client::Mosquitto)?;
        let port = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = port.local_addr().expect("an address").port();
        let folder = TempDir::with_prefix("mantel-broker-").expect("a folder");
        let broker = Self {
            programs,
            port,
            folder,
            login: Vec::new(),
            process: None,
        };
        broker.configure("allow_anonymous true");
        Some(broker)
    }

    fn configure(&self, who: &str) {
        let user = if is_root() { "user root\n" } else { "" };
        let text = format!("{user}listener {} 127.0.0.1\n{who}\n", self.port);
        std::fs::write(self.folder.path().join("conf"), text).expect("a written file");
    }

    /// Nobody comes in without this password.
    fn wants_password(&mut self, name: &'static str, password: &'static str) {
        let file = self.folder.path().join("passwords");
        let made = Command::new(&self.programs[3])
            .args(["-b", "-c"])
            .arg(&file)
            .args([name, password])
            .stderr(Stdio::null())
            .status();
        assert!(made.expect("a program that runs").success());
        let who = format!("allow_anonymous false\npassword_file {}", file.display());
        self.configure(&who);
        self.login = vec!["-u", name, "-P", password];
    }

    fn begin(&mut self) {
        let mut line = Command::new(&self.programs[0]);
        line.arg("-c").arg(self.folder.path().join("conf"));
        let mut process = Process::start(line);
        process.await_line("a broker that runs", |line| {
            line.contains("running").then_some(())
        });
        self.process = Some(process);
    }

    fn end(&mut self) {
        self.process = None;
    }

    fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    fn client(&self, program: usize) -> Command {
        let mut line = Command::new(&self.programs[program]);
        line.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        line.args(&self.login);
        line
    }

    /// Everything that is said from now on, and what was kept.
    fn listen(&self) -> Ear {
        let mut line = self.client(1);
        line.args(["-v", "-t", "#"]);
        Ear(Process::start(line))
    }

    fn say(&self, topic: &str, payload: &str, more: &[&str]) {
        let mut line = self.client(2);
        line.args(["-t", topic, "-m", payload]).args(more);
        let said = line.status().expect("a program that runs");
        assert!(said.success());
    }
}

/// An ear for all that a broker is told.
struct Ear(Process);

impl Ear {
    /// The last word under the first topic that ends so.
    fn heard(&self, end: &str) -> Option<String> {
        let output = self.0.output();
        let lines = output.lines().rev();
        let mut said = lines.filter_map(|line| {
            let (topic, payload) = line.split_once(' ').unwrap_or((line, ""));
            // So its client writes what is empty.
            let payload = if payload == "(null)" { "" } else { payload };
            topic.ends_with(end).then(|| payload.to_owned())
        });
        said.next()
    }

    fn n_heard(&self, end: &str) -> usize {
        let output = self.0.output();
        let topics = output.lines().map(|line| line.split(' ').next());
        topics
            .filter(|topic| topic.is_some_and(|topic| topic.ends_with(end)))
            .count()
    }

    fn await_word(&self, end: &str, wanted: impl Fn(&str) -> bool) -> String {
        eventually(end, || {
            let heard = self.heard(end);
            heard.filter(|word| wanted(word)).ok_or_else(|| {
                self.0
                    .output()
                    .chars()
                    .rev()
                    .take(3000)
                    .collect::<String>()
                    .chars()
                    .rev()
                    .collect()
            })
        })
    }

    fn await_is(&self, end: &str, word: &str) {
        self.await_word(end, |heard| heard == word);
    }

    /// The server's own document.
    fn document(&self) -> Value {
        let topic = eventually("a document", || {
            let output = self.0.output();
            let mut topics = output.lines().filter_map(|line| line.split_once(' '));
            let found = topics.find(|(topic, payload)| {
                topic.starts_with("homeassistant/device/") && payload.contains("\"Server\"")
            });
            found
                .map(|(_, payload)| payload.to_owned())
                .ok_or_else(|| output.clone())
        });
        serde_json::from_str(&topic).expect("JSON")
    }
}

fn id(document: &Value) -> String {
    let id = &document["device"]["identifiers"][0];
    id.as_str().expect("an id").to_owned()
}

#[test]
fn a_broker_hears_of_the_house_and_its_commands_are_carried_out() {
    let Some(broker) = Broker::start() else {
        return;
    };
    let photos = Photos::of(&[RED, GREEN, BLUE]);
    let url = broker.url();
    let line = [
        &STANDING[..],
        &[
            "--mqtt",
            &url,
            "--mqtt-page",
            "http://10.0.0.2:8080/?token=x",
        ],
    ];
    let ear = broker.listen();
    let server = Server::start(photos.path(), &line.concat());
    let document = ear.document();
    assert_eq!(
        document["device"]["configuration_url"],
        "http://10.0.0.2:8080/"
    );
    let id = id(&document);
    ear.await_is("/availability", "online");
    for (key, part) in document["components"].as_object().expect("parts") {
        let topic = part["state_topic"].as_str().or(part["url_topic"].as_str());
        if let Some(topic) = topic.filter(|_| key != "touch") {
            ear.await_word(topic, |_| true);
        }
    }
    server.settle();
    let first = server.colour();
    let picture = ear.heard("/picture").expect("an address");
    assert!(
        picture.starts_with("http://10.0.0.2:8080/snapshot?token=x&slide="),
        "{picture}"
    );

    let set =
        |key: &str, payload: &str| broker.say(&format!("mantel/{id}/{key}/set"), payload, &[]);
    let photo = ear.heard("/photo").expect("a name");
    set("next", "PRESS");
    ear.await_word("/photo", |name| name != photo);
    // It is told of when it is on, and seen when it is made.
    eventually("another colour", || {
        let now = server.colour();
        (now != first).then_some(()).ok_or(format!("{now:?}"))
    });
    set("pause", "ON");
    ear.await_is("/pause", "ON");
    let status = server.get("/status").json();
    assert_eq!(status["channel"]["paused_by"], "Home Assistant");
    set("pause", "OFF");
    ear.await_is("/pause", "OFF");
    set("light", r#"{"state":"ON","brightness":40}"#);
    ear.await_word("/light", |state| state.contains("\"brightness\":40"));
    set("light", r#"{"state":"OFF"}"#);
    ear.await_word("/light", |state| state.contains("OFF"));
    set("light", r#"{"state":"ON"}"#);
    ear.await_word("/light", |state| state.contains("\"brightness\":100"));
    set("interval", "30");
    ear.await_is("/interval", "30");
    set("message", r#"{"text":"Dinner","seconds":60}"#);
    ear.await_is("/message", "Dinner");
    set("message", "");
    ear.await_is("/message", "");
    set("favourite", "PRESS");
    ear.await_word("/photo-facts", |facts| facts.contains("\"favourite\":true"));
    let photo = ear.heard("/photo").expect("a name");
    set("hide", "PRESS");
    ear.await_word("/photo", |name| name != photo);

    // What makes no sense changes nothing, and what comes after it is heard.
    for (key, payload) in [
        ("interval", "0"),
        ("interval", "1e9"),
        ("light", "{"),
        ("format", ""),
    ] {
        set(key, payload);
    }
    set("pause", "ON");
    ear.await_is("/pause", "ON");
    assert_eq!(ear.heard("/interval").as_deref(), Some("30"));

    // A command that the broker keeps is for nobody who comes later.
    broker.say(&format!("mantel/{id}/pause/set"), "OFF", &["-r"]);
    ear.await_is("/pause", "OFF");
    set("pause", "ON");
    ear.await_is("/pause", "ON");
    // Home Assistant has been started again.
    let n = ear.n_heard("/config");
    broker.say("homeassistant/status", "online", &[]);
    eventually("another document", || {
        (ear.n_heard("/config") > n)
            .then_some(())
            .ok_or_else(String::new)
    });
    server.stop().expect("a server that ends well");
    ear.await_is("/availability", "offline");
}

#[test]
fn albums_are_offered_and_chosen_for_all() {
    let Some(broker) = Broker::start() else {
        return;
    };
    let photos = Photos::of(&[RED]);
    let folder = photos.path().join("Rome");
    std::fs::create_dir(&folder).expect("a folder");
    let green = Photos::of(&[GREEN]);
    for file in std::fs::read_dir(green.path()).expect("a folder").flatten() {
        std::fs::copy(file.path(), folder.join(file.file_name())).expect("a copy");
    }
    let ear = broker.listen();
    let url = broker.url();
    let server = Server::start(photos.path(), &[&STANDING[..], &["--mqtt", &url]].concat());
    ear.await_word("/config", |text| text.contains("\"All photos\",\"Rome\""));
    ear.await_is("/album", "All photos");
    let id = id(&ear.document());
    let topic = format!("mantel/{id}/album/set");
    for (album, colour) in [("Rome", GREEN), ("All photos", RED)] {
        broker.say(&topic, album, &[]);
        ear.await_is("/album", album);
        eventually("another colour", || {
            if server.colour() != colour {
                server.command("next");
            }
            (server.colour() == colour)
                .then_some(())
                .ok_or_else(String::new)
        });
    }
    // An album that is gone changes nothing.
    broker.say(&topic, "Rome", &[]);
    ear.await_is("/album", "Rome");
    broker.say(&topic, "Atlantis", &[]);
    sleep(Duration::from_secs(1));
    assert_eq!(ear.heard("/album").as_deref(), Some("Rome"));
}

#[test]
fn the_last_will_tells_of_a_killed_server_and_any_order_of_restarts_is_right_again() {
    let Some(mut broker) = Broker::absent() else {
        return;
    };
    let Some(program) = program() else { return };
    broker.wants_password("anna", "geh@eim");
    let photos = Photos::of(&[RED]);
    let data = TempDir::with_prefix("mantel-data-").expect("a data directory");
    let url = format!("mqtt://anna:geh%40eim@127.0.0.1:{}", broker.port);
    let start = || {
        let mut line = Command::new(&program);
        line.args(["--port", "0", "--data-dir"]).arg(data.path());
        line.arg(photos.path()).env("MANTEL_MQTT", &url);
        let mut process = Process::start(line);
        process.await_line("a server", |line| line.contains("http://").then_some(()));
        process
    };
    // The server first, and the broker some time later.
    let mantel = start();
    sleep(Duration::from_secs(1));
    broker.begin();
    let ear = broker.listen();
    ear.await_is("/availability", "online");
    let first = id(&ear.document());
    // The broker anew, which has forgotten everything.
    drop(ear);
    broker.end();
    sleep(Duration::from_secs(1));
    broker.begin();
    let ear = broker.listen();
    ear.await_is("/availability", "online");
    ear.await_is("/pause", "OFF");
    // The server anew.
    mantel.signal("KILL");
    ear.await_is("/availability", "offline");
    let output = mantel.output();
    assert!(!output.contains("geh"), "{output}");
    drop(mantel);
    let mantel = start();
    ear.await_is("/availability", "online");
    assert_eq!(id(&ear.document()), first);
    // The broker goes, and the server stops without it.
    broker.end();
    mantel.signal("TERM");
    let ended = mantel.ended();
    assert!(ended.status.success(), "{}", ended.output);
    assert!(!ended.output.contains("geh"), "{}", ended.output);
}

#[test]
fn a_restart_goes_on_with_the_choice_and_takes_back_screens_that_went_meanwhile() {
    let Some(broker) = Broker::start() else {
        return;
    };
    let Some(program) = program() else { return };
    let photos = Photos::of(&[RED]);
    let folder = photos.path().join("Rome");
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::copy(photos.path().join("01.jpg"), folder.join("a.jpg")).expect("a copy");
    let url = broker.url();
    let data = TempDir::with_prefix("mantel-data-").expect("a data directory");
    let start = || {
        let mut line = Command::new(&program);
        line.args(["--port", "0", "--mqtt", &url, "--data-dir"])
            .arg(data.path());
        line.arg(photos.path());
        let mut process = Process::start(line);
        let address = process.await_line("a server", address_in);
        (process, address)
    };
    let stop = |process: Process| {
        process.signal("TERM");
        assert!(process.ended().status.success());
    };
    let (mantel, address) = start();
    let ear = broker.listen();
    let id = id(&ear.document());
    let json = "Content-Type: application/json\r\n";
    for name in ["hall", "cellar"] {
        let kept = format!(r#"{{"name":"{name}","query":"clock=on"}}"#);
        let told = http::request(address, "POST", "/profiles", json, &kept);
        assert_eq!(told.status(), 200, "{}", told.text());
        ear.await_is(&format!("/{name}/screen"), "ON");
    }
    broker.say(&format!("mantel/{id}/album/set"), "Rome", &[]);
    ear.await_is(&format!("{id}/album"), "Rome");
    // Both are kept behind what the broker hears.
    eventually("to be kept", || {
        let file = |name: &str| std::fs::read_to_string(data.path().join(name)).unwrap_or_default();
        let is_kept =
            file("choice.json").contains("Rome") && file("screens.json").contains("cellar");
        is_kept.then_some(()).ok_or_else(|| "not yet".to_owned())
    });
    stop(mantel);
    let kept = std::fs::read_to_string(data.path().join("profiles.json")).expect("names");
    let mut kept: Value = serde_json::from_str(&kept).expect("JSON");
    remove(&mut kept, "cellar");
    std::fs::write(data.path().join("profiles.json"), kept.to_string()).expect("a file");
    let (mantel, _) = start();
    ear.await_is("/availability", "online");
    ear.await_is(&format!("{id}_cellar/config"), "");
    ear.await_is("/cellar/screen", "");
    let late = broker.listen();
    late.await_is("/pause", "OFF");
    late.await_is(&format!("{id}/album"), "Rome");
    late.await_is("/hall/screen", "ON");
    assert_eq!(late.n_heard(&format!("{id}_cellar/config")), 0);
    stop(mantel);
    // An album that is gone at a start is no reason to show nothing.
    std::fs::remove_dir_all(&folder).expect("a folder");
    let (mantel, _) = start();
    ear.await_is("/availability", "online");
    ear.await_is(&format!("{id}/album"), "All photos");
    stop(mantel);
}

/// Takes what belongs to `name` out of JSON, however it lies there.
fn remove(json: &mut Value, name: &str) {
    match json {
        Value::Object(fields) => {
            fields.remove(name);
            fields.values_mut().for_each(|value| remove(value, name));
        }
        Value::Array(values) => {
            values.retain(|value| value["name"] != name);
            values.iter_mut().for_each(|value| remove(value, name));
        }
        _ => {}
    }
}

#[test]
fn a_broker_that_refuses_is_silent_or_sends_too_much_changes_nothing() {
    let Some(mut broker) = Broker::absent() else {
        return;
    };
    broker.wants_password("anna", "secret");
    broker.begin();
    let photos = Photos::of(&[RED]);
    // Refused, and a port at which nobody says a word.
    let silent = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let silent = silent
        .local_addr()
        .map(|at| format!("mqtt://{at}"))
        .expect("an address");
    let wrong = format!("mqtt://anna:wrong@127.0.0.1:{}", broker.port);
    for url in [&wrong, &silent] {
        let server = Server::start(photos.path(), &[&STANDING[..], &["--mqtt", url]].concat());
        assert_eq!(server.colour(), RED);
        server.stop().expect("a server that ends well");
    }
    let right = format!("mqtt://anna:secret@127.0.0.1:{}", broker.port);
    let server = Server::start(
        photos.path(),
        &[&STANDING[..], &["--mqtt", &right]].concat(),
    );
    let ear = broker.listen();
    ear.await_is("/availability", "online");
    let id = id(&ear.document());
    let topic = format!("mantel/{id}/message/set");
    // Ten megabytes, and a thousand messages at once.
    let large = broker.folder.path().join("large");
    std::fs::write(&large, vec![b'x'; 10_000_000]).expect("a written file");
    let mut line = broker.client(2);
    line.args(["-t", &topic, "-f"]).arg(&large);
    assert!(line.status().expect("a program that runs").success());
    let lamp = format!("mantel/{id}/light/set");
    broker.say(&lamp, "no sense", &["--repeat", "1000"]);
    eventually("a message", || {
        broker.say(&topic, "Dinner", &[]);
        sleep(Duration::from_millis(300));
        (ear.heard("/message").as_deref() == Some("Dinner"))
            .then_some(())
            .ok_or_else(String::new)
    });
    let availability = format!("mantel/{id}/availability");
    assert_eq!(ear.n_heard(&availability), 1, "{}", "it was never away");
    assert_eq!(server.colour(), RED);
}

#[test]
fn a_screen_with_a_name_is_a_device_that_is_switched() {
    let Some(broker) = Broker::start() else {
        return;
    };
    let photos = Photos::of(&[RED]);
    let url = broker.url();
    let server = Server::start(photos.path(), &[&STANDING[..], &["--mqtt", &url]].concat());
    let ear = broker.listen();
    let id = id(&ear.document());
    let json = "Content-Type: application/json\r\n";
    let kept = http::request(
        server.address,
        "POST",
        "/profiles",
        json,
        r#"{"name":"living-room"}"#,
    );
    assert_eq!(kept.status(), 200, "{}", kept.text());
    let config = ear.await_word(&format!("{id}_living-room/config"), |_| true);
    let document: Value = serde_json::from_str(&config).expect("JSON");
    assert_eq!(document["device"]["via_device"], id.as_str());
    ear.await_is("/living-room/screen", "ON");
    ear.await_is("/living-room/lit", "OFF");
    let report = |state: &str| {
        let body = format!(r#"{{"id":"{state}","name":"living-room","state":"{state}"}}"#);
        let told = http::request(server.address, "POST", "/report", json, &body);
        assert_eq!(told.status(), 204);
    };
    report("playing");
    ear.await_is("/living-room/lit", "ON");
    let topic = format!("mantel/{id}/screen/living-room/screen/set");
    broker.say(&topic, "OFF", &[]);
    ear.await_is("/living-room/screen", "OFF");
    // What is wanted is one thing, and what the screen says another.
    assert_eq!(ear.heard("/living-room/lit").as_deref(), Some("ON"));
    let asked = server.get("/profiles/living-room").json();
    assert_eq!(asked["asleep"], true);
    report("asleep");
    ear.await_is("/living-room/lit", "OFF");
    broker.say(&topic, "ON", &[]);
    ear.await_is("/living-room/screen", "ON");
}

/// A certificate for this machine alone, signed by an authority that nobody else knows.
#[test]
fn a_broker_with_a_certificate_of_its_own_is_believed_by_its_authority_alone() {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
    let Some(mut broker) = Broker::absent() else {
        return;
    };
    let Some(program) = program() else { return };
    let key = || KeyPair::generate().expect("a key");
    let (ca_key, own_key) = (key(), key());
    let mut ca = CertificateParams::new([]).expect("an authority");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // By the same name as the one it signs, that would be taken for one that signs itself.
    ca.distinguished_name
        .push(DnType::CommonName, "an authority");
    let ca_pem = ca.self_signed(&ca_key).expect("a certificate").pem();
    let own = CertificateParams::new(["127.0.0.1".to_owned()]).expect("a name");
    let own = own.signed_by(&own_key, &Issuer::new(ca, ca_key));
    let file = |name: &str, text: String| {
        let path = broker.folder.path().join(name);
        std::fs::write(&path, text).expect("a written file");
        path.display().to_string()
    };
    let authority = file("authority", ca_pem);
    let certificate = file("certificate", own.expect("a certificate").pem());
    let secret = file("key", own_key.serialize_pem());
    broker.configure(&format!(
        "allow_anonymous true\ncertfile {certificate}\nkeyfile {secret}"
    ));
    broker.login = vec!["--cafile", Box::leak(authority.clone().into_boxed_str())];
    broker.begin();
    let ear = broker.listen();
    let photos = Photos::of(&[RED]);
    let start = |authorities: Option<&str>| {
        let data = TempDir::with_prefix("mantel-data-").expect("a data directory");
        let mut line = Command::new(&program);
        line.args(["--port", "0", "--data-dir"]).arg(data.path());
        line.arg("--mqtt");
        line.arg(format!("mqtts://127.0.0.1:{}", broker.port));
        line.arg(photos.path()).env_remove("SSL_CERT_DIR");
        match authorities {
            Some(path) => line.env("SSL_CERT_FILE", path),
            None => line.env_remove("SSL_CERT_FILE"),
        };
        (Process::start(line), data)
    };
    // By the system's authorities it is a stranger: that is said, and nothing is sent.
    let (mut stranger, _data) = start(None);
    stranger.await_line("a refusal", |line| {
        (line.contains("mqtts://127.0.0.1") && line.contains("tried again")).then_some(())
    });
    assert_eq!(ear.heard("/availability"), None);
    drop(stranger);
    let (_mantel, _data) = start(Some(&authority));
    ear.await_is("/availability", "online");
    ear.await_is("/pause", "OFF");
    let id = id(&ear.document());
    broker.say(&format!("mantel/{id}/pause/set"), "ON", &[]);
    ear.await_is("/pause", "ON");
}

#[test]
fn a_screen_has_an_album_and_a_channel_of_its_own_until_it_is_forgotten() {
    let Some(broker) = Broker::start() else {
        return;
    };
    let photos = Photos::of(&[RED]);
    let folder = photos.path().join("Rome & more");
    std::fs::create_dir(&folder).expect("a folder");
    let green = Photos::of(&[GREEN]);
    for file in std::fs::read_dir(green.path()).expect("a folder").flatten() {
        std::fs::copy(file.path(), folder.join(file.file_name())).expect("a copy");
    }
    let config = photos.add("mantel.toml", b"[channel.door]\nsource = \"push\"\n");
    let (url, config) = (broker.url(), config.display().to_string());
    let more = ["--mqtt", &url, "--config", &config];
    let server = Server::start(photos.path(), &[&STANDING[..], &more].concat());
    let ear = broker.listen();
    let id = id(&ear.document());
    let json = "Content-Type: application/json\r\n";
    let kept = r#"{"name":"hall","query":"clock=on&album=Oslo"}"#;
    let told = http::request(server.address, "POST", "/profiles", json, kept);
    assert_eq!(told.status(), 200, "{}", told.text());
    ear.await_word(&format!("{id}_hall/config"), |text| {
        text.contains(r#"["main","door"]"#) && text.contains(r#"["All photos","Rome & more"]"#)
    });
    // An album that the list does not have is nothing that could be chosen.
    ear.await_is("/hall/album", "None");
    let query = || server.get("/profiles/hall").json()["query"].clone();
    for (key, value, expected) in [
        ("album", "Rome & more", "clock=on&album=Rome%20%26%20more"),
        ("channel", "door", "clock=on&channel=door"),
        ("channel", "main", "clock=on"),
        ("album", "All photos", "clock=on"),
    ] {
        broker.say(&format!("mantel/{id}/screen/hall/{key}/set"), value, &[]);
        ear.await_is(&format!("/hall/{key}"), value);
        assert_eq!(query(), expected);
    }
    // What is not there changes nothing.
    for (key, value) in [("album", "Atlantis"), ("channel", "cellar")] {
        broker.say(&format!("mantel/{id}/screen/hall/{key}/set"), value, &[]);
    }
    sleep(Duration::from_secs(1));
    assert_eq!(query(), "clock=on");
    let gone = http::request(server.address, "DELETE", "/profiles/hall", "", "");
    assert_eq!(gone.status(), 200, "{}", gone.text());
    ear.await_is(&format!("{id}_hall/config"), "");
    // Nothing of it is kept for who comes late.
    ear.await_is("/hall/album", "");
    let late = broker.listen();
    late.await_is("/availability", "online");
    late.await_is("/pause", "OFF");
    assert_eq!(late.n_heard(&format!("{id}_hall/config")), 0);
}

#[test]
fn the_automations_of_a_picframe_go_on() {
    let Some(broker) = Broker::start() else {
        return;
    };
    let photos = Photos::of(&[RED, GREEN, BLUE]);
    let url = broker.url();
    let more = ["--mqtt", &url, "--mqtt-compat", "picframe"];
    let server = Server::start(photos.path(), &[&STANDING[..], &more].concat());
    let ear = broker.listen();
    ear.await_is("homeassistant/switch/picframe/available", "online");
    ear.await_is("homeassistant/switch/picframe_paused/state", "OFF");
    let switch = |name: &str, word: &str| {
        broker.say(
            &format!("homeassistant/switch/picframe_{name}/set"),
            word,
            &[],
        );
        ear.await_is(&format!("picframe_{name}/state"), word);
    };
    switch("paused", "ON");
    assert_eq!(server.get("/status").json()["channel"]["paused"], true);
    switch("paused", "OFF");
    switch("display", "OFF");
    assert_eq!(
        server.get("/status").json()["channel"]["night"]["mode"],
        "black"
    );
    switch("display", "ON");
    broker.say("picframe/brightness", "0.4", &[]);
    broker.say("picframe/time_delay", "30", &[]);
    ear.await_word("sensor/picframe/state", |text| {
        let state: Value = serde_json::from_str(text).unwrap_or_default();
        state["brightness"] == 0.4 && state["time_delay"] == 30.0
    });
    let before = ear.await_word("sensor/picframe_image/state", |text| text.contains("image"));
    broker.say("homeassistant/button/picframe_next/set", "ON", &[]);
    ear.await_word("sensor/picframe_image/state", |text| text != before);
    ear.await_word("sensor/picframe_image/attributes", |text| {
        text.contains("taken_at")
    });
    // It hides, and deletes nothing.
    broker.say("homeassistant/button/picframe_delete/set", "ON", &[]);
    eventually("a hidden photo", || {
        let hidden = server.get("/library/hidden?format=json").json();
        let n = hidden["hidden"].as_array().map(Vec::len);
        (n == Some(1)).then_some(()).ok_or(hidden.to_string())
    });
    assert!(std::fs::read_dir(photos.path()).expect("a folder").count() >= 3);
    server.stop().expect("an end in time");
    ear.await_is("homeassistant/switch/picframe/available", "offline");
}
