//! Roots from a diff along changed paths only, and proofs.
