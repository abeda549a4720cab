//! Viewer pages belong to the coach: name, logo and colour; our own name stands small at the end.

use domain::webinar::Invitation;
use leptos::prelude::*;

use super::document::Around;
use super::wording::SIGNAL_HONOURED;

/// Logo and name of an invitation.
pub fn brand_header(invitation: &Invitation) -> AnyView {
    header(invitation.logo_url.as_deref(), &invitation.presenter)
}

/// Logo and name.
pub fn header(logo_url: Option<&str>, presenter: &str) -> AnyView {
    let logo = logo_url.map(|url| {
        // The name stands beside it, so the picture itself says nothing new.
        view! { <img class="brand-logo" src=url.to_owned() alt="" height="40"/> }
    });
    view! { <header class="brand">{logo}<span class="brand-name" dir="auto">{presenter.to_owned()}</span></header> }
        .into_any()
}

/// The last line of a viewer page.
pub fn viewer_footer(around: Around<'_>) -> AnyView {
    // A frame must not be led away from the form it holds.
    let target = around.embed.then_some("_blank");
    let signal = around.has_signal.then(|| view! { <p id="gpc-honoured">{SIGNAL_HONOURED}</p> });
    view! {
        <footer class="viewer-footer">
            <a href="/terms" target=target rel="noopener">"Terms"</a>
            <a href="/privacy" target=target rel="noopener">"Privacy"</a>
            <a href="/my-data" target=target rel="noopener">"Your data"</a>
            <span>"Made with Mini Webinar"</span>
            {signal}
        </footer>
    }
    .into_any()
}

/// The rule that gives a page the coach's colour, with ink that can be read on it; nothing without a colour.
///
/// It goes into a `<style>` with the page's nonce: the policy forbids style attributes.
#[must_use]
pub fn accent_rule(accent: &str) -> Option<String> {
    let luminance = luminance(accent)?;
    // Of black and white, one always reaches 4.5:1 (their product of contrasts is 21).
    let ink = if 1.05 / (luminance + 0.05) >= 4.5 { "#fff" } else { "#000" };
    Some(format!(":root{{--accent:{accent};--accent-ink:{ink}}}"))
}

/// Relative luminance (WCAG 2.2); nothing unless the text is `#rrggbb`.
fn luminance(colour: &str) -> Option<f64> {
    let digits =
        colour.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
    let value = u32::from_str_radix(digits, 16).ok()?;
    let part = |shift: u32| {
        let share = f64::from(value >> shift & 0xFF) / 255.0;
        if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    Some(0.2126 * part(16) + 0.7152 * part(8) + 0.0722 * part(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ink_can_always_be_read_on_the_coach_s_colour() {
        for value in (0..=0xFF_FFFFu32).step_by(4099) {
            let colour = format!("#{value:06x}");
            let rule = accent_rule(&colour).expect("a colour");
            let own = luminance(&colour).expect("a colour");
            let contrast = if rule.contains("ink:#fff") { 1.05 / (own + 0.05) } else { (own + 0.05) / 0.05 };
            assert!(contrast >= 4.5, "{colour}: {contrast}");
        }
    }

    #[test]
    fn nothing_but_a_colour_reaches_the_style() {
        for text in ["", "red", "#12345", "#1234567", "#12345g", "#fff;}</style>", "#é234"] {
            assert_eq!(accent_rule(text), None, "{text}");
        }
    }
}
