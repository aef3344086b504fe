//! What a sentence costs: `COLLOQUY_MODEL=FOLDER cargo bench -p minilm`, with the model's files in the folder.

use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use minilm::MiniLm;

fn main() -> anyhow::Result<()> {
    let Ok(folder) = std::env::var("COLLOQUY_MODEL") else {
        println!("skipped: COLLOQUY_MODEL names no folder with the model");
        return Ok(());
    };
    let file = |name: &str| std::fs::read(Path::new(&folder).join(name)).with_context(|| name.to_owned());
    let started = Instant::now();
    let model = MiniLm::read(&file("model.safetensors")?, &file("tokenizer.json")?)?;
    println!("load: {:?}", started.elapsed());
    let long = "Embryo transfer follows fertilisation in the laboratory. ".repeat(60);
    let texts =
        [("a question", "How long does an embryo transfer take, and does it hurt?", 200), ("a page", &long, 30)];
    for (name, text, runs) in texts {
        let started = Instant::now();
        for _ in 0..runs {
            model.embed(text)?;
        }
        println!("{name}: {:.1} ms", started.elapsed().as_secs_f64() * 1_000.0 / f64::from(runs));
    }
    Ok(())
}
