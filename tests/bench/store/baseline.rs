//! What maildir does, for the ratio: a file for each copy, flushed, renamed, its folder flushed. As durable as the store.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::load::{PEOPLE, Random, text};

pub struct Baseline {
    folder: PathBuf,
    pub copies: AtomicU64,
}

impl Baseline {
    /// A folder for each of the people.
    pub fn new(folder: &Path) -> Baseline {
        (0..PEOPLE).for_each(|n| std::fs::create_dir_all(folder.join(n.to_string())).expect("a folder"));
        Baseline { folder: folder.to_owned(), copies: AtomicU64::new(0) }
    }

    pub fn deliver(&self, producer: u64, random: &mut Random) -> usize {
        let size = random.size();
        for _ in 0..random.recipients() {
            let mailbox = self.folder.join((random.next() % PEOPLE).to_string());
            let (new, done) = (mailbox.join(format!("tmp{producer}")), mailbox.join(random.next().to_string()));
            let mut file = File::create(&new).expect("a file");
            file.write_all(text(size)).and_then(|()| file.sync_data()).expect("a body");
            std::fs::rename(new, done).expect("a rename");
            File::open(&mailbox).and_then(|folder| folder.sync_all()).expect("a flush");
            self.copies.fetch_add(1, Ordering::Relaxed);
        }
        size
    }
}
