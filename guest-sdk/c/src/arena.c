#include "arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sporegate.h"

/* Memory is taken from malloc in pieces of this size; what is larger gets a piece of its own. One
   piece is kept between calls. With 0, for tests, every allocation is one of malloc's, and exact. */
#ifndef SPOREGATE_CHUNK_BYTES
#define SPOREGATE_CHUNK_BYTES 8192
#endif

#if SPOREGATE_CHUNK_BYTES > 0
#define ALIGNMENT _Alignof(max_align_t)
#else
#define ALIGNMENT 1
#endif

typedef struct chunk {
    struct chunk *before;
    size_t capacity;
    size_t used;
    _Alignas(max_align_t) unsigned char bytes[];
} chunk;

static chunk *current;
static bool ended;
static void *lent;
static size_t lent_size;

static void take_back(void) {
    chunk *kept = NULL;
    while (current != NULL) {
        chunk *before = current->before;
        if (kept == NULL && current->capacity == SPOREGATE_CHUNK_BYTES) {
            kept = current;
        } else {
            free(current);
        }
        current = before;
    }
    if (kept != NULL) {
        kept->before = NULL;
        kept->used = 0;
    }
    current = kept;
    ended = false;
}

/* The arguments of a call are written before its function is entered. */
static void take_back_what_ended(void) {
    if (ended) {
        take_back();
    }
}

void sporegate_arena_begin(void) {
    take_back_what_ended();
}

void sporegate_arena_end(void) {
    ended = true;
    lent = NULL;
}

void sporegate_arena_lend(void *buffer, size_t size) {
    lent = buffer;
    lent_size = size;
}

static size_t rounded(size_t size) {
    if (size > SIZE_MAX / 2) {
        __builtin_trap();
    }
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void add_chunk(size_t size) {
    size_t capacity = size > SPOREGATE_CHUNK_BYTES ? size : SPOREGATE_CHUNK_BYTES;
    chunk *added = malloc(sizeof(chunk) + capacity);
    if (added == NULL) {
        __builtin_trap();
    }
    added->before = current;
    added->capacity = capacity;
    added->used = 0;
    current = added;
}

void *sporegate_alloc(size_t size) {
    take_back_what_ended();
    if (lent != NULL && size <= lent_size) {
        void *buffer = lent;
        lent = NULL;
        return buffer;
    }
    size = rounded(size);
    if (current == NULL || current->capacity - current->used < size) {
        add_chunk(size);
    }
    void *allocated = current->bytes + current->used;
    current->used += size;
    return allocated;
}

static bool extend_in_place(void *old, size_t old_size, size_t new_size) {
    if (current == NULL) {
        return false;
    }
    unsigned char *end = current->bytes + current->used;
    if ((unsigned char *)old + rounded(old_size) != end) {
        return false;
    }
    size_t more = rounded(new_size) - rounded(old_size);
    if (current->capacity - current->used < more) {
        return false;
    }
    current->used += more;
    return true;
}

void *sporegate_arena_realloc(void *old, size_t old_size, size_t new_size) {
    if (old == NULL || old_size == 0) {
        return sporegate_alloc(new_size);
    }
    if (new_size <= old_size || extend_in_place(old, old_size, new_size)) {
        return old;
    }
    void *moved = sporegate_alloc(new_size);
    memcpy(moved, old, old_size);
    return moved;
}

/* The gateway's way to allocate in the module, in the place of the one that the bindings have. */
#ifdef __wasm__
__attribute__((__export_name__("cabi_realloc")))
#endif
void *cabi_realloc(void *old, size_t old_size, size_t alignment, size_t new_size);

void *cabi_realloc(void *old, size_t old_size, size_t alignment, size_t new_size) {
    if (new_size == 0) {
        return (void *)alignment;
    }
    return sporegate_arena_realloc(old, old_size, new_size);
}

sporegate_str sporegate_keep(sporegate_str text) {
    char *kept = malloc(text.len > 0 ? text.len : 1);
    if (kept == NULL) {
        __builtin_trap();
    }
    if (text.len > 0) {
        memcpy(kept, text.ptr, text.len);
    }
    return (sporegate_str){kept, text.len};
}
