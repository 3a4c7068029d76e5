//! Prints the CRDs as YAML.

fn main() {
    for crd in aep_operator::api::crds() {
        print!("---\n{}", aep_operator::api::render(&crd));
    }
}
