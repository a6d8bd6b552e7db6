//! The partition table (UEFI 2.10, 5.3): read with its checksums, and the identities of partitions changed so that a power
//! cut leaves one good copy: the second copy first, flushed, then the first, which is one write from its header on.

use std::fmt;
use std::io;

use super::Machine;

const SECTOR: u64 = 512;
const SIGNATURE: &[u8; 8] = b"EFI PART";
const HEADER_OCTETS: usize = 92;
/// Room for entries this program reads: 256 of 128 octets.
const ENTRIES_OCTETS_MAX: usize = 32 * 1024;
const LABEL_AT: usize = 56;
const IDENTITY_AT: usize = 16;

/// Both copies of the table say this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// As in the copy it was read from.
    header: Vec<u8>,
    entries: Vec<u8>,
    entry_octets: usize,
    /// Number of the last sector, where the second copy has its header.
    last: u64,
}

/// A partition, in octets from the beginning of the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub label: String,
    /// PARTUUID: lower case with dashes.
    pub identity: String,
    pub at: u64,
    pub octets: u64,
    index: usize,
}

#[derive(Debug)]
pub enum TableError {
    Io(io::Error),
    /// Neither copy is one.
    None,
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TableError::Io(error) => error.fmt(f),
            TableError::None => f.write_str("the disk has no partition table that is whole"),
        }
    }
}

impl From<io::Error> for TableError {
    fn from(error: io::Error) -> TableError {
        TableError::Io(error)
    }
}

impl Table {
    /// The first copy, or the second where the first is broken.
    pub fn read(machine: &dyn Machine) -> Result<Table, TableError> {
        let sectors = machine.disk_octets()? / SECTOR;
        let last = sectors.checked_sub(1).ok_or(TableError::None)?;
        for sector in [1, last] {
            if let Some(table) = Table::copy_at(machine, sector, last)? {
                return Ok(table);
            }
        }
        Err(TableError::None)
    }

    fn copy_at(machine: &dyn Machine, sector: u64, last: u64) -> io::Result<Option<Table>> {
        if sector > last {
            return Ok(None);
        }
        let mut header = vec![0; SECTOR as usize];
        machine.read(sector * SECTOR, &mut header)?;
        let Some((count, entry_octets)) = sound_header(&header, sector) else { return Ok(None) };
        let from = number(&header, 72, 8);
        let mut entries = vec![0; count * entry_octets];
        if from > last || from * SECTOR + entries.len() as u64 > (last + 1) * SECTOR {
            return Ok(None);
        }
        machine.read(from * SECTOR, &mut entries)?;
        let sound = u64::from(crc32(&entries)) == number(&header, 88, 4);
        Ok(sound.then_some(Table { header, entries, entry_octets, last }))
    }

    /// Every partition with a label.
    pub fn partitions(&self) -> Vec<Found> {
        let entries = self.entries.chunks_exact(self.entry_octets).enumerate();
        let used = entries.filter(|(_, entry)| entry[..16].iter().any(|octet| *octet != 0));
        used.filter_map(|(index, entry)| {
            let (first, last) = (number(entry, 32, 8), number(entry, 40, 8));
            let octets = last.checked_sub(first)?.checked_add(1)?.checked_mul(SECTOR)?;
            let units = entry[LABEL_AT..128].chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
            let label: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
            Some(Found {
                label: String::from_utf16_lossy(&label),
                identity: identity_text(&entry[IDENTITY_AT..IDENTITY_AT + 16]),
                at: first.checked_mul(SECTOR)?,
                octets,
                index,
            })
        })
        .collect()
    }

    /// Gives a partition another identity; false when that is no identity.
    pub fn identify(&mut self, partition: &Found, identity: &str) -> bool {
        let at = partition.index * self.entry_octets + IDENTITY_AT;
        let (Some(octets), Some(place)) = (identity_octets(identity), self.entries.get_mut(at..at + 16)) else {
            return false;
        };
        place.copy_from_slice(&octets);
        true
    }

    /// Writes both copies. A cut leaves the former table, or this one.
    pub fn write(&self, machine: &mut dyn Machine) -> io::Result<()> {
        let sectors = (self.entries.len() as u64).div_ceil(SECTOR);
        let second = self.last - sectors;
        machine.write(second * SECTOR, &self.entries)?;
        machine.write(self.last * SECTOR, &self.header_for(self.last, 1, second))?;
        machine.settle()?;
        let mut first = self.header_for(1, self.last, 2);
        first.extend_from_slice(&self.entries);
        machine.write(SECTOR, &first)?;
        machine.settle()
    }

    fn header_for(&self, own: u64, other: u64, entries: u64) -> Vec<u8> {
        let mut header = self.header.clone();
        let size = number(&header, 12, 4) as usize;
        for (at, sector) in [(24, own), (32, other), (72, entries)] {
            header[at..at + 8].copy_from_slice(&sector.to_le_bytes());
        }
        header[88..92].copy_from_slice(&crc32(&self.entries).to_le_bytes());
        header[16..20].fill(0);
        let sum = crc32(&header[..size]);
        header[16..20].copy_from_slice(&sum.to_le_bytes());
        header
    }
}

