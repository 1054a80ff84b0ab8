/* faultline: the one command. Finds labs by their folders and names none of them. */
#include "cli/command.h"

#include "base/memory.h"
#include "base/text.h"
#include "base/version.h"

#include <stdio.h>
#include <string.h>

static const struct command commands[] = {
    {"list", "The labs, and the entries of each.", "list [LAB]", "faultline list 01", "markdown rules", false, OWN_NONE,
     command_list, NULL},
    {"machine", "What this machine is, and what it can do at best.", "machine [--anew]",
     "faultline machine --json card.json", "anew trials load counters", false, OWN_NONE, command_machine,
     "Its limits are measured once (some seconds) and kept in build/machine.json for as long as the machine is the "
     "same; --anew measures them again.\n"
     "HWLOC_XMLFILE or HWLOC_SYNTHETIC show another machine's topology; nothing is measured by it then.\n"
     "--trials 200 --load 3 shows whether comparisons keep their promises here, with the machine busy: exit code 1 if "
     "they do not."},
    {"demo", "Reproduces the failures that the articles tell of, checks every claim, writes the report.", "demo [LAB]",
     "faultline demo 01", "broken only", false, OWN_DEMO, command_demo,
     "Exit code 1 when a claim does not hold. The report is build/report/index.html, the figures are "
     "build/report/claims.json.\n"
     "A lab may have more to show, with options of its own: faultline demo LAB --help names them."},
    {"check", "Runs the public tests on what you wrote.", "check LAB [--test T]", "faultline check 01 --test TASK/TEST",
     "test debug plugin", true, OWN_NONE, command_check,
     "Builds first. Exit code 1 when a test fails. --plugin tests that plugin in place of yours."},
    {"watch", "Checks at every save.", "watch LAB [--test T]", "faultline watch 01", "test", true, OWN_NONE,
     command_watch, "Ends with Ctrl-C."},
    {"grade", "Grades one submission, public and secret seeds; code from it runs only in the sandbox.",
     "grade LAB [--submission DIR]", "faultline grade 01 --submission submissions/ada --json ada.json",
     "submission secret allow-unsafe junit tap gradescope classroom test", true, OWN_NONE, command_grade,
     "Exit code 0: full marks. 1: less. 3: the grader itself failed, and there is no grade."},
    {"bench", "What operations cost: time, counters, bytes, growth; all entries side by side.",
     "bench LAB [--entries A,B] [--baseline FILE]",
     "faultline bench 01 --entries two-choices,peak-ewma --json costs.json",
     "entries operations sizes threads counters plugin baseline rounds", true, OWN_NONE, command_bench,
     "Entries whose check fails are not timed. Exit code 0: measured, no regression. 1: a regression against the "
     "baseline, or an entry that is wrong.\n"
     "3: cannot tell, for example because the baseline is another machine's. To compare two versions of your own code, "
     "build the old one as a\n"
     "plugin and time both in one run: --plugin old.so."},
    {"counters", "What can be counted on this machine, where each figure comes from, and how to read it.", "counters",
     "faultline counters", "counters", false, OWN_NONE, command_counters, NULL},
    {"replay", "Your own traffic through every entry.", "replay LAB TRACE",
     "faultline replay 01 access.log --json rows.json", "entries plugin", true, OWN_REPLAY, command_replay,
     "TRACE is what the lab's replay reads, most often a log in Common or Combined Log Format; plain or gzip, or - for "
     "standard input.\n"
     "A lab has options of its own besides these: faultline replay LAB --help shows them."},
    {"status", "How far you are.", "status", "faultline status", "", false, OWN_NONE, command_status, NULL},
    {"hint", "The next hint for a task or test; three steps each.", "hint LAB --test T",
     "faultline hint 01 --test TASK", "test all", true, OWN_NONE, command_hint, NULL},
    {"reset", "Puts the starter back; what you wrote is kept beside it.", "reset LAB", "faultline reset 01", "", true,
     OWN_NONE, command_reset, NULL},
    {"flags", "What a plugin of your own is compiled with.", "flags LAB", "gcc $(faultline flags 01) mine.c -o mine.so",
     "", true, OWN_NONE, command_flags,
     "Works from any folder. Where the project's path has a blank in it: eval \"gcc $(faultline flags 01) mine.c -o "
     "mine.so\""},
    {"mistake", "A wrong answer as a file to hand in; without NAME all of them, and what their authors believed.",
     "mistake LAB [NAME]", "faultline mistake 01 burst > load_balancing.c", "", true, OWN_WORD, command_mistake,
     "Each is a change of the model solution, reference/LAB/mistakes/NAME.patch. What is printed is the whole file "
     "with "
     "that change in it."},
    {"mutants", "How good the tests are: one-change copies of the model solution, and which of them pass.",
     "mutants LAB [--sample N] [--only FUNCTION]", "faultline mutants 01 --sample 40", "sample only", true, OWN_NONE,
     command_mutants,
     "Each is built and tested as a hand-in, on the public seeds. A survivor is the same program, which "
     "reference/LAB/survivors.md says with its reason,\n"
     "or shows a rule that no test holds. All of them take an hour or so: --sample draws some, by --seed. Exit code 1 "
     "when one survives unexplained."},
    {"new-lab", "For authors of labs: the three folders of one to begin with.", "new-lab NUMBER NAME",
     "faultline new-lab 42 leader-election", "", false, OWN_NEW, command_new_lab,
     "The lab builds and passes its own verify; docs/adding-a-lab.md says how to go on. To remove it, remove its "
     "folders "
     "in labs, reference and bench."},
    {"verify", "For authors of labs: the lab itself is tested.", "verify [LAB]", "faultline verify 01", "only", false,
     OWN_NONE, command_verify,
     "The starter fails every graded test, the reference passes all, each mistake is caught by the test that lab.json "
     "names for it, each of its\n"
     "attacks scores nothing, and each claim turns false when the failing algorithm takes the cure's place. --only "
     "runs "
     "one group: starter,\n"
     "reference, mistakes, attacks, claims; or sandbox, which are the attacks on the host and the grader."},
};
#define COMMANDS COUNT(commands)

