# lbproxy: build, test, install. `make help` lists the targets.
#
# Only cc, make, libssl-dev, libmicrohttpd-dev and libjansson-dev are needed for `make`; what the
# other targets need is listed, with reasons, in ci/deps.txt, and ci/install-deps brings it.

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

# --- settings, each of which the command line may change --------------------

CC     ?= cc
CLANG  ?= clang
CXX    ?= c++
# Only this one measures coverage of decisions.
CLANG_MCDC ?= clang-19
AR     ?= ar
NM     ?= nm
# Debian's, for which ci/deps.txt brings pytest; the first python3 on PATH may
# be another one.
PYTHON = /usr/bin/python3

CPPFLAGS ?=
CFLAGS   ?= -O2 -g
LDFLAGS  ?=
# -Werror: warnings are errors in every build. Without it, in lint alone, so
# that a compiler newer than ours can still build a release.
WERROR   ?=
# A library in the place of the C library's malloc, in the server alone:
# such as mimalloc. itest/bench/REPORT.md has figures.
ALLOCATOR =

DESTDIR =
PREFIX  = /usr/local
# Of the library alone: where Debian has it, this depends on the machine's kind.
LIBDIR  = $(PREFIX)/lib

FUZZ_SECONDS = 10
FUZZ_JOBS    = 2
TARGET       =
SIM_ARGS     = --count 10000
SIM_SERVER_ARGS = --count 2000
EXHAUST      =
PYTEST_ARGS  =
# Integration tests at a time: five sixths of their time they wait.
PYTEST_JOBS := $(shell expr 4 \* $$(nproc))
TRACE_ARGS   =
KEEP         =
# V=1 shows the commands of the build.
V =

# --- what there is ----------------------------------------------------------

comma := ,

VERSION := $(shell sed -n 's/^\#define LBP_VERSION[[:space:]]*"\(.*\)"/\1/p' \
	lib/lbproxy.h 2>/dev/null)
VERSION := $(or $(VERSION),0.1.0)
SOVERSION := 0

# The library, and what is the server's alone and just as pure.
core_c      := $(sort $(wildcard lib/core/*.c))
server_c    := $(sort $(wildcard lib/server/*.c))
lib_c       := $(core_c) $(server_c)
public_h    := $(sort $(wildcard lib/*.h))
lbproxyd_c  := $(sort $(wildcard cmd/lbproxyd/*.c))
# It decides by what the server is made of, and serves nothing.
lbproxyctl_c := $(sort $(wildcard cmd/lbproxyctl/*.c)) \
	$(filter-out $(addprefix cmd/lbproxyd/,main.c server.c reload.c \
		reload_report.c admin.c gather.c http.c page.c view.c \
		control.c control_sessions.c control_socket.c \
		manager.c notify.c passed.c watchdog.c), \
		$(lbproxyd_c))
toml-json_c := $(sort $(wildcard cmd/toml-json/*.c))
exhaust_c   := $(wildcard lib/test/exhaust.c)
unit_c      := $(sort $(filter-out $(exhaust_c),$(wildcard lib/test/*.c)))
model_c     := $(sort $(wildcard fuzz/model/*.c))
fuzz_c      := $(sort $(wildcard fuzz/fuzz_*.c))
fuzz_names  := $(patsubst fuzz/fuzz_%.c,%,$(fuzz_c))
sim_c       := $(sort $(wildcard fuzz/sim/*.c))
# What some fuzz targets are made of, beside lib and the models.
fuzz_more_sim := $(filter-out fuzz/sim/sim_main.c,$(sim_c))
# The server without libmicrohttpd.
no_http_c := fuzz/no_http.c $(filter-out cmd/lbproxyd/http.c,$(lbproxyd_c))
fuzz_more_identity := $(filter-out cmd/lbproxyd/main.c,$(no_http_c))
fuzz_more_tls := $(sort $(wildcard fuzz/tls/*.c)) $(fuzz_more_identity)
fuzz_more_accept := $(fuzz_more_tls)
fuzz_more_log := fuzz/sockets/log_sink.c $(fuzz_more_identity)
fuzz_more_cache := cmd/lbproxyd/tls_cache.c
fuzz_more_relay := $(addprefix fuzz/sockets/,side.c socket_calls.c \
	tls_calls.c) $(addprefix cmd/lbproxyd/,poller.c conn_relay.c stream.c)
conn_c := $(addprefix cmd/lbproxyd/,conn.c conn_dial.c conn_handshake.c conn_trust.c \
	conn_opening.c conn_proxy.c conns.c networks.c)
fuzz_more_conn := fuzz/sockets/host.c $(conn_c) $(addprefix cmd/lbproxyd/, \
	address.c dial.c loop.c notice.c place.c problem.c queue.c) $(fuzz_more_relay)
fuzz_more_crowd := $(conn_c) $(addprefix cmd/lbproxyd/,address.c capacity.c \
	entropy.c handshakes.c loop.c poller.c queue.c)
fuzz_libs_crowd = $(addprefix -Wl$(comma)--wrap=,recv shutdown clock_gettime \
	getrandom)
fuzz_libs_accept = $(openssl) $(addprefix -Wl$(comma)--wrap=,clock_gettime \
	recv send)
fuzz_libs_tls = $(fuzz_libs_accept)
nomem_c := fuzz/nomem.c fuzz/oracle.c $(sort $(wildcard fuzz/tls/*.c)) \
	$(fuzz_more_identity)
nomem_wrap := $(addprefix -Wl$(comma)--wrap=,malloc calloc realloc strdup \
	strndup tls_accept tls_handshake recv send)
fuzz_libs_identity = $(openssl)
fuzz_libs_cache = $(openssl)
fuzz_libs_hello = $(openssl)
fuzz_libs_log = $(openssl) $(addprefix -Wl$(comma)--wrap=,poll write send \
	open pread close fstat isatty ftruncate lseek fcntl ioctl getsockopt)
fuzz_libs_relay = $(addprefix -Wl$(comma)--wrap=,recv send shutdown \
	setsockopt getsockopt ioctl close)
fuzz_libs_conn = $(addprefix -Wl$(comma)--wrap=,recv send shutdown \
	setsockopt close socket connect getsockopt ioctl getsockname \
	getpeername clock_gettime \
	loop_take_ring loop_give_ring)

# The whole server but for OpenSSL, over a made-up kernel: what is below world/
# is compiled with fuzz/kernel/hooks.h.
world_hooked := $(addprefix world/,fuzz/kernel/tls.c fuzz/world/operator.c \
	$(wildcard fuzz/kernel/static_*.c) \
	$(filter-out cmd/lbproxyd/tls% $(addprefix cmd/lbproxyd/,log.c sink.c \
		strangers.c http.c control_socket.c process_figures.c), \
		$(lbproxyd_c)))
fuzz_more_server := $(world_hooked) $(filter-out fuzz/world/main.c \
	fuzz/world/operator.c fuzz/kernel/blocks.c fuzz/kernel/tls.c \
	$(wildcard fuzz/kernel/static_*.c), \
	$(sort $(wildcard fuzz/kernel/*.c fuzz/world/*.c)))

programs := $(patsubst cmd/%/main.c,%,$(wildcard cmd/*/main.c))

