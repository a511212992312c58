# uxecho, uxping and libuxsrv. "make help" lists the targets.
#
# Everything that is built goes below $(BUILD). CC, CFLAGS, CPPFLAGS, LDFLAGS
# and LDLIBS are yours; what the project needs is added to them.

VERSION = 0.1.0
SOVERSION = 0
BUILD = build

PREFIX ?= /usr/local
prefix ?= $(PREFIX)
exec_prefix ?= $(prefix)
bindir ?= $(exec_prefix)/bin
sbindir ?= $(exec_prefix)/sbin
libdir ?= $(exec_prefix)/lib
pkgconfigdir ?= $(libdir)/pkgconfig
includedir ?= $(prefix)/include
datarootdir ?= $(prefix)/share
mandir ?= $(datarootdir)/man
docdir ?= $(datarootdir)/doc/uxecho
bashcompdir ?= $(datarootdir)/bash-completion/completions
zshcompdir ?= $(datarootdir)/zsh/site-functions
fishcompdir ?= $(datarootdir)/fish/vendor_completions.d
# Where systemd looks, below /usr as below /usr/local; whatever libdir is.
unitdir ?= $(prefix)/lib/systemd/system
sysusersdir ?= $(prefix)/lib/sysusers.d
tmpfilesdir ?= $(prefix)/lib/tmpfiles.d

CFLAGS ?= -O2 -g
INSTALL ?= install
OBJCOPY ?= objcopy
PKG_CONFIG ?= pkg-config
CLANG_FORMAT ?= clang-format
CLANG_TIDY ?= clang-tidy

# Asked of pkg-config when a recipe runs, not when this file is read: with
# "make deps all" the packages arrive in between.
BSD_CFLAGS = $(shell $(PKG_CONFIG) --cflags libbsd-overlay)
BSD_LIBS = $(shell $(PKG_CONFIG) --libs libbsd-overlay)
CHECK_CFLAGS = $(shell $(PKG_CONFIG) --cflags check)
CHECK_LIBS = $(shell $(PKG_CONFIG) --libs check)
# Line editing in "uxping -I", where it is there.
EDIT_CFLAGS = $(shell $(PKG_CONFIG) --exists libedit && \
	echo -DHAVE_LIBEDIT $$($(PKG_CONFIG) --cflags libedit))
EDIT_LIBS = $(shell $(PKG_CONFIG) --exists libedit && \
	$(PKG_CONFIG) --libs libedit)

WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wcast-align -Wwrite-strings -Wundef -Wformat=2 \
	-Wno-unused-parameter
UXS_CPPFLAGS = -D_GNU_SOURCE -DUXECHO_VERSION='"$(VERSION)"' -Iinclude \
	$(BSD_CFLAGS)
# The map: what is built must not depend on where.
UXS_CFLAGS = -std=c11 -pthread $(WARNINGS) -fstack-protector-strong \
	-fno-common -MMD -MP -ffile-prefix-map=$(CURDIR)=.
COMPILE = $(CC) $(UXS_CPPFLAGS) $(CPPFLAGS) $(UXS_CFLAGS) $(CFLAGS)
LINK = $(CC) $(UXS_CFLAGS) $(CFLAGS) $(LDFLAGS)

