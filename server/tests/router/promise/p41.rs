//! "No card numbers": no page asks for one, no column is meant for one, and after everything people do no stored number
//! could be one.

use privacy::schema::introspect;
use testkit::each_database;

use crate::world::{Kind, Story, World, every_route, filled};

/// Luhn's check over a run of digits as long as a card number (ISO/IEC 7812-1).
fn is_card_number(digits: &str) -> bool {
    if !(13..=19).contains(&digits.len()) {
        return false;
    }
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(index, digit)| {
            let value = u32::from(digit - b'0') * if index % 2 == 1 { 2 } else { 1 };
            if value > 9 { value - 9 } else { value }
        })
        .sum();
    // The first digit of every network's cards.
    sum.is_multiple_of(10) && digits.starts_with(['2', '3', '4', '5', '6'])
}

#[test]
fn a_card_number_is_recognised() {
    for number in ["4242424242424242", "378282246310005", "5555555555554444"] {
        assert!(is_card_number(number), "{number}");
    }
    for number in ["4242424242424241", "12345", "1795000000000000"] {
        assert!(!is_card_number(number), "{number}");
    }
}

#[tokio::test]
async fn nothing_asks_for_a_card_and_nothing_keeps_one() {
    each_database("p41", |test| async move {
        let world = World::new(test);
        let story = Story::tell(&world).await;
        for route in
            every_route(&world).await.iter().filter(|route| route.method == "GET" && route.kind != Kind::Function)
        {
            let path = filled(&route.path, |name| story.hers.in_path(name));
            let page = world.get(&path).by(&story.maya).in_browser().send().await.text();
            for field in ["cc-number", "cc-csc", "cc-exp", "name=\"card", "name=\"cvc", "name=\"iban"] {
                assert!(!page.contains(field), "{path} asks for {field}");
            }
        }
        let schema = introspect(&world.database.database).await.expect("the schema");
        for (table, column) in schema.columns.keys() {
            let is_meant =
                ["card", "pan", "cvc", "cvv", "iban"].iter().any(|word| column.split('_').any(|part| part == *word));
            assert!(!is_meant, "{table}.{column}");
        }
        // Moments are runs of digits, too; they are no text anybody typed.
        let rows = format!("{:?}", world.snapshot().await);
        let quoted = rows.split('\'').skip(1).step_by(2).chain(rows.split("\\\"").skip(1).step_by(2));
        for text in quoted {
            let number: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
            let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
            assert!(!is_number || !is_card_number(&number), "{text} is stored");
        }
    })
    .await;
}
