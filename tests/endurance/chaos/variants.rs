//! One pipeline in one of its many variants.

use aep_test_kit::numbered;
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

/// Makes up a variant of a pipeline: everything that Adobe can change in place differs from variant to variant.
pub fn varied(own: &[Value], number: usize, rng: &mut StdRng) -> Vec<Value> {
    let objects = own.iter().map(|object| {
        let mut object = numbered(object, number);
        vary(&mut object, rng);
        object
    });
    objects.collect()
}

fn vary(object: &mut Value, rng: &mut StdRng) {
    let variant: u16 = rng.random();
    let kind = object["kind"].as_str().unwrap().to_owned();
    let spec = &mut object["spec"];
    if kind != "MappingSet" {
        spec["description"] = json!(format!("variant {variant}"));
    }
    match kind.as_str() {
        "Dataflow" => {
            let state = ["Enabled", "Disabled"][rng.random_range(0..2)];
            spec["state"] = json!(state);
            spec["schedule"]["interval"] = json!(rng.random_range(15..120));
            rename(spec, variant);
        }
        "MappingSet" => {
            let columns = ["Product_Name", "Description", "Type"];
            spec["mappings"][1]["source"] = json!(columns[rng.random_range(0..3)]);
        }
        // Titles are taken: a new one may be somebody else's.
        "PlatformSchema" => {}
        _ => rename(spec, variant),
    }
}

fn rename(spec: &mut Value, variant: u16) {
    let name = spec["name"].as_str().unwrap();
    spec["name"] = json!(format!("{name} {variant}"));
}
