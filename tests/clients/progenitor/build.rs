//! Generates the client with progenitor from the document at the path `ROLLBOOK_DOCUMENT`.

use std::env;
use std::error::Error;
use std::fs::{self, File};
use std::path::Path;

use progenitor_impl::{GenerationSettings, Generator, InterfaceStyle};

fn main() -> Result<(), Box<dyn Error>> {
    let document = env::var("ROLLBOOK_DOCUMENT")?;
    println!("cargo:rerun-if-env-changed=ROLLBOOK_DOCUMENT");
    println!("cargo:rerun-if-changed={document}");

    let document = serde_yaml::from_reader(File::open(document)?)?;
    let mut generator = Generator::new(GenerationSettings::new().with_interface(InterfaceStyle::Builder));
    let code = generator.generate_tokens(&document)?;
    let client = Path::new(&env::var("OUT_DIR")?).join("client.rs");
    fs::write(client, prettyplease::unparse(&syn::parse2(code)?))?;
    Ok(())
}
