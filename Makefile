# Faultline. One page: what is built is found by looking at the folders; `make help` says what there is to do.
#
#   labs/NN-name/*.c          the lab's world, linked into everything of that lab ...
#   labs/NN-name/starter/*.c  ... names the hand-in: files of these names in labs/NN-name are the student's, and no world
#   labs/NN-name/check*.c     program: the lab's tests
#   bench/NN-name/PROG.c      programs: claims, replay, cost, demo (what a lab shows besides its claims), ranks (what
#                             mpirun starts, where there is MPI); any other file there is linked into each of them
#   bench/NN-name/PROG/*.c    the same for a program of many files: PROG.c and what is linked into it alone
#   reference/NN-name/*.c     plugin reference.so
#   reference/NN-name/mistakes/X.patch   plugin mistakes/X.so: the model solution with one change
#   reference/NN-name/cuda/   plugin cuda.so: *.cu by nvcc, *.c by the compiler; built by `make cuda` alone, it takes minutes
#   harness/*/*.c             library; harness/cli/main.c and harness/host/main.c are programs
#   (any of these)/tests/*.c  one Criterion program a folder, run by `make test`

B         ?= build
$(if $(word 2,$B),$(error B=$B: the build folder may have no blank in its name; the checkout may))
override B := $(patsubst ./%,%,$(if $(filter /%,$B),$(patsubst $(CURDIR)/%,%,$B),$B))
CC        := $(if $(filter default,$(origin CC)),gcc,$(CC))
OPT       ?= -O2
SANITIZER ?=
WERROR    ?= -Werror
LAB       ?=
MAKEFLAGS += --no-print-directory --no-builtin-rules
.DEFAULT_GOAL := help

san    := $(if $(SANITIZER),-fsanitize=$(SANITIZER) -fno-omit-frame-pointer $(if $(filter undefined,$(SANITIZER)),-fno-sanitize-recover=all))
# No contraction of a*b+c: the same seed must give the same bytes with every compiler and on every machine.
CFLAGS := -std=c17 -D_GNU_SOURCE $(OPT) -g -fPIC -fvisibility=hidden -ffp-contract=off -fno-math-errno -Iharness \
          -Wall -Wextra -Wpedantic -Wshadow -Wconversion $(WERROR) $(san)
LIBS   := -Wl,--as-needed $(shell pkg-config --libs hiredis sqlite3 2>/dev/null || pkg-config --libs hiredis 2>/dev/null || pkg-config --libs sqlite3 2>/dev/null) $(if $(wildcard /usr/include/Zydis/Zydis.h),-lZydis) $(shell pkg-config --libs ompi-c 2>/dev/null) -lpapi -lhwloc -ljansson -lseccomp -lz -lcrypt -lpthread -lm -ldl
# Optional, and found here: MPI for ranks.c, CUDA for cuda.so.
MPI       := $(shell pkg-config --cflags-only-I ompi-c 2>/dev/null | sed 's/-I/-isystem /g')
NVCC      := $(shell command -v nvcc || ls /usr/local/cuda/bin/nvcc 2>/dev/null)
CUDA      := $(patsubst %/bin/nvcc,%,$(realpath $(NVCC)))
NVFLAGS   := -std=c++17 -O3 -Xcompiler -fPIC,-fvisibility=hidden,-Wall,-Wextra --Werror all-warnings -gencode arch=compute_80,code=sm_80 -gencode arch=compute_90a,code=sm_90a
export FAULTLINE_BUILD := $(if $(filter /%,$B),,$(CURDIR)/)$B

