//! Files in a message: what they are called, what they say they are, and what they are.

use std::borrow::Cow;

use mail::mime::transfer;

use super::bounds::{SNIFF_OCTETS, TAIL_OCTETS};
use super::zip::{self, ZipNames};

/// What a file is by its name, or by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// Runs when it is opened: programs, scripts, shortcuts, installers.
    Executable,
    /// An office document that can hold programs.
    MacroOffice,
    Office,
    Pdf,
    Html,
    Svg,
    /// ZIP and its relatives that hold files.
    Zip,
    /// Other archives.
    Archive,
    /// An image of a disc, which systems open like a folder.
    DiscImage,
    Picture,
    Text,
    Calendar,
    Mail,
    Signature,
    Media,
    Unknown,
}

/// One file.
#[derive(Clone, Debug)]
pub struct Attachment<'a> {
    /// The decoded file name, cut to a bound; `None` without one.
    pub name: Option<String>,
    /// `application/pdf`, lower case, as declared.
    pub media: String,
    /// Shown inside the message, by a Content-ID or as inline.
    pub inline: bool,
    pub enclosed: bool,
    /// Lower case transfer encoding.
    pub encoding: String,
    /// The body as it stands in the message.
    pub body: &'a [u8],
    pub by_name: FileKind,
    pub by_content: FileKind,
    /// The directory, when it is a ZIP.
    pub zip: Option<ZipNames>,
    /// An office document with a program in it, by its content.
    pub has_macros: bool,
}

impl<'a> Attachment<'a> {
    /// The octets of the file; what cannot be decoded is passed over.
    pub fn decoded(&self) -> Cow<'a, [u8]> {
        transfer::decode(self.encoding.as_bytes(), self.body)
    }

    /// Tells what the content is, from its beginning and its end.
    pub(super) fn look(&mut self) {
        let head = head(&self.encoding, self.body);
        self.by_name = self.name.as_deref().map_or(FileKind::Unknown, by_name);
        self.by_content = by_content(&head);
        match self.by_content {
            FileKind::Zip => {
                let zip = zip::names(&tail(&self.encoding, self.body));
                let is_office = zip.names.iter().any(|name| name == "[Content_Types].xml");
                self.has_macros = zip.names.iter().any(|name| name.ends_with("vbaProject.bin"));
                if is_office {
                    self.by_content = if self.has_macros { FileKind::MacroOffice } else { FileKind::Office };
                }
                self.zip = Some(zip);
            }
            FileKind::Office => {
                // Names in the directory of a compound file are UTF-16.
                let project: Vec<u8> = "_VBA_PROJECT".bytes().flat_map(|byte| [byte, 0]).collect();
                let tail = tail(&self.encoding, self.body);
                let holds = |octets: &[u8]| octets.windows(project.len()).any(|window| window == project);
                self.has_macros = holds(&head) || holds(&tail);
            }
            _ => {}
        }
    }
}

/// The first octets, decoded.
fn head<'a>(encoding: &str, body: &'a [u8]) -> Cow<'a, [u8]> {
    transfer::decode(encoding.as_bytes(), &body[..body.len().min(SNIFF_OCTETS)])
}

/// The last octets, decoded. Base64 is decoded in groups of four characters, counted from the end.
fn tail<'a>(encoding: &str, body: &'a [u8]) -> Cow<'a, [u8]> {
    let end = &body[body.len().saturating_sub(TAIL_OCTETS)..];
    if encoding != "base64" || end.len() == body.len() {
        return transfer::decode(encoding.as_bytes(), end);
    }
    let characters: Vec<u8> =
        end.iter().copied().filter(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=')).collect();
    Cow::Owned(transfer::base64(&characters[characters.len() % 4..]))
}

/// The lower-case ending of a name, without the dot; empty without one.
pub fn extension(name: &str) -> String {
    let name = name.trim_end_matches(['.', ' ']);
    name.rsplit_once('.').map(|(_, ending)| ending.trim().to_lowercase()).unwrap_or_default()
}

