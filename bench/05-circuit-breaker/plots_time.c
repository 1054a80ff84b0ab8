#include "parts.h"
const struct claim_part plots_time = {.claims = 0};