# ---- what there is -------------------------------------------------------------------------------------------------
labs      := $(notdir $(patsubst %/lab.json,%,$(wildcard labs/*/lab.json)))
folder     = $(firstword $(filter $(LAB) $(LAB)-% 0$(LAB)-% %-$(LAB),$(labs)))
handin     = $(addprefix labs/$1/,$(notdir $(wildcard labs/$1/starter/*.c)))
checks     = $(wildcard labs/$1/check*.c)
world      = $(filter-out $(call checks,$1) $(call handin,$1),$(wildcard labs/$1/*.c))
program    = $(wildcard bench/$1/$2.c bench/$1/$2/*.c)
programs   = $(foreach p,claims cost replay demo $(if $(MPI),ranks),$(if $(call program,$1,$p),$p))
mains      = $(foreach p,claims cost replay demo ranks,bench/$1/$p.c bench/$1/$p/$p.c)
shared     = $(filter-out $(call mains,$1),$(wildcard bench/$1/*.c))
objects    = $(patsubst %.c,$B/obj/%.o,$1)
libsrc    := $(filter-out harness/cli/main.c harness/host/main.c,$(wildcard harness/*/*.c))
worldsrc := $(wildcard harness/sim/*.c) harness/base/error.c
testdirs  := $(patsubst %/,%,$(sort $(dir $(wildcard harness/*/tests/*.c $(foreach l,$(labs),reference/$l/tests/*.c bench/$l/tests/*.c)))))
testname   = $(subst /,-,$(patsubst %/tests,%,$1))
sources   := $(wildcard harness/*/*.c harness/*/tests/*.c labs/*/*.c labs/*/starter/*.c reference/*/*.c \
               reference/*/*/*.c bench/*/*.c bench/*/*/*.c)

.PHONY: help demo test tests check watch grade replay race status hint reset list machine counters bench lint format clean setup verify FORCE
help: ## this page
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18
	@echo; echo '  LAB=01 picks a lab, TEST=x a test, SEED=n a seed. The same commands with more options: $B/faultline --help'

# ---- objects, libraries --------------------------------------------------------------------------------------------
quiet = $(if $(V),,@echo '  $1  $2';)
$B/flags: FORCE
	@mkdir -p $B; printf '%s\n' '$(CC) $(CFLAGS) $(LIBS)' | cmp -s - $@ || printf '%s\n' '$(CC) $(CFLAGS) $(LIBS)' > $@
	@printf '%s\n' 'B=$B' 'CC=$(CC)' 'OPT=$(OPT)' 'SANITIZER=$(SANITIZER)' 'WERROR=$(WERROR)' | cmp -s - $B/settings || \
	  printf '%s\n' 'B=$B' 'CC=$(CC)' 'OPT=$(OPT)' 'SANITIZER=$(SANITIZER)' 'WERROR=$(WERROR)' > $B/settings
$B/build_info.h: $B/flags FORCE
	@CC='$(CC)' FLAGS='$(OPT) $(san)' harness/version.sh > $@.$$$$; cmp -s $@.$$$$ $@ && rm $@.$$$$ || mv $@.$$$$ $@
# Apart from $B/flags: the grader compiles what was handed in with those.
$B/nvcc.flags: FORCE
	@mkdir -p $B; printf '%s\n' '$(NVCC) $(NVFLAGS)' | cmp -s - $@ || printf '%s\n' '$(NVCC) $(NVFLAGS)' > $@
compile = $(call quiet,CC,$<)mkdir -p $(@D); $(CC) $(CFLAGS) $(extra) -MMD -MP -c $< -o $@
$B/obj/%.o: %.c $B/flags
	$(compile)
$B/obj/harness/base/version.o: $B/build_info.h
$B/obj/harness/base/version.o: extra = -I$B
$B/obj/%.cu.o: %.cu $(wildcard reference/*/cuda/*.h reference/*/cuda/*.cuh) $B/nvcc.flags
	$(call quiet,NVCC,$<)mkdir -p $(@D); $(NVCC) $(NVFLAGS) -c $< -o $@
# Optional: libclang, which is loaded by `faultline mutants` alone.
libclang  := $(lastword $(sort $(wildcard /usr/lib/llvm-*/lib/libclang.so)))
$B/obj/harness/cli/mutations.o: extra = $(if $(libclang),-isystem $(libclang:/lib/libclang.so=/include) -DLIBCLANG='"$(libclang)"')
# The machine's limits belong to the machine, not to how this was built.
$(call objects,$(wildcard harness/measure/limits_*.c)): extra = -O2 -fno-sanitize=all
$B/lib.a: $(call objects,$(libsrc))
	$(call quiet,AR,$@)rm -f $@; ar rcs $@ $^

# Without build ids, which are made of the version too: see base/version.h.
link = $(call quiet,LD,$@)mkdir -p $(@D); $(CC) $(san) $(OPT) -Wl,--build-id=none -o $@ $1 $(LIBS)
$B/faultline: $B/obj/harness/cli/main.o $B/lib.a
	$(call link,$^)
