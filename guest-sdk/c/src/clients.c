#include "convert.h"

/* As many as the gateway gives at once, if it gives fewer. */
#define PAGE_CLIENTS 256

sporegate_clients sporegate_clients_on_path(sporegate_str path_or_pattern) {
    return (sporegate_clients){.path_or_user = path_or_pattern};
}

sporegate_clients sporegate_clients_of_user(sporegate_str username) {
    return (sporegate_clients){.path_or_user = username, .of_user = true};
}

static bool fetch_page(sporegate_clients *clients) {
    listener_string_t of = string_of(clients->path_or_user), cursor = string_of(clients->cursor);
    listener_string_t *after = clients->cursor.ptr == NULL ? NULL : &cursor;
    sporegate_gateway_clients_tuple2_list_client_option_string_t page;
    sporegate_gateway_types_error_t error;
    bool ok = clients->of_user ? sporegate_gateway_clients_get_clients_of_user(
                                     &of, after, PAGE_CLIENTS, &page, &error)
                               : sporegate_gateway_clients_get_clients_on_path(
                                     &of, after, PAGE_CLIENTS, &page, &error);
    if (!sporegate_result_of(ok, &error)) {
        return false;
    }
    sporegate_client *found = sporegate_alloc(page.f0.len * sizeof *found);
    for (size_t i = 0; i < page.f0.len; i++) {
        found[i] = sporegate_client_of(&page.f0.ptr[i]);
    }
    clients->page = found;
    clients->page_count = page.f0.len;
    clients->next = 0;
    clients->last_page = !page.f1.is_some;
    clients->cursor = str_or_none(page.f1);
    return true;
}

bool sporegate_next(sporegate_clients *clients, sporegate_client *client) {
    while (clients->next == clients->page_count) {
        if (clients->last_page || clients->failed) {
            return false;
        }
        clients->failed = !fetch_page(clients);
    }
    *client = clients->page[clients->next++];
    return true;
}

bool sporegate_get_client(sporegate_str id, sporegate_client *client) {
    listener_string_t wanted = string_of(id);
    sporegate_gateway_types_client_t found;
    if (!sporegate_gateway_clients_get_client(&wanted, &found)) {
        return false;
    }
    *client = sporegate_client_of(&found);
    return true;
}

uint64_t sporegate_client_count(void) {
    return sporegate_gateway_clients_get_client_count();
}

sporegate_str sporegate_claims(sporegate_str client_id) {
    listener_string_t id = string_of(client_id), claims;
    if (!sporegate_gateway_clients_get_claims(&id, &claims)) {
        return (sporegate_str){NULL, 0};
    }
    return str_of(claims);
}

sporegate_str sporegate_base_path(void) {
    listener_string_t path;
    sporegate_gateway_clients_base_path(&path);
    return str_of(path);
}
