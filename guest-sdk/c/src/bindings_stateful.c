/* The generated bindings of the handover, on the memory of the call. */
#ifdef SPOREGATE_STATEFUL

#include <stdlib.h>
#include <string.h>

#define free(memory) ((void)(memory))
#include "../bindings/handover.c"

#endif
