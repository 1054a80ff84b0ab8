/* database.h: a real database with cheap queries and expensive ones: SQLite, in memory, in this process.
 *
 * A shop's orders. A page asks for one order by its number, through the index; a report goes through all of them. Where
 * this was built without SQLite, database_open says so: a claim then cannot be told.
 *
 * One thread at a time.
 */
#ifndef DATABASE_H
#define DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct database;

/* So many orders; NULL and the reason. */
struct database *database_open(uint32_t orders, char *why, size_t size);
void database_close(struct database *database);

/* A query: the order `key`, or the report on region `key`; any number is one of either. False: it failed. */
bool database_page(struct database *database, uint64_t key);
bool database_report(struct database *database, uint64_t key);

#endif
