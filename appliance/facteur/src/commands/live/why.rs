//! `facteur why`: the story of a message.

use clap::Args;
use server::operate::{Story, StoryLine, Why};

use super::queue::time;
use super::{Place, ask, say_json};
use crate::Exit;
use crate::cli::Format;

/// Tells what is known of a message: decisions on it, mailboxes it is in, where it waits, who did not get it and why. ID is
/// a queue id, as replies and the log name it, or a Message-ID. Ends with 4 when nothing is known.
///
/// `facteur explain RULE` shows where the policy says so.
#[derive(Args)]
#[command(about = "Tell the story of a message", verbatim_doc_comment)]
pub struct WhyArgs {
    /// A queue id or a Message-ID
    id: String,
    #[command(flatten)]
    place: Place,
}

pub fn run(args: &WhyArgs) -> Exit {
    let story = match ask(&args.place, "why", Why { id: args.id.clone() }) {
        Ok(story) => story,
        Err(exit) => return exit,
    };
    match args.place.format {
        Format::Human => say_story(&story),
        Format::Json => story.lines.iter().for_each(|line| say_json("story", line)),
    }
    if story.lines.is_empty() {
        return Exit::DifferencesFound;
    }
    Exit::Fine
}

fn say_story(story: &Story) {
    if story.lines.is_empty() {
        say!("nothing is known of it");
    }
    let mut of = "";
    for StoryLine { at_s, queue_id, source, what, rule, plan } in &story.lines {
        if of != queue_id {
            say!("{queue_id}");
            of = queue_id;
        }
        let rule = if rule.is_empty() { String::new() } else { format!("  [{rule}, plan {plan}]") };
        say!("  {}  {source:<10}  {what}{rule}", time(*at_s));
    }
}
