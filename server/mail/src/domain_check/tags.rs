//! Lists of `tag=value`, as DKIM and DMARC records are (RFC 6376 section 3.2).

/// A record's tags, in its order.
pub(super) struct Tags(Vec<(String, String)>);

/// Why a record is no list of tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotTags {
    /// Something between two semicolons is no `tag=value`.
    Shape,
    /// A tag is there twice, which makes the whole list invalid.
    Twice,
}

impl Tags {
    pub(super) fn read(text: &str) -> Result<Self, NotTags> {
        let mut tags = Self(Vec::new());
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or(NotTags::Shape)?;
            let name = name.trim_end();
            if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') || name.is_empty() {
                return Err(NotTags::Shape);
            }
            if tags.get(name).is_some() {
                return Err(NotTags::Twice);
            }
            tags.0.push((name.to_owned(), value.trim_start().to_owned()));
        }
        Ok(tags)
    }

    /// A tag's value without the white space around it; however the tag is spelt.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether the tag is there and not the first.
    pub(super) fn is_late(&self, name: &str) -> bool {
        self.0.iter().skip(1).any(|(found, _)| found.eq_ignore_ascii_case(name))
    }

    /// Whether a tag has capitals. RFC 6376 section 3.2 lets a reader overlook it then.
    pub(super) fn has_capitals(&self) -> bool {
        self.0.iter().any(|(name, _)| name.bytes().any(|byte| byte.is_ascii_uppercase()))
    }

    /// The parts of a value that is a list, in lower case.
    pub(super) fn list(&self, name: &str) -> Option<Vec<String>> {
        self.get(name).map(|value| value.split(':').map(|part| part.trim().to_ascii_lowercase()).collect())
    }
}
