//! A tar archive of small files (POSIX 1003.1, "ustar Interchange Format").

use std::io::{self, Write};

const BLOCK: usize = 512;

/// Writes `files`, by name and content, for their owner alone. Names are at most 100 octets long.
pub fn write(mut to: impl Write, files: &[(String, Vec<u8>)], at_s: u64) -> io::Result<()> {
    for (name, content) in files {
        to.write_all(&header(name, content.len(), at_s)?)?;
        to.write_all(content)?;
        to.write_all(&vec![0; content.len().next_multiple_of(BLOCK) - content.len()])?;
    }
    // Two empty blocks are the end.
    to.write_all(&[0; 2 * BLOCK])?;
    to.flush()
}

fn header(name: &str, size: usize, at_s: u64) -> io::Result<[u8; BLOCK]> {
    let mut header = [0; BLOCK];
    let mut put = |at: usize, text: &[u8]| header[at..at + text.len()].copy_from_slice(text);
    if name.len() > 100 || size >= 1 << 33 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    put(0, name.as_bytes());
    put(100, b"0000600\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, format!("{:011o}\0", at_s.min((1 << 33) - 1)).as_bytes());
    // The sum is reckoned as if it were blanks itself.
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|octet| u32::from(*octet)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_headers_and_contents_in_blocks_with_sums() {
        let files = [("a/b.txt".to_owned(), b"hello".to_vec()), ("empty".to_owned(), Vec::new())];
        let mut archive = Vec::new();
        write(&mut archive, &files, 1_800_000_000).unwrap();
        assert_eq!(archive.len(), 5 * BLOCK);
        assert_eq!((&archive[..8], &archive[124..136]), (&b"a/b.txt\0"[..], &b"00000000005\0"[..]));
        assert_eq!(&archive[BLOCK..BLOCK + 6], b"hello\0");
        let mut header = archive[..BLOCK].to_vec();
        let said = u32::from_str_radix(std::str::from_utf8(&header[148..154]).unwrap(), 8).unwrap();
        header[148..156].fill(b' ');
        assert_eq!(said, header.iter().map(|octet| u32::from(*octet)).sum::<u32>());
        assert!(write(Vec::new(), &[("n".repeat(101), Vec::new())], 0).is_err());
    }
}
