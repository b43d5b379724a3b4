//! WebRTC, in the engines and programs that it is made for: WHEP by hand, in the page, by UDP, by TCP through a forwarded
//! port, over a network that loses packets; and the page that goes another way where it can't be.

use std::{
    net::{SocketAddr, TcpListener, UdpSocket},
    path::Path,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{Receiver, sync_channel},
    },
    thread,
    time::Duration,
};

use serde_json::Value;

use crate::{
    access::{new_token, until_shut},
    live::{House, push},
    page::await_screen,
    players::{FOUR, MOVING},
    support::{
        clients::{Client, left_out, require},
        devtools::{Browser, Page},
        eventually,
        http::{Reply, request},
        photos::Photos,
        pixels::{BLUE, GREEN, Picture, RED, Rgb, YELLOW},
        process,
        server::{Program, STANDING, Server, program},
        tap::Tap,
        webdriver::Driver,
    },
};

/// An offer as Chromium makes it, with the lines that matter.
pub(crate) const OFFER: &str = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
a=group:BUNDLE 0\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS\r\n\
m=video 9 UDP/TLS/RTP/SAVPF 96 97 103 104\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n\
a=ice-ufrag:Zk0f\r\na=ice-pwd:R8xEQ8Hq0bVwTQmYh5q8hJ2x\r\na=ice-options:trickle\r\n\
a=fingerprint:sha-256 A1:B2:C3:D4:E5:F6:07:18:29:3A:4B:5C:6D:7E:8F:90:A1:B2:C3:D4:E5:F6:07:18:29:3A:4B:5C:6D:7E:8F:90\r\n\
a=setup:actpass\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\na=rtcp-rsize\r\n\
a=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n\
a=rtpmap:103 H264/90000\r\na=rtcp-fb:103 transport-cc\r\na=rtcp-fb:103 nack\r\na=rtcp-fb:103 nack pli\r\n\
a=fmtp:103 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n\
a=rtpmap:104 rtx/90000\r\na=fmtp:104 apt=103\r\n";

pub(crate) const SDP: &str = "Content-Type: application/sdp\r\n";
const FRAGMENT: &str = "Content-Type: application/trickle-ice-sdpfrag\r\n";

fn offer(server: &Server, target: &str, head: &str, body: &str) -> Reply {
    request(server.address, "POST", target, head, body)
}

/// What players of other servers ask, to the letter.
#[test]
fn sessions_are_answered_as_players_expect() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    let ask = |method: &str, target: &str, head: &str, body: &str| {
        request(server.address, method, target, head, body)
    };
    let made = offer(&server, "/whep/main?size=320x180", SDP, OFFER);
    assert_eq!(made.status(), 201, "{}", made.text());
    let header = |name: &str| made.head.get(name).unwrap_or_default().to_owned();
    assert_eq!(header("content-type"), "application/sdp");
    let (session, tag) = (header("location"), header("etag"));
    // OBS puts another form into the path that it posted to.
    assert!(session.starts_with("/c/main/whep/"), "{session}");
    assert!(
        tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"'),
        "{tag}"
    );
    let answer = made.text();
    for line in [
        "a=ice-lite",
        "a=sendonly",
        "a=setup:passive",
        "a=rtpmap:103 H264/90000",
    ] {
        assert!(answer.contains(line), "{line} is missing: {answer}");
    }
    assert!(!answer.contains("VP8"), "{answer}");
    let port = server.address.port().to_string();
    let candidates: Vec<_> = answer
        .lines()
        .filter(|line| line.starts_with("a=candidate:"))
        .collect();
    for way in [" udp ", " tcp "] {
        let named = candidates
            .iter()
            .any(|line| line.contains(way) && line.contains(&format!(" 127.0.0.1 {port} ")));
        assert!(named, "{way}: {candidates:?}");
    }

    let looked = ask("HEAD", "/whep/main", "", "");
    assert_eq!(looked.status(), 200);
    assert_eq!(looked.head.get("content-type"), Some("application/sdp"));
    assert_eq!(ask("GET", "/whep/main", "", "").status(), 204);
    assert_eq!(ask("GET", &session, "", "").status(), 204);
    let options = ask("OPTIONS", "/whep/main", "", "");
    assert_eq!(
        options.head.get("allow"),
        Some("GET, HEAD, POST, OPTIONS"),
        "{:?}",
        options.head
    );

    let candidate = "a=ice-ufrag:Zk0f\r\na=ice-pwd:R8xEQ8Hq0bVwTQmYh5q8hJ2x\r\nm=video 9 RTP/AVP 0\r\na=mid:0\r\n\
                     a=candidate:1 1 UDP 2122260223 127.0.0.1 50000 typ host\r\na=end-of-candidates\r\n";
    let patch = |head: &str, body: &str| ask("PATCH", &session, head, body).status();
    let matching = format!("{FRAGMENT}If-Match: {tag}\r\n");
    let taken = ask("PATCH", &session, &matching, candidate);
    assert_eq!(taken.status(), 204, "{}", taken.text());
    assert_eq!(taken.head.get("etag"), None);
    assert_eq!(patch(FRAGMENT, candidate), 428);
    let other = format!("{FRAGMENT}If-Match: \"other\"\r\n");
    assert_eq!(patch(&other, candidate), 412);
    let restart = format!("{FRAGMENT}If-Match: *\r\n");
    assert_eq!(
        patch(&restart, "a=ice-ufrag:new1\r\na=ice-pwd:new\r\n"),
        422
    );
    assert_eq!(patch(&matching, "a=ice-ufrag:new1\r\n"), 422);
    assert_eq!(patch(&matching, "hello"), 400);
    let wrong = format!("{SDP}If-Match: {tag}\r\n");
    assert_eq!(patch(&wrong, candidate), 415);
    assert_eq!(ask("DELETE", &session, "", "").status(), 200);
    assert_eq!(ask("DELETE", &session, "", "").status(), 404);

    // As go2rtc's own clients ask.
    let json = serde_json::json!({"type": "offer", "sdp": OFFER}).to_string();
    let answered = offer(
        &server,
        "/api/webrtc?src=main",
        "Content-Type: application/json\r\n",
        &json,
    );
    assert_eq!(answered.status(), 200, "{}", answered.text());
    assert_eq!(answered.json()["type"], "answer");
}

