use proptest::prelude::*;

use super::{takes::is_look, *};

const LOOK: &str = "GET, HEAD, OPTIONS";

fn of(right: Right) -> Need {
    Need::Of(right, ChannelName::main())
}

/// The gallery alone.
fn names() -> Names {
    Names::with([])
}

fn method(name: &str) -> Method {
    Method::from_bytes(name.as_bytes()).unwrap()
}

#[test]
fn every_endpoint_says_what_it_takes_and_need_of() {
    use Endpoint as E;
    use Right::{Control, Watch};
    let (watch, control) = (Some(of(Watch)), Some(of(Control)));
    let (open, no) = (Some(Need::Nothing), None);
    // Path, endpoint, what GET, POST and DELETE need where they are taken, and what is allowed.
    let looks = |path, endpoint| {
        (
            path,
            endpoint,
            [watch.clone(), no.clone(), no.clone()],
            LOOK,
        )
    };
    let program = |path: &'static str| {
        let needs = [open.clone(), no.clone(), no.clone()];
        (path, E::File(path), needs, LOOK)
    };
    let rows = [
        looks("", E::Page),
        looks("stream", E::Stream),
        looks("stream.h264", E::Video(Form::H264)),
        looks("stream.ts", E::Video(Form::Ts)),
        looks("stream.mp4", E::Video(Form::Mp4)),
        looks("hls/index.m3u8", E::Hls("index.m3u8")),
        looks("bytes", E::Bytes),
        looks("snapshot", E::Snapshot),
        looks("status", E::Status),
        looks("metrics", E::Metrics),
        looks("screens", E::Screens),
        looks("qr", E::Qr),
        looks("time", E::Time),
        looks("channels", E::Channels),
        looks("library/lists", E::Lists),
        looks("library/photos", E::Photos),
        looks("library/albums", E::Albums),
        looks("library/skipped", E::Skipped),
        looks("history", E::History),
        looks("library/thumbnail/7f", E::Thumbnail("7f")),
        (
            "library/hidden",
            E::Hidden,
            [control.clone(), no.clone(), no.clone()],
            LOOK,
        ),
        looks("tv/hall", E::Screen("hall")),
        looks("tv/", E::Screen("")),
        looks("settings", E::File("settings")),
        looks("nothing", E::File("nothing")),
        looks("library/x.js", E::File("library/x.js")),
        (
            "healthz",
            E::Health,
            [open.clone(), no.clone(), no.clone()],
            LOOK,
        ),
        program("sw.js"),
        program("viewer-0123.wasm"),
        program("settings.css"),
        program("manifest.webmanifest"),
        program("icon-192.png"),
        program("push.py"),
        (
            "control",
            E::Control,
            [no.clone(), control.clone(), no.clone()],
            "POST, OPTIONS",
        ),
        (
            "report",
            E::Report,
            [no.clone(), watch.clone(), no.clone()],
            "POST, OPTIONS",
        ),
        (
            "profiles",
            E::Profiles,
            [watch.clone(), control.clone(), no.clone()],
            "GET, HEAD, POST, OPTIONS",
        ),
        (
            "profiles/hall",
            E::Profile("hall"),
            [watch.clone(), no.clone(), control.clone()],
            "GET, HEAD, DELETE, OPTIONS",
        ),
    ];
    for (path, endpoint, [get, post, delete], allow) in rows {
        for start in ["/", "/c/main/"] {
            let whole = format!("{start}{path}");
            for (name, need) in [
                ("GET", &get),
                ("HEAD", &get),
                ("POST", &post),
                ("DELETE", &delete),
                ("OPTIONS", &open),
                ("PUT", &no),
                ("BREW", &no),
            ] {
                let method = method(name);
                match (find(&method, &whole, "", &names()), need) {
                    (Ok(address), Some(need)) => {
                        assert_eq!(address.endpoint, endpoint, "{name} {whole}");
                        assert_eq!(address.need, *need, "{name} {whole}");
                        assert_eq!(address.allow, allow, "{name} {whole}");
                        assert_eq!(address.channel, ChannelName::main());
                    }
                    (Err(unanswered), None) => {
                        // As much as for what it would have been.
                        let right = if is_look(&method) { Watch } else { Control };
                        assert_eq!(unanswered.need, of(right), "{name} {whole}");
                        let refusal = Refusal::from(unanswered);
                        assert_eq!(refusal.status(), 405, "{name} {whole}");
                        let response = refusal.into_response();
                        assert_eq!(response.headers()["allow"], allow, "{name} {whole}");
                    }
                    (found, _) => panic!("{name} {whole}: {found:?}"),
                }
            }
        }
    }
}

