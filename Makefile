# Satchel. `make help` lists the targets.
#
# Nothing but make, sh and apt-get may be needed to read this file: pkg-config and the compiler are
# asked only when something is built, because `make deps` is what brings them.
MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all

VERSION := 0.1.0
SOVERSION := 0

PREFIX ?= /usr/local
DESTDIR ?=
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/satchel
SCHEMADIR ?= $(PREFIX)/share/satchel/schemas
# Where udev and systemd look, for /usr and for /usr/local.
UDEVRULESDIR ?= $(PREFIX)/lib/udev/rules.d
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d

ifeq ($(origin CC),default)
CC := gcc
endif
PKG_CONFIG ?= pkg-config
OPTIMIZE ?= -O2 -g
SANITIZE ?=
FUZZ_S ?= 60
CUTS ?= 20

# One build directory for each set of sanitizers, so that a switch does not rebuild all.
comma := ,
BUILD := build$(if $(SANITIZE),/sanitize-$(subst $(comma),-,$(SANITIZE)))

# ---- flags

VERIFY_PACKAGES := glib-2.0 gio-2.0 gio-unix-2.0 libsodium libcrypto jansson libarchive libcurl zlib libdeflate libfyaml
ALL_PACKAGES := $(VERIFY_PACKAGES) ostree-1 sqlite3 libseccomp libudev mount
# Asked once, and only where a recipe needs the answer.
PACKAGE_CFLAGS = $(eval PACKAGE_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(ALL_PACKAGES)))$(PACKAGE_CFLAGS)
PACKAGE_LIBS = $(eval PACKAGE_LIBS := $(shell $(PKG_CONFIG) --libs $(ALL_PACKAGES)))$(PACKAGE_LIBS)
LIBRARY_LIBS = $(eval LIBRARY_LIBS := $(shell $(PKG_CONFIG) --libs $(VERIFY_PACKAGES)))$(LIBRARY_LIBS)

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wno-unused-parameter \
	-Wno-missing-field-initializers
HARDENING := -fstack-protector-strong -fstack-clash-protection -D_FORTIFY_SOURCE=2
SANITIZE_FLAGS := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all)

CPPFLAGS_ALL = -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DSATCHEL_VERSION='"$(VERSION)"' \
	-DGLIB_VERSION_MIN_REQUIRED=GLIB_VERSION_2_74 -DGLIB_VERSION_MAX_ALLOWED=GLIB_VERSION_2_74 \
	-DG_LOG_DOMAIN='"satchel"' -Iinclude $(CPPFLAGS)
CFLAGS_ALL = -std=gnu11 $(OPTIMIZE) $(WARNINGS) $(WERROR) $(HARDENING) -fvisibility=hidden \
	-ffunction-sections $(SANITIZE_FLAGS) $(CFLAGS)
LDFLAGS_ALL = -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITIZE_FLAGS) $(LDFLAGS)

# The lowest time floor is the time of the build; a commit has one, so that builds are reproducible.
BUILT_S = $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null),$(shell date +%s))

# ---- what there is

