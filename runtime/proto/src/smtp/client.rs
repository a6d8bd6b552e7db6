//! The client's side of SMTP: hands one message to a smart host, a capture or a next hop.
