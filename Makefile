# The target directory lives outside the clone, so that a fresh clone builds warm.
CACHE ?= $(or $(MW_CACHE_DIR),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/mini-webinar)
export CARGO_TARGET_DIR ?= $(CACHE)/target

.PHONY: test
test:
	cargo test --quiet -p domain --features server
	cargo test --quiet -p mail
	cargo test --quiet -p storage
