//! What can be ordered: catalog items by the base that their namespaces end in, the lab codes of the event, and what each item demands.

/// Name of the event, and what the names of its items and pools begin with.
pub const EVENT: &str = "techfest-2026";
/// Its id in Labagator.
pub const EVENT_ID: i64 = 7;
/// Where it takes place: Labagator's times are of this zone. It has no daylight saving time, so that a day there has 24 hours.
pub const TIME_ZONE: &str = "America/Phoenix";
/// Hours that the zone's clocks are ahead of UTC.
pub const TIME_ZONE_HOURS: i32 = -7;

/// How the pool of an item does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolFate {
    /// Filled, and refilled when a handle is claimed.
    Healthy,
    /// What is made fails and is replaced, again and again.
    Churning,
    /// As many handles as may be unready are stuck.
    Blocked,
    /// All handles are claimed, new ones are on their way.
    Exhausted,
    /// Nobody wants handles in advance.
    EmptyByDesign,
    /// Its provider makes nothing.
    ProviderDisabled,
}

/// How many seats one instance has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seats {
    /// One.
    Single,
    /// As many users share it.
    Shared(i64),
}

/// One orderable item.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    /// First part of its name.
    pub account: &'static str,
    /// Middle part of its name.
    pub short: &'static str,
    /// Last part of its name: the stage.
    pub stage: &'static str,
    /// What namespaces of it end in; several items share one.
    pub base: &'static str,
    /// For people.
    pub title: &'static str,
    /// Code of the lab at the event; none for what is ordered all year.
    pub code: Option<&'static str>,
    /// Whose deployer makes the namespace: a linked component, with a subject of its own, or the item itself.
    pub linked: Option<&'static str>,
    /// Seats an instance.
    pub seats: Seats,
    /// Its pool.
    pub pool: Option<PoolFate>,
    /// Minutes that provisioning is said to take.
    pub minutes: i64,
    /// Its cloud.
    pub cloud: &'static str,
}

impl Item {
    /// `account.item.stage`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}.{}", self.account, self.short, self.stage)
    }

    /// Namespace of the catalog that it is in.
    #[must_use]
    pub fn catalog(&self) -> String {
        format!("babylon-catalog-{}", self.stage)
    }

    /// The Anarchy namespace of its subjects, or of one of its parts.
    #[must_use]
    pub fn anarchy_namespace(&self, guid: &str) -> String {
        match self.stage {
            "event" => {
                let shard = guid.bytes().map(usize::from).sum::<usize>() % 3;
                format!("babylon-anarchy-events{}", ["", "-b", "-c"].get(shard).copied().unwrap_or_default())
            }
            "prod" => "babylon-anarchy-1".to_owned(),
            _ => "babylon-anarchy".to_owned(),
        }
    }

    /// Its path in the AgnosticV repository.
    #[must_use]
    pub fn path(&self) -> String {
        let upper = |text: &str| text.replace('-', "_").to_uppercase();
        format!("{}/{}/{}.yaml", upper(self.account), upper(self.short), self.stage)
    }
}

/// The Anarchy namespaces of the control plane.
pub const ANARCHY_NAMESPACES: [&str; 5] = [
    "babylon-anarchy",
    "babylon-anarchy-1",
    "babylon-anarchy-events",
    "babylon-anarchy-events-b",
    "babylon-anarchy-events-c",
];

const fn event(
    short: &'static str,
    base: &'static str,
    title: &'static str,
    code: &'static str,
    pool: PoolFate,
    minutes: i64,
    cloud: &'static str,
) -> Item {
    Item {
        account: EVENT,
        short,
        stage: "event",
        base,
        title,
        code: Some(code),
        linked: None,
        seats: Seats::Single,
        pool: Some(pool),
        minutes,
        cloud,
    }
}

const fn yearly(
    account: &'static str,
    short: &'static str,
    stage: &'static str,
    base: &'static str,
    title: &'static str,
    minutes: i64,
    cloud: &'static str,
) -> Item {
    Item {
        account,
        short,
        stage,
        base,
        title,
        code: None,
        linked: None,
        seats: Seats::Single,
        pool: None,
        minutes,
        cloud,
    }
}

const CNV: &str = "openshift_cnv";
const NONE: &str = "none";
const AWS: &str = "ec2";

use PoolFate::{Blocked, Churning, EmptyByDesign, Exhausted, Healthy, ProviderDisabled};

