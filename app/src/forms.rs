//! Forms of the studio. Each works as plain HTML: it is posted to the page it stands on, and the page comes back with
//! the answer in it. Once the page is awake the same fields go to [`submit`] instead, and the answer appears in place.
//!
//! Either way one function, `perform`, does what the form says, so the two ways cannot differ.

mod fields;
mod files;
mod fold;

use domain::Refusal;
use domain::account::{RecoveryCodes, SecondFactorSetup};
use leptos::context::Provider;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use leptos_router::hooks::{use_location, use_navigate, use_query_map};
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsCast;

use crate::context::Refresh;
use crate::error::AppError;
pub use fields::{Checkbox, Problem, Select, Submit, TextArea, TextField, area_text};
pub use files::FileForm;
pub use fold::Fold;
use fold::open_fold;

/// Names of fields whose value never travels back.
const SECRET_FIELDS: [&str; 3] = ["password", "current_password", "code"];
/// Field that names a form.
pub const FORM_FIELD: &str = "_form";

/// What came of a form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FormAnswer {
    /// Done; the person goes on elsewhere.
    Go(String),
    /// Done here.
    Done,
    /// Saved here, as this revision.
    Saved(i32),
    /// Done here, and this is shown once.
    Show(Shown),
    /// Not done.
    Refused(Refusal),
}

/// What is shown once and never again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Shown {
    /// A new secret for an authenticator app.
    SecondFactor(SecondFactorSetup),
    /// New recovery codes.
    RecoveryCodes(RecoveryCodes),
}

/// A form that was posted to its page, with what was typed and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Posted {
    /// Which form.
    pub form: String,
    /// What was typed, without secrets.
    pub fields: Vec<(String, String)>,
    /// What came of it.
    pub answer: Option<FormAnswer>,
    /// The page the form stands on, when it was posted to another address: forms with files are.
    #[serde(default)]
    pub page: Option<String>,
}

impl Posted {
    /// Keeps what may travel back.
    #[must_use]
    pub fn new(form: String, fields: Vec<(String, String)>, answer: FormAnswer) -> Self {
        let fields = fields.into_iter().filter(|(name, _)| !SECRET_FIELDS.contains(&name.as_str())).collect();
        Self { form, fields, answer: Some(answer), page: None }
    }
}

/// Does what a form says. The way a page that is awake takes.
#[server(prefix = "/api/fn", endpoint = "submit", input = Json)]
pub async fn submit(form: String, fields: Vec<(String, String)>) -> Result<FormAnswer, AppError> {
    // What names the form is no field of it, as little as when it is posted.
    let fields: Vec<_> = fields.into_iter().filter(|(name, _)| name != FORM_FIELD).collect();
    let performed = crate::context::perform::perform(&crate::context::server::door()?, &form, &fields).await;
    if let (Some(cookie), Some(response)) = (performed.cookie, use_context::<leptos_axum::ResponseOptions>())
        && let Ok(value) = http::HeaderValue::from_str(&cookie)
    {
        response.append_header(http::header::SET_COOKIE, value);
    }
    Ok(performed.answer)
}

