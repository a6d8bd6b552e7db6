//! The kernel image: one program for the firmware with kernel, initrd and command line in sections behind systemd's stub
//! (UAPI.5, Unified Kernel Image). The root hash is on the command line, so that whoever signs the one vouches for the other.

use crate::fault::{Fault, Result};

/// Octets of a section header (PE/COFF 4).
const SECTION_OCTETS: usize = 40;
const CODE: u32 = 0x6000_0020;
const DATA: u32 = 0x4000_0040;

/// A section, by its name of at most eight octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section<'a> {
    pub name: &'a str,
    pub contents: &'a [u8],
}

/// Where things are in a PE file.
struct Headers {
    /// Of `NumberOfSections`.
    count_at: usize,
    count: usize,
    /// Of the optional header.
    optional_at: usize,
    /// Of the first section header.
    table_at: usize,
    section_alignment: usize,
    file_alignment: usize,
    headers_octets: usize,
}

/// The stub with these sections behind its own.
pub fn assemble(stub: &[u8], sections: &[Section<'_>]) -> Result<Vec<u8>> {
    let headers = headers(stub)?;
    let table_end = headers.table_at + (headers.count + sections.len()) * SECTION_OCTETS;
    if table_end > headers.headers_octets {
        return Err(Fault(format!("systemd's stub has no room for {} sections more", sections.len())));
    }
    let mut out = stub.to_vec();
    let mut address = 0;
    for index in 0..headers.count {
        let at = headers.table_at + index * SECTION_OCTETS;
        address = address.max(u32_at(stub, at + 12)? as usize + u32_at(stub, at + 8)? as usize);
    }
    let mut initialized = u32_at(stub, headers.optional_at + 8)?;
    for (index, section) in sections.iter().enumerate() {
        address = address.next_multiple_of(headers.section_alignment);
        out.resize(out.len().next_multiple_of(headers.file_alignment), 0);
        let begin = out.len();
        out.extend_from_slice(section.contents);
        out.resize(out.len().next_multiple_of(headers.file_alignment), 0);
        let raw = out.len() - begin;
        let at = headers.table_at + (headers.count + index) * SECTION_OCTETS;
        let mut name = [0; 8];
        let octets = section.name.as_bytes();
        name.get_mut(..octets.len())
            .ok_or_else(|| Fault(format!("`{}` is too long", section.name)))?
            .copy_from_slice(octets);
        out[at..at + 8].copy_from_slice(&name);
        let flags = if section.name == ".linux" { CODE } else { DATA };
        for (offset, value) in
            [(8, section.contents.len()), (12, address), (16, raw), (20, begin), (24, 0), (28, 0), (32, 0)]
        {
            put(&mut out, at + offset, number(value)?);
        }
        put(&mut out, at + 36, flags);
        address += section.contents.len();
        initialized = initialized.saturating_add(number(raw)?);
    }
    let count = u16::try_from(headers.count + sections.len()).map_err(|_| Fault::new("too many sections"))?;
    out[headers.count_at..headers.count_at + 2].copy_from_slice(&count.to_le_bytes());
    put(&mut out, headers.optional_at + 8, initialized);
    put(&mut out, headers.optional_at + 56, number(address.next_multiple_of(headers.section_alignment))?);
    // CheckSum: nobody looks at it for programs of the firmware; signing sets it.
    put(&mut out, headers.optional_at + 64, 0);
    Ok(out)
}

/// The contents of a section of a PE file, without the padding.
pub fn section<'a>(image: &'a [u8], wanted: &str) -> Result<Option<&'a [u8]>> {
    let headers = headers(image)?;
    for index in 0..headers.count {
        let at = headers.table_at + index * SECTION_OCTETS;
        let name = image.get(at..at + 8).ok_or_else(broken)?;
        let end = name.iter().position(|octet| *octet == 0).unwrap_or(8);
        if name[..end] == *wanted.as_bytes() {
            let octets = u32_at(image, at + 8)?.min(u32_at(image, at + 16)?) as usize;
            let begin = u32_at(image, at + 20)? as usize;
            let contents = begin.checked_add(octets).and_then(|end| image.get(begin..end));
            return contents.map(Some).ok_or_else(broken);
        }
    }
    Ok(None)
}

