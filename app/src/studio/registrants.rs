//! The people of one webinar: found, filtered, sorted, a page at a time, and as CSV. The form is a plain GET, so that
//! an address can be kept and sent.

use domain::ids::WebinarId;
use domain::results::{REGISTRANTS_PAGE, RegistrantPage, RegistrantQuery, RegistrantRow};
use domain::watching::Attendance;
use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use leptos_meta::Title;
use leptos_router::components::Form;
use leptos_router::hooks::use_query_map;

use super::{WebinarTabs, webinar_in_path};
use crate::context::Refresh;
use crate::error::AppError;
use crate::reading::read;
use crate::ui::{Badge, HeatStrip, Missing, Refused, Time};

/// One page of the table.
#[server(prefix = "/api/fn", endpoint = "registrants", input = Json)]
pub async fn read_registrants(id: WebinarId, query: RegistrantQuery) -> Result<RegistrantPage, AppError> {
    Ok(crate::context::server::door()?.coach().await?.registrants(id, &query).await?)
}

/// Tone of a status.
pub(super) const fn tone(status: Attendance) -> &'static str {
    match status {
        Attendance::AttendedToEnd | Attendance::Watching => "good",
        Attendance::LeftEarly => "look",
        Attendance::Registered | Attendance::Missed => "plain",
    }
}

/// The table.
#[component]
pub fn RegistrantsPage() -> impl IntoView {
    let id = webinar_in_path();
    let refresh = expect_context::<Refresh>();
    let address = use_query_map();
    let query = Memo::new(move |_| {
        address.with(|address| {
            let text = |name: &str| address.get(name).unwrap_or_default();
            RegistrantQuery {
                search: text("search"),
                status: text("status"),
                sort: text("sort"),
                page: text("page").parse().unwrap_or(0),
            }
        })
    });
    let page = read(
        move || (id(), query.get(), refresh.watch()),
        |(id, query, _)| async move {
            match id {
                Some(id) => read_registrants(id, query.clone()).await.map(|page| Some((id, query, page))),
                None => Ok(None),
            }
        },
    );
    view! {
        <main class="wide" id="content">
            <Transition>
                {move || Suspend::new(async move {
                    match page.await {
                        Ok(Some((id, query, page))) => view! { <People id=id query=query page=page/> }.into_any(),
                        Ok(None) => view! { <Missing/> }.into_any(),
                        Err(AppError(refusal)) => view! { <Refused refusal=refusal/> }.into_any(),
                    }
                })}
            </Transition>
        </main>
    }
}

#[component]
fn People(id: WebinarId, query: RegistrantQuery, page: RegistrantPage) -> impl IntoView {
    let path = format!("/dashboard/webinars/{id}/registrants");
    let csv = format!("{path}.csv");
    let search = query.search.clone();
    let has_filter = !query.search.is_empty() || !query.status.is_empty();
    let people = if page.total == 1 { "1 person".to_owned() } else { format!("{} people", page.total) };
    let count = if has_filter { format!("{} of {people}", page.matching) } else { people };
    let table = if page.total == 0 {
        view! { <p class="empty">"Nobody has registered yet. Everybody who does appears here at once, with what they watched."</p> }.into_any()
    } else if page.rows.is_empty() {
        view! { <p class="empty">"Nobody fits this search. "<a href=path.clone()>"Show everybody"</a></p> }.into_any()
    } else {
        view! { <Table id=id rows=page.rows.clone()/> }.into_any()
    };
    let statuses: Vec<_> = Attendance::ALL
        .into_iter()
        .map(|status| {
            let is_chosen = query.status == status.as_str();
            view! { <option value=status.as_str() selected=is_chosen>{status.label()}</option> }
        })
        .collect();
    let sorts: Vec<_> = [
        ("registered", "newest first"),
        ("name", "by name"),
        ("email", "by address"),
        ("percent", "most watched first"),
    ]
    .into_iter()
    .map(|(value, label)| {
        let is_chosen = query.sort == value;
        view! { <option value=value selected=is_chosen>{label}</option> }
    })
    .collect();
    view! {
        <Title text=format!("People · {}", page.title)/>
        <p class="back"><a href="/dashboard/webinars">"Webinars"</a></p>
        <h1 dir="auto">{page.title.clone()}</h1>
        <WebinarTabs id=id current="registrants"/>
        <Form method="GET" action=path.clone() attr:class="search">
            <label><span>"Name or address"</span><input type="search" name="search" value=search/></label>
            <label><span>"Status"</span><select name="status"><option value="">"everybody"</option>{statuses}</select></label>
            <label><span>"Order"</span><select name="sort">{sorts}</select></label>
            <button type="submit" class="button">"Show"</button>
        </Form>
        <p class="table-head"><span role="status">{count}</span><a href=csv rel="external" download="registrants.csv">"Download everybody as CSV"</a></p>
        {table}
        <Pages path=path query=query matching=page.matching/>
    }
}

