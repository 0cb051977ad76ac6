//! The generators under test.

use clap::ValueEnum;
use tokio::process::Command;

use super::workshop::Workshop;
use super::{go, python, rust, typescript};
use crate::failure::Result;

/// A generator. Its name is also the name of its folder in tests/clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Tool {
    Progenitor,
    OpenapiGeneratorRust,
    OpenapiFetch,
    TypescriptFetch,
    HeyApi,
    OpenapiPythonClient,
    OpenapiGeneratorPython,
    OpenapiGeneratorGo,
}

impl Tool {
    pub fn name(self) -> &'static str {
        match self {
            Self::Progenitor => "progenitor",
            Self::OpenapiGeneratorRust => "openapi-generator-rust",
            Self::OpenapiFetch => "openapi-fetch",
            Self::TypescriptFetch => "typescript-fetch",
            Self::HeyApi => "hey-api",
            Self::OpenapiPythonClient => "openapi-python-client",
            Self::OpenapiGeneratorPython => "openapi-generator-python",
            Self::OpenapiGeneratorGo => "openapi-generator-go",
        }
    }

    /// Generates and compiles the client; returns the command that runs the scenario.
    pub async fn build(self, workshop: &Workshop) -> Result<Command> {
        match self {
            Self::Progenitor => rust::progenitor(workshop).await,
            Self::OpenapiGeneratorRust => rust::openapi_generator(workshop).await,
            Self::OpenapiFetch => typescript::openapi_fetch(workshop).await,
            Self::TypescriptFetch => typescript::openapi_generator(workshop).await,
            Self::HeyApi => typescript::hey_api(workshop).await,
            Self::OpenapiPythonClient => python::openapi_python_client(workshop).await,
            Self::OpenapiGeneratorPython => python::openapi_generator(workshop).await,
            Self::OpenapiGeneratorGo => go::openapi_generator(workshop).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::root;

    #[test]
    fn tool_name_is_folder_and_command_line_value() {
        for tool in Tool::value_variants() {
            let name = tool.name();
            assert!(root().join("tests/clients").join(name).is_dir(), "{name}");
            assert_eq!(tool.to_possible_value().unwrap().get_name(), name);
        }
    }
}