#[test]
fn a_push_may_name_a_channel_that_it_makes_and_nothing_else_may() {
    let mut names = Names::with([]);
    names.creates = true;
    let garage: ChannelName = "garage".parse().unwrap();
    for method in [Method::POST, Method::PUT] {
        let found = find(&method, "/push/garage", "", &names).unwrap();
        assert_eq!(found.channel, garage);
        assert_eq!(found.need, Need::Of(Right::Push, garage.clone()));
        let bad = find(&method, "/push/My%20Plot", "", &names).unwrap_err();
        let told = Refusal::from(bad);
        assert!(told.sentence().contains("a to z"), "{}", told.sentence());
    }
    for (method, path) in [
        (Method::DELETE, "/push/garage"),
        (Method::GET, "/c/garage/"),
        (Method::POST, "/c/garage/control"),
        (Method::GET, "/push/garage"),
    ] {
        assert!(find(&method, path, "", &names).is_err(), "{method} {path}");
    }
}

#[test]
fn pictures_are_pushed_and_taken_off_with_that_right_alone() {
    let plot: ChannelName = "plot".parse().unwrap();
    let names = Names::with([plot.clone()]);
    for (path, query) in [
        ("/push/plot", ""),
        ("/c/plot/push", ""),
        ("/push", "channel=plot"),
        ("/push/plot", "when-full=wait"),
    ] {
        for method in [Method::POST, Method::PUT, Method::DELETE] {
            let found = find(&method, path, query, &names).unwrap();
            assert_eq!(
                (found.endpoint, &found.channel),
                (Endpoint::Push, &plot),
                "{path}"
            );
            assert_eq!(found.need, Need::Of(Right::Push, plot.clone()), "{path}");
        }
        let refused = find(&Method::GET, path, query, &names).unwrap_err();
        assert_eq!(refused.need, Need::Of(Right::Watch, plot.clone()));
        let refusal = Refusal::from(refused).into_response();
        assert_eq!(refusal.status(), 405);
        assert_eq!(refusal.headers()["allow"], "POST, PUT, DELETE, OPTIONS");
    }
    // Whether there is such a channel is told to those alone who might push to it.
    let unknown = find(&Method::POST, "/push/garage", "", &names).unwrap_err();
    let garage = "garage".parse().unwrap();
    assert_eq!(unknown.need, Need::Of(Right::Push, garage));
    let told = Refusal::from(unknown);
    assert_eq!(
        told.sentence(),
        "there is no channel \"garage\"; those that there are: main, plot; a server that is started with --push-creates makes \
         it by its first picture"
    );
}

#[test]
fn a_channel_is_named_by_path_or_query() {
    let found = |path, query| {
        find(&Method::GET, path, query, &names()).map_err(|unanswered| {
            let need = unanswered.need.to_string();
            let refusal = Refusal::from(unanswered);
            (
                refusal.status().as_u16(),
                refusal.sentence().to_owned(),
                need,
            )
        })
    };
    for (path, query) in [
        ("/stream", ""),
        ("/stream", "channel=main"),
        ("/stream", "x&%63hannel=main&channel=other"),
        ("/c/main/stream", ""),
        ("/c/main/stream", "channel=other"),
        ("/", "action=stream"),
        ("/c/main/", "action=stream&_=5"),
    ] {
        assert_eq!(
            found(path, query).unwrap().endpoint,
            Endpoint::Stream,
            "{path}?{query}"
        );
    }
    assert_eq!(
        found("/", "action=snapshot").unwrap().endpoint,
        Endpoint::Snapshot
    );
    assert_eq!(
        found("/", "action=command").unwrap().endpoint,
        Endpoint::Page
    );
    assert_eq!(
        found("/c/main", "").unwrap().endpoint,
        Endpoint::ToPage("main")
    );
    assert_eq!(
        found("/status", "action=stream").unwrap().endpoint,
        Endpoint::Status
    );
    let sentence = |name: &str| {
        let quoted = format!("{name:?}");
        format!("there is no channel {quoted}; those that there are: main")
    };
    for (path, query, name, need) in [
        ("/c/garage/stream", "", "garage", "watch garage"),
        ("/c/garage", "", "garage", "watch garage"),
        ("/c/garage/viewer.js", "", "garage", "watch garage"),
        ("/c/garage/healthz", "", "garage", "watch garage"),
        ("/c/garage/metrics", "", "garage", "watch main"),
        ("/stream", "channel=garage", "garage", "watch garage"),
        ("/stream", "channel=", "", "watch main"),
        ("/c/", "", "", "watch main"),
        ("/c//stream", "", "", "watch main"),
        ("/c/Main/stream", "", "Main", "watch main"),
        ("/stream", "channel=a%0Ab", "a\nb", "watch main"),
    ] {
        let expected = (404, sentence(name), need.to_owned());
        assert_eq!(found(path, query), Err(expected), "{path}?{query}");
    }
    let asked = find(&Method::OPTIONS, "/c/garage/control", "", &names()).unwrap();
    assert_eq!((asked.need, asked.allow), (Need::Nothing, "POST, OPTIONS"));
}

