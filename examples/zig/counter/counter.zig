//! Counts for each client and for all; the numbers survive a hot swap.

const std = @import("std");
const sporegate = @import("sporegate");

const schema = 1;
const Numbers = std.json.ArrayHashMap(u64);

/// Outlives the call, so that it has an allocator of its own.
const gpa = std.heap.c_allocator;

var total: u64 = 0;
var clients: std.StringArrayHashMapUnmanaged(u64) = .empty;

pub fn start() !void {
    try sporegate.listen("counter", .{});
    try sporegate.listenForDisconnects("forget", null);
}

pub fn onMessage(event: sporegate.MessageEvent) !sporegate.Outcome {
    const text = switch (event.message) {
        .text => |text| text,
        .binary => "",
    };
    if (std.mem.eql(u8, text, "count")) {
        const yours = try numberOf(&clients, event.client.id);
        yours.* += 1;
        total += 1;
        try event.replyJson(.{ .yours = yours.*, .total = total });
    } else if (std.mem.eql(u8, text, "total")) {
        try event.replyJson(.{ .total = total, .clients = clients.count() });
    } else {
        try event.replyJson(.{ .@"error" = "say count or total" });
    }
    return .stop;
}

pub fn onDisconnect(event: sporegate.DisconnectEvent) !void {
    if (clients.fetchOrderedRemove(event.client.id)) |gone| gpa.free(gone.key);
}

pub fn exportState() !sporegate.Snapshot {
    clients.sort(ById{ .ids = clients.keys() });
    const state = .{ .total = total, .clients = Numbers{ .map = clients } };
    const data = try std.json.Stringify.valueAlloc(sporegate.allocator, state, .{});
    return .{ .schema = schema, .media_type = "application/json", .data = data };
}

pub fn importState(state: sporegate.Snapshot) !void {
    if (state.schema != schema) return sporegate.fail("the state has schema {d}, not {d}", .{ state.schema, schema });
    const State = struct { total: u64, clients: Numbers };
    const read = (sporegate.Message{ .text = state.data }).parse(State) catch {
        return sporegate.fail("the state is not {{\"total\":N,\"clients\":{{\"<client id>\":N,...}}}}", .{});
    };
    var numbers: std.StringArrayHashMapUnmanaged(u64) = .empty;
    errdefer forget(&numbers);
    var each = read.clients.map.iterator();
    while (each.next()) |one| (try numberOf(&numbers, one.key_ptr.*)).* = one.value_ptr.*;
    forget(&clients);
    total = read.total;
    clients = numbers;
}

fn numberOf(numbers: *std.StringArrayHashMapUnmanaged(u64), id: []const u8) !*u64 {
    const place = try numbers.getOrPut(gpa, id);
    if (!place.found_existing) {
        errdefer _ = numbers.pop();
        place.key_ptr.* = try gpa.dupe(u8, id);
        place.value_ptr.* = 0;
    }
    return place.value_ptr;
}

const ById = struct {
    ids: []const []const u8,

    pub fn lessThan(by: ById, a: usize, b: usize) bool {
        return std.mem.lessThan(u8, by.ids[a], by.ids[b]);
    }
};

fn forget(numbers: *std.StringArrayHashMapUnmanaged(u64)) void {
    for (numbers.keys()) |id| gpa.free(id);
    numbers.deinit(gpa);
}

comptime {
    sporegate.exportListener(@This());
}
