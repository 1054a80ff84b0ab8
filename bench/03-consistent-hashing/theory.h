/* theory.h: the formulas behind the claims of lab 03. */
#ifndef THEORY_H
#define THEORY_H

#include <stdint.h>

/* 1 + 1/2 + ... + 1/n: jump's steps (Lamping & Veach 2014), and the fullest of n slices of a ring cut at random. */
double theory_harmonic(uint32_t n);

/* Of a map by modulo that grows from n nodes to n + 1: the share of keys that move. */
double theory_modulo_moves(uint32_t n);

/* Coefficient of variation of the nodes' shares on a ring with so many points a node: a share follows the beta law with
 * parameters points and (n - 1) x points. */
double theory_ring_cv(uint32_t n, uint32_t points);

/* Of all pairs of n nodes, the share that holds both copies of some key, when each key has its copies on the next two
 * different nodes of a ring: each of a node's points is followed by any of the others alike, so a pair escapes with
 * probability (1 - 1/(n-1))^(2 points). With one point a node it is 2/(n-1), exactly. */
double theory_pairs_lost(uint32_t n, uint32_t points);

/* A cache tier that hits with `hit` grows from n to n + 1 nodes, and so large a share of its keys stays where it was:
 * its hit ratio at the next moment. */
double theory_hit_after(double hit, double stay);

/* Requests that miss now, over those that missed before. */
double theory_origin_load(double hit, double hit_after);

#endif
