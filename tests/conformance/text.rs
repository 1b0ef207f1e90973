//! Group 6: text is UTF-8, however it is cut into fragments, and anything else is 1007 (RFC 6455,
//! section 8.1). That the lists are right is asked of the standard library.

use super::{Cut, End, RawClient, connect, echoing, sent, talk};
use crate::support::raw_client::{ENDS, GOES_ON, PING, PONG, TEXT, TEXT_BEGINS, frame};

/// The first and last characters of each length, and around every gap in between.
const EDGES: [u32; 22] = [
    0, 0x1f, 0x20, 0x7f, 0x80, 0x7ff, 0x800, 0xfff, 0x1000, 0xcfff, 0xd7ff, 0xe000, 0xfdcf, 0xfdd0,
    0xfdef, 0xfeff, 0xfffd, 0x1_0000, 0x3_ffff, 0x4_0000, 0xf_ffff, 0x10_0000,
];

/// Valid texts: words of many writings, the edges, and all characters that are none (U+xFFFE and
/// U+xFFFF), which are valid all the same.
fn valid() -> Vec<String> {
    let mut texts: Vec<String> = EDGES.iter().map(|&code| text_of(code)).collect();
    texts.extend(
        (0..=0x10).flat_map(|plane| [plane << 16 | 0xfffe, plane << 16 | 0xffff]).map(text_of),
    );
    let words = [
        "",
        "Hello-\u{b5}@\u{df}\u{f6}\u{e4}\u{fc}\u{e0}\u{e1}-UTF-8!!",
        "\u{3ba}\u{1f79}\u{3c3}\u{3bc}\u{3b5}",
        "\u{3ba}\u{f4}\u{10ffff}\u{3b5}",
        "\u{200b}\u{200e}\u{202e}\u{feff}",
        "\u{1f469}\u{200d}\u{1f680} \u{65e5}\u{672c}\u{8a9e}",
    ];
    texts.extend(words.map(str::to_owned));
    texts
}

fn text_of(code: u32) -> String {
    char::from_u32(code).unwrap().to_string()
}

/// Sequences that are no UTF-8 wherever they stand, unless what follows completes them.
fn invalid() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = Vec::new();
    // Bytes that go on from nothing, and bytes that are never there.
    all.extend((0x80..=0xbf).map(|byte| vec![byte]));
    all.extend([0xc0, 0xc1].into_iter().chain(0xf5..=0xff).map(|byte| vec![byte]));
    // Beginnings, each cut off by its end and by another character.
    let beginnings: [&[u8]; 7] =
        [b"\xc2", b"\xe1", b"\xe1\x80", b"\xe2\x82", b"\xf1", b"\xf1\x80", b"\xf1\x80\x80"];
    all.extend(beginnings.map(<[u8]>::to_vec));
    all.extend(beginnings.map(|bytes| [bytes, b" "].concat()));
    all.extend(beginnings.map(|bytes| [bytes, b"\xc3\xa9"].concat()));
    // One byte too many.
    all.extend([&b"\xc2\x80\x80"[..], b"\xe1\x80\x80\x80", b"\xf1\x80\x80\x80\x80"].map(Vec::from));
    // Longer than need be: a slash, NUL, and the largest of each.
    let overlong: [&[u8]; 14] = [
        b"\xc0\xaf",
        b"\xe0\x80\xaf",
        b"\xf0\x80\x80\xaf",
        b"\xf8\x80\x80\x80\xaf",
        b"\xfc\x80\x80\x80\x80\xaf",
        b"\xc0\x80",
        b"\xe0\x80\x80",
        b"\xf0\x80\x80\x80",
        b"\xf8\x80\x80\x80\x80",
        b"\xfc\x80\x80\x80\x80\x80",
        b"\xc1\xbf",
        b"\xe0\x9f\xbf",
        b"\xf0\x8f\xbf\xbf",
        b"\xfc\x83\xbf\xbf\xbf\xbf",
    ];
    all.extend(overlong.map(<[u8]>::to_vec));
    // Surrogates: the edges, and pairs.
    let surrogates: [&[u8]; 8] = [
        b"\xed\xa0\x80",
        b"\xed\xad\xbf",
        b"\xed\xae\x80",
        b"\xed\xaf\xbf",
        b"\xed\xb0\x80",
        b"\xed\xbf\xbf",
        b"\xed\xa0\x80\xed\xb0\x80",
        b"\xed\xaf\xbf\xed\xbf\xbf",
    ];
    all.extend(surrogates.map(<[u8]>::to_vec));
    // Above U+10FFFF.
    let above: [&[u8]; 5] = [
        b"\xf4\x90\x80\x80",
        b"\xf5\x80\x80\x80",
        b"\xf7\xbf\xbf\xbf",
        b"\xf8\x88\x80\x80\x80",
        b"\xfd\xbf\xbf\xbf\xbf\xbf",
    ];
    all.extend(above.map(<[u8]>::to_vec));
    all
}

