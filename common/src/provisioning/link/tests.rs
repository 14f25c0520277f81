//! Worked examples of joins, and properties of all of them.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::provisioning::ObjectRef;
use crate::provisioning::subject::{ActionTimes, TowerJob};

fn at(minutes: i64) -> DateTime<Utc> {
    "2031-03-04T09:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minutes)
}

fn name(namespace: &str, name: &str) -> ObjectRef {
    ObjectRef {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

fn subject(uid: &str, service_uuid: &str) -> AnarchySubject {
    AnarchySubject {
        uid: uid.to_owned(),
        namespace: "anarchy-1".to_owned(),
        name: format!("acme.web.event-{uid}"),
        created_at: Some(at(0)),
        governor: "acme.web.event".to_owned(),
        current_state: "started".to_owned(),
        guid: uid.to_owned(),
        service_uuid: service_uuid.to_owned(),
        handle: Some(name("poolboy", &format!("guid-{uid}"))),
        ..AnarchySubject::default()
    }
}

fn handle(uid: &str, claimed: bool) -> ResourceHandle {
    ResourceHandle {
        uid: format!("h-{uid}"),
        namespace: "poolboy".to_owned(),
        name: format!("guid-{uid}"),
        claim: claimed.then(|| name("user-1", &format!("order-{uid}"))),
        providers: vec!["acme.web.event".to_owned()],
        ..ResourceHandle::default()
    }
}

fn claim(uid: &str, item: &str) -> ResourceClaim {
    ResourceClaim {
        uid: format!("c-{uid}"),
        namespace: "user-1".to_owned(),
        name: format!("order-{uid}"),
        handle: Some(name("poolboy", &format!("guid-{uid}"))),
        catalog_item: Some(name("babylon-catalog-event", item)),
        ..ResourceClaim::default()
    }
}

fn item(name: &str) -> CatalogItem {
    CatalogItem {
        uid: format!("i-{name}"),
        namespace: "babylon-catalog-event".to_owned(),
        name: name.to_owned(),
        ..CatalogItem::default()
    }
}

fn lab(code: &str, ci_name: &str) -> Lab {
    Lab {
        code: code.to_owned(),
        ci_name: ci_name.to_owned(),
        ..Lab::default()
    }
}

fn instance(id: &str, service_uuid: &str) -> InstanceNode {
    InstanceNode {
        id: id.to_owned(),
        cluster: "east".to_owned(),
        namespace: format!("sandbox-{id}-web"),
        service_uuid: service_uuid.to_owned(),
        guid: id.to_owned(),
        guid_in_name: id.to_owned(),
        created_at: Some(at(1)),
    }
}

fn session(id: &str, lab_code: &str) -> Session {
    Session {
        id: id.to_owned(),
        lab_code: lab_code.to_owned(),
        date: at(0).date_naive(),
        start_time: None,
        end_time: None,
        time_zone: "Europe/Berlin".to_owned(),
        starts_at: None,
        ends_at: None,
        time_note: String::new(),
        room: String::new(),
        attendees: None,
        status: String::new(),
        event_id: None,
    }
}

/// Everything was read at minute 10.
fn world() -> World {
    World {
        clusters: [("east".to_owned(), Some(at(10)))].into(),
        known: RecordKind::ALL.map(|kind| (kind, at(10))).into(),
        lab_stages: ["event", "prod"].map(str::to_owned).into(),
        ..World::default()
    }
}

/// One claimed order, from its namespace to its session.
fn chain() -> World {
    World {
        instances: vec![instance("k7m2q", "u1")],
        subjects: vec![AnarchySubject {
            lab_cluster: "east".to_owned(),
            lab_namespace: "sandbox-k7m2q-web".to_owned(),
            ..subject("k7m2q", "u1")
        }],
        handles: vec![handle("k7m2q", true)],
        claims: vec![claim("k7m2q", "acme.web.event")],
        catalog_items: vec![item("acme.web.event")],
        labs: vec![lab("LB0042", "acme.web")],
        sessions: vec![session("s1", "LB0042")],
        ..world()
    }
}

/// The edge between two kinds, as text: there must be one at most.
fn edge(world: &World, from: &str, to: &str) -> String {
    let links = resolve(world).links;
    let found = links.iter().filter(|link| link.from.0.as_str() == from && link.to.0.as_str() == to);
    let found: Vec<String> = found
        .map(|link| format!("{} -> {} by {} ({})", link.from.1, link.to.1, link.method, link.strength.as_str()))
        .collect();
    found.join("\n")
}

fn unmatched(world: &World) -> Vec<String> {
    let found = resolve(world).unmatched;
    found
        .iter()
        .map(|one| format!("{} {}: {}", one.kind, one.wanted, one.reason))
        .collect()
}

#[test]
fn a_claimed_order_is_joined_exactly_up_to_its_item_and_strongly_to_its_lab() {
    let world = chain();
    insta::assert_snapshot!(
        resolve(&world).links.iter().map(|link| format!(
            "{:<16} {:<16} {:<16} {:<16} {:<7}{}",
            link.from.0, link.from.1, link.to.0, link.to.1, link.strength.as_str(), link.method
        )).collect::<Vec<_>>().join("\n"),
        @r#"
    catalog-item     acme.web.event   lab              LB0042           strong ci_name
    instance         k7m2q            catalog-item     acme.web.event   exact  service_uuid > handle > claim > catalogItemName
    instance         k7m2q            lab              LB0042           strong service_uuid > handle > claim > catalogItemName > ci_name
    instance         k7m2q            resource-claim   c-k7m2q          exact  service_uuid > handle > claim
    instance         k7m2q            resource-handle  h-k7m2q          exact  service_uuid > handle
    instance         k7m2q            subject          k7m2q            exact  service_uuid
    resource-claim   c-k7m2q          catalog-item     acme.web.event   exact  catalogItemName
    resource-claim   c-k7m2q          resource-handle  h-k7m2q          exact  claim status
    resource-handle  h-k7m2q          catalog-item     acme.web.event   exact  claim > catalogItemName
    session          s1               lab              LB0042           exact  lab_code
    subject          k7m2q            catalog-item     acme.web.event   exact  handle > claim > catalogItemName
    subject          k7m2q            resource-claim   c-k7m2q          exact  handle > claim
    subject          k7m2q            resource-handle  h-k7m2q          exact  handle
"#
    );
    assert_eq!(unmatched(&world), Vec::<String>::new());
}

#[test]
fn an_unclaimed_handle_names_its_item_by_its_provider() {
    let mut world = chain();
    world.claims.clear();
    world.handles = vec![handle("k7m2q", false)];
    world.providers = vec![ResourceProvider {
        uid: "p".to_owned(),
        name: "acme.web.event".to_owned(),
        catalog_item: Some(name("babylon-catalog-event", "acme.web.event")),
        ..ResourceProvider::default()
    }];
    let found = edge(&world, "instance", "catalog-item");
    assert_eq!(found, "k7m2q -> acme.web.event by service_uuid > handle > provider (strong)");
    assert_eq!(edge(&world, "instance", "resource-claim"), "");
}

#[test]
fn a_detached_claim_joins_nothing() {
    let mut world = chain();
    world.claims[0].detached = true;
    assert_eq!(edge(&world, "resource-claim", "resource-handle"), "");
    assert_eq!(edge(&world, "instance", "resource-claim"), "");
}

#[test]
fn of_several_components_the_claim_says_what_was_ordered() {
    let mut world = chain();
    world.subjects.push(AnarchySubject {
        uid: "base".to_owned(),
        name: "acme.base.event-k7m2q-1".to_owned(),
        namespace: "anarchy-2".to_owned(),
        governor: "acme.base.event".to_owned(),
        guid: "k7m2q-1".to_owned(),
        ..subject("k7m2q", "u2")
    });
    world.handles[0].subjects = vec![
        name("anarchy-1", "acme.web.event-k7m2q"),
        name("anarchy-2", "acme.base.event-k7m2q-1"),
    ];
    world.catalog_items.push(item("acme.base.event"));
    world.instances.push(instance("k7m2q-1", "u2"));
    let items = edge(&world, "instance", "catalog-item");
    assert_eq!(
        items,
        "k7m2q -> acme.web.event by service_uuid > handle > claim > catalogItemName (exact)\n\
         k7m2q-1 -> acme.web.event by service_uuid > handle > claim > catalogItemName (exact)"
    );
    // Without claim and provider nothing says which of the two was ordered.
    world.claims.clear();
    world.handles[0].claim = None;
    world.handles[0].providers.clear();
    assert_eq!(edge(&world, "instance", "catalog-item"), "");
}

#[test]
fn a_guid_that_was_used_before_is_that_of_the_newest_order_that_is_older_than_the_namespace() {
    let mut world = world();
    let made = |uid: &str, minutes| AnarchySubject {
        guid: "k7m2q".to_owned(),
        created_at: Some(at(minutes)),
        ..subject(uid, uid)
    };
    world.subjects = vec![made("old", -500), made("this", 0), made("later", 5)];
    world.instances = vec![instance("k7m2q", "")];
    assert_eq!(edge(&world, "instance", "subject"), "k7m2q -> this by guid (strong)");
    world.instances[0].guid.clear();
    assert_eq!(edge(&world, "instance", "subject"), "k7m2q -> this by guid in name (weak)");
    world.instances[0].created_at = None;
    assert_eq!(edge(&world, "instance", "subject"), "", "nobody can tell which");
    let found = unmatched(&world);
    assert_eq!(
        found,
        ["instance subject: ambiguous: east/sandbox-k7m2q-web: several subjects fit its guid alike"]
    );
}

#[test]
fn a_service_that_differs_is_not_joined_by_guid_or_place() {
    let mut world = chain();
    world.subjects[0].service_uuid = "another".to_owned();
    assert_eq!(edge(&world, "instance", "subject"), "");
    // A subject that does not say its service is joined by the place it says it was given.
    world.subjects[0].service_uuid.clear();
    assert_eq!(
        edge(&world, "instance", "subject"),
        "k7m2q -> k7m2q by namespace > cluster name (exact)"
    );
}

#[test]
fn what_nobody_has_is_leaked_and_what_only_a_placement_has_lost_its_teardown() {
    let mut world = chain();
    world.subjects.clear();
    world.handles.clear();
    let leaked = "instance subject: leaked: east/sandbox-k7m2q-web: neither a subject nor a placement has its service u1";
    assert_eq!(unmatched(&world), [leaked]);
    world.placements = vec![Placement {
        name: "p1".to_owned(),
        service_uuid: "u1".to_owned(),
        namespace: "sandbox-k7m2q-web".to_owned(),
        cluster: "east".to_owned(),
        created_at: Some(at(0)),
        ..Placement::default()
    }];
    assert_eq!(
        unmatched(&world),
        [
            "instance subject: teardown-lost: east/sandbox-k7m2q-web has a placement, but no subject",
            "placement subject: teardown-lost: p1: no subject has its service u1",
        ]
    );
    assert_eq!(edge(&world, "instance", "placement"), "k7m2q -> p1 by service_uuid (exact)");
    // What is being cleaned up lost its subject as it should.
    world.placements[0].to_cleanup = true;
    assert_eq!(unmatched(&world).len(), 1);
}

#[test]
fn what_was_not_read_is_not_missing() {
    let mut world = chain();
    world.subjects.clear();
    world.known.remove(&RecordKind::Placement);
    let told = "instance subject: not-found: east/sandbox-k7m2q-web: no subject has its service u1; placements are not known";
    assert_eq!(unmatched(&world), [told]);
    // A namespace that came after the subjects were read.
    world.instances[0].created_at = Some(at(11));
    assert_eq!(unmatched(&world), Vec::<String>::new());
    world.instances[0].created_at = Some(at(1));
    world.known.clear();
    assert_eq!(unmatched(&world), Vec::<String>::new());
}

#[test]
fn a_started_subject_without_its_namespace_is_a_ghost_where_namespaces_were_read_since() {
    let mut world = chain();
    world.instances.clear();
    let done = ActionTimes {
        completed_at: Some(at(5)),
        ..ActionTimes::default()
    };
    world.subjects[0].actions = [("provision".to_owned(), done)].into();
    let ghost = "subject instance: ghost: acme.web.event-k7m2q is started, but east has no lab namespace sandbox-k7m2q-web";
    assert_eq!(unmatched(&world), [ghost]);
    let not_one = |change: fn(&mut World)| {
        let mut world = world.clone();
        change(&mut world);
        assert_eq!(unmatched(&world), Vec::<String>::new());
    };
    not_one(|world| world.clusters = [("east".to_owned(), Some(at(4)))].into());
    not_one(|world| world.clusters = [("east".to_owned(), None)].into());
    not_one(|world| world.left = [("east".to_owned(), "sandbox-k7m2q-web".to_owned())].into());
    not_one(|world| world.subjects[0].current_state = "provisioning".to_owned());
    not_one(|world| world.subjects[0].deleting_since = Some(at(9)));
    not_one(|world| world.known.retain(|kind, _| *kind != RecordKind::Subject));
}

#[test]
fn a_cluster_by_another_name_needs_an_alias() {
    let mut world = chain();
    world.subjects[0].lab_cluster = "ocp-7".to_owned();
    let told = "sandbox-cluster cluster: not-found: no cluster of that name or address is scanned; STARGATE_CLUSTER_ALIASES may name it";
    assert_eq!(unmatched(&world), [told]);
    world.aliases = "ocp-7=east".parse().unwrap();
    assert_eq!(unmatched(&world), Vec::<String>::new());
}

#[test]
fn an_item_has_its_lab_from_the_table_else_from_labagator_else_from_its_name() {
    let mut world = chain();
    let lab_of = |world: &World| edge(world, "instance", "lab");
    let path = "service_uuid > handle > claim > catalogItemName";
    assert_eq!(lab_of(&world), format!("k7m2q -> LB0042 by {path} > ci_name (strong)"));
    world.labs[0].ci_name = "LB0042".to_owned();
    assert_eq!(lab_of(&world), "", "a code names no item");
    world.mappings = LabMappings::parse("mappings: [{item: acme.web, lab: lb0042}]").unwrap();
    assert_eq!(lab_of(&world), format!("k7m2q -> LB0042 by {path} > table of labs (strong)"));

    let mut world = chain();
    world.labs[0].ci_name.clear();
    world.claims = vec![claim("k7m2q", "acme.lb0042-web.event")];
    assert_eq!(lab_of(&world), format!("k7m2q -> LB0042 by {path} > code in item name (weak)"));
    world.claims = vec![claim("k7m2q", "acme.lb00421-web.event")];
    assert_eq!(lab_of(&world), "", "only a whole word is the code");
}

#[test]
fn a_stage_that_sessions_do_not_use_is_of_no_lab() {
    let mut world = chain();
    world.claims = vec![claim("k7m2q", "acme.web.dev")];
    assert_eq!(edge(&world, "instance", "lab"), "");
    let found = unmatched(&world);
    assert_eq!(
        found,
        Vec::<String>::new(),
        "an item of developers misses no lab, and LB0042 has its item"
    );
    world.labs[0].ci_name = "acme.web.dev".to_owned();
    assert!(
        edge(&world, "instance", "lab").ends_with("ci_name (strong)"),
        "unless Labagator says so"
    );
}

#[test]
fn an_item_that_labs_share_gives_its_instances_none() {
    let mut world = chain();
    world.labs.push(lab("LB0043", "acme.web"));
    assert_eq!(edge(&world, "instance", "lab"), "");
    assert_eq!(edge(&world, "catalog-item", "lab").lines().count(), 2);
    let told = "catalog-item lab: ambiguous: acme.web.event is shared by LB0042, LB0043; the table of labs can settle it";
    assert_eq!(unmatched(&world), [told]);
    world.mappings = LabMappings::parse("mappings: [{item: acme.web.event, lab: LB0043}]").unwrap();
    assert!(edge(&world, "instance", "lab").starts_with("k7m2q -> LB0043 by"));
}

#[test]
fn labs_sessions_and_items_that_join_nothing_are_told() {
    let mut world = chain();
    world.labs = vec![lab("LB0001", "acme.gone"), lab("LB0002", "")];
    world.sessions.push(session("s2", "LB0001"));
    world.mappings = LabMappings::parse("mappings: [{item: acme.mesh, lab: LB0003}]").unwrap();
    assert_eq!(
        unmatched(&world),
        [
            "catalog-item lab: not-found: the table of labs gives it the lab LB0003, which is not there",
            "catalog-item lab: not-found: acme.web.event has live instances, and no lab names it",
            "lab catalog-item: not-found: no catalog item \"acme.gone\" is there",
            "lab catalog-item: unidentified: it names no catalog item, and no item carries its code",
            "lab catalog-item: not-found: the table of labs names the item acme.mesh, which is not there",
            "session lab: not-found: no lab has the code \"LB0042\"",
        ]
    );
}

fn smoke(id: i64, name: &str, url: &str) -> SmokeSession {
    SmokeSession {
        id,
        name: name.to_owned(),
        workshop_url: url.to_owned(),
        ..SmokeSession::default()
    }
}

#[test]
fn a_smoke_run_is_of_the_lab_of_its_workshop_else_of_the_code_in_its_name() {
    let mut world = chain();
    world.workshops = vec![Workshop {
        uid: "w".to_owned(),
        namespace: "user-1".to_owned(),
        name: "web".to_owned(),
        workshop_id: "ab12cd".to_owned(),
        url: "https://demo.example.test/workshop/ab12cd".to_owned(),
        ..Workshop::default()
    }];
    let label = ("babylon.gpte.redhat.com/workshop".to_owned(), "web".to_owned());
    world.claims[0].labels = [label].into();
    assert_eq!(
        edge(&world, "instance", "workshop"),
        "k7m2q -> w by service_uuid > handle > claim > workshop label (exact)"
    );
    world.smoke_sessions = vec![smoke(1, "tuesday", "HTTPS://demo.example.test/workshop/ab12cd/?x=1")];
    assert_eq!(edge(&world, "smoke-run", "lab"), "1 -> LB0042 by workshop url > ci_name (strong)");
    world.smoke_sessions = vec![smoke(1, "tuesday", "https://other.example.test/ab12cd")];
    assert_eq!(
        edge(&world, "smoke-run", "lab"),
        "1 -> LB0042 by workshop id in url > ci_name (strong)"
    );
    world.smoke_sessions = vec![smoke(1, "rehearsal lb0042 (all)", "")];
    assert_eq!(edge(&world, "smoke-run", "lab"), "1 -> LB0042 by code in name (weak)");
    world.smoke_sessions = vec![smoke(1, "rehearsal lb00420", "")];
    assert_eq!(
        unmatched(&world),
        ["smoke-run lab: not-found: neither its workshop nor its name \"rehearsal lb00420\" tells one lab"]
    );
}

#[test]
fn jobs_and_placements_are_joined_to_their_subject() {
    let mut world = chain();
    let job = TowerJob {
        host: "aap-1".to_owned(),
        id: Some(7),
        ..TowerJob::default()
    };
    world.subjects[0].jobs = [("provision".to_owned(), job)].into();
    let node = |key: &str, uuid: &str| JobNode {
        key: key.to_owned(),
        service_uuid: uuid.to_owned(),
    };
    world.jobs = vec![node("aap-1/7", ""), node("aap-2/7", ""), node("aap-2/9", "u1")];
    assert_eq!(
        edge(&world, "aap-job", "subject"),
        "aap-1/7 -> k7m2q by towerJobs (exact)\naap-2/9 -> k7m2q by uuid in job name (exact)"
    );
}

#[test]
fn kinds_sort_as_their_names() {
    let mut kinds: Vec<NodeKind> = RecordKind::ALL.map(NodeKind::Record).to_vec();
    kinds.extend([NodeKind::Instance, NodeKind::Cluster]);
    kinds.sort();
    let names: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    assert!(names.is_sorted());
    assert!(kinds.iter().all(|kind| NodeKind::parse(kind.as_str()) == Some(*kind)));
}

/// A world in which keys meet, repeat and are missing.
fn worlds() -> impl Strategy<Value = World> {
    let subject = (0..6_u8, 0..4_u8, 0..3_u8, -5..5_i64).prop_map(|(uid, uuid, guid, made)| AnarchySubject {
        guid: format!("g{guid}"),
        created_at: (made != 0).then(|| at(made)),
        lab_cluster: "east".to_owned(),
        lab_namespace: if uid == 0 { "sandbox-i0-web".to_owned() } else { String::new() },
        ..subject(&format!("s{uid}"), &if uuid == 0 { String::new() } else { format!("u{uuid}") })
    });
    let instance = (0..6_u8, 0..4_u8, 0..3_u8, -5..5_i64).prop_map(|(id, uuid, guid, made)| InstanceNode {
        guid: if guid == 0 { String::new() } else { format!("g{guid}") },
        guid_in_name: format!("g{guid}"),
        created_at: (made != 0).then(|| at(made)),
        ..instance(&format!("i{id}"), &if uuid == 0 { String::new() } else { format!("u{uuid}") })
    });
    let handle = (0..6_u8, any::<bool>(), 0..2_u8).prop_map(|(id, claimed, extra)| ResourceHandle {
        subjects: vec![name("anarchy-1", &format!("acme.web.event-s{extra}"))],
        ..handle(&format!("s{id}"), claimed)
    });
    let claim = (0..6_u8, 0..3_u8, any::<bool>()).prop_map(|(id, item, detached)| ResourceClaim {
        detached,
        ..claim(&format!("s{id}"), &format!("acme.lb000{item}.event"))
    });
    let lab = (0..3_u8, 0..3_u8).prop_map(|(code, item)| {
        lab(
            &format!("LB000{code}"),
            &if item == 0 { String::new() } else { format!("acme.lb000{item}") },
        )
    });
    let few = 0..6_usize;
    (
        proptest::collection::vec(subject, few.clone()),
        proptest::collection::vec(instance, few.clone()),
        proptest::collection::vec(handle, few.clone()),
        proptest::collection::vec(claim, few.clone()),
        proptest::collection::vec(lab, few),
    )
        .prop_map(|(subjects, instances, handles, claims, labs)| World {
            subjects: by_key(subjects, |it| it.uid.clone()),
            instances: by_key(instances, |it| it.id.clone()),
            handles: by_key(handles, |it| it.uid.clone()),
            claims: by_key(claims, |it| it.uid.clone()),
            labs: by_key(labs, |it| it.code.clone()),
            ..world()
        })
}

/// One record a key, as the database has them.
fn by_key<T>(all: Vec<T>, key: fn(&T) -> String) -> Vec<T> {
    let all: BTreeMap<String, T> = all.into_iter().map(|one| (key(&one), one)).collect();
    all.into_values().collect()
}

proptest! {
    #[test]
    fn the_order_of_the_input_does_not_matter(world in worlds()) {
        let mut turned = world.clone();
        turned.subjects.reverse();
        turned.instances.reverse();
        turned.handles.reverse();
        turned.claims.reverse();
        turned.labs.reverse();
        prop_assert_eq!(resolve(&turned), resolve(&world));
    }

    #[test]
    fn what_is_unrelated_changes_nothing(world in worlds()) {
        let before = resolve(&world);
        let mut more = world;
        more.instances.push(InstanceNode { namespace: "sandbox-zzzzz-web".to_owned(), ..instance("zzzzz", "other") });
        more.subjects.push(AnarchySubject { governor: String::new(), ..subject("zzzzz", "other") });
        more.handles.push(ResourceHandle { providers: Vec::new(), ..handle("zzzzz", false) });
        let after = resolve(&more);
        let is_new = |key: &str| key.contains("zzzzz");
        let links: Vec<Link> = after.links.into_iter().filter(|link| !is_new(&link.from.1)).collect();
        prop_assert_eq!(links, before.links);
        let unmatched: Vec<Unmatched> = after.unmatched.into_iter().filter(|one| !is_new(&one.key)).collect();
        prop_assert_eq!(unmatched, before.unmatched);
    }

    #[test]
    fn an_edge_is_no_surer_than_what_it_follows_from(world in worlds()) {
        let links = resolve(&world).links;
        let strength = |from: &(NodeKind, String), to: &(NodeKind, String)| {
            links.iter().find(|link| link.from == *from && link.to == *to).map(|link| link.strength)
        };
        let derived = [RecordKind::ResourceHandle, RecordKind::ResourceClaim, RecordKind::CatalogItem].map(NodeKind::Record);
        for link in links.iter().filter(|link| link.from.0 == NodeKind::Instance && derived.contains(&link.to.0)) {
            let best = links.iter().filter(|step| step.from == link.from && step.to.0 == RecordKind::Subject.into()).filter_map(|step| {
                Some(step.strength.min(strength(&step.to, &link.to)?))
            }).max();
            prop_assert_eq!(Some(link.strength), best, "{:?}", link);
        }
        for link in links.iter().filter(|link| link.from.0 == NodeKind::Instance && link.to.0 == RecordKind::Lab.into()) {
            let items = links.iter().filter(|step| step.from == link.from && step.to.0 == RecordKind::CatalogItem.into());
            let best = items.filter_map(|step| Some(step.strength.min(strength(&step.to, &link.to)?))).max();
            prop_assert_eq!(Some(link.strength), best);
        }
    }

    #[test]
    fn two_ends_have_one_edge_and_lists_are_sorted(world in worlds()) {
        let Resolved { links, unmatched } = resolve(&world);
        prop_assert!(links.windows(2).all(|pair| (&pair[0].from, &pair[0].to) < (&pair[1].from, &pair[1].to)));
        prop_assert!(unmatched.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
