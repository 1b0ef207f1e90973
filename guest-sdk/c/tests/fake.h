/* A gateway for tests: it records what a listener asks for, and answers as it is told to. */
#ifndef FAKE_H
#define FAKE_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../bindings/listener.h"
#include "../src/arena.h"
#include "../src/convert.h"

#undef assert
#define assert(condition) \
    ((condition) ? (void)0 \
                 : (fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition), abort()))

#define S SPOREGATE_STR

/* Everything asked for since the last fake_reset, one line for each. */
extern char fake_log[8192];
/* Of the next calls of the gateway: -1 is success, else the tag of the error, with this text. */
extern int fake_error;
extern const char *fake_error_text;
/* Configuration and the service: NULL is not set; the body in pieces, at the end NULL. */
extern const char *fake_service;
extern const char *const *fake_body;
/* -1: the body ends well; else the code of wasi:http that it, or the request, ends with. */
extern int fake_body_error;
extern int fake_request_error;
/* Handles that are open. */
extern int fake_handles;

void fake_reset(void);

/* Calls the exports as the gateway does; the error of a call, or NULL. Freed by the next call. */
const char *fake_start(void);
const char *fake_message(const char *client, const char *text, size_t len, bool binary);
const char *fake_disconnect(const char *client);

/* Whether that was asked for, and nothing else since the last time. */
bool fake_did(const char *expected);

#endif
