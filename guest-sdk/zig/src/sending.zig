//! What goes out to many, and who is there.

const calls = @import("calls.zig");
const events = @import("events.zig");
const c = calls.c;

/// Clients that the gateway chooses, with no call for each.
pub const Audience = union(enum) {
    /// A path, or a pattern.
    path: []const u8,
    user: []const u8,
    role: []const u8,
    ids: []const []const u8,

    /// Queues a message for all of them but those with the ids `except`; gives how many those are.
    pub fn send(audience: Audience, message: events.Message, except: []const []const u8) !u64 {
        const out = try calls.strs(except);
        var reached: u64 = 0;
        const payload = try message.toC();
        try calls.done(c.sporegate_broadcast(try audience.toC(), payload, out.ptr, out.len, &reached));
        return reached;
    }

    /// Queues a value as JSON text for all of them.
    pub fn sendJson(audience: Audience, value: anytype) !void {
        _ = try audience.send(try events.Message.json(value), &.{});
    }

    fn toC(audience: Audience) error{OutOfMemory}!c.sporegate_audience {
        return switch (audience) {
            .path => |path| c.sporegate_on_path(calls.str(path)),
            .user => |user| c.sporegate_of_user(calls.str(user)),
            .role => |role| c.sporegate_with_role(calls.str(role)),
            .ids => |ids| c.sporegate_with_ids((try calls.strs(ids)).ptr, ids.len),
        };
    }
};

/// Clients, fetched page by page: `while (try clients.next()) |client|`.
pub const Clients = struct {
    clients: c.sporegate_clients,

    pub fn next(it: *Clients) !?events.Client {
        var client: c.sporegate_client = undefined;
        if (c.sporegate_next(&it.clients, &client)) return try .of(client);
        if (it.clients.failed) try calls.done(c.SPOREGATE_FAILED);
        return null;
    }
};

/// Those on a path, or on all paths of a pattern.
pub fn clientsOnPath(path: []const u8) Clients {
    return .{ .clients = c.sporegate_clients_on_path(calls.str(path)) };
}

pub fn clientsOfUser(username: []const u8) Clients {
    return .{ .clients = c.sporegate_clients_of_user(calls.str(username)) };
}

/// Null if there is no such client, or none that this module may see.
pub fn getClient(id: []const u8) error{OutOfMemory}!?events.Client {
    var client: c.sporegate_client = undefined;
    return if (c.sporegate_get_client(calls.str(id), &client)) try .of(client) else null;
}

pub fn clientCount() u64 {
    return c.sporegate_client_count();
}

/// Under which clients connect, such as `/websocket`.
pub fn basePath() []const u8 {
    return calls.bytes(c.sporegate_base_path());
}

/// Lets everything that is queued leave now; what follows is all or nothing again.
pub fn flush() calls.Error!void {
    try calls.done(c.sporegate_flush());
}
