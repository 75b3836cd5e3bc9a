//! Drives an Application: in process for chlom dev
