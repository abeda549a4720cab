//! What was done with people's data, on record and without people (privacy-design §2.7).
//!
//! Every entry names the hash of the one before it, so that nothing can be changed, taken out or put in between
//! without the chain breaking. By construction there is no room for a name, an address, an IP or a sentence: an entry
//! is made of words from closed lists, a class of the data map, a power of ten, hashes, and the id of a request whose
//! own record forgets whose it was.

use domain::ids::RequestId;
use domain::rights::count_bucket;
use domain::{Moment, closed_list};
use persistence::audits::{self as queries, Entry};
use persistence::entities::audit_entry;
use sea_orm::ConnectionTrait;
use sha2::{Digest, Sha256};

use crate::DataMap;

/// What an entry's hash begins with: another form would be another chain.
const FORM: &str = "mini-webinar audit 1";
/// `prev` of the very first entry.
const GENESIS: [u8; 32] = [0; 32];
/// Class of an entry that is about no class in particular.
const NO_CLASS: &str = "none";
/// Entries of one read.
const PAGE_ROWS: u64 = 1_000;

closed_list! {
    /// What happened.
    Event {
        /// A request was made.
        Opened = "opened",
        /// The person proved who they are.
        Proven = "proven",
        /// Its steps began.
        Started = "started",
        /// The watchdog took it up again.
        Resumed = "resumed",
        /// A step failed.
        Failed = "failed",
        /// A part is kept under a hold.
        Held = "held",
        /// It is over and done.
        Done = "done",
        /// It was denied.
        Denied = "denied",
        /// The person called it off.
        Cancelled = "cancelled",
        /// Nobody proved anything in time.
        Expired = "expired",
        /// Data of a class was erased.
        Erased = "erased",
        /// Data of a class was given to its person.
        Exported = "exported",
        /// Data of a class was corrected.
        Corrected = "corrected",
        /// Data was set to rest.
        Restricted = "restricted",
        /// Data is used again.
        Lifted = "lifted",
        /// Somebody objected.
        Objected = "objected",
        /// An objection was upheld.
        ObjectionUpheld = "objection_upheld",
        /// The coach's grounds weighed more.
        ObjectionRejected = "objection_rejected",
        /// An agreement was taken back.
        Withdrawn = "withdrawn",
        /// Data was removed because its time was over.
        TimeOver = "time_over",
        /// An operator looked at somebody's data.
        Looked = "looked",
        /// An authority was given data.
        Disclosed = "disclosed",
        /// A backup was made, or removed.
        BackedUp = "backed_up",
        /// A backup was restored.
        Restored = "restored",
        /// A new policy was published.
        PolicyChanged = "policy_changed",
    }
}

closed_list! {
    /// Who did it: a part, never a person.
    Role {
        /// A coach.
        Coach = "coach",
        /// A viewer.
        Viewer = "viewer",
        /// An operator.
        Operator = "operator",
        /// Somebody's agent.
        Agent = "agent",
        /// The service by itself.
        System = "system",
    }
}

/// A class of the data map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class(String);

impl Class {
    /// By its key in the map; nothing for what is no class.
    #[must_use]
    pub fn of(map: &DataMap, key: &str) -> Option<Self> {
        map.classes.contains_key(key).then(|| Self(key.to_owned()))
    }

    /// About no class in particular.
    #[must_use]
    pub fn none() -> Self {
        Self(NO_CLASS.to_owned())
    }
}

/// What is put on record. Every field is of a type that cannot hold anything about anybody.
#[derive(Clone, Debug)]
pub struct Happened {
    /// What.
    pub event: Event,
    /// Who, as a part.
    pub by: Role,
    /// In the course of which request.
    pub request: Option<RequestId>,
    /// About which class of data.
    pub class: Class,
    /// How much; a power of ten is kept.
    pub count: u64,
}

/// Where a chain stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of the last entry; 0 before the first.
    pub seq: i64,
    /// Its hash.
    pub hash: Vec<u8>,
}

/// What a look through the whole chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every entry fits the one before it.
    Whole {
        /// How many there are.
        entries: u64,
        /// The last one.
        head: Head,
    },
    /// The chain breaks at this entry.
    Broken {
        /// Its number.
        seq: i64,
    },
}

/// SHA-256 over the canonical form: one `name=value` a line, in one order, each value of an alphabet without line
/// breaks, so that no two entries share a form.
#[must_use]
pub fn hash(entry: &Entry) -> [u8; 32] {
    Sha256::digest(canonical(entry)).into()
}

