//! What comes in: messages, and clients that leave.

const std = @import("std");
const calls = @import("calls.zig");
const c = calls.c;

/// Whether other listeners see the message too.
pub const Outcome = enum { proceed, stop };

/// One complete WebSocket message.
pub const Message = union(enum) {
    text: []const u8,
    binary: []const u8,

    /// A text with a value as std.json writes it.
    pub fn json(value: anytype) !Message {
        return .{ .text = try std.json.Stringify.valueAlloc(calls.allocator, value, .{}) };
    }

    /// The text read as JSON of type `T`. Fields that `T` does not have are passed over.
    pub fn parse(message: Message, comptime T: type) !T {
        const text = switch (message) {
            .text => |text| text,
            .binary => return error.NotText,
        };
        return std.json.parseFromSliceLeaky(T, calls.allocator, text, .{ .ignore_unknown_fields = true });
    }

    pub fn of(payload: c.sporegate_payload) Message {
        const data = calls.bytes(payload.data);
        return if (payload.kind == c.SPOREGATE_TEXT) .{ .text = data } else .{ .binary = data };
    }

    pub fn toC(message: Message) calls.Error!c.sporegate_payload {
        return switch (message) {
            .text => |text| .{ .kind = c.SPOREGATE_TEXT, .data = calls.str(try calls.checked(text)) },
            .binary => |data| .{ .kind = c.SPOREGATE_BINARY, .data = calls.str(data) },
        };
    }
};

/// A client as it was when it was asked for.
pub const Client = struct {
    /// The same across a reconnect, and never used again.
    id: []const u8,
    /// Below the base path; begins with `/`.
    connect_path: []const u8,
    /// Null where the path admits anonymous clients.
    username: ?[]const u8,
    /// Sorted, no duplicates.
    roles: []const []const u8,

    /// Queues a message. It leaves when the call ends without an error, or at `flush`.
    pub fn send(client: Client, message: Message) calls.Error!void {
        try calls.done(c.sporegate_send(calls.str(client.id), try message.toC()));
    }

    pub fn sendText(client: Client, text: []const u8) calls.Error!void {
        try client.send(.{ .text = text });
    }

    /// Queues a value as JSON text.
    pub fn sendJson(client: Client, value: anytype) !void {
        try client.send(try Message.json(value));
    }

    /// Closes it with 1000 or 4900 to 4999, and a reason of at most 123 bytes.
    pub fn close(client: Client, code: u16, reason: []const u8) calls.Error!void {
        try calls.done(c.sporegate_close(calls.str(client.id), code, calls.str(try calls.checked(reason))));
    }

    /// What the authenticator vouches for, as JSON of type `T`; null if there is nothing.
    pub fn claims(client: Client, comptime T: type) !?T {
        const found = calls.bytesOrNull(c.sporegate_claims(calls.str(client.id))) orelse return null;
        return try (Message{ .text = found }).parse(T);
    }

    pub fn of(client: c.sporegate_client) error{OutOfMemory}!Client {
        const roles = try calls.allocator.alloc([]const u8, client.role_count);
        for (roles, 0..) |*role, i| role.* = calls.bytes(client.roles[i]);
        return .{
            .id = calls.bytes(client.id),
            .connect_path = calls.bytes(client.connect_path),
            .username = calls.bytesOrNull(client.username),
            .roles = roles,
        };
    }
};

/// What a part of the path pattern stands for.
pub const Param = struct { name: []const u8, value: []const u8 };

/// A message that one of the listeners matches.
pub const MessageEvent = struct {
    listener: []const u8,
    client: Client,
    message: Message,
    path_params: []const Param,
    /// Number of the message in its session, from 1.
    sequence: u64,
    received_at_ms: u64,
    traceparent: ?[]const u8,

    /// The value of `{name}` in the pattern, `*` for the rest.
    pub fn pathParam(event: MessageEvent, name: []const u8) ?[]const u8 {
        for (event.path_params) |param| {
            if (std.mem.eql(u8, param.name, name)) return param.value;
        }
        return null;
    }

    pub fn reply(event: MessageEvent, message: Message) calls.Error!void {
        try event.client.send(message);
    }

    pub fn replyText(event: MessageEvent, text: []const u8) calls.Error!void {
        try event.client.sendText(text);
    }

    pub fn replyJson(event: MessageEvent, value: anytype) !void {
        try event.client.sendJson(value);
    }

    pub fn of(event: c.sporegate_message_event) error{OutOfMemory}!MessageEvent {
        const params = try calls.allocator.alloc(Param, event.path_param_count);
        for (params, 0..) |*param, i| {
            const it = event.path_params[i];
            param.* = .{ .name = calls.bytes(it.name), .value = calls.bytes(it.value) };
        }
        return .{
            .listener = calls.bytes(event.listener),
            .client = try .of(event.client),
            .message = .of(event.message),
            .path_params = params,
            .sequence = event.sequence,
            .received_at_ms = event.received_at_ms,
            .traceparent = calls.bytesOrNull(event.traceparent),
        };
    }
};

/// A client that has gone: once for each session that a disconnect listener matches.
pub const DisconnectEvent = struct {
    listener: []const u8,
    /// As last known.
    client: Client,
    /// 1006 where the connection was lost.
    code: u16,
    reason: []const u8,

    pub fn of(event: c.sporegate_disconnect_event) error{OutOfMemory}!DisconnectEvent {
        return .{
            .listener = calls.bytes(event.listener),
            .client = try .of(event.client),
            .code = event.code,
            .reason = calls.bytes(event.reason),
        };
    }
};
