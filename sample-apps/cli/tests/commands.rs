//! The program as a person or a script meets it: what it prints, and its exit codes.

mod common;

use std::path::Path;
use std::process::Output;

use common::{code, errors, json, note, run, run_with_input, text};
use serde_json::Value;

#[test]
fn a_note_is_summarized_as_text_and_as_json() {
    let note = note("clinic-move.txt");
    let plain = run(&["summarize", text(&note)]);
    assert_eq!(code(&plain), 0);
    let printed = String::from_utf8(plain.stdout).unwrap();
    assert!(printed.contains("Actions") && printed.contains("valve"), "{printed}");
    assert!(!printed.contains('\u{1b}'), "no colours where stdout is no terminal");
    let value = json(&run(&["summarize", text(&note), "--json"]));
    for key in ["title", "overview", "points", "actions", "coverage", "metrics"] {
        assert!(!value[key].is_null(), "{key}");
    }
    assert!(value["actions"][0]["evidence"][0].is_u64());
}

#[test]
fn a_transcript_comes_from_standard_input_too() {
    let lines = std::fs::read(note("team-call.txt")).unwrap();
    let value = json(&run_with_input(&["summarize", "-", "--json"], &lines));
    assert_eq!(value["coverage"]["segments"], 6);
}

#[test]
fn a_long_note_is_printed_once_and_without_repeats() {
    let filler = "The garden was fine and we talked about the weather for a while. ".repeat(70);
    let said = format!("Nadia will order the valve by Wednesday. {filler}Theo will call the movers tonight.");
    let output = run_with_input(&["summarize", "-"], said.as_bytes());
    assert_eq!(code(&output), 0);
    let printed = String::from_utf8(output.stdout.clone()).unwrap();
    let count = |text: &str| printed.lines().filter(|line| line.contains(text)).count();
    assert_eq!((count("Points"), count("Actions")), (1, 1), "{printed}");
    assert_eq!((count("order the valve"), count("call the movers")), (1, 1), "{printed}");
    assert!(printed.lines().filter(|line| line.trim_start().starts_with('•')).count() < 4, "{printed}");
    assert!(errors(&output).contains("read 72 of 72 segments, in"), "{}", errors(&output));
}

#[test]
fn a_summary_is_as_long_as_it_was_asked_to_be() {
    let note = note("clinic-move.txt");
    let limits = ["--max-points", "1", "--max-actions", "1", "--language", "German"];
    let value = json(&run(&[&["summarize", text(&note), "--json"][..], &limits].concat()));
    for list in ["points", "actions"] {
        assert_eq!(value[list].as_array().map(Vec::len), Some(1));
        assert_eq!(value[list][0]["id"], 1);
    }
    assert_eq!(code(&run(&["summarize", text(&note), "--max-points", "-1"])), 2);
    assert_eq!(code(&run(&["summarize", text(&note), "--language", "de_DE"])), 4);
}

#[test]
fn a_text_is_classified() {
    let value = json(&run(&["classify", "Help, the kitchen is on fire!", "--labels", "urgent,ignorable", "--json"]));
    assert_eq!(value["label"], "urgent");
    assert_eq!(value["scores"].as_object().unwrap().len(), 2);
    assert!(value["abstained"].is_boolean());
}

#[test]
fn labels_may_have_descriptions_and_commas() {
    let labels = ["--labels", "task", "--label", "urgent=somebody must act at once", "--label", "no, thanks"];
    let value = json(&run(&[&["classify", "Help, the kitchen is on fire!", "--json"][..], &labels].concat()));
    assert_eq!(value["label"], "urgent");
    assert_eq!(value["scores"].as_object().unwrap().keys().collect::<Vec<_>>(), ["task", "urgent", "no, thanks"]);
    let all = json(&run(&["classify", "Help, the kitchen is on fire!", "--json"]));
    assert_eq!(all["scores"].as_object().unwrap().len(), 4);
}

