//! The index against a plain sorted map.

use std::collections::BTreeMap;

use super::*;

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}

type Model = BTreeMap<u32, (u64, Flags)>;

fn entry(uid: u32, mod_seq: u64, flags: &Flags) -> Entry<'_> {
    let internal_date = DateTime { unix_seconds: i64::from(uid) * 1_000, offset_minutes: -60 };
    Entry { uid, mod_seq, flags, size_octets: u64::from(uid) << 3, internal_date }
}

fn flags(dice: &mut Dice) -> Flags {
    let word = ["$Work", "$work", "a", "b", "c"][dice.roll(5)];
    let text = if dice.roll(9) == 0 { format!("{word}{}", dice.roll(3_000)) } else { word.to_owned() };
    let keywords = if dice.roll(2) == 0 { Keyword::new(&text).into_iter().collect() } else { [].into() };
    Flags { system: SystemFlags::from_bits(dice.roll(32) as u8), keywords }
}

fn spelled(flags: &Flags) -> String {
    flags.to_string()
}

#[track_caller]
fn check(index: &Index, model: &Model) {
    assert_eq!(index.len(), model.len());
    assert_eq!(index.is_empty(), model.is_empty());
    assert_eq!(index.last().map(|entry| entry.uid), model.keys().next_back().copied());
    for (place, (found, (uid, (mod_seq, flags)))) in index.iter().zip(model).enumerate() {
        assert_eq!(found, entry(*uid, *mod_seq, flags));
        assert_eq!(spelled(found.flags), spelled(flags), "the spelling of a keyword is kept");
        assert_eq!((index.get(place), index.place_of(*uid)), (Some(found), Some(place)));
    }
    assert_eq!(index.get(model.len()), None);
    let unseen = model.values().position(|(_, flags)| !flags.system.contains(SystemFlags::SEEN));
    assert_eq!(index.first_without(SystemFlags::SEEN), unseen);
    let kept = index.keywords();
    assert!(model.values().flat_map(|(_, flags)| &flags.keywords).all(|keyword| kept.contains(keyword)));
    let mut first = 0;
    for part in index.parts.iter() {
        assert!((1..=CHUNK).contains(&part.chunk.len()) && part.first == first);
        first = part.end();
    }
    for (one, other) in index.parts.iter().zip(index.parts.iter().skip(1)) {
        assert!(one.chunk.len() + other.chunk.len() > CHUNK, "small neighbours become one");
    }
}

fn change(index: &mut Index, model: &mut Model, dice: &mut Dice, mod_seq: u64) {
    let known: Vec<u32> = model.keys().copied().collect();
    let top = known.last().map_or(1, |uid| uid + 1) as usize;
    let few = |dice: &mut Dice| -> Vec<u32> {
        let (from, count) = (dice.roll(top) + 1, [3, 3, 40, 900][dice.roll(4)]);
        let step = 1 + dice.roll(3);
        (0..count).map(|n| (from + n * step) as u32).collect()
    };
    match dice.roll(6) {
        0 | 1 => {
            let new: Vec<(u32, Flags)> =
                (0..[1, 2, 700][dice.roll(3)]).map(|n| ((top + 2 * n) as u32, flags(dice))).collect();
            index.append(new.iter().map(|(uid, flags)| entry(*uid, mod_seq, flags)));
            model.extend(new.into_iter().map(|(uid, flags)| (uid, (mod_seq, flags))));
        }
        2 => {
            let uids = few(dice);
            index.remove(&uids);
            uids.iter().for_each(|uid| drop(model.remove(uid)));
        }
        3 | 4 => {
            let new: Vec<(u32, Flags)> = few(dice).into_iter().map(|uid| (uid, flags(dice))).collect();
            index.replace(new.iter().map(|(uid, flags)| entry(*uid, mod_seq, flags)));
            for (uid, flags) in new {
                model.entry(uid).and_modify(|kept| *kept = (mod_seq, flags));
            }
        }
        _ => {
            let gaps: Vec<u32> = few(dice);
            let none = Flags::default();
            index.insert(&gaps.iter().map(|uid| entry(*uid, 0, &none)).collect::<Vec<_>>());
            for uid in gaps {
                model.entry(uid).or_default();
            }
        }
    }
}

#[test]
fn an_index_is_a_sorted_map_whatever_is_done_to_it_and_its_clones_stay_as_they_were() {
    for seed in 1..=8u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let (mut index, mut model) = (Index::default(), Model::new());
        let (mut kept, mut kept_model) = (index.clone(), model.clone());
        for mod_seq in 1..=30 {
            change(&mut index, &mut model, &mut dice, mod_seq);
            check(&index, &model);
            if dice.roll(8) == 0 {
                check(&kept, &kept_model);
                (kept, kept_model) = (index.clone(), model.clone());
            }
            let places = dice.roll(model.len() + 2)..dice.roll(model.len() + 2);
            let found = index.runs(places.clone()).flat_map(|run| {
                let sets = run.flag_sets();
                run.entries().inspect(move |(_, set, entry)| assert_eq!(&sets[*set], entry.flags)).collect::<Vec<_>>()
            });
            let uids = model.keys().enumerate().filter(|(place, _)| places.contains(place)).map(|(p, uid)| (p, *uid));
            assert!(found.map(|(place, _, entry)| (place, entry.uid)).eq(uids));
            let uid = dice.roll(5_000) as u32;
            assert_eq!(index.place_from(uid), model.range(..uid).count());
        }
    }
}

#[test]
fn a_change_copies_one_chunk_and_leaves_the_others_shared() {
    let none = Flags::default();
    let mut index = Index::default();
    index.append((1..=100_000).map(|uid| entry(uid, 1, &none)));
    assert!(index.octets() < 100_000 * 33, "{}", index.octets());
    let shared = index.clone();
    index.replace([entry(70_000, 2, &none)]);
    let same = index.parts.iter().zip(shared.parts.iter()).filter(|(a, b)| Arc::ptr_eq(&a.chunk, &b.chunk));
    assert_eq!(same.count(), index.parts.len() - 1);
    assert_eq!((index.get(69_999).unwrap().mod_seq, shared.get(69_999).unwrap().mod_seq), (2, 1));
}

#[test]
fn many_different_flags_are_kept_apart_and_forgotten_when_no_message_has_them() {
    let none = Flags::default();
    let mut index = Index::default();
    index.append((1..=600).map(|uid| entry(uid, 1, &none)));
    for round in 0..40u64 {
        let sets: Vec<Flags> = (1..=600)
            .map(|uid| Flags {
                keywords: Keyword::new(&format!("k{round}-{uid}")).into_iter().collect(),
                ..none.clone()
            })
            .collect();
        index.replace(sets.iter().zip(1..).map(|(flags, uid)| entry(uid, round, flags)));
        assert!(index.iter().zip(&sets).all(|(entry, flags)| entry.flags == flags));
    }
    assert!(index.flag_sets().count() <= 4 * CHUNK);
}
