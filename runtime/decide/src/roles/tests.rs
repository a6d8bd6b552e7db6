use super::*;

fn held(text: &str) -> Held {
    let mut held = Held::default();
    for word in text.split_whitespace() {
        match word {
            "manager" => held.manager = true,
            "administrator" => held.administrator = true,
            "teacher" => held.teacher = true,
            unit => drop(held.correspondent_of.insert(unit.to_owned())),
        }
    }
    held
}

/// One line an act: who may do it about a plain user of unit `physics`, O C M A T; `o` when it is about oneself.
const TABLE: &str = "
OperateMachine     -
UseOwn             O
SearchAddressBook  OCMA
SeePerson          OCMA
SeeAccesses        OCMA
EndAppPasswords    OCMA
ResetPassword      CMA
EndSecondFactor    MA
Unlock             CMA
Contain            CMA
UndoContain        MA
SeeCompromise      MA
LiftCompromise     MA
ChangePeople       A
ChangeFunctions    A
ChangeState        MA
ErasePerson        A
GrantQuota         CMA
ApproveRedirect    CM
SetRedirect        M
EndRedirect        OCMA
SeeRedirects       OCMA
Delegate           OM
GrantRights        OM
SeeRights          OMA
SeeQuarantine      M
ReleaseQuarantined M
PurgeQuarantined   M
TakeMessages       M
SeeTeaching        MT
Teach              T
SeeRecalls         M
Recall             M
SeeBlocks          MA
Block              M
LookUpDecision     OCMA
LookUpMessage      M
WatchSessions      M
SeeQueue           MA
ChangeQueue        MA
Drain              A
SeeControl         A
ChangePlanKeys     A
ChangeOperators    A
ReadAudit          MA
SeeReports         MA
SeeStatistics      MA
SeeDirectory       MA
SyncDirectory      A
AllowMassChange    A
";

#[test]
fn the_table_is_the_one_written_here() {
    let nobody = Held::default();
    let lines: Vec<(&str, &str)> = TABLE.trim().lines().filter_map(|line| line.split_once(' ')).collect();
    assert_eq!(lines.len(), Act::ALL.len());
    for (act, (name, letters)) in Act::ALL.iter().zip(lines) {
        assert_eq!(format!("{act:?}"), name);
        let about = About { unit: "Physics", oneself: false, held: &nobody };
        let own = About { oneself: true, ..about };
        for (letter, held, about) in [
            ('O', held(""), own),
            ('C', held("physics"), about),
            ('M', held("manager"), about),
            ('A', held("administrator"), about),
            ('T', held("teacher"), about),
        ] {
            assert_eq!(allows(&held, *act, about).is_ok(), letters.contains(letter), "{name} {letter}");
        }
        for held in [held(""), held("chemistry")] {
            assert!(allows(&held, *act, about).is_err(), "{name} {held:?}");
        }
    }
}

#[test]
fn a_role_only_ever_adds() {
    let nobody = Held::default();
    let all = ["", "physics", "manager", "administrator", "teacher", "physics manager administrator teacher"];
    for act in Act::ALL {
        for one in all {
            for more in all {
                for oneself in [false, true] {
                    let about = About { unit: "physics", oneself, held: &nobody };
                    let both = held(&format!("{one} {more}"));
                    let alone = allows(&held(one), *act, about).is_ok();
                    assert!(!alone || allows(&both, *act, about).is_ok(), "{act:?} {one} + {more}");
                }
            }
        }
    }
}

#[test]
fn nobody_decides_in_their_own_case() {
    let all = held("physics manager administrator teacher");
    let about = About { unit: "physics", oneself: true, held: &all };
    for act in [Act::GrantQuota, Act::ApproveRedirect, Act::ResetPassword, Act::LiftCompromise, Act::UndoContain] {
        assert_eq!(allows(&all, act, about), Err(NotAllowed::OwnCase), "{act:?}");
    }
    assert_eq!(allows(&all, Act::UseOwn, about), Ok(()));
}

#[test]
fn an_account_that_may_more_is_opened_by_an_administrator_only() {
    let acts = [Act::ResetPassword, Act::Contain, Act::EndSecondFactor, Act::ChangeState, Act::UndoContain];
    for (who, whose, may) in [
        ("physics", "", true),
        ("physics", "chemistry", false),
        ("physics", "physics", false),
        ("physics", "teacher", false),
        ("physics", "manager", false),
        ("physics", "administrator", false),
        ("manager", "", true),
        ("manager", "physics", true),
        ("manager", "manager", false),
        ("manager", "teacher", false),
        ("manager", "administrator", false),
        ("physics administrator", "manager", true),
        ("administrator", "administrator", true),
        ("administrator", "physics", true),
    ] {
        let whose_held = held(whose);
        let about = About { unit: "physics", oneself: false, held: &whose_held };
        let by = held(who);
        for act in acts {
            let is_theirs = act.roles().iter().any(|role| by.is(*role, about));
            let expected = match (is_theirs, may) {
                (false, _) => Err(NotAllowed::Role(act.roles())),
                (true, true) => Ok(()),
                (true, false) => Err(NotAllowed::Higher),
            };
            assert_eq!(allows(&by, act, about), expected, "{act:?}: {who} about {whose}");
        }
    }
}

#[test]
fn a_unit_nobody_knows_has_no_correspondent() {
    for unit in ["", " ", "\t"] {
        let by = Held { correspondent_of: [unit_key(unit), "physics".into()].into(), ..Held::default() };
        assert!(allows(&by, Act::SeePerson, About::unit(unit)).is_err(), "{unit:?}");
    }
}

#[test]
fn units_are_read_from_the_address_of_their_correspondents() {
    let forms = ["Correspondant.{unit}@univ-nantes.fr", "Correspondant.{Unit}@univ-nantes.fr"];
    for (address, unit) in [
        ("correspondant.physics@univ-nantes.fr", Some("physics")),
        ("Correspondant.UFR-Sciences@Univ-Nantes.fr", Some("ufr-sciences")),
        ("correspondant.@univ-nantes.fr", None),
        ("correspondant.physics@elsewhere.example", None),
        ("xcorrespondant.physics@univ-nantes.fr", None),
        ("correspondant.physics@evil@univ-nantes.fr", None),
        ("physics@univ-nantes.fr", None),
    ] {
        for form in forms {
            assert_eq!(unit_of_correspondents(form, address).as_deref(), unit, "{address}");
        }
    }
    assert_eq!(unit_of_correspondents("", "correspondant.physics@univ-nantes.fr"), None);
    assert_eq!(unit_key("UFR  Sciences"), "ufr-sciences");
}
