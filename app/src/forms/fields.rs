//! Fields of a form: label, control, hint and what is wrong with it, tied together for eyes and screen readers alike.

use leptos::prelude::*;

use super::FormState;
use super::fold::open_fold;

/// What is wrong with one field, beside it.
#[component]
pub fn Problem(
    /// The field's name.
    name: &'static str,
) -> impl IntoView {
    let state = expect_context::<FormState>();
    state.fields.update_value(|fields| fields.push(name));
    if state.refusal.with_untracked(|refusal| refusal.as_ref().is_some_and(|it| it.field.as_deref() == Some(name))) {
        open_fold();
    }
    move || {
        state.problem_with(name).map(|message| {
            view! { <p class="problem" role="alert" id=format!("{}-problem", state.id(name))>{message}</p> }
        })
    }
}

/// Attributes that tie a control to its hint and its problem.
fn described_by(
    state: FormState,
    name: &'static str,
    has_hint: bool,
) -> impl Fn() -> Option<String> + Copy + Send + Sync {
    move || {
        let hint = has_hint.then(|| format!("{}-hint", state.id(name)));
        let problem = state.problem_with(name).map(|_| format!("{}-problem", state.id(name)));
        let ids: Vec<_> = [problem, hint].into_iter().flatten().collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    }
}

fn hint_of(state: FormState, name: &str, hint: &'static str) -> Option<impl IntoView + use<>> {
    (!hint.is_empty()).then(|| view! { <p class="hint" id=format!("{}-hint", state.id(name))>{hint}</p> })
}

/// One line of text.
#[component]
pub fn TextField(
    /// Name in the form.
    name: &'static str,
    /// Label for people.
    label: &'static str,
    /// What is in it at first.
    #[prop(optional, into)]
    value: String,
    /// Type of the input.
    #[prop(default = "text")]
    kind: &'static str,
    /// What it is for, in one sentence.
    #[prop(optional)]
    hint: &'static str,
    /// Value of `autocomplete`.
    #[prop(default = "off")]
    autocomplete: &'static str,
    /// Whether it may stay empty.
    #[prop(optional)]
    optional: bool,
    /// What stands before the text, such as an address.
    #[prop(optional, into)]
    prefix: String,
    /// Id of a datalist.
    #[prop(optional)]
    list: &'static str,
    /// Value of `inputmode`.
    #[prop(optional)]
    inputmode: &'static str,
) -> impl IntoView {
    let state = expect_context::<FormState>();
    let value = state.typed(name).unwrap_or(value);
    let described_by = described_by(state, name, !hint.is_empty());
    let list = (!list.is_empty()).then_some(list);
    let inputmode = (!inputmode.is_empty()).then_some(inputmode);
    let prefix = (!prefix.is_empty()).then(|| view! { <span class="prefix" dir="ltr">{prefix}</span> });
    view! {
        <div class="field">
            <label for=state.id(name)>{label}{optional.then(|| view! { <span class="optional">" (optional)"</span> })}</label>
            {hint_of(state, name, hint)}
            <div class="control">
                {prefix}
                <input
                    id=state.id(name)
                    name=name
                    type=kind
                    value=value
                    autocomplete=autocomplete
                    list=list
                    inputmode=inputmode
                    required=!optional
                    aria-invalid=move || state.problem_with(name).map(|_| "true")
                    aria-describedby=described_by
                />
            </div>
            <Problem name=name/>
        </div>
    }
}

/// Several lines of text.
#[component]
pub fn TextArea(
    /// Name in the form.
    name: &'static str,
    /// Label for people.
    label: &'static str,
    /// What is in it at first.
    #[prop(optional, into)]
    value: String,
    /// What it is for, in one sentence.
    #[prop(optional)]
    hint: &'static str,
    /// Lines shown.
    #[prop(default = 4)]
    rows: u32,
    /// Whether it may stay empty.
    #[prop(optional)]
    optional: bool,
) -> impl IntoView {
    let state = expect_context::<FormState>();
    let value = state.typed(name).unwrap_or(value);
    let described_by = described_by(state, name, !hint.is_empty());
    view! {
        <div class="field">
            <label for=state.id(name)>{label}{optional.then(|| view! { <span class="optional">" (optional)"</span> })}</label>
            {hint_of(state, name, hint)}
            <textarea
                id=state.id(name)
                name=name
                rows=rows
                dir="auto"
                aria-invalid=move || state.problem_with(name).map(|_| "true")
                aria-describedby=described_by
                inner_html=area_text(&value)
            ></textarea>
            <Problem name=name/>
        </div>
    }
}

/// A text as the content of a `<textarea>`, which leptos writes as it is: an end tag in it would end the field.
#[must_use]
pub fn area_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// One of a few.
#[component]
pub fn Select(
    /// Name in the form.
    name: &'static str,
    /// Label for people.
    label: &'static str,
    /// Value and label of each.
    options: Vec<(String, String)>,
    /// What is chosen at first.
    #[prop(into)]
    value: String,
    /// What it is for, in one sentence.
    #[prop(optional)]
    hint: &'static str,
) -> impl IntoView {
    let state = expect_context::<FormState>();
    let value = state.typed(name).unwrap_or(value);
    let described_by = described_by(state, name, !hint.is_empty());
    let options: Vec<_> = options
        .into_iter()
        .map(|(key, text)| {
            let is_chosen = key == value;
            view! { <option value=key selected=is_chosen>{text}</option> }
        })
        .collect();
    view! {
        <div class="field">
            <label for=state.id(name)>{label}</label>
            {hint_of(state, name, hint)}
            <select
                id=state.id(name)
                name=name
                aria-invalid=move || state.problem_with(name).map(|_| "true")
                aria-describedby=described_by
            >
                {options}
            </select>
            <Problem name=name/>
        </div>
    }
}

/// A box to tick.
#[component]
pub fn Checkbox(
    /// Name in the form.
    name: &'static str,
    /// What ticking it says.
    children: Children,
    /// Whether it is ticked at first.
    #[prop(optional)]
    checked: bool,
) -> impl IntoView {
    let state = expect_context::<FormState>();
    let is_ticked = if state.came_back() { state.typed(name).is_some() } else { checked };
    let described_by = described_by(state, name, false);
    view! {
        <div class="field checkbox">
            <label>
                <input
                    type="checkbox"
                    name=name
                    checked=is_ticked
                    aria-invalid=move || state.problem_with(name).map(|_| "true")
                    aria-describedby=described_by
                />
                <span>{children()}</span>
            </label>
            <Problem name=name/>
        </div>
    }
}

/// The button that sends the form.
#[component]
pub fn Submit(
    /// What it does.
    label: &'static str,
    /// `primary`, `quiet`, `danger` or nothing.
    #[prop(default = "primary")]
    kind: &'static str,
) -> impl IntoView {
    let state = expect_context::<FormState>();
    view! {
        <button type="submit" class=format!("button {kind}") aria-busy=move || state.is_busy.get().then_some("true")>
            {label}
        </button>
    }
}
