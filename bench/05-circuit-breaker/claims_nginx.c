#include "parts.h"
const struct claim_part part_nginx = {.claims = 0};
