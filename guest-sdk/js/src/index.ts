/// <reference path="./wit.d.ts" />
// Write a Sporegate listener in JavaScript or TypeScript.

export { Audience, Client, audience, basePath, clientCount, clientsOfUser, clientsOnPath, flush, getClient } from "./client.js";
export type { Payload } from "./client.js";
export { GatewayError } from "./errors.js";
export type { ErrorCode } from "./errors.js";
export { DisconnectEvent, MessageEvent } from "./event.js";
export { jsonState, listener } from "./listener.js";
export type { Listener, Outcome, Snapshot, State } from "./listener.js";
export { Matcher, listenForDisconnects, match, stopListening, stopListeningForDisconnects } from "./matcher.js";
