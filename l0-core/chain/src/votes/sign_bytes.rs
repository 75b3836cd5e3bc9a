//! CometBFT's canonical bytes of a vote extension.

/// The bytes that a validator's key signs for an extension: protobuf `CanonicalVoteExtension { bytes extension = 1; sfixed64
/// height = 2; sfixed64 round = 3; string chain_id = 4 }`, preceded by its length as a varint. Fields that are zero or empty
/// are left out, as protobuf has it.
///
/// Source: CometBFT v0.38, `types/vote.go` VoteExtensionSignBytes.
pub fn extension_sign_bytes(chain_id: &str, height: u64, round: u32, extension: &[u8]) -> Vec<u8> {
    let mut fields = Vec::with_capacity(extension.len().saturating_add(64));
    put_bytes(&mut fields, 0x0a, extension);
    put_fixed64(&mut fields, 0x11, height);
    put_fixed64(&mut fields, 0x19, u64::from(round));
    put_bytes(&mut fields, 0x22, chain_id.as_bytes());
    let mut out = Vec::with_capacity(fields.len().saturating_add(2));
    put_varint(&mut out, fields.len());
    out.extend_from_slice(&fields);
    out
}

fn put_bytes(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    if !bytes.is_empty() {
        out.push(tag);
        put_varint(out, bytes.len());
        out.extend_from_slice(bytes);
    }
}

fn put_fixed64(out: &mut Vec<u8>, tag: u8, value: u64) {
    if value != 0 {
        out.push(tag);
        out.extend_from_slice(&value.to_le_bytes());
    }
}

fn put_varint(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7_u32;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use alloy_primitives::hex;

    use super::*;

    #[test]
    fn the_bytes_are_length_prefixed_protobuf() {
        // Written out by the rules of protobuf: tag and wire type, then length or eight little-endian bytes.
        let bytes = extension_sign_bytes("test_chain_id", 1, 1, b"extension");
        let want = hex!(
            "2c" "0a09" "657874656e73696f6e" "11" "0100000000000000" "19" "0100000000000000" "220d"
            "746573745f636861696e5f6964"
        );
        assert_eq!(bytes, want);
    }

    #[test]
    fn zero_fields_are_left_out_and_long_lengths_take_more_bytes() {
        let empty = extension_sign_bytes("", 0, 0, &[]);
        assert_eq!(empty, [0]);
        let long = extension_sign_bytes("c", 1, 0, &[7; 300]);
        assert_eq!(&long[..5], [0xbb, 0x02, 0x0a, 0xac, 0x02]);
    }
}
