//! Which messages and disconnects the module wants. The gateway evaluates it, and enters the module for
//! no other message.

const std = @import("std");
const calls = @import("calls.zig");
const c = calls.c;

/// Every part that is there must hold.
pub const Matcher = struct {
    /// `/rooms/{room}/*`: literal segments, `{name}` for one, a final `*` for the rest. Null: every path.
    path: ?[]const u8 = null,
    tests: []const Test = &.{},
    /// If there are any, the client needs one of them.
    roles: []const []const u8 = &.{},
};

/// A test of the content. Pointers are of RFC 6901, such as `/type`; values are JSON texts, such as
/// `"join"` with its quotes.
pub const Test = union(enum) {
    is_text,
    is_binary,
    text_equals: []const u8,
    text_prefix: []const u8,
    text_contains: []const u8,
    text_regex: []const u8,
    binary_prefix: []const u8,
    json_exists: []const u8,
    json_equals: struct { pointer: []const u8, value: []const u8 },
    json_one_of: struct { pointer: []const u8, values: []const []const u8 },

    fn toC(it: Test) error{OutOfMemory}!c.sporegate_test {
        // In the same order.
        var out = std.mem.zeroes(c.sporegate_test);
        out.kind = @intFromEnum(it);
        switch (it) {
            .is_text, .is_binary => {},
            .json_exists => |pointer| out.pointer = calls.str(pointer),
            .json_equals => |equals| {
                out.pointer = calls.str(equals.pointer);
                out.value = calls.str(equals.value);
            },
            .json_one_of => |one_of| {
                const values = try calls.strs(one_of.values);
                out.pointer = calls.str(one_of.pointer);
                out.values = values.ptr;
                out.value_count = values.len;
            },
            inline else => |value| out.value = calls.str(value),
        }
        return out;
    }
};

comptime {
    std.debug.assert(@intFromEnum(Test.json_one_of) == c.SPOREGATE_JSON_ONE_OF);
}

/// Adds a listener under a name, 1 to 64 of `[a-z0-9-]`, with priority 0; one that is taken gets the new
/// matcher.
pub fn listen(name: []const u8, matcher: Matcher) !void {
    try listenWithPriority(name, matcher, 0);
}

/// Higher priorities are called first.
pub fn listenWithPriority(name: []const u8, matcher: Matcher, priority: i32) !void {
    const tests = try calls.allocator.alloc(c.sporegate_test, matcher.tests.len);
    for (tests, matcher.tests) |*out, it| out.* = try it.toC();
    const roles = try calls.strs(matcher.roles);
    const wanted = c.sporegate_matcher{
        .path = calls.strOrNone(matcher.path),
        .tests = tests.ptr,
        .test_count = tests.len,
        .roles = roles.ptr,
        .role_count = roles.len,
    };
    try calls.done(c.sporegate_listen(calls.str(name), &wanted, priority));
}

pub fn unlisten(name: []const u8) calls.Error!void {
    try calls.done(c.sporegate_unlisten(calls.str(name)));
}

/// Adds a disconnect listener, for clients on a path, or on all paths of the module.
pub fn listenForDisconnects(name: []const u8, path: ?[]const u8) calls.Error!void {
    try calls.done(c.sporegate_listen_for_disconnects(calls.str(name), calls.strOrNone(path)));
}

pub fn unlistenForDisconnects(name: []const u8) calls.Error!void {
    try calls.done(c.sporegate_unlisten_for_disconnects(calls.str(name)));
}
