//! WebSocket frames as a client writes and reads them (RFC 6455, section 5).
//!
//! Invariant: nothing here is negotiated or reassembled. A server that compresses or fragments
//! what the benchmark sends is an error, not a slower case.

use anyhow::{Result, bail};

/// Masking costs the server the same for every key but zero; a constant one costs the generator
/// nothing, as a message is encoded once.
const MASK: [u8; 4] = [0x5a, 0xc3, 0x17, 0x8e];

/// What a frame carries (RFC 6455, section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    /// A text message.
    Text,
    /// The closing handshake.
    Close,
    /// Must be answered by a pong.
    Ping,
    /// The answer to a ping.
    Pong,
}

/// One whole frame of a server, borrowed from the read buffer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    /// Its kind.
    pub(crate) opcode: Opcode,
    /// Its payload, which servers do not mask.
    pub(crate) payload: &'a [u8],
}

/// Encodes one final, masked frame.
pub(crate) fn encode(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let first = 0x80
        | match opcode {
            Opcode::Text => 1,
            Opcode::Close => 8,
            Opcode::Ping => 9,
            Opcode::Pong => 10,
        };
    let mut frame = vec![first];
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ 0..=125), _) => frame.push(0x80 | length),
        (_, Ok(length)) => {
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
        _ => {
            frame.push(0x80 | 127);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

/// Splits the first whole frame off `bytes`; `None` when more bytes are needed.
///
/// # Errors
/// A frame that is masked, fragmented, compressed, binary or of an unknown kind.
pub(crate) fn split(bytes: &[u8]) -> Result<Option<(Frame<'_>, &[u8])>> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    let opcode = match first {
        0x81 => Opcode::Text,
        0x88 => Opcode::Close,
        0x89 => Opcode::Ping,
        0x8a => Opcode::Pong,
        _ => bail!("the server sent a frame that starts with {first:#04x}, which is not expected"),
    };
    let (length, rest) = match (*second, rest) {
        (length @ 0..=125, rest) => (u64::from(length), rest),
        (126, [a, b, rest @ ..]) => (u64::from(u16::from_be_bytes([*a, *b])), rest),
        (127, [a, b, c, d, e, f, g, h, rest @ ..]) => {
            (u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]), rest)
        }
        (126 | 127, _) => return Ok(None),
        _ => bail!("the server sent a masked frame"),
    };
    Ok(rest
        .split_at_checked(usize::try_from(length)?)
        .map(|(payload, rest)| (Frame { opcode, payload }, rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_the_shortest_of_the_three_forms() {
        for (length, header) in [(125, 6), (126, 8), (65_535, 8), (65_536, 14)] {
            let frame = encode(Opcode::Text, &vec![b'x'; length]);
            assert_eq!(frame.len(), header + length, "payload of {length} bytes");
        }
    }

    #[test]
    fn a_client_frame_is_masked_as_the_rfc_says() {
        let frame = encode(Opcode::Text, b"Hello");
        assert_eq!(frame[..2], [0x81, 0x85]);
        let clear: Vec<u8> =
            frame[6..].iter().enumerate().map(|(i, b)| b ^ frame[2 + i % 4]).collect();
        assert_eq!(clear, b"Hello");
    }

    #[test]
    fn a_server_frame_is_split_only_when_it_is_whole() {
        let mut bytes = vec![0x81, 126, 0, 200];
        bytes.extend([b'y'; 200]);
        bytes.push(0x89);
        for cut in 0..204 {
            assert_eq!(split(&bytes[..cut]).unwrap(), None, "after {cut} bytes");
        }
        let (frame, rest) = split(&bytes).unwrap().unwrap();
        assert_eq!(frame, Frame { opcode: Opcode::Text, payload: &[b'y'; 200] });
        assert_eq!(rest, [0x89]);
    }

    #[test]
    fn masked_fragmented_and_compressed_server_frames_are_errors() {
        for bytes in [[0x81, 0x81], [0x01, 1], [0xc1, 1], [0x82, 1]] {
            assert!(split(&bytes).is_err(), "{bytes:x?}");
        }
    }
}
