//! Answers every message with itself: text as text, binary as binary.

const sporegate = @import("sporegate");

pub fn start() !void {
    try sporegate.listen("echo", .{});
}

pub fn onMessage(event: sporegate.MessageEvent) !sporegate.Outcome {
    try event.reply(event.message);
    return .stop;
}

comptime {
    sporegate.exportListener(@This());
}
