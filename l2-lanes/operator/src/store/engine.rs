//! The two databases, and the little that differs between them.

use std::time::Duration;

use postgres::NoTls;
use rusqlite::{OptionalExtension, TransactionBehavior};

use super::{
    StoreError,
    adopted::ReceiptKey,
    sql::{Row, Value},
};

/// Another process may write for this long before a call gives up.
const PATIENCE: Duration = Duration::from_secs(60);
/// A server that says nothing for this long is taken for gone.
const PROBE: Duration = Duration::from_secs(10);
/// What SQLite keeps of the file in memory, in KiB.
const CACHE_KIB: i64 = 64 * 1_024;

/// Where the tables are.
#[derive(Clone)]
pub(super) enum Place {
    Sqlite(std::path::PathBuf),
    Postgres(Box<postgres::Config>),
}

/// A connection.
pub(super) enum Connection {
    Sqlite(rusqlite::Connection),
    Postgres { client: Client, config: Box<postgres::Config> },
}

/// A client that may be dropped anywhere. The library says goodbye to the server when it is dropped, and waits for that, which a thread
/// of an async runtime must not; so another thread does.
pub(super) struct Client(Option<Box<postgres::Client>>);

impl Client {
    pub(super) fn connect(config: &postgres::Config) -> Result<Self, StoreError> {
        Ok(Self(Some(Box::new(config.connect(NoTls)?))))
    }

    /// Connects again when the server does not answer on this connection: it was away, or ended it. Before a transaction nothing is lost
    /// by that.
    fn revive(&mut self, config: &postgres::Config) -> Result<(), StoreError> {
        if self.get()?.is_valid(PROBE).is_err() {
            *self = Self::connect(config)?;
        }
        Ok(())
    }

    /// # Errors
    /// Never: there is a client until it is dropped.
    pub(super) fn get(&mut self) -> Result<&mut postgres::Client, StoreError> {
        self.0.as_deref_mut().ok_or_else(|| StoreError::damaged("a connection was used after its end"))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(client) = self.0.take() {
            let _ended = std::thread::Builder::new().name("goodbye".into()).spawn(move || drop(client));
        }
    }
}

/// A transaction: all of it, or nothing.
pub(crate) enum Transaction<'a> {
    Sqlite(rusqlite::Transaction<'a>),
    Postgres(postgres::Transaction<'a>),
}

/// A receipt's key, and where its receipt is to be.
#[derive(Clone, Debug)]
pub(super) struct Claim<'a> {
    pub(super) source: i64,
    pub(super) id: &'a [u8],
    pub(super) chunk: i64,
    pub(super) place: u32,
}

/// A claim that came late: its number among the claims, and where the receipt is that had its key before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Late {
    pub(super) claim: usize,
    pub(super) chunk: i64,
    pub(super) place: u32,
}

impl Connection {
    pub(super) fn open(place: &Place) -> Result<Self, StoreError> {
        match place {
            Place::Sqlite(path) => {
                let connection = rusqlite::Connection::open(path)?;
                connection.busy_timeout(PATIENCE)?;
                connection.set_prepared_statement_cache_capacity(64);
                // Readers never wait for the writer; a commit is on disk when it returns.
                connection.pragma_update(None, "journal_mode", "wal")?;
                connection.pragma_update(None, "synchronous", "full")?;
                connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
                connection.pragma_update(None, "wal_autocheckpoint", 8_000)?;
                Ok(Self::Sqlite(connection))
            }
            Place::Postgres(config) => {
                Ok(Self::Postgres { client: Client::connect(config)?, config: config.clone() })
            }
        }
    }

    /// A connection that the server closed is opened again first.
    pub(super) fn begin(&mut self) -> Result<Transaction<'_>, StoreError> {
        match self {
            // A reader that becomes a writer could find that another wrote between: so it is one from the start.
            Self::Sqlite(connection) => {
                Ok(Transaction::Sqlite(connection.transaction_with_behavior(TransactionBehavior::Immediate)?))
            }
            Self::Postgres { client, config } => {
                client.revive(config)?;
                Ok(Transaction::Postgres(client.get()?.transaction()?))
            }
        }
    }

    /// A transaction that only reads: all of what it reads is of one moment.
    pub(super) fn begin_reading(&mut self) -> Result<Transaction<'_>, StoreError> {
        match self {
            Self::Sqlite(connection) => {
                Ok(Transaction::Sqlite(connection.transaction_with_behavior(TransactionBehavior::Deferred)?))
            }
            Self::Postgres { client, config } => {
                client.revive(config)?;
                let level = postgres::IsolationLevel::RepeatableRead;
                let tx = client.get()?.build_transaction().isolation_level(level).read_only(true).start()?;
                Ok(Transaction::Postgres(tx))
            }
        }
    }
}

