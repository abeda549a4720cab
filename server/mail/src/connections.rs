//! Connections to the mail server, kept open between mails.
//!
//! lettre brings a pool of its own, whose connections write the end of a mail as a packet of its own and then wait, with
//! Nagle's algorithm on their side and the delayed acknowledgement on the other's: 40 ms for every mail, during which
//! nobody works. Here the same protocol of lettre's goes through a stream that writes when it is time to read.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use lettre::address::Envelope;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use url::Url;

use crate::transport::{CONNECTIONS, SendError, TIMEOUT};

/// A connection nobody used for this long is closed, before the server does it.
const IDLE: Duration = Duration::from_secs(60);
/// Written at once beyond this, however long nobody reads.
const MOST_WAITING_BYTES: usize = 256 * 1024;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Collects what is written until somebody wants to read an answer, and sends it then, in as few packets as it takes.
#[derive(Debug)]
struct Gathering<S> {
    stream: S,
    peer: SocketAddr,
    waiting: Vec<u8>,
    written: usize,
}

impl<S: AsyncWrite + Unpin> Gathering<S> {
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        if self.waiting.is_empty() {
            return Poll::Ready(Ok(()));
        }
        while self.written < self.waiting.len() {
            let rest = &self.waiting[self.written..];
            match ready!(Pin::new(&mut self.stream).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into())),
                count => self.written += count,
            }
        }
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.waiting.clear();
        self.written = 0;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gathering<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        if self.waiting.len() >= MOST_WAITING_BYTES {
            ready!(self.poll_send(context))?;
        }
        self.waiting.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        ready!(self.poll_send(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Gathering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        ready!(self.poll_send(context))?;
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin + std::fmt::Debug> AsyncTokioStream for Gathering<S> {
    fn peer_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

/// How the way to the mail server is protected.
enum Security {
    /// Not at all: a server on the same machine.
    None,
    /// By STARTTLS; where it is not required, only if the server offers it.
    StartTls { is_required: bool },
    /// TLS from the first byte.
    Tls(TlsConnector),
}

/// A mail server, and open connections to it.
pub(crate) struct Connections {
    host: String,
    port: u16,
    security: Security,
    credentials: Option<Credentials>,
    hello: ClientId,
    idle: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

impl Connections {
    /// To the server of a URL as lettre reads it: `smtp(s)://user:pass@host:port/name-for-EHLO?tls=required`. Nothing is
    /// connected yet.
    pub(crate) fn to(url: &str) -> Result<Self, BoxError> {
        let url = Url::parse(url)?;
        let host = url.host_str().ok_or("it names no host")?.to_owned();
        let tls = url.query_pairs().find(|(key, _)| key == "tls").map(|(_, value)| value.into_owned());
        let (security, port) = match (url.scheme(), tls.as_deref()) {
            ("smtp", None) => (Security::None, 25),
            ("smtp", Some("required")) => (Security::StartTls { is_required: true }, 587),
            ("smtp", Some("opportunistic")) => (Security::StartTls { is_required: false }, 587),
            ("smtps", _) => (Security::Tls(connector()?), 465),
            _ => return Err("expected smtp or smtps, and tls=required or tls=opportunistic".into()),
        };
        let name = url.path().trim_matches('/');
        let decoded = |text: &str| percent_decode_str(text).decode_utf8().map(std::borrow::Cow::into_owned);
        let credentials = match url.password() {
            Some(password) => Some(Credentials::new(decoded(url.username())?, decoded(password)?)),
            None => None,
        };
        Ok(Self {
            port: url.port().unwrap_or(port),
            hello: if name.is_empty() { ClientId::default() } else { ClientId::Domain(name.to_owned()) },
            host,
            security,
            credentials,
            idle: Mutex::default(),
        })
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(AsyncSmtpConnection, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn stream(&self) -> Result<TcpStream, BoxError> {
        let connected = tokio::time::timeout(TIMEOUT, TcpStream::connect((self.host.as_str(), self.port))).await;
        let stream = connected.map_err(|_| "the mail server does not answer")??;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    async fn open(&self) -> Result<AsyncSmtpConnection, SendError> {
        let stream = self.stream().await.map_err(SendError::Transient)?;
        let peer = stream.peer_addr().map_err(|error| SendError::Transient(error.into()))?;
        let stream: Box<dyn AsyncTokioStream> = match &self.security {
            Security::Tls(connector) => {
                let name =
                    ServerName::try_from(self.host.clone()).map_err(|error| SendError::Transient(error.into()))?;
                let stream =
                    connector.connect(name, stream).await.map_err(|error| SendError::Transient(error.into()))?;
                Box::new(Gathering { stream, peer, waiting: Vec::new(), written: 0 })
            }
            Security::None | Security::StartTls { .. } => {
                Box::new(Gathering { stream, peer, waiting: Vec::new(), written: 0 })
            }
        };
        let mut connection =
            AsyncSmtpConnection::connect_with_transport(stream, &self.hello).await.map_err(SendError::of)?;
        if let Security::StartTls { is_required } = self.security
            && (is_required || connection.can_starttls())
        {
            let tls = TlsParameters::new(self.host.clone()).map_err(SendError::of)?;
            connection.starttls(tls, &self.hello).await.map_err(SendError::of)?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await.map_err(SendError::of)?;
        }
        Ok(connection)
    }

    /// One that is open still, or a new one.
    async fn take(&self) -> Result<AsyncSmtpConnection, SendError> {
        loop {
            let Some((mut connection, since)) = self.idle().pop() else { return self.open().await };
            // A server may close after so many mails or so long: asked before a mail depends on it.
            if since.elapsed() < IDLE && connection.test_connected().await {
                return Ok(connection);
            }
        }
    }

    fn give_back(&self, connection: AsyncSmtpConnection) {
        let mut idle = self.idle();
        idle.retain(|(_, since)| since.elapsed() < IDLE);
        if !connection.has_broken() && idle.len() < CONNECTIONS {
            idle.push((connection, Instant::now()));
        }
    }

    /// Hands over one mail.
    pub(crate) async fn send(&self, envelope: &Envelope, mail: &[u8]) -> Result<(), SendError> {
        let mut connection = self.take().await?;
        let answer = connection.send(envelope, mail).await;
        self.give_back(connection);
        answer.map(drop).map_err(SendError::of)
    }

    /// Greets the server and signs in.
    pub(crate) async fn probe(&self) -> Result<(), SendError> {
        let mut connection = self.open().await?;
        let answers = connection.test_connected().await;
        connection.abort().await;
        if answers { Ok(()) } else { Err(SendError::Transient("the mail server did not greet".into())) }
    }
}

fn connector() -> Result<TlsConnector, BoxError> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn what_is_written_goes_when_somebody_reads_and_all_at_once() {
        let (here, mut there) = tokio::io::duplex(1 << 20);
        let peer = SocketAddr::from(([127, 0, 0, 1], 25));
        let mut stream = Gathering { stream: here, peer, waiting: Vec::new(), written: 0 };
        for part in [&b"a mail"[..], b"\r\n.\r\n"] {
            stream.write_all(part).await.expect("taken");
            stream.flush().await.expect("taken");
        }
        let mut seen = [0; 64];
        let nothing = tokio::time::timeout(Duration::ZERO, there.read(&mut seen)).await;
        assert!(nothing.is_err(), "nobody has asked for an answer");
        let (answer, count) = tokio::join!(
            async {
                let mut answer = [0; 2];
                stream.read_exact(&mut answer).await.expect("answered");
                answer
            },
            async {
                let count = there.read(&mut seen).await.expect("comes");
                there.write_all(b"ok").await.expect("answers");
                count
            }
        );
        assert_eq!((&answer, &seen[..count]), (b"ok", &b"a mail\r\n.\r\n"[..]));
    }

    #[tokio::test]
    async fn a_long_mail_does_not_pile_up() {
        let (here, mut there) = tokio::io::duplex(1 << 20);
        let peer = SocketAddr::from(([127, 0, 0, 1], 25));
        let mut stream = Gathering { stream: here, peer, waiting: Vec::new(), written: 0 };
        let part = vec![b'x'; MOST_WAITING_BYTES];
        stream.write_all(&part).await.expect("taken");
        stream.write_all(b"end").await.expect("taken");
        assert_eq!(stream.waiting, b"end");
        let mut seen = vec![0; MOST_WAITING_BYTES];
        there.read_exact(&mut seen).await.expect("went");
        stream.shutdown().await.expect("ends");
        let mut rest = Vec::new();
        drop(stream);
        there.read_to_end(&mut rest).await.expect("went");
        assert_eq!(rest, b"end");
    }

    #[test]
    fn a_url_says_where_and_how() {
        let to = Connections::to("smtp://us%40mail:p%40ss@mail.example:2525/us.example?tls=required").expect("read");
        assert_eq!((to.host.as_str(), to.port, to.hello.to_string().as_str()), ("mail.example", 2525, "us.example"));
        assert!(matches!(to.security, Security::StartTls { is_required: true }) && to.credentials.is_some());
        let to = Connections::to("smtps://mail.example").expect("read");
        assert!(matches!(to.security, Security::Tls(_)) && to.port == 465 && to.credentials.is_none());
        assert_eq!(Connections::to("smtp://mail.example").map(|to| to.port).ok(), Some(25));
        assert!(Connections::to("http://mail.example").is_err() && Connections::to("smtp:?tls=required").is_err());
    }
}
