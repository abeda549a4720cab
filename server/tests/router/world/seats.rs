//! Two operators with their second factor, and what viewers and authorities asked of a coach.

use backend::operators::disclosures::Order;
use backend::operators::incidents::Breach;
use backend::rights::handling::HoldWish;
use domain::ids::{CoachId, DisclosureId, IncidentId, LegalHoldId, ObjectionId};
use domain::rights::{HoldGround, ObjectionScope};
use futures::FutureExt;
use sea_orm::EntityTrait;
use serde_json::json;
use totp_rs::{Algorithm, Builder, Secret};

use super::{Coach, PASSWORD, Registrant, Webinar, World, between};

/// A coach's second factor: its secret, and the codes that stand in for it.
#[derive(Clone, Debug)]
pub struct Factor {
    secret: String,
    /// Recovery codes not used yet.
    pub codes: Vec<String>,
}

/// What stands in the registers and waits for an answer, by its id.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// An objection of one of her viewers.
    pub objection: ObjectionId,
    /// A hold on the same.
    pub hold: LegalHoldId,
    /// A request of an authority the other operator entered.
    pub disclosure: DisclosureId,
    /// A breach of which no authority was told.
    pub incident: IncidentId,
    /// Her account.
    pub coach: CoachId,
    /// The viewer's address.
    pub viewer: String,
}

impl World {
    async fn submitted(&self, coach: &Coach, form: &str, fields: &[(&str, &str)]) -> serde_json::Value {
        let ask = self.post("/api/fn/submit").by(coach).json(&json!({ "form": form, "fields": fields }));
        let answer = ask.send().await;
        assert!(answer.status.is_success(), "{form}: {}", answer.text());
        answer.json()
    }

    /// Switches a coach's second factor on and signs her in with it.
    pub async fn with_factor(&self, coach: &Coach) -> (Coach, Factor) {
        let begun = self.submitted(coach, "begin_second_factor", &[("password", PASSWORD)]).await;
        let secret = begun["Show"]["SecondFactor"]["secret_text"].as_str().expect("a secret").to_owned();
        let mut factor = Factor { secret, codes: Vec::new() };
        let digits = factor.digits(self);
        let enabled = self.submitted(coach, "enable_second_factor", &[("code", &digits)]).await;
        let codes = enabled["Show"]["RecoveryCodes"].as_array().expect("codes");
        factor.codes = codes.iter().map(|code| code.as_str().expect("a code").to_owned()).collect();
        let code = factor.codes.pop().expect("a code");
        (self.sign_in_with(&coach.email, &code).await, factor)
    }

    /// One more browser of a coach with a second factor.
    pub async fn sign_in_with(&self, email: &str, code: &str) -> Coach {
        let half = self.sign_in(email).await;
        let fields = [("_form", "second_factor"), ("code", code)];
        let answer = self.post("/login/second-factor").by(&half).form(&fields).send().await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        let cookie = answer.header("set-cookie");
        let session = between(&cookie, "mw_session=", ";").expect("a session").to_owned();
        Coach { email: email.to_owned(), session }
    }

    /// An operator at work.
    pub async fn operator(&self, coach: &Coach) -> (Coach, Factor) {
        self.backend.add_operator(&coach.email).await.expect("a seat is free");
        self.with_factor(coach).await
    }

    /// Somebody objects, something is kept of them, an authority asks, something went wrong.
    pub async fn waiting(&self, coach: &Coach, webinar: &Webinar, other: &Coach, viewer: &Registrant) -> Waiting {
        let handle = self.handle(coach).await;
        let token = viewer.room.trim_start_matches("/r/");
        let booking = self.backend.room_token_names(token).expect("a token of ours");
        let row =
            persistence::entities::registration::Entity::find_by_id(booking).one(self.backend.db().reader()).await;
        let row = row.expect("reads").expect("a booking");
        assert_eq!(row.webinar_id, webinar.id);
        let (id, subject, now) = (handle.id(), row.subject_id, self.backend.now());
        let hold = HoldWish {
            email: viewer.email.clone(),
            ground: HoldGround::LegalClaim,
            classes: vec!["booking".to_owned()],
            until: now.plus_days(60),
        };
        let hold = handle.place_hold(&hold).await.expect("kept");
        let engine = self.backend.clone();
        let objection = self.backend.fence(move |transaction| {
            let engine = engine.clone();
            async move { engine.object(transaction, (id, subject), ObjectionScope::Analytics, "Please not.", now).await }
                .boxed()
        });
        let objection = objection.await.expect("objects");
        let other = self.handle(other).await.operator().await.expect("an operator");
        let order = Order {
            authority: "A court".to_owned(),
            legal_basis: "An order".to_owned(),
            classes: vec!["email".to_owned()],
            people: 1,
        };
        let breach = Breach {
            class: "device".to_owned(),
            from: now.plus_days(-2),
            to: now.plus_days(-1),
            summary: "A test of the register.".to_owned(),
        };
        Waiting {
            objection,
            hold,
            disclosure: other.enter_order(&order).await.expect("entered"),
            incident: other.enter_incident(&breach).await.expect("entered"),
            coach: id,
            viewer: viewer.email.clone(),
        }
    }
}

impl Factor {
    /// The six digits of this moment.
    pub fn digits(&self, world: &World) -> String {
        let secret = Secret::try_from_base32(&self.secret).expect("a secret");
        let totp = Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6)
            .with_skew(1)
            .with_step_duration(30)
            .with_secret(secret)
            .with_account_name("test".to_owned())
            .with_issuer(Some("test".to_owned()))
            .build()
            .expect("a factor");
        totp.generate(world.backend.now().unix_seconds().unsigned_abs()).to_string()
    }
}
