//! Listeners for Sporegate in Zig, over the SDK for C.
//!
//! A listener is a file that declares `start` and `onMessage`, and says so:
//!
//!     const sporegate = @import("sporegate");
//!
//!     pub fn start() !void {
//!         try sporegate.listen("echo", .{});
//!     }
//!
//!     pub fn onMessage(event: sporegate.MessageEvent) !sporegate.Outcome {
//!         try event.reply(event.message);
//!         return .stop;
//!     }
//!
//!     comptime {
//!         sporegate.exportListener(@This());
//!     }
//!
//! What an event holds, what a function gives, and what `allocator` gives lives until the call has
//! ended; nothing of it need be freed. What a call has sent leaves if it ends without an error.

const std = @import("std");
const calls = @import("calls.zig");
const events = @import("events.zig");
const exports = @import("exports.zig");
const matching = @import("matching.zig");
const sending = @import("sending.zig");
const wasi = @import("wasi.zig");

pub const allocator = calls.allocator;
pub const Error = calls.Error;
pub const fail = calls.fail;
pub const lastError = calls.lastError;

pub const Client = events.Client;
pub const DisconnectEvent = events.DisconnectEvent;
pub const Message = events.Message;
pub const MessageEvent = events.MessageEvent;
pub const Outcome = events.Outcome;
pub const Param = events.Param;

pub const Matcher = matching.Matcher;
pub const Test = matching.Test;
pub const listen = matching.listen;
pub const listenWithPriority = matching.listenWithPriority;
pub const listenForDisconnects = matching.listenForDisconnects;
pub const unlisten = matching.unlisten;
pub const unlistenForDisconnects = matching.unlistenForDisconnects;

pub const Audience = sending.Audience;
pub const Clients = sending.Clients;
pub const basePath = sending.basePath;
pub const clientCount = sending.clientCount;
pub const clientsOfUser = sending.clientsOfUser;
pub const clientsOnPath = sending.clientsOnPath;
pub const flush = sending.flush;
pub const getClient = sending.getClient;

pub const config = wasi.config;
pub const httpGet = wasi.httpGet;
pub const keyvalue = wasi.keyvalue;
pub const log = wasi.log;
pub const logFn = wasi.logFn;

pub const Snapshot = exports.Snapshot;
pub const exportListener = exports.exportListener;
