#include <stdarg.h>
#include <stdio.h>

#include "sporegate.h"

sporegate_str sporegate_format(const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int len = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (len < 0) {
        va_end(again);
        return SPOREGATE_STR("");
    }
    char *text = sporegate_alloc((size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return (sporegate_str){text, (size_t)len};
}
