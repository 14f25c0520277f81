use serde_json::json;

use super::*;

fn read_value(definition: &Value) -> Definition {
    let raw = RawValue::from_string(definition.to_string()).unwrap();
    read(&raw).unwrap()
}

fn exactly(text: &str) -> Wanted {
    Wanted::Exactly(text.to_owned())
}

#[test]
fn a_definition_tells_what_it_demands() {
    let definition = read_value(&json!({
        "cloud_provider": "openshift_cnv",
        "env_type": "ocp4-cluster",
        "config": "openshift-workloads",
        "workloads": ["ocp4_workload_showroom", {"name": "agnosticd.core_workloads.ocp4_workload_gitea", "vars": {"password": "planted"}},
                      {"role": "ocp4_workload_pipelines"}, "{{ extra }}", 7, "ocp4_workload_showroom"],
        "infra_workloads": "ocp4_workload_odf",
        "requirements_content": {"collections": [
            {"name": "https://bot:planted@git.example.org/acme/core.git", "type": "git", "version": "v1.2"},
            {"name": "community.general", "version": 8}, {"version": "1"}]},
        "worker_instance_count": "3", "ai_workers_cores": 16, "ai_workers_memory": "64Gi",
        "ocp4_installer_version": "4.17", "host_ocp4_installer_version": "4.16",
        "num_users": 25,
        "ocp4_workload_pipelines_channel": "pipelines-1.15",
        "ocp4_workload_gitops_channel": "{{ gitops }}",
        "ocp4_workload_showroom_content_git_repo": "https://bot:planted@git.example.org/acme/content.git",
        "ocp4_workload_showroom_content_git_repo_ref": "{{ content_ref | default('main') }}",
        "__meta__": {
            "asset_uuid": "0f6f8a4e-1b9d-4b8c-8f43-6c0b9a3f9a10",
            "deployer": {"scm_url": "https://git.example.org/acme/deployer", "scm_ref": "main"},
            "tower": {"timeout": 7200},
            "components": [{"name": "cluster", "item": "acme-labs/base/prod"}, {"item": "{{ other }}"}],
            "owners": {"maintainer": [{"email": "planted@example.org"}]},
        },
    }));
    assert_eq!(definition.asset_uuid, "0f6f8a4e-1b9d-4b8c-8f43-6c0b9a3f9a10");
    let expected = Constraints {
        cloud_provider: exactly("openshift_cnv"),
        config: exactly("openshift-workloads"),
        workloads: [
            "ocp4_workload_showroom",
            "agnosticd.core_workloads.ocp4_workload_gitea",
            "ocp4_workload_pipelines",
            "ocp4_workload_odf",
        ]
        .map(str::to_owned)
        .to_vec(),
        collections: [("community.general", "8"), ("https://git.example.org/acme/core.git", "v1.2")]
            .map(|(name, version)| (name.to_owned(), version.to_owned()))
            .into(),
        worker_count: Some(3),
        worker_cores: Some(16),
        worker_memory_gib: Some(64),
        openshift_version: exactly("4.16"),
        num_users: Some(25),
        channels: [("ocp4_workload_pipelines_channel".to_owned(), "pipelines-1.15".to_owned())].into(),
        showroom_repo: exactly("https://git.example.org/acme/content.git"),
        showroom_ref: Wanted::Dynamic,
        deployer_url: exactly("https://git.example.org/acme/deployer"),
        deployer_ref: exactly("main"),
        job_timeout_s: Some(7200),
        components: vec!["acme-labs/base/prod".to_owned()],
    };
    assert_eq!(definition.constraints, expected);
}

#[test]
fn what_is_encrypted_odd_or_too_long_is_dropped() {
    let vault = "$ANSIBLE_VAULT;1.1;AES256\n6162";
    let definition = read_value(&json!({
        "cloud_provider": vault,
        "config": "!vault | 6162",
        "workloads": {"a": "b"},
        "requirements_content": "planted",
        "worker_instance_count": {"__ansible_vault": vault},
        "ai_workers_memory": "lots",
        "num_users": true,
        "planted_channel": vault,
        "other_channel": "pass word",
        "ocp4_workload_showroom_content_git_repo": "x".repeat(400),
        "ocp4_workload_showroom_content_git_repo_ref": ["main"],
        "__meta__": {"deployer": [], "tower": {"timeout": -1}, "components": "planted", "asset_uuid": null},
    }));
    assert_eq!(definition, Definition::default());
    assert_eq!(read(&RawValue::from_string("[1]".to_owned()).unwrap()), None);
}

#[test]
fn a_number_that_may_have_lost_a_zero_demands_nothing() {
    let version = |version: Value| {
        read_value(&json!({"host_ocp4_installer_version": version}))
            .constraints
            .openshift_version
    };
    assert_eq!(version(json!(4.16)), exactly("4.16"));
    assert_eq!(version(json!(4.2)), Wanted::Nothing, "4.2 or 4.20");
    assert_eq!(version(json!("4.2")), exactly("4.2"));
}

#[test]
fn the_older_section_of_meta_counts_where_there_is_no_newer() {
    let definition =
        read_value(&json!({"agnosticv_meta": {"asset_uuid": "old", "tower": {"timeout": 60}}, "__meta__": {"asset_uuid": "new"}}));
    assert_eq!(
        (definition.asset_uuid.as_str(), definition.constraints.job_timeout_s),
        ("new", Some(60))
    );
}
