//! `facteur explain`: why something was refused, what a message would meet, who somebody is, what a code, a section or a
//! default means.

use std::path::{Path, PathBuf};

use clap::Args;
use plan::{Plan, SourceMap};
use policy::codes::Code;
use policy::compile::{Compiled, Loader};
use policy::defaults;
use policy::explain::{self, Explanation, Subject, Would};
use policy::model::literal::Size;

use super::live::DATA;
use super::replay::Key;
use super::{compiled, exit_of, live, past, today};
use crate::Exit;
use crate::cli::Format;
use crate::files::Disk;

#[derive(Args)]
pub struct ExplainArgs {
    /// A pasted reply, a rule, a reason word, a code such as E0501, or a section such as may_send
    pub what: Option<String>,
    /// The policy it is about
    #[arg(long, value_name = "POLICY", default_value = ".")]
    pub policy: PathBuf,
    /// A plan instead of a policy; NAME.map.ron beside NAME.plan.ron has the lines
    #[arg(long, value_name = "PLAN", conflicts_with = "policy")]
    pub plan: Option<PathBuf>,
    /// What would happen to a message sent through --block
    #[arg(long, requires = "block", conflicts_with_all = ["what", "who", "defaults"])]
    pub would: bool,
    /// A block of may_send
    #[arg(long, requires = "would")]
    pub block: Option<String>,
    #[arg(long, requires = "would")]
    pub login: Option<String>,
    /// How many recipients
    #[arg(long, value_name = "N", default_value_t = 1, requires = "would")]
    pub to: u32,
    /// The size of the message, for example "3 MB"
    #[arg(long, requires = "would", value_parser = size)]
    pub size: Option<Size>,
    /// Who has this name, login or address
    #[arg(long, value_name = "NAME", conflicts_with_all = ["what", "defaults"])]
    pub who: Option<String>,
    /// What holds for the sections the policy does not write
    #[arg(long, conflicts_with = "what")]
    pub defaults: bool,
    /// Where plans that ran are kept: a pasted reply is explained by the one that decided. With `--who` its directory is asked
    #[command(flatten)]
    pub kept: Key,
    #[arg(long, value_enum, default_value = "human")]
    pub format: Format,
}

fn size(text: &str) -> Result<Size, String> {
    Size::of(text).ok_or_else(|| "a size is written \"3 MB\"".to_owned())
}

/// What explanations are made of.
enum Ground {
    Policy(Box<Compiled>),
    Plan(Box<Plan>, SourceMap),
}

impl Ground {
    fn subject(&self) -> Option<Subject<'_>> {
        match self {
            Ground::Policy(compiled) => {
                let sealed = compiled.plan.as_ref().or(compiled.plan_unproved.as_ref())?;
                Some(Subject { plan: &sealed.plan, map: &sealed.map })
            }
            Ground::Plan(plan, map) => Some(Subject { plan, map }),
        }
    }
}

pub fn run(args: &ExplainArgs) -> Exit {
    match answer(args) {
        Ok(explanations) if explanations.is_empty() => {
            eprintln!("facteur explain: nothing found");
            Exit::DifferencesFound
        }
        Ok(explanations) => {
            for (index, one) in explanations.iter().enumerate() {
                match args.format {
                    Format::Human if index > 0 => say!("\n{}", one.human()),
                    Format::Human => say!("{}", one.human()),
                    Format::Json => say!("{}", one.json()),
                }
            }
            Exit::Fine
        }
        Err(exit) => exit,
    }
}

fn answer(args: &ExplainArgs) -> Result<Vec<Explanation>, Exit> {
    if let Some(what) = &args.what {
        if let Ok(code) = what.trim().parse::<Code>() {
            return Ok(vec![explain::code(code)]);
        }
        if is_code(what.trim()) {
            return Ok(Vec::new());
        }
        if let Some(section) = section(args, what.trim())? {
            return Ok(vec![section]);
        }
    }
    if let (Some(who), true) = (&args.who, args.kept.data.is_some() || args.kept.site.is_some()) {
        return live::people::who(args.kept.data.as_deref(), args.kept.site.as_deref(), who);
    }
    let past = past(args)?;
    let ground = match &past {
        Some(path) => of_plan(path)?,
        None => ground(args)?,
    };
    let Some(subject) = ground.subject() else {
        eprintln!("facteur explain: {} has errors; `facteur check` lists them", args.policy.display());
        return Err(match &ground {
            Ground::Policy(compiled) => exit_of(compiled),
            Ground::Plan(..) => Exit::Trouble,
        });
    };
    if args.defaults {
        return defaults_of(&ground);
    }
    if let Some(who) = &args.who {
        return person(&ground, subject, who);
    }
    if args.would {
        return would(args, &ground, subject);
    }
    let Some(what) = &args.what else {
        eprintln!("facteur explain: paste a reply, or name a code, a section or a rule; --would, --who, --defaults");
        return Err(Exit::Trouble);
    };
    let Some(pasted) = explain::pasted(what) else { return Ok(Vec::new()) };
    let found = explain::reply(subject, &pasted);
    Ok(match found {
        None if past.is_some() => at_hand(args, &pasted)?,
        found => found,
    }
    .into_iter()
    .collect())
}