static void help(void)
{
    puts("Faultline: how distributed systems break, on your machine.\n\n  faultline COMMAND [LAB] [OPTIONS]\n");
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %-8s %s\n", commands[i].name, commands[i].summary);
    puts("\nAll take --json FILE, --seed N, --quiet and --help. LAB is a number or a name: 01, load-balancing.\n"
         "Exit codes: 0 fine; 1 the implementation failed; 2 wrong use or bad input; 3 cannot tell, or the grader "
         "failed.");
}

static void print_version(void)
{
    printf("faultline %s\ncompiler: %s\nflags: %s\nfound: %s\n", version_text, version_compiler, version_flags,
           version_found);
}

static const struct command *command_named(const char *word)
{
    const char *names[COMMANDS + 1] = {NULL};
    for (size_t i = 0; i < COMMANDS; i++) {
        names[i] = commands[i].name;
        if (strcmp(word, commands[i].name) == 0)
            return &commands[i];
    }
    const char *meant = text_nearest(word, names);
    error_exit(EXIT_WRONG_USE, "there is no command %s; %s%s%s", word, meant ? "was " : "see faultline --help",
               meant ? meant : "", meant ? " meant?" : "");
}

int main(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        help();
        return argc < 2 ? EXIT_WRONG_USE : EXIT_FINE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        print_version();
        return EXIT_FINE;
    }
    const struct command *command = command_named(argv[1]);
    struct session session = {0};
    options_parse(command, argc, argv, &session.options);
    if (session.options.help && !(command->own >= OWN_REPLAY && session.options.lab)) {
        options_help(command, NULL);
        return EXIT_FINE;
    }
    return (int)session_start(command, &session);
}
