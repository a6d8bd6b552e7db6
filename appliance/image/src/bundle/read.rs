//! Reading a bundle as it comes, from a file or a pipe: one pass, bounded memory.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};

use plan::signed::{OneSignature, SIGNATURES_MAX};

use super::{BundleError, HEADER_OCTETS_MAX, Header, MAGIC, Part, Trusted, canonical};

/// Octets handed on at once.
const BLOCK_OCTETS: usize = 1 << 20;

/// A bundle whose header was read.
pub struct Reader<R> {
    input: R,
    header: Header,
    header_text: String,
    signatures: Vec<OneSignature>,
}

impl<R: Read> Reader<R> {
    /// Reads header and signatures; who signed is another question.
    pub fn open(mut input: R) -> Result<Reader<R>, BundleError> {
        let mut magic = [0; MAGIC.len()];
        match input.read_exact(&mut magic) {
            Ok(()) if &magic == MAGIC => {}
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => return Err(error.into()),
            Ok(()) | Err(_) => return Err(BundleError::NotOne),
        }
        let header_text = text(&mut input, "header")?;
        let header = Header::read(&header_text)?;
        let signatures: Vec<OneSignature> = canonical("signatures", &text(&mut input, "signatures")?)?;
        if signatures.len() > SIGNATURES_MAX {
            return Err(BundleError::Field("number of signatures"));
        }
        Ok(Reader { input, header, header_text, signatures })
    }

    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Ids of the keys that say they signed.
    pub fn signed_by(&self) -> impl Iterator<Item = &str> {
        self.signatures.iter().map(|one| one.key.as_str())
    }

    /// Names of the trusted keys that signed.
    pub fn judge(&self, trusted: &Trusted) -> Result<Vec<String>, BundleError> {
        trusted.judge(&self.header_text, &self.signatures)
    }

    /// The root, in pieces from its beginning. What was handed on is worth nothing before this ends well.
    pub fn root(&mut self, to: Sink<'_>) -> Result<(), BundleError> {
        let part = self.header.root.clone();
        self.part("root", &part, to)
    }

    /// Its hash tree, which comes after it.
    pub fn verity(&mut self, to: Sink<'_>) -> Result<(), BundleError> {
        let part = self.header.verity.clone();
        self.part("hash tree", &part, to)
    }

    /// The kernel image, which comes last: nothing may follow it.
    pub fn kernel(&mut self, to: Sink<'_>) -> Result<(), BundleError> {
        let part = self.header.kernel.clone();
        self.part("kernel image", &part, to)?;
        if self.input.read(&mut [0])? == 0 { Ok(()) } else { Err(BundleError::Trailing) }
    }

    /// What waits in a pipe, in a file that can be read twice: no more than the header says, and one octet that betrays more.
    pub fn keep_in<F: Read + Write + Seek>(mut self, mut file: F) -> Result<Reader<F>, BundleError> {
        let most = self.header.octets().saturating_add(1);
        io::copy(&mut self.input.by_ref().take(most), &mut file)?;
        file.rewind()?;
        let Reader { header, header_text, signatures, .. } = self;
        Ok(Reader { input: file, header, header_text, signatures })
    }

    #[cfg(test)]
    pub(super) fn into_input(self) -> R {
        self.input
    }

    fn part(&mut self, name: &'static str, part: &Part, to: Sink<'_>) -> Result<(), BundleError> {
        let mut block = vec![0; BLOCK_OCTETS];
        let mut digest = blake3::Hasher::new();
        let mut left = part.octets;
        while left > 0 {
            let octets = &mut block[..left.min(BLOCK_OCTETS as u64) as usize];
            match self.input.read_exact(octets) {
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err(BundleError::CutShort(name)),
                read => read?,
            }
            digest.update(octets);
            to(octets)?;
            left -= octets.len() as u64;
        }
        if digest.finalize().to_hex().as_str() == part.blake3 { Ok(()) } else { Err(BundleError::Damaged(name)) }
    }
}

impl<R: Read + Seek> Reader<R> {
    /// Reads every part to its end, and stands before the first of them again. Gives the kernel image.
    pub fn check(&mut self) -> Result<Vec<u8>, BundleError> {
        let begin = self.input.stream_position()?;
        let mut kernel = Vec::new();
        self.root(&mut |_| Ok(()))?;
        self.verity(&mut |_| Ok(()))?;
        self.kernel(&mut |octets| {
            kernel.extend_from_slice(octets);
            Ok(())
        })?;
        self.input.seek(SeekFrom::Start(begin))?;
        Ok(kernel)
    }
}

/// Where the octets of a part go.
pub type Sink<'a> = &'a mut dyn FnMut(&[u8]) -> std::io::Result<()>;

/// Reads every part to its end and writes nothing: is it whole?
pub fn read_through<R: Read>(reader: &mut Reader<R>) -> Result<(), BundleError> {
    reader.root(&mut |_| Ok(()))?;
    reader.verity(&mut |_| Ok(()))?;
    reader.kernel(&mut |_| Ok(()))
}

/// A text behind its length.
fn text(input: &mut impl Read, what: &'static str) -> Result<String, BundleError> {
    let cut_short = |error: std::io::Error| match error.kind() {
        ErrorKind::UnexpectedEof => BundleError::CutShort(what),
        _ => BundleError::Io(error),
    };
    let mut length = [0; 4];
    input.read_exact(&mut length).map_err(cut_short)?;
    let length = u32::from_be_bytes(length) as usize;
    if length > HEADER_OCTETS_MAX {
        return Err(BundleError::Unreadable(what, format!("it is larger than {HEADER_OCTETS_MAX} octets")));
    }
    let mut octets = vec![0; length];
    input.read_exact(&mut octets).map_err(cut_short)?;
    String::from_utf8(octets).map_err(|_| BundleError::Unreadable(what, "it is no text".to_owned()))
}