fn printed(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn each_line_of_a_file_has_a_result() {
    let folder = tempfile::tempdir().unwrap();
    let (lines, schema) = (folder.path().join("lines.txt"), folder.path().join("schema.json"));
    std::fs::write(&lines, "Help, the kitchen is on fire!\n\nBuy milk.\n").unwrap();
    std::fs::write(&schema, r#"{"enum": ["yes", "no"]}"#).unwrap();
    let alone = |line: &str| json(&run(&["classify", line, "--json"]))["label"].clone();
    let output = run(&["classify", "--lines", text(&lines), "--json"]);
    let results = printed(&output);
    let results: Vec<Value> = results.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(results[0]["label"], alone("Help, the kitchen is on fire!"));
    assert!(results[1]["error"].is_string());
    assert_eq!(results[2]["label"], alone("Buy milk."));
    assert_eq!((results.len(), code(&output)), (3, 4));
    let plain = printed(&run(&["classify", "--lines", text(&lines)]));
    assert_eq!(plain.lines().map(str::is_empty).collect::<Vec<_>>(), [false, true, false]);

    let output = run(&["extract", "--lines", text(&lines), "--schema", text(&schema)]);
    let values = printed(&output);
    assert_eq!(
        values.lines().map(|line| ["\"yes\"", "\"no\""].contains(&line)).collect::<Vec<_>>(),
        [true, false, true]
    );
    assert_eq!(code(&run(&["classify", "x", "--lines", text(&lines)])), 2);
}

#[test]
fn a_value_is_extracted_by_its_schema() {
    let folder = tempfile::tempdir().unwrap();
    let schema = folder.path().join("schema.json");
    let wanted = r#"{"type":"object","properties":{"task":{"type":"string","maxLength":60}},"required":["task"],"additionalProperties":false}"#;
    std::fs::write(&schema, wanted).unwrap();
    let value = json(&run(&["extract", "Carla sends the figures tonight.", "--schema", text(&schema), "--json"]));
    assert!(value["task"].is_string());
    std::fs::write(&schema, "{").unwrap();
    assert_eq!(code(&run(&["extract", "x", "--schema", text(&schema)])), 4);
}

#[test]
fn a_conversation_comes_from_standard_input() {
    let output = run_with_input(&["chat", "-n", "8", "--temperature", "0", "--json"], b"Hello.\n\nAnd again.\n");
    assert_eq!(code(&output), 0);
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 2);
}

#[test]
fn tools_of_a_conversation_are_programs_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let tools = folder.path().join("tools.json");
    let chat =
        || run_with_input(&["chat", "--tools", text(&tools), "-n", "8", "--temperature", "0", "--json"], b"Hello.\n");
    let program = r#"{"name": "now", "description": "The time", "parameters": {"type": "object", "properties": {}}, "command": ["date"]}"#;
    std::fs::write(&tools, format!("[{program}]")).unwrap();
    assert_eq!(code(&chat()), 0);
    for wrong in
        ["[", "[{}]", &format!("[{program}, {program}]"), &format!("[{}]", program.replace("[\"date\"]", "[]"))]
    {
        std::fs::write(&tools, wrong).unwrap();
        assert_eq!(code(&chat()), 4, "{wrong}");
    }
}

#[test]
fn an_answer_that_was_cut_off_says_so() {
    let cut_off = "cut off at its limit of tokens: -n allows more";
    let chat = run_with_input(&["chat", "-n", "3", "--temperature", "0"], b"Marcus will write a test by Thursday.\n");
    assert!(errors(&chat).contains(cut_off), "{}", errors(&chat));
    let generate = ["generate", "-p", "I need to", "--temperature", "0", "-n"];
    assert!(errors(&run(&[&generate[..], &["3"]].concat())).contains(cut_off));
    let reason = |more: &[&str]| json(&run(&[&generate[..], more, &["--json"]].concat()))["finish_reason"].clone();
    assert_eq!(reason(&["3"]), "max_tokens");
    assert_eq!(reason(&["300", "--context", "8"]), "context_full");
}