impl Transaction<'_> {
    pub(super) fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => Ok(tx.commit()?),
            Self::Postgres(tx) => Ok(tx.commit()?),
        }
    }

    /// Nobody else migrates until the transaction ends.
    pub(super) fn lock_schema(&mut self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            // Any number will do that nobody else locks.
            Self::Postgres(tx) => Ok(tx.batch_execute("SELECT pg_advisory_xact_lock(7272001)")?),
        }
    }

    /// Several statements, with the words that differ filled in.
    pub(super) fn execute_all(&mut self, sql: &str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => {
                let sql = sql.replace("{bytes}", "BLOB").replace("{clustered}", "WITHOUT ROWID");
                Ok(tx.execute_batch(&sql)?)
            }
            Self::Postgres(tx) => {
                Ok(tx.batch_execute(&sql.replace("{bytes}", "BYTEA").replace("{clustered}", ""))?)
            }
        }
    }

    /// Rows that it changed.
    pub(crate) fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(tx) => {
                let rows = tx.prepare_cached(sql)?.execute(rusqlite::params_from_iter(params))?;
                Ok(u64::try_from(rows).unwrap_or(u64::MAX))
            }
            Self::Postgres(tx) => Ok(tx.execute(sql, &as_postgres(params))?),
        }
    }

    /// All rows of an answer, which must be small.
    pub(crate) fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Sqlite(tx) => {
                let mut statement = tx.prepare_cached(sql)?;
                let columns = statement.column_count();
                let mut rows = statement.query(rusqlite::params_from_iter(params))?;
                let mut out = Vec::new();
                while let Some(row) = rows.next()? {
                    let values = (0..columns).map(|at| row.get_ref(at).map(of_sqlite));
                    out.push(Row(values.collect::<Result<Result<_, _>, _>>()??));
                }
                Ok(out)
            }
            Self::Postgres(tx) => {
                let rows = tx.query(sql, &as_postgres(params))?;
                rows.iter().map(of_postgres).collect()
            }
        }
    }

    /// The first row, if there is one.
    pub(crate) fn first(&mut self, sql: &str, params: &[Value]) -> Result<Option<Row>, StoreError> {
        Ok(self.query(sql, params)?.into_iter().next())
    }

    /// The one row that there must be.
    pub(crate) fn one(&mut self, sql: &str, params: &[Value]) -> Result<Row, StoreError> {
        self.first(sql, params)?.ok_or_else(|| StoreError::damaged(format!("no row for {sql}")))
    }

    /// `count` numbers that nobody else gets, the first of them.
    pub(crate) fn numbers(&mut self, counter: &str, count: u64) -> Result<i64, StoreError> {
        let sql = "UPDATE counters SET value = value + $1 WHERE name = $2 RETURNING value";
        let last = self.one(sql, &[count.into(), counter.into()])?.int(0)?;
        Ok(last.saturating_sub(i64::try_from(count).unwrap_or(i64::MAX)).saturating_add(1))
    }

    /// Writes claims down, in their order, and says which came late.
    pub(super) fn claim(&mut self, claims: &[Claim<'_>]) -> Result<Vec<Late>, StoreError> {
        match self {
            Self::Sqlite(tx) => claim_sqlite(tx, claims),
            Self::Postgres(tx) => claim_postgres(tx, claims),
        }
    }

    /// Writes down which receipts, by key, an adopted batch of a lane has.
    pub(super) fn adopt(&mut self, lane: i64, batch: i64, keys: &[ReceiptKey]) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => {
                let sql = "INSERT INTO adopted_receipts (lane, key, batch) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
                let mut insert = tx.prepare_cached(sql)?;
                for key in keys {
                    insert.execute((lane, key.as_slice(), batch))?;
                }
            }
            Self::Postgres(tx) => {
                let keys: Vec<&[u8]> = keys.iter().map(|key| key.as_slice()).collect();
                let sql = "INSERT INTO adopted_receipts (lane, key, batch) SELECT $1, key, $2 FROM unnest($3::bytea[]) AS k (key) ON CONFLICT DO NOTHING";
                tx.execute(sql, &[&lane, &batch, &keys])?;
            }
        }
        Ok(())
    }

    /// Which of these keys are those of receipts of an adopted batch that is not void: place among the keys, and the batch.
    pub(super) fn adopted(
        &mut self,
        lane: i64,
        keys: &[ReceiptKey],
    ) -> Result<Vec<(usize, i64)>, StoreError> {
        match self {
            Self::Sqlite(tx) => {
                let sql = "SELECT a.batch FROM adopted_receipts a JOIN batches b ON b.id = a.batch
                           WHERE a.lane = $1 AND a.key = $2 AND b.state <> 'void' ORDER BY a.batch LIMIT 1";
                let mut select = tx.prepare_cached(sql)?;
                let mut found = Vec::new();
                for (at, key) in keys.iter().enumerate() {
                    let batch = select.query_row((lane, key.as_slice()), |row| row.get(0)).optional()?;
                    found.extend(batch.map(|batch| (at, batch)));
                }
                Ok(found)
            }
            Self::Postgres(tx) => {
                let keys: Vec<&[u8]> = keys.iter().map(|key| key.as_slice()).collect();
                let sql = "SELECT k.number, min(a.batch) FROM unnest($1::bytea[]) WITH ORDINALITY AS k (key, number)
                           JOIN adopted_receipts a ON a.lane = $2 AND a.key = k.key
                           JOIN batches b ON b.id = a.batch AND b.state <> 'void' GROUP BY k.number ORDER BY k.number";
                let of = |row: &postgres::Row| -> Result<(usize, i64), StoreError> {
                    let number: i64 = row.try_get(0)?;
                    let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
                    Ok((at.ok_or_else(|| StoreError::damaged("row 0"))?, row.try_get(1)?))
                };
                tx.query(sql, &[&keys, &lane])?.iter().map(of).collect()
            }
        }
    }
}

