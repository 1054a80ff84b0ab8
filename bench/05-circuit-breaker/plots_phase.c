#include "parts.h"
const struct claim_part plots_phase = {.claims = 0};
