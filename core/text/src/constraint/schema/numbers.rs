//! Numbers with a first and a last digit.

use serde_json::{Value, json};

use super::Keywords;
use super::place::Place;
use crate::TextError;

/// Where a schema sets no limit: 15 digits, which every reader of JSON holds.
const ORDINARY: f64 = 999_999_999_999_999.0;
/// The largest number below 2^63 that an `f64` holds.
const LARGEST: f64 = 9_223_372_036_854_774_784.0;
/// Digits behind the point.
const DECIMALS: i32 = 6;
/// More of them overflow the engine.
const MOST_DECIMALS: i32 = 8;

/// A limit, and whether it is out of bounds itself.
type Limit = Option<(f64, bool)>;

pub(super) fn any() -> Value {
    limited(Some((-ORDINARY, false)), Some((ORDINARY, false)), step(DECIMALS))
}

pub(super) fn bounded(own: &Keywords, integer: bool, place: &Place) -> Result<Value, TextError> {
    let low = strictest(limit(own, "minimum", place)?, exclusive(own, "exclusiveMinimum", "minimum", place)?, f64::max);
    let high =
        strictest(limit(own, "maximum", place)?, exclusive(own, "exclusiveMaximum", "maximum", place)?, f64::min);
    let (low, high) = match (low, high) {
        (None, None) => ((-ORDINARY, false), (ORDINARY, false)),
        (Some(low), None) => (low, ((10.0 * low.0).max(ORDINARY), false)),
        (None, Some(high)) => (((10.0 * high.0).min(-ORDINARY), false), high),
        (Some(low), Some(high)) => (low, high),
    };
    if low.0 > LARGEST || high.0 < -LARGEST {
        return Err(place.refuse("its numbers have more than 64 bits: lower the limits"));
    }
    let (low, high) = ((low.0.max(-LARGEST), low.1), (high.0.min(LARGEST), high.1));
    let is_empty = low.0 > high.0 || low.0 == high.0 && (low.1 || high.1);
    if is_empty || integer && whole(low, f64::ceil, 1.0) > whole(high, f64::floor, -1.0) {
        return Ok(json!(false));
    }
    let multiple = match own.get("multipleOf") {
        None => None,
        Some(value) => {
            let multiple = value.as_f64().filter(|multiple| *multiple > 0.0);
            Some(multiple.ok_or_else(|| place.refuse("multipleOf must be a number above 0"))?)
        }
    };
    if multiple.is_some_and(|multiple| decimals(multiple) > MOST_DECIMALS) {
        return Err(place.refuse(format!("multipleOf has more than {MOST_DECIMALS} decimals: round it")));
    }
    if integer {
        return Ok(integers(whole(low, f64::ceil, 1.0), whole(high, f64::floor, -1.0), multiple));
    }
    let finest = decimals(low.0).max(decimals(high.0)).clamp(DECIMALS, MOST_DECIMALS);
    Ok(limited(Some(low), Some(high), multiple.unwrap_or_else(|| step(finest))))
}

/// Those below zero apart: "-0" is no integer in every language.
fn integers(low: f64, high: f64, multiple: Option<f64>) -> Value {
    let range = |low: f64, high: f64| {
        let mut range = json!({ "type": "integer", "minimum": low, "maximum": high });
        if let Some(multiple) = multiple {
            range["multipleOf"] = json!(multiple);
        }
        range
    };
    match low < 0.0 && high >= 0.0 {
        true => json!({ "anyOf": [range(0.0, high), range(low, -1.0)] }),
        false => range(low, high),
    }
}

fn limited(low: Limit, high: Limit, multiple: f64) -> Value {
    let mut number = json!({ "type": "number", "multipleOf": multiple });
    for (limit, inclusive, exclusive) in [(low, "minimum", "exclusiveMinimum"), (high, "maximum", "exclusiveMaximum")] {
        if let Some((limit, is_exclusive)) = limit {
            number[if is_exclusive { exclusive } else { inclusive }] = json!(limit);
        }
    }
    number
}

/// The first integer within a limit.
fn whole((limit, is_exclusive): (f64, bool), round: fn(f64) -> f64, inward: f64) -> f64 {
    let rounded = round(limit);
    if is_exclusive && rounded == limit { rounded + inward } else { rounded }
}

fn limit(own: &Keywords, keyword: &str, place: &Place) -> Result<Limit, TextError> {
    let Some(value) = own.get(keyword) else { return Ok(None) };
    let limit = value.as_f64().filter(|limit| limit.is_finite());
    limit.map(|limit| Some((limit, false))).ok_or_else(|| place.refuse(format!("{keyword} must be a number")))
}

/// A limit that is out of bounds itself: a number, or, before 2019, a flag beside the limit.
fn exclusive(own: &Keywords, keyword: &str, beside: &str, place: &Place) -> Result<Limit, TextError> {
    let limit = match own.get(keyword) {
        None | Some(Value::Bool(false)) => None,
        Some(Value::Bool(true)) => limit(own, beside, place)?,
        Some(_) => limit(own, keyword, place)?,
    };
    Ok(limit.map(|(limit, _)| (limit, true)))
}

fn strictest(inclusive: Limit, exclusive: Limit, stricter: fn(f64, f64) -> f64) -> Limit {
    match (inclusive, exclusive) {
        (Some((one, _)), Some((other, _))) => Some((stricter(one, other), stricter(one, other) == other)),
        (limit, None) | (None, limit) => limit,
    }
}

/// The number with a 1 as its last digit, so many behind the point.
fn step(decimals: i32) -> f64 {
    10_f64.powi(-decimals)
}

/// Digits behind the point.
fn decimals(number: f64) -> i32 {
    number.to_string().split_once('.').map_or(0, |(_, digits)| digits.len() as i32)
}
