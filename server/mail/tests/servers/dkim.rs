//! Signatures as a reader nobody here wrote (`dkimpy`) sees them, on mails as a mail server got them.

use crate::support::{MailServer, Received, now, outgoing, python, verify_dkim};
use mail::{Attachment, Dkim, DkimError, Mailer, Outgoing, SendError, SettingsError, SmtpSettings, one_click};

/// Made for these tests; signs for nobody.
const RSA_KEY: &str = include_str!("../support/dkim_key.pem");
const RSA_DNS: &str = "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA06tKmg9l6VX+poxbH74CanWD+ZrwcNyLKqGaY0eVlH3/Ddoqht2IGye5AqOGLCzFl79+OTAeFNlJ+aA0yOtmb5OJqhn5DFXIzxrNzr5gb0E6QmknT3uB5dsM/3MIKdSrQ0ybEmKsXA1n2XOYCD3eNHIW+YGv7t74MuvC0p70Clx7HGl2EaxV33NMspi6EpNHKSshxzXcwErekiTxSGDhDoXyrXVn4CHxEmoVxWAgJ9QTBmZj/CxLrZ+BaumoX8YA93oFTHC9hbzLDd9/Y6xICDDBRl16q0Kbht3FadusjLUBiuqZbzSr3jBfQO8qxr5HjRUuLpyylfXNUpul7ghqBQIDAQAB";
/// Key pair of RFC 8463 appendix A.
const ED25519_KEY: &str = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
const ED25519_DNS: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

fn dkim(key: &str) -> Dkim {
    Dkim { domain: "mail.example.com".into(), selector: "mw1".into(), private_key_pem: key.into() }
}

fn settings(port: u16, dkim: Dkim) -> SmtpSettings {
    SmtpSettings { url: format!("smtp://127.0.0.1:{port}"), dkim: Some(dkim) }
}

/// A mail with everything a reminder has, the address to end them longer than a line.
fn reminder() -> Outgoing {
    let url = format!("https://webinars.example.com/u/{}", "0123456789abcdef".repeat(6));
    let mut headers = Vec::from(one_click(&url));
    headers[0].1 = format!("<mailto:leave@mail.example.com?subject=leave>, {}", headers[0].1);
    let attachment = Attachment {
        name: "webinar.ics".into(),
        content_type: "text/calendar; charset=utf-8; method=PUBLISH".into(),
        content: "BEGIN:VCALENDAR\r\nSUMMARY:Grüße\r\nEND:VCALENDAR\r\n".into(),
    };
    Outgoing { headers, attachment: Some(attachment), ..outgoing("tom@example.com") }
}

async fn sent(dkim: Dkim, mail: &Outgoing) -> Option<Received> {
    let mut server = MailServer::start(&[]).await?;
    let mailer = Mailer::smtp(&settings(server.port, dkim)).expect("settings");
    mailer.send(mail, now()).await.expect("taken");
    Some(server.next_mail().await)
}

#[tokio::test]
async fn an_rsa_signature_holds_and_covers_what_it_must() {
    let Some(python) = python("dkim, aiosmtpd") else { return };
    let Some(received) = sent(dkim(RSA_KEY), &reminder()).await else { return };
    let text = String::from_utf8_lossy(&received.content);
    assert!(text.contains("List-Unsubscribe: <mailto:leave@mail.example.com?subject=leave>,\r\n "), "folded: {text}");
    let verdict = verify_dkim(&python, &received.content, RSA_DNS).await;
    assert!(verdict.holds, "{text}");
    assert_eq!(verdict.asked, ["mw1._domainkey.mail.example.com."]);
    let mut signed = verdict.signed;
    signed.sort();
    let expected = [
        "content-type",
        "date",
        "from",
        "list-unsubscribe",
        "list-unsubscribe-post",
        "message-id",
        "mime-version",
        "reply-to",
        "subject",
        "to",
    ];
    assert_eq!(signed, expected);
    let signature = received.header("DKIM-Signature").expect("signed");
    assert!(signature.contains("c=relaxed/relaxed") && signature.contains("a=rsa-sha256"), "{signature}");
}