/// An offer in the form of OBS 30 (libdatachannel; recorded in the issues of obs-studio and of servers that it sends to):
/// sound before video, what belongs to the connection said once for both, no address of its own.
const OBS: &str = "v=0\r\no=rtc 2864123908 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
a=group:BUNDLE 0 1\r\na=group:LS 0 1\r\na=msid-semantic:WMS *\r\na=setup:actpass\r\n\
a=ice-ufrag:Qm7d\r\na=ice-pwd:Zr4kT0oUe9sYbWn2LdHc6x\r\na=ice-options:ice2,trickle\r\n\
a=fingerprint:sha-256 A1:B2:C3:D4:E5:F6:07:18:29:3A:4B:5C:6D:7E:8F:90:A1:B2:C3:D4:E5:F6:07:18:29:3A:4B:5C:6D:7E:8F:90\r\n\
m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendonly\r\n\
a=ssrc:2131770211 cname:r2hJ8sQmTz4LwXkP\r\na=msid:b7GdN1yUoVc9EaRf b7GdN1yUoVc9EaRf-audio\r\na=rtcp-mux\r\n\
a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;stereo=1;sprop-stereo=1;useinbandfec=1\r\n\
m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=sendonly\r\n\
a=ssrc:2131770212 cname:r2hJ8sQmTz4LwXkP\r\na=msid:b7GdN1yUoVc9EaRf b7GdN1yUoVc9EaRf-video\r\na=rtcp-mux\r\n\
a=rtpmap:96 H264/90000\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\na=rtcp-fb:96 goog-remb\r\n\
a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1\r\n";

#[test]
fn obs_is_answered_in_the_part_of_its_video() {
    let house = House::plot();
    let made = offer(&house.server, "/whip/plot", SDP, OBS);
    // OBS insists on this status, and puts a path that is not absolute into that of its own address.
    assert_eq!(made.status(), 201, "{}", made.text());
    let location = made.head.get("location").unwrap_or_default();
    assert!(location.starts_with("/c/plot/whip/"), "{location}");
    let answer = made.text();
    let part = |media: &str| {
        let mut parts = answer.split("m=").skip(1);
        let part = parts.find(|part| part.starts_with(media));
        part.unwrap_or_else(|| panic!("no {media}: {answer}"))
            .to_owned()
    };
    assert!(answer.contains("a=group:BUNDLE 1\r\n"), "{answer}");
    let (sound, video) = (part("audio 0 "), part("video 9 "));
    assert!(!sound.contains("a=candidate:"), "{sound}");
    for line in [
        " udp ",
        " tcp ",
        "a=mid:1",
        "a=recvonly",
        "a=setup:passive",
        "a=rtpmap:96 H264/90000",
        "a=rtcp-fb:96 nack pli",
    ] {
        assert!(video.contains(line), "{line} is missing: {video}");
    }
    // A second session would take its place; its own ends by its address alone.
    let ended = request(house.address(), "DELETE", location, "", "");
    assert_eq!(ended.status(), 200, "{}", ended.text());
}