LIB_SRC := $(sort $(wildcard src/lib/*.c))
UXECHO_SRC := $(sort $(wildcard src/uxecho/*.c src/uxecho/services/*.c))
UXPING_SRC := $(sort $(wildcard src/uxping/*.c))
TESTS_SRC := $(sort $(wildcard tests/*.c))
HEADERS := $(sort $(wildcard include/uxsrv/*.h))
MANUALS := $(sort $(wildcard man/*.[1-8]))
SCRIPTS := $(sort $(wildcard .ci/run tests/*.sh src/dist/systemd/fill \
	tests/vm/*.sh tests/vm/init src/dist/runit/run src/dist/s6/run))
UNITS := $(notdir $(wildcard src/dist/systemd/*.service.in))
SOCKETS := $(notdir $(wildcard src/dist/systemd/*.socket))
MANAGERS = apparmor/uxecho openrc/uxecho runit/run s6/run s6/notification-fd

LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/%.o)
UXECHO_OBJ := $(UXECHO_SRC:%.c=$(BUILD)/%.o)
UXPING_OBJ := $(UXPING_SRC:%.c=$(BUILD)/%.o)
TESTS_OBJ := $(TESTS_SRC:%.c=$(BUILD)/%.o)
BENCH_SRC := $(sort $(wildcard tests/bench/*.c))
BENCH_OBJ := $(BENCH_SRC:%.c=$(BUILD)/%.o)
DIST_SRC := $(sort $(wildcard src/dist/*/*.c))
DIST_OBJ := $(DIST_SRC:%.c=$(BUILD)/%.o)
# What the benchmark decides, reads and writes; it is tested by tables.
BENCH_PURE := $(foreach n,goals json_field markdown metrics options picture \
	quartiles results subjects usage workloads,$(BUILD)/tests/bench/$(n).o)

LIB := $(BUILD)/libuxsrv.a
SONAME := libuxsrv.so.$(SOVERSION)
SHARED := $(BUILD)/libuxsrv.so.$(VERSION)
SHARED_OBJ := $(LIB_SRC:%.c=$(BUILD)/pic/%.o)
# Every name that the library shows, and nothing else.
SYMBOLS := src/lib/libuxsrv.map
PROGRAMS := $(BUILD)/uxecho $(BUILD)/uxping
TESTER := $(BUILD)/check_all
COMPLETIONS := $(foreach s,bash zsh fish,$(foreach p,uxecho uxping,\
	$(BUILD)/completions/$(s)/$(p)))
RUNNER := $(BUILD)/bench_run
PEERS_DIR := $(BUILD)/bench/peers

.PHONY: all
all: $(LIB) $(SHARED) $(PROGRAMS) $(COMPLETIONS) ## build everything (the default)

# One object, in which the library's own rooms are local: a program may have
# a session_close of its own, and ours cannot reach round the headers.
$(BUILD)/libuxsrv.o: $(LIB_OBJ)
	$(CC) -r -nostdlib -o $@ $^
	$(OBJCOPY) --wildcard --keep-global-symbol='uxs_*' $@

$(LIB): $(BUILD)/libuxsrv.o
	$(RM) $@
	$(AR) rcsD $@ $^

$(SHARED): $(SHARED_OBJ) $(SYMBOLS)
	$(LINK) -shared -Wl,-soname,$(SONAME) \
	    -Wl,--version-script,$(SYMBOLS) -o $@ $(SHARED_OBJ) $(BSD_LIBS) \
	    $(LDLIBS)
	ln -sf $(@F) $(BUILD)/$(SONAME)
	ln -sf $(SONAME) $(BUILD)/libuxsrv.so

$(BUILD)/uxecho: $(UXECHO_OBJ) $(LIB)
	$(LINK) -o $@ $^ $(BSD_LIBS) $(LDLIBS)

$(BUILD)/uxping: $(UXPING_OBJ) $(LIB)
	$(LINK) -o $@ $^ $(EDIT_LIBS) $(BSD_LIBS) -lm $(LDLIBS)

# Completions for shells come from the programs' own tables of options.
$(BUILD)/make_completions: $(DIST_OBJ) \
    $(filter-out %/main.o,$(UXECHO_OBJ) $(UXPING_OBJ)) $(LIB)
	$(LINK) -o $@ $^ $(EDIT_LIBS) $(BSD_LIBS) -lm $(LDLIBS)

