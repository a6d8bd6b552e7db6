//! What Outlook asks (MS-OXDSCLI 2.2.3): an address, and the schema the answer is to have.

use quick_xml::Reader;
use quick_xml::events::Event;

/// Elements in one another; a request has three.
const DEPTH_MAX: usize = 8;
const TEXT_OCTETS_MAX: usize = 512;

/// What a request names; each may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    pub address: String,
    pub schema: String,
}

/// Reads a request. `None` for what is no request: entities are not expanded, what is nested deeper than a request is not
/// followed.
pub fn read(text: &str) -> Option<Asked> {
    let mut reader = Reader::from_str(text);
    let mut asked = Asked::default();
    let mut open: Vec<String> = Vec::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(element) => {
                if open.len() == DEPTH_MAX {
                    return None;
                }
                open.push(element.local_name().into_inner().to_owned());
            }
            Event::End(_) => {
                open.pop()?;
            }
            Event::Text(text) => {
                let into = match open.last().map(String::as_str) {
                    Some("EMailAddress") => &mut asked.address,
                    Some("AcceptableResponseSchema") => &mut asked.schema,
                    _ => continue,
                };
                into.push_str(text.trim());
                if into.len() > TEXT_OCTETS_MAX {
                    return None;
                }
            }
            Event::DocType(_) => return None,
            Event::Eof => break,
            _ => {}
        }
    }
    (open.is_empty() && !asked.address.is_empty()).then_some(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006">
  <Request>
    <EMailAddress>Jean.Toto@univ-nantes.fr</EMailAddress>
    <AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema>
  </Request>
</Autodiscover>"#;

    #[test]
    fn a_request_names_an_address_and_a_schema() {
        let asked = read(REQUEST).expect("a request");
        assert_eq!(asked.address, "Jean.Toto@univ-nantes.fr");
        assert_eq!(asked.schema, pages::OUTLOOK);
        // Whatever the names are called in the file.
        let other =
            REQUEST.replace("<", "<a:").replace("<a:/", "</a:").replace("<a:?", "<?").replace("xmlns=", "xmlns:a=");
        assert_eq!(read(&other), Some(asked));
    }

    #[test]
    fn what_is_no_request_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
        let long = REQUEST.replace("Jean", &"j".repeat(600));
        let bomb = REQUEST.replace("?>", "?><!DOCTYPE a [<!ENTITY b \"bbb\">]>");
        let none = REQUEST.replace("EMailAddress", "Other");
        let cut = &REQUEST[..REQUEST.len() / 2];
        for text in ["", "<", "text", "</a>", &deep, &long, &bomb, &none, cut] {
            assert_eq!(read(text), None, "{:.60}", text);
        }
        // An entity is text that nobody reads.
        let entity = REQUEST.replace("Jean", "&b;");
        assert!(read(&entity).is_none_or(|asked| !asked.address.contains("bbb")));
    }
}
