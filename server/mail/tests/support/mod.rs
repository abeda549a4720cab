//! Programs of somebody else, in Python, that mails are shown to.

use std::path::PathBuf;
use std::process::Stdio;

use domain::Moment;
use mail::{Outgoing, Rendered};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// Longest any of these tests waits for a line.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// The Python that has the foreign tools (`.ci/setup.sh test`), when the modules are there. Says so when they are not,
/// and fails when `MW_REQUIRE_MAIL_SERVERS` is set.
pub fn python(modules: &str) -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = || {
        let caches = variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")));
        variable("MW_CACHE_DIR").or_else(|| caches.map(|caches| caches.join("mini-webinar")))
    };
    let foreign = variable("MW_FOREIGN").or_else(|| cache().map(|cache| cache.join("foreign")));
    let python = foreign.map(|folder| folder.join("bin/python")).filter(|python| python.exists());
    let python = python.unwrap_or_else(|| PathBuf::from("python3"));
    let import = format!("import {modules}");
    let has_modules = std::process::Command::new(&python)
        .args(["-c", &import])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    assert!(
        has_modules || variable("MW_REQUIRE_MAIL_SERVERS").is_none(),
        "MW_REQUIRE_MAIL_SERVERS is set, and {} cannot import {modules}",
        python.display()
    );
    if !has_modules {
        println!("skipped: {} cannot import {modules}", python.display());
    }
    has_modules.then_some(python)
}

fn script(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/support").join(name)
}

/// A server of somebody else that says on its standard output what happens; ends with its test.
pub struct Server {
    lines: Lines<BufReader<ChildStdout>>,
    _process: Child,
    /// Where it listens.
    pub port: u16,
}

impl Server {
    /// `None` when there is no Python with the modules.
    async fn start(name: &str, modules: &str, arguments: &[&str]) -> Option<Self> {
        let python = python(modules)?;
        let mut process = Command::new(python)
            .arg(script(name))
            .args(arguments)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the server starts");
        let lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let mut server = Self { lines, _process: process, port: 0 };
        let listening = server.next().await;
        assert_eq!(listening["event"], "listening");
        server.port = listening["port"].as_u64().and_then(|port| port.try_into().ok()).expect("a port");
        Some(server)
    }

    /// The next thing that happened.
    pub async fn next(&mut self) -> serde_json::Value {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
        let line = line.expect("in time").expect("readable").expect("the server runs");
        serde_json::from_str(&line).expect("JSON")
    }
}

/// A DNS server that knows what it is given, see `dns_server.py`; `None` when there is no Python with `dnslib`.
pub async fn dns_server(zone: &serde_json::Value) -> Option<Server> {
    Server::start("dns_server.py", "dnslib", &[&zone.to_string()]).await
}

/// A mail server that answers as the recipient's name says.
pub struct MailServer {
    server: Server,
    /// Where it listens.
    pub port: u16,
}

impl MailServer {
    /// `None` when there is no Python with `aiosmtpd`.
    pub async fn start(arguments: &[&str]) -> Option<Self> {
        let server = Server::start("smtp_server.py", "aiosmtpd", arguments).await?;
        Some(Self { port: server.port, server })
    }

    /// The next thing that happened.
    pub async fn next(&mut self) -> serde_json::Value {
        self.server.next().await
    }

    /// The next mail that was handed over.
    pub async fn next_mail(&mut self) -> Received {
        loop {
            let event = self.next().await;
            if event["event"] == "mail" {
                use base64::Engine as _;
                let content = event["content"].as_str().expect("a text");
                return Received {
                    mail_from: event["mail_from"].as_str().expect("an address").to_owned(),
                    content: base64::prelude::BASE64_STANDARD.decode(content).expect("base64"),
                };
            }
        }
    }
}

/// A mail as the server got it.
pub struct Received {
    /// Envelope sender.
    pub mail_from: String,
    /// Headers and body.
    pub content: Vec<u8>,
}

impl Received {
    /// A header's value, unfolded.
    pub fn header(&self, name: &str) -> Option<String> {
        let text = String::from_utf8_lossy(&self.content).replace("\r\n ", " ").replace("\r\n\t", " ");
        let headers = text.split("\r\n\r\n").next()?.to_owned();
        headers.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned))
    }
}

/// What dkimpy says about a mail.
#[derive(Debug, serde::Deserialize)]
pub struct Verdict {
    /// Whether the signature holds.
    pub holds: bool,
    /// The names that were looked up.
    pub asked: Vec<String>,
    /// Headers that are signed.
    pub signed: Vec<String>,
}

/// Shows a mail to dkimpy, with what the DNS says.
pub async fn verify_dkim(python: &std::path::Path, mail: &[u8], dns: &str) -> Verdict {
    let mut process = Command::new(python)
        .arg(script("verify_dkim.py"))
        .arg(dns)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the reader starts");
    let mut input = process.stdin.take().expect("a pipe");
    input.write_all(mail).await.expect("written");
    drop(input);
    let output = tokio::time::timeout(PATIENCE, process.wait_with_output()).await.expect("in time").expect("ends");
    serde_json::from_slice(&output.stdout).expect("a verdict")
}

/// A moment for mails.
pub fn now() -> Moment {
    Moment::from_unix_seconds(1_795_000_000)
}

/// A mail to somebody.
pub fn outgoing(to: &str) -> Outgoing {
    Outgoing {
        id: "0199-abc".into(),
        to: to.into(),
        from_name: "Zoë via My Mini Webinar".into(),
        from: "hello@mail.example.com".into(),
        return_path: Some("bounces+0199abc@mail.example.com".into()),
        reply_to: Some("zoe@example.com".into()),
        content: Rendered {
            subject: "Your place – it begins at seven".into(),
            text: "Hello Tom,\n.\n..and a line that begins with a dot  \n\n\n".into(),
            html: "<p>Grüße</p>\n".into(),
        },
        headers: Vec::new(),
        attachment: None,
    }
}
