//! Servers for tests and for `bench`, on loopback only: a relay that stands before a registry and
//! counts, delays, fails, cuts and holds requests ([`Relay`]); a server that answers by script
//! ([`Scripted`]); a small registry in memory ([`Memory`]) and a token server ([`TokenServer`]).
//!
//! Nothing here knows what the product does.

mod canned;
mod exchange;
mod http;
mod memory;
mod relay;
mod rules;
mod scripted;
mod server;
mod tokens;

pub use canned::Canned;
pub use memory::{Memory, Profile};
pub use relay::{Entry, Relay, Totals};
pub use rules::{Gate, Request, Then, When};
pub use scripted::{Received, Reply, Scripted};
pub use tokens::{Access, TokenServer};
