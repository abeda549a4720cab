//! Every route, and the layers around them.

use std::time::Duration;

use app::app::App;
use app::context::shell::studio_shell;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::http::{Extensions, HeaderMap, Request, StatusCode, Version, header};
use axum::routing::{get, head, options, post};
use axum::{Extension, Router, middleware};
use leptos_axum::{LeptosRoutes, generate_route_list};
use metrics_exporter_prometheus::PrometheusHandle;
use tower::ServiceBuilder;
use tower::util::MapRequestLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::timeout::RequestBodyTimeoutLayer;

use crate::layers;
use crate::routes::{
    archives, beats, dev, evidence, health, hooks, mail_previews, media, my_data, operators, own_data, policy_pages,
    receipts, site_files, studio_files, studio_pages, uploads, viewer_pages, viewer_requests,
};
use crate::state::AppState;

/// Largest form or server-function call.
const FORM_BYTES: usize = 256 * 1024;
/// Largest beat: a dozen numbers.
const BEAT_BYTES: usize = 4 * 1024;
/// Largest multipart form: one caption file or logo and its fields.
const FILE_FORM_BYTES: usize = 3 * 1024 * 1024;
/// A request body that brings nothing for this long is given up.
const BODY_PROGRESS: Duration = Duration::from_secs(30);

/// The whole of it.
pub fn router(state: AppState, metrics: PrometheusHandle) -> Router {
    let mut router = studio(&state)
        .merge(viewer_pages_router())
        .merge(files(&state))
        .merge(archives::router())
        .merge(own_data::router().layer(DefaultBodyLimit::max(FORM_BYTES)))
        .merge(viewer_requests::router().layer(DefaultBodyLimit::max(FORM_BYTES)))
        .merge(operators::router().layer(DefaultBodyLimit::max(FORM_BYTES)))
        .merge(evidence::router())
        .merge(receipts::router().layer(DefaultBodyLimit::max(FORM_BYTES)))
        .merge(policy_pages::router().layer(DefaultBodyLimit::max(FORM_BYTES)))
        .merge(my_data::router().layer(DefaultBodyLimit::max(FORM_BYTES)))
        .route("/api/beats", post(beats::take).layer(DefaultBodyLimit::max(BEAT_BYTES)))
        .route("/hooks/mail", post(hooks::returned_mail).layer(DefaultBodyLimit::max(mail::bounce::MOST_BYTES)))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics).layer(Extension(metrics)));
    if state.config.dev {
        router = router
            .route("/dev/mailbox", get(dev::mailbox))
            .route("/dev/mailbox.json", get(dev::mailbox_json))
            .route("/dev/clock", get(dev::clock).post(dev::move_clock))
            .route("/dev/scan", post(dev::scan));
    }
    let compressed = SizeAbove::new(512)
        .and(NotForContentType::const_new("video/"))
        .and(NotForContentType::const_new("image/"))
        .and(NotForContentType::const_new("font/"))
        .and(NotForContentType::const_new("multipart/"))
        .and(NotForContentType::const_new("application/zip"))
        .and(has_no_validator);
    router
        .fallback(studio_pages::nothing_here)
        .layer(
            ServiceBuilder::new()
                .layer(middleware::from_fn(layers::trace::record))
                .layer(middleware::from_fn_with_state(state.clone(), layers::headers::secure))
                .layer(middleware::from_fn_with_state(state.clone(), layers::https::only))
                // Inside the headers: the answer to a panic is an answer as well.
                .layer(CatchPanicLayer::new())
                .layer(layers::csrf::layer())
                .layer(CompressionLayer::new().compress_when(compressed))
                .layer(RequestBodyTimeoutLayer::new(BODY_PROGRESS))
                .layer(MapRequestLayer::new(|request: Request<_>| request.map(Body::new)))
                .layer(middleware::from_fn_with_state(state.clone(), layers::client::observe)),
        )
        .with_state(state)
}

/// The coach's side: server-rendered, hydrated, with its server functions; every page also takes the forms that stand
/// on it.
fn studio(state: &AppState) -> Router<AppState> {
    let routes = generate_route_list(App);
    let context = studio_pages::context(state);
    let forms: Vec<String> = routes.iter().map(|route| route.path().to_owned()).collect();
    let mut router = Router::new().leptos_routes_with_context(state, routes, context, {
        let options = (*state.leptos_options).clone();
        move || studio_shell(options.clone())
    });
    for path in forms {
        router = router.route(&path, post(studio_pages::take_form));
    }
    router
        .layer(middleware::from_fn_with_state(state.clone(), studio_pages::guard))
        .layer(DefaultBodyLimit::max(FORM_BYTES))
}

fn viewer_pages_router() -> Router<AppState> {
    Router::new()
        .route("/w/{slug}", get(viewer_pages::registration).post(viewer_pages::register))
        .route("/w/{slug}/embed", get(viewer_pages::registration_embed).post(viewer_pages::register_embed))
        .route("/w/{slug}/link", post(viewer_pages::link_again))
        .route("/w/{slug}/switch", post(viewer_pages::switch_time))
        .route("/u/{choice}", get(viewer_pages::mail_choice).post(viewer_pages::choose_mail))
        .route("/r/{token}", get(viewer_pages::room).post(viewer_pages::change_time))
        .route("/r/{token}/calendar.ics", get(viewer_pages::calendar))
        .layer(DefaultBodyLimit::max(FORM_BYTES))
}

/// A strong validator speaks of the very bytes it came with; packing them again would make it lie.
fn has_no_validator(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    !headers.contains_key(header::ETAG)
}

fn files(state: &AppState) -> Router<AppState> {
    site_files::routes(&state.site)
        .route("/media/{kind}/{name}", get(media::serve))
        .route("/uploads", options(uploads::options).post(uploads::create))
        .route(
            "/uploads/{id}",
            head(uploads::status)
                .post(uploads::overridden)
                .patch(uploads::append)
                .delete(uploads::terminate)
                .options(uploads::options),
        )
        .route(
            "/dashboard/webinars/{webinar}/mails/preview",
            post(mail_previews::typed).layer(DefaultBodyLimit::max(FORM_BYTES)),
        )
        .route("/dashboard/webinars/{webinar}/mails/{template}/preview", get(mail_previews::saved))
        .route(
            "/dashboard/webinars/{webinar}/logo",
            post(studio_files::set_logo).layer(DefaultBodyLimit::max(FILE_FORM_BYTES)),
        )
        .route(
            "/dashboard/videos/{video}/captions",
            post(studio_files::add_caption).layer(DefaultBodyLimit::max(FILE_FORM_BYTES)),
        )
        .route("/dashboard/webinars/{webinar}/registrants.csv", get(studio_files::registrants_csv))
        .route("/dashboard/webinars/{webinar}/registrants/{registration}/consents.json", get(studio_files::consents))
}