/// Everything in the catalog.
pub const ITEMS: &[Item] = &[
    event(
        "lb1101-first-steps",
        "quickstart",
        "First steps on OpenShift",
        "LB1101",
        Healthy,
        12,
        NONE,
    ),
    event("lb1102-webshop", "webshop", "Modernize a web shop", "LB1102", Healthy, 14, NONE),
    event("lb1203-gitops", "gitops-basics", "GitOps from zero", "LB1203", Healthy, 12, NONE),
    event(
        "lb1204-devspaces",
        "devspaces",
        "Develop in the cloud",
        "LB1204",
        EmptyByDesign,
        15,
        NONE,
    ),
    event(
        "lb1205-pipelines",
        "pipelines",
        "Pipelines that people trust",
        "LB1205",
        Exhausted,
        14,
        NONE,
    ),
    event(
        "lb1206-serverless",
        "serverless",
        "Events and functions",
        "LB1206",
        ProviderDisabled,
        14,
        NONE,
    ),
    event("lb1301-image-mode", "cnv-rhel", "RHEL in image mode", "LB1301", Healthy, 25, CNV),
    event(
        "lb1302-windows",
        "cnv-winbasics",
        "Windows machines on OpenShift",
        "LB1302",
        Healthy,
        35,
        CNV,
    ),
    event(
        "lb1303-migration",
        "cnv-migration",
        "Move machines without downtime",
        "LB1303",
        Blocked,
        40,
        CNV,
    ),
    event(
        "lb1304-networks",
        "cnv-netlab",
        "Networks of virtual machines",
        "LB1304",
        Healthy,
        25,
        CNV,
    ),
    event("lb1401-hardening", "zt-rhelbu", "Hardening RHEL", "LB1401", Healthy, 18, CNV),
    event(
        "lb1402-automation",
        "zt-ansiblebu",
        "Automation at the edge",
        "LB1402",
        Healthy,
        18,
        CNV,
    ),
    event("lb1403-zero-touch", "zt-ocpbu", "Zero touch operations", "LB1403", Healthy, 20, CNV),
    event("lb1501-serving", "llm-serving", "Serve a model", "LB1501", Churning, 30, NONE),
    Item {
        seats: Seats::Shared(12),
        ..event(
            "lb1502-rag",
            "rag-workshop",
            "Answers from your documents",
            "LB1502",
            EmptyByDesign,
            35,
            NONE,
        )
    },
    event(
        "lb1601-clusters",
        "ocp4-cluster",
        "A cluster of your own",
        "LB1601",
        Healthy,
        45,
        CNV,
    ),
    Item {
        linked: Some("base-infra.sno-base.event"),
        ..event("lb1602-edge", "ocp4-sno", "Single node at the edge", "LB1602", Healthy, 50, NONE)
    },
    event(
        "lb1701-cloud-native",
        "showroom",
        "Cloud native on rented machines",
        "LB1701",
        EmptyByDesign,
        30,
        AWS,
    ),
    yearly("open-labs", "openshift-tour", "prod", "quickstart", "A tour of OpenShift", 12, NONE),
    yearly("open-labs", "rhel-essentials", "prod", "cnv-rhel", "RHEL essentials", 25, CNV),
    yearly("open-labs", "ansible-basics", "prod", "zt-ansiblebu", "Ansible basics", 18, CNV),
    yearly("open-labs", "security-roadshow", "prod", "zt-rhelbu", "Security roadshow", 18, CNV),
    yearly(
        "open-labs",
        "gitops-demo",
        "prod",
        "gitops-basics",
        "GitOps in ten minutes",
        12,
        NONE,
    ),
    yearly(
        "open-labs",
        "cluster-on-demand",
        "prod",
        "ocp4-cluster",
        "A cluster on demand",
        45,
        CNV,
    ),
    yearly("open-labs", "cloud-showroom", "prod", "showroom", "Instructions only", 10, AWS),
    yearly("dev-labs", "webshop-next", "dev", "webshop", "Web shop, next version", 14, NONE),
    yearly(
        "dev-labs",
        "migration-next",
        "dev",
        "cnv-migration",
        "Migration, next version",
        40,
        CNV,
    ),
    yearly("dev-labs", "serving-next", "dev", "llm-serving", "Serving, next version", 30, NONE),
    yearly("dev-labs", "rag-nightly", "test", "rag-workshop", "RAG, every night", 35, NONE),
];

/// Components that no one orders: they come with an item.
pub const LINKED: &[(&str, &str)] = &[("base-infra.sno-base.event", "openshift_cnv")];

/// Where an item is in [`ITEMS`].
#[must_use]
pub fn position(code: &str) -> Option<usize> {
    ITEMS.iter().position(|item| item.code == Some(code))
}

/// Repository and reference of the content that a showroom should clone, by the name that it has there.
#[must_use]
pub fn content(name: &str) -> (String, &'static str) {
    (format!("https://git.example.test/labs/{name}.git"), "main")
}

/// Roles that items of a base execute.
#[must_use]
pub fn workloads(base: &str) -> Vec<&'static str> {
    let mut roles = match base {
        "gitops-basics" => vec!["ocp4_workload_openshift_gitops", "ocp4_workload_gitea_operator"],
        "pipelines" => vec!["ocp4_workload_pipelines", "ocp4_workload_gitea_operator"],
        "serverless" => vec!["ocp4_workload_serverless"],
        "devspaces" => vec!["ocp4_workload_devspaces"],
        "llm-serving" | "rag-workshop" => vec!["ocp4_workload_openshift_ai", "ocp4_workload_model_serving"],
        base if base.starts_with("cnv-") || base.starts_with("ocp4-") => vec!["ocp4_workload_virt_vms"],
        base if base.starts_with("zt-") => vec!["ocp4_workload_virt_vms", "ocp4_workload_gitea_operator"],
        // What the first deployment of every lab in containers is called.
        "quickstart" | "webshop" => vec!["ocp4_workload_web"],
        _ => Vec::new(),
    };
    roles.push("ocp4_workload_showroom");
    roles
}
