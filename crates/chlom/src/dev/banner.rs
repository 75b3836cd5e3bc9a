//! What is printed when the chain is ready.

use std::net::SocketAddr;

use alloy_primitives::B256;
use serde_json::json;

use super::accounts::DevAccount;

/// What there is to say.
pub(crate) struct Ready<'a> {
    /// EIP-155 chain id.
    pub(crate) chain_id: u64,
    /// Where JSON-RPC listens.
    pub(crate) addr: SocketAddr,
    /// Genesis block hash.
    pub(crate) genesis: B256,
    /// Height of the head.
    pub(crate) height: u64,
    /// Where the chain is kept; `None` in memory.
    pub(crate) data_dir: Option<String>,
    /// The accounts.
    pub(crate) accounts: &'a [DevAccount],
}

impl Ready<'_> {
    /// One line of JSON.
    pub(crate) fn json(&self) -> String {
        let accounts: Vec<_> = self
            .accounts
            .iter()
            .map(|a| json!({ "address": a.address, "privateKey": a.private_key() }))
            .collect();
        json!({
            "chainId": self.chain_id,
            "http": format!("http://{}", self.addr),
            "ws": format!("ws://{}", self.addr),
            "accounts": accounts,
        })
        .to_string()
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut out = String::from("CHLOM dev chain\n\n");
        for (index, account) in self.accounts.iter().enumerate() {
            if index == 0 {
                out.push_str("  #   account (10,000 CHM each)                    private key\n");
            }
            out.push_str(&format!("  {index:<3} {}  {}\n", account.address, account.private_key()));
        }
        let kept = self.data_dir.as_deref().unwrap_or("in memory (use --data-dir to keep it)");
        out.push_str(&format!(
            "\n  The keys are public (the mnemonic of Foundry and Hardhat): never use them elsewhere.\n\n  \
             chain id   {}\n  genesis    {}\n  height     {}\n  state      {kept}\n  \
             page       http://{addr}/\n  http       http://{addr}\n  websocket  ws://{addr}\n  health     http://{addr}/health\n  \
             metrics    http://{addr}/metrics\n",
            self.chain_id,
            self.genesis,
            self.height,
            addr = self.addr,
        ));
        out
    }
}
