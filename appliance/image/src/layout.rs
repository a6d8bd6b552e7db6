//! Where things are on the disk (Discoverable Partitions Specification, Boot Loader Specification).

use serde::Deserialize;

/// Sizes below count in these.
pub const SECTOR_OCTETS: u64 = 512;
/// The first partition begins here, and each at a multiple of it.
const ALIGN_OCTETS: u64 = 1 << 20;
/// The second copy of the partition table, and the rest of its MiB.
const END_OCTETS: u64 = 1 << 20;

/// One of the two places a system lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    A,
    B,
}

impl Slot {
    pub const BOTH: [Slot; 2] = [Slot::A, Slot::B];

    /// The one that does not run when this one runs.
    pub fn other(self) -> Slot {
        match self {
            Slot::A => Slot::B,
            Slot::B => Slot::A,
        }
    }

    /// Label of its root partition.
    pub fn root_label(self) -> &'static str {
        match self {
            Slot::A => "root-A",
            Slot::B => "root-B",
        }
    }

    /// Label of the partition with the hash tree of its root.
    pub fn verity_label(self) -> &'static str {
        match self {
            Slot::A => "verity-A",
            Slot::B => "verity-B",
        }
    }
}

/// Sizes of the partitions in octets, each a multiple of 1 MiB. The system disk holds nothing that changes but the ESP;
/// what is kept is on a disk of its own, a file system with the label [`Layout::DATA_LABEL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    pub esp_octets: u64,
    /// Of each of the two.
    pub root_octets: u64,
    /// Of each of the two.
    pub verity_octets: u64,
}

/// A partition and where it is, in octets from the beginning of the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// 1-based.
    pub number: u32,
    pub label: &'static str,
    /// GPT type, lower case.
    pub kind: &'static str,
    pub at: u64,
    pub octets: u64,
}

impl Layout {
    pub const ESP_LABEL: &'static str = "esp";
    /// Label of the file system on the data disk; it is mounted on `/var`.
    pub const DATA_LABEL: &'static str = "appliance-data";
    /// Folder of the kernel images on the ESP.
    pub const KERNELS: &'static str = "EFI/Linux";
    /// How often a new kernel image is tried.
    pub const TRIES: u32 = 3;

    const ESP: &'static str = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
    const ROOT: &'static str = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709";
    const VERITY: &'static str = "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5";

    /// Every partition, in the order of the disk.
    pub fn partitions(&self) -> Vec<Partition> {
        let mut at = ALIGN_OCTETS;
        let mut all = Vec::new();
        let mut add = |label, kind, octets| {
            all.push(Partition { number: all.len() as u32 + 1, label, kind, at, octets });
            at += octets;
        };
        add(Layout::ESP_LABEL, Layout::ESP, self.esp_octets);
        for slot in Slot::BOTH {
            add(slot.root_label(), Layout::ROOT, self.root_octets);
            add(slot.verity_label(), Layout::VERITY, self.verity_octets);
        }
        all
    }

    /// Root and verity partition of a slot.
    pub fn of(&self, slot: Slot) -> (Partition, Partition) {
        let mut all = self.partitions();
        let first = match slot {
            Slot::A => 1,
            Slot::B => 3,
        };
        (all.remove(first), all.remove(first))
    }

    /// Size of the whole disk.
    pub fn disk_octets(&self) -> u64 {
        ALIGN_OCTETS + self.esp_octets + 2 * (self.root_octets + self.verity_octets) + END_OCTETS
    }

    /// What is wrong with the sizes.
    pub fn fault(&self) -> Option<String> {
        let sizes = [("esp", self.esp_octets), ("root", self.root_octets), ("verity", self.verity_octets)];
        let bad = sizes.into_iter().find(|(_, octets)| *octets == 0 || octets % ALIGN_OCTETS != 0);
        bad.map(|(name, octets)| format!("{name}_octets is {octets}, no multiple of 1 MiB"))
    }

    /// The name a kernel image has on the ESP, with tries left (Boot Loader Specification, "Boot counting").
    pub fn kernel_name(version: &str, root_hash: &str, tries: u32) -> String {
        format!("facteur_{version}_{}+{tries}.efi", &root_hash[..root_hash.len().min(8)])
    }

    /// Identities of root and verity partition: the halves of the root hash, so that a kernel finds its slot by content.
    /// Nothing for what is no SHA-256 in hexadecimal digits.
    pub fn identities(root_hash: &str) -> Option<(String, String)> {
        if root_hash.len() != 64 || !root_hash.bytes().all(|it| it.is_ascii_digit() || (b'a'..=b'f').contains(&it)) {
            return None;
        }
        let dashed =
            |half: &str| format!("{}-{}-{}-{}-{}", &half[..8], &half[8..12], &half[12..16], &half[16..20], &half[20..]);
        Some((dashed(&root_hash[..32]), dashed(&root_hash[32..])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: Layout = Layout { esp_octets: 512 << 20, root_octets: 256 << 20, verity_octets: 4 << 20 };

    #[test]
    fn partitions_follow_each_other_and_fill_the_disk() {
        let all = LAYOUT.partitions();
        assert_eq!(
            all.iter().map(|it| it.label).collect::<Vec<_>>(),
            ["esp", "root-A", "verity-A", "root-B", "verity-B"]
        );
        assert!(all.windows(2).all(|pair| pair[0].at + pair[0].octets == pair[1].at));
        let last = all.last().expect("there are five");
        assert_eq!(last.at + last.octets + (1 << 20), LAYOUT.disk_octets());
        let (root, verity) = LAYOUT.of(Slot::B);
        assert_eq!((root.number, root.label, verity.number, verity.label), (4, "root-B", 5, "verity-B"));
    }

    #[test]
    fn a_size_that_is_no_multiple_of_a_mebibyte_is_a_fault() {
        assert_eq!(LAYOUT.fault(), None);
        let odd = Layout { verity_octets: 100, ..LAYOUT };
        assert_eq!(odd.fault().expect("a fault"), "verity_octets is 100, no multiple of 1 MiB");
    }

    #[test]
    fn identities_are_the_halves_of_the_root_hash() {
        let hash = "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef";
        let (root, verity) = Layout::identities(hash).expect("a hash");
        assert_eq!(root, "00112233-4455-6677-8899-aabbccddeeff");
        assert_eq!(verity, "01234567-89ab-cdef-0123-456789abcdef");
        assert_eq!(Layout::identities("no hash"), None);
        assert_eq!(Layout::identities(&hash.to_uppercase()), None);
    }
}
