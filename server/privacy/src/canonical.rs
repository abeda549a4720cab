//! JSON in the one form of RFC 8785, so that the same content always has the same bytes and the same signature.
//!
//! Numbers are integers within ±2^53 here; anything else is refused rather than written in a way another program would
//! not.

use std::fmt::Write as _;

use serde_json::Value;

/// Largest integer every JSON reader agrees on.
const MAX_INTEGER: i64 = 1 << 53;

/// A value that has no agreed form.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the number {0} has no form every reader agrees on")]
pub struct Error(pub String);

/// Writes a value in its one form.
///
/// # Errors
/// Refuses fractions and integers beyond ±2^53.
pub fn to_string(value: &Value) -> Result<String, Error> {
    let mut out = String::new();
    write(value, &mut out)?;
    Ok(out)
}

fn write(value: &Value, out: &mut String) -> Result<(), Error> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => match number.as_i64().filter(|n| (-MAX_INTEGER..=MAX_INTEGER).contains(n)) {
            Some(integer) => out.push_str(&integer.to_string()),
            None => return Err(Error(number.to_string())),
        },
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out)?;
            }
            out.push(']');
        }
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            // By UTF-16 code units, as the RFC has it: beyond the basic plane that is another order than UTF-8's.
            names.sort_by(|one, other| one.encode_utf16().cmp(other.encode_utf16()));
            out.push('{');
            for (index, name) in names.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_text(name, out);
                out.push(':');
                write(&fields[name], out)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

pub(crate) fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => {
                // Writing to a String does not fail.
                let _written = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_rfcs_own_examples_come_out() {
        // RFC 8785 §3.2.2 and §3.2.3, without its fractions.
        let value = json!({"string": "\u{20ac}$\u{f}\nA'B\"\\\\\"/", "literals": [null, true, false]});
        assert_eq!(
            to_string(&value).expect("is written"),
            r#"{"literals":[null,true,false],"string":"€$\u000f\nA'B\"\\\\\"/"}"#
        );
        let sorted = json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7});
        assert_eq!(
            to_string(&sorted).expect("is written"),
            "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}"
        );
    }

    #[test]
    fn numbers_nobody_agrees_on_are_refused() {
        assert_eq!(to_string(&json!(9_007_199_254_740_993_i64)), Err(Error("9007199254740993".to_owned())));
        assert_eq!(to_string(&json!([0.5])), Err(Error("0.5".to_owned())));
        assert_eq!(to_string(&json!(-12)).as_deref(), Ok("-12"));
    }
}
