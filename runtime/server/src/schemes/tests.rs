//! Hashes made by others: openssl passwd, crypt(3) of glibc, hashlib of Python, crypt_blowfish.

use proptest::prelude::*;

use super::*;

const PHRASE: &str = "corréct horse battery";

fn opens(hash: &str, secret: &str) -> bool {
    read(hash).unwrap_or_else(|why| panic!("{hash}: {why}")).opens(&Secret::new(secret))
}

#[test]
fn each_scheme_opens_to_its_secret_alone() {
    for (hash, word) in [
        ("{SHA}zfp3m1gEBe/1bEwrwbmgpFE9e/0=", "SHA"),
        ("{SSHA}0jrj1dmvjcQiIGGzqh0vwSBl1b1zYWx0c2FsdA==", "SSHA"),
        ("{ssha}0jrj1dmvjcQiIGGzqh0vwSBl1b1zYWx0c2FsdA", "SSHA"),
        ("{SSHA.b64}0jrj1dmvjcQiIGGzqh0vwSBl1b1zYWx0c2FsdA==", "SSHA"),
        ("{SHA256}HfcYxu12A+QjGVFxlgkwB6mSXTQGebolldMguFedmi4=", "SSHA256"),
        ("{SSHA256}wM4g+Y0oIUlCYh47mlEgaIBkcSozNr5L/91ZWA1/sqxzYWx0c2FsdA==", "SSHA256"),
        ("{SHA512}RXqFTndsfvuz1WMSNAC2hOcuAfsMMQHqqFqJJOH4/3dzePfnV1JPWn9MW08MjHycgWQYorSp8bUN1XA+jbh8Zw==", "SSHA512"),
        (
            "{SSHA512}kWmNY9AO6G2t+n+Ok/Wpna/IcdjUfd/uusZGXl5iV5Ml6aJTIqzp8sQaXvWVXTZPbINyNup6fRzdrEOjcr9TAHNhbHRzYWx0",
            "SSHA512",
        ),
        ("{CRYPT}$1$saltsalt$yRyahPH4wUgOOZNBl1xDf.", "md5-crypt"),
        ("$5$saltsalt$Kxt75425.wZ1Zise9vvKX64LARYtxUBHUq9TemB.Qm4", "sha-crypt"),
        ("$5$rounds=1234$saltstringsaltst$w1Nb/WmrBECDJQpQZ29Af2TBLa36wIaQyNF6D33LsS5", "sha-crypt"),
        (
            "{SHA512-CRYPT}$6$saltsalt$z9iyVctfy15HaMIN/YMCqe6pO2bmGwzrK0a0J8Ckj3MA9CXkDQu3SnqhXtzX/Qpc4q4qizhD/7FnGmnVEQg3q0",
            "sha-crypt",
        ),
        (
            "$6$rounds=1234$saltstringsaltst$TLftDjwYq88yN3c7imndYNiSNuqbNkh7rS53K8AxKBRr8fPO8uOL4E53dZjiJT.eqga3e3Lr0DC9zZ/UGLV.m0",
            "sha-crypt",
        ),
        ("{BLF-CRYPT}$2b$04$abcdefghijklmnopqrstuultmqT.NEQNZEw4tiZKLHhENVs4JT6Si", "bcrypt"),
        ("{PBKDF2}1000$MDEyMzQ1Njc4OWFiY2RlZg$sUjTVP7n7RVrOSrDJG2gGb9BLc8", "PBKDF2"),
        ("{PBKDF2-SHA256}1000$MDEyMzQ1Njc4OWFiY2RlZg$Fqyghx9Vv9xz96oacxL2TUfc47YuIxOaE3G4qfzvI.s", "PBKDF2"),
        ("{PBKDF2}$1$saltsaltsaltsalt$1000$a93f2d2f085ba36b33778c73e9715af6cb1492b0", "PBKDF2"),
    ] {
        assert!(opens(hash, PHRASE), "{hash}");
        assert!(!opens(hash, "corrèct horse battery") && !opens(hash, ""), "{hash}");
        assert_eq!(read(hash).unwrap().word(), word, "{hash}");
    }
}

#[test]
fn the_format_of_389_directory_server_opens() {
    let hash = "{PBKDF2_SHA256}AAAD6AABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj+\
                sIy7K2o1MwBKlGVkzkf9LKePcvoNHgQU1iDDfRaZLzQApMtz1x/HipcVivJ8y7e7zlAsXJfrk3XWmGeRC0peCcSaC+05WsKYoiODjAZc0lF8\
                PNpnRYwujvoNt9KMewhrKLl3yoQ2WlCLkjssykRzxDLvnZLlWQswenxsVbDV5Q+vT20aMpminpMnw+lxVIcY5bLSpTa/isuCAJXv2h1ABE2b\
                aSQL7qfRbxCBb0B20C/Nabn8P/Xxm5NtsTjQdb1F3kTWLkqlJ2iQkPrwekigVd1WqHdwPEzLa08diE4F0nhK4OsqpIYvkq7pyR9HIJI5NPy8\
                akaATf+Uk+cAqU2RN";
    assert!(opens(hash, PHRASE) && !opens(hash, "x"));
}

