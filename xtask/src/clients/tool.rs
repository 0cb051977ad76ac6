//! The generators under test.

use clap::ValueEnum;
use tokio::process::Command;

use super::languages::{go, npm_program, python, python_program, rust, typescript};
use super::workshop::{GENERATED, Workshop};
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
    /// The name on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Installs the packages that the client needs, generates the client and compiles it. Returns the command of the
    /// scenario.
    pub async fn build(self, workshop: &Workshop) -> Result<Command> {
        workshop.install_packages().await?;
        match self {
            // Its macro generates the client.
            Self::Progenitor => rust(workshop, "progenitor-scenario").await,
            Self::OpenapiGeneratorRust => {
                // A fixed version: with the document's version, Cargo.lock would change with every release.
                openapi_generator(workshop, "rust", "packageName=rollbook_client,packageVersion=0.0.0").await?;
                rust(workshop, "openapi-generator-rust-scenario").await
            }
            Self::OpenapiFetch => {
                let mut types = npm_program(workshop, "openapi-typescript");
                types.arg(workshop.document()).args(["--output", "generated/rollbook.ts"]);
                workshop.run("generate", types).await?;
                typescript(workshop).await
            }
            Self::TypescriptFetch => {
                openapi_generator(workshop, "typescript-fetch", "importFileExtension=.js").await?;
                typescript(workshop).await
            }
            Self::HeyApi => {
                // Its package.json requires Node 22, but it also runs on Node 20.
                let mut generate = npm_program(workshop, "openapi-ts");
                generate.arg("--input").arg(workshop.document()).args([
                    "--file",
                    "openapi-ts.config.js",
                    "--no-log-file",
                ]);
                workshop.run("generate", generate).await?;
                typescript(workshop).await
            }
            Self::OpenapiPythonClient => {
                let mut generate = python_program(workshop, "openapi-python-client");
                generate.args(["generate", "--meta", "none", "--overwrite"]);
                generate.args(["--output-path", "generated/rollbook_client", "--path"]).arg(workshop.document());
                workshop.run("generate", generate).await?;
                python(workshop).await
            }
            Self::OpenapiGeneratorPython => {
                openapi_generator(workshop, "python", "packageName=rollbook_client").await?;
                python(workshop).await
            }
            Self::OpenapiGeneratorGo => {
                // The generated go.mod requires a newer Go than Debian's, and modules that only the generated tests use.
                openapi_generator(workshop, "go", "packageName=rollbook,withGoMod=false").await?;
                go(workshop).await
            }
        }
    }
}

/// Runs openapi-generator with the generator named `generator`.
async fn openapi_generator(workshop: &Workshop, generator: &str, settings: &str) -> Result<()> {
    // The generator needs Java, which its requirements.txt includes.
    let home = workshop.beside("openapi-generator")?;
    home.install_packages().await?;
    let mut generate = python_program(&home, "openapi-generator-cli");
    generate.args(["generate", "--generator-name", generator, "--additional-properties", settings]);
    generate.arg("--input-spec").arg(workshop.document());
    generate.arg("--output").arg(workshop.path(GENERATED));
    workshop.run("generate", generate).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::root;

    #[test]
    fn each_tool_has_a_folder() {
        for tool in Tool::value_variants() {
            assert!(root().join("tests/clients").join(tool.name()).is_dir(), "{tool:?}");
        }
    }
}
