//! Signs that this is, or is not, a machine of Azure's.

/// The chassis asset tag of every Azure virtual machine, as its firmware tables carry it.
const AZURE_CHASSIS_ASSET_TAG: &str = "7783-7084-3265-9085-8269-3286-77";

/// What can be seen of the machine without asking the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Machine {
    /// The chassis asset tag from the firmware's tables, if it can be read.
    pub chassis_asset_tag: Option<String>,
    /// Whether anything shows that this runs inside a container, whose firmware tables are its host's.
    pub in_container: bool,
}

/// What a [`Machine`] says about a managed identity endpoint being near.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MachineEvidence {
    /// An Azure virtual machine, or a container on one.
    Azure,
    /// Positively another machine.
    NotAzure,
    /// Nothing can be said.
    Unknown,
}

impl Machine {
    /// A machine with this chassis asset tag.
    pub fn with_chassis_asset_tag(tag: impl Into<String>) -> Self {
        Self {
            chassis_asset_tag: Some(tag.into()),
            in_container: false,
        }
    }

    /// The same machine, seen from inside a container.
    #[must_use]
    pub fn inside_container(mut self) -> Self {
        self.in_container = true;
        self
    }

    /// What the signs add up to.
    pub fn evidence(&self) -> MachineEvidence {
        match self.chassis_asset_tag.as_deref().map(str::trim) {
            Some(AZURE_CHASSIS_ASSET_TAG) => MachineEvidence::Azure,
            Some(tag) if !tag.is_empty() && !self.in_container => MachineEvidence::NotAzure,
            _ => MachineEvidence::Unknown,
        }
    }

    /// Reads the signs of the machine this process runs on.
    pub(super) fn this_one() -> Self {
        #[cfg(target_os = "linux")]
        {
            use std::path::Path;
            Self {
                chassis_asset_tag: std::fs::read_to_string("/sys/class/dmi/id/chassis_asset_tag")
                    .ok(),
                in_container: Path::new("/.dockerenv").exists()
                    || Path::new("/run/.containerenv").exists()
                    || std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()
                    || std::env::var_os("container").is_some(),
            }
        }
        #[cfg(not(target_os = "linux"))]
        {
            Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_follows_tag_and_container() {
        use MachineEvidence::{Azure, NotAzure, Unknown};
        let azure = Machine::with_chassis_asset_tag(format!("{AZURE_CHASSIS_ASSET_TAG}\n"));
        let laptop = Machine::with_chassis_asset_tag("No Asset Information");
        for (machine, expected) in [
            (azure.clone(), Azure),
            (azure.inside_container(), Azure),
            (laptop.clone(), NotAzure),
            (laptop.inside_container(), Unknown),
            (Machine::with_chassis_asset_tag(" \n"), Unknown),
            (Machine::default(), Unknown),
        ] {
            assert_eq!(machine.evidence(), expected, "{machine:?}");
        }
    }
}
