//! What an import would change: each licence of the file against the chain's.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256};
use anyhow::Result;
use chlom_client::contracts::{
    license_registry::ILicenseRegistry::LicenseData, rights_registry::IRightsRegistry::Rights,
};
use serde_json::{Value, json};

use super::{
    date,
    document::{Division, Document, id_of},
    rate,
    registry::{Held, Licences, data_of, rights_hash},
};

/// `ILicenseRegistry.State.Revoked`.
const REVOKED: u8 = 3;

/// One field that differs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) field: &'static str,
    pub(crate) from: String,
    pub(crate) to: String,
}

/// What an import does with a licence.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Minted.
    New,
    /// Modified, or assigned to another licensee.
    Changed(Vec<Change>),
    /// Left alone.
    Unchanged,
    /// The import stops, before it sends anything.
    Refused(String),
}

/// One licence with what it needs.
pub(crate) struct Step {
    pub(crate) document: Document,
    pub(crate) data: LicenseData,
    pub(crate) rights: Rights,
    pub(crate) rights_hash: B256,
    pub(crate) verdict: Verdict,
    /// Licences of the file above it.
    pub(crate) depth: usize,
}

/// Who sends, as far as it matters.
#[derive(Clone, Copy)]
pub(crate) struct Sender {
    pub(crate) address: Address,
    pub(crate) registrar: bool,
}

/// Compares every document. `policy` is for those that name none; without `sender` (a dry run) its rights are not judged.
pub(crate) fn plan(
    licences: &mut Licences<'_>,
    documents: Vec<Document>,
    policy: Option<B256>,
    sender: Option<Sender>,
) -> Result<Vec<Step>> {
    let depths = depths(&documents);
    let mut active = BTreeMap::new();
    let mut steps = Vec::with_capacity(documents.len());
    let names: std::collections::BTreeSet<B256> = documents.iter().map(Document::id).collect();
    for (document, depth) in documents.into_iter().zip(depths) {
        let own = document.policy.or(policy);
        let data = data_of(&document, own.unwrap_or_default());
        let rights = licences.rights(&document.words)?;
        let held = licences.held(document.id())?;
        let (rights, lacking) = match rights {
            Ok(rights) => (rights, None),
            Err(what) => (
                Rights {
                    rights: 0,
                    channels: 0,
                    languages: Default::default(),
                    worldwide: true,
                    territories: Vec::new(),
                },
                Some(what),
            ),
        };
        let mut step = Step {
            rights_hash: rights_hash(&rights),
            document,
            data,
            rights,
            verdict: Verdict::New,
            depth: 0,
        };
        let policy_active = match own {
            None => None,
            Some(policy) => Some(match active.get(&policy) {
                Some(known) => *known,
                None => *active.entry(policy).or_insert(licences.is_policy_active(policy)?),
            }),
        };
        step.verdict = match (lacking, depth) {
            (Some(what), _) => Verdict::Refused(what),
            (None, None) => Verdict::Refused("it is below itself, through its parents".into()),
            (None, Some(depth)) => {
                step.depth = depth;
                judge(&step, held.as_ref(), sender)
            }
        };
        if matches!(step.verdict, Verdict::New | Verdict::Changed(_))
            && let Some(why) = obstacle(licences, &step, policy_active, &names)?
        {
            step.verdict = Verdict::Refused(why);
        }
        steps.push(step);
    }
    Ok(steps)
}

/// What neither a mint nor a modification would get past.
fn obstacle(
    licences: &Licences<'_>,
    step: &Step,
    policy_active: Option<bool>,
    names: &std::collections::BTreeSet<B256>,
) -> Result<Option<String>> {
    match policy_active {
        None => return Ok(Some("no policy: give ace_policy_hash, or --policy HASH".into())),
        Some(false) => return Ok(Some(format!("policy {} is not active", step.data.acePolicyHash))),
        Some(true) => {}
    }
    if let Division::Registered(hash) = &step.document.division
        && !licences.is_split(*hash)?
    {
        return Ok(Some(format!("split {hash} is not registered; give splits")));
    }
    if let (Verdict::New, Some(parent)) = (&step.verdict, &step.document.parent) {
        let id = id_of(&parent.name);
        if !names.contains(&id) && licences.held(id)?.is_none() {
            return Ok(Some(format!("its parent {} is neither in the file nor on the chain", parent.name)));
        }
    }
    Ok(None)
}

