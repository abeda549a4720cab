//! Public pages about the product itself.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::context::signal_line;

/// The frame of pages for people who are not signed in.
#[component]
pub fn PublicFrame(children: Children) -> impl IntoView {
    view! {
        <a class="skip" href="#content">"Skip to the content"</a>
        <header class="public-header">
            <a class="wordmark" href="/">"My Mini Webinar"</a>
            <nav aria-label="Account">
                <a href="/login">"Sign in"</a>
                <a class="button" href="/signup">"Open an account"</a>
            </nav>
        </header>
        {children()}
        <footer class="public-footer">
            <a href="/terms" rel="external">"Terms and data processing"</a>" · "<a href="/privacy" rel="external">"Privacy"</a>
            // What it says depends on the browser that asks, so it is filled by the server and left alone afterwards.
            <div inner_html=signal_line()></div>
        </footer>
    }
}

/// The front door.
#[component]
pub fn HomePage() -> impl IntoView {
    view! {
        <Title text=""/>
        <PublicFrame>
            <main class="front" id="content">
                <section class="front-lead">
                    <div class="front-words">
                    <h1>"Upload one recording. Have a webinar that runs by itself."</h1>
                    <p class="lead">
                        "A page to register on, a room to watch in, and numbers you can trust: who watched what, to the second. No control room, no funnels to wire."
                    </p>
                    <p><a class="button primary" href="/signup">"Open an account"</a></p>
                    </div>
                    <Picture/>
                </section>
                <section class="front-points">
                    <div>
                        <h2>"Five decisions, then it runs"</h2>
                        <p>"A recording, a title, what to ask people, where it is shown, and publish. Everything else has a good default."</p>
                    </div>
                    <div>
                        <h2>"Honest with viewers"</h2>
                        <p>"It says that it is a recording, how long it is and when it was made. No made-up crowd, no clock that lies."</p>
                    </div>
                    <div>
                        <h2>"Their data, treated like yours"</h2>
                        <p>"No cookies on viewer pages, no advertising, no third party. Names and addresses are sealed one by one, so that forgetting a person really forgets."</p>
                    </div>
                </section>
            </main>
        </PublicFrame>
    }
}

/// A recording with the curve of who stayed under it: what the product is about, without words.
#[component]
fn Picture() -> impl IntoView {
    view! {
        <svg class="front-picture" viewBox="0 0 480 372" aria-hidden="true">
            <rect class="frame" x="1" y="1" width="478" height="268" rx="10"></rect>
            <rect class="accent" x="44" y="62" width="5" height="96"></rect>
            <rect class="line strong" x="66" y="64" width="230" height="18" rx="4"></rect>
            <rect class="line" x="66" y="102" width="180" height="9" rx="4"></rect>
            <rect class="line" x="66" y="124" width="204" height="9" rx="4"></rect>
            <rect class="line" x="66" y="146" width="142" height="9" rx="4"></rect>
            <circle class="accent" cx="376" cy="110" r="34"></circle>
            <path class="sign" d="M366 93v34l28-17z"></path>
            <rect class="line" x="32" y="238" width="416" height="5" rx="2"></rect>
            <rect class="accent" x="32" y="238" width="186" height="5" rx="2"></rect>
            <path class="seen" d="M2 371V292C60 294 90 300 134 303S214 309 262 316s76 8 116 19 62 9 100 11V371Z"></path>
            <path class="again" d="M146 371C158 371 160 342 176 341s22 30 40 30Z"></path>
            <line class="cursor" x1="218" y1="280" x2="218" y2="371"></line>
        </svg>
    }
}
