//! EIP-1559 transactions: encoding and signing with libsecp256k1.

use secp256k1::{Message, PublicKey, SECP256K1, SecretKey};
use sha3::{Digest, Keccak256};

/// A 20-byte account.
pub(crate) type Address = [u8; 20];

/// keccak-256.
pub(crate) fn keccak(bytes: &[u8]) -> [u8; 32] {
    Keccak256::digest(bytes).into()
}

/// A key and the account it controls.
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    secret: SecretKey,
    pub(crate) address: Address,
}

impl Signer {
    pub(crate) fn new(secret: SecretKey) -> Self {
        let point = PublicKey::from_secret_key(SECP256K1, &secret).serialize_uncompressed();
        let mut address = [0; 20];
        address.copy_from_slice(&keccak(&point[1..])[12..]);
        Self { secret, address }
    }
}

/// What all transactions of a run share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fees {
    pub(crate) chain_id: u64,
    pub(crate) tip: u64,
    pub(crate) max_fee: u64,
}

/// A transaction before it is signed.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) nonce: u64,
    pub(crate) gas: u64,
    /// `None` creates a contract.
    pub(crate) to: Option<Address>,
    /// Wei.
    pub(crate) value: u128,
    pub(crate) data: Vec<u8>,
}

/// A signed transaction and its hash.
pub(crate) struct Signed {
    pub(crate) raw: Vec<u8>,
    pub(crate) hash: [u8; 32],
}

impl Call {
    /// Signs for inclusion under `fees` (EIP-1559, type 2).
    pub(crate) fn sign(&self, fees: Fees, signer: &Signer) -> Signed {
        let mut fields = Vec::with_capacity(160 + self.data.len());
        for number in [fees.chain_id, self.nonce, fees.tip, fees.max_fee, self.gas] {
            push_number(&mut fields, u128::from(number));
        }
        push_bytes(&mut fields, self.to.as_ref().map_or(&[], |to| to.as_slice()));
        push_number(&mut fields, self.value);
        push_bytes(&mut fields, &self.data);
        fields.push(0xc0); // an empty access list
        let digest = keccak(&typed(&fields));
        let (recovery, compact) = SECP256K1
            .sign_ecdsa_recoverable(Message::from_digest(digest), &signer.secret)
            .serialize_compact();
        push_number(&mut fields, i32::from(recovery) as u128);
        push_bytes(&mut fields, trimmed(&compact[..32]));
        push_bytes(&mut fields, trimmed(&compact[32..]));
        let raw = typed(&fields);
        Signed { hash: keccak(&raw), raw }
    }
}

fn typed(fields: &[u8]) -> Vec<u8> {
    let mut out = vec![2];
    push_length(&mut out, 0xc0, fields.len());
    out.extend_from_slice(fields);
    out
}

fn trimmed(bytes: &[u8]) -> &[u8] {
    &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..]
}

fn push_number(out: &mut Vec<u8>, number: u128) {
    push_bytes(out, trimmed(&number.to_be_bytes()));
}

fn push_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    if let [byte @ 0..=0x7f] = bytes {
        out.push(*byte);
        return;
    }
    push_length(out, 0x80, bytes.len());
    out.extend_from_slice(bytes);
}

fn push_length(out: &mut Vec<u8>, offset: u8, len: usize) {
    if len < 56 {
        out.push(offset + len as u8);
        return;
    }
    let digits = len.to_be_bytes();
    let digits = trimmed(&digits);
    out.push(offset + 55 + digits.len() as u8);
    out.extend_from_slice(digits);
}

/// The address of the contract that `creator` creates at `nonce`.
pub(crate) fn created(creator: &Address, nonce: u64) -> Address {
    let mut fields = Vec::new();
    push_bytes(&mut fields, creator);
    push_number(&mut fields, u128::from(nonce));
    let mut list = Vec::new();
    push_length(&mut list, 0xc0, fields.len());
    list.extend_from_slice(&fields);
    let mut address = [0; 20];
    address.copy_from_slice(&keccak(&list)[12..]);
    address
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::{from_hex, to_hex};

    #[test]
    fn the_first_key_of_the_known_mnemonic_has_its_known_address_and_first_contract() {
        let secret = from_hex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80").unwrap();
        let signer = Signer::new(SecretKey::from_byte_array(secret.try_into().unwrap()).unwrap());
        assert_eq!(to_hex(&signer.address), "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266");
        assert_eq!(to_hex(&created(&signer.address, 0)), "0x5fbdb2315678afecb367f032d93f642f64180aa3");
    }

    #[test]
    fn lengths_of_56_and_more_are_written_out() {
        let mut out = Vec::new();
        push_bytes(&mut out, &[7; 56]);
        assert_eq!(out[..2], [0xb8, 56]);
        out.clear();
        push_bytes(&mut out, &[7]);
        assert_eq!(out, [7]);
    }
}
