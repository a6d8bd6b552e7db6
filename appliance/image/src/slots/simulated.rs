//! A machine in memory that forgets, at a power cut, what was not flushed: all of it, none of it, or parts of it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io;

use super::Machine;

#[derive(Clone)]
pub(crate) struct Simulated {
    /// What is read: durable or not.
    pub disk: Vec<u8>,
    pub files: BTreeMap<String, Vec<u8>>,
    durable_disk: Vec<u8>,
    durable_files: BTreeMap<String, Vec<u8>>,
    pending: Vec<(usize, Vec<u8>)>,
    pending_files: Vec<Change>,
    /// Changes and flushes until the power goes; never when `None`.
    pub cut_after: Option<usize>,
    pub changes: usize,
    /// This octet of the disk does not keep what is written to it.
    pub worn_octet: Option<usize>,
    /// Octets for kernel images, used and free.
    pub files_octets_max: u64,
    reads: Cell<usize>,
}

#[derive(Clone)]
enum Change {
    Create(String),
    Append(String, Vec<u8>),
    Rename(String, String),
    Remove(String),
}

impl Simulated {
    pub fn new(octets: usize) -> Simulated {
        Simulated {
            disk: vec![0; octets],
            files: BTreeMap::new(),
            durable_disk: vec![0; octets],
            durable_files: BTreeMap::new(),
            pending: Vec::new(),
            pending_files: Vec::new(),
            cut_after: None,
            changes: 0,
            worn_octet: None,
            files_octets_max: u64::MAX,
            reads: Cell::new(0),
        }
    }

    /// Everything as it is becomes durable.
    pub fn keep(&mut self) {
        (self.durable_disk, self.durable_files) = (self.disk.clone(), self.files.clone());
        (self.pending, self.pending_files) = (Vec::new(), Vec::new());
    }

    /// What may be there after a power cut now.
    pub fn after_a_cut(&self) -> Vec<Simulated> {
        let (writes, changes) = (self.pending.len(), self.pending_files.len());
        let subsets: [&dyn Fn(usize, usize) -> bool; 5] =
            [&|_, _| false, &|_, _| true, &|index, _| index % 2 == 0, &|index, _| index % 2 == 1, &|index, count| {
                index + 1 < count
            }];
        let mut all = Vec::new();
        for kept in subsets {
            let mut machine = Simulated::new(0);
            (machine.disk, machine.files) = (self.durable_disk.clone(), self.durable_files.clone());
            let kept_writes = self.pending.iter().enumerate().filter(|(index, _)| kept(*index, writes));
            kept_writes.for_each(|(_, (at, octets))| machine.disk[*at..at + octets.len()].copy_from_slice(octets));
            let kept_changes = self.pending_files.iter().enumerate().filter(|(index, _)| kept(*index, changes));
            kept_changes.for_each(|(_, change)| machine.change(change));
            all.push(machine.clone());
            // The last write may be torn at a sector.
            if let Some((at, octets)) = self.pending.last() {
                let half = (octets.len() / 2).next_multiple_of(512).min(octets.len());
                machine.disk[*at..at + half].copy_from_slice(&octets[..half]);
                all.push(machine);
            }
        }
        all.iter_mut().for_each(Simulated::keep);
        all
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::Create(name) => {
                self.files.entry(name.clone()).or_default();
            }
            Change::Append(name, octets) => self.files.entry(name.clone()).or_default().extend_from_slice(octets),
            Change::Rename(from, to) => {
                if let Some(content) = self.files.remove(from) {
                    self.files.insert(to.clone(), content);
                }
            }
            Change::Remove(name) => {
                self.files.remove(name);
            }
        }
    }

    fn is_there(&self, name: &str) -> io::Result<()> {
        if self.files.contains_key(name) { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn count(&mut self) -> io::Result<()> {
        self.changes += 1;
        match self.cut_after {
            Some(after) if self.changes > after => Err(io::Error::other("the power is cut")),
            _ => Ok(()),
        }
    }

    fn do_change(&mut self, change: Change) -> io::Result<()> {
        self.count()?;
        self.change(&change);
        self.pending_files.push(change);
        Ok(())
    }
}

impl Machine for Simulated {
    fn disk_octets(&self) -> io::Result<u64> {
        Ok(self.disk.len() as u64)
    }

    fn read(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        self.reads.set(self.reads.get() + 1);
        let at = at as usize;
        let octets = self.disk.get(at..at + into.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        into.copy_from_slice(octets);
        Ok(())
    }

    fn write(&mut self, at: u64, octets: &[u8]) -> io::Result<()> {
        self.count()?;
        let at = at as usize;
        self.disk.get_mut(at..at + octets.len()).ok_or(io::ErrorKind::StorageFull)?.copy_from_slice(octets);
        if let Some(worn) = self.worn_octet.filter(|worn| (at..at + octets.len()).contains(worn)) {
            self.disk[worn] ^= 0xff;
        }
        self.pending.push((at, octets.to_vec()));
        Ok(())
    }

    fn settle(&mut self) -> io::Result<()> {
        self.count()?;
        (self.durable_disk, self.pending) = (self.disk.clone(), Vec::new());
        Ok(())
    }

    fn files(&self) -> io::Result<Vec<String>> {
        Ok(self.files.keys().cloned().collect())
    }

    fn files_room(&self) -> io::Result<u64> {
        let used: usize = self.files.values().map(Vec::len).sum();
        Ok(self.files_octets_max.saturating_sub(used as u64))
    }

    fn file_octets(&self, name: &str) -> io::Result<u64> {
        self.files.get(name).map(|content| content.len() as u64).ok_or(io::ErrorKind::NotFound.into())
    }

    fn read_file(&self, name: &str) -> io::Result<Vec<u8>> {
        self.files.get(name).cloned().ok_or(io::ErrorKind::NotFound.into())
    }

    fn create_file(&mut self, name: &str) -> io::Result<()> {
        self.do_change(Change::Create(name.to_owned()))
    }

    fn append_file(&mut self, name: &str, octets: &[u8]) -> io::Result<()> {
        self.is_there(name)?;
        self.do_change(Change::Append(name.to_owned(), octets.to_vec()))
    }

    fn rename_file(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.is_there(from)?;
        self.do_change(Change::Rename(from.to_owned(), to.to_owned()))
    }

    fn remove_file(&mut self, name: &str) -> io::Result<()> {
        self.is_there(name)?;
        self.do_change(Change::Remove(name.to_owned()))
    }

    fn settle_files(&mut self) -> io::Result<()> {
        self.count()?;
        (self.durable_files, self.pending_files) = (self.files.clone(), Vec::new());
        Ok(())
    }
}
