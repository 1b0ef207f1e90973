//! A validating reader of JSON text (RFC 8259) that only finds where values begin and end.
//!
//! Invariant: no recursion, no decoding, nothing built. It takes exactly the texts that
//! JavaScript's `JSON.parse` takes, also lone surrogates in escapes, numbers out of any range
//! and any depth of nesting; the depth costs one bit per level.
//!
//! Why not serde: its visitors cannot look at a value's first byte, so a pointer of two tokens
//! would read the inner object twice; they decode numbers and strings, and so refuse what
//! `JSON.parse` takes; an invalid text costs an allocation. This takes two thirds of the
//! instructions of serde_json's `IgnoredAny`, which is the oracle of the tests here.

/// A position in a JSON text.
#[derive(Debug, Clone)]
pub(crate) struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

/// Evidence that the text so far is not JSON. Why does not matter: such a text matches nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotJson;

/// The key of an object's member as it stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RawKey<'t> {
    /// With its quotes.
    pub(crate) quoted: &'t [u8],
    /// Whether there are escapes, so that what is between the quotes is not yet the key.
    pub(crate) escaped: bool,
}

impl RawKey<'_> {
    /// The key itself, unless it holds half of a surrogate pair.
    pub(crate) fn decode(self) -> Option<String> {
        serde_json::from_slice(self.quoted).ok()
    }
}

impl<'t> Scanner<'t> {
    /// Starts before the first byte.
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// Number of bytes read.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Skips white space and returns the next byte without reading it.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        let (next, at) = token(self.text.as_bytes(), self.at);
        self.at = at;
        (at < self.text.len()).then_some(next)
    }

    /// Skips white space, and reads `expected` if it is next.
    pub(crate) fn eat(&mut self, expected: u8) -> bool {
        let next = self.peek() == Some(expected);
        self.at += usize::from(next);
        next
    }

    /// Reads what must follow the last value: nothing but white space.
    pub(crate) fn end(&mut self) -> Result<(), NotJson> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(NotJson),
        }
    }

    /// Reads one whole value.
    #[inline]
    pub(crate) fn value(&mut self) -> Result<(), NotJson> {
        self.at = value_end::<UNBOUNDED>(self.text.as_bytes(), self.at)?;
        Ok(())
    }

    /// Reads one whole value in which at most `DEPTH` arrays and objects are within each other.
    pub(super) fn shallow_value<const DEPTH: usize>(&mut self) -> Result<(), NotJson> {
        self.at = value_end::<DEPTH>(self.text.as_bytes(), self.at)?;
        Ok(())
    }

    /// Reads one whole value and returns its text, without white space around it.
    pub(crate) fn value_text(&mut self) -> Result<&'t str, NotJson> {
        self.peek();
        let start = self.at;
        self.value()?;
        self.text.get(start..self.at).ok_or(NotJson)
    }

    /// Reads the key of an object's member, and the colon after it.
    #[inline]
    pub(crate) fn key(&mut self) -> Result<RawKey<'t>, NotJson> {
        let bytes = self.text.as_bytes();
        let (b'"', start) = token(bytes, self.at) else { return Err(NotJson) };
        let plain = plain_end(bytes, start + 1);
        let escaped = bytes.get(plain) != Some(&b'"');
        let end = if escaped { escaped_string_end(bytes, plain)? } else { plain + 1 };
        let (b':', colon) = token(bytes, end) else { return Err(NotJson) };
        self.at = colon + 1;
        Ok(RawKey { quoted: bytes.get(start..end).ok_or(NotJson)?, escaped })
    }

    /// Whether a list that ends with `close` goes on after a value. Reads the comma or the end.
    pub(crate) fn more(&mut self, close: u8) -> Result<bool, NotJson> {
        match self.peek() {
            Some(byte) if byte == b',' || byte == close => {
                self.at += 1;
                Ok(byte == b',')
            }
            _ => Err(NotJson),
        }
    }
}

/// The first byte from `at` that is not white space, and where it is; 0 at the end of the text,
/// which is no token either.
fn token(bytes: &[u8], mut at: usize) -> (u8, usize) {
    loop {
        match bytes.get(at) {
            Some(b' ' | b'\n' | b'\r' | b'\t') => at += 1,
            Some(byte) => return (*byte, at),
            None => return (0, at),
        }
    }
}

/// Any depth of nesting; then it is not counted.
const UNBOUNDED: usize = usize::MAX;

/// The end of the value that starts at `at` or after white space there. An empty list counts as a
/// level too.
fn value_end<const DEPTH: usize>(bytes: &[u8], mut at: usize) -> Result<usize, NotJson> {
    let mut open = OpenLists::default();
    let mut next;
    loop {
        // Nothing of this is there where the depth is not counted.
        if DEPTH != UNBOUNDED && open.depth() >= DEPTH && matches!(token(bytes, at).0, b'{' | b'[')
        {
            return Err(NotJson);
        }
        (next, at) = token(bytes, at);
        at = match next {
            b'"' => string_end(bytes, at)?,
            b'{' => {
                (next, at) = token(bytes, at + 1);
                if next != b'}' {
                    open.push(List::Object);
                    at = key_end(bytes, at)?;
                    continue;
                }
                at + 1
            }
            b'[' => {
                (next, at) = token(bytes, at + 1);
                if next != b']' {
                    open.push(List::Array);
                    continue;
                }
                at + 1
            }
            b'-' | b'0'..=b'9' => number_end(bytes, at)?,
            b't' => word_end(bytes, at, "true")?,
            b'f' => word_end(bytes, at, "false")?,
            b'n' => word_end(bytes, at, "null")?,
            _ => return Err(NotJson),
        };
        // A value has ended, and with it perhaps the lists it closes.
        loop {
            if open.innermost == List::None {
                return Ok(at);
            }
            (next, at) = token(bytes, at);
            at += 1;
            if next == b',' {
                break;
            }
            if next != open.innermost as u8 {
                return Err(NotJson);
            }
            open.pop();
        }
        if open.innermost == List::Object {
            at = key_end(bytes, at)?;
        }
    }
}

