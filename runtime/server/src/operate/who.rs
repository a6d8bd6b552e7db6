//! Who asks, as the kernel says.

use std::fmt;

/// The process that asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Who {
    pub uid: u32,
    /// Absent where the kernel does not say.
    pub pid: Option<i32>,
}

impl Who {
    /// This process.
    pub fn this_process() -> Who {
        let pid = i32::try_from(std::process::id()).ok();
        Who { uid: rustix::process::geteuid().as_raw(), pid }
    }

    /// May they operate a server that runs as `owner`?
    pub fn may_operate(&self, owner: u32) -> bool {
        self.uid == 0 || self.uid == owner
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Some(pid) => write!(f, "uid {}, process {pid}", self.uid),
            None => write!(f, "uid {}", self.uid),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_and_the_owner_may_operate_and_nobody_else() {
        let may = |uid: u32, owner: u32| Who { uid, pid: None }.may_operate(owner);
        assert!(may(0, 990) && may(990, 990) && may(0, 0));
        assert!(!may(991, 990) && !may(65_534, 0));
    }
}
