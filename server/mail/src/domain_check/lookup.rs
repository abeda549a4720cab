//! Asks the DNS. No answer is kept: whoever has just changed a record asks again.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use tokio::time::timeout;

use super::{DnsFacts, NoAnswer, Records, Sender, Txt};

/// Longest [`facts`] should take when a person waits for it.
pub const LIMIT: Duration = Duration::from_secs(5);

/// How often a question is put to the resolver within the limit: a datagram may get lost.
const TRIES: u32 = 3;

/// Asks everything [`super::judge`] wants to know, all at once. `resolver` is whom to ask, the system's when there is
/// none; after `limit` (usually [`LIMIT`]) whatever has not been answered is [`NoAnswer`]. Never fails: a name that
/// cannot stand in the DNS has no records there.
pub async fn facts(about: &Sender, resolver: Option<SocketAddr>, limit: Duration) -> DnsFacts {
    let asker = Asker { resolver: build(resolver, limit), limit };
    let bounce_domain = about.bounce_domain();
    let (txt, dkim, dmarc, organisational_dmarc, mail_exchangers, v4, v6) = tokio::join!(
        asker.txt(Some(bounce_domain.clone())),
        asker.txt(about.dkim_name()),
        asker.txt(Some(about.dmarc_name())),
        asker.txt(about.organisational_dmarc_name()),
        asker.ask(&bounce_domain, RecordType::MX, mail_exchanger),
        asker.ask(&bounce_domain, RecordType::A, address),
        asker.ask(&bounce_domain, RecordType::AAAA, address),
    );
    DnsFacts { bounce_domain: txt, dkim, dmarc, organisational_dmarc, mail_exchangers, addresses: either(v4, v6) }
}

/// One address is enough to know that there are some; that there are none takes both answers.
fn either(v4: Records<IpAddr>, v6: Records<IpAddr>) -> Records<IpAddr> {
    match (v4, v6) {
        (Ok(v4), Ok(v6)) => Ok(v4.into_iter().chain(v6).collect()),
        (Ok(some), Err(NoAnswer)) | (Err(NoAnswer), Ok(some)) if !some.is_empty() => Ok(some),
        _ => Err(NoAnswer),
    }
}

fn build(server: Option<SocketAddr>, limit: Duration) -> Option<TokioResolver> {
    let mut builder = match server {
        None => TokioResolver::builder_tokio().inspect_err(report).ok()?,
        Some(server) => {
            let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
            for connection in &mut connections {
                connection.port = server.port();
            }
            let server = NameServerConfig::new(server.ip(), true, connections);
            let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    let options = builder.options_mut();
    options.timeout = limit / TRIES;
    options.attempts = TRIES as usize - 1;
    // What this machine calls itself is not what the world sees.
    options.use_hosts_file = ResolveHosts::Never;
    options.cache_size = 0;
    builder.build().inspect_err(report).ok()
}

fn report(error: &NetError) {
    tracing::warn!(%error, "the DNS cannot be asked");
}

struct Asker {
    resolver: Option<TokioResolver>,
    limit: Duration,
}

impl Asker {
    async fn txt(&self, name: Option<String>) -> Records<Txt> {
        match name {
            Some(name) => self.ask(&name, RecordType::TXT, text).await,
            None => Ok(Vec::new()),
        }
    }

    async fn ask<T>(&self, name: &str, kind: RecordType, read: fn(&RData) -> Option<T>) -> Records<T> {
        let Ok(mut name) = Name::from_utf8(name) else { return Ok(Vec::new()) };
        // Or the system's search domains would be tried behind it.
        name.set_fqdn(true);
        let resolver = self.resolver.as_ref().ok_or(NoAnswer)?;
        match timeout(self.limit, resolver.lookup(name, kind)).await {
            Ok(Ok(found)) => Ok(found.answers().iter().filter_map(|record| read(&record.data)).collect()),
            Ok(Err(error)) if says_nothing_there(&error) => Ok(Vec::new()),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a DNS question was not answered");
                Err(NoAnswer)
            }
            Err(_) => Err(NoAnswer),
        }
    }
}

fn says_nothing_there(error: &NetError) -> bool {
    matches!(error, NetError::Dns(DnsError::NoRecordsFound(nothing))
        if matches!(nothing.response_code, ResponseCode::NoError | ResponseCode::NXDomain))
}

fn text(data: &RData) -> Option<Txt> {
    let RData::TXT(txt) = data else { return None };
    Some(Txt(txt.txt_data.iter().map(|string| string.to_vec()).collect()))
}

fn mail_exchanger(data: &RData) -> Option<String> {
    let RData::MX(mx) = data else { return None };
    Some(mx.exchange.to_utf8())
}

fn address(data: &RData) -> Option<IpAddr> {
    match data {
        RData::A(address) => Some(IpAddr::V4(address.0)),
        RData::AAAA(address) => Some(IpAddr::V6(address.0)),
        _ => None,
    }
}
