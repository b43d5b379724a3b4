//! Past one machine: a house shown by edges, through real NATS servers, each of which goes and comes back.

use std::time::Duration;

use tempfile::TempDir;

use crate::{
    img::site_with,
    page::look,
    players::{last_in, open_folder, vlc_with},
    support::{
        afar::{Bus, Machine, colour_of_house, free_port, key, next_of_house},
        clients::{Client, require},
        devtools::{Browser, Page},
        emulated::{on_own_clock, set_clock},
        eventually, http,
        parts::{Part, Parts},
        photos::Photos,
        pixels::{BLUE, GREEN, Picture, RED, Rgb},
        process::Process,
        server::{STANDING, program},
    },
};

/// What is seen by people at two edges: the page at the first, a picture on somebody's page and VLC at the second.
struct Screens<'a> {
    edges: &'a mut [Machine; 2],
    browser: Option<Browser>,
    page: Option<Page>,
    image: Option<Page>,
    vlc: Option<(Process, TempDir)>,
}

impl<'a> Screens<'a> {
    fn open(edges: &'a mut [Machine; 2]) -> Self {
        let browser = Browser::start(Client::Chromium);
        let url = format!("http://{}/?size=640x360", edges[0].address);
        let page = browser.as_ref().map(|browser| browser.open(&url));
        let mut screens = Self {
            edges,
            browser,
            page,
            image: None,
            vlc: None,
        };
        screens.open_second();
        screens
    }

    /// Opens those at the second edge, anew where they were open: neither tries again by itself.
    fn open_second(&mut self) {
        let url = format!("http://{}/stream?size=640x360", self.edges[1].address);
        let site = site_with(&url);
        let browser = self.browser.as_ref();
        self.image = browser.map(|browser| browser.open_tab(&format!("http://{site}/")));
        self.vlc = require(Client::Vlc).map(|programs| {
            let frames = open_folder();
            let vlc = vlc_with(&programs[0], frames.path(), &url, &[]);
            (vlc, frames)
        });
    }

    /// Waits until all show this.
    fn await_colour(&mut self, wanted: Rgb) {
        for edge in self.edges.iter() {
            edge.await_colour(wanted);
        }
        let is_it = |what: &str, seen: Result<Rgb, String>| {
            let seen = seen?;
            let complaint = || format!("{what} shows {seen:?}, not {wanted:?}");
            seen.is(wanted).then_some(()).ok_or_else(complaint)
        };
        if let Some(page) = &mut self.page {
            page.bring_to_front();
            eventually("the page", || {
                is_it("the page", look(page).map(|seen| seen.colour))
            });
        }
        if let Some(image) = &mut self.image {
            image.bring_to_front();
            eventually("the picture", || {
                let seen = image.screenshot().map(|seen| seen.middle());
                is_it("a picture on a page", seen)
            });
        }
        if let Some((vlc, frames)) = &self.vlc {
            eventually("VLC", || {
                is_it("VLC", last_in(frames.path()))
                    .map_err(|why| format!("{why}\n{}", vlc.output()))
            });
        }
    }
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
    // The clock of one is seven minutes behind.
    set_clock(folder.path(), "-420s");
    let behind = on_own_clock(&program, folder.path());
    let second = behind.as_ref().unwrap_or(&program);
    let mut edges = [
        Machine::start(&program, &of_edge),
        Machine::start(second, &of_edge),
    ];
    let first = colour_of_house(&house);
    let mut screens = Screens::open(&mut edges);
    screens.await_colour(first);
    if behind.is_some() {
        let told = screens.edges[1].status()["house"]["clock_ahead_millis"].as_i64();
        let told = told.expect("how far the house's clock is ahead");
        assert_eq!((told + 30_000) / 60_000, 7, "{told} ms");
    }

    // A command at an edge is one to the house, and all follow.
    let second_colour = next_of_house(&house, &screens.edges[0]);
    screens.await_colour(second_colour);

    // The bus goes: what is on stays; and comes back: what is on by then is shown.
    bus.end();
    for edge in screens.edges.iter() {
        edge.await_log("nothing is heard of the house");
    }
    let third = next_of_house(&house, &house);
    bus.begin();
    screens.edges[1].await_colour(third);
    // Where there are pictures there are commands.
    let fourth = next_of_house(&house, &screens.edges[1]);
    screens.await_colour(fourth);

    // The house goes: a card takes the picture's place, and says why.
    house.kill();
    let dark = Rgb([24, 26, 30]);
    for edge in screens.edges.iter() {
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
    let refused = http::control(screens.edges[0].address, "{\"command\":\"next\"}");
    assert_eq!(refused.status(), 503, "{}", refused.text());
    house.begin(&program);
    let now = colour_of_house(&house);
    screens.await_colour(now);

    // An edge goes, and nobody else notices; its page comes back by itself.
    let request = b"GET /stream?size=640x360 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    let mut stream = http::Stream::send(screens.edges[1].address, request);
    assert_eq!(stream.read_head().status(), 200);
    screens.edges[0].kill();
    let last = next_of_house(&house, &house);
    screens.edges[1].await_colour(last);
    assert!(!stream.closed_within(Duration::from_millis(10)));
    screens.edges[0].begin(&program);
    screens.edges[1].kill();
    screens.edges[1].begin(second);
    screens.open_second();
    screens.await_colour(last);

    // A second machine for the same house says so.
    let other = Machine::start(&program, &of_house);
    other.await_log("another server sends the pictures of this house");
    screens.edges[1].await_house();
    let last = next_of_house(&house, &screens.edges[1]);
    screens.await_colour(last);
    // Nobody's log tells a secret.
    for machine in [&house, &other].into_iter().chain(screens.edges.iter()) {
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
    let (Some(mut first), Some(mut second), Some(_third)) = (
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
    // By the first server alone there is a way for it.
    second.end();
    let house = Machine::start(&program, &of_house);
    house.await_log("other machines can show this house");
    second.begin();
    let of_edge = |url: &str| {
        let line = ["edge", "--size", "640x360", "--mdns", "off", "--nats", url];
        Machine::start(&program, &line)
    };
    let edges = [of_edge(&list), of_edge(&leaf.url())];
    let now = colour_of_house(&house);
    for edge in &edges {
        edge.await_colour(now);
    }
    // Somebody looks on all the time: nothing is asked for anew because nobody did.
    let mut streams = edges
        .each_ref()
        .map(|edge| Parts::open(edge.address, "/bytes?size=640x360"));
    // The house's server goes, and with it what is sent at that moment; another one of the list carries on. An edge elsewhere
    // notices nothing of it.
    first.end();
    let now = next_of_house(&house, &house);
    for (edge, stream) in edges.iter().zip(&mut streams) {
        let shows =
            |part: Part| Picture::from_jpeg(&part.body).is_ok_and(|seen| seen.middle().is(now));
        assert!((0..4).any(|_| shows(stream.part())));
        edge.await_colour(now);
        let log = edge.process.as_ref().expect("a program").output();
        assert!(!log.contains("geheim"), "{log}");
    }
    // The leaf is cut off without a word, and the others go on; when it is back, so is its edge.
    let frozen = leaf.process.as_ref().expect("a server that runs");
    frozen.signal("STOP");
    edges[0].await_house();
    let now = next_of_house(&house, &edges[0]);
    edges[0].await_colour(now);
    edges[1].await_log("nothing is heard of the house");
    frozen.signal("CONT");
    edges[1].await_colour(now);
    for mut stream in streams {
        assert!(!stream.stream.closed_within(Duration::from_millis(10)));
    }
}
