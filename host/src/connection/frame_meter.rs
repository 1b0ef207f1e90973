//! Follows the frames in a stream of bytes by their headers (RFC 6455, section 5.2) and counts what
//! the library does not: fragments, control frames, and whether a message has begun and not ended.
//!
//! Invariant: pure, and how the bytes are cut makes no difference. Payloads are skipped by
//! arithmetic. Of a stream that breaks the protocol it may think what it likes: the library ends
//! such a connection at the first fault, which is not later than where the two could disagree.

/// One stream, at some point in it.
#[derive(Debug)]
pub(super) struct FrameMeter {
    max_fragments: u32,
    /// Frames of the data message that came last, so far.
    fragments: u32,
    /// Control frames since they were taken last.
    controls: u32,
    /// Messages begun, control frames between messages included; wraps.
    begun: u32,
    /// A data message wants another frame.
    open: bool,
    stage: Stage,
    /// The length in the header, so far; then how much of mask and payload is to come.
    rest: u64,
}

/// What the next byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    First,
    Second,
    /// One of so many bytes more of an extended length.
    Length {
        left: u8,
        masked: bool,
    },
    Payload,
}

/// A message comes in more fragments than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooManyFragments {
    /// Number of bytes before the frame that is one too many.
    pub(super) before: usize,
}

const FIN: u8 = 0x80;
const OPCODE: u8 = 0x0f;
const CONTINUATION: u8 = 0;
/// Opcodes from here on are control frames.
const FIRST_CONTROL: u8 = 8;
const MASKED: u8 = 0x80;
const LENGTH: u8 = 0x7f;
const MASK_BYTES: u64 = 4;

impl FrameMeter {
    /// At the begin of a stream whose messages may have so many fragments.
    pub(super) fn new(max_fragments: u32) -> Self {
        Self {
            max_fragments,
            fragments: 0,
            controls: 0,
            begun: 0,
            open: false,
            stage: Stage::First,
            rest: 0,
        }
    }

