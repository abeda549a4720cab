//! What changed between two versions of a text, sentence by sentence.

use super::Version;
use crate::DataMap;

/// What became of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It stayed.
    Kept(String),
    /// It is new.
    Added(String),
    /// It went.
    Removed(String),
}

/// Headings and sentences in order.
fn lines(version: &Version, map: &DataMap) -> Vec<String> {
    let lines = |section: &super::Section| {
        let sentences: Vec<String> = section.sentences.iter().map(|sentence| sentence.text(map)).collect();
        std::iter::once(section.title.clone()).chain(sentences).collect::<Vec<_>>()
    };
    version.sections.iter().flat_map(lines).collect()
}

/// The way from one version to the next: what stayed keeps its place (longest common subsequence; a policy has a
/// hundred sentences, so the square of it is little).
#[must_use]
pub fn differences(before: &Version, after: &Version, map: &DataMap) -> Vec<Change> {
    let (old, new) = (lines(before, map), lines(after, map));
    let mut longest = vec![vec![0_u32; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            longest[i][j] =
                if old[i] == new[j] { longest[i + 1][j + 1] + 1 } else { longest[i + 1][j].max(longest[i][j + 1]) };
        }
    }
    let mut changes = Vec::with_capacity(old.len().max(new.len()));
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            changes.push(Change::Kept(old[i].clone()));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && longest[i + 1][j] >= longest[i][j + 1]) {
            changes.push(Change::Removed(old[i].clone()));
            i += 1;
        } else {
            changes.push(Change::Added(new[j].clone()));
            j += 1;
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(body: &str) -> Version {
        let front = "---\nversion: 2026-01-01\neffective: 2026-01-01\nmaterial: no\nsummary: One.\n---\n";
        Version::parse(&format!("{front}{body}")).expect("reads")
    }

    #[test]
    fn what_stayed_keeps_its_place() {
        let before = version("## Data\nWe keep a name. [P03]\nWe keep a phone. [P03]\n");
        let after = version("## Data\nWe keep a name. [P03]\nWe keep an address. [P03]\n");
        let text = |text: &str| text.to_owned();
        assert_eq!(
            differences(&before, &after, DataMap::current()),
            [
                Change::Kept(text("Data")),
                Change::Kept(text("We keep a name.")),
                Change::Removed(text("We keep a phone.")),
                Change::Added(text("We keep an address.")),
            ]
        );
        assert!(differences(&after, &after, DataMap::current()).iter().all(|change| matches!(change, Change::Kept(_))));
    }
}
