//! Where a storage URL points, read without touching anything.

use std::path::PathBuf;

use crate::Error;

/// Where a storage URL points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A bucket.
    S3 {
        /// Its name.
        bucket: String,
        /// What every key begins with; may be empty.
        prefix: String,
        /// The server, when it is not Amazon's.
        endpoint: Option<String>,
        /// The region, when it matters.
        region: Option<String>,
    },
}

impl Location {
    /// Reads `file:///folder` or `s3://bucket/prefix?endpoint=…&region=…`.
    ///
    /// # Errors
    /// Says what was expected.
    pub fn parse(url: &str) -> Result<Self, Error> {
        let wrong = |expected: &str| Error::Url(expected.to_owned());
        let parsed = url::Url::parse(url)
            .map_err(|_| wrong("expected file:///folder or s3://bucket/prefix?endpoint=…&region=…"))?;
        match parsed.scheme() {
            "file" => Ok(Self::Folder(parsed.to_file_path().map_err(|()| wrong("a file URL needs an absolute path"))?)),
            "s3" => {
                let bucket = parsed.host_str().filter(|host| !host.is_empty());
                let bucket = bucket.ok_or_else(|| wrong("an S3 URL names its bucket"))?.to_owned();
                let (mut endpoint, mut region) = (None, None);
                for (name, value) in parsed.query_pairs() {
                    match name.as_ref() {
                        "endpoint" => endpoint = Some(value.into_owned()),
                        "region" => region = Some(value.into_owned()),
                        other => {
                            return Err(Error::Url(format!(
                                "unknown parameter “{other}”; endpoint and region are known"
                            )));
                        }
                    }
                }
                let is_web =
                    |text: &String| url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
                if endpoint.as_ref().is_some_and(|endpoint| !is_web(endpoint)) {
                    return Err(wrong("the endpoint has to be an http or https address"));
                }
                Ok(Self::S3 { bucket, prefix: parsed.path().trim_matches('/').to_owned(), endpoint, region })
            }
            other => Err(Error::Url(format!("“{other}” is not a storage; use file:// or s3://"))),
        }
    }
}

impl Location {
    /// Whether one lies within the other, or both are the same.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Folder(one), Self::Folder(other)) => one.starts_with(other) || other.starts_with(one),
            (
                Self::S3 { bucket, prefix, endpoint, .. },
                Self::S3 { bucket: other_bucket, prefix: other_prefix, endpoint: other_endpoint, .. },
            ) => {
                let (one, other) = (folder(prefix), folder(other_prefix));
                let is_within = one.starts_with(&other) || other.starts_with(&one);
                bucket == other_bucket && endpoint == other_endpoint && is_within
            }
            _ => false,
        }
    }
}

/// Closed with a slash, so that `live` does not hold `live2`; the bucket itself holds everything.
fn folder(prefix: &str) -> String {
    if prefix.is_empty() { String::new() } else { format!("{prefix}/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_and_a_bucket_are_read() {
        assert_eq!(Location::parse("file:///data/objects").expect("reads"), Location::Folder("/data/objects".into()));
        let url = "s3://videos/live/2026?endpoint=http://127.0.0.1:9000&region=eu-central-1";
        let expected = Location::S3 {
            bucket: "videos".into(),
            prefix: "live/2026".into(),
            endpoint: Some("http://127.0.0.1:9000".into()),
            region: Some("eu-central-1".into()),
        };
        assert_eq!(Location::parse(url).expect("reads"), expected);
    }

    #[test]
    fn a_place_within_another_is_noticed() {
        let overlap = |one: &str, other: &str| {
            Location::parse(one).expect("reads").overlaps(&Location::parse(other).expect("reads"))
        };
        for (one, other) in [
            ("file:///data/objects", "file:///data/objects"),
            ("file:///data", "file:///data/objects"),
            ("s3://b", "s3://b/backups"),
            ("s3://b/live/deep", "s3://b/live"),
        ] {
            assert!(overlap(one, other) && overlap(other, one), "{one} {other}");
        }
        for (one, other) in [
            ("file:///data/objects", "file:///data/backups"),
            ("file:///data", "s3://data"),
            ("s3://b/live", "s3://b/live2"),
            ("s3://a", "s3://b"),
            ("s3://b?endpoint=http://one", "s3://b?endpoint=http://two"),
        ] {
            assert!(!overlap(one, other) && !overlap(other, one), "{one} {other}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for url in
            ["objects", "http://bucket/", "s3:///prefix", "s3://b?key=1", "s3://b?endpoint=minio:9000", "file://host/x"]
        {
            assert!(Location::parse(url).is_err(), "{url}");
        }
    }
}