#[test]
fn bad_offers_are_told_what_is_wrong() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    for (status, head, body) in [
        (400, SDP, "hello".to_owned()),
        (400, SDP, OFFER.replace("recvonly", "sendonly")),
        (400, SDP, OFFER.replace("m=video", "m=audio")),
        (400, SDP, OFFER.replace("a=fingerprint", "a=finger")),
        (406, SDP, OFFER.replace("H264", "H265")),
        (413, SDP, "v=0".repeat(43_000)),
        (415, "Content-Type: text/plain\r\n", OFFER.to_owned()),
        (400, "Content-Type: application/json\r\n", "{}".to_owned()),
    ] {
        let reply = offer(&server, "/whep/main", head, &body);
        assert_eq!(reply.status(), status, "{head}: {}", reply.text());
        assert!(reply.text().len() > 20, "{}", reply.text());
    }
    let reply = offer(&server, "/whep/nobody", SDP, OFFER);
    assert_eq!(reply.status(), 404, "{}", reply.text());
    let reply = offer(&server, "/whep/main?size=8x8", SDP, OFFER);
    assert!(matches!(reply.status(), 400 | 501), "{}", reply.text());
    // Nothing is left of any of them.
    eventually("nothing to be made", || {
        let status = server.get("/status").json();
        match status["renditions"].as_array().map_or(0, Vec::len) {
            0 => Ok(()),
            n => Err(format!("{n} renditions")),
        }
    });
}

#[test]
fn half_open_sessions_are_bounded_and_end() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    let mut statuses = Vec::new();
    for _ in 0..80 {
        statuses.push(offer(&server, "/whep/main?size=320x180", SDP, OFFER).status());
    }
    assert_eq!(statuses.iter().filter(|&&one| one == 201).count(), 64);
    assert!(statuses[64..].iter().all(|&one| one == 503), "{statuses:?}");
    // Nobody connects, and after ten seconds there is room again, and nothing is made for nobody.
    eventually("the end of them all", || {
        let status = server.get("/status").json();
        match status["viewers"].as_u64() {
            Some(0) => Ok(()),
            n => Err(format!("{n:?} viewers")),
        }
    });
    let reply = offer(&server, "/whep/main?size=320x180", SDP, OFFER);
    assert_eq!(reply.status(), 201, "{}", reply.text());
}

#[test]
fn an_offer_takes_the_right_to_watch_and_a_session_its_name() {
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    let token = new_token(&server.data, "tv", &["--rights", "watch"]);
    until_shut(&server);
    let refused = offer(&server, "/whep/main", SDP, OFFER);
    assert_eq!(refused.status(), 401, "{}", refused.text());
    let made = offer(&server, &format!("/whep/main?token={token}"), SDP, OFFER);
    assert_eq!(made.status(), 201, "{}", made.text());
    let session = made.head.get("location").unwrap_or_default().to_owned();
    assert!(!session.contains(&token), "{session}");
    let guessed = format!("{session}0");
    assert_eq!(
        request(server.address, "DELETE", &guessed, "", "").status(),
        404
    );
    assert_eq!(
        request(server.address, "DELETE", &session, "", "").status(),
        200
    );
}

/// A page's script that keeps of an answer's candidates those that match, and changes them.
fn candidates(keep: &str, change: &str) -> String {
    format!(
        "(function () {{
             var set = RTCPeerConnection.prototype.setRemoteDescription;
             window.kept = [];
             RTCPeerConnection.prototype.setRemoteDescription = function (answer) {{
                 var lines = answer.sdp.split('\\r\\n').filter(function (line) {{
                     return !/^a=candidate/.test(line) || {keep}.test(line);
                 }}).map(function (line) {{ return /^a=candidate/.test(line) ? line{change} : line; }});
                 window.kept = lines.filter(function (line) {{ return /^a=candidate/.test(line); }});
                 return set.call(this, {{ type: 'answer', sdp: lines.join('\\r\\n') }});
             }};
         }}())"
    )
}

