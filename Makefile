# Every target sets up what it needs by itself and is quick when that is done.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup media libraries build run test lint vet tidy race bench fuzz asan e2e clean
.PHONY: demo-cluster lint-deploy soak soak-cluster

SCRIPTS := deploy/scripts
E2E     := ./cmd/headwater/e2e/...
# Of the tests of clusters, those that run once more with links, control messages and etcd by TLS.
SECURED := TestMembers$$|TestMembersTakeover|TestMembersTiers|TestControlOfACluster
# Where memory is shared between goroutines, the tests run under the race detector too.
SHARED  := ./actors/... ./cluster/... ./codec/av
# How long make fuzz stays with each target, and how often make bench repeats.
FUZZTIME ?= 1m
COUNT    ?= 1
# How long make soak processes eight broadcasts.
SOAK     ?= 10m
# What make bench asks of the fan-out bench.
FANOUT   ?= -viewers 10,100,500,1000 -merge 0s,50ms,adaptive -crowd 500

help: ## print this list
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

setup: ## install what the tests need and is missing (Debian packages as root or by sudo, npm)
	@$(SCRIPTS)/setup.sh build test
	@$(SCRIPTS)/player.sh check

media: ## make again what is checked in: demo broadcast, player, code of control messages
	@$(SCRIPTS)/setup.sh media
	go generate ./...

libraries:
	@$(SCRIPTS)/setup.sh build

build: libraries ## build bin/headwater (installs the libraries it links with)
	go build -trimpath -o bin/headwater ./cmd/headwater

run: build ## start one node with a demo broadcast; watch it at http://localhost:8080/
	bin/headwater run --demo

demo-cluster: build ## two origins, two edges; kills the origin, and the viewers go on
	$(SCRIPTS)/demo-cluster.sh bin/headwater

test: setup vet tidy ## everything that must hold: vet, tidy, unit tests, kernels, races, end to end
	go test $$(go list ./... | grep -v /e2e)
	go test -tags openh264 -run 'Encode|GOP|Bitrate|Display|Allocations|Closed' ./codec/av
	$(SCRIPTS)/halide-test.sh quick
	$(MAKE) lint-deploy
	go test -race $(SHARED)
	go test -count=1 $(E2E)
	go test -count=1 -run '$(SECURED)' ./cmd/headwater/e2e -tls

lint: vet tidy ## gofumpt, vet, staticcheck, tidy
	@unformatted=$$(go tool gofumpt -l $(wildcard actors cluster cmd codec deploy halide)); \
	if [ -n "$$unformatted" ]; then \
		echo "not gofumpt'd: run go tool gofumpt -w" $$unformatted; exit 1; fi
	go tool staticcheck -checks all,-ST1000 ./...

lint-deploy: libraries ## what is in deploy, against what reads it and against the binary
	@$(SCRIPTS)/setup.sh test
	cd deploy/lint && go vet . && go test -count=1 .

vet: libraries
	go vet ./...
	cd cmd/headwater/e2e/etcd && go vet ./...

tidy:
	go run ./cmd/tidy

race: libraries ## unit tests of what shares memory, under the race detector
	go test -race $(SHARED)

bench: ## benchmarks, with the yardsticks that they are measured against
	@$(SCRIPTS)/setup.sh build test bench
	go test -run '^$$' -bench . -benchmem -count $(COUNT) $$(go list ./... | grep -v /e2e)
	go run ./cmd/fanout $(FANOUT)

fuzz: ## every fuzz target for a minute (FUZZTIME=1m)
	@$(SCRIPTS)/setup.sh build test
	FUZZTIME=$(FUZZTIME) $(SCRIPTS)/fuzz.sh ./...

asan: ## codec/av with its C under AddressSanitizer: tests, then its fuzz targets (FUZZTIME=1m)
	@$(SCRIPTS)/setup.sh build test
	go test -asan -skip NoGrowth ./codec/av  # it keeps for a while what is freed
	FUZZTIME=$(FUZZTIME) FUZZFLAGS=-asan $(SCRIPTS)/fuzz.sh ./codec/av

e2e: setup ## the real binary with real ffmpeg and a real browser
	go test -count=1 -v $(E2E)
	go test -count=1 -v -run '$(SECURED)' ./cmd/headwater/e2e -tls

soak: setup ## the long tests: eight 720p broadcasts (SOAK=10m), a blur switched twenty times
	HEADWATER_SOAK=$(SOAK) go test -count=1 -v -timeout 0 -run 'TestSoak|TestLeaks' $(E2E)

# What a cluster has to bear, in full: twenty killed origins under two hundred viewers, a minute
# without etcd, an origin that etcd does not hear for a minute and a half. HEADWATER_SEED repeats a
# run; it is printed.
soak-cluster: setup ## the long tests of a cluster: twenty takeovers, a minute without etcd
	HEADWATER_SOAK=$(SOAK) go test -count=1 -v -timeout 0 -parallel 1 \
		-run 'TestKilledOrigins|TestEtcdAway|TestActiveWithoutEtcd' $(E2E)

clean: ## remove what was built and fetched here
	rm -rf bin .cache

include halide/halide.mk
