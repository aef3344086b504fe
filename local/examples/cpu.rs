//! Microseconds of CPU that reading one message takes.
fn main() {
    let file = std::env::args().nth(1).unwrap();
    let text = std::fs::read_to_string(file).unwrap();
    let messages: Vec<String> = text
        .lines()
        .flat_map(|line| {
            let talk: serde_json::Value = serde_json::from_str(line).unwrap();
            talk["turns"]
                .as_array()
                .unwrap()
                .iter()
                .map(|turn| turn["user"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        })
        .collect();
    let began = std::time::Instant::now();
    understand::understand("fly me from Lahore to Dubai");
    println!("first {:?}", began.elapsed());
    let mut best = f64::MAX;
    for _ in 0..15 {
        let began = std::time::Instant::now();
        for message in &messages {
            std::hint::black_box(understand::understand(message));
        }
        best = best.min(began.elapsed().as_secs_f64() * 1e6 / messages.len() as f64);
    }
    println!("{best:.1} us a message over {} messages", messages.len());
}
