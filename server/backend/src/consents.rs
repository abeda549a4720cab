//! Records of what registrants agreed to: a coach, who is the controller, has to be able to show them (Art. 7(1) GDPR).

use domain::Refusal;
use domain::ids::{RegistrationId, WebinarId};
use persistence::sealed::Standing;
use persistence::{accounts, consents as queries, registrations};
use privacy::DataMap;
use privacy::consent::{Agreement, Record};

use crate::{Coach, Result};

/// What the one agreement of a registration form covers, by classes of the data map.
const COVERED: [&str; 8] = ["email", "name", "answers", "booking", "watching", "device", "country", "source"];

impl Coach {
    /// The agreements of one registration, oldest first, in the shape of ISO/IEC TS 27560. They name no one: the person
    /// is an id.
    ///
    /// # Errors
    /// Refuses a registration that is not hers, in the same words as one that does not exist, and one whose person's
    /// data rests.
    pub async fn consent_records(&self, webinar: WebinarId, id: RegistrationId) -> Result<Vec<Record>> {
        let reader = self.backend.db().reader();
        let found = registrations::registration(reader, self.id, webinar, id).await?.ok_or_else(Refusal::not_found)?;
        match found {
            Standing::Active(_) => {}
            Standing::Restricted(_) => return Err(crate::rights::fence::rests().into()),
            Standing::Erasing => return Err(Refusal::not_found().into()),
        }
        let coach = accounts::coach(reader, self.id).await?.ok_or_else(Refusal::sign_in)?;
        let rows = queries::of_registration(reader, self.id, id).await?;
        let record = |(row, wording): (
            persistence::entities::consent::Model,
            Option<persistence::entities::consent_text::Model>,
        )| {
            let (version, text, digest) = wording.map_or_else(
                || (0, String::new(), String::new()),
                |wording| (wording.version, wording.text, hex::encode(wording.text_hash)),
            );
            let agreement = Agreement {
                id: row.id.to_string(),
                person: row.subject_id.to_string(),
                controller: coach.id.to_string(),
                controller_name: coach.name.clone(),
                purpose: row.purpose,
                method: row.method,
                wording_version: version,
                wording: text,
                wording_sha256: digest,
                classes: COVERED.map(str::to_owned).to_vec(),
                given_at: row.given_at,
                withdrawn_at: row.withdrawn_at,
            };
            Record::of(&agreement, DataMap::current())
        };
        Ok(rows.into_iter().map(record).collect())
    }
}
