//! Rights over one's own data: what can be asked, by when the law wants it done, and how a request moves.
//!
//! Pure rules: nothing here reads a clock or a database. Sources: promises.md, privacy-design §2.3 to §2.6.

use crate::closed_list;
use crate::moment::Moment;
use crate::refusal::{Refusal, RefusalKind};

closed_list! {
    /// Where a coach's account is in its life.
    AccountState {
        /// In use.
        Active = "active",
        /// The coach asked for restriction: kept, shown to her alone, nothing is sent or served.
        Restricted = "restricted",
        /// Deletion was confirmed and can be called off.
        Leaving = "leaving",
        /// Closed: read-only, the export stays open until the erasure begins.
        Closing = "closing",
        /// Being erased; nothing stops it any more.
        Erasing = "erasing",
    }
}

closed_list! {
    /// Where a viewer is in their life.
    SubjectState {
        /// In use.
        Active = "active",
        /// Kept and not used.
        Restricted = "restricted",
        /// Being erased.
        Erasing = "erasing",
    }
}

closed_list! {
    /// Whose law sets the clock.
    Regime {
        /// The GDPR.
        Gdpr = "gdpr",
        /// The UK's GDPR and its Data (Use and Access) Act.
        Uk = "uk",
        /// The CCPA.
        California = "california",
        /// Nobody's in particular; the GDPR's clock is used.
        Other = "other",
    }
}

closed_list! {
    /// Which right is asked for.
    RightKind {
        /// See everything and take it along.
        Access = "access",
        /// Correct something.
        Rectify = "rectify",
        /// Be forgotten.
        Erase = "erase",
        /// Kept, not used.
        Restrict = "restrict",
        /// End a restriction.
        Lift = "lift",
        /// Object to a use.
        Object = "object",
        /// Take an agreement back.
        Withdraw = "withdraw",
        /// A child's data was reported.
        Minor = "minor",
        /// Something was not as promised.
        Complaint = "complaint",
    }
}

closed_list! {
    /// Whose data a request is about.
    SubjectKind {
        /// A coach's.
        Coach = "coach",
        /// A viewer's.
        Viewer = "viewer",
    }
}

closed_list! {
    /// Where a request is in its life (privacy-design §2.3).
    RequestState {
        /// It came in.
        Received = "received",
        /// The person still has to prove who they are.
        AwaitingProof = "awaiting_proof",
        /// They did.
        Verified = "verified",
        /// It can still be called off.
        Undo = "undo",
        /// Its steps are being done.
        Running = "running",
        /// Waits for somebody outside.
        ExternalPending = "external_pending",
        /// Looks whether everything is really gone.
        Verifying = "verifying",
        /// Over.
        Done = "done",
        /// A part is kept under a hold.
        Held = "held",
        /// A step failed; the watchdog takes it up again.
        Failed = "failed",
        /// Not done, for a reason of the closed list.
        Denied = "denied",
        /// Called off by the person.
        Cancelled = "cancelled",
        /// Nobody proved anything in time.
        Expired = "expired",
    }
}

impl RequestState {
    /// Whether nothing happens to it any more.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Denied | Self::Cancelled | Self::Expired)
    }

    /// Whether a request may go from here to there.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        use RequestState as S;
        match self {
            S::Received => matches!(next, S::AwaitingProof | S::Verified | S::Denied | S::Cancelled),
            S::AwaitingProof => matches!(next, S::Verified | S::Denied | S::Cancelled | S::Expired),
            S::Verified => matches!(next, S::Undo | S::Running | S::Denied | S::Cancelled),
            S::Undo => matches!(next, S::Running | S::Cancelled),
            S::Running => matches!(next, S::ExternalPending | S::Verifying | S::Held | S::Failed),
            S::ExternalPending => matches!(next, S::Verifying | S::Held | S::Failed),
            S::Verifying => matches!(next, S::Done | S::Held | S::Failed),
            S::Held => matches!(next, S::Verifying | S::Done | S::Failed),
            // By the watchdog alone, never by hand.
            S::Failed => matches!(next, S::Running),
            S::Done | S::Denied | S::Cancelled | S::Expired => false,
        }
    }

    /// What the Data Rights Protocol calls it.
    #[must_use]
    pub const fn drp_name(self) -> &'static str {
        match self {
            Self::Received => "open",
            Self::Done => "fulfilled",
            Self::Denied => "denied",
            Self::Cancelled => "revoked",
            Self::Expired => "expired",
            _ => "in_progress",
        }
    }

    /// For people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::AwaitingProof => "waiting for your confirmation",
            Self::Verified => "confirmed",
            Self::Undo => "can still be called off",
            Self::Running => "being done",
            Self::ExternalPending => "waiting for another service",
            Self::Verifying => "being checked",
            Self::Done => "done",
            Self::Held => "partly kept for a legal reason",
            Self::Failed => "interrupted, goes on by itself",
            Self::Denied => "denied",
            Self::Cancelled => "called off",
            Self::Expired => "expired",
        }
    }
}

