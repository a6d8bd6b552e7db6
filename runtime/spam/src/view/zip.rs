//! Names in the directory of a ZIP archive (APPNOTE 4.3.12). Nothing is inflated.

use super::bounds::{ARCHIVE_NAMES_MAX, FILE_NAME_OCTETS_MAX};

/// What the directory says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ZipNames {
    /// At most [`ARCHIVE_NAMES_MAX`], read as UTF-8 or windows-1252.
    pub names: Vec<String>,
    /// At least one entry is encrypted.
    pub encrypted: bool,
}

/// Reads the directory entries in the last octets of an archive. Entries are sought by their signature, so that a directory
/// that begins before `tail` or lies about its place is read as far as it is there.
pub fn names(tail: &[u8]) -> ZipNames {
    let mut found = ZipNames::default();
    let mut at = 0;
    while found.names.len() < ARCHIVE_NAMES_MAX {
        let Some(next) = tail.get(at..).and_then(|rest| rest.windows(4).position(|four| four == b"PK\x01\x02")) else {
            break;
        };
        let entry = &tail[at + next..];
        let (Some(flags), Some(length)) = (short(entry, 8), short(entry, 28)) else { break };
        let Some(name) = entry.get(46..46 + usize::from(length)) else { break };
        found.encrypted |= flags & 1 != 0;
        found.names.push(mail::header::charset::guess(&name[..name.len().min(FILE_NAME_OCTETS_MAX)]));
        at += next + 46 + name.len();
    }
    found
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..at + 2)?;
    Some(u16::from_le_bytes([two[0], two[1]]))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A directory with these names and nothing else.
    pub(crate) fn directory(names: &[(&str, bool)]) -> Vec<u8> {
        let mut zip = Vec::new();
        for (name, encrypted) in names {
            let mut entry = [0u8; 46];
            entry[..4].copy_from_slice(b"PK\x01\x02");
            entry[8] = u8::from(*encrypted);
            entry[28..30].copy_from_slice(&(name.len() as u16).to_le_bytes());
            zip.extend_from_slice(&entry);
            zip.extend_from_slice(name.as_bytes());
        }
        zip
    }

    #[test]
    fn names_and_encryption_are_read_and_bounded() {
        let found = names(&directory(&[("a.txt", false), ("facture.pdf.exe", true)]));
        assert_eq!(found, ZipNames { names: vec!["a.txt".into(), "facture.pdf.exe".into()], encrypted: true });
        let many: Vec<(&str, bool)> = vec![("x", false); 1_000];
        assert_eq!(names(&directory(&many)).names.len(), ARCHIVE_NAMES_MAX);
        let whole = directory(&[("abc", false)]);
        for cut in 0..whole.len() {
            assert_eq!(names(&whole[..cut]), ZipNames::default());
        }
    }
}