    /// Reads the bytes that come next.
    ///
    /// # Errors
    /// [`TooManyFragments`]; then nothing more is to be read.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<(), TooManyFragments> {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            match self.stage {
                Stage::First => self.first(*byte).map_err(|()| TooManyFragments { before: at })?,
                Stage::Second => self.second(*byte),
                Stage::Length { left, masked } => {
                    self.rest = self.rest << 8 | u64::from(*byte);
                    match left {
                        0 | 1 => self.payload(self.rest, masked),
                        _ => self.stage = Stage::Length { left: left - 1, masked },
                    }
                }
                Stage::Payload => {
                    let here =
                        (bytes.len() - at).min(usize::try_from(self.rest).unwrap_or(usize::MAX));
                    self.rest -= here as u64;
                    at += here;
                    if self.rest == 0 {
                        self.stage = Stage::First;
                    }
                    continue;
                }
            }
            at += 1;
        }
        Ok(())
    }

    /// Control frames that have begun since this was asked last.
    pub(super) fn take_controls(&mut self) -> u32 {
        std::mem::take(&mut self.controls)
    }

    /// The number of the message or frame that has begun and not ended; none between them.
    pub(super) fn unfinished(&self) -> Option<u32> {
        (self.open || self.stage != Stage::First).then_some(self.begun)
    }

    #[inline]
    fn first(&mut self, byte: u8) -> Result<(), ()> {
        let opcode = byte & OPCODE;
        if opcode >= FIRST_CONTROL {
            self.controls = self.controls.saturating_add(1);
            self.begun = self.begun.wrapping_add(u32::from(!self.open));
        } else {
            let fragments =
                if opcode == CONTINUATION { self.fragments.saturating_add(1) } else { 1 };
            if fragments > self.max_fragments {
                return Err(());
            }
            self.fragments = fragments;
            self.begun = self.begun.wrapping_add(u32::from(!self.open));
            self.open = byte & FIN == 0;
        }
        self.stage = Stage::Second;
        Ok(())
    }

    #[inline]
    fn second(&mut self, byte: u8) {
        let masked = byte & MASKED != 0;
        self.rest = 0;
        match byte & LENGTH {
            126 => self.stage = Stage::Length { left: 2, masked },
            127 => self.stage = Stage::Length { left: 8, masked },
            length => self.payload(u64::from(length), masked),
        }
    }

    #[inline]
    fn payload(&mut self, length: u64, masked: bool) {
        self.rest = length.saturating_add(if masked { MASK_BYTES } else { 0 });
        self.stage = if self.rest == 0 { Stage::First } else { Stage::Payload };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Copy, Debug)]
    struct Frame {
        first: u8,
        length: usize,
    }

    /// A client's frame; its payload is what would be mistaken for headers.
    fn bytes(frame: Frame) -> Vec<u8> {
        let mut bytes = vec![frame.first];
        match frame.length {
            0..126 => bytes.push(MASKED | frame.length as u8),
            126..65_536 => {
                bytes.push(MASKED | 126);
                bytes.extend((frame.length as u16).to_be_bytes());
            }
            _ => {
                bytes.push(MASKED | 127);
                bytes.extend((frame.length as u64).to_be_bytes());
            }
        }
        bytes.extend([0x09; 4]);
        bytes.resize(bytes.len() + frame.length, 0x09);
        bytes
    }

    /// What a stream of whole frames has: fragments of the last message, control frames, messages
    /// begun, and whether one is open.
    fn counted(frames: &[Frame]) -> (u32, u32, u32, bool) {
        let (mut fragments, mut controls, mut begun, mut open) = (0, 0, 0, false);
        for frame in frames {
            begun += u32::from(!open);
            if frame.first & OPCODE >= FIRST_CONTROL {
                controls += 1;
            } else {
                fragments = if frame.first & OPCODE == 0 { fragments + 1 } else { 1 };
                open = frame.first & FIN == 0;
            }
        }
        (fragments, controls, begun, open)
    }

    fn state(meter: &FrameMeter) -> (u32, u32, u32, bool) {
        (meter.fragments, meter.controls, meter.begun, meter.unfinished().is_some())
    }

    fn any_frames() -> impl Strategy<Value = Vec<Frame>> {
        let first =
            prop::sample::select(vec![0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8a, 0x88]);
        let length = prop_oneof![0_usize..4, 124_usize..130, 65_530_usize..65_540, 0_usize..2_000];
        let frame = (first, length).prop_map(|(first, length)| Frame { first, length });
        prop::collection::vec(frame, 0..12)
    }

    proptest! {
        #[test]
        fn how_a_stream_is_cut_makes_no_difference(
            frames in any_frames(),
            cuts in prop::collection::vec(1_usize..40_000, 0..20),
            fine in any::<bool>(),
        ) {
            let stream = frames.iter().flat_map(|frame| bytes(*frame)).collect::<Vec<_>>();
            let mut meter = FrameMeter::new(u32::MAX);
            let mut rest = &stream[..];
            let mut cuts = cuts.into_iter().map(|cut| if fine { cut % 7 + 1 } else { cut }).cycle();
            while !rest.is_empty() {
                let cut = cuts.next().unwrap_or(1).min(rest.len());
                let (now, later) = rest.split_at(cut);
                meter.read(now).unwrap();
                if !later.is_empty() {
                    rest = later;
                    continue;
                }
                break;
            }
            prop_assert_eq!(state(&meter), counted(&frames));
            prop_assert_eq!(meter.stage, Stage::First);
        }

        #[test]
        fn in_the_middle_of_a_frame_a_message_is_unfinished(frames in any_frames(), cut in any::<prop::sample::Index>()) {
            let mut stream = Vec::new();
            let mut ends = vec![0];
            for frame in &frames {
                stream.extend(bytes(*frame));
                ends.push(stream.len());
            }
            let cut = cut.index(stream.len() + 1);
            let mut meter = FrameMeter::new(u32::MAX);
            meter.read(&stream[..cut]).unwrap();
            let whole = ends.iter().position(|end| *end == cut);
            let expected = whole.is_none_or(|count| counted(&frames[..count]).3);
            prop_assert_eq!(meter.unfinished().is_some(), expected);
        }

        #[test]
        fn the_first_fragment_too_many_is_where_it_stops(
            limit in 1_u32..20,
            extra in 0_u32..3,
            cut in 1_usize..30,
        ) {
            let mut frames = vec![Frame { first: 0x01, length: 3 }];
            for number in 1..limit + extra {
                frames.push(Frame { first: 0x89, length: 1 });
                frames.push(Frame { first: 0x00, length: number as usize % 3 });
            }
            let allowed = 1 + 2 * (limit as usize - 1);
            let before: usize = frames[..allowed].iter().map(|frame| bytes(*frame).len()).sum();
            // The ping between is no fragment.
            let before = before + if extra > 0 { bytes(frames[allowed]).len() } else { 0 };
            let stream = frames.iter().flat_map(|frame| bytes(*frame)).collect::<Vec<_>>();
            let mut meter = FrameMeter::new(limit);
            let mut at = 0;
            let stopped = stream.chunks(cut).find_map(|chunk| {
                let result = meter.read(chunk).err().map(|fault| at + fault.before);
                at += chunk.len();
                result
            });
            prop_assert_eq!(stopped, (extra > 0).then_some(before));
        }
    }

    #[test]
    fn each_message_has_a_number_of_its_own() {
        let mut meter = FrameMeter::new(10);
        assert_eq!(meter.unfinished(), None);
        meter.read(&[0x01]).unwrap();
        let first = meter.unfinished().unwrap();
        // A ping within it changes nothing.
        meter.read(&[0x81, 0, 0, 0, 0, b'x', 0x89, 0x80, 0, 0, 0, 0]).unwrap();
        assert_eq!((meter.unfinished(), meter.take_controls()), (Some(first), 1));
        meter.read(&[0x80, 0x80, 0, 0, 0, 0]).unwrap();
        assert_eq!((meter.unfinished(), meter.take_controls()), (None, 0));
        meter.read(&[0x89]).unwrap();
        assert_ne!(meter.unfinished().unwrap(), first);
    }

    #[test]
    fn the_largest_length_is_no_overflow() {
        let mut meter = FrameMeter::new(1);
        meter.read(&[0x82, 0xff]).unwrap();
        meter.read(&[0xff; 8]).unwrap();
        meter.read(&[0; 100]).unwrap();
        assert!(meter.unfinished().is_some());
    }
}
