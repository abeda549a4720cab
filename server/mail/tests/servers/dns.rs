//! A sender's domain, looked up at a real DNS server.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mail::domain_check::{Check, DnsFacts, Finding, LIMIT, NoAnswer, Sender, State, facts, judge};
use mail::{Dkim, DkimError, Mailer, SmtpSettings, public_key_of};
use serde_json::{Value, json};

use crate::support::{MailServer, dns_server, now, outgoing, python, verify_dkim};

const RSA_KEY: &str = include_str!("../support/dkim_key.pem");
/// Key pair of RFC 8463 appendix A.
const ED25519_KEY: &str = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
const ED25519_PUBLIC: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const OURS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

fn dkim(key: &str) -> Dkim {
    Dkim { domain: "mail.example.com".into(), selector: "mw1".into(), private_key_pem: key.into() }
}

fn sender(key: &str) -> Sender {
    Sender {
        from_domain: "Mail.Example.com.".into(),
        return_path_domain: None,
        dkim: Some(("mw1".into(), public_key_of(&dkim(key)).expect("a key"))),
        sends_from: vec![OURS],
    }
}

/// A zone in which everything is right; the key is longer than one string of a record may be.
fn good_zone() -> Value {
    let key = format!("v=DKIM1; k=rsa; p={}", public_key_of(&dkim(RSA_KEY)).expect("a key"));
    let (first, second) = key.split_at(200);
    json!({
        "mail.example.com": {
            "TXT": [["v=spf1 ip4:192.0.2.0", "/24 -all"], ["some-service-verification=1"]],
            "MX": ["mx.example.com"],
        },
        "mw1._domainkey.mail.example.com": { "TXT": [[first, second]] },
        "_dmarc.mail.example.com": { "TXT": [["v=DMARC1; p=reject"]] },
    })
}

async fn asked(zone: &Value, about: &Sender, limit: Duration) -> Option<DnsFacts> {
    let server = dns_server(zone).await?;
    Some(facts(about, Some(SocketAddr::from(([127, 0, 0, 1], server.port))), limit).await)
}

async fn states(zone: &Value) -> Option<Vec<State>> {
    let about = sender(RSA_KEY);
    let findings = judge(&asked(zone, &about, LIMIT).await?, &about);
    assert_eq!(
        findings.iter().map(|found| found.what).collect::<Vec<_>>(),
        [Check::Spf, Check::Dkim, Check::Dmarc, Check::Mx]
    );
    Some(findings.iter().map(|found| found.state).collect())
}

#[tokio::test]
async fn a_domain_that_is_ready() {
    let Some(states) = states(&good_zone()).await else { return };
    assert_eq!(states, [State::Good; 4]);
}

#[tokio::test]
async fn names_that_do_not_exist_and_names_without_records() {
    for zone in [json!({}), json!({ "mail.example.com": {}, "_dmarc.mail.example.com": {}, "example.com": {} })] {
        let Some(states) = states(&zone).await else { return };
        assert_eq!(states, [State::Missing; 4], "{zone}");
    }
}

#[tokio::test]
async fn two_spf_records() {
    let mut zone = good_zone();
    zone["mail.example.com"]["TXT"] = json!([["v=spf1 ip4:192.0.2.7 -all"], ["v=spf1 mx -all"]]);
    let Some(states) = states(&zone).await else { return };
    assert_eq!(states, [State::Wrong, State::Good, State::Good, State::Good]);
}

#[tokio::test]
async fn a_failing_server_is_no_missing_record() {
    for failure in ["servfail", "refused"] {
        let mut zone = good_zone();
        zone["mail.example.com"] = json!(failure);
        let Some(found) = states(&zone).await else { return };
        assert_eq!(found, [State::Unknown, State::Good, State::Good, State::Unknown], "{failure}");
    }
    let mut zone = good_zone();
    zone["_dmarc.mail.example.com"] = json!({});
    zone["_dmarc.example.com"] = json!("servfail");
    assert_eq!(states(&zone).await.expect("dnslib is there")[2], State::Unknown);
}

