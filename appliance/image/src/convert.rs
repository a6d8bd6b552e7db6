//! The disk in the forms that hypervisors take.

use std::path::{Path, PathBuf};

use crate::fault::{Fault, Result};
use crate::place;
use crate::tool::Tool;

/// A form of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Raw, compressed: to write to a disk, and for clouds.
    RawZst,
    /// QEMU, KVM, Proxmox, OpenStack.
    Qcow2,
    /// VMware and VirtualBox: a stream-optimised VMDK and an OVF that describes the machine.
    Vmdk,
    /// Hyper-V, generation 2.
    Vhdx,
}

impl Form {
    pub const ALL: [Form; 4] = [Form::RawZst, Form::Qcow2, Form::Vmdk, Form::Vhdx];

    pub fn ending(self) -> &'static str {
        match self {
            Form::RawZst => "raw.zst",
            Form::Qcow2 => "qcow2",
            Form::Vmdk => "vmdk",
            Form::Vhdx => "vhdx",
        }
    }
}

/// Writes the form of a raw disk beside it, and gives the files that were made.
pub fn convert(raw: &Path, form: Form) -> Result<Vec<PathBuf>> {
    let to = raw.with_extension(form.ending());
    place::remove(&to)?;
    let image = |arguments: &[&str]| {
        Tool::new("qemu-img", 0).args(["convert", "-f", "raw"]).args(arguments).arg(raw).arg(&to).run()
    };
    match form {
        Form::RawZst => {
            Tool::new("zstd", 0).args(["-12", "-T1", "--quiet", "--sparse", "-o"]).arg(&to).arg(raw).run()?;
        }
        Form::Qcow2 => drop(image(&["-O", "qcow2", "-c"])?),
        Form::Vhdx => drop(image(&["-O", "vhdx", "-o", "subformat=dynamic"])?),
        Form::Vmdk => {
            image(&["-O", "vmdk", "-o", "subformat=streamOptimized"])?;
            let octets = |path: &Path| std::fs::metadata(path).map(|found| found.len()).map_err(Fault::at(path));
            let ovf = raw.with_extension("ovf");
            let name = to.file_name().and_then(|name| name.to_str()).unwrap_or("facteur.vmdk").to_owned();
            place::write(&ovf, self::ovf(&name, octets(&to)?, octets(raw)?).as_bytes())?;
            return Ok(vec![to, ovf]);
        }
    }
    Ok(vec![to])
}

/// The machine for VMware (DMTF DSP0243): UEFI, two processors, 4 GiB, the system disk and an empty data disk.
fn ovf(vmdk: &str, vmdk_octets: u64, disk_octets: u64) -> String {
    const DATA_GIB: u32 = 64;
    let item = |number: u32, kind: u32, words: &str| {
        format!(
            "      <Item><rasd:InstanceID>{number}</rasd:InstanceID><rasd:ResourceType>{kind}</rasd:ResourceType>{words}</Item>\n"
        )
    };
    let named = |name: &str, rest: &str| format!("<rasd:ElementName>{name}</rasd:ElementName>{rest}");
    let disk = |at: u32, id: &str| {
        format!(
            "<rasd:AddressOnParent>{at}</rasd:AddressOnParent><rasd:HostResource>ovf:/disk/{id}</rasd:HostResource><rasd:Parent>3</rasd:Parent>"
        )
    };
    let items = [
        item(1, 3, &named("2 processors", "<rasd:VirtualQuantity>2</rasd:VirtualQuantity>")),
        item(
            2,
            4,
            &named("4 GiB", "<rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits><rasd:VirtualQuantity>4096</rasd:VirtualQuantity>"),
        ),
        item(3, 6, &named("SCSI", "<rasd:ResourceSubType>VirtualSCSI</rasd:ResourceSubType>")),
        item(4, 17, &named("System disk", &disk(0, "system"))),
        item(5, 17, &named("Data disk", &disk(1, "data"))),
        item(6, 10, &named("Network", "<rasd:AutomaticAllocation>true</rasd:AutomaticAllocation><rasd:Connection>network</rasd:Connection><rasd:ResourceSubType>VmxNet3</rasd:ResourceSubType>")),
    ]
    .concat();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
<Envelope xmlns=\"http://schemas.dmtf.org/ovf/envelope/1\" xmlns:ovf=\"http://schemas.dmtf.org/ovf/envelope/1\"\n\
  xmlns:rasd=\"http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData\"\n\
  xmlns:vmw=\"http://www.vmware.com/schema/ovf\"\n\
  xmlns:vssd=\"http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData\">\n\
  <References><File ovf:id=\"vmdk\" ovf:href=\"{vmdk}\" ovf:size=\"{vmdk_octets}\"/></References>\n\
  <DiskSection><Info>Disks</Info>\n\
    <Disk ovf:diskId=\"system\" ovf:fileRef=\"vmdk\" ovf:capacity=\"{disk_octets}\"\n\
      ovf:format=\"http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized\"/>\n\
    <Disk ovf:diskId=\"data\" ovf:capacity=\"{DATA_GIB}\" ovf:capacityAllocationUnits=\"byte * 2^30\"\n\
      ovf:format=\"http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized\"/>\n\
  </DiskSection>\n\
  <NetworkSection><Info>Networks</Info><Network ovf:name=\"network\"><Description>Where mail comes from</Description></Network></NetworkSection>\n\
  <VirtualSystem ovf:id=\"facteur\"><Info>Facteur, a mail appliance</Info><Name>facteur</Name>\n\
    <OperatingSystemSection ovf:id=\"96\" vmw:osType=\"debian12_64Guest\"><Info>Debian</Info></OperatingSystemSection>\n\
    <VirtualHardwareSection><Info>Hardware</Info>\n\
      <System><vssd:ElementName>Hardware</vssd:ElementName><vssd:InstanceID>0</vssd:InstanceID><vssd:VirtualSystemType>vmx-14</vssd:VirtualSystemType></System>\n\
{items}\
      <vmw:Config ovf:required=\"false\" vmw:key=\"firmware\" vmw:value=\"efi\"/>\n\
    </VirtualHardwareSection>\n\
  </VirtualSystem>\n\
</Envelope>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_described_as_xml_with_both_disks() {
        let text = ovf("facteur.vmdk", 5, 7);
        for word in ["ovf:size=\"5\"", "ovf:capacity=\"7\"", "ovf:/disk/data", "vmw:value=\"efi\"", "VmxNet3"] {
            assert!(text.contains(word), "{word}");
        }
        let opened = text.matches('<').count() - text.matches("</").count() - text.matches("<?").count();
        assert_eq!(opened, text.matches("</").count() + text.matches("/>").count());
    }
}
