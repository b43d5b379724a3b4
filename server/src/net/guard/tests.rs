use std::fs;

use super::*;
use crate::{
    blocking::Blocking,
    net::visitor::{Peer, Visitor},
};

fn basic(name: &str, password: &str) -> Credentials {
    Credentials {
        basic: Some((name.into(), password.into())),
        ..Credentials::default()
    }
}

fn token(secret: &str) -> Credentials {
    Credentials {
        in_query: Some(secret.into()),
        ..Credentials::default()
    }
}

fn cookie(value: &str) -> Credentials {
    Credentials {
        cookies: vec![value.into()],
        ..Credentials::default()
    }
}

const HOME: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1)));

fn with_users(dir: &std::path::Path) -> Guard {
    let file = dir.join("passwords");
    let anna = password_line(Some("anna"), &Rights::SCREEN, "secret").unwrap();
    let bob = password_line(Some("bob"), &"watch".parse().unwrap(), "other").unwrap();
    fs::write(&file, format!("{anna}\n{bob}\n")).unwrap();
    Guard::new(Some(file), Vec::new(), Some(TokenFile::of(dir, None))).unwrap()
}

#[tokio::test]
async fn without_users_and_tokens_everyone_is_let_in() {
    let dir = tempfile::tempdir().unwrap();
    let guard = Guard::new(None, Vec::new(), Some(TokenFile::of(dir.path(), None))).unwrap();
    assert!(guard.is_open());
    let entry = guard.admit(&token("wrong"), HOME).await.unwrap();
    assert_eq!(entry.member.rights, Rights::ALL);
    let visitor = Visitor::new(Peer::Unix, false, &entry.member);
    drop(entry);
    // The first token shuts the door, for those who are in as well.
    TokenFile::of(dir.path(), None)
        .create("tv", &Rights::SCREEN, 0, None)
        .unwrap();
    guard.replace(guard.files.read(Blocking::here(), &guard.book()).unwrap());
    assert!(visitor.is_gone());
    assert_eq!(
        guard
            .admit(&Credentials::default(), HOME)
            .await
            .unwrap_err(),
        Denied::Unknown
    );
}

#[tokio::test]
async fn passwords_let_in_and_leave_a_cookie() {
    let dir = tempfile::tempdir().unwrap();
    let guard = with_users(dir.path());
    let entry = guard.admit(&basic("anna", "secret"), HOME).await.unwrap();
    assert_eq!(entry.member.rights, Rights::SCREEN);
    let (value, _) = entry.cookie.unwrap();
    let again = guard.admit(&cookie(&value), HOME).await.unwrap();
    assert_eq!(again.member.name.as_deref(), Some("anna"));
    for (name, password) in [
        ("anna", "other"),
        ("anna", ""),
        ("bob", "secret"),
        ("eva", "secret"),
        ("", ""),
    ] {
        let denied = guard.admit(&basic(name, password), HOME).await.unwrap_err();
        assert_eq!(denied, Denied::Unknown, "{name} {password}");
    }
    // Another's name over a right signature, and a signature cut short.
    let (name, signature) = credentials::unsigned(&value).unwrap();
    assert_eq!(name, "anna");
    for forged in [
        credentials::signed("bob", &signature),
        credentials::signed("anna", &signature[..16]),
        credentials::signed("anna", &[]),
    ] {
        assert!(guard.admit(&cookie(&forged), HOME).await.is_err());
    }
}

#[tokio::test]
async fn wrong_passwords_are_limited_and_right_ones_never_locked_out() {
    let dir = tempfile::tempdir().unwrap();
    let guard = with_users(dir.path());
    // Somebody who came in from here before.
    guard.admit(&basic("bob", "other"), HOME).await.unwrap();
    let mut throttled = 0;
    for i in 0..15 {
        match guard
            .admit(&basic("anna", &format!("guess {i}")), HOME)
            .await
            .unwrap_err()
        {
            Denied::Throttled(wait) => {
                assert!(!wait.is_zero());
                throttled += 1;
            }
            denied => assert_eq!(denied, Denied::Unknown),
        }
    }
    assert!(throttled >= 4, "{throttled}");
    // Even the right one has to wait here, unless it was right before; elsewhere it is let in.
    let right = basic("anna", "secret");
    assert!(matches!(
        guard.admit(&right, HOME).await,
        Err(Denied::Throttled(_))
    ));
    guard.admit(&basic("bob", "other"), HOME).await.unwrap();
    guard
        .admit(&right, Some("10.0.0.2".parse().unwrap()))
        .await
        .unwrap();
}

#[tokio::test]
async fn who_is_revoked_is_gone_and_the_others_stay() {
    let dir = tempfile::tempdir().unwrap();
    let tokens = TokenFile::of(dir.path(), None);
    let tv = tokens.create("tv", &Rights::SCREEN, 0, None).unwrap();
    let radio = tokens.create("radio", &Rights::SCREEN, 0, None).unwrap();
    let guard = Guard::new(None, Vec::new(), Some(TokenFile::of(dir.path(), None))).unwrap();
    let visitor = |entry: Entry| Visitor::new(Peer::Unix, false, &entry.member);
    let on_tv = visitor(guard.admit(&token(&tv), HOME).await.unwrap());
    let on_radio = visitor(guard.admit(&cookie(&radio), HOME).await.unwrap());
    assert_eq!(on_tv.name.as_deref(), Some("tv"));
    tokens.revoke("tv").unwrap();
    guard.replace(guard.files.read(Blocking::here(), &guard.book()).unwrap());
    assert!(on_tv.is_gone() && !on_radio.is_gone());
    assert!(guard.admit(&token(&tv), HOME).await.is_err());
    // The last one revoked opens nothing.
    tokens.revoke("radio").unwrap();
    guard.replace(guard.files.read(Blocking::here(), &guard.book()).unwrap());
    assert!(on_radio.is_gone() && !guard.is_open());
}

#[tokio::test]
async fn tokens_end_when_their_time_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let tokens = TokenFile::of(dir.path(), None);
    let past = tokens.create("past", &Rights::SCREEN, 0, Some(1)).unwrap();
    let later = unix_now() + 1000;
    let coming = tokens
        .create("coming", &Rights::SCREEN, 0, Some(later))
        .unwrap();
    let guard = Guard::new(None, Vec::new(), Some(TokenFile::of(dir.path(), None))).unwrap();
    assert!(guard.admit(&token(&past), HOME).await.is_err());
    let entry = guard.admit(&token(&coming), HOME).await.unwrap();
    let (_, seconds) = entry.cookie.unwrap();
    assert!((900..=1000).contains(&seconds));
}

#[test]
fn texts_do_not_run_into_each_other() {
    let guard = Guard::new(None, Vec::new(), None).unwrap();
    assert_ne!(guard.digest("ab", "c"), guard.digest("a", "bc"));
}
