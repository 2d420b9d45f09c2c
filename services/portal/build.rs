//! Builds the portal anew when its web pages were.

use std::path::Path;

fn main() {
    let pages = Path::new("../../web/dist");
    // Cargo takes a path that isn't there for one that changed, every time.
    if let Err(error) = std::fs::create_dir_all(pages) {
        println!("cargo::warning=web/dist can't be made: {error}");
    }
    println!("cargo::rerun-if-changed={}", pages.display());
    println!("cargo::rerun-if-changed=build.rs");
}