#[test]
fn the_service_worker_lets_past_what_is_no_file() {
    let past: Vec<&str> = past_workers().collect();
    for path in [
        "bytes", "stream", "snapshot", "status", "time", "report", "control", "healthz",
    ] {
        assert!(past.contains(&path), "{path}");
    }
    for path in ["", "tv/*", "viewer.js"] {
        assert!(!past.contains(&path), "{path}");
    }
}

/// Pieces of paths and queries that mean something, and some that don't.
fn piece() -> impl Strategy<Value = String> {
    let known: Vec<&str> = TABLE.iter().map(|row| row.path).collect();
    prop_oneof![
        proptest::sample::select(known).prop_map(str::to_owned),
        proptest::sample::select(vec![
            "/", "c", "main", "garage", "*", "..", "%2e", "a.js", "ä"
        ])
        .prop_map(str::to_owned),
        "\\PC{0,12}",
    ]
}

fn target() -> impl Strategy<Value = String> {
    proptest::collection::vec(piece(), 0..6).prop_map(|pieces| format!("/{}", pieces.join("/")))
}

fn search() -> impl Strategy<Value = String> {
    let key = proptest::sample::select(vec!["channel", "action", "size", "%63hannel"]);
    proptest::collection::vec((key, piece()), 0..4).prop_map(|pairs| {
        let pairs = pairs
            .into_iter()
            .map(|(key, value)| format!("{key}={value}"));
        pairs.collect::<Vec<_>>().join("&")
    })
}

proptest! {
    #[test]
    fn nothing_is_changed_by_who_may_only_look(
        name in "GET|HEAD|POST|PUT|PATCH|DELETE|TRACE|OPTIONS|[A-Z]{1,9}",
        path in target(),
        query in search(),
    ) {
        let method = method(&name);
        let names = Names::with(["plot".parse().unwrap()]);
        let found = find(&method, &path, &query, &names);
        let need = need_of(&method, &path, &query, &names);
        let right = match &need {
            Need::Nothing => None,
            Need::Of(right, _) => Some(*right),
        };
        if method == Method::OPTIONS {
            prop_assert_eq!(right, None);
        } else if is_look(&method) {
            let is_inspected = matches!(&found, Ok(address) if address.endpoint == Endpoint::Hidden);
            // Where there is no such channel nothing is told but that, to those with the address's own right.
            let is_elsewhere = matches!(&found, Err(Unanswered { why: Why::Channel(..), .. }));
            let fits = |right| match right {
                Right::Watch => !is_inspected,
                Right::Control => is_inspected || is_elsewhere,
                Right::Push => false,
            };
            prop_assert!(right.is_none_or(fits), "{need}");
        } else if right == Some(Right::Push) {
            let is_push = matches!(&found, Ok(address)
                if matches!(address.endpoint, Endpoint::Push | Endpoint::Whip));
            let is_elsewhere = matches!(&found, Err(Unanswered { why: Why::Channel(..), .. }));
            prop_assert!(is_push || is_elsewhere, "{} {} needs {}", name, path, need);
        } else if right.is_none() {
            // Whoever knows a session's name may end it.
            let is_session = matches!(&found, Ok(address)
                if matches!(address.endpoint, Endpoint::RtcSession(_)));
            prop_assert!(is_session, "{} {} needs nothing", name, path);
        } else if right != Some(Right::Control) {
            let is_report = matches!(&found, Ok(address)
                if matches!(address.endpoint, Endpoint::Report | Endpoint::Whep));
            let is_elsewhere = matches!(&found, Err(Unanswered { why: Why::Channel(..), .. }));
            prop_assert!(is_report || is_elsewhere, "{} {} needs {}", name, path, need);
            prop_assert_eq!(right, Some(Right::Watch));
        }
        match found {
            Ok(address) => prop_assert!(["main", "plot"].contains(&address.channel.as_str())),
            Err(unanswered) => {
                prop_assert!(right.is_some(), "{} {} tells strangers", name, path);
                let refusal = Refusal::from(unanswered);
                prop_assert!(!refusal.sentence().contains(['\r', '\n']));
            }
        }
    }
}