/// What a name promises.
pub fn by_name(name: &str) -> FileKind {
    match extension(name).as_str() {
        "exe" | "com" | "scr" | "pif" | "bat" | "cmd" | "vbs" | "vbe" | "js" | "jse" | "wsf" | "wsh" | "hta"
        | "lnk" | "msi" | "msp" | "cpl" | "jar" | "ps1" | "psm1" | "reg" | "scf" | "dll" | "chm" | "apk"
        | "application" | "gadget" | "inf" | "library-ms" | "msc" | "xll" | "ade" | "mde" | "sct" | "shb"
        | "settingcontent-ms" | "appinstaller" | "msix" | "dmg" | "pkg" | "desktop" => FileKind::Executable,
        "docm" | "dotm" | "xlsm" | "xltm" | "xlam" | "xlsb" | "pptm" | "potm" | "ppam" | "ppsm" | "sldm" => {
            FileKind::MacroOffice
        }
        "doc" | "dot" | "xls" | "xlt" | "ppt" | "pps" | "docx" | "dotx" | "xlsx" | "xltx" | "pptx" | "ppsx" | "odt"
        | "ods" | "odp" | "rtf" | "one" | "pub" => FileKind::Office,
        "pdf" => FileKind::Pdf,
        "htm" | "html" | "shtml" | "xhtml" | "mht" | "mhtml" | "xht" => FileKind::Html,
        "svg" | "svgz" => FileKind::Svg,
        "zip" | "zipx" => FileKind::Zip,
        "rar" | "7z" | "gz" | "tgz" | "bz2" | "xz" | "tar" | "ace" | "cab" | "arj" | "lzh" | "z" | "lha" | "zst"
        | "uue" | "xxe" => FileKind::Archive,
        "iso" | "img" | "vhd" | "vhdx" | "udf" | "daa" => FileKind::DiscImage,
        "png" | "jpg" | "jpeg" | "gif" | "bmp" | "tif" | "tiff" | "webp" | "heic" | "ico" => FileKind::Picture,
        "txt" | "csv" | "log" | "md" | "tex" | "patch" | "diff" | "json" | "xml" | "yml" => FileKind::Text,
        "ics" | "vcf" | "vcs" => FileKind::Calendar,
        "eml" | "msg" => FileKind::Mail,
        "p7s" | "p7m" | "asc" | "sig" | "pgp" => FileKind::Signature,
        "mp3" | "mp4" | "avi" | "mov" | "wav" | "m4a" | "mkv" => FileKind::Media,
        _ => FileKind::Unknown,
    }
}

/// What the first octets are.
fn by_content(head: &[u8]) -> FileKind {
    const STARTS: [(&[u8], FileKind); 19] = [
        (b"MZ", FileKind::Executable),
        (b"\x7fELF", FileKind::Executable),
        (b"\xcf\xfa\xed\xfe", FileKind::Executable),
        (b"L\0\0\0\x01\x14\x02\0", FileKind::Executable),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", FileKind::Office),
        (b"{\\rtf", FileKind::Office),
        (b"%PDF-", FileKind::Pdf),
        (b"PK\x03\x04", FileKind::Zip),
        (b"PK\x05\x06", FileKind::Zip),
        (b"Rar!\x1a\x07", FileKind::Archive),
        (b"7z\xbc\xaf\x27\x1c", FileKind::Archive),
        (b"\x1f\x8b", FileKind::Archive),
        (b"BZh", FileKind::Archive),
        (b"\xfd7zXZ\0", FileKind::Archive),
        (b"MSCF", FileKind::Archive),
        (b"\x89PNG", FileKind::Picture),
        (b"\xff\xd8\xff", FileKind::Picture),
        (b"GIF8", FileKind::Picture),
        (b"BEGIN:V", FileKind::Calendar),
    ];
    if let Some((_, kind)) = STARTS.iter().find(|(start, _)| head.starts_with(start)) {
        return *kind;
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let start: Vec<u8> = text[..text.len().min(512)].to_ascii_lowercase();
    let holds = |needle: &[u8]| start.windows(needle.len()).any(|window| window == needle);
    if holds(b"<svg") {
        FileKind::Svg
    } else if start.starts_with(b"<!doctype html") || holds(b"<html") || holds(b"<script") || holds(b"<body") {
        FileKind::Html
    } else {
        FileKind::Unknown
    }
}
