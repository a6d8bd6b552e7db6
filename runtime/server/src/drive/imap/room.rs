//! Room for long contents on their way to clients.
//!
//! INVARIANT (bounded): what a client was not sent yet of contents of more than 1 MiB lies in memory, 64 MiB for one person and
//! 512 MiB for all. A client that does not read holds up others of its own person only, until those 512 MiB are in use.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use mail::Login;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Up to here nobody waits.
pub const FREE_OCTETS: u64 = 1024 * 1024;
const PERSON_KIB: u32 = 64 * 1024;
const ALL_KIB: u32 = 512 * 1024;
/// People remembered before those without contents are forgotten.
const PEOPLE: usize = 1_024;

pub static ROOMS: LazyLock<Rooms> = LazyLock::new(|| Rooms::new(PERSON_KIB, ALL_KIB));

pub struct Rooms {
    person_kib: u32,
    all_kib: u32,
    all: Arc<Semaphore>,
    people: Mutex<HashMap<Login, Weak<Semaphore>>>,
}

/// Room for one answer; given back when dropped.
pub struct Room {
    _of_person: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl Rooms {
    fn new(person_kib: u32, all_kib: u32) -> Rooms {
        let all = Arc::new(Semaphore::new(all_kib as usize));
        Rooms { person_kib, all_kib, all, people: Mutex::default() }
    }

    /// Waits for room. A content larger than all of it has it for itself. `None`: the server ends.
    pub async fn take(&self, login: &Login, octets: u64) -> Option<Room> {
        let kib = u32::try_from(octets.div_ceil(1024)).unwrap_or(u32::MAX);
        // The person's first: who waits for others of their own takes nothing from anybody.
        let of_person = self.person(login).acquire_many_owned(kib.min(self.person_kib)).await.ok()?;
        let of_all = self.all.clone().acquire_many_owned(kib.min(self.all_kib)).await.ok()?;
        Some(Room { _of_person: of_person, _of_all: of_all })
    }

    /// The room of one person. It lives as long as somebody has a part of it or waits for one.
    fn person(&self, login: &Login) -> Arc<Semaphore> {
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(room) = people.get(login).and_then(Weak::upgrade) {
            return room;
        }
        if people.len() >= PEOPLE {
            people.retain(|_, room| room.strong_count() > 0);
        }
        let room = Arc::new(Semaphore::new(self.person_kib as usize));
        people.insert(login.clone(), Arc::downgrade(&room));
        room
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// What comes of asking once.
    fn asked<T>(future: &mut (impl Future<Output = T> + Unpin)) -> Poll<T> {
        std::pin::Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    fn taken(rooms: &Rooms, login: &Login, octets: u64) -> Option<Room> {
        match asked(&mut Box::pin(rooms.take(login, octets))) {
            Poll::Ready(room) => room,
            Poll::Pending => None,
        }
    }

    #[test]
    fn a_person_waits_for_their_own_and_others_do_not() {
        let rooms = Rooms::new(64, 256);
        let (one, other) = (Login::new("one").unwrap(), Login::new("other").unwrap());
        let first = taken(&rooms, &one, 40 * 1024).unwrap();
        assert!(taken(&rooms, &one, 40 * 1024).is_none(), "80 KiB of 64");
        assert!(taken(&rooms, &other, 40 * 1024).is_some());
        let mut waits = Box::pin(rooms.take(&one, 40 * 1024));
        assert!(asked(&mut waits).is_pending());
        drop(first);
        assert!(asked(&mut waits).is_ready(), "who waits is next");
    }

    #[test]
    fn all_together_are_bounded_and_what_is_larger_than_the_room_comes_alone() {
        let rooms = Rooms::new(64, 100);
        let login = |n: u32| Login::new(&format!("user{n}")).unwrap();
        let (first, second) = (taken(&rooms, &login(1), 64 * 1024), taken(&rooms, &login(2), 30 * 1024));
        assert!(first.is_some() && second.is_some());
        assert!(taken(&rooms, &login(3), 30 * 1024).is_none(), "94 KiB of 100 are taken");
        drop((first, second));
        let large = taken(&rooms, &login(1), 1 << 40).unwrap();
        assert!(taken(&rooms, &login(1), 1).is_none() && taken(&rooms, &login(2), 1).is_none());
        drop(large);
        assert!(taken(&rooms, &login(3), 30 * 1024).is_some());
    }

    #[test]
    fn people_without_contents_are_forgotten() {
        let rooms = Rooms::new(64, 256);
        let kept = taken(&rooms, &Login::new("kept").unwrap(), 64 * 1024).unwrap();
        for number in 0..3 * PEOPLE {
            assert!(taken(&rooms, &Login::new(&format!("user{number}")).unwrap(), 1).is_some());
        }
        assert!(rooms.people.lock().unwrap().len() <= PEOPLE);
        assert!(taken(&rooms, &Login::new("kept").unwrap(), 1).is_none(), "still in use");
        drop(kept);
    }
}
