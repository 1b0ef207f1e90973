//! A module that takes long to compile: a component with a core module of many functions.
//!
//! Invariant: it is valid, and no listener.

/// One with so many functions; another `mark` makes another file of it.
pub(crate) fn component(functions: u32, mark: u32) -> Vec<u8> {
    let core = core(functions, mark);
    let mut file = b"\0asm\x0d\0\x01\0".to_vec();
    section(&mut file, 1, &core);
    // An instance of it without arguments: what is never instantiated need not be compiled.
    section(&mut file, 2, &[1, 0, 0, 0]);
    file
}

fn core(functions: u32, mark: u32) -> Vec<u8> {
    let mut file = b"\0asm\x01\0\0\0".to_vec();
    // From a number to a number.
    section(&mut file, 1, &[1, 0x60, 1, 0x7f, 1, 0x7f]);
    let mut declared = number(functions);
    declared.resize(declared.len() + functions as usize, 0);
    section(&mut file, 3, &declared);
    let mut code = number(functions);
    for function in 0..functions {
        let body = body(function ^ mark);
        code.extend(number(u32::try_from(body.len()).unwrap_or(u32::MAX)));
        code.extend(body);
    }
    section(&mut file, 10, &code);
    file
}

/// Adds and multiplies, so that there is something to choose instructions and registers for.
fn body(constant: u32) -> Vec<u8> {
    const LOCAL_GET: u8 = 0x20;
    const LOCAL_TEE: u8 = 0x22;
    const I32_CONST: u8 = 0x41;
    const I32_ADD: u8 = 0x6a;
    const I32_MUL: u8 = 0x6c;
    const END: u8 = 0x0b;
    let mut body = vec![0, LOCAL_GET, 0];
    for step in 0..8 {
        body.extend([I32_CONST, step, I32_ADD, LOCAL_TEE, 0, LOCAL_GET, 0, I32_MUL]);
    }
    body.push(I32_CONST);
    // Positive, and its sign bit is in the last group.
    body.extend(number(constant & 0x00ff_ffff | 0x0100_0000));
    body.extend([I32_ADD, END]);
    body
}

fn section(file: &mut Vec<u8>, id: u8, data: &[u8]) {
    file.push(id);
    file.extend(number(u32::try_from(data.len()).unwrap_or(u32::MAX)));
    file.extend(data);
}

/// In LEB128.
fn number(mut number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mark_makes_another_file_of_the_same_size() {
        let (one, other) = (component(100, 1), component(100, 2));
        assert_ne!(one, other);
        assert_eq!(one.len(), other.len());
    }
}
