//! An import's transactions, phase by phase: what a later phase needs is in a block before it begins. Whatever was done
//! is done; run again, an import goes on where it stopped, because it compares with the chain first.

use std::collections::BTreeMap;

use alloy_primitives::Address;
use anyhow::Result;
use chlom_client::{
    Request, Signer,
    contracts::{
        license_registry::ILicenseRegistry::{Terms, assignCall, commitMintCall, mint_0Call, modifyCall},
        rights_registry::IRightsRegistry::registerCall,
        split_registry::ISplitRegistry::registerVectorCall,
    },
};
use chlom_primitives::address::{LICENSE_REGISTRY, RIGHTS_REGISTRY, SPLIT_REGISTRY};

use super::{
    document::{Division, id_of},
    plan::{Sender, Step, Verdict},
    registry::{Licences, commitment},
};

/// What was sent.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) transactions: usize,
    pub(crate) gas: u64,
}

/// Carries a plan out. `said` is told of every phase.
///
/// # Errors
/// The first transaction that is refused; those before it stand.
pub(crate) fn apply(
    licences: &Licences<'_>,
    signer: &Signer,
    sender: Sender,
    steps: &[Step],
    said: &mut dyn FnMut(&str),
) -> Result<Done> {
    let mut done = Done::default();
    let mut send = |what: &str, requests: Vec<Request>| -> Result<()> {
        if requests.is_empty() {
            return Ok(());
        }
        said(&format!("{what}: {}", requests.len()));
        let receipts = licences.chain.send_all(signer, &requests)?;
        done.transactions += receipts.len();
        done.gas += receipts.iter().map(|receipt| receipt.gas_used).sum::<u64>();
        Ok(())
    };
    let touched = || steps.iter().filter(|step| matches!(step.verdict, Verdict::New | Verdict::Changed(_)));
    let minted = || steps.iter().filter(|step| step.verdict == Verdict::New);
    send("splits to register", splits(licences, touched())?)?;
    send("rights to register", rights(licences, minted())?)?;
    if !sender.registrar {
        let commits = minted().map(|step| commit(licences.chain.id(), step)).collect();
        send("mints to commit to", commits)?;
    }
    // Those above first.
    let deepest = minted().map(|step| step.depth).max().unwrap_or(0);
    for depth in 0..=deepest {
        let mints = minted().filter(|step| step.depth == depth).map(mint).collect();
        send(&format!("licences to mint, {depth} below a root of the file"), mints)?;
    }
    send("licences to change", steps.iter().flat_map(modifications).collect())?;
    Ok(done)
}

fn splits<'a>(licences: &Licences<'_>, steps: impl Iterator<Item = &'a Step>) -> Result<Vec<Request>> {
    let mut wanted = BTreeMap::new();
    for step in steps {
        if let Division::Vector(vector) = &step.document.division {
            wanted.entry(vector.hash()).or_insert((vector, &step.document.name));
        }
    }
    let mut requests = Vec::new();
    for (hash, (vector, name)) in wanted {
        if licences.is_split(hash)? {
            continue;
        }
        let shares = vector.shares();
        let narrow = alloy_primitives::aliases::U96::from;
        let call = registerVectorCall {
            payees: shares.iter().map(|share| share.payee).collect::<Vec<Address>>(),
            weights: shares.iter().map(|share| narrow(share.weight)).collect(),
            denom: narrow(vector.denom()),
        };
        requests.push(Request::call(format!("registering the split of {name}"), SPLIT_REGISTRY, &call));
    }
    Ok(requests)
}

fn rights<'a>(licences: &Licences<'_>, steps: impl Iterator<Item = &'a Step>) -> Result<Vec<Request>> {
    let mut wanted = BTreeMap::new();
    for step in steps {
        wanted.entry(step.rights_hash).or_insert(step);
    }
    let mut requests = Vec::new();
    for (hash, step) in wanted {
        if !licences.are_rights(hash)? {
            let what = format!("registering the rights of {}", step.document.name);
            requests.push(Request::call(what, RIGHTS_REGISTRY, &registerCall { set: step.rights.clone() }));
        }
    }
    Ok(requests)
}

fn commit(chain_id: u64, step: &Step) -> Request {
    let commitment = commitment(chain_id, step.document.id(), step.document.owner, step.document.meta_hash);
    let what = format!("committing to {}", step.document.name);
    Request::call(what, LICENSE_REGISTRY, &commitMintCall { commitment })
}

fn mint(step: &Step) -> Request {
    let document = &step.document;
    let parent = document.parent.as_ref();
    let terms = Terms {
        assetId: document.asset_id(),
        rightsHash: step.rights_hash,
        cap: document.cap,
        parent: parent.map(|parent| id_of(&parent.name)).unwrap_or_default(),
        numer: parent.map_or(0, |parent| parent.numer),
        denom: parent.map_or(0, |parent| parent.denom),
        draft: false,
    };
    let call = mint_0Call { id: document.id(), d: step.data.clone(), t: terms };
    Request::call(format!("minting {}", document.name), LICENSE_REGISTRY, &call)
}

/// `modify` keeps the licensee: another one is assigned.
fn modifications(step: &Step) -> Vec<Request> {
    let Verdict::Changed(changes) = &step.verdict else { return Vec::new() };
    let (id, name) = (step.document.id(), &step.document.name);
    let mut requests = Vec::new();
    if changes.iter().any(|change| change.field == "licensee") {
        let call = assignCall { id, newLicensee: step.data.licensee };
        requests.push(Request::call(format!("assigning {name}"), LICENSE_REGISTRY, &call));
    }
    if changes.iter().any(|change| change.field != "licensee") {
        let call = modifyCall { id, d: step.data.clone() };
        requests.push(Request::call(format!("modifying {name}"), LICENSE_REGISTRY, &call));
    }
    requests
}
