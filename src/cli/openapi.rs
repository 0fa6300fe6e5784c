//! `lodge openapi`.

use clap::{Args, ValueEnum};

use super::{Failure, print};
use crate::app::document;

/// Print the OpenAPI document of this version.
///
/// The same document that a running server has at /openapi.json and /openapi.yaml. Needs no database.
#[derive(Args, Debug)]
pub struct Openapi {
    /// How to write it.
    #[arg(long, env = "LODGE_FORMAT", value_enum, default_value_t = Format::Json)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

impl Openapi {
    /// Prints it.
    pub fn run(self) -> Result<(), Failure> {
        let text = match self.format {
            Format::Json => document().json(),
            Format::Yaml => document().yaml(),
        };
        print(text.trim_end());
        Ok(())
    }
}
