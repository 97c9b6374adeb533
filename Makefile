# make          prints the targets
# make test     is what has to pass; .ci/run calls it
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GO ?= go
FUZZTIME ?= 20s
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
# stock Go clients, which the product does not depend on
MODULES := $(patsubst %/go.mod,%,$(wildcard examples/go/go.mod e2e/*/go/go.mod))
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
# command=package of what the tests use, so that one message names all that is missing
TEST_NEEDS := gcc=gcc g++=g++ stdio.h=libc6-dev javac=default-jdk-headless mvn=maven npm=npm \
  python3=python3 venv=python3-venv Python.h=python3-dev node.h=libnode-dev openssl/ssl.h=libssl-dev unzip=unzip ip=iproute2
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)

.PHONY: help build demo test unit soak bench lint vuln fuzz clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## the static binary ./daybook
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X daybook/cli.release=$(VERSION)' -o daybook .

demo: ## a real server, Daybook and kcat: see changes arrive (STAY=1: keep it running)
	@scripts/demo.sh $(if $(STAY),--stay)

test: ## everything: unit tests, real servers, real clients; gets what it needs
	@. scripts/lib.sh; need $(TEST_NEEDS)
	@scripts/clients.sh all >/dev/null
	@scripts/kafka.sh all >/dev/null
	@scripts/schemathesis.sh >/dev/null
	scripts/with-servers.sh $(GO) test -race -p 3 -tags servers -timeout 40m ./binlog ./e2e/tasks ./binlog/schema ./... # the longest first

unit: ## the tests that need nothing but Go
	$(GO) test ./...

soak: ## the long tests: kills, restarts, big transactions
	scripts/with-servers.sh $(GO) test -tags servers,soak -run Soak -timeout 6h -v ./store ./e2e/...

bench: ## the benchmark table, beside plain loops over the binlog (BENCH='-rows 20000')
	$(GO) run ./bench $(BENCH)

lint: ## gofmt, go vet, staticcheck, and vuln
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "gofmt these: $$unformatted"; exit 1; }
	$(GO) vet ./...
	$(GO) vet -tags servers,soak ./...
	$(GO) run $(STATICCHECK) -tags servers,soak ./...
	@tools=$$(mktemp -d); trap 'rm -rf $$tools' EXIT; \
	GOBIN=$$tools $(GO) install $(STATICCHECK); \
	for module in $(MODULES); do \
	  echo "go vet, staticcheck in $$module"; \
	  (cd $$module && GOWORK=off $(GO) vet ./... && GOWORK=off $$tools/staticcheck ./...); \
	done
	@$(MAKE) --no-print-directory vuln

vuln: ## known vulnerabilities of the dependencies; needs the internet
	$(GO) run $(GOVULNCHECK) ./...

# `go test` may fail with "context deadline exceeded" when the time is up and nothing was found
fuzz: ## each fuzz target for FUZZTIME
	@for package in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
	    echo "$$package $$target"; \
	    log=$$(mktemp); \
	    $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x $$package 2>&1 | tee $$log || \
	      { grep -q '^ *context deadline exceeded' $$log && ! grep -q 'Failing input' $$log; } || exit 1; \
	    rm $$log; \
	  done; \
	done

clean: ## remove what was built here; downloads stay in ~/.cache/daybook
	rm -rf daybook
