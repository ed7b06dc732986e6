//! The privacy manifest: which of the functions that Apple wants reasons for are called, and which reasons are given.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// Apple's categories, and the C functions in them ("Describing use of required reason API").
const CATEGORIES: [(&str, &[&str]); 3] = [
    (
        "NSPrivacyAccessedAPICategoryFileTimestamp",
        &["stat", "fstat", "fstatat", "lstat", "getattrlist", "fgetattrlist", "getattrlistat", "getattrlistbulk"],
    ),
    ("NSPrivacyAccessedAPICategorySystemBootTime", &["mach_absolute_time"]),
    ("NSPrivacyAccessedAPICategoryDiskSpace", &["statfs", "fstatfs", "statvfs", "fstatvfs"]),
];

/// `PrivacyInfo.xcprivacy`, as far as it is looked at.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    #[serde(rename = "NSPrivacyTracking")]
    tracking: bool,
    #[serde(rename = "NSPrivacyTrackingDomains")]
    tracking_domains: Vec<String>,
    #[serde(rename = "NSPrivacyCollectedDataTypes")]
    collected: Vec<plist::Value>,
    #[serde(rename = "NSPrivacyAccessedAPITypes")]
    accessed: Vec<Accessed>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Accessed {
    #[serde(rename = "NSPrivacyAccessedAPIType")]
    category: String,
    #[serde(rename = "NSPrivacyAccessedAPITypeReasons")]
    reasons: Vec<String>,
}

/// The categories of what is called, with the functions.
pub fn categories(called: &BTreeSet<String>) -> BTreeMap<&'static str, Vec<&str>> {
    // On Intel, the names of these functions tell the size of an inode.
    let plain = |name: &'_ str| name.trim_end_matches("$INODE64").to_owned();
    let mut found = BTreeMap::new();
    for (category, functions) in CATEGORIES {
        let used: Vec<&str> =
            called.iter().map(String::as_str).filter(|name| functions.contains(&plain(name).as_str())).collect();
        if !used.is_empty() {
            found.insert(category, used);
        }
    }
    found
}

/// What is wrong with a manifest for a library that calls these functions: it declares every category of them, with a reason,
/// nothing else, and that nothing is collected and nobody tracked.
pub fn faults(manifest: &[u8], called: &BTreeSet<String>) -> Vec<String> {
    let manifest: Manifest = match plist::from_bytes(manifest) {
        Ok(manifest) => manifest,
        Err(error) => return vec![format!("the privacy manifest cannot be read: {error}")],
    };
    let used = categories(called);
    let declared = |category: &str| manifest.accessed.iter().any(|accessed| accessed.category == category);
    let mut faults = Vec::new();
    for (category, functions) in &used {
        if !declared(category) {
            faults.push(format!("the privacy manifest lacks {category}: {}", functions.join(" ")));
        }
    }
    for Accessed { category, reasons } in &manifest.accessed {
        if !used.contains_key(category.as_str()) {
            faults.push(format!("the privacy manifest declares {category}, which nothing calls"));
        }
        if reasons.is_empty() {
            faults.push(format!("the privacy manifest gives no reason for {category}"));
        }
    }
    if manifest.tracking || !manifest.tracking_domains.is_empty() || !manifest.collected.is_empty() {
        faults.push("the privacy manifest says that something is collected".into());
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = include_str!("../../../../ios/Sources/Sotto/PrivacyInfo.xcprivacy");

    fn called(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_manifest_declares_what_is_called_and_nothing_else() {
        assert_eq!(faults(MANIFEST.as_bytes(), &called(&["fstat$INODE64", "malloc"])), [""; 0]);
        for wrong in [&["fstat", "mach_absolute_time"][..], &["malloc"]] {
            assert_eq!(faults(MANIFEST.as_bytes(), &called(wrong)).len(), 1, "{wrong:?}");
        }
        let tracks = MANIFEST.replace("<false/>", "<true/>");
        let without_reason = MANIFEST.replace("<string>C617.1</string>", "").replace("<string>3B52.1</string>", "");
        for wrong in [tracks, without_reason] {
            assert_eq!(faults(wrong.as_bytes(), &called(&["stat"])).len(), 1, "{wrong}");
        }
        assert_eq!(faults(b"no manifest", &called(&[])).len(), 1);
    }
}
