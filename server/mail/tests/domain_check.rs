//! What the DNS may say about a sender's domain, and what is thought of it.

use std::net::IpAddr;

use mail::domain_check::State::{Good, Missing, Unknown, Weak, Wrong};
use mail::domain_check::{Check, DnsFacts, Finding, NoAnswer, Records, Sender, State, Txt, judge};
use proptest::prelude::*;

const RSA: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYt";
/// Public key of RFC 8463 appendix A.
const ED25519: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

fn nothing() -> DnsFacts {
    DnsFacts {
        bounce_domain: Ok(vec![]),
        dkim: Ok(vec![]),
        dmarc: Ok(vec![]),
        organisational_dmarc: Ok(vec![]),
        mail_exchangers: Ok(vec![]),
        addresses: Ok(vec![]),
    }
}

fn sender() -> Sender {
    Sender {
        from_domain: "mail.example.com".into(),
        return_path_domain: None,
        dkim: Some(("mw1".into(), RSA.into())),
        sends_from: vec![],
    }
}

fn addresses(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().expect("an address")).collect()
}

fn records(texts: &[&str]) -> Records<Txt> {
    Ok(texts.iter().map(|text| Txt::from(*text)).collect())
}

fn found(facts: &DnsFacts, about: &Sender, what: Check) -> Finding {
    let findings = judge(facts, about);
    assert_eq!(
        findings.iter().map(|found| found.what).collect::<Vec<_>>(),
        [Check::Spf, Check::Dkim, Check::Dmarc, Check::Mx]
    );
    findings.into_iter().find(|found| found.what == what).expect("one of each")
}

fn spf(texts: &[&str], sends_from: &[&str]) -> Finding {
    let about = Sender { sends_from: addresses(sends_from), ..sender() };
    found(&DnsFacts { bounce_domain: records(texts), ..nothing() }, &about, Check::Spf)
}

fn dkim(texts: &[&str], key: &str) -> Finding {
    let about = Sender { dkim: Some(("mw1".into(), key.into())), ..sender() };
    found(&DnsFacts { dkim: records(texts), ..nothing() }, &about, Check::Dkim)
}

fn dmarc(own: &[&str], above: &[&str], about: &Sender) -> Finding {
    let facts = DnsFacts { dmarc: records(own), organisational_dmarc: records(above), ..nothing() };
    found(&facts, about, Check::Dmarc)
}

#[test]
fn spf_in_one_record() {
    let ten = format!("v=spf1 {}~all", "include:x.example ".repeat(10));
    let eleven = format!("v=spf1 {}~all", "include:x.example ".repeat(11));
    let ten_and_redirect = format!("v=spf1 {}redirect=y.example", "a ".repeat(10));
    let ten_and_idle_redirect = format!("v=spf1 {}redirect=y.example ~all", "mx ".repeat(10));
    let behind_all = format!("v=spf1 -all {}", "exists:x.example ".repeat(11));
    for (text, state) in [
        ("v=spf1 include:_spf.example.net ~all", Good),
        ("V=SPF1 INCLUDE:_spf.example.net -ALL", Good),
        ("v=spf1   mx   -all  ", Good),
        ("v=spf1 redirect=_spf.example.net", Good),
        ("v=spf1 a:other.example/24//64 mx/28 ptr exists:%{i}.x.example exp=why.example x-note=1 -all", Good),
        (&ten, Good),
        (&ten_and_idle_redirect, Good),
        (&behind_all, Good),
        ("v=spf1 mx", Weak),
        ("v=spf1", Weak),
        ("v=spf1 mx ?all", Weak),
        ("v=spf1 mx +all", Wrong),
        ("v=spf1 all", Wrong),
        (&eleven, Wrong),
        (&ten_and_redirect, Wrong),
        ("v=spf1 mx redirect=a.example redirect=b.example", Wrong),
        ("v=spf1 include: -all", Wrong),
        ("v=spf1 include -all", Wrong),
        ("v=spf1 ip4:192.0.2.300 -all", Wrong),
        ("v=spf1 ip4:192.0.2.0/33 -all", Wrong),
        ("v=spf1 ip4:2001:db8::1 -all", Wrong),
        ("v=spf1 ip6:192.0.2.1 -all", Wrong),
        ("v=spf1 ip4 -all", Wrong),
        ("v=spf1 mx -all.", Wrong),
        ("v=spf1 mx\t-all", Wrong),
        ("v=spf1 -redirect=x.example", Wrong),
        ("v=spf1 every:one -all", Wrong),
        ("v=spf1 mx – -all", Wrong),
        ("v=spf1 mx x=\u{7} -all", Wrong),
        (" v=spf1 mx -all", Wrong),
        ("v=spf10 mx -all", Missing),
        ("v=spf2.0/pra mx -all", Missing),
        ("hello", Missing),
    ] {
        let finding = spf(&[text, "some-service-verification=1"], &[]);
        assert_eq!(finding.state, state, "{text}: {}", finding.sentence);
    }
}

