//! Keys of those who report over HTTP: each is bound to a lane, a payer and a source. Upholds [OPR-6].

use alloy_primitives::Address;
use chlom_lane::receipt::Name;
use sha2::{Digest, Sha256};

use super::{
    Lane, Store, StoreError,
    sql::{Row, params},
};

/// What every key begins with, so that one that leaked is found by searching for it.
const PREFIX: &str = "chlom_key_";
const SECRET_BYTES: usize = 32;

/// A key, in words that its holder keeps for itself. It is shown once; the store keeps its hash.
pub struct Secret(String);

impl Secret {
    fn new() -> Result<Self, StoreError> {
        let mut bytes = [0; SECRET_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| StoreError::Io {
            action: "draw a key from",
            path: "the system's randomness".into(),
            source: error.into(),
        })?;
        Ok(Self(format!("{PREFIX}{}", hex::encode(bytes))))
    }

    /// To be shown to its holder, and to nobody else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// 256 bits of randomness need no slow hash.
fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// Who may report what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its number.
    pub id: i64,
    /// The lane's name.
    pub lane: String,
    /// Whose receipts it may report.
    pub payer: Address,
    /// Of which source.
    pub source: Name,
    /// What its maker calls it.
    pub label: String,
    /// Receipts a second that it may report.
    pub per_second: u64,
    /// When it was made, in seconds since 1970.
    pub made: u64,
    /// Since when it is worth nothing.
    pub revoked: Option<u64>,
}

const KEY: &str =
    "SELECT api_keys.id, lanes.name, sources.payer, sources.name, label, per_second, made, revoked
    FROM api_keys JOIN sources ON sources.id = api_keys.source JOIN lanes ON lanes.id = sources.lane";

impl Store {
    /// Makes a key. Whoever gets the secret may report receipts of this payer and source.
    ///
    /// # Errors
    /// The database's.
    pub fn add_key(
        &self,
        lane: &Lane,
        payer: Address,
        source: &Name,
        label: &str,
        per_second: u64,
    ) -> Result<(ApiKey, Secret), StoreError> {
        let secret = Secret::new()?;
        let mut guard = self.inner.lock();
        let super::Inner { connection, sources, .. } = &mut *guard;
        let mut tx = connection.begin()?;
        let number = sources.number(&mut tx, lane.number, payer, source)?;
        let id = tx.numbers("key", 1)?;
        let sql = "INSERT INTO api_keys (id, hash, source, label, per_second, made, revoked) VALUES ($1, $2, $3, $4, $5, $6, NULL)";
        tx.execute(
            sql,
            params![id, hash(secret.expose()).as_slice(), number, label, per_second, crate::now()],
        )?;
        let key = key_of(tx.one(&format!("{KEY} WHERE api_keys.id = $1"), params![id])?)?;
        tx.commit()?;
        Ok((key, secret))
    }

    /// All keys, in the order in which they were made.
    ///
    /// # Errors
    /// The database's.
    pub fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        let rows = self.read(|tx| tx.query(&format!("{KEY} ORDER BY api_keys.id"), &[]))?;
        rows.into_iter().map(key_of).collect()
    }

    /// Makes a key worthless from now on. Whether there was such a key that was worth something.
    ///
    /// # Errors
    /// The database's.
    pub fn revoke_key(&self, id: i64) -> Result<bool, StoreError> {
        let sql = "UPDATE api_keys SET revoked = $1 WHERE id = $2 AND revoked IS NULL";
        Ok(self.write(|tx| tx.execute(sql, params![crate::now(), id]))? == 1)
    }

    /// The key that a secret is, if it is worth something. Only hashes are compared, by the database's index: how long that takes says
    /// nothing of a secret.
    ///
    /// # Errors
    /// The database's.
    pub fn key_of_secret(&self, secret: &str) -> Result<Option<ApiKey>, StoreError> {
        if !secret.starts_with(PREFIX) || secret.len() != PREFIX.len() + 2 * SECRET_BYTES {
            return Ok(None);
        }
        let sql = format!("{KEY} WHERE api_keys.hash = $1 AND revoked IS NULL");
        let row = self.read(|tx| tx.first(&sql, params![hash(secret).as_slice()]))?;
        row.map(key_of).transpose()
    }
}

fn key_of(mut row: Row) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        id: row.int(0)?,
        lane: row.text(1)?,
        payer: Address::from(row.array(2)?),
        source: Name::new(&row.text(3)?).map_err(StoreError::damaged)?,
        label: row.text(4)?,
        per_second: row.unsigned(5)?,
        made: row.unsigned(6)?,
        revoked: row.optional(7)?.map(|at| u64::try_from(at).unwrap_or_default()),
    })
}
