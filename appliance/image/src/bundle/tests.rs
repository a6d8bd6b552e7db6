use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};

use super::pack::write_head;
use super::read::Sink;
use super::*;
use crate::slots::kernel;

/// A bundle with all that is known of it.
#[derive(Clone)]
pub(crate) struct Made {
    pub header: Header,
    pub root: Vec<u8>,
    pub verity: Vec<u8>,
    pub kernel: Vec<u8>,
    pub octets: Vec<u8>,
}

pub(crate) const STORE: StoreFormats = StoreFormats { writes: 6, served_by: 6, leads_from: 2 };

/// A key and its public half.
pub(crate) fn key(name: &str) -> (SigningKey, plan::signed::PublicKey) {
    let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.as_ref()).unwrap();
    let octets = pair.public_key().as_ref().try_into().unwrap();
    (SigningKey::of_pkcs8(der.as_ref()).unwrap(), plan::signed::PublicKey::new(name, octets).unwrap())
}

/// A bundle of a version, whose octets all come from its name.
pub(crate) fn made(version: &str, root_octets: usize, keys: &[SigningKey]) -> Made {
    let root_hash = blake3::hash(version.as_bytes()).to_hex().to_string();
    let root = filled(version, "root", root_octets);
    let verity = filled(version, "verity", root_octets / 100 + 1);
    let kernel = kernel::made_of(&[
        (".osrel", format!("IMAGE_VERSION={version}\n").as_bytes()),
        (".cmdline", format!("panic=5 roothash={root_hash}").as_bytes()),
        (".linux", &filled(version, "kernel", 5_000)),
    ]);
    let part = |octets: &[u8]| Part { octets: octets.len() as u64, blake3: blake3::hash(octets).to_hex().to_string() };
    let header = Header {
        version: version.to_owned(),
        variant: String::new(),
        root_hash,
        plan: (1, 1),
        store: STORE,
        root: part(&root),
        verity: part(&verity),
        kernel: part(&kernel),
    };
    of_parts(header, root, verity, kernel, keys)
}

pub(crate) fn of_parts(header: Header, root: Vec<u8>, verity: Vec<u8>, kernel: Vec<u8>, keys: &[SigningKey]) -> Made {
    let mut octets = Vec::new();
    write_head(&header, keys, &mut octets).unwrap();
    [&root, &verity, &kernel].iter().for_each(|part| octets.extend_from_slice(part));
    Made { header, root, verity, kernel, octets }
}

fn filled(version: &str, what: &str, octets: usize) -> Vec<u8> {
    let mut content = vec![0; octets];
    blake3::Hasher::new().update(version.as_bytes()).update(what.as_bytes()).finalize_xof().fill(&mut content);
    content
}

#[test]
fn a_bundle_gives_back_what_was_packed() {
    let (signing, public) = key("anne");
    let made = made("1.2", 3_000_000, &[signing]);
    let mut reader = Reader::open(made.octets.as_slice()).unwrap();
    assert_eq!(reader.header(), &made.header);
    assert_eq!(reader.judge(&Trusted { needed: 1, keys: vec![public] }).unwrap(), ["anne"]);
    let (mut root, mut verity, mut kernel) = (Vec::new(), Vec::new(), Vec::new());
    let into = |to: &mut Vec<u8>, octets: &[u8]| {
        to.extend_from_slice(octets);
        Ok(())
    };
    reader.root(&mut |octets| into(&mut root, octets)).unwrap();
    reader.verity(&mut |octets| into(&mut verity, octets)).unwrap();
    reader.kernel(&mut |octets| into(&mut kernel, octets)).unwrap();
    assert!(root == made.root && verity == made.verity && kernel == made.kernel);
}