$(COMPLETIONS): $(BUILD)/completions/%: $(BUILD)/make_completions \
    $(wildcard src/dist/completions/*.in)
	@mkdir -p $(@D)
	$(BUILD)/make_completions $(subst /, ,$*) \
	    <src/dist/completions/$(*D).in >$@.new
	mv $@.new $@

# The tests see the rooms of library and programs too, except for main().
$(TESTER): $(TESTS_OBJ) $(LIB_OBJ) $(BENCH_PURE) \
    $(filter-out %/main.o,$(UXECHO_OBJ) $(UXPING_OBJ) $(DIST_OBJ))
	$(LINK) $(WRAP) -o $@ $^ $(CHECK_LIBS) $(EDIT_LIBS) $(BSD_LIBS) -lm \
	    $(LDLIBS)

# Calls that tests count, or have fail: tests/interposed.c.
WRAP = -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=send,--wrap=recv

$(BUILD)/src/uxping/console.o: UXS_CPPFLAGS += $(EDIT_CFLAGS)
$(DIST_OBJ): UXS_CPPFLAGS += -Isrc

$(BUILD)/src/%.o: src/%.c | $(BUILD)/.have-libbsd
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $<

$(BUILD)/pic/src/%.o: src/%.c | $(BUILD)/.have-libbsd
	@mkdir -p $(@D)
	$(COMPILE) -fPIC -c -o $@ $<

$(BUILD)/tests/%.o: tests/%.c | $(BUILD)/.have-libbsd $(BUILD)/.have-check
	@mkdir -p $(@D)
	$(COMPILE) -Isrc $(CHECK_CFLAGS) -c -o $@ $<

$(BUILD)/.have-libbsd:
	@$(call require,libbsd-overlay,libbsd-dev)

$(BUILD)/.have-check:
	@$(call require,check,check)

# $(call require,MODULE,PACKAGE)
require = command -v $(PKG_CONFIG) >/dev/null || \
	{ echo "make: pkg-config is missing: install the package pkg-config, or run 'make deps'" >&2; exit 1; }; \
	$(PKG_CONFIG) --exists $(1) || \
	{ echo "make: the library $(1) is missing: install the package $(2), or run 'make deps'" >&2; exit 1; }; \
	mkdir -p $(BUILD) && touch $@

# ---- what it needs -------------------------------------------------------

BUILD_PACKAGES = pkg-config libbsd-dev libedit-dev
TEST_PACKAGES = check g++ libevent-dev libglib2.0-dev mandoc strace socat s6 \
	libxml2-utils systemd
LINT_PACKAGES = clang clang-format clang-tidy cppcheck shellcheck mandoc \
	libclang-rt-14-dev libev-dev libuv1-dev libevent-dev
DIST_PACKAGES = zsh fish systemd apparmor dpkg-dev debhelper lintian
BENCH_PACKAGES = libev-dev libuv1-dev libevent-dev socat ncat s6 python3
VM_PACKAGES = qemu-system-x86 busybox-static cpio

# $(call install-packages,LIST): only what is not there, so that it also works
# without a network once it has run.
install-packages = \
	missing=$$(for p in $(1); do \
	    dpkg-query -W -f '$${Status}' $$p 2>/dev/null | \
	    grep -q 'ok installed' || echo $$p; done); \
	if [ -z "$$missing" ]; then exit 0; fi; \
	as_root=; [ "$$(id -u)" = 0 ] || as_root=sudo; \
	$$as_root apt-get update -q && \
	$$as_root env DEBIAN_FRONTEND=noninteractive \
	    apt-get install -qy --no-install-recommends $$missing

.PHONY: deps lint-deps dist-deps vm-deps
deps: ## install what building and testing needs (Debian)
	@$(call install-packages,$(BUILD_PACKAGES) $(TEST_PACKAGES))

lint-deps: ## install what the stricter gates need (Debian)
	@$(call install-packages,$(LINT_PACKAGES))

dist-deps: ## install what trying out src/dist needs (Debian)
	@$(call install-packages,$(DIST_PACKAGES))

vm-deps: ## fetch a kernel of Debian, and what boots it
	@$(call install-packages,$(VM_PACKAGES))
	BUILD=$(BUILD) tests/vm/kernel.sh

# "make -j deps check": nothing starts before the packages are there.
ifneq ($(filter deps,$(MAKECMDGOALS)),)
$(BUILD)/.have-libbsd $(BUILD)/.have-check: | deps
bench-deps: | deps
endif
ifneq ($(filter bench-deps,$(MAKECMDGOALS)),)
bench: | bench-deps
endif

# ---- run and test --------------------------------------------------------

.PHONY: demo check check-asan check-tsan check-dist
demo: all ## serve on a private path, ping stream and datagram, stop
	@BUILD=$(BUILD) sh tests/demo.sh

check: all $(TESTER) $(RUNNER) $(PEERS_DIR)/epoll ## run all tests
	@BUILD=$(BUILD) $(TESTER)

# What each part says is shown when all have ended, one behind the other. A
# suite that is asked for is in one of them, and the others would be empty.
PARTS = $(if $(CK_RUN_SUITE),1,1 2)
.PHONY: check-parts
check-parts: all $(TESTER) $(RUNNER) $(PEERS_DIR)/epoll ## run all tests, two at a time
	@rm -f $(BUILD)/part-*; \
	for i in $(PARTS); do \
	    { BUILD=$(BUILD) TESTS_PART=$$i/$(words $(PARTS)) $(TESTER) \
		>$(BUILD)/part-$$i.log 2>&1; \
	      echo $$? >$(BUILD)/part-$$i.status; } & \
	done; wait; \
	cat $(BUILD)/part-*.log; \
	! grep -v '^0$$' $(BUILD)/part-*.status

SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=undefined

# What was freed is kept from use for a while; with the default of 256 MiB the
# tester grows so large that its thousands of forks take most of the time.
check-asan: ## run all tests under the address and undefined sanitizers
	ASAN_OPTIONS=quarantine_size_mb=4:$$ASAN_OPTIONS \
	    $(MAKE) BUILD=build-asan CFLAGS='-O1 -g -fno-omit-frame-pointer $(SANITIZE)' check-parts

# Suites that skip tests where a tool of dist-deps is not there.
DIST_SUITES = completions 'service units'

check-dist: all $(TESTER) ## run the tests of src/dist again, after dist-deps
	@set -e; for s in $(DIST_SUITES); do \
	    BUILD=$(BUILD) CK_RUN_SUITE="$$s" $(TESTER); done

# Any command, in a virtual machine: what this kernel cannot show. There the
# processor is emulated, so the tests take half an hour.
VM_RUN = uname -a

.PHONY: vm check-vm
check-vm: all $(TESTER) $(RUNNER) $(PEERS_DIR)/epoll ## run all tests on another kernel, after vm-deps (as root)
	BUILD=$(BUILD) CK_TIMEOUT_MULTIPLIER=5 tests/vm/boot.sh $(TESTER)

vm: all ## run VM_RUN="COMMAND" on another kernel, after vm-deps (as root)
	BUILD=$(BUILD) tests/vm/boot.sh sh -c '$(VM_RUN)'

# Those suites that use threads, or run a server that does: the sanitizer makes
# each of thousands of forks slow. Addresses are not randomized, since on many
# kernels it cannot place its shadow otherwise.
TSAN_SUITES = log ledger loop server "server rules" threads moves \
	"hostile passing" "hostile shortage" "uxecho threads" "uxecho fault" \
	"uxecho log"

check-tsan: ## run the tests that have threads under the thread sanitizer
	$(MAKE) BUILD=build-tsan CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=thread' all build-tsan/check_all
	for suite in $(TSAN_SUITES); do \
	    BUILD=build-tsan CK_RUN_SUITE="$$suite" \
	    setarch "$$(uname -m)" -R build-tsan/check_all || exit 1; \
	done

# ---- measure -------------------------------------------------------------

# What was found to be of interest stays below $(BUILD), and is where the next
# run starts; an input that fails is left in a file there, and named.
FUZZ_SECONDS ?= 20
FUZZ_SRC := $(sort $(wildcard tests/fuzz/*.c))
FUZZERS := $(FUZZ_SRC:tests/fuzz/%.c=$(BUILD)/fuzz/%)

$(BUILD)/fuzz/%: tests/fuzz/%.c $(LIB_SRC) $(HEADERS) | $(BUILD)/.have-libbsd
	@mkdir -p $(@D)
	clang $(UXS_CPPFLAGS) -std=c11 -g -O1 \
	    -fsanitize=fuzzer,address,undefined \
	    -fno-sanitize-recover=undefined -o $@ $< src/lib/$*.c

.PHONY: fuzz
fuzz: $(FUZZERS) ## give random input to what reads it, FUZZ_SECONDS=20 each
	@for fuzzer in $(FUZZERS); do \
	    name=$${fuzzer##*/}; \
	    mkdir -p $(BUILD)/fuzz/$$name.corpus; \
	    $$fuzzer -max_total_time=$(FUZZ_SECONDS) -verbosity=0 \
	        -print_final_stats=1 -max_len=512 \
	        -artifact_prefix=$(BUILD)/fuzz/$$name- \
	        $(BUILD)/fuzz/$$name.corpus tests/fuzz/$$name || exit 1; \
	done