closed_list! {
    /// Why a request is denied: nothing else is a reason (Data Rights Protocol).
    DenialReason {
        /// Somebody pretends to be the person.
        SuspectedFraud = "suspected_fraud",
        /// The proof was not enough.
        InsufficientVerification = "insuf_verification",
        /// Nothing is held.
        NoMatch = "no_match",
        /// The law does not give this right here.
        ClaimNotCovered = "claim_not_covered",
        /// Another country's law.
        OutsideJurisdiction = "outside_jurisdiction",
        /// The same again and again.
        TooManyRequests = "too_many_requests",
        /// Anything else, said in words to the person.
        Other = "other",
    }
}

closed_list! {
    /// Why something outlives an erasure: the closed list of privacy-design §2.4.
    HoldGround {
        /// Invoices, ten years in France.
        Invoice10yFr = "invoice_10y_fr",
        /// Value added tax.
        TaxVat = "tax_vat",
        /// A dispute is open.
        DisputeOpen = "dispute_open",
        /// A claim is made or defended (Art. 17(3)(e)).
        LegalClaim = "legal_claim",
        /// An authority ordered it.
        AuthorityOrder = "authority_order",
        /// Evidence of abuse, twelve months at most.
        AbuseEvidence = "abuse_evidence",
        /// "Do not write to me" has to be remembered.
        Suppression = "suppression",
    }
}

closed_list! {
    /// Why somebody may have processing restricted (Art. 18(1)).
    RestrictionGround {
        /// Is it right? It is being checked.
        Accuracy = "accuracy",
        /// Unlawful, but the person does not want it gone.
        Unlawful = "unlawful",
        /// The person needs it for a claim.
        Claim = "claim",
        /// An objection waits for its answer.
        Objection = "objection",
        /// Somebody reported that it is a child's; it rests until that turns out to be wrong or it is erased.
        Reported = "reported",
    }
}

closed_list! {
    /// To what somebody objects (Art. 21).
    ObjectionScope {
        /// Mail that is not about the registration itself: absolute and at once.
        Marketing = "marketing",
        /// Measuring what they watch.
        Analytics = "analytics",
        /// Everything.
        All = "all",
    }
}

/// Days within which a viewer's erasure is done, well before the law's month.
pub const VIEWER_ERASURE_HOURS: i64 = 24;
/// Days a coach can call her deletion off.
pub const UNDO_DAYS: i64 = 14;
/// Days a closed account stays readable for its export.
pub const CLOSING_DAYS: i64 = 30;
/// The hard stop of a coach's deletion, in days from its confirmation (promise P45).
pub const ERASURE_DAYS: i64 = 30;
/// The day of a deletion on which an alarm goes off when it is not done.
pub const ALARM_DAYS: i64 = 25;
/// An objection without an answer is upheld after this many days.
pub const OBJECTION_DAYS: i64 = 30;
/// A reported child's data is gone within this many hours (promise P50).
pub const MINOR_HOURS: i64 = 72;
/// Days backups are kept (promise P46), and days backups of the keyring are.
pub const BACKUP_DAYS: i64 = 90;
/// See [`BACKUP_DAYS`].
pub const KEYRING_BACKUP_DAYS: i64 = 7;
/// Days a tombstone stands: longer than any backup.
pub const TOMBSTONE_DAYS: i64 = 130;
/// Days an archive can be fetched.
pub const ARCHIVE_DAYS: i64 = 7;
/// Days a record of a finished request is kept (11 CCR 7101).
pub const RECORD_DAYS: i64 = 730;

/// By when the law wants a request done. The GDPR's month is 30 days here, its shortest.
#[must_use]
pub fn due_at(regime: Regime, kind: RightKind, received: Moment) -> Moment {
    match (regime, kind) {
        (_, RightKind::Minor) => received.plus_seconds(MINOR_HOURS * 3600),
        (Regime::California, _) => received.plus_days(45),
        _ => received.plus_days(30),
    }
}

/// By when it can be extended to, with the reason told before the first date: two months more under the GDPR, 45 days
/// more in California, which come to the same.
#[must_use]
pub fn extendable_to(received: Moment) -> Moment {
    received.plus_days(90)
}