/// The end of a member's key and colon.
#[inline]
fn key_end(bytes: &[u8], at: usize) -> Result<usize, NotJson> {
    let (b'"', at) = token(bytes, at) else { return Err(NotJson) };
    match token(bytes, string_end(bytes, at)?) {
        (b':', at) => Ok(at + 1),
        _ => Err(NotJson),
    }
}

/// The end of the string whose opening quote is at `at`.
#[inline]
fn string_end(bytes: &[u8], at: usize) -> Result<usize, NotJson> {
    let at = plain_end(bytes, at + 1);
    match bytes.get(at) {
        Some(b'"') => Ok(at + 1),
        _ => escaped_string_end(bytes, at),
    }
}

/// The end of the string of which `at` is the first escape, or breaks it.
#[inline(never)]
fn escaped_string_end(bytes: &[u8], mut at: usize) -> Result<usize, NotJson> {
    loop {
        match bytes.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => at = plain_end(bytes, escape_end(bytes, at + 1)?),
            _ => return Err(NotJson),
        }
    }
}

/// The first position from `at` whose byte cannot stand for itself in a string: a quote, a
/// backslash, a control character, or the end.
#[inline]
fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    // Sets the high bit of each byte below `limit`, and of none before the first such byte.
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let word = u64::from_le_bytes(*chunk);
        // Flipping bit 1 makes the quote 0x20 and leaves the controls, and only them, below it.
        let control_or_quote = below(word ^ (ONES * 2), 0x21);
        let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
        let special = (control_or_quote | backslash) & (ONES * 0x80);
        if special != 0 {
            return at + special.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)) {
        at += 1;
    }
    at
}

/// The end of the escape whose backslash is before `at`.
fn escape_end(bytes: &[u8], at: usize) -> Result<usize, NotJson> {
    match bytes.get(at) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 1),
        Some(b'u') => match bytes.get(at + 1..at + 5) {
            Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => Ok(at + 5),
            _ => Err(NotJson),
        },
        _ => Err(NotJson),
    }
}

/// The end of the number that starts at `at`.
fn number_end(bytes: &[u8], mut at: usize) -> Result<usize, NotJson> {
    if bytes.get(at) == Some(&b'-') {
        at += 1;
    }
    at = match bytes.get(at) {
        Some(b'0') => at + 1,
        _ => digits_end(bytes, at)?,
    };
    if bytes.get(at) == Some(&b'.') {
        at = digits_end(bytes, at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at = match bytes.get(at + 1) {
            Some(b'+' | b'-') => digits_end(bytes, at + 2)?,
            _ => digits_end(bytes, at + 1)?,
        };
    }
    Ok(at)
}

/// The end of the digits at `at`, of which there must be one.
fn digits_end(bytes: &[u8], start: usize) -> Result<usize, NotJson> {
    let mut at = start;
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    if at > start { Ok(at) } else { Err(NotJson) }
}

fn word_end(bytes: &[u8], at: usize, word: &str) -> Result<usize, NotJson> {
    let end = at + word.len();
    if bytes.get(at..end) == Some(word.as_bytes()) { Ok(end) } else { Err(NotJson) }
}

/// What a position is directly in, as the byte that closes it.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum List {
    None = 0,
    Object = b'}',
    Array = b']',
}

/// The lists a position is in.
struct OpenLists {
    innermost: List,
    /// The others, one bit each (set for an object), from bit 0 outwards. A set bit above them
    /// marks where they end.
    around: u64,
    /// What did not fit there, 63 lists each.
    outer: Vec<u64>,
}

impl Default for OpenLists {
    fn default() -> Self {
        Self { innermost: List::None, around: 1, outer: Vec::new() }
    }
}

impl OpenLists {
    /// Number of lists.
    fn depth(&self) -> usize {
        let around = 63_usize.saturating_sub(self.around.leading_zeros() as usize);
        around + 63 * self.outer.len() + usize::from(self.innermost != List::None)
    }

    #[inline]
    fn push(&mut self, list: List) {
        if self.innermost != List::None {
            if self.around >> 63 == 1 {
                self.outer.push(std::mem::replace(&mut self.around, 1));
            }
            self.around = self.around << 1 | u64::from(self.innermost == List::Object);
        }
        self.innermost = list;
    }

    #[inline]
    fn pop(&mut self) {
        self.innermost = match self.around {
            1 => List::None,
            around if around & 1 == 1 => List::Object,
            _ => List::Array,
        };
        self.around = match self.around >> 1 {
            0 => 1,
            1 => self.outer.pop().unwrap_or(1),
            around => around,
        };
    }
}

#[cfg(test)]
mod tests;
