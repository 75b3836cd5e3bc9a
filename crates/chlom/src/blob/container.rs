//! A file as payload: payload is padded with zeros, so the file's length comes first. Upholds [DAM-13].

/// Says that a payload is a file of `chlom blob put`, version 1.
const TAG: &[u8; 8] = b"CHLOMfl1";
/// Bytes before the file: the tag, and its length as 8 bytes, big-endian.
pub(super) const PREFIX: usize = 16;

/// Why a payload is no file.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoFile {
    /// Put by something else.
    #[error("the payload is no file that `chlom blob put` made; --raw writes it as it is")]
    Tag,
    /// A length that the payload does not have.
    #[error(
        "the payload says that its file has {claimed} bytes, and has room for {room}; --raw writes it as it is"
    )]
    Length {
        /// What it says.
        claimed: u64,
        /// What there is.
        room: usize,
    },
    /// Something behind the file.
    #[error("byte {at} of the payload, behind the file, is not zero; --raw writes the payload as it is")]
    Rest {
        /// Where.
        at: usize,
    },
}

/// The payload of a file.
pub(super) fn wrap(file: &[u8]) -> Vec<u8> {
    let length = (file.len() as u64).to_be_bytes();
    [&TAG[..], &length, file].concat()
}

/// The file of a payload with the zeros behind it.
pub(super) fn unwrap(payload: &[u8]) -> Result<&[u8], NoFile> {
    let (tag, rest) = payload.split_first_chunk::<8>().ok_or(NoFile::Tag)?;
    if tag != TAG {
        return Err(NoFile::Tag);
    }
    let (length, rest) = rest.split_first_chunk::<8>().ok_or(NoFile::Tag)?;
    let claimed = u64::from_be_bytes(*length);
    let too_long = NoFile::Length { claimed, room: rest.len() };
    let Some((file, zeros)) = usize::try_from(claimed).ok().and_then(|n| rest.split_at_checked(n)) else {
        return Err(too_long);
    };
    match zeros.iter().position(|byte| *byte != 0) {
        Some(at) => Err(NoFile::Rest { at: PREFIX + file.len() + at }),
        None => Ok(file),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_file_comes_back_whatever_zeros_it_ends_with(file in proptest::collection::vec(0_u8..3, 0..200), padding in 0_usize..200) {
            let mut payload = wrap(&file);
            payload.resize(payload.len() + padding, 0);
            prop_assert_eq!(unwrap(&payload), Ok(&file[..]));
        }
    }

    #[test]
    fn dam_13_what_is_no_file_is_refused_with_the_reason() {
        assert_eq!(unwrap(&[]), Err(NoFile::Tag));
        assert_eq!(unwrap(&[0; 64]), Err(NoFile::Tag));
        assert_eq!(unwrap(b"CHLOMfl1\0\0"), Err(NoFile::Tag));
        let mut payload = wrap(b"abc");
        payload.extend([0, 7]);
        assert_eq!(unwrap(&payload), Err(NoFile::Rest { at: 20 }));
        payload[8] = 0xff;
        let claimed = 0xff00_0000_0000_0003;
        assert_eq!(unwrap(&payload), Err(NoFile::Length { claimed, room: 5 }));
    }
}
