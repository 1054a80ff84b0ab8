/* version.c: what this build is, for reports and `faultline --version`. */
#include "base/version.h"

#include "build_info.h" /* made by harness/version.sh, in the build folder */

const char version_text[64] = VERSION_TEXT;
const char *const version_compiler = VERSION_COMPILER;
const char *const version_flags = VERSION_FLAGS;
const char *const version_found = VERSION_FOUND;
