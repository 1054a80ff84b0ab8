/* database.c: a real database with cheap queries and expensive ones. */
#include "database.h"

#include <stdio.h>

#if __has_include(<sqlite3.h>)

#include "base/memory.h"
#include "sim/rng.h"

#include <sqlite3.h>
#include <stdlib.h>

enum { REGIONS = 400 };

struct database {
    sqlite3 *connection;
    sqlite3_stmt *page, *report;
    uint32_t orders;
};

static bool fill(struct database *d)
{
    sqlite3_stmt *insert = NULL;
    struct rng r;
    rng_seed(&r, 1, 7);
    bool good = sqlite3_exec(d->connection,
                             "create table orders(id integer primary key, region integer, cents integer, note text);"
                             "begin",
                             NULL, NULL, NULL) == SQLITE_OK &&
                sqlite3_prepare_v2(d->connection, "insert into orders values(?, ?, ?, 'paid, sent, and not come back')",
                                   -1, &insert, NULL) == SQLITE_OK;
    for (uint32_t i = 0; good && i < d->orders; i++) {
        sqlite3_bind_int64(insert, 1, i);
        sqlite3_bind_int64(insert, 2, rng_below(&r, REGIONS));
        sqlite3_bind_int64(insert, 3, rng_below(&r, 100000));
        good = sqlite3_step(insert) == SQLITE_DONE && sqlite3_reset(insert) == SQLITE_OK;
    }
    sqlite3_finalize(insert);
    return good && sqlite3_exec(d->connection, "commit", NULL, NULL, NULL) == SQLITE_OK;
}

struct database *database_open(uint32_t orders, char *why, size_t size)
{
    struct database *d = xcalloc(1, sizeof *d);
    d->orders = orders;
    if (sqlite3_open(":memory:", &d->connection) == SQLITE_OK && fill(d) &&
        sqlite3_prepare_v2(d->connection, "select region, cents, note from orders where id = ?", -1, &d->page, NULL) ==
            SQLITE_OK &&
        sqlite3_prepare_v2(d->connection, "select count(*), sum(cents), max(cents) from orders where region = ?", -1,
                           &d->report, NULL) == SQLITE_OK)
        return d;
    snprintf(why, size, "SQLite: %.150s", d->connection ? sqlite3_errmsg(d->connection) : "no memory");
    database_close(d);
    return NULL;
}

void database_close(struct database *d)
{
    sqlite3_finalize(d->page);
    sqlite3_finalize(d->report);
    sqlite3_close(d->connection);
    free(d);
}

/* One row comes back, and nothing behind it. */
static bool query(sqlite3_stmt *statement, uint64_t key)
{
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)key);
    const bool good = sqlite3_step(statement) == SQLITE_ROW && sqlite3_step(statement) == SQLITE_DONE;
    return sqlite3_reset(statement) == SQLITE_OK && good;
}

bool database_page(struct database *d, uint64_t key)
{
    return query(d->page, key % d->orders);
}

bool database_report(struct database *d, uint64_t key)
{
    return query(d->report, key % REGIONS);
}

#else

struct database *database_open(uint32_t orders, char *why, size_t size)
{
    (void)orders;
    snprintf(why, size, "built without SQLite: install libsqlite3-dev, then make build");
    return NULL;
}

void database_close(struct database *database)
{
    (void)database;
}

bool database_page(struct database *database, uint64_t key)
{
    (void)database;
    (void)key;
    return false;
}

bool database_report(struct database *database, uint64_t key)
{
    (void)database;
    (void)key;
    return false;
}

#endif
