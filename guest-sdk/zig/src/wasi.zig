//! What a module needs a grant for, in its sidecar, and the log.

const std = @import("std");
const calls = @import("calls.zig");
const c = calls.c;

/// A line in the module's log.
pub fn log(comptime format: []const u8, arguments: anytype) void {
    const line = std.fmt.allocPrint(calls.allocator, format, arguments) catch return;
    c.sporegate_log("%.*s", @as(c_int, @intCast(line.len)), line.ptr);
}

/// For std.log: `pub const std_options: std.Options = .{ .logFn = sporegate.logFn };`.
pub fn logFn(
    comptime level: std.log.Level,
    comptime scope: @EnumLiteral(),
    comptime format: []const u8,
    arguments: anytype,
) void {
    const prefix = if (scope == .default) "" else "(" ++ @tagName(scope) ++ ") ";
    log(level.asText() ++ ": " ++ prefix ++ format, arguments);
}

/// A value of `[config]`; null where the key is not set.
pub fn config(key: []const u8) calls.Error!?[]const u8 {
    var value: c.sporegate_str = undefined;
    try calls.done(c.sporegate_config(calls.str(key), &value));
    return calls.bytesOrNull(value);
}

/// The buckets of `[keyvalue]`.
pub const keyvalue = struct {
    /// Null where the key is not set.
    pub fn get(bucket: []const u8, key: []const u8) calls.Error!?[]const u8 {
        var value: c.sporegate_str = undefined;
        try calls.done(c.sporegate_kv_get(calls.str(bucket), calls.str(key), &value));
        return calls.bytesOrNull(value);
    }

    pub fn set(bucket: []const u8, key: []const u8, value: []const u8) calls.Error!void {
        try calls.done(c.sporegate_kv_set(calls.str(bucket), calls.str(key), calls.str(value)));
    }

    pub fn delete(bucket: []const u8, key: []const u8) calls.Error!void {
        try calls.done(c.sporegate_kv_delete(calls.str(bucket), calls.str(key)));
    }
};

/// Gets a URL of a host of `[http]`, and waits for all of its body. `handler` is a pointer to something
/// with `onStatus(status: u16) !void`, called once, and `onChunk(chunk: []const u8) !void`, called for each
/// piece, which is valid only until that returns. An error of theirs ends the request, and comes back.
pub fn httpGet(url: []const u8, handler: anytype) !void {
    const Handler = @TypeOf(handler);
    const Glue = struct {
        handler: Handler,
        stopped: ?anyerror = null,

        fn result(glue: *@This(), came: anyerror!void) c.sporegate_result {
            came catch |problem| {
                glue.stopped = problem;
                return c.SPOREGATE_FAILED;
            };
            return c.SPOREGATE_OK;
        }

        fn onStatus(context: ?*anyopaque, status: u16) callconv(.c) c.sporegate_result {
            const glue: *@This() = @ptrCast(@alignCast(context));
            return glue.result(glue.handler.onStatus(status));
        }

        fn onChunk(context: ?*anyopaque, chunk: c.sporegate_str) callconv(.c) c.sporegate_result {
            const glue: *@This() = @ptrCast(@alignCast(context));
            return glue.result(glue.handler.onChunk(calls.bytes(chunk)));
        }
    };
    var glue = Glue{ .handler = handler };
    const toC = c.sporegate_http_handler{ .on_status = Glue.onStatus, .on_chunk = Glue.onChunk, .context = &glue };
    const got = c.sporegate_http_get(calls.str(url), &toC);
    if (glue.stopped) |problem| return problem;
    try calls.done(got);
}
