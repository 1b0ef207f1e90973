//! Files that are made to hurt whoever reads or compiles them. All are valid WebAssembly.

use wasm_encoder::{
    BlockType, CodeSection, Component, ConstExpr, DataSection, Function, FunctionSection,
    InstanceSection, MemorySection, MemoryType, Module, ModuleArg, ModuleSection, TypeSection,
    ValType,
};

/// A component with these core modules, each with an instance, so that all are compiled.
fn component(modules: &[Module]) -> Vec<u8> {
    let mut component = Component::new();
    for module in modules {
        component.section(&ModuleSection(module));
    }
    let mut instances = InstanceSection::new();
    for number in 0..modules.len() {
        instances.instantiate(u32::try_from(number).unwrap(), [("", ModuleArg::Instance(0)); 0]);
    }
    component.section(&instances);
    component.finish()
}

/// A core module with these functions, each from a number to a number.
fn module(functions: impl IntoIterator<Item = Function>) -> Module {
    let (mut types, mut declared, mut code) =
        (TypeSection::new(), FunctionSection::new(), CodeSection::new());
    types.ty().function([ValType::I32], [ValType::I32]);
    for function in functions {
        declared.function(0);
        code.function(&function);
    }
    let mut module = Module::new();
    module.section(&types).section(&declared).section(&code);
    module
}

/// Very many functions.
pub fn many_functions(count: u32) -> Vec<u8> {
    let functions = (0..count).map(|number| {
        let mut function = Function::new([]);
        let mut body = function.instructions();
        body.local_get(0);
        for step in 0..8 {
            body.i32_const(step).i32_add().local_tee(0).local_get(0).i32_mul();
        }
        body.i32_const(number.cast_signed()).i32_xor().end();
        function
    });
    component(&[module(functions)])
}

/// One function of about so many bytes, with values that all stay alive until its end.
pub fn large_function(bytes: usize) -> Vec<u8> {
    let mut function = Function::new([]);
    let mut body = function.instructions();
    let values = i32::try_from(bytes / 8).unwrap();
    for value in 0..values {
        // All are different: nothing is the same as what was there already.
        body.local_get(0).i32_const(value).i32_mul();
    }
    for _ in 1..values {
        body.i32_add();
    }
    body.end();
    component(&[module([function])])
}

/// A function with blocks within each other.
pub fn deep_blocks(levels: usize) -> Vec<u8> {
    let mut function = Function::new([]);
    let mut body = function.instructions();
    for level in 0..levels {
        match level % 2 {
            0 => body.block(BlockType::Empty),
            _ => body.loop_(BlockType::Empty),
        };
        body.local_get(0).br_if(0);
    }
    for _ in 0..levels {
        body.end();
    }
    body.local_get(0).end();
    component(&[module([function])])
}

/// Memories whose first and last but one byte are given: images of 16 MiB, the zeros kept as well.
pub fn memory_images(memories: usize) -> Vec<u8> {
    const PAGES: u64 = 256;
    let image = || {
        let (mut memory, mut data) = (MemorySection::new(), DataSection::new());
        memory.memory(MemoryType {
            minimum: PAGES,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        for offset in [0, i32::try_from(PAGES << 16).unwrap() - 2] {
            data.active(0, &ConstExpr::i32_const(offset), [1]);
        }
        let mut module = Module::new();
        module.section(&memory).section(&data);
        module
    };
    component(&(0..memories).map(|_| image()).collect::<Vec<_>>())
}

/// A component in a component, and so on.
pub fn nested_components(levels: usize) -> Vec<u8> {
    // Written from the inside out, so backwards.
    let mut backwards: Vec<u8> = Vec::new();
    for level in 0..=levels {
        backwards.extend(b"\0asm\x0d\0\x01\0".iter().rev());
        if level < levels {
            let length = leb128(backwards.len());
            backwards.extend(length.iter().rev());
            backwards.push(4);
        }
    }
    backwards.reverse();
    backwards
}

/// A component with one type, which is a component type with one type, and so on.
pub fn nested_types(levels: usize) -> Vec<u8> {
    let mut types = vec![1];
    for _ in 0..levels {
        types.extend([0x41, 1, 1]);
    }
    types.extend([0x41, 0]);
    let mut file = b"\0asm\x0d\0\x01\0\x07".to_vec();
    file.extend(leb128(types.len()));
    file.extend(types);
    file
}

/// An unsigned number as WebAssembly writes it.
fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        match number {
            0 => return bytes.into_iter().chain([low]).collect(),
            _ => bytes.push(low | 0x80),
        }
    }
}