# Figures, and no test: what they are depends on the machine.
$(BUILD)/bench_guard: $(BUILD)/tests/bench/guard.o
	$(LINK) -o $@ $^ $(LDLIBS)

$(BUILD)/bench_upgrade: $(BUILD)/tests/bench/upgrade.o
	$(LINK) -o $@ $^ $(LDLIBS)

$(BUILD)/bench_idle: $(patsubst %,$(BUILD)/tests/bench/%.o,idle ground client \
    quartiles usage)
	$(LINK) -o $@ $^ -lm $(LDLIBS)

.PHONY: bench-guard bench-upgrade bench-idle bench-idle-vm
bench-guard: all $(BUILD)/bench_guard ## what hostile clients cost the others (as root)
	$(BUILD)/bench_guard $(BUILD)/uxecho

bench-upgrade: all $(BUILD)/bench_upgrade ## 1,000 upgrades under load: nobody is refused
	$(BUILD)/bench_upgrade $(BUILD)/uxecho

# How many there can be here is for the limit of descriptors to say.
IDLE = 10000
IDLE_VM = 100000
IDLE_ROUNDS = 40

bench-idle: all $(BUILD)/bench_idle ## what IDLE=10000 silent connections cost
	$(BUILD)/bench_idle $(BUILD) $(IDLE) $(IDLE_ROUNDS)

