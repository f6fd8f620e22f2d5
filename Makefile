# Brume: build, demonstrate, check, install. `make help` lists what there is.
#
# Variables that packagers set: CC, OPTIMIZATIONS, CFLAGS, LDFLAGS, PREFIX, DESTDIR, LV2DIR, BUILD, JOBS, MPI, MPICC.

CC            ?= cc
OPTIMIZATIONS ?= -O3 -fno-math-errno -fno-trapping-math
PREFIX        ?= /usr/local
LV2DIR        ?= $(PREFIX)/lib/lv2
BUILD         ?= build
SANITIZE      ?=
# The command that makes parts of what is built: sanitized builds take an ordinary one, which is ten
# times as fast.
BUILDER       ?= $(BUILD)/brume
JOBS          ?= $(shell nproc)
VERSION       := 0.1.0

# What Debian calls the things that Brume is built with and tested with.
PACKAGES := gcc make pkg-config libc6-dev lv2-dev libfftw3-dev libsndfile1-dev libopenblas-openmp-dev \
            libsoxr-dev libjansson-dev libcairo2-dev libx11-dev liblilv-dev libcmocka-dev lilv-utils \
            python3 python3-numpy python3-scipy python3-soundfile

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion
# -ffp-contract=off: a sum is the same to the bit in the plugin, the command and the tests.
LANGUAGE := -std=gnu11 -ffp-contract=off -fvisibility=hidden -fPIC -pthread -I. -DBRUME_VERSION='"$(VERSION)"'

PKG_CONFIG ?= pkg-config
ARCH_LIB   := $(shell $(CC) -print-multiarch 2>/dev/null)
# FFTW's planner and OpenBLAS's settings are global to a process. The static archives are linked in
# and hidden, so that no host and no other plugin shares them. Of Debian's three builds of OpenBLAS
# the serial one mixes up the buffers of threads that call it at once, and the pthread one starts a
# pool when it is loaded; OpenMP's does neither (models/matrix.c keeps it to the calling thread).
STATIC_DIR := /usr/lib/$(ARCH_LIB)
BLAS_CFLAGS := -I/usr/include/$(ARCH_LIB)/openblas-openmp
BLAS_LIBS   := $(STATIC_DIR)/openblas-openmp/libopenblas.a -lgomp
FFTW_LIBS   := $(STATIC_DIR)/libfftw3f.a
PKGS        := soxr jansson
PKG_CFLAGS  := $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null)
CORE_LIBS    = $(BLAS_LIBS) $(FFTW_LIBS) $(shell $(PKG_CONFIG) --libs $(PKGS)) -lm -pthread

ALL_CFLAGS = $(LANGUAGE) $(WARNINGS) $(OPTIMIZATIONS) $(SANITIZE) $(BLAS_CFLAGS) $(PKG_CFLAGS) -MMD -MP $(CFLAGS)
# Half of what a small program takes is to link OpenBLAS into it, half as long with gold.
QUICK_LINK := $(if $(shell command -v ld.gold),-fuse-ld=gold)
ALL_LDFLAGS = $(SANITIZE) -Wl,--gc-sections -Wl,--exclude-libs,ALL -Wl,-z,noexecstack $(LDFLAGS)