sources_of = $(filter-out $(1)/main.c,$(wildcard $(1)/*.c))
objects_of = $(patsubst %.c,$(BUILD)/obj/%.o,$(sources_of))
VERIFY_OBJECTS := $(call objects_of,verify)
BUNDLER_OBJECTS := $(call objects_of,bundler)
INSTALLER_OBJECTS := $(call objects_of,installer)
# The library for update agents is the installer without its command line.
DEVICE_OBJECTS := $(filter-out $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard \
	installer/cmd_*.c installer/command_*.c installer/report.c)),$(INSTALLER_OBJECTS))
PROGRAMS := $(patsubst %/main.c,$(BUILD)/satchel-%,$(wildcard bundler/main.c verify/main.c installer/main.c))
UNIT_TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c))
# A container engine and Compose take their time: their tests have a target of their own.
ENGINE_TESTS := $(wildcard tests/integration/test_apps*.py)
INTEGRATION_TESTS := $(filter-out $(ENGINE_TESTS),$(wildcard tests/integration/test_*))
FUZZERS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c))

SONAME := libsatchel.so.$(SOVERSION)
LIBRARY := $(BUILD)/libsatchel.so.$(VERSION)
DEVICE_SONAME := libsatchel-device.so.$(SOVERSION)
DEVICE_LIBRARY := $(BUILD)/libsatchel-device.so.$(VERSION)
ARCHIVES := $(BUILD)/bundler.a $(BUILD)/installer.a $(BUILD)/libsatchel.a

.PHONY: all
all: $(PROGRAMS) $(LIBRARY) $(DEVICE_LIBRARY) ## build the programs and the libraries

# ---- building

# One short line for each step; V=1 shows the whole command.
say = $(if $(V),,@printf '  %-4s %s\n' $(1) $(2);)

# Rewritten only where the content changed: other flags rebuild the objects, and a source that was
# added or taken away rebuilds the archives.
$(BUILD)/flags: STAMP = $(CC) $(CPPFLAGS_ALL) $(PACKAGE_CFLAGS) $(CFLAGS_ALL) $(LDFLAGS_ALL) $(PACKAGE_LIBS)
$(BUILD)/sources: STAMP = $(VERIFY_OBJECTS) $(BUNDLER_OBJECTS) $(INSTALLER_OBJECTS)
build/analyzed/flags: STAMP = $(CPPFLAGS_ALL) $(PACKAGE_CFLAGS) $(WARNINGS)
$(BUILD)/flags $(BUILD)/sources build/analyzed/flags: FORCE
	@$(shell mkdir -p $(@D))$(file >$@.new,$(STAMP))
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
.PHONY: FORCE
FORCE:

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CPPFLAGS_ALL) $(PACKAGE_CFLAGS) $(CFLAGS_ALL) $(POSITION) -MMD -MP -c -o $@ $<

# The libraries' objects serve the programs too, so they are compiled once.
POSITION = -fPIE
$(VERIFY_OBJECTS) $(DEVICE_OBJECTS): POSITION = -fPIC
# Only this file knows the time, so that a new commit does not rebuild all.
$(BUILD)/obj/verify/clock.o: CPPFLAGS_ALL += -DSATCHEL_BUILT_S=$(BUILT_S)

$(BUILD)/libsatchel.a: $(VERIFY_OBJECTS)
$(BUILD)/bundler.a: $(BUNDLER_OBJECTS)
$(BUILD)/installer.a: $(INSTALLER_OBJECTS)
$(ARCHIVES): $(BUILD)/sources
	@rm -f $@
	$(call say,AR,$@)ar rcs $@ $(filter %.o,$^)

$(BUILD)/satchel-verify: $(BUILD)/obj/verify/main.o $(BUILD)/libsatchel.a
$(BUILD)/satchel-bundler: $(BUILD)/obj/bundler/main.o $(BUILD)/bundler.a $(BUILD)/libsatchel.a
$(BUILD)/satchel-installer: $(BUILD)/obj/installer/main.o $(BUILD)/installer.a $(BUILD)/libsatchel.a
$(BUILD)/satchel-%:
	$(call say,LINK,$@)$(CC) -pie $(LDFLAGS_ALL) -o $@ $^ $(PACKAGE_LIBS)

# What the public headers do not export is dropped: the program's own files in verify/ among it.
$(LIBRARY): $(VERIFY_OBJECTS) $(BUILD)/sources
	$(call say,LINK,$@)$(CC) -shared -Wl,-soname,$(SONAME) $(if $(SANITIZE),,-Wl,-z,defs) -Wl,--gc-sections \
		$(LDFLAGS_ALL) -o $@ $(filter %.o,$^) $(LIBRARY_LIBS)

# Whole by itself: what libsatchel has is in here, because the device uses more of it than is public.
$(DEVICE_LIBRARY): $(DEVICE_OBJECTS) $(VERIFY_OBJECTS) $(BUILD)/sources
	$(call say,LINK,$@)$(CC) -shared -Wl,-soname,$(DEVICE_SONAME) $(if $(SANITIZE),,-Wl,-z,defs) \
		-Wl,--gc-sections $(LDFLAGS_ALL) -o $@ $(filter %.o,$^) $(PACKAGE_LIBS)

$(BUILD)/tests/unit/%: $(BUILD)/obj/tests/unit/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(CC) -pie $(LDFLAGS_ALL) -o $@ $^ $(PACKAGE_LIBS)

$(BUILD)/tests/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/libsatchel.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(CC) -pie $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $^ $(PACKAGE_LIBS)

-include $(shell find $(BUILD)/obj build/analyzed -name '*.d' 2>/dev/null)

# ---- what people call; each sees to its own set-up

# A make of its own, because the programs that deps brought were not there when this one began.
JOBS ?= $(shell nproc)
again = +@$(MAKE) --no-print-directory $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(JOBS))

.PHONY: deps
deps: ## install the Debian packages that are missing
	@sh .ci/deps

.PHONY: demo
demo: deps ## carry a real root file system to a device, and see bad bundles refused
	$(again) all
	@SATCHEL_BUILD='$(CURDIR)/$(BUILD)' tests/demo.sh

.PHONY: check
check: deps ## run all tests but those of check-apps
	$(again) check-all

.PHONY: check-apps
check-apps: deps ## run the tests with a real container engine
	$(again) check-engine

.PHONY: lint
lint: deps ## format, static analysis, layering, sizes, spelling
	@.ci/lint

# GCC's path-sensitive analysis, file by file; a file that passed is not looked at again. GCC 12 takes
# a g_autofree that was set to NULL for uninitialized behind a call; -Wmaybe-uninitialized does not.
ANALYZED := $(patsubst %.c,build/analyzed/%.o,$(wildcard verify/*.c bundler/*.c installer/*.c))
.PHONY: analyze
analyze: $(ANALYZED)
build/analyzed/%.o: %.c build/analyzed/flags
	@mkdir -p $(@D)
	$(call say,LOOK,$<)gcc $(CPPFLAGS_ALL) -DSATCHEL_BUILT_S=0 $(PACKAGE_CFLAGS) -std=gnu11 -O1 $(WARNINGS) \
		-Werror -fanalyzer -Wno-analyzer-use-of-uninitialized-value -MMD -MP -c -o $@ $<

TEST_ENVIRONMENT = SATCHEL_BUILD='$(CURDIR)/$(BUILD)' SATCHEL_FIXTURES='$(CURDIR)/fixtures' \
	SATCHEL_CC='$(CC) $(SANITIZE_FLAGS)' ASAN_OPTIONS=detect_stack_use_after_return=1 \
	TSAN_OPTIONS=halt_on_error=1 UBSAN_OPTIONS=print_stacktrace=1 PYTHONDONTWRITEBYTECODE=1 \
	$(if $(SANITIZE),G_SLICE=always-malloc)

# Long ones first, so that both processors stay busy to the end.
.PHONY: check-all
check-all: all $(UNIT_TESTS)
	@$(TEST_ENVIRONMENT) prove -j$(JOBS) --exec '' $(INTEGRATION_TESTS) $(UNIT_TESTS)

.PHONY: check-engine
check-engine: all
	@$(TEST_ENVIRONMENT) prove -j$(JOBS) --exec '' $(ENGINE_TESTS)

.PHONY: check-unit
check-unit: $(UNIT_TESTS) ## run the unit tests only
	@$(TEST_ENVIRONMENT) prove -j$(JOBS) --exec '' $(UNIT_TESTS)

.PHONY: check-integration
check-integration: all ## run the integration tests only
	@$(TEST_ENVIRONMENT) prove -j$(JOBS) --exec '' $(INTEGRATION_TESTS)

# Each virtual machine keeps one processor busy. The image is of several tests.
.PHONY: check-e2e
check-e2e: deps ## run the tests in a virtual machine
	$(again) all
	@$(TEST_ENVIRONMENT) tests/e2e/guest_image.py
	@$(TEST_ENVIRONMENT) prove -j$(JOBS) --timer --comments --exec '' $(sort $(wildcard tests/e2e/test_*.py))

.PHONY: powercut
powercut: deps ## pull the plug of a virtual machine CUTS times (20) in updates; SEED= for the same again
	$(again) all
	@$(TEST_ENVIRONMENT) tests/e2e/powercut.py --cuts '$(CUTS)' $(if $(SEED),--seed '$(SEED)')

.PHONY: powercut-oracle
powercut-oracle: deps ## judge every point of an installation at which the power could go
	$(again) all
	@$(TEST_ENVIRONMENT) tests/e2e/powercut_oracle.py

.PHONY: fuzz
fuzz: deps ## run each fuzzer for FUZZ_S seconds (60)
	$(again) CC=clang SANITIZE=fuzzer-no-link,address,undefined BUILD=build/fuzz fuzz-programs
	@FUZZ_S='$(FUZZ_S)' .ci/fuzz build/fuzz

.PHONY: fuzz-programs
fuzz-programs: $(FUZZERS)

.PHONY: mutate
mutate: deps ## change FILES in small ways, list the changes that no unit test notices
	@tests/support/mutate.py $(FILES)

.PHONY: coverage
coverage: deps ## line coverage of verify/ by the unit tests
	$(again) BUILD=build/coverage OPTIMIZE='-O0 -g --coverage' HARDENING= LDFLAGS=--coverage \
		build-tests
	@find build/coverage -name '*.gcda' -delete
	$(again) BUILD=build/coverage OPTIMIZE='-O0 -g --coverage' HARDENING= LDFLAGS=--coverage \
		check-unit
	@.ci/coverage build/coverage

.PHONY: build-tests
build-tests: $(UNIT_TESTS)

.PHONY: bench
bench: deps ## run the measurements in tests/bench
	$(again) all
	@rm -f $(BUILD)/measures
	@for bench in $(sort $(wildcard tests/bench/*.sh tests/bench/*.py)); do \
		echo "== $$bench"; SATCHEL_BUILD='$(CURDIR)/$(BUILD)' \
		SATCHEL_MEASURES='$(CURDIR)/$(BUILD)/measures' "$$bench" || exit 1; done
	@echo; tests/support/measures.py $(BUILD)/measures

# ---- installing

MANUALS := $(wildcard verify/*.[1-8] bundler/*.[1-8] installer/*.[1-8])
EXAMPLES := $(wildcard installer/*.toml)
SCHEMAS := $(wildcard schemas/*.json)
UDEVRULES := $(wildcard installer/*.rules)
UNITS := $(wildcard installer/*.service)
SYSUSERS := $(wildcard installer/*.sysusers)
define PKG_CONFIG_FILE
prefix=$(PREFIX)
libdir=$(LIBDIR)
includedir=$(INCLUDEDIR)

Name: satchel
Description: Reading and judging signed offline update bundles
Version: $(VERSION)
Requires: glib-2.0 gio-2.0
Cflags: -I$${includedir}
Libs: -L$${libdir} -lsatchel
endef

define DEVICE_PKG_CONFIG_FILE
prefix=$(PREFIX)
libdir=$(LIBDIR)
includedir=$(INCLUDEDIR)

Name: satchel-device
Description: Updating a device from signed offline update bundles; holds all of satchel
Version: $(VERSION)
Requires: glib-2.0 gio-2.0
Cflags: -I$${includedir}
Libs: -L$${libdir} -lsatchel-device
endef

# Through the environment, so that two installations at once share no file.
export PKG_CONFIG_FILE DEVICE_PKG_CONFIG_FILE

.PHONY: install
install: all ## install below DESTDIR and PREFIX (/usr/local)
	install -d $(addprefix $(DESTDIR),$(BINDIR) $(LIBDIR)/pkgconfig $(INCLUDEDIR)/satchel $(DOCDIR)/examples $(SCHEMADIR))
	install -m 755 $(PROGRAMS) $(DESTDIR)$(BINDIR)
	install -m 755 $(LIBRARY) $(DEVICE_LIBRARY) $(DESTDIR)$(LIBDIR)
	ln -sf $(notdir $(LIBRARY)) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libsatchel.so
	ln -sf $(notdir $(DEVICE_LIBRARY)) $(DESTDIR)$(LIBDIR)/$(DEVICE_SONAME)
	ln -sf $(DEVICE_SONAME) $(DESTDIR)$(LIBDIR)/libsatchel-device.so
	install -m 644 $(wildcard include/satchel/*.h) $(DESTDIR)$(INCLUDEDIR)/satchel
	@printf '%s\n' "$$PKG_CONFIG_FILE" >$(DESTDIR)$(LIBDIR)/pkgconfig/satchel.pc
	@printf '%s\n' "$$DEVICE_PKG_CONFIG_FILE" >$(DESTDIR)$(LIBDIR)/pkgconfig/satchel-device.pc
	for page in $(MANUALS); do install -D -m 644 -t $(DESTDIR)$(MANDIR)/man$${page##*.} "$$page" || exit 1; done
	install -m 644 $(SCHEMAS) $(DESTDIR)$(SCHEMADIR)
	$(if $(EXAMPLES),install -m 644 $(EXAMPLES) $(DESTDIR)$(DOCDIR)/examples)
	install -D -m 644 -t $(DESTDIR)$(UDEVRULESDIR) $(UDEVRULES)
	install -d $(DESTDIR)$(UNITDIR)
	for unit in $(notdir $(UNITS)); do sed 's|@BINDIR@|$(BINDIR)|' "installer/$$unit" >"$(DESTDIR)$(UNITDIR)/$$unit" || exit 1; done
	for users in $(notdir $(SYSUSERS:.sysusers=)); do \
		install -D -m 644 "installer/$$users.sysusers" "$(DESTDIR)$(SYSUSERSDIR)/$$users.conf" || exit 1; done
	$(if $(DESTDIR)$(filter-out /usr /usr/local,$(PREFIX)),,-ldconfig)

.PHONY: uninstall
uninstall: ## take away what install put there
	rm -f $(addprefix $(DESTDIR)$(BINDIR)/,$(notdir $(PROGRAMS)))
	rm -f $(addprefix $(DESTDIR)$(LIBDIR)/,$(notdir $(LIBRARY)) $(SONAME) libsatchel.so pkgconfig/satchel.pc \
		$(notdir $(DEVICE_LIBRARY)) $(DEVICE_SONAME) libsatchel-device.so pkgconfig/satchel-device.pc)
	rm -f $(addprefix $(DESTDIR)$(INCLUDEDIR)/,$(patsubst include/%,%,$(wildcard include/satchel/*.h)))
	rm -f $(foreach page,$(MANUALS),$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(page)))/$(notdir $(page)))
	rm -f $(addprefix $(DESTDIR)$(DOCDIR)/examples/,$(notdir $(EXAMPLES)))
	rm -f $(addprefix $(DESTDIR)$(SCHEMADIR)/,$(notdir $(SCHEMAS)))
	rm -f $(addprefix $(DESTDIR)$(UDEVRULESDIR)/,$(notdir $(UDEVRULES)))
	rm -f $(addprefix $(DESTDIR)$(UNITDIR)/,$(notdir $(UNITS)))
	rm -f $(addprefix $(DESTDIR)$(SYSUSERSDIR)/,$(notdir $(SYSUSERS:.sysusers=.conf)))
	-rmdir $(addprefix $(DESTDIR),$(INCLUDEDIR)/satchel $(DOCDIR)/examples $(DOCDIR) $(SCHEMADIR) $(dir $(SCHEMADIR)))

.PHONY: clean
clean: ## remove build/
	rm -rf build

.PHONY: help
help: ## show this list
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name what; do \
		printf '  %-18s %s\n' "$$name" "$$what"; done
	@echo 'Variables: CC=clang  SANITIZE=address,undefined  WERROR=-Werror  V=1  PREFIX=  DESTDIR=  FUZZ_S=  CUTS=  SEED='