/// The page shows the slides by WebRTC, whatever way is left of an answer's.
fn shows(server: &Server, page: &mut Page) {
    for _ in 0..2 {
        let wanted = server.advance();
        await_screen(page, wanted);
    }
    assert_eq!(
        page.root("data-via"),
        "webrtc",
        "{}",
        page.root("data-reason")
    );
}

#[test]
fn chromium_is_sent_video_by_udp_and_by_tcp() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    for way in ["/ udp /", "/ tcp /"] {
        let script = candidates(way, "");
        let mut page = browser.open_after(&server.url("/?via=webrtc&size=640x360"), &script);
        shows(&server, &mut page);
        eventually("the delay", || {
            match page.root("data-behind").parse::<f64>() {
                Ok(seconds) if seconds < 1.0 => Ok(()),
                _ => Err(page.root("data-behind")),
            }
        });
        let rows = server.get("/status").json();
        assert_eq!(rows["watching"][0]["endpoint"], "whep", "{rows}");
        page.press("s", 83);
        eventually("the statistics", || {
            let panel = page.eval("document.getElementById('stats').textContent")?;
            let panel = panel.as_str().unwrap_or_default().to_owned();
            let is_told = ["viawebrtc", "behind", "640 × 360"];
            if is_told.iter().all(|words| panel.contains(words)) {
                Ok(())
            } else {
                Err(panel)
            }
        });
    }
}

/// A port forward that knows nothing of WebRTC: the address and port that the page asked for are the way back.
#[test]
fn chromium_reaches_the_server_through_a_forwarded_port() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &STANDING);
    if !server.has_viewer() {
        return;
    }
    let tap = Tap::on(server.address);
    let url = format!("http://{}/?via=webrtc&size=640x360", tap.address);
    // The server's own address is not reached from there.
    let script = candidates(&format!("/ {} typ /", tap.address.port()), "");
    let mut page = browser.open_after(&url, &script);
    shows(&server, &mut page);
}

/// A listener of [::] takes IPv4 along, and so does WebRTC.
#[test]
fn a_server_that_listens_on_ipv6_names_ipv4_as_well() {
    let Some(program) = program() else { return };
    let Ok(free) = TcpListener::bind("[::]:0") else {
        left_out("IPv6", "this machine has none", true);
        return;
    };
    let port = free.local_addr().expect("an address").port();
    drop(free);
    let photos = Photos::of(&FOUR);
    let listen = format!("[::]:{port}");
    let _server = Program::start(&program, photos.path(), &["--listen", &listen]);
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let answer = request(address, "POST", "/whep/main?size=320x180", SDP, OFFER);
    assert_eq!(answer.status(), 201, "{}", answer.text());
    let answer = answer.text();
    for way in ["udp", "tcp"] {
        let named = answer.lines().any(|line| {
            line.contains(&format!(" {way} "))
                && line.contains(&format!(" 127.0.0.1 {port} typ host"))
        });
        assert!(named, "{way}: {answer}");
    }
}

/// How packets go: which come, and by what they go on.
type Carry = fn(&Receiver<Vec<u8>>, &dyn Fn(&[u8]));

/// A way between a peer and `server`, over which packets go as `carry` has them go.
fn way(server: SocketAddr, carry: Carry) -> SocketAddr {
    let near = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let far = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let address = near.local_addr().expect("an address");
    let peer = Arc::new(Mutex::new(None::<SocketAddr>));
    let [to_peer, to_server] = [&near, &far].map(|socket| socket.try_clone().expect("a handle"));
    let known = peer.clone();
    let mut queues = Vec::new();
    for socket in [near, far] {
        // As many as a router keeps that is no larger than it has to be.
        let (queue, packets) = sync_channel(QUEUE);
        let known = known.clone();
        let is_near = socket.local_addr().ok() == Some(address);
        thread::spawn(move || {
            let mut buffer = [0; 2048];
            while let Ok((n, source)) = socket.recv_from(&mut buffer) {
                if is_near {
                    *known.lock().expect("no holder panics") = Some(source);
                }
                let _ = queue.try_send(buffer[..n].to_vec());
            }
        });
        queues.push(packets);
    }
    let [from_peer, from_server]: [Receiver<Vec<u8>>; 2] =
        queues.try_into().unwrap_or_else(|_| panic!("two queues"));
    thread::spawn(move || {
        carry(&from_peer, &|packet| {
            let _ = to_server.send_to(packet, server);
        });
    });
    thread::spawn(move || {
        carry(&from_server, &|packet| {
            let peer = *peer.lock().expect("no holder panics");
            if let Some(peer) = peer {
                let _ = to_peer.send_to(packet, peer);
            }
        });
    });
    address
}

