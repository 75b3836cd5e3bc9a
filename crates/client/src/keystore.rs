//! Keys from files: raw hex in a file that only its owner can read, or Web3 secret storage (version 3), as geth, Foundry
//! and most wallets write it. A key is never taken from the command line, where every process can see it.

use std::{fs, io, os::unix::fs::PermissionsExt, path::Path};

use aes::{
    Aes128,
    cipher::{KeyIvInit, StreamCipher},
};
use alloy_primitives::{hex, keccak256};
use chlom_crypto::AccountKey;
use serde::Deserialize;

/// A key file has some 500 bytes.
const MOST_BYTES: u64 = 64 * 1024;
/// 2²⁰ with r = 8 takes 1 GiB: four times what geth writes.
const MOST_SCRYPT_MEMORY: u64 = 1024 * 1024 * 1024;
/// Ten times what wallets write.
const MOST_PBKDF2_ROUNDS: u32 = 10_000_000;

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("key file {path}: {error}")]
    Io {
        /// The file.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// Others may read it.
    #[error("key file {path} has mode {mode:04o}: others can read it; run `chmod 600 {path}`")]
    Open {
        /// The file.
        path: String,
        /// Its permissions.
        mode: u32,
    },
    /// It is no key file.
    #[error("key file {path}: {why}")]
    Malformed {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// The password does not open it.
    #[error("key file {path}: this password does not open it")]
    Password {
        /// The file.
        path: String,
    },
}

#[derive(Deserialize)]
struct Keystore {
    version: u64,
    #[serde(alias = "Crypto")]
    crypto: Crypto,
}

#[derive(Deserialize)]
struct Crypto {
    cipher: String,
    ciphertext: String,
    cipherparams: CipherParams,
    kdf: String,
    kdfparams: KdfParams,
    mac: String,
}

#[derive(Deserialize)]
struct CipherParams {
    iv: String,
}

#[derive(Deserialize)]
struct KdfParams {
    dklen: usize,
    salt: String,
    n: Option<u64>,
    r: Option<u32>,
    p: Option<u32>,
    c: Option<u32>,
    prf: Option<String>,
}

/// 64 hex digits in a file that only its owner can read.
///
/// # Errors
/// [`KeyError`].
pub fn from_key_file(path: &Path) -> Result<AccountKey, KeyError> {
    let text = secret_text(path)?;
    let malformed = |why: String| KeyError::Malformed { path: shown(path), why };
    let bytes: [u8; 32] = hex::decode(text.trim())
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| malformed("expected 64 hex digits".into()))?;
    AccountKey::from_bytes(bytes).map_err(|e| malformed(e.to_string()))
}

/// The first line of a file that only its owner can read.
///
/// # Errors
/// [`KeyError`].
pub fn password_from_file(path: &Path) -> Result<String, KeyError> {
    Ok(secret_text(path)?.lines().next().unwrap_or_default().to_owned())
}

/// Asks on the terminal, without showing what is typed.
///
/// # Errors
/// When there is no terminal.
pub fn password_from_terminal(path: &Path) -> Result<String, KeyError> {
    rpassword::prompt_password(format!("Password of {}: ", path.display())).map_err(|error| KeyError::Io {
        path: shown(path),
        error: io::Error::new(error.kind(), format!("no password: {error}; use --password-file")),
    })
}

/// A key in Web3 secret storage.
///
/// # Errors
/// [`KeyError`].
pub fn from_keystore(path: &Path, password: &str) -> Result<AccountKey, KeyError> {
    let text = text(path)?;
    let malformed = |why: String| KeyError::Malformed { path: shown(path), why };
    let file: Keystore =
        serde_json::from_str(&text).map_err(|e| malformed(format!("no Web3 secret storage: {e}")))?;
    if file.version != 3 || file.crypto.cipher != "aes-128-ctr" {
        return Err(malformed("only version 3 with aes-128-ctr is read".into()));
    }
    let field = |name: &str, value: &str| hex::decode(value).map_err(|e| malformed(format!("{name}: {e}")));
    let derived = derive(&file.crypto, password.as_bytes()).map_err(&malformed)?;
    let mut secret = field("ciphertext", &file.crypto.ciphertext)?;
    let mac = keccak256([&derived[16..32], secret.as_slice()].concat());
    if field("mac", &file.crypto.mac)? != mac.as_slice() {
        return Err(KeyError::Password { path: shown(path) });
    }
    let iv: [u8; 16] = field("iv", &file.crypto.cipherparams.iv)?
        .try_into()
        .map_err(|_| malformed("iv: expected 16 bytes".into()))?;
    let mut key = [0; 16];
    key.copy_from_slice(&derived[..16]);
    ctr::Ctr128BE::<Aes128>::new(&key.into(), &iv.into()).apply_keystream(&mut secret);
    let bytes: [u8; 32] = secret.try_into().map_err(|_| malformed("expected a key of 32 bytes".into()))?;
    AccountKey::from_bytes(bytes).map_err(|e| malformed(e.to_string()))
}