bench-idle-vm: all $(BUILD)/bench_idle ## what IDLE_VM=100000 cost, after vm-deps (as root)
	BUILD=$(BUILD) tests/vm/boot.sh tests/vm/idle.sh $(IDLE_VM) $(IDLE_ROUNDS)

$(RUNNER): $(filter-out %/guard.o %/upgrade.o %/idle.o,$(BENCH_OBJ)) $(LIB)
	$(LINK) -o $@ $^ $(BSD_LIBS) -lm $(LDLIBS)

# The peers: those whose library is not here are not built, and the benchmark
# says that it leaves them out.
has-header = $(shell echo '\#include <$(1)>' | \
	$(CC) $(CPPFLAGS) -E -x c - >/dev/null 2>&1 && echo $(2))
PEERS = epoll dgram blocking threads $(call has-header,ev.h,libev) \
	$(call has-header,uv.h,libuv libuv_tuned) \
	$(call has-header,event2/event.h,libevent bufferevent) \
	$(shell command -v go >/dev/null && echo go)
PEER_LIBS_libev = -lev
PEER_LIBS_libuv = -luv
PEER_LIBS_libuv_tuned = -luv
PEER_LIBS_libevent = -levent
PEER_LIBS_bufferevent = -levent

$(PEERS_DIR)/go: tests/bench/peers/echo.go
	go build -o $@ $<

