//! People and secrets of the story, all invented: they are in the payloads so that clients prove that they do not keep them.

use crate::seed::Seed;

/// Given and family names. Nobody is called so.
const PEOPLE: [(&str, &str); 12] = [
    ("Aldwina", "Quillfeather"),
    ("Bartolo", "Wrenhollow"),
    ("Cassiel", "Thistlemere"),
    ("Dorotea", "Vanterpool-Ashgrove"),
    ("Evander", "Marrowick"),
    ("Fenella", "Ostrander-Pike"),
    ("Gideon", "Larkspurre"),
    ("Hesper", "Underfalls"),
    ("Ignatz", "Copperwhistle"),
    ("Jocasta", "Blythemoor"),
    ("Kasimir", "Fogarty-Nox"),
    ("Leocadia", "Summerwyn"),
];

/// Domain of their mail addresses.
const MAIL_DOMAIN: &str = "people.example.test";
/// What every invented password, token and key contains.
const MARK: &str = "planted";

/// Strings of which none may ever leave a client: the mark of all secrets, the domain of all mail addresses, all family names.
#[must_use]
pub fn planted() -> Vec<&'static str> {
    let families = PEOPLE.iter().map(|(_, family)| *family);
    [MARK, MAIL_DOMAIN].into_iter().chain(families).collect()
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) user: String,
    pub(crate) mail: String,
}

pub(crate) fn person(seed: &mut Seed) -> Person {
    let (given, family) = PEOPLE.get(seed.below(PEOPLE.len())).copied().unwrap_or(("Aldwina", "Quillfeather"));
    let user = format!("{}-{}", given.to_lowercase(), family.to_lowercase());
    Person {
        name: format!("{given} {family}"),
        mail: format!("{user}@{MAIL_DOMAIN}"),
        user,
    }
}

/// A password or token for a thing, always the same one.
pub(crate) fn secret(what: &str, of: &str) -> String {
    format!("{MARK}-{what}-{of}")
}

/// Name and mail address of one of them.
pub(crate) fn pair(seed: &mut Seed) -> (String, String) {
    let person = person(seed);
    (person.name, person.mail)
}
