# SPDX-License-Identifier: Apache-2.0
# The commands of the README, around meson and ninja. `make help` lists them.
#
# V=1 shows what is done. ARGS="..." goes to the program that the command ends in: lh run, the test
# runner or the benchmarks. LH_NO_INSTALL=1 keeps it from installing packages.

MAKEFLAGS += --no-print-directory
BUILD     ?= build
CACHE     := $(or $(LH_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/longhouse)
SUITE     := forky
GUEST     := $(CACHE)/guest/loong64-$(SUITE)
Q         := $(if $(V),,@)
LH        := $(BUILD)/lh
FETCH     := sh tools/guest_fetch.sh --arch loong64 --suite $(SUITE) --out $(GUEST)

export BUILD V

.PHONY: all lh-loong64 run run-cells test soak bench bench-exits bench-enter bench-loops clean help

all:
	$(Q)sh tools/build.sh

lh-loong64:
	$(Q)sh tools/build_loong64.sh

run:
	$(Q)sh tools/install_packages.sh build guest
	$(Q)sh tools/build.sh lh
	$(Q)$(FETCH)
	$(Q)$(LH) run -smp 2 -m 1G -kernel $(GUEST)/vmlinuz -initrd $(GUEST)/initrd.img \
	    -append 'console=ttyS0,115200' -nographic $(ARGS)

run-cells:
	$(Q)sh tools/install_packages.sh build image guest $(if $(FIRMWARE),test)
	$(Q)sh tools/build.sh lh hv/longhouse-loongarch64.elf hv/longhouse-loongarch64.efi
	$(Q)$(FETCH) $(if $(FIRMWARE),--firmware)
	$(Q)FIRMWARE=$(FIRMWARE) sh tools/run_cells.sh $(abspath $(BUILD)) $(GUEST) $(ARGS)

test:
	$(Q)sh tools/install_packages.sh build image guest test
	$(Q)sh tools/build.sh
	$(Q)sh tools/test_inputs.sh
	$(Q)python3 tools/run_tests.py -C $(BUILD) $(ARGS)

soak:
	$(Q)sh tools/install_packages.sh build image guest test
	$(Q)sh tools/build.sh lh guest/lvz_hostile.elf
	$(Q)sh tools/test_inputs.sh
	$(Q)python3 test/nested/soak.py $(LH) $(ARGS)
	$(Q)sh tools/build.sh hv/longhouse-loongarch64.elf guest/cell_exits.elf guest/cell_hostile.elf \
	    guest/cell_residue.elf guest/cell_shared.elf guest/cell_vectors.elf guest/selftest.elf
	$(Q)HV_IMAGE=$(BUILD)/hv/longhouse-loongarch64.elf LH_PAYLOADS=$(BUILD)/guest \
	    BUILD_LOONG64=$(abspath $(BUILD))/loong64 PYTHONPATH=test/boot LH_SOAK_TIMES=1000 \
	    python3 test/cells/life_test.py $(LH) restarts cycles
	$(Q)LH_DUNE_KILLS=1000 PYTHONPATH=test/cli python3 test/dune/kills_test.py $(LH) none
	$(Q)python3 test/dune/cpython_test.py $(LH) long
	$(Q)BUILD_LOONG64=$(abspath $(BUILD))/loong64 PYTHONPATH=test/boot LH_DUNE_SOAK=1 \
	    python3 test/dune/loong64_programs_test.py $(LH)

bench:
	$(Q)sh tools/install_packages.sh build image guest test
	$(Q)sh tools/build.sh lh
	$(Q)$(FETCH) --firmware
	$(Q)sh tools/reference_fetch.sh $(CACHE)/reference || true
	$(Q)sh tools/bench_fetch.sh $(CACHE)/bench || true
	$(Q)LH_CACHE=$(CACHE) sh bench/build_micro.sh $(BUILD)/bench
	$(Q)LH_CACHE=$(CACHE) python3 bench/ratios.py $(if $(ONLY),--only $(ONLY)) $(ARGS) \
	    $(LH) $(BUILD)/bench
	$(Q)$(if $(ONLY),,$(MAKE) bench-exits ARGS=)

bench-loops:
	$(Q)sh tools/install_packages.sh build image guest test
	$(Q)sh tools/build.sh lh bench/loops
	$(Q)$(FETCH)
	$(Q)sh tools/reference_fetch.sh $(CACHE)/reference || true
	$(Q)LH_CACHE=$(CACHE) python3 bench/speed.py $(LH) $(BUILD)/bench/loops $(ARGS)

bench-exits:
	$(Q)sh tools/install_packages.sh build image guest test
	$(Q)sh tools/build.sh lh
	$(Q)sh tools/test_inputs.sh
	$(Q)LH_CACHE=$(CACHE) sh bench/build_micro.sh $(BUILD)/bench
	$(Q)LH_CACHE=$(CACHE) python3 bench/exits.py $(LH) $(ARGS)

bench-enter:
	$(Q)sh tools/install_packages.sh build
	$(Q)sh tools/build.sh lh bench/enter_load dune/examples/dune_checkpoint dune/examples/dune_barrier
	$(Q)python3 bench/enter.py $(LH) $(BUILD)/bench/enter_load $(BUILD)/dune/examples/dune_checkpoint \
	    $(BUILD)/dune/examples/dune_barrier

clean:
	$(Q)rm -rf $(BUILD) build-loong64

help:
	@echo 'make         build everything; the program is $(LH)'
	@echo 'make run     build, fetch a Debian guest once, start it on this terminal'
	@echo 'make run-cells  the same under the hypervisor, which divides the machine; FIRMWARE=1: by EDK2'
	@echo 'make test    build and run every test; the last line counts them'
	@echo 'make soak    run guests in guests, hostile ones, cells, and killed programs, for a long time'
	@echo 'make bench   measure guests beside QEMU and beside this machine; ONLY=fp for one kind'
	@echo 'make bench-loops  measure how many instructions per second the interpreter does'
	@echo 'make bench-exits  measure exits of guests in guests; LH_BENCH_ACCEL=NAME chooses -accel'
	@echo 'make bench-enter  measure guest mode beside the host, and what is to be reached'
	@echo 'make lh-loong64  build the program for loong64 Linux, static: build-loong64/lh'
	@echo 'make clean   remove $(BUILD)/ and build-loong64/; the guest stays in $(CACHE)/'
