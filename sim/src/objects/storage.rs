//! Claims and data volumes.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Condition, Site, name, owner_of, set_condition};
use crate::kinds::Kind;

/// Storage class of virtual machine disks and of application claims.
const STORAGE_CLASS: &str = "ocs-storagecluster-ceph-rbd";

/// A bound claim.
pub(crate) fn claim(site: &mut Site<'_>, claim_name: &str, size: &str) -> Value {
    let volume = format!("pvc-{}", site.draw.uid());
    let spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, "storageClassName": STORAGE_CLASS,
        "volumeMode": "Filesystem", "volumeName": volume});
    let mut object = site.object(Kind::PersistentVolumeClaim, claim_name, &Value::Null, json!({"spec": spec}));
    object["metadata"]["finalizers"] = json!(["kubernetes.io/pvc-protection"]);
    object["metadata"]["annotations"] = json!({"pv.kubernetes.io/bind-completed": "yes", "pv.kubernetes.io/bound-by-controller": "yes",
        "volume.kubernetes.io/storage-provisioner": "openshift-storage.rbd.csi.ceph.com"});
    bind(&mut object, size);
    object
}

/// Binds a claim.
pub(crate) fn bind(claim: &mut Value, size: &str) {
    claim["status"] = json!({"phase": "Bound", "accessModes": claim["spec"]["accessModes"], "capacity": {"storage": size}});
}

/// A data volume cloned from a golden image, complete.
pub(crate) fn data_volume(site: &mut Site<'_>, volume_name: &str, size: &str, machine: Option<&Value>) -> Value {
    let spec = json!({"pvc": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": size}}, "volumeMode": "Block"},
        "source": {"pvc": {"name": "rhel-10-golden", "namespace": "cnv-images"}}});
    let labels = machine.map_or(Value::Null, |machine| json!({"kubevirt.io/created-by": machine["metadata"]["uid"]}));
    let mut object = site.object(Kind::DataVolume, volume_name, &labels, json!({"spec": spec}));
    object["metadata"]["annotations"] = json!({"cdi.kubevirt.io/cloneType": "csi-clone", "cdi.kubevirt.io/storage.usePopulator": "true"});
    if let Some(machine) = machine {
        object["metadata"]["ownerReferences"] = owner_of(machine);
    }
    set_volume_phase(&mut object, "Succeeded", 100, site.at);
    object
}

/// The claim that a data volume fills.
pub(crate) fn claim_of_volume(site: &mut Site<'_>, volume: &Value) -> Value {
    let size = super::text(volume, "/spec/pvc/resources/requests/storage").to_owned();
    let mut object = claim(site, name(volume), &size);
    object["spec"]["accessModes"] = json!(["ReadWriteMany"]);
    object["spec"]["volumeMode"] = json!("Block");
    object["metadata"]["ownerReferences"] = owner_of(volume);
    object["metadata"]["labels"] = json!({"app": "containerized-data-importer", "app.kubernetes.io/managed-by": "cdi-controller",
        "app.kubernetes.io/part-of": "hyperconverged-cluster"});
    object["metadata"]["annotations"]["cdi.kubevirt.io/createdForDataVolume"] = volume["metadata"]["uid"].clone();
    bind(&mut object, &size);
    object
}

/// Puts a data volume into a phase of its life, with the conditions that belong to it.
pub(crate) fn set_volume_phase(volume: &mut Value, phase: &str, percent: i64, at: DateTime<Utc>) {
    let claim_name = name(volume).to_owned();
    volume["status"]["phase"] = json!(phase);
    volume["status"]["claimName"] = json!(claim_name);
    volume["status"]["progress"] = json!(match phase {
        "Succeeded" => "100.0%".to_owned(),
        "CloneInProgress" | "CSICloneInProgress" | "ImportInProgress" => format!("{percent}.0%"),
        _ => "N/A".to_owned(),
    });
    let (done, failed, running) = (phase == "Succeeded", phase == "Failed", phase.ends_with("InProgress"));
    let bound = format!("PVC {claim_name} {}", if done || running { "Bound" } else { "Pending" });
    let condition = |sort, status, reason, message| Condition {
        sort,
        status,
        reason,
        message,
    };
    set_condition(
        volume,
        condition("Bound", done || running, if done || running { "Bound" } else { "Pending" }, &bound),
        at,
    );
    set_condition(volume, condition("Ready", done, if done { "" } else { "TransferRunning" }, ""), at);
    let (reason, message) = match phase {
        "Succeeded" => ("Completed", "Clone Complete"),
        "Failed" => (
            "Error",
            "Unable to clone: source volume rhel-10-golden: rbd: error opening image: (2) No such file or directory",
        ),
        _ => ("Pending", ""),
    };
    set_condition(
        volume,
        condition(
            "Running",
            running && !failed,
            if running { "" } else { reason },
            if running { "" } else { message },
        ),
        at,
    );
}
