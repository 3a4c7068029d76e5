use super::*;

const XDM: &str = "application/vnd.adobe.xdm+json";

#[test]
fn an_identity_comes_back_with_the_canonical_case_of_its_namespace() {
    let mut bench = Bench::new();
    let id = bench.schema("S");
    let answer = bench.identity(&id, "/personalEmail/address", true);
    assert_eq!(answer.status, 201);
    let descriptor = json(&answer);
    assert_eq!(descriptor["xdm:namespace"], "Email");
    assert_eq!(descriptor["version"], "1");
    let path = format!(
        "/tenant/descriptors/{}",
        descriptor["@id"].as_str().unwrap()
    );
    assert_eq!(json(&bench.read(&path, XDM)), descriptor);
    assert_eq!(bench.read(&path, "").status, 200);
    assert_eq!(
        code(&bench.read(&path, "application/vnd.adobe.xed+json;version=1")),
        "XDM-1009-400"
    );
}

#[test]
fn descriptors_are_listed_by_type_or_in_pages() {
    let mut bench = Bench::new();
    let id = bench.schema("S");
    let descriptor = json(&bench.identity(&id, "/personalEmail/address", true));
    let own = descriptor["@id"].as_str().unwrap();
    assert_eq!(
        code(&bench.read("/tenant/descriptors", LIST)),
        "XDM-1008-400"
    );
    let mut read = |accept: &str, filter: &str| {
        let accept = format!("application/vnd.adobe.{accept}+json");
        json(&bench.read(&format!("/tenant/descriptors?{filter}"), &accept))
    };
    assert_eq!(
        read("xdm", ""),
        json!({ "xdm:descriptorIdentity": [descriptor] })
    );
    assert_eq!(
        read("xdm-id", ""),
        json!({ "xdm:descriptorIdentity": [own] })
    );
    assert_eq!(
        read("xdm-link", "")["xdm:descriptorIdentity"][0],
        format!("/tenant/descriptors/{own}")
    );
    assert_eq!(read("xdm-v2", "")["results"], json!([descriptor]));
    assert_eq!(read("xdm-v2-id", "")["_page"]["count"], 1);
    let matching = format!("property=@type==xdm:descriptorIdentity,xdm:sourceSchema=={id}");
    assert_eq!(read("xdm-v2", &matching)["_page"]["count"], 1);
    let other = format!("property=xdm:sourceSchema=={id}&property=@type==xdm:descriptorLabel");
    assert_eq!(read("xdm-v2", &other)["_page"]["count"], 0);
}

#[test]
fn a_replaced_descriptor_is_answered_by_id_or_in_the_strict_profile_whole() {
    let mut bench = Bench::new();
    let id = bench.schema("S");
    let own = json(&bench.identity(&id, "/personalEmail/address", true))["@id"].clone();
    let call = format!("PUT /tenant/descriptors/{}", own.as_str().unwrap());
    let body = json!({
        "@type": "xdm:descriptorIdentity", "xdm:sourceSchema": id, "xdm:sourceVersion": 1,
        "xdm:sourceProperty": "/mobilePhone/number", "xdm:namespace": "PHONE", "xdm:isPrimary": true,
    });
    let answer = bench.registry(&call, body.clone());
    assert_eq!((answer.status, json(&answer)), (201, json!({ "@id": own })));
    bench.profile = Profile::Strict;
    let answer = bench.registry(&call, body);
    assert_eq!(
        (answer.status, &json(&answer)["xdm:namespace"]),
        (200, &json!("Phone"))
    );
}

#[test]
fn a_descriptor_that_cannot_hold_is_refused() {
    let mut bench = Bench::new();
    let id = bench.schema("S");
    assert_eq!(
        bench.identity(&id, "/personalEmail/address", true).status,
        201
    );
    let again = bench.identity(&id, "/personalEmail/address", true);
    assert_eq!(code(&again), "XDM-SIM-DESCRIPTOR-400");
    for (path, primary) in [
        ("/mobilePhone/number", true),
        ("/nowhere", false),
        ("/person", false),
        ("person", false),
    ] {
        assert_eq!(
            code(&bench.identity(&id, path, primary)),
            "XDM-SIM-DESCRIPTOR-400",
            "{path}"
        );
    }
    assert_eq!(bench.identity(PROFILE, "/_id", true).status, 400);
    let body = json!({
        "@type": "xdm:descriptorIdentity", "xdm:sourceSchema": id, "xdm:sourceVersion": 1,
        "xdm:sourceProperty": "/mobilePhone/number", "xdm:namespace": "nobody",
    });
    assert_eq!(
        code(&bench.registry("POST /tenant/descriptors", body)),
        "XDM-SIM-DESCRIPTOR-400"
    );
}

#[test]
fn the_primary_identity_of_a_union_schema_stays() {
    let mut bench = Bench::new();
    let id = bench.schema("S");
    let primary = json(&bench.identity(&id, "/personalEmail/address", true))["@id"].clone();
    let other = json(&bench.identity(&id, "/mobilePhone/number", false))["@id"].clone();
    bench.enable_union(&id);
    let mut delete = |id: &Value| {
        bench.registry(
            &format!("DELETE /tenant/descriptors/{}", id.as_str().unwrap()),
            json!(null),
        )
    };
    assert_eq!(code(&delete(&primary)), "XDM-SIM-INUSE-400");
    assert_eq!(delete(&other), Answer::empty(204));
    assert_eq!(delete(&other).status, 404);
}

#[test]
fn a_relationship_needs_a_reference_identity_to_join_a_union() {
    let mut bench = Bench::new();
    let target = bench.schema("Target");
    bench.identity(&target, "/personalEmail/address", true);
    let source = bench.schema("Source");
    bench.identity(&source, "/personalEmail/address", true);
    let relationship = json!({
        "@type": "xdm:descriptorOneToOne", "xdm:sourceSchema": source, "xdm:sourceVersion": 1,
        "xdm:sourceProperty": "/personID", "xdm:destinationSchema": target, "xdm:destinationVersion": 1,
    });
    assert_eq!(
        bench
            .registry("POST /tenant/descriptors", relationship)
            .status,
        201
    );
    assert_eq!(code(&bench.enable_union(&source)), "XDM-1526-400");
    let reference = |space: &str| {
        json!({
            "@type": "xdm:descriptorReferenceIdentity", "xdm:sourceSchema": source, "xdm:sourceVersion": 1,
            "xdm:sourceProperty": "/personID", "xdm:identityNamespace": space,
        })
    };
    let wrong = json(&bench.registry("POST /tenant/descriptors", reference("ECID")))["@id"].clone();
    assert_eq!(code(&bench.enable_union(&source)), "XDM-1527-400");
    bench.registry(
        &format!("PUT /tenant/descriptors/{}", wrong.as_str().unwrap()),
        reference("email"),
    );
    assert_eq!(bench.enable_union(&source).status, 200);
}