/// Number and size of the entries when a header holds together.
fn sound_header(header: &[u8], sector: u64) -> Option<(usize, usize)> {
    let size = number(header, 12, 4) as usize;
    if !header.starts_with(SIGNATURE) || !(HEADER_OCTETS..=header.len()).contains(&size) {
        return None;
    }
    let mut summed = header[..size].to_vec();
    summed[16..20].fill(0);
    let (count, entry_octets) = (number(header, 80, 4) as usize, number(header, 84, 4) as usize);
    let fits =
        entry_octets >= 128 && count.checked_mul(entry_octets).is_some_and(|octets| octets <= ENTRIES_OCTETS_MAX);
    let sound = u64::from(crc32(&summed)) == number(header, 16, 4) && number(header, 24, 8) == sector;
    (sound && fits && count > 0).then_some((count, entry_octets))
}

/// Little-endian.
fn number(octets: &[u8], at: usize, length: usize) -> u64 {
    octets[at..at + length].iter().rev().fold(0, |sum, octet| sum << 8 | u64::from(*octet))
}

/// Of ISO 3309, as the table has it.
fn crc32(octets: &[u8]) -> u32 {
    !octets.iter().fold(!0u32, |sum, octet| {
        (0..8).fold(sum ^ u32::from(*octet), |sum, _| sum >> 1 ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    })
}

/// The first three fields of a GUID are little-endian.
const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

fn identity_text(octets: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (place, index) in ORDER.into_iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{:02x}", octets[index]));
    }
    text
}

fn identity_octets(text: &str) -> Option<[u8; 16]> {
    let digits: Vec<u8> = text.bytes().filter(|octet| *octet != b'-').collect();
    if digits.len() != 32 {
        return None;
    }
    let mut octets = [0; 16];
    for (pair, index) in digits.chunks_exact(2).zip(ORDER) {
        octets[index] = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(octets)
}

/// A table of these partitions (label, size in sectors) for a disk in memory.
#[cfg(test)]
pub(crate) fn made_of(disk: &mut [u8], partitions: &[(&str, u64)]) -> Table {
    let last = disk.len() as u64 / SECTOR - 1;
    let mut header = vec![0; SECTOR as usize];
    header[..8].copy_from_slice(SIGNATURE);
    for (at, value) in [(8, 0x10000u32), (12, HEADER_OCTETS as u32), (80, 128), (84, 128)] {
        header[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
    let mut entries = vec![0; 128 * 128];
    let mut first: u64 = 34;
    for (entry, (index, (label, sectors))) in entries.chunks_exact_mut(128).zip(partitions.iter().enumerate()) {
        entry[..16].fill(1);
        entry[16..32].fill(index as u8 + 1);
        entry[32..40].copy_from_slice(&first.to_le_bytes());
        entry[40..48].copy_from_slice(&(first + sectors - 1).to_le_bytes());
        first += sectors;
        for (place, unit) in entry[LABEL_AT..].chunks_exact_mut(2).zip(label.encode_utf16()) {
            place.copy_from_slice(&unit.to_le_bytes());
        }
    }
    assert!(first + 33 <= last + 1, "the disk is too small");
    Table { header, entries, entry_octets: 128, last }
}

#[cfg(test)]
mod tests {
    use super::super::simulated::Simulated;
    use super::*;

    fn disk() -> (Simulated, Table) {
        let mut machine = Simulated::new(200 * 512);
        let table = made_of(&mut machine.disk, &[("esp", 20), ("root-A", 30), ("root-B", 30)]);
        table.write(&mut machine).unwrap();
        (machine, table)
    }

    #[test]
    fn what_was_written_is_read_from_either_copy() {
        let (mut machine, table) = disk();
        let read = Table::read(&machine).unwrap();
        assert_eq!(read.partitions(), table.partitions());
        assert_eq!(read.partitions()[2].label, "root-B");
        assert_eq!((read.partitions()[2].at, read.partitions()[2].octets), (84 * 512, 30 * 512));
        for broken in [512..1024, 1024..1025] {
            let mut machine = machine.clone();
            machine.disk[broken].fill(0x5a);
            assert_eq!(Table::read(&machine).unwrap().partitions(), table.partitions());
        }
        let end = machine.disk.len() - 512;
        machine.disk[end..].fill(0);
        assert_eq!(Table::read(&machine).unwrap().partitions(), table.partitions());
        machine.disk[512..1024].fill(0);
        assert!(matches!(Table::read(&machine), Err(TableError::None)));
    }

    #[test]
    fn an_identity_is_changed_in_both_copies() {
        let (mut machine, mut table) = disk();
        let identity = "00112233-4455-6677-8899-aabbccddeeff";
        let partition = table.partitions()[1].clone();
        assert!(table.identify(&partition, identity));
        assert!(!table.identify(&partition, "no identity"));
        table.write(&mut machine).unwrap();
        for broken in [0..0, 512..1024] {
            let mut machine = machine.clone();
            machine.disk[broken].fill(0);
            assert_eq!(Table::read(&machine).unwrap().partitions()[1].identity, identity);
        }
        let at = partition.index * 128 + IDENTITY_AT;
        assert_eq!(table.entries[at..at + 6], [0x33, 0x22, 0x11, 0x00, 0x55, 0x44], "as UEFI has it");
    }

    #[test]
    fn the_checksum_is_the_known_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
