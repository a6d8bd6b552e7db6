//! Authentication-Results fields of others (RFC 8601 2.2), read: of gateways we believe, of seals we trust, of forgers.

/// One field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    /// In lower case.
    pub authserv_id: String,
    pub methods: Vec<Method>,
}

/// `method=result` with its properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    pub name: String,
    pub result: String,
    /// `ptype.property` in lower case, and the value.
    pub properties: Vec<(String, String)>,
}

/// Methods of one field that are read.
const METHODS_MAX: usize = 50;

impl Field {
    /// Reads a value, folded or not. What is malformed ends the reading, what was read before counts.
    pub fn read(value: &str) -> Field {
        let mut parts = parts(value).into_iter();
        let first = parts.next().unwrap_or_default();
        // The version, if any, stands behind it.
        let authserv_id = first.first().cloned().unwrap_or_default().to_ascii_lowercase();
        let methods = parts.take(METHODS_MAX).filter_map(|part| Method::read(&part)).collect();
        Field { authserv_id, methods }
    }

    /// Reads ARC-Authentication-Results (RFC 8617 4.1.1): the instance stands before all else.
    pub fn read_sealed(value: &str) -> Field {
        let rest = value.split_once(';').map_or("", |(_, rest)| rest);
        Field::read(rest)
    }

    pub fn methods(&self, name: &str) -> impl Iterator<Item = &Method> {
        self.methods.iter().filter(move |method| method.name == name)
    }
}

impl Method {
    fn read(words: &[String]) -> Option<Method> {
        let (name, result) = words.first()?.split_once('=')?;
        // `method/version`.
        let name = name.split('/').next().unwrap_or_default().trim().to_ascii_lowercase();
        let properties = words[1..].iter().filter_map(|word| word.split_once('='));
        let properties = properties.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        Some(Method { name, result: result.to_ascii_lowercase(), properties })
    }

    pub fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The parts between semicolons, each as its words: comments gone, quotes undone, no space around `=`, `.` and `/`.
fn parts(value: &str) -> Vec<Vec<String>> {
    let mut parts = vec![Vec::new()];
    let mut word = String::new();
    let mut depth = 0_u32;
    let mut chars = value.chars().peekable();
    // A word goes on behind `=` and before it.
    let mut joins = false;
    let end = |parts: &mut Vec<Vec<String>>, word: &mut String| {
        if !word.is_empty()
            && let Some(part) = parts.last_mut()
        {
            part.push(std::mem::take(word));
        }
    };
    while let Some(c) = chars.next() {
        match c {
            '\\' if depth > 0 => {
                chars.next();
            }
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            '"' => {
                // A quote that is no value is no method either, whatever it holds; an authserv-id may be one.
                if word.is_empty() && parts.len() > 1 {
                    word.push('"');
                }
                while let Some(inner) = chars.next() {
                    match inner {
                        '"' => break,
                        '\\' => word.extend(chars.next()),
                        _ => word.push(inner),
                    }
                }
                joins = false;
            }
            ';' => {
                end(&mut parts, &mut word);
                parts.push(Vec::new());
                joins = false;
            }
            '=' if word.is_empty() => {
                // Space stood before it: the word before it goes on.
                if let Some(before) = parts.last_mut().and_then(Vec::pop) {
                    word = before;
                }
                word.push('=');
                joins = true;
            }
            '=' => {
                word.push('=');
                joins = true;
            }
            c if c.is_whitespace() => {
                if !joins {
                    end(&mut parts, &mut word);
                }
            }
            c => {
                word.push(c);
                joins = false;
            }
        }
    }
    end(&mut parts, &mut word);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_standard_are_read() {
        let field = Field::read(
            "Example.COM 1;\r\n auth=pass (cram-md5; a \"(b)) smtp.auth=sender@example.net;\r\n spf = pass \
             smtp.mailfrom=example.net; dkim=pass reason=\"good; signature\" header.i=@mail-router.example.net",
        );
        assert_eq!(field.authserv_id, "example.com");
        assert_eq!(field.methods.len(), 3);
        let spf = field.methods("spf").next().unwrap();
        assert_eq!((spf.result.as_str(), spf.property("smtp.mailfrom")), ("pass", Some("example.net")));
        let dkim = field.methods("dkim").next().unwrap();
        assert_eq!(dkim.property("reason"), Some("good; signature"));
        assert_eq!(Field::read("foo.example; none").methods, []);
    }

    #[test]
    fn a_result_inside_a_comment_or_a_quote_is_no_result() {
        for value in [
            "mx; (dmarc=pass); spf=fail",
            "mx; x=\"; dmarc=pass\"",
            "mx (; dmarc=pass",
            "",
            ";;;",
            "\"",
            "(\\",
            "mx; \"dmarc=pass\"",
        ] {
            assert_eq!(Field::read(value).methods("dmarc").count(), 0, "{value}");
        }
        let sealed = Field::read_sealed("i=2; lists.example.org; dmarc=pass header.from=a.example");
        assert_eq!((sealed.authserv_id.as_str(), sealed.methods.len()), ("lists.example.org", 1));
    }
}
