//! What happens unasked: the rotation of the sets at each block's begin.

use chlom_module::Store;

use super::{
    set::ValidatorSet,
    state_key::{SETS, WINDOW, Window},
    view::{StakingRead, StakingWrite},
};

/// Moves the window one height on. Writes nothing while all four heights have one set, which is nearly always. Upholds [STK-3].
///
/// # Errors
/// Those of the storage.
pub fn rotate<S: Store + ?Sized>(storage: &mut S) -> Result<(), S::Error> {
    let window = storage.window()?;
    replace_window(storage, window, window.rotated())
}

/// Decides on the set that acts two heights on. A later decision at the same height replaces an earlier one.
///
/// # Errors
/// Those of the storage.
pub fn schedule<S: Store + ?Sized>(storage: &mut S, set: &ValidatorSet) -> Result<(), S::Error> {
    let window = storage.window()?;
    for id in [window.after_next, window.next] {
        if SETS.entry(&id).hash.get(storage)? == set.hash() {
            return replace_window(storage, window, Window { after_next: id, ..window });
        }
    }
    let id = storage.add_set(set)?;
    replace_window(storage, window, Window { after_next: id, ..window })
}

/// Writes a changed window and clears the sets that it no longer names.
fn replace_window<S: Store + ?Sized>(storage: &mut S, old: Window, new: Window) -> Result<(), S::Error> {
    if new == old {
        return Ok(());
    }
    WINDOW.set(storage, &new)?;
    for id in [old.previous, old.after_next] {
        if !new.names(id) {
            storage.remove_set(id)?;
        }
    }
    Ok(())
}
