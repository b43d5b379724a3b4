//! Whether a wasm module still runs on old TVs: it is validated with nothing switched on but what the
//! oldest engine knew, so that a newer instruction or type is an error with its name and offset.

use anyhow::bail;
use wasmparser::{
    BinaryReader, ExternalKind, OperatorsReader, Parser, Payload, TypeRef, ValType, Validator,
    WasmFeatures,
};

/// The oldest engine that must run the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Floor {
    /// The first WebAssembly, without any later proposal: Chromium 57, and so also the oldest TVs
    /// that the rest of the viewer reaches.
    Mvp,
    /// With sign extension (74), mutable globals (74), saturating float-to-int (75) and bulk memory (75):
    /// what is left in the module when wasm-opt has not lowered std's own code.
    Chromium75,
}

impl Floor {
    fn features(self) -> WasmFeatures {
        match self {
            Self::Mvp => WasmFeatures::MVP,
            Self::Chromium75 => {
                WasmFeatures::MVP
                    | WasmFeatures::MUTABLE_GLOBAL
                    | WasmFeatures::SIGN_EXTENSION
                    | WasmFeatures::SATURATING_FLOAT_TO_INT
                    | WasmFeatures::BULK_MEMORY
            }
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Mvp => "the first WebAssembly (MVP)",
            Self::Chromium75 => "Chromium 75",
        }
    }
}

/// Succeeds if engines from `floor` on can compile the module and call its functions. The error names
/// the first thing that they can't, with its offset in the file.
pub(crate) fn check(module: &[u8], floor: Floor) -> anyhow::Result<()> {
    if let Err(error) = Validator::new_with_features(floor.features()).validate_all(module) {
        let at = error.offset();
        let what = instruction(module, at)
            .map(|name| format!("`{name}`: "))
            .unwrap_or_default();
        bail!(
            "not for {}: {what}{} at offset {at:#x}",
            floor.name(),
            error.message()
        );
    }
    no_bigints(module)
}

/// The instruction at an offset, if there is one that can be read there.
fn instruction(module: &[u8], offset: u64) -> Option<String> {
    let rest = module.get(usize::try_from(offset).ok()?..)?;
    let operator = OperatorsReader::new(BinaryReader::new(rest, offset))
        .read()
        .ok()?;
    let debug = format!("{operator:?}");
    debug.split([' ', '{', '(']).next().map(str::to_owned)
}

