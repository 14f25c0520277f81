//! Who may be asked. Names of hosts come from objects that anybody with a lab can write: a route must not become a way to
//! make StarGate talk to what only StarGate can reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// A host, or a domain with all below it, that is answered at an address, over plain HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The host or domain.
    pub domain: String,
    /// Where it is answered.
    pub address: SocketAddr,
}

/// Why an override is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not HOST=ADDRESS:PORT, as in apps.east.example=127.0.0.1:8081")]
pub struct OverrideError(String);

impl FromStr for Override {
    type Err = OverrideError;

    fn from_str(text: &str) -> Result<Self, OverrideError> {
        let wrong = || OverrideError(text.to_owned());
        let (domain, address) = text.split_once('=').ok_or_else(wrong)?;
        Ok(Self {
            domain: domain.to_owned(),
            address: address.parse().map_err(|_| wrong())?,
        })
    }
}

/// Resolves hosts and refuses addresses. Every connection of a probe goes through it, so what was checked is what is asked.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    domains: Vec<String>,
    overrides: Vec<Override>,
}

/// The host resolves to addresses that may not be asked.
#[derive(Debug, thiserror::Error)]
#[error("{host} resolves to {address}, which may not be probed")]
pub(super) struct Refused {
    host: String,
    address: IpAddr,
}

impl Guard {
    pub(super) fn new(domains: &[String], overrides: &[Override]) -> Self {
        Self {
            domains: domains.to_vec(),
            overrides: overrides.to_vec(),
        }
    }

    /// Where the host is answered instead of where its name leads.
    pub(super) fn overridden(&self, host: &str) -> Option<SocketAddr> {
        let entry = self.overrides.iter().find(|entry| is_within(host, &entry.domain));
        entry.map(|entry| entry.address)
    }

    /// Those of the addresses that may be asked.
    pub(super) fn allowed(&self, host: &str, addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Refused> {
        let ours = self.domains.iter().any(|domain| is_within(host, domain));
        let may = |address: &SocketAddr| match class(address.ip()) {
            Class::Public => true,
            Class::Private => ours,
            Class::Never => false,
        };
        let (allowed, refused): (Vec<_>, Vec<_>) = addresses.into_iter().partition(may);
        match refused.first() {
            Some(address) if allowed.is_empty() => Err(Refused {
                host: host.to_owned(),
                address: address.ip(),
            }),
            _ => Ok(allowed),
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let host = name.as_str();
            let addresses = match guard.overridden(host) {
                Some(address) => vec![address],
                None => {
                    let found = tokio::net::lookup_host((host, 0)).await?.collect();
                    guard.allowed(host, found)?
                }
            };
            let addresses: Addrs = Box::new(addresses.into_iter());
            Ok(addresses)
        })
    }
}

fn is_within(host: &str, domain: &str) -> bool {
    let domain = domain.trim_start_matches('.');
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// What an address is to a stranger.
#[derive(Debug, PartialEq, Eq)]
enum Class {
    /// Anybody may ask it.
    Public,
    /// Inside of some network: a router, if its domain is configured.
    Private,
    /// This machine, its link, everybody or nobody: never a router. Metadata services live here.
    Never,
}

fn class(address: IpAddr) -> Class {
    match address {
        IpAddr::V4(address) => class_v4(address),
        IpAddr::V6(address) => class_v6(address),
    }
}

fn class_v4(address: Ipv4Addr) -> Class {
    let [first, second, third, _] = address.octets();
    if address.is_loopback() || address.is_link_local() || address.is_multicast() || first == 0 || first >= 240 {
        Class::Never
    } else if address.is_private()
        || (first == 100 && (64..128).contains(&second))
        || (first == 198 && (18..20).contains(&second))
        || (first == 192 && second == 0 && third == 0)
        || address.is_documentation()
    {
        Class::Private
    } else {
        Class::Public
    }
}

fn class_v6(address: Ipv6Addr) -> Class {
    let segments = address.segments();
    let v4 = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        class_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // Addresses that carry a v4 address are what that address is: mapped, NAT64, 6to4.
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] if high != 0 => v4(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        [0x64, 0xff9b, ..] | [0xfc00..=0xfdff, ..] | [0x2001, 0xdb8, ..] => Class::Private,
        [0, ..] | [0xfe80..=0xfeff, ..] | [0xff00..=0xffff, ..] => Class::Never,
        _ => Class::Public,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_classed_by_who_may_ask_them() {
        for (address, expected) in [
            ("93.184.216.34", Class::Public),
            ("2606:2800:220::1", Class::Public),
            ("10.1.2.3", Class::Private),
            ("172.16.0.1", Class::Private),
            ("192.168.1.1", Class::Private),
            ("100.64.0.1", Class::Private),
            ("fd00::1", Class::Private),
            ("::ffff:10.0.0.1", Class::Private),
            ("64:ff9b::a00:1", Class::Private),
            ("2002:a00:1::1", Class::Private),
            ("127.0.0.1", Class::Never),
            ("169.254.169.254", Class::Never),
            ("0.0.0.0", Class::Never),
            ("255.255.255.255", Class::Never),
            ("224.0.0.1", Class::Never),
            ("::1", Class::Never),
            ("::", Class::Never),
            ("fe80::1", Class::Never),
            ("ff02::1", Class::Never),
            ("::ffff:169.254.169.254", Class::Never),
            ("64:ff9b::a9fe:a9fe", Class::Never),
        ] {
            assert_eq!(class(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn private_addresses_are_asked_only_in_our_domains() {
        let guard = Guard::new(&["apps.east.example".to_owned()], &[]);
        let at = |address: &str| vec![SocketAddr::new(address.parse().unwrap(), 0)];
        assert!(guard.allowed("web.apps.east.example", at("10.0.0.1")).is_ok());
        assert!(guard.allowed("web.apps.east.example.attacker.test", at("10.0.0.1")).is_err());
        assert!(guard.allowed("evilapps.east.example", at("10.0.0.1")).is_err());
        assert!(guard.allowed("elsewhere.example", at("93.184.216.34")).is_ok());
        let error = guard.allowed("web.apps.east.example", at("169.254.169.254")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "web.apps.east.example resolves to 169.254.169.254, which may not be probed"
        );
    }

    #[test]
    fn overrides_are_a_host_or_domain_and_an_address() {
        let entry: Override = "apps.east.example=127.0.0.1:8081".parse().unwrap();
        let guard = Guard::new(&[], &[entry]);
        assert_eq!(guard.overridden("web.apps.east.example"), Some("127.0.0.1:8081".parse().unwrap()));
        assert_eq!(guard.overridden("web.apps.west.example"), None);
        assert!("apps.east.example".parse::<Override>().is_err());
    }
}