# --- flags ------------------------------------------------------------------

std      := -std=c11 -D_GNU_SOURCE
warnings := -Wall -Wextra -Wpedantic -Wconversion -Wshadow \
	-Wstrict-prototypes -Wdate-time $(WERROR)
includes := -Ilib -Ifuzz
depend    = -MMD -MP
openssl  := -lssl -lcrypto
sanitize := -fno-sanitize-recover=all -fno-omit-frame-pointer
# What a report has of a place. For a debugger too: lines=-g.
lines     = -g1

release_cc     = $(CC)
# The map: what is built does not depend on where.
release_cflags = $(CFLAGS) -D_FORTIFY_SOURCE=2 -fstack-protector-strong \
	-ffile-prefix-map='$(CURDIR)'=.
release_malloc = $(if $(ALLOCATOR),-Wl$(comma)--no-as-needed -l$(ALLOCATOR))
release_ld     = -pie -Wl,-z,relro,-z,now $(LDFLAGS)
# lib goes into a shared library too, cmd into position-independent programs.
release_pic    = $(if $(filter lib/%,$1),-fPIC,-fPIE)

asan_cc     = $(CLANG)
asan_cflags = -O1 $(lines) -fsanitize=address,undefined $(sanitize) $(cmd_counts)
asan_ld     = -fsanitize=address,undefined -fprofile-instr-generate

tsan_cc     = $(CLANG)
tsan_cflags = -O1 $(lines) -fsanitize=thread $(sanitize)
tsan_ld     = -fsanitize=thread

fuzz_cc     = $(CLANG)
# Without the tracing of comparisons, which takes half of the time; AFL++ logs
# them, and the dictionaries have the words. The models do what lib does: that
# libFuzzer looks at their branches too takes a quarter of the time.
fuzz_coverage = -fsanitize=fuzzer-no-link -fno-sanitize-coverage=trace-cmp
fuzz_cflags   = -O2 $(lines) $(fuzz_coverage) -fsanitize=address,undefined $(sanitize)
build/fuzz/obj/fuzz/model/%.o: fuzz_coverage =
fuzz_ld     = -fsanitize=fuzzer,address,undefined

# As OSS-Fuzz wants it, for ci/oss-fuzz/build.sh: its compiler, its flags, and
# its engine, which is C++.
oss-fuzz_cc     = $(CC)
oss-fuzz_cflags = $(CFLAGS)
oss-fuzz_link   = $(CXX) $(CXXFLAGS)
oss-fuzz_ld     = $(LIB_FUZZING_ENGINE)

