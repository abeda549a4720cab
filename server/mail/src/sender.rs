//! Who a mail says it is from.

use crate::reply::plain_line;

/// The product, as mails name it.
const PRODUCT: &str = "My Mini Webinar";
/// Most characters of a sender's name, what fits one header line (RFC 5322 section 2.1.1).
const MOST_CHARACTERS: usize = 78;

/// The display name of a mail a coach's webinar sends: “Maya via My Mini Webinar” (product.md §4.9).
///
/// The name is one line without control characters and at most 78 characters long. It never looks like an address,
/// which mail programs would show in place of the true one: at signs and angle brackets become spaces. Without a usable
/// name, it is the product's.
#[must_use]
pub fn from_name(coach_name: &str) -> String {
    let harmless: String = coach_name
        .chars()
        .map(|c| if matches!(c, '@' | '\u{ff20}' | '\u{fe6b}' | '<' | '>' | '"') { ' ' } else { c })
        .collect();
    let name = plain_line(&harmless);
    if name.is_empty() {
        return PRODUCT.to_owned();
    }
    let ending = format!(" via {PRODUCT}");
    let room = MOST_CHARACTERS - ending.chars().count();
    if name.chars().count() <= room {
        return name + &ending;
    }
    let cut: String = name.chars().take(room - 1).collect();
    format!("{}…{ending}", cut.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_coach_writes_through_the_product() {
        for (name, expected) in [
            ("Maya", "Maya via My Mini Webinar"),
            ("  Maya\r\nBcc: x ", "Maya Bcc: x via My Mini Webinar"),
            ("maya@example.com", "maya example.com via My Mini Webinar"),
            ("Support <pay@bank.example>", "Support pay bank.example via My Mini Webinar"),
            ("Zoë 明\u{202e}", "Zoë 明 via My Mini Webinar"),
            ("", "My Mini Webinar"),
            (" @ \u{7}", "My Mini Webinar"),
        ] {
            assert_eq!(from_name(name), expected);
        }
        let long = from_name(&"Maya ".repeat(40));
        assert!(long.ends_with("… via My Mini Webinar") && long.chars().count() <= MOST_CHARACTERS, "{long}");
    }

    proptest! {
        #[test]
        fn any_name_is_safe(name in any::<String>()) {
            let from = from_name(&name);
            prop_assert!(from.chars().count() <= MOST_CHARACTERS && from.ends_with(PRODUCT));
            prop_assert!(!from.contains(['@', '<', '>', '"']) && !from.chars().any(char::is_control));
        }
    }
}
