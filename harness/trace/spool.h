/* spool.h: a trace that is read more than once, though it may be standard input.
 *
 * Standard input ("-") is put into a temporary file first, which is removed when the program ends, by a signal too. One
 * trace a program.
 */
#ifndef TRACE_SPOOL_H
#define TRACE_SPOOL_H

/* The path to read: `trace` itself, or the temporary file. Ends the program with exit code 3 when input can't be kept. */
const char *spool_trace(const char *trace);

#endif
