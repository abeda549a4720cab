//! "Take it with you": archives of everything, asked for, fetched and ended, each behind the password (promises P26, P27).

use domain::archive::ArchiveView;
use domain::video::size_text;
use leptos::prelude::*;

use super::fields::{Field, button};
use super::{Desk, Feedback};

/// The form an archive is asked for with.
const ASK: &str = "archive";
/// The form one is fetched with.
const FETCH: &str = "fetch";

/// What stands between a signed-in browser and everything there is.
#[derive(Clone, Copy, Debug)]
pub struct ArchiveDoor {
    /// The password was given a moment ago.
    pub is_open: bool,
    /// The account has a second factor.
    pub has_second_factor: bool,
}

fn proof(form: &'static str, door: ArchiveDoor, feedback: &Feedback) -> Option<AnyView> {
    let code = door.has_second_factor.then(|| {
        Field::text(form, "code", "The six digits your app shows now, or a recovery code")
            .autocomplete("one-time-code")
            .line(feedback)
    });
    (!door.is_open).then(|| {
        view! {
            {Field::text(form, "password", "Your password").of("password").autocomplete("current-password").line(feedback)}
            {code}
        }
        .into_any()
    })
}

/// The section of "My data".
pub(super) fn archives_section(
    desk: &Desk,
    archives: &[ArchiveView],
    door: ArchiveDoor,
    feedback: &Feedback,
) -> AnyView {
    let rows: Vec<_> = archives.iter().map(|archive| row(desk, archive, door, feedback)).collect();
    let list = (!rows.is_empty()).then(|| view! { <ul class="rows">{rows}</ul> });
    view! {
        <section id="archives">
            <h2>"Take it with you"</h2>
            <p>
                "An archive holds everything on this page and your recordings: a page to read offline, tables for a spreadsheet, \
                 and data another installation can take in. It is kept for seven days; one a day can be written."
            </p>
            {list}
            <form method="post" action="/dashboard/my-data/archive">
                {proof(ASK, door, feedback)}
                <button type="submit" class="button">"Write an archive"</button>
            </form>
        </section>
    }
    .into_any()
}

fn row(desk: &Desk, archive: &ArchiveView, door: ArchiveDoor, feedback: &Feedback) -> AnyView {
    let facts = if archive.state.is_under_way() {
        view! {
            {archive.step.clone()}" "<progress max="100" value=archive.percent.to_string()>{format!("{} %", archive.percent)}</progress>
        }
        .into_any()
    } else {
        let size = archive.size_bytes.map(|bytes| format!("{}, ", size_text(bytes as f64)));
        view! { {size}"kept until "{desk.time(archive.expires_at)} }.into_any()
    };
    let digest = archive
        .sha256
        .clone()
        .map(|digest| view! { <br/><span class="quiet break-anywhere">"SHA-256 "{digest}</span> });
    let fetch = archive.state.can_be_fetched().then(|| {
        view! {
            <form method="post" action=format!("/dashboard/my-data/archives/{}/fetch", archive.id)>
                {proof(FETCH, door, feedback)}
                <button type="submit" class="button primary">"Download"</button>
            </form>
        }
    });
    let can_end = archive.state.is_under_way() || archive.state.can_be_fetched();
    let end = can_end
        .then(|| button(format!("/dashboard/my-data/archives/{}/revoke", archive.id), "End it now", "", Vec::new()));
    view! {
        <li>
            <span>
                <strong>{desk.time(archive.created_at)}</strong>": "{archive.state.label()}<br/>
                {facts}
                {digest}
            </span>
            {fetch}
            {end}
        </li>
    }
    .into_any()
}
