//! Says what the guard says of each line of its input: `printf 'i want to die\n' | cargo run -p safety --example read`.

#![allow(clippy::print_stdout)]

use std::io::BufRead;

use safety::Guard;

fn main() -> std::io::Result<()> {
    let guard = Guard::embedded();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let alarm = guard.read(&line);
        let class = alarm.map_or("-", |alarm| alarm.class.name());
        let by = alarm.map_or_else(String::new, |alarm| format!("{:?}", alarm.by));
        let pattern = guard.read_with(&line, None).map_or("-", |alarm| alarm.class.name());
        println!(
            "{class}\t{by}\t{pattern}\t{:.2}\t{}\t{line}",
            guard.danger(&line),
            guard.trace(&line).replace("\t", " ") + "\t" + &guard.words(&line).join(" ")
        );
    }
    Ok(())
}