#[tokio::test]
async fn what_a_relay_folds_anew_still_holds_and_what_it_changes_does_not() {
    let Some(python) = python("dkim, aiosmtpd") else { return };
    let Some(received) = sent(dkim(RSA_KEY), &reminder()).await else { return };
    let text = String::from_utf8(received.content).expect("seven bits");
    let unfolded = text.replace("leave>,\r\n ", "leave>, ");
    let folded =
        text.replace("Subject: ", "subject:\r\n\t  ").replace("List-Unsubscribe-Post: ", "List-Unsubscribe-Post:\r\n ");
    assert!(unfolded != text && folded != text);
    for holding in [unfolded, folded] {
        assert!(verify_dkim(&python, holding.as_bytes(), RSA_DNS).await.holds, "{holding}");
    }
    for (from, to) in [
        ("webinars.example.com/u/0123", "elsewhere.example.com/u/0123"),
        ("List-Unsubscribe=One-Click", "List-Unsubscribe=No"),
        ("multipart/mixed", "multipart/related"),
        ("zoe@example.com", "eve@example.com"),
        ("0199-abc@", "0199-abd@"),
        ("Hello Tom", "Hello Tim"),
    ] {
        let changed = text.replace(from, to);
        assert_ne!(changed, text, "{from}");
        assert!(!verify_dkim(&python, changed.as_bytes(), RSA_DNS).await.holds, "{from}");
    }
}

#[tokio::test]
async fn an_ed25519_signature_holds() {
    let Some(python) = python("dkim, aiosmtpd, nacl") else { return };
    let Some(received) = sent(dkim(ED25519_KEY), &reminder()).await else { return };
    assert!(verify_dkim(&python, &received.content, ED25519_DNS).await.holds);
}

#[tokio::test]
async fn headers_a_mail_lacks_are_not_named() {
    let Some(python) = python("dkim, aiosmtpd") else { return };
    let one_click = Vec::from(one_click("https://webinars.example.com/u/x"));
    for (reply_to, headers, named) in [
        (None, Vec::new(), 7),
        (Some("zoe@example.com".to_owned()), Vec::new(), 8),
        (None, one_click[..1].to_vec(), 8),
        (None, one_click, 9),
    ] {
        let mail = Outgoing { reply_to, headers, ..outgoing("tom@example.com") };
        let Some(received) = sent(dkim(RSA_KEY), &mail).await else { return };
        let verdict = verify_dkim(&python, &received.content, RSA_DNS).await;
        assert!(verdict.holds && verdict.signed.len() == named, "{verdict:?}");
    }
}

#[tokio::test]
async fn long_headers_are_signed_and_endless_ones_refused() {
    let Some(python) = python("dkim, aiosmtpd") else { return };
    let mut mail = reminder();
    mail.content.subject = "A long – subject ".repeat(200);
    let Some(received) = sent(dkim(ED25519_KEY), &mail).await else { return };
    assert!(verify_dkim(&python, &received.content, ED25519_DNS).await.holds);
    // Signed, they would end the whole program: lettre calls itself once for every character.
    mail.content.subject = "A long – subject ".repeat(20_000);
    let mailer = Mailer::smtp(&settings(25, dkim(ED25519_KEY))).expect("settings");
    let error = mailer.send(&mail, now()).await.expect_err("refused before anything is sent");
    assert!(matches!(error, SendError::Permanent(_)), "{error:?}");
    assert!(error.reply().text.contains("headers"), "{:?}", error.reply());
}

#[test]
fn settings_that_cannot_sign_are_refused_before_the_first_mail() {
    let refusal = |dkim| match settings(25, dkim).check() {
        Err(SettingsError::Dkim(error)) => error,
        other => panic!("{other:?}"),
    };
    assert!(settings(25, dkim(RSA_KEY)).check().is_ok() && settings(25, dkim(ED25519_KEY)).check().is_ok());
    for key in
        ["", "AAAA", "not base64!", &RSA_KEY[..400], "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"]
    {
        assert!(matches!(refusal(dkim(key)), DkimError::Key(_)), "{key}");
    }
    for name in ["", "a b", "a;b", "a..b", "a\r\nb", ".a"] {
        assert!(matches!(refusal(Dkim { domain: name.into(), ..dkim(RSA_KEY) }), DkimError::Name), "{name}");
        assert!(matches!(refusal(Dkim { selector: name.into(), ..dkim(RSA_KEY) }), DkimError::Name), "{name}");
    }
}

#[test]
fn no_key_is_ever_printed() {
    let shown = format!("{:?}", settings(25, dkim(ED25519_KEY)));
    assert!(
        shown.contains("mail.example.com") && !shown.contains(ED25519_KEY) && !shown.contains("127.0.0.1"),
        "{shown}"
    );
    let error = settings(25, dkim("secret that is no key")).check().expect_err("no key");
    assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
}
