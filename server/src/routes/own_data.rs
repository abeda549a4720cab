//! A coach's own data: the page, the rest and the ways out. Every route works in every account state.

use app::context::SessionToken;
use app::context::desk::{ArchiveDoor, Feedback, close_page, my_data_page};
use axum::extract::{Form, Path, Query as Asked, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use backend::rights::leaving::LeavingProof;
use backend::{Coach, Error};
use domain::Refusal;
use domain::ids::ExportId;
use domain::leaving::Exit;

use super::desk::{Fields, Query, done, no, page, refused, sit, text};
use crate::state::AppState;

const PAGE: &str = "/dashboard/my-data";

/// The routes.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/dashboard/my-data", get(show))
        .route("/dashboard/my-data/archive", post(ask_archive))
        .route("/dashboard/my-data/archives/{archive}/fetch", post(fetch_archive))
        .route("/dashboard/my-data/archives/{archive}/revoke", post(revoke_archive))
        .route("/dashboard/my-data/restrict", post(restrict))
        .route("/dashboard/my-data/lift", post(lift))
        .route("/dashboard/my-data/close", get(ask).post(close))
        .route("/dashboard/my-data/close-link", post(mail_link))
        .route("/dashboard/my-data/stay", post(stay))
}

fn sentence(done: &str) -> Option<&'static str> {
    Some(match done {
        "restrict" => "Your account rests. Nothing is sent, shown to others or changed.",
        "lift" => "Your account is in use again.",
        "stay" => "It was called off: everything is as it was.",
        "close" => "Your account is closed. Until the day below you can call it off.",
        "archive" => "Your archive is being written. We mail you when it is there; this page tells how far it is.",
        "revoke" => "The archive is gone.",
        "close-link" => "The link is in your mailbox. It works for 15 minutes, once.",
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
    let door = ArchiveDoor {
        is_open: coach.is_freshly_proven().await?,
        has_second_factor: coach.account().await?.second_factor,
    };
    let (data, archives) = (coach.my_data().await?, coach.archives().await?);
    Ok(page(status, my_data_page(&desk, &data, &archives, door, feedback)))
}

async fn show(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Asked(query): Asked<Query>,
) -> Response {
    let feedback = Feedback::done(sentence(&query.done));
    shown(&state, &token, StatusCode::OK, &feedback).await.unwrap_or_else(|error| no(&state, error))
}

/// Does what a button says and leads back to the page.
async fn press<F>(state: AppState, token: SessionToken, form: &str, does: impl FnOnce(Coach) -> F) -> Response
where
    F: Future<Output = Result<(), Error>>,
{
    let coach = match sit(&state, &token).await {
        Ok((coach, _)) => coach,
        Err(error) => return no(&state, error),
    };
    let error = match does(coach).await {
        Ok(()) => return done(PAGE, form),
        Err(error) => error,
    };
    match refused(&state, form, error, &Vec::new()) {
        Ok((status, feedback)) => {
            shown(&state, &token, status, &feedback).await.unwrap_or_else(|error| no(&state, error))
        }
        Err(answer) => *answer,
    }
}

/// The proof that was typed, unless one was given a moment ago.
async fn prove(coach: &Coach, fields: &Fields) -> Result<(), Error> {
    if coach.is_freshly_proven().await? {
        return Ok(());
    }
    coach.prove_again(&text(fields, "password").into(), text(fields, "code")).await
}

async fn ask_archive(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Form(fields): Form<Fields>,
) -> Response {
    press(state, token, "archive", |coach| async move {
        prove(&coach, &fields).await?;
        coach.ask_archive().await.map(drop)
    })
    .await
}

async fn fetch_archive(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Path(archive): Path<ExportId>,
    Form(fields): Form<Fields>,
) -> Response {
    let link = async {
        let (coach, _) = sit(&state, &token).await?;
        prove(&coach, &fields).await?;
        coach.archive_link(archive).await
    };
    match link.await {
        Ok(path) => Redirect::to(&path).into_response(),
        Err(error) => match refused(&state, "fetch", error, &Vec::new()) {
            Ok((status, feedback)) => {
                shown(&state, &token, status, &feedback).await.unwrap_or_else(|error| no(&state, error))
            }
            Err(answer) => *answer,
        },
    }
}

async fn revoke_archive(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Path(archive): Path<ExportId>,
) -> Response {
    press(state, token, "revoke", |coach| async move { coach.revoke_archive(archive).await }).await
}

async fn restrict(State(state): State<AppState>, Extension(token): Extension<SessionToken>) -> Response {
    press(state, token, "restrict", |coach| async move { coach.restrict_account().await }).await
}

async fn lift(State(state): State<AppState>, Extension(token): Extension<SessionToken>) -> Response {
    press(state, token, "lift", |coach| async move { coach.end_account_restriction().await }).await
}

async fn stay(State(state): State<AppState>, Extension(token): Extension<SessionToken>) -> Response {
    press(state, token, "stay", |coach| async move { coach.stay().await }).await
}

async fn mail_link(State(state): State<AppState>, Extension(token): Extension<SessionToken>) -> Response {
    press(state, token, "close-link", |coach| async move { coach.mail_leaving_link().await }).await
}

async fn asked(
    state: &AppState,
    token: &SessionToken,
    link: &str,
    status: StatusCode,
    feedback: &Feedback,
) -> Result<Response, Error> {
    let (coach, desk) = sit(state, token).await?;
    Ok(page(status, close_page(&desk, &coach.leaving_preview().await?, link, feedback)))
}

async fn ask(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Asked(query): Asked<Query>,
) -> Response {
    let feedback = Feedback::default();
    asked(&state, &token, &query.t, StatusCode::OK, &feedback).await.unwrap_or_else(|error| no(&state, error))
}

async fn close(
    State(state): State<AppState>,
    Extension(token): Extension<SessionToken>,
    Form(fields): Form<Fields>,
) -> Response {
    let left = async {
        let (coach, _) = sit(&state, &token).await?;
        let unknown = || Refusal::field("exit", "Please choose one of the ways out. Nothing was changed.");
        let exit = Exit::from_stored(text(&fields, "exit")).ok_or_else(unknown)?;
        let proof = LeavingProof {
            password: text(&fields, "password").into(),
            code: text(&fields, "code").to_owned(),
            token: text(&fields, "token").to_owned(),
            name: text(&fields, "name").to_owned(),
        };
        Ok::<_, Error>((exit, coach.leave(exit, &proof).await?))
    };
    match left.await {
        Ok((Exit::Now, Some(request))) => Redirect::to(&format!("/privacy/erasures/{request}")).into_response(),
        Ok(_) => done(PAGE, "close"),
        Err(error) => match refused(&state, "close", error, &fields) {
            Ok((status, feedback)) => asked(&state, &token, text(&fields, "token"), status, &feedback)
                .await
                .unwrap_or_else(|error| no(&state, error)),
            Err(answer) => *answer,
        },
    }
}
