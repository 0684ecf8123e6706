//! Docker's side of the world: the engine, buildx, registries.

pub mod bake;
pub mod progress;
