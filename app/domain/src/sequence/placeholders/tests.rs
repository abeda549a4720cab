use proptest::prelude::*;

use super::*;

fn values() -> Values {
    Values::default()
        .with(Placeholder::FirstName, "Tom")
        .with(Placeholder::Webinar, "Five mistakes")
        .with(Placeholder::Link, "https://example.com/r/a_b*c")
        .with(Placeholder::Presenter, "  ")
}

fn flaws(text: &str) -> Vec<(Flaw, usize, usize)> {
    check(text).into_iter().map(|problem| (problem.flaw, problem.at_byte, problem.at_char)).collect()
}

fn unknown(name: &str, nearest: Option<Placeholder>) -> Flaw {
    Flaw::Unknown { name: name.to_owned(), nearest }
}

#[test]
fn a_text_is_filled_in_and_what_is_missing_reads_on() {
    let text = "Hello {{first_name|there}}, {{ webinar }} by {{presenter}} and {{name|my friend}} {{time_zone|}}.";
    let plain = |value: &str| value.to_owned();
    assert_eq!(fill(text, &values(), plain), "Hello Tom, Five mistakes by your host and my friend .");
    assert_eq!(fill(text, &Values::default(), plain), "Hello there, the webinar by your host and my friend .");
    // Unknown and open braces are the coach's own text.
    assert_eq!(fill("{{nobody}} {{first_name", &values(), plain), "{{nobody}} {{first_name");
    assert_eq!(fill("{{{first_name}}} {{a {{first_name}}", &values(), plain), "{Tom} {{a Tom");
    for placeholder in Placeholder::ALL {
        assert!(!placeholder.when_unknown().is_empty() && !placeholder.label().is_empty());
        assert_eq!(Placeholder::from_stored(placeholder.as_str()), Some(*placeholder));
    }
}

#[test]
fn a_value_is_neither_markdown_nor_another_placeholder() {
    let hostile = Values::default()
        .with(Placeholder::FirstName, "**Tom** <b>[x](https://evil.example)\r\n# {{link}} `a` 1. _b_ &amp; |")
        .with(Placeholder::Link, "https://example.com/r/secret");
    let body = fill_body("Hello {{first_name}}", &hostile);
    assert_eq!(
        body,
        "Hello \\*\\*Tom\\*\\* \\<b\\>\\[x\\]\\(https\\:\\/\\/evil\\.example\\) \\# \\{\\{link\\}\\} \\`a\\` \
         1\\. \\_b\\_ \\&amp\\; \\|"
    );
    // Nor does one become a placeholder together with the words around it.
    let brace = Values::default().with(Placeholder::FirstName, "{");
    assert_eq!(fill_body("{{first_name}}{name}}", &brace), "\\{\\{name}}");
    assert_eq!(fill_body("{{name{{webinar|}}}}", &brace), "{{name\\}}");
    assert_eq!(fill_subject("{{{webinar|}}{name}}", &brace), "{(name}}");
    // A backslash before the braces does not take the first of ours.
    let star = Values::default().with(Placeholder::FirstName, "*x*");
    assert_eq!(fill_body("\\{{first_name}}", &star), "\\\\\\*x\\*");
    assert_eq!(fill_body("\\\\{{first_name}}", &star), "\\\\\\*x\\*");
}

#[test]
fn a_link_can_be_clicked_and_is_whole_inside_one() {
    assert_eq!(fill_body("Watch: {{link}}", &values()), "Watch: <https://example.com/r/a_b*c>");
    // Markdown takes the backslashes of an address away again.
    assert_eq!(fill_body("[Watch]({{link}})", &values()), "[Watch](https\\:\\/\\/example\\.com\\/r\\/a\\_b\\*c)");
    assert_eq!(fill_body("<{{link}}>", &values()).matches('<').count(), 1);
    let odd = Values::default().with(Placeholder::Link, "https://a.example/ <x>");
    assert_eq!(fill_body("{{link}}", &odd), "https\\:\\/\\/a\\.example\\/ \\<x\\>");
    let script = Values::default().with(Placeholder::Link, "javascript:alert(1)");
    assert!(!fill_body("{{link}}", &script).contains('<'));
}

#[test]
fn a_subject_is_one_line_and_keeps_its_order() {
    let hostile = Values::default().with(Placeholder::FirstName, "Tom\r\nBcc: all@example.com\u{202E} {{link}}");
    assert_eq!(fill_subject("Hi {{first_name}}!", &hostile), "Hi Tom Bcc: all@example.com ((link))!");
    assert_eq!(fill_subject("*{{webinar}}* & co", &values()), "*Five mistakes* & co");
}

#[test]
fn every_problem_is_named_at_its_place() {
    assert!(check("Hello {{first_name|there}}, { and } are { {fine} }.").is_empty());
    assert_eq!(flaws("é {{frist_name}}"), [(unknown("frist_name", Some(Placeholder::FirstName)), 3, 2)]);
    assert_eq!(flaws("{{First Name}}"), [(unknown("First Name", Some(Placeholder::FirstName)), 0, 0)]);
    assert_eq!(flaws("{{zone}}"), [(unknown("zone", Some(Placeholder::TimeZone)), 0, 0)]);
    assert_eq!(flaws("{{coupon}}"), [(unknown("coupon", None), 0, 0)]);
    assert_eq!(flaws("{{}}"), [(unknown("", None), 0, 0)]);
    assert_eq!(flaws("a {{first_name\n}} b"), [(Flaw::Unclosed, 2, 2), (Flaw::Unopened, 15, 15)]);
    assert_eq!(flaws("{{a {{name}}"), [(Flaw::Unclosed, 0, 0)]);
    assert_eq!(flaws("{name}}"), [(Flaw::Unopened, 5, 5)]);
    let meant = &check("{{frist_name}}")[0];
    assert_eq!(meant.message(), "There is no placeholder “frist_name”. Did you mean {{first_name}}?");
    assert_eq!(check(&"{{x}}".repeat(100)).len(), MAX_PROBLEMS);
}

