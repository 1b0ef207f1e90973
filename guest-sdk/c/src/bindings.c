/* The generated bindings of every listener, on the memory of the call: what they would free, and
   hold for the gateway to read, is taken back with the rest. */
#include <stdlib.h>
#include <string.h>

#define free(memory) ((void)(memory))
#include "../bindings/listener.c"
