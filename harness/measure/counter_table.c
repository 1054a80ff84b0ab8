/* The counters that Faultline knows, and how to read them. */
#include "measure/counters.h"

#define HW SOURCE_HARDWARE
#define SW SOURCE_SOFTWARE

/* Names of PAPI presets first: PAPI knows which event of this processor they stand for. The kernel's generic names
 * (perf::) follow. */
const struct counter_info counter_info[COUNTERS] = {
    [COUNTER_INSTRUCTIONS] = {"instructions",
                              "instr",
                              "instructions executed",
                              GROUP_WORK,
                              false,
                              {"PAPI_TOT_INS", "perf::INSTRUCTIONS"},
                              HW},
    [COUNTER_CYCLES] =
        {"cycles", "cycles", "processor cycles", GROUP_WORK, false, {"PAPI_TOT_CYC", "perf::CYCLES"}, HW},
    [COUNTER_BRANCHES] = {"branches",
                          "branches",
                          "conditional branches",
                          GROUP_BRANCH,
                          false,
                          {"PAPI_BR_CN", "PAPI_BR_INS", "perf::BRANCHES"},
                          HW},
    [COUNTER_BRANCH_MISSES] = {"branch-misses",
                               "mispred",
                               "branches that were guessed wrong",
                               GROUP_BRANCH,
                               false,
                               {"PAPI_BR_MSP", "perf::BRANCH-MISSES"},
                               HW},
    [COUNTER_DATA_READS] =
        {"data-reads", "reads", "reads of memory", GROUP_CACHE, false, {"PAPI_LD_INS", "perf::L1-DCACHE-LOADS"}, HW},
    [COUNTER_DATA_WRITES] = {"data-writes",
                             "writes",
                             "writes to memory",
                             GROUP_CACHE,
                             false,
                             {"PAPI_SR_INS", "perf::L1-DCACHE-STORES"},
                             HW},
    [COUNTER_L1D_MISSES] = {"l1d-misses",
                            "L1d miss",
                            "data not found in the first cache",
                            GROUP_CACHE,
                            false,
                            {"PAPI_L1_DCM", "perf::L1-DCACHE-LOAD-MISSES"},
                            HW},
    [COUNTER_L2_MISSES] = {"l2-misses",
                           "L2 miss",
                           "data not found in the second cache",
                           GROUP_CACHE,
                           false,
                           {"PAPI_L2_DCM", "PAPI_L2_TCM"},
                           HW},
    [COUNTER_LAST_MISSES] = {"last-misses",
                             "last miss",
                             "data not found in any cache, so fetched from memory",
                             GROUP_MEMORY,
                             false,
                             {"PAPI_L3_TCM", "perf::CACHE-MISSES"},
                             HW},
    [COUNTER_TLB_MISSES] = {"tlb-misses",
                            "TLB miss",
                            "address translations not found in the TLB",
                            GROUP_TLB,
                            false,
                            {"PAPI_TLB_DM", "perf::DTLB-LOAD-MISSES"},
                            HW},
    [COUNTER_PAGE_FAULTS] = {"page-faults",
                             "faults",
                             "pages that the kernel had to provide",
                             GROUP_MEMORY,
                             false,
                             {"perf::PAGE-FAULTS"},
                             SW},
    [COUNTER_VOLUNTARY] = {"voluntary-switches",
                           "vol.sw",
                           "times the thread gave up the processor to wait",
                           GROUP_SWITCHES,
                           false,
                           {NULL},
                           SW},
    [COUNTER_INVOLUNTARY] = {"involuntary-switches",
                             "inv.sw",
                             "times the processor was taken from the thread",
                             GROUP_SWITCHES,
                             true,
                             {NULL},
                             SW},
};

const struct counter_group_info counter_group_info[COUNTER_GROUPS] = {
    [GROUP_WORK] =
        {"work", "Instructions and cycles",
         "Instructions say how much was done, cycles how long the processor took for it. Few instructions a cycle "
         "(below 1) mean waiting: for memory, or after a wrong guess. Two or more mean that the work itself is the "
         "limit, and only less work helps. A simulated count of instructions is exact and the same on every run of one "
         "binary; it says nothing about waiting."},
    [GROUP_BRANCH] =
        {"branch", "Branches",
         "The processor guesses where each conditional branch goes and runs ahead; a wrong guess throws away what it "
         "did, "
         "some 15 to 20 cycles. Look at wrong guesses an operation, not at their share of all branches: half a wrong "
         "guess "
         "in each operation of 8 ns is most of its time. Choices that depend on random numbers can't be guessed; "
         "writing "
         "them without a branch helps. The simulated predictor is a simple one of the 1990s: real ones guess repeating "
         "patterns better."},
    [GROUP_CACHE] =
        {"cache", "Caches",
         "Each cache is larger and slower than the one before it. A miss in the first that hits the second costs a few "
         "ns; what matters is where the misses end. Compare the bytes that an entry touches with the sizes of the "
         "caches on the machine card: misses rise where the bytes no longer fit. Simulated caches see one thread, no "
         "prefetching and virtual addresses. They can never show that two threads fight over a line."},
    [GROUP_MEMORY] =
        {"memory", "Memory",
         "A read that no cache holds waits for memory: about a hundred ns, a hundred times a hit. When the next "
         "address "
         "depends on the value (a list, a tree, a heap) the waits follow each other; when it does not, the processor "
         "overlaps ten of them. Page faults in a steady state are a sign of memory that grows; each costs about a "
         "microsecond."},
    [GROUP_TLB] = {"tlb", "Address translation",
                   "Every access needs the physical address of its page, kept in a small cache, the TLB. More pages in "
                   "use than it "
                   "has places (some 64 to 2,000 of 4 KiB) add a walk through the page tables to each access. "
                   "Spread-out structures "
                   "suffer first. There is no simulated figure: callgrind has no TLB."},
    [GROUP_SWITCHES] =
        {"switches", "Context switches",
         "A voluntary switch: the thread waited, for a lock, a file, a timer. An involuntary one: the kernel gave the "
         "processor to somebody else. In a benchmark of pure computation both should be 0; involuntary ones say that "
         "the "
         "machine was busy, and mark the samples to be doubted."},
};

const char *counter_source_name(enum counter_source source)
{
    static const char *const names[SOURCES] = {[SOURCE_NONE] = "n/a",
                                               [SOURCE_HARDWARE] = "hardware",
                                               [SOURCE_SOFTWARE] = "software",
                                               [SOURCE_SIMULATED] = "simulated"};
    return source < SOURCES ? names[source] : names[0];
}
