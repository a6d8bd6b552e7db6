use decide::BlockFacts;
use store::Options;

use super::*;

struct House {
    folder: std::path::PathBuf,
    store: Store,
    tables: Tables,
}

impl House {
    fn new() -> House {
        let name = format!("facteur-blocks-{}-{:016x}", std::process::id(), u64::from_le_bytes(random::octets()));
        let folder = std::env::temp_dir().join(name);
        let path = format!("{}/../../policies/office/policy.plan.ron", env!("CARGO_MANIFEST_DIR"));
        let plan = plan::read(&std::fs::read_to_string(path).unwrap()).unwrap().0;
        let store = Store::open(&folder, Options::default()).unwrap();
        House { folder, store, tables: Tables::new(plan).unwrap() }
    }

    fn refuses(&self, blocks: &Blocks, sender: &str, now_s: i64) -> bool {
        let sender = sender.parse().unwrap();
        let facts = BlockFacts { reverse_path: Some(&sender), ..BlockFacts::default() };
        decide::blocked(&self.tables, &blocks.current().live, &facts, now_s).is_some()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn block(sender: &str, until_s: i64) -> Block {
    let what = BlockedWhat::Sender(sender.parse().unwrap());
    Block { what, because: "phish".into(), by: "toto-j".into(), at_s: 1_000, until_s }
}

#[test]
fn blocks_are_there_again_after_a_restart_and_go_when_they_end() {
    let house = House::new();
    let blocks = Blocks::load(&house.store, &house.tables).unwrap();
    blocks.put(&house.store, "aa", Some(block("a@phish.example", 2_000)), Vec::new()).unwrap();
    blocks.put(&house.store, "bb", Some(block("b@phish.example", 3_000)), Vec::new()).unwrap();
    for blocks in [blocks, Blocks::load(&house.store, &house.tables).unwrap()] {
        let seen = [1_500, 2_000, 3_000].map(|now_s| {
            (house.refuses(&blocks, "a@phish.example", now_s), house.refuses(&blocks, "b@phish.example", now_s))
        });
        assert_eq!(seen, [(true, true), (false, true), (false, false)]);
        blocks.sweep(&house.store, 2_000).unwrap();
        assert_eq!(kept(&house.store).unwrap().into_keys().collect::<Vec<_>>(), ["bb"]);
        assert!(house.refuses(&blocks, "b@phish.example", 2_000));
        blocks.put(&house.store, "aa", Some(block("a@phish.example", 2_000)), Vec::new()).unwrap();
    }
}

#[test]
fn a_plan_shortens_blocks_and_leaves_out_those_of_its_own_people() {
    let house = House::new();
    let life_s = i64::try_from(house.tables.plan().response.block_at_most_s).unwrap();
    for (id, sender) in [("aa", "a@phish.example"), ("bb", "b@cabinet-martin.example")] {
        house.store.commit_wait(vec![op(id, Some(&block(sender, i64::MAX)))]).unwrap();
    }
    let broken = Op::Setting { key: "block/cc".into(), value: Some(b"{".to_vec()) };
    house.store.commit_wait(vec![broken]).unwrap();
    let blocks = Blocks::load(&house.store, &house.tables).unwrap();
    assert!(house.refuses(&blocks, "a@phish.example", 1_000 + life_s - 1));
    assert!(!house.refuses(&blocks, "a@phish.example", 1_000 + life_s));
    assert!(!house.refuses(&blocks, "b@cabinet-martin.example", 1_500));
}

#[test]
fn ids_can_be_typed_and_are_not_taken_twice() {
    let mut taken = BTreeMap::new();
    for _ in 0..100 {
        let id = new_id(&taken);
        assert!(id.len() == 6 && id.bytes().all(|octet| DIGITS.contains(&octet)), "{id}");
        assert!(taken.insert(id, block("a@b.example", 1)).is_none());
    }
}
