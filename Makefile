.PHONY: run test check bench release dev setup help

help: ## what there is
	@sed -n 's/^\([a-z]*\): *## /\1\t/p' $(MAKEFILE_LIST)

run: ## install what is missing, build, start the seeded demo on http://127.0.0.1:3000
	@.ci/start.sh demo

dev: ## the same, quickly built, and again after every change
	@.ci/start.sh dev

test: ## every test: SQLite and PostgreSQL, local and S3 storage, then Chromium
	@.ci/test.sh

check: ## format, lints, crate graph, what browsers download
	@.ci/check.sh

bench: ## speed and weight, side by side with the peers
	@.ci/bench.sh

release: ## one binary with its assets inside
	@.ci/release.sh

setup: ## only install what is missing, for everything above
	@.ci/setup.sh test
