//! "Only with the listed recipients": a setting that leads to an unlisted host stops the start, before anything is
//! looked up, and publishing the host is what lets it pass.

use backend::Secrets;
use server::config::{Config, Flags, Variables};
use server::state::{assemble, open_bucket, open_mailer};
use testkit::each_database;

const LIST: &str = include_str!("../../../privacy/policy/recipients.toml");

fn config(folder: &std::path::Path, variables: &[(&str, &str)]) -> Config {
    let mut all = Variables::from([("MW_DATA_DIR".into(), folder.join("data").into_os_string())]);
    all.extend(variables.iter().map(|(name, value)| (name.into(), value.into())));
    let config = Config::from_variables(&Flags::default(), &all).unwrap_or_else(|error| panic!("{error}"));
    config.make_data_dir().expect("a data folder");
    config
}

#[tokio::test]
async fn an_unlisted_host_is_refused_by_name() {
    each_database("p20", |test| async move {
        rustls::crypto::ring::default_provider().install_default().ok();
        let folder = tempfile::tempdir().expect("a folder");
        let keys = [("AWS_ACCESS_KEY_ID", "k"), ("AWS_SECRET_ACCESS_KEY", "s")];
        for (name, url, host) in [
            ("MW_SMTP_URL", "smtps://me:x@mail.nobody.example:465", "mail.nobody.example"),
            ("MW_STORAGE_URL", "s3://videos?endpoint=https://objects.nobody.example", "objects.nobody.example"),
            ("MW_STORAGE_URL", "s3://videos?region=eu-west-3", "s3.eu-west-3.amazonaws.com"),
        ] {
            let variables: Vec<_> = keys.into_iter().chain([(name, url)]).collect();
            let refused = config(folder.path(), &variables);
            let opened = assemble(&refused, Secrets::new([1; 32]), test.database.clone(), test.keyring.clone());
            let error = opened.err().expect("refused").to_string();
            assert!(error.starts_with(name) && error.contains(host), "{error}");
            // The same host once it is published.
            let list = folder.path().join("recipients.toml");
            let text = LIST.replacen("hosts = []", &format!("hosts = [\"{host}\"]"), 1);
            std::fs::write(&list, text).expect("a list");
            let path = list.display().to_string();
            let variables: Vec<_> = variables.into_iter().chain([("MW_RECIPIENTS", path.as_str())]).collect();
            let listed = config(folder.path(), &variables);
            assert!(open_mailer(&listed).is_ok() && open_bucket(&listed).is_ok(), "{name}: {url}");
        }
    })
    .await;
}

#[test]
fn a_database_elsewhere_needs_its_line_as_well() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let far = config(folder.path(), &[("MW_DATABASE_URL", "postgres://me@db.nobody.example/mw")]);
    let started = std::time::Instant::now();
    let error = runtime.block_on(server::state::open_database(&far)).err().expect("refused").to_string();
    assert!(error.starts_with("MW_DATABASE_URL") && error.contains("db.nobody.example"), "{error}");
    assert!(started.elapsed().as_secs() < 5, "somebody was asked");
}