fn derive(crypto: &Crypto, password: &[u8]) -> Result<[u8; 32], String> {
    let params = &crypto.kdfparams;
    let salt = hex::decode(&params.salt).map_err(|e| format!("salt: {e}"))?;
    let mut derived = [0; 32];
    if params.dklen != derived.len() {
        return Err(format!("dklen is {}, expected 32", params.dklen));
    }
    match crypto.kdf.as_str() {
        "scrypt" => {
            let (n, r, p) = (params.n.unwrap_or(0), params.r.unwrap_or(0), params.p.unwrap_or(0));
            let memory = n.saturating_mul(u64::from(r)).saturating_mul(128);
            if !n.is_power_of_two() || n < 2 || memory > MOST_SCRYPT_MEMORY || p > 16 {
                return Err(format!("scrypt with n = {n}, r = {r}, p = {p} is not supported"));
            }
            let log_n = u8::try_from(n.trailing_zeros()).map_err(|e| e.to_string())?;
            let params = scrypt::Params::new(log_n, r, p).map_err(|e| format!("scrypt: {e}"))?;
            scrypt::scrypt(password, &salt, &params, &mut derived).map_err(|e| format!("scrypt: {e}"))?;
        }
        "pbkdf2" => {
            let rounds = params.c.unwrap_or(0);
            let known = params.prf.as_deref() == Some("hmac-sha256");
            if !known || rounds == 0 || rounds > MOST_PBKDF2_ROUNDS {
                return Err("only pbkdf2 with hmac-sha256 and up to 10,000,000 rounds is read".into());
            }
            pbkdf2::pbkdf2_hmac::<sha2::Sha256>(password, &salt, rounds, &mut derived);
        }
        other => return Err(format!("key derivation {other:?} is not known")),
    }
    Ok(derived)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn text(path: &Path) -> Result<String, KeyError> {
    let failed = |error| KeyError::Io { path: shown(path), error };
    let size = fs::metadata(path).map_err(failed)?.len();
    if size > MOST_BYTES {
        return Err(KeyError::Malformed { path: shown(path), why: format!("{size} bytes are no key file") });
    }
    fs::read_to_string(path).map_err(failed)
}

fn secret_text(path: &Path) -> Result<String, KeyError> {
    let meta = fs::metadata(path).map_err(|error| KeyError::Io { path: shown(path), error })?;
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Open { path: shown(path), mode });
    }
    text(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Test vectors of the Web3 secret storage definition (version 3); both hold one key.
    const PBKDF2: &str = r#"{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"6087dab2f9fdbbfaddc31a909735c1e6"},
        "ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46","kdf":"pbkdf2","kdfparams":{"c":262144,
        "dklen":32,"prf":"hmac-sha256","salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},
        "mac":"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},
        "id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}"#;
    const SCRYPT: &str = r#"{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"83dbcc02d8ccb40e466191a123791e0e"},
        "ciphertext":"d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c","kdf":"scrypt","kdfparams":{"dklen":32,
        "n":262144,"p":8,"r":1,"salt":"ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"},
        "mac":"2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097"},
        "id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}"#;

    fn file(folder: &tempfile::TempDir, text: &str, mode: u32) -> std::path::PathBuf {
        let path = folder.path().join("key");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn the_definitions_vectors_open_with_their_password_only() {
        let folder = tempfile::tempdir().unwrap();
        for text in [PBKDF2, SCRYPT] {
            let path = file(&folder, text, 0o644);
            let key = from_keystore(&path, "testpassword").unwrap();
            let want = "0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
            assert_eq!(key.expose_bytes().to_string(), want);
            assert!(matches!(from_keystore(&path, "Testpassword"), Err(KeyError::Password { .. })));
        }
    }

    #[test]
    fn a_keystore_that_asks_for_absurd_work_is_refused_unworked() {
        let folder = tempfile::tempdir().unwrap();
        for (text, from, to) in [
            (SCRYPT, "\"n\":262144", "\"n\":1099511627776"),
            (SCRYPT, "\"n\":262144", "\"n\":3"),
            (SCRYPT, "\"p\":8", "\"p\":4000000000"),
            (PBKDF2, "262144", "4000000000"),
            (PBKDF2, "hmac-sha256", "hmac-md5"),
            (SCRYPT, "\"dklen\":32", "\"dklen\":64"),
        ] {
            let path = file(&folder, &text.replace(from, to), 0o600);
            assert!(matches!(from_keystore(&path, "testpassword"), Err(KeyError::Malformed { .. })), "{to}");
        }
    }

    #[test]
    fn a_key_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let hex = "0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d\n";
        let path = file(&folder, hex, 0o600);
        assert_eq!(from_key_file(&path).unwrap().expose_bytes().to_string(), hex.trim());
        for mode in [0o640, 0o604, 0o644] {
            let path = file(&folder, hex, mode);
            assert!(matches!(from_key_file(&path), Err(KeyError::Open { .. })), "{mode:o}");
            assert!(matches!(password_from_file(&path), Err(KeyError::Open { .. })), "{mode:o}");
        }
        for nonsense in ["", "0x12", &"0".repeat(64), &"f".repeat(64)] {
            let path = file(&folder, nonsense, 0o600);
            assert!(matches!(from_key_file(&path), Err(KeyError::Malformed { .. })), "{nonsense}");
        }
    }
}
