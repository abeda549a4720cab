//! One question of a form: its label, what was typed, and what was wrong with it.

use domain::Refusal;
use leptos::prelude::*;

/// A question answered in one line.
pub struct TextField<'a> {
    /// Distinguishes the fields of two forms on one page.
    pub id: &'a str,
    /// The name the form sends.
    pub name: &'a str,
    /// For people.
    pub label: &'a str,
    /// HTML's input type.
    pub kind: &'a str,
    /// HTML's `autocomplete`.
    pub autocomplete: &'a str,
    /// What was typed before.
    pub value: &'a str,
    /// Whether it must be filled.
    pub required: bool,
    /// Whether the page may move the focus here when the answer was refused.
    pub may_take_focus: bool,
}

impl TextField<'_> {
    /// The field, with the refusal beside it when it is the one refused.
    pub fn view(&self, refusal: Option<&Refusal>) -> AnyView {
        let Self { id, name, label, kind, autocomplete, value, required, may_take_focus } = *self;
        let refused = Refused::of(id, refusal);
        let optional = (!required).then(|| view! { <span class="quiet">" (optional)"</span> });
        // Written right to left or left to right as typed; addresses and numbers always read left to right.
        let direction = if matches!(kind, "email" | "tel") { "ltr" } else { "auto" };
        let focus = refusal.is_some() && may_take_focus;
        view! {
            <div class="field">
                <label for=id.to_owned()>{label.to_owned()}{optional}</label>
                <input
                    id=id.to_owned()
                    name=name.to_owned()
                    type=kind.to_owned()
                    autocomplete=autocomplete.to_owned()
                    dir=direction
                    value=value.to_owned()
                    required=required
                    autofocus=focus
                    aria-invalid=refused.invalid()
                    aria-describedby=refused.described_by()
                />
                {refused.message()}
            </div>
        }
        .into_any()
    }
}

/// How a refused field says so, to eyes and to screen readers.
pub struct Refused<'a> {
    error_id: String,
    refusal: Option<&'a Refusal>,
}

impl<'a> Refused<'a> {
    /// For the field with this id, when the refusal is about it.
    pub fn of(id: &str, refusal: Option<&'a Refusal>) -> Self {
        Self { error_id: format!("{id}-error"), refusal }
    }

    /// The value of `aria-invalid`.
    pub fn invalid(&self) -> Option<&'static str> {
        self.refusal.map(|_| "true")
    }

    /// The value of `aria-describedby`.
    pub fn described_by(&self) -> Option<String> {
        self.refusal.map(|_| self.error_id.clone())
    }

    /// The sentence itself.
    pub fn message(&self) -> Option<AnyView> {
        let text = self.refusal?.message.clone();
        Some(view! { <p class="field-error" id=self.error_id.clone() role="alert">{text}</p> }.into_any())
    }
}