/// A text message in fragments with these payloads.
fn fragments<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> Vec<Vec<u8>> {
    let mut frames: Vec<_> = parts.into_iter().map(|part| frame(GOES_ON, part)).collect();
    frames.push(frame(ENDS, b""));
    frames[0][0] = TEXT_BEGINS;
    frames
}

async fn expect_echo(client: &mut RawClient, frames: &[Vec<u8>], text: &str) {
    client.send(&frames.concat()).await;
    assert_eq!(client.frame().await, Some(sent(TEXT, text)), "{text:?}");
}

#[test]
fn the_lists_are_right() {
    assert!(valid().len() > 60 && invalid().len() > 120);
    for bytes in invalid() {
        assert!(std::str::from_utf8(&bytes).is_err(), "{bytes:x?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn valid_text_is_text_whole_and_cut_at_every_byte() {
    let gateway = echoing().await;
    let mut client = connect(&gateway).await;
    for text in valid() {
        expect_echo(&mut client, &[frame(TEXT, text.as_bytes())], &text).await;
        for at in 0..=text.len() {
            let (left, right) = text.as_bytes().split_at(at);
            let frames = [frame(TEXT_BEGINS, left), frame(ENDS, right)];
            expect_echo(&mut client, &frames, &text).await;
        }
        if !text.is_empty() {
            expect_echo(&mut client, &fragments(text.as_bytes().chunks(1)), &text).await;
            let chars: Vec<String> = text.chars().map(String::from).collect();
            expect_echo(&mut client, &fragments(chars.iter().map(String::as_bytes)), &text).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_frame_within_a_character_leaves_it_whole() {
    let gateway = echoing().await;
    let mut client = connect(&gateway).await;
    let snowman = "\u{2603}".as_bytes();
    let parts = [
        frame(TEXT_BEGINS, &snowman[..1]),
        // A payload that is no text, as it need not be.
        frame(PING, b"\xff\x80"),
        frame(GOES_ON, &snowman[1..2]),
        frame(PONG, b"\xff"),
        frame(ENDS, &snowman[2..]),
    ];
    client.send(&parts.concat()).await;
    assert_eq!(client.frame().await, Some(sent(PONG, *b"\xff\x80")));
    assert_eq!(client.text().await, "\u{2603}");
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_text_is_1007_whole_and_in_fragments_of_one_byte() {
    let gateway = echoing().await;
    for bytes in invalid() {
        let what = format!("{bytes:x?}");
        let end = End::Failed(1007);
        let whole = [frame(TEXT, &bytes)];
        talk(&gateway, &what, &whole, Cut::Whole, &[], &end).await;
        talk(&gateway, &what, &fragments(bytes.chunks(1)), Cut::Frames, &[], &end).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_text_is_1007_between_valid_text_too() {
    let gateway = echoing().await;
    for bytes in invalid() {
        let what = format!("{bytes:x?}");
        let end = End::Failed(1007);
        let around = ["\u{3ba}\u{1f79}".as_bytes(), &bytes, b"edited"];
        let frames = [frame(TEXT, b"before"), frame(TEXT, &around.concat())];
        let expected = [sent(TEXT, "before")];
        talk(&gateway, &what, &frames, Cut::Whole, &expected, &end).await;
        talk(&gateway, &what, &fragments(around), Cut::Whole, &[], &end).await;
    }
}

/// The suite calls it non-strict to wait for the end of the frame, and to wait for the end of the
/// message wrong where a fragment before it can be valid in no text.
#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_fragment_is_refused_before_the_message_has_ended() {
    let gateway = echoing().await;
    let valid = "\u{3ba}\u{1f79}\u{3c3}\u{3bc}\u{3b5}".as_bytes();
    for broken in [&b"\xf4\x90\x80\x80"[..], b"\xed\xa0\x80", b"\xc0\xaf", b"\xff"] {
        let frames = [frame(TEXT_BEGINS, valid), frame(GOES_ON, broken)];
        talk(&gateway, "fragments", &frames, Cut::Frames, &[], &End::Failed(1007)).await;
        let whole = [frame(TEXT, &[valid, broken, b"edited"].concat())];
        talk(&gateway, "bytes", &whole, Cut::Bytes, &[], &End::Failed(1007)).await;
    }
}
