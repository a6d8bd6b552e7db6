//! Signatures the firmware asks for (UEFI Secure Boot): of the boot loader and of the kernel image, which holds everything else.

use std::path::{Path, PathBuf};

use crate::fault::Result;
use crate::tool::Tool;

/// Who signs.
#[derive(Clone, Copy, Debug)]
pub struct SecureBoot<'a> {
    /// A private RSA key, PEM without a pass phrase.
    pub key: &'a Path,
    /// Its certificate, PEM, as the firmware has it in `db`.
    pub certificate: &'a Path,
}

impl SecureBoot<'_> {
    /// Writes the signed program to `to`, which may be the program itself.
    pub fn sign(&self, program: &Path, to: &Path, epoch: u64) -> Result<()> {
        let tool = Tool::new("sbsign", epoch).arg("--key").arg(self.key).arg("--cert").arg(self.certificate);
        tool.arg("--output").arg(to).arg(program).run().map(drop)
    }

    /// The boot loader, signed in a folder; without anybody who signs as it is.
    pub fn boot_loader(by: Option<&SecureBoot<'_>>, plain: &Path, folder: &Path, epoch: u64) -> Result<PathBuf> {
        let Some(by) = by else { return Ok(plain.to_owned()) };
        let signed = folder.join("boot-loader.efi");
        by.sign(plain, &signed, epoch)?;
        Ok(signed)
    }
}
