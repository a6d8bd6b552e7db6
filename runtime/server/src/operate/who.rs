//! Who asks: a process on this machine, as the kernel says, a person who is signed in to the portal, or an operator on the control
//! channel.

use std::fmt;
use std::net::IpAddr;

use mail::Login;

use crate::remote::OperatorRole;

/// Who asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// On the control socket, or the command itself. Whoever may reach it may do everything.
    Process {
        uid: u32,
        /// Absent where the kernel does not say.
        pid: Option<i32>,
    },
    /// What they may do, their roles say.
    Person { login: Login, from: IpAddr },
    /// On the control channel of another machine, by a key that is enrolled. What they may do, the role says.
    Operator { name: String, role: OperatorRole, from: IpAddr },
}

impl Who {
    /// This process.
    pub fn this_process() -> Who {
        let pid = i32::try_from(std::process::id()).ok();
        Who::Process { uid: rustix::process::geteuid().as_raw(), pid }
    }

    /// May they speak to a server that runs as `owner` on its control socket or channel?
    pub fn may_operate(&self, owner: u32) -> bool {
        match self {
            Who::Process { uid, .. } => *uid == 0 || *uid == owner,
            Who::Operator { .. } => true,
            Who::Person { .. } => false,
        }
    }

    /// Who is signed in.
    pub fn login(&self) -> Option<&Login> {
        match self {
            Who::Process { .. } | Who::Operator { .. } => None,
            Who::Person { login, .. } => Some(login),
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Who::Process { uid, pid: Some(pid) } => write!(f, "uid {uid}, process {pid}"),
            Who::Process { uid, pid: None } => write!(f, "uid {uid}"),
            Who::Person { login, from } => write!(f, "{login} from {from}"),
            Who::Operator { name, role, from } => write!(f, "{role} {name} from {from}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_and_the_owner_may_operate_and_nobody_else() {
        let may = |uid: u32, owner: u32| Who::Process { uid, pid: None }.may_operate(owner);
        assert!(may(0, 990) && may(990, 990) && may(0, 0));
        assert!(!may(991, 990) && !may(65_534, 0));
        let person = Who::Person { login: Login::new("root").unwrap(), from: IpAddr::from([127, 0, 0, 1]) };
        assert!(!person.may_operate(0));
        let from = IpAddr::from([192, 0, 2, 1]);
        let operator = Who::Operator { name: "anne".into(), role: OperatorRole::Manager, from };
        assert_eq!((operator.may_operate(0), operator.login()), (true, None));
        assert_eq!(operator.to_string(), "manager anne from 192.0.2.1");
    }
}
