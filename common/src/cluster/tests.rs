//! Kubeconfigs as people have them, and answers as servers give them.

use std::fs;

use super::*;

/// A folder of kubeconfigs that goes away with the test.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let path = std::env::temp_dir().join(format!("stargate-clusters-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        for (name, text) in files {
            fs::write(path.join(name), text).unwrap();
        }
        Self(path)
    }

    async fn connect(&self, ssl_verify: bool) -> Result<Connections, ConnectError> {
        rustls::crypto::ring::default_provider().install_default().ok();
        ClusterSettings {
            kubeconfig_dir: Some(self.0.clone()),
            ssl_verify,
            ..ClusterSettings::default()
        }
        .connect()
        .await
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn kubeconfig(cluster: &str, user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: main\nclusters:\n- name: c\n  cluster: {{server: 'https://api.example:6443'{cluster}}}\nusers:\n- name: u\n  user: {user}\ncontexts:\n- name: main\n  context: {{cluster: c, user: u}}\n"
    )
}

fn why(connections: &Connections, name: &str) -> String {
    connections[name].as_ref().unwrap_err().to_string()
}

#[tokio::test]
async fn each_file_is_a_cluster_and_a_bad_one_costs_only_itself() {
    let token = "{token: sekrit}";
    let dir = Dir::new(
        "mixed",
        &[
            ("east.yaml", &kubeconfig("", token)),
            ("west.example.com", &kubeconfig("", token)),
            ("north.kubeconfig", &kubeconfig(", insecure-skip-tls-verify: true", token)),
            (
                "plugin.yml",
                &kubeconfig("", "{exec: {apiVersion: client.authentication.k8s.io/v1, command: login}}"),
            ),
            ("broken.yaml", "clusters: [\n  token: sekrit\n"),
            ("empty.yaml", "apiVersion: v1\nkind: Config\n"),
            (
                "gone.yaml",
                &kubeconfig("", "{client-certificate: /nowhere.pem, client-key: /nowhere.key}"),
            ),
            ("east.conf", &kubeconfig("", token)),
            (".hidden", "not one"),
        ],
    );
    let connections = dir.connect(true).await.unwrap();
    assert_eq!(
        connections.keys().collect::<Vec<_>>(),
        ["broken", "east", "empty", "gone", "north", "plugin", "west.example.com"]
    );
    assert_eq!(connections["west.example.com"].as_ref().unwrap().name(), "west.example.com");
    let at = |name: &str| dir.0.join(name).display().to_string();
    assert_eq!(
        why(&connections, "east"),
        format!(
            "{} is a second kubeconfig for the same cluster name; rename or remove one",
            at("east.yaml")
        )
    );
    assert!(why(&connections, "north").contains("insecure-skip-tls-verify"));
    assert!(why(&connections, "plugin").contains("runs a program"));
    assert!(why(&connections, "broken").starts_with(&format!("kubeconfig {} is not valid at line ", at("broken.yaml"))));
    assert!(why(&connections, "empty").contains("cannot be used: "));
    for name in connections.keys().filter(|name| connections[*name].is_err()) {
        assert!(!why(&connections, name).contains("sekrit"), "{name}");
    }
    assert!(dir.connect(false).await.unwrap()["north"].is_ok());
}

#[tokio::test]
async fn a_client_never_shows_its_credential() {
    let dir = Dir::new("debug", &[("east.yaml", &kubeconfig("", "{token: sekrit}"))]);
    let connections = dir.connect(true).await.unwrap();
    assert!(!format!("{connections:?}").contains("sekrit"));
}

#[tokio::test]
async fn no_cluster_at_all_is_an_error_that_says_what_to_do() {
    let dir = Dir::new("none", &[]);
    let error = dir.connect(true).await.unwrap_err().to_string();
    assert!(
        error.ends_with("put one file for each cluster there, named for the cluster"),
        "{error}"
    );
    let error = ClusterSettings::default().connect().await.unwrap_err().to_string();
    assert!(error.starts_with("no cluster to read: set STARGATE_KUBECONFIG_DIR"), "{error}");
}