CORE_SOURCES := $(wildcard dsp/*.c models/*.c)
CORE_OBJECTS := $(CORE_SOURCES:%.c=$(BUILD)/%.o)
CLI_SOURCES  := $(wildcard cli/*.c)
CLI_OBJECTS  := $(CLI_SOURCES:%.c=$(BUILD)/%.o)
CLI_PKGS     := sndfile cairo
# MPI=1: training by several processes. Of two objects one says how they meet; MPI is in no other, and
# in nothing but the command. What was linked before is linked again when the choice changes.
MPICC        ?= mpicc
MPI_PACKAGES := libopenmpi-dev openmpi-bin
RANKS        := $(if $(filter 1,$(MPI)),mpi,alone)
CLI_LINK_mpi   = OMPI_CC="$(CC)" MPICH_CC="$(CC)" $(MPICC)
CLI_LINK_alone = $(CC)
PLUGIN_SOURCES := $(wildcard plugin/*.c)
PLUGIN_OBJECTS := $(PLUGIN_SOURCES:%.c=$(BUILD)/%.o)
BUNDLE         := $(BUILD)/brume.lv2
WEIGHTS        := $(wildcard models/weights/*.safetensors)
BUNDLE_MODELS  := $(WEIGHTS:models/weights/%=$(BUNDLE)/models/%)
# The layers once more in double precision: finite differences need the digits.
DOUBLE_SOURCES := dsp/error.c dsp/random.c $(addprefix models/,attention.c categories.c denoiser.c grid.c layers.c \
                  matrix.c note_model.c note_pass.c note_tokens.c parameters.c \
                  gru.c logistic_mixture.c predictor_convolution.c predictor_heads.c predictor_net.c \
                  predictor_recurrent.c refiner.c)
DOUBLE_OBJECTS := $(DOUBLE_SOURCES:%.c=$(BUILD)/double/%.o)
TEST_SOURCES := $(wildcard tests/unit/test_*.c)
TEST_BINARIES := $(TEST_SOURCES:%.c=$(BUILD)/%)
DOUBLE_TEST_SOURCES := $(wildcard tests/unit/double/test_*.c)
DOUBLE_TEST_BINARIES := $(DOUBLE_TEST_SOURCES:%.c=$(BUILD)/%)

# Programs that play the plugin in a host of our own, with a bundle whose model is tiny.
HOST_SOURCES  := $(wildcard tests/host/test_*.c)
HOST_BINARIES := $(HOST_SOURCES:%.c=$(BUILD)/%)
HOST_PKGS     := lilv-0 sndfile
TINY_BUNDLE   := $(BUILD)/tests/host/tiny/brume.lv2/manifest.ttl

# Targets for libFuzzer. Linked with replay.c they need no clang, and read the corpus again.
FUZZ_SOURCES  := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_BINARIES := $(FUZZ_SOURCES:%.c=$(BUILD)/%)
FUZZ_ENGINE   ?= tests/fuzz/replay.c
FUZZ_PARTS    := $(addprefix tests/fuzz/,memory_file.c memory_file.h instance.c instance.h fuzz.h)
FUZZ_SECONDS  ?= 600

# Recordings by class, those of tonal instruments apart, recordings of tunes (models/melody_renders.py
# --split heldout), and the referees: what `make gallery` and `make compare` need.
SOUNDS  ?= ../shared/data/textures
TONES   ?=
TUNES   ?=
MEASURE ?= ../shared/measure

.PHONY: all deps demo check programs test exact soak sanitize asan tsan asan-test tsan-test coverage lint fuzz \
        fuzz-targets bench ranks gallery compare docs install install-user uninstall clean help FORCE
.DELETE_ON_ERROR:

all: $(BUILD)/brume $(BUNDLE)/brume.so $(BUNDLE)/manifest.ttl $(BUNDLE_MODELS)

help:
	@echo "make demo          install what is missing, build, render the demonstrations into demo/"
	@echo "make check         install what is missing, build, run every test"
	@echo "make               build build/brume and build/brume.lv2"
	@echo "make MPI=1         the same, and build/brume trains on several machines (mpirun; needs $(MPI_PACKAGES))"
	@echo "make exact         play the same sound in some hundred ways and count what differs (ten minutes), write"
	@echo "                   tests/bench/EXACT.md"
	@echo "make bench         measure beside onnxruntime and torch (a quarter of an hour), write tests/bench/RESULTS.md"
	@echo "make ranks         measure training by two processes (five minutes), write tests/bench/RANKS.md"
	@echo "make gallery SOUNDS= TONES= MEASURE=   measure the texture model on these recordings (a quarter of an"
	@echo "                   hour when it is new), draw it, and write both into README.md and its card"
	@echo "make compare SOUNDS= TUNES= MEASURE=   measure both families of model side by side, print the table and"
	@echo "                   write it into README.md (half an hour)"
	@echo "make docs          write the table of tensors into docs/MODELS.md"
	@echo "make soak SOAK=\"--hours 8 --minutes 30\"   a long night, freewheeling and then in real time, at random: what"
	@echo "                   must be 0 and what was done, as tables (--seed N repeats one, --tell says what is done)"
	@echo "make sanitize      the tests under ASan with UBSan (make asan) and TSan (make tsan); QUICK=1 those of seconds"
	@echo "make coverage      which lines of dsp/, models/ and plugin/ the tests run"
	@echo "make lint          clang-tidy and cppcheck on all that ships"
	@echo "make fuzz FUZZ_SECONDS=600   give hostile files and events to every reader, each for so long"
	@echo "make install PREFIX=/usr/local DESTDIR= LV2DIR=PREFIX/lib/lv2,  make install-user"

deps:
	@sh tests/deps.sh $(PACKAGES) $(if $(filter mpi,$(RANKS)),$(MPI_PACKAGES))

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/cli/%.o: cli/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(shell $(PKG_CONFIG) --cflags $(CLI_PKGS)) -c -o $@ $<

$(BUILD)/libbrume.a: $(CORE_OBJECTS)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/cli/ranks/mpi.o: cli/ranks/mpi.c
	@mkdir -p $(@D)
	$(CLI_LINK_mpi) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/cli/ranks/choice: FORCE
	@mkdir -p $(@D)
	@echo $(RANKS) | cmp -s - $@ || echo $(RANKS) >$@

$(BUILD)/brume: $(CLI_OBJECTS) $(BUILD)/cli/ranks/$(RANKS).o $(BUILD)/libbrume.a $(BUILD)/cli/ranks/choice
	$(CLI_LINK_$(RANKS)) $(ALL_LDFLAGS) -o $@ $(filter %.o %.a,$^) $(shell $(PKG_CONFIG) --libs $(CLI_PKGS)) $(CORE_LIBS)

# The command with MPI whatever the choice, for tests/cli/test_train_mpi.sh.
$(BUILD)/tests/cli/brume-mpi: $(CLI_OBJECTS) $(BUILD)/cli/ranks/mpi.o $(BUILD)/libbrume.a
	@mkdir -p $(@D)
	$(CLI_LINK_mpi) $(ALL_LDFLAGS) -o $@ $^ $(shell $(PKG_CONFIG) --libs $(CLI_PKGS)) $(CORE_LIBS)

$(BUILD)/plugin/%.o: plugin/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(shell $(PKG_CONFIG) --cflags lv2) -c -o $@ $<

# nodelete: what FFTW's planner has learnt stays with the process, not lost at each unloading.
$(BUNDLE)/brume.so: $(PLUGIN_OBJECTS) $(BUILD)/libbrume.a
	@mkdir -p $(@D)
	$(CC) -shared $(ALL_LDFLAGS) -Wl,-z,defs -Wl,-z,nodelete -o $@ $^ $(CORE_LIBS)

# The manifest stands for all that ttl/build.sh writes.
$(BUNDLE)/manifest.ttl: ttl/build.sh $(wildcard ttl/*.in presets/*.in) $(BUILDER) \
                        models/weights/texture.safetensors
	sh ttl/build.sh $(BUILDER) models/weights/texture.safetensors $(BUNDLE)

$(BUNDLE)/models/%: models/weights/%
	@mkdir -p $(@D)
	cp $< $@

$(BUILD)/double/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -DBRUME_DOUBLE -c -o $@ $<

$(BUILD)/libbrume-double.a: $(DOUBLE_OBJECTS)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/tests/unit/double/test_%: tests/unit/double/test_%.c $(BUILD)/libbrume-double.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -DBRUME_DOUBLE $(ALL_LDFLAGS) $(QUICK_LINK) -o $@ $< $(BUILD)/libbrume-double.a -lcmocka $(CORE_LIBS)

# An archive, so that a test gets those parts of the plugin that it uses.
$(BUILD)/libplugin.a: $(PLUGIN_OBJECTS)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/tests/unit/test_%: tests/unit/test_%.c $(BUILD)/libplugin.a $(BUILD)/libbrume.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(QUICK_LINK) -o $@ $< $(BUILD)/libplugin.a $(BUILD)/libbrume.a -lcmocka $(CORE_LIBS)

# Copies of the archives whose allocations and threads can be made to fail (tests/faults/allocations.h).
FAULT_SYMBOLS := malloc calloc realloc aligned_alloc posix_memalign strdup strndup free mmap munmap pthread_create
$(BUILD)/tests/faults/%.a: $(BUILD)/%.a
	@mkdir -p $(@D)
	objcopy $(foreach symbol,$(FAULT_SYMBOLS),--redefine-sym $(symbol)=fault_$(symbol)) $< $@

FAULT_ARCHIVES := $(BUILD)/tests/faults/libplugin.a $(BUILD)/tests/faults/libbrume.a
$(BUILD)/tests/unit/test_faults: tests/unit/test_faults.c tests/faults/allocations.c tests/faults/allocations.h \
        $(FAULT_ARCHIVES)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(QUICK_LINK) -o $@ $< tests/faults/allocations.c $(FAULT_ARCHIVES) -lcmocka $(CORE_LIBS)

$(BUILD)/tests/host/test_exact $(BUILD)/tests/host/test_place: tests/host/takes.c tests/host/takes.h
$(BUILD)/tests/host/%: tests/host/%.c tests/host/host.c tests/host/host.h $(BUILD)/plugin/ports.o
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(shell $(PKG_CONFIG) --cflags $(HOST_PKGS)) $(SANITIZE) $(LDFLAGS) -o $@ $(filter %.c,$^) \
	    $(BUILD)/plugin/ports.o -lcmocka $(shell $(PKG_CONFIG) --libs $(HOST_PKGS)) -lm -pthread

# A host that watches what is done on the audio thread, by having symbols that come before libc's.
NIGHT_SOURCES := $(addprefix tests/host/,host.c guard.c night.c night_play.c night_acts.c night_print.c)
$(BUILD)/tests/host/soak $(BUILD)/tests/host/test_soak: $(BUILD)/tests/host/%: tests/host/%.c $(NIGHT_SOURCES) \
        $(wildcard tests/host/*.h) $(BUILD)/plugin/ports.o
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(shell $(PKG_CONFIG) --cflags $(HOST_PKGS)) $(SANITIZE) $(LDFLAGS) -rdynamic -o $@ $< \
	    $(NIGHT_SOURCES) $(BUILD)/plugin/ports.o -lcmocka $(shell $(PKG_CONFIG) --libs $(HOST_PKGS)) -lm -pthread

$(TINY_BUNDLE): tests/host/tiny.sh tests/cli/tunes.py $(BUILDER) $(BUNDLE)/manifest.ttl
	sh tests/host/tiny.sh $(BUILDER) $(BUILD)

# A target gets the parts that it uses.
$(BUILD)/tests/fuzz/fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/replay.c $(FUZZ_PARTS) $(BUILD)/cli/soundfile.o \
        $(BUILD)/cli/sound_reader.o $(BUILD)/cli/ogg.o $(BUILD)/cli/output.o $(BUILD)/libplugin.a $(BUILD)/libbrume.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(shell $(PKG_CONFIG) --cflags lv2 sndfile) $(ALL_LDFLAGS) $(FUZZ_ENGINE) -o $@ $< \
	    $(filter %.c,$(FUZZ_PARTS)) $(filter %.o %.a,$^) $(shell $(PKG_CONFIG) --libs sndfile) $(CORE_LIBS)

fuzz-targets: $(FUZZ_BINARIES)

FUZZ_SANITIZERS := -fsanitize=fuzzer-no-link,address,undefined,float-cast-overflow -fno-sanitize-recover=all
fuzz:
	@sh tests/deps.sh $(PACKAGES) clang libclang-rt-14-dev
	@$(MAKE) --no-print-directory -j$(JOBS) fuzz-targets BUILD=build/fuzz CC=clang OPTIMIZATIONS="-O1 -g" \
	    SANITIZE="$(FUZZ_SANITIZERS) -fno-omit-frame-pointer" FUZZ_ENGINE=-fsanitize=fuzzer
	@BUILD=build/fuzz FUZZ_SECONDS=$(FUZZ_SECONDS) sh tests/fuzz/run.sh

lint:
	@sh tests/deps.sh $(PACKAGES) $(MPI_PACKAGES) clang-tidy cppcheck
	@JOBS=$(JOBS) sh tests/lint.sh $(LANGUAGE:-DBRUME_VERSION=%=-DBRUME_VERSION=0) $(BLAS_CFLAGS) \
	    $(shell $(PKG_CONFIG) --cflags $(PKGS) lv2 $(CLI_PKGS)) $$($(MPICC) --showme:compile)

MPI_BINARIES := $(if $(shell command -v $(MPICC)),$(BUILD)/tests/cli/brume-mpi)
programs: all $(MPI_BINARIES) $(BUILD)/tests/format/odd_models $(HOST_BINARIES) $(TINY_BUNDLE) $(TEST_BINARIES) \
          $(DOUBLE_TEST_BINARIES) $(FUZZ_BINARIES)

test: programs
	@BUILD=$(BUILD) JOBS=$(JOBS) sh tests/run.sh

check: deps
	@$(MAKE) --no-print-directory -j$(JOBS) test

# The command and the plugin as processors with less to offer would run them (tests/exact/processor.c).
EXACT_PROCESSORS := avx512 avx2 ssse3 sse2
EXACT_LEVEL_avx512 := 4
EXACT_LEVEL_avx2   := 3
EXACT_LEVEL_ssse3  := 2
EXACT_LEVEL_sse2   := 1
EXACT_SYMBOLS := model features2 indicator_init
$(BUILD)/tests/exact/lib%.a: $(BUILD)/lib%.a
	@mkdir -p $(@D)
	objcopy $(foreach symbol,$(EXACT_SYMBOLS),--redefine-sym __cpu_$(symbol)=exact_cpu_$(symbol)) $< $@

# One object, since what lies in an archive is hidden.
$(BUILD)/tests/exact/plugin.o: $(BUILD)/tests/exact/libplugin.a
	$(LD) -r -o $@ --whole-archive $<

$(BUILD)/tests/exact/%/processor.o: tests/exact/processor.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -DLEVEL=$(EXACT_LEVEL_$*) -c -o $@ $<

$(BUILD)/tests/exact/%/brume: $(BUILD)/tests/exact/%/processor.o $(CLI_OBJECTS) $(BUILD)/cli/ranks/alone.o \
        $(BUILD)/tests/exact/libbrume.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(shell $(PKG_CONFIG) --libs $(CLI_PKGS)) $(CORE_LIBS)

# Bundles are the usual ones, but for the binary.
$(BUILD)/tests/exact/%/brume.lv2/brume.so: $(BUILD)/tests/exact/%/processor.o $(BUILD)/tests/exact/plugin.o \
        $(BUILD)/tests/exact/libbrume.a $(TINY_BUNDLE)
	@mkdir -p $(@D) $(@D)/../tiny.lv2
	$(CC) -shared $(ALL_LDFLAGS) -Wl,-z,defs -Wl,-z,nodelete -o $@ $(filter %.o %.a,$^) $(CORE_LIBS)
	ln -sfn $(abspath $(BUNDLE))/*.ttl $(abspath $(BUNDLE))/presets $(abspath $(BUNDLE))/models $(@D)
	ln -sfn $(abspath $(BUNDLE))/*.ttl $(abspath $(BUNDLE))/presets $(abspath $(dir $(TINY_BUNDLE)))/models \
	    $(abspath $(@D))/brume.so $(@D)/../tiny.lv2

EXACT_PROGRAMS := $(foreach processor,$(EXACT_PROCESSORS),$(addprefix $(BUILD)/tests/exact/$(processor)/,brume brume.lv2/brume.so))
.SECONDARY: $(EXACT_PROCESSORS:%=$(BUILD)/tests/exact/%/processor.o)
exact: deps
	@$(MAKE) --no-print-directory -j$(JOBS) all $(EXACT_PROGRAMS) $(BUILD)/tests/host/test_exact
	@BUILD=$(BUILD) sh tests/exact/run.sh

# Every test under AddressSanitizer with UBSan, those that have threads under ThreadSanitizer; several at
# once, since none of them measures time there. SKIP="host-test_live ..." leaves some out; QUICK=1 what
# takes minutes: all that runs the command, and most of what plays the plugin.
sanitize:
	@$(MAKE) --no-print-directory asan
	@$(MAKE) --no-print-directory tsan

SANITIZE_asan := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
SANITIZE_tsan := -fsanitize=thread
asan tsan: deps
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@$(MAKE) --no-print-directory -j$(JOBS) $@-test BUILD=build/$@ BUILDER=$(BUILD)/brume OPTIMIZATIONS="-O1 -g" \
	    LDFLAGS="$(QUICK_LINK)" SANITIZE="$(SANITIZE_$@)"

test_names = $(subst /,-,$(1:$(BUILD)/tests/%=%))
SLOW_UNITS   := $(addprefix $(BUILD)/tests/unit/test_,faults killed texture_trainer)
QUICK_ASAN   := $(filter-out $(SLOW_UNITS),$(TEST_BINARIES)) $(DOUBLE_TEST_BINARIES)
asan-test: $(if $(QUICK),$(QUICK_ASAN),programs)
	@BUILD=$(BUILD) JOBS=$(JOBS) ALONE=none SKIP="$(SKIP)" TESTS="$(if $(QUICK),$(call test_names,$(QUICK_ASAN)))" \
	    sh tests/run.sh

QUICK_HOSTS  := $(addprefix $(BUILD)/tests/host/test_,blocks starved threads)
THREAD_TESTS := $(if $(QUICK),$(QUICK_HOSTS),$(HOST_BINARIES)) \
                $(addprefix $(BUILD)/tests/unit/test_,lanes playback ring shared_model team)
tsan-test: all $(TINY_BUNDLE) $(THREAD_TESTS)
	@BUILD=$(BUILD) JOBS=$(JOBS) ALONE=none SKIP="$(SKIP)" TESTS="$(call test_names,$(THREAD_TESTS))" sh tests/run.sh

# Lines of dsp/, models/ and plugin/ that the tests run, as gcov counts them.
coverage:
	@sh tests/deps.sh $(PACKAGES) gcovr
	@$(MAKE) --no-print-directory -j$(JOBS) programs BUILD=build/coverage OPTIMIZATIONS="-O1 -g" \
	    LDFLAGS="$(QUICK_LINK)" SANITIZE=--coverage
	@find build/coverage -name '*.gcda' -delete
	@BUILD=build/coverage JOBS=$(JOBS) SKIP="$(SKIP)" sh tests/run.sh
	@gcovr --root . --object-directory build/coverage --filter dsp/ --filter models/ --filter plugin/ \
	    --gcov-ignore-parse-errors --sort-percentage --fail-under-line 85 build/coverage

demo: deps
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@BUILD=$(BUILD) sh tests/demo.sh

# Long nights (eight and a half hours of sound, an hour and a half of the clock): tests/bench/SOAK.md.
SOAK ?= --hours 8 --minutes 30
soak: deps
	@$(MAKE) --no-print-directory -j$(JOBS) all $(BUILD)/tests/host/soak $(TINY_BUNDLE)
	@BUILD=$(BUILD) $(BUILD)/tests/host/soak $(SOAK)

# What Brume is compared with is installed where that can be done, and left out where it can't.
bench:
	@sh tests/deps.sh $(PACKAGES) valgrind
	@sh tests/bench/peers/install.sh $(BUILD)
	@$(MAKE) --no-print-directory -j$(JOBS) all $(BUILD)/tests/bench/bench $(BUILD)/tests/bench/steady.so \
	    $(BUILD)/tests/bench/predictor/predictor $(addprefix $(BUILD)/tests/host/,load runs many)
	@BUILD=$(BUILD) sh tests/bench/run.sh

# Preloaded where instructions are counted.
$(BUILD)/tests/bench/steady.so: tests/bench/instructions/steady.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -fvisibility=default -shared $(ALL_LDFLAGS) -o $@ $< $(shell $(PKG_CONFIG) --libs jansson)

# Training by several processes: tests/bench/RANKS.md.
ranks:
	@sh tests/deps.sh $(PACKAGES) $(MPI_PACKAGES)
	@$(MAKE) --no-print-directory -j$(JOBS) $(BUILD)/tests/cli/brume-mpi
	@/usr/bin/python3 tests/bench/ranks.py $(BUILD) --write tests/bench/RANKS.md

$(BUILD)/tests/bench/bench: $(wildcard tests/bench/*.c) $(BUILD)/libbrume.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(wildcard tests/bench/*.c) $(BUILD)/libbrume.a $(CORE_LIBS)

GALLERY_SOUNDS := $(foreach folder,$(SOUNDS) $(TONES),--sounds $(folder))
gallery:
	@sh tests/deps.sh $(PACKAGES) python3-matplotlib
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@BUILD=$(BUILD) /usr/bin/python3 tests/quality/gallery.py models/weights/texture.safetensors \
	    $(GALLERY_SOUNDS) --measure $(MEASURE)

compare:
	@sh tests/deps.sh $(PACKAGES) python3-matplotlib
	@$(MAKE) --no-print-directory -j$(JOBS) all $(BUILD)/tests/bench/bench
	@BUILD=$(BUILD) /usr/bin/python3 tests/quality/compare.py --sounds $(SOUNDS) --tunes "$(TUNES)" \
	    --measure $(MEASURE) --readme README.md --picture tests/bench/families.png

# Figures of the sample tier, on recordings that are given to it.
PREDICTOR_BENCH := $(wildcard tests/bench/predictor/*.c) tests/bench/anchor_d.c
$(BUILD)/tests/bench/predictor/predictor: $(PREDICTOR_BENCH) $(BUILD)/libbrume.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(shell $(PKG_CONFIG) --cflags sndfile) $(ALL_LDFLAGS) -o $@ $(PREDICTOR_BENCH) \
	    $(BUILD)/libbrume.a $(shell $(PKG_CONFIG) --libs sndfile) $(CORE_LIBS)

# Round trips through representations of sound, for tests/bench/representations/compare.py.
$(BUILD)/tests/bench/representations/representations: tests/bench/representations/representations.c \
        $(BUILD)/cli/soundfile.o $(BUILD)/cli/sound_reader.o $(BUILD)/cli/ogg.o $(BUILD)/cli/output.o \
        $(BUILD)/libbrume.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(shell $(PKG_CONFIG) --libs sndfile) $(CORE_LIBS)

# Models of unusual sizes, by which the table of tensors is made and checked.
$(BUILD)/tests/format/odd_models: tests/format/odd_models.c $(BUILD)/libbrume.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(QUICK_LINK) -o $@ $^ $(CORE_LIBS)

docs: $(BUILD)/tests/format/odd_models
	@BUILD=$(BUILD) /usr/bin/python3 tests/format/tensors.py docs/MODELS.md

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/brume/models
	install -m 755 $(BUILD)/brume $(DESTDIR)$(PREFIX)/bin/brume
	install -m 644 models/weights/*.safetensors $(DESTDIR)$(PREFIX)/share/brume/models
	install -d $(DESTDIR)$(LV2DIR)/brume.lv2/models $(DESTDIR)$(LV2DIR)/brume.lv2/presets
	install -m 755 $(BUNDLE)/brume.so $(DESTDIR)$(LV2DIR)/brume.lv2
	install -m 644 $(BUNDLE)/*.ttl $(DESTDIR)$(LV2DIR)/brume.lv2
	install -m 644 $(BUNDLE)/presets/*.ttl $(DESTDIR)$(LV2DIR)/brume.lv2/presets
	install -m 644 models/weights/*.safetensors $(DESTDIR)$(LV2DIR)/brume.lv2/models

install-user:
	@$(MAKE) --no-print-directory install PREFIX=$(HOME)/.local LV2DIR=$(HOME)/.lv2 DESTDIR=

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/brume
	for model in models/weights/*.safetensors; do \
	    rm -f $(DESTDIR)$(PREFIX)/share/brume/models/$$(basename $$model); done
	rm -rf $(DESTDIR)$(LV2DIR)/brume.lv2

clean:
	rm -rf build demo

-include $(CORE_OBJECTS:.o=.d) $(CLI_OBJECTS:.o=.d) $(BUILD)/cli/ranks/alone.d $(BUILD)/cli/ranks/mpi.d \
         $(PLUGIN_OBJECTS:.o=.d) $(DOUBLE_OBJECTS:.o=.d) \
         $(TEST_BINARIES:=.d) $(DOUBLE_TEST_BINARIES:=.d) $(HOST_BINARIES:=.d)
