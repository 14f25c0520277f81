use super::*;
use crate::evidence::testing::{World, meta};
use crate::objects::operator::SubscriptionSpec;
use crate::objects::showroom::PodTemplate;
use crate::objects::virt::{Domain, DomainCpu, DomainMemory};
use crate::objects::{ClusterVersion, Deployment, Subscription, VirtualMachine};
use crate::unknown::UnknownReason;

const CONTENT: &str = "https://git.example.org/acme/content";

fn exactly(text: &str) -> Wanted {
    Wanted::Exactly(text.to_owned())
}

fn here() -> Constraints {
    Constraints {
        cloud_provider: exactly("none"),
        ..Constraints::default()
    }
}

fn cluster(subscriptions: Vec<Subscription>) -> ClusterInventory {
    let mut version = ClusterVersion::default();
    version.status.desired.version = "4.16.8".to_owned();
    ClusterInventory {
        name: "east".to_owned(),
        versions: Listing::complete(vec![version]),
        subscriptions: Listing::complete(subscriptions),
        ..ClusterInventory::default()
    }
}

fn subscription(namespace: &str, package: &str, channel: &str) -> Subscription {
    let mut metadata = meta(package);
    metadata.namespace = Some(namespace.to_owned());
    Subscription {
        metadata,
        spec: SubscriptionSpec {
            package: package.to_owned(),
            channel: channel.to_owned(),
        },
        ..Subscription::default()
    }
}

fn deployment(name: &str) -> Deployment {
    Deployment {
        metadata: meta(name),
        ..Deployment::default()
    }
}

fn showroom(repo: &str, reference: &str) -> Deployment {
    let mut deployment = deployment("showroom");
    deployment.spec.template = PodTemplate::cloning(repo, reference);
    deployment
}

fn worker(name: &str, cores: i64, memory: &str) -> VirtualMachine {
    let mut vm = VirtualMachine {
        metadata: meta(name),
        ..VirtualMachine::default()
    };
    vm.spec.template.spec.domain = Domain {
        cpu: Some(DomainCpu {
            cores: Some(cores),
            sockets: Some(2),
            threads: None,
        }),
        memory: Some(DomainMemory {
            guest: Some(memory.to_owned()),
        }),
    };
    vm
}

fn told(compared: &Compared) -> Vec<String> {
    let broken = compared
        .violations
        .iter()
        .map(|it| format!("{}: {} but {}", it.kind.as_str(), it.expected, it.actual));
    let unknown = compared
        .unchecked
        .iter()
        .map(|it| format!("{}: {}?", it.kind.as_str(), it.expected));
    broken.chain(unknown).collect()
}

fn compared(wanted: &Constraints, world: &World, cluster: &ClusterInventory) -> Vec<String> {
    told(&compare(wanted, &world.inventory, cluster))
}

fn workloads(roles: &[&str]) -> Constraints {
    Constraints {
        workloads: roles.iter().map(|&role| role.to_owned()).collect(),
        ..here()
    }
}

#[test]
fn a_workload_that_left_nothing_is_told_beside_one_that_did() {
    let world = World::new().deployments([deployment("gitea-postgres"), deployment("gitops-console")]);
    let wanted = workloads(&[
        "agnosticd.core.ocp4_workload_gitea",
        "ocp4_workload_git",
        "ocp4-workload-pipelines",
        "ocp4_workload_gitea_config",
    ]);
    let pipelines = subscription("openshift-operators", "openshift-pipelines-operator-rh", "latest");
    assert_eq!(
        compared(&wanted, &world, &cluster(vec![pipelines])),
        [
            "workload_not_deployed: ocp4_workload_git but not found",
            "workload_not_deployed: ocp4_workload_gitea_config?"
        ],
        "`git` is neither in gitea nor in gitops; a role that sets something up leaves nothing"
    );
}

#[test]
fn workloads_that_may_run_elsewhere_are_not_missed() {
    let world = World::new().deployments([deployment("web")]);
    let roles = ["ocp4_workload_gitea", "ocp4_workload_pipelines"];
    let unknown = [
        "workload_not_deployed: ocp4_workload_gitea?",
        "workload_not_deployed: ocp4_workload_pipelines?",
    ];
    assert_eq!(
        compared(&workloads(&roles), &world, &cluster(vec![])),
        unknown,
        "none of them is here"
    );
    let mut machines = workloads(&roles);
    machines.cloud_provider = exactly("openshift_cnv");
    let world = World::new().deployments([deployment("gitea")]);
    assert_eq!(
        compared(&machines, &world, &cluster(vec![])),
        unknown,
        "they run inside the machines"
    );
    let mut unread = World::new().deployments([deployment("gitea")]);
    unread.inventory.pods = Listing::unknown(UnknownReason::Forbidden);
    assert_eq!(
        compared(&workloads(&roles), &unread, &cluster(vec![])),
        unknown,
        "pods were not read"
    );
}