#[test]
fn spf_and_the_addresses_mail_leaves_from() {
    let ours = ["192.0.2.7", "2001:db8::7"];
    for (text, state) in [
        ("v=spf1 ip4:192.0.2.7 ip6:2001:db8::/32 -all", Good),
        ("v=spf1 ip4:0.0.0.0/0 ip6:::/0 -all", Good),
        ("v=spf1 include:_spf.example.net -all", Good),
        ("v=spf1 ip4:192.0.2.7 -all", Wrong),
        ("v=spf1 ip4:192.0.2.8 ip6:2001:db8::7 ~all", Wrong),
        ("v=spf1 -ip4:192.0.2.7 ip4:192.0.2.0/24 ip6:2001:db8::7 -all", Wrong),
        ("v=spf1 -include:bad.example -all", Wrong),
        ("v=spf1 -all mx", Wrong),
    ] {
        let finding = spf(&[text], &ours);
        assert_eq!(finding.state, state, "{text}: {}", finding.sentence);
    }
    assert_eq!(spf(&["v=spf1 ip4:192.0.2.7 -all"], &["::ffff:192.0.2.7"]).state, Good);
}

#[test]
fn what_spf_record_is_advised() {
    let ours = ["192.0.2.7", "2001:db8::7"];
    for (texts, sends_from, record) in [
        (&[][..], &ours[..], Some("v=spf1 ip4:192.0.2.7 ip6:2001:db8::7 ~all")),
        (&[], &[], None),
        (&["v=spf1 mx"], &[], Some("v=spf1 mx ~all")),
        (&["v=spf1 mx +all"], &ours, Some("v=spf1 ip4:192.0.2.7 ip6:2001:db8::7 mx ~all")),
        (&["v=spf1 ip4:192.0.2.7 -all"], &ours, Some("v=spf1 ip6:2001:db8::7 ip4:192.0.2.7 -all")),
        (&["v=spf1 -ip4:192.0.2.7 -all"], &ours[..1], Some("v=spf1 ip4:192.0.2.7 -ip4:192.0.2.7 -all")),
        (
            &["v=spf1 include:a.example MX -all", "v=spf1 mx include:b.example ~all"],
            &[],
            Some("v=spf1 include:a.example MX include:b.example ~all"),
        ),
        (&["v=spf1 mx -all", "v=spf1 redirect=x.example"], &[], None),
        (&["v=spf1 mx exp=a.example -all", "v=spf1 a exp=b.example -all"], &[], None),
        (&["v=spf1 mx every:one"], &ours, None),
        (&[" v=spf1 mx -all"], &[], Some("v=spf1 mx -all")),
        (&["v=spf1 mx redirect=x.example +all"], &[], Some("v=spf1 mx ~all")),
        (&["v=spf1 mx -all"], &[], None),
    ] {
        let finding = spf(texts, sends_from);
        let expected = record.map(|record| format!("mail.example.com TXT {record}"));
        assert_eq!(finding.record, expected, "{texts:?}: {}", finding.sentence);
        if let Some(record) = record {
            assert_eq!(spf(&[record], sends_from).state, Good, "{record}");
        }
    }
}

