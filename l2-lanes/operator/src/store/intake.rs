//! Requests with receipts, many in one commit, and their answers, which a repetition gets again. Upholds [OPR-21].

use chlom_lane::Receipt;

use super::{Lane, Outcome, Store, StoreError, sql::params};

/// What somebody sent, of one lane.
#[derive(Clone, Debug)]
pub struct Request {
    /// Whose key it came with; see [`super::ApiKey::id`].
    pub key: i64,
    /// A name that the sender gave it, and a hash of its content: the same name again gets the same answer.
    pub name: Option<(String, [u8; 32])>,
    /// The receipts in it.
    pub receipts: Vec<Receipt>,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was carried out: what became of each receipt, and what was noted as its answer.
    Done(Vec<Outcome>, String),
    /// It had been carried out before: what was answered then.
    Again(String),
    /// Its name had been given to something else; nothing is done.
    OtherContent,
}

impl Store {
    /// Carries requests out, all of them in one commit. `describe` says what is answered to one, by its number and outcomes; a
    /// repetition gets the same words.
    ///
    /// # Errors
    /// The database's; no request was carried out then.
    pub fn carry_out(
        &self,
        lane: &Lane,
        requests: &[Request],
        describe: impl Fn(usize, &[Outcome]) -> String,
    ) -> Result<Vec<Answer>, StoreError> {
        let mut answers = self.earlier_answers(requests)?;
        let fresh: Vec<usize> = (0..requests.len()).filter(|number| answers[*number].is_none()).collect();
        let mut receipts = Vec::new();
        for number in &fresh {
            receipts.extend_from_slice(&requests[*number].receipts);
        }
        let now = crate::now();
        self.add_and(lane, &receipts, |tx, outcomes| {
            let mut rest = outcomes;
            for number in fresh {
                let Request { key, name, receipts } = &requests[number];
                let (mine, others) = rest.split_at(receipts.len());
                rest = others;
                let answer = describe(number, mine);
                let mut done = Answer::Done(mine.to_vec(), answer.clone());
                if let Some((name, digest)) = name {
                    let sql = "INSERT INTO requests (api_key, name, digest, answer, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
                    let values = params![*key, name.as_str(), digest.as_slice(), answer, now];
                    if tx.execute(sql, values)? == 0 {
                        // The same request came twice at once; the other one was first, and took what was new.
                        done = earlier(tx, *key, name, digest)?
                            .ok_or_else(|| StoreError::damaged("a request is there and is not"))?;
                    }
                }
                answers[number] = Some(done);
            }
            Ok(())
        })?;
        answers.into_iter().map(|answer| answer.ok_or_else(|| StoreError::damaged("no answer"))).collect()
    }

    fn earlier_answers(&self, requests: &[Request]) -> Result<Vec<Option<Answer>>, StoreError> {
        if requests.iter().all(|request| request.name.is_none()) {
            return Ok(vec![None; requests.len()]);
        }
        self.read(|tx| {
            let of = |request: &Request| match &request.name {
                Some((name, digest)) => earlier(tx, request.key, name, digest),
                None => Ok(None),
            };
            requests.iter().map(of).collect()
        })
    }

    /// Forgets the answers to requests before a time, in seconds since 1970. Gives how many.
    ///
    /// # Errors
    /// The database's.
    pub fn forget_requests(&self, before: u64) -> Result<u64, StoreError> {
        self.write(|tx| tx.execute("DELETE FROM requests WHERE at < $1", params![before]))
    }
}

fn earlier(
    tx: &mut super::Transaction<'_>,
    key: i64,
    name: &str,
    digest: &[u8; 32],
) -> Result<Option<Answer>, StoreError> {
    let sql = "SELECT digest, answer FROM requests WHERE api_key = $1 AND name = $2";
    let Some(mut row) = tx.first(sql, params![key, name])? else { return Ok(None) };
    let same = row.bytes(0)? == digest;
    Ok(Some(if same { Answer::Again(row.text(1)?) } else { Answer::OtherContent }))
}

impl Request {
    /// One with nothing in it.
    pub(crate) const fn empty() -> Self {
        Self { key: 0, name: None, receipts: Vec::new() }
    }
}
