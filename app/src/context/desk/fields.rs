//! Fields of forms that are posted: label, control, hint and what is wrong, tied together.

use leptos::prelude::*;

use super::Feedback;
use crate::forms::area_text;

/// How a field looks.
pub(super) struct Field {
    /// The form it stands in.
    pub form: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Label for people.
    pub label: &'static str,
    /// `text`, `password`, `date`, …
    pub kind: &'static str,
    /// Under the label; may be empty.
    pub hint: &'static str,
    /// Value of `autocomplete`.
    pub autocomplete: &'static str,
}

impl Field {
    pub(super) const fn text(form: &'static str, name: &'static str, label: &'static str) -> Self {
        Self { form, name, label, kind: "text", hint: "", autocomplete: "off" }
    }

    pub(super) const fn of(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }

    pub(super) const fn hint(mut self, hint: &'static str) -> Self {
        self.hint = hint;
        self
    }

    pub(super) const fn autocomplete(mut self, autocomplete: &'static str) -> Self {
        self.autocomplete = autocomplete;
        self
    }

    fn id(&self) -> String {
        format!("{}-{}", self.form, self.name)
    }

    fn around(&self, feedback: &Feedback, control: AnyView) -> AnyView {
        let problem = feedback.problem_with(self.form, self.name);
        let hint =
            (!self.hint.is_empty()).then(|| view! { <p class="hint" id=format!("{}-hint", self.id())>{self.hint}</p> });
        let problem = problem.map(|text| view! { <p class="problem" id=format!("{}-problem", self.id())>{text}</p> });
        view! { <div class="field"><label for=self.id()>{self.label}</label>{hint}<div class="control">{control}</div>{problem}</div> }
            .into_any()
    }

    fn described_by(&self, feedback: &Feedback) -> Option<String> {
        let problem = feedback.problem_with(self.form, self.name).map(|_| format!("{}-problem", self.id()));
        let hint = (!self.hint.is_empty()).then(|| format!("{}-hint", self.id()));
        let ids: Vec<_> = [problem, hint].into_iter().flatten().collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    }

    fn invalid(&self, feedback: &Feedback) -> Option<&'static str> {
        feedback.problem_with(self.form, self.name).map(|_| "true")
    }

    /// One line.
    pub(super) fn line(self, feedback: &Feedback) -> AnyView {
        let value = feedback.typed(self.form, self.name);
        let control = view! {
            <input
                id=self.id() name=self.name type=self.kind value=value autocomplete=self.autocomplete
                aria-invalid=self.invalid(feedback) aria-describedby=self.described_by(feedback)
            />
        };
        self.around(feedback, control.into_any())
    }

    /// Several lines.
    pub(super) fn area(self, feedback: &Feedback) -> AnyView {
        let value = area_text(&feedback.typed(self.form, self.name).unwrap_or_default());
        let control = view! {
            <textarea
                id=self.id() name=self.name rows="3" inner_html=value
                aria-invalid=self.invalid(feedback) aria-describedby=self.described_by(feedback)
            ></textarea>
        };
        self.around(feedback, control.into_any())
    }

    /// One of a list.
    pub(super) fn choice(self, feedback: &Feedback, options: Vec<(String, String)>) -> AnyView {
        let chosen = feedback.typed(self.form, self.name);
        let options: Vec<_> = options
            .into_iter()
            .map(|(value, label)| {
                let is_chosen = chosen.as_ref() == Some(&value);
                view! { <option value=value selected=is_chosen>{label}</option> }
            })
            .collect();
        let control = view! {
            <select
                id=self.id() name=self.name
                aria-invalid=self.invalid(feedback) aria-describedby=self.described_by(feedback)
            >{options}</select>
        };
        self.around(feedback, control.into_any())
    }

    /// Any of a list, each a box.
    pub(super) fn boxes(self, feedback: &Feedback, options: Vec<(String, String)>) -> AnyView {
        let problem = feedback.problem_with(self.form, self.name);
        let boxes: Vec<_> = options
            .into_iter()
            .map(|(value, label)| {
                let is_ticked = feedback.ticked(self.form, self.name, &value);
                view! {
                    <div class="checkbox">
                        <label><input type="checkbox" name=self.name value=value checked=is_ticked/><span>{label}</span></label>
                    </div>
                }
            })
            .collect();
        let hint = (!self.hint.is_empty()).then(|| view! { <p class="hint">{self.hint}</p> });
        let problem = problem.map(|text| view! { <p class="problem">{text}</p> });
        view! { <fieldset class="field"><legend>{self.label}</legend>{hint}{boxes}{problem}</fieldset> }.into_any()
    }
}

/// A form that is a single button.
pub(super) fn button(
    action: String,
    label: &'static str,
    kind: &'static str,
    hidden: Vec<(&'static str, String)>,
) -> AnyView {
    let hidden: Vec<_> =
        hidden.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect();
    view! {
        <form method="post" action=action class="inline">
            {hidden}
            <button type="submit" class=format!("button {kind}")>{label}</button>
        </form>
    }
    .into_any()
}