# Needs no clang: what replays a corpus is built with the system compiler.
replay_cc     = $(CC)
replay_cflags = -O1 -g -DORACLE_COUNT
replay_ld     =

# Counts what is carried out, for fuzz/scaling/scaling.c.
steps_cc     = $(CC)
steps_cflags = -O1 -g -fsanitize-coverage=trace-pc
steps_ld     =

# The library can be interrupted between any two of its basic blocks.
world_cc     = $(CC)
world_cflags = -O2 -g
world_pic    = $(if $(filter lib/core/%,$1),-fsanitize-coverage=trace-pc)
world_ld     =

cover_cc     = $(CLANG)
cover_cflags = -O0 $(lines) -DORACLE_COUNT $(or $(cmd_counts),$(counts))
cover_ld     = -fprofile-instr-generate
# Nothing is written unless LLVM_PROFILE_FILE says where.
counts       = -fprofile-instr-generate=/dev/null -fcoverage-mapping
# The unit tests take longer to compile than to run.
build/obj/lib/test/%.o: release_cflags += -O1
build/asan/obj/lib/test/%.o: asan_cflags += -O0
# The server's threads count together, and in a file that is mapped, so that
# what ran is known however the process ends.
$(foreach v,asan cover,$(addprefix build/$v/obj/,cmd/%.o interleave/%.o)): \
	cmd_counts = $(counts) -fprofile-update=atomic \
	-mllvm -runtime-counter-relocation

mcdc_cc     = $(CLANG_MCDC)
mcdc_cflags = -O0 -g -DORACLE_COUNT $(counts) -fcoverage-mcdc
mcdc_ld     = $(cover_ld)

# For lint.
gcc_cc       = gcc
gcc_cflags   = -O2 -Werror
clang_cc     = $(CLANG)
# Its warnings do not come from optimization, as those of gcc do.
clang_cflags = -O0 -Werror

# Every allocation of the code under test can be made to fail.
wrap := $(if $(wildcard lib/test/alloc.c), \
	$(addprefix -Wl$(comma)--wrap=,malloc calloc realloc))

# --- rules for every variant of the build -----------------------------------

afl_cc     = AFL_QUIET=1 afl-clang-fast
afl_cflags = -O2 -g
afl_ld     = -fsanitize=fuzzer

aflsan_cc     = AFL_QUIET=1 AFL_USE_ASAN=1 AFL_USE_UBSAN=1 afl-clang-fast
aflsan_cflags = -O1 -g $(sanitize)
aflsan_ld     = -fsanitize=fuzzer

aflcmp_cc     = AFL_QUIET=1 AFL_LLVM_CMPLOG=1 afl-clang-fast
aflcmp_cflags = -O2 -g
aflcmp_ld     = -fsanitize=fuzzer

variants := afl aflsan aflcmp release asan tsan fuzz oss-fuzz replay steps \
	world cover mcdc gcc clang

dir_release := build
$(foreach v,$(filter-out release,$(variants)),$(eval dir_$v := build/$v))

# objects VARIANT SOURCES
objects = $(patsubst %.c,$(dir_$1)/obj/%.o,$2)

# archives VARIANT: lib, in the order in which they need each other
archives = $(addprefix $(dir_$1)/,libserver.a liblbproxy.a)

# What is shown of a command: a verb and the file that it makes.
brief = $(if $(V),,@printf '  %-5s %s\n' $1 $@ && )

# compile VARIANT SOURCE OBJECT
compile = $($1_cc) $(std) $(warnings) $(includes) $(depend) $(CPPFLAGS) \
	$($1_cflags) $(call $1_pic,$2) -pthread -c -o $3 $2

define variant_rules
$(dir_$1)/obj/%.o: %.c Makefile
	@mkdir -p $$(@D)
	$$(call brief,CC)$$(call compile,$1,$$<,$$@)

$(dir_$1)/obj/world/%.o: %.c fuzz/kernel/hooks.h Makefile
	@mkdir -p $$(@D)
	$$(call brief,CC)$$(call compile,$1,$$<,$$@) -DRING_BYTES=2048 \
		-DRINGS_KEPT=2 -include fuzz/kernel/hooks.h

$(dir_$1)/liblbproxy.a: $(call objects,$1,$(core_c))
	@rm -f $$@
	$$(call brief,AR)$(AR) rcsD $$@ $$^

$(dir_$1)/libserver.a: $(call objects,$1,$(server_c))
	@rm -f $$@
	$$(call brief,AR)$(AR) rcsD $$@ $$^

$(dir_$1)/lbproxyd: $(call objects,$1,$(lbproxyd_c)) $(call archives,$1)
	$$(call brief,LD)$$($1_cc) $$($1_ld) -pthread -o $$@ $$^ $(openssl) \
		-lmicrohttpd $$($1_malloc)

