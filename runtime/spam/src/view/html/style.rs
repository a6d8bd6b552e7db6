//! What inline styles and old attributes do to the text in an element (CSS 2.2, the properties that hide).

/// What an element does to its text; `None` leaves what the element around it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    pub hidden: bool,
    /// In tenths of a pixel.
    pub font: Option<u32>,
    pub colour: Option<Colour>,
    pub background: Option<Colour>,
}

/// Red, green, blue.
pub type Colour = [u8; 3];

/// Declarations read of one style.
const DECLARATIONS_MAX: usize = 64;

impl Look {
    /// Reads the value of a `style` attribute.
    pub fn declare(&mut self, style: &str) {
        let mut no_room = false;
        let mut clipped = false;
        for declaration in style.split(';').take(DECLARATIONS_MAX) {
            let Some((name, value)) = declaration.split_once(':') else { continue };
            let name = name.trim();
            let value = value.trim();
            let value = value.split('!').next().unwrap_or(value).trim_end();
            let is = |other: &str| name.eq_ignore_ascii_case(other);
            if is("display") || is("mso-hide") {
                self.hidden |= value.eq_ignore_ascii_case("none") || value.eq_ignore_ascii_case("all");
            } else if is("visibility") {
                self.hidden |= value.eq_ignore_ascii_case("hidden") || value.eq_ignore_ascii_case("collapse");
            } else if is("opacity") {
                self.hidden |= value.parse().is_ok_and(|it: f32| it < 0.05);
            } else if is("font-size") {
                self.font = length(value).or(self.font);
            } else if is("font") {
                self.font = value.split_ascii_whitespace().find_map(font_shorthand).or(self.font);
            } else if is("color") {
                self.colour = colour(value).or(self.colour);
            } else if is("background-color") || is("background") {
                self.background = value.split_ascii_whitespace().find_map(colour).or(self.background);
            } else if is("max-height") || is("height") || is("width") || is("max-width") {
                no_room |= length(value) == Some(0);
            } else if is("overflow") {
                clipped |= value.eq_ignore_ascii_case("hidden");
            } else if is("text-indent") || is("left") || is("top") || is("margin-left") {
                self.hidden |= value.starts_with('-') && length(&value[1..]).is_some_and(|it| it >= 5_000);
            }
        }
        self.hidden |= no_room && clipped;
    }
}

/// `12px/1.5` among the words of the `font` shorthand.
fn font_shorthand(word: &str) -> Option<u32> {
    let size = word.split('/').next().unwrap_or(word);
    let unit = size.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    (unit.len() < size.len() && matches!(unit, "px" | "pt" | "em" | "rem" | "%")).then(|| length(size)).flatten()
}

/// A length in tenths of a pixel; relative ones against 16 pixels.
fn length(value: &str) -> Option<u32> {
    let digits = value.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(value.len());
    let number: f32 = value[..digits].parse().ok()?;
    let unit = value[digits..].trim();
    let scale = match unit.to_ascii_lowercase().as_str() {
        "" | "px" => 1.0,
        "pt" => 4.0 / 3.0,
        "em" | "rem" => 16.0,
        "ex" | "ch" => 8.0,
        "%" => 0.16,
        "vw" | "vh" => 8.0,
        "mm" => 3.78,
        "cm" => 37.8,
        "in" => 96.0,
        _ => return None,
    };
    // `as` saturates.
    Some((number * scale * 10.0) as u32)
}

/// `#fff`, `#ffffff`, `rgb(…)` without alpha, and the names that mail uses.
pub fn colour(value: &str) -> Option<Colour> {
    let value = value.trim();
    if let Some(hex) = value.strip_prefix('#') {
        return hex_colour(hex);
    }
    if value.len() >= 4 && value.is_char_boundary(4) && value[..4].eq_ignore_ascii_case("rgb(") {
        let mut numbers = value[4..].trim_end_matches(')').split([',', ' ']).filter(|it| !it.is_empty());
        let mut next = || numbers.next().and_then(|it| it.trim().parse().ok());
        return Some([next()?, next()?, next()?]);
    }
    const NAMES: [(&str, Colour); 12] = [
        ("white", [255, 255, 255]),
        ("black", [0, 0, 0]),
        ("red", [255, 0, 0]),
        ("blue", [0, 0, 255]),
        ("green", [0, 128, 0]),
        ("yellow", [255, 255, 0]),
        ("gray", [128, 128, 128]),
        ("grey", [128, 128, 128]),
        ("silver", [192, 192, 192]),
        ("navy", [0, 0, 128]),
        ("whitesmoke", [245, 245, 245]),
        ("snow", [255, 250, 250]),
    ];
    if let Some((_, colour)) = NAMES.iter().find(|(name, _)| value.eq_ignore_ascii_case(name)) {
        return Some(*colour);
    }
    // `bgcolor=ffffff`
    (value.len() == 6).then(|| hex_colour(value)).flatten()
}

fn hex_colour(hex: &str) -> Option<Colour> {
    let digits: Vec<u8> = hex.chars().map_while(|c| c.to_digit(16)).map(|digit| digit as u8).take(6).collect();
    match (digits.as_slice(), hex.len()) {
        ([r, g, b, x, y, z], 6 | 8) => Some([r << 4 | g, b << 4 | x, y << 4 | z]),
        ([r, g, b, ..], 3 | 4) => Some([r * 17, g * 17, b * 17]),
        _ => None,
    }
}

/// Whether text of one colour cannot be read on the other.
pub fn alike(text: Colour, ground: Colour) -> bool {
    text.iter().zip(ground).all(|(a, b)| a.abs_diff(b) <= 12)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(style: &str) -> Look {
        let mut look = Look::default();
        look.declare(style);
        look
    }

    #[test]
    fn what_hides_is_seen() {
        for style in [
            "display:none",
            "color:red; DISPLAY : None !important",
            "visibility:hidden",
            "opacity:0",
            "max-height:0;overflow:hidden",
            "height:0px;overflow:hidden",
            "mso-hide:all",
            "text-indent:-9999px",
            "position:absolute;left:-5000px",
        ] {
            assert!(look(style).hidden, "{style}");
        }
        for style in ["display:block", "max-height:0", "overflow:hidden;height:20px", "margin-left:-8px", "", "::;;:"] {
            assert!(!look(style).hidden, "{style}");
        }
    }

    #[test]
    fn sizes_and_colours_are_read() {
        for (style, font) in [
            ("font-size:12px", Some(120)),
            ("font-size:0", Some(0)),
            ("font-size: .1pt", Some(1)),
            ("font-size:1px", Some(10)),
            ("font:bold 10px/1.5 Arial", Some(100)),
            ("font-size:larger", None),
            ("font-size:99999999999999999999px", Some(u32::MAX)),
        ] {
            assert_eq!(look(style).font, font, "{style}");
        }
        assert_eq!(look("color:#FFF").colour, Some([255, 255, 255]));
        assert_eq!(look("background:url(x) #0a0b0c no-repeat").background, Some([10, 11, 12]));
        assert_eq!(colour("rgb(1, 2,3)"), Some([1, 2, 3]));
        assert_eq!(colour("ffffff"), Some([255, 255, 255]));
        for no in ["#ff", "rgb(1)", "é", "#éééé", "transparent", "inherit"] {
            assert_eq!(colour(no), None, "{no}");
        }
        assert!(alike([255; 3], [250; 3]) && !alike([255; 3], [200; 3]));
    }
}