#[test]
fn odd_secrets_are_hashed_as_crypt_does() {
    let (y100, y40) = ("y".repeat(100), "y".repeat(40));
    for (hash, secret) in [
        ("$6$abc$mJP3a6FyA8uCnzRtlnNypPwjnvpi5TP9qOrInzrfDmwxUQG38PkpCPdqfTb8JQfAngapMxeim4AZ..hSdRRzD.", ""),
        (
            "$6$abc$h3paOUwk3bwvxSZULrQuOrGR5ayQVzsjWQduOHGFTcq6ZqxZBPuoNt0Inxud5XCzxwoHo5sCcNiu23E2Y/hpF/",
            y100.as_str(),
        ),
        ("$5$abc$.QS8dBxgpzD6HntFh4EAORCgrDaoYFPVbrV98joHwxB", y100.as_str()),
        ("$1$abc$Pk9rhzMsg8JSxndTtwMcC0", y40.as_str()),
        ("$1$saltsalt$4px9i58NU2Z2/vZOUlGjq.", "x"),
        ("$2y$04$abcdefghijklmnopqrstuuPp7HPfoAs8I2dCQCQ/fW7zEJv8I8C8e", "x"),
        ("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"),
    ] {
        assert!(opens(hash, secret), "{hash}");
        assert!(!opens(hash, "other"), "{hash}");
    }
}

#[test]
fn our_own_verifiers_come_back_as_they_went() {
    let made = crate::verifier::verifier(&Secret::new(PHRASE));
    for text in [made.clone(), format!("{{ARGON2ID}}{made}"), format!("{{CRYPT}}{made}")] {
        let imported = read(&text).unwrap();
        assert!(imported.word() == "argon2id" && imported.opens(&Secret::new(PHRASE)), "{text}");
        assert_eq!(imported.verifier(), made);
    }
}

#[test]
fn what_is_kept_is_read_again_the_same() {
    for text in [
        "{SSHA}0jrj1dmvjcQiIGGzqh0vwSBl1b1zYWx0c2FsdA==",
        "{CRYPT}$1$saltsalt$yRyahPH4wUgOOZNBl1xDf.",
        "{PBKDF2}$1$saltsaltsaltsalt$1000$a93f2d2f085ba36b33778c73e9715af6cb1492b0",
    ] {
        let imported = read(text).unwrap();
        assert_eq!(read(imported.verifier()), Ok(imported), "{text}");
    }
}

#[test]
fn what_cannot_be_taken_says_why() {
    use NoScheme::{Locked, Malformed, TooDear, Unknown};
    for (hash, why) in [
        ("", Malformed),
        ("secret", Unknown),
        ("{CLEARTEXT}secret", Unknown),
        ("{MD5}rL0Y20zC+Fzt72VPzMSk2A==", Unknown),
        ("{SASL}toto-j@EXAMPLE.ORG", Unknown),
        ("{CRYPT}rl.3StKT.4T8M", Unknown),
        ("$y$j9T$abc$def", Unknown),
        ("$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$AAAA", Unknown),
        ("{SSHA}AAAA", Malformed),
        ("{SSHA}@@@@", Malformed),
        ("{SHA}0jrj1dmvjcQiIGGzqh0vwSBl1b1zYWx0c2FsdA==", Malformed),
        ("{CRYPT}*", Locked),
        ("!$6$abc$def", Locked),
        ("$6$abc", Malformed),
        ("$6$rounds=999999999$abc$def", TooDear),
        ("$6$rounds=x$abc$def", Malformed),
        ("$5$abc$too-short", Malformed),
        ("$1$saltsaltsalt$yRyahPH4wUgOOZNBl1xDf.", Malformed),
        ("$2b$31$abcdefghijklmnopqrstuultmqT.NEQNZEw4tiZKLHhENVs4JT6Si", TooDear),
        ("$2b$04$short", Malformed),
        ("{PBKDF2}99999999$MDEyMzQ1Njc4OWFiY2RlZg$sUjTVP7n7RVrOSrDJG2gGb9BLc8", TooDear),
        ("{PBKDF2}0$MDEyMzQ1Njc4OWFiY2RlZg$sUjTVP7n7RVrOSrDJG2gGb9BLc8", Malformed),
        ("{PBKDF2_SHA256}AAAD6AAB", Malformed),
        ("$argon2id$v=19$m=9999999,t=1,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", TooDear),
        ("$argon2id$", Malformed),
    ] {
        assert_eq!(read(hash).map(|it| it.word()), Err(why), "{hash}");
    }
    assert_eq!(read(&"x".repeat(2_000)), Err(Malformed));
}

proptest! {
    /// Whatever comes is read or refused, and what is read says the same again.
    #[test]
    fn any_text_is_read_or_refused(text in "(\\{[A-Z0-9_.-]{0,12}\\})?(\\$[0-9a-z]{0,8}){0,3}\\$?[ -~]{0,80}") {
        if let Ok(imported) = read(&text) {
            prop_assert_eq!(read(imported.verifier()), Ok(imported));
        }
    }
}
