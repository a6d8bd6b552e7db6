//! Archives of the form `newc` (Linux, `Documentation/driver-api/early-userspace/buffer-format.rst`): what an initrd is.

use crate::fault::{Fault, Result};

const HEADER_OCTETS: usize = 110;
const TRAILER: &str = "TRAILER!!!";

/// One entry; the fields of the header in their order without magic, sizes and check.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry<'a> {
    fields: [u32; 13],
    name: &'a str,
    contents: &'a [u8],
}

const INODE: usize = 0;
const UID: usize = 2;
const GID: usize = 3;
const LINKS: usize = 4;
const MTIME: usize = 5;
const SIZE: usize = 6;
const NAME_SIZE: usize = 11;

/// The archive with those entries only whose path is kept, owned by root, dated `epoch`, sorted by path: the same files are
/// then the same octets. Hard links stay together because they keep the numbers they share.
pub fn rewritten(archive: &[u8], epoch: u64, keep: impl Fn(&str) -> bool) -> Result<Vec<u8>> {
    let mut entries = read(archive)?;
    // The others of its names would be left without contents.
    if let Some(entry) = entries.iter().find(|it| !keep(it.name) && it.fields[LINKS] > 1 && !is_folder(it)) {
        return Err(Fault(format!("{} of the initrd has other names", entry.name)));
    }
    entries.retain(|entry| keep(entry.name));
    // Of several names of one file the last carries the contents, and the sort is stable.
    let all_single = entries.iter().all(|entry| entry.fields[LINKS] < 2 || is_folder(entry));
    if all_single {
        entries.sort_by(|a, b| a.name.cmp(b.name));
    }
    let mut numbers = std::collections::HashMap::new();
    let mut out = Vec::with_capacity(archive.len());
    for entry in &entries {
        let next = numbers.len() as u32 + 1;
        let key =
            if entry.fields[LINKS] > 1 && !is_folder(entry) { (entry.fields[INODE], "") } else { (0, entry.name) };
        let mut fields = entry.fields;
        fields[INODE] = *numbers.entry(key).or_insert(next);
        (fields[UID], fields[GID]) = (0, 0);
        fields[MTIME] = u32::try_from(epoch).unwrap_or(u32::MAX);
        write(&mut out, &fields, entry.name, entry.contents);
    }
    let mut fields = [0; 13];
    fields[LINKS] = 1;
    write(&mut out, &fields, TRAILER, &[]);
    Ok(out)
}

fn is_folder(entry: &Entry<'_>) -> bool {
    const KIND: u32 = 0o170_000;
    entry.fields[1] & KIND == 0o040_000
}

fn read(archive: &[u8]) -> Result<Vec<Entry<'_>>> {
    let mut entries = Vec::new();
    let mut at = 0;
    loop {
        let broken = || Fault(format!("the initrd is no cpio archive at octet {at}"));
        let header = archive.get(at..at + HEADER_OCTETS).ok_or_else(broken)?;
        let digits = header.strip_prefix(b"070701").ok_or_else(broken)?;
        let mut fields = [0; 13];
        for (field, digits) in fields.iter_mut().zip(digits.chunks(8)) {
            let digits = std::str::from_utf8(digits).map_err(|_| broken())?;
            *field = u32::from_str_radix(digits, 16).map_err(|_| broken())?;
        }
        let name_end = at + HEADER_OCTETS + fields[NAME_SIZE] as usize;
        let name =
            archive.get(at + HEADER_OCTETS..name_end).and_then(|name| name.strip_suffix(b"\0")).ok_or_else(broken)?;
        let name = std::str::from_utf8(name).map_err(|_| broken())?;
        if name == TRAILER {
            return Ok(entries);
        }
        let begin = name_end.next_multiple_of(4);
        let end = begin + fields[SIZE] as usize;
        let contents = archive.get(begin..end).ok_or_else(broken)?;
        entries.push(Entry { fields, name, contents });
        at = end.next_multiple_of(4);
    }
}

fn write(out: &mut Vec<u8>, fields: &[u32; 13], name: &str, contents: &[u8]) {
    let mut fields = *fields;
    fields[SIZE] = contents.len() as u32;
    fields[NAME_SIZE] = name.len() as u32 + 1;
    out.extend_from_slice(b"070701");
    for field in fields {
        out.extend_from_slice(format!("{field:08X}").as_bytes());
    }
    out.extend_from_slice(name.as_bytes());
    out.push(0);
    out.resize(out.len().next_multiple_of(4), 0);
    out.extend_from_slice(contents);
    out.resize(out.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::Tool;

    fn archive(names: &[&str], inode: u32, mtime: u32) -> Vec<u8> {
        let mut out = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let mut fields = [0; 13];
            fields[..6].copy_from_slice(&[inode + index as u32, 0o100_644, 1000, 1000, 1, mtime]);
            write(&mut out, &fields, name, name.as_bytes());
        }
        write(&mut out, &[0; 13], TRAILER, &[]);
        out
    }

    #[test]
    fn order_owner_date_and_numbers_do_not_show() {
        let one = rewritten(&archive(&["b", "usr/a"], 77, 5), 9, |_| true).expect("an archive");
        let two = rewritten(&archive(&["usr/a", "b"], 12, 6), 9, |_| true).expect("an archive");
        assert_eq!(one, two);
        let read = read(&one).expect("what was written");
        assert_eq!(
            read.iter().map(|it| (it.name, it.contents)).collect::<Vec<_>>(),
            [("b", &b"b"[..]), ("usr/a", b"usr/a")]
        );
        assert_eq!((read[0].fields[UID], read[0].fields[MTIME], read[0].fields[INODE]), (0, 9, 1));
    }

    #[test]
    fn what_is_not_kept_is_gone() {
        let all = archive(&["usr/bin/sh", "usr/bin/mount"], 1, 1);
        let kept = rewritten(&all, 0, |path| !path.ends_with("/sh")).expect("an archive");
        assert_eq!(read(&kept).expect("an archive").len(), 1);
    }

    #[test]
    fn no_prefix_of_an_archive_is_one_and_cpio_reads_ours() {
        let all = rewritten(&archive(&["a", "bc"], 1, 1), 0, |_| true).expect("an archive");
        let trailer = all.len() - HEADER_OCTETS - TRAILER.len() - 1;
        assert!((0..trailer).all(|end| read(&all[..end]).is_err()));
        // Only where there is one.
        if let Ok(listed) = Tool::new("cpio", 0).arg("-t").input(all).text() {
            assert_eq!(listed, "a\nbc\n");
        }
    }
}
