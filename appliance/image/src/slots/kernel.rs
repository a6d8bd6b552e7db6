//! A unified kernel image is a PE file whose sections hold what it starts with (UAPI.5). Read here: the command line, which
//! has the root hash, and os-release, which has the version the loader orders entries by.

/// Sections one image may have.
const SECTIONS_MAX: usize = 96;
const SECTION_OCTETS: usize = 40;

/// The content of a section, without the octets that only fill it up.
pub fn section<'a>(image: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let number = |at: usize, length: usize| {
        let octets = image.get(at..at.checked_add(length)?)?;
        Some(octets.iter().rev().fold(0usize, |sum, octet| sum << 8 | usize::from(*octet)))
    };
    let header = number(0x3c, 4).filter(|_| image.starts_with(b"MZ"))?;
    if image.get(header..header.checked_add(4)?)? != b"PE\0\0" {
        return None;
    }
    let count = number(header + 6, 2)?.min(SECTIONS_MAX);
    let table = header + 24 + number(header + 20, 2)?;
    (0..count).find_map(|index| {
        let at = table + index * SECTION_OCTETS;
        let its_name = image.get(at..at + 8)?;
        let its_name = &its_name[..its_name.iter().position(|octet| *octet == 0).unwrap_or(8)];
        let length = number(at + 8, 4)?.min(number(at + 16, 4)?);
        let from = number(at + 20, 4)?;
        (its_name == name.as_bytes()).then(|| image.get(from..from.checked_add(length)?)).flatten()
    })
}

/// The root hash on the command line.
pub fn root_hash(image: &[u8]) -> Option<String> {
    root_hash_on(&String::from_utf8_lossy(section(image, ".cmdline")?))
}

/// The root hash on a command line, in lower case.
pub fn root_hash_on(command_line: &str) -> Option<String> {
    let mut words = command_line.split(|c: char| c.is_whitespace() || c == '\0');
    let hash = words.find_map(|word| word.strip_prefix("roothash="))?;
    Some(hash.to_ascii_lowercase())
}

/// The version the loader reads: the first of these fields that os-release has.
pub fn version(image: &[u8]) -> Option<String> {
    ["IMAGE_VERSION", "VERSION", "VERSION_ID", "BUILD_ID"].into_iter().find_map(|name| release(image, name))
}

/// The overlay it was built with; empty for none.
pub fn variant(image: &[u8]) -> String {
    release(image, "VARIANT_ID").unwrap_or_default()
}

/// A field of os-release(5).
fn release(image: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(section(image, ".osrel")?);
    let mut values = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    values.next().map(|value| value.trim_matches(['"', '\'', '\0']).to_owned())
}

/// An image of these sections, for tests: what a kernel image has to have for this program, and nothing to start.
#[cfg(test)]
pub(crate) fn made_of(sections: &[(&str, &[u8])]) -> Vec<u8> {
    let mut image = b"MZ".to_vec();
    image.resize(0x3c, 0);
    image.extend(0x40u32.to_le_bytes());
    image.extend(b"PE\0\0\x64\x86");
    image.extend((sections.len() as u16).to_le_bytes());
    image.resize(0x40 + 24, 0);
    let mut from = image.len() + sections.len() * SECTION_OCTETS;
    for (name, content) in sections {
        let begin = image.len();
        image.extend(name.as_bytes());
        image.resize(begin + 8, 0);
        for number in [content.len(), 0, content.len().next_multiple_of(512), from] {
            image.extend((number as u32).to_le_bytes());
        }
        image.resize(begin + SECTION_OCTETS, 0);
        from += content.len().next_multiple_of(512);
    }
    for (_, content) in sections {
        let end = image.len() + content.len().next_multiple_of(512);
        image.extend(*content);
        image.resize(end, 0);
    }
    image
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_line_and_version_are_found() {
        let image = made_of(&[
            (".osrel", b"ID=facteur\nIMAGE_VERSION=\"1.2\"\nVERSION_ID=13\n"),
            (".cmdline", b"panic=5 roothash=AB12 quiet"),
        ]);
        assert_eq!(root_hash(&image).as_deref(), Some("ab12"));
        assert_eq!(version(&image).as_deref(), Some("1.2"));
        assert_eq!(section(&image, ".linux"), None);
        assert_eq!(variant(&image), "");
        assert_eq!(variant(&made_of(&[(".osrel", b"VERSION_ID=1\nVARIANT_ID=staging\n")])), "staging");
        assert_eq!(version(&made_of(&[(".osrel", b"VERSION_ID=13")])).as_deref(), Some("13"));
    }

    #[test]
    fn hostile_octets_have_no_sections() {
        let image = made_of(&[(".cmdline", b"roothash=ab")]);
        for cut in 0..image.len() {
            let _ = section(&image[..cut], ".cmdline");
        }
        for at in 0..0x80 {
            let mut broken = image.clone();
            broken[at] = 0xff;
            let _ = (section(&broken, ".cmdline"), root_hash(&broken), version(&broken));
        }
        assert_eq!(section(b"", ".cmdline"), None);
    }
}