fn judge(step: &Step, held: Option<&Held>, sender: Option<Sender>) -> Verdict {
    let document = &step.document;
    let Some(held) = held else {
        return match sender {
            Some(sender) if !sender.registrar && sender.address != document.owner => Verdict::Refused(format!(
                "{} is neither a registrar nor its owner {}",
                sender.address, document.owner
            )),
            Some(sender) if !sender.registrar && !document.salted => Verdict::Refused(
                "only a registrar mints without a salt: without one, metaHash hides nothing from a front-runner".into(),
            ),
            _ => Verdict::New,
        };
    };
    let parent = document.parent.as_ref();
    let edge = parent.map(|parent| (id_of(&parent.name), parent.numer, parent.denom)).unwrap_or_default();
    let cap = if document.cap.is_zero() { alloy_primitives::U256::MAX } else { document.cap };
    let fixed = [
        ("owner", document.owner != held.data.owner),
        ("rights", step.rights_hash != held.terms.rightsHash),
        ("asset", document.asset_id() != held.terms.assetId),
        ("cap", cap != held.terms.cap),
        ("parent", edge != (held.terms.parent, held.terms.numer, held.terms.denom)),
    ];
    if held.status.state == REVOKED {
        return Verdict::Refused("it is revoked, and an id is used once".into());
    }
    let differing: Vec<_> = fixed.iter().filter(|(_, differs)| *differs).map(|(field, _)| *field).collect();
    if !differing.is_empty() {
        return Verdict::Refused(format!("fixed since it was minted: {}", differing.join(", ")));
    }
    let changes = changes(&held.data, &step.data);
    match sender {
        _ if changes.is_empty() => Verdict::Unchanged,
        Some(sender) if sender.address != held.data.owner => {
            let fields: Vec<_> = changes.iter().map(|change| change.field).collect();
            Verdict::Refused(format!("only its owner {} may change {}", held.data.owner, fields.join(", ")))
        }
        _ => Verdict::Changed(changes),
    }
}

fn changes(held: &LicenseData, wanted: &LicenseData) -> Vec<Change> {
    let bps =
        |data: &LicenseData| format!("{} %", rate::shown(u16::try_from(data.royaltyBps).unwrap_or(u16::MAX)));
    let fields = [
        ("licensee", held.licensee.to_string(), wanted.licensee.to_string()),
        ("royalty", bps(held), bps(wanted)),
        ("start", date::shown(held.startTs), date::shown(wanted.startTs)),
        ("end", date::shown(held.endTs), date::shown(wanted.endTs)),
        ("split", held.adeSplitHash.to_string(), wanted.adeSplitHash.to_string()),
        ("policy", held.acePolicyHash.to_string(), wanted.acePolicyHash.to_string()),
        ("flags", format!("{:#x}", held.flags), format!("{:#x}", wanted.flags)),
        ("metaHash", held.metaHash.to_string(), wanted.metaHash.to_string()),
    ];
    let differing = fields.into_iter().filter(|(_, from, to)| from != to);
    differing.map(|(field, from, to)| Change { field, from, to }).collect()
}

/// How many parents within the file are above each document; `None` for a circle.
fn depths(documents: &[Document]) -> Vec<Option<usize>> {
    let places: BTreeMap<B256, usize> =
        documents.iter().enumerate().map(|(index, document)| (document.id(), index)).collect();
    let parent = |index: usize| {
        let parent = documents.get(index)?.parent.as_ref()?;
        places.get(&id_of(&parent.name)).copied()
    };
    (0..documents.len())
        .map(|start| {
            let above = std::iter::successors(parent(start), |index| parent(*index));
            let depth = above.take(documents.len().saturating_add(1)).count();
            (depth <= documents.len()).then_some(depth)
        })
        .collect()
}

impl Verdict {
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed(_) => "changed",
            Self::Unchanged => "unchanged",
            Self::Refused(_) => "refused",
        }
    }
}

impl Step {
    /// A row of the table.
    pub(crate) fn row(&self) -> Vec<String> {
        let detail = match &self.verdict {
            Verdict::New => {
                let parent = self.document.parent.as_ref();
                let above =
                    parent.map_or_else(String::new, |p| format!(", {}/{} to {}", p.numer, p.denom, p.name));
                format!("{} % to {}{above}", rate::shown(self.document.royalty_bps), self.payees())
            }
            Verdict::Changed(changes) => {
                let changes: Vec<_> =
                    changes.iter().map(|c| format!("{}: {} -> {}", c.field, c.from, c.to)).collect();
                changes.join("; ")
            }
            Verdict::Unchanged => String::new(),
            Verdict::Refused(why) => why.clone(),
        };
        vec![self.document.name.clone(), self.verdict.word().into(), detail]
    }

    fn payees(&self) -> String {
        match &self.document.division {
            Division::Vector(vector) => format!("{} payees", vector.shares().len()),
            Division::Registered(hash) => format!("split {hash}"),
        }
    }

    pub(crate) fn json(&self) -> Value {
        let mut json = json!({
            "id": self.document.name, "hash": self.document.id(), "place": self.document.place,
            "verdict": self.verdict.word(),
        });
        match &self.verdict {
            Verdict::Changed(changes) => {
                let fields = changes.iter().map(|c| json!({ "field": c.field, "from": c.from, "to": c.to }));
                json["changes"] = fields.collect();
            }
            Verdict::Refused(why) => json["reason"] = why.clone().into(),
            Verdict::New | Verdict::Unchanged => {}
        }
        json
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
