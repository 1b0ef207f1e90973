/* Listeners for Sporegate in C.
 *
 * A listener defines sporegate_start and sporegate_on_message, and sporegate_on_disconnect if it
 * wants to. sporegate_text.h has JSON and text, sporegate_wasi.h what needs a grant or the log;
 * this header includes both.
 *
 * Memory. Nothing is ever freed by hand. What a function takes is only read, while it runs. What a
 * function gives and what an event holds lives until the call of the listener has ended; then the
 * SDK takes all of it back. What has to live longer is copied: sporegate_keep, or malloc and static
 * variables, which belong to the listener alone. When there is no more memory, the call traps: no
 * function gives NULL for that.
 *
 * Errors. A function that can fail gives SPOREGATE_FAILED, or false, and sporegate_last_error says
 * why. A listener that returns SPOREGATE_FAILED need not say it again: the gateway logs the last
 * error of the call, and nothing that the call has queued leaves.
 */
#ifndef SPOREGATE_H
#define SPOREGATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Text and bytes ---- */

/* A view of bytes that belong to somebody else; text is UTF-8. No NUL at the end. Where there is no
   value at all, `ptr` is NULL. */
typedef struct sporegate_str {
    const char *ptr;
    size_t len;
} sporegate_str;

/* The view of a literal. */
#ifdef __cplusplus
#define SPOREGATE_STR(literal) (sporegate_str{"" literal, sizeof(literal) - 1})
#else
#define SPOREGATE_STR(literal) ((sporegate_str){"" literal, sizeof(literal) - 1})
#endif

/* The view of a text that ends with NUL. */
sporegate_str sporegate_str_of(const char *text);
bool sporegate_equal(sporegate_str a, sporegate_str b);

/* Memory until the call ends, aligned for everything. */
void *sporegate_alloc(size_t size);

/* A copy that outlives the call; free((char *)copy.ptr) ends it. */
sporegate_str sporegate_keep(sporegate_str text);

/* ---- Results ---- */

typedef enum sporegate_result {
    SPOREGATE_FAILED = 0,
    SPOREGATE_OK = 1,
    /* Of on_message: lower priorities see the message too, or do not. */
    SPOREGATE_PROCEED = 1,
    SPOREGATE_STOP = 2,
} sporegate_result;

typedef enum sporegate_error_code {
    SPOREGATE_NO_ERROR,
    SPOREGATE_NOT_FOUND,        /* no such client or listener, or not on a path of this module */
    SPOREGATE_CLOSED,           /* the client is closing, or its session has ended */
    SPOREGATE_QUEUE_FULL,       /* slow down, drop, or close the client */
    SPOREGATE_TOO_LARGE,        /* larger than `limit` bytes */
    SPOREGATE_DENIED,           /* the module lacks a grant */
    SPOREGATE_INVALID_ARGUMENT, /* which, and why */
    SPOREGATE_LIMIT_EXCEEDED,   /* a quota is used up */
    SPOREGATE_OTHER,
} sporegate_error_code;

typedef struct sporegate_error {
    sporegate_error_code code;
    sporegate_str text; /* for people; names the code, and what it carries */
    uint64_t limit;     /* of SPOREGATE_TOO_LARGE, in bytes */
} sporegate_error;

/* The last error of this call; its code is SPOREGATE_NO_ERROR if there was none. */
sporegate_error sporegate_last_error(void);

/* Makes `why` the last error, with SPOREGATE_OTHER, and gives SPOREGATE_FAILED. */
sporegate_result sporegate_fail(sporegate_str why);

/* ---- What comes in ---- */

typedef enum sporegate_kind { SPOREGATE_TEXT, SPOREGATE_BINARY } sporegate_kind;

/* One complete WebSocket message. */
typedef struct sporegate_payload {
    sporegate_kind kind;
    sporegate_str data;
} sporegate_payload;

/* A client as it was when the record was made. */
typedef struct sporegate_client {
    sporegate_str id;           /* of one session; ASCII, at most 64 bytes, never used again */
    sporegate_str connect_path; /* below the base path, without a query, starts with / */
    sporegate_str username;     /* none where the path admits anonymous clients */
    const sporegate_str *roles; /* sorted, no duplicates */
    size_t role_count;
} sporegate_client;

typedef struct sporegate_param {
    sporegate_str name;
    sporegate_str value;
} sporegate_param;

typedef struct sporegate_message_event {
    sporegate_str listener; /* the one that matched */
    sporegate_client client;
    sporegate_payload message;
    const sporegate_param *path_params; /* captures of the path pattern, in order */
    size_t path_param_count;
    uint64_t sequence; /* of this message in its session, from 1 */
    uint64_t received_at_ms;
    sporegate_str traceparent; /* none where tracing is off */
} sporegate_message_event;

typedef struct sporegate_disconnect_event {
    sporegate_str listener;
    sporegate_client client; /* as last known */
    uint16_t code;           /* 1006 where the connection was lost */
    sporegate_str reason;
} sporegate_disconnect_event;

/* The value of `{name}` in the pattern; none if it has no such part. */
sporegate_str sporegate_path_param(const sporegate_message_event *event, sporegate_str name);

/* ---- What the listener defines ---- */

/* First call on every new instance: adds listeners. A failure refuses the revision, and the one
   before it goes on. */
sporegate_result sporegate_start(void);

/* A message that one of the listeners matches. Messages of one client come in order, one at a time. */
sporegate_result sporegate_on_message(const sporegate_message_event *event);

/* A client has gone. Once for each session that a disconnect listener matches. */
sporegate_result sporegate_on_disconnect(const sporegate_disconnect_event *event);

