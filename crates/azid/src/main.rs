//! azid.
fn main() {}
