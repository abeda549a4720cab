//! Finding one address at every coach: one keyed hash each, because no column says that two coaches hold the same
//! person.

use std::collections::HashMap;

use domain::EmailAddress;
use domain::ids::{CoachId, RequestId, SubjectId};
use persistence::{portal as queries, registrations};

use crate::{Backend, Result};

/// Coaches of one step: bounds memory, and binds into few statements.
const STEP: u64 = 10_000;

/// Where an address is held, and where it was erased.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Everywhere {
    /// Coach and person.
    pub(crate) held: Vec<(CoachId, SubjectId)>,
    /// Coach and request.
    pub(crate) erased: Vec<(CoachId, RequestId)>,
}

impl Backend {
    /// Every coach who holds an address, and every one who was made to erase it while the mark of it stands.
    pub(crate) async fn held_everywhere(&self, address: &EmailAddress) -> Result<Everywhere> {
        let normal = address.normalised();
        let reader = self.db().reader();
        let mut everywhere = Everywhere::default();
        let mut after = None;
        loop {
            let peppers = self.keyring().peppers_after(after, STEP).await?;
            let Some((last, _)) = peppers.last() else { return Ok(everywhere) };
            after = Some(*last);
            let of: HashMap<Vec<u8>, CoachId> =
                peppers.iter().map(|(coach, pepper)| (pepper.blind_index(&normal), *coach)).collect();
            let indexes: Vec<Vec<u8>> = of.keys().cloned().collect();
            let is_hers = |coach: CoachId, index: &Vec<u8>| of.get(index) == Some(&coach);
            let held = queries::people_by_index(reader, &indexes).await?;
            everywhere.held.extend(
                held.into_iter().filter(|(coach, _, index)| is_hers(*coach, index)).map(|(coach, id, _)| (coach, id)),
            );
            let erased = queries::erased_by_index(reader, &indexes).await?;
            everywhere.erased.extend(
                erased.into_iter().filter(|(coach, _, index)| is_hers(*coach, index)).map(|(coach, id, _)| (coach, id)),
            );
            if (peppers.len() as u64) < STEP {
                return Ok(everywhere);
            }
        }
    }

    /// The person one coach holds under an address. Asking about a coach who does not exist makes nothing.
    pub(crate) async fn held_at(&self, coach: CoachId, address: &EmailAddress) -> Result<Option<SubjectId>> {
        let Some(pepper) = self.keyring().known_pepper(coach).await? else { return Ok(None) };
        let index = pepper.blind_index(&address.normalised());
        Ok(registrations::subject_by_index(self.db().reader(), coach, &index).await?.map(|person| person.id))
    }
}

#[cfg(test)]
mod tests {
    use testkit::each_database;

    use super::*;
    use crate::world::World;

    const TOM: &str = "tom@viewer.example";

    #[tokio::test]
    async fn asking_about_a_coach_who_does_not_exist_makes_nothing() {
        each_database("portal lookup", |test| async move {
            let world = World::published(&test).await;
            let guest = world.guest(TOM).await;
            let address = EmailAddress::parse("Tom@Viewer.Example").expect("an address");
            let found = world.backend.held_everywhere(&address).await.expect("looks");
            assert_eq!(found, Everywhere { held: vec![(world.id(), guest.subject)], erased: Vec::new() });
            let nobody = CoachId::new();
            assert_eq!(world.backend.held_at(nobody, &address).await.expect("looks"), None);
            assert!(world.backend.keyring().known_pepper(nobody).await.expect("looks").is_none());
        })
        .await;
    }
}
