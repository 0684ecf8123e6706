//! Docker's side of the world: the engine, buildx, registries.

pub mod registry;
