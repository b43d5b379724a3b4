//! Pushing by a WebSocket: a picture a message, an answer for each.

use std::net::TcpStream;

use serde_json::Value;
use tungstenite::{
    Error, Message, WebSocket,
    client::IntoClientRequest as _,
    handshake::HandshakeError,
    http::{HeaderName, HeaderValue},
};

use crate::{
    access::{new_token, until_shut},
    live::House,
    support::{
        LIMIT, http,
        photos::{flat, sized},
        pixels::{BLUE, GREEN, RED},
    },
};

type Socket = WebSocket<TcpStream>;

/// Connects; the status where the server does not go on as a WebSocket.
fn connect(house: &House, target: &str, more: &[(&'static str, &str)]) -> Result<Socket, u16> {
    let stream = TcpStream::connect(house.address()).expect("to connect");
    stream.set_read_timeout(Some(LIMIT)).expect("a time-out");
    let url = format!("ws://{}{target}", house.address());
    let mut request = url.into_client_request().expect("a request");
    for (name, value) in more {
        let value = HeaderValue::from_str(value).expect("a value");
        request
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }
    match tungstenite::client(request, stream) {
        Ok((socket, _)) => Ok(socket),
        Err(HandshakeError::Failure(Error::Http(response))) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

fn answer(socket: &mut Socket) -> Value {
    let text = socket.read().expect("an answer").into_text().expect("text");
    serde_json::from_str(&text).expect("JSON")
}

fn send(socket: &mut Socket, picture: Vec<u8>) -> Value {
    socket.send(Message::binary(picture)).expect("to send");
    answer(socket)
}

#[test]
fn each_message_is_a_picture_and_has_an_answer() {
    let house = House::plot();
    let mut socket = connect(&house, "/push/plot", &[]).expect("a WebSocket");
    let first = send(&mut socket, flat(GREEN));
    house.await_colour(GREEN);
    assert_eq!((&first["came"], &first["viewers"]), (&1.into(), &0.into()));
    // Words go before their picture, and are for that one alone.
    let words = r#"{"caption": "Grüße", "duration_ms": 5000}"#;
    socket.send(Message::text(words)).expect("to send");
    let second = send(&mut socket, sized(320, 180, BLUE));
    assert!(
        second["frame"].as_u64() > first["frame"].as_u64(),
        "{second}"
    );
    house.await_colour(BLUE);
    assert_eq!(house.live()["caption"], "Grüße");
    // What is no picture, and what are no words, is told, and the talk goes on.
    let refused = send(&mut socket, b"hello, this is no picture".to_vec());
    assert_eq!(refused["status"], 415, "{refused}");
    socket
        .send(Message::text("{\"caption\": 7}"))
        .expect("to send");
    assert_eq!(answer(&mut socket)["status"], 400);
    let kind = r#"{"type": "image/x-rgb8; width=64; height=48"}"#;
    socket.send(Message::text(kind)).expect("to send");
    let raw = send(&mut socket, RED.0.repeat(64 * 48));
    assert!(raw["frame"].is_u64(), "{raw}");
    house.await_colour(RED);
    assert_eq!(house.live()["caption"], Value::Null);
    assert_eq!(house.live()["has_sender"], true);
    socket.send(Message::Ping("x".into())).expect("to send");
    assert!(matches!(socket.read(), Ok(Message::Pong(_))));
    // Taken off: it hears why.
    let reply = http::request(house.address(), "DELETE", "/push/plot", "", "");
    assert_eq!(reply.status(), 200, "{}", reply.text());
    match socket.read() {
        Ok(Message::Close(Some(frame))) => assert!(frame.reason.contains("taken off"), "{frame}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_websocket_is_a_push_for_rights_and_pages_of_other_sites() {
    let house = House::plot();
    for (more, status) in [
        (&[("origin", "https://evil.example")][..], 403),
        (&[("sec-fetch-site", "cross-site"), ("origin", "null")], 403),
        (&[("sec-websocket-version", "8")], 400),
    ] {
        assert_eq!(
            connect(&house, "/push/plot", more).err(),
            Some(status),
            "{more:?}"
        );
    }
    for (target, status) in [("/push/garage", 404), ("/push/main", 409)] {
        assert_eq!(connect(&house, target, &[]).err(), Some(status), "{target}");
    }
    // Elsewhere there are none: the answer is that of any other request.
    assert_eq!(connect(&house, "/status", &[]).err(), Some(200));
    let own = format!("http://{}", house.address());
    connect(&house, "/c/plot/push", &[("origin", &own)]).expect("a page of ours");

    let secret = new_token(&house.server.data, "plotter", &["--rights", "push@plot"]);
    let viewer = new_token(&house.server.data, "tv", &["--rights", "watch"]);
    until_shut(&house.server);
    assert_eq!(connect(&house, "/push/plot", &[]).err(), Some(401));
    let bearer = format!("Bearer {viewer}");
    let refused = connect(&house, "/push/plot", &[("authorization", &bearer)]);
    assert_eq!(refused.err(), Some(403));
    let target = format!("/push/plot?token={secret}&when-full=wait");
    let mut socket = connect(&house, &target, &[]).expect("a WebSocket");
    assert!(send(&mut socket, flat(GREEN))["frame"].is_u64());
    // It holds up no stop.
    house.server.stop().expect("the server to end");
}

#[test]
fn of_two_sockets_the_later_one_sends() {
    let house = House::plot();
    let mut first = connect(&house, "/push/plot", &[]).expect("a WebSocket");
    send(&mut first, flat(RED));
    let mut second = connect(&house, "/push/plot", &[]).expect("a WebSocket");
    assert!(matches!(first.read(), Ok(Message::Close(Some(_)))));
    send(&mut second, flat(GREEN));
    house.await_colour(GREEN);
    second.close(None).expect("to close");
    while second.read().is_ok() {}
    house.push_colour(BLUE);
}
