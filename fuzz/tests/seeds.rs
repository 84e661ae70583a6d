//! Every seed keeps the laws: the same as the targets check, without the engine.

use std::path::Path;

#[test]
fn seeds_keep_the_laws() -> std::io::Result<()> {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    for (name, run) in dancu_fuzz::TARGETS {
        let mut count = 0;
        for seed in std::fs::read_dir(seeds.join(name))? {
            run(&std::fs::read(seed?.path())?);
            count += 1;
        }
        assert!(count > 0, "{name} has no seed");
    }
    Ok(())
}
