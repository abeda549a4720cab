//! What is known of the browser that asks: coarse by design (promises P13 and P14).
//!
//! The address and the full user agent are read here, reduced, and forgotten. Nothing downstream can store what it
//! never receives.

use std::net::IpAddr;
use std::sync::LazyLock;

/// A visitor's browser, coarse enough to be kept.
#[derive(Clone, Debug)]
pub struct Client {
    /// Family and class, such as `Firefox/desktop`.
    pub device: String,
    /// Two-letter country, or `??`.
    pub country: String,
    /// Network prefix for limits (IPv4 /24, IPv6 /48). Lives in memory only; limits store a keyed hash of it.
    pub network: [u8; 6],
}

static COUNTRIES: LazyLock<std::sync::Arc<tor_geoip::GeoipDb>> = LazyLock::new(tor_geoip::GeoipDb::new_embedded);

impl Client {
    /// Reduces an address and a user agent to what may be kept.
    #[must_use]
    pub fn observe(address: IpAddr, user_agent: &str) -> Self {
        Self { device: device(user_agent), country: country(address), network: network(address) }
    }

    /// Nobody in particular: for the command line, seeds and tests.
    #[must_use]
    pub fn unknown() -> Self {
        Self { device: "other/other".to_owned(), country: "??".to_owned(), network: [0; 6] }
    }
}

fn country(address: IpAddr) -> String {
    COUNTRIES.lookup_country_code(canonical(address)).map_or_else(|| "??".to_owned(), |code| code.as_ref().to_owned())
}

fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

fn network(address: IpAddr) -> [u8; 6] {
    match canonical(address) {
        IpAddr::V4(four) => {
            let octets = four.octets();
            [4, octets[0], octets[1], octets[2], 0, 0]
        }
        IpAddr::V6(six) => {
            let octets = six.octets();
            [octets[0], octets[1], octets[2], octets[3], octets[4], octets[5]]
        }
    }
}

/// Family and class from a closed list, so that a crafted user agent cannot write text into the database.
fn device(user_agent: &str) -> String {
    let has = |part: &str| user_agent.contains(part);
    let family = if has("bot") || has("Bot") || has("crawler") || has("spider") {
        "Bot"
    } else if has("Edg/") || has("EdgA/") || has("EdgiOS/") {
        "Edge"
    } else if has("OPR/") || has("Opera") {
        "Opera"
    } else if has("SamsungBrowser/") {
        "Samsung Internet"
    } else if has("Firefox/") || has("FxiOS/") {
        "Firefox"
    } else if has("Chrome/") || has("CriOS/") || has("Chromium/") {
        "Chrome"
    } else if has("Safari/") && has("Version/") {
        "Safari"
    } else {
        "other"
    };
    let class = if has("iPad") || has("Tablet") || (has("Android") && !has("Mobile")) {
        "tablet"
    } else if has("Mobile") || has("iPhone") || has("Android") {
        "phone"
    } else if has("Windows") || has("Macintosh") || has("X11") || has("CrOS") {
        "desktop"
    } else {
        "other"
    };
    format!("{family}/{class}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_kept_as_family_and_class_only() {
        let cases = [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox/desktop"),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari/phone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15; Pixel) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36",
                "Chrome/phone",
            ),
            ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge/desktop"),
            ("canary-7f3a unique agent", "other/other"),
        ];
        for (agent, expected) in cases {
            assert_eq!(device(agent), expected);
        }
    }

    #[test]
    fn an_address_becomes_a_country_and_a_prefix() {
        let client = Client::observe("203.0.113.77".parse().expect("address"), "");
        assert_eq!(client.network, [4, 203, 0, 113, 0, 0]);
        assert_eq!(client.country.len(), 2);
        let mapped = Client::observe("::ffff:203.0.113.9".parse().expect("address"), "");
        assert_eq!(mapped.network, client.network);
    }
}
