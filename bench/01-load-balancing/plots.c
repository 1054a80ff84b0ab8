#include "parts.h"
const struct claim_plot plots[1] = {{0}};
const uint32_t plots_count = 0;