#[test]
fn texts_have_limits_and_a_huge_one_is_refused_unread() {
    let field = |result: Result<(), Refusal>| result.err().map(|refusal| (refusal.field, refusal.kind));
    assert!(check_body(&"é".repeat(MAX_BODY_CHARS)).is_ok());
    let too_large = |field: &str| Some((Some(field.to_owned()), RefusalKind::TooLarge));
    assert_eq!(field(check_body(&"a".repeat(MAX_BODY_CHARS + 1))), too_large("body"));
    assert_eq!(field(check_subject(&"a".repeat(MAX_SUBJECT_CHARS + 1))), too_large("subject"));
    let invalid = |field: &str| Some((Some(field.to_owned()), RefusalKind::Invalid));
    assert_eq!(field(check_subject("two\nlines")), invalid("subject"));
    assert_eq!(field(check_body(" \n ")), invalid("body"));
    assert_eq!(field(check_body("Hello {{nam}}")), invalid("body"));

    let started = std::time::Instant::now();
    let huge = "{{".repeat(2_500_000);
    assert_eq!(flaws(&huge), [(Flaw::TooLong, 0, 0)]);
    assert!(check_body(&huge).is_err());
    // Nor does a text of the worst kind within the limit take long.
    for worst in ["{{", "}}", "{", "{{a", "{{}}", "{{x|"] {
        let _problems = check(&worst.repeat(MAX_BODY_CHARS / worst.len()));
        let _filled = fill_body(&worst.repeat(MAX_BODY_CHARS / worst.len()), &values());
    }
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}

/// Texts of placeholders, braces and anything else.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(Placeholder::ALL.to_vec()).prop_map(|one| format!("{{{{{}}}}}", one.as_str())),
        1 => prop::sample::select(Placeholder::ALL.to_vec()).prop_map(|one| format!("{{{{ {} | x }}}}", one.as_str())),
        2 => "[{}|\\\\ \n\\]\\[()*_<>]{1,4}",
        2 => "\\PC{0,8}",
        1 => prop::sample::select(vec!["{name}}", "{{name", "{{link|}}", "}}"]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Values as pairs, because [`Values`] themselves cannot be printed.
fn pairs() -> impl Strategy<Value = Vec<(Placeholder, String)>> {
    let value = prop_oneof!["\\PC{0,12}", "[{}|*_\\\\a-z\r\n]{0,12}", Just("{{name}}".to_owned())];
    prop::collection::vec((prop::sample::select(Placeholder::ALL.to_vec()), value), 0..14)
}

fn with_pairs(pairs: Vec<(Placeholder, String)>) -> Values {
    pairs.into_iter().fold(Values::default(), |values, (one, value)| values.with(one, value))
}

proptest! {
    #[test]
    fn the_parts_of_a_text_are_the_text(text in texts()) {
        let again: String = Parts::of(&text).map(|part| part.text()).collect();
        prop_assert_eq!(again, text);
    }

    #[test]
    fn a_problem_stands_where_it_is_said_to(text in texts()) {
        for problem in check(&text) {
            let rest = &text[problem.at_byte..];
            prop_assert!(rest.starts_with("{{") || rest.starts_with("}}"));
            prop_assert_eq!(text[..problem.at_byte].chars().count(), problem.at_char);
        }
    }

    #[test]
    fn nothing_known_is_left_behind(text in texts(), pairs in pairs()) {
        let values = with_pairs(pairs);
        for filled in [fill_body(&text, &values), fill_subject(&text, &values)] {
            for placeholder in Placeholder::ALL {
                let left = format!("{{{{{}}}}}", placeholder.as_str());
                prop_assert!(!filled.contains(&left), "{} is left in {:?}", left, filled);
            }
        }
    }

    #[test]
    fn a_text_without_braces_stays_as_it_is(text in "[^{}]{0,60}", pairs in pairs()) {
        let values = with_pairs(pairs);
        prop_assert_eq!(fill_body(&text, &values), text.clone());
        prop_assert_eq!(fill(&text, &values, one_line), text.clone());
        prop_assert!(check(&text).is_empty());
    }

    #[test]
    fn a_subject_never_has_a_second_line(text in texts(), pairs in pairs()) {
        let values = with_pairs(pairs);
        prop_assert!(!fill_subject(&text, &values).chars().any(char::is_control));
    }

    #[test]
    fn read_as_markdown_a_value_is_the_value(value in "\\PC{0,30}") {
        // What a reader of Markdown does with a backslash before punctuation: drops it.
        let mut read = String::new();
        let escaped = escape_markdown(&value);
        let mut letters = escaped.chars();
        while let Some(letter) = letters.next() {
            prop_assert!(letter == '\\' || !letter.is_ascii_punctuation());
            read.push(if letter == '\\' { letters.next().expect("something is escaped") } else { letter });
        }
        prop_assert_eq!(read, one_line(&value));
    }
}