#[test]
fn spf_is_looked_up_where_bounces_go() {
    let about = Sender {
        return_path_domain: Some("Bounces.Example.com.".into()),
        sends_from: addresses(&["192.0.2.7"]),
        ..sender()
    };
    let finding = found(&nothing(), &about, Check::Spf);
    assert_eq!(finding.record.as_deref(), Some("bounces.example.com TXT v=spf1 ip4:192.0.2.7 ~all"));
}

#[test]
fn dkim_keys() {
    let folded: String = RSA.chars().flat_map(|character| [character, ' ']).collect();
    for (texts, state) in [
        (&[&*format!("v=DKIM1; k=rsa; p={RSA}")][..], Good),
        (&[&*format!("p={RSA}")], Good),
        (&[&*format!(" v = DKIM1 ;k= RSA;\tp = {folded} ; ")], Good),
        (&[&*format!("v=DKIM1; p={RSA}; t=s; h=sha1:SHA256; s=*; n=a=b")], Good),
        (&[&*format!("v=DKIM1; t=y:s; p={RSA}")], Weak),
        (&[&*format!("V=DKIM1; P={RSA}")], Weak),
        (&[&*format!("v=dkim1; p={RSA}")], Wrong),
        (&[&*format!("v=DKIM2; p={RSA}")], Wrong),
        (&[&*format!("p={RSA}; v=DKIM1")], Wrong),
        (&[&*format!("v=DKIM1; p={RSA}; p={RSA}")], Wrong),
        (&[&*format!("v=DKIM1; p={RSA}; h=sha1")], Wrong),
        (&[&*format!("v=DKIM1; p={RSA}; s=tlsrpt")], Wrong),
        (&[&*format!("v=DKIM1; k=ed25519; p={RSA}")], Wrong),
        (&[&*format!("v=DKIM1; p={RSA}A")], Wrong),
        (&[&*format!("v=DKIM1; p={}", RSA.to_lowercase())], Wrong),
        (&[&*format!("\"v=DKIM1; p={RSA}\"")], Wrong),
        (&["v=DKIM1; p="], Wrong),
        (&["v=DKIM1; k=rsa"], Wrong),
        (&["v=spf1 -all"], Wrong),
        (&[""], Wrong),
        (&[&*format!("p={RSA}"), &*format!("p={RSA}")], Wrong),
        (&[], Missing),
    ] {
        let finding = dkim(texts, RSA);
        assert_eq!(finding.state, state, "{texts:?}: {}", finding.sentence);
        let advised = (state != Good).then(|| format!("mw1._domainkey.mail.example.com TXT v=DKIM1; k=rsa; p={RSA}"));
        assert_eq!(finding.record, advised);
    }
    assert!(dkim(&["p="], RSA).sentence.contains("revoked"));
    assert_eq!(dkim(&[&format!("v=DKIM1; k=ed25519; p={}", ED25519.trim_end_matches('='))], ED25519).state, Good);
    assert_eq!(dkim(&[&format!("v=DKIM1; p={ED25519}")], ED25519).state, Wrong);
}

#[test]
fn strings_of_one_record_are_joined_without_a_gap() {
    let text = format!("v=DKIM1; p={RSA}");
    for cut in 0..=text.len() {
        let (first, second) = text.as_bytes().split_at(cut);
        let facts = DnsFacts { dkim: Ok(vec![Txt(vec![first.to_vec(), second.to_vec()])]), ..nothing() };
        assert_eq!(found(&facts, &sender(), Check::Dkim).state, Good);
    }
}

#[test]
fn without_a_key_there_is_nothing_to_publish() {
    let finding = found(&nothing(), &Sender { dkim: None, ..sender() }, Check::Dkim);
    assert_eq!((finding.state, finding.record), (Missing, None));
}