#[test]
fn as_many_trusted_keys_as_needed_have_to_have_signed() {
    let ((anne, public_anne), (paul, public_paul), (_, public_zoe)) = (key("anne"), key("paul"), key("zoe"));
    let same = plan::signed::PublicKey::new("anne-again", public_anne.octets).unwrap();
    let signed = |keys: &[SigningKey]| made("1.2", 1_000, keys).octets;
    let all = vec![public_anne.clone(), public_paul, public_zoe];
    let both = signed(&[anne, paul]);
    let judged = |octets: &[u8], needed: usize, keys: &[plan::signed::PublicKey]| {
        Reader::open(octets).unwrap().judge(&Trusted { needed, keys: keys.to_vec() })
    };
    assert_eq!(judged(&both, 2, &all).unwrap().len(), 2);
    for (octets, needed, keys, good) in [
        (&both, 3, &all[..], 2),
        (&both, 2, &all[..1], 1),
        (&both, 1, &all[2..], 0),
        (&both, 2, &[public_anne, same][..], 1),
        (&both, 0, &[], 0),
        (&signed(&[]), 1, &all, 0),
    ] {
        match judged(octets, needed, keys) {
            Err(BundleError::NotSigned { good: found, .. }) => assert_eq!(found, good),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_octet_that_changed_or_went_is_found_wherever_it_is() {
    let (signing, public) = key("anne");
    let trusted = Trusted { needed: 1, keys: vec![public] };
    let whole = made("1.2", 20_000, &[signing]).octets;
    let read = |octets: &[u8]| {
        let mut reader = Reader::open(octets)?;
        reader.judge(&trusted)?;
        read_through(&mut reader)
    };
    read(&whole).unwrap();
    for at in (0..whole.len()).step_by(97).chain(0..700) {
        let mut broken = whole.clone();
        broken[at] ^= 1;
        assert!(read(&broken).is_err(), "octet {at}");
        assert!(read(&whole[..at]).is_err(), "cut at {at}");
    }
    let trailing = [whole.as_slice(), b"x"].concat();
    assert!(matches!(read(&trailing), Err(BundleError::Trailing)));
    let mut long = whole;
    long[MAGIC.len()..MAGIC.len() + 4].fill(0xff);
    assert!(matches!(read(&long), Err(BundleError::Unreadable("header", _))));
}

#[test]
fn what_comes_through_a_pipe_is_kept_to_be_read_twice_and_no_more_than_it_says() {
    let (signing, public) = key("anne");
    let made = made("1.2", 20_000, &[signing]);
    let kept = |octets: &[u8]| Reader::open(octets).unwrap().keep_in(std::io::Cursor::new(Vec::new())).unwrap();
    let mut reader = kept(&made.octets);
    assert_eq!(reader.judge(&Trusted { needed: 1, keys: vec![public] }).unwrap(), ["anne"]);
    assert!(reader.check().unwrap() == made.kernel);
    let mut root = Vec::new();
    let sink: Sink<'_> = &mut |octets| {
        root.extend_from_slice(octets);
        Ok(())
    };
    reader.root(sink).unwrap();
    assert!(root == made.root, "it is read a second time from its beginning");
    let endless = [&made.octets[..], &[0; 100_000]].concat();
    assert!(matches!(kept(&endless).check(), Err(BundleError::Trailing)));
    let held = kept(&endless).into_input().into_inner().len() as u64;
    assert_eq!(held, made.header.octets() + 1);
    assert!(matches!(kept(&made.octets[..made.octets.len() - 1]).check(), Err(BundleError::CutShort("kernel image"))));
}

#[test]
fn a_header_says_only_what_it_may() {
    let good = made("1.2", 100, &[]).header;
    assert_eq!(Header::read(&good.text()).unwrap(), good);
    let part = |octets: u64, blake3: &str| Part { octets, blake3: blake3.to_owned() };
    let hash = good.root.blake3.clone();
    for (bad, field) in [
        (Header { version: "../../x".into(), ..good.clone() }, "version"),
        (Header { version: String::new(), ..good.clone() }, "version"),
        (Header { version: "1+2".into(), ..good.clone() }, "version"),
        (Header { version: format!("1{}", "0".repeat(64)), ..good.clone() }, "version"),
        (Header { variant: "Two words".into(), ..good.clone() }, "variant"),
        (Header { root_hash: hash.to_uppercase(), ..good.clone() }, "root_hash"),
        (Header { plan: (2, 1), ..good.clone() }, "plan"),
        (Header { store: StoreFormats { served_by: 7, ..STORE }, ..good.clone() }, "store"),
        (Header { root: part(0, &hash), ..good.clone() }, "root"),
        (Header { verity: part(1, "x"), ..good.clone() }, "verity"),
        (Header { kernel: part(KERNEL_OCTETS_MAX + 1, &hash), ..good.clone() }, "kernel"),
    ] {
        match Header::read(&bad.text()) {
            Err(BundleError::Field(found)) => assert_eq!(found, field),
            other => panic!("{field}: {other:?}"),
        }
    }
    let other_form = good.text().replacen("version", " version", 1);
    assert!(matches!(Header::read(&other_form), Err(BundleError::Unreadable("header", _))));
}
