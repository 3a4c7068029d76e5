# What people and CI run. Everything needs Rust; what starts a control plane needs Go too, the first time.

.PHONY: help test lint fmt crds control-plane

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

test: ## Run every test, against a real kube-apiserver
	tests/control-plane/assets etcd kube-apiserver kubectl >/dev/null
	cargo test --workspace --locked

lint: ## Formatting, clippy, licences and sources of dependencies
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo deny --offline check bans licenses sources

fmt: ## Format the code
	cargo fmt --all

crds: ## Rewrite crds/ from the types
	UPDATE=1 cargo test --lib api:: --locked

control-plane: ## Start a control plane of your own and stay until Ctrl-C
	cargo run --quiet -p aep-control-plane --bin control-plane