const CLAIM: &str =
    "INSERT INTO receipt_keys (source, id, chunk, place) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
const CLAIMED: &str = "SELECT chunk, place FROM receipt_keys WHERE source = $1 AND id = $2";

fn claim_sqlite(tx: &rusqlite::Transaction<'_>, claims: &[Claim<'_>]) -> Result<Vec<Late>, StoreError> {
    let (mut insert, mut select) = (tx.prepare_cached(CLAIM)?, tx.prepare_cached(CLAIMED)?);
    let mut late = Vec::new();
    for (number, claim) in claims.iter().enumerate() {
        let Claim { source, id, chunk, place } = claim;
        if insert.execute((source, id, chunk, place))? == 1 {
            continue;
        }
        let found = select.query_row((source, id), |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let (chunk, place) = found.ok_or_else(|| StoreError::damaged("a key that is there is not there"))?;
        late.push(Late { claim: number, chunk, place });
    }
    Ok(late)
}

fn claim_postgres(tx: &mut postgres::Transaction<'_>, claims: &[Claim<'_>]) -> Result<Vec<Late>, StoreError> {
    const KEYS: &str = "unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::bigint[])";
    let sources: Vec<i64> = claims.iter().map(|claim| claim.source).collect();
    let ids: Vec<&[u8]> = claims.iter().map(|claim| claim.id).collect();
    let chunks: Vec<i64> = claims.iter().map(|claim| claim.chunk).collect();
    let places: Vec<i64> = claims.iter().map(|claim| claim.place.into()).collect();
    let params: [&(dyn postgres::types::ToSql + Sync); 4] = [&sources, &ids, &chunks, &places];
    let insert = format!(
        "INSERT INTO receipt_keys (source, id, chunk, place) SELECT * FROM {KEYS} ON CONFLICT DO NOTHING"
    );
    if tx.execute(&insert, &params)? == u64::try_from(claims.len()).unwrap_or(u64::MAX) {
        return Ok(Vec::new());
    }
    let select = format!(
        "SELECT c.number, k.chunk, k.place FROM {KEYS} WITH ORDINALITY AS c (source, id, chunk, place, number)
         JOIN receipt_keys k ON k.source = c.source AND k.id = c.id AND (k.chunk <> c.chunk OR k.place <> c.place)"
    );
    let late = |row: &postgres::Row| -> Result<Late, StoreError> {
        let (number, chunk, place): (i64, i64, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let claim = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        let place = u32::try_from(place).map_err(StoreError::damaged)?;
        Ok(Late { claim: claim.ok_or_else(|| StoreError::damaged("row 0"))?, chunk, place })
    };
    tx.query(&select, &params)?.iter().map(late).collect()
}

fn as_postgres(params: &[Value]) -> Vec<&(dyn postgres::types::ToSql + Sync)> {
    params.iter().map(|value| value as &(dyn postgres::types::ToSql + Sync)).collect()
}

fn of_sqlite(value: rusqlite::types::ValueRef<'_>) -> Result<Value, StoreError> {
    use rusqlite::types::ValueRef;
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Int(value),
        ValueRef::Text(text) => Value::Text(String::from_utf8(text.to_vec()).map_err(StoreError::damaged)?),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        ValueRef::Real(_) => return Err(StoreError::damaged("a fraction")),
    })
}

fn of_postgres(row: &postgres::Row) -> Result<Row, StoreError> {
    use postgres::types::Type;
    let value = |(at, column): (usize, &postgres::Column)| -> Result<Value, StoreError> {
        Ok(match *column.type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(at)?.into(),
            Type::TEXT => row.try_get::<_, Option<String>>(at)?.into(),
            Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(at)?.into(),
            ref other => return Err(StoreError::damaged(format!("a column of type {other}"))),
        })
    };
    Ok(Row(row.columns().iter().enumerate().map(value).collect::<Result<_, _>>()?))
}