fn headers(image: &[u8]) -> Result<Headers> {
    let pe = u32_at(image, 0x3c)? as usize;
    if image.get(..2) != Some(b"MZ") || image.get(pe..pe.saturating_add(4)) != Some(b"PE\0\0") {
        return Err(broken());
    }
    let (count, optional_octets) = (u16_at(image, pe + 6)? as usize, u16_at(image, pe + 20)? as usize);
    let optional_at = pe + 24;
    let headers = Headers {
        count_at: pe + 6,
        count,
        optional_at,
        table_at: optional_at + optional_octets,
        section_alignment: u32_at(image, optional_at + 32)? as usize,
        file_alignment: u32_at(image, optional_at + 36)? as usize,
        headers_octets: u32_at(image, optional_at + 60)? as usize,
    };
    let aligned = headers.section_alignment.is_power_of_two() && headers.file_alignment.is_power_of_two();
    // PE32+, the only form of 64-bit programs.
    if u16_at(image, optional_at)? != 0x20b || !aligned || optional_octets < 68 || headers.headers_octets > image.len()
    {
        return Err(broken());
    }
    Ok(headers)
}

fn broken() -> Fault {
    Fault::new("no program for 64-bit UEFI")
}

fn number(value: usize) -> Result<u32> {
    u32::try_from(value).map_err(|_| Fault::new("a kernel image has at most 4 GiB"))
}

fn put(out: &mut [u8], at: usize, value: u32) {
    out[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

fn u16_at(image: &[u8], at: usize) -> Result<u16> {
    let octets = at.checked_add(2).and_then(|end| image.get(at..end)?.try_into().ok());
    octets.map(u16::from_le_bytes).ok_or_else(broken)
}

fn u32_at(image: &[u8], at: usize) -> Result<u32> {
    let octets = at.checked_add(4).and_then(|end| image.get(at..end)?.try_into().ok());
    octets.map(u32::from_le_bytes).ok_or_else(broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Headers of 1 KiB and one section.
    fn stub() -> Vec<u8> {
        let mut image = vec![0; 0x600];
        image[..2].copy_from_slice(b"MZ");
        put(&mut image, 0x3c, 0x80);
        image[0x80..0x84].copy_from_slice(b"PE\0\0");
        image[0x86..0x88].copy_from_slice(&1u16.to_le_bytes());
        image[0x94..0x96].copy_from_slice(&240u16.to_le_bytes());
        image[0x98..0x9a].copy_from_slice(&0x20bu16.to_le_bytes());
        for (offset, value) in [(32, 0x1000), (36, 0x200), (60, 0x400)] {
            put(&mut image, 0x98 + offset, value);
        }
        let table = 0x98 + 240;
        image[table..table + 5].copy_from_slice(b".text");
        for (offset, value) in [(8, 0x123), (12, 0x1000), (16, 0x200), (20, 0x400)] {
            put(&mut image, table + offset, value);
        }
        image
    }

    #[test]
    fn sections_stand_behind_the_stubs_own_and_are_read_back() {
        let big = vec![7; 0x1801];
        let sections = [Section { name: ".linux", contents: &big }, Section { name: ".cmdline", contents: b"ro" }];
        let image = assemble(&stub(), &sections).expect("there is room");
        assert_eq!(section(&image, ".linux"), Ok(Some(&big[..])));
        assert_eq!(section(&image, ".cmdline"), Ok(Some(&b"ro"[..])));
        assert_eq!(section(&image, ".initrd"), Ok(None));
        let table = 0x98 + 240;
        // Addresses: behind .text at 0x1000, each at a multiple of the alignment.
        assert_eq!((u32_at(&image, table + 40 + 12), u32_at(&image, table + 80 + 12)), (Ok(0x2000), Ok(0x4000)));
        assert_eq!(u32_at(&image, 0x98 + 56), Ok(0x5000));
        assert_eq!(image.len() % 0x200, 0);
    }

    #[test]
    fn a_stub_without_room_is_refused() {
        let many: Vec<_> = (0..20).map(|_| Section { name: ".a", contents: b"" }).collect();
        assert!(assemble(&stub(), &many).expect_err("no room").0.contains("no room for 20"));
    }

    #[test]
    fn no_prefix_of_a_program_panics() {
        let image = stub();
        for end in 0..image.len() {
            let _ = section(&image[..end], ".text");
        }
        assert!(section(b"MZ", ".text").is_err());
    }
}
