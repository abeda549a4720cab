//! `healthcheck`: asks a running server whether it is alive, for containers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Outcome;

/// A server that says nothing for this long is not alive.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks the server of this configuration.
///
/// # Errors
/// When nobody answers in time, or not with 200.
pub(super) async fn ask(addr: SocketAddr) -> Outcome {
    let addr = SocketAddr::new(reachable(addr.ip()), addr.port());
    let status = match tokio::time::timeout(PATIENCE, status_line(addr)).await {
        Ok(Ok(line)) => line,
        Ok(Err(error)) => return Err(format!("no server answers on {addr}: {error}").into()),
        Err(_) => return Err(format!("no server answers on {addr} within {} s", PATIENCE.as_secs()).into()),
    };
    if status.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(format!("/healthz answers “{status}”").into()) }
}

/// A server that listens everywhere is asked on this machine.
fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}

async fn status_line(addr: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(addr).await?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut answer = Vec::new();
    stream.take(4096).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned())
}
