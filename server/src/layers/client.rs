//! Who asks: address and user agent are reduced here, once, and go no further; the session token is read from its
//! cookie.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use app::context::SessionToken;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use backend::Client;
use ipnet::IpNet;

use crate::state::AppState;

/// Puts [`Client`] and [`SessionToken`] into the request's extensions.
pub async fn observe(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |info| info.0.ip());
    let address = address(peer, request.headers(), &state.config.trusted_proxies);
    let agent = text(request.headers(), header::USER_AGENT.as_str());
    let client = Client::observe(address, agent);
    let token = cookie(request.headers(), app::context::session_cookie_name(state.backend.config().is_https()));
    request.extensions_mut().insert(client);
    request.extensions_mut().insert(SessionToken(token));
    next.run(request).await
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// A forwarded address is believed only from a proxy on this machine or one that was named, and then only as far as
/// such proxies wrote it themselves: from the right, up to the first address that is none of theirs.
fn address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| address.is_loopback() || trusted.iter().any(|net| net.contains(address));
    let mut nearest = peer.to_canonical();
    for hop in text(headers, "x-forwarded-for").rsplit(',') {
        if !is_trusted(&nearest) {
            break;
        }
        let Ok(hop) = hop.trim().parse::<IpAddr>() else { break };
        nearest = hop.to_canonical();
    }
    nearest
}

/// A cookie by its name.
pub(crate) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_proxy_on_this_machine_may_name_another_address() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "198.51.100.1, 203.0.113.7".parse().expect("value"));
        let local: IpAddr = "127.0.0.1".parse().expect("address");
        let far: IpAddr = "192.0.2.1".parse().expect("address");
        assert_eq!(address(local, &headers, &[]), "203.0.113.7".parse::<IpAddr>().expect("address"));
        assert_eq!(address(far, &headers, &[]), far);
    }

    #[test]
    fn named_proxies_are_passed_over_from_the_right_and_nobody_else_is() {
        let headers = |value: &'static str| {
            HeaderMap::from_iter([(
                http::header::HeaderName::from_static("x-forwarded-for"),
                value.parse().expect("value"),
            )])
        };
        let ip = |text: &str| text.parse::<IpAddr>().expect("address");
        let trusted = ["10.0.0.0/8".parse::<IpNet>().expect("network")];
        let seen = |peer: &str, value| address(ip(peer), &headers(value), &trusted);
        assert_eq!(seen("10.1.2.3", "198.51.100.9, 203.0.113.7, 10.9.9.9"), ip("203.0.113.7"));
        assert_eq!(seen("::ffff:10.1.2.3", "203.0.113.7"), ip("203.0.113.7"));
        assert_eq!(seen("10.1.2.3", "unknown"), ip("10.1.2.3"));
        assert_eq!(seen("192.0.2.1", "203.0.113.7"), ip("192.0.2.1"));
        assert_eq!(seen("10.1.2.3", "10.0.0.8"), ip("10.0.0.8"));
    }

    #[test]
    fn the_session_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, "a=1; mw_session=secret; b=2".parse().expect("value"));
        assert_eq!(cookie(&headers, "mw_session").as_deref(), Some("secret"));
        assert_eq!(cookie(&headers, "__Host-mw_session"), None);
    }
}
