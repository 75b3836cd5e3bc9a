//! Where an archive is, as an operator writes it.

use std::{fmt, path::PathBuf, str::FromStr};

use crate::archive::{Archive, error::ArchiveError, s3::S3Config, shard::Sharding};

/// A folder, or a bucket as `s3://BUCKET/PREFIX`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArchivePlace {
    /// A folder on this machine or of a mounted file system.
    Folder(PathBuf),
    /// A bucket of S3 or of what speaks like it.
    Bucket {
        /// Its name.
        bucket: String,
        /// Put before every object's name; may be empty.
        prefix: String,
    },
}

impl ArchivePlace {
    /// Opens it: the folder is created when it is missing; where the bucket's service is and who asks, the environment
    /// says ([`S3Config::from_environment`]).
    ///
    /// # Errors
    /// [`ArchiveError::Folder`], [`ArchiveError::Config`].
    pub fn open(&self, sharding: Sharding) -> Result<Archive, ArchiveError> {
        match self {
            Self::Folder(path) => Archive::folder(path, sharding),
            Self::Bucket { bucket, prefix } => {
                Archive::s3(&S3Config::from_environment(bucket, prefix)?, sharding)
            }
        }
    }
}

impl fmt::Display for ArchivePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "{}", path.display()),
            Self::Bucket { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

impl FromStr for ArchivePlace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((scheme, rest)) = text.split_once("://") else {
            let folder = Some(text).filter(|text| !text.is_empty());
            return folder
                .map(|text| Self::Folder(text.into()))
                .ok_or_else(|| "the folder has no name".into());
        };
        if scheme != "s3" {
            return Err(format!(
                "{scheme}:// is no archive that this build knows; give s3://BUCKET/PREFIX or a folder"
            ));
        }
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        check_bucket(bucket)?;
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        if prefix.chars().any(char::is_control) || prefix.split('/').any(|part| part == "." || part == "..") {
            return Err(format!(
                "{prefix:?} is no prefix of objects' names: parts between slashes, none of them . or .."
            ));
        }
        if !prefix.is_empty() && prefix.split('/').any(str::is_empty) {
            return Err(format!("{prefix:?} has an empty part; write s3://{bucket}/a/b"));
        }
        Ok(Self::Bucket { bucket: bucket.into(), prefix: prefix.into() })
    }
}

/// Names of buckets as S3 has them. A key or a port in the address is not one: those come from the environment.
fn check_bucket(bucket: &str) -> Result<(), String> {
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    let edges = bucket.bytes().next().zip(bucket.bytes().last());
    let ends =
        edges.is_some_and(|(first, last)| first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric());
    if (3..=63).contains(&bucket.len()) && bucket.bytes().all(allowed) && ends {
        return Ok(());
    }
    // It may be a key that was put where none belongs: it is not repeated.
    Err("the bucket's name must have 3 to 63 small letters, digits, dots and hyphens; endpoint and credentials come from the \
         environment (AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)"
        .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(bucket: &str, prefix: &str) -> Result<ArchivePlace, String> {
        Ok(ArchivePlace::Bucket { bucket: bucket.into(), prefix: prefix.into() })
    }

    #[test]
    fn an_archive_is_a_folder_or_a_bucket() {
        assert_eq!("./kept".parse(), Ok(ArchivePlace::Folder("./kept".into())));
        assert_eq!("s3://blobs".parse(), bucket("blobs", ""));
        assert_eq!("s3://blobs/".parse(), bucket("blobs", ""));
        assert_eq!("s3://my.blobs-1/node/1/".parse(), bucket("my.blobs-1", "node/1"));
        assert_eq!("s3://blobs/a".parse::<ArchivePlace>().unwrap().to_string(), "s3://blobs/a");
    }

    #[test]
    fn other_schemes_names_and_prefixes_are_refused() {
        for text in
            ["", "s3://", "s3:///x", "s3://ab", "s3://Blobs", "s3://-blobs", "s3://b b b", "s3://blobs//x"]
        {
            assert!(text.parse::<ArchivePlace>().is_err(), "{text}");
        }
        for text in
            ["gs://blobs", "https://host/blobs", "s3://blobs/../x", "s3://blobs/a/./b", "s3://blobs/a\n"]
        {
            assert!(text.parse::<ArchivePlace>().is_err(), "{text}");
        }
        let refused = "s3://AKIAKEY:secret@blobs/x".parse::<ArchivePlace>().unwrap_err();
        assert!(!refused.contains("secret") && refused.contains("AWS_ACCESS_KEY_ID"), "{refused}");
    }
}