#[component]
fn Table(id: WebinarId, rows: Vec<RegistrantRow>) -> impl IntoView {
    let rows: Vec<_> = rows
        .into_iter()
        .map(|row| {
            let href = format!("/dashboard/webinars/{id}/registrants/{}", row.id);
            if row.is_masked {
                return view! {
                    <tr>
                        <th scope="row"><a href=href>"Somebody whose data rests"</a></th>
                        <td data-label="Status"><Badge label="restricted" tone="look"/></td>
                        <td data-label="Watched"><span class="quiet">"not shown"</span></td>
                        <td data-label="Registered"><Time at=row.registered_at/></td>
                    </tr>
                }
                .into_any();
            }
            let name = if row.name.is_empty() { row.email.clone() } else { row.name.clone() };
            let email = (!row.name.is_empty()).then(|| view! { <br/><span class="quiet break-anywhere" dir="ltr">{row.email.clone()}</span> });
            let strip = format!("Saw {:.0} % of the recording", row.percent);
            view! {
                <tr>
                    <th scope="row"><a href=href class="break-anywhere" dir="auto">{name}</a>{email}</th>
                    <td data-label="Status"><Badge label=row.attendance.label() tone=tone(row.attendance)/></td>
                    <td data-label="Watched" class="watched"><HeatStrip cells=row.strip label=strip/><span class="number">{format!("{:.0} %", row.percent)}</span></td>
                    <td data-label="Registered"><Time at=row.registered_at/></td>
                </tr>
            }
            .into_any()
        })
        .collect();
    view! {
        <table class="people">
            <thead><tr><th scope="col">"Person"</th><th scope="col">"Status"</th><th scope="col">"Watched"</th><th scope="col">"Registered"</th></tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
}

/// The address of another page of the same question.
fn page_address(path: &str, query: &RegistrantQuery, page: usize) -> String {
    let mut map = leptos_router::params::ParamsMap::new();
    for (name, value) in [("search", &query.search), ("status", &query.status), ("sort", &query.sort)] {
        if !value.is_empty() {
            map.insert(name, value.clone());
        }
    }
    map.insert("page", page.to_string());
    format!("{path}{}", map.to_query_string())
}

#[component]
fn Pages(path: String, query: RegistrantQuery, matching: usize) -> impl IntoView {
    let last = matching.saturating_sub(1) / REGISTRANTS_PAGE;
    let link = |page: usize, label: &'static str| {
        let href = page_address(&path, &query, page);
        view! { <a class="button" href=href>{label}</a> }
    };
    (last > 0).then(|| {
        view! {
            <nav class="pages" aria-label="Pages">
                {(query.page > 0).then(|| link(query.page - 1, "Back"))}
                <span>{format!("Page {} of {}", query.page + 1, last + 1)}</span>
                {(query.page < last).then(|| link(query.page + 1, "Next"))}
            </nav>
        }
    })
}