$B/faultline-host: $B/obj/harness/host/main.o $B/lib.a
	$(call link,-rdynamic $^)

# ---- labs: programs of the judge's side, and plugins -----------------------------------------------------------------
all := $B/faultline $B/faultline-host
# A lab's world, and plugins, which hold entries alone. What a plugin takes from the world is bound when it is loaded; the
# C library's start files are left out, since they bring code that runs at loading.
number = $(firstword $(subst -, ,$1))
world_so = $B/labs/$1/world-$(number).so
shared_object = $(call quiet,LD,$@)mkdir -p $(@D); $(CC) $(san) -shared -Wl,-Bsymbolic,-z,now,--build-id=none
plugin_flags = $(if $(san),,-nostartfiles) -Wl,--no-as-needed,--version-script=harness/host/plugin.map
plugin = $(shared_object) $(plugin_flags) -Wl,-rpath,'$$ORIGIN:$$ORIGIN/..' -o $@ $(filter %.o %.so,$^) -lm
solution = $(firstword $(wildcard reference/$1/solution/*.c))
mistakes = $(patsubst reference/$1/%.patch,$B/labs/$1/%.so,$(wildcard reference/$1/mistakes/*.patch))
plugins = $(foreach p,starter pristine $(if $(wildcard reference/$1/*.c),reference),$B/labs/$1/$p.so)
lab_programs = $(if $(call checks,$1),$B/labs/$1/check) $(foreach p,$(call programs,$1),$B/labs/$1/$p)
define lab_rules
$(call objects,$(wildcard labs/$1/*.c labs/$1/*/*.c bench/$1/*.c bench/$1/*/*.c reference/$1/*.c reference/$1/*/*.c)): extra = -Ilabs/$1 -Ireference/$1 -Ibench/$1
$(call objects,$(call handin,$1)): extra += -Wno-error -Wno-conversion -Wno-shadow
$(call objects,$(call world,$1) $(worldsrc)): extra += -fvisibility=default
all += $(call plugins,$1)
$(world_so): $(call objects,$(call world,$1) $(worldsrc))
	$$(shared_object) -Wl,-soname,$$(@F) -o $$@ $$^ -lm
