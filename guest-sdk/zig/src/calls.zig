//! What lives as long as a call: its memory, and its last error.

const std = @import("std");
pub const c = @cImport(@cInclude("sporegate.h"));

/// What the gateway refuses; `lastError` has the words for it.
pub const Error = error{
    NotFound,
    Closed,
    QueueFull,
    TooLarge,
    Denied,
    InvalidArgument,
    LimitExceeded,
    Refused,
};

/// Memory until the call ends. What is freed is not used again before.
pub const allocator: std.mem.Allocator = .{ .ptr = undefined, .vtable = &.{
    .alloc = alloc,
    .resize = std.mem.Allocator.noResize,
    .remap = std.mem.Allocator.noRemap,
    .free = std.mem.Allocator.noFree,
} };

fn alloc(_: *anyopaque, len: usize, alignment: std.mem.Alignment, _: usize) ?[*]u8 {
    // It is aligned for everything that C knows.
    if (alignment.compare(.gt, .of(std.c.max_align_t))) return null;
    return @ptrCast(c.sporegate_alloc(len));
}

/// Makes this the last error, for the log of the gateway: `return sporegate.fail("no {s}", .{name});`.
pub fn fail(comptime format: []const u8, arguments: anytype) Error {
    const text = std.fmt.allocPrint(allocator, format, arguments) catch "out of memory";
    _ = c.sporegate_fail(str(text));
    return Error.Refused;
}

/// The last error of this call, in words; null if there was none.
pub fn lastError() ?[]const u8 {
    const last = c.sporegate_last_error();
    return if (last.code == c.SPOREGATE_NO_ERROR) null else bytes(last.text);
}

/// What a function of the SDK for C has come to.
pub fn done(result: c.sporegate_result) Error!void {
    if (result != c.SPOREGATE_FAILED) return;
    return switch (c.sporegate_last_error().code) {
        c.SPOREGATE_NOT_FOUND => Error.NotFound,
        c.SPOREGATE_CLOSED => Error.Closed,
        c.SPOREGATE_QUEUE_FULL => Error.QueueFull,
        c.SPOREGATE_TOO_LARGE => Error.TooLarge,
        c.SPOREGATE_DENIED => Error.Denied,
        c.SPOREGATE_INVALID_ARGUMENT => Error.InvalidArgument,
        c.SPOREGATE_LIMIT_EXCEEDED => Error.LimitExceeded,
        else => Error.Refused,
    };
}

/// Keeps from the gateway what is no text to it: it would end the instance.
pub fn checked(text: []const u8) Error![]const u8 {
    if (std.unicode.utf8ValidateSlice(text)) return text;
    _ = c.sporegate_fail(str("invalid-argument: a text is not UTF-8"));
    return Error.InvalidArgument;
}

pub fn str(text: []const u8) c.sporegate_str {
    return .{ .ptr = text.ptr, .len = text.len };
}

pub fn strOrNone(text: ?[]const u8) c.sporegate_str {
    return if (text) |some| str(some) else .{ .ptr = null, .len = 0 };
}

pub fn bytes(text: c.sporegate_str) []const u8 {
    return if (text.len == 0) "" else text.ptr[0..text.len];
}

pub fn bytesOrNull(text: c.sporegate_str) ?[]const u8 {
    return if (text.ptr == null) null else bytes(text);
}

/// A list for C.
pub fn strs(texts: []const []const u8) error{OutOfMemory}![]c.sporegate_str {
    const all = try allocator.alloc(c.sporegate_str, texts.len);
    for (all, texts) |*one, text| one.* = str(text);
    return all;
}
