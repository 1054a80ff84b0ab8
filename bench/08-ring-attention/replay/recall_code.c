/* recall_code.c: keys and values by which attention finds in a text what came after some words. */
#include "recall_code.h"

#include "sim/rng.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TIE 0.002 /* of the weight */

uint32_t recall_width(uint32_t context)
{
    return 8 * (RECALL_BYTES / context);
}

double recall_tau(double places, uint32_t width, double others)
{
    const double agree = 2 * pow(others / places, 1.0 / width) - 1; /* exp(-2 tau) */
    return agree > 0 ? -0.5 * log(agree) : NAN;
}

uint32_t recall_longest(double places, double others)
{
    uint32_t m = RECALL_MOST_CONTEXT;
    while (m > 0 && isnan(recall_tau(places, recall_width(m), others)))
        m--;
    return m;
}

static void draw(uint64_t seed, uint64_t hash, uint8_t *key, uint8_t *value)
{
    struct rng r;
    rng_seed(&r, seed, hash);
    for (uint32_t half = 0; half < 2; half++) {
        const uint64_t k = rng_next(&r), v = rng_next(&r);
        for (uint32_t i = 0; i < 8; i++) { /* byte by byte: the same on every machine */
            key[8 * half + i] = (uint8_t)(k >> 8 * i);
            value[8 * half + i] = (uint8_t)(v >> 8 * i);
        }
    }
}

static void spread(struct recall_code *c)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint16_t narrow[8];
        for (uint32_t i = 0; i < 8; i++) {
            const bool plus = byte >> i & 1;
            c->as_f32[byte][i] = plus ? 1 : -1;
            narrow[i] = plus ? 0x3f80 : 0xbf80;
        }
        memcpy(c->as_bf16[byte], narrow, sizeof narrow);
    }
}

int recall_code_create(const struct recall_text *text, uint32_t context, double places, uint64_t seed,
                       struct recall_code *c)
{
    const double tau = recall_tau(places, recall_width(context), RECALL_OTHERS);
    *c = (struct recall_code){.text = text, .context = context, .tau = (float)tau};
    if (isnan(tau))
        return -EDOM;
    c->key = calloc(text->words, sizeof *c->key);
    c->value = calloc(text->words, sizeof *c->value);
    if (!c->key || !c->value) {
        recall_code_free(c);
        return -ENOMEM;
    }
    for (uint32_t w = 0; w < text->words; w++)
        draw(seed, text->hash[w], c->key[w], c->value[w]);
    for (uint32_t i = 0; i < RECALL_BYTES; i++)
        c->back[i] = (uint8_t)(i * context / RECALL_BYTES);
    spread(c);
    return 0;
}

void recall_code_free(struct recall_code *c)
{
    free(c->key), free(c->value);
    c->key = c->value = NULL;
}

static void eight(const struct recall_code *c, uint8_t signs, enum at_type type, void *row, uint32_t i)
{
    if (type == AT_F32)
        memcpy((float *)row + 8 * i, c->as_f32[signs], sizeof c->as_f32[signs]);
    else
        memcpy((uint16_t *)row + 8 * i, c->as_bf16[signs], sizeof c->as_bf16[signs]);
}

void recall_key(const struct recall_code *c, const uint32_t *after, enum at_type type, void *row)
{
    for (uint32_t i = 0; i < RECALL_BYTES; i++)
        eight(c, c->key[*(after - 1 - c->back[i])][i], type, row, i);
}

void recall_value(const struct recall_code *c, uint32_t word, enum at_type type, void *row)
{
    for (uint32_t i = 0; i < RECALL_BYTES; i++)
        eight(c, c->value[word][i], type, row, i);
}

/* What eight coordinates of the output add to the product, for each way in which their signs may be: then a word takes
 * 16 additions instead of 128. */
static void sums(const struct recall_code *c, const float *out, float (*sum)[256])
{
    for (uint32_t i = 0; i < RECALL_BYTES; i++) {
        for (uint32_t signs = 0; signs < 256; signs++) {
            float s = 0;
            for (uint32_t k = 0; k < 8; k++)
                s += out[8 * i + k] * c->as_f32[signs][k];
            sum[i][signs] = s;
        }
    }
}

static float product(const struct recall_code *c, uint32_t word, float (*sum)[256])
{
    float s = 0;
    for (uint32_t i = 0; i < RECALL_BYTES; i++)
        s += sum[i][c->value[word][i]];
    return s;
}

uint32_t recall_read(const struct recall_code *c, const float *out, double *share)
{
    float sum[RECALL_BYTES][256], most = -INFINITY, here = 0;
    uint32_t word = 0;
    sums(c, out, sum);
    for (uint32_t w = 0; w < c->text->words; w++)
        most = fmaxf(most, product(c, w, sum));
    while ((here = product(c, word, sum)) < most - (float)(TIE * RECALL_D) && word + 1 < c->text->words)
        word++;
    *share = fmin(fmax((double)here / RECALL_D, 0), 1);
    return word;
}

double recall_places(const struct recall_code *c, float lse)
{
    return exp((double)lse - (double)c->tau * RECALL_D);
}
