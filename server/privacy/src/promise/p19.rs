//! "We never sell your data": a buyer or an advertiser cannot even be written down.

use crate::DataMap;
use crate::recipients::Recipients;

const TEXT: &str = include_str!("../../policy/recipients.toml");

#[test]
fn there_is_no_word_for_selling() {
    for category in ["sale", "ads", "advertising", "data_broker"] {
        let text = TEXT.replacen("category = \"hosting\"", &format!("category = \"{category}\""), 1);
        assert_ne!(text, TEXT);
        assert!(Recipients::parse(&text, DataMap::current()).is_err(), "{category}");
    }
}