fn canonical(entry: &Entry) -> String {
    let request = entry.request_id.map_or_else(|| "-".to_owned(), |id| id.to_string());
    format!(
        "{FORM}\nseq={}\nat={}\nevent={}\nrequest={request}\nrole={}\nclass={}\ncount={}\nmap={}\nprev={}\n",
        entry.seq,
        entry.at.0,
        entry.event,
        entry.actor_role,
        entry.class,
        entry.count_bucket,
        hex(&entry.map_hash),
        hex(&entry.prev),
    )
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Puts something on record in the caller's transaction: it is on record exactly when it happened.
///
/// # Errors
/// When the database fails.
pub async fn append(conn: &impl ConnectionTrait, happened: &Happened, now: Moment) -> Result<Head, sea_orm::DbErr> {
    let last = queries::hold_last(conn).await?;
    let (seq, prev) = last.map_or((0, GENESIS.to_vec()), |last| (last.seq, last.hash));
    let entry = Entry {
        seq: seq + 1,
        at: now,
        event: happened.event.as_str().to_owned(),
        request_id: happened.request,
        actor_role: happened.by.as_str().to_owned(),
        class: happened.class.0.clone(),
        count_bucket: count_bucket(happened.count),
        map_hash: DataMap::hash().to_vec(),
        prev,
    };
    let hash = hash(&entry).to_vec();
    let head = Head { seq: entry.seq, hash: hash.clone() };
    queries::insert(conn, entry, hash).await?;
    Ok(head)
}

/// Goes through the whole chain. Entries older than 24 months are gone from its beginning, so the oldest one kept is
/// believed about the one before it.
///
/// # Errors
/// When the database fails.
pub async fn verify_chain(conn: &impl ConnectionTrait) -> Result<Verdict, sea_orm::DbErr> {
    let mut head: Option<Head> = None;
    let mut entries = 0;
    loop {
        let rows = queries::after(conn, head.as_ref().map_or(0, |head| head.seq), PAGE_ROWS).await?;
        if rows.is_empty() {
            let head = head.unwrap_or_else(|| Head { seq: 0, hash: GENESIS.to_vec() });
            return Ok(Verdict::Whole { entries, head });
        }
        for row in rows {
            let fits = match &head {
                Some(before) => row.seq == before.seq + 1 && row.prev == before.hash,
                None => row.seq > 1 || (row.seq == 1 && row.prev == GENESIS),
            };
            if !fits || !is_sound(&row) {
                return Ok(Verdict::Broken { seq: row.seq });
            }
            entries += 1;
            head = Some(Head { seq: row.seq, hash: row.hash });
        }
    }
}

/// Whether an entry is what its hash says, in words of the closed lists.
fn is_sound(row: &audit_entry::Model) -> bool {
    Event::from_stored(&row.event).is_some()
        && Role::from_stored(&row.actor_role).is_some()
        && hash(&Entry::from(row.clone())).as_slice() == row.hash.as_slice()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry() -> Entry {
        Entry {
            seq: 7,
            at: Moment::from_unix_seconds(1_795_000_000),
            event: Event::Erased.as_str().to_owned(),
            request_id: None,
            actor_role: Role::System.as_str().to_owned(),
            class: "watching".to_owned(),
            count_bucket: "10-99".to_owned(),
            map_hash: vec![1; 32],
            prev: vec![2; 32],
        }
    }

    #[test]
    fn every_field_counts() {
        let whole = hash(&entry());
        let changes: [fn(&mut Entry); 9] = [
            |e| e.seq += 1,
            |e| e.at = e.at.plus_seconds(1),
            |e| e.event = Event::Exported.as_str().to_owned(),
            |e| e.request_id = Some(RequestId::new()),
            |e| e.actor_role = Role::Coach.as_str().to_owned(),
            |e| e.class = "email".to_owned(),
            |e| e.count_bucket = "1-9".to_owned(),
            |e| e.map_hash[0] = 0,
            |e| e.prev[31] = 0,
        ];
        for change in changes {
            let mut changed = entry();
            change(&mut changed);
            assert_ne!(hash(&changed), whole, "{changed:?}");
        }
    }

    #[test]
    fn the_form_is_the_one_on_record() {
        // A chain written by an older build has to stay verifiable: this text may never change.
        assert_eq!(
            canonical(&entry()),
            format!(
                "mini-webinar audit 1\nseq=7\nat=1795000000000000\nevent=erased\nrequest=-\nrole=system\nclass=watching\n\
                 count=10-99\nmap={}\nprev={}\n",
                "01".repeat(32),
                "02".repeat(32)
            )
        );
    }

    #[test]
    fn only_classes_of_the_map_can_be_named() {
        let map = DataMap::load().expect("loads");
        for canary in ["canary@example.com", "Anna Canary", "203.0.113.77", "", "email\nprev=00"] {
            assert_eq!(Class::of(&map, canary), None, "{canary}");
        }
        assert_eq!(Class::of(&map, "email"), Some(Class("email".to_owned())));
    }

    proptest! {
        #[test]
        fn whatever_happens_an_entry_is_made_of_closed_lists(
            event in prop::sample::select(Event::ALL),
            by in prop::sample::select(Role::ALL),
            count: u64,
            at in 0..i64::MAX / 2,
        ) {
            let made = Entry {
                at: Moment(at),
                event: event.as_str().to_owned(),
                actor_role: by.as_str().to_owned(),
                count_bucket: count_bucket(count),
                ..entry()
            };
            let text = canonical(&made);
            prop_assert_eq!(text.lines().count(), 10);
            for line in text.lines().skip(1) {
                let (_, value) = line.split_once('=').expect("name=value");
                prop_assert!(value.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-'), "{}", value);
            }
        }
    }
}