/// The packets that wait in a [`way`].
const QUEUE: usize = 24;

/// Loses a packet of ten, and lets others wait.
fn lossy(packets: &Receiver<Vec<u8>>, send: &dyn Fn(&[u8])) {
    let mut seed = 1_u32;
    let mut late: Option<Vec<u8>> = None;
    for packet in packets {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        match seed >> 16 {
            r if r % 10 == 0 => {}
            r if r % 10 == 1 && late.is_none() => late = Some(packet),
            _ => {
                send(&packet);
                if let Some(late) = late.take() {
                    send(&late);
                }
            }
        }
    }
}

/// Carries a million bits a second.
fn narrow(packets: &Receiver<Vec<u8>>, send: &dyn Fn(&[u8])) {
    for packet in packets {
        thread::sleep(Duration::from_micros(packet.len() as u64 * 8));
        send(&packet);
    }
}

/// A page's script by which UDP goes by `way` alone.
fn only_by(way: SocketAddr, server: SocketAddr) -> String {
    let change = format!(
        ".replace(/ {} typ /, ' {} typ ')",
        server.port(),
        way.port()
    );
    candidates("/ udp .* 127.0.0.1 /", &change)
}

/// Whoever has too thin a network is sent less of the same: half of the bits, then smaller pictures, and stays in time.
#[test]
fn a_narrow_network_is_sent_what_it_carries() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let house = House::plot();
    if !house.server.has_viewer() {
        return;
    }
    let (width, height) = (640, 360);
    let mut seed = 1_u32;
    let mut noise = move || {
        let pixels = (0..width * height * 3).map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            96 + (seed >> 26) as u8
        });
        pixels.collect::<Vec<u8>>()
    };
    let head = format!("Content-Type: image/x-rgb8; width={width}; height={height}\r\n");
    let address = house.address();
    house.push_colour(GREEN);
    let script = only_by(way(address, narrow), address);
    let mut page = browser.open_after(&house.server.url("/c/plot/?via=webrtc"), &script);
    eventually("the picture that stands", || {
        let middle = page.screenshot()?.middle();
        if middle.is(GREEN) {
            Ok(())
        } else {
            Err(format!("{middle:?}"))
        }
    });
    let goes_on = Arc::new(AtomicBool::new(true));
    let sender = thread::spawn({
        let goes_on = goes_on.clone();
        move || {
            while goes_on.load(Relaxed) {
                push(address, "/push/plot", &head, &noise());
                thread::sleep(Duration::from_millis(60));
            }
        }
    });
    let watching = || {
        let status = house.server.get("/c/plot/status").json();
        status["watching"][0].clone()
    };
    eventually("less to be sent", || {
        let row = watching();
        if row["stepped_down"] == true {
            Ok(())
        } else {
            Err(row.to_string())
        }
    });
    eventually("pictures in time", || {
        match page.root("data-behind").parse::<f64>() {
            Ok(seconds) if seconds < 1.0 => Ok(()),
            _ => Err(format!(
                "{} behind, {}",
                page.root("data-behind"),
                watching()
            )),
        }
    });
    goes_on.store(false, Relaxed);
    sender.join().expect("a sender that ends");
    assert_eq!(page.root("data-via"), "webrtc");
}

#[test]
fn chromium_follows_over_a_network_that_loses_packets() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let photos = Photos::of(&FOUR);
    let server = Server::start(photos.path(), &MOVING);
    if !server.has_viewer() {
        return;
    }
    let script = only_by(way(server.address, lossy), server.address);
    let mut page = browser.open_after(&server.url("/?via=webrtc&size=640x360"), &script);
    let mut colours: Vec<Rgb> = Vec::new();
    eventually("every photo, over and over", || {
        let middle = page.screenshot()?.middle();
        if let Some(colour) = middle.named().filter(|colour| FOUR.contains(colour))
            && colours.last() != Some(&colour)
        {
            colours.push(colour);
        }
        if colours.len() >= 6 {
            Ok(())
        } else {
            Err(format!("{colours:?}, {middle:?}"))
        }
    });
    assert_eq!(page.root("data-via"), "webrtc");
}

