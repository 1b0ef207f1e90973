#include <stdarg.h>
#include <stdio.h>

#include "sporegate.h"

void sporegate_log(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}
