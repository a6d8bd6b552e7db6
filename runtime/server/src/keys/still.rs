//! A plan that was taken before, judged by the keys of today.

use store::Store;

use super::{judge, load};
use crate::operate::OperateError;
use crate::plans::slots::Slots;
use crate::service::Service;

/// Is the plan of this full hash, as it was kept, signed by the keys enrolled today? E1001 else; nothing is asked for where none is.
pub(crate) fn signed_today(store: &Store, slots: &Slots, plan_hash: &str) -> Result<(), OperateError> {
    let trusted = load(store)?;
    let signature = match trusted.is_empty() {
        true => return Ok(()),
        false => slots.signature(plan_hash).map_err(|error| OperateError::file(&error.path.clone(), error.why))?,
    };
    judge(&trusted, plan_hash, signature.as_deref())?;
    Ok(())
}

/// Why the signatures of the plan that runs do not hold any more. A plan a file named at a start never had any: it came with the
/// machine. That one goes on is no question of this: mail is served, and somebody is told.
pub(crate) fn broken(service: &Service) -> Option<String> {
    let slots = Slots::of(&service.site.data);
    match slots.state() {
        Ok(Some(state)) if state.is_from_file(&service.plan_full) => None,
        Ok(None) => None,
        // One that cannot be read is told of elsewhere; the signatures are another file.
        Ok(Some(_)) | Err(_) => signed_today(&service.store, &slots, &service.plan_full).err().map(|it| it.to_string()),
    }
}