#[test]
fn dmarc_policies() {
    const OWN: &str = "_dmarc.mail.example.com";
    const ABOVE: &str = "_dmarc.example.com";
    for (own, above, state, advised_at) in [
        (&["v=DMARC1; p=none"][..], &[][..], Good, None),
        (&[" V = DMARC1 ; P = Quarantine ; rua=mailto:a@example.com!10m"], &[], Good, None),
        (&["v=DMARC1;p=reject;", "v=spf1 -all", "unrelated"], &["v=DMARC1"], Good, None),
        (&["v=DMARC1; p=none", "v=DMARC1; p=reject"], &[], Wrong, Some(OWN)),
        (&["v=DMARC1"], &["v=DMARC1; p=none"], Wrong, Some(OWN)),
        (&["v=DMARC1; p="], &[], Wrong, Some(OWN)),
        (&["v=DMARC1; p=block"], &[], Wrong, Some(OWN)),
        (&["v=DMARC1; p=none; p=none"], &[], Wrong, Some(OWN)),
        (&["v=DMARC1; p=none; rua"], &[], Wrong, Some(OWN)),
        (&["v=dmarc1; p=none"], &[], Wrong, Some(OWN)),
        (&[], &["v=DMARC1; p=none"], Good, None),
        (&["unrelated"], &["v=DMARC1; p=none"], Good, None),
        (&[], &["v=DMARC1; sp=none"], Wrong, Some(ABOVE)),
        (&["p=none; v=DMARC1"], &[], Missing, Some(OWN)),
        (&["v=DMARC12; p=none"], &[], Missing, Some(OWN)),
        (&[], &[], Missing, Some(OWN)),
    ] {
        let finding = dmarc(own, above, &sender());
        assert_eq!(finding.state, state, "{own:?} {above:?}: {}", finding.sentence);
        assert_eq!(finding.record, advised_at.map(|name| format!("{name} TXT v=DMARC1; p=none")), "{own:?} {above:?}");
    }
    let two = ["v=DMARC1; p=reject; n=\u{7}", "v=DMARC1; p=reject; rua=mailto:a@example.com"];
    let kept = dmarc(&two, &[], &sender()).record.expect("one of them");
    assert_eq!(kept, format!("{OWN} TXT {}", two[1]), "the one that can be shown");
    assert!(dmarc(&["v=DMARC1; p=none"], &[], &sender()).sentence.contains("p=quarantine"), "a hint");
    assert!(dmarc(&[], &["v=DMARC1; p=none; sp=reject"], &sender()).sentence.contains("refuse"));
    assert!(dmarc(&["v=DMARC1; p=none; sp=reject"], &[], &sender()).sentence.contains("right for the start"));
}

#[test]
fn the_sender_address_is_in_line_with_the_signature_or_the_return_path() {
    let unsigned = |return_path: &str| Sender { dkim: None, return_path_domain: Some(return_path.into()), ..sender() };
    for (record, about, state) in [
        ("v=DMARC1; p=none", unsigned("mail.example.com"), Good),
        ("v=DMARC1; p=none", unsigned("bounces.EXAMPLE.com."), Good),
        ("v=DMARC1; p=none; aspf=s", unsigned("bounces.example.com"), Wrong),
        ("v=DMARC1; p=none", unsigned("provider.example"), Wrong),
        ("v=DMARC1; p=none", unsigned("notexample.com"), Wrong),
        ("v=DMARC1; p=reject", Sender { return_path_domain: Some("provider.example".into()), ..sender() }, Good),
    ] {
        let finding = dmarc(&[record], &[], &about);
        assert_eq!(finding.state, state, "{record} {about:?}: {}", finding.sentence);
    }
}

#[test]
fn somewhere_for_bounces_to_go() {
    for (mail_exchangers, at, state) in [
        (Ok(vec!["mx.example.com."]), Err(NoAnswer), Good),
        (Ok(vec!["."]), Ok(&["192.0.2.7"][..]), Wrong),
        (Ok(vec![]), Ok(&["192.0.2.7"]), Good),
        (Ok(vec![]), Ok(&[]), Missing),
        (Ok(vec![]), Err(NoAnswer), Unknown),
        (Err(NoAnswer), Ok(&["192.0.2.7"]), Unknown),
    ] {
        let facts = DnsFacts {
            mail_exchangers: mail_exchangers.map(|hosts| hosts.into_iter().map(str::to_owned).collect()),
            addresses: at.map(addresses),
            ..nothing()
        };
        let finding = found(&facts, &sender(), Check::Mx);
        assert_eq!((finding.state, finding.record), (state, None), "{facts:?}");
    }
}

