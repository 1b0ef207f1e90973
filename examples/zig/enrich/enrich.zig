//! Asks an HTTP service for what a client names, and streams its answer line by line.

const std = @import("std");
const sporegate = @import("sporegate");

/// Outlives the call that read it.
var service: []const u8 = "";

pub fn start() !void {
    const url = try sporegate.config("service") orelse
        return sporegate.fail("config.service is not set in the module's sidecar", .{});
    service = try std.heap.c_allocator.dupe(u8, std.mem.trimEnd(u8, url, "/"));
    try sporegate.listen("enrich", .{});
}

pub fn onMessage(event: sporegate.MessageEvent) !sporegate.Outcome {
    const name = switch (event.message) {
        .text => |text| text,
        .binary => "",
    };
    var answer = Answer{ .client = event.client };
    if (!isName(name)) {
        try answer.send(.{ .@"error" = "a name is 1-64 of a-z, 0-9 and -" });
        return .stop;
    }
    const url = try std.fmt.allocPrint(sporegate.allocator, "{s}/items/{s}", .{ service, name });
    sporegate.httpGet(url, &answer) catch |problem| {
        // What goes wrong with the service is for the client, all else for the gateway.
        if (answer.unsent) return problem;
        try answer.send(.{ .@"error" = sporegate.lastError() orelse @errorName(problem) });
        return .stop;
    };
    if (answer.line.items.len > 0) try answer.sendLine();
    try answer.send(.{ .done = true, .lines = answer.lines });
    return .stop;
}

/// An answer while it comes in.
const Answer = struct {
    client: sporegate.Client,
    /// What has come of it so far.
    line: std.ArrayList(u8) = .empty,
    lines: u64 = 0,
    unsent: bool = false,

    pub fn onStatus(answer: *Answer, status: u16) !void {
        try answer.send(.{ .status = status });
    }

    pub fn onChunk(answer: *Answer, chunk: []const u8) !void {
        var rest = chunk;
        while (std.mem.indexOfScalar(u8, rest, '\n')) |end| {
            try answer.line.appendSlice(sporegate.allocator, rest[0..end]);
            try answer.sendLine();
            rest = rest[end + 1 ..];
        }
        try answer.line.appendSlice(sporegate.allocator, rest);
    }

    fn sendLine(answer: *Answer) !void {
        // What is no text is shown as such.
        const text = try std.fmt.allocPrint(sporegate.allocator, "{f}", .{std.unicode.fmtUtf8(answer.line.items)});
        try answer.send(.{ .line = text });
        answer.line.clearRetainingCapacity();
        answer.lines += 1;
    }

    /// It leaves now, not when the last line has come.
    fn send(answer: *Answer, value: anytype) !void {
        errdefer answer.unsent = true;
        try answer.client.sendJson(value);
        try sporegate.flush();
    }
};

fn isName(text: []const u8) bool {
    for (text) |byte| switch (byte) {
        'a'...'z', '0'...'9', '-' => {},
        else => return false,
    };
    return text.len >= 1 and text.len <= 64;
}

comptime {
    sporegate.exportListener(@This());
}
