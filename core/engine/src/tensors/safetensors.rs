//! The file format safetensors: the length of a JSON description, the description, then the tensors.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::Path;

use serde::Deserialize;

use super::{Place, Tensors, open};
use crate::{DType, EngineError};

/// Bytes of the description of the tensors, at most, as the format says.
const LARGEST_HEADER: u64 = 100 << 20;

#[derive(Deserialize)]
struct TensorInfo {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (u64, u64),
}

/// The tensors of a file, by the names that `rename` gives them; where it gives none, they are left out. Their numbers are not read yet.
///
/// # Errors
/// [`EngineError::NotFound`]; [`EngineError::Invalid`] for a truncated or damaged file; [`EngineError::Unsupported`] for other number
/// formats than F32, F16 and BF16.
pub fn read(path: &Path, rename: impl Fn(&str) -> Option<String>) -> Result<Tensors, EngineError> {
    let truncated = || invalid("the file ends before it is complete: download it again");
    let (mut file, len) = open(path)?;
    let mut header_len = [0; 8];
    file.read_exact(&mut header_len).map_err(|_| truncated())?;
    let header_len = u64::from_le_bytes(header_len);
    if header_len > LARGEST_HEADER {
        return Err(invalid("it does not begin as safetensors does"));
    }
    let data = 8 + header_len;
    if data > len {
        return Err(truncated());
    }
    let mut header = vec![0; header_len as usize];
    file.read_exact(&mut header).map_err(|_| truncated())?;
    let header: HashMap<String, serde_json::Value> =
        serde_json::from_slice(&header).map_err(|_| invalid("the tensors' description is no JSON"))?;
    let mut places = HashMap::new();
    for (name, info) in header.into_iter().filter(|(name, _)| name != "__metadata__") {
        let Some(name) = rename(&name) else { continue };
        let info: TensorInfo =
            serde_json::from_value(info).map_err(|_| invalid("a tensor's description is incomplete"))?;
        let place = place(&info, data)?;
        let tensor_len = place.bytes().ok_or_else(|| invalid("a tensor's size cannot be"))?;
        let (start, end) = info.data_offsets;
        if end.checked_sub(start) != Some(tensor_len) {
            return Err(invalid("a tensor's place contradicts its shape"));
        }
        if end > len - data {
            return Err(truncated());
        }
        places.insert(name, place);
    }
    Ok(Tensors::new(file, places))
}

fn place(info: &TensorInfo, data: u64) -> Result<Place, EngineError> {
    let dtype = match info.dtype.as_str() {
        "F32" => DType::F32,
        "F16" => DType::F16,
        "BF16" => DType::BF16,
        _ => return Err(EngineError::unsupported("safetensors in other formats than F32, F16 and BF16")),
    };
    let offset = info.data_offsets.0.saturating_add(data);
    Ok(Place { dtype, shape: info.shape.clone(), offset })
}

fn invalid(why: &str) -> EngineError {
    EngineError::invalid("model.safetensors", why)
}
