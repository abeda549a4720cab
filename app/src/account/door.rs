//! Pages in front of the door. What they say never tells whether an address has an account.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::forms::{Checkbox, PostForm, Submit, TextField};
use crate::home::PublicFrame;

fn asked(name: &'static str) -> impl Fn() -> bool + Copy + Send + Sync {
    let query = use_query_map();
    move || query.with(|query| query.get(name).is_some())
}

#[component]
fn CheckInbox(
    /// What the mail is for.
    what: &'static str,
) -> impl IntoView {
    view! {
        <h1>"Check your inbox"</h1>
        <p>{what}</p>
        <p class="quiet">"It should arrive within a few minutes. If it does not, please look among the unwanted mail."</p>
    }
}

/// Opening an account.
#[component]
pub fn SignUpPage() -> impl IntoView {
    let is_sent = asked("sent");
    view! {
        <Title text="Open an account"/>
        <PublicFrame>
            <main class="door" id="content">
                {move || {
                    if is_sent() {
                        view! { <CheckInbox what="A mail is on its way to you. Its button confirms that the address is yours; then you can sign in."/> }.into_any()
                    } else {
                        view! { <SignUpForm/> }.into_any()
                    }
                }}
            </main>
        </PublicFrame>
    }
}

#[component]
fn SignUpForm() -> impl IntoView {
    view! {
        <h1>"Open an account"</h1>
        <PostForm name="sign_up">
            <TextField name="name" label="Your name" autocomplete="name" hint="Viewers see it as the presenter; you can change it for each webinar."/>
            <TextField name="email" label="E-mail address" kind="email" autocomplete="email"/>
            <TextField name="password" label="Password" kind="password" autocomplete="new-password" hint="At least 8 characters. A few unrelated words make a good one."/>
            <Checkbox name="age_ok">"I am 16 or older."</Checkbox>
            <Checkbox name="terms">"I accept the "<a href="/terms" target="_blank" rel="external">"terms and the data-processing agreement"</a>"."</Checkbox>
            <Submit label="Open my account"/>
        </PostForm>
        <p class="quiet">"You have one? "<a href="/login">"Sign in"</a></p>
    }
}

/// What the link in a confirmation mail leads to. It asks for one press, because mail scanners open links.
#[component]
pub fn ConfirmPage() -> impl IntoView {
    let is_done = asked("ok");
    let query = use_query_map();
    let token = move || query.with(|query| query.get("t").unwrap_or_default());
    view! {
        <Title text="Confirm your address"/>
        <PublicFrame>
            <main class="door" id="content">
                {move || {
                    if is_done() {
                        view! {
                            <h1>"Your address is confirmed"</h1>
                            <p>"Everything is ready."</p>
                            <p><a class="button primary" href="/dashboard" rel="external">"To my webinars"</a></p>
                        }
                        .into_any()
                    } else {
                        view! {
                            <h1>"Is this address yours?"</h1>
                            <p>"One press, and we know that mails reach you."</p>
                            <PostForm name="confirm_email" hidden=vec![("token", token())]>
                                <Submit label="Yes, confirm it"/>
                            </PostForm>
                        }
                        .into_any()
                    }
                }}
            </main>
        </PublicFrame>
    }
}

/// Signing in.
#[component]
pub fn LoginPage() -> impl IntoView {
    let is_changed = asked("changed");
    view! {
        <Title text="Sign in"/>
        <PublicFrame>
            <main class="door" id="content">
                <h1>"Sign in"</h1>
                {move || is_changed().then(|| view! { <p class="done" role="status">"Your password was changed. Please sign in with the new password."</p> })}
                <PostForm name="sign_in">
                    <TextField name="email" label="E-mail address" kind="email" autocomplete="username"/>
                    <TextField name="password" label="Password" kind="password" autocomplete="current-password"/>
                    <Submit label="Sign in"/>
                </PostForm>
                <p class="quiet"><a href="/reset">"I forgot my password"</a>" · "<a href="/signup">"Open an account"</a></p>
            </main>
        </PublicFrame>
    }
}

/// The second factor.
#[component]
pub fn SecondFactorPage() -> impl IntoView {
    view! {
        <Title text="Second factor"/>
        <PublicFrame>
            <main class="door" id="content">
                <h1>"One more step"</h1>
                <p>"Type the six digits your authenticator app shows now. Without it, one of your recovery codes opens the door, once."</p>
                <PostForm name="second_factor">
                    <TextField name="code" label="Code" autocomplete="one-time-code"/>
                    <Submit label="Sign in"/>
                </PostForm>
                <p class="quiet"><a href="/login">"Start again"</a></p>
            </main>
        </PublicFrame>
    }
}

/// Asking for a new password.
#[component]
pub fn ResetPage() -> impl IntoView {
    let is_sent = asked("sent");
    view! {
        <Title text="Choose a new password"/>
        <PublicFrame>
            <main class="door" id="content">
                {move || {
                    if is_sent() {
                        view! { <CheckInbox what="If the address has an account, a mail with a button is on its way. The button works for 15 minutes."/> }.into_any()
                    } else {
                        view! {
                            <h1>"Choose a new password"</h1>
                            <p>"We mail a button to the address of your account."</p>
                            <PostForm name="request_reset">
                                <TextField name="email" label="E-mail address" kind="email" autocomplete="username"/>
                                <Submit label="Send me the mail"/>
                            </PostForm>
                        }
                        .into_any()
                    }
                }}
            </main>
        </PublicFrame>
    }
}

/// Choosing the new password.
#[component]
pub fn NewPasswordPage() -> impl IntoView {
    let query = use_query_map();
    let token = move || query.with_untracked(|query| query.get("t").unwrap_or_default());
    view! {
        <Title text="Your new password"/>
        <PublicFrame>
            <main class="door" id="content">
                <h1>"Your new password"</h1>
                <p>"Every browser that is signed in now will be signed out."</p>
                <PostForm name="reset_password" hidden=vec![("token", token())]>
                    <TextField name="password" label="New password" kind="password" autocomplete="new-password" hint="At least 8 characters. A few unrelated words make a good one."/>
                    <Submit label="Save it"/>
                </PostForm>
            </main>
        </PublicFrame>
    }
}
