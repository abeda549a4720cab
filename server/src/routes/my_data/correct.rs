//! Correcting: one page for name and answers, and for the two steps to another address.

use app::my_data::{Correcting, correct_page};
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use backend::rights::portal::{Corrected, Portal, answer_name};
use domain::RefusalKind;

use super::{About, answer, asking, coach_in, contact, css, plain, say_no, visiting};
use crate::state::AppState;

/// The page.
pub(super) async fn form(State(state): State<AppState>, Query(about): Query<About>, headers: HeaderMap) -> Response {
    let portal = match visiting(&state, &headers).await {
        Ok(portal) => portal,
        Err(response) => return response,
    };
    correcting(&state, &portal, &about.coach, StatusCode::OK, Correcting::default()).await
}

async fn correcting(
    state: &AppState,
    portal: &Portal,
    coach: &str,
    status: StatusCode,
    told: Correcting<'_>,
) -> Response {
    let card = match coach_in(coach) {
        Ok(coach) => portal.card_to_correct(coach).await,
        Err(error) => Err(error),
    };
    match card {
        Ok(card) => plain(status, correct_page(&css(state), contact(state), &card, told, answer_name)),
        Err(error) => say_no(state, error),
    }
}

/// Takes name and answers, or a step towards another address.
pub(super) async fn take(
    State(state): State<AppState>,
    headers: HeaderMap,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    let portal = match asking(&state, &headers).await {
        Ok(portal) => portal,
        Err(response) => return response,
    };
    let sent =
        |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, text)| text.as_str()).unwrap_or_default();
    let email = sent("email");
    let step = sent("step");
    let coach = match coach_in(sent("coach")) {
        Ok(coach) => coach,
        Err(error) => return say_no(&state, error),
    };
    let outcome = match step {
        "address" => match portal.ask_new_address(coach, email).await {
            Ok(()) => {
                let told = Correcting { new_email: Some(email), ..Correcting::default() };
                return correcting(&state, &portal, sent("coach"), StatusCode::OK, told).await;
            }
            Err(error) => Err(error),
        },
        "code" => portal.prove_new_address(coach, email, sent("code")).await.map(|done| match done {
            Corrected::Done => "address",
            other => word(other),
        }),
        _ => portal.correct(coach, &fields).await.map(word),
    };
    match outcome {
        Ok(word) => Redirect::to(&format!("/my-data?done={word}")).into_response(),
        Err(error) => {
            let refusal = error.into_refusal();
            if refusal.kind == RefusalKind::NotFound {
                return say_no(&state, refusal.into());
            }
            let told = Correcting {
                refusal: Some(&refusal),
                typed: &fields,
                new_email: (step == "code" && refusal.field.as_deref() == Some("code")).then_some(email),
            };
            let response = correcting(&state, &portal, sent("coach"), answer::status(&refusal), told).await;
            answer::with_retry(response, &refusal)
        }
    }
}

const fn word(corrected: Corrected) -> &'static str {
    match corrected {
        Corrected::Done => "correct",
        Corrected::Waits => "correct-waits",
        Corrected::Same => "correct-same",
    }
}
