# What people and CI run. Everything needs Rust; what starts a control plane needs Go too, the first time.

.PHONY: help demo cluster image test crash-matrix scale chaos bench lint docs fmt crds control-plane

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## Show the whole product: control plane, simulator, operator, a pipeline
	@.ci/attend cargo build --locked --example demo
	@cargo run --quiet --locked --example demo

image: ## Pack operator and simulator as images, into dist/ (Linux with buildah)
	.ci/image

cluster: ## Start a cluster that runs Pods, with both images, and stay until Ctrl-C (Linux, root, buildah, runc)
	@tests/control-plane/missing node || \
		{ echo "A node needs these. make control-plane needs less, and runs no Pods."; exit 1; }
	.ci/image
	cargo run --locked -p aep-control-plane --bin control-plane -- --node \
		--image ghcr.io/aep-operator/aep-operator=dist/aep-operator.tar \
		--image ghcr.io/aep-operator/aep-simulator=dist/aep-simulator.tar

test: ## Run every test, against a real kube-apiserver
	tests/control-plane/assets tests >/dev/null
	if tests/control-plane/missing image >/dev/null; then .ci/image; fi
	cargo test --workspace --locked

crash-matrix: ## Kill the operator before and after every single request, and lose every answer
	tests/control-plane/assets etcd kube-apiserver >/dev/null
	CRASH_MATRIX=all cargo test --quiet --locked --test endurance -- crash:: --nocapture --test-threads=1

scale: ## Settle 1,000 pipelines and see that nothing more is asked or written
	tests/control-plane/assets etcd kube-apiserver >/dev/null
	SCALE=full cargo test --quiet --locked --test endurance -- scale::

chaos: ## Change 200 pipelines at random while Adobe fails and replicas are killed (CHAOS_SEED repeats a run)
	tests/control-plane/assets etcd kube-apiserver >/dev/null
	CHAOS=1 cargo test --quiet --locked --test endurance -- chaos:: --nocapture

bench: ## Time to Ready, calls, CPU and memory for 1, 10 and 100 pipelines
	cargo bench --quiet --locked --bench pipelines

lint: ## Formatting, clippy, licences and sources of dependencies
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo fetch --quiet --locked
	cargo deny --offline check bans licenses sources

docs: ## Build the documentation as a site, into target/book/site, and check its links (needs mdbook)
	@command -v mdbook >/dev/null || { echo "cargo install mdbook --version 0.5.4 --locked"; exit 1; }
	.ci/book

fmt: ## Format the code
	cargo fmt --all

crds: ## Rewrite crds/, docs/reference and what the charts hold of them from the types
	UPDATE=1 cargo test --lib api:: --locked
	UPDATE=1 cargo test --test packaging --locked -- charts::generated:: charts::manual::

control-plane: ## Start a control plane of your own and stay until Ctrl-C
	cargo run --quiet -p aep-control-plane --bin control-plane