$(PEERS_DIR)/%: tests/bench/peers/%.c tests/bench/peers/peer.c \
    tests/bench/peers/peer.h
	@mkdir -p $(@D)
	$(CC) -D_GNU_SOURCE $(CPPFLAGS) -std=c11 -pthread $(WARNINGS) $(CFLAGS) \
	    $(LDFLAGS) -o $@ $< tests/bench/peers/peer.c $(PEER_LIBS_$*)

# Whole runs go where they are kept, parts of one do not.
BENCH_ARGS =
BENCH_OUT = $(if $(BENCH_ARGS),$(BUILD)/bench,tests/bench)

.PHONY: bench-deps bench bench-quick bench-peers
bench-deps: ## install the peers of the benchmark (Debian)
	@$(call install-packages,$(BENCH_PACKAGES))

# What is here is asked in a make of its own, when the packages have come.
bench-peers: ## build the peers whose libraries are here
	@$(MAKE) --no-print-directory $(addprefix $(PEERS_DIR)/,$(PEERS))

bench: all $(RUNNER) ## uxecho beside its peers: tests/bench/RESULTS.md (as root)
	@$(MAKE) -k bench-peers || echo "make: some peers are left out" >&2
	@mkdir -p $(BENCH_OUT)
	$(RUNNER) -b $(BUILD) -o $(BENCH_OUT) $(BENCH_ARGS)

bench-quick: ## the same in a minute, for a look: build/bench/RESULTS.md
	$(MAKE) bench BENCH_ARGS="-r 3 -d 200ms \
	    -w 'stream-16,stream-256,latency,dgram-16,start,memory-1000'"

# ---- gates ---------------------------------------------------------------

ALL_C := $(LIB_SRC) $(UXECHO_SRC) $(UXPING_SRC) $(DIST_SRC) $(TESTS_SRC) \
	$(BENCH_SRC) $(FUZZ_SRC)
