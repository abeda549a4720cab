//! Whether bounces can arrive at the return path's domain.

use super::{Check, DnsFacts, Finding, NoAnswer, Sender, State};

pub(super) fn judge(facts: &DnsFacts, about: &Sender) -> Finding {
    let domain = about.bounce_domain();
    let finding = |state, sentence| Finding::new(Check::Mx, state, sentence);
    match (&facts.mail_exchangers, &facts.addresses) {
        (Ok(hosts), _) if hosts.iter().any(|host| host.trim_end_matches('.').is_empty()) => finding(
            State::Wrong,
            format!(
                "{domain} says that it takes no mail at all, so mail that cannot be delivered never comes back to us. \
                 Please have its MX record name a mail server."
            ),
        ),
        (Ok(hosts), _) if !hosts.is_empty() => finding(
            State::Good,
            format!("{domain} names a mail server, so mail that cannot be delivered finds its way back."),
        ),
        // Without an answer about MX an address says nothing: there may be an MX that takes no mail.
        (Err(NoAnswer), _) | (Ok(_), Err(NoAnswer)) => Finding::unknown(Check::Mx, &domain),
        (Ok(_), Ok(addresses)) if !addresses.is_empty() => finding(
            State::Good,
            format!(
                "{domain} names no mail server but has an address, and mail that cannot be delivered comes back there. \
                 Please make sure that a mail server listens at it."
            ),
        ),
        (Ok(_), Ok(_)) => finding(
            State::Missing,
            format!(
                "{domain} has neither a mail server nor an address, so mail that cannot be delivered never comes back, \
                 and many readers refuse mail from such a domain. Please publish an MX record that names its mail server."
            ),
        ),
    }
}
