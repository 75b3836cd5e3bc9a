//! Lanes and sources, by number.

use std::collections::HashMap;

use alloy_primitives::Address;
use chlom_lane::receipt::Name;

use super::{Store, StoreError, engine::Transaction, sql::params};

/// A lane of this store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    pub(super) number: i64,
    /// Its name; [`chlom_lane::lane::lane_id`] gives its id.
    pub name: String,
    /// ISO 4217 code of its currency.
    pub currency: String,
    /// Places of the currency's minor unit.
    pub decimals: u8,
}

/// A payer's source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Source {
    pub(super) lane: i64,
    pub(super) payer: Address,
    pub(super) name: Name,
}

/// Sources that were seen, both ways. They never change.
#[derive(Default)]
pub(super) struct Sources {
    numbers: HashMap<(i64, Address, String), i64>,
    known: HashMap<i64, Source>,
}

impl Sources {
    /// The number of a source, which is made if it is new.
    pub(super) fn number(
        &mut self,
        tx: &mut Transaction<'_>,
        lane: i64,
        payer: Address,
        name: &Name,
    ) -> Result<i64, StoreError> {
        let key = (lane, payer, name.as_str().to_owned());
        if let Some(number) = self.numbers.get(&key) {
            return Ok(*number);
        }
        let find = "SELECT id FROM sources WHERE lane = $1 AND payer = $2 AND name = $3";
        let found = tx.first(find, params![lane, payer.as_slice(), name.as_str()])?;
        let number = match found {
            Some(row) => row.int(0)?,
            None => {
                let number = tx.numbers("source", 1)?;
                let insert = "INSERT INTO sources (id, lane, payer, name) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
                tx.execute(insert, params![number, lane, payer.as_slice(), name.as_str()])?;
                // Another instance may have been first.
                tx.one(find, params![lane, payer.as_slice(), name.as_str()])?.int(0)?
            }
        };
        Ok(number)
    }

    /// Remembers numbers, once they are committed.
    pub(super) fn remember(&mut self, number: i64, source: Source) {
        self.numbers.insert((source.lane, source.payer, source.name.as_str().to_owned()), number);
        self.known.insert(number, source);
    }

    /// The source of a number.
    pub(super) fn get(&mut self, tx: &mut Transaction<'_>, number: i64) -> Result<Source, StoreError> {
        if let Some(source) = self.known.get(&number) {
            return Ok(source.clone());
        }
        let mut row = tx.one("SELECT lane, payer, name FROM sources WHERE id = $1", params![number])?;
        let name = Name::new(&row.text(2)?).map_err(StoreError::damaged)?;
        let source = Source { lane: row.int(0)?, payer: Address::from(row.array(1)?), name };
        self.remember(number, source.clone());
        Ok(source)
    }
}

impl Store {
    /// Makes a lane, or finds it as it was made.
    ///
    /// # Errors
    /// [`StoreError::Currency`] when it counts in another currency.
    pub fn make_lane(&self, name: &str, currency: &str, decimals: u8) -> Result<Lane, StoreError> {
        let lane = self.write(|tx| {
            if let Some(lane) = find_lane(tx, name)? {
                return Ok(lane);
            }
            let number = tx.numbers("lane", 1)?;
            let insert = "INSERT INTO lanes (id, name, currency, decimals) VALUES ($1, $2, $3, $4)";
            tx.execute(insert, params![number, name, currency, u32::from(decimals)])?;
            Ok(Lane { number, name: name.into(), currency: currency.into(), decimals })
        })?;
        if lane.currency != currency || lane.decimals != decimals {
            return Err(StoreError::Currency {
                lane: lane.name,
                known: lane.currency,
                known_decimals: lane.decimals,
                asked: currency.into(),
                asked_decimals: decimals,
            });
        }
        Ok(lane)
    }

    /// A lane that was made.
    ///
    /// # Errors
    /// [`StoreError::NoLane`].
    pub fn lane(&self, name: &str) -> Result<Lane, StoreError> {
        self.read(|tx| find_lane(tx, name))?.ok_or_else(|| StoreError::NoLane(name.into()))
    }

    /// All lanes, by name.
    ///
    /// # Errors
    /// The database's.
    pub fn lanes(&self) -> Result<Vec<Lane>, StoreError> {
        self.read(|tx| {
            let rows = tx.query("SELECT id, name, currency, decimals FROM lanes ORDER BY name", &[])?;
            rows.into_iter().map(lane_of).collect()
        })
    }
}

fn find_lane(tx: &mut Transaction<'_>, name: &str) -> Result<Option<Lane>, StoreError> {
    let row = tx.first("SELECT id, name, currency, decimals FROM lanes WHERE name = $1", params![name])?;
    row.map(lane_of).transpose()
}

fn lane_of(mut row: super::sql::Row) -> Result<Lane, StoreError> {
    let decimals = u8::try_from(row.int(3)?).map_err(StoreError::damaged)?;
    Ok(Lane { number: row.int(0)?, name: row.text(1)?, currency: row.text(2)?, decimals })
}
