//! Mails handed to a mail server nobody here wrote (`aiosmtpd`): what it says is what [`mail::SendError`] says.

use crate::support::{MailServer, now, outgoing};
use mail::{Consequence, EnhancedStatus, Mailer, Outgoing, SendError, SmtpSettings};

const RETURN_PATH: &str = "bounces+0199abc@mail.example.com";

fn mailer(port: u16, sign_in: &str) -> Mailer {
    let url = format!("smtp://{sign_in}127.0.0.1:{port}");
    Mailer::smtp(&SmtpSettings { url, dkim: None }).expect("settings")
}

async fn refused(mailer: &Mailer, mail: &Outgoing) -> SendError {
    mailer.send(mail, now()).await.expect_err("not taken")
}

#[tokio::test]
async fn an_unknown_address_is_refused_and_suppressed() {
    let Some(mut server) = MailServer::start(&[]).await else { return };
    let mailer = mailer(server.port, "");
    let error = refused(&mailer, &outgoing("unknown@example.com")).await;
    assert!(matches!(error, SendError::Permanent(_)), "{error:?}");
    let reply = error.reply();
    assert_eq!((reply.code, reply.enhanced), (Some(550), EnhancedStatus::new(5, 1, 1)));
    assert_eq!(reply.text, "5.1.1 <address>: Recipient address rejected: User unknown in virtual mailbox table");
    assert_eq!(error.consequence(), Consequence::SuppressAddress);
    assert!(!format!("{error} {error:?}").contains("unknown@"), "what is logged names nobody");
    assert_eq!(server.next().await["mail_from"], RETURN_PATH);
    // The connection is used again after a refusal.
    mailer.send(&outgoing("tom@example.com"), now()).await.expect("taken");
    assert_eq!(server.next_mail().await.mail_from, RETURN_PATH);
}

#[tokio::test]
async fn a_greylisted_mail_is_taken_the_second_time() {
    let Some(mut server) = MailServer::start(&[]).await else { return };
    let mailer = mailer(server.port, "");
    let mail = outgoing("greylisted@example.com");
    let error = refused(&mailer, &mail).await;
    assert!(matches!(error, SendError::Transient(_)), "{error:?}");
    assert_eq!((error.reply().code, error.reply().enhanced), (Some(451), EnhancedStatus::new(4, 7, 1)));
    assert_eq!(error.consequence(), Consequence::TryLater);
    assert_eq!(server.next().await["mail_from"], RETURN_PATH);
    mailer.send(&mail, now()).await.expect("taken");
    let received = server.next_mail().await;
    assert_eq!(received.mail_from, RETURN_PATH);
    assert_eq!(received.header("Message-ID").as_deref(), Some("<0199-abc@mail.example.com>"));
}

#[tokio::test]
async fn a_connection_lost_before_the_answer_means_the_same_mail_again() {
    let Some(mut server) = MailServer::start(&[]).await else { return };
    let mailer = mailer(server.port, "");
    let mail = outgoing("dropped@example.com");
    let error = refused(&mailer, &mail).await;
    assert!(matches!(error, SendError::Transient(_)), "{error:?}");
    assert_eq!(error.reply().code, None);
    assert!(!error.reply().text.is_empty());
    assert_eq!(error.consequence(), Consequence::WaitForServer);
    mailer.send(&mail, now()).await.expect("taken");
    let (first, second) = (server.next_mail().await, server.next_mail().await);
    assert_eq!(first.header("Message-ID"), second.header("Message-ID"));
    assert_eq!((first.mail_from.as_str(), second.mail_from.as_str()), (RETURN_PATH, RETURN_PATH));
}

#[tokio::test]
async fn bounces_go_elsewhere_and_the_sender_stays() {
    let Some(mut server) = MailServer::start(&[]).await else { return };
    let mailer = mailer(server.port, "");
    mailer.send(&outgoing("tom@example.com"), now()).await.expect("taken");
    let received = server.next_mail().await;
    let from = received.header("From").expect("a sender");
    assert!(from.ends_with("<hello@mail.example.com>"), "{from}");
    assert_eq!(received.mail_from, RETURN_PATH);
    mailer.send(&Outgoing { return_path: None, ..outgoing("tom@example.com") }, now()).await.expect("taken");
    assert_eq!(server.next_mail().await.mail_from, "hello@mail.example.com");
    let broken = Outgoing { return_path: Some("no address".into()), ..outgoing("tom@example.com") };
    let error = refused(&mailer, &broken).await;
    assert!(matches!(error, SendError::Permanent(_)) && error.reply().code.is_none());
}

#[tokio::test]
async fn each_answer_has_its_consequence() {
    let Some(server) = MailServer::start(&[]).await else { return };
    let mailer = mailer(server.port, "");
    for (name, is_for_now, code, expected) in [
        ("full", true, 552, Consequence::TryLater),
        ("blocked", false, 550, Consequence::AlertOperators),
        ("plain", false, 550, Consequence::RefuseMail),
        ("closing", true, 421, Consequence::WaitForServer),
    ] {
        let error = refused(&mailer, &outgoing(&format!("{name}@example.com"))).await;
        assert_ne!(matches!(error, SendError::Permanent(_)), is_for_now, "{name}: {error:?}");
        assert_eq!((error.reply().code, error.consequence()), (Some(code), expected), "{name}");
        assert!(!error.reply().text.contains('@'), "{name}: {}", error.reply().text);
    }
}

#[tokio::test]
async fn a_domain_that_says_not_so_fast_is_left_alone_for_a_while() {
    let Some(mut server) = MailServer::start(&[]).await else { return };
    let mailer = mailer(server.port, "");
    let error = refused(&mailer, &outgoing("too-many@big.example")).await;
    let SendError::NotBefore(until, _) = &error else { panic!("{error:?}") };
    let until = *until;
    assert_eq!((until, error.reply().code), (now().plus_seconds(30), Some(450)));
    assert_eq!(server.next().await["to"], "too-many@big.example");
    // The next one is not even tried; another domain takes its mail.
    let error = refused(&mailer, &outgoing("tom@BIG.example")).await;
    assert!(matches!(error, SendError::NotBefore(again, _) if again == until), "{error:?}");
    mailer.send(&outgoing("tom@small.example"), now()).await.expect("taken");
    assert_eq!(server.next().await["to"], "tom@small.example");
    server.next_mail().await;
    mailer.send(&outgoing("tom@big.example"), until).await.expect("taken");
    assert_eq!(server.next().await["to"], "tom@big.example");
}

#[tokio::test]
async fn a_password_refused_is_ours_to_mend_and_loses_no_mail() {
    let Some(server) = MailServer::start(&["--refuse-password"]).await else { return };
    let mailer = mailer(server.port, "us:wrong@");
    let error = refused(&mailer, &outgoing("tom@example.com")).await;
    assert!(matches!(error, SendError::Transient(_)), "{error:?}");
    assert_eq!((error.reply().code, error.consequence()), (Some(535), Consequence::AlertOperators));
    let probed = mailer.probe().await.expect_err("not signed in");
    assert_eq!(probed.reply().code, Some(535));
}

#[tokio::test]
async fn nobody_listening_is_nobody_s_fault() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("bound").port();
    drop(taken);
    let error = refused(&mailer(port, ""), &outgoing("tom@example.com")).await;
    assert!(matches!(error, SendError::Transient(_)), "{error:?}");
    assert_eq!((error.reply().code, error.consequence()), (None, Consequence::WaitForServer));
}