/// A live channel's page takes the fastest way that works, believes what is painted, and stays with the server.
#[test]
fn viewers_are_told_of_servers_of_stun_and_turn() {
    let photos = Photos::of(&FOUR);
    let turn = "turn:127.0.0.1:9 somebody s3cret";
    let named = [
        "--ice-server",
        "stun:127.0.0.1:9",
        "--ice-server",
        turn,
        "--size",
        "640x360",
    ];
    let server = Server::start(photos.path(), &named);
    let told = [
        "<stun:127.0.0.1:9>; rel=\"ice-server\"",
        "<turn:127.0.0.1:9>; rel=\"ice-server\"; username=\"somebody\"; credential=\"s3cret\"; credential-type=\"password\"",
    ];
    let made = offer(&server, "/whep/main?size=320x180", SDP, OFFER);
    assert_eq!(made.status(), 201, "{}", made.text());
    // A password among them is for viewers, and OPTIONS is answered to anybody.
    let anybodys = request(server.address, "OPTIONS", "/whep/main", "", "");
    assert_eq!(anybodys.head.get("link"), None, "{:?}", anybodys.head);
    let looks = ["HEAD", "GET"];
    let looks = looks.map(|method| request(server.address, method, "/whep/main", "", ""));
    for answer in looks.iter().chain([&made]) {
        let links: Vec<_> = answer.head.all("link").collect();
        assert_eq!(links, told, "{:?}", answer.head);
    }
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    if !server.has_viewer() {
        return;
    }
    let script = "window.named = '';
        var set = RTCPeerConnection.prototype.setConfiguration;
        RTCPeerConnection.prototype.setConfiguration = function (all) {
          window.named = JSON.stringify(all);
          return set.call(this, all);
        };";
    let mut page = browser.open_after(&server.url("/?via=webrtc"), script);
    eventually("the page by WebRTC", || {
        match page.root("data-via").as_str() {
            "webrtc" => Ok(()),
            other => Err(other.to_owned()),
        }
    });
    let named = page.eval("window.named").expect("a text");
    let named: Value = serde_json::from_str(named.as_str().unwrap_or_default()).expect("JSON");
    let wanted = serde_json::json!({"iceServers": [
        {"urls": "stun:127.0.0.1:9"},
        {"urls": "turn:127.0.0.1:9", "username": "somebody", "credential": "s3cret"},
    ]});
    assert_eq!(named, wanted);
}

#[test]
fn a_live_page_picks_a_way_by_itself() {
    let Some(browser) = Browser::start(Client::Chromium) else {
        return;
    };
    let house = House::with("[channel.plot]\nsource = \"push\"\n");
    if !house.server.has_viewer() {
        return;
    }
    house.push_colour(GREEN);
    let mut page = browser.open(&house.server.url("/c/plot/"));
    for colour in [RED, BLUE, GREEN] {
        house.push_colour(colour);
        await_screen(&mut page, colour);
    }
    assert_eq!(page.root("data-via"), "webrtc");
    // It goes on with a server that has been away.
    let house = house.again(|| {});
    house.push_colour(BLUE);
    await_screen(&mut page, BLUE);
    assert_eq!(page.root("data-via"), "webrtc");
    // What is left where an engine has less, or is not let through.
    for (script, way) in [
        (
            &*candidates("/ udp /", ".replace(/ 127.0.0.1 /, ' 127.0.0.9 ')"),
            "mse",
        ),
        ("delete window.RTCPeerConnection", "mse"),
        (
            "delete window.RTCPeerConnection; delete window.MediaSource;
             HTMLVideoElement.prototype.canPlayType = function () { return ''; }",
            "",
        ),
    ] {
        let mut page = browser.open_after(&house.server.url("/c/plot/"), script);
        for colour in [RED, GREEN] {
            house.push_colour(colour);
            await_screen(&mut page, colour);
        }
        assert_eq!(page.root("data-via"), way);
    }
}

/// Firefox on a fresh profile has no H.264 for WebRTC.
#[test]
fn firefox_lands_on_fragments_by_itself() {
    let Some(firefox) = Driver::firefox() else {
        return;
    };
    let house = House::with("[channel.plot]\nsource = \"push\"\n");
    if !house.server.has_viewer() {
        return;
    }
    house.push_colour(GREEN);
    firefox.open(&house.server.url("/c/plot/"));
    for colour in [RED, GREEN] {
        house.push_colour(colour);
        eventually("the picture", || {
            let middle = firefox.screenshot()?.middle();
            match middle.named() {
                Some(seen) if seen == colour => Ok(()),
                _ => Err(format!("{middle:?}")),
            }
        });
    }
    let via = firefox.eval("document.documentElement.getAttribute('data-via')");
    assert_eq!(via, Ok("mse".into()));
}

