//! How much sooner a hundred mails have labels when they are read together:
//! `cargo run --release -p sotto --example label-mails -- MODEL [ROUNDS] [THREADS]`
//!
//! In turns: each alone by a model that has read nothing yet, each alone by one that has read the instruction, and all together.

use std::time::Instant;

use sotto::{ClassifyOptions, Error, LoadOptions, LocalModel, ModelFile, median};

const MAILS: usize = 100;

const OPENINGS: [&str; 5] = ["Hi Dana,", "Dear all,", "Hello,", "Good morning Marcus,", "FYI:"];
const BODIES: [&str; 8] = [
    "the server in hall two has been down since this morning, and customers cannot order. Please call me at once.",
    "could you send me the figures for the March report by Friday? I need them for the board.",
    "our spring sale has begun: fifty per cent off all garden furniture, this weekend only, in all our shops.",
    "the lift is being repaired on Tuesday. Please use the stairs, and leave some time for it.",
    "thank you for the lovely evening. We should do this more often!",
    "your invoice 4711 over 89.90 euros is due on the 15th. If you have paid in the meantime, please ignore this mail.",
    "I have looked at the contract, and paragraph seven worries me. Can we talk about it before you sign?",
    "the minutes of the last meeting are attached. Corrections are welcome until Wednesday noon.",
];
const ENDINGS: [&str; 3] = ["Best, Tom", "Kind regards", "See you soon, Priya"];

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let file = ModelFile::path(arguments.next().expect("a model file"));
    let mut number = |default| arguments.next().map_or(default, |word| word.parse().expect("a number"));
    let (rounds, threads) = (number(3), number(2));
    let model = LocalModel::load_with(file, &LoadOptions { threads: Some(threads), ..LoadOptions::default() })?;
    let options = ClassifyOptions::new(["urgent", "task", "ignorable", "attention"]);
    let mail = |n: usize| format!("{} {} {}", OPENINGS[n % 5], BODIES[n % 8], ENDINGS[n % 3]);
    let mails: Vec<String> = (0..MAILS).map(mail).collect();
    let one_by_one = |forget: bool| {
        let label = |mail: &String| -> Result<_, Error> {
            if forget {
                model.trim();
            }
            Ok(model.classify(mail, &options).wait()?.scores)
        };
        mails.iter().map(label).collect::<Result<Vec<_>, Error>>()
    };
    let together = || {
        model.trim();
        let results = model.classify_all(mails.clone(), &options);
        results.map(|result| Ok(result?.scores)).collect::<Result<Vec<_>, Error>>()
    };
    let expected = together()?;
    let mut seconds = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..rounds {
        let ways: [&dyn Fn() -> Result<_, Error>; 3] = [&|| one_by_one(true), &|| one_by_one(false), &together];
        for (way, seconds) in ways.iter().zip(&mut seconds) {
            let start = Instant::now();
            let results = way()?;
            seconds.push(start.elapsed().as_secs_f64());
            assert!(results == expected, "the same bits");
        }
    }
    let [cold, warm, together] = seconds.map(median);
    println!("{MAILS} mails: alone {cold:.1} s, alone with a known instruction {warm:.1} s, together {together:.1} s");
    println!("together {:.2} and {:.2} times as fast", cold / together, warm / together);
    Ok(())
}