/// The next state, or a refusal that says that the request has moved on.
///
/// # Errors
/// Refuses a step the state machine does not have.
pub fn step(from: RequestState, to: RequestState) -> Result<RequestState, Refusal> {
    if from.may_become(to) {
        Ok(to)
    } else {
        Err(Refusal::new(
            RefusalKind::Conflict,
            format!("This request is {} and cannot become {}.", from.label(), to.label()),
        ))
    }
}

/// A number as a power of ten, so that a record says how much without saying whose: `0`, `1-9`, `10-99`, …
#[must_use]
pub fn count_bucket(count: u64) -> String {
    if count == 0 {
        return "0".to_owned();
    }
    let low = 10u64.pow(count.ilog10());
    format!("{low}-{}", low.saturating_mul(10) - 1)
}

/// The supervisory authority a person can complain to, by two-letter country; the French one leads for everybody else.
#[must_use]
pub fn authority(country: &str) -> Authority {
    AUTHORITIES.iter().copied().find(|one| one.country == country).unwrap_or(AUTHORITIES[0])
}

/// A supervisory authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Two-letter country.
    pub country: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Where to complain.
    pub url: &'static str,
}

const fn authority_of(country: &'static str, name: &'static str, url: &'static str) -> Authority {
    Authority { country, name, url }
}

/// Authorities of the countries people come from most; the first one leads.
pub const AUTHORITIES: [Authority; 14] = [
    authority_of("FR", "Commission nationale de l'informatique et des libertés (CNIL)", "https://www.cnil.fr"),
    authority_of("AT", "Datenschutzbehörde", "https://www.dsb.gv.at"),
    authority_of("BE", "Autorité de protection des données", "https://www.autoriteprotectiondonnees.be"),
    authority_of("CH", "Eidgenössischer Datenschutz- und Öffentlichkeitsbeauftragter", "https://www.edoeb.admin.ch"),
    authority_of(
        "DE",
        "Der Bundesbeauftragte für den Datenschutz und die Informationsfreiheit",
        "https://www.bfdi.bund.de",
    ),
    authority_of("ES", "Agencia Española de Protección de Datos", "https://www.aepd.es"),
    authority_of("GB", "Information Commissioner's Office", "https://ico.org.uk"),
    authority_of("IE", "Data Protection Commission", "https://www.dataprotection.ie"),
    authority_of("IT", "Garante per la protezione dei dati personali", "https://www.garanteprivacy.it"),
    authority_of("LU", "Commission nationale pour la protection des données", "https://cnpd.public.lu"),
    authority_of("NL", "Autoriteit Persoonsgegevens", "https://autoriteitpersoonsgegevens.nl"),
    authority_of("PL", "Urząd Ochrony Danych Osobowych", "https://uodo.gov.pl"),
    authority_of("UA", "Ukrainian Parliament Commissioner for Human Rights", "https://ombudsman.gov.ua"),
    authority_of("US", "California Privacy Protection Agency", "https://cppa.ca.gov"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_words_come_back() {
        for state in RequestState::ALL {
            assert_eq!(RequestState::from_stored(state.as_str()), Some(*state));
        }
        assert_eq!(RightKind::from_stored("sell"), None);
    }

    #[test]
    fn every_request_ends_and_none_comes_back_from_its_end() {
        for start in RequestState::ALL {
            // The states reachable from here; one of them is an end, and ends lead nowhere.
            let mut reached = vec![*start];
            let mut at = 0;
            while at < reached.len() {
                for next in RequestState::ALL {
                    if reached[at].may_become(*next) && !reached.contains(next) {
                        reached.push(*next);
                    }
                }
                at += 1;
            }
            assert!(reached.iter().any(|state| state.is_over()), "{start:?} never ends");
            if start.is_over() {
                assert_eq!(reached.len(), 1, "{start:?} is an end");
            }
        }
    }

    #[test]
    fn what_is_being_erased_cannot_be_called_off() {
        for state in [RequestState::Running, RequestState::Verifying, RequestState::Done] {
            assert!(step(state, RequestState::Cancelled).is_err());
        }
        assert_eq!(step(RequestState::Undo, RequestState::Cancelled), Ok(RequestState::Cancelled));
    }

    #[test]
    fn the_shortest_clock_is_a_childs() {
        let received = Moment::from_unix_seconds(1_800_000_000);
        for regime in Regime::ALL {
            assert_eq!(due_at(*regime, RightKind::Minor, received), received.plus_days(3));
            assert!(due_at(*regime, RightKind::Erase, received) < extendable_to(received));
        }
    }

    #[test]
    fn counts_become_powers_of_ten() {
        for (count, bucket) in [(0, "0"), (1, "1-9"), (9, "1-9"), (10, "10-99"), (12_345, "10000-99999")] {
            assert_eq!(count_bucket(count), bucket);
        }
    }
}
