//! Sender recovery and validator keys