#ifdef SPOREGATE_STATEFUL /* set by `sporegate-cc --stateful` */

typedef struct sporegate_snapshot {
    uint32_t schema;
    sporegate_str media_type;
    sporegate_str data;
} sporegate_snapshot;

/* On the old revision, idle by then. It must not change the state: the revision may have to go on. */
sporegate_result sporegate_export_state(sporegate_snapshot *state);

/* On the new revision, after start. A failure abandons the swap. */
sporegate_result sporegate_import_state(const sporegate_snapshot *state);

#endif

/* ---- Which messages and disconnects the module wants ---- */

typedef enum sporegate_test_kind {
    SPOREGATE_IS_TEXT,
    SPOREGATE_IS_BINARY,
    SPOREGATE_TEXT_EQUALS,
    SPOREGATE_TEXT_PREFIX,
    SPOREGATE_TEXT_CONTAINS,
    SPOREGATE_TEXT_REGEX, /* linear time: no back-references, no look-around; at most 1 KiB */
    SPOREGATE_BINARY_PREFIX,
    SPOREGATE_JSON_EXISTS,
    SPOREGATE_JSON_EQUALS, /* `value` is JSON: "\"join\"" or "42" */
    SPOREGATE_JSON_ONE_OF, /* `values` are JSON */
} sporegate_test_kind;

/* Done by the gateway, without entering the module. */
typedef struct sporegate_test {
    sporegate_test_kind kind;
    sporegate_str pointer; /* of the JSON tests: RFC 6901, e.g. /type */
    sporegate_str value;
    const sporegate_str *values;
    size_t value_count;
} sporegate_test;

/* Every part that is there must hold. */
typedef struct sporegate_matcher {
    sporegate_str path; /* /rooms/{room}/{name}, or a final * for the rest; none: every path */
    const sporegate_test *tests;
    size_t test_count;
    const sporegate_str *roles; /* if there are any, the client needs one of them */
    size_t role_count;
} sporegate_matcher;

/* `name` is 1-64 of [a-z0-9-]; one that is taken gets the new matcher. NULL matches every message on
   the paths of the module. A higher priority is called first. */
sporegate_result sporegate_listen(sporegate_str name, const sporegate_matcher *matcher,
                                  int32_t priority);
sporegate_result sporegate_unlisten(sporegate_str name);

/* Without a path (`(sporegate_str){0}`) on all paths of the module. */
sporegate_result sporegate_listen_for_disconnects(sporegate_str name, sporegate_str path);
sporegate_result sporegate_unlisten_for_disconnects(sporegate_str name);

/* ---- Clients ---- */

/* Queue a message for one client. It leaves when the call succeeds, or at sporegate_flush. */
sporegate_result sporegate_send(sporegate_str client_id, sporegate_payload message);
sporegate_result sporegate_send_text(sporegate_str client_id, sporegate_str text);
sporegate_result sporegate_reply(const sporegate_message_event *event, sporegate_payload message);
sporegate_result sporegate_reply_text(const sporegate_message_event *event, sporegate_str text);

/* Clients chosen by the gateway, with no call for each. */
typedef struct sporegate_audience {
    enum { SPOREGATE_TO_PATH, SPOREGATE_TO_USER, SPOREGATE_TO_ROLE, SPOREGATE_TO_IDS } kind;
    sporegate_str name; /* path or pattern, user, role */
    const sporegate_str *ids;
    size_t id_count;
} sporegate_audience;

sporegate_audience sporegate_on_path(sporegate_str path_or_pattern);
sporegate_audience sporegate_of_user(sporegate_str username);
sporegate_audience sporegate_with_role(sporegate_str role);
sporegate_audience sporegate_with_ids(const sporegate_str *ids, size_t count);

/* Queues a message for all of them but `except`; `*reached`, if not NULL, is how many those are. */
sporegate_result sporegate_broadcast(sporegate_audience to, sporegate_payload message,
                                     const sporegate_str *except, size_t except_count,
                                     uint64_t *reached);
sporegate_result sporegate_broadcast_text(sporegate_audience to, sporegate_str text);

/* `code` is 1000 or 4900-4999, the reason at most 123 bytes. */
sporegate_result sporegate_close(sporegate_str client_id, uint16_t code, sporegate_str reason);

/* Lets everything that is queued leave now; what follows is all or nothing again. */
sporegate_result sporegate_flush(void);

/* Clients that the gateway gives page by page: start, then sporegate_next until it gives false.
   Those that come or go meanwhile may be missed. */
typedef struct sporegate_clients {
    sporegate_str path_or_user;
    bool of_user;
    bool failed; /* it ended with an error, not with the last client */
    bool last_page;
    sporegate_str cursor;
    const sporegate_client *page;
    size_t page_count;
    size_t next;
} sporegate_clients;

sporegate_clients sporegate_clients_on_path(sporegate_str path_or_pattern);
sporegate_clients sporegate_clients_of_user(sporegate_str username);
bool sporegate_next(sporegate_clients *clients, sporegate_client *client);

/* False if there is no such client, or none that this module may see. */
bool sporegate_get_client(sporegate_str id, sporegate_client *client);
uint64_t sporegate_client_count(void);

/* What the authenticator vouches for, as a JSON object; none if there is nothing. */
sporegate_str sporegate_claims(sporegate_str client_id);

/* Under which clients connect, e.g. /websocket. */
sporegate_str sporegate_base_path(void);

#ifdef __cplusplus
}
#endif

#include "sporegate_text.h"
#include "sporegate_wasi.h"

#endif