/// The form that was done last, and the page it stood on: a page that is read again afterwards still says so.
#[derive(Clone, Copy, Debug)]
pub struct LastDone(StoredValue<Option<(&'static str, String)>>);

impl LastDone {
    /// For the whole application.
    #[must_use]
    pub fn new() -> Self {
        Self(StoredValue::new(None))
    }

    /// Whether it was this form on this page. Said once; another page's is forgotten.
    fn take(self, form: &str, page: &str) -> bool {
        let is_it = self.0.with_value(|last| last.as_ref().map(|(name, place)| (*name == form, place == page)));
        if let Some((true, _) | (_, false)) = is_it {
            self.0.set_value(None);
        }
        is_it == Some((true, true))
    }
}

impl Default for LastDone {
    fn default() -> Self {
        Self::new()
    }
}

/// What the fields of a form know of it.
#[derive(Clone, Copy)]
pub struct FormState {
    form: &'static str,
    typed: StoredValue<Vec<(String, String)>>,
    /// Names of the fields on it that can say what is wrong with them.
    fields: StoredValue<Vec<&'static str>>,
    refusal: RwSignal<Option<Refusal>>,
    is_busy: RwSignal<bool>,
}

impl FormState {
    /// Id of a control: forms on one page may have fields of the same name.
    fn id(self, field: &str) -> String {
        format!("{}-{field}", self.form)
    }

    fn new(form: &'static str, posted: Posted) -> Self {
        let refusal = match posted.answer {
            Some(FormAnswer::Refused(refusal)) => Some(refusal),
            _ => None,
        };
        Self {
            form,
            typed: StoredValue::new(if refusal.is_some() { posted.fields } else { Vec::new() }),
            fields: StoredValue::new(Vec::new()),
            refusal: RwSignal::new(refusal),
            is_busy: RwSignal::new(false),
        }
    }

    /// What was typed into a field before the page came back.
    #[must_use]
    pub fn typed(self, name: &str) -> Option<String> {
        self.typed.with_value(|fields| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone()))
    }

    fn came_back(self) -> bool {
        self.typed.with_value(|fields| !fields.is_empty())
    }

    fn problem_with(self, name: &str) -> Option<String> {
        self.refusal.with(|refusal| {
            refusal
                .as_ref()
                .filter(|refusal| refusal.field.as_deref() == Some(name))
                .map(|refusal| refusal.message.clone())
        })
    }
}

/// The query of a page's address without what only said that a form was done.
fn kept_query(search: &str) -> String {
    let kept: Vec<_> = search
        .trim_start_matches('?')
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("done="))
        .collect();
    if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) }
}

/// The fields of a form as pairs.
fn fields_of(form: &web_sys::HtmlFormElement) -> Vec<(String, String)> {
    let Ok(data) = web_sys::FormData::new_with_form(form) else {
        return Vec::new();
    };
    let entries = js_sys::Array::from(&data);
    entries
        .iter()
        .filter_map(|entry| {
            let pair: js_sys::Array = entry.dyn_into().ok()?;
            Some((pair.get(0).as_string()?, pair.get(1).as_string()?))
        })
        .collect()
}

/// Whether the form of this name was just done: its page may have no place for it any more, and still has to say so.
pub fn was_done(name: &'static str) -> bool {
    let (query, location) = (use_query_map(), use_location());
    query.with_untracked(|query| query.get("done").as_deref() == Some(name))
        || use_context::<LastDone>().is_some_and(|last| location.pathname.with_untracked(|page| last.take(name, page)))
}