all += $(if $(call checks,$1),$B/labs/$1/check)
# A stamp: the lab is built, and newer than all of these. `faultline` looks at the same files (harness/cli/build.c).
$B/labs/$1/built: $B/faultline $B/faultline-host $(filter-out %/starter.so,$(call plugins,$1)) $(call lab_programs,$1) \
  $(wildcard harness/*/*.[ch] labs/$1/starter/*.c reference/$1/*.[ch] bench/$1/*.[ch] bench/$1/*/*.[ch]) \
  $(filter-out $(call handin,$1),$(wildcard labs/$1/*.[ch])) Makefile
	@touch $$@
all += $B/labs/$1/built
$B/labs/$1/starter.so: $(call objects,$(call handin,$1))
$B/labs/$1/pristine.so: $(call objects,$(wildcard labs/$1/starter/*.c))
$B/labs/$1/reference.so: $(call objects,$(wildcard reference/$1/*.c))
$(patsubst %.so,%.c,$(call mistakes,$1)): $B/labs/$1/%.c: reference/$1/%.patch $(call solution,$1)
	$$(call quiet,PATCH,$$<)mkdir -p $$(@D); patch -s -F0 -r - -o $$@.$$$$$$$$ $(call solution,$1) $$< && mv $$@.$$$$$$$$ $$@ || { rm -f $$@.$$$$$$$$; \
	  echo '$$< does not apply to $(call solution,$1) any more: make its change there anew (docs/adding-a-lab.md says how)' >&2; exit 1; }
$(patsubst %.so,%.o,$(call mistakes,$1)): extra = -Ilabs/$1 -Wno-unused
$(patsubst %.so,%.o,$(call mistakes,$1)): %.o: %.c $B/flags
	$$(compile)
$(call mistakes,$1): %.so: %.o
$(call plugins,$1) $(call mistakes,$1): $(world_so) harness/host/plugin.map; $$(plugin)
$B/labs/$1/cuda.so: $(patsubst %.cu,$B/obj/%.cu.o,$(wildcard reference/$1/cuda/*.cu)) $(call objects,$(wildcard reference/$1/cuda/*.c)) $(world_so)
	$$(call quiet,LD,$$@)mkdir -p $$(@D); $$(NVCC) -shared $(addprefix -Xcompiler ,$(san)) -Xlinker --no-as-needed,$(world_so),-Bsymbolic,-rpath,$(CUDA)/lib64,-rpath,'$$$$ORIGIN' -o $$@ $$(filter %.o,$$^) -ldl -lm
$(call objects,bench/$1/ranks.c bench/$1/ranks/ranks.c): extra += $(MPI)
$B/labs/$1/check: $(call objects,$(call checks,$1) $(call world,$1)) $B/lib.a
	$$(call link,$$^ -lcriterion)
endef
define program_rules
$B/labs/$1/$2: $(call objects,$(call program,$1,$2) $(call shared,$1) $(call world,$1)) $B/lib.a
	$$(call link,$$^)
all += $B/labs/$1/$2
endef
$(foreach l,$(labs),$(eval $(call lab_rules,$l))$(foreach p,$(call programs,$l),$(eval $(call program_rules,$l,$p))))

# Tests below reference/ and bench/ are linked with the files beside them (bench: and those of its programs, but for
# PROG.c) and the lab's world.
parts  = $(filter-out $(call mains,$1) bench/$1/tests/%,$(wildcard bench/$1/*.c bench/$1/*/*.c))
beside = $(if $(filter reference/%,$1),$(wildcard $1/*.c),$(call parts,$(notdir $1))) $(call world,$(notdir $1))
define test_rules
$B/tests/$(call testname,$1): $(call objects,$(wildcard $1/*.c) $(if $(filter harness/%,$1),,$(call beside,$(patsubst %/tests,%,$1)))) \
  $B/obj/harness/testing.o $B/lib.a
	$$(call link,$$^ -lcriterion)
tests += $B/tests/$(call testname,$1)
endef
$(foreach d,$(testdirs),$(eval $(call test_rules,$d)))
-include $(patsubst %.o,%.d,$(call objects,$(sources) harness/testing.c) $(foreach l,$(labs),$(patsubst %.so,%.o,$(call mistakes,$l))))

setup:
	@harness/setup.sh
# CUDA is asked for by name; once it is there, `build` keeps it up to date, after everything else.
cuda := $(foreach l,$(labs),$(if $(wildcard reference/$l/cuda/*.cu),$B/labs/$l/cuda.so))
build: ## everything, without running it
	@$(locked) everything
everything: $(all) $(if $(NVCC),$(wildcard $(cuda)))
# Not in `build`: 191 of them take longer than all else.
mistakes: $(foreach l,$(labs),$(call mistakes,$l))
cuda: setup ## the CUDA entries of labs that have some; takes nvcc, and minutes
	@$(if $(NVCC),$(locked) $(cuda),echo 'cuda: there is no nvcc here; it comes with the CUDA toolkit: https://developer.nvidia.com/cuda-downloads' >&2; exit 2)
programs: $B/faultline $B/faultline-host
# What harness/same_bytes.sh runs.
compared: programs $(filter $(if $(folder),$B/labs/$(folder)/%,%),$(filter %/reference.so %/check %/claims %/replay,$(all)))
.PHONY: build everything cuda mistakes programs compared

# ---- what people run: each target is the command of the same name ----------------------------------------------------
quoted = '$(subst ','\'',$1)'
option = $(if $($1),--$2 $(call quoted,$($1)))
locked = harness/locked.sh '$B' $(MAKE) $(if $(filter -j%,$(MAKEFLAGS)),,-j$$(nproc))
own_built = $(if $(folder),$(folder:%=$B/labs/%/built),everything)
cli = $B/faultline $@ $(LAB) $(call option,TEST,test) $(call option,SEED,seed) $(call option,JSON,json) $(ARGS)
demo: setup ## reproduces the failures of the articles and writes build/report/index.html
	@$(locked) everything && $(cli) $(own)
check: setup ## the public tests on what you wrote, with the points so far  (LAB=01 [TEST=x] [SEED=n] [DEBUG=1])
	@$(locked) programs && $(cli) $(if $(DEBUG),--debug)
watch: setup ## the same at every save  (LAB=01)
	@$(locked) programs && $(cli)
grade: setup ## the whole grade of one submission  (LAB=01 [SUBMISSION=dir])
	@$(locked) $(own_built) && $(cli) $(call option,SUBMISSION,submission)
# A lab's own options have no name here: --nodes 10 is NODES=10, as is whatever else was set for make itself.
mine = B CC OPT SANITIZER WERROR V MAKEFLAGS SHELL LAB TEST SEED JSON ARGS TRACE ENTRIES PLUGIN
given = $(foreach v,$(filter-out $(mine),$(.VARIABLES)),$(if $(filter command,$(origin $v)),$v))
own = $(foreach v,$(given),--$(shell echo $v | tr A-Z_ a-z-) $(call quoted,$($v)))
replay: setup ## your own traffic through every entry  (LAB=01 TRACE=file, and the lab's own options in capitals: faultline replay 01 --help)
	@$(locked) everything && $(cli) $(if $(TRACE),$(call quoted,$(TRACE))) $(call option,ENTRIES,entries) $(call option,PLUGIN,plugin) $(own)
race: setup ## your code for threads under ThreadSanitizer, in a lab that has any  (LAB=02)
	@$(if $(folder),$(if $(wildcard labs/$(folder)/race.sh),CC='$(CC)' labs/$(folder)/race.sh $(ARGS),echo 'lab $(LAB) has no code for threads to look for races in'),\
	  echo 'race: $(if $(LAB),there is no lab $(LAB),which lab? For example: make race LAB=02)' >&2; exit 2)
bench: setup ## what operations cost  (LAB=01 [ENTRIES=a,b] [SIZES=10,100] [THREADS=1,2] [COUNTERS=all] [BASELINE=f] [PLUGIN=x.so])
	@$(locked) everything && $(cli) $(call option,ENTRIES,entries) $(call option,OPERATIONS,operations) \
	  $(call option,SIZES,sizes) $(call option,THREADS,threads) $(call option,COUNTERS,counters) \
	  $(call option,BASELINE,baseline) $(call option,PLUGIN,plugin) $(call option,ROUNDS,rounds)
counters: setup ## what can be counted here, and how to read it
	@$(locked) programs && $(cli)
list: setup ## the labs
	@$(locked) programs && $(cli)
machine: setup ## what this machine is, and what it can do at best  ([ANEW=1] [TRIALS=200 LOAD=3])
	@$(locked) programs && $(cli) $(if $(ANEW),--anew) $(call option,TRIALS,trials) $(call option,LOAD,load)
status: setup ## how far you are
	@$(locked) programs && $(cli)
hint: setup ## the next hint for a test  (LAB=01 TEST=x)
	@$(locked) programs && $(cli)
reset: setup ## the starter back; what you wrote is kept beside it  (LAB=01)
	@$(locked) programs && $(cli)

# ---- what the project's own people run -------------------------------------------------------------------------------
tests: $(tests) mistakes # of which some tests use some
# A lab, and of the harness what decides about it.
lab_tests: $(folder:%=$B/labs/%/built) $(folder:%=$B/labs/%/pristine.so) $(call mistakes,$(folder)) $B/tests/harness-host $B/tests/harness-grade \
  $(if $(folder),$(filter %-$(folder),$(tests)))
tested = $(if $(LAB),$(if $(folder),lab_tests,no_lab),everything tests $(if $(NVCC),$(cuda)))
no_lab:
	@echo 'there is no lab $(LAB)' >&2; exit 2
.PHONY: lab_tests no_lab test-all
test: ## sets the machine up, builds, runs every test of the project that something changed for since it passed  (LAB=01: of one lab)
	@harness/setup.sh test && $(locked) $(tested) && harness/test.sh $(if $(LAB),$(folder))
test-all: ## the same, whatever passed before, and all of the static analysis: for every night
	@harness/setup.sh test && $(locked) $(tested) && harness/test.sh --all $(if $(LAB),$(folder))
verify: setup ## is the lab itself right: starter, reference, mistakes, attacks, claims  (LAB=01)
	@$(locked) everything mistakes && $(cli)
lint: ## style and static analysis
	@harness/setup.sh test && $(locked) $(tested) && harness/lint.sh
format: ## puts every C file into the project's style
	@git ls-files -z '*.c' '*.h' | xargs -0 clang-format -i
clean: ## removes what was made
	rm -rf build
