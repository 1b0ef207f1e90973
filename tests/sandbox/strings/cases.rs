//! Texts in the memory of a guest: how they should be, and how they should not.

use wit_component::StringEncoding;

pub(super) const MEMORY_BYTES: u32 = 4 << 16;

/// Where nothing else lies.
pub(super) const SPACE: u32 = 128 << 10;

/// In latin1+utf16: it is the other of the two.
const IS_UTF16: u32 = 1 << 31;

/// Bytes that are put somewhere, and a text that is said to be somewhere.
#[derive(Clone, Debug)]
pub(super) struct Put {
    pub(super) to: u32,
    pub(super) at: u32,
    /// In bytes, or what the encoding counts in.
    pub(super) length: u32,
    pub(super) bytes: Vec<u8>,
}

/// A text and what it means; nothing where it is none.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) put: Put,
    pub(super) means: Option<String>,
}

/// Texts for which encodings differ: in the one that is shortest, and where it becomes clear that
/// another one is needed.
pub(super) fn texts() -> [String; 8] {
    let latin = "Grüße aus Köln".to_owned();
    [
        String::new(),
        "plain".to_owned(),
        latin.clone(),
        "日本語".to_owned(),
        "a mark: \u{feff}, the last of a plane: \u{ffff}, one beyond: 😀".to_owned(),
        "ü".repeat(9_999),
        format!("{}😀", "ü".repeat(9_999)),
        format!("{}Ā{}", "plain ".repeat(1_000), latin.repeat(100)),
    ]
}

/// Where a text of this encoding lies when all is right.
pub(super) fn put(encoding: StringEncoding, text: &str) -> Put {
    let (bytes, length) = encode(encoding, text);
    Put { to: SPACE, at: SPACE, length, bytes }
}

fn encode(encoding: StringEncoding, text: &str) -> (Vec<u8>, u32) {
    let latin1: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c).ok()).collect();
    let count = |length: usize| u32::try_from(length).unwrap();
    match (encoding, latin1) {
        (StringEncoding::UTF8, _) => (text.as_bytes().to_vec(), count(text.len())),
        (StringEncoding::CompactUTF16, Some(latin1)) => {
            let length = count(latin1.len());
            (latin1, length)
        }
        (StringEncoding::CompactUTF16, None) => {
            let (bytes, length) = encode(StringEncoding::UTF16, text);
            (bytes, length | IS_UTF16)
        }
        (StringEncoding::UTF16, _) => {
            let units: Vec<u16> = text.encode_utf16().collect();
            (in_memory(&units), count(units.len()))
        }
    }
}

fn in_memory(units: &[u16]) -> Vec<u8> {
    units.iter().flat_map(|unit| unit.to_le_bytes()).collect()
}

/// All that is right: in the middle, and where the memory ends.
pub(super) fn valid(encoding: StringEncoding) -> Vec<Case> {
    let mut cases = Vec::new();
    for text in texts() {
        let mut add = |name: &str, put: Put| {
            let name = format!("{name}: {text:.20}");
            cases.push(Case { name, put, means: Some(text.clone()) });
        };
        let right = put(encoding, &text);
        add("right", right.clone());
        let bytes = u32::try_from(right.bytes.len()).unwrap();
        let last = MEMORY_BYTES - bytes;
        let last = if encoding == StringEncoding::UTF8 { last } else { last & !1 };
        add("at the end", Put { to: last, at: last, ..right.clone() });
        match encoding {
            StringEncoding::UTF8 => add("odd", Put { to: SPACE + 1, at: SPACE + 1, ..right }),
            StringEncoding::CompactUTF16 => {
                // Nobody has to choose the shorter one.
                let (bytes, length) = encode(StringEncoding::UTF16, &text);
                add("the longer one", Put { bytes, length: length | IS_UTF16, ..right });
            }
            StringEncoding::UTF16 => {}
        }
    }
    cases
}