/// A form called `name`. `done` is the sentence that says it worked, when nothing else on the page does.
#[component]
pub fn PostForm(
    /// The verb.
    name: &'static str,
    /// Said when it is done.
    #[prop(optional)]
    done: &'static str,
    /// Extra class.
    #[prop(optional)]
    class: &'static str,
    /// Hidden fields, such as ids.
    #[prop(optional)]
    hidden: Vec<(&'static str, String)>,
    /// Set to what is shown once.
    #[prop(optional)]
    shown: Option<RwSignal<Option<Shown>>>,
    /// Set to the revision that was saved.
    #[prop(optional)]
    saved: Option<RwSignal<i32>>,
    /// Run when it is done in place.
    #[prop(optional)]
    then: Option<Callback<()>>,
    /// Fields and button.
    children: Children,
) -> impl IntoView {
    let is_same = |posted: &Posted| {
        // Many rows may carry a form of one name; what tells them apart are their hidden fields.
        posted.form == name
            && hidden.iter().all(|pair| posted.fields.iter().any(|(field, value)| field == pair.0 && *value == pair.1))
    };
    let posted = use_context::<Posted>().filter(is_same).unwrap_or_default();
    let state = FormState::new(name, posted);
    let location = use_location();
    let last = use_context::<LastDone>();
    let was_done = was_done(name);
    let is_refused = state.refusal.with_untracked(Option::is_some);
    let is_done = RwSignal::new(!done.is_empty() && was_done && !is_refused);
    if is_refused || is_done.get_untracked() {
        open_fold();
    }
    let page = location.pathname;
    // Read once: parts of a page are rendered side by side, and what the router derives must not be asked while it goes.
    let action = format!("{}{}", page.get_untracked(), location.search.with_untracked(|search| kept_query(search)));
    let navigate = use_navigate();
    let refresh = use_context::<Refresh>();
    let on_submit = move |event: SubmitEvent| {
        event.prevent_default();
        if state.is_busy.get_untracked() {
            return;
        }
        let Some(form) = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlFormElement>().ok()) else {
            return;
        };
        let fields = fields_of(&form);
        state.is_busy.set(true);
        is_done.set(false);
        if let Some(last) = last {
            last.0.set_value(None);
        }
        let navigate = navigate.clone();
        leptos::task::spawn_local(async move {
            let answer =
                submit(name.to_owned(), fields).await.unwrap_or_else(|AppError(refusal)| FormAnswer::Refused(refusal));
            state.is_busy.set(false);
            state.refusal.set(None);
            match answer {
                FormAnswer::Refused(refusal) => {
                    let field = refusal.field.clone();
                    state.refusal.set(Some(refusal));
                    // The message is there with the next frame.
                    request_animation_frame(move || focus(&form, field.as_deref()));
                    return;
                }
                // A new session is a new page: nothing read for somebody else stays.
                FormAnswer::Go(to) if changes_session(name) => {
                    if let Err(error) = window().location().set_href(&to) {
                        leptos::logging::error!("cannot go on: {error:?}");
                    }
                    return;
                }
                FormAnswer::Go(to) => navigate(&to, leptos_router::NavigateOptions::default()),
                FormAnswer::Done => is_done.set(!done.is_empty()),
                FormAnswer::Saved(revision) => {
                    if let Some(saved) = saved {
                        saved.set(revision);
                    }
                    is_done.set(!done.is_empty());
                }
                FormAnswer::Show(once) => {
                    // Reading everything again would take away what is shown only now.
                    if let Some(shown) = shown {
                        shown.set(Some(once));
                    }
                    return;
                }
            }
            if let Some(last) = last {
                last.0.set_value(Some((name, page.get_untracked())));
            }
            if let Some(then) = then {
                then.run(());
            }
            if let Some(refresh) = refresh {
                refresh.raise();
            }
        });
    };
    let hidden: Vec<_> =
        hidden.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect();
    view! {
        <Provider value=state>
            <form method="post" action=action class=class on:submit=on_submit.clone() novalidate=true>
                <input type="hidden" name=FORM_FIELD value=name/>
                {hidden}
                <GeneralProblem/>
                {children()}
                <p class="done" role="status">{move || is_done.get().then_some(done)}</p>
            </form>
        </Provider>
    }
}

/// Forms after which somebody else may be signed in.
fn changes_session(form: &str) -> bool {
    matches!(form, "sign_in" | "second_factor" | "sign_out")
}

/// Leads the eye and the keyboard to what is wrong.
fn focus(form: &web_sys::HtmlFormElement, field: Option<&str>) {
    let find = |selector: &str| form.query_selector(selector).ok().flatten();
    let named = field.and_then(|field| find(&format!("[name=\"{field}\"]:not([type=hidden])")));
    let Some(element) = named.or_else(|| find("[role=alert]")) else { return };
    // What is folded away can be neither seen nor focused.
    if let Ok(Some(fold)) = element.closest("details:not([open])")
        && let Err(error) = fold.set_attribute("open", "")
    {
        leptos::logging::warn!("cannot open a fold: {error:?}");
    }
    if let Ok(element) = element.dyn_into::<web_sys::HtmlElement>()
        && let Err(error) = element.focus()
    {
        leptos::logging::warn!("cannot move the focus: {error:?}");
    }
}

/// A refusal that concerns the form as a whole, or a field that is not on it.
#[component]
fn GeneralProblem() -> impl IntoView {
    let state = expect_context::<FormState>();
    move || {
        let is_on_form = |field: &str| state.fields.with_value(|fields| fields.contains(&field));
        state.refusal.get().filter(|refusal| !refusal.field.as_deref().is_some_and(is_on_form)).map(|refusal| {
            view! { <p class="problem general" role="alert" tabindex="-1">{refusal.message}</p> }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_posted_to_its_page_with_what_the_page_asks_by() {
        for (search, kept) in [
            ("", ""),
            ("t=abc", "?t=abc"),
            ("?t=abc", "?t=abc"),
            ("done=profile", ""),
            ("search=tom&done=profile&page=2", "?search=tom&page=2"),
        ] {
            assert_eq!(kept_query(search), kept, "{search}");
        }
    }
}
