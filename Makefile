# Satchel. `make help` lists the targets.
MAKEFLAGS += --no-builtin-rules
VERSION := 0.1.0
SOVERSION := 0

# One build directory for each way of building, so that they do not mix.
SANITIZE ?=
BUILD := build$(if $(SANITIZE),/sanitize-$(subst $() ,-,$(subst $(comma),-,$(SANITIZE))))
comma := ,

ifeq ($(origin CC),default)
CC := gcc
endif
PKG_CONFIG ?= pkg-config
PREFIX ?= /usr/local
DESTDIR ?=

VERIFY_PACKAGES := glib-2.0 gio-2.0 gio-unix-2.0 libsodium libcrypto jansson libarchive libcurl zlib
ALL_PACKAGES := $(VERIFY_PACKAGES) ostree-1

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wno-unused-parameter \
	-Wno-missing-field-initializers
HARDENING := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
OPTIMIZE ?= -O2 -g
SANITIZE_FLAGS := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all)

# The lowest time floor is the time of the build; a commit has one, so that builds are reproducible.
BUILT_S := $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null),$(shell date +%s))

PACKAGE_CFLAGS = $(shell $(PKG_CONFIG) --cflags $(ALL_PACKAGES))
PACKAGE_LIBS = $(shell $(PKG_CONFIG) --libs $(ALL_PACKAGES))
CPPFLAGS_ALL = -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DSATCHEL_VERSION='"$(VERSION)"' \
	-DGLIB_VERSION_MIN_REQUIRED=GLIB_VERSION_2_74 -DGLIB_VERSION_MAX_ALLOWED=GLIB_VERSION_2_74 \
	-DG_LOG_DOMAIN='"satchel"' -Iinclude $(CPPFLAGS)
CFLAGS_ALL = -std=gnu11 $(OPTIMIZE) $(WARNINGS) $(WERROR) $(HARDENING) $(SANITIZE_FLAGS) $(CFLAGS)
LDFLAGS_ALL = -pie -Wl,-z,relro,-z,now $(SANITIZE_FLAGS) $(LDFLAGS)

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out $(1)/main.c,$(wildcard $(1)/*.c)))
VERIFY_OBJECTS := $(call objects,verify)
BUNDLER_OBJECTS := $(call objects,bundler)
INSTALLER_OBJECTS := $(call objects,installer)
PROGRAMS := $(addprefix $(BUILD)/satchel-,$(patsubst %/main.c,%,$(wildcard bundler/main.c verify/main.c installer/main.c)))
UNIT_TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c))

.PHONY: all
all: $(PROGRAMS)

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(PACKAGE_CFLAGS) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# Only this file knows the time, so that a new commit does not rebuild all.
$(BUILD)/obj/verify/clock.o: CPPFLAGS_ALL += -DSATCHEL_BUILT_S=$(BUILT_S)

$(BUILD)/libsatchel.a: $(VERIFY_OBJECTS)
$(BUILD)/bundler.a: $(BUNDLER_OBJECTS)
$(BUILD)/installer.a: $(INSTALLER_OBJECTS)
$(BUILD)/%.a:
	@mkdir -p $(@D) && rm -f $@
	ar rcs $@ $^

$(BUILD)/satchel-verify: $(BUILD)/obj/verify/main.o $(BUILD)/libsatchel.a
$(BUILD)/satchel-bundler: $(BUILD)/obj/bundler/main.o $(BUILD)/bundler.a $(BUILD)/libsatchel.a
$(BUILD)/satchel-installer: $(BUILD)/obj/installer/main.o $(BUILD)/installer.a $(BUILD)/libsatchel.a
$(BUILD)/satchel-%:
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PACKAGE_LIBS)

$(BUILD)/tests/unit/%: $(BUILD)/obj/tests/unit/%.o $(BUILD)/bundler.a $(BUILD)/installer.a $(BUILD)/libsatchel.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $< $(BUILD)/bundler.a $(BUILD)/installer.a $(BUILD)/libsatchel.a $(PACKAGE_LIBS)

.PHONY: check-unit
check-unit: $(UNIT_TESTS)
	SATCHEL_FIXTURES=$(CURDIR)/fixtures prove --exec '' $(UNIT_TESTS)

.PHONY: clean
clean:
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
