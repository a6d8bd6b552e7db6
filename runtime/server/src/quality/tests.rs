//! What people type, and what they are told.

use super::*;

fn plan() -> Plan {
    let path = format!("{}/../../policies/nantes/policy.plan.ron", env!("CARGO_MANIFEST_DIR"));
    plan::read(&std::fs::read_to_string(path).unwrap()).unwrap().0
}

fn person() -> Person {
    Person {
        login: mail::Login::new("lebihan-mj").unwrap(),
        first: "Marie-Jeanne".to_owned(),
        last: "Le Bihan".to_owned(),
        address: "Marie-Jeanne.Le-Bihan@univ-nantes.fr".parse().unwrap(),
        profile: "standard".to_owned(),
        unit: "Sciences".to_owned(),
        home: None,
        quota_octets: 0,
    }
}

fn told(typed: &str) -> Vec<Advice> {
    judge(&plan(), &person(), &Secret::new(typed)).err().unwrap_or_default()
}

#[test]
fn weak_passwords_are_refused_with_the_reason() {
    for (typed, reason) in [
        ("Nantes2026!", Advice::AboutYou),
        ("LeBihan-1984", Advice::AboutYou),
        ("lebihan-mj44", Advice::AboutYou),
        ("MarieJeanne1!", Advice::AboutYou),
        ("azertyuiop", Advice::Row),
        ("Qsdfghjklm1", Advice::Row),
        ("poiuytreza12", Advice::Row),
        ("aqwzsxedc1", Advice::Row),
        ("password1234", Advice::Common),
        ("aaaaaaaaaaaa", Advice::Repeats),
    ] {
        assert!(told(typed).contains(&reason), "{typed}: {:?}", told(typed));
    }
    for typed in [
        "motdepasse1",
        "Motdepasse2026",
        "Sebastien1",
        "Sébastien44",
        "JeanPierre!",
        "Juillet2026",
        "Bretagne35!",
        "chocolat1234",
        "28/02/1984",
        "01012000aa",
        "jetaime123",
        "M0td3p@sse",
        "Bonjour123",
        "azerty12345",
        "grenouille",
        "Pamplemousse!",
        "lavieestbelle",
        "0668321435",
    ] {
        assert_ne!(told(typed), [], "{typed}");
    }
}

#[test]
fn a_phrase_of_unrelated_words_or_enough_noise_is_taken() {
    for typed in [
        "girafe trempée sous le hangar",
        "correct horse battery staple",
        "lampe-vis-tortue-brume",
        "xK4#pW9!qLz2",
        "Une tasse, deux radis & 3 clous",
        "bolide%Cactus7mirador",
    ] {
        assert_eq!(told(typed), [], "{typed}");
    }
}

#[test]
fn what_cannot_be_a_password_is_said_before_anything_else() {
    assert_eq!(told(""), [Advice::Empty]);
    assert_eq!(told(&"x".repeat(257)), [Advice::TooLong(256)]);
    assert_eq!(told("corréct\0horse battery"), [Advice::Control]);
    assert_eq!(told("xK4#p"), [Advice::TooShort(10), Advice::Guessable]);
}

#[test]
fn a_policy_that_takes_any_password_looks_at_its_form_alone() {
    let mut plan = plan();
    plan.identity.password.quality = PasswordQuality::Any;
    assert_eq!(judge(&plan, &person(), &Secret::new("a")), Ok(()));
    assert_eq!(judge(&plan, &person(), &Secret::new("a\n")), Err(vec![Advice::Control]));
}

#[test]
fn each_advice_says_what_is_wrong_and_what_to_do_in_both_languages() {
    let all = [
        Advice::Empty,
        Advice::TooShort(10),
        Advice::TooLong(256),
        Advice::Control,
        Advice::AboutYou,
        Advice::Common,
        Advice::Word,
        Advice::Row,
        Advice::Repeats,
        Advice::Date,
        Advice::Guessable,
        Advice::UsedBefore,
    ];
    let words: HashSet<String> = all.iter().flat_map(|one| [one.french(), one.english()]).collect();
    assert_eq!(words.len(), 2 * all.len(), "no two say the same");
}

/// Lines of a list of the corpus, where it is.
fn list(name: &str) -> Option<Vec<String>> {
    let beside = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let file = std::env::var_os("FACTEUR_CORPUS").map_or(beside, Into::into).join("lists").join(name);
    if !file.is_file() {
        eprintln!("SKIPPED: no corpus beside the project and no FACTEUR_CORPUS");
        return None;
    }
    let out = std::process::Command::new("zstd").arg("-dc").arg(file).output().unwrap();
    assert!(out.status.success(), "{name} cannot be unpacked");
    Some(String::from_utf8_lossy(&out.stdout).lines().map(str::to_owned).collect())
}

#[test]
fn none_of_the_ten_thousand_passwords_thieves_try_first_is_taken() {
    let Some(common) = list("passwords-common-30k.txt.zst") else { return };
    let own = own(&plan(), &person());
    let taken = |typed: &&String| form(&Secret::new(typed.as_str())).is_ok() && hard_to_guess(&own, typed).is_ok();
    let taken: Vec<&String> = common.iter().take(10_000).filter(taken).collect();
    assert!(taken.is_empty(), "{taken:?}");
}

#[test]
fn hardly_any_password_of_french_lists_is_taken() {
    let Some(french) = list("passwords-french-20k.txt.zst") else { return };
    let own = own(&plan(), &person());
    // The others are too short anyhow.
    let long: Vec<&String> =
        french.iter().filter(|typed| typed.chars().count() >= CHARACTERS_MIN).take(1_000).collect();
    let taken: Vec<_> = long.iter().filter(|typed| hard_to_guess(&own, typed).is_ok()).collect();
    // What is left is noise that was stolen somewhere.
    assert!(taken.len() * 5 < long.len(), "{} of {}: {taken:?}", taken.len(), long.len());
}

#[test]
fn a_long_password_takes_no_longer_than_its_beginning() {
    let begun = "ab1".repeat(16);
    let long = begun.clone() + &"c2d".repeat(60);
    // What is looked at is the same: so is the answer.
    assert_eq!(told(&long), told(&begun));
}
