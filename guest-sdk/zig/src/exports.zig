//! From what the SDK for C calls to the functions of the listener.

const std = @import("std");
const calls = @import("calls.zig");
const events = @import("events.zig");
const c = calls.c;

/// State on its way from one revision of a module to the next.
pub const Snapshot = struct {
    schema: u32,
    media_type: []const u8,
    data: []const u8,
};

const CSnapshot = extern struct { schema: u32, media_type: c.sporegate_str, data: c.sporegate_str };

/// Makes `L` the listener of the module: `start` and `onMessage`, `onDisconnect` if it is there, and
/// `exportState` and `importState` if they are.
pub fn exportListener(comptime L: type) void {
    const Exports = struct {
        fn start() callconv(.c) c.sporegate_result {
            L.start() catch |problem| return failed(problem);
            return c.SPOREGATE_OK;
        }

        fn onMessage(event: *const c.sporegate_message_event) callconv(.c) c.sporegate_result {
            const outcome = handle(event) catch |problem| return failed(problem);
            return if (outcome == .stop) c.SPOREGATE_STOP else c.SPOREGATE_PROCEED;
        }

        fn handle(event: *const c.sporegate_message_event) !events.Outcome {
            return L.onMessage(try events.MessageEvent.of(event.*));
        }

        fn onDisconnect(event: *const c.sporegate_disconnect_event) callconv(.c) c.sporegate_result {
            leave(event) catch |problem| return failed(problem);
            return c.SPOREGATE_OK;
        }

        fn leave(event: *const c.sporegate_disconnect_event) !void {
            try L.onDisconnect(try events.DisconnectEvent.of(event.*));
        }

        fn exportState(out: *CSnapshot) callconv(.c) c.sporegate_result {
            const state: Snapshot = L.exportState() catch |problem| return failed(problem);
            out.* = .{
                .schema = state.schema,
                .media_type = calls.str(state.media_type),
                .data = calls.str(state.data),
            };
            return c.SPOREGATE_OK;
        }

        fn importState(in: *const CSnapshot) callconv(.c) c.sporegate_result {
            const state = Snapshot{
                .schema = in.schema,
                .media_type = calls.bytes(in.media_type),
                .data = calls.bytes(in.data),
            };
            L.importState(state) catch |problem| return failed(problem);
            return c.SPOREGATE_OK;
        }
    };
    @export(&Exports.start, .{ .name = "sporegate_start" });
    @export(&Exports.onMessage, .{ .name = "sporegate_on_message" });
    if (@hasDecl(L, "onDisconnect")) {
        @export(&Exports.onDisconnect, .{ .name = "sporegate_on_disconnect" });
    }
    if (@hasDecl(L, "exportState")) {
        @export(&Exports.exportState, .{ .name = "sporegate_export_state" });
        @export(&Exports.importState, .{ .name = "sporegate_import_state" });
    }
}

/// Its name, if nothing has said more.
fn failed(problem: anyerror) c.sporegate_result {
    if (c.sporegate_last_error().code == c.SPOREGATE_NO_ERROR) {
        _ = c.sporegate_fail(calls.str(@errorName(problem)));
    }
    return c.SPOREGATE_FAILED;
}