# Those need what is not installed for the other gates.
EXAMPLES := $(sort $(wildcard tests/examples/*.c tests/examples/*.cc))
PEERS_C := $(sort $(wildcard tests/bench/peers/*.c))
# Those whose headers are here, and what they share.
LINTED_PEERS_C = $(filter $(PEERS:%=tests/bench/peers/%.c) %/peer.c,$(PEERS_C))
ALL_H := $(HEADERS) $(sort $(wildcard src/*/*.h src/dist/*/*.h tests/*.h \
	tests/bench/*.h tests/bench/peers/*.h))

.PHONY: lint lint-man lint-scripts format format-check
lint: lint-man lint-scripts | $(BUILD)/.have-libbsd ## clang-tidy, cppcheck, manuals, scripts
	printf '%s\n' $(ALL_C) $(LINTED_PEERS_C) | \
	    xargs -n 8 -P "$$(nproc)" sh -c \
	    '$(CLANG_TIDY) --quiet --warnings-as-errors="*" "$$@" -- -std=c11 \
		-D_GNU_SOURCE -DUXECHO_VERSION=\"\" -Iinclude -Isrc \
		$(BSD_CFLAGS) $(CHECK_CFLAGS)' clang-tidy
	cppcheck --quiet -j "$$(nproc)" --error-exitcode=1 --std=c11 --inline-suppr \
	    --enable=warning,performance,portability \
	    --suppress=missingInclude --suppress=missingIncludeSystem \
	    --library=gnu -D_GNU_SOURCE -DUXECHO_VERSION='""' -Iinclude -Isrc \
	    --include=/usr/include/bsd/sys/queue.h \
	    --include=/usr/include/bsd/sys/tree.h \
	    $(LIB_SRC) $(UXECHO_SRC) $(UXPING_SRC) $(DIST_SRC)

lint-man: ## mandoc -Tlint on every manual page
	mandoc -Tlint -W warning $(MANUALS)

lint-scripts: $(COMPLETIONS) ## shellcheck on every script
	shellcheck $(SCRIPTS)
	shellcheck --shell=bash $(filter %/bash/uxecho %/bash/uxping,$^)

format: ## rewrite the sources in the house's format
	$(CLANG_FORMAT) -i $(ALL_C) $(EXAMPLES) $(PEERS_C) $(ALL_H)

format-check: ## fail where the sources are not in that format
	$(CLANG_FORMAT) --dry-run --Werror $(ALL_C) $(EXAMPLES) $(PEERS_C) $(ALL_H)

# ---- install -------------------------------------------------------------

.PHONY: install uninstall
install: all ## install below $(DESTDIR)$(prefix)
	$(INSTALL) -d $(DESTDIR)$(sbindir) $(DESTDIR)$(bindir) \
	    $(DESTDIR)$(libdir) $(DESTDIR)$(pkgconfigdir) \
	    $(DESTDIR)$(includedir)/uxsrv \
	    $(sort $(foreach m,$(MANUALS),$(DESTDIR)$(mandir)/man$(subst .,,$(suffix $(m)))))
	$(INSTALL) -m 755 $(BUILD)/uxecho $(DESTDIR)$(sbindir)/uxecho
	$(INSTALL) -m 755 $(BUILD)/uxping $(DESTDIR)$(bindir)/uxping
	$(INSTALL) -m 644 $(LIB) $(DESTDIR)$(libdir)/libuxsrv.a
	$(INSTALL) -m 644 $(SHARED) $(DESTDIR)$(libdir)/$(notdir $(SHARED))
	ln -sf $(notdir $(SHARED)) $(DESTDIR)$(libdir)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(libdir)/libuxsrv.so
	sed -e 's|@VERSION@|$(VERSION)|' -e 's|@prefix@|$(prefix)|' \
	    -e 's|@libdir@|$(libdir)|' -e 's|@includedir@|$(includedir)|' \
	    src/dist/uxsrv.pc.in >$(DESTDIR)$(pkgconfigdir)/uxsrv.pc
	chmod 644 $(DESTDIR)$(pkgconfigdir)/uxsrv.pc
	$(INSTALL) -m 644 $(HEADERS) $(DESTDIR)$(includedir)/uxsrv
	for m in $(MANUALS); do \
	    $(INSTALL) -m 644 $$m $(DESTDIR)$(mandir)/man$${m##*.}/ || exit 1; \
	done
	for p in uxecho uxping; do \
	    $(INSTALL) -D -m 644 $(BUILD)/completions/bash/$$p \
		$(DESTDIR)$(bashcompdir)/$$p && \
	    $(INSTALL) -D -m 644 $(BUILD)/completions/zsh/$$p \
		$(DESTDIR)$(zshcompdir)/_$$p && \
	    $(INSTALL) -D -m 644 $(BUILD)/completions/fish/$$p \
		$(DESTDIR)$(fishcompdir)/$$p.fish || exit 1; \
	done
	$(INSTALL) -d $(DESTDIR)$(unitdir) $(DESTDIR)$(sysusersdir) \
	    $(DESTDIR)$(tmpfilesdir)
	for u in $(UNITS); do \
	    src/dist/systemd/fill $(sbindir) src/dist/systemd/$$u \
		>$(DESTDIR)$(unitdir)/$${u%.in} && \
	    chmod 644 $(DESTDIR)$(unitdir)/$${u%.in} || exit 1; \
	done
	$(INSTALL) -m 644 $(SOCKETS:%=src/dist/systemd/%) $(DESTDIR)$(unitdir)
	$(INSTALL) -m 644 src/dist/systemd/uxecho.sysusers \
	    $(DESTDIR)$(sysusersdir)/uxecho.conf
	$(INSTALL) -m 644 src/dist/systemd/uxecho.tmpfiles \
	    $(DESTDIR)$(tmpfilesdir)/uxecho.conf
	for e in $(MANAGERS); do \
	    m=644; ! test -x src/dist/$$e || m=755; \
	    $(INSTALL) -D -m $$m src/dist/$$e \
		$(DESTDIR)$(docdir)/examples/$$e || exit 1; \
	done

uninstall: ## remove what install put there
	$(RM) $(DESTDIR)$(sbindir)/uxecho $(DESTDIR)$(bindir)/uxping \
	    $(DESTDIR)$(libdir)/libuxsrv.a $(DESTDIR)$(libdir)/libuxsrv.so \
	    $(DESTDIR)$(libdir)/$(SONAME) \
	    $(DESTDIR)$(libdir)/$(notdir $(SHARED)) \
	    $(DESTDIR)$(pkgconfigdir)/uxsrv.pc
	$(RM) $(foreach h,$(HEADERS),$(DESTDIR)$(includedir)/uxsrv/$(notdir $(h)))
	$(RM) $(foreach m,$(MANUALS),$(DESTDIR)$(mandir)/man$(subst .,,$(suffix $(m)))/$(notdir $(m)))
	$(RM) $(foreach p,uxecho uxping,$(DESTDIR)$(bashcompdir)/$(p) \
	    $(DESTDIR)$(zshcompdir)/_$(p) $(DESTDIR)$(fishcompdir)/$(p).fish)
	$(RM) $(addprefix $(DESTDIR)$(unitdir)/,$(UNITS:.in=) $(SOCKETS)) \
	    $(DESTDIR)$(sysusersdir)/uxecho.conf \
	    $(DESTDIR)$(tmpfilesdir)/uxecho.conf \
	    $(addprefix $(DESTDIR)$(docdir)/examples/,$(MANAGERS))
	-rmdir $(sort $(dir $(addprefix $(DESTDIR)$(docdir)/examples/,\
	    $(MANAGERS)))) $(DESTDIR)$(docdir)/examples \
	    $(DESTDIR)$(docdir) 2>/dev/null
	-rmdir $(DESTDIR)$(includedir)/uxsrv 2>/dev/null

.PHONY: dist deb check-deb clean help
dist: ## make uxecho-VERSION.tar.gz from the last commit
	git archive --format=tar.gz --prefix=uxecho-$(VERSION)/ \
	    -o uxecho-$(VERSION).tar.gz HEAD

# What Debian's tools want to see at the top is put there in a copy. The tests
# are "make check", and not run again.
DEB = $(BUILD)/deb

deb: ## make Debian packages in build/deb, after dist-deps
	$(RM) -r $(DEB)
	mkdir -p $(DEB)/uxecho-$(VERSION)
	cp -R Makefile README.md LICENSE src include tests man \
	    $(DEB)/uxecho-$(VERSION)
	cp -R src/dist/debian $(DEB)/uxecho-$(VERSION)
	cd $(DEB)/uxecho-$(VERSION) && env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS \
	    DEB_BUILD_OPTIONS="nocheck $$DEB_BUILD_OPTIONS" \
	    dpkg-buildpackage -us -uc -b

check-deb: ## install, run and remove these packages (as root)
	lintian --fail-on error,warning $(DEB)/uxecho_$(VERSION)_*.changes
	sh tests/deb.sh $(DEB)

clean: ## remove what was built
	$(RM) -r build build-* uxecho-$(VERSION).tar.gz

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1: /p' Makefile | \
	    awk -F': ' '{ printf "%-14s %s\n", $$1, $$2 }'

-include $(LIB_OBJ:.o=.d) $(SHARED_OBJ:.o=.d) $(UXECHO_OBJ:.o=.d) $(UXPING_OBJ:.o=.d) \
	$(TESTS_OBJ:.o=.d) $(BENCH_OBJ:.o=.d) $(DIST_OBJ:.o=.d)
