//! A folder that files are written into or read from, held open: every name is looked up in it and never through a link, so
//! that nothing outside of it is written or read whatever lies in it.

use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, RenameFlags, Timespec, Timestamps};

use super::OperateError;

const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC).union(OFlags::RDONLY);
/// Nobody else reads mail.
const PRIVATE_FOLDER: Mode = Mode::RWXU;
const PRIVATE_FILE: Mode = Mode::RUSR.union(Mode::WUSR);

#[derive(Debug)]
pub struct Folder {
    fd: OwnedFd,
    path: PathBuf,
}

/// What a name in a folder is.
#[derive(Debug)]
pub enum Opened {
    File(File),
    /// A link, a pipe, a device, a folder.
    NotAFile,
    /// It went meanwhile.
    Gone,
}

impl Folder {
    /// A folder that is there. `path` itself may be a link: whoever asked chose it.
    pub fn open(path: &Path) -> Result<Folder, OperateError> {
        let flags = FOLDER.difference(OFlags::NOFOLLOW);
        let fd = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| OperateError::file(path, error))?;
        Ok(Folder { fd, path: path.to_owned() })
    }

    /// The empty folder `path`, made when there is none.
    pub fn fresh(path: &Path) -> Result<Folder, OperateError> {
        match rustix::fs::mkdir(path, PRIVATE_FOLDER) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(OperateError::file(path, error)),
        }
        let folder = Folder::open(path)?;
        if folder.names()?.is_empty() { Ok(folder) } else { Err(OperateError::NotEmpty { path: path.to_owned() }) }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A new folder in this one.
    pub fn make(&self, name: &str) -> Result<Folder, OperateError> {
        let path = self.path.join(name);
        rustix::fs::mkdirat(&self.fd, name, PRIVATE_FOLDER).map_err(|error| OperateError::file(&path, error))?;
        self.folder(OsStr::new(name))?.ok_or_else(|| OperateError::file(&path, "gone"))
    }

    /// A folder in this one; `None` when the name is nothing or something else, a link to a folder for instance.
    pub fn folder(&self, name: &OsStr) -> Result<Option<Folder>, OperateError> {
        use rustix::io::Errno;
        let path = self.path.join(name);
        match rustix::fs::openat(&self.fd, name, FOLDER, Mode::empty()) {
            Ok(fd) => Ok(Some(Folder { fd, path })),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
            Err(error) => Err(OperateError::file(&path, error)),
        }
    }

    /// A new file in this one, for writing.
    pub fn create(&self, name: &str) -> Result<File, OperateError> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let created = rustix::fs::openat(&self.fd, name, flags, PRIVATE_FILE);
        created.map(File::from).map_err(|error| OperateError::file(&self.path.join(name), error))
    }

    /// A file in this one, for reading. Opening never waits, as it would for a pipe nobody writes into.
    pub fn read(&self, name: &OsStr) -> Result<Opened, OperateError> {
        use rustix::io::Errno;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let path = self.path.join(name);
        let file = match rustix::fs::openat(&self.fd, name, flags, Mode::empty()) {
            Ok(fd) => File::from(fd),
            Err(Errno::NOENT) => return Ok(Opened::Gone),
            // A link; a socket or a device without driver.
            Err(Errno::LOOP | Errno::NXIO | Errno::NODEV) => return Ok(Opened::NotAFile),
            Err(error) => return Err(OperateError::file(&path, error)),
        };
        let is_file = file.metadata().map_err(|error| OperateError::file(&path, error))?.is_file();
        Ok(if is_file { Opened::File(file) } else { Opened::NotAFile })
    }

    /// Moves a file, never over another one where the file system can tell.
    pub fn rename_into(&self, name: &str, to: &Folder, new_name: &str) -> Result<(), OperateError> {
        use rustix::io::Errno;
        let moved = match rustix::fs::renameat_with(&self.fd, name, &to.fd, new_name, RenameFlags::NOREPLACE) {
            // NFS and some others cannot.
            Err(Errno::INVAL | Errno::NOSYS) => rustix::fs::renameat(&self.fd, name, &to.fd, new_name),
            moved => moved,
        };
        moved.map_err(|error| OperateError::file(&to.path.join(new_name), error))
    }

    pub fn remove(&self, name: &str) -> Result<(), OperateError> {
        rustix::fs::unlinkat(&self.fd, name, AtFlags::empty())
            .map_err(|error| OperateError::file(&self.path.join(name), error))
    }

    /// Everything written into the file system of this folder is on the device when this returns: one flush for many files.
    pub fn flush(&self) -> Result<(), OperateError> {
        rustix::fs::syncfs(&self.fd).map_err(|error| OperateError::file(&self.path, error))
    }

    /// All names but `.` and `..`, in no order.
    pub fn names(&self) -> Result<Vec<OsString>, OperateError> {
        let bad = |error: io::Error| OperateError::file(&self.path, error);
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.fd).map_err(|error| bad(error.into()))? {
            let entry = entry.map_err(|error| bad(error.into()))?;
            let name: CString = entry.file_name().to_owned();
            if !matches!(name.as_bytes(), b"." | b"..") {
                names.push(OsString::from_vec(name.into_bytes()));
            }
        }
        Ok(names)
    }

    /// Is it a folder itself, not a link to one?
    pub fn has_folder(&self, name: &str) -> bool {
        let stat = rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW);
        stat.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
    }
}

/// Sets when a file was last changed, in seconds since 1970: what a Maildir keeps INTERNALDATE in.
pub fn set_time(file: &File, seconds: i64) -> io::Result<()> {
    let time = Timespec { tv_sec: seconds, tv_nsec: 0 };
    Ok(rustix::fs::futimens(file, &Timestamps { last_access: time, last_modification: time })?)
}

/// A name for people.
pub fn shown(folder: &Folder, name: &OsStr) -> String {
    folder.path().join(OsStr::from_bytes(name.as_bytes())).display().to_string()
}
