//! Password and second factor.

use domain::account::{RecoveryCodes, SecondFactorSetup};
use leptos::prelude::*;

use crate::forms::{Fold, FormAnswer, PostForm, Posted, Shown, Submit, TextField};

/// Changing the password.
#[component]
pub fn Password() -> impl IntoView {
    view! {
        <section>
            <h2>"Password"</h2>
            <Fold summary="Change the password">
                <PostForm name="change_password" done="Your password was changed. Every other browser was signed out.">
                    <TextField name="current_password" label="Password now" kind="password" autocomplete="current-password"/>
                    <TextField name="password" label="New password" kind="password" autocomplete="new-password"/>
                    <Submit label="Change it" kind=""/>
                </PostForm>
            </Fold>
        </section>
    }
}

/// Switching the second factor on and off.
#[component]
pub fn SecondFactor(
    /// Whether it is on.
    is_on: bool,
    /// Recovery codes not used yet.
    codes_left: u32,
) -> impl IntoView {
    let posted = use_context::<Posted>().unwrap_or_default();
    let is_second_try = posted.form == "enable_second_factor" && matches!(posted.answer, Some(FormAnswer::Refused(_)));
    let shown = RwSignal::new(match posted.answer {
        Some(FormAnswer::Show(once)) => Some(once),
        _ => None,
    });
    view! {
        <section id="second-factor">
            <h2>"Second factor"</h2>
            {move || match shown.get() {
                Some(Shown::SecondFactor(setup)) => view! { <Setup setup=setup shown=shown/> }.into_any(),
                Some(Shown::RecoveryCodes(codes)) => view! { <Codes codes=codes/> }.into_any(),
                None if is_on => view! { <WhenOn codes_left=codes_left shown=shown/> }.into_any(),
                None if is_second_try => view! { <CodeForm shown=shown/> }.into_any(),
                None => view! { <WhenOff shown=shown/> }.into_any(),
            }}
        </section>
    }
}

#[component]
fn WhenOff(shown: RwSignal<Option<Shown>>) -> impl IntoView {
    view! {
        <p>"With it, signing in takes your password and a code from an app on your phone. Somebody who learns your password cannot get in."</p>
        <PostForm name="begin_second_factor" shown=shown>
            <TextField name="password" label="Your password" kind="password" autocomplete="current-password"/>
            <Submit label="Set up the second factor" kind=""/>
        </PostForm>
    }
}

#[component]
fn WhenOn(codes_left: u32, shown: RwSignal<Option<Shown>>) -> impl IntoView {
    view! {
        <p class="good">"It is on. "{codes_left}" recovery codes are left."</p>
        <Fold summary="New recovery codes, or switch it off">
            <PostForm name="new_recovery_codes" shown=shown>
                <TextField name="password" label="Your password" kind="password" autocomplete="current-password"/>
                <Submit label="Make new codes" kind=""/>
            </PostForm>
            <PostForm name="disable_second_factor" done="It is off.">
                <TextField name="password" label="Your password" kind="password" autocomplete="current-password"/>
                <Submit label="Switch it off" kind="danger"/>
            </PostForm>
        </Fold>
    }
}

#[component]
fn Setup(setup: SecondFactorSetup, shown: RwSignal<Option<Shown>>) -> impl IntoView {
    view! {
        <div class="setup">
            <div class="qr" inner_html=setup.qr_svg role="img" aria-label="QR code for your authenticator app"></div>
            <div>
                <p>"Scan this with your authenticator app, or type the key into it:"</p>
                <p><code data-totp-secret class="break-anywhere">{setup.secret_text}</code></p>
                <CodeForm shown=shown/>
            </div>
        </div>
    }
}

#[component]
fn CodeForm(shown: RwSignal<Option<Shown>>) -> impl IntoView {
    view! {
        <PostForm name="enable_second_factor" shown=shown>
            <TextField name="code" label="The six digits it shows now" autocomplete="one-time-code" inputmode="numeric"/>
            <Submit label="Turn on the second factor"/>
        </PostForm>
    }
}

#[component]
fn Codes(codes: RecoveryCodes) -> impl IntoView {
    let codes: Vec<_> = codes.0.into_iter().map(|code| view! { <li><code>{code}</code></li> }).collect();
    view! {
        <div class="codes" role="status">
            <h3>"Your recovery codes"</h3>
            <p>"Keep them where you keep important papers. Each opens the door once when your phone is not at hand. They are not shown again."</p>
            <ol data-recovery-codes>{codes}</ol>
        </div>
    }
}
