//! What a listing shows of a message, computed once at delivery so that FETCH and SEARCH of headers open no body.

use mail::mime::SummaryParts;

/// Stored beside the message row; the store does not look inside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// ENVELOPE as it goes on the wire (RFC 9051 7.5.2).
    pub envelope_imap: Vec<u8>,
    /// BODYSTRUCTURE as it goes on the wire.
    pub bodystructure_imap: Vec<u8>,
    /// BODY as it goes on the wire: BODYSTRUCTURE without extension data.
    pub body_imap: Vec<u8>,
    /// RFC 8970.
    pub preview: String,
    /// Texts of the header fields, decoded; search folds them.
    pub subject: String,
    pub from: String,
    pub to: String,
    pub cc: String,
    pub bcc: String,
    /// Message ids with their brackets; empty when the field is missing.
    pub message_id: String,
    pub in_reply_to: String,
    /// `References`, separated by spaces.
    pub references: String,
    /// `Date` in seconds since 1970, when it can be read.
    pub sent_date: Option<i64>,
    /// The header fields of which this says all there is (`mail::mime::Parsed::whole`).
    pub whole: SummaryParts,
}
