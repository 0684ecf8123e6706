//! Whole manifests, good and bad. Single values are tested beside `values`.

mod bad;
mod disk;
mod good;
mod survival;
