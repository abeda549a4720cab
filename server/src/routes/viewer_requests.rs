//! Requests of a coach's viewers: the list, answers to objections, holds, and what was agreed to.

use app::context::SessionToken;
use app::context::desk::{Feedback, Handling, requests_page, wordings_page};
use axum::extract::{Form, Path, Query as Asked, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use backend::Error;
use backend::rights::handling::HoldWish;
use domain::ids::{LegalHoldId, ObjectionId};
use domain::rights::HoldGround;
use domain::{Moment, Refusal};

use super::desk::{Fields, Query, all, done, no, page, refused, sit, text};
use crate::state::AppState;

const PAGE: &str = "/dashboard/requests";

/// The routes.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/dashboard/requests", get(show))
        .route("/dashboard/requests/objections/{objection}", post(decide))
        .route("/dashboard/requests/holds", post(hold))
        .route("/dashboard/requests/holds/{hold}/release", post(release))
        .route("/dashboard/consent-texts", get(wordings))
}

fn sentence(done: &str) -> Option<&'static str> {
    Some(match done {
        "uphold" => "You upheld it: the data stays as it is and is not used. The person gets a mail.",
        "reject" => {
            "The person gets your reasons by mail. In three days the data is used again, unless they say otherwise."
        }
        "hold" => "It is kept until that day, and the person gets a mail.",
        "release" => "It is not kept any longer.",
        _ => return None,
    })
}

async fn shown(
    state: &AppState,
    token: &SessionToken,
    status: StatusCode,
    feedback: &Feedback,
) -> Result<Response, Error> {
    let (coach, desk) = sit(state, token).await?;
    let handling = Handling {
        requests: coach.viewer_requests().await?,
        objections: coach.open_objections().await?,
        holds: coach.holds().await?,
    };
    Ok(page(status, requests_page(&desk, &handling, feedback)))
}

async fn show(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Asked(query): Asked<Query>,
) -> Response {
    let feedback = Feedback::done(sentence(&query.done));
    shown(&state, &token, StatusCode::OK, &feedback).await.unwrap_or_else(|error| no(&state, error))
}

/// Leads back to the page, or shows it again with what was wrong.
async fn end(
    state: &AppState,
    token: &SessionToken,
    form: &str,
    fields: &Fields,
    outcome: Result<&str, Error>,
) -> Response {
    let error = match outcome {
        Ok(word) => return done(PAGE, word),
        Err(error) => error,
    };
    match refused(state, form, error, fields) {
        Ok((status, feedback)) => shown(state, token, status, &feedback).await.unwrap_or_else(|error| no(state, error)),
        Err(answer) => *answer,
    }
}

async fn decide(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Path(objection): Path<ObjectionId>,
    Form(fields): Form<Fields>,
) -> Response {
    let outcome = async {
        let (coach, _) = sit(&state, &token).await?;
        // Only the button that says so rejects.
        let uphold = text(&fields, "decision") != "reject";
        coach.decide_objection(objection, uphold, text(&fields, "reasons")).await?;
        Ok(if uphold { "uphold" } else { "reject" })
    };
    let outcome = outcome.await;
    end(&state, &token, &objection.to_string(), &fields, outcome).await
}

async fn hold(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Form(fields): Form<Fields>,
) -> Response {
    let outcome = async {
        let (coach, _) = sit(&state, &token).await?;
        let day = format!("{}T23:59:59Z", text(&fields, "until"));
        let until: Moment = day.parse().map_err(|_| Refusal::field("until", "Please choose a day."))?;
        let ground = HoldGround::from_stored(text(&fields, "ground"));
        let ground = ground.ok_or_else(|| Refusal::field("ground", "Please choose a reason from the list."))?;
        let wish =
            HoldWish { email: text(&fields, "email").to_owned(), ground, classes: all(&fields, "classes"), until };
        coach.place_hold(&wish).await?;
        Ok("hold")
    };
    let outcome = outcome.await;
    end(&state, &token, "hold", &fields, outcome).await
}

async fn release(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Path(hold): Path<LegalHoldId>,
) -> Response {
    let outcome = async {
        let (coach, _) = sit(&state, &token).await?;
        coach.release_hold(hold).await?;
        Ok("release")
    };
    let outcome = outcome.await;
    end(&state, &token, "release", &Vec::new(), outcome).await
}

async fn wordings(State(state): State<AppState>, Extension(token): Extension<SessionToken>) -> Response {
    let shown = async {
        let (coach, desk) = sit(&state, &token).await?;
        Ok::<_, Error>(page(StatusCode::OK, wordings_page(&desk, &coach.wordings().await?)))
    };
    shown.await.unwrap_or_else(|error| no(&state, error))
}