/// A plan that was kept without its map names no line: what is at hand answers, and says so where it is another plan.
fn at_hand(args: &ExplainArgs, pasted: &explain::Pasted) -> Result<Option<Explanation>, Exit> {
    if args.plan.is_none() && !Path::new(&crate::files::policy_files(&args.policy).policy).exists() {
        return Ok(None);
    }
    let ground = ground(args)?;
    Ok(ground.subject().and_then(|subject| explain::reply(subject, pasted)))
}

/// `E9999`: the shape of a code that is none.
fn is_code(text: &str) -> bool {
    let digits = text.strip_prefix(['E', 'L']);
    digits.is_some_and(|digits| digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// A section, with where it is written when a policy is at hand.
fn section(args: &ExplainArgs, name: &str) -> Result<Option<Explanation>, Exit> {
    if explain::section(name, None).is_none() {
        return Ok(None);
    }
    let policy = crate::files::policy_files(&args.policy).policy;
    if args.plan.is_some() || !Path::new(&policy).exists() {
        return Ok(explain::section(name, None));
    }
    let compiled = compiled(&args.policy)?;
    Ok(explain::section(name, compiled.plan_unproved.as_ref().map(|sealed| (sealed, &compiled.sources))))
}

fn ground(args: &ExplainArgs) -> Result<Ground, Exit> {
    match &args.plan {
        Some(path) => of_plan(path),
        None => Ok(Ground::Policy(Box::new(compiled(&args.policy)?))),
    }
}

/// The kept plan that decided what was pasted. Without one the plan at hand answers, and says that it is another.
fn past(args: &ExplainArgs) -> Result<Option<PathBuf>, Exit> {
    let trouble = |why: String| {
        eprintln!("facteur explain: {why}");
        Exit::Trouble
    };
    let data = match args.kept.data().map_err(trouble)? {
        Some(data) => data,
        None if args.plan.is_none() => PathBuf::from(DATA),
        None => return Ok(None),
    };
    let decided = args.what.as_deref().and_then(explain::pasted).and_then(|pasted| pasted.plan);
    Ok(decided.and_then(|hash| past::find(&data, &hash)))
}

fn of_plan(path: &Path) -> Result<Ground, Exit> {
    let name = path.to_string_lossy().into_owned();
    let trouble = |name: &str, why: String| {
        eprintln!("facteur: {name}: {why}");
        Exit::Trouble
    };
    let text = Disk.load(&name).map_err(|error| trouble(&name, error.to_string()))?;
    let (plan, hash) = plan::read(&text).map_err(|error| trouble(&name, error.to_string()))?;
    let map_name = format!("{}.map.ron", name.trim_end_matches(".ron").trim_end_matches(".plan"));
    let map: SourceMap = match Disk.load(&map_name) {
        Ok(text) => ron::from_str(&text).map_err(|error| trouble(&map_name, error.to_string()))?,
        Err(_) => SourceMap { plan: hash.short(), ..SourceMap::default() },
    };
    Ok(Ground::Plan(Box::new(plan), map))
}

fn defaults_of(ground: &Ground) -> Result<Vec<Explanation>, Exit> {
    let Ground::Policy(compiled) = ground else {
        eprintln!("facteur explain: a plan has no defaults left; name the policy");
        return Err(Exit::Trouble);
    };
    let Some(sealed) = compiled.plan.as_ref().or(compiled.plan_unproved.as_ref()) else { return Ok(Vec::new()) };
    let written = |section: &str| compiled.written.iter().any(|name| name == section);
    let explanations = explain::default_sections(sealed, written);
    if explanations.is_empty() {
        say!("every section is written; nothing of `{}` holds", defaults::FILE_NAME);
        return Err(Exit::Fine);
    }
    Ok(explanations)
}

fn person(ground: &Ground, subject: Subject<'_>, who: &str) -> Result<Vec<Explanation>, Exit> {
    match ground {
        Ground::Policy(compiled) => match &compiled.people {
            Some(people) => Ok(explain::who(subject.plan, people, who)),
            None => {
                eprintln!("facteur explain: there is no sound people.ron beside the policy");
                Err(Exit::Trouble)
            }
        },
        Ground::Plan(..) => {
            eprintln!("facteur explain: people are beside a policy, not in a plan");
            Err(Exit::Trouble)
        }
    }
}

fn would(args: &ExplainArgs, ground: &Ground, subject: Subject<'_>) -> Result<Vec<Explanation>, Exit> {
    let today = today();
    let question = Would {
        block: args.block.as_deref().unwrap_or_default(),
        login: args.login.as_deref(),
        recipients: args.to,
        size_octets: args.size.map(|size| size.0),
        today: &today.0,
    };
    let people = match ground {
        Ground::Policy(compiled) => compiled.people.as_ref(),
        Ground::Plan(..) => None,
    };
    explain::would(subject, people, &question).map(|one| vec![one]).map_err(|error| {
        eprintln!("facteur explain: {error}");
        Exit::Trouble
    })
}