$(dir_$1)/lbproxyctl: $(call objects,$1,$(lbproxyctl_c)) $(call archives,$1)
	$$(call brief,LD)$$($1_cc) $$($1_ld) -pthread -o $$@ $$^ $(openssl) \
		-ljansson

$(dir_$1)/toml-json: $(call objects,$1,$(toml-json_c)) $(call archives,$1)
	$$(call brief,LD)$$($1_cc) $$($1_ld) -o $$@ $$^

$(dir_$1)/unit: $(call objects,$1,$(unit_c)) $(call archives,$1)
	$$(call brief,LD)$$($1_cc) $$($1_ld) $(wrap) -o $$@ $$^ -lcunit

$(dir_$1)/libmodel.a: $(call objects,$1,$(model_c))
	@rm -f $$@
	$$(call brief,AR)$(AR) rcsD $$@ $$^

endef
$(foreach v,$(variants),$(eval $(call variant_rules,$v)))

# It is in there as it stands.
$(foreach v,$(variants),$(addprefix $(dir_$v)/obj/,cmd/lbproxyd/page.o \
	world/cmd/lbproxyd/page.o)): cmd/lbproxyd/page.html

# fuzz_rules VARIANT NAME EXTRA-SOURCES; a target that tests more than lib
# names the sources in fuzz_more_NAME and libraries in fuzz_libs_NAME.
define fuzz_rules
$(dir_$1)/$2: $(call objects,$1,fuzz/fuzz_$2.c fuzz/oracle.c $3 \
		$(fuzz_more_$2)) $(dir_$1)/libmodel.a $(call archives,$1)
	$$(call brief,LD)$$(or $$($1_link),$$($1_cc)) $$($1_ld) -o $$@ $$^ \
		$(fuzz_libs_$2)
endef
$(foreach n,$(fuzz_names),$(foreach v,fuzz oss-fuzz afl aflsan aflcmp, \
	$(eval $(call fuzz_rules,$v,$n))))
$(foreach n,$(fuzz_names),$(foreach v,replay cover mcdc, \
	$(eval $(call fuzz_rules,$v,$n,fuzz/replay.c))))

build/asan/nomem: $(call objects,asan,$(nomem_c)) $(call archives,asan)
	$(call brief,LD)$(asan_cc) $(asan_ld) $(nomem_wrap) -pthread -o $@ $^ \
		$(openssl)

# lbproxyd with calls and allocations that fail, for itest/faults/faults.
build/asan/obj/itest/faults/%.o: asan_cflags = -O1 -g
build/asan/faults: $(call objects,asan,$(lbproxyd_c) itest/faults/inject.c) \
		$(call archives,asan)
	$(call brief,LD)$(asan_cc) $(asan_ld) -pthread -o $@ $^ $(openssl) \
		-lmicrohttpd

# And lbproxyctl, for itest/faults/faults-ctl.
build/asan/faults-ctl: $(call objects,asan,$(lbproxyctl_c) itest/faults/inject.c) \
		$(call archives,asan)
	$(call brief,LD)$(asan_cc) $(asan_ld) -pthread -o $@ $^ $(openssl) \
		-ljansson

# nomem_rules NAME: a fuzz target that lets each allocation of lib fail.
nomem_targets := toml config acl app session sim policy
nomem_lib_wrap := $(addprefix -Wl$(comma)--wrap=,malloc calloc realloc free \
	lbp_toml_parse lbp_config_parse lbp_acl_new lbp_app_prepare \
	lbp_policy_prepare)
define nomem_rules
build/nomem/$1: $(call objects,asan,fuzz/fuzz_$1.c fuzz/oracle.c \
		fuzz/replay.c fuzz/nomem_lib.c $(fuzz_more_$1)) \
		build/asan/libmodel.a $(call archives,asan)
	@mkdir -p $$(@D)
	$$(call brief,LD)$$(asan_cc) $$(asan_ld) $$(nomem_lib_wrap) -o $$@ $$^
endef
$(foreach n,$(nomem_targets),$(eval $(call nomem_rules,$n)))

build/sim: $(call objects,release,$(sim_c) fuzz/seeded.c fuzz/oracle.c) build/libmodel.a \
		$(call archives,release)
	$(call brief,LD)$(CC) $(release_ld) -o $@ $^

sim_server_c := fuzz/world/main.c fuzz/seeded.c fuzz/oracle.c \
	fuzz/kernel/blocks.c $(fuzz_more_server)
build/sim-server: $(call objects,world,$(sim_server_c)) $(call archives,world)
	$(call brief,LD)$(CC) -o $@ $^

build/cover/sim-server: $(call objects,cover,$(sim_server_c)) $(call archives,cover)
	$(call brief,LD)$(cover_cc) $(cover_ld) -o $@ $^