#[test]
fn a_text_is_continued() {
    let value = json(&run(&["generate", "--prompt", "I need to", "-n", "8", "--temperature", "0", "--json"]));
    assert!(value["ids"].as_array().unwrap().len() <= 8);
    assert!(value["text"].is_string() && value["metrics"]["kernels"].is_string());
}

#[test]
fn token_ids_are_continued_like_the_text_they_stand_for() {
    let of_ids = |ids: &str| json(&run(&["generate", "--ids", ids, "-n", "6", "--temperature", "0", "--json"]));
    let given = String::from_utf8(run(&["tokenize", "--ids", "I need to"]).stdout).unwrap();
    let first = of_ids(&given.trim().replace(' ', ","));
    assert_eq!(first["metrics"]["prefill_tokens"], given.split_whitespace().count());
    assert_eq!(first["ids"], of_ids(&given.trim().replace(' ', ","))["ids"]);
    assert_eq!(code(&run(&["generate"])), 2);
    assert_eq!(code(&run(&["generate", "--ids", "4000000000"])), 4);
    assert_eq!(code(&run(&["generate", "-p", "-5 degrees", "-n", "1"])), 0);
}

#[test]
fn tokens_never_include_control_tokens_of_the_text() {
    let value = json(&run(&["tokenize", "a<|end|>b", "--json"]));
    let joined: String = value["tokens"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(joined, "a<|end|>b");
    assert!(value["ids"].as_array().unwrap().len() > 3);
    let ids = String::from_utf8(run(&["tokenize", "--ids", "a b"]).stdout).unwrap();
    assert!(ids.split_whitespace().all(|id| id.parse::<u32>().is_ok()));
}

#[test]
fn a_template_shows_the_prompt_it_makes() {
    let folder = tempfile::tempdir().unwrap();
    let (messages, template) = (folder.path().join("m.json"), folder.path().join("t.jinja"));
    std::fs::write(&messages, r#"[{"role":"user","content":"hi"}]"#).unwrap();
    std::fs::write(&template, "{{ bos_token }}{% for m in messages %}{{ m.role }}={{ m.content }}{% endfor %}")
        .unwrap();
    let with_file = ["render", text(&messages), "--template", text(&template), "--bos", "<s>"];
    assert_eq!(run(&with_file).stdout, b"<s>user=hi");
    assert!(String::from_utf8(run(&["render", text(&messages)]).stdout).unwrap().contains("hi"));
    std::fs::write(&template, "{{ raise_exception('no') }}").unwrap();
    assert_eq!(code(&run(&with_file)), 4);
    std::fs::write(&messages, r#"[{"role":"wizard","content":"hi"}]"#).unwrap();
    assert_eq!(code(&run(&["render", text(&messages)])), 4);
}

#[test]
fn perplexity_inspect_and_bench_give_their_figures() {
    let value = json(&run(&["perplexity", text(&note("train-trip.txt")), "--window", "64", "--json"]));
    assert!(value["tokens"].as_u64().unwrap() > 20 && value["perplexity"].as_f64().unwrap() > 1.0);
    assert_eq!(value, json(&run(&["perplexity", text(&note("train-trip.txt")), "--context", "64", "--json"])));
    let value = json(&run(&["inspect", "--json"]));
    assert_eq!(value["architecture"], "llama");
    assert_eq!(value["tuned"], true);
    let bench = [
        "bench",
        "--prefill",
        "8,16",
        "--decode",
        "4",
        "--depth",
        "0,8",
        "--sequences",
        "2",
        "--repeat",
        "1",
        "--json",
    ];
    let value = json(&run(&bench));
    assert_eq!(value["prefill"].as_array().unwrap().len(), 4);
    assert_eq!((&value["prefill"][3]["tokens"], &value["prefill"][3]["depth"]), (&16.into(), &8.into()));
    assert_eq!(value["decode"][1]["depth"], 8);
    assert_eq!(value["batches"][0]["sequences"], 2);
    let share = value["decode"][0]["share_of_ceiling"].as_f64().unwrap();
    assert!(share > 0.0 && value["ceilings"]["bytes_per_second"].as_f64().unwrap() > 0.0);
    assert!(value["load_seconds"].is_f64() && value["memory"]["mapped_bytes"].is_u64());
}

#[cfg(unix)]
#[test]
fn bench_runs_in_turns_with_another_program_and_draws_both() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let script = |name: &str, body: &str| {
        std::fs::write(path(name), format!("#!/bin/sh\n{body}\n")).unwrap();
        std::fs::set_permissions(path(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    script(
        "peer",
        r#"echo "$@" >> "$0.calls"; echo '[{"n_prompt":8,"n_gen":0,"n_depth":0,"avg_ts":1.0},{"n_prompt":0,"n_gen":2,"n_depth":0,"avg_ts":2.5}]'"#,
    );
    script("silent", "true");
    let model = path("tiny.gguf");
    json(&run(&["synth", "--shape", "tiny", "--quant", "q4_0", "-o", text(&model), "--json"]));
    let common =
        ["bench", "--model", text(&model), "--prefill", "8", "--decode", "2", "--repeat", "2", "--threads", "1"];
    let bench = |peer: &str| {
        let (peer, svg) = (path(peer), path("plot.svg"));
        run(&[&common[..], &["--compare", text(&peer), "--svg", text(&svg), "--json"]].concat())
    };
    let value = json(&bench("peer"));
    assert_eq!(value["comparison"]["decode"][0]["tokens_per_second"], 2.5);
    let speed = value["prefill"][0]["tokens_per_second"].as_f64().unwrap();
    assert_eq!(value["comparison"]["prefill"][0]["ratio"].as_f64().unwrap(), speed);
    let calls = std::fs::read_to_string(path("peer.calls")).unwrap();
    let expected = format!("-m {} -t 1 -r 1 -o json -p 8 -n 2 -d 0", model.display());
    assert_eq!(calls.lines().collect::<Vec<_>>(), [&expected, &expected]);
    let svg = std::fs::read_to_string(path("plot.svg")).unwrap();
    assert!(svg.contains("prefill of 8, 0 before") && svg.contains("peer in grey"), "{svg}");

    let silent = bench("silent");
    assert_eq!(code(&silent), 1);
    assert!(errors(&silent).contains("silent gave no results to compare with"));
}

#[test]
fn a_synthetic_model_is_written_and_runs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("random.gguf");
    let synth = run(&["synth", "--shape", "tiny", "--quant", "q4_0", "-o", text(&file)]);
    assert_eq!(code(&synth), 0, "{}", errors(&synth));
    let report = json(&run(&["inspect", text(&file), "--json"]));
    assert_eq!((&report["why_not"], &report["contexts"][0]["fits"]), (&serde_json::Value::Null, &true.into()));
    let generate = ["generate", "-m", text(&file), "--prompt", "a", "-n", "4", "--json"];
    assert!(json(&run(&generate))["ids"].as_array().unwrap().len() <= 4);
}

#[test]
fn a_packed_model_answers_like_the_file_it_was_made_from() {
    let folder = tempfile::tempdir().unwrap();
    let (model, packed) = (folder.path().join("tiny.gguf"), folder.path().join("tiny.sotto"));
    json(&run(&["synth", "--shape", "tiny", "--quant", "q4_k_m", "-o", text(&model), "--json"]));
    let answer = |model: &Path, more: &[&str]| {
        let arguments = ["generate", "--ids", "1,2,3,4,5", "-n", "20", "--temperature", "0", "--json", "--model"];
        json(&run(&[&arguments[..], &[text(model)], more].concat()))["ids"].clone()
    };
    let expected = answer(&model, &[]);
    let cache = folder.path().join("cache");
    for _ in 0..2 {
        assert_eq!(answer(&model, &["--cache", text(&cache)]), expected);
        assert_eq!(std::fs::read_dir(&cache).unwrap().count(), 1);
    }
    assert_eq!(json(&run(&["pack", text(&model), "--delete", "--json"]))["deleted"], true);
    assert!(packed.exists() && !model.exists());
    assert_eq!(answer(&packed, &[]), expected);
    let again = run(&["pack", text(&packed), "-o", text(&model)]);
    assert_eq!(code(&again), 3, "it is packed already");
}

#[test]
fn a_model_is_packed_and_never_over_itself() {
    let folder = tempfile::tempdir().unwrap();
    let (file, packed) = (folder.path().join("model.gguf"), folder.path().join("model.sotto"));
    assert_eq!(code(&run(&["synth", "--shape", "tiny", "--quant", "q8_0", "-o", text(&file)])), 0);
    let generate =
        |model: &Path| json(&run(&["generate", "-m", text(model), "-p", "a", "-n", "8", "--json"]))["ids"].clone();
    let ids = generate(&file);
    assert_eq!(code(&run(&["pack", text(&file), "-o", text(&file), "--delete"])), 4);
    assert_eq!(code(&run(&["pack", text(&file), "-o", text(&folder.path().join("./model.gguf"))])), 4);
    assert_eq!(generate(&file), ids);
    assert_eq!(code(&run(&["pack", text(&file), "--delete"])), 0);
    assert!(!file.exists());
    assert_eq!(generate(&packed), ids);
}

#[test]
fn exit_codes_say_what_was_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let (broken, unwritten) = (folder.path().join("broken.gguf"), folder.path().join("unwritten.gguf"));
    std::fs::write(&broken, b"GGUF\x03\0\0\0").unwrap();
    let note = note("train-trip.txt");
    assert_eq!(code(&run(&["no-such-command"])), 2);
    assert_eq!(code(&run(&["summarize", text(&note), "--model", "/nowhere.gguf"])), 3);
    assert_eq!(code(&run(&["summarize", text(&note), "--model", text(&broken)])), 3);
    assert_eq!(code(&run(&["summarize", text(&note), "--model", text(folder.path())])), 3);
    assert_eq!(code(&run(&["summarize", "/nowhere.txt"])), 4);
    assert_eq!(code(&run_with_input(&["summarize", "-"], b"")), 4);
    assert_eq!(code(&run_with_input(&["summarize", "-"], b"a\0b")), 4);
    assert_eq!(code(&run_with_input(&["summarize", "-"], b"\xff\xfea\0")), 4);
    assert_eq!(code(&run_with_input(&["summarize", "-"], b"caf\xe9")), 4);
    assert_eq!(code(&run_with_input(&["chat"], b"caf\xe9\n")), 4);
    assert_eq!(code(&run(&["inspect", "--context", "1000000"])), 5);
    let vocab = ["synth", "--shape", "tiny", "--quant", "f32", "--vocab", text(&broken), "-o", text(&unwritten)];
    assert_eq!(code(&run(&vocab)), 3);
    assert!(!unwritten.exists());
    assert_eq!(code(&run(&["classify", "x", "--labels", "one"])), 4);
    let long = "word ".repeat(3_000_000);
    assert_eq!(code(&run_with_input(&["summarize", "-"], long.as_bytes())), 5);
}

#[test]
fn every_cut_of_a_model_file_is_refused() {
    let whole = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo-model/sotto-demo.gguf")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut.gguf");
    for length in [0, 1, 4, 8, 24, 100, 5_000, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&cut, &whole[..length]).unwrap();
        assert_eq!(code(&run(&["inspect", text(&cut)])), 3, "cut at {length}");
    }
}