#[test]
fn no_answer_is_no_missing_record() {
    let facts = DnsFacts {
        bounce_domain: Err(NoAnswer),
        dkim: Err(NoAnswer),
        dmarc: Err(NoAnswer),
        organisational_dmarc: Err(NoAnswer),
        mail_exchangers: Err(NoAnswer),
        addresses: Err(NoAnswer),
    };
    for finding in judge(&facts, &sender()) {
        assert_eq!((finding.state, finding.record), (Unknown, None));
        assert!(finding.sentence.contains("try again"), "{}", finding.sentence);
    }
    let only_above = DnsFacts { organisational_dmarc: Err(NoAnswer), ..nothing() };
    assert_eq!(found(&only_above, &sender(), Check::Dmarc).state, Unknown);
    let own_is_enough = DnsFacts { dmarc: records(&["v=DMARC1; p=none"]), ..only_above };
    assert_eq!(found(&own_is_enough, &sender(), Check::Dmarc).state, Good);
}

/// Bytes that are nearly records.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let word = prop::sample::select(vec![
        "v=spf1",
        "v=DKIM1",
        "v=DMARC1",
        "p=",
        "p=none",
        ";",
        " ",
        "=",
        ":",
        "/",
        "+",
        "-all",
        "ip4:192.0.2.7/",
        "ip6:",
        "include:",
        "redirect=",
        "a",
        "999999999999",
        "–",
        "\0",
        "\t",
        "all",
        "%{",
        "t=y:",
        "k=rsa",
        RSA,
    ]);
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..80),
        prop::collection::vec(word, 0..16).prop_map(|words| words.concat().into_bytes()),
    ]
}

proptest! {
    #[test]
    fn no_bytes_in_the_dns_end_anything(
        texts in prop::collection::vec(prop::collection::vec(nearly(), 0..4), 0..3),
        hosts in prop::collection::vec(".*", 0..3),
        from_domain in ".*",
        return_path_domain in prop::option::of(".*"),
        dkim in prop::option::of((".*", ".*")),
        sends_from in prop::collection::vec(any::<IpAddr>(), 0..3),
    ) {
        let texts: Vec<Txt> = texts.into_iter().map(Txt).collect();
        let facts = DnsFacts {
            bounce_domain: Ok(texts.clone()),
            dkim: Ok(texts.clone()),
            dmarc: Ok(texts.clone()),
            organisational_dmarc: Ok(texts),
            mail_exchangers: Ok(hosts),
            addresses: Ok(sends_from.clone()),
        };
        let findings = judge(&facts, &Sender { from_domain, return_path_domain, dkim, sends_from });
        prop_assert_eq!(findings.len(), 4);
        prop_assert!(findings.iter().all(|finding| finding.sentence.ends_with('.')));
    }

    #[test]
    fn an_advised_spf_record_is_good(
        terms in prop::collection::vec(prop::collection::vec(prop::sample::select(vec![
            "mx", "-mx", "a:x.example", "ip4:192.0.2.7", "-ip4:192.0.2.0/24", "~ip4:192.0.2.7", "include:x.example",
            "redirect=y.example", "exp=z.example", "+all", "-all", "?all", "exists:%{i}.x.example",
        ]), 0..14), 0..3),
        sends_from in prop::sample::subsequence(vec!["192.0.2.7", "2001:db8::7"], 0..=2),
    ) {
        let texts: Vec<String> = terms.iter().map(|terms| format!("v=spf1 {}", terms.join(" "))).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let finding = spf(&texts, &sends_from);
        if let Some(record) = &finding.record {
            let (name, value) = record.split_once(" TXT ").expect("a TXT record");
            prop_assert_eq!(name, "mail.example.com");
            let after = spf(&[value], &sends_from);
            prop_assert_eq!((after.state, after.record), (State::Good, None), "{:?}: {}", texts, value);
        }
    }
}