/// A page that sends what it draws, by WHIP: a colour that changes when it is told to.
const SENDER: &str = "(function () {
    var canvas = document.createElement('canvas'), pen = canvas.getContext('2d'), n = 0;
    canvas.width = 640;
    canvas.height = 360;
    window.colour = 'rgb(40,160,60)';
    setInterval(function () {
        pen.fillStyle = window.colour;
        pen.fillRect(0, 0, 640, 360);
        pen.fillStyle = n++ % 2 ? 'black' : 'white';
        pen.fillRect(0, 0, 32, 32);
    }, 50);
    var peer = new RTCPeerConnection();
    // As whoever sends what a camera and its microphone take: sound first. It is refused, and the pictures come.
    peer.addTransceiver('audio', { direction: 'sendonly' });
    canvas.captureStream(20).getTracks().forEach(function (track) {
        var way = peer.addTransceiver(track, { direction: 'sendonly' });
        way.setCodecPreferences(RTCRtpSender.getCapabilities('video').codecs.filter(function (codec) {
            return /H264/.test(codec.mimeType);
        }));
    });
    window.said = '';
    peer.createOffer().then(function (offer) { return peer.setLocalDescription(offer); }).then(function () {
        return fetch('/whip/plot', {
            method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body: peer.localDescription.sdp
        });
    }).then(function (answer) {
        return answer.text().then(function (sdp) {
            window.said = answer.status + ' ' + answer.headers.get('Location');
            return peer.setRemoteDescription({ type: 'answer', sdp: sdp });
        });
    }).catch(function (error) { window.said = String(error); });
}())";

/// A browser sends, and the channel shows it as whatever else is pushed: as pictures, and as video to another browser.
#[test]
fn a_browser_sends_and_another_one_shows_it() {
    let Some((sends, shows)) = Browser::start_two(Client::Chromium) else {
        return;
    };
    let house = House::with("[channel.plot]\nsource = \"push\"\n");
    if !house.server.has_viewer() {
        return;
    }
    let mut sender = sends.open(&house.server.url("/status"));
    if sender.eval("RTCRtpSender.getCapabilities('video').codecs.some(function (codec) { return /H264/.test(codec.mimeType); })")
        != Ok(true.into())
    {
        panic!("this Chromium has no encoder of H.264");
    }
    sender.eval(SENDER).expect("a sender");
    let mut page = shows.open(&house.server.url("/c/plot/"));
    for (colour, name) in [
        (GREEN, "rgb(41,164,66)"),
        (RED, "rgb(214,40,40)"),
        (BLUE, "rgb(45,70,210)"),
    ] {
        sender
            .eval(&format!("window.colour = '{name}'"))
            .expect("a colour");
        eventually("the colour as a picture", || {
            let seen = house.server.get("/c/plot/snapshot");
            if seen.status() != 200 {
                return Err(format!(
                    "{}: {:?}",
                    seen.status(),
                    sender.eval("window.said")
                ));
            }
            let middle = Picture::from_jpeg(&seen.body)?.middle();
            middle
                .is(colour)
                .then_some(())
                .ok_or_else(|| format!("{middle:?}"))
        });
        await_screen(&mut page, colour);
    }
    let said = sender.eval("window.said").expect("an answer");
    assert!(
        said.as_str()
            .unwrap_or_default()
            .starts_with("201 /c/plot/whip/"),
        "{said}"
    );
    assert_eq!(page.root("data-via"), "webrtc");
    // Whoever sends after it takes its place, and its session ends.
    house.push_colour(YELLOW);
    await_screen(&mut page, YELLOW);
}

/// Python's own WebRTC sends one colour.
const SEND: &str = r#"
import asyncio, fractions, sys, urllib.request
import av, numpy
from aiortc import RTCPeerConnection, RTCRtpSender, RTCSessionDescription, VideoStreamTrack
url = sys.argv[1]

class Colour(VideoStreamTrack):
    async def recv(self):
        pts, base = await self.next_timestamp()
        array = numpy.zeros((240, 320, 3), numpy.uint8)
        array[:] = (214, 40, 40)
        frame = av.VideoFrame.from_ndarray(array, format="rgb24")
        frame.pts, frame.time_base = pts, base
        return frame