#[tokio::test]
async fn silence_ends_in_time_and_keeps_what_was_answered() {
    let mut zone = good_zone();
    zone["mw1._domainkey.mail.example.com"] = json!("silence");
    let about = sender(RSA_KEY);
    let limit = Duration::from_secs(2);
    let Some(server) = dns_server(&zone).await else { return };
    let begun = Instant::now();
    let found = facts(&about, Some(SocketAddr::from(([127, 0, 0, 1], server.port))), limit).await;
    // Longer than the limit only by what a busy machine adds.
    assert!(begun.elapsed() < limit + Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(found.dkim, Err(NoAnswer));
    let states: Vec<State> = judge(&found, &about).iter().map(|found| found.state).collect();
    assert_eq!(states, [State::Good, State::Unknown, State::Good, State::Good]);
}

#[tokio::test]
async fn nobody_listens() {
    let port = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
    let about = sender(RSA_KEY);
    let limit = Duration::from_millis(500);
    let found = facts(&about, Some(SocketAddr::from(([127, 0, 0, 1], port))), limit).await;
    assert!(judge(&found, &about).iter().all(|found| found.state == State::Unknown), "{found:?}");
}

#[tokio::test]
async fn a_key_behind_an_alias_and_an_answer_too_long_for_a_datagram() {
    let mut zone = good_zone();
    zone["keys.provider.example"] = zone["mw1._domainkey.mail.example.com"].take();
    zone["mw1._domainkey.mail.example.com"] = json!({ "CNAME": ["keys.provider.example"] });
    let texts = (0..9).map(|number| json!([format!("{number} {}", "x".repeat(200))]));
    zone["mail.example.com"]["TXT"].as_array_mut().expect("a list").extend(texts);
    let Some(states) = states(&zone).await else { return };
    assert_eq!(states, [State::Good; 4]);
}

#[tokio::test]
async fn dmarc_of_the_organisation_and_bounces_at_an_address() {
    let mut zone = good_zone();
    zone["_dmarc.example.com"] = zone["_dmarc.mail.example.com"].take();
    zone["_dmarc.mail.example.com"] = json!({});
    zone["mail.example.com"]["MX"] = json!([]);
    zone["mail.example.com"]["AAAA"] = json!(["2001:db8::7"]);
    let Some(found) = states(&zone).await else { return };
    assert_eq!(found, [State::Good; 4]);
    zone["mail.example.com"]["MX"] = json!(["."]);
    assert_eq!(states(&zone).await.expect("dnslib is there")[3], State::Wrong);
}

#[tokio::test]
async fn names_that_cannot_stand_in_the_dns_have_no_records() {
    let Some(server) = dns_server(&json!({})).await else { return };
    for from_domain in ["", ".", "a..b", &"x".repeat(64), &"x.".repeat(200), "a b", "a\0b", "\u{202e}"] {
        let about = Sender { from_domain: (*from_domain).into(), ..sender(RSA_KEY) };
        let found = facts(&about, Some(SocketAddr::from(([127, 0, 0, 1], server.port))), LIMIT).await;
        assert_eq!(judge(&found, &about).len(), 4, "{from_domain}");
    }
}

/// Publishes what is advised and looks again.
#[tokio::test]
async fn who_follows_the_advice_is_ready() {
    for key in [RSA_KEY, ED25519_KEY] {
        let about = sender(key);
        let mut zone = json!({ "mail.example.com": { "MX": ["mx.example.com"] } });
        let Some(found) = asked(&zone, &about, LIMIT).await else { return };
        let findings = judge(&found, &about);
        for record in findings.iter().filter_map(|found| found.record.as_deref()) {
            let (name, value) = record.split_once(" TXT ").expect("a TXT record");
            let strings: Vec<_> = value.as_bytes().chunks(255).map(String::from_utf8_lossy).collect();
            zone[name]["TXT"] = json!([strings]);
        }
        let found = asked(&zone, &about, LIMIT).await.expect("dnslib is there");
        let findings = judge(&found, &about);
        assert!(findings.iter().all(|found| found.state == State::Good && found.record.is_none()), "{findings:?}");
    }
}

#[test]
fn the_public_key_is_what_openssl_says() {
    assert_eq!(public_key_of(&dkim(ED25519_KEY)).expect("a key"), ED25519_PUBLIC);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/dkim_key.pem");
    let output = Command::new("openssl").args(["rsa", "-pubout", "-in", path]).stderr(Stdio::null()).output();
    let Ok(output) = output else {
        println!("skipped: there is no openssl");
        return;
    };
    let pem = String::from_utf8(output.stdout).expect("PEM");
    let theirs: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    assert!(!theirs.is_empty());
    assert_eq!(public_key_of(&dkim(RSA_KEY)).expect("a key"), theirs);
}

#[test]
fn a_key_that_cannot_sign_has_no_public_half() {
    for key in ["", "AAAA", "not base64!", &RSA_KEY[..400]] {
        assert!(matches!(public_key_of(&dkim(key)), Err(DkimError::Key(_))), "{key}");
    }
    let nameless = Dkim { selector: "a b".into(), ..dkim(RSA_KEY) };
    assert!(matches!(public_key_of(&nameless), Err(DkimError::Name)));
}

#[tokio::test]
async fn a_reader_of_signatures_accepts_the_advised_record() {
    let Some(python) = python("dkim, aiosmtpd, nacl") else { return };
    for key in [RSA_KEY, ED25519_KEY] {
        let Some(mut server) = MailServer::start(&[]).await else { return };
        let settings = SmtpSettings { url: format!("smtp://127.0.0.1:{}", server.port), dkim: Some(dkim(key)) };
        Mailer::smtp(&settings).expect("settings").send(&outgoing("tom@example.com"), now()).await.expect("taken");
        let received = server.next_mail().await;
        let nothing = DnsFacts {
            bounce_domain: Ok(vec![]),
            dkim: Ok(vec![]),
            dmarc: Ok(vec![]),
            organisational_dmarc: Ok(vec![]),
            mail_exchangers: Ok(vec![]),
            addresses: Ok(vec![]),
        };
        let Finding { record, .. } = judge(&nothing, &sender(key)).swap_remove(1);
        let record = record.expect("a record");
        let (name, value) = record.split_once(" TXT ").expect("a TXT record");
        let verdict = verify_dkim(&python, &received.content, value).await;
        assert!(verdict.holds, "{record}");
        assert_eq!(verdict.asked, [format!("{name}.")]);
    }
}
