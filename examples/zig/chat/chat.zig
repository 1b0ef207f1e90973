//! Chat rooms: everybody who is connected to `/chat/{room}` is in that room.

const std = @import("std");
const sporegate = @import("sporegate");

const rooms = "/chat/{room}";

const Request = struct {
    type: enum { join, say, who, leave },
    text: ?[]const u8 = null,
};

pub fn start() !void {
    try sporegate.listen("chat", .{ .path = rooms });
    try sporegate.listenForDisconnects("farewell", rooms);
}

pub fn onMessage(event: sporegate.MessageEvent) !sporegate.Outcome {
    const request = event.message.parse(Request) catch {
        try complain(event, "say join, say with a text, who or leave, as JSON");
        return .stop;
    };
    const who = name(event.client);
    const everybody = sporegate.Audience{ .path = event.client.connect_path };
    switch (request.type) {
        .join => try everybody.sendJson(.{ .type = "joined", .who = who, .room = event.pathParam("room") }),
        .say => if (request.text) |text| {
            try everybody.sendJson(.{ .type = "said", .who = who, .text = text });
        } else {
            try complain(event, "say needs a text");
        },
        .who => try event.replyJson(.{ .type = "present", .who = try present(event.client.connect_path) }),
        .leave => try event.client.close(1000, "see you"),
    }
    return .stop;
}

pub fn onDisconnect(event: sporegate.DisconnectEvent) !void {
    const everybody = sporegate.Audience{ .path = event.client.connect_path };
    try everybody.sendJson(.{ .type = "left", .who = name(event.client) });
}

fn complain(event: sporegate.MessageEvent, problem: []const u8) !void {
    try event.replyJson(.{ .type = "error", .problem = problem });
}

fn present(path: []const u8) ![]const []const u8 {
    var names: std.ArrayList([]const u8) = .empty;
    var clients = sporegate.clientsOnPath(path);
    while (try clients.next()) |client| {
        try names.append(sporegate.allocator, name(client));
    }
    return names.items;
}

fn name(client: sporegate.Client) []const u8 {
    return client.username orelse "somebody";
}

comptime {
    sporegate.exportListener(@This());
}
