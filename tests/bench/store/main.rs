//! Measures the mail store as a whole process: `cargo bench -p tests --bench store -- COMMAND`. `tests/bench/README.md` says
//! what each command answers. It prints figures and ratios and judges none of them.

mod arguments;
mod baseline;
mod folder;
mod load;
mod mailbox;
mod many;
mod measure;
mod memory;
mod peer;
mod produce;
mod reopen;
mod snapshot;
mod table;
mod workload;

use arguments::Arguments;

const USAGE: &str = "cargo bench -p tests --bench store -- COMMAND
  workload [--seconds 10] [--rounds 3] [--producers 1,8,64] [--side store|files]
           [--wal MIB]                                        deliveries beside one file per message
  mailbox  [--messages 400000] [--rounds 5]                   one large mailbox
  many     [--messages 20000000] [--seconds 10] [--rounds 3]  a large store beside an empty one
  reopen   [--messages 1000000] [--rounds 3]                  kill -9 under load, then open
  memory   [--connections 100] [--megabytes 20]               long messages that stream in at once
  snapshot [--gigabytes 5] [--seconds 5] [--rounds 10]        nights, latency meanwhile, restore, purge
  peer     [OPTIONS of tests/bench/ingest]                    this server beside another one
Each takes --folder PATH, the scratch folder (default: one in the temp folder); it is emptied first and removed last.";

fn main() {
    // Cargo adds `--bench` to what it is given.
    let mut words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let command = if words.is_empty() { String::new() } else { words.remove(0) };
    if command == "peer" {
        return peer::run(&words);
    }
    let run: fn(&Arguments) = match command.as_str() {
        "workload" => workload::run,
        "mailbox" => mailbox::run,
        "many" => many::run,
        "reopen" => reopen::run,
        "memory" => memory::run,
        "snapshot" => snapshot::run,
        // What `reopen` starts and kills.
        "load" => reopen::load,
        _ => return println!("{USAGE}"),
    };
    match Arguments::parse(&words) {
        Some(arguments) => run(&arguments),
        None => println!("{USAGE}"),
    }
}
