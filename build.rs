//! Packs the sample desk into the program: some hundred kilobytes of text that are unpacked once, if at all.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;

const SAMPLE: &str = "src/seed/sample";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={SAMPLE}");
    let to = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    for file in fs::read_dir(SAMPLE)? {
        let file = file?;
        let mut name = file.file_name();
        name.push(".gz");
        let mut packer = GzEncoder::new(fs::File::create(to.join(name))?, Compression::best());
        packer.write_all(&fs::read(file.path())?)?;
        packer.finish()?;
    }
    Ok(())
}