# Fuzz targets as functions of one program, for the exhaustive small scopes.
build/obj/scope/fuzz_%.o: fuzz/fuzz_%.c Makefile
	@mkdir -p $(@D)
	$(call brief,CC)$(call compile,release,$<,$@) \
		-DLLVMFuzzerTestOneInput=fuzz_$*

build/libscope.a: $(patsubst %,build/obj/scope/fuzz_%.o,$(fuzz_names))
	@rm -f $@
	$(call brief,AR)$(AR) rcsD $@ $^

build/exhaust: $(call objects,release,$(exhaust_c) fuzz/oracle.c) \
		build/libscope.a build/libmodel.a $(call archives,release)
	$(call brief,LD)$(CC) $(release_ld) -o $@ $^

# What is measured counts its steps, and nothing else does.
build/scaling: $(call objects,release,fuzz/scaling/scaling.c fuzz/oracle.c) \
		$(call objects,steps,cmd/lbproxyd/tls_revoked.c) \
		$(call archives,steps)
	$(call brief,LD)$(CC) $(release_ld) -o $@ $^ -lcrypto

# The server's threads, in every order: what they have in common is hooked.
interleave_c := $(sort $(wildcard fuzz/interleave/*.c))
interleave_hooked := $(addprefix cmd/lbproxyd/,acceptor.c capacity.c \
	crew.c entropy.c errand.c handshakes.c loop.c mailbox.c report_health.c \
	worker.c)

# interleave_rules VARIANT
define interleave_rules
$(dir_$1)/obj/interleave/%.o: %.c fuzz/interleave/hooks.h Makefile
	@mkdir -p $$(@D)
	$$(call brief,CC)$$(call compile,$1,$$<,$$@) -DMAILBOX_BATCH=2 \
		-include fuzz/interleave/hooks.h

$(dir_$1)/interleave: $(patsubst %.c,$(dir_$1)/obj/interleave/%.o, \
		$(interleave_hooked)) $(call objects,$1,$(interleave_c) \
		cmd/lbproxyd/address.c cmd/lbproxyd/poller.c \
		cmd/lbproxyd/queue.c) $(call archives,$1)
	$$(call brief,LD)$$($1_cc) $$($1_ld) -o $$@ $$^
endef
$(foreach v,release cover,$(eval $(call interleave_rules,$v)))

-include $(shell find build -name '*.d' -type f 2>/dev/null)

# --- build ------------------------------------------------------------------

.PHONY: all
all: lib $(addprefix build/,$(programs)) ## build the server, lbproxyctl, the library and toml-json

.PHONY: lib
lib: build/liblbproxy.a build/liblbproxy.so ## build the library alone; needs no OpenSSL

# The names that the shared library exports, and their versions.
symbols := lib/lbproxy.map

build/liblbproxy.so: $(call objects,release,$(core_c)) $(symbols)
	$(call brief,LD)$(CC) -shared -Wl,-z,defs,-z,relro,-z,now \
		-Wl,-soname,liblbproxy.so.$(SOVERSION) \
		-Wl,--version-script=$(symbols) $(LDFLAGS) -o $@ $(filter %.o,$^)

.PHONY: symbols symbols-update
symbols: build/liblbproxy.so ## the library exports what its public headers and lib/lbproxy.map say
	@NM=$(NM) ci/symbols --check $(symbols) $< $(public_h)

symbols-update: ## write lib/lbproxy.map from the public headers
	@ci/symbols $(public_h) >$(symbols).new
	@mv $(symbols).new $(symbols)

install = DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' LIBDIR='$(LIBDIR)' VERSION='$(VERSION)' \
	SOVERSION='$(SOVERSION)' ci/install

.PHONY: install install-lib
install: all ## install everything; DESTDIR= and PREFIX= say where
	$(install) library server

install-lib: lib ## install the library alone; DESTDIR= and PREFIX= say where
	$(install) library

.PHONY: deb
deb: ## the Debian packages, in build/deb; judged by lintian
	@ci/install-deps build deb
	@VERSION='$(VERSION)' ci/deb

.PHONY: clean
clean: ## remove everything that was built
	rm -rf build

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | \
		awk -F '|' '{ printf "%-20s%s\n", $$1, $$2 }'

# --- demo and gate ----------------------------------------------------------

# Both install what is missing before anything is built, so they start make
# again instead of naming prerequisites.
.PHONY: demo
demo: ## install what is missing, build, show the server at work; KEEP=1 leaves it running
	@ci/install-deps build demo
	@echo 'Building ...'
	@mkdir -p build
	@$(MAKE) --no-print-directory all >build/demo.log 2>&1 || \
		{ cat build/demo.log; exit 1; }
	@KEEP='$(KEEP)' $(PYTHON) ci/demo

.PHONY: check verify
check: ## install what is missing and run every test that gates a change
	@ci/install-deps build demo check deb
	@MAKE='$(MAKE)' ci/check

verify: ## install what is missing and run what is too heavy for check; takes hours
	@ci/install-deps build demo check deb verify
	@MAKE='$(MAKE)' ci/verify

# --- tests ------------------------------------------------------------------

.PHONY: test test-asan exhaust sim sim-server
test: build/unit ## the CUnit suites
	build/unit

test-asan: build/asan/unit ## the CUnit suites under ASan and UBSan
	ci/sanitized build/asan build/asan/unit

exhaust: build/exhaust build/interleave ## all short sequences of operations against the models, and orders of threads; EXHAUST=deep
	build/exhaust $(EXHAUST)
	build/interleave $(filter deep,$(EXHAUST))

.PHONY: reproducible
reproducible: ## this build and one in another place and circumstances: the same bytes
	+@MAKE='$(MAKE)' ci/reproducible

.PHONY: scaling
scaling: build/scaling ## how the work of lib grows with what it is given
	build/scaling

sim: build/sim ## the deterministic simulation; SIM_ARGS=
	build/sim $(SIM_ARGS)

sim-server: build/sim-server ## the whole server in simulation; SIM_SERVER_ARGS=
	build/sim-server $(SIM_SERVER_ARGS)

.PHONY: simulate
simulate: exhaust sim sim-server scaling ## these four, side by side with -j

.PHONY: planted
planted: ## faults that were real once, planted again: the simulation of the server must find each
	@$(PYTHON) ci/planted

.PHONY: replay
replay: $(addprefix build/replay/,$(fuzz_names)) ## every committed fuzz input, with the system compiler
	@ci/replay build/replay $(fuzz_names)

targets := $(or $(TARGET),$(fuzz_names))

.PHONY: fuzz corpus
fuzz: $(addprefix build/fuzz/,$(targets)) ## a short run of every fuzz target; FUZZ_SECONDS=, TARGET=
	@$(PYTHON) ci/fuzz --seconds $(FUZZ_SECONDS) --jobs $(FUZZ_JOBS) \
		$(targets)

.PHONY: oss-fuzz fuzz-names
oss-fuzz: ## what ci/oss-fuzz has OSS-Fuzz build; each target starts on its seed corpus
	@CLANG='$(CLANG)' ci/oss-fuzz/check

fuzz-names:
	@echo $(fuzz_names)

NOMEM_STEP = 1
.PHONY: nomem
nomem: build/asan/nomem ## start-up and accept with each allocation failing; NOMEM_STEP=
	$(counting) ci/sanitized build/asan build/asan/nomem $(NOMEM_STEP)
	@touch build/profile/$@/complete

.PHONY: faults
faults: build/asan/faults build/asan/faults-ctl ## each system call and allocation of the server and of lbproxyctl failing once; FAULTS_ARGS=
	$(counting) $(PYTHON) itest/faults/faults $(FAULTS_ARGS) $<
	$(counts_too) $(PYTHON) itest/faults/faults-ctl $(FAULTS_ARGS) \
		build/asan/faults-ctl
	@touch build/profile/$@/complete

.PHONY: nomem-lib
nomem-lib: $(addprefix build/nomem/,$(nomem_targets)) ## every committed input, with each allocation of lib failing; NOMEM_STEP=
	@LBP_NOMEM_STEP=$(NOMEM_STEP) ci/sanitized build/asan \
		ci/replay-each build/nomem $(nomem_targets)

.PHONY: fuzz-afl fuzz-long
fuzz-afl: $(foreach v,fuzz afl aflsan aflcmp,build/$v/$(TARGET)) ## one target under AFL++; TARGET=, FUZZ_SECONDS=, RECORD=1
	@$(PYTHON) ci/fuzz-afl --seconds $(FUZZ_SECONDS) $(if $(RECORD),--record) \
		$(TARGET)

fuzz-long: $(addprefix build/fuzz/,$(targets)) ## a long run of every target, its inputs kept, fuzz/REPORT.md written; FUZZ_SECONDS=, TARGET=
	@$(PYTHON) ci/fuzz-long --seconds $(FUZZ_SECONDS) --jobs $(FUZZ_JOBS) $(targets)

corpus: $(addprefix build/fuzz/,$(targets)) ## keep what `make fuzz` found worth keeping in fuzz/corpus; TARGET=
	@$(PYTHON) ci/fuzz --keep $(targets)

pytest = $(PYTHON) -m pytest -p no:cacheprovider -n $(PYTEST_JOBS) \
	$(PYTEST_ARGS)
# These tests start no program of this build, or in circumstances in which a
# sanitizer cannot work, or one for each kind of key, or a browser. As in
# itest/conftest.py.
no_server = $(addprefix --ignore=itest/test_,bench.py build.py certs_gen.py \
	container.py deb.py demo.py hardening.py harness.py page.py \
	provider.py reference.py)

.PHONY: itest itest-asan itest-tsan
itest itest-asan itest-tsan: export PYTHONPYCACHEPREFIX = $(CURDIR)/build/pycache
itest-asan itest-tsan: export ITEST_SLOW = 3
# Each test with one of the two, half of them either.
itest-asan itest-tsan: export ITEST_POLLERS ?= one

itest: all build/reference ## the pytest suite against build/lbproxyd; PYTEST_ARGS=
	LBPROXYD='$(CURDIR)/build/lbproxyd' $(pytest) itest

# What build/asan's programs run of cmd is counted, for cover-cmd.
counts_too = LLVM_PROFILE_FILE='$(CURDIR)/build/profile/$@/%m%c.profraw'
counting = rm -rf build/profile/$@ && mkdir -p build/profile/$@ && $(counts_too)

itest-asan: build/asan/lbproxyd build/asan/lbproxyctl build/asan/toml-json ## the pytest suite, the server under ASan and UBSan; ITEST_POLLERS=both
	$(counting) LBPROXYD='$(CURDIR)/build/asan/lbproxyd' \
		LBP_CTL='$(CURDIR)/build/asan/lbproxyctl' \
		LBP_TOML_JSON='$(CURDIR)/build/asan/toml-json' \
		ci/sanitized build/asan $(pytest) itest $(no_server)
	@touch build/profile/$@/complete

# Every server in these has two workers or more, and much to do for them.
many_workers = $(addprefix itest/test_,balance.py capacity.py ctl.py \
	handshakes.py limits.py names.py passed.py relay.py resume.py \
	service.py signals.py workers.py)

itest-tsan: build/tsan/lbproxyd ## tests with several workers, the server under TSan
	LBPROXYD='$(CURDIR)/build/tsan/lbproxyd' \
		ci/sanitized build/tsan $(pytest) $(many_workers)

.PHONY: cover cover-mcdc cover-cmd
cover: build/cover/unit $(addprefix build/cover/,$(fuzz_names)) ## lines and branches of lib, all of which CUnit and corpus must take
	@CLANG=$(CLANG) $(PYTHON) ci/cover unit $(fuzz_names)

cover-mcdc: build/mcdc/unit $(addprefix build/mcdc/,$(fuzz_names)) ## the same and decisions (MC/DC); needs clang-19 and llvm-19
	@CLANG=$(CLANG_MCDC) $(PYTHON) ci/cover --mcdc unit $(fuzz_names)

# The programs that have something of cmd in them.
cover_cmd := interleave sim-server $(strip $(foreach n,$(fuzz_names), \
	$(if $(filter cmd/%,$(fuzz_more_$n)),$n)))

# The steps that count what they run of it, each with what it depends on.
cover_steps := itest-asan nomem faults
build/profile/itest-asan/complete: build/asan/lbproxyd build/asan/lbproxyctl \
		build/asan/toml-json \
		$(wildcard itest/*.py itest/harness/*.py)
build/profile/nomem/complete: build/asan/nomem
build/profile/faults/complete: build/asan/faults build/asan/faults-ctl \
		$(wildcard itest/faults/*)

build/profile/%/complete:
	$(MAKE) $* NOMEM_STEP=37 FAULTS_ARGS=--once

cover-cmd: $(cover_steps:%=build/profile/%/complete) $(addprefix build/cover/,$(cover_cmd)) ## lines and branches of cmd, which itest-asan, nomem, faults and corpus must take
	@CLANG=$(CLANG) $(PYTHON) ci/cover \
		--cmd=$(subst $() ,$(comma),$(cover_steps)) $(cover_cmd)

.PHONY: mutate mutate-changed
mutate: ## mutation testing of lib and cmd, with its floors; takes long
	nice $(PYTHON) ci/mutate --floor 95 --floor-cmd 90 \
		--report ci/mutation-report.md $(MUTATE_ARGS)

mutate-changed: ## the same for the lines that changed, within 2 minutes; BASE=
	$(PYTHON) ci/mutate --changed $(BASE) --floor 95 --floor-cmd 90 \
		--seconds 120

.PHONY: bench
bench: all ## side by side with nginx, HAProxy, hitch and stunnel; BENCH_ARGS=--quick
	@ci/install-deps build demo check bench
	$(PYTHON) itest/bench/bench $(BENCH_ARGS)

.PHONY: cost
cost: all ## what strangers cost the server beside an honest client, as ratios; COST_ARGS=
	$(PYTHON) itest/cost/cost $(COST_ARGS)

# Of choices too: what lib takes for one of them.
build/choices: $(call objects,release,itest/instructions/choices.c) \
		$(call archives,release)
	$(call brief,LD)$(CC) $(release_ld) -o $@ $^

.PHONY: instructions instructions-update
instructions: all build/choices ## instructions of a handshake, a request, bulk and a choice, beside the committed figures
	$(PYTHON) itest/instructions/count

instructions-update: all build/choices ## write these figures anew
	$(PYTHON) itest/instructions/count --update

# What is told of the configuration's keys.
build/reference: $(call objects,release,$(sort $(wildcard itest/reference/*.c))) \
		$(call archives,release)
	$(call brief,LD)$(CC) $(release_ld) -o $@ $^

.PHONY: reference-update
reference-update: build/reference ## write schema, reference configuration and lbproxyd.toml(5) from the parser's tables
	$(PYTHON) itest/reference/update

# Not bash's own SECONDS, should it be in the environment.
SECONDS = 3600
.PHONY: reloads
reloads: all ## what reloads cost those who are served meanwhile, and how soon lost rights end; RELOADS_ARGS=
	$(PYTHON) itest/reload/reload $(RELOADS_ARGS)

.PHONY: soak
soak: all ## mixed traffic for long, memory, descriptors and counts flat; SECONDS=, SOAK_ARGS=--report
	$(PYTHON) itest/soak/soak --seconds $(SECONDS) $(SOAK_ARGS)

.PHONY: trace canary
trace: ## every requirement of SPEC.md against the tests that cite it; TRACE_ARGS=--kills
	@$(PYTHON) ci/trace $(TRACE_ARGS)

canary: ## one planted fault for each gate, which it must notice; CANARY= picks some
	@ci/install-deps build demo check deb verify
	@$(PYTHON) ci/canary $(CANARY)

.PHONY: facts
facts: ## how long functions, headers and sources are, and what stands twice
	@$(PYTHON) ci/facts

.PHONY: prove
prove: ## contracts in lib's sources and readers of text, with Frama-C; faulty copies must fail
	@ci/install-deps verify
	@ci/prove
	@ci/prove --selftest
	@$(PYTHON) ci/eva
	@$(PYTHON) ci/eva --selftest

# --- static checks ----------------------------------------------------------

c_files  := $(lib_c) $(lbproxyd_c) $(lbproxyctl_c) $(toml-json_c) $(exhaust_c) $(unit_c) \
	$(model_c) $(sort $(wildcard fuzz/*.c fuzz/sim/*.c fuzz/scaling/*.c fuzz/tls/*.c \
	fuzz/sockets/*.c fuzz/eva/*.c fuzz/interleave/*.c fuzz/kernel/*.c \
	fuzz/world/*.c itest/faults/*.c itest/reference/*.c))
tidy_c   := $(sort $(lib_c) $(lbproxyd_c) $(lbproxyctl_c) $(toml-json_c))
# What clang warns of, clang-tidy reports too. With WERROR the other steps of
# make check have the rest: gcc's release and simulations, clang's ASan and
# fuzz targets.
warn_gcc_c   := $(filter-out $(if $(WERROR),$(tidy_c) $(unit_c) $(exhaust_c) \
	$(model_c) fuzz/sim/% fuzz/interleave/% fuzz/kernel/% fuzz/world/%), \
	$(c_files))
warn_clang_c := $(filter-out $(if $(WERROR),$(unit_c) $(model_c) fuzz/fuzz_% \
	fuzz/tls/% fuzz/sockets/% fuzz/kernel/% fuzz/world/%) $(tidy_c),$(c_files))
# Which is in no fuzz target.
warn_clang_c := $(sort $(warn_clang_c) fuzz/world/main.c)
warn_ok := $(call objects,gcc,$(warn_gcc_c)) $(call objects,clang,$(warn_clang_c))

.PHONY: lint lint-deep lint-text format pure
lint: lint-text $(warn_ok) $(tidy_c:%.c=build/tidy/%.ok) ## formatter, static analysis, warnings as errors

lint-deep: $(tidy_c:%.c=build/tidy-deep/%.ok) ## static analysis that gives up four times later

lint-text:
	@PYTHON=$(PYTHON) ci/lint

format: ## let clang-format rewrite every C file
	clang-format -i $(wildcard $(addsuffix /*.[ch],lib lib/* cmd/* fuzz \
		fuzz/* itest itest/*))

# States that the analyzer visits in a function; its own default is 225000.
build/tidy/%.ok: tidy_nodes = 12500
build/tidy-deep/%.ok: tidy_nodes = 225000
define tidy
	@mkdir -p $(@D)
	$(call brief,TIDY)clang-tidy --quiet --warnings-as-errors='*' $*.c -- \
		$(std) $(warnings) -Wreserved-identifier $(includes) -Xclang -analyzer-config \
		-Xclang max-nodes=$(tidy_nodes) 2>$@.log || \
		{ cat $@.log; exit 1; }
	@touch $@
endef
build/tidy/%.ok: build/obj/%.o .clang-tidy
	$(tidy)
build/tidy-deep/%.ok: build/obj/%.o .clang-tidy
	$(tidy)

pure: build/liblbproxy.a build/libserver.a build/liblbproxy.so ## lib has no effects and no state
	@NM=$(NM) ci/pure $^
