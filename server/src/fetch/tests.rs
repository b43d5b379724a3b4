use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    thread,
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use sha2::{Digest as _, Sha256};
use tokio_rustls::TlsAcceptor;

use super::{trust::Fingerprint, *};
use crate::hex;

const PATIENCE: Duration = Duration::from_secs(20);

fn client() -> Client {
    Client::new(Trust::System, PATIENCE)
}

/// A server that gives each connection one of these answers, and hands over the requests.
fn server(answers: Vec<String>) -> (SocketAddr, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let mut asked = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut piece = [0; 1024];
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                let n = stream.read(&mut piece).unwrap();
                request.extend_from_slice(&piece[..n]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            asked.push(String::from_utf8(request).unwrap());
        }
        asked
    });
    (address, server)
}

fn answer(more: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{more}Content-Length: 5\r\n\r\nhello")
}

#[tokio::test]
async fn redirects_are_followed_on_their_host_and_credentials_come_along() {
    let moved = "HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n".to_owned();
    let (address, server) = server(vec![moved, answer("")]);
    let target: Target = format!("http://anna:secret@{address}/a").parse().unwrap();
    let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static("image/*"))]);
    let got = client().get(&target, &headers).await.unwrap();
    assert_eq!(got.answer.status(), 200);
    assert_eq!(got.target.path(), "/b");
    let (mut answer, mut body) = (got.answer, Vec::new());
    while let Some(piece) = answer.piece().await {
        body.extend_from_slice(&piece.unwrap());
    }
    assert_eq!(body, b"hello");
    let asked = server.join().unwrap();
    for (request, path) in asked.iter().zip(["/a", "/b"]) {
        assert!(
            request.starts_with(&format!("GET {path} HTTP/1.1\r\n")),
            "{request}"
        );
        assert!(
            request.contains("authorization: Basic YW5uYTpzZWNyZXQ=\r\n"),
            "{request}"
        );
        assert!(request.contains("user-agent: Mantel/"), "{request}");
        assert!(request.contains("accept: image/*\r\n"), "{request}");
    }
}

#[tokio::test]
async fn a_redirect_to_another_host_is_not_followed() {
    let away =
        "HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example/\r\nContent-Length: 0\r\n\r\n";
    let (address, server) = server(vec![away.into()]);
    let target: Target = format!("http://{address}/").parse().unwrap();
    let error = client().get(&target, &HeaderMap::new()).await.unwrap_err();
    assert!(matches!(error, FetchError::Elsewhere { .. }), "{error}");
    server.join().unwrap();
    let circle = "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n".to_owned();
    let (address, server) = self::server(vec![circle; MAX_REDIRECTS + 1]);
    let target: Target = format!("http://{address}/").parse().unwrap();
    let error = client().get(&target, &HeaderMap::new()).await.unwrap_err();
    assert!(matches!(error, FetchError::Elsewhere { .. }), "{error}");
    server.join().unwrap();
}

#[tokio::test]
async fn what_is_no_server_is_an_error_in_words() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let target: Target = format!("http://anna:secret@{port}/?token=abc")
        .parse()
        .unwrap();
    let error = client().connect(&target).await.unwrap_err();
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
    for nonsense in [
        "SSH-2.0-OpenSSH_9\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut",
    ] {
        let (address, server) = server(vec![nonsense.into()]);
        let target: Target = format!("http://{address}/").parse().unwrap();
        let error = match client().get(&target, &HeaderMap::new()).await {
            Ok(got) => got.answer.text(100, PATIENCE).await.unwrap_err(),
            Err(error) => error,
        };
        assert!(matches!(error, FetchError::Broken { .. }), "{error}");
        server.join().unwrap();
    }
    let (address, server) = server(vec![answer("")]);
    let target: Target = format!("http://{address}/").parse().unwrap();
    let got = client().get(&target, &HeaderMap::new()).await.unwrap();
    assert!(got.answer.text(4, PATIENCE).await.is_err());
    server.join().unwrap();
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target: Target = format!("http://{}/", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    let client = Client::new(Trust::System, Duration::from_millis(50));
    let error = client.get(&target, &HeaderMap::new()).await.unwrap_err();
    assert!(matches!(error, FetchError::Slow { .. }), "{error}");
}

/// A server with a certificate of its own, and that one's fingerprint.
async fn own() -> (Target, Fingerprint, tokio::task::JoinHandle<()>) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".into()]).unwrap();
    let fingerprint = hex::hex(&Sha256::digest(cert.der()));
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(answer("").as_bytes()).await;
        }
    });
    let target = format!("https://127.0.0.1:{port}/").parse().unwrap();
    (target, fingerprint.parse().unwrap(), server)
}

#[tokio::test]
async fn only_the_certificate_that_was_named_is_believed() {
    let (target, fingerprint, server) = own().await;
    let get = async |trust| {
        let client = Client::new(trust, PATIENCE);
        let got = client.get(&target, &HeaderMap::new()).await?;
        got.answer.text(100, PATIENCE).await
    };
    for trust in [Trust::Fingerprint(fingerprint), Trust::Anyone] {
        assert_eq!(get(trust).await.unwrap(), "hello");
    }
    let other = "ab".repeat(32).parse().unwrap();
    for trust in [Trust::Fingerprint(other), Trust::System] {
        let error = get(trust).await.unwrap_err();
        assert!(matches!(error, FetchError::Tls { .. }), "{error}");
        assert!(
            error.to_string().contains("fingerprint") || trust == Trust::System,
            "{error}"
        );
    }
    server.abort();
}