async def main():
    peer = RTCPeerConnection()
    way = peer.addTransceiver(Colour(), direction="sendonly")
    codecs = RTCRtpSender.getCapabilities("video").codecs
    way.setCodecPreferences([codec for codec in codecs if codec.mimeType == "video/H264"])
    await peer.setLocalDescription(await peer.createOffer())
    request = urllib.request.Request(url, peer.localDescription.sdp.encode(),
                                     {"Content-Type": "application/sdp"}, method="POST")
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 201, answer.status
        await peer.setRemoteDescription(RTCSessionDescription(answer.read().decode(), "answer"))
    print("sending", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"#;

#[test]
fn aiortc_sends() {
    let Some(programs) = require(Client::Aiortc) else {
        return;
    };
    let house = House::with("[channel.plot]\nsource = \"push\"\n");
    let mut command = Command::new(&programs[0]);
    command.args(["-c", SEND, &house.server.url("/whip/plot")]);
    let sender = process::Process::start(command);
    eventually("its colour", || {
        let seen = house.server.get("/c/plot/snapshot");
        if seen.status() != 200 {
            return Err(format!("{}: {}", seen.status(), sender.output()));
        }
        let middle = Picture::from_jpeg(&seen.body)?.middle();
        middle
            .is(RED)
            .then_some(())
            .ok_or_else(|| format!("{middle:?}"))
    });
    drop(sender);
    // It is found silent, and another sender's turn comes.
    house.push_colour(GREEN);
    eventually("another one's", || {
        let middle = Picture::from_jpeg(&house.server.get("/c/plot/snapshot").body)?.middle();
        middle
            .is(GREEN)
            .then_some(())
            .ok_or_else(|| format!("{middle:?}"))
    });
}

/// What is pushed is sent to nobody who may only push, and taken of nobody who may only watch.
#[test]
fn who_may_watch_can_not_send() {
    let house = House::with("[channel.plot]\nsource = \"push\"\n");
    let token = new_token(&house.server.data, "tv", &["--rights", "watch"]);
    until_shut(&house.server);
    let sends = OFFER.replace("recvonly", "sendonly");
    for (target, body, status) in [("/whip/plot", &*sends, 403), ("/whep/plot", OFFER, 201)] {
        let target = format!("{target}?token={token}");
        let reply = offer(&house.server, &target, SDP, body);
        assert_eq!(reply.status(), status, "{target}: {}", reply.text());
    }
}

/// Python's own WebRTC receives what is pushed.
const RECEIVE: &str = r#"
import asyncio, sys, urllib.request
from aiortc import RTCPeerConnection, RTCSessionDescription
url = sys.argv[1]

async def main():
    peer = RTCPeerConnection()
    frames = asyncio.Queue()
    @peer.on("track")
    def on_track(track):
        async def take():
            while True:
                await frames.put(await track.recv())
        asyncio.ensure_future(take())
    peer.addTransceiver("video", direction="recvonly")
    await peer.setLocalDescription(await peer.createOffer())
    request = urllib.request.Request(url, peer.localDescription.sdp.encode(),
                                     {"Content-Type": "application/sdp"}, method="POST")
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 201, answer.status
        await peer.setRemoteDescription(RTCSessionDescription(answer.read().decode(), "answer"))
    for _ in range(10):
        frame = await asyncio.wait_for(frames.get(), 20)
    array = frame.to_ndarray(format="rgb24")
    print(frame.width, frame.height, *array[array.shape[0] // 2, array.shape[1] // 2])
    await peer.close()

asyncio.run(main())
"#;

/// Has aiortc receive video from this address, and says which colour it sees.
pub(crate) fn received(python: &Path, url: &str) -> Rgb {
    let mut command = Command::new(python);
    command.args(["-c", RECEIVE, url]);
    let ended = process::run(command);
    assert!(ended.status.success(), "{}", ended.output);
    let told = ended.output.lines().find(|line| line.starts_with("640 "));
    let numbers: Vec<u16> = told
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    let [640, 360, r, g, b] = numbers[..] else {
        panic!("{}", ended.output);
    };
    // It takes every colour for one of standard definition.
    Rgb([r, g, b].map(|byte| u8::try_from(byte).expect("a byte")))
}

#[test]
fn aiortc_receives() {
    let Some(programs) = require(Client::Aiortc) else {
        return;
    };
    let photos = Photos::of(&[RED]);
    let server = Server::start(photos.path(), &STANDING);
    let seen = received(&programs[0], &server.url("/whep/main?size=640x360"));
    assert!(seen.is(RED), "{seen:?}");
    // It said good-bye, or is found silent.
    thread::sleep(Duration::from_millis(100));
    eventually(
        "its end",
        || match server.get("/status").json()["viewers"].as_u64() {
            Some(0) => Ok(()),
            n => Err(format!("{n:?} viewers")),
        },
    );
}
