//! Contracts for tests, by hand.

use alloy_primitives::{Address, B256, Bytes, address, b256, bytes};

/// Stores its argument in slot 0, logs it with [`TOPIC`] and the caller, and returns it.
pub(crate) const STORE: Address = address!("00000000000000000000000000000000000a0001");
/// Reverts with `Error("not yours")`.
pub(crate) const REVERTER: Address = address!("00000000000000000000000000000000000a0002");
/// Calls [`STORE`] with its argument, then [`REVERTER`] with its value, ignores both answers and logs.
pub(crate) const OUTER: Address = address!("00000000000000000000000000000000000a0003");
/// Calls [`BURNER`] and reverts when that fails: needs more gas than it uses.
pub(crate) const GASSY: Address = address!("00000000000000000000000000000000000a0004");
/// Sets ten slots.
pub(crate) const BURNER: Address = address!("00000000000000000000000000000000000a0005");
/// Clears slot 0, which genesis set: earns a refund.
pub(crate) const CLEARER: Address = address!("00000000000000000000000000000000000a0006");
/// Returns number, timestamp, base fee and the hash of the block before.
pub(crate) const ENVIRONMENT: Address = address!("00000000000000000000000000000000000a0007");
/// Stops with the invalid instruction.
pub(crate) const INVALID: Address = address!("00000000000000000000000000000000000a0008");
/// Jumps for ever.
pub(crate) const ENDLESS: Address = address!("00000000000000000000000000000000000a0009");
/// Reads slot 0 of itself, which genesis set to 7, and returns it.
pub(crate) const READER: Address = address!("00000000000000000000000000000000000a000a");

/// The topic of [`STORE`]'s log.
pub(crate) const TOPIC: B256 = b256!("1111111111111111111111111111111111111111111111111111111111111111");

/// Every contract and its code.
pub(crate) fn all() -> Vec<(Address, Bytes)> {
    vec![
        (STORE, store()),
        (REVERTER, reverter()),
        (OUTER, outer()),
        (GASSY, gassy()),
        (BURNER, burner()),
        (CLEARER, bytes!("6000600055" "00")),
        (ENVIRONMENT, bytes!("436000524260205248604052600143034060605260806000f3")),
        (INVALID, bytes!("fe")),
        (ENDLESS, bytes!("5b600056")),
        (READER, bytes!("60005460005260206000f3")),
    ]
}

fn store() -> Bytes {
    let mut code = bytes!("6000358060005560005233" "7f").to_vec();
    code.extend(TOPIC);
    code.extend(bytes!("60206000a260206000f3"));
    code.into()
}

/// The data that [`REVERTER`] reverts with.
pub(crate) fn not_yours() -> Bytes {
    let mut data = bytes!("08c379a0").to_vec();
    data.extend([0; 31]);
    data.push(0x20);
    data.extend([0; 31]);
    data.push(9);
    data.extend(b"not yours");
    data.extend([0; 23]);
    data.into()
}

fn reverter() -> Bytes {
    let mut code = bytes!("6064600c60003960646000fd").to_vec();
    code.extend(not_yours());
    code.into()
}

fn outer() -> Bytes {
    let mut code = bytes!("600035600052" "60006000602060006000" "73").to_vec();
    code.extend(STORE);
    code.extend(bytes!("5af150" "600060006000600034" "73"));
    code.extend(REVERTER);
    code.extend(bytes!("5af150" "60206000a0" "00"));
    code.into()
}

fn gassy() -> Bytes {
    let mut code = bytes!("60006000600060006000" "73").to_vec();
    code.extend(BURNER);
    code.extend(bytes!("5af11560265700" "5b60006000fd"));
    code.into()
}

fn burner() -> Bytes {
    let mut code = Vec::new();
    for slot in 1..=10u8 {
        code.extend([0x60, 1, 0x60, slot, 0x55]);
    }
    code.push(0);
    code.into()
}
