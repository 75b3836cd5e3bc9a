//! Pre-signing transactions, and packing them into requests whose order cannot break a nonce sequence.

use crate::accounts::{self, TOKEN_GAS, TRANSFER_GAS, transfer_data};
use crate::http::Endpoint;
use crate::rpc::{Rpc, to_hex};
use crate::tx::{Address, Call, Fees, Signed, Signer};
use anyhow::Result;

/// Requests of one connection, in order.
pub(crate) type Lane = Vec<Vec<u8>>;

/// Signs `count` transactions; sender `i` of n has those at i, i + n, i + 2n … and pays its neighbour.
pub(crate) async fn sign(
    rpc: &mut Rpc,
    senders: &[Signer],
    fees: Fees,
    token: Option<Address>,
    count: u64,
) -> Result<Vec<Signed>> {
    let mut nonces = Vec::with_capacity(senders.len());
    for sender in senders {
        nonces.push(accounts::nonce(rpc, &sender.address).await?);
    }
    let signed = (0..count as usize).map(|index| {
        let from = index % senders.len();
        let to = senders[(from + 1) % senders.len()].address;
        let nonce = nonces[from] + (index / senders.len()) as u64;
        let call = match token {
            Some(token) => {
                Call { nonce, gas: TOKEN_GAS, to: Some(token), value: 0, data: transfer_data(&to, 1) }
            }
            None => Call { nonce, gas: TRANSFER_GAS, to: Some(to), value: 1, data: Vec::new() },
        };
        call.sign(fees, &senders[from])
    });
    Ok(signed.collect())
}

/// Splits the transactions over connections by sender, so that no nonce overtakes another, and builds the requests.
pub(crate) fn lanes(
    endpoint: &Endpoint,
    signed: &[Signed],
    senders: usize,
    connections: usize,
    batch: usize,
) -> Vec<Lane> {
    (0..connections)
        .map(|lane| {
            let mine: Vec<(usize, &Signed)> = signed
                .iter()
                .enumerate()
                .filter(|(index, _)| index % senders % connections == lane)
                .collect();
            mine.chunks(batch).map(|chunk| endpoint.request(&body(chunk))).collect()
        })
        .collect()
}

fn body(chunk: &[(usize, &Signed)]) -> Vec<u8> {
    let calls: Vec<String> = chunk
        .iter()
        .map(|(id, tx)| {
            let raw = to_hex(&tx.raw);
            format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"eth_sendRawTransaction","params":["{raw}"]}}"#)
        })
        .collect();
    format!("[{}]", calls.join(",")).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_stays_on_one_connection_in_nonce_order() {
        let endpoint = Endpoint::parse("http://127.0.0.1:1").unwrap();
        let signed: Vec<Signed> =
            (0..12u8).map(|index| Signed { raw: vec![index], hash: [index; 32] }).collect();
        let lanes = lanes(&endpoint, &signed, 4, 2, 10);
        let ids = |lane: &Lane| {
            let text = String::from_utf8(lane.concat()).unwrap();
            let ids =
                text.split("\"id\":").skip(1).map(|rest| rest.split(',').next().unwrap().parse().unwrap());
            ids.collect::<Vec<u32>>()
        };
        assert_eq!(ids(&lanes[0]), [0, 2, 4, 6, 8, 10]);
        assert_eq!(ids(&lanes[1]), [1, 3, 5, 7, 9, 11]);
    }
}