/// A 64-bit integer that crosses between wasm and JavaScript becomes a BigInt from Chromium 85 on;
/// before that, the call throws. The module is valid all the same, so validation says nothing.
fn no_bigints(module: &[u8]) -> anyhow::Result<()> {
    let mut crosses = Vec::new();
    let mut functions = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::TypeSection(types) => {
                for function in types.into_iter_err_on_gc_types() {
                    let function = function?;
                    crosses.push(
                        function
                            .params()
                            .iter()
                            .chain(function.results())
                            .any(|kind| *kind == ValType::I64),
                    );
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import?;
                    if let TypeRef::Func(kind) = import.ty {
                        functions.push(kind);
                        refuse_bigint(&crosses, kind, "import", import.name)?;
                    }
                }
            }
            Payload::FunctionSection(kinds) => {
                for kind in kinds {
                    functions.push(kind?);
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export?;
                    if let (ExternalKind::Func, Some(kind)) =
                        (export.kind, functions.get(export.index as usize))
                    {
                        refuse_bigint(&crosses, *kind, "export", export.name)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn refuse_bigint(crosses: &[bool], kind: u32, direction: &str, name: &str) -> anyhow::Result<()> {
    if crosses.get(kind as usize) == Some(&true) {
        bail!(
            "not for engines before Chromium 85: the {direction} `{name}` passes a 64-bit integer to or from JavaScript"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &[u8] = b"\0asm\x01\0\0\0";

    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        let mut section = vec![
            id,
            u8::try_from(content.len()).expect("test sections are short"),
        ];
        section.extend_from_slice(content);
        section
    }

    /// A module with one memory, one mutable global and one function `() -> ()` of this code.
    fn module(code: &[u8]) -> Vec<u8> {
        let mut body = vec![0];
        body.extend_from_slice(code);
        body.push(0x0b);
        let mut bodies = vec![1, u8::try_from(body.len()).expect("test bodies are short")];
        bodies.extend(body);
        [
            HEADER.to_vec(),
            section(1, &[1, 0x60, 0, 0]),
            section(3, &[1, 0]),
            section(5, &[1, 0, 1]),
            section(6, &[1, 0x7f, 1, 0x41, 0, 0x0b]),
            section(10, &bodies),
        ]
        .concat()
    }

    fn refused(module: &[u8], floor: Floor) -> String {
        check(module, floor)
            .expect_err("must be refused")
            .to_string()
    }

    #[test]
    fn the_first_instructions_pass() {
        // i32.const 7, global.set 0, f32.const 0, i32.trunc_f32_s, drop
        let plain = module(&[0x41, 7, 0x24, 0, 0x43, 0, 0, 0, 0, 0xa8, 0x1a]);
        check(&plain, Floor::Mvp).expect("all of these are in the MVP");
        check(&plain, Floor::Chromium75).expect("newer engines know them too");
    }

    #[test]
    fn newer_instructions_are_named_with_their_offset() {
        // Three operands for each, then the instruction.
        let three = [0x41, 0, 0x41, 0, 0x41, 0];
        let cases: [(&str, Vec<u8>); 4] = [
            ("MemoryCopy", [&three[..], &[0xfc, 10, 0, 0]].concat()),
            ("MemoryFill", [&three[..], &[0xfc, 11, 0]].concat()),
            ("I32Extend8S", vec![0x41, 0, 0xc0, 0x1a]),
            ("I32TruncSatF32S", vec![0x43, 0, 0, 0, 0, 0xfc, 0, 0x1a]),
        ];
        for (name, code) in cases {
            let module = module(&code);
            let error = refused(&module, Floor::Mvp);
            assert!(error.contains(&format!("`{name}`")), "{error}");
            assert!(error.contains("offset 0x"), "{error}");
            check(&module, Floor::Chromium75).expect("Chromium 75 has it");
        }
    }

    #[test]
    fn what_chromium_75_lacks_is_refused_there_too() {
        let reference = module(&[0xd0, 0x6f, 0x1a]);
        assert!(refused(&reference, Floor::Chromium75).contains("RefNull"));
        let vector = module(&[
            0xfd, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x1a,
        ]);
        assert!(refused(&vector, Floor::Chromium75).contains("Chromium 75"));
        let tail_call = module(&[0x12, 0]);
        assert!(refused(&tail_call, Floor::Chromium75).contains("ReturnCall"));
    }

    #[test]
    fn newer_types_and_sections_are_refused() {
        let two_results = [HEADER, &section(1, &[1, 0x60, 0, 2, 0x7f, 0x7f])].concat();
        assert!(refused(&two_results, Floor::Mvp).contains("multi"));
        let data_count = [HEADER, &section(5, &[1, 0, 1]), &section(12, &[0])].concat();
        refused(&data_count, Floor::Mvp);
        let mutable_export = [
            HEADER,
            &section(6, &[1, 0x7f, 1, 0x41, 0, 0x0b]),
            &section(7, &[1, 1, b'g', 3, 0]),
        ]
        .concat();
        refused(&mutable_export, Floor::Mvp);
        check(&mutable_export, Floor::Chromium75).expect("Chromium 74 exports mutable globals");
    }

    #[test]
    fn a_64_bit_integer_must_not_cross_into_javascript() {
        // (type (func (param i64)))
        let types = section(1, &[1, 0x60, 1, 0x7e, 0]);
        let inside = [
            HEADER,
            &types[..],
            &section(3, &[1, 0]),
            &section(10, &[1, 2, 0, 0x0b]),
        ]
        .concat();
        check(&inside, Floor::Mvp).expect("inside wasm it is as old as the rest");
        let imported = [
            HEADER,
            &types[..],
            &section(2, &[1, 1, b'm', 4, b't', b'i', b'm', b'e', 0, 0]),
        ]
        .concat();
        assert!(refused(&imported, Floor::Mvp).contains("import `time`"));
        let exported = [
            HEADER,
            &types[..],
            &section(3, &[1, 0]),
            &section(7, &[1, 1, b'f', 0, 0]),
            &section(10, &[1, 2, 0, 0x0b]),
        ]
        .concat();
        assert!(refused(&exported, Floor::Mvp).contains("export `f`"));
    }

    #[test]
    fn what_is_no_module_is_refused() {
        for bytes in [&b""[..], b"<!DOCTYPE html>", &HEADER[..7]] {
            refused(bytes, Floor::Mvp);
        }
    }
}
