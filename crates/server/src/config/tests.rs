//! The example says what the struct reads, and everything wrong is told at once.

use serde::de::{self, DeserializeOwned, Visitor};
use serde::forward_to_deserialize_any;

use super::read::{Place, parse};
use super::*;

/// Names the fields that a type's `Deserialize` asks for, whatever the documented keys say.
struct Fields<'a>(&'a mut Vec<&'static str>);

impl<'de> de::Deserializer<'de> for Fields<'_> {
    type Error = de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::custom("fields only"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.0.extend(fields);
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

fn fields<T: DeserializeOwned>() -> Vec<&'static str> {
    let mut out = vec![];
    assert!(T::deserialize(Fields(&mut out)).is_err());
    assert!(!out.is_empty());
    out
}

fn errors(text: &str, environment: &[(&str, &str)]) -> Vec<(Place, String)> {
    let own = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
    let environment: Vec<_> = environment.iter().map(own).collect();
    let problems = parse(text, &environment).err().unwrap_or_default();
    problems.0.into_iter().map(|p| (p.place, p.text)).collect()
}

fn read(text: &str, environment: &[(&str, &str)]) -> Config {
    assert_eq!(errors(text, environment), []);
    let own = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
    parse(text, &environment.iter().map(own).collect::<Vec<_>>()).unwrap()
}

#[test]
fn the_example_parses_to_the_defaults() {
    let text = example();
    assert_eq!(shown(&read(&text, &[])), shown(&Config::default()));
    // Also with the keys that are not set by default.
    let all: String = text
        .lines()
        .map(|l| if l.contains(" = ") { l.trim_start_matches("# ") } else { l })
        .filter(|l| {
            let alone = [
                "regulation",
                "certificate",
                "key ",
                "clientCert",
                "privateKeyFile",
                "strongLevel",
            ];
            !alone.iter().any(|k| l.starts_with(k))
        })
        .fold(String::new(), |all, l| all + l + "\n");
    assert_eq!(read(&all, &[]).base_url.as_deref(), Some("https://dancu.example.vn"));
}

fn shown(config: &Config) -> String {
    toml::to_string(config).unwrap()
}

#[test]
fn every_field_is_a_documented_key() {
    let text = example();
    let mut documented: Vec<String> = vec![];
    for section in SECTIONS {
        for key in section.keys() {
            let path = section.path(key.name);
            assert!(key.vi.len() > 10 && key.en.len() > 10, "{path} is not explained");
            assert!(text.contains(&format!("{} = ", key.name)), "{path} is not in the example");
            assert!(text.contains(&section.variable(key.name)), "{path}: variable");
            documented.push(path);
        }
    }
    let mut read: Vec<String> = vec![];
    for field in fields::<Config>() {
        match field {
            "database" => {
                read.extend(fields::<Database>().iter().map(|f| format!("database.{f}")));
            }
            "log" => read.extend(fields::<Log>().iter().map(|f| format!("log.{f}"))),
            "metrics" => read.extend(fields::<Metrics>().iter().map(|f| format!("metrics.{f}"))),
            "http" => read.extend(fields::<HttpConfig>().iter().map(|f| format!("http.{f}"))),
            "tls" => read.extend(fields::<TlsConfig>().iter().map(|f| format!("tls.{f}"))),
            "portal" => {
                read.extend(fields::<PortalConfig>().iter().map(|f| format!("portal.{f}")));
            }
            "identity" => {
                read.extend(fields::<IdentityConfig>().iter().map(|f| format!("identity.{f}")));
            }
            "mail" => read.extend(fields::<MailConfig>().iter().map(|f| format!("mail.{f}"))),
            "conformance" => {
                let all = fields::<conformance::ConformanceConfig>();
                read.extend(all.iter().map(|f| format!("conformance.{f}")));
            }
            "keys" => read.extend(fields::<KeysConfig>().iter().map(|f| format!("keys.{f}"))),
            "webhooks" => {
                read.extend(fields::<WebhookConfig>().iter().map(|f| format!("webhooks.{f}")));
            }
            "dossiers" => {
                read.extend(fields::<DossierConfig>().iter().map(|f| format!("dossiers.{f}")));
            }
            field => read.push(field.to_owned()),
        }
    }
    assert_eq!(documented, read);
    assert!(example().lines().all(|l| l.chars().count() <= 100));
}

#[test]
fn the_keys_of_before_still_work() {
    let text = "data = \"d\"\nlisten = \"127.0.0.1:9\"\nbaseUrl = \"https://a.example\"\n";
    let config = read(text, &[]);
    assert_eq!(config.data, Path::new("d"));
    assert_eq!(config.listen.port(), 9);
    assert_eq!(config.base_url.as_deref(), Some("https://a.example"));
    assert!(config.regulation.is_none());
}

#[test]
fn everything_wrong_is_told_at_once() {
    let text = "lisen = \"127.0.0.1:1\"\nlisten = \"0.0.0.0:80\"\nbaseUrl = \"ftp://x\"\n\
                format = \"json\"\n[log]\nlevel = 7\nformt = \"json\"\n[metrix]\nfrom = []\n";
    let found = errors(text, &[("DANCU_LOG_LEVL", "debug"), ("DANCU_METRICS_FROM", "nowhere")]);
    let place = |n: usize| found[n].0.clone();
    let says = |n: usize, words: &str| assert!(found[n].1.contains(words), "{:?}", found[n]);
    let lines: Vec<Place> = (0..found.len()).map(place).collect();
    assert_eq!(found.len(), 9, "{found:#?}");
    for n in [1, 2, 3, 4, 6, 7, 8] {
        assert!(lines.contains(&Place::Line(n)), "line {n}: {found:#?}");
    }
    let at = |place: Place| lines.iter().position(|p| *p == place).unwrap();
    says(at(Place::Line(1)), "`listen`");
    says(at(Place::Line(4)), "`log.format`");
    says(at(Place::Line(7)), "`log.format`");
    says(at(Place::Line(8)), "`[metrics]`");
    says(at(Place::Variable("DANCU_METRICS_FROM".into())), "metrics.from");
}

