/* The memory of one call. Everything that comes in from the gateway and everything that the SDK
   makes for a listener is taken from here, and nothing is given back before the call has ended:
   not one pointer of a call has an owner. */
#ifndef SPOREGATE_ARENA_H
#define SPOREGATE_ARENA_H

#include <stddef.h>

/* At the start and the end of every exported function. What the function returns is read by the
   gateway after its end: so the memory is taken back when the next call begins. */
void sporegate_arena_begin(void);
void sporegate_arena_end(void);

/* Like realloc, on the memory of the call. Traps where there is no more memory. */
void *sporegate_arena_realloc(void *old, size_t old_size, size_t new_size);

/* The next allocation, if it is one of at most `size` bytes, gets `buffer`: what is read in a loop
   needs memory once. With NULL nothing is lent any more. */
void sporegate_arena_lend(void *buffer, size_t size);

#endif