#[test]
fn operators_are_compared_by_channel_and_the_own_one_first() {
    let wanted = Constraints {
        channels: [("ocp4_workload_pipelines_channel".to_owned(), "pipelines-1.15".to_owned())].into(),
        ..here()
    };
    let of = |subscriptions| compared(&wanted, &World::new(), &cluster(subscriptions));
    let package = "openshift-pipelines-operator-rh";
    let unknown = ["operator_version_drift: ocp4_workload_pipelines_channel: pipelines-1.15?"];
    let broken = ["operator_version_drift: ocp4_workload_pipelines_channel: pipelines-1.15 but latest"];
    assert_eq!(of(vec![subscription("openshift-operators", package, "latest")]), broken);
    assert!(of(vec![subscription("openshift-operators", package, "pipelines-1.15")]).is_empty());
    let own = subscription("sandbox-q7f2k-netbasics", package, "pipelines-1.15");
    assert!(of(vec![subscription("openshift-operators", package, "latest"), own]).is_empty());
    assert_eq!(
        of(vec![subscription("sandbox-other-netbasics", package, "latest")]),
        unknown,
        "another lab's operator"
    );
    assert_eq!(
        of(vec![subscription("openshift-operators", "openshift-pipelines-as-code", "latest")]),
        unknown,
        "another package"
    );
    assert_eq!(
        of(vec![subscription("openshift-operators", package, "")]),
        unknown,
        "both must be known"
    );
    let mut unread = cluster(vec![]);
    unread.subscriptions = Listing::unknown(UnknownReason::Forbidden);
    let unread = compare(&wanted, &World::new().inventory, &unread);
    assert_eq!(unread.unchecked[0].reason, "operator Subscriptions were not read: forbidden");
}

#[test]
fn a_showroom_clones_what_is_declared() {
    let wanted = Constraints {
        showroom_repo: exactly(CONTENT),
        showroom_ref: exactly("main"),
        ..Constraints::default()
    };
    let of = |deployment| compared(&wanted, &World::new().deployments([deployment]), &cluster(vec![]));
    assert!(of(showroom("https://git.example.org/acme/content.git", "main")).is_empty());
    assert_eq!(
        of(showroom(CONTENT, "v2")),
        ["showroom_wrong_ref: main but v2"],
        "a kind of its own, not the content's"
    );
    assert_eq!(
        of(showroom("https://git.example.org/acme/content-old", "v2")),
        [
            "showroom_wrong_content: https://git.example.org/acme/content but https://git.example.org/acme/content-old",
            "showroom_wrong_ref: main?"
        ]
    );
    let unknown = [
        "showroom_wrong_content: https://git.example.org/acme/content?",
        "showroom_wrong_ref: main?",
    ];
    assert_eq!(of(deployment("showroom")), unknown, "nothing is cloned there");
    assert_eq!(of(deployment("web")), unknown);
}

#[test]
fn templates_are_never_compared() {
    let wanted = Constraints {
        showroom_repo: Wanted::Dynamic,
        showroom_ref: Wanted::Dynamic,
        openshift_version: Wanted::Dynamic,
        ..here()
    };
    let compared = compare(
        &wanted,
        &World::new().deployments([showroom(CONTENT, "main")]).inventory,
        &cluster(vec![]),
    );
    assert_eq!((compared.violations.len(), compared.unchecked.len()), (0, 3));
}

#[test]
fn workers_are_counted_and_measured() {
    let wanted = Constraints {
        cloud_provider: exactly("openshift_cnv"),
        worker_count: Some(3),
        worker_cores: Some(16),
        worker_memory_gib: Some(64),
        openshift_version: exactly("4.17"),
        ..Constraints::default()
    };
    let of = |vms: Vec<VirtualMachine>| compared(&wanted, &World::new().vms(vms), &cluster(vec![]));
    let good = |name| worker(name, 8, "64Gi");
    let version = "resource_below_spec: OpenShift 4.17?";
    assert_eq!(of(vec![good("worker-a-1"), good("worker-a-2"), good("worker-a-3")]), [version]);
    assert_eq!(
        of(vec![good("worker-a-1"), worker("worker-a-2", 4, "32Gi"), good("coworker")]),
        [
            "resource_below_spec: 16 cores a worker but 8",
            "resource_below_spec: 3 workers but 2",
            "resource_below_spec: 64 GiB a worker but 32",
            version
        ]
    );
    let mut typed = good("worker-a-3");
    typed.spec.template.spec.domain = Domain::default();
    assert_eq!(
        of(vec![good("worker-a-1"), good("worker-a-2"), typed]),
        [
            "resource_below_spec: 16 cores a worker?",
            "resource_below_spec: 64 GiB a worker?",
            version
        ]
    );
    assert_eq!(of(vec![good("bastion")]).len(), 4, "no machine is named as a worker: nobody knows");
    assert!(of(vec![good("bastion")]).iter().all(|told| told.ends_with('?')));
}

#[test]
fn a_version_is_kept_by_its_patches() {
    let of = |version: &str| {
        let wanted = Constraints {
            openshift_version: exactly(version),
            ..here()
        };
        compared(&wanted, &World::new(), &cluster(vec![]))
    };
    assert!(of("4.16").is_empty());
    assert!(of("4.16.8").is_empty());
    assert_eq!(of("4.1"), ["resource_below_spec: OpenShift 4.1 but 4.16.8"]);
    assert_eq!(of("4.17"), ["resource_below_spec: OpenShift 4.17 but 4.16.8"]);
}

#[test]
fn nothing_demanded_is_nothing_told_and_what_nobody_could_look_at_stays_open() {
    assert_eq!(
        compare(&Constraints::default(), &World::new().inventory, &ClusterInventory::default()),
        Compared::default()
    );
    let wanted = workloads(&["ocp4_workload_gitea"]);
    let compared = compare(&wanted, &World::new().inventory, &cluster(vec![]));
    assert!(compared.leaves_open("workload_not_deployed", "ocp4_workload_gitea"));
    assert!(!compared.leaves_open("workload_not_deployed", "no longer demanded"));
}
