//! What a scanner may not: programs of util-linux take it away before they become the scanner. Which of them work here is
//! tried once; what cannot be taken away is said in the log.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

/// Address space of each process of a scanner, in octets.
const ADDRESS_OCTETS: u64 = 4 << 30;
/// Longest file a scanner writes, in octets.
const FILE_OCTETS: u64 = 512 << 20;
/// Processes of its user.
const PROCESSES: u32 = 1_024;
const TRIAL_MAX: Duration = Duration::from_secs(10);
/// Everything a scanner finds in its environment.
pub const ENVIRONMENT: [(&str, &str); 2] =
    [("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"), ("LANG", "C.UTF-8")];
/// The programs before the scanner, as they name themselves in their errors.
const WRAPPERS: [&str; 3] = ["unshare: ", "prlimit: ", "setpriv: "];

/// Words that stand before a scanner's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sandbox {
    words: Vec<String>,
}

impl Sandbox {
    /// What works here. `cpu_s`: seconds of processor time of each process.
    pub async fn tried(engine: &str, cpu_s: u64) -> Sandbox {
        // The second one is the first process of its own, which no signal ends that it does not want: the scanner is another.
        let own = ["--net", "--ipc", "--pid", "--fork", "--kill-child", "unshare", "--fork"];
        let limits =
            format!("prlimit --as={ADDRESS_OCTETS} --cpu={cpu_s} --fsize={FILE_OCTETS} --nproc={PROCESSES} --core=0");
        let stages = [
            (
                "no network and no processes of its own",
                vec![format!("unshare {}", own.join(" ")), format!("unshare --map-current-user {}", own.join(" "))],
            ),
            ("limits of memory, processor and files", vec![limits]),
            (
                "no new privileges",
                vec![
                    "setpriv --no-new-privs --inh-caps=-all --bounding-set=-all".to_owned(),
                    "setpriv --no-new-privs".to_owned(),
                ],
            ),
        ];
        let mut sandbox = Sandbox::default();
        for (what, candidates) in stages {
            let before = sandbox.words.len();
            for candidate in candidates {
                let mut words = sandbox.words.clone();
                words.extend(candidate.split(' ').map(str::to_owned));
                let tried = Sandbox { words };
                if tried.works().await {
                    sandbox = tried;
                    break;
                }
            }
            if sandbox.words.len() == before {
                tracing::warn!(engine, "this machine cannot give the scanner {what}: it runs without");
            }
        }
        sandbox
    }

    async fn works(&self) -> bool {
        let mut command = self.command(&["true".to_owned()]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let Ok(mut child) = command.spawn() else { return false };
        let ended = tokio::time::timeout(TRIAL_MAX, child.wait()).await;
        ended.is_ok_and(|status| status.is_ok_and(|status| status.success()))
    }

    /// The command for `argv`, which is not empty: its own process group, nothing of our environment or folder.
    pub fn command(&self, argv: &[String]) -> Command {
        let mut words = self.words.iter().chain(argv);
        let mut command = Command::new(words.next().map(String::as_str).unwrap_or_default());
        command.args(words).env_clear().envs(ENVIRONMENT).current_dir("/").process_group(0).kill_on_drop(true);
        command
    }
}

/// Did the sandbox fail, and not the scanner? Its exit code is none of the scanner's then.
pub fn failed(stderr: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(stderr);
    let line = text.lines().find(|line| WRAPPERS.iter().any(|wrapper| line.starts_with(wrapper)))?;
    Some(line.chars().take(200).collect())
}
