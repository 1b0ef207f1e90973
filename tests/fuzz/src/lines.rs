//! How inputs are written: in lines, each a word and what follows. Fuzzers repeat, move, cut and
//! join lines, and what comes of it still says something; people can read and write them.

/// The lines that begin with a word, and what follows the first space after it.
pub fn lines(data: &[u8]) -> impl Iterator<Item = (&str, &[u8])> {
    data.split(|byte| *byte == b'\n').filter_map(|line| {
        let end = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
        let word = std::str::from_utf8(&line[..end]).ok()?;
        Some((word, line.get(end + 1..).unwrap_or_default()))
    })
}

/// Text, whatever the bytes are.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Words of a text.
pub fn words(bytes: &[u8]) -> Vec<String> {
    text(bytes).split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// That a message can be shown to people as one line. Tabs do no harm.
pub fn assert_line(message: &str) {
    assert!(!message.is_empty());
    assert!(!message.chars().any(|c| c.is_control() && c != '\t'), "{message:?}");
}