/// The place is the key's, whatever other keys the text of an error names.
#[test]
fn what_is_wrong_together_stands_at_its_own_key() {
    let text = "[http]\nheaderSeconds = 5\nidleSeconds = 0\nmaxConnections = 0\n\
                trustedProxies = []\nclientCertificateHeader = \"X-Cert\"\n[tls]\n\
                certificate = \"a.crt\"\nreloadSeconds = 0\nclientCertificates = \"required\"\n";
    let found = errors(text, &[("DANCU_LISTEN", "0.0.0.0:1"), ("DANCU_DATA", "")]);
    let expected = [3, 4, 6, 8, 9, 10].map(Place::Line);
    let variables = ["DANCU_DATA", "DANCU_LISTEN"].map(|v| Place::Variable(v.to_owned()));
    let places: Vec<_> = found.iter().map(|(place, _)| place.clone()).collect();
    assert_eq!(places, [&expected[..], &variables].concat(), "{found:#?}");
    let keys = ["http.idleSeconds", "http.maxConnections", "http.clientCertificateHeader"];
    for (n, key) in keys.into_iter().enumerate() {
        assert!(found[n].1.contains(&format!("`{key}`")), "{found:#?}");
    }
    let found = errors("[tls]\nkey = \"a\"\nmode = \"files\"\ntrustAnchors = \"b\"\n", &[]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, Place::Line(3), "{found:?}");
}

#[test]
fn a_slip_in_a_variable_is_told_and_others_are_left_alone() {
    let found = errors("", &[("DANCU_LISEN", "x"), ("DANCU_LOG_LEVL", "debug")]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].1.contains("DANCU_LISTEN") && found[1].1.contains("DANCU_LOG_LEVEL"));
    read("", &[("DANCU_LOG", "debug"), ("DANCU_MASTER_KEY", "x"), ("DANCU_POPULATION", "5")]);
}

#[test]
fn the_environment_lies_over_the_file() {
    let text = "listen = \"127.0.0.1:1\"\n[log]\nformat = \"text\"\n";
    let environment = [
        ("DANCU_BASE_URL", "https://b.example"),
        ("DANCU_LISTEN", "[::1]:2"),
        ("DANCU_LOG_FORMAT", "json"),
        ("DANCU_METRICS_FROM", "10.0.0.1, ::1"),
    ];
    let config = read(text, &environment);
    assert_eq!((config.listen.port(), config.log.format), (2, LogFormat::Json));
    assert_eq!(config.base_url.as_deref(), Some("https://b.example"));
    assert_eq!(config.metrics.from.len(), 2);
    assert!(read("", &[("DANCU_METRICS_FROM", "")]).metrics.from.is_empty());
    let found = errors(text, &[("DANCU_LISTEN", "0.0.0.0:1")]);
    assert_eq!(found[0].0, Place::Variable("DANCU_LISTEN".into()), "{found:?}");
}

#[test]
fn broken_texts_are_told_with_their_line() {
    let found = errors("data = \"x\"\nlisten = \n[log\n", &[]);
    assert!(found.iter().any(|(p, _)| *p == Place::Line(2)), "{found:?}");
    let found = errors("log = 3\n", &[]);
    assert_eq!(found.len(), 1, "{found:?}");
    let found = errors("regulation = \"no-such-file.toml\"\n[log]\nlevel = \"=no\"\n", &[]);
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn a_database_is_told_without_its_password() {
    let url = "postgresql://dancu:matkhau@10.0.0.1,10.0.0.2:5433/dancu";
    let file = "[database]\nnodes = 3\nconnectTimeoutMs = 700\n";
    let config = read(file, &[("DANCU_DATABASE_URL", url), ("DANCU_DATABASE_POOLER", "true")]);
    let database = config.database.open().unwrap().unwrap();
    assert_eq!((database.nodes, database.settings.prepared_statements), (3, false));
    assert!(!format!("{config:?}").contains("matkhau"));
    assert!(!config.database.is_set() || config.database.open().is_ok());
    assert!(Config::default().database.open().unwrap().is_none());
    for (text, key) in [
        ("url = \"mysql://matkhau@x/y\"", "database.url"),
        ("nodes = 0", "database.nodes"),
        ("connections = 100000", "database.connections"),
        ("lockTimeoutMs = 0", "database.lockTimeoutMs"),
        ("url = \"postgres://a/b\"\nclientKey = \"a.key\"", "database.clientKey"),
        (
            "url = \"postgres://a/b\"\nclientKey = \"a\"\nclientCertificate = \"a\"",
            "database.clientKey",
        ),
    ] {
        let found = errors(&format!("[database]\n{text}\n"), &[]);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].1.contains(key) && !found[0].1.contains("matkhau"), "{found:?}");
    }
}

#[test]
fn the_packaged_configuration_is_valid() {
    let text = include_str!("../../../../packaging/deb/dancu.toml");
    let config = read(text, &[]);
    assert_eq!(config.data, Path::new("/var/lib/dancu"));
    assert_eq!(config.log.format, LogFormat::Json);
}