/// All that is wrong, and what looks like it and is right.
pub(super) fn hostile(encoding: StringEncoding) -> Vec<Case> {
    let mut cases = vec![
        case("it begins where the memory ends", MEMORY_BYTES, 0, &[], Some("")),
        case("it begins beyond the end", MEMORY_BYTES + 2, 0, &[], None),
        case("it begins far beyond the end", 0xffff_fffe, 0, &[], None),
        case("it crosses the end", MEMORY_BYTES - 2, 3, &[], None),
        case("its end is before its beginning", 0xffff_fff0, 0x20, &[], None),
        case("a gigabyte", SPACE, 1 << 30, &[], None),
        case("two gigabytes less one", SPACE, (1 << 31) - 1, &[], None),
        case("all there is", SPACE, u32::MAX, &[], None),
        case("all there is, from the beginning", 0, u32::MAX, &[], None),
    ];
    let is_compact = encoding == StringEncoding::CompactUTF16;
    for length in [0, 1] {
        // In bytes it would be nothing, or very little, if it was reckoned in 32 bits.
        let means = is_compact.then_some(["", "a"][length as usize]);
        cases.push(case("twice two gigabytes", SPACE, IS_UTF16 | length, b"a\0", means));
    }
    match encoding {
        StringEncoding::UTF8 => cases.extend(bad_utf8()),
        StringEncoding::UTF16 => cases.extend(bad_utf16(0)),
        StringEncoding::CompactUTF16 => {
            cases.extend(bad_utf16(IS_UTF16));
            // The alignment is that of the other encoding.
            cases.push(case("odd latin1", SPACE + 1, 2, b"ab", None));
            cases.push(case("odd nothing", SPACE + 1, 0, b"", None));
        }
    }
    cases
}

fn bad_utf8() -> Vec<Case> {
    let bad: [&[u8]; 8] = [
        b"\xff",
        b"ends within \xc3",
        b"ends within \xf0\x9f\x98",
        b"goes on where nothing began \x80",
        b"longer than it must be \xc0\x80",
        b"half a pair \xed\xa0\x80",
        b"beyond the last \xf4\x90\x80\x80",
        b"there is no such beginning \xf8\x88\x80\x80\x80",
    ];
    bad.iter()
        .map(|bytes| {
            let length = u32::try_from(bytes.len()).unwrap();
            case(&String::from_utf8_lossy(bytes), SPACE, length, bytes, None)
        })
        .collect()
}

fn bad_utf16(mark: u32) -> Vec<Case> {
    const HIGH: u16 = 0xd83d;
    const LOW: u16 = 0xde00;
    let plain = u16::from(b'a');
    let units = |name: &str, units: &[u16], at: u32| {
        let length = u32::try_from(units.len()).unwrap() | mark;
        case(name, at, length, &in_memory(units), None)
    };
    // Where something else decides before, and where it does not.
    let late = [vec![plain; 5_000], vec![HIGH]].concat();
    vec![
        units("the first of a pair", &[HIGH], SPACE),
        units("the second of a pair", &[LOW], SPACE),
        units("a pair the wrong way round", &[LOW, HIGH], SPACE),
        units("two firsts", &[HIGH, HIGH, LOW], SPACE),
        units("a first and a letter", &[HIGH, plain], SPACE),
        units("a first at the end", &late, SPACE),
        units("a first where the memory ends", &[plain, HIGH], MEMORY_BYTES - 4),
        units("odd", &[plain, plain], SPACE + 1),
        units("odd, and nothing", &[], SPACE + 1),
        units("odd, to the last byte", &[plain, plain], MEMORY_BYTES - 5),
        case("an odd one across the end", MEMORY_BYTES - 1, 1 | mark, &[], None),
        case("half of one", MEMORY_BYTES - 2, 2 | mark, &[], None),
    ]
}

/// A text at this place, whose bytes are put there if there are any.
fn case(name: &str, at: u32, length: u32, bytes: &[u8], means: Option<&str>) -> Case {
    let to = if bytes.is_empty() { SPACE } else { at };
    let put = Put { to, at, length, bytes: bytes.to_vec() };
    Case { name: name.to_owned(), put, means: means.map(str::to_owned) }
}
